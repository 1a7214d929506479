# SPDX-License-Identifier: Apache-2.0
# 75-namespaces.sh - labels set the levels: invalid labels are rejected, new levels name the existing pods
# that violate them, and the admin decides who may lower levels.
# shellcheck shell=bash

scenario 'a label with an invalid level is rejected, for every user'
dev label namespace ci curfew.dev/enforce=strict
prints 'The request is invalid: '
refused 'namespace "ci" is invalid: namespace-level: label curfew.dev/enforce is "strict", not privileged, baseline or restricted'
prints 'do this: set it to privileged, baseline or restricted, or leave it out'
admin label namespace ci curfew.dev/warn=Baseline --dry-run=server
refused 'namespace "ci" is invalid: namespace-level: label curfew.dev/warn is "Baseline"'
prints "did you mean 'baseline'?"
dev apply -f - << 'END'
apiVersion: v1
kind: Namespace
metadata: {name: team, labels: {curfew.dev/enforce: restrict}}
END
refused 'namespace "team" is invalid: namespace-level: '

scenario 'a misspelt label causes a warning, since it would have no effect'
dev label namespace ci curfew.dev/enforced=restricted
prints 'Warning: namespace "ci": namespace-level: label curfew.dev/enforced sets nothing; use the label curfew.dev/enforce'
prints 'namespace/ci labeled'
dev label namespace ci curfew.dev/enforced-
said_is 'namespace/ci unlabeled'

scenario 'other labels of a namespace are not affected'
dev label namespace ci team=ci pod-security.kubernetes.io/warn=privileged
said_is 'namespace/ci labeled'

pod() { # NAMESPACE NAME SECRET
    cat << END
apiVersion: v1
kind: Pod
metadata: {name: $2, namespace: $1}
spec:
  automountServiceAccountToken: false
  terminationGracePeriodSeconds: 1
  containers:
  - name: main
    image: localhost/curfew-e2e:1
    volumeMounts: [{name: tok, mountPath: /tok}]
  volumes:
  - {name: tok, secret: {secretName: $3}}
END
}

scenario 'a namespace is created with levels, and they take effect'
dev apply -f - << 'END'
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Namespace
  metadata: {name: team, labels: {curfew.dev/enforce: privileged, curfew.dev/warn: privileged}}
- {apiVersion: v1, kind: ServiceAccount, metadata: {name: job, namespace: team}}
END
prints 'namespace/team created'
legacy() {
    dev apply -f - << 'END'
apiVersion: v1
kind: Secret
metadata: {name: job-token, namespace: team, annotations: {kubernetes.io/service-account.name: job}}
type: kubernetes.io/service-account-token
END
}
until_it_prints 'secret/job-token created' legacy
until_it_prints default dev get serviceaccount default -n team
for name in one two three; do
    dev apply -f - <<< "$(pod team $name job-token)"
    said_is "pod/$name created"
done

scenario 'a higher level names the pods that would violate it'
raise() {
    dev label namespace team --overwrite --dry-run=server curfew.dev/enforce=restricted
}
until_it_prints 'Warning: namespace "team": existing pods violate the new enforce level "restricted": legacy-token-mount: pod "one" (and 2 other pods): a volume holds a token that never expires: "job-token"' \
    raise
prints 'namespace/team labeled (server dry run)'
dev label namespace team --overwrite --dry-run=server curfew.dev/enforce=baseline
prints_not Warning

scenario 'a new level takes effect as soon as the watch has received it'
dev label namespace team --overwrite curfew.dev/enforce=restricted
prints 'namespace/team labeled'
four() {
    dev create --dry-run=server -f - <<< "$(pod team four job-token)"
}
until_it_prints 'denied the request: pod "four" violates Curfew level "restricted": legacy-token-mount' four
dev label pod one -n team seen=yes
said_is 'pod/one labeled'
dev label namespace team --overwrite curfew.dev/enforce=privileged
said_is 'namespace/team labeled'
until_it_prints 'pod/four created (server dry run)' four

scenario 'a Secret that pods wait for: its author gets a warning about them'
dev apply -f - <<< "$(pod ci waiter runner-late)"
prints 'pod/waiter created'
runner_late() {
    dev apply --dry-run=server -f - << 'END'
apiVersion: v1
kind: Secret
metadata: {name: runner-late, namespace: ci, annotations: {kubernetes.io/service-account.name: runner}}
type: kubernetes.io/service-account-token
END
}
until_it_prints 'Warning: secret "runner-late": legacy-token-secret: 1 pod names it already, and will hold its token: "waiter"' \
    runner_late
prints 'secret/runner-late created (server dry run)'
dev delete pod waiter -n ci --wait=false

# guarded yes|no: whether all users may lower a level; the server reloads the configuration.
guarded() {
    {
        curfew_config "$(in_days +60)"
        [ "$1" = no ] || echo 'guard: {lowering: true}'
    } > "$E2E_WORK/curfew.yaml.new"
    mv "$E2E_WORK/curfew.yaml.new" "$E2E_WORK/curfew.yaml"
}
lower() {
    dev label namespace shop --overwrite --dry-run=server curfew.dev/enforce=baseline
}

scenario 'with guard.lowering, only system:masters may lower a level, by any method'
guarded yes
until_it_prints 'denied the request: namespace "shop" violates Curfew: namespace-level: label curfew.dev/enforce lowers the level from "restricted" to "baseline"' \
    lower
prints 'do this: ask a member of system:masters to do it, or keep the level'
dev label namespace shop curfew.dev/enforce-
refused 'namespace "shop" violates Curfew: namespace-level: without the label curfew.dev/enforce the level falls from "restricted" to "baseline"'
dev patch namespace shop --subresource=status --type=merge \
    -p '{"metadata": {"labels": {"curfew.dev/enforce": "privileged"}}}'
refused 'namespace "shop" violates Curfew: namespace-level: '
finalize() { # NAMESPACE LABELS
    dev replace --raw "/api/v1/namespaces/$1/finalize" -f - << END
{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "$1", "labels": $2},
 "spec": {"finalizers": ["kubernetes"]}}
END
}
finalize shop '{}'
refused 'namespace "shop" violates Curfew: namespace-level: '
dev create -f - << 'END'
apiVersion: v1
kind: Namespace
metadata: {name: free, labels: {curfew.dev/enforce: privileged}}
END
refused 'namespace "free" violates Curfew: namespace-level: label curfew.dev/enforce is "privileged", below the default "baseline"'
dev get namespace shop -o jsonpath='{.metadata.labels.curfew\.dev/enforce}'
said_is restricted

scenario 'everyone may raise a level, and an admin may lower it'
dev label namespace shop --overwrite --dry-run=server curfew.dev/fix=restricted
prints 'namespace/shop labeled (server dry run)'
admin label namespace shop --overwrite --dry-run=server curfew.dev/enforce=baseline
prints 'namespace/shop labeled (server dry run)'
guarded no
until_it_prints 'namespace/shop labeled (server dry run)' lower

scenario 'a namespace with levels can be deleted'
dev delete namespace team --wait=false
prints 'namespace "team" deleted'
dev wait --for=delete namespace/team --timeout=180s

# namespaces_policy POLICY: the failurePolicy of the webhook for namespaces.
namespaces_policy() {
    admin patch validatingwebhookconfiguration curfew --type=strategic \
        -p '{"webhooks": [{"name": "namespaces.curfew.dev", "failurePolicy": "'"$1"'"}]}'
}
relabel_lab() {
    dev label namespace lab --overwrite --dry-run=server curfew.dev/audit=baseline
}

scenario 'Curfew down and Fail: only changes of its labels wait, not kube-system or deletions'
namespaces_policy Fail
curfew_stop
until_it_prints 'failed calling webhook "namespaces.curfew.dev"' relabel_lab
dev label namespace lab --overwrite team=lab
said_is 'namespace/lab labeled'
admin label namespace kube-system curfew.dev/audit=baseline
said_is 'namespace/kube-system labeled'
dev create namespace brief
said_is 'namespace/brief created'
dev delete namespace brief --timeout=180s
prints 'namespace "brief" deleted'
curfew_start
namespaces_policy Ignore
admin label namespace kube-system curfew.dev/audit-
until_it_prints 'namespace/lab labeled (server dry run)' relabel_lab
