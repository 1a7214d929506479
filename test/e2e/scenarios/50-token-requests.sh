# SPDX-License-Identifier: Apache-2.0
# 50-token-requests.sh - kubectl create token: as long as the level allows, and bound where it asks so.
# shellcheck shell=bash

scenario 'baseline: a token of ten days becomes one of a day, with a warning'
dev create token runner -n ci --duration 240h
prints 'Warning: tokenrequest for service account "runner": token-lifetime: '
prints '86400'
the_token_lives 86400

scenario 'baseline: a token of an hour is as it was asked'
dev create token runner -n ci --duration 1h
the_token_lives 3600

scenario 'restricted: a token that is bound to nothing is refused, and says how to bind it'
dev create token web -n shop --duration 10m
refused 'tokenrequest for service account "web" violates Curfew level "restricted": unbound-token'
prints '--bound-object-kind'

scenario 'restricted: bound to a pod it is allowed, and ends within the hour'
dev create token web -n shop --duration 10m --bound-object-kind Pod --bound-object-name old
the_token_lives 600
dev create token web -n shop --duration 240h --bound-object-kind Pod --bound-object-name old
prints 'token-lifetime: '
the_token_lives 3600

scenario 'restricted: bound to a Secret it is refused, since anyone can make the Secret'
dev create token web -n shop --bound-object-kind Secret --bound-object-name web-token
refused 'tokenrequest for service account "web" violates Curfew level "restricted": unbound-token'

# The kubelet asked for a token for every pod of these scenarios.
scenario "kubelets' own requests are never denied, never changed, never sent to Curfew"
kubelet_requests() {
    grep '"username":"system:node:' "$E2E_WORK/audit.log" | grep '"subresource":"token"'
}
some_and_all_created() {
    [ "$(kubelet_requests | wc -l)" -gt 0 ] && ! kubelet_requests | grep -v '"code":201'
}
untouched() {
    ! kubelet_requests | grep curfew.dev
}
check 'the audit log has some, each answered with 201' some_and_all_created
check 'none has an annotation of ours' untouched
