# SPDX-License-Identifier: Apache-2.0
# authorize.sh - SubjectAccessReviews. Sourced by run.sh.

access=$recorded/authorize
inside=$access/pod-bound.get.secrets.web-token.json
outside=$access/pod-bound.create.pods.eviction.legacy-items.json
unrestricted=$access/legacy-token.get.healthz.json
no_opinion='{"apiVersion":"authorization.k8s.io/v1","kind":"SubjectAccessReview","status":{"allowed":false}}'
cat >"$work/restricted.yaml" <<'END'
apiVersion: v1
kind: ServiceAccount
metadata:
  name: web
  namespace: shop
  annotations:
    rbac.kubernetes.io/restricted-by-node: "true"
END

# Unauthenticated callers get no data here; their webhook reviews are still answered.
server "$work/authorize.log" --objects "$access/objects.yaml" --objects "$work/restricted.yaml" ||
    exit 1
for file in "$inside" "$outside" "$unrestricted"; do
    refused "$(basename "$file" .json) by an unauthenticated caller" 403 "$(post /authorize "$file")"
done
refused 'an empty body' 403 "$(post /authorize /dev/null)"
refused 'another method gets 405 first' 405 "$(https /authorize)"
head -c 9000000 /dev/zero >"$work/in"
equal '403 before the body is read' 403 "$(post /authorize "$work/in" -H 'Expect: 100-continue')"
equal 'the 403 has no WWW-Authenticate' '' "$(header WWW-Authenticate)"
check 'the 403 names the flags' "$(cat "$work/body")" grep -q -- '--client-ca or --bearer-jwks' "$work/body"
get /metrics >/dev/null
for line in 'curfew_rejected_requests_total{reason="client"} 5' \
    'curfew_rejected_requests_total{reason="method"} 1'; do
    check "metric: $line" "$(grep rejected "$work/body")" grep -qxF "$line" "$work/body"
done
check 'the log reports a rejected caller' "$(cat "$work/authorize.log")" \
    grep -q '"level":"warn","msg":"a client was refused"' "$work/authorize.log"
stops 'and ends' "$pid"

server "$work/authorize.log" --objects "$access/objects.yaml" --objects "$work/restricted.yaml" \
    --authorize-anonymous || exit 1
for file in "$inside" "$unrestricted" "$access/pod-bound.create.configmaps.json"; do
    name=$(basename "$file" .json)
    equal "$name: 200" 200 "$(post /authorize "$file")"
    equal "$name: no opinion" "$no_opinion" "$(cat "$work/body")"
done
equal 'the content type of a response' application/json "$(header Content-Type)"
equal 'outside: 200' 200 "$(post /authorize "$outside")"
check 'outside: denied, with a reason' "$(cat "$work/body")" \
    grep -qF '"status":{"allowed":false,"denied":true,"reason":"curfew: node-boundary: node \"n1\" has no pod \"shop/legacy-items\";' "$work/body"
check 'outside: without the node of the pod' "$(cat "$work/body")" sh -c '! grep -q n2 "$1"' sh "$work/body"
check 'outside: the log line has the node, the object and the reason' "$(tail -n 3 "$work/authorize.log")" \
    wait_until 5 grep -qF '"node":"n1","reason":"outside the boundary: node \"n1\" has no pod \"shop/legacy-items\" (the pod is bound to node \"n2\")"' "$work/authorize.log"
check 'outside: the log line has the rule' "$(tail -n 3 "$work/authorize.log")" \
    grep -q '"resource":"pods/eviction".*"rule":"node-boundary","decision":"denied"' "$work/authorize.log"
check 'other callers are not logged' "$(tail -n 3 "$work/authorize.log")" \
    sh -c '! grep -q no-opinion "$1"' sh "$work/authorize.log"
sed -e 's,authorization.k8s.io/v1",authorization.k8s.io/v1beta1",' -e 's,"groups":,"group":,' \
    "$outside" >"$work/in"
equal 'v1beta1: 200' 200 "$(post /authorize "$work/in")"
check 'v1beta1 gets a response in v1beta1' "$(cat "$work/body")" \
    grep -q '"apiVersion":"authorization.k8s.io/v1beta1".*"denied":true' "$work/body"

# Malformed reviews.
refused 'an AdmissionReview at /authorize' 400 "$(post /authorize "$good")"
refused 'a SubjectAccessReview at /validate' 400 "$(post /validate "$outside")"
refused 'GET /authorize' 405 "$(https /authorize)"
refused 'another content type' 415 "$(type=text/plain && post /authorize "$outside")"
refused 'no content type' 415 "$(type= && post /authorize "$outside")"
head -c 100 "$outside" >"$work/in"
refused 'half a review' 400 "$(post /authorize "$work/in")"
sed 's,"spec":{,"spec":{"user":"a"\,,' "$outside" >"$work/in"
refused 'duplicate keys' 400 "$(post /authorize "$work/in")"
sed 's,"resourceAttributes":,"nonResourceAttributes":{}\,"resourceAttributes":,' "$outside" >"$work/in"
refused 'about a URL and a resource' 400 "$(post /authorize "$work/in")"

get /metrics >/dev/null
for line in \
    'curfew_reviews_total{endpoint="authorize",operation="READ",resource="secrets",decision="no-opinion"} 1' \
    'curfew_reviews_total{endpoint="authorize",operation="CREATE",resource="other",decision="denied"} 2' \
    'curfew_rule_silent{rule="legacy-token-use"} 1' \
    'curfew_findings_total{rule="node-boundary",mode="enforce"} 2'; do
    check "metric: $line" "$(grep -E 'authorize|boundary|silent' "$work/body")" grep -qxF "$line" "$work/body"
done
stops 'the server of /authorize ends' "$pid"

# Curfew's own account is never denied.
server "$work/authorize.log" --objects "$access/objects.yaml" --objects "$work/restricted.yaml" \
    --service-account shop/web --authorize-anonymous || exit 1
equal 'Curfew itself: 200' 200 "$(post /authorize "$outside")"
equal 'Curfew itself is not denied' "$no_opinion" "$(cat "$work/body")"
stops 'and ends' "$pid"

# The ConfigMaps and Secrets of Curfew's own namespace may be read, but not written.
server "$work/authorize.log" --objects "$access/objects.yaml" --objects "$work/restricted.yaml" \
    --service-account shop/curfew --authorize-anonymous || exit 1
equal 'a Secret of its own namespace: 200' 200 "$(post /authorize "$inside")"
equal 'a Secret of its own namespace may be read' "$no_opinion" "$(cat "$work/body")"
for verb in update patch delete; do
    sed "s,\"verb\":\"get\",\"verb\":\"$verb\"," "$inside" >"$work/in"
    equal "$verb: 200" 200 "$(post /authorize "$work/in")"
    check "$verb: it may not be written" "$(cat "$work/body")" grep -qF \
        'Secret \"shop/web-token\" may only be read: it is in Curfew'"'"'s own namespace' "$work/body"
done
equal 'a create there: 200' 200 "$(post /authorize "$access/pod-bound.create.configmaps.json")"
check 'a create there is denied' "$(cat "$work/body")" \
    grep -qF 'this account may not create configmaps' "$work/body"
stops 'and ends' "$pid"

# Until the first list, the API server's failurePolicy decides immediately. No server runs there.
kubeconfig "$work/nowhere" 'server: http://127.0.0.1:1'
known=$objects objects=
if server "$work/authorize.log" --kubeconfig "$work/nowhere" --service-account curfew-system/curfew \
    --authorize-anonymous; then
    equal 'before the first list: 503' 503 "$(post /authorize "$inside")"
    equal 'before the first list: no Retry-After' '' "$(header Retry-After)"
    check 'before the first list: one plain sentence' "$(cat "$work/body")" is_sentence
    equal 'before the first list: reviews without a lookup get a response' 200 "$(post /authorize "$unrestricted")"
    sed 's,"system:serviceaccount:shop:web","system:serviceaccount:curfew-system:curfew",' \
        "$inside" >"$work/in"
    equal 'before the first list: Curfew itself gets a response' 200 "$(post /authorize "$work/in")"
    equal 'before the first list: a malformed review gets 400' 400 "$(post /authorize "$good")"
fi
objects=$known
stops 'and it ends' "$pid"
