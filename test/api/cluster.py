# SPDX-License-Identifier: Apache-2.0
"""cluster.py - an API server that keeps Secrets and webhook configurations, for certs.sh.

    cluster.py --port-file FILE --cert FILE --key FILE --history DIR

Everything that is written is kept, in order, as DIR/NNNN-KIND-NAME.json. What a real one has and
this one has not: everything but resourceVersions, conflicts, the strategic merge of webhooks by
name, and lists and watches of nothing. Who says cluster-token may do everything; who says
server-token may list, watch and get Secrets, as the chart's role of the servers has it. Without a
token, under /_/:

    POST /_/object/PATH      puts an object there as it is
    POST /_/delete/PATH
    POST /_/forbid/VERB/KIND answers 403 from now on; POST /_/allow takes all of it back
    POST /_/conflict/VERB    somebody else writes just before the next update (PUT) or patch
    POST /_/race             the next Secret is created by two at once: the first waits for the second
    GET  /_/count/VERB/STATUS how often a Secret was asked for so
    GET  /_/trespasses       how often a server asked for what its role does not have
"""
import argparse
import json
import os
import ssl
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

options = None
lock = threading.Lock()
objects = {}  # path -> object
version = 100
written = 0
forbidden = set()  # (method, kind)
conflicts = {"update": 0, "patch": 0}  # to come
race = None  # who arrived, once it was asked for
counts = {}
trespasses = 0


def keep(path, value):
    """Under the lock: the object's next version, written down."""
    global version, written
    version += 1
    written += 1
    value["metadata"]["resourceVersion"] = str(version)
    objects[path] = value
    kind, name = path.strip("/").split("/")[-2:]
    with open(os.path.join(options.history, f"{written:04d}-{kind}-{name}.json"), "w",
              encoding="ascii") as f:
        json.dump(value, f)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *args):
        pass

    def answer(self, code, body):
        data = json.dumps(body).encode()
        if "/secrets" in self.path:
            with lock:
                counts[(self.command, code)] = counts.get((self.command, code), 0) + 1
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def refuse(self, code, reason, message):
        self.answer(code, {"kind": "Status", "apiVersion": "v1", "status": "Failure",
                           "message": message, "reason": reason, "code": code})

    def handle_request(self):
        length = int(self.headers.get("Content-Length") or 0)
        text = self.rfile.read(length)
        body = json.loads(text) if text else None
        path = self.path.split("?")[0]
        if path.startswith("/_/"):
            self.control(path[3:].split("/"), body)
        elif self.headers.get("Authorization") == "Bearer server-token":
            self.limited(path, body)
        elif self.headers.get("Authorization") != "Bearer cluster-token":
            self.refuse(401, "Unauthorized", "Unauthorized")
        elif "watch=" in self.path:
            self.watch()
        else:
            self.api(path, body)

    do_GET = do_POST = do_PUT = do_PATCH = handle_request

    # ---- the API ----

    def limited(self, path, body):
        global trespasses
        if self.command == "GET" and "watch=" in self.path:
            self.watch()
        elif self.command == "GET" and "webhookconfigurations" not in path:
            self.api(path, body)
        else:
            with lock:
                trespasses += 1
            self.refuse(403, "Forbidden", f'{self.command} {path} is forbidden to a server')

    def api(self, path, body):
        words = path.strip("/").split("/")
        kind = next((w for w in words if w.endswith("webhookconfigurations") or w == "secrets"), "")
        verb = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch"}[self.command]
        if (verb, kind) in forbidden:
            self.refuse(403, "Forbidden", f'{kind} "x" is forbidden: User "system:serviceaccount:'
                        f'curfew-system:curfew" cannot {verb} resource "{kind}" in API group "x" '
                        'at the cluster scope')
        elif self.command == "GET" and (kind == "" or words[-1] == kind):
            self.answer(200, {"kind": "List", "apiVersion": "v1",
                              "metadata": {"resourceVersion": "1"}, "items": []})
        elif self.command == "GET":
            found = objects.get(path)
            if found:
                self.answer(200, found)
            else:
                self.refuse(404, "NotFound", f'{kind} "{words[-1]}" not found')
        else:
            if verb == "create" and race is not None:
                self.meet()
            self.write(verb, path, body)

    def meet(self):
        with lock:
            race["arrived"] += 1
            if race["arrived"] == 2:
                race["both"].set()
        race["both"].wait(20)

    def write(self, verb, path, body):
        with lock:
            if verb == "create":
                path = path + "/" + body["metadata"]["name"]
                if path in objects:
                    result = (409, "AlreadyExists")
                else:
                    body["metadata"]["uid"] = "u"
                    keep(path, body)
                    result = (201, "")
            elif path not in objects:
                result = (404, "NotFound")
            else:
                if conflicts[verb] > 0:
                    conflicts[verb] -= 1
                    keep(path, objects[path])
                old = objects[path]
                wanted = body["metadata"].get("resourceVersion", old["metadata"]["resourceVersion"])
                if wanted != old["metadata"]["resourceVersion"]:
                    result = (409, "Conflict")
                else:
                    if verb == "patch":
                        kind = self.headers.get("Content-Type")
                        assert kind == "application/strategic-merge-patch+json", kind
                        body = self.merge(old, body)
                    keep(path, body)
                    result = (200, "")
        if result[1]:
            self.refuse(*result, "refused: " + result[1])
        else:
            self.answer(result[0], objects[path])

    def merge(self, old, patch):
        new = json.loads(json.dumps(old))
        assert set(patch) == {"metadata", "webhooks"}, patch
        by_name = {w["name"]: w for w in new["webhooks"]}
        for webhook in patch["webhooks"]:
            by_name[webhook["name"]].setdefault("clientConfig", {}).update(webhook["clientConfig"])
        return new

    def watch(self):
        """Nothing ever happens, which bookmarks say."""
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        # Of Secrets only the metadata is asked for.
        kind = "PartialObjectMetadata" if "/secrets" in self.path else "X"
        line = json.dumps({"type": "BOOKMARK", "object": {"kind": kind, "apiVersion": "v1",
                           "metadata": {"resourceVersion": "1", "annotations": {
                               "k8s.io/initial-events-end": "true"}}}}).encode() + b"\n"
        while True:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
            self.wfile.flush()
            time.sleep(3)

    # ---- for the test ----

    def control(self, words, body):
        global race
        path = "/" + "/".join(words[1:])
        if words[0] == "count":
            with lock:
                self.answer(200, counts.get((words[1], int(words[2])), 0))
            return
        if words[0] == "trespasses":
            with lock:
                self.answer(200, trespasses)
            return
        with lock:
            if words[0] == "object":
                keep(path, body)
            elif words[0] == "delete":
                objects.pop(path, None)
            elif words[0] == "forbid":
                forbidden.add((words[1], words[2]))
            elif words[0] == "allow":
                forbidden.clear()
            elif words[0] == "conflict":
                conflicts[words[1]] += 1
            elif words[0] == "race":
                race = {"arrived": 0, "both": threading.Event()}
        self.answer(200, {})


class Server(ThreadingHTTPServer):
    daemon_threads = True
    context = None

    def finish_request(self, request, client_address):
        try:
            request = self.context.wrap_socket(request, server_side=True)
            super().finish_request(request, client_address)
        except (OSError, ssl.SSLError, ValueError):
            pass
        finally:
            request.close()


def main():
    global options
    parser = argparse.ArgumentParser()
    for name in ("port-file", "cert", "key", "history"):
        parser.add_argument("--" + name, required=True)
    options = parser.parse_args()
    server = Server(("127.0.0.1", 0), Handler)
    server.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.context.load_cert_chain(options.cert, options.key)
    with open(options.port_file + ".new", "w", encoding="ascii") as f:
        f.write(str(server.server_port))
    os.rename(options.port_file + ".new", options.port_file)
    server.serve_forever()


if __name__ == "__main__":
    sys.exit(main())
