# SPDX-License-Identifier: Apache-2.0
# curfew.sh - Curfew beside the cluster, as the README says; sourced.
# shellcheck shell=bash

# readme_step N: the commands of that step of "Wire it to an API server".
readme_step() {
    awk -v step="$1" '/^## / { inside = $0 == "## Wire it to an API server" }
        inside && $1 == step "." { mine = 1 }
        mine && /^ *```/ { fence++; next }
        mine && fence == 1 { sub(/^   /, ""); print }
        fence == 2 { exit }' README.md
}

in_days() {
    date -u -d "$1 days" +%F
}

# curfew_config UNTIL: with an exception for the namespace ci.
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

# readme_rights: the README's first step, for the person "curfew".
readme_rights() {
    readme_step 1 > "$E2E_WORK/rights.sh"
    KUBECONFIG=$E2E_WORK/certs/admin.kubeconfig sh -eu "$E2E_WORK/rights.sh"
}

curfew_start() {
    [ -s "$E2E_WORK/curfew.yaml" ] || curfew_config "$(in_days +60)" > "$E2E_WORK/curfew.yaml"
    [ -d "$E2E_WORK/curfew-certs" ] || sh certs/make-dev-certs.sh "$E2E_WORK/curfew-certs"
    start curfew "$CURFEW" serve --config "$E2E_WORK/curfew.yaml" --kubeconfig "$E2E_WORK/certs/curfew.kubeconfig" \
        --tls-cert "$E2E_WORK/curfew-certs/tls.pem" --tls-key "$E2E_WORK/curfew-certs/tls.key" \
        --listen 127.0.0.1:8443 --probe-listen 127.0.0.1:8081 --metrics-listen 127.0.0.1:8080 --drain-delay 0s
    await_service curfew 10 curl -sf http://127.0.0.1:8081/readyz
}

curfew_stop() {
    stop curfew
}

# webhooks: as the example has them.
webhooks() {
    sed -e 's,WEBHOOK_ADDRESS,127.0.0.1:8443,' \
        -e "s,CA_BUNDLE,$(base64 -w0 < "$E2E_WORK/curfew-certs/ca.pem")," deploy/webhooks.example.yaml
}

# authorizers POLICY: Curfew before Node and RBAC, as the example has it (Kubernetes 1.32 or newer).
authorizers() {
    mkdir -p "$E2E_WORK/authorization"
    cp "$E2E_WORK/curfew-certs/ca.pem" "$E2E_WORK/authorization/ca.pem"
    sed -e 's,WEBHOOK_ADDRESS,127.0.0.1:8443,' -e '/client-certificate:/d' -e '/client-key:/d' \
        -e 's,  user:$,  user: {},' deploy/authorization/kubeconfig.example.yaml \
        > "$E2E_WORK/authorization/kubeconfig.yaml"
    sed -e 's,CURFEW_ACCOUNT,system:serviceaccount:curfew-system:curfew,' \
        -e "s,'RESTRICTED_IN_KUBE_SYSTEM',''," \
        -e "s,/etc/kubernetes/curfew/,$E2E_WORK/authorization/," \
        -e "s,failurePolicy: NoOpinion,failurePolicy: $1," \
        deploy/authorization/authorization.example.yaml > "$E2E_WORK/authorization/config.yaml"
    stop apiserver
    # shellcheck disable=SC2034 # for up.sh
    authorization=(--authorization-config="$E2E_WORK/authorization/config.yaml")
    up_apiserver
}

no_authorizer() {
    stop apiserver
    # shellcheck disable=SC2034,SC2054 # for up.sh, and its comma is the flag's
    authorization=(--authorization-mode=Node,RBAC)
    up_apiserver
}
