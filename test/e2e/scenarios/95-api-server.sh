# SPDX-License-Identifier: Apache-2.0
# 95-api-server.sh - the API server restarts: Curfew continues to respond, reports how old its data is, and
# catches up automatically.
# shellcheck shell=bash

metric() {
    curl -s http://127.0.0.1:8080/metrics | sed -n "s/^$1 //p"
}
secrets_age() {
    metric 'curfew_watch_age_seconds{resource="secrets"}' | cut -d. -f1
}
older_than() {
    [ "$(secrets_age)" -ge "$1" ]
}
younger_than() {
    [ "$(secrets_age)" -lt "$1" ]
}
alive() {
    curl -sf http://127.0.0.1:8081/readyz
}
secret() { # NAME
    cat << END
apiVersion: v1
kind: Secret
metadata: {name: $1, namespace: ci, annotations: {kubernetes.io/service-account.name: runner}}
type: kubernetes.io/service-account-token
END
}
pod() { # SECRET
    cat << END
apiVersion: v1
kind: Pod
metadata: {name: uses-$1, namespace: ci}
spec:
  serviceAccountName: runner
  automountServiceAccountToken: false
  containers:
  - name: main
    image: localhost/curfew-e2e:1
    volumeMounts: [{name: tok, mountPath: /tok}]
  volumes:
  - {name: tok, secret: {secretName: $1}}
END
}
warned_of() { # SECRET
    dev create --dry-run=server -f - <<< "$(pod "$1")"
}

scenario 'a new Secret is known immediately'
dev apply -f - <<< "$(secret runner-before)"
until_it_prints "mounts Secret \"runner-before\", a token that never expires" warned_of runner-before

scenario 'the API server is down: Curfew stays ready, and its metrics report how old its data is'
stop apiserver
check 'the age of the watch grows' await 60 'an age of 15 s' older_than 15
check 'it is ready' alive

scenario 'the API server is back: Curfew catches up automatically'
up_apiserver
check 'the age of the watch is small again' await 90 'a fresh watch' younger_than 12
dev apply -f - <<< "$(secret runner-after)"
until_it_prints "mounts Secret \"runner-after\", a token that never expires" warned_of runner-after
dev delete secret runner-before runner-after -n ci
gone() { # SECRET: no word of it
    dev create --dry-run=server -f - <<< "$(pod "$1")"
    ! grep -q 'never expires' <<< "$said"
}
check 'deleted objects are removed' await 30 'the removal' gone runner-after
