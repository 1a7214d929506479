# SPDX-License-Identifier: Apache-2.0
"""streams.py - the watch streams of the fake API server (apiserver.py), and their faults."""
import bisect
import json
import time


def status(code, reason, message, cause=None):
    body = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": message, "reason": reason, "code": code}
    if cause:
        body["details"] = {"causes": [{"reason": cause, "message": message}]}
    return body


class Streams:
    """The part of a connection's handler that responds to watches."""

    def watch(self):
        api, cluster, query = self.api, self.api.cluster, self.query
        initial = query.get("sendInitialEvents") == "true"
        ends = time.monotonic() + float(query.get("timeoutSeconds", 1800)) * api.watch_scale
        if initial and api.watch_list in ("422", "400"):
            return self.deny(int(api.watch_list), "Invalid", "sendInitialEvents is forbidden for watch unless "
                             "the WatchList feature gate is enabled")
        if initial and api.watch_list == "ignored":
            initial = False
        with cluster.changed:
            at = int(query.get("resourceVersion") or 0)
            if at == 0:
                at = cluster.version
                first = [("ADDED", o) for o in cluster.objects[self.resource].values()]
            else:
                first = []
                if at < cluster.compacted:
                    return self.deny(410, "Expired", "too old resource version")
        self.begin()
        if initial and api.watch_list == "500":
            self.event("ERROR", status(500, "InternalError", "the required storage feature "
                                       "RequestWatchProgress is disabled"), False)
            return self.end()
        return self.stream(first, at, ends, initial)

    def stream(self, first, at, ends, initial):
        cluster, resource = self.api.cluster, self.resource
        bookmarks = self.query.get("allowWatchBookmarks") == "true"
        for kind, obj in first:
            if self.selected(obj) and not self.event(kind, self.shown(obj)):
                return False
        if initial:
            self.bookmark(at, {"k8s.io/initial-events-end": "true"})
        while True:
            now = time.monotonic()
            if now >= ends:
                if bookmarks and self.api.bookmarks:
                    self.bookmark(at)
                return self.end()
            with cluster.changed:
                if at < cluster.compacted:
                    news, gone = [], True
                else:
                    newer = bisect.bisect_right(cluster.history, at, key=lambda h: h[0])
                    news, gone = cluster.history[newer:], False
                    at = max(at, cluster.version)
                if not news and not gone and not self.api.pending("watch", resource):
                    cluster.changed.wait(min(ends - now, 0.05))
            self.api.check(self.request)
            if gone:
                self.event("ERROR", status(410, "Expired", "too old resource version"), False)
                return self.end()
            for _, which, kind, obj in news:
                if which == resource and self.selected(obj) and not self.event(kind, self.shown(obj)):
                    return False
            if not news and self.api.pending("watch", resource):
                if not self.bookmark(at, faults=True):
                    return False

    def bookmark(self, version, annotations=None, faults=False):
        meta = {"resourceVersion": str(version)}
        if annotations:
            meta["annotations"] = annotations
        return self.event("BOOKMARK", self.shown({"metadata": meta}), faults)

    def begin(self):
        self.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                  b"Transfer-Encoding: chunked\r\n\r\n")

    def chunk(self, data):
        if data:
            self.send(b"%x\r\n%s\r\n" % (len(data), data))

    def end(self):
        self.send(b"0\r\n\r\n")
        return True

    def event(self, kind, obj, faults=True):
        """Sends a line, or applies a fault to it. Returns False if the stream has ended."""
        line = self.api.encode({"type": kind, "object": obj}) + b"\n"
        if self.api.torn is not None and obj["metadata"].get("name") == self.api.torn:
            return self.fault_half(None, line)
        fault = self.api.take("watch", self.resource, None) if faults else None
        if fault is None:
            self.chunk(line)
            return True
        return getattr(self, "fault_" + fault["kind"])(fault, line)

    def fault_cut(self, fault, line):
        self.chunk(line[:max(1, int(len(line) * fault.get("at", 0.5)))])
        return False

    def fault_half(self, fault, line):
        self.chunk(line[:len(line) // 2] + b"\n")
        return True

    def fault_garbage(self, fault, line):
        self.chunk(fault.get("line", "\x00\x01 this is not JSON }{\n").encode("latin-1"))
        return True

    def fault_twice(self, fault, line):
        self.chunk(line)
        self.chunk(line)
        return True

    def fault_huge(self, fault, line):
        self.chunk(b'{"type":"MODIFIED","object":{"metadata":{"annotations":{"a":"')
        left = fault.get("bytes", 64 << 20)
        while left > 0:
            self.chunk(b"x" * min(left, 1 << 16))
            left -= 1 << 16
        self.chunk(b'"}}}}\n')
        self.chunk(line)
        return True

    def fault_silence(self, fault, line):
        self.wait_for_the_end()

    def fault_error(self, fault, line):
        code = fault.get("code", 500)
        body = status(code, fault.get("reason", "InternalError"), fault.get("message", "a fault"),
                      fault.get("cause"))
        self.chunk(json.dumps({"type": "ERROR", "object": body}).encode() + b"\n")
        self.end()
        return False

    def fault_end(self, fault, line):
        self.end()
        return False

    def fault_gone(self, fault, line):
        return False
