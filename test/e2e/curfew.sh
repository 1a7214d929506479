# SPDX-License-Identifier: Apache-2.0
# curfew.sh - Curfew outside the cluster, as deploy/admission/README.md describes it; sourced.
# shellcheck shell=bash

# readme_step N: the commands of that step of "Wire it to an API server".
readme_step() {
    awk -v step="$1" '/^## / { inside = $0 == "## Wire it to an API server" }
        inside && $1 == step "." { mine = 1 }
        mine && /^ *```/ { fence++; next }
        mine && fence == 1 { sub(/^   /, ""); print }
        fence == 2 { exit }' deploy/admission/README.md
}

in_days() {
    date -u -d "$1 days" +%F
}

# curfew_config UNTIL: a configuration with an exception for the namespace ci.
curfew_config() {
    cat << END
apiVersion: curfew.dev/v1alpha1
kind: CurfewConfiguration
exemptions:
  namespaces: [kube-system]
exceptions:
- rule: legacy-token-secret
  namespace: ci
  names: ["runner-*"]
  until: $1
  reason: "an external runner, moves to OIDC"
END
}

# readme_rights: applies the first of these steps, for the user "curfew".
readme_rights() {
    readme_step 1 > "$E2E_WORK/rights.sh"
    KUBECONFIG=$E2E_WORK/certs/admin.kubeconfig sh -eu "$E2E_WORK/rights.sh"
}

# Additional flags of the server for authentication. Scenarios may change them.
callers=()

curfew_start() {
    [ -s "$E2E_WORK/curfew.yaml" ] || curfew_config "$(in_days +60)" > "$E2E_WORK/curfew.yaml"
    [ -d "$E2E_WORK/curfew-certs" ] || sh certs/make-dev-certs.sh "$E2E_WORK/curfew-certs"
    start curfew "$CURFEW" serve --config "$E2E_WORK/curfew.yaml" --kubeconfig "$E2E_WORK/certs/curfew.kubeconfig" \
        --tls-cert "$E2E_WORK/curfew-certs/tls.crt" --tls-key "$E2E_WORK/curfew-certs/tls.key" \
        --listen 127.0.0.1:8443 --probe-listen 127.0.0.1:8081 --metrics-listen 127.0.0.1:8080 --drain-delay 0s "${callers[@]}"
    await_service curfew 10 curl -sf http://127.0.0.1:8081/readyz
}

curfew_stop() {
    stop curfew
}

# webhooks: the webhook configurations of the example.
webhooks() {
    sed -e 's,WEBHOOK_ADDRESS,127.0.0.1:8443,' \
        -e "s,CA_BUNDLE,$(base64 -w0 < "$E2E_WORK/curfew-certs/ca.crt")," deploy/webhooks.example.yaml
}

# The credentials of the API server for Curfew, from the examples of deploy/admission and
# deploy/authorization: client.crt and client.key, issued by ca.crt.
callers_folder=$E2E_WORK/callers

# callers_example FILE: the file of deploy/admission, with that directory.
callers_example() {
    sed -e "s,/etc/kubernetes/curfew,$callers_folder," "deploy/admission/$1"
}
# callers_commands: the commands of the example that issue the client certificate.
callers_commands() {
    sed -n 's,^#   ,,p' deploy/admission/kubeconfig.example.yaml
}
# callers_of HOST...: flags of the API server, so that it presents the certificate to these hosts.
callers_of() {
    callers_example admission.example.yaml > "$callers_folder/admission.yaml"
    callers_example kubeconfig.example.yaml | sed '/^- name:/,$d' > "$callers_folder/kubeconfig.yaml"
    for host in "$@"; do
        callers_example kubeconfig.example.yaml | sed -n "s/curfew.curfew-system.svc/$host/; /^- name:/,\$p"
    done >> "$callers_folder/kubeconfig.yaml"
    # shellcheck disable=SC2034 # for up.sh
    admission=(--admission-control-config-file="$callers_folder/admission.yaml")
}

# curfew_asks FLAG...: restarts Curfew, if it runs, with these flags for authentication.
curfew_asks() {
    callers=("$@")
    runs curfew || return 0
    curfew_stop
    curfew_start
}

# authorizers POLICY: Curfew before Node and RBAC, as in the example (Kubernetes 1.32 or newer). Curfew
# authenticates its callers, so the API server presents a certificate here and to the webhooks.
authorizers() {
    local folder=$E2E_WORK/authorization commands
    commands=$(callers_commands | grep -v '^kubectl')
    mkdir -p "$folder" "$callers_folder"
    [ -s "$callers_folder/client.crt" ] ||
        (cd "$callers_folder" && sh -euc "$commands") 2> "$E2E_WORK/log/callers.log" || return 1
    [ ${#callers[@]} != 0 ] ||
        curfew_asks --client-ca "$callers_folder/ca.crt" --client-name kube-apiserver
    callers_of 127.0.0.1:8443
    cp "$E2E_WORK/curfew-certs/ca.crt" "$folder/ca.pem"
    cp "$callers_folder/client.crt" "$folder/apiserver.pem"
    cp "$callers_folder/client.key" "$folder/apiserver-key.pem"
    sed -e 's,WEBHOOK_ADDRESS,127.0.0.1:8443,' deploy/authorization/kubeconfig.example.yaml \
        > "$folder/kubeconfig.yaml"
    sed -e 's,CURFEW_ACCOUNT,system:serviceaccount:curfew-system:curfew,' \
        -e "s,'RESTRICTED_IN_KUBE_SYSTEM',''," \
        -e "s,/etc/kubernetes/curfew/,$folder/," \
        -e "s,failurePolicy: NoOpinion,failurePolicy: $1," \
        deploy/authorization/authorization.example.yaml > "$folder/config.yaml"
    stop apiserver
    # shellcheck disable=SC2034 # for up.sh
    authorization=(--authorization-config="$folder/config.yaml")
    up_apiserver
}

no_authorizer() {
    stop apiserver
    # shellcheck disable=SC2034,SC2054 # for up.sh, and its comma is the flag's
    authorization=(--authorization-mode=Node,RBAC)
    # shellcheck disable=SC2034 # for up.sh
    admission=()
    up_apiserver
    curfew_asks
}
