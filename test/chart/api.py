#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""api.py PORT-FILE - a minimal API server for `helm install --dry-run`: it has the version and the kinds
that the chart renders, but no objects. It writes its port to the file."""
import os
import sys
import threading

sys.dont_write_bytecode = True
sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from apiserver import Server, write_port  # noqa: E402

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

api = Server()
api.fixed = ANSWERS
write_port(sys.argv[1], api.port)
threading.Event().wait()
