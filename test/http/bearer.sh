# SPDX-License-Identifier: Apache-2.0
# bearer.sh - bearer tokens of API servers. Sourced by run.sh, after clients.sh.

base64url() {
    openssl base64 -A | tr '+/' '-_' | tr -d '='
}

# rsa_key NAME: a key, and in NAME.jwk its public half.
rsa_key() {
    openssl genrsa -out "$work/$1.key" 2048 2>/dev/null
    # SEQUENCE, INTEGER, a zero byte: then the 256 of the modulus.
    printf '{"kty":"RSA","use":"sig","alg":"RS256","kid":"%s","e":"AQAB","n":"%s"}' "$1" \
        "$(openssl rsa -in "$work/$1.key" -RSAPublicKey_out -outform DER 2>/dev/null |
            tail -c +10 | head -c 256 | base64url)" >"$work/$1.jwk"
}

# token KEY CLAIMS [HEADER]
token() {
    local head body header="{\"alg\":\"RS256\",\"kid\":\"$1\"}"
    head=$(printf '%s' "${3:-$header}" | base64url)
    body=$(printf '%s' "$2" | base64url)
    printf '%s.%s.' "$head" "$body"
    printf '%s.%s' "$head" "$body" | openssl dgst -sha256 -sign "$work/$1.key" | base64url
}

# with TOKEN [curl flag...]: a good review with this token; prints the status.
with() {
    local secret="$1"
    shift
    post /validate "$good" -H "Authorization: Bearer $secret" "$@"
}

now=$(date +%s)
claims="\"iss\":\"i\",\"sub\":\"system:serviceaccount:kube-system:api\",\"iat\":$now"
rsa_key one
rsa_key two
printf '{"keys":[%s]}' "$(cat "$work/one.jwk")" >"$work/jwks.json"
server "$work/bearer.log" --bearer-jwks "$work/jwks.json" --bearer-issuer i \
    --bearer-subject system:apiserver --bearer-subject 'system:serviceaccount:kube-system:ap*' \
    --bearer-audience curfew --bearer-audience https://curfew.curfew-system.svc:443/validate \
    --log-level debug || exit 1
right=$(token one "{$claims,\"aud\":[\"curfew\",\"x\"],\"exp\":$((now + 600)),\"nbf\":$now}")
equal '/authorize without a token' 401 "$(post /authorize "$recorded/authorize/pod-bound.list.pods.json")"
equal '/authorize with a right token' 200 "$(post /authorize \
    "$recorded/authorize/pod-bound.list.pods.json" -H "Authorization: Bearer $right")"
equal 'a valid bearer token' 200 "$(with "$right")"
equal 'a token with its audience as a string' 200 \
    "$(with "$(token one "{$claims,\"aud\":\"curfew\",\"exp\":$((now + 600))}")")"
equal 'another audience that is accepted' 200 "$(with "$(token one \
    "{$claims,\"aud\":\"https://curfew.curfew-system.svc:443/validate\",\"exp\":$((now + 600))}")")"
equal 'another subject that is accepted' 200 "$(with "$(token one \
    "{\"iss\":\"i\",\"sub\":\"system:apiserver\",\"aud\":\"curfew\",\"exp\":$((now + 600))}")")"
equal 'the scheme in lower case' 200 \
    "$(post /validate "$good" -H "authorization: bearer $right")"

# denied NAME [curl flag...]
unauthorized() {
    local name="$1" code
    shift
    code=$(post /validate "$good" "$@")
    if [ "$code" = 401 ] && [ "$(header WWW-Authenticate)" = Bearer ] && is_sentence; then
        ok "401: $name"
    else
        fail "401: $name" "status $code" "$(head -c 300 "$work/body")" "$(cat "$work/curl.err")"
    fi
}

bad_token() {
    unauthorized "$1" -H "Authorization: Bearer $2"
}

in_time="\"exp\":$((now + 600))"
unauthorized 'no token'
unauthorized 'another scheme' -u a:b
unauthorized 'two of them' -H "Authorization: Bearer $right" -H "Authorization: Bearer $right"
bad_token 'no JWT' abc
bad_token 'cut' "$(printf '%s' "$right" | head -c 100)"
bad_token 'another signature' "$(printf '%s' "$right" | sed 's/\.[^.]*$//').$(printf x | base64url)"
bad_token 'another key' "$(token two "{$claims,\"aud\":\"curfew\",$in_time}")"
bad_token "another key under this one's name" \
    "$(token two "{$claims,\"aud\":\"curfew\",$in_time}" '{"alg":"RS256","kid":"one"}')"
bad_token 'another audience' "$(token one "{$claims,\"aud\":[\"vault\"],$in_time}")"
bad_token 'no audience' "$(token one "{$claims,$in_time}")"
# The same key signs the tokens of all pods of the cluster.
of() {
    token one "{$1\"aud\":\"curfew\",$in_time}"
}
bad_token 'another subject' "$(of '"iss":"i","sub":"system:serviceaccount:shop:any",')"
bad_token 'a subject that a glob does not match' \
    "$(of '"iss":"i","sub":"x:system:serviceaccount:kube-system:api",')"
bad_token 'no subject' "$(of '"iss":"i",')"
bad_token 'an empty subject' "$(of '"iss":"i","sub":"",')"
bad_token 'another issuer' "$(of '"iss":"i2","sub":"system:apiserver",')"
bad_token 'no issuer' "$(of '"sub":"system:apiserver",')"
bad_token 'an empty issuer' "$(of '"iss":"","sub":"system:apiserver",')"
bad_token 'expired' "$(token one "{$claims,\"aud\":\"curfew\",\"exp\":$((now - 120))}")"
bad_token 'no end' "$(token one "{$claims,\"aud\":\"curfew\"}")"
bad_token 'not yet' "$(token one "{$claims,\"aud\":\"curfew\",$in_time,\"nbf\":$((now + 300))}")"
bad_token 'alg none' \
    "$(token one "{$claims,\"aud\":\"curfew\",$in_time}" '{"alg":"none","kid":"one"}')"
bad_token 'alg HS256' \
    "$(token one "{$claims,\"aud\":\"curfew\",$in_time}" '{"alg":"HS256","kid":"one"}')"
head -c 9000000 /dev/zero >"$work/in"
equal '401 before the body is read' 401 "$(post /validate "$work/in" -H 'Expect: 100-continue')"
equal '/authorize: 401 before the body is read, too' 401 \
    "$(post /authorize "$work/in" -H 'Expect: 100-continue')"
equal 'the probes stay open' 200 "$(get /readyz)"
get /metrics >/dev/null
refusals=$(sed -n 's/^curfew_rejected_requests_total{reason="client"} //p' "$work/body")
check 'rejected tokens are counted' "$refusals" test "$refusals" -ge 22

# The keys are reloaded.
printf '{"keys":[]}' >"$work/jwks.json"
wait_until 4 grep -q 'not reloaded.*the bearer keys' "$work/bearer.log"
equal 'invalid keys have no effect' 200 "$(with "$right")"
printf '{"keys":[%s]}' "$(cat "$work/two.jwk")" >"$work/jwks.json"
wait_until 4 grep -q '"reloaded","what":"the bearer keys"' "$work/bearer.log"
bad_token 'of a key that was taken away' "$right"
right=$(token two "{$claims,\"aud\":\"curfew\",$in_time}")
equal 'a token of the new key' 200 "$(with "$right")"
stops 'and ends' "$pid"

# Both: a certificate and a token.
server "$work/both.log" --bearer-jwks "$work/jwks.json" --bearer-issuer i --bearer-subject '*' \
    --bearer-audience curfew \
    --client-ca "$ca/api.pem" --client-name kube-apiserver || exit 1
equal 'both: a token and no certificate' 000 "$(with "$right")"
unauthorized 'both: a certificate and no token' --cert "$ca/right.pem" --key "$ca/right.key"
equal 'both: both' 200 "$(with "$right" --cert "$ca/right.pem" --key "$ca/right.key")"
stops 'and ends' "$pid"
