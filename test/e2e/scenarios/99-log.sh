# SPDX-License-Identifier: Apache-2.0
# 99-log.sh - what Curfew said of all this.
# shellcheck shell=bash

log=$E2E_WORK/log/curfew.log

deny() {
    dev create --dry-run=server -f - << 'END'
apiVersion: v1
kind: Secret
metadata: {name: mine, namespace: ci, annotations: {kubernetes.io/service-account.name: runner}}
type: kubernetes.io/service-account-token
END
}

scenario 'the log has a line for a denial, with who and what and which rule'
line() {
    grep '"decision":"denied"' "$log" | grep '"rule":"legacy-token-secret"' | grep -q '"user":"dev"'
}
deny
refused 'secret "mine"'
check 'such a line' line

scenario 'the log holds no token, nor any part of one'
no_token() {
    ! grep -qE 'eyJ|ZXlK' "$log"
}
check 'no token' no_token

scenario 'the metrics tell what was denied and repaired'
metrics() {
    said=$(curl -sf http://127.0.0.1:8080/metrics)
}
dev run repaired -n shop --image=localhost/curfew-e2e:1 --dry-run=server
check 'they answer' metrics
prints 'curfew_reviews_total{endpoint="mutate",operation="CREATE",resource="pods",decision="fixed"}'
