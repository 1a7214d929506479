# SPDX-License-Identifier: Apache-2.0
# 99-log.sh - the log and the metrics after all scenarios.
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

scenario 'the log has a line for a denial, with the user, the object and the rule'
line() {
    grep '"decision":"denied"' "$log" | grep '"rule":"legacy-token-secret"' | grep -q '"user":"dev"'
}
deny
refused 'secret "mine"'
check 'the log has the line' line

scenario 'the log contains no token and no part of one'
no_token() {
    ! grep -qE 'eyJ|ZXlK' "$log"
}
check 'no token' no_token

scenario 'the metrics count denials and repairs'
metrics() {
    said=$(curl -sf http://127.0.0.1:8080/metrics)
}
dev run repaired -n shop --image=localhost/curfew-e2e:1 --dry-run=server
check 'the metrics respond' metrics
prints 'curfew_reviews_total{endpoint="mutate",operation="CREATE",resource="pods",decision="fixed"}'
