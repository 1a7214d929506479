# SPDX-License-Identifier: Apache-2.0
# 00-before.sh - the cluster before Curfew is installed: namespaces of two teams, accounts with tokens that
# never expire, and pods that use them.
# shellcheck shell=bash

scenario 'before: the control plane populates legacy Secrets'
admin apply -f - << 'END'
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Namespace, metadata: {name: shop}}
- {apiVersion: v1, kind: Namespace, metadata: {name: ci}}
- {apiVersion: v1, kind: Namespace, metadata: {name: lab}}
- {apiVersion: v1, kind: ServiceAccount, metadata: {name: web, namespace: shop}}
- {apiVersion: v1, kind: ServiceAccount, metadata: {name: api, namespace: shop}}
- {apiVersion: v1, kind: ServiceAccount, metadata: {name: runner, namespace: ci}}
- apiVersion: v1
  kind: Secret
  metadata: {name: web-token, namespace: shop, annotations: {kubernetes.io/service-account.name: web}}
  type: kubernetes.io/service-account-token
- apiVersion: v1
  kind: Secret
  metadata: {name: api-token, namespace: shop, annotations: {kubernetes.io/service-account.name: api}}
  type: kubernetes.io/service-account-token
- apiVersion: v1
  kind: ServiceAccount
  metadata:
    name: agent
    namespace: shop
    annotations: {rbac.kubernetes.io/restricted-by-node: "true"}
END
prints 'secret/web-token created'
until_it_prints ZXlK admin get secret web-token -n shop -o jsonpath='{.data.token}'
until_it_prints ZXlK admin get secret api-token -n shop -o jsonpath='{.data.token}'
until_it_prints serviceaccount/default admin get serviceaccount default -o name -n shop
until_it_prints serviceaccount/default admin get serviceaccount default -o name -n lab
until_it_prints configmap/kube-root-ca.crt admin get configmap kube-root-ca.crt -o name -n shop

scenario 'before: a pod mounts the legacy token of its account'
dev apply -f - << 'END'
apiVersion: v1
kind: Pod
metadata: {name: old, namespace: shop}
spec:
  serviceAccountName: web
  automountServiceAccountToken: false
  terminationGracePeriodSeconds: 1
  containers:
  - name: main
    image: localhost/curfew-e2e:1
    volumeMounts: [{name: tok, mountPath: /tok}]
  volumes:
  - name: tok
    secret: {secretName: web-token}
END
said_is 'pod/old created'
dev wait -n shop --for=condition=Ready pod/old --timeout=180s
dev exec -n shop old -- token-life /tok/token
said_is never-ends
