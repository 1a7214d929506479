#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""serve.py [NAME...] - `curfew serve` with an API server: its start, readiness, metrics and logs, and its
end."""
import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

from harness import BUILD, PATIENCE, Cases, Server, certificate, check, kubeconfig, namespace, until
from watches import fill

CURFEW = os.path.abspath(BUILD + "/curfew")
case = Cases()


class Curfew:
    def __init__(self, work, *flags, env=None):
        cert, key, _ = certificate(work)
        self.log = open(os.path.join(work, "serve.log"), "w+", encoding="utf-8")
        self.process = subprocess.Popen(
            [CURFEW, "serve", "--tls-cert", cert, "--tls-key", key, "--listen", "127.0.0.1:0",
             "--probe-listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0",
             "--drain-delay", "0s", *flags],
            stderr=self.log, env=dict(os.environ, **(env or {})))

    def said(self):
        with open(self.log.name, encoding="utf-8") as f:
            return f.read()

    def get(self, path):
        check(until(lambda: '"serving"' in self.said() or self.process.poll() is not None), self.said())
        check('"serving"' in self.said(), self.said())
        which = "probeAddress" if path in ("/livez", "/readyz") else "metricsAddress"
        port = re.search(r'"%s":"127.0.0.1:(\d+)"' % which, self.said()).group(1)
        try:
            with urllib.request.urlopen("http://127.0.0.1:%s%s" % (port, path), timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as e:
            return e.code, e.read().decode()

    def metrics(self):
        return dict(line.rsplit(" ", 1) for line in self.get("/metrics")[1].splitlines()
                    if not line.startswith("#"))

    def is_ready(self):
        return self.get("/readyz")[0] == 200

    def stop(self):
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(PATIENCE)
        check(code == 0, "it ended with %d: %s" % (code, self.said()))
        check("Sanitizer" not in self.said(), self.said())
        return time.monotonic() - began


@contextlib.contextmanager
def serving(work, *flags, api=None, **more):
    curfew = Curfew(work, *(["--kubeconfig", kubeconfig(work + "/kubeconfig", api.url)] if api else []),
                    *flags, **more)
    try:
        yield curfew
    finally:
        curfew.process.kill()
        curfew.process.wait()
        if api:
            api.stop()


def new_api():
    api = Server()
    fill(api.cluster)
    return api


def fails(work, code, sentence, *flags, env=None):
    curfew = Curfew(work, *flags, env=env)
    try:
        got = curfew.process.wait(PATIENCE)
    finally:
        curfew.process.kill()
    check(got == code and sentence in curfew.said(), "exit %d: %s" % (got, curfew.said()))


@case("without a cluster it fails to start, and names the missing flags")
def _(work):
    fails(work, 2, "--kubeconfig is required outside of a pod, or --objects")


@case("flags that exclude each other")
def _(work):
    fails(work, 2, "--kubeconfig excludes --objects: ", "--objects", "x", "--kubeconfig", "y")
    fails(work, 2, "--context needs --kubeconfig", "--context", "c", env={"KUBERNETES_SERVICE_HOST": "h"})
    fails(work, 2, "--no-secret-watch excludes --objects: ", "--no-secret-watch", "--objects", "x")


@case("an invalid kubeconfig is an error at the start")
def _(work):
    fails(work, 3, "No such file", "--kubeconfig", work + "/none")
    file = kubeconfig(work + "/k", "https://127.0.0.1:1")
    fails(work, 2, 'no context "nobody"', "--kubeconfig", file, "--context", "nobody")


@case("in a pod: the account of the pod, and an error if its files are missing")
def _(work):
    fails(work, 3, "/var/run/secrets/kubernetes.io/serviceaccount",
          env={"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": "1"})


@case("ready when everything is listed, with inventory metrics")
def _(work):
    api = new_api()
    with serving(work, "--metrics-namespaces", api=api) as curfew:
        check(until(curfew.is_ready), curfew.get("/readyz"))
        m = curfew.metrics()
        for series, value in (
                ('curfew_legacy_secrets{namespace="a",state="unused"}', "1"),
                ('curfew_legacy_secrets{namespace="a",state="used"}', "0"),
                ('curfew_legacy_secrets{namespace="b",state="used"}', "1"),
                ('curfew_pods_with_legacy_secrets{namespace="a"}', "1"),
                ('curfew_namespaces{mode="enforce",level="restricted"}', "1"),
                ('curfew_namespaces{mode="enforce",level="baseline"}', "1"),
                ('curfew_accounts_restricted_by_node', "1"),
                ('curfew_watch_lists_total{resource="pods"}', "1")):
            check(m.get(series) == value, "%s is %s" % (series, m.get(series)))
        check(0 <= float(m['curfew_watch_age_seconds{resource="secrets"}']) < 25, m)
        api.cluster.put("namespaces", namespace("b", enforce="restricted"))
        check(until(lambda: curfew.metrics()['curfew_namespaces{mode="enforce",level="restricted"}'] == "2"),
              "a label is not seen")
        check("the watch cache is synced" in curfew.said(), curfew.said())
        curfew.stop()


@case("the API server is down at the start: not ready, reports why, and retries")
def _(work):
    api = new_api()
    api.stop()
    with serving(work, api=api) as curfew:
        status, text = curfew.get("/readyz")
        check(status == 503 and text.startswith("waiting for the first list of namespaces secrets"), text)
        check(curfew.get("/livez")[0] == 200, "not alive")
        check(until(lambda: "cannot watch the API server" in curfew.said()), curfew.said())
        check(curfew.metrics()['curfew_watch_age_seconds{resource="pods"}'] == "+Inf", "an age")
        api.start()
        check(until(curfew.is_ready), curfew.get("/readyz"))
        api.stop()
        check(until(lambda: float(curfew.metrics()['curfew_watch_age_seconds{resource="pods"}']) > 2), "age")
        check(curfew.is_ready(), "the server must stay ready while the API server is down")
        curfew.stop()


@case("staleAfter of the configuration applies, also after a reload")
def _(work):
    def write(seconds):
        with open(work + "/new", "w", encoding="ascii") as f:
            f.write("apiVersion: curfew.dev/v1alpha1\nkind: CurfewConfiguration\nstaleAfter: %ds\n" % seconds)
        os.rename(work + "/new", work + "/config")

    def asked():
        return {int(r[2]["timeoutSeconds"]) for r in api.seen("watch", "persistentvolumes")
                if "sendInitialEvents" not in r[2]}

    api = new_api()
    write(3)
    with serving(work, "--config", work + "/config", api=api) as curfew:
        check(until(lambda: asked() == {1}), asked())
        write(60)
        check(until(lambda: any(16 <= s <= 20 for s in asked())), asked())
        curfew.stop()


@case("--no-secret-watch: ready without Secrets, and requests none")
def _(work):
    api = new_api()
    with serving(work, "--no-secret-watch", api=api) as curfew:
        check(until(curfew.is_ready), curfew.get("/readyz"))
        check(not [r for r in api.requests if r[1] == "secrets"], "it requested Secrets")
        m = curfew.metrics()
        check('curfew_watch_age_seconds{resource="secrets"}' not in m, "an age without a watch")
        curfew.stop()


def filters(pid):
    """The number of system call filters of each thread."""
    counts = set()
    for thread in os.listdir("/proc/%s/task" % pid):
        # A thread may have ended since it was listed.
        with contextlib.suppress(FileNotFoundError, ProcessLookupError), open(
                "/proc/%s/task/%s/status" % (pid, thread), encoding="ascii") as f:
            counts.add(int(re.search(r"^Seccomp_filters:\s*(\d+)", f.read(), re.M).group(1)))
    return counts


@case("system calls are filtered in every thread, and the watches continue")
def _(work):
    api = new_api()
    with serving(work, api=api) as curfew:
        check(until(curfew.is_ready), curfew.get("/readyz"))
        if "a sanitizer needs other system calls" not in curfew.said():
            here = filters("self").pop()
            check(filters(curfew.process.pid) == {here + 1}, filters(curfew.process.pid))
        # A new connection: the resolver's thread starts after the filter.
        api.stop()
        api.cluster.put("namespaces", namespace("late", enforce="restricted"))
        api.start()
        check(until(lambda: curfew.metrics()['curfew_namespaces{mode="enforce",level="restricted"}'] == "2"),
              "what came after the start is not seen")
        curfew.stop()


@case("a kubeconfig with a program: system calls are not filtered, with one warning")
def _(work):
    os.mkdir(work + "/api")
    cert, key, ca = certificate(work + "/api")
    api = Server(certificate=cert, key=key)
    fill(api.cluster)
    plugin = work + "/plugin"
    with open(plugin, "w", encoding="ascii") as f:
        f.write("""#!/bin/sh
printf '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"%%s"}}' \\
    "$(cat "%s/token")"
""" % work)

    def knows(token):
        with open(work + "/token", "w", encoding="ascii") as f:
            f.write(token)
        api.token = token

    knows("secret-token-1")
    os.chmod(plugin, 0o755)
    file = kubeconfig(work + "/k", api.url, ca=ca, program=plugin)
    with serving(work, "--kubeconfig", file) as curfew:
        check(until(curfew.is_ready), curfew.said())
        check(filters(curfew.process.pid) == filters("self"), filters(curfew.process.pid))
        # The token has expired: the program runs again, long after the start.
        api.stop()
        knows("secret-token-2")
        api.cluster.put("namespaces", namespace("late", enforce="restricted"))
        api.start()
        check(until(lambda: curfew.metrics()['curfew_namespaces{mode="enforce",level="restricted"}'] == "2"),
              curfew.said())
        check(curfew.said().count("system calls are not filtered") == 1 and
              "the kubeconfig has an exec plugin" in curfew.said(), curfew.said())
        curfew.stop()
    api.stop()


@case("SIGTERM stops it immediately while the server hangs")
def _(work):
    api = new_api()
    api.deaf = True
    with serving(work, api=api) as curfew:
        check(until(lambda: len(api.seen("version")) >= 6), "it does not ask")
        seconds = curfew.stop()
        check(seconds < 10, "it took %.1f s" % seconds)


@case("SIGTERM stops it immediately during a connect")
def _(work):
    # A listener with a full queue does not respond to SYNs.
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    port = listener.getsockname()[1]
    fillers = []
    for _ in range(4):
        s = socket.socket()
        s.setblocking(False)
        s.connect_ex(("127.0.0.1", port))
        fillers.append(s)
    file = kubeconfig(work + "/k", "http://127.0.0.1:%d" % port)
    with serving(work, "--kubeconfig", file) as curfew:
        check(curfew.get("/readyz")[0] == 503, "ready without an API server")
        time.sleep(0.5)
        seconds = curfew.stop()
        check(seconds < 10, "it took %.1f s" % seconds)
    for s in fillers + [listener]:
        s.close()


if __name__ == "__main__":
    sys.exit(case.run(sys.argv[1:]))
