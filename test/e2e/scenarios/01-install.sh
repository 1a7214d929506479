# SPDX-License-Identifier: Apache-2.0
# 01-install.sh - the admin installs Curfew as deploy/admission/README.md says.
# shellcheck shell=bash

sh certs/make-dev-certs.sh "$E2E_WORK/curfew-certs" > "$E2E_WORK/log/curfew-certs.log" 2>&1

scenario 'install: without permissions the server is not ready, and reports what RBAC lacks'
start curfew-early "$CURFEW" serve --kubeconfig "$E2E_WORK/certs/curfew.kubeconfig" \
    --tls-cert "$E2E_WORK/curfew-certs/tls.crt" --tls-key "$E2E_WORK/curfew-certs/tls.key" \
    --listen 127.0.0.1:8444 --probe-listen 127.0.0.1:8082 --metrics-listen 127.0.0.1:8083
says_what_is_missing() {
    grep -q 'does not allow ..curfew.. to watch secrets' "$E2E_WORK/log/curfew-early.log"
}
check 'the log names the missing permissions' await 30 'the log line' says_what_is_missing
early() {
    typed='curl http://127.0.0.1:8082/readyz'
    said=$(curl -s http://127.0.0.1:8082/readyz)
}
until_it_prints namespaces early
prints secrets
not_ready() {
    ! curl -sf http://127.0.0.1:8082/readyz
}
check 'it is not ready' not_ready
check "the first step of deploy/admission/README.md works" readme_rights
ready() {
    curl -sf http://127.0.0.1:8082/readyz
}
check 'with the permissions it becomes ready' await 60 'readiness' ready
stop curfew-early

scenario 'install: the team selects restricted, the server starts, the webhooks are installed'
admin label namespace shop curfew.dev/enforce=restricted
admin label namespace lab curfew.dev/enforce=privileged curfew.dev/warn=privileged
check 'the server starts' curfew_start
admin apply -f - <<< "$(webhooks)"
said_is 'mutatingwebhookconfiguration.admissionregistration.k8s.io/curfew created
validatingwebhookconfiguration.admissionregistration.k8s.io/curfew created'

# The API server uses a new webhook configuration within a second or two.
probe() {
    dev create --dry-run=server -f - << 'END'
apiVersion: v1
kind: Secret
metadata: {name: probe, namespace: ci, annotations: {kubernetes.io/service-account.name: runner}}
type: kubernetes.io/service-account-token
END
}
until_it_prints 'denied the request: secret "probe"' probe
