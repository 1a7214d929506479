#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""watches.py [NAME...] - single faults between the watch and its API server: afterwards the store
equals the server, and in between it did not claim to."""
import contextlib
import os
import sys
import time

from harness import (Cases, Server, Watcher, account, certificate, check, claim, namespace, pod,
                     sanitized, secret, until, volume)

case = Cases()


def fill(cluster):
    cluster.put("namespaces", namespace("a", enforce="restricted"))
    cluster.put("namespaces", namespace("b"))
    cluster.put("secrets", secret("a", "x0"))
    cluster.put("secrets", secret("a", "x1", type_="Opaque"))
    cluster.put("secrets", secret("b", "x2", labels={"kubernetes.io/legacy-token-last-used": "2026-11-22"}))
    cluster.put("serviceaccounts", account("a", "x0"))
    cluster.put("serviceaccounts", account("a", "x3", "true"))
    cluster.put("pods", pod("a", "x0", secrets=["x0"], configs=["x1"], claims=["x4"]))
    cluster.put("pods", pod("b", "x1", node="n1", account_="x3"))
    cluster.put("persistentvolumeclaims", claim("a", "x4", "x5"))
    cluster.put("persistentvolumes", volume("x5", "a", "x4", "x6"))


@contextlib.contextmanager
def watching(work, *flags, setup=None, synced=True, **server):
    """A server with a few objects, and a watcher that knows them."""
    api = Server(**server)
    fill(api.cluster)
    if setup:
        setup(api)
    watcher = Watcher(work, api, *flags)
    try:
        if synced:
            check(until(lambda: watcher.state()["synced"]), "it does not sync: " + watcher.said())
            watcher.catch_up()
        yield api, watcher
        seconds = watcher.stop()
        check(seconds < 10, "it took %.1f s to end" % seconds)
        check("Sanitizer" not in watcher.said(), watcher.said())
    finally:
        watcher.process.kill()
        watcher.process.wait()
        api.stop()


def change(api):
    """An object of every kind."""
    cluster = api.cluster
    cluster.put("namespaces", namespace("b", enforce="restricted", warn="baseline"))
    cluster.put("namespaces", namespace("c"))
    cluster.delete("secrets", ("a", "x0"))
    cluster.put("secrets", secret("c", "x7", owner="x1"))
    cluster.put("serviceaccounts", account("a", "x0", "true"))
    cluster.delete("serviceaccounts", ("a", "x3"))
    cluster.put("pods", pod("a", "x0", node="n1", secrets=["x7"]))
    cluster.put("pods", pod("c", "x2", secrets=["x7"]))
    cluster.delete("pods", ("b", "x1"))
    cluster.put("persistentvolumeclaims", claim("c", "x1", "x2"))
    cluster.delete("persistentvolumes", ("", "x5"))


# The longest case is first: others run at the same time.
@case("a quiet cluster stays fresh without bookmarks and without new lists")
def _(work):
    def nothing(api):
        api.bookmarks = False
    with watching(work, "stale-after", "9", setup=nothing) as (api, watcher):
        end = time.monotonic() + 13
        while time.monotonic() < end:
            state = watcher.state()
            for resource in ("namespaces", "secrets", "serviceaccounts", "pods"):
                check(state[resource + " fresh"], "%s is stale: %s" % (resource, state))
            time.sleep(0.1)
        check(state["pods lists"] == 1, state)
        check("stale" not in watcher.said(), watcher.said())


@case("objects are added, modified and deleted")
def _(work):
    with watching(work) as (api, watcher):
        change(api)
        watcher.catch_up()
        check(watcher.state()["pods lists"] == 1, "one list should do: %s" % watcher.ask("state"))


@case("requests: only metadata of legacy Secrets, bookmarks, a timeout")
def _(work):
    with watching(work) as (api, watcher):
        check(until(lambda: len(api.seen("watch", "secrets")) >= 2), "no second watch")
        for verb, resource, query, headers in api.seen("watch") + api.seen("list"):
            check(headers["user-agent"].startswith("curfew/"), headers)
            if resource == "secrets":
                check("as=PartialObjectMetadata" in headers["accept"], headers)
                check("application/json;as" in headers["accept"] and "," not in headers["accept"], headers)
                check(query["fieldSelector"] == "type=kubernetes.io/service-account-token", query)
            if verb == "watch":
                check(query["allowWatchBookmarks"] == "true" and int(query["timeoutSeconds"]) > 0, query)


for mode in ("422", "400", "500", "ignored"):
    def fallback(work, mode=mode):
        flags = ("patience", "1500") if mode == "ignored" else ()
        with watching(work, *flags, setup=lambda api: setattr(api, "watch_list", mode)) as (api, watcher):
            check(api.seen("list", "pods"), "it did not list")
            change(api)
            watcher.catch_up()
            check(len([r for r in api.seen("watch", "pods") if "sendInitialEvents" in r[2]]) == 1,
                  "it requested a watch-list again")
    case("a server without watch-lists (%s): pages" % mode)(fallback)


@case("pages")
def _(work):
    def many(api):
        api.watch_list = "422"
        for i in range(1203):
            api.cluster.put("pods", pod("d", "y%d" % i))
    with watching(work, setup=many) as (api, watcher):
        asked = [r for r in api.seen("list", "pods") if r[2].get("limit") == "500"]
        check(len(asked) == 3, "pages: %s" % asked)
        change(api)
        watcher.catch_up()


@case("a list whose continue token expires")
def _(work):
    def many(api):
        api.watch_list = "422"
        for i in range(700):
            api.cluster.put("pods", pod("d", "y%d" % i))
        api.fault("slow", "list", "pods", seconds=0)
        api.fault("status", "list", "pods", code=410, reason="Expired")
    with watching(work, setup=many) as (api, watcher):
        check(until(lambda: watcher.state()["pods gone"] == 1), watcher.ask("state"))
        check(any("limit" not in r[2] for r in api.seen("list", "pods")), "it should ask for all in one")


@case("pages that do not continue")
def _(work):
    def stuck(api):
        api.watch_list, api.stuck = "422", True
        for i in range(1600):
            api.cluster.put("pods", pod("d", "y%d" % i))
    with watching(work, setup=stuck, synced=False) as (api, watcher):
        check(until(lambda: watcher.state()["pods broken"] >= 2), watcher.ask("state"))
        check("repeats a continue token" in watcher.said(), watcher.said())
        api.stuck = False
        watcher.catch_up()


for mode in ("on", "422"):
    def whole(work, mode=mode):
        def setup(api):
            api.watch_list, api.whole = mode, True
        with watching(work, setup=setup, synced=False) as (api, watcher):
            check(until(lambda: watcher.state()["secrets broken"] >= 2), watcher.ask("state"))
            check(not watcher.state()["synced"], "it took whole Secrets")
            api.whole = False
            watcher.catch_up()
    case("complete Secrets are rejected (watch-list %s)" % mode)(whole)


@case("a list that is interrupted")
def _(work):
    def broken(api):
        api.watch_list = "422"
        for _ in range(3):
            api.fault("cut", "list", "pods")
    with watching(work, setup=broken) as (api, watcher):
        check(until(lambda: watcher.state()["pods broken"] >= 3), watcher.ask("state"))


@case("a list that is pretty-printed")
def _(work):
    def pretty(api):
        api.watch_list, api.pretty = "422", True
    with watching(work, setup=pretty) as (api, watcher):
        change(api)
        watcher.catch_up()


@case("a slow list is waited for")
def _(work):
    def slow(api):
        api.watch_list = "422"
        for i in range(100):
            api.cluster.put("pods", pod("d", "y%d" % i))
        api.fault("slow", "list", "pods", seconds=1, pace=0.2)
    with watching(work, "patience", "2500", setup=slow) as (api, watcher):
        check(watcher.state()["pods silent"] == 0, watcher.ask("state"))


@case("a silent list is cancelled")
def _(work):
    def hang(api):
        api.watch_list = "422"
        api.fault("hang", "list", "pods")
    with watching(work, "patience", "1000", setup=hang) as (api, watcher):
        check(until(lambda: watcher.state()["pods silent"] == 1), watcher.ask("state"))


@case("an empty HTML page is not an empty cluster")
def _(work):
    with watching(work) as (api, watcher):
        for _ in range(4):
            api.fault("html", "any", "pods")
        api.cut()
        change(api)
        watcher.catch_up()
        check(until(lambda: watcher.state()["pods broken"] >= 1), watcher.ask("state"))


@case("410 on a watch: listed again")
def _(work):
    with watching(work, "stale-after", "6") as (api, watcher):
        api.fault("status", "watch", "pods", code=410, reason="Expired")
        change(api)
        watcher.catch_up()
        check(until(lambda: watcher.state()["pods lists"] == 2), watcher.ask("state"))


@case("410 in a stream, after missed events: listed again")
def _(work):
    with watching(work) as (api, watcher):
        with api.cluster.changed:
            change(api)
            api.cluster.compact()
        watcher.catch_up()
        check(until(lambda: watcher.state()["pods gone"] >= 1), watcher.ask("state"))


@case("a version that is too large: listed again")
def _(work):
    with watching(work) as (api, watcher):
        api.fault("status", "watch", "pods", code=504, reason="Timeout", cause="ResourceVersionTooLarge",
                  message="Too large resource version: 5, current: 3")
        check(until(lambda: watcher.state()["pods gone"] == 1), watcher.ask("state"))
        change(api)
        watcher.catch_up()


@case("an etcd that was restored from a backup")
def _(work):
    with watching(work) as (api, watcher):
        api.stop()
        api.cluster.set_back()
        api.cluster.delete("pods", ("a", "x0"))
        api.start()
        watcher.catch_up()
        change(api)
        watcher.catch_up()


for asked, when in (("list", "between the comparison of versions and the watch"),
                    ("watch", "as a watch ends cleanly")):
    def restored(work, asked=asked):
        with watching(work) as (api, watcher):
            api.restore_after = asked, "pods"
            if asked == "list":
                api.cut()
            check(until(lambda: api.restore_after is None), "pods were not requested")
            change(api)
            watcher.catch_up()
    case("an etcd that was restored from a backup, %s" % when)(restored)


@case("a server that closes each connection after its answer")
def _(work):
    with watching(work, setup=lambda api: setattr(api, "closes", True)) as (api, watcher):
        check(until(lambda: len(api.seen("watch", "pods")) > 3), "it is not watched again")
        asked = len(api.seen("list", "pods"))
        check(asked < 15, "its versions were compared %d times" % asked)
        change(api)
        watcher.catch_up()


for code in (429, 500, 503):
    def refused(work, code=code):
        with watching(work) as (api, watcher):
            for _ in range(6):
                api.fault("status", "any", None, code=code, headers={"Retry-After": "1"})
            change(api)
            watcher.catch_up()
    case("%d is retried" % code)(refused)

for code, reason in ((500, "InternalError"), (504, "Timeout"), (429, "TooManyRequests"), (0, "")):
    def error(work, code=code, reason=reason):
        with watching(work) as (api, watcher):
            api.fault("error", "watch", "pods", code=code, reason=reason)
            api.fault("error", "watch", "secrets", code=code, reason=reason)
            change(api)
            watcher.catch_up()
            check(watcher.state()["pods lists"] == 1, "it need not list: %s" % watcher.ask("state"))
    case("an ERROR event (%d %s)" % (code, reason))(error)


@case("the same ERROR event again and again: listed again")
def _(work):
    with watching(work) as (api, watcher):
        for _ in range(3):
            api.fault("error", "watch", "pods", code=500)
        change(api)
        watcher.catch_up()
        check(until(lambda: watcher.state()["pods lists"] == 2), watcher.ask("state"))


for kind, what in (("cut", "a connection that drops in the middle of a line"),
                   ("gone", "a connection that drops between two lines"),
                   ("half", "half a line, and on with the next"),
                   ("garbage", "a line of garbage"),
                   ("twice", "a line two times"),
                   ("end", "a stream that ends early")):
    def broken_stream(work, kind=kind):
        with watching(work) as (api, watcher):
            for resource in ("pods", "secrets", "namespaces", "serviceaccounts"):
                api.fault(kind, "watch", resource)
            change(api)
            watcher.catch_up()
            check(watcher.state()["pods lists"] == 1, "it need not list: %s" % watcher.ask("state"))
    case(what)(broken_stream)

for line in ('{"type":"ADDED"}\n', '[]\n', 'null\n', '{"type":"ADDED","object":{"metadata":{"name":"z"}}}\n',
             '{"type":"NEWS","object":{"metadata":{"name":"z","resourceVersion":"999999"}}}\n',
             '{"type":"ADDED","object":{"metadata":{"name":"z","resourceVersion":"999999"}}\n',
             '{"type":"ADDED","type":"DELETED","object":{"metadata":{"name":"z","resourceVersion":"999999"}}}\n',
             '}\n', '{"type":"BOOKMARK","object":{}}\n'):
    def nonsense(work, line=line):
        with watching(work) as (api, watcher):
            api.fault("garbage", "watch", "pods", line=line)
            change(api)
            watcher.catch_up()
            check(until(lambda: watcher.state()["pods broken"] == 1), watcher.ask("state"))
            check(watcher.state()["pods lists"] == 1, watcher.ask("state"))
    case("a line that is not an event: %s" % line.strip())(nonsense)


@case("a line of many MiB does not fill the memory")
def _(work):
    with watching(work, "stale-after", "60") as (api, watcher):
        before = watcher.resident()
        api.fault("huge", "watch", "pods", bytes=64 << 20)
        change(api)
        watcher.catch_up()
        check(until(lambda: watcher.state()["pods broken"] == 1), watcher.ask("state"))
        check(sanitized() or until(lambda: watcher.resident() < before + 16 * 1024),
              "from %d to %d KiB" % (before, watcher.resident()))


@case("a pod with too many values does not hide others")
def _(work):
    with watching(work) as (api, watcher):
        big = pod("a", "x6")
        big["spec"]["containers"][0]["args"] = [""] * 400000
        api.cluster.put("pods", big)
        change(api)
        check(until(lambda: any(l.startswith("pod c/x2 ") for l in watcher.ask("dump"))),
              "it is stuck: " + watcher.said())
        check(watcher.state()["pods broken"] == 0, watcher.ask("state"))
        check("using only its metadata" in watcher.said(), watcher.said())
        check(any(l.startswith("pod a/x6 uid p-a-x6 ") for l in watcher.ask("dump")), watcher.ask("dump"))
        api.cluster.delete("pods", ("a", "x6"))
        watcher.catch_up()


@case("a NUL in an annotation does not hide others")
def _(work):
    with watching(work) as (api, watcher):
        odd = secret("a", "x5", note="nul \x00, a \\u0000 as text, and more: \u00e4\U0001f600")
        api.cluster.put("secrets", odd)
        change(api)
        watcher.catch_up()
        check(watcher.state()["secrets broken"] == 0, watcher.ask("state"))


@case("a silent connection is dropped")
def _(work):
    with watching(work, setup=lambda api: setattr(api, "watch_list", "422")) as (api, watcher):
        check(until(lambda: len(api.seen("watch", "pods")) >= 2), "no watch")
        for resource in ("pods", "secrets"):
            api.fault("silence", "watch", resource)
        change(api)
        watcher.catch_up()
        check(until(lambda: watcher.state()["pods silent"] == 1), watcher.ask("state"))
        check("resource=pods reason=silent" in watcher.said(), watcher.said())


@case("bookmarks carry the version forward")
def _(work):
    with watching(work) as (api, watcher):
        for i in range(5):
            api.cluster.put("namespaces", namespace("d", enforce="baseline" if i % 2 else "restricted"))
        now = api.cluster.version
        check(until(lambda: any(int(r[2].get("resourceVersion") or 0) >= now
                                for r in api.seen("watch", "persistentvolumes"))), "it does not continue")
        api.cluster.compact()
        change(api)
        watcher.catch_up()
        check(watcher.state()["persistentvolumes lists"] == 1, watcher.ask("state"))


@case("without a response it becomes stale and reports it; then it is fresh again")
def _(work):
    with watching(work) as (api, watcher):
        api.stop()
        check(until(lambda: not watcher.state()["secrets fresh"]), "it never becomes stale")
        check(until(lambda: "stale: an unknown Secret" in watcher.said()), watcher.said())
        check(until(lambda: "the watch cache is stale resource=pods" in watcher.said()), watcher.said())
        change(api)
        api.start()
        check(until(lambda: watcher.state()["secrets fresh"]), watcher.said())
        watcher.catch_up()
        for resource in ("secrets", "pods"):
            lines = [l for l in watcher.said().splitlines() if "resource=%s" % resource in l]
            for what in ("reason=unreachable", "watching the API server again", "cache is stale", "fresh again"):
                said = len([l for l in lines if what in l])
                check(said == 1, "'%s' was said %d times:\n%s" % (what, said, "\n".join(lines)))


@case("a server that hangs: stale, then fresh again")
def _(work):
    with watching(work, "patience", "1000") as (api, watcher):
        api.deaf = True
        api.cut()
        check(until(lambda: not watcher.state()["secrets fresh"]), "it never becomes stale")
        api.deaf = False
        change(api)
        watcher.catch_up()


@case("restarts of the server")
def _(work):
    with watching(work) as (api, watcher):
        for i in range(5):
            api.stop()
            api.cluster.put("pods", pod("a", "x%d" % i, node="n1"))
            api.start()
        change(api)
        watcher.catch_up()


@case("a restart with another history: listed again")
def _(work):
    with watching(work) as (api, watcher):
        api.stop()
        change(api)
        api.cluster.compact()
        api.start()
        watcher.catch_up()


@case("started before the server: it waits, and syncs")
def _(work):
    def away(api):
        api.stop()
    with watching(work, setup=away, synced=False) as (api, watcher):
        check(until(lambda: "cannot watch the API server" in watcher.said()), watcher.said())
        check(watcher.state()["synced"] == 0, "synced without a server")
        check(watcher.state()["pods age"] == -1, watcher.ask("state"))
        api.start()
        watcher.catch_up()


@case("stopped while the server hangs")
def _(work):
    def deaf(api):
        api.deaf = True
    with watching(work, setup=deaf, synced=False) as (api, watcher):
        check(until(lambda: len(api.seen("version")) >= 6), "it does not ask")


@case("a token that has expired, then is renewed")
def _(work):
    cert, key, ca = certificate(work)
    api = Server(certificate=cert, key=key)
    fill(api.cluster)
    file = os.path.join(work, "token")

    def renew(token):
        with open(file + ".new", "w", encoding="ascii") as f:
            f.write(token)
        os.rename(file + ".new", file)

    renew("first")
    api.token = "first"
    watcher = Watcher(work, api, ca=ca, token=file)
    try:
        check(until(lambda: watcher.state()["synced"]), watcher.said())
        api.token = "second"
        api.cut()
        check(until(lambda: watcher.state()["secrets refused"] > 0), watcher.ask("state"))
        check(until(lambda: "rejected the credentials" in watcher.said()), watcher.said())
        renew("second")
        change(api)
        watcher.catch_up()
        watcher.stop()
        for token in ("first", "second"):
            check(token not in watcher.said(), "the log holds a token")
    finally:
        watcher.process.kill()
        watcher.process.wait()
        api.stop()


@case("403: logged, never synced, and other resources are not affected")
def _(work):
    def no_secrets(api):
        api.forbidden = {"secrets"}
    with watching(work, setup=no_secrets, synced=False) as (api, watcher):
        check(until(lambda: watcher.state()["pods fresh"]), watcher.said())
        check(until(lambda: watcher.state()["secrets refused"] > 3), watcher.ask("state"))
        check(watcher.state()["synced"] == 0, "synced without Secrets")
        lines = [l for l in watcher.said().splitlines() if "resource=secrets" in l and "will retry" in l]
        check(len(lines) == 1 and 'RBAC does not allow \\"curfew\\" to watch secrets' in lines[0], lines)
        api.forbidden = set()
        watcher.catch_up()


@case("without Secrets: none is requested, and all are unknown")
def _(work):
    with watching(work, "no-secrets", synced=False) as (api, watcher):
        check(until(lambda: watcher.state()["synced"]), watcher.said())
        state = watcher.state()
        check(not state["secrets fresh"] and state["secrets age"] == -1, state)
        check(not api.seen("list", "secrets") and not api.seen("watch", "secrets"), "it requested Secrets")


@case("the server's version, and the lower one of two")
def _(work):
    with watching(work) as (api, watcher):
        check(watcher.state()["minor"] == 36, watcher.ask("state"))
        api.minor = "31+"
        api.cut()
        check(until(lambda: watcher.state()["minor"] == 31), watcher.ask("state"))


if __name__ == "__main__":
    sys.exit(case.run(sys.argv[1:]))
