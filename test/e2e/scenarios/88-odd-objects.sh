# SPDX-License-Identifier: Apache-2.0
# 88-odd-objects.sh - objects that are hard to read, from a user who may edit one namespace: an API server
# accepts them, and a restarted Curfew still reads all other objects.
# shellcheck shell=bash

metric() {
    curl -s http://127.0.0.1:8080/metrics | awk -v want="$1" '$1 == want { print $2 }'
}

# posts RESOURCE [NAMESPACE]: posts stdin unchanged as the editor.
posts() {
    cat > "$E2E_WORK/posted.json"
    person editor create --raw "/api/v1/namespaces/${2:-ci}/$1" -f "$E2E_WORK/posted.json"
    prints '"uid"'
    said='(an object)'
}

# managed: managedFields with two keys that differ by a NUL.
managed() {
    printf '%s' '"managedFields":[{"manager":"x","operation":"Update","apiVersion":"v1",' \
        '"time":"2026-01-01T00:00:00Z","fieldsType":"FieldsV1","fieldsV1":' \
        '{"f:metadata":{"f:annotations":{".":{},"f:a\u0000":{},"f:a\ufffd":{}}}}}]'
}

scenario 'odd objects: a user with ClusterRole edit in one namespace creates objects that are hard to read'
admin create serviceaccount editor -n ci
for namespace in ci lab; do
    admin create rolebinding editor -n "$namespace" --clusterrole=edit --serviceaccount=ci:editor
done
dev create token editor -n ci --duration 1h
becomes editor
posts persistentvolumeclaims << 'END'
{"apiVersion":"v1","kind":"PersistentVolumeClaim","metadata":{"name":"poison"},"spec":{
"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi","a\u0000":"1","a\ufffd":"1"}}}}
END
posts serviceaccounts << END
{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"poison",$(managed)}}
END
posts pods << END
{"apiVersion":"v1","kind":"Pod","metadata":{"name":"poison",$(managed)},"spec":{"schedulingGates":[{"name":"example.com/wait"}],
"automountServiceAccountToken":false,"containers":[{"name":"c","image":"localhost/curfew-e2e:1"}]}}
END
# More values than Curfew reads; not denied at level privileged.
{
    printf '%s' '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"many"},"spec":{"schedulingGates":[{"name":"example.com/wait"}],' \
        '"automountServiceAccountToken":false,' \
        '"containers":[{"name":"c","image":"localhost/curfew-e2e:1","args":[""'
    awk 'BEGIN { for (i = 0; i < 310000; i++) printf ",\"\"" }'
    printf ']}]}}'
} > "$E2E_WORK/many.json"
posts pods lab < "$E2E_WORK/many.json"

scenario 'odd objects: a restarted Curfew is ready, and counts the object that it cannot read completely'
curfew_stop
curfew_start
check 'the pod with too many values is counted' \
    [ "$(metric 'curfew_watch_objects_unread_total{resource="pods"}')" -ge 1 ]
check 'the log names it' \
    grep -q '"name":"many".*"reason":"invalid JSON: more than 300000 values"' "$E2E_WORK/log/curfew.log"
for resource in serviceaccounts persistentvolumeclaims pods; do
    check "no list or watch of $resource failed" \
        [ "$(metric "curfew_watch_failures_total{resource=\"$resource\",reason=\"broken\"}")" = 0 ]
done

scenario 'odd objects: admission of other objects works'
dev create --dry-run=server -f - << 'END'
apiVersion: v1
kind: Secret
metadata: {name: unread-token, namespace: ci, annotations: {kubernetes.io/service-account.name: default}}
type: kubernetes.io/service-account-token
END
refused 'secret "unread-token" violates Curfew level "baseline": legacy-token-secret'
dev run beside -n ci --image=localhost/curfew-e2e:1 --restart=Never --dry-run=server
prints 'pod/beside created'

scenario 'odd objects: an account with a NUL in managedFields can be restricted by node'
was=$(metric curfew_accounts_restricted_by_node)
dev annotate serviceaccount poison -n ci rbac.kubernetes.io/restricted-by-node=true
prints 'serviceaccount/poison annotated'
restricted() {
    said=$(metric curfew_accounts_restricted_by_node)
}
until_it_prints "$((was + 1))" restricted
dev annotate serviceaccount poison -n ci rbac.kubernetes.io/restricted-by-node-
refused 'serviceaccount "poison" violates Curfew: restricted-by-node-annotation'

scenario 'odd objects: they can be deleted'
person editor delete serviceaccount poison -n ci
prints 'serviceaccount "poison" deleted'
until_it_prints "$was" restricted
person editor delete persistentvolumeclaim poison -n ci --wait=false
person editor delete pod poison -n ci --force
person editor delete pod many -n lab --force
admin delete rolebinding editor -n lab
admin delete rolebinding/editor serviceaccount/editor -n ci
