#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""api.py PORT-FILE - as much of an API server as `helm install --dry-run` asks for: its version and
the kinds that the chart renders, nothing of which exists. Its port is written to the file."""
import http.server
import json
import os
import sys

KINDS = {
    "v1": "ConfigMap Namespace Pod ResourceQuota Secret Service ServiceAccount",
    "apps/v1": "Deployment",
    "policy/v1": "PodDisruptionBudget",
    "rbac.authorization.k8s.io/v1": "ClusterRole ClusterRoleBinding Role RoleBinding",
    "admissionregistration.k8s.io/v1": "MutatingWebhookConfiguration ValidatingWebhookConfiguration "
                                       "ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding",
}
CLUSTER = ("Namespace", "ClusterRole", "ClusterRoleBinding")


def resources(version):
    kinds = KINDS[version].split()
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": [
        {"name": kind.lower() + "s", "singularName": kind.lower(), "kind": kind, "verbs": ["create", "get"],
         "namespaced": kind not in CLUSTER and not version.startswith("admission")} for kind in kinds]}


def group(version):
    name = version.split("/")[0]
    one = {"groupVersion": version, "version": "v1"}
    return {"name": name, "versions": [one], "preferredVersion": one}


ANSWERS = {"/version": {"major": "1", "minor": "33", "gitVersion": "v1.33.0"},
           "/api": {"kind": "APIVersions", "versions": ["v1"]},
           "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": [group(v) for v in KINDS if "/" in v]}}
ANSWERS.update({("/apis/" if "/" in v else "/api/") + v: resources(v) for v in KINDS})
NOTHING = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def do_GET(self):
        answer = ANSWERS.get(self.path.split("?")[0], NOTHING)
        body = json.dumps(answer).encode()
        self.send_response(404 if answer is NOTHING else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
with open(sys.argv[1] + ".part", "w", encoding="ascii") as f:
    f.write(str(server.server_port))
os.rename(sys.argv[1] + ".part", sys.argv[1])
server.serve_forever()
