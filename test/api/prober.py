# SPDX-License-Identifier: Apache-2.0
"""prober.py - calls replicas as an API server does: a fresh handshake each time, verified by the
caBundle that it knew half a second ago.

    prober.py --api URL --api-ca FILE --path CONFIGURATION --name NAME --ports P,P --stop FILE

Until the stop file is there; then it says "N handshakes, N failed" and why.
"""
import argparse
import base64
import json
import os
import socket
import ssl
import sys
import time
import urllib.request

LAG = 0.5


def bundle_of(options, context):
    request = urllib.request.Request(options.api + options.path,
                                     headers={"Authorization": "Bearer cluster-token"})
    with urllib.request.urlopen(request, context=context, timeout=10) as answer:
        webhooks = json.load(answer)["webhooks"]
    return base64.b64decode(webhooks[0]["clientConfig"].get("caBundle", "")).decode()


def shake(port, name, bundle):
    context = ssl.create_default_context(cadata=bundle)
    with socket.create_connection(("127.0.0.1", port), timeout=20) as plain:
        with context.wrap_socket(plain, server_hostname=name):
            pass


def main():
    parser = argparse.ArgumentParser()
    for name in ("api", "api-ca", "path", "name", "ports", "stop"):
        parser.add_argument("--" + name, required=True)
    options = parser.parse_args()
    api_context = ssl.create_default_context(cafile=options.api_ca)
    known = []  # (when, bundle)
    done, failures = 0, []
    while not os.path.exists(options.stop):
        now = time.monotonic()
        known.append((now, bundle_of(options, api_context)))
        while len(known) > 1 and known[1][0] < now - LAG:
            known.pop(0)
        bundle = known[0][1]
        for port in options.ports.split(","):
            if not bundle:
                continue
            done += 1
            try:
                shake(int(port), options.name, bundle)
            except (OSError, ssl.SSLError) as e:
                failures.append(f"port {port}: {e}")
        time.sleep(0.05)
    print(f"{'some' if done >= 10 else 'too few'} handshakes, {len(failures)} failed")
    for failure in failures[:10]:
        print(failure)


if __name__ == "__main__":
    sys.exit(main())
