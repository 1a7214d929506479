# SPDX-License-Identifier: Apache-2.0
# 00-before.sh - a cluster without Curfew: namespaces, and an account with a token that never expires.
# shellcheck shell=bash

scenario 'before: the cluster has a legacy token'
admin apply -f - << 'END'
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {curfew.dev/enforce: restricted}}}
- {apiVersion: v1, kind: Namespace, metadata: {name: ci}}
- {apiVersion: v1, kind: Namespace, metadata: {name: load}}
- {apiVersion: v1, kind: ServiceAccount, metadata: {name: web, namespace: shop}}
- {apiVersion: v1, kind: ServiceAccount, metadata: {name: runner, namespace: ci}}
- apiVersion: v1
  kind: Secret
  metadata: {name: web-token, namespace: shop, annotations: {kubernetes.io/service-account.name: web}}
  type: kubernetes.io/service-account-token
END
prints 'secret/web-token created'
for namespace in shop ci load; do
    until_it_prints serviceaccount/default admin get serviceaccount default -o name -n $namespace
done
