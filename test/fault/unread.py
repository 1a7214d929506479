#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""unread.py [NAME...] - objects that cannot be read completely: other objects are known, these are known by their
metadata, and earlier data about them is kept."""
import copy
import sys

import goencode
from harness import RESOURCES, Cases, account, check, claim, namespace, pod, secret, until, volume
from serve import new_api, serving
from watches import change, watching

case = Cases()
TWINS = {"a\udcff": "1", "a\udcfe": "1"}  # no UTF-8; in Go's JSON both are "a\ufffd"


# ---- two objects that once prevented new replicas from becoming ready ----

def poison_claim():
    poison = claim("b", "poison", "")
    poison["spec"]["resources"] = {"requests": {"storage": "1Gi", "a\x00": "1", "a\ufffd": "1"}}
    return poison


def poison_account():
    poison = account("b", "poison")
    poison["metadata"]["managedFields"] = [{
        "manager": "x", "operation": "Update", "apiVersion": "v1", "time": "2026-01-01T00:00:00Z",
        "fieldsType": "FieldsV1",
        "fieldsV1": {"f:metadata": {"f:annotations": {".": {}, "f:a\x00": {}, "f:a\ufffd": {}}}}}]
    return poison


POISON = (("persistentvolumeclaims", "keys of a claim that differ by a NUL", poison_claim),
          ("serviceaccounts", "managedFields of an account with a NUL", poison_account))

for resource, what, make in POISON:
    for mode in ("on", "422"):
        def poisoned(work, resource=resource, make=make, mode=mode):
            def setup(api):
                api.encode, api.watch_list = goencode.encode, mode
                api.cluster.put(resource, make())
            with watching(work, setup=setup) as (api, watcher):
                change(api)
                watcher.catch_up()
                check(watcher.state()[resource + " broken"] == 0, watcher.said())
        case("%s, in a list (watch-list %s)" % (what, mode))(poisoned)

    def poisoned_later(work, resource=resource, make=make):
        with watching(work, setup=lambda api: setattr(api, "encode", goencode.encode)) as (api, watcher):
            api.cluster.put(resource, make())
            change(api)
            watcher.catch_up()
            check(watcher.state()[resource + " broken"] == 0, watcher.said())
    case("%s, in a watch" % what)(poisoned_later)


@case("curfew serve becomes ready with both")
def _(work):
    api = new_api()
    api.encode = goencode.encode
    for resource, _, make in POISON:
        api.cluster.put(resource, make())
    with serving(work, api=api) as curfew:
        check(until(curfew.is_ready), "%s\n%s" % (curfew.get("/readyz"), curfew.said()))
        curfew.stop()


# ---- unreadable objects: counted, logged, and known by their metadata ----

def spoiled(obj, **annotations):
    """An unreadable object: two annotations with the same printed key."""
    obj = copy.deepcopy(obj)
    obj["metadata"]["annotations"] = dict(obj["metadata"].get("annotations") or {}, **TWINS)
    obj["metadata"]["annotations"].update(annotations)
    return obj


def unread(watcher, resource, count=1):
    check(until(lambda: watcher.state()[resource + " unread"] >= count),
          "%s, not %d: %s" % (watcher.state()[resource + " unread"], count, watcher.said()))


def knows(watcher, line):
    check(until(lambda: line in watcher.ask("dump")), "not '%s':\n%s" % (line, "\n".join(watcher.ask("dump"))))


def go_like(api):
    api.encode = goencode.encode


def good(api):
    """One of each resource."""
    put = api.cluster.put
    put("namespaces", namespace("c", enforce="baseline", warn="restricted"))
    put("secrets", secret("c", "x1", "x2", {"kubernetes.io/legacy-token-invalid-since": "2026-11-23"}))
    put("serviceaccounts", account("c", "x1", "true"))
    put("pods", pod("c", "x1", "n1", "x2", ["x3"], ["x4"], ["x5"]))
    put("persistentvolumeclaims", claim("c", "x5", "x6"))
    put("persistentvolumes", volume("x6", "c", "x5", "x7"))


KEYS = {"namespaces": ("", "c"), "secrets": ("c", "x1"), "serviceaccounts": ("c", "x1"), "pods": ("c", "x1"),
        "persistentvolumeclaims": ("c", "x5"), "persistentvolumes": ("", "x6")}


@case("an object that was read before keeps its data")
def _(work):
    def setup(api):
        go_like(api)
        good(api)
    with watching(work, setup=setup) as (api, watcher):
        before = watcher.known()
        for resource, key in KEYS.items():
            obj = spoiled(api.cluster.objects[resource][key])
            obj["metadata"]["labels"] = dict(obj["metadata"].get("labels") or {}, **TWINS)
            api.cluster.put(resource, obj)
        for resource in ("secrets", "serviceaccounts", "pods"):
            unread(watcher, resource)
        api.cluster.put("pods", pod("d", "x0", "n0", "x6"))
        knows(watcher, "pod d/x0 uid p-d-x0 node n0 account x6 workload x0")
        after = watcher.known()
        check([l for l in before if l not in after and not l.startswith(("counts", "pods in d"))] == [],
              "forgotten: %s" % [l for l in before if l not in after])
        check("reach 0 c/x3 from n1: 1" in after and "reach 0 c/x7 from n1: 1" in after, after)
        check(all(watcher.state()[r + " broken"] == 0 for r in RESOURCES), watcher.said())


@case("an object that becomes unreadable in a new list keeps its data")
def _(work):
    def setup(api):
        go_like(api)
        good(api)
    with watching(work, setup=setup) as (api, watcher):
        with api.cluster.changed:
            for resource, key in KEYS.items():
                api.cluster.put(resource, spoiled(api.cluster.objects[resource][key]))
            api.cluster.compact()
        unread(watcher, "pods")
        unread(watcher, "serviceaccounts")
        check(until(lambda: watcher.state()["pods lists"] == 2), watcher.ask("state"))
        for line in ("pod c/x1 uid p-c-x1 node n1 account x2 workload x1", "restricted c/x1",
                     "secret c/x1 2 x2 pods 0", "reach 0 c/x3 from n1: 1", "namespace c 1 0 0 2"):
            check(line.startswith("namespace") or line in watcher.known(), "%s: %s" % (line, watcher.known()))


@case("a new object with the same name does not keep the data of the old one")
def _(work):
    def setup(api):
        go_like(api)
        good(api)
    with watching(work, setup=setup) as (api, watcher):
        with api.cluster.changed:
            for resource in ("pods", "persistentvolumes"):
                obj = copy.deepcopy(api.cluster.objects[resource][KEYS[resource]])
                obj["metadata"]["uid"] = "another"
                obj["spec"] = []
                api.cluster.put(resource, obj)
            api.cluster.compact()
        unread(watcher, "pods")
        unread(watcher, "persistentvolumes")
        knows(watcher, "pod c/x1 uid another node  account  workload x1")
        check(not [l for l in watcher.known() if l.startswith("reach") and "c/x" in l and "x5 from n0" not in l],
              watcher.known())


@case("an object that was never read is known by its metadata")
def _(work):
    with watching(work, setup=go_like) as (api, watcher):
        api.cluster.put("namespaces", namespace("c", enforce="restricted"))
        api.cluster.put("serviceaccounts", spoiled(account("c", "x1", "true")))
        api.cluster.put("serviceaccounts", spoiled(account("c", "x2")))
        api.cluster.put("secrets", spoiled(secret("c", "x3", "x4")))
        api.cluster.put("pods", spoiled(pod("c", "x5", "n1", "x1", ["x3"], ownerReferences=[
            {"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "agent", "uid": "u", "controller": True}])))
        for line in ("restricted c/x1", "secret c/x3 2 x4 pods 0",
                     "pod c/x5 uid p-c-x5 node  account  workload agent"):
            knows(watcher, line)
        check("restricted c/x2" not in watcher.known(), "an account without the annotation is restricted")
        check(watcher.state()["serviceaccounts unread"] == 2, watcher.ask("state"))


@case("metadata of wrong types: earlier values stay, or the strictest apply")
def _(work):
    def setup(api):
        good(api)
    with watching(work, setup=setup) as (api, watcher):
        for resource, key in KEYS.items():
            obj = copy.deepcopy(api.cluster.objects[resource][key])
            obj["metadata"]["annotations"] = obj["metadata"]["labels"] = 5
            api.cluster.put(resource, obj)
        new = account("d", "x1")
        new["metadata"]["annotations"] = ["no map"]
        api.cluster.put("serviceaccounts", new)
        unread(watcher, "serviceaccounts", 2)
        unread(watcher, "secrets")
        for line in ("restricted c/x1", "restricted d/x1", "secret c/x1 2 x2 pods 0",
                     "pod c/x1 uid p-c-x1 node n1 account x2 workload x1"):
            knows(watcher, line)


@case("unreadable objects can be deleted")
def _(work):
    with watching(work, setup=go_like) as (api, watcher):
        before = watcher.known()
        put = api.cluster.put
        put("serviceaccounts", spoiled(account("c", "x1", "true")))
        put("secrets", spoiled(secret("c", "x1")))
        put("pods", spoiled(pod("c", "x1")))
        for resource in ("serviceaccounts", "secrets", "pods"):
            unread(watcher, resource)
            api.cluster.delete(resource, ("c", "x1"))
        check(until(lambda: watcher.known() == before), watcher.difference())
        check(watcher.state()["pods unread"] == 1, "a deletion is counted: %s" % watcher.ask("state"))


@case("the watch continues after an unreadable object")
def _(work):
    with watching(work, setup=go_like) as (api, watcher):
        api.cluster.put("pods", spoiled(pod("c", "x1")))
        now = api.cluster.version
        unread(watcher, "pods")
        api.cut()
        check(until(lambda: any(int(r[2].get("resourceVersion") or 0) >= now for r in api.seen("watch", "pods"))),
              "it would meet it again: %s" % api.seen("watch", "pods")[-1][2])
        change(api)
        knows(watcher, "pod c/x2 uid p-c-x2 node n0 account x0 workload x2")
        check(watcher.state()["pods unread"] == 1 and watcher.state()["pods lists"] == 1, watcher.ask("state"))


@case("an unreadable first object of a list after a lost connection")
def _(work):
    def setup(api):
        go_like(api)
        for resource in RESOURCES:
            ns = "" if resource in ("namespaces", "persistentvolumes") else "a"
            first = {"metadata": {"name": "0", "uid": "u", "resourceVersion": "", **({"namespace": ns} if ns else {})}}
            api.cluster.put(resource, spoiled(first, large="y" * (17 << 20) if resource == "pods" else ""))
    with watching(work, "patience", "20000", setup=setup, synced=False) as (api, watcher):
        check(until(lambda: watcher.state()["synced"]), watcher.said())
        check(until(lambda: len(api.seen("watch", "pods")) > 1), api.requests)
        asked = len(api.seen("list", "pods"))
        api.cut()
        change(api)
        knows(watcher, "pod c/x2 uid p-c-x2 node n0 account x0 workload x2")
        check(len(api.seen("list", "pods")) > asked, "it did not ask for the version")
        state = watcher.state()
        check(all(state[r + " gone"] == 0 and state[r + " lists"] == 1 for r in RESOURCES), watcher.said())
        for line in watcher.said().splitlines():
            check("reason=broken" not in line or "broke off" in line, line)


for mode in ("on", "422"):
    def large(work, mode=mode):
        big = pod("c", "x1", "n1")
        big["metadata"] = dict({"name": "x1", "namespace": "c", "uid": "u", "resourceVersion": ""},
                               annotations={"rbac": "y" * (17 << 20)})
        def setup(api):
            api.watch_list = mode
            api.cluster.put("pods", big)
        with watching(work, setup=setup, synced=False) as (api, watcher):
            check(until(lambda: watcher.state()["synced"]), watcher.said())
            change(api)
            knows(watcher, "pod c/x2 uid p-c-x2 node n0 account x0 workload x2")
            knows(watcher, "pod c/x1 uid u node  account  workload x1")
            check(watcher.state()["pods broken"] == 0 and watcher.state()["pods unread"] == 1, watcher.ask("state"))
            check("yyy" not in watcher.said(), "content in the log")
            api.cluster.delete("pods", ("c", "x1"))
            watcher.catch_up()
    case("an object with more bytes than are read (watch-list %s)" % mode)(large)


@case("bytes that no string may contain")
def _(work):
    line = ('{"type":"ADDED","object":{"kind":"Pod","metadata":{"name":"x6","namespace":"c","uid":"u",'
            '"resourceVersion":"1012","annotations":{"a":"\x01\xff\\ud800"}},"spec":{"nodeName":"n1"}}}\n')
    with watching(work) as (api, watcher):
        said = "pod c/x6 uid u node  account  workload x6"
        for _ in range(10):  # a stream may end with it
            api.fault("garbage", "watch", "pods", line=line)
            if until(lambda: said in watcher.ask("dump"), 3):
                break
        knows(watcher, said)
        check(watcher.state()["pods broken"] == 0, watcher.said())


@case("a line that is cut every time is skipped eventually")
def _(work):
    with watching(work) as (api, watcher):
        api.torn = "x7"
        api.cluster.put("pods", pod("c", "x7"))
        api.cluster.put("pods", pod("c", "x6"))
        knows(watcher, "pod c/x6 uid p-c-x6 node n0 account x0 workload x6")
        check(watcher.state()["pods broken"] == 5, watcher.ask("state"))
        api.torn = None
        api.cluster.put("pods", pod("c", "x7", "n1"))
        watcher.catch_up()


@case("counted and logged once, with name and reason, without contents")
def _(work):
    api = new_api()
    api.encode = goencode.encode
    api.cluster.put("pods", spoiled(pod("a", "odd"), **{"b\udcff": "1", "b\udcfe": "eyJhbGciOiJSUzI1NiJ9.e30.x"}))
    api.cluster.put("pods", spoiled(pod("a", "odd-too")))
    with serving(work, api=api) as curfew:
        check(until(curfew.is_ready), "%s\n%s" % (curfew.get("/readyz"), curfew.said()))
        m = curfew.metrics()
        check(m.get('curfew_watch_objects_unread_total{resource="pods"}') == "2", m)
        check(m.get('curfew_watch_objects_unread_total{resource="secrets"}') == "0", m)
        check(m.get('curfew_watch_failures_total{resource="pods",reason="broken"}') == "0", m)
        lines = [l for l in curfew.said().splitlines() if "cannot read an object completely" in l]
        check(len(lines) == 1, lines)
        for part in ('"resource":"pods"', '"namespace":"a"', '"name":"odd"', '"reason":"invalid JSON: duplicate key"'):
            check(part in lines[0], "%s: %s" % (part, lines[0]))
        curfew.stop()


if __name__ == "__main__":
    sys.exit(case.run(sys.argv[1:]))
