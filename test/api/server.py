# SPDX-License-Identifier: Apache-2.0
"""server.py - an API server for what a real one won't do on demand: the path says what.

    server.py --port-file FILE [--cert FILE --key FILE [--client-ca FILE]] [--token-file FILE]
    server.py --port-file FILE --proxy

It listens on 127.0.0.1, on any free port, which it writes to the port file once it listens.
With --proxy it is an HTTP proxy that knows CONNECT only, and counts in FILE.count.
"""
import argparse
import json
import os
import socket
import ssl
import struct
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

options = None
lock = threading.Lock()
seen = {}  # path -> how often it was asked for


def status(code, reason, message):
    return {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message,
            "reason": reason, "code": code}


FORBIDDEN = ('secrets is forbidden: User "system:serviceaccount:curfew-system:curfew" cannot list '
             'resource "secrets" in API group ""%s')


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *args):
        pass

    # ---- answers ----

    def answer(self, code, body, headers=()):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def begin_stream(self):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.flush()

    def chunk(self, text):
        data = text.encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def end_stream(self):
        self.wfile.write(b"0\r\n\r\n")

    def reset(self):
        """Not a polite end: the client gets a reset."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        os.close(self.connection.detach())

    def hang_up(self):
        self.close_connection = True
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    # ---- what the paths mean ----

    def handle_path(self):
        length = int(self.headers.get("Content-Length") or 0)
        self.body = self.rfile.read(length)
        path = self.path.split("?")[0]
        with lock:
            self.count = seen[self.path] = seen.get(self.path, 0) + 1
        words = path.strip("/").split("/")
        getattr(self, "do_" + words[0], self.unknown)(*words[1:])

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_path

    def unknown(self, *words):
        self.answer(404, status(404, "NotFound", "not found: " + self.path))

    def do_echo(self, *words):
        """What was asked, as the server saw it."""
        certificate = getattr(self.connection, "getpeercert", lambda: None)() or {}
        names = [v for rdn in certificate.get("subject", ()) for k, v in rdn if k == "commonName"]
        self.answer(200, {"method": self.command, "path": self.path, "count": self.count,
                          "body": self.body.decode(), "host": self.headers.get("Host"),
                          "accept": self.headers.get("Accept"),
                          "type": self.headers.get("Content-Type"),
                          "token": (self.headers.get("Authorization") or "")[len("Bearer "):],
                          "client": names[0] if names else None,
                          "peer": self.client_address[1]})

    def do_asked(self, *words):
        """/asked/PATH: how often it was asked for."""
        with lock:
            self.answer(200, {"count": seen.get("/" + "/".join(words), 0)})

    def do_fail(self, code, times, after=None, *words):
        """/fail/503/2[/RETRY_AFTER]: twice, then 200."""
        if self.count > int(times):
            self.answer(200, {"count": self.count})
        else:
            self.answer(int(code), status(int(code), "", "not now"),
                        [("Retry-After", after)] if after is not None else [])

    def do_cut(self, where, times="1000000", *words):
        """/cut/headers|body|reset[/TIMES]: the connection breaks."""
        if self.count > int(times):
            self.answer(200, {"count": self.count})
        elif where == "body":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"half")
            self.wfile.flush()
            self.hang_up()
        elif where == "reset":
            self.reset()
        else:
            self.hang_up()

    def do_size(self, size, *words):
        self.answer(200, b"x" * int(size))

    def do_slow(self, seconds, *words):
        time.sleep(float(seconds))
        self.answer(200, {})

    def do_forbidden(self, *words):
        where = ' in the namespace "shop"' if "shop" in words else " at the cluster scope"
        self.answer(403, status(403, "Forbidden", FORBIDDEN % where))

    def do_quota(self, *words):
        self.answer(403, status(403, "Forbidden", 'pods "a" is forbidden: exceeded quota: small'))

    def do_bare(self, code, *words):
        """/bare/403: no Status with it, as proxies answer."""
        self.answer(int(code), b"<html>no</html>")

    def do_unauthorized(self, *words):
        self.answer(401, status(401, "Unauthorized", "Unauthorized"))

    def do_rotate(self, fresh, *words):
        """/rotate/NEW: 401 for any other token, and NEW is put where the client reads its own."""
        if self.headers.get("Authorization") == "Bearer " + fresh:
            self.answer(200, {"count": self.count})
            return
        with open(options.token_file + ".new", "w", encoding="ascii") as f:
            f.write(fresh + "\n")
        os.rename(options.token_file + ".new", options.token_file)
        self.answer(401, status(401, "Unauthorized", "Unauthorized"))

    def do_stream(self, how, count="3", *words):
        """/stream/lines|half|silent|cut|slow|never[/N]"""
        if how == "never":  # not even headers
            time.sleep(20)
            return
        self.begin_stream()
        for i in range(int(count)):
            self.chunk('{"line":%d}\n' % i)
            if how == "slow":
                time.sleep(0.3)
        if how == "half":
            self.chunk('{"li')
        if how == "silent":
            time.sleep(20)
        if how == "cut":
            self.reset()
        else:
            self.end_stream()


# ---- a proxy ----

def pump(a, b):
    try:
        while data := a.recv(65536):
            b.sendall(data)
    except OSError:
        pass
    for s in (a, b):
        try:
            s.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


class Proxy(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_CONNECT(self):
        host, port = self.path.rsplit(":", 1)
        with open(options.port_file + ".count", "a", encoding="ascii") as f:
            f.write(self.path + "\n")
        with socket.create_connection((host, int(port))) as other:
            self.send_response(200)
            self.end_headers()
            self.wfile.flush()
            back = threading.Thread(target=pump, args=(other, self.connection), daemon=True)
            back.start()
            pump(self.connection, other)
            back.join()
        self.close_connection = True


class Server(ThreadingHTTPServer):
    daemon_threads = True
    context = None

    def finish_request(self, request, client_address):
        """The handshake belongs to the connection's own thread: a slow one holds up nobody."""
        if self.context is not None:
            try:
                request = self.context.wrap_socket(request, server_side=True)
            except (OSError, ssl.SSLError):
                return
        try:
            super().finish_request(request, client_address)
        except (OSError, ssl.SSLError, ValueError):
            pass
        finally:
            try:
                request.close()
            except OSError:
                pass


def main():
    global options
    parser = argparse.ArgumentParser()
    for name in ("port-file", "cert", "key", "client-ca", "token-file"):
        parser.add_argument("--" + name)
    parser.add_argument("--proxy", action="store_true")
    options = parser.parse_args()
    server = Server(("127.0.0.1", 0), Proxy if options.proxy else Handler)
    if options.cert:
        server.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.context.load_cert_chain(options.cert, options.key)
        if options.client_ca:
            server.context.load_verify_locations(options.client_ca)
            server.context.verify_mode = ssl.CERT_OPTIONAL
    with open(options.port_file + ".new", "w", encoding="ascii") as f:
        f.write(str(server.server_port))
    os.rename(options.port_file + ".new", options.port_file)
    server.serve_forever()


if __name__ == "__main__":
    sys.exit(main())
