# SPDX-License-Identifier: Apache-2.0
# 86-legacy-token-use.sh - a legacy token in a namespace at level restricted may not write, and with
# legacyTokenUse: enforce not read either. It may only request a short-lived token.
# shellcheck shell=bash

case $K8S in
1.30.* | 1.31.*) return 0 ;;
esac

log=$E2E_WORK/log/curfew.log
by_rule() { # DECISION
    grep '"rule":"legacy-token-use"' "$log" | grep '"user":"system:serviceaccount:shop:web"' |
        grep -q "\"decision\":\"$1\""
}

scenario 'legacy token: it works, but may not write in a namespace at level restricted'
admin create rolebinding web-edits -n shop --clusterrole=admin --serviceaccount=shop:web
until_it_prints ZXlK admin get secret web-token -n shop -o jsonpath='{.data.token}'
said=$(base64 -d <<< "$said")
becomes old-client
person old-client get configmap kube-root-ca.crt -n shop
person old-client run mine -n shop --image=localhost/curfew-e2e:1
refused 'pod "mine" violates Curfew level "restricted": legacy-token-use: ServiceAccount "shop/web" is used by a legacy token, which never expires, or by impersonation'
admin run mine -n shop --image=localhost/curfew-e2e:1 --as=system:serviceaccount:shop:web
refused 'pod "mine" violates Curfew level "restricted": legacy-token-use: '

scenario 'legacy token: authorization allows and logs its reads'
check 'the API server accepts the example' authorizers NoOpinion
read_it() {
    person old-client get configmap kube-root-ca.crt -n shop
}
until_it_prints DATA read_it
check 'the log has the line' await 15 'line of the log' by_rule no-opinion

scenario 'legacy token: with enforce it may not read either'
cp "$E2E_WORK/curfew.yaml" "$E2E_WORK/curfew.yaml.before"
echo 'authorize: {legacyTokenUse: enforce}' >> "$E2E_WORK/curfew.yaml"
read_refused() {
    read_it
    status=0
}
until_it_prints 'curfew: legacy-token-use: ServiceAccount "shop/web" is used by a legacy token' read_refused
check 'the log has the line' await 15 'line of the log' by_rule denied
person old-client get --raw /api/v1/namespaces/shop/pods
fails
person old-client get --raw /healthz

scenario 'legacy token: it may request a short-lived token of its own account'
person old-client create token web -n shop --duration 10m
becomes new-client
person new-client get configmap kube-root-ca.crt -n shop
person new-client run mine -n shop --image=localhost/curfew-e2e:1 --dry-run=server
prints 'pod/mine created'
person old-client create token api -n shop
fails
prints legacy-token-use

scenario 'legacy token: an exception allows it until its last day'
cat "$E2E_WORK/curfew.yaml.before" - > "$E2E_WORK/curfew.yaml" << END
- rule: legacy-token-use
  namespace: shop
  serviceAccounts: [web]
  until: $(in_days +60)
  reason: "moves with the next release"
authorize: {legacyTokenUse: enforce}
END
# shellcheck disable=SC2034 # for lib.sh
read_again() {
    read_it
    status=0
}
until_it_prints DATA read_again
person old-client run mine -n shop --image=localhost/curfew-e2e:1 --dry-run=server

scenario 'legacy token: cleanup'
mv "$E2E_WORK/curfew.yaml.before" "$E2E_WORK/curfew.yaml"
admin delete rolebinding web-edits -n shop
check 'the API server starts without Curfew' no_authorizer
