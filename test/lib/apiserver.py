# SPDX-License-Identifier: Apache-2.0
"""apiserver.py - a fake Kubernetes API server that misbehaves on demand.

    apiserver.py --port-file FILE [--cert FILE --key FILE [--client-ca FILE]] [--history DIR]
                 [--token TOKEN] [--reader TOKEN] [--token-file FILE] [--proxy]

It serves the resources of cluster.py: lists in pages, watches with bookmarks and with initial events,
a history that can be compacted, and writes of Secrets and webhook configurations. Python tests use it
as a module: Cluster holds the objects, Server answers for it on 127.0.0.1, over TLS with a certificate.
As a program it writes its port to a file once it listens. Callers need --token; those with --reader may
only list, watch and get, as the chart's role of the servers permits. --proxy: an HTTP proxy instead,
which knows CONNECT only, and counts in FILE.count.

Tests can cause faults:

1. The path selects a fault (paths.py): /fail/503/2 answers twice with 503, then with 200.

2. Shell tests control it under /_/, without a token:
   POST /_/object/PATH       stores an object unchanged
   POST /_/delete/PATH
   POST /_/forbid/VERB/RESOURCE  responds with 403 from now on; POST /_/allow permits everything
   POST /_/conflict/VERB     another client writes just before the next 'update' or 'patch'
   POST /_/race              two callers create the next object at the same time: the first waits for the second
   GET  /_/count/RESOURCE/METHOD/STATUS  the number of such responses
   GET  /_/trespasses        the number of requests that the role of a reader does not permit

3. Faults are queued with Server.fault(); each applies to the first matching request or stream.
Of a request ('list', 'watch' or 'version'):
  status      answer with this code and a Status (reason=, message=, cause=)
  html        respond with 200 and an HTML page
  drop        close the connection without a response
  hang        never respond
  slow        wait `seconds` before the response, and `pace` between parts of a list's body
Of a stream, for the next line to send:
  cut         half of the line, then close the connection
  half        half of the line, a newline, then continue with the next
  garbage     a line that is not JSON
  twice       the line two times
  huge        a line of `bytes`, without an end
  silence     send nothing, keep the connection open
  error       an ERROR event with `code` and `reason`
  end         the stream ends, as at its timeout
  gone        the connection is closed without the end of the stream
Of a list: `cut` as well, in the middle of its body.

4. Lasting ones are the attributes of Server: watch_list, bookmarks, token, forbidden, deaf, encode, ...
"""
import argparse
import collections
import json
import os
import socket
import socketserver
import ssl
import struct
import threading
import time
import urllib.parse

from cluster import KINDS, WEBHOOKS, Cluster, Refused
from paths import Paths, Proxy
from streams import Streams, status

VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch"}
REQUEST_FAULTS = ("status", "html", "drop", "hang", "slow")


def place(path):
    """(resource, namespace, name) of an object's or a list's path; each may be empty."""
    words = path.strip("/").split("/")
    words = words[{"api": 2, "apis": 3}.get(words[0], len(words)):]
    namespace = ""
    if len(words) > 2 and words[0] == "namespaces":
        namespace, words = words[1], words[2:]
    resource, name, *_ = words + ["", ""]
    return resource, namespace, name


class Closed(Exception):
    """The client or the server closed the connection."""


class Handler(Paths, Streams, socketserver.StreamRequestHandler):
    """One connection. Attributes of the current request: method, target, path, query, headers, body, resource, verb."""

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
            while self.answer() and not self.api.closes and not self.api.restored(self.verb, self.resource):
                pass
        except (OSError, Closed, ValueError):
            pass

    def read_request(self):
        line = self.rfile.readline(65536)
        if not line.strip():
            return False
        self.method, self.target, _ = line.decode().split(" ", 2)
        self.headers = {}
        while True:
            line = self.rfile.readline(65536).decode().rstrip("\r\n")
            if not line:
                break
            name, _, value = line.partition(":")
            self.headers[name.lower()] = value.strip()
        self.body = self.rfile.read(int(self.headers.get("content-length", 0)))
        target = urllib.parse.urlsplit(self.target)
        self.path = target.path
        self.query = {k: v[-1] for k, v in urllib.parse.parse_qs(target.query).items()}
        return True

    def answer(self):
        """One request. Returns False if the connection must be closed."""
        if not self.read_request():
            return False
        self.resource, namespace, name = place(self.path)
        watching = self.query.get("watch") in ("1", "true")
        self.verb = VERBS.get(self.method, "version" if self.path == "/version" else
                              "watch" if watching else "get" if name else "list")
        if self.path.startswith("/_/"):
            return self.control(*self.path.split("/")[2:])
        self.api.note(self.verb, self.resource, self.query, self.headers)
        refused = self.refuse()
        if refused is not None:
            return refused
        if self.path in self.api.fixed:
            return self.say(200, self.api.fixed[self.path])
        if self.verb == "version":
            return self.reply(200, {"major": "1", "minor": self.api.minor})
        if self.resource in KINDS:
            return self.serve((namespace, name))
        return self.follow()

    def serve(self, key):
        """What a real one does."""
        if self.verb == "watch":
            return self.watch()
        if self.verb == "list":
            return self.list()
        if self.verb == "get":
            obj = self.api.cluster.objects[self.resource].get(key)
            return self.say(200, obj) if obj else self.deny(404, "NotFound", "%s %s not found" % (
                self.resource, key))
        try:
            obj = json.loads(self.body)
            if self.verb == "create":
                self.api.meet()
                return self.say(201, self.api.cluster.create(self.resource, obj))
            if self.verb == "patch":
                assert self.headers["content-type"] == "application/strategic-merge-patch+json", self.headers
            return self.say(200, self.api.cluster.write(self.verb, self.resource, key, obj))
        except Refused as e:
            return self.deny(*e.args, "refused: " + e.args[1])

    def control(self, command, *words):
        """The paths below /_/."""
        resource, *key = place("/".join(words))
        said = self.api.control(command, words, resource, tuple(key), self.body)
        return self.say(200, {} if said is None else said)

    def refuse(self):
        """What the lasting and the queued faults make of a request; None: nothing."""
        if self.api.deaf:
            self.wait_for_the_end()
        bearer = self.headers.get("authorization", "")
        if self.api.reader and bearer == "Bearer " + self.api.reader:
            if self.method != "GET" or self.resource in WEBHOOKS:
                self.api.trespasses += 1
                return self.deny(403, "Forbidden", "%s %s is forbidden to a server" % (self.method, self.path))
        elif self.api.token and bearer != "Bearer " + self.api.token:
            return self.deny(401, "Unauthorized", "Unauthorized")
        if self.resource in self.api.forbidden or (self.verb, self.resource) in self.api.forbidden:
            return self.deny(403, "Forbidden", '%s is forbidden: User "curfew" cannot %s resource "%s" in API '
                             'group "" at the cluster scope' % (self.resource, self.verb, self.resource))
        self.pace = 0
        fault = self.api.take(self.verb, self.resource, REQUEST_FAULTS)
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

    def say(self, code, body, headers=None):
        """JSON with blanks as Python writes it, for greps of shell tests."""
        return self.reply(code, json.dumps(body).encode(), headers)

    def deny(self, code, reason, message, headers=None):
        return self.say(code, status(code, reason, message), headers)

    def reply(self, code, body, headers=None, type_="application/json", cut=False):
        self.api.count(self.resource, self.method, code)
        if not isinstance(body, bytes):
            body = json.dumps(body, separators=(",", ":")).encode() + b"\n"
        head = "HTTP/1.1 %d Status\r\nContent-Type: %s\r\nContent-Length: %d\r\n" % (
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

    def partial(self):
        """Whether only the metadata is requested."""
        return "as=PartialObjectMetadata" in self.headers.get("accept", "") and not self.api.whole

    def shown(self, obj):
        if self.partial():
            return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1",
                    "metadata": obj["metadata"]}
        return dict({"kind": KINDS[self.resource], "apiVersion": "v1"}, **obj)

    def selected(self, obj):
        selector = self.query.get("fieldSelector")
        if selector is None:
            return True
        key, _, value = selector.partition("=")
        return obj.get(key) == value

    def list(self):
        api, resource = self.api, self.resource
        limit = int(self.query.get("limit", 0))
        with api.cluster.changed:
            version, start = api.cluster.version, ("", "")
            token = self.query.get("continue")
            if token is not None:
                version, *start = json.loads(token)
                start = tuple(start)
                snapshot = api.snapshots.get(version)
                if snapshot is None or version < api.cluster.compacted:
                    return self.deny(410, "Expired", "the continue token is too old")
            else:
                snapshot = {name: dict(objects) for name, objects in api.cluster.objects.items()}
                api.snapshots[version] = snapshot
                for old in sorted(api.snapshots)[:-8]:
                    del api.snapshots[old]
        keys = sorted(k for k, o in snapshot[resource].items() if k >= start and self.selected(o))
        page = keys[:limit] if limit else keys
        meta = {"resourceVersion": str(version)}
        if len(page) < len(keys):
            meta["continue"] = json.dumps([version, *keys[len(page)]])
            if api.stuck:
                meta["continue"] = token or meta["continue"]
            meta["remainingItemCount"] = len(keys) - len(page)
        partial = self.partial()
        objects = [snapshot[resource][key] for key in page]
        items = [self.shown(obj) for obj in objects] if partial else objects
        body = {"kind": "PartialObjectMetadataList" if partial else KINDS[resource] + "List",
                "apiVersion": "meta.k8s.io/v1" if partial else "v1", "metadata": meta, "items": items}
        text = json.dumps(body, indent=2).encode() if api.pretty else api.encode(body)
        return self.reply(200, text, cut=api.take("list", resource, ("cut",)) is not None)


def compact(value):
    return json.dumps(value, separators=(",", ":")).encode()


class Listener(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        pass


class Server:
    """Serves a Cluster on a port. `certificate`, `key`, `client_ca`: files, for TLS."""

    def __init__(self, cluster=None, certificate=None, key=None, client_ca=None):
        self.cluster = cluster or Cluster()
        self.lock = threading.Lock()
        self.faults = []
        self.open = {}  # socket: whether it may continue
        self.requests = []  # (verb, resource, query, headers)
        self.snapshots = {}
        self.watch_list = "on"  # or 422, 400 (refused), ignored, 500 (an ERROR event)
        self.watch_scale = 1  # the seconds here of one second of timeoutSeconds
        self.bookmarks = True
        self.token = self.reader = None  # of callers that may do everything, and of those that only read
        self.token_file = None  # where the client reads its own
        self.forbidden = set()  # resources, and (verb, resource)
        self.fixed = {}  # path: an answer
        self.answered = collections.Counter()
        self.trespasses = 0
        self.waiting = None  # the first of two callers that create an object at the same time
        self.deaf = False  # do not respond to requests
        self.pretty = False
        self.encode = compact  # how objects are written
        self.torn = None  # the name of one of which each line is half
        self.whole = False  # complete objects, although only metadata is requested
        self.stuck = False  # each page says that it is before the same one
        self.minor = "36"
        self.closes = False  # close each connection after its response, without a header
        self.restore_after = None  # (verb, resource): once that was answered, an older backup is back
        self.tls = None
        if certificate:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(certificate, key)
        if client_ca:
            self.tls.load_verify_locations(client_ca)
            self.tls.verify_mode = ssl.CERT_OPTIONAL
        self.listener = None
        # Bound but not listening: keeps the port while the server is stopped.
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
        """Cuts all connections and closes the port."""
        self.listener.shutdown()
        if self.listener.socket.fileno() >= 0:
            # A process that starts now inherits the socket until its exec: the socket must not listen any more.
            self.listener.socket.shutdown(socket.SHUT_RDWR)
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
        """Removes all faults, and cuts connections that hang."""
        with self.lock:
            self.faults.clear()

    def restored(self, *request):
        """Once restore_after was answered, brings an older backup back and cuts all connections."""
        if self.restore_after != request:
            return False
        self.restore_after = None
        self.cluster.set_back()
        self.cut()
        return True

    def control(self, command, words, resource, key, body):
        if command == "object":
            self.cluster.put(resource, json.loads(body))
        elif command == "delete":
            self.cluster.delete(resource, key)
        elif command == "forbid":
            self.forbidden.add(words)
        elif command == "allow":
            self.forbidden.clear()
        elif command == "conflict":
            self.cluster.conflicts[words[0]] += 1
        elif command == "race":
            self.waiting = threading.Barrier(2)
        elif command == "count":
            return self.answered[(words[0], words[1], int(words[2]))]
        elif command == "trespasses":
            return self.trespasses
        return None

    def meet(self):
        """The first of two waits here for the second."""
        if self.waiting:
            try:
                self.waiting.wait(20)
            except threading.BrokenBarrierError:
                pass

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

    def count(self, resource, method, code):
        with self.lock:
            self.answered[(resource, method, code)] += 1


def write_port(file, port):
    """Writes the file atomically, for processes that wait for it."""
    with open(file + ".new", "w", encoding="ascii") as f:
        f.write(str(port))
    os.rename(file + ".new", file)


def main():
    parser = argparse.ArgumentParser()
    for name in ("port-file", "cert", "key", "client-ca", "history", "token", "reader", "token-file"):
        parser.add_argument("--" + name)
    parser.add_argument("--proxy", action="store_true")
    options = parser.parse_args()
    if options.proxy:
        proxy = Listener(("127.0.0.1", 0), Proxy)
        proxy.count_file = options.port_file + ".count"
        write_port(options.port_file, proxy.server_address[1])
        proxy.serve_forever()
    api = Server(Cluster(folder=options.history), options.cert, options.key, options.client_ca)
    api.token, api.reader, api.token_file = options.token, options.reader, options.token_file
    write_port(options.port_file, api.port)
    threading.Event().wait()


if __name__ == "__main__":
    main()
