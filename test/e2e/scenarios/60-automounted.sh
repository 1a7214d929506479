# SPDX-License-Identifier: Apache-2.0
# 60-automounted.sh - the token that every pod gets: a year without Curfew, an hour with Curfew.
# shellcheck shell=bash

plain() { # NAMESPACE
    cat << END
apiVersion: v1
kind: Pod
metadata: {name: plain, namespace: $1}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - {name: main, image: "localhost/curfew-e2e:1"}
END
}
token=/var/run/secrets/kubernetes.io/serviceaccount/token

scenario 'without repair it is valid for a year'
dev apply -f - <<< "$(plain lab)"
said_is 'pod/plain created'
dev wait -n lab --for=condition=Ready pod/plain --timeout=180s
dev exec -n lab plain -- token-life $token
said_is 31536000

scenario 'at restricted it is valid for an hour'
dev apply -f - <<< "$(plain shop)"
prints 'Warning: pod "plain": extended-token: the automounted token volume'
prints 'pod/plain created'
dev wait -n shop --for=condition=Ready pod/plain --timeout=180s
dev exec -n shop plain -- token-life $token
said_is 3600
dev exec -n shop plain -- ls /var/run/secrets/kubernetes.io/serviceaccount
said_is 'ca.crt
namespace
token'

scenario 'applying such a pod again changes nothing'
dev apply -f - <<< "$(plain shop)"
said_is 'pod/plain unchanged'

scenario 'a pod that requests a week gets an hour and a warning'
dev apply -f - << 'END'
apiVersion: v1
kind: Pod
metadata: {name: week, namespace: shop}
spec:
  automountServiceAccountToken: false
  terminationGracePeriodSeconds: 1
  containers:
  - name: main
    image: localhost/curfew-e2e:1
    volumeMounts: [{name: tok, mountPath: /tok}]
  volumes:
  - name: tok
    projected: {sources: [{serviceAccountToken: {path: token, audience: vault, expirationSeconds: 604800}}]}
END
prints 'Warning: pod "week": token-lifetime: '
dev wait -n shop --for=condition=Ready pod/week --timeout=180s
dev exec -n shop week -- token-life /tok/token
said_is 3600

# The kubelet requested the tokens of these pods.
scenario "kubelets' own requests are never denied, changed or sent to Curfew"
kubelet_requests() {
    grep '"username":"system:node:' "$E2E_WORK/audit.log" | grep '"subresource":"token"'
}
some_and_all_created() {
    [ "$(kubelet_requests | wc -l)" -gt 0 ] && ! kubelet_requests | grep -v '"code":201'
}
untouched() {
    ! kubelet_requests | grep curfew.dev
}
check 'the audit log has such requests, each with status 201' some_and_all_created
check "none has an annotation of Curfew" untouched
