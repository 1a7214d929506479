# SPDX-License-Identifier: Apache-2.0
"""apiserver.py - a Kubernetes API server that does what it is told, wrong things included.

It has the six resources that Curfew watches: lists in pages, watches with bookmarks and with
initial events, and a history that can be compacted. Used as a module: Cluster holds the objects,
Server answers for it on 127.0.0.1, over TLS where it is given a certificate.

Faults are queued with Server.fault(); each is used up by the first request or stream that it fits.
Of a request ('list', 'watch' or 'version'):
  status      answer with this code and a Status (reason=, message=, cause=)
  html        200 and a page of HTML
  drop        close the connection instead of an answer
  hang        never answer
  slow        wait `seconds` before the answer, and `pace` between parts of a list's body
Of a stream, at the next thing that it has to send:
  cut         half of the line, and the connection is gone
  half        half of the line, a newline, then go on with the next
  garbage     a line that is no JSON
  twice       the line two times
  huge        a line of `bytes`, without an end
  silence     nothing any more, the connection stays open
  error       an ERROR event with `code` and `reason`
  end         the stream ends, as at its timeout
  gone        the connection is closed without the end of the stream
Of a list: `cut` as well, in the middle of its body.
Lasting ones are the attributes of Server: watch_list, bookmarks, token, forbidden, deaf, encode, ...
"""
import bisect
import copy
import json
import socket
import socketserver
import ssl
import struct
import threading
import time
import urllib.parse


RESOURCES = {
    "namespaces": "Namespace",
    "secrets": "Secret",
    "serviceaccounts": "ServiceAccount",
    "pods": "Pod",
    "persistentvolumeclaims": "PersistentVolumeClaim",
    "persistentvolumes": "PersistentVolume",
}
LEGACY = "kubernetes.io/service-account-token"
REQUEST_FAULTS = ("status", "html", "drop", "hang", "slow")


class Odd(dict):
    """An object that can't be read whole. `plain` is what is to be known of it all the same."""

    plain = None


class Cluster:
    """The objects, each with its resourceVersion, and what happened to them."""

    def __init__(self, version=1000):
        self.changed = threading.Condition()
        self.version = version
        self.objects = {name: {} for name in RESOURCES}
        self.history = []  # (version, resource, type, object)
        self.compacted = version

    def put(self, resource, obj):
        """Adds or modifies."""
        meta = obj["metadata"]
        key = (meta.get("namespace", ""), meta["name"])
        with self.changed:
            self.version += 1
            obj = copy.deepcopy(obj)
            obj["metadata"]["resourceVersion"] = str(self.version)
            kind = "MODIFIED" if key in self.objects[resource] else "ADDED"
            self.objects[resource][key] = obj
            self.history.append((self.version, resource, kind, obj))
            self.changed.notify_all()

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

    def compact(self):
        """What happened before now is forgotten: older versions are gone."""
        with self.changed:
            self.compacted = self.version
            self.history.clear()
            self.changed.notify_all()

    def set_back(self, by=500):
        """etcd came back from an old backup: the versions went backwards."""
        with self.changed:
            self.version -= by
            self.compacted = 0
            self.history.clear()
            self.changed.notify_all()

    def everything(self):
        """A List of all there is, as kubectl would print it."""
        with self.changed:
            items = [
                dict(getattr(obj, "plain", obj), kind=RESOURCES[resource], apiVersion="v1")
                for resource, objects in self.objects.items()
                for obj in objects.values()
            ]
        return {"kind": "List", "apiVersion": "v1", "items": items}


def status(code, reason, message, cause=None):
    body = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": message, "reason": reason, "code": code}
    if cause:
        body["details"] = {"causes": [{"reason": cause, "message": message}]}
    return body


class Closed(Exception):
    """The client has gone, or the connection was taken down."""


class Handler(socketserver.StreamRequestHandler):
    """One connection."""

    disable_nagle_algorithm = True

    def setup(self):
        if self.server.api.tls is not None:
            self.request.settimeout(10)
            self.request = self.server.api.tls.wrap_socket(self.request, server_side=True)
            self.request.settimeout(None)
        super().setup()
        self.api = self.server.api
        self.pace = 0
        self.api.opened(self.request)

    def finish(self):
        self.api.forget(self.request)
        try:
            super().finish()
        except (OSError, ValueError):
            pass

    def handle(self):
        try:
            while self.answer() and not self.api.closes and not self.api.restored(self.asked):
                pass
        except (OSError, Closed, ValueError):
            pass

    def read_request(self):
        line = self.rfile.readline(65536)
        if not line.strip():
            return None
        method, target, _ = line.decode().split(" ", 2)
        headers = {}
        while True:
            line = self.rfile.readline(65536).decode().rstrip("\r\n")
            if not line:
                break
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        if int(headers.get("content-length", 0)) > 0:
            self.rfile.read(int(headers["content-length"]))
        return method, urllib.parse.urlsplit(target), headers

    def answer(self):
        """One request; False when the connection is to be closed."""
        got = self.read_request()
        if got is None:
            return False
        method, target, headers = got
        query = {k: v[-1] for k, v in urllib.parse.parse_qs(target.query).items()}
        resource = target.path[len("/api/v1/"):] if target.path.startswith("/api/v1/") else ""
        watching = query.get("watch") in ("1", "true")
        verb = "version" if target.path == "/version" else "watch" if watching else "list"
        self.asked = verb, resource
        self.api.note(verb, resource, query, headers)
        refused = self.refuse(verb, resource, headers)
        if refused is not None:
            return refused
        if verb == "version":
            return self.reply(200, {"major": "1", "minor": self.api.minor})
        if method != "GET" or resource not in RESOURCES:
            return self.reply(404, status(404, "NotFound", "no such resource"))
        if watching:
            return self.watch(resource, query, headers)
        return self.list(resource, query, headers)

    def refuse(self, verb, resource, headers):
        """What the lasting and the queued faults make of a request; None: nothing."""
        if self.api.deaf:
            self.wait_for_the_end()
        if self.api.token and headers.get("authorization") != "Bearer " + self.api.token:
            return self.reply(401, status(401, "Unauthorized", "Unauthorized"))
        if resource in self.api.forbidden:
            return self.reply(403, status(
                403, "Forbidden", '%s is forbidden: User "curfew" cannot %s resource "%s" in API group '
                '"" at the cluster scope' % (resource, verb, resource)))
        self.pace = 0
        fault = self.api.take(verb, resource, REQUEST_FAULTS)
        if fault is None:
            return None
        if fault["kind"] == "status":
            return self.reply(fault["code"], status(
                fault["code"], fault.get("reason", "InternalError"), fault.get("message", "a fault"),
                fault.get("cause")), fault.get("headers"))
        if fault["kind"] == "html":
            return self.reply(200, b"<html><body>login</body></html>\n", type_="text/html")
        if fault["kind"] == "drop":
            return False
        if fault["kind"] == "hang":
            self.wait_for_the_end()
        self.pace = fault.get("pace", 0)
        self.api.sleep(self.request, fault.get("seconds", 0))
        return None

    def wait_for_the_end(self):
        while True:
            self.api.sleep(self.request, 3600)

    def send(self, data):
        self.api.check(self.request)
        self.wfile.write(data)
        self.wfile.flush()

    def reply(self, code, body, headers=None, type_="application/json", cut=False):
        if not isinstance(body, bytes):
            body = json.dumps(body, separators=(",", ":")).encode() + b"\n"
        head = "HTTP/1.1 %d Whatever\r\nContent-Type: %s\r\nContent-Length: %d\r\n" % (
            code, type_, len(body))
        for name, value in (headers or {}).items():
            head += "%s: %s\r\n" % (name, value)
        data = head.encode() + b"\r\n" + body
        if cut:
            self.send(data[:len(data) - len(body) // 2])
            return False
        if self.pace:
            for at in range(0, len(data), 2000):
                self.send(data[at:at + 2000])
                self.api.sleep(self.request, self.pace)
            return True
        self.send(data)
        return True

    # ---- objects ----

    def shown(self, resource, obj, headers):
        if "as=PartialObjectMetadata" in headers.get("accept", "") and not self.api.whole:
            return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1",
                    "metadata": obj["metadata"]}
        return dict({"kind": RESOURCES[resource], "apiVersion": "v1"}, **obj)

    @staticmethod
    def selected(obj, query):
        selector = query.get("fieldSelector")
        if selector is None:
            return True
        key, _, value = selector.partition("=")
        return obj.get(key) == value

    def list(self, resource, query, headers):
        api = self.api
        limit = int(query.get("limit", 0))
        with api.cluster.changed:
            version, start = api.cluster.version, ("", "")
            token = query.get("continue")
            if token is not None:
                version, *start = json.loads(token)
                start = tuple(start)
                snapshot = api.snapshots.get(version)
                if snapshot is None or version < api.cluster.compacted:
                    return self.reply(410, status(410, "Expired", "the continue token is too old"))
            else:
                snapshot = {name: dict(objects) for name, objects in api.cluster.objects.items()}
                api.snapshots[version] = snapshot
                for old in sorted(api.snapshots)[:-8]:
                    del api.snapshots[old]
        keys = sorted(k for k, o in snapshot[resource].items() if k >= start and self.selected(o, query))
        page = keys[:limit] if limit else keys
        meta = {"resourceVersion": str(version)}
        if len(page) < len(keys):
            meta["continue"] = json.dumps([version, *keys[len(page)]])
            if api.stuck:
                meta["continue"] = token or meta["continue"]
            meta["remainingItemCount"] = len(keys) - len(page)
        partial = "as=PartialObjectMetadataList" in headers.get("accept", "") and not api.whole
        items = []
        for key in page:
            item = self.shown(resource, snapshot[resource][key], headers if partial else {})
            if not partial:
                del item["kind"], item["apiVersion"]
            items.append(item)
        body = {"kind": "PartialObjectMetadataList" if partial else RESOURCES[resource] + "List",
                "apiVersion": "meta.k8s.io/v1" if partial else "v1", "metadata": meta, "items": items}
        text = json.dumps(body, indent=2).encode() if api.pretty else api.encode(body)
        return self.reply(200, text, cut=api.take("list", resource, ("cut",)) is not None)

    # ---- watches ----

    def watch(self, resource, query, headers):
        api, cluster = self.api, self.api.cluster
        initial = query.get("sendInitialEvents") == "true"
        ends = time.monotonic() + float(query.get("timeoutSeconds", 1800)) * api.watch_scale
        if initial and api.watch_list in ("422", "400"):
            return self.reply(int(api.watch_list), status(
                int(api.watch_list), "Invalid",
                "sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled"))
        if initial and api.watch_list == "ignored":
            initial = False
        with cluster.changed:
            at = int(query.get("resourceVersion") or 0)
            if at == 0:
                at = cluster.version
                first = [("ADDED", o) for o in cluster.objects[resource].values()]
            else:
                first = []
                if at < cluster.compacted:
                    return self.reply(410, status(410, "Expired", "too old resource version"))
        self.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                  b"Transfer-Encoding: chunked\r\n\r\n")
        if initial and api.watch_list == "500":
            self.event("ERROR", status(500, "InternalError", "the required storage feature "
                                       "RequestWatchProgress is disabled"))
            return self.end()
        return self.stream(resource, query, headers, first, at, ends, initial)

    def stream(self, resource, query, headers, first, at, ends, initial):
        cluster = self.api.cluster
        bookmarks = query.get("allowWatchBookmarks") == "true"
        for kind, obj in first:
            if self.selected(obj, query) and not self.event(kind, self.shown(resource, obj, headers), resource):
                return False
        if initial:
            self.bookmark(resource, at, headers, {"k8s.io/initial-events-end": "true"})
        while True:
            now = time.monotonic()
            if now >= ends:
                if bookmarks and self.api.bookmarks:
                    self.bookmark(resource, at, headers)
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
                self.event("ERROR", status(410, "Expired", "too old resource version"))
                return self.end()
            for _, which, kind, obj in news:
                if which == resource and self.selected(obj, query):
                    if not self.event(kind, self.shown(resource, obj, headers), resource):
                        return False
            if not news and self.api.pending("watch", resource):
                if not self.event("BOOKMARK", self.marked(resource, at, headers), resource):
                    return False

    def marked(self, resource, version, headers, annotations=None):
        meta = {"resourceVersion": str(version)}
        if annotations:
            meta["annotations"] = annotations
        return self.shown(resource, {"metadata": meta}, headers)

    def bookmark(self, resource, version, headers, annotations=None):
        self.event("BOOKMARK", self.marked(resource, version, headers, annotations))

    def chunk(self, data):
        if data:
            self.send(b"%x\r\n%s\r\n" % (len(data), data))

    def end(self):
        self.send(b"0\r\n\r\n")
        return True

    def event(self, kind, obj, resource=None):
        """Sends a line, or what a fault makes of it; False: the stream is over."""
        line = self.api.encode({"type": kind, "object": obj}) + b"\n"
        if self.api.torn is not None and obj["metadata"].get("name") == self.api.torn:
            return self.fault_half(None, line)
        fault = self.api.take("watch", resource, None) if resource else None
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
        self.chunk(fault.get("line", "\x00\x01 this is no JSON }{\n").encode("latin-1"))
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


def compact(value):
    return json.dumps(value, separators=(",", ":")).encode()


class Listener(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        pass


class Server:
    """A Cluster behind a port. `certificate` and `key`: files, for TLS."""

    def __init__(self, cluster=None, certificate=None, key=None):
        self.cluster = cluster or Cluster()
        self.lock = threading.Lock()
        self.faults = []
        self.open = {}  # socket: whether it may go on
        self.requests = []  # (verb, resource, query, headers)
        self.snapshots = {}
        self.watch_list = "on"  # or 422, 400 (refused), ignored, 500 (an ERROR event)
        self.watch_scale = 1  # a second of timeoutSeconds is so many seconds here
        self.bookmarks = True
        self.token = None  # what callers have to bear
        self.forbidden = set()  # resources
        self.deaf = False  # no request is answered
        self.pretty = False
        self.encode = compact  # how objects are written
        self.torn = None  # the name of one of which each line is half
        self.whole = False  # whole objects, though only metadata is asked for
        self.stuck = False  # each page says that it is before the same one
        self.minor = "36"
        self.closes = False  # each connection is closed after its answer, and no header says so
        self.restore_after = None  # (verb, resource): once that was answered, an older backup is back
        self.tls = None
        if certificate:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(certificate, key)
        self.listener = None
        # Bound, and never listening: while the server is stopped nobody else is given its port.
        self.place = socket.socket()
        self.place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.place.bind(("127.0.0.1", 0))
        self.port = self.place.getsockname()[1]
        self.start()

    @property
    def url(self):
        return "%s://127.0.0.1:%d" % ("https" if self.tls else "http", self.port)

    def start(self):
        self.listener = Listener(("127.0.0.1", self.port), Handler)
        self.listener.api = self
        threading.Thread(target=self.listener.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self):
        """All connections are cut, and nobody listens."""
        self.listener.shutdown()
        self.listener.server_close()
        self.cut()

    def cut(self):
        with self.lock:
            for connection in self.open:
                self.open[connection] = False
                try:
                    if not isinstance(connection, ssl.SSLSocket):
                        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
        with self.cluster.changed:
            self.cluster.changed.notify_all()

    # ---- faults ----

    def fault(self, kind, verb="watch", resource=None, **what):
        with self.lock:
            self.faults.append(dict(what, kind=kind, verb=verb, resource=resource))
        with self.cluster.changed:
            self.cluster.changed.notify_all()

    def _fits(self, fault, verb, resource, kinds):
        return (fault["verb"] in (verb, "any") and fault["resource"] in (resource, None) and
                ((fault["kind"] in kinds) if kinds is not None
                 else fault["kind"] not in REQUEST_FAULTS))

    def take(self, verb, resource, kinds):
        with self.lock:
            for fault in self.faults:
                if self._fits(fault, verb, resource, kinds):
                    self.faults.remove(fault)
                    return fault
        return None

    def pending(self, verb, resource):
        with self.lock:
            return any(self._fits(fault, verb, resource, None) for fault in self.faults)

    def clear(self):
        """No more faults; what hangs because of one is cut."""
        with self.lock:
            self.faults.clear()

    def restored(self, asked):
        """Once restore_after was answered, brings an older backup back and cuts all connections."""
        if self.restore_after != asked:
            return False
        self.restore_after = None
        self.cluster.set_back()
        self.cut()
        return True

    # ---- connections ----

    def opened(self, connection):
        with self.lock:
            self.open[connection] = True

    def forget(self, connection):
        with self.lock:
            self.open.pop(connection, None)

    def check(self, connection):
        if not self.open.get(connection):
            raise Closed

    def sleep(self, connection, seconds):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.check(connection)
            time.sleep(min(0.02, max(0, until - time.monotonic())))

    def note(self, verb, resource, query, headers):
        with self.lock:
            self.requests.append((verb, resource, query, headers))

    def seen(self, verb, resource=None):
        with self.lock:
            return [r for r in self.requests if r[0] == verb and resource in (None, r[1])]
