# SPDX-License-Identifier: Apache-2.0
# calls.sh - single requests: contents, retries, limits, errors. Sourced by run.sh.

k=$work/k
kubeconfig "$k" "server: https://127.0.0.1:$main
certificate-authority: ca/good.pem" "token: $token"

out=$(call '/echo/a?limit=5' --accept 'application/json;as=Table')
matches 'a call is answered' '^status 200' "$out"
matches 'the path is kept' '"path": "/echo/a?limit=5"' "$out"
matches 'the token is sent' "\"token\": \"$token\"" "$out"
matches 'the Accept header is sent' '"accept": "application/json;as=Table"' "$out"
out=$(timeout 60 "$client" call PATCH /echo/p --kubeconfig "$k" --body '{"a":1}' \
    --type application/merge-patch+json)
matches 'a body is sent' '"body": "{\\"a\\":1}"' "$out"
matches 'the content type is sent' '"type": "application/merge-patch+json"' "$out"
matches 'the method is sent' '"method": "PATCH"' "$out"
out=$(timeout 60 "$client" call DELETE /echo/d --kubeconfig "$k")
matches 'DELETE has no body' '"method": "DELETE".*"body": ""' "$out"
equal 'four calls take one connection' 1 \
    "$(call /echo/keep --repeat 4 | sed -n 's/.*"peer": \([0-9]*\).*/\1/p' | sort -u | wc -l)"
matches 'a 404 is returned' '^status 404' "$(call /nothing)"
equal 'server and namespace' "https://127.0.0.1:$main shop" \
    "$("$client" open --kubeconfig "$k")"

# ---- retries ----

requests_of() { # PATH: how many requests the server got
    call "/requests$1" | sed -n 's/.*"count": \([0-9]*\).*/\1/p'
}

for code in 429 500 503; do
    matches "$code twice, then 200" '^status 200' "$(call /fail/$code/2)"
done
out=$(call /fail/503/99/0 --tries 3)
matches 'the last 503 is returned' '^status 503' "$out"
equal 'after three tries' 3 "$(requests_of /fail/503/99/0)"
out=$(timeout 60 "$client" call POST /fail/503/98 --kubeconfig "$k" --body '{}')
matches 'POST is not retried' '^status 503' "$out"
equal 'POST has one try' 1 "$(requests_of /fail/503/98)"
out=$(timeout 60 "$client" call POST /fail/503/1/0 --kubeconfig "$k" --body '{}' --tries 2)
matches 'POST is retried if the caller requests it' '^status 200' "$out"
began=$(date +%s)
matches '429 with Retry-After' '^status 200' "$(call /fail/429/1/2)"
took=$(($(date +%s) - began))
[ "$took" -ge 2 ] && ok 'Retry-After is obeyed' || fail 'Retry-After is obeyed' "$took s"
began=$(date +%s)
out=$(call /fail/429/9/3600 --cancel-after 500)
matches 'cancelled while waiting for a retry' 'error: .*cancelled, shutting down' "$out"
[ $(($(date +%s) - began)) -le 10 ] && ok 'the retry is cancelled immediately' || fail 'the retry is cancelled immediately' 'it continued to wait'

for where in headers body reset; do
    matches "a connection cut ($where), then a retry" '^status 200' "$(call /cut/$where/2)"
    out=$(call /cut/$where --tries 2)
    matches "always cut ($where): an error" "^error: https://127.0.0.1:$main: " "$out"
    matches "always cut ($where): no status" '^status 0' "$out"
done
out=$(call /slow/5 --timeout 1 --tries 1)
matches 'a response that takes too long' '^error: .*[Tt]imed\{0,1\} \{0,1\}out' "$out"
began=$(date +%s)
out=$(call /slow/15 --cancel-after 500)
matches 'cancelled while waiting for a response' 'error: .*cancelled, shutting down' "$out"
[ $(($(date +%s) - began)) -le 10 ] && ok 'the response is cancelled immediately' || fail 'the response is cancelled immediately' 'it continued to wait'

# ---- limits ----

matches 'a response of exactly the limit' '^5000 bytes' "$(call /size/5000 --max 5000)"
out=$(call /size/5001 --max 5000)
matches 'a response of one byte more' "^error: https://.*the answer to GET /size/5001 is larger than 5000 bytes" "$out"
equal 'a large response is not requested again' 1 "$(requests_of /size/5001)"
matches 'the next call works' '^status 200' "$(call /size/5002 --max 100000)"

# ---- errors ----

out=$(call /forbidden --verb list --resource 'secrets in the API group ""')
equal '403: the user, the verb and the resource' "error: https://127.0.0.1:$main: RBAC does not allow \
\"system:serviceaccount:curfew-system:curfew\" to list secrets in the API group \"\"; \
grant it with a ClusterRole" "$(printf '%s\n' "$out" | tail -n 1)"
matches '403: its status' '^status 403' "$out"
out=$(call /forbidden/shop --verb get --resource 'the Secret "a"')
matches '403 in a namespace' 'to get the Secret "a" in the namespace "shop"; grant it with a Role or ClusterRole' "$out"
out=$(call /forbidden)
matches '403 without a description by the caller' 'curfew" to GET /forbidden; grant it with a ClusterRole' "$out"
out=$(call /quota --verb create --resource pods)
matches '403 of another kind' 'rejected GET /quota: pods "a" is forbidden: exceeded quota: small' "$out"
out=$(call /bare/403 --verb get --resource pods)
matches '403 without a Status' "does not allow user \"me\" of '$k' to get pods (403)" "$out"
out=$(call /unauthorized)
matches '401: whose credentials' "rejected the credentials of user \"me\" of '$k' (401)" "$out"
equal '401: it was requested twice' 2 "$(requests_of /unauthorized)"

# ---- no server ----

kubeconfig "$work/k.closed" 'server: https://127.0.0.1:1' "token: $token"
out=$("$client" call GET / --kubeconfig "$work/k.closed" --tries 2)
matches 'a port without a listener' '^error: https://127.0.0.1:1: .*onnect' "$out"
kubeconfig "$work/k.name" 'server: https://no-such-host.invalid' "token: $token"
out=$(timeout 60 "$client" call GET / --kubeconfig "$work/k.name" --tries 1)
matches 'an unknown host' '^error: https://no-such-host.invalid: .*resolve' "$out"
