# SPDX-License-Identifier: Apache-2.0
# clients.sh - authentication of callers: client certificates, names, revocation. Sourced by run.sh.

ca=$work/clients
mkdir -p "$ca"

for_clients=extendedKeyUsage=clientAuth
names='subjectAltName=DNS:api.cluster.local,URI:spiffe://cluster/api,email:api@cluster.local,IP:10.1.2.3,IP:fd00::1'

as() { # NAME: a good review with this client's certificate; prints the status
    post /validate "$good" --cert "$ca/$1.pem" --key "$ca/$1.key"
}

# let_in NAME, kept_out NAME [ALERT]
let_in() {
    equal "client certificate: $1" 200 "$(as "$1")"
}

# gets_alert NAME ALERT [s_client flag...]: a client gets the alert. It sends no request: the request of a
# client would cause a reset, which may overtake the alert.
gets_alert() {
    local name="$1" alert="$2"
    shift 2
    matches "$name" "alert $alert" "$(sleep 2 |
        timeout 5 openssl s_client -connect "127.0.0.1:$port" -CAfile "$certs/ca.crt" "$@" 2>&1)"
}

kept_out() {
    equal "client certificate: $1 is rejected" 000 "$(as "$1")"
    [ -z "${2:-}" ] || gets_alert "client certificate: $1 gets an alert" "$2" -cert "$ca/$1.pem" \
        -key "$ca/$1.key"
}

authority api
authority other
leaf right api kube-apiserver $for_clients
leaf no-purpose api kube-apiserver ''
leaf wrong-name api other $for_clients
leaf prefix api kube-apiserver.evil $for_clients
leaf named api agent "$for_clients
$names"
leaf for-servers api kube-apiserver extendedKeyUsage=serverAuth
leaf expired api kube-apiserver $for_clients -startdate 20200101000000Z -enddate 20200201000000Z
leaf future api kube-apiserver $for_clients -startdate 20400101000000Z -enddate 20410101000000Z
leaf other-ca other kube-apiserver $for_clients
leaf revoked api kube-apiserver $for_clients
leaf later api kube-apiserver $for_clients
revocations api
revocations other

# Any certificate of the CA.
server "$work/clients.log" --client-ca "$ca/api.pem" --log-level debug || exit 1
for name in right no-purpose wrong-name named revoked; do let_in $name; done
kept_out expired 'certificate expired'
kept_out future
kept_out other-ca 'unknown ca'
kept_out for-servers 'unsupported certificate'
equal '/authorize is served to callers with a certificate' 200 "$(post /authorize \
    "$recorded/authorize/pod-bound.list.pods.json" --cert "$ca/right.pem" --key "$ca/right.key")"
equal '/authorize is not served to other callers' 000 "$(post /authorize "$recorded/authorize/pod-bound.list.pods.json")"
equal 'no response without a client certificate' 000 "$(post /validate "$good")"
gets_alert 'the client gets an alert over TLS 1.3' 'certificate required'
equal 'no response without a client certificate over TLS 1.2' 000 "$(post /validate "$good" --tls-max 1.2)"
gets_alert 'the client gets an alert over TLS 1.2' 'handshake failure' -tls1_2
equal 'a client certificate over TLS 1.2' 200 \
    "$(post /validate "$good" --tls-max 1.2 --cert "$ca/right.pem" --key "$ca/right.key")"
equal 'a certificate without its key' 000 \
    "$(cat "$ca/right.pem" >"$work/in.pem" && post /validate "$good" --cert "$work/in.pem" \
        --key "$ca/wrong-name.key")"
tls -cert "$ca/right.pem" -key "$ca/right.key" </dev/null
check 'openssl s_client: the server names the CA' "$(grep -A2 'client certificate CA' "$work/tls")" \
    grep -qE "CN ?= ?api" "$work/tls"
check 'openssl s_client: a handshake' "$(tail -n 3 "$work/tls")" grep -q 'New, TLSv1.3' "$work/tls"
check 'the log reports a rejected client' "$(grep refused "$work/clients.log" | head -n 3)" \
    grep -q '"level":"warn","msg":"a client was refused"' "$work/clients.log"
equal 'the probes stay open' 200 "$(get /readyz)"
get /metrics >/dev/null
cp "$work/body" "$work/metrics"
refusals=$(sed -n 's/^curfew_rejected_requests_total{reason="client"} //p' "$work/metrics")
check 'rejected clients are counted' "$refusals" test "$refusals" -ge 7
for i in 1 2 3 4; do
    printf 'url="https://localhost:%s/validate"\noutput="/dev/null"\n' "$port"
done >"$work/urls"
equal 'a certificate is verified once per connection' '200 1 200 0 200 0 200 0 ' \
    "$(curl -sS --cacert "$certs/ca.crt" --cert "$ca/right.pem" --key "$ca/right.key" \
        -H 'Content-Type: application/json' --data-binary "@$good" \
        -w '%{http_code} %{num_connects} ' -K "$work/urls")"
stops 'and ends' "$pid"

# Names, each exactly; and a revocation list.
revoke revoked api
revocations api
cp "$ca/api.pem" "$ca/now.pem"
cp "$ca/api.crl" "$ca/now.crl"
server "$work/names.log" --client-ca "$ca/now.pem" --client-crl "$ca/now.crl" \
    --client-name kube-apiserver --client-name front-proxy || exit 1
let_in right
let_in later
kept_out wrong-name 'access denied'
kept_out prefix 'access denied'
kept_out named 'access denied'
kept_out revoked 'certificate revoked'

# The authorities and their revocation list are reloaded.
revoke later api
revocations api
cp "$ca/api.crl" "$ca/next.crl"
mv "$ca/next.crl" "$ca/now.crl"
wait_until 4 grep -q '"msg":"reloaded","what":"the client CA"' "$work/names.log"
kept_out later 'certificate revoked'
let_in right
cp "$ca/other.crl" "$ca/now.crl"
wait_until 4 grep -q 'not reloaded.*the client CA did not sign' "$work/names.log"
kept_out later 'certificate revoked'
cat "$ca/api.pem" "$ca/other.pem" >"$ca/now.pem"
cat "$ca/api.crl" "$ca/other.crl" >"$ca/now.crl"
wait_until 4 sh -c '[ "$(grep -c "\"reloaded\",\"what\":\"the client CA\"" "$1")" -ge 2 ]' sh "$work/names.log"
let_in other-ca
let_in right
stops 'and ends' "$pid"

for name in api.cluster.local spiffe://cluster/api api@cluster.local 10.1.2.3 fd00::1 agent; do
    server "$work/name.log" --client-ca "$ca/api.pem" --client-name "$name" || exit 1
    equal "a certificate with the name $name" 200 "$(as named)"
    stops 'and ends' "$pid"
done
server "$work/name.log" --client-ca "$ca/api.pem" --client-name cluster.local \
    --client-name 'spiffe://cluster/' --client-name '*' || exit 1
kept_out named 'access denied'
kept_out right 'access denied'
stops 'and ends' "$pid"

printf 'x' >"$work/no.pem"
# shellcheck disable=SC2086 # lists of words, made in lib.sh
{
    refuses 'a missing client CA' 3 'client CA: .*none.pem' $o $pair \
        --client-ca "$work/none.pem"
    refuses 'a client CA without a certificate' 3 "client CA '$work/no.pem'" $o $pair \
        --client-ca "$work/no.pem"
    refuses 'an invalid revocation list' 3 "client CRL '$work/no.pem'" $o $pair \
        --client-ca "$ca/api.pem" --client-crl "$work/no.pem"
    refuses "another authority's revocation list" 3 'did not sign' $o $pair \
        --client-ca "$ca/api.pem" --client-crl "$ca/other.crl"
    refuses 'a client name without a CA' 2 'client-name needs --client-ca' $o $pair \
        --client-name a
    refuses 'a revocation list without a CA' 2 'client-crl needs --client-ca' $o $pair \
        --client-crl a
    refuses 'keys alone' 2 \
        'bearer-jwks needs --bearer-issuer, --bearer-subject, --bearer-audience: ' $o $pair \
        --bearer-jwks a
    refuses 'keys without an issuer' 2 \
        'bearer-jwks needs --bearer-issuer: the keys of a cluster sign the tokens of every pod' $o $pair \
        --bearer-jwks a --bearer-subject a --bearer-audience a
    refuses 'keys without a subject' 2 \
        'bearer-jwks needs --bearer-subject: the keys of a cluster sign the tokens of every pod' \
        $o $pair --bearer-jwks a --bearer-issuer a --bearer-audience a
    refuses 'keys without an audience' 2 \
        'bearer-jwks needs --bearer-audience: the keys of a cluster sign the tokens of every pod' $o $pair \
        --bearer-jwks a --bearer-issuer a --bearer-subject a
    for flag in issuer subject audience; do
        refuses "$flag without keys" 2 "bearer-$flag needs --bearer-jwks" $o $pair --bearer-$flag a
        refuses "$flag without a value" 2 "bearer-$flag must not be empty" $o $pair \
            --bearer-jwks a --bearer-issuer a --bearer-subject a --bearer-audience a --bearer-$flag=
    done
    refuses '/authorize without authentication and with client certificates' 2 \
        'authorize-anonymous excludes --client-ca: ' $o $pair \
        --authorize-anonymous --client-ca "$ca/api.pem"
    refuses '/authorize without authentication and with tokens' 2 \
        'authorize-anonymous excludes --bearer-jwks: ' $o $pair --authorize-anonymous \
        --bearer-jwks a --bearer-issuer a --bearer-subject a --bearer-audience a
}
