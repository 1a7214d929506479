# SPDX-License-Identifier: Apache-2.0
# 36-unread.sh - Curfew denies objects that it cannot read, and gives the reason, although these webhooks
# have failurePolicy Ignore; NUL characters hide nothing. (Copied tokens in Secrets and ConfigMaps:
# 92-chart.sh.)
# shellcheck shell=bash

# many KIND: a pod with more values than Curfew reads; for a Deployment, its template.
many() {
    local spec='{"containers":[{"name":"main","image":"localhost/curfew-e2e:1","args":['
    spec+=$(awk 'BEGIN { for (i = 0; i < 310000; i++) printf "\"\","; printf "\"\"" }')']}]}'
    if [ "$1" = Pod ]; then
        printf '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"many"},"spec":%s}' "$spec"
    else
        printf '{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"many"},"spec":{%s,%s}}' \
            '"selector":{"matchLabels":{"a":"b"}}' \
            "\"template\":{\"metadata\":{\"labels\":{\"a\":\"b\"}},\"spec\":$spec}"
    fi
}

scenario 'a pod that cannot be read is denied with the reason, with failurePolicy Ignore'
admin get mutatingwebhookconfiguration,validatingwebhookconfiguration -o \
    jsonpath='{range .items[*].webhooks[?(@.failurePolicy=="Fail")]}{.name}{"\n"}{end}'
said_is ''
many Pod > "$E2E_WORK/many.json"
dev create --dry-run=server -n shop -f "$E2E_WORK/many.json"
refused 'pod "many" could not be read: invalid JSON: more than 300000 values'
prints 'admission webhook "mutate.curfew.dev"'
admin create --dry-run=server -n ci -f "$E2E_WORK/many.json"
refused 'pod "many" could not be read: '

scenario 'it is also denied by the validating webhook alone'
admin delete mutatingwebhookconfiguration curfew
validating_says() {
    dev create --dry-run=server -n shop -f "$E2E_WORK/many.json"
}
until_it_prints 'admission webhook "validate.curfew.dev" denied the request: pod "many" could not be read: invalid JSON: more than 300000 values' \
    validating_says
admin apply -f - <<< "$(webhooks)"
prints 'mutatingwebhookconfiguration.admissionregistration.k8s.io/curfew created'

scenario 'it is allowed in a namespace at level privileged, and the audit log reports that it was not read'
dev create --dry-run=server -n lab -f "$E2E_WORK/many.json"
said_is 'pod/many created (server dry run)'
let_through() {
    grep '"namespace":"lab"' "$E2E_WORK/audit.log" | grep '"name":"many"' |
        grep -q '"validate.curfew.dev/unread":"invalid JSON: more than 300000 values"'
}
check 'the audit log reports it' await 10 'the annotation' let_through

scenario 'a template that cannot be read is allowed, with a warning'
many Deployment > "$E2E_WORK/many-template.json"
dev create --dry-run=server -n shop -f "$E2E_WORK/many-template.json"
prints 'Warning: deployment "many" could not be evaluated: invalid JSON: more than 300000 values'
prints 'deployment.apps/many created (server dry run)'

nul_driver() { # SECONDS
    printf '{"apiVersion":"storage.k8s.io/v1","kind":"CSIDriver",%s,%s}' \
        '"metadata":{"name":"nul.example.com","annotations":{"a":"\u0000"}}' \
        "\"spec\":{\"tokenRequests\":[{\"audience\":\"vault\",\"expirationSeconds\":$1}]}"
}

scenario 'a NUL in an annotation does not hide a CSI driver that requests tokens of ten years'
dev create --dry-run=server -f - <<< "$(nul_driver 315360000)"
refused 'csidriver "nul.example.com" violates Curfew level "baseline": token-lifetime: '
prints 'admission webhook "csidrivers.curfew.dev"'
dev create --dry-run=server -f - <<< "$(nul_driver 3600)"
prints 'csidriver.storage.k8s.io/nul.example.com created (server dry run)'

scenario 'a NUL does not hide a copied token in a variable of a pod'
admin get secret api-token -n shop -o go-template='{{.data.token | base64decode}}'
becomes nul-holder
nul_pod() {
    printf '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"leak","annotations":{"a":"\\u0000"}},%s%s%s' \
        '"spec":{"containers":[{"name":"main","image":"localhost/curfew-e2e:1","env":[{"name":"TOKEN","value":"' \
        "$(cat "$E2E_WORK/certs/nul-holder.token")" '"}]}]}}'
}
dev create --dry-run=server -n shop -f - <<< "$(nul_pod)"
refused 'pod "leak" violates Curfew level "restricted": copied-token: '
prints_not eyJ
rm -f "$E2E_WORK"/many*.json
