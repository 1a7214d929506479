# SPDX-License-Identifier: Apache-2.0
# namespaces.sh - the labels of a namespace: invalid and lowered levels, and the pods that violate a new
# level. Sourced by run.sh.

cat >"$work/namespaces.curfew.yaml" <<'END'
apiVersion: curfew.dev/v1alpha1
kind: CurfewConfiguration
guard: {lowering: true}
END
{
    cat "$objects"
    for name in one two; do
        cat <<END
---
apiVersion: v1
kind: Pod
metadata: {name: $name, namespace: lab, uid: $name}
spec: {volumes: [{name: t, secret: {secretName: lab-token}}]}
END
    done
    cat <<'END'
---
apiVersion: v1
kind: Secret
metadata: {name: lab-token, namespace: lab, annotations: {kubernetes.io/service-account.name: web}}
type: kubernetes.io/service-account-token
END
} >"$work/namespaces.objects.yaml"

# says NAME TEXT [QUERY]: the answer to the review in $work/in has this in it.
says() {
    equal "$1: the status" 200 "$(post "/validate${3-}" "$work/in")"
    check "$1" "$(cat "$work/body")" grep -qF -- "$2" "$work/body"
}

known=$objects objects=$work/namespaces.objects.yaml
server "$work/namespaces.log" --config "$work/namespaces.curfew.yaml" || exit 1
objects=$known
relabel '' '{}' '{"curfew.dev/enforce":"strict"}' >"$work/in"
says 'no level: invalid' '"code":422,"reason":"Invalid","message":"namespace \"lab\" is invalid: namespace-level: '
for sub in '' status finalize; do
    relabel "$sub" '{"curfew.dev/enforce":"restricted"}' '{}' >"$work/in"
    says "lowered through '$sub'" '"code":403,"reason":"Forbidden","message":"namespace \"lab\" violates Curfew: namespace-level: '
done
relabel '' '{}' '{"curfew.dev/enforce":"restricted"}' >"$work/in"
for query in '?timeout=3s' '?timeout=30s' '?timeout=x' '?timeout=' '?timeout=99999999999999999999s' \
    '?a=b&timeout=5s' ''; do
    says "raised, within '$query'" 'legacy-token-mount: pod \"one\" (and 1 other pod): ' "$query"
done
get /metrics >/dev/null
check 'namespaces are counted' "$(grep namespaces "$work/body")" grep -q \
    '^curfew_reviews_total{endpoint="validate",operation="UPDATE",resource="namespaces/finalize",decision="denied"} 1$' \
    "$work/body"
stops 'and ends' "$pid"
