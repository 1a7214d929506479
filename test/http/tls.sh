# SPDX-License-Identifier: Apache-2.0
# tls.sh - versions, ciphers, ALPN, certificates. Sourced by run.sh.

tls -tls1_3 </dev/null
check 'TLS 1.3' "$(tail -n 3 "$work/tls")" grep -qE '(New,|Protocol:) TLSv1.3' "$work/tls"
tls -tls1_2 </dev/null
check 'TLS 1.2' "$(tail -n 3 "$work/tls")" grep -q 'New, TLSv1.2' "$work/tls"
for version in tls1_1 tls1; do
    tls -$version -cipher DEFAULT@SECLEVEL=0 </dev/null
    check "$version is refused" "$(grep 'Cipher is' "$work/tls")" grep -q '(NONE)' "$work/tls"
done
for cipher in ECDHE-ECDSA-AES128-SHA ECDHE-ECDSA-AES128-SHA256 AES128-GCM-SHA256 AES128-SHA; do
    tls -tls1_2 -cipher "$cipher" </dev/null
    check "$cipher is refused" "$(grep 'Cipher is' "$work/tls")" grep -q '(NONE)' "$work/tls"
done
for cipher in ECDHE-ECDSA-AES128-GCM-SHA256 ECDHE-ECDSA-CHACHA20-POLY1305; do
    tls -tls1_2 -cipher "$cipher" </dev/null
    check "$cipher" "$(tail -n 3 "$work/tls")" grep -q "Cipher is $cipher" "$work/tls"
done
tls -alpn h2,http/1.1 </dev/null
check 'h2 and http/1.1 offered: http/1.1' "$(grep ALPN "$work/tls")" \
    grep -q 'ALPN protocol: http/1.1' "$work/tls"
tls -alpn h2 </dev/null
check 'h2 alone: no ALPN' "$(grep ALPN "$work/tls")" grep -q 'No ALPN' "$work/tls"
equal 'curl --http2 gets HTTP/1.1' '200 1.1' \
    "$(post /validate "$good" --http2 -w '%{http_code} %{http_version}')"
equal 'the name in the cluster' 200 "$(curl -sS --cacert "$certs/ca.crt" -o /dev/null \
    -w '%{http_code}' --connect-to "curfew.curfew-system.svc:443:127.0.0.1:$port" \
    -H 'Content-Type: application/json' --data-binary "@$good" \
    https://curfew.curfew-system.svc/validate)"
ca=$work
authority other
curl -sS --cacert "$work/other.pem" "https://localhost:$port/validate" >/dev/null 2>&1
equal 'another CA: the client rejects the certificate' 60 $?
curl -sS -o /dev/null "http://127.0.0.1:$port/validate" 2>/dev/null
check 'plain HTTP on the TLS port gets nothing' "curl: $?" test $? -ne 0
check 'after all of them a good review is answered' 'it is not' answers

# Errors of a pair are reported at the start.
printf 'x' >"$work/no.pem"
: >"$work/empty.pem"
openssl ecparam -name prime256v1 -genkey -noout 2>/dev/null |
    openssl ec -aes128 -passout pass:x -out "$work/locked.key" 2>/dev/null
leaf old other old '' -startdate 20200101000000Z -enddate 20200201000000Z
leaf new other new '' -startdate 20400101000000Z -enddate 20410101000000Z
# shellcheck disable=SC2086
{
    refuses 'no flags' 2 'kubeconfig is required outside of a pod, or --objects'
    refuses 'no certificate' 2 'tls-secret is required, or --tls-cert and --tls-key' $o
    refuses 'no key' 2 'tls-cert needs --tls-key' $o --tls-cert "$certs/tls.crt"
    refuses 'a missing certificate' 3 "$work/none.pem" $o --tls-cert "$work/none.pem" \
        --tls-key "$certs/tls.key"
    refuses 'a certificate file without one' 3 "certificate '$work/no.pem'" $o \
        --tls-cert "$work/no.pem" --tls-key "$certs/tls.key"
    refuses 'an empty certificate file' 3 "certificate '$work/empty.pem'" $o \
        --tls-cert "$work/empty.pem" --tls-key "$certs/tls.key"
    refuses 'a missing key' 3 "$work/none.key" $o --tls-cert "$certs/tls.crt" \
        --tls-key "$work/none.key"
    refuses 'a key file without one' 3 "key '$work/no.pem'" $o --tls-cert "$certs/tls.crt" \
        --tls-key "$work/no.pem"
    refuses 'a key with a password' 3 "key '$work/locked.key'" $o --tls-cert "$certs/tls.crt" \
        --tls-key "$work/locked.key"
    refuses "another certificate's key" 3 'does not match' $o --tls-cert "$certs/tls.crt" \
        --tls-key "$work/other.key"
    refuses 'an expired certificate' 3 'has expired: .*2020-02-01' $o --tls-cert "$work/old.pem" \
        --tls-key "$work/old.key"
    refuses 'a certificate from the future' 3 'not valid yet: .*2040-01-01' $o \
        --tls-cert "$work/new.pem" --tls-key "$work/new.key"
    refuses 'an invalid address' 2 'not an address to listen on' $o $pair --listen 8443x
    refuses 'an address of another machine' 3 "cannot listen on '192.0.2.1:0'" $o $pair --listen 192.0.2.1:0
    refuses 'a port in use' 3 "cannot listen on '127.0.0.1:$port': Address already in use" $o $pair \
        --listen "127.0.0.1:$port"
    refuses 'a plain port in use' 3 "cannot listen on '127.0.0.1:$plain': Address already in use" $o \
        $pair --probe-listen 127.0.0.1:0 --metrics-listen "127.0.0.1:$plain"
}
