# SPDX-License-Identifier: Apache-2.0
# 10-legacy-secret.sh - tokens that never expire: new ones are denied, existing ones keep working.
# shellcheck shell=bash

legacy_secret() { # NAMESPACE NAME ACCOUNT
    cat << END
apiVersion: v1
kind: Secret
metadata:
  name: $2
  namespace: $1
  annotations: {kubernetes.io/service-account.name: $3}
type: kubernetes.io/service-account-token
END
}

scenario 'a legacy Secret is denied with a remedy'
dev apply -f - <<< "$(legacy_secret ci builder-token runner)"
prints 'Error from server (Forbidden): '
refused 'secret "builder-token" violates Curfew level "baseline": legacy-token-secret: type kubernetes.io/service-account-token creates a token that never expires'
prints 'do this: mount a projected serviceAccountToken volume, or request a token when it is needed: kubectl create token runner -n ci --duration 1h'
dev create token runner -n ci --duration 1h
the_token_lives 3600
admin apply -f - <<< "$(legacy_secret ci builder-token runner)"
refused 'secret "builder-token" violates Curfew level "baseline"'

scenario 'a dry run and server-side apply are denied too'
dev create --dry-run=server -f - <<< "$(legacy_secret shop second-token web)"
refused 'secret "second-token" violates Curfew level "restricted": legacy-token-secret'
prints 'kubectl create token web -n shop --duration 1h --bound-object-kind Pod --bound-object-name POD, where POD is a running pod with serviceAccountName: web'
dev apply --server-side -f - <<< "$(legacy_secret shop second-token web)"
refused 'secret "second-token" violates Curfew level "restricted": legacy-token-secret'

scenario 'other Secrets are not affected'
dev create secret generic password -n shop --from-literal=word=open
said_is 'secret/password created'

scenario 'an exception allows a legacy Secret, and the control plane populates it'
dev apply -f - <<< "$(legacy_secret ci runner-token runner)"
said_is 'secret/runner-token created'
until_it_prints ZXlK dev get secret runner-token -n ci -o jsonpath='{.data.token}'

# The server reloads the configuration when it changes.
until_its_end_is() { # DAY
    curfew_config "$1" > "$E2E_WORK/curfew.yaml.new"
    mv "$E2E_WORK/curfew.yaml.new" "$E2E_WORK/curfew.yaml"
}
another_runner() {
    dev create --dry-run=server -f - <<< "$(legacy_secret ci runner-second runner)"
}

scenario 'an exception warns in its last days'
until_its_end_is "$(in_days +2)"
until_it_prints "Warning: secret \"runner-second\": legacy-token-secret: the exception ends on $(in_days +2) (an external runner, moves to OIDC)" \
    another_runner
prints 'secret/runner-second created (server dry run)'

scenario 'an exception ends after its last day'
until_its_end_is "$(in_days -1)"
until_it_prints 'denied the request: secret "runner-second" violates Curfew level "baseline": legacy-token-secret' \
    another_runner
until_its_end_is "$(in_days +60)"
until_it_prints 'secret/runner-second created (server dry run)' another_runner

scenario 'the API server can label a legacy token as used during authentication'
admin get secret runner-token -n ci -o go-template='{{.data.token | base64decode}}'
becomes legacy
person legacy auth whoami
prints 'system:serviceaccount:ci:runner'
until_it_prints "kubernetes.io/legacy-token-last-used=$(date -u +%F)" \
    dev get secret runner-token -n ci --show-labels

scenario 'a team can label its legacy Secret'
dev label secret web-token -n shop team=web
said_is 'secret/web-token labeled'
dev annotate secret web-token -n shop note=old
said_is 'secret/web-token annotated'

scenario 'an existing Secret cannot get a new token'
dev patch secret web-token -n shop --type=json -p '[{"op": "remove", "path": "/data/token"}]'
refused 'secret "web-token" violates Curfew level "restricted": legacy-token-secret'
dev annotate secret web-token -n shop --overwrite kubernetes.io/service-account.name=api
refused 'secret "web-token" violates Curfew level "restricted": legacy-token-secret'

scenario 'the API server rejects a quarantined token, and only an admin can end the quarantine'
dev label secret runner-token -n ci "kubernetes.io/legacy-token-invalid-since=$(date -u +%F)"
said_is 'secret/runner-token labeled'
until_it_prints Unauthorized person legacy auth whoami
dev label secret runner-token -n ci kubernetes.io/legacy-token-invalid-since-
refused 'secret "runner-token" violates Curfew level "baseline": legacy-token-revival'
dev label secret runner-token -n ci --overwrite kubernetes.io/legacy-token-invalid-since=
refused 'secret "runner-token" violates Curfew level "baseline": legacy-token-revival'
admin label secret runner-token -n ci kubernetes.io/legacy-token-invalid-since-
until_it_prints 'system:serviceaccount:ci:runner' person legacy auth whoami
