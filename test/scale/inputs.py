#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""inputs.py - generates large inputs for `curfew review` and `serve --objects`, on standard output.

    inputs.py SHAPE N [secrets]

The shapes, of N pods each:
    documents    YAML documents
    lines        JSON values, one a line
    list-yaml    a List as kubectl prints it: `kind` comes after `items`
    list-json    the same as JSON
    dumped       a List of pods of some 220 values, JSON without spaces, `kind` first
    tiny         no pods: Namespaces of 57 bytes, as YAML documents

Every 100th pod requests a token of 99999 s, and so do all pods of `dumped`, which is a finding. With
`secrets` each pod mounts a different Secret, and the Secrets, which are legacy tokens, come after
the pods: two findings for each pod.
"""
import json
import re
import sys


NUMBER = "@NUMBER@"  # in strings that are written N times


def pod(seconds, secrets, many):
    """As kubectl sorts it; some 60 values, or 250."""
    volumes = [{"name": "token", "projected": {"defaultMode": 420, "sources": [
        {"serviceAccountToken": {"expirationSeconds": seconds, "path": "token"}}]}}]
    mounts = [{"mountPath": "/var/run/secrets/tokens", "name": "token", "readOnly": True}]
    if secrets:
        volumes.append({"name": "old", "secret": {"defaultMode": 420, "secretName": "old-" + NUMBER}})
    env = [{"name": "E%d" % k, "value": "v"} for k in range(20 if many else 2)]
    containers = [{"env": env, "image": "registry.example.com/web:1.0", "imagePullPolicy": "IfNotPresent",
                   "name": "c%d" % j, "ports": [{"containerPort": 8080, "protocol": "TCP"}],
                   "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}}, "volumeMounts": mounts}
                  for j in range(3 if many else 1)]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {
        "labels": {"app": "web", "pod-template-hash": "5d4f8c7b9d"}, "name": "web-" + NUMBER, "namespace": "shop"},
            "spec": {"containers": containers, "restartPolicy": "Always", "serviceAccountName": "web",
                     "volumes": volumes}}


SECRET = {"apiVersion": "v1", "kind": "Secret", "metadata": {
    "annotations": {"kubernetes.io/service-account.name": "web"}, "name": "old-" + NUMBER, "namespace": "shop"},
          "type": "kubernetes.io/service-account-token"}
NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n" + NUMBER}}


def scalar(value):
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z/][-A-Za-z0-9./:@_]*", value):
        return value
    return json.dumps(value)


def yaml(value, at=0):
    """Of mappings, sequences and scalars as they are here."""
    pad = "  " * at
    if isinstance(value, list):
        return "".join("%s- %s" % (pad, yaml(item, at + 1)[len(pad) + 2:]) for item in value)
    text = ""
    for key, inner in value.items():
        if isinstance(inner, dict):
            text += "%s%s:\n%s" % (pad, key, yaml(inner, at + 1))
        elif isinstance(inner, list):
            text += "%s%s:\n%s" % (pad, key, yaml(inner, at))
        else:
            text += "%s%s: %s\n" % (pad, key, scalar(inner))
    return text


def line(value):
    return json.dumps(value, separators=(",", ":"))


# For each shape: the function that writes an object, and the text before, between and after objects.
SHAPES = {
    "documents": (yaml, "", "---\n", ""),
    "tiny": (yaml, "", "---\n", ""),
    "lines": (line, "", "\n", "\n"),
    "dumped": (line, '{"apiVersion":"v1","kind":"List","items":[', ",", "]}\n"),
    "list-yaml": (lambda o: yaml([o]), "apiVersion: v1\nitems:\n", "", 'kind: List\nmetadata:\n  resourceVersion: ""\n'),
    "list-json": (lambda o: "        " + json.dumps(o, indent=4).replace("\n", "\n        "),
                  '{\n    "apiVersion": "v1",\n    "items": [\n', ",\n",
                  '\n    ],\n    "kind": "List",\n    "metadata": {\n        "resourceVersion": ""\n    }\n}\n'),
}


def main():
    shape, n, secrets = sys.argv[1], int(sys.argv[2]), sys.argv[3:] == ["secrets"]
    write, before, between, behind = SHAPES[shape]
    out = sys.stdout
    out.write(before)
    if shape == "tiny":
        kinds = [(write(NAMESPACE),) * 2]
    else:
        many = shape == "dumped"
        kinds = [tuple(write(pod(99999 if long else 3600, secrets, many)) for long in (not secrets, many))]
    if secrets:
        kinds.append((write(SECRET),) * 2)
    for k, (hundredth, other) in enumerate(kinds):
        for i in range(n):
            out.write(between if i + k else "")
            out.write((other if i % 100 else hundredth).replace(NUMBER, "%06d" % i))
    out.write(behind)


if __name__ == "__main__":
    main()
