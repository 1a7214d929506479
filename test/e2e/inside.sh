# SPDX-License-Identifier: Apache-2.0
# inside.sh - Curfew in the cluster, as pods from its chart and image; sourced.
# shellcheck shell=bash

system=curfew-system
selector=app.kubernetes.io/name=curfew

# install_step N: the Nth command of "Install it" in the README (1 builds the image).
install_step() {
    fenced '## Install it' 1 README.md | sed -n "$1p"
}

# without_helm N: the commands of the Nth block of "Install without `helm install`".
without_helm() {
    fenced '## Install without `helm install`' "$1" deploy/README.md
}

# fenced HEADING N PAGE: the Nth block of code below the heading.
fenced() {
    awk -v heading="$1" -v step="$2" '/^## / { inside = $0 == heading }
        inside && /^```/ { fence++; next }
        inside && fence == 2 * step - 1 { print }' "$3"
}

# in_a_shell COMMANDS...: runs the commands as the admin, with the output in helm.log.
in_a_shell() {
    KUBECONFIG=$E2E_WORK/certs/admin.kubeconfig HELM_CACHE_HOME=$E2E_WORK/helm \
        HELM_CONFIG_HOME=$E2E_WORK/helm HELM_DATA_HOME=$E2E_WORK/helm \
        bash -euxc "$*" >> "$E2E_WORK/log/helm.log" 2>&1
}

# shell COMMANDS...: the same, but keeps the output; the commands must succeed.
shell() {
    local log=$E2E_WORK/log/helm.log from
    settle
    touch "$log"
    from=$(wc -l < "$log")
    typed=$*
    in_a_shell "$@"
    status=$?
    said=$(tail -n "+$((from + 1))" "$log" | grep -v '^+')
    settle
}

# upgrade ARGS...: runs helm upgrade with these values instead of the previous ones.
upgrade() {
    shell helm upgrade curfew charts/curfew --namespace $system --atomic --timeout 3m "$@"
}

import_image() {
    ctr -a "$socket" -n k8s.io images import --no-unpack=false "${CURFEW%/*}/curfew-image.tar" \
        >> "$E2E_WORK/log/import.log" 2>&1
}

# pods: the names of the pods, to detect whether they were replaced.
pods() {
    as admin get pods -n $system -l $selector -o name | sort
}

# only_ready N: there are exactly N pods, all ready and none terminating.
only_ready() {
    [ "$(as admin get pods -n $system -l $selector -o \
        jsonpath='{range .items[*]}{.metadata.deletionTimestamp}{.status.conditions[?(@.type=="Ready")].status}{"\n"}{end}')" = \
        "$(yes True | head -n "$1")" ]
}

# endpoints N: the Service has N endpoints.
endpoints() {
    [ "$(as admin get endpointslices -n $system -l kubernetes.io/service-name=curfew -o \
        jsonpath='{.items[*].endpoints[?(@.conditions.ready==true)].addresses[0]}' | wc -w)" = "$1" ]
}

# pods_go: deletes the pods immediately, if no requests need a response. Otherwise they drain for 15 s.
pods_go() {
    as admin delete pods -n $system -l $selector --grace-period=0 --force > /dev/null 2>&1
}
no_pods() {
    pods_go
    only_ready 0
}

# settled N: both, and no pod of an older template is left.
settled() {
    only_ready "$1" && endpoints "$1"
}

# process_of POD: the process id of its program in this sandbox.
process_of() {
    local uid pid
    uid=$(as admin get -n $system "$1" -o jsonpath='{.metadata.uid}') || return 1
    for pid in $(sandbox_processes "^--tls-secret=$system/curfew-tls$"); do
        ! grep -q "$uid" "/proc/$pid/cgroup" || echo "$pid"
    done
}

# kube_proxy: routes the Service's address to one of its pods, for other pods.
kube_proxy() {
    local address pod
    address=$(as admin get service curfew -n $system -o jsonpath='{.spec.clusterIP}') &&
        pod=$(as admin get pods -n $system -l $selector -o jsonpath='{.items[0].status.podIP}') &&
        iptables -t nat -I PREROUTING -d "$address" -p tcp --dport 443 -j DNAT --to "$pod:8443" &&
        iptables -t nat -I POSTROUTING -s "$POD_CIDR" -d "$POD_CIDR" -j MASQUERADE
}

# a_secret NAME: tries to create a legacy Secret.
a_secret() {
    dev create --dry-run=server -f - << END
apiVersion: v1
kind: Secret
metadata: {name: ${1:-another}, namespace: ci, annotations: {kubernetes.io/service-account.name: runner}}
type: kubernetes.io/service-account-token
END
}

denial='admission webhook "validate.curfew.dev" denied the request: secret "another" violates Curfew level "baseline": legacy-token-secret'

# guarded, unguarded: the result; the API server uses a changed webhook within seconds.
guarded() {
    until_it_prints "$denial" a_secret
}
unguarded() {
    until_it_prints 'secret/another created (server dry run)' a_secret
}

# bundles: the caBundles of Curfew's webhooks, one a line.
bundles() {
    as admin get mutatingwebhookconfigurations,validatingwebhookconfigurations -l $selector \
        -o jsonpath='{range .items[*]}{range .webhooks[*]}{.clientConfig.caBundle}{"\n"}{end}{end}'
}
