# SPDX-License-Identifier: Apache-2.0
"""cluster.py - the objects that the fake API server (apiserver.py) serves, and their history."""
import copy
import json
import os
import threading

# The resources that Curfew watches.
RESOURCES = {
    "namespaces": "Namespace",
    "secrets": "Secret",
    "serviceaccounts": "ServiceAccount",
    "pods": "Pod",
    "persistentvolumeclaims": "PersistentVolumeClaim",
    "persistentvolumes": "PersistentVolume",
}
# Those that it reads and writes.
WEBHOOKS = {
    "validatingwebhookconfigurations": "ValidatingWebhookConfiguration",
    "mutatingwebhookconfigurations": "MutatingWebhookConfiguration",
}
KINDS = {**RESOURCES, **WEBHOOKS}
LEGACY = "kubernetes.io/service-account-token"


class Odd(dict):
    """An object that cannot be read completely. `plain` is the part that can be read."""

    plain = None


class Refused(Exception):
    """A write that the API server rejects: (code, reason)."""


def key_of(obj):
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


def merged(old, patch):
    """The strategic merge patch of a webhook configuration: webhooks are merged by name."""
    new = copy.deepcopy(old)
    assert set(patch) == {"metadata", "webhooks"}, patch
    by_name = {w["name"]: w for w in new["webhooks"]}
    for webhook in patch["webhooks"]:
        by_name[webhook["name"]].setdefault("clientConfig", {}).update(webhook["clientConfig"])
    return new


class Cluster:
    """The objects, each with its resourceVersion, and what happened to them.

    With `folder`, each version of an object is also a file there, NNNN-RESOURCE-NAME.json."""

    def __init__(self, version=1000, folder=None):
        self.changed = threading.Condition()
        self.version = version
        self.objects = {name: {} for name in KINDS}
        self.history = []  # (version, resource, type, object)
        self.compacted = version
        self.folder = folder
        self.conflicts = {"update": 0, "patch": 0}  # how many are still to come

    def put(self, resource, obj):
        """Adds or modifies."""
        key = key_of(obj)
        with self.changed:
            self.version += 1
            obj = copy.deepcopy(obj)
            obj["metadata"]["resourceVersion"] = str(self.version)
            kind = "MODIFIED" if key in self.objects[resource] else "ADDED"
            self.objects[resource][key] = obj
            self.history.append((self.version, resource, kind, obj))
            self.changed.notify_all()
            if self.folder:
                self.keep(resource, obj)
        return obj

    def keep(self, resource, obj):
        file = "%04d-%s-%s.json" % (len(os.listdir(self.folder)) + 1, resource, obj["metadata"]["name"])
        with open(os.path.join(self.folder, file), "w", encoding="ascii") as f:
            json.dump(obj, f)

    def delete(self, resource, key):
        with self.changed:
            obj = self.objects[resource].pop(key, None)
            if obj is None:
                return False
            self.version += 1
            obj = copy.deepcopy(obj)
            obj["metadata"]["resourceVersion"] = str(self.version)
            self.history.append((self.version, resource, "DELETED", obj))
            self.changed.notify_all()
            return True

    # ---- what clients write ----

    def create(self, resource, obj):
        with self.changed:
            if key_of(obj) in self.objects[resource]:
                raise Refused(409, "AlreadyExists")
            obj["metadata"]["uid"] = "u"
            return self.put(resource, obj)

    def write(self, verb, resource, key, obj):
        """An update, or a patch."""
        with self.changed:
            old = self.objects[resource].get(key)
            if old is None:
                raise Refused(404, "NotFound")
            if self.conflicts[verb] > 0:
                self.conflicts[verb] -= 1
                old = self.put(resource, old)
            version = old["metadata"]["resourceVersion"]
            if obj["metadata"].get("resourceVersion", version) != version:
                raise Refused(409, "Conflict")
            return self.put(resource, merged(old, obj) if verb == "patch" else obj)

    # ---- versions ----

    def compact(self):
        """Drops the history: older versions are no longer available."""
        with self.changed:
            self.compacted = self.version
            self.history.clear()
            self.changed.notify_all()

    def set_back(self, by=500):
        """etcd is restored from an old backup: the versions go backwards."""
        with self.changed:
            self.version -= by
            self.compacted = 0
            self.history.clear()
            self.changed.notify_all()

    def everything(self):
        """A List of all that Curfew watches, as kubectl would print it."""
        with self.changed:
            items = [
                dict(getattr(obj, "plain", obj), kind=kind, apiVersion="v1")
                for resource, kind in RESOURCES.items()
                for obj in self.objects[resource].values()
            ]
        return {"kind": "List", "apiVersion": "v1", "items": items}
