# SPDX-License-Identifier: Apache-2.0
# 01-install.sh - the admin installs Curfew as the README says ("Wire it to an API server").
# shellcheck shell=bash

scenario 'install: the README writes the objects down, and no token'
check "the README's first step works" write_down
knows() {
    grep -qE "$1" "$E2E_WORK/objects/$2"
}
check 'the Secret is known' knows 'name: "?web-token' secrets.yaml
check 'and whose it is' knows 'service-account.name: "?web' secrets.yaml
check 'the accounts are known' knows 'name: agent' accounts.yaml
no_token() {
    ! grep -rqE 'eyJ|ZXlK' "$E2E_WORK/objects"
}
check 'no token is in it' no_token

scenario 'install: the team chooses restricted, the server starts, the webhooks are wired'
admin label namespace shop curfew.dev/enforce=restricted
admin label namespace lab curfew.dev/enforce=privileged curfew.dev/warn=privileged
check 'the objects are written down again' write_down
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
