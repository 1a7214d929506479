#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""load.py CERTS SERVER RATE DIR - creates pods continuously until SIGTERM.

RATE pods per second (--dry-run=server) over kept connections, as the admin of CERTS. Every pod requests
a token of 200,000 s: it is created only if mutate.curfew.dev shortened that to a day and
validate.curfew.dev reviewed the result, so a missed call of either is a failure.

DIR/answers counts successes; DIR/failures has a line for each failure, with the times of the request and
the response; DIR/summary is written at the end."""
import http.client
import json
import os
import signal
import ssl
import sys
import threading
import time

certs, server, rate, out = sys.argv[1], sys.argv[2], float(sys.argv[3]), sys.argv[4]
WORKERS = 12
PATH = "/api/v1/namespaces/load/pods?dryRun=All"
POD = json.dumps({
    "apiVersion": "v1", "kind": "Pod",
    "metadata": {"name": "load", "namespace": "load", "labels": {"app": "load"}},
    "spec": {
        "automountServiceAccountToken": False,
        "containers": [{
            "name": "main", "image": "localhost/curfew-e2e:1",
            "env": [{"name": "SETTING_%d" % i, "value": "a value of it"} for i in range(20)],
            "volumeMounts": [{"name": "token", "mountPath": "/token"}]}],
        "volumes": [{"name": "token", "projected": {"sources": [
            {"serviceAccountToken": {"path": "token", "expirationSeconds": 200000}}]}}],
    }})
HEADERS = {"Content-Type": "application/json", "Accept": "application/json"}

stop = threading.Event()
lock = threading.Lock()
began = time.time()
sent = 0
seconds = []  # durations of the successful requests
failures = open(os.path.join(out, "failures"), "w", buffering=1)
failed = 0


def connect():
    context = ssl.create_default_context(cafile=os.path.join(certs, "ca.pem"))
    context.load_cert_chain(os.path.join(certs, "admin.pem"), os.path.join(certs, "admin.key"))
    host, port = server.split(":")
    connection = http.client.HTTPSConnection(host, int(port), context=context, timeout=60)
    connection.connect()
    return connection


def create(connection):
    """Returns None on success, otherwise the error."""
    connection.request("POST", PATH, POD, HEADERS)
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 201:
        try:
            text = json.loads(body)["message"]
        except (ValueError, KeyError):
            text = repr(body[:200])
        return "%d %s" % (answer.status, text.replace("\n", " / "))
    if b'"expirationSeconds":86400' not in body:
        return "201 it was not repaired"
    return None


def turn():
    """Waits until the next pod is due. Late pods are not caught up."""
    global sent, began
    with lock:
        now = time.time()
        due = began + sent / rate
        if now - due > 0.5:
            began += now - due
            due = now
        sent += 1
    if due > now:
        time.sleep(due - now)


def work():
    global failed
    connection = connect()
    while not stop.is_set():
        turn()
        start = time.time()
        try:
            why = create(connection)
        except (OSError, http.client.HTTPException) as error:
            why = "no answer: %r" % error
            connection.close()
            connection = connect()
        end = time.time()
        with lock:
            if why is None:
                seconds.append(end - start)
            else:
                failed += 1
                failures.write("%.3f %.3f %s\n" % (start, end, why))


def put(name, text):
    path = os.path.join(out, name)
    with open(path + ".new", "w") as file:
        file.write(text + "\n")
    os.replace(path + ".new", path)


def main():
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    start = time.time()
    workers = [threading.Thread(target=work, daemon=True) for _ in range(WORKERS)]
    for worker in workers:
        worker.start()
    while not stop.wait(0.2):
        put("answers", str(len(seconds)))
    took = time.time() - start
    for worker in workers:
        worker.join(70)
    times = sorted(seconds) or [0.0]
    put("summary", "%d created, %d failed; %.0f a second for %.0f s; half within %.0f ms, 99 %% within %.0f ms, "
        "all within %.0f ms" % (len(seconds), failed, len(seconds) / took, took, times[len(times) // 2] * 1000,
                                times[int(len(times) * 0.99)] * 1000, times[-1] * 1000))


main()
