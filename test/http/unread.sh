# SPDX-License-Identifier: Apache-2.0
# unread.sh - verdicts on unreadable reviews, and their entries in the log and the
# metrics. Sourced by run.sh. (bad_input.sh has all kinds of unreadable reviews.)

cat >"$work/unread.curfew.yaml" <<'END'
apiVersion: curfew.dev/v1alpha1
kind: CurfewConfiguration
exemptions: {namespaces: [kube-system], usernames: [boss], groups: [ops]}
END
{
    cat "$objects"
    cat <<'END'
---
apiVersion: v1
kind: Namespace
metadata: {name: free, labels: {curfew.dev/enforce: privileged}}
END
} >"$work/unread.objects.yaml"

known=$objects objects=$work/unread.objects.yaml
server "$work/unread.log" --config "$work/unread.curfew.yaml" || exit 1
objects=$known

# unreadable NAMESPACE USER [SED...]: a pod's review with a member of the wrong type.
unreadable() {
    local namespace="$1" user="$2"
    shift 2
    pod true | sed -e "s|\"namespace\":\"shop\"|\"namespace\":\"$namespace\"|g" \
        -e "s|\"alice\"|\"$user\"|" "$@" >"$work/in"
}

# passes NAME ANNOTATIONS: what is in $work/in, at both phases; a basic regular expression.
passes() {
    local path
    for path in /mutate /validate; do
        equal "$1 at $path: the status" 200 "$(post $path "$work/in")"
        check "$1 at $path" "$(cat "$work/body")" grep -q \
            "\"allowed\":true,.*\"auditAnnotations\":{$2\"unread\":\"[^\"]* must be [^\"]*\"}}}\$" "$work/body"
    done
}

# stays_denied NAME
stays_denied() {
    local path
    for path in /mutate /validate; do
        verdict "$1 at $path" 400 BadRequest ' must be .*' "$(post $path "$work/in")"
    done
}

unreadable shop alice && stays_denied 'at restricted'
unreadable lab alice && stays_denied 'at the defaults'
unreadable free alice && passes 'at privileged' '"enforce-level":"privileged",'
unreadable kube-system alice &&
    passes 'in an exempt namespace' '"enforce-level":"baseline","exempt":"namespace",'
unreadable shop boss && passes 'by an exempt user' '"exempt":"user",'
unreadable shop alice -e 's|"system:authenticated"|"ops"|' &&
    passes 'by an exempt group' '"exempt":"group",'

deployment='"kind":{"group":"apps","version":"v1","kind":"Deployment"}'
unreadable shop alice -e "s|\"kind\":{[^}]*}|$deployment|" -e 's|"pods"|"deployments"|' \
    -e 's|"spec":{"containers".*,"oldObject"|"spec":true},"oldObject"|' &&
    passes 'a template' '"enforce-level":"restricted",'
check 'a template: the warning' "$(cat "$work/body")" grep -qF \
    '"warnings":["deployment \"p\" could not be evaluated: request.object.spec must be an object, not a boolean"]' \
    "$work/body"

driver='"kind":{"group":"storage.k8s.io","version":"v1","kind":"CSIDriver"}'
unreadable free alice -e "s|\"kind\":{[^}]*}|$driver|" -e 's|"pods"|"csidrivers"|' \
    -e 's|"namespace":"free",||' -e 's|"spec":{"containers".*,"oldObject"|"spec":true},"oldObject"|' &&
    stays_denied 'a driver'

# Some objects are always evaluated, also at privileged and in an exempt namespace.
agent='"system:serviceaccount:shop:node-agent"'
for namespace in free kube-system; do
    unreadable $namespace node -e "s|\"node\"|$agent|" &&
        stays_denied "a restricted account's pod in $namespace"
    unreadable $namespace alice -e 's|"version":"v1","kind":"Pod"|"version":"v1","kind":"ServiceAccount"|' \
        -e 's|"pods"|"serviceaccounts"|' -e 's|"metadata":{"name":"p"|"metadata":{"name":true|' &&
        stays_denied "an account in $namespace"
done

get /metrics >/dev/null
check 'denials are counted' "$(grep curfew_reviews "$work/body")" grep -q \
    '^curfew_reviews_total{endpoint="validate",operation="CREATE",resource="csidrivers",decision="denied"} 1$' \
    "$work/body"
check 'allowed reviews are counted' "$(grep curfew_reviews "$work/body")" grep -q \
    '^curfew_reviews_total{endpoint="mutate",operation="CREATE",resource="pods",decision="allowed"} 4$' \
    "$work/body"
check 'the reason is counted' "$(grep rejected "$work/body")" grep -q \
    '^curfew_rejected_requests_total{reason="review"} [1-9]' "$work/body"
check 'no JSON error is counted' "$(grep rejected "$work/body")" grep -q \
    '^curfew_rejected_requests_total{reason="json"} 0$' "$work/body"
pod 3600 | head -c 600 >"$work/in"
verdict 'half a review' 400 BadRequest 'byte 600: unexpected end' "$(post /validate "$work/in")"
get /metrics >/dev/null
check 'the JSON error is counted' "$(grep rejected "$work/body")" grep -q \
    '^curfew_rejected_requests_total{reason="json"} 1$' "$work/body"

# The last log line before that of the metrics: user, object, path and reason.
check 'the log says why' "$(tail -n 1 "$work/unread.log")" wait_until 5 grep -q \
    '"level":"warn","msg":"review at /validate: invalid JSON at byte 600: unexpected end","uid":"11111111-.*,"user":"alice","operation":"CREATE","resource":"pods","namespace":"shop","name":"p","decision":"denied"' \
    "$work/unread.log"
check 'allowed reviews have a log line too' "$(grep -c '"decision":"allowed"' "$work/unread.log")" grep -q \
    '"level":"warn","msg":"review at /mutate: request.object.spec.*"user":"boss".*"decision":"allowed"' \
    "$work/unread.log"
stops 'and ends' "$pid"
