# SPDX-License-Identifier: Apache-2.0
"""harness.py - shared functions of the fault tests: run a watcher (watcher.c) with a fake API server
(test/lib/apiserver.py), and compare the state of both."""
import concurrent.futures
import json
import os
import subprocess
import sys
import tempfile
import time

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from apiserver import Server  # noqa: E402,F401
from cluster import LEGACY, RESOURCES, Cluster, Odd  # noqa: E402,F401

BUILD = os.environ.get("BUILD", "build")
AT_A_TIME = 8
# A loaded machine is slow: nothing here is a measurement.
PATIENCE = int(os.environ.get("PATIENCE", "30"))


def kubeconfig(path, url, ca=None, token=None, program=None):
    cluster = {"server": url}
    if ca:
        cluster["certificate-authority"] = ca
    user = {"tokenFile": token} if token else {}
    if program:
        user["exec"] = {"apiVersion": "client.authentication.k8s.io/v1", "command": program,
                        "interactiveMode": "Never"}
    with open(path, "w", encoding="utf-8") as f:
        json.dump({
            "apiVersion": "v1", "kind": "Config", "current-context": "c",
            "clusters": [{"name": "c", "cluster": cluster}],
            "users": [{"name": "u", "user": user}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        }, f)
    return path


def certificate(folder):
    """(certificate, key, authority) for 127.0.0.1."""
    folder += "/certs"
    if not os.path.exists(folder):
        subprocess.run([BUILD + "/curfew", "certs", "init", "--dir", folder, "--dns", "127.0.0.1"],
                       check=True, stdout=subprocess.DEVNULL)
    return tuple(os.path.join(folder, name) for name in ("tls.crt", "tls.key", "ca.crt"))


def until(what, patience=PATIENCE):
    """Waits until the condition is true. Returns False after a timeout."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if what():
            return True
        time.sleep(0.02)
    return bool(what())


class Failed(Exception):
    pass


class Watcher:
    def __init__(self, work, server, *flags, token=None, ca=None):
        self.server = server
        self.file = os.path.join(work, "expected.json")
        config = kubeconfig(os.path.join(work, "kubeconfig"), server.url, ca, token)
        self.log = open(os.path.join(work, "watcher.log"), "w+", encoding="utf-8")
        self.process = subprocess.Popen([BUILD + "/fault-test", config, *flags], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=self.log)

    def ask(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        lines = []
        for line in self.process.stdout:
            if line == ".\n":
                return lines
            lines.append(line.rstrip("\n"))
        raise Failed("the watcher ended: " + self.said()[-2000:])

    def state(self):
        return {k: int(v) for k, _, v in (line.rpartition(" ") for line in self.ask("state"))}

    def said(self):
        self.log.flush()
        with open(self.log.name, encoding="utf-8") as f:
            return f.read()

    def expected(self):
        list_ = self.server.cluster.everything()
        list_["items"] = [o for o in list_["items"]
                          if o["kind"] != "Secret" or o["type"] == LEGACY]
        with open(self.file, "w", encoding="utf-8") as f:
            json.dump(list_, f)
        return sorted(self.ask("expect " + self.file))

    def known(self):
        """Sorted: the store promises no order of namespaces."""
        return sorted(self.ask("dump"))

    def difference(self):
        has, wants = self.known(), self.expected()
        return "\n".join(["knows:  " + l for l in has if l not in wants] +
                         ["has:    " + l for l in wants if l not in has])

    def catch_up(self, patience=PATIENCE):
        wants = self.expected()
        if not until(lambda: self.known() == wants, patience):
            raise Failed("it does not catch up:\n%s\n%s\n%s" % (
                self.difference(), self.ask("state"), self.said()[-3000:]))

    def stop(self):
        """Seconds that it took; the exit code has to be 0."""
        began = time.monotonic()
        self.process.stdin.close()
        code = self.process.wait(PATIENCE)
        if code != 0:
            raise Failed("it ended with %d: %s" % (code, self.said()[-3000:]))
        return time.monotonic() - began

    def resident(self):
        with open("/proc/%d/status" % self.process.pid, encoding="ascii") as f:
            return next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))


def sanitized():
    """Then memory says nothing: freed blocks are kept."""
    with open(BUILD + "/fault-test", "rb") as f:
        program = f.read()
    return b"__tsan_init" in program or b"__asan_init" in program


# ---- objects, with the names that watcher.c looks up ----

NAMESPACES = ("a", "b", "c", "d")


def namespace(name, **labels):
    return {"metadata": {"name": name, "uid": "ns-" + name, "labels": dict(
        {"kubernetes.io/metadata.name": name}, **{"curfew.dev/" + k: v for k, v in labels.items()})},
        "spec": {"finalizers": ["kubernetes"]}}


def secret(ns, name, owner="x0", labels=None, type_=LEGACY, **annotations):
    return {"metadata": {"namespace": ns, "name": name, "uid": "s-%s-%s" % (ns, name),
                         "labels": labels or {},
                         "annotations": dict({"kubernetes.io/service-account.name": owner},
                                             **annotations)},
            "type": type_, "data": {"token": "bm90IGEgdG9rZW4="}}


def account(ns, name, restricted=None):
    notes = {} if restricted is None else {"rbac.kubernetes.io/restricted-by-node": restricted}
    return {"metadata": {"namespace": ns, "name": name, "uid": "a-%s-%s" % (ns, name),
                         "annotations": notes}}


def pod(ns, name, node="n0", account_="x0", secrets=(), configs=(), claims=(), uid=None, **more):
    volumes = [{"name": "s-" + s, "secret": {"secretName": s}} for s in secrets]
    volumes += [{"name": "c-" + c, "configMap": {"name": c}} for c in configs]
    volumes += [{"name": "p-" + c, "persistentVolumeClaim": {"claimName": c}} for c in claims]
    return {"metadata": dict({"namespace": ns, "name": name, "uid": uid or "p-%s-%s" % (ns, name)},
                             **more),
            "spec": {"nodeName": node, "serviceAccountName": account_, "volumes": volumes,
                     "containers": [{"name": "c", "image": "i"}]},
            "status": {"phase": "Running"}}


def claim(ns, name, volume):
    return {"metadata": {"namespace": ns, "name": name, "uid": "c-%s-%s" % (ns, name)},
            "spec": {"volumeName": volume, "accessModes": ["ReadWriteOnce"]}}


def volume(name, ns, claim_, secret_=None):
    spec = {"claimRef": {"namespace": ns, "name": claim_, "uid": "c-%s-%s" % (ns, claim_)},
            "capacity": {"storage": "1Gi"}}
    if secret_:
        spec["csi"] = {"driver": "d", "volumeHandle": "h",
                       "nodePublishSecretRef": {"namespace": ns, "name": secret_}}
    return {"metadata": {"name": name, "uid": "v-" + name}, "spec": spec}


# ---- cases ----

class Cases:
    def __init__(self):
        self.list = []

    def __call__(self, name):
        def add(function):
            self.list.append((name, function))
            return function
        return add

    def one(self, name, function):
        with tempfile.TemporaryDirectory() as work:
            began = time.monotonic()
            try:
                function(work)
                return True, "ok %s (%.1f s)" % (name, time.monotonic() - began)
            except (Failed, AssertionError, OSError, subprocess.TimeoutExpired) as e:
                return False, "FAIL %s\n     %s: %s" % (name, type(e).__name__, e)

    def run(self, only=()):
        """Some at a time: most of them wait."""
        chosen = [c for c in self.list if not only or any(part in c[0] for part in only)]
        with concurrent.futures.ThreadPoolExecutor(AT_A_TIME) as pool:
            results = [pool.submit(self.one, *c) for c in chosen]
            for result in results:
                print(result.result()[1], flush=True)
        passed = sum(result.result()[0] for result in results)
        print("%d passed, %d failed" % (passed, len(chosen) - passed), flush=True)
        return 0 if passed == len(chosen) else 1


def check(truth, what):
    if not truth:
        raise Failed(what)
