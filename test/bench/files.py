#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""files.py - generates manifests in the shape of public repositories.

    files.py DIR [--files 58000] [--mb 376] [--seed 12] [--valid]

Sizes have a heavy tail: most files have 0.5 to 8 KB, CRDs have 20 KB to 1.5 MB, rendered charts 0.2
to 5 MB in hundreds of documents. The kinds are mixed, and some files are not manifests: values,
kustomizations, CI workflows, Helm templates that are not YAML. The output depends only on the arguments.
More --mb with the same number of files writes the large files again, under other names. --valid leaves
out files that are not YAML or have duplicate keys. At the end it prints totals: files, bytes, documents
(an item of a List is one), and volumes that request a token of 99999 s.
"""
import argparse
import base64
import json
import os
import random

WORDS = """the a of to is in for that be it with not this as on by are set value name field when will
if list which from must resource object used spec only an optional default more may should has can
controller cluster namespace pod container volume image port address policy token request limit status
condition type string version replicas selector label annotation key secret certificate""".split()
NOUNS = """api web worker cache store queue gateway proxy agent broker indexer mailer billing search
auth catalog cart order payment report metrics logger tracer builder runner sync backup import export
scheduler operator controller webhook frontend backend ledger profile session media upload""".split()
KEYS = """name host port image replicas timeout interval retries backend mode path level format size
limit window prefix suffix region zone bucket topic group user endpoint schema target source policy
strategy selector template endpoints references parameters weight priority ttl labels rules match""".split()
MB = 1000 * 1000


class Maker:
    def __init__(self, seed, valid):
        self.r = random.Random(seed)
        self.valid = valid
        self.count = 0
        self.sentences = [self.sentence() for _ in range(4000)]

    # ---- words ----

    def sentence(self):
        return " ".join(self.r.choices(WORDS, k=self.r.randint(5, 13)))

    def name(self):
        self.count += 1
        return "%s-%s-%d" % (self.r.choice(NOUNS), self.r.choice(NOUNS), self.count)

    def key(self):
        return self.r.choice(KEYS) + self.r.choice(("", "Ref", "Name", "Spec", "Config", "s", "Policy"))

    def one_in(self, n):
        return self.r.randrange(n) == 0

    def meta(self, name, indent="", namespace=True):
        text = "%smetadata:\n%s  name: %s\n" % (indent, indent, name)
        if namespace and not self.one_in(3):
            text += "%s  namespace: %s\n" % (indent, self.r.choice(NOUNS))
        if not self.one_in(3):
            text += "%s  labels:\n" % indent
            for key in self.r.sample(("name", "instance", "component", "part-of", "managed-by"),
                                     self.r.randint(1, 4)):
                text += "%s    app.kubernetes.io/%s: %s\n" % (indent, key, self.r.choice(NOUNS))
        if self.one_in(4):
            text += '%s  annotations:\n%s    example.com/%s: "%s"\n' % (
                indent, indent, self.key(), self.r.choice(self.sentences))
        return text

    # ---- pods ----

    def secret_name(self):
        """One in 400 is a legacy token, where a file has that Secret."""
        return self.r.choice(NOUNS) + ("-token" if self.one_in(400) else "-secret")

    def env(self, at):
        text = ""
        for i in range(self.r.randint(1, 12)):
            text += "%s- name: %s_%d\n" % (at, self.r.choice(KEYS).upper(), i)
            shape = self.r.randrange(5)
            if shape == 0:
                text += "%s  valueFrom:\n%s    secretKeyRef:\n%s      name: %s\n%s      key: %s\n" % (
                    at, at, at, self.secret_name(), at, self.r.choice(KEYS))
            elif shape == 1:
                text += "%s  valueFrom: {fieldRef: {fieldPath: metadata.namespace}}\n" % at
            else:
                text += '%s  value: "%s"\n' % (at, self.r.choice(self.sentences))
        return text

    def container(self, at):
        name = self.r.choice(NOUNS)
        text = "%s- name: %s\n%s  image: registry.example.com/%s/%s:v%d.%d.%d\n" % (
            at, name, at, self.r.choice(NOUNS), name, self.r.randrange(9), self.r.randrange(30),
            self.r.randrange(30))
        if self.one_in(2):
            text += "%s  args:\n" % at
            for _ in range(self.r.randint(1, 8)):
                text += "%s  - --%s=%s\n" % (at, self.r.choice(KEYS), self.r.choice(NOUNS))
        if not self.one_in(3):
            text += "%s  env:\n%s" % (at, self.env(at + "  "))
        if not self.one_in(3):
            text += "%s  ports:\n%s  - name: http\n%s    containerPort: %d\n%s    protocol: TCP\n" % (
                at, at, at, self.r.randint(80, 9999), at)
        for probe in ("livenessProbe", "readinessProbe"):
            if self.one_in(2):
                text += ("%s  %s:\n%s    httpGet: {path: /healthz, port: http}\n"
                         "%s    initialDelaySeconds: %d\n") % (at, probe, at, at, self.r.randint(1, 60))
        if not self.one_in(3):
            text += ("%s  resources:\n%s    limits:\n%s      cpu: %dm\n%s      memory: %dMi\n%s    requests:\n"
                     "%s      cpu: 10m\n%s      memory: 64Mi\n") % (
                         at, at, at, self.r.randint(1, 40) * 50, at, self.r.randint(1, 40) * 64, at, at, at)
        if not self.one_in(3):
            text += "%s  volumeMounts:\n" % at
            for i in range(self.r.randint(1, 3)):
                text += "%s  - name: v%d\n%s    mountPath: /var/lib/%s\n" % (at, i, at, self.r.choice(NOUNS))
        return text

    def volumes(self, at):
        text = "%svolumes:\n" % at
        for i in range(3):
            text += "%s- name: v%d\n" % (at, i)
            shape = self.r.randrange(200)
            if shape == 0:
                text += ("%s  projected:\n%s    sources:\n%s    - serviceAccountToken:\n%s        path: token\n"
                         "%s        expirationSeconds: %d\n") % (at, at, at, at, at, self.r.choice((600, 3600, 99999)))
            elif shape < 60:
                text += "%s  configMap:\n%s    name: %s-config\n" % (at, at, self.r.choice(NOUNS))
            elif shape < 100:
                text += "%s  secret:\n%s    secretName: %s\n" % (at, at, self.secret_name())
            else:
                text += "%s  emptyDir: {}\n" % at
        return text

    def pod(self, at):
        text = ""
        if not self.one_in(3):
            text += "%sserviceAccountName: %s\n" % (at, self.r.choice(NOUNS))
        if self.one_in(3):
            text += "%ssecurityContext:\n%s  runAsNonRoot: true\n%s  fsGroup: 1000\n" % (at, at, at)
        text += "%scontainers:\n" % at
        for _ in range(1 + self.one_in(4) + self.one_in(8)):
            text += self.container(at)
        if self.one_in(6):
            text += "%sinitContainers:\n%s" % (at, self.container(at))
        if self.one_in(4):
            text += '%snodeSelector:\n%s  kubernetes.io/os: linux\n' % (at, at)
        if self.one_in(5):
            text += '%stolerations:\n%s- key: node-role.kubernetes.io/control-plane\n%s  effect: NoSchedule\n' % (
                at, at, at)
        return text + self.volumes(at)

    # ---- objects ----

    def workload(self):
        kind = self.r.choice(("Deployment", "Deployment", "Deployment", "StatefulSet", "DaemonSet"))
        name = self.name()
        return ("apiVersion: apps/v1\nkind: %s\n%sspec:\n  replicas: %d\n  selector:\n    matchLabels:\n"
                "      app: %s\n  template:\n    metadata:\n      labels:\n        app: %s\n    spec:\n%s") % (
                    kind, self.meta(name), self.r.randint(1, 5), name, name, self.pod("      "))

    def bare_pod(self):
        return "apiVersion: v1\nkind: Pod\n%sspec:\n%s" % (self.meta(self.name()), self.pod("  "))

    def cron(self):
        return ("apiVersion: batch/v1\nkind: CronJob\n%sspec:\n  schedule: \"*/%d * * * *\"\n  jobTemplate:\n"
                "    spec:\n      template:\n        spec:\n          restartPolicy: OnFailure\n%s") % (
                    self.meta(self.name()), self.r.randint(1, 59), self.pod("          "))

    def service(self):
        name = self.name()
        text = "apiVersion: v1\nkind: Service\n%sspec:\n  selector:\n    app: %s\n  ports:\n" % (self.meta(name), name)
        for i in range(self.r.randint(1, 4)):
            text += "  - name: p%d\n    port: %d\n    targetPort: %d\n    protocol: TCP\n" % (
                i, self.r.randint(80, 9999), self.r.randint(80, 9999))
        return text

    def config_map(self):
        text = "apiVersion: v1\nkind: ConfigMap\n%sdata:\n" % self.meta(self.name())
        for i in range(self.r.randint(1, 6)):
            if self.one_in(2):
                text += '  %s%d: "%s"\n' % (self.key(), i, self.r.choice(self.sentences))
            else:
                text += "  %s%d.conf: |\n" % (self.key(), i)
                for _ in range(self.r.randint(3, 30)):
                    text += "    %s = %s\n" % (self.key(), self.r.choice(self.sentences))
        return text

    def secret(self):
        if self.one_in(40):
            return ("apiVersion: v1\nkind: Secret\nmetadata:\n  name: %s-token\n  annotations:\n"
                    "    kubernetes.io/service-account.name: %s\ntype: kubernetes.io/service-account-token\n") % (
                        self.r.choice(NOUNS), self.r.choice(NOUNS))
        text = "apiVersion: v1\nkind: Secret\n%stype: Opaque\ndata:\n" % self.meta(self.name())
        for i in range(self.r.randint(1, 4)):
            text += "  %s%d: %s\n" % (self.key(), i, base64.b64encode(self.r.choice(self.sentences).encode()).decode())
        return text

    def rbac(self):
        name, account = self.name(), self.r.choice(NOUNS)
        text = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\n%srules:\n" % self.meta(name, namespace=False)
        for _ in range(self.r.randint(1, 10)):
            text += "- apiGroups: [\"%s.example.com\"]\n  resources:\n  - %ss\n  verbs:\n" % (
                self.r.choice(NOUNS), self.r.choice(NOUNS))
            for verb in self.r.sample(("get", "list", "watch", "create", "update", "patch", "delete"),
                                      self.r.randint(1, 6)):
                text += "  - %s\n" % verb
        return text + ("---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\n%sroleRef:\n"
                       "  apiGroup: rbac.authorization.k8s.io\n  kind: ClusterRole\n  name: %s\nsubjects:\n"
                       "- kind: ServiceAccount\n  name: %s\n  namespace: %s\n---\napiVersion: v1\n"
                       "kind: ServiceAccount\n%s") % (self.meta(self.name(), namespace=False), name, account,
                                                      self.r.choice(NOUNS), self.meta(account))

    def custom(self):
        kind = self.r.choice(NOUNS).capitalize() + self.r.choice(("Policy", "Set", "Config", "Route"))
        return "apiVersion: %s.example.com/v1beta1\nkind: %s\n%sspec:\n%s" % (
            self.r.choice(NOUNS), kind, self.meta(self.name()), self.tree("  ", self.r.randint(3, 30)))

    def tree(self, at, fields, depth=0):
        """Any mapping: what values files and custom resources are made of."""
        text = ""
        for i in range(fields):
            if depth < 5 and self.one_in(4):
                text += "%s%s%d:\n%s" % (at, self.key(), i, self.tree(at + "  ", self.r.randint(1, 5), depth + 1))
            elif self.one_in(6):
                text += "%s%s%d:\n" % (at, self.key(), i)
                for _ in range(self.r.randint(1, 5)):
                    text += "%s- %s\n" % (at, self.r.choice(NOUNS))
            else:
                if self.one_in(4):
                    text += "%s# %s\n" % (at, self.r.choice(self.sentences))
                text += "%s%s%d: %s\n" % (at, self.key(), i, self.r.choice(
                    ("true", "null", "8080", "0.5", '""', "[]", "{}", "30s", self.r.choice(NOUNS),
                     '"%s"' % self.r.choice(self.sentences))))
        return text

    def values(self):
        return self.tree("", self.r.randint(5, 60))

    def kustomization(self):
        text = "" if self.one_in(2) else "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"
        text += "resources:\n"
        for _ in range(self.r.randint(1, 12)):
            text += "- %s.yaml\n" % self.r.choice(NOUNS)
        return text + ("" if self.one_in(2) else "commonLabels:\n  app: %s\n" % self.r.choice(NOUNS))

    def workflow(self):
        text = "name: build\non:\n  push:\n    branches: [main]\njobs:\n  build:\n    runs-on: ubuntu-latest\n    steps:\n"
        for _ in range(self.r.randint(2, 15)):
            text += "    - name: %s\n      run: |\n        make %s\n        ./%s --%s\n" % (
                self.r.choice(self.sentences), self.r.choice(NOUNS), self.r.choice(NOUNS), self.r.choice(KEYS))
        return text

    def helm_template(self):
        text = "{{- if .Values.%s.enabled }}\n" % self.r.choice(KEYS)
        text += self.workload().replace("  replicas: ", "  {{- with .Values.%s }}\n  replicas: {{ . }} # " % self.key())
        return text + "{{- end }}\n{{- end }}\n"

    def small(self):
        makers = (self.workload, self.service, self.config_map, self.rbac, self.secret, self.custom, self.values,
                  self.kustomization, self.workflow, self.helm_template, self.bare_pod, self.cron,
                  lambda: self.workload() + "---\n" + self.service())
        weights = (16, 9, 9, 9, 4, 17, 7, 6, 8, 5, 3, 2, 5)
        make = self.r.choices(makers, weights)[0]
        text = self.values() if self.valid and make == self.helm_template else make()
        if self.one_in(5):
            text = "# Copyright The Authors.\n# %s\n" % "\n# ".join(self.r.choices(self.sentences, k=4)) + text
        return text

    # ---- large files ----

    def schema(self, at, size, depth):
        """Properties of an OpenAPI schema, about `size` bytes of them."""
        parts, left, i = [], size, 0
        while left > 0:
            text = "%s%s%d:\n%s  description: |-\n" % (at, self.key(), i, at)
            i += 1
            for sentence in self.r.choices(self.sentences, k=self.r.randint(1, 6)):
                text += "%s    %s\n" % (at, sentence)
            if depth < 9 and left > 800 and not self.one_in(3):
                inner = self.schema(at + "    ", self.r.randint(200, max(201, left // 2)), depth + 1)
                if self.one_in(3):
                    inner = "%s  items:\n%s    properties:\n%s%s    type: object\n%s  type: array\n" % (
                        at, at, "".join("  " + line + "\n" for line in inner.splitlines()), at, at)
                else:
                    inner = "%s  properties:\n%s%s  type: object\n" % (at, inner, at)
                text += inner
            else:
                text += "%s  type: %s\n" % (at, self.r.choice(("string", "integer\n%s  format: int32" % at, "boolean")))
            parts.append(text)
            left -= len(text)
        return "".join(parts)

    def crd(self, size):
        noun = self.name().replace("-", "")
        text = ("apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  annotations:\n"
                "    controller-gen.kubebuilder.io/version: v0.16.1\n  name: %ss.example.com\nspec:\n"
                "  group: example.com\n  names:\n    kind: %s\n    plural: %ss\n  scope: Namespaced\n  versions:\n") % (
                    noun, noun.capitalize(), noun)
        versions = self.r.randint(1, 3)
        for i in range(versions):
            text += ("  - name: v1beta%d\n    schema:\n      openAPIV3Schema:\n        properties:\n%s"
                     "        type: object\n    served: true\n    storage: %s\n    subresources:\n      status: {}\n") % (
                         i + 1, self.schema("          ", size // versions, 0), "true" if i == 0 else "false")
        return text

    def rendered(self, size):
        makers = (self.workload, self.service, self.config_map, self.rbac, self.secret, self.custom)
        parts, left = [], size
        while left > 0:
            text = "---\n# Source: %s/templates/%s.yaml\n" % (self.r.choice(NOUNS), self.r.choice(NOUNS))
            text += self.crd(self.r.randint(5000, 60000)) if self.one_in(40) else self.r.choice(makers)()
            parts.append(text)
            left -= len(text)
        return "".join(parts)

    def dashboard(self, size):
        panels = []
        for i in range(max(1, size // 900)):
            panels.append({"id": i, "title": self.r.choice(self.sentences), "type": "timeseries", "gridPos":
                           {"h": 8, "w": 12, "x": 0, "y": 8 * i}, "targets": [
                               {"expr": "sum(rate(%s_total{namespace=\"$namespace\"}[5m])) by (pod)" % self.key(),
                                "legendFormat": "{{pod}}", "refId": "A"} for _ in range(self.r.randint(1, 5))]})
        return json.dumps({"panels": panels, "title": self.name(), "schemaVersion": 39}, indent=2) + "\n"

    def json_list(self, size):
        items = []
        for i in range(max(1, size // 1100)):
            name = self.name()
            items.append({"apiVersion": "v1", "kind": "Pod", "metadata": {
                "name": name, "namespace": self.r.choice(NOUNS), "labels": {"app": name}}, "spec": {
                    "serviceAccountName": self.r.choice(NOUNS), "containers": [
                        {"name": "c%d" % j, "image": "registry.example.com/%s:v1" % self.r.choice(NOUNS),
                         "env": [{"name": self.r.choice(KEYS).upper(), "value": self.r.choice(self.sentences)}
                                 for _ in range(5)]} for j in range(2)]}})
        return json.dumps({"apiVersion": "v1", "kind": "List", "items": items}, indent=self.r.choice((None, 2, 4))) + "\n"

    def heavy(self, low, median, high):
        """A size whose logarithm is a normal distribution, cut."""
        return int(min(high, max(low, self.r.lognormvariate(0, 0.9) * median)))


def large_files(maker, total):
    """About `total` bytes in large files, as pairs of a name's end and text."""
    left = total
    while left > 0:
        shape = maker.r.random()
        if shape < 0.80:
            text, end = maker.crd(maker.heavy(8000, 45000, 1.5 * MB)), ".crd.yaml"
        elif shape < 0.86:
            text, end = maker.rendered(maker.heavy(0.2 * MB, 0.35 * MB, 5 * MB)), ".rendered.yaml"
        elif shape < 0.94:
            text, end = maker.dashboard(maker.heavy(4000, 40000, 1 * MB)), ".dashboard.json"
        else:
            text, end = maker.json_list(maker.heavy(2000, 30000, 1 * MB)), ".list.json"
        yield end, text
        left -= len(text)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("dir")
    parser.add_argument("--files", type=int, default=58000)
    parser.add_argument("--mb", type=int, default=376)
    parser.add_argument("--seed", type=int, default=12)
    parser.add_argument("--valid", action="store_true")
    args = parser.parse_args()
    maker = Maker(args.seed, args.valid)
    written = [0, 0, 0, 0]

    def write(end, text):
        folder = os.path.join(args.dir, "repo-%03d" % (written[0] % 211), "deploy-%d" % (written[0] // 211 % 17))
        if written[0] < 211 * 17:
            os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "f%06d%s" % (written[0], end)), "w", encoding="ascii") as f:
            f.write(text)
        written[0] += 1
        written[1] += len(text)
        written[2] += len(json.loads(text)["items"]) if end == ".list.json" else text.count("\n---\n") + 1
        written[3] += text.count("expirationSeconds: 99999")

    # Of the ordinary 376 MB in 58,000 files, large ones are two thirds of the bytes; their contents
    # are generated once and written again when more bytes are requested.
    unique = list(large_files(maker, min(0.657 * 376 * args.files / 58000, 0.9 * args.mb) * MB))
    for end, text in unique:
        write(end, text)
    small = args.files - len(unique)
    while small > 0:
        text = maker.small()
        while maker.one_in(30) or (maker.one_in(3) and len(text) < 1500):
            text += "---\n" + maker.small()
        write(maker.r.choice((".yaml", ".yaml", ".yaml", ".yaml", ".yml")), text)
        small -= 1
    # Add files until the requested number of bytes is written.
    i = 0
    while written[1] < args.mb * MB * 0.999:
        write(*unique[i % len(unique)])
        i += 1
    print("%d files, %d bytes, %d documents, %d long tokens" % tuple(written))


if __name__ == "__main__":
    main()
