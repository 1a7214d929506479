#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""objects.py [OBJECTS [SEED]] - random contents that users may write into objects of the six resources,
among valid ones, as Go's encoder prints them: the store knows every valid object, and the others by
name; they end no list and no watch; they can be deleted.

A failure prints its seed: `objects.py 2000 SEED` repeats it."""
import random
import sys
import tempfile
import time

import goencode
from goencode import Raw
from harness import (NAMESPACES, RESOURCES, Failed, Odd, Server, Watcher, account, check, claim, namespace,
                     pod, secret, until, volume)

# "\udcff" and "\udcfe" are invalid UTF-8 bytes: Go prints both the same.
PARTS = ("\x00", "\ufffd", "\udcff", "\udcfe", "<b>&", "\u2028", '"', "\\", "\n", "\x01", "\x7f", "a", "A", "",
         "\U0001f600", "\u00e9", "{}", "[", "]}", ",", ":", "f:x", "{\"name\":\"z\"}", "\\u0000", "x" * 300)
NUMBERS = ("0", "-0", "1e3", "1.5", "3600.0", "9223372036854775808", "-1e-7", "1E+400", "123456789012345678901234")
LEVELS = ("privileged", "baseline", "restricted", "nonsense")


def odd_text(r):
    return "".join(r.choice(PARTS) for _ in range(r.randrange(1, 4)))


def odd_value(r, depth=0):
    dice = r.random()
    if depth < 4 and dice < 0.35:
        return odd_map(r, depth + 1)
    if depth < 4 and dice < 0.45:
        return [odd_value(r, depth + 1) for _ in range(r.randrange(4))]
    if dice < 0.55:
        return Raw(r.choice(NUMBERS))
    if dice < 0.60:
        levels = r.choice((99, 101, 150, 3000))
        return Raw('{"f:a":' * levels + "{}" + "}" * levels)
    return r.choice((True, False, None, odd_text(r), odd_text(r)))


def odd_map(r, depth=0):
    value = {odd_text(r): odd_value(r, depth) for _ in range(r.randrange(5))}
    if r.random() < 0.5:  # twins: the same when they are printed, or only when they are read
        value.update({k: odd_value(r, depth) for k in r.choice((("k\udcff", "k\udcfe"), ("k\x00", "k\ufffd")))})
    return value


def odd_texts(r):
    """A map of strings."""
    return {k: odd_text(r) for k in odd_map(r)}


# ---- malformed objects and what the store must know about them; they refer to no valid object ----

def plain_object(r, resource, ns, name):
    if resource == "namespaces":
        return namespace(name, **{mode: r.choice(LEVELS) for mode in ("enforce", "fix", "audit", "warn")
                                  if r.random() < 0.5})
    if resource == "secrets":
        return secret(ns, name, "odd", r.choice(({}, {"kubernetes.io/legacy-token-last-used": "2026-11-22"},
                                                 {"kubernetes.io/legacy-token-invalid-since": "2026-11-23"})))
    if resource == "serviceaccounts":
        return account(ns, name, r.choice((None, "true", "false")))
    if resource == "pods":
        return pod(ns, name, "n9", "odd", ["odd-s"], ["odd-c"], ["odd-p"])
    if resource == "persistentvolumeclaims":
        return claim(ns, name, "odd-v")
    return volume(name, ns, "odd-p", "odd-s")


def spoil_spec(r, resource, obj):
    spec = obj.setdefault("spec", {})
    place = r.choice(("resources", "nodeSelector", "csi", "x", "status"))
    if place == "status":
        obj["status"] = odd_map(r)
    elif place == "resources":
        spec["resources"] = {"requests": odd_texts(r), "limits": odd_map(r)}
    elif place == "csi" and resource == "pods":
        spec["volumes"].append({"name": "v", "csi": {"driver": odd_text(r), "volumeAttributes": odd_texts(r)}})
    elif place == "csi":
        spec["csi"] = dict(spec.get("csi", {}), volumeAttributes=odd_texts(r))
    elif place == "nodeSelector":
        spec["nodeSelector"] = odd_texts(r)
    else:
        spec[odd_text(r)] = odd_value(r)


def spoil(r, resource, obj):
    """Adds one malformation."""
    meta, dice = obj["metadata"], r.random()
    if dice < 0.30:
        meta["managedFields"] = [{"manager": odd_text(r), "operation": "Update", "fieldsType": "FieldsV1",
                                  "fieldsV1": odd_map(r)} for _ in range(r.randrange(1, 4))]
    elif dice < 0.45:
        meta["annotations"] = dict(odd_texts(r), **meta.get("annotations", {}))
    elif dice < 0.55:
        meta["annotations"] = dict(meta.get("annotations", {}), **odd_map(r))  # types, too
    elif dice < 0.65:
        meta["labels"] = dict(odd_texts(r), **meta.get("labels", {}))
    elif dice < 0.70:
        meta["finalizers"] = [odd_text(r), odd_value(r)]
    elif dice < 0.74:
        meta["ownerReferences"] = r.choice(([odd_map(r)], [{"kind": Raw("5"), "controller": True}], [{"name": "a"}]))
    elif dice < 0.78:
        obj[odd_text(r) or "x"] = odd_value(r)
    elif dice < 0.80:
        obj["spec"] = r.choice(([], Raw("7"), None, "text"))
    elif not isinstance(obj.get("spec", {}), dict):
        obj["status"] = odd_map(r)  # its spec is spoiled already
    elif dice < 0.802:
        obj.setdefault("spec", {})["args"] = [""] * 310000
    else:
        spoil_spec(r, resource, obj)


def odd_object(r, resource, ns, name):
    plain = plain_object(r, resource, ns, name)
    obj = Odd(plain)
    obj["metadata"] = {"name": name, "namespace": ns, "uid": plain["metadata"]["uid"], "resourceVersion": "",
                       **{k: v for k, v in plain["metadata"].items() if k in ("labels", "annotations")}}
    if "spec" in plain:
        obj["spec"] = {k: list(v) if isinstance(v, list) else v for k, v in plain["spec"].items()}
    for _ in range(r.randrange(1, 4)):
        spoil(r, resource, obj)
    obj.plain = plain
    return obj


# ---- valid objects ----

NAMES = ["x%d" % i for i in range(8)]


def some(r):
    return [n for n in NAMES if r.random() < 0.2]


def put_neighbour(r, cluster, resource):
    ns, name = r.choice(NAMESPACES), r.choice(NAMES)
    if resource == "namespaces":
        cluster.put(resource, namespace(ns, enforce=r.choice(LEVELS)))
    elif resource == "secrets":
        cluster.put(resource, secret(ns, name, r.choice(NAMES)))
    elif resource == "serviceaccounts":
        cluster.put(resource, account(ns, name, r.choice((None, "true"))))
    elif resource == "pods":
        cluster.put(resource, pod(ns, name, r.choice(("n0", "n1")), r.choice(NAMES), some(r), some(r), some(r)))
    elif resource == "persistentvolumeclaims":
        cluster.put(resource, claim(ns, name, r.choice(NAMES)))
    else:
        cluster.put(resource, volume(r.choice(NAMES), ns, name, r.choice(NAMES + [None])))


class Run:
    def __init__(self, work, r, mode):
        self.r, self.odd = r, []
        self.api = Server()
        self.api.encode, self.api.watch_list = goencode.encode, mode
        self.work, self.watcher = work, None

    def put(self, count):
        for _ in range(count):
            resource = self.r.choice(list(RESOURCES))
            ns = "" if resource in ("namespaces", "persistentvolumes") else self.r.choice(NAMESPACES)
            name = "odd-%d" % self.r.randrange(count * 2)
            self.api.cluster.put(resource, odd_object(self.r, resource, ns, name))
            self.odd.append((resource, (ns, name)))
            if self.r.random() < 0.3:
                put_neighbour(self.r, self.api.cluster, self.r.choice(list(RESOURCES)))

    def delete(self, share):
        for resource, key in self.r.sample(self.odd, int(len(self.odd) * share)):
            self.api.cluster.delete(resource, key)

    def play(self, count):
        """Before and during the watch."""
        self.put(count // 2)
        self.watcher = Watcher(self.work, self.api, "stale-after", "60")
        check(until(lambda: self.watcher.state()["synced"]), "it does not sync: " + self.watcher.said()[-3000:])
        self.watcher.catch_up()
        self.put(count - count // 2)
        self.watcher.catch_up()
        self.delete(0.5)
        self.watcher.catch_up()
        self.delete(1)
        self.watcher.catch_up()
        state = self.watcher.state()
        for resource in RESOURCES:
            check(state[resource + " broken"] == 0, "%s broke: %s" % (resource, self.watcher.said()[-3000:]))
            check(state[resource + " lists"] == 1, "%s were listed again: %s" % (resource, state))
        self.watcher.stop()
        check("Sanitizer" not in self.watcher.said(), self.watcher.said()[-5000:])
        return sum(state[resource + " unread"] for resource in RESOURCES)

    def end(self):
        if self.watcher:
            self.watcher.process.kill()
            self.watcher.process.wait()
        self.api.stop()


def main(count, seed):
    status = 0
    for mode in ("on", "422"):
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as work:
            run = Run(work, random.Random("%d %s" % (seed, mode)), mode)
            try:
                unread = run.play(count // 2)
                check(unread > 0, "none of them was odd")
                print("ok %d odd objects, watch-list %s, seed %d: %d were not read completely (%.1f s)" % (
                    count // 2, mode, seed, unread, time.monotonic() - began))
            except (Failed, OSError) as e:
                print("FAIL watch-list %s, seed %d: %s" % (mode, seed, e))
                status += 1
            finally:
                run.end()
    print("%d passed, %d failed" % (2 - status, status))
    return 1 if status else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000,
                  int(sys.argv[2]) if len(sys.argv) > 2 else random.SystemRandom().randrange(1 << 40)))
