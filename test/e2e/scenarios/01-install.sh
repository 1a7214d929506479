# SPDX-License-Identifier: Apache-2.0
# 01-install.sh - the admin installs Curfew as deploy/admission/README.md says.
# shellcheck shell=bash

sh certs/make-dev-certs.sh "$E2E_WORK/curfew-certs" > "$E2E_WORK/log/curfew-certs.log" 2>&1

scenario 'install: without its rights the server starts, is not ready, and says what RBAC lacks'
start curfew-early "$CURFEW" serve --kubeconfig "$E2E_WORK/certs/curfew.kubeconfig" \
    --tls-cert "$E2E_WORK/curfew-certs/tls.crt" --tls-key "$E2E_WORK/curfew-certs/tls.key" \
    --listen 127.0.0.1:8444 --probe-listen 127.0.0.1:8082 --metrics-listen 127.0.0.1:8083
says_what_is_missing() {
    grep -q 'let ..curfew.. watch secrets' "$E2E_WORK/log/curfew-early.log"
}
check 'the log says so' await 30 'word of it' says_what_is_missing
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
check 'given them, it becomes ready by itself' await 60 'readiness' ready
stop curfew-early

scenario 'install: the team chooses restricted, the server starts, the webhooks are wired'
admin label namespace shop curfew.dev/enforce=restricted
admin label namespace lab curfew.dev/enforce=privileged curfew.dev/warn=privileged
check 'the server starts' curfew_start
admin apply -f - <<< "$(webhooks)"
said_is 'mutatingwebhookconfiguration.admissionregistration.k8s.io/curfew created
validatingwebhookconfiguration.admissionregistration.k8s.io/curfew created'

# The API server sees a new webhook configuration within a second or two.
probe() {
    dev create --dry-run=server -f - << 'END'
apiVersion: v1
kind: Secret
metadata: {name: probe, namespace: ci, annotations: {kubernetes.io/service-account.name: runner}}
type: kubernetes.io/service-account-token
END
}
until_it_prints 'denied the request: secret "probe"' probe
