#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""storm.py [SEQUENCES [SEED]] - random changes under random faults.

After each sequence the store must equal the objects of the server. During the sequence, fresh data must
be true: each state that the store reports for a Secret existed in the last stale-after seconds. At
the end no memory has leaked. A failure prints its seed: `storm.py 1 SEED` repeats it alone."""
import random
import sys
import tempfile
import time

from harness import (NAMESPACES, Cluster, Failed, Server, Watcher, account, check, claim, namespace, pod,
                     sanitized, secret, until, volume)

STALE_AFTER = 3
GROWTH_KIB = 8 * 1024
NAMES = ["x%d" % i for i in range(8)]
LEVELS = ("privileged", "baseline", "restricted", "nonsense")


class Storm:
    def __init__(self, work):
        self.api = Server(Cluster(version=1000000))
        self.cluster = self.api.cluster
        self.watcher = Watcher(work, self.api, "stale-after", str(STALE_AFTER), "patience", "1500",
                               "pauses", "5", "60")
        self.secrets = {}  # key -> [(since, owner or None)]
        self.truths = 0

    # ---- changes ----

    def any_name(self, r):
        return r.choice(NAMESPACES), r.choice(NAMES)

    def some(self, r):
        return [n for n in NAMES if r.random() < 0.2]

    def put(self, r):
        ns, name = self.any_name(r)
        resource = r.choice(("namespaces", "secrets", "secrets", "serviceaccounts", "pods", "pods", "pods",
                             "persistentvolumeclaims", "persistentvolumes"))
        if resource == "namespaces":
            labels = {mode: r.choice(LEVELS) for mode in ("enforce", "fix", "audit", "warn") if r.random() < 0.4}
            self.cluster.put(resource, namespace(ns, **labels))
        elif resource == "secrets":
            self.put_secret(r, ns, name)
        elif resource == "serviceaccounts":
            self.cluster.put(resource, account(ns, name, r.choice((None, "true", "false"))))
        elif resource == "pods":
            more = {}
            if r.random() < 0.3:
                more["ownerReferences"] = [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "rs-1",
                                            "uid": "u", "controller": True}]
            self.cluster.put(resource, pod(ns, name, r.choice(("n0", "n1")), r.choice(NAMES), self.some(r),
                                           self.some(r), self.some(r), uid="u%d" % r.randrange(3), **more))
        elif resource == "persistentvolumeclaims":
            self.cluster.put(resource, claim(ns, name, r.choice(NAMES)))
        else:
            self.cluster.put(resource, volume(r.choice(NAMES), ns, name, r.choice(NAMES + [None])))

    def put_secret(self, r, ns, name):
        labels = r.choice(({}, {"kubernetes.io/legacy-token-last-used": "2026-11-22"},
                           {"kubernetes.io/legacy-token-invalid-since": "2026-11-23"}))
        # A type never changes: what is legacy is in the even names.
        if NAMES.index(name) % 2:
            self.cluster.put("secrets", secret(ns, name, type_="Opaque"))
            return
        owner = r.choice(NAMES)
        before = time.monotonic()
        self.cluster.put("secrets", secret(ns, name, owner, labels, junk="j" * r.randrange(3000)))
        self.secrets.setdefault((ns, name), [(0, None)]).append((before, owner))

    def delete(self, r):
        resource = r.choice(("namespaces", "secrets", "secrets", "serviceaccounts", "pods", "pods",
                             "persistentvolumeclaims", "persistentvolumes"))
        with self.cluster.changed:
            keys = sorted(self.cluster.objects[resource])
        if not keys:
            return
        key = r.choice(keys)
        before = time.monotonic()
        self.cluster.delete(resource, key)
        if resource == "secrets":
            self.secrets.setdefault(key, [(0, None)]).append((before, None))

    def change(self, r):
        self.delete(r) if r.random() < 0.4 else self.put(r)

    # ---- faults ----

    def stream_fault(self, r):
        kind = r.choice(("cut", "half", "garbage", "twice", "error", "end", "gone", "cut", "gone"))
        more = {}
        if kind == "error":
            more = r.choice(({"code": 410, "reason": "Expired"}, {"code": 500}, {"code": 429}, {"code": 504}))
        if kind == "cut":
            more = {"at": r.random()}
        self.api.fault(kind, "watch", r.choice((None, "pods", "secrets", "namespaces")), **more)

    def request_fault(self, r):
        kind = r.choice(("status", "status", "html", "drop", "slow", "cut"))
        more = {}
        if kind == "status":
            more = {"code": r.choice((410, 429, 500, 503, 504, 404, 401))}
        if kind == "slow":
            more = {"seconds": r.random() / 5}
        verb = "list" if kind == "cut" else r.choice(("list", "watch", "any"))
        self.api.fault(kind, verb, r.choice((None, "pods", "secrets")), **more)

    def fault(self, r):
        dice = r.random()
        if dice < 0.40:
            self.stream_fault(r)
        elif dice < 0.65:
            self.request_fault(r)
        elif dice < 0.75:
            self.api.cut()
        elif dice < 0.85:
            self.api.stop()
            for _ in range(r.randrange(3)):
                self.change(r)
            if r.random() < 0.2:
                # More than happens until the watch is back: it cannot detect less.
                self.cluster.set_back(r.randrange(200, 400))
            self.api.start()
        elif dice < 0.93:
            self.cluster.compact()
        elif dice < 0.96:
            self.api.watch_list = r.choice(("on", "422", "500"))
            self.api.bookmarks = r.random() < 0.7
        elif dice < 0.975:
            self.api.fault("huge", "watch", "pods", bytes=20 << 20)
        elif dice < 0.985:
            self.api.fault("silence", "watch", r.choice(("pods", "secrets")))
        else:
            self.api.fault("hang", r.choice(("list", "watch")), r.choice(("pods", "secrets")))

    # ---- properties ----

    def allowed(self, key, since):
        """Owners (None: it did not exist) at some time from then on."""
        past = self.secrets.get(key, [(0, None)])
        begun = [owner for when, owner in past if when <= since]
        return {begun[-1] if begun else None} | {owner for when, owner in past if when > since}

    def honest(self):
        began = time.monotonic()
        lines = [l.split() for l in self.watcher.ask("dump") if l.startswith("secret ")]
        if not self.watcher.state()["secrets fresh"]:
            return
        self.truths += 1
        for _, name, state, owner, *_ in lines:
            key = tuple(name.split("/"))
            said = owner if state == "2" else None
            allowed = self.allowed(key, began - STALE_AFTER)
            check(said in allowed, "it is fresh, and reports Secret %s as %s; within %d s it was %s\n%s" % (
                name, said, STALE_AFTER, allowed, self.watcher.ask("state")))

    def sequence(self, seed):
        r = random.Random(seed)
        for _ in range(r.randrange(1, 12)):
            if r.random() < 0.35:
                self.fault(r)
            self.change(r)
            if r.random() < 0.3:
                time.sleep(r.random() / 50)
            if r.random() < 0.2:
                self.honest()
        self.api.clear()
        self.watcher.catch_up()
        self.honest()


def main(count, first):
    began, seed = time.monotonic(), first
    with tempfile.TemporaryDirectory() as work:
        storm = Storm(work)
        level = 1 << 40
        try:
            storm.watcher.catch_up()
            for seed in range(first, first + count):
                storm.sequence(seed)
                if seed - first <= count // 5:  # between two peaks
                    level = min(level, storm.watcher.resident())
            until(lambda: storm.watcher.resident() < level + GROWTH_KIB, 5)
            last = storm.watcher.resident()
            check(sanitized() or last < level + GROWTH_KIB, "memory grew from %d to %d KiB" % (level, last))
            seconds = storm.watcher.stop()
            check(seconds < 10, "it took %.1f s to end" % seconds)
            check("Sanitizer" not in storm.watcher.said(), storm.watcher.said()[-5000:])
            print("ok %d sequences in %.0f s; %d requests; what was fresh was true %d times; %d KiB, then %d" % (
                count, time.monotonic() - began, len(storm.api.requests), storm.truths, level, last))
        except (Failed, OSError) as e:
            print("FAIL sequence %d: %s" % (seed, e))
            count, code = seed - first, 1
        else:
            code = 0
        finally:
            storm.watcher.process.kill()
            storm.watcher.process.wait()
    print("%d passed, %d failed" % (count, code))
    return code


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000,
                  int(sys.argv[2]) if len(sys.argv) > 2 else random.SystemRandom().randrange(1 << 40)))
