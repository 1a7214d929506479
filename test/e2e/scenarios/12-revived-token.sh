# SPDX-License-Identifier: Apache-2.0
# 12-revived-token.sh - an invalidated legacy token stays invalid: a copy of it cannot be stored in a Secret
# of another type, from which the API server would accept it.
# shellcheck shell=bash

copy=$E2E_WORK/certs/holder.copy # the token without a newline

admin create namespace revival
admin create serviceaccount runner -n revival
admin create serviceaccount editor -n revival
admin create rolebinding editor -n revival --clusterrole=edit --serviceaccount=revival:editor

legacy_secret() {
    cat << END
apiVersion: v1
kind: Secret
metadata: {name: ci-token, namespace: revival, annotations: {kubernetes.io/service-account.name: runner}}
type: kubernetes.io/service-account-token
END
}
level() { # LEVEL, "" for the default
    admin label namespace revival --overwrite "curfew.dev/enforce${1:+=}${1:--}"
}
probe_created() {
    dev create --dry-run=server -f - <<< "$(legacy_secret | sed s/ci-token/probe/)"
}
works() {
    until_it_prints 'system:serviceaccount:revival:runner' person holder auth whoami
}
works_not() {
    until_it_prints Unauthorized person holder auth whoami
}
# with_spaces: the response of the API server to the token after a tab (401: not authenticated).
with_spaces() {
    typed='curl, with a tab before the token'
    said=$(curl -s -o /dev/null -w '%{http_code}' --cacert "$E2E_WORK/certs/ca.pem" \
        -H "Authorization: Bearer $(printf '\t')$(cat "$copy")" "https://$NODE_IP:6443/api")
}

scenario 'revived token: a legacy token works until it is quarantined'
level privileged
until_it_prints 'created (server dry run)' probe_created
admin create -f - <<< "$(legacy_secret)"
until_it_prints ZXlK admin get secret ci-token -n revival -o jsonpath='{.data.token}'
admin get secret ci-token -n revival -o go-template='{{.data.token | base64decode}}'
becomes holder
tr -d '\n' < "$E2E_WORK/certs/holder.token" > "$copy"
admin create token editor -n revival --duration 1h
becomes editor
works
level ''
until_it_prints 'denied the request: secret "probe" violates Curfew level "baseline"' probe_created
person editor label secret ci-token -n revival "kubernetes.io/legacy-token-invalid-since=$(date -u +%F)"
works_not

scenario 'revived token: it is denied in an Opaque Secret with the same name'
person editor delete secret ci-token -n revival
works_not
person editor create secret generic ci-token -n revival --from-file=token="$copy"
refused 'secret "ci-token" violates Curfew level "baseline": legacy-token-secret: data.token holds a token of this Secret itself, which never expires'
prints 'the token of ServiceAccount "runner" would work from anywhere until someone deletes this Secret: the API server does not look at the type'
prints 'admission webhook "validate.curfew.dev"'
prints_not eyJ
prints_not ZXlK
person editor get secret ci-token -n revival
fails
works_not

scenario 'revived token: it is denied with other types, in stringData, and when applied'
person editor create secret generic ci-token -n revival --type=example.com/login --from-file=token="$copy"
refused 'secret "ci-token" violates Curfew level "baseline": legacy-token-secret'
as_text() {
    printf 'apiVersion: v1\nkind: Secret\nmetadata: {name: ci-token, namespace: revival}\nstringData: {token: "%s"}\n' \
        "$(cat "$copy")"
}
for how in '' --server-side --dry-run=server; do
    # shellcheck disable=SC2086 # none, or one
    person editor apply $how -f - <<< "$(as_text)"
    refused 'secret "ci-token" violates Curfew level "baseline": legacy-token-secret'
done
admin apply -f - <<< "$(as_text)"
refused 'secret "ci-token" violates Curfew level "baseline": legacy-token-secret'

scenario 'revived token: it is denied with white space, which the API server ignores'
{ printf '\t' && cat "$copy"; } > "$copy.tab"
person editor create secret generic ci-token -n revival --from-file=token="$copy.tab"
refused 'secret "ci-token" violates Curfew level "baseline": legacy-token-secret'
{ printf 'e\n' && tail -c +2 "$copy"; } > "$copy.inside"
person editor create secret generic ci-token -n revival --from-file=token="$copy.inside"
refused 'secret "ci-token" violates Curfew level "baseline": legacy-token-secret'

scenario 'revived token: it is denied in an existing Opaque Secret'
person editor create secret generic ci-token -n revival --from-literal=note=mine
said_is 'secret/ci-token created'
printf 'stringData: {token: "%s"}\n' "$(cat "$copy")" > "$copy.patch"
person editor patch secret ci-token -n revival --type=merge --patch-file="$copy.patch"
refused 'secret "ci-token" violates Curfew level "baseline": legacy-token-secret: data.token holds a token of this Secret itself'
works_not

scenario 'revived token: other tokens are allowed, and other Secrets are not sent'
reviewed() {
    curl -s http://127.0.0.1:8080/metrics |
        awk '/^curfew_reviews_total/ && /resource="secrets"/ { sum += $NF } END { print sum + 0 }'
}
before=$(reviewed)
for data in '{token: null}' '{token: ""}' '{token: eA==}' '{note: ZXlK}' null; do
    person editor create --dry-run=server -f - << END
apiVersion: v1
kind: Secret
metadata: {name: other, namespace: revival}
data: $data
END
    prints 'secret/other created'
done
check 'no other Secret was sent' [ "$(reviewed)" = "$before" ]
person editor create secret generic other -n revival --dry-run=server --from-file=note="$copy"
prints 'secret/other created'
check 'no Secret with a token under another key was sent' [ "$(reviewed)" = "$before" ]
person editor create secret generic other -n revival --dry-run=server --from-file=token="$copy"
prints 'secret/other created'
check 'a Secret with a token was sent' [ "$(reviewed)" != "$before" ]

# What the API server does without a review by Curfew.
scenario 'revived token: without Curfew the API server accepts it in an Opaque Secret, also with white space'
level privileged
until_it_prints 'created (server dry run)' probe_created
person editor delete secret ci-token -n revival
person editor create secret generic ci-token -n revival --from-file=token="$copy.tab"
until_it_prints 200 with_spaces
person editor delete secret ci-token -n revival
person editor create secret generic ci-token -n revival --from-file=token="$copy"
works
level ''
until_it_prints 'denied the request: secret "probe" violates Curfew level "baseline"' probe_created

scenario 'revived token: an existing Opaque Secret can be edited, but its quarantine stays'
person editor label secret ci-token -n revival team=ci "kubernetes.io/legacy-token-invalid-since=$(date -u +%F)"
said_is 'secret/ci-token labeled'
works_not
person editor annotate secret ci-token -n revival note=old
said_is 'secret/ci-token annotated'
person editor label secret ci-token -n revival kubernetes.io/legacy-token-invalid-since-
refused 'secret "ci-token" violates Curfew level "baseline": legacy-token-revival: removing the label kubernetes.io/legacy-token-invalid-since makes a token work again that never expires'
prints 'the API server does not look at the type'
person editor label secret ci-token -n revival --overwrite kubernetes.io/legacy-token-invalid-since=
refused 'secret "ci-token" violates Curfew level "baseline": legacy-token-revival'
works_not
admin label secret ci-token -n revival kubernetes.io/legacy-token-invalid-since-
works
person editor delete secret ci-token -n revival
works_not
