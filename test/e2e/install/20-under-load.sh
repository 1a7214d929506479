# SPDX-License-Identifier: Apache-2.0
# 20-under-load.sh - pods are created, many a second, while things happen to Curfew: none may fail.
# shellcheck shell=bash

certs_shown() {
    "$CURFEW" certs show --secret $system/curfew-tls --kubeconfig "$certs/admin.kubeconfig"
}

# issuer_at POD-IP: who signed what that pod serves.
served() {
    openssl s_client -connect "$1:8443" < /dev/null 2> /dev/null | openssl x509 -noout "-$2"
}
# all_serve WHAT: the same, and not what `was` says.
all_serve() {
    local address all=
    for address in $(as admin get pods -n $system -l $ours -o jsonpath='{.items[*].status.podIP}'); do
        all+=$(served "$address" "$1")$'\n'
    done
    [ "$(printf %s "$all" | sort -u | wc -l)" = 1 ] && ! grep -qxF -- "$was" <<< "$all"
}
one_serves() { # WHAT
    served "$(as admin get pods -n $system -l $ours -o jsonpath='{.items[0].status.podIP}')" "$1"
}
renew() {
    "$CURFEW" certs renew --secret $system/curfew-tls --kubeconfig "$certs/admin.kubeconfig" \
        --webhook-configuration curfew "$@" >> "$E2E_WORK/log/renew.log" 2>&1
}

scenario 'load: the certificate is renewed, and then its authority: no pod fails'
load_starts
was=$(one_serves serial)
check 'curfew certs renew' renew
check 'all replicas serve the new one' await 60 'new certificate' all_serve serial
was=$(one_serves issuer)
check 'curfew certs renew --ca' renew --ca
check 'all replicas serve one of the new authority' await 120 'new authority' all_serve issuer
goes_on 400
was=$(one_serves issuer)
admin delete secret curfew-tls -n $system
check 'a deleted Secret comes back with a new authority' await 120 'new authority' all_serve issuer
no_failures

scenario 'load: a rolling restart: no pod fails'
load_starts
before=$(pods)
admin rollout restart -n $system deployment/curfew
admin rollout status -n $system deployment/curfew --timeout=180s
check 'the old ones end' await 120 'two replicas' settled 2
check 'they are others' [ "$(pods)" != "$before" ]
no_failures
