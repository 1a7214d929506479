# SPDX-License-Identifier: Apache-2.0
# trust.sh - server certificates, client certificates, names and proxies. Sourced by run.sh.

k=$work/t
trusts() { # CLUSTER-LINES [USER-LINES]: what /echo says
    kubeconfig "$k" "$1" "${2:-token: $token}"
    call /echo/trust --tries 1
}

out=$(trusts "server: https://127.0.0.1:$main
certificate-authority: $ca/other.pem")
matches 'another authority' "^error: https://127.0.0.1:$main: the server certificate is not valid for \
cluster \"here\" of '$k': .*certificate" "$out"
out=$(trusts "server: https://127.0.0.1:$main")
if [ -e /etc/ssl/certs/ca-certificates.crt ]; then
    matches 'without an authority: those of the system' 'the server certificate is not valid' "$out"
else
    matches 'without an authority, on a system without any' \
        "^error: cluster \"here\" of '$k' has no certificate-authority, and this system has no CA certificates" "$out"
fi
out=$(trusts "server: https://127.0.0.1:$main
certificate-authority-data: $(base64 -w0 <"$ca/good.pem")")
matches 'the authority as data' '^status 200' "$out"
out=$(trusts "server: https://127.0.0.1:$main
certificate-authority-data: $(cat "$ca/other.pem" "$ca/good.pem" | base64 -w0)")
matches 'two authorities' '^status 200' "$out"
out=$(trusts "server: https://localhost:$main/
certificate-authority: ca/good.pem")
matches 'another name of the certificate' '^status 200' "$out"
out=$(trusts "server: https://127.0.0.1:$main
insecure-skip-tls-verify: true")
matches 'insecure-skip-tls-verify' '^status 200' "$out"
out=$(trusts "server: https://127.0.0.1:$main
certificate-authority: $work/token")
matches 'an invalid authority' 'certificate-authority contains no PEM certificate' "$out"

api_server expired --cert "$ca/expired.pem" --key "$ca/expired.key"
out=$(trusts "server: https://127.0.0.1:$port
certificate-authority: ca/good.pem")
matches 'an expired certificate' 'not valid for cluster .*expired' "$out"

api_server named --cert "$ca/named.pem" --key "$ca/named.key"
out=$(trusts "server: https://127.0.0.1:$port
certificate-authority: ca/good.pem")
matches 'a certificate for another name' 'the server certificate is not valid' "$out"
out=$(trusts "server: https://127.0.0.1:$port/k8s/
certificate-authority: ca/good.pem
tls-server-name: api.internal")
matches 'a certificate for tls-server-name' '^status 404' "$out"
matches 'the path of the server URL is kept' '/k8s/echo/trust' "$out"
out=$(trusts "server: https://127.0.0.1:$port
certificate-authority: ca/good.pem
tls-server-name: api.internal")
matches 'the Host header is unchanged' "\"host\": \"127.0.0.1:$port\"" "$out"

# ---- client certificates ----

out=$(trusts "server: https://127.0.0.1:$main
certificate-authority: ca/good.pem" 'client-certificate: ca/me.pem
client-key: ca/me.key')
matches 'a client certificate' '"client": "me"' "$out"
out=$(trusts "server: https://127.0.0.1:$main
certificate-authority: ca/good.pem" "client-certificate-data: $(base64 -w0 <"$ca/me.pem")
client-key-data: $(base64 -w0 <"$ca/me.key")")
matches 'a client certificate as data' '"client": "me"' "$out"
out=$(trusts "server: https://127.0.0.1:$main
certificate-authority: ca/good.pem" 'client-certificate: ca/me.pem
client-key: ca/named.key')
matches 'a key of another certificate' "user \"me\" of '$k': cannot use its client certificate and key" "$out"

api_server plain
out=$(trusts "server: http://127.0.0.1:$port")
matches 'no token over plain HTTP' "error: cluster \"here\" of '$k': the server is 'http://.*never sent" "$out"
out=$(trusts "server: http://127.0.0.1:$port" '{}')
matches 'plain HTTP without a token (kubectl proxy)' '"token": ""' "$out"

# ---- proxies ----

api_server proxy --proxy
out=$(trusts "server: https://127.0.0.1:$main
certificate-authority: ca/good.pem
proxy-url: http://127.0.0.1:$port")
matches 'through a proxy' '^status 200' "$out"
equal 'the proxy got the request' "127.0.0.1:$main" "$(cat "$work/proxy.port.count")"
out=$(trusts "server: https://127.0.0.1:$main
certificate-authority: ca/good.pem
proxy-url: http://127.0.0.1:1")
matches 'an unreachable proxy' '^error: .*proxy\|^error: .*onnect' "$out"
kubeconfig "$k" "server: https://127.0.0.1:$main
certificate-authority: ca/good.pem" "token: $token"
rm -f "$work/proxy.port.count"
out=$(https_proxy=http://127.0.0.1:$port call /echo/trust)
equal "the environment's proxy" "127.0.0.1:$main" "$(cat "$work/proxy.port.count")"
