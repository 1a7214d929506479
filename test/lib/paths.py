# SPDX-License-Identifier: Apache-2.0
"""paths.py - paths of the fake API server (apiserver.py) that cause faults, and a proxy."""
import collections
import os
import socket
import socketserver
import struct
import threading
import time

FORBIDDEN = ('secrets is forbidden: User "system:serviceaccount:curfew-system:curfew" cannot list '
             'resource "secrets" in API group ""%s')


class Paths:
    """The part of a connection's handler that responds to /WORD/WORD... with its do_WORD."""

    lock = threading.Lock()
    seen = collections.Counter()  # target: how often it was requested

    def follow(self):
        words = self.path.strip("/").split("/")
        with self.lock:
            self.seen[self.target] += 1
            self.times = self.seen[self.target]
        return getattr(self, "do_" + words[0], self.unknown)(*words[1:])

    def unknown(self, *words):
        return self.deny(404, "NotFound", "not found: " + self.target)

    def do_echo(self, *words):
        """The request, as the server saw it."""
        certificate = getattr(self.request, "getpeercert", lambda: None)() or {}
        names = [v for rdn in certificate.get("subject", ()) for k, v in rdn if k == "commonName"]
        return self.say(200, {"method": self.method, "path": self.target, "count": self.times,
                              "body": self.body.decode(), "host": self.headers.get("host"),
                              "accept": self.headers.get("accept"), "type": self.headers.get("content-type"),
                              "token": self.headers.get("authorization", "")[len("Bearer "):],
                              "client": names[0] if names else None, "peer": self.client_address[1]})

    def do_requests(self, *words):
        """/requests/PATH: the number of requests for the path."""
        return self.say(200, {"count": self.seen["/" + "/".join(words)]})

    def do_fail(self, code, times, after=None):
        """/fail/503/2[/RETRY_AFTER]: twice, then 200."""
        if self.times > int(times):
            return self.say(200, {"count": self.times})
        return self.deny(int(code), "", "not now", {"Retry-After": after} if after is not None else None)

    def do_cut(self, where, times="1000000"):
        """/cut/headers|body|reset[/TIMES]: the connection breaks."""
        if self.times > int(times):
            return self.say(200, {"count": self.times})
        if where == "body":
            self.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")
        if where == "reset":
            self.reset()
        else:
            self.request.shutdown(socket.SHUT_RDWR)
        return False

    def reset(self):
        """Resets the connection."""
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.request.detach())

    def do_size(self, size):
        return self.reply(200, b"x" * int(size))

    def do_slow(self, seconds):
        time.sleep(float(seconds))
        return self.say(200, {})

    def do_forbidden(self, *words):
        where = ' in the namespace "shop"' if "shop" in words else " at the cluster scope"
        return self.deny(403, "Forbidden", FORBIDDEN % where)

    def do_quota(self):
        return self.deny(403, "Forbidden", 'pods "a" is forbidden: exceeded quota: small')

    def do_bare(self, code):
        """/bare/403: without a Status, as proxies answer."""
        return self.reply(int(code), b"<html>no</html>")

    def do_unauthorized(self):
        return self.deny(401, "Unauthorized", "Unauthorized")

    def do_rotate(self, fresh):
        """/rotate/NEW: 401 for any other token, and NEW is put where the client reads its own."""
        if self.headers.get("authorization") == "Bearer " + fresh:
            return self.say(200, {"count": self.times})
        with open(self.api.token_file + ".new", "w", encoding="ascii") as f:
            f.write(fresh + "\n")
        os.rename(self.api.token_file + ".new", self.api.token_file)
        return self.do_unauthorized()

    def do_stream(self, how, count="3"):
        """/stream/lines|half|silent|cut|slow|never[/N]"""
        if how == "never":  # not even headers
            time.sleep(20)
            return False
        self.begin()
        for i in range(int(count)):
            self.chunk(b'{"line":%d}\n' % i)
            if how == "slow":
                time.sleep(0.3)
        if how == "half":
            self.chunk(b'{"li')
        if how == "silent":
            time.sleep(20)
        if how == "cut":
            self.reset()
            return False
        return self.end()


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


class Proxy(socketserver.StreamRequestHandler):
    """An HTTP proxy with CONNECT only."""

    def handle(self):
        target = self.rfile.readline(65536).decode().split(" ")[1]
        while self.rfile.readline(65536).strip():
            pass
        with open(self.server.count_file, "a", encoding="ascii") as f:
            f.write(target + "\n")
        host, port = target.rsplit(":", 1)
        with socket.create_connection((host, int(port))) as other:
            self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
            back = threading.Thread(target=pump, args=(other, self.request), daemon=True)
            back.start()
            pump(self.request, other)
            back.join()
