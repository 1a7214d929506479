# SPDX-License-Identifier: Apache-2.0
# strict.sh - invalid HTTP is rejected, also where libmicrohttpd accepts it: a proxy could
# interpret it differently. Sourced by run.sh.

# ask LINE...: a request as bytes, each line ended with CR LF, and then the review $good.
ask() {
    { printf '%b\r\n' "$@" && printf '\r\n' && cat "$good"; } | raw
}
size=$(wc -c <"$good")
json='Content-Type: application/json'
status_line() { head -n 1 "$work/raw" | tr -d '\r'; }

# no_http NAME LINE...: 400 with a sentence, one answer, and the connection is closed.
no_http() {
    local name="$1"
    shift
    ask "$@"
    check "$name: 400" "$(head -c 300 "$work/raw")" grep -q '^HTTP/1.[01] 400 ' "$work/raw"
    equal "$name: one answer" 1 "$(grep -c '^HTTP/' "$work/raw")"
    equal "$name: no verdict" 0 "$(grep -c '"allowed"' "$work/raw")"
}
no_http 'a space after a name' 'POST /validate HTTP/1.1' 'Host: l' "$json" "Content-Length: $size" \
    'Transfer-Encoding : chunked'
no_http 'a space in a name' 'POST /validate HTTP/1.1' 'Host: l' "$json" "Content-Length: $size" 'X Y: z'
no_http 'a tab after a name' 'POST /validate HTTP/1.1' 'Host: l' "$json" "Content-Length: $size" 'X-Y\t: z'
no_http 'a name in UTF-8' 'POST /validate HTTP/1.1' 'Host: l' "$json" "Content-Length: $size" 'X-\303\244: z'
no_http 'no Host' 'POST /validate HTTP/1.1' "$json" "Content-Length: $size"
no_http 'two Hosts' 'POST /validate HTTP/1.1' 'Host: l' 'Host: m' "$json" "Content-Length: $size"
no_http 'a Host before a space' 'POST /validate HTTP/1.1' 'Host : l' "$json" "Content-Length: $size"
no_http 'a control character in a value' 'POST /validate HTTP/1.1' 'Host: l' 'X: a\001b' "$json" \
    "Content-Length: $size"
case $(sed -n 's/.*libmicrohttpd \([0-9.]*\).*/\1/p' "$work/main.log" | head -n 1) in
0.9.*) ;; # it ends the header at the NUL, and all headers at one without a name, before Curfew sees them
*)
    no_http 'a NUL in a value' 'POST /validate HTTP/1.1' 'Host: l' 'X: a\000b' "$json" "Content-Length: $size"
    no_http 'no name' 'POST /validate HTTP/1.1' 'Host: l' "$json" "Content-Length: $size" ': z'
    ;;
esac
no_http 'a NUL in the target' 'POST /validate%00 HTTP/1.1' 'Host: l' "$json" "Content-Length: $size"
no_http 'a NUL in the query' 'POST /validate?timeout=1%00s HTTP/1.1' 'Host: l' "$json" "Content-Length: $size"
ask 'POST /validate HTTP/1.1' 'Host: l' "$json" "Content-Length: $size" \
    'X-!#$%&'"'"'*+-.^_`|~9: all that a name may hold' 'Y: a\tb \303\244' 'Connection: close'
equal 'valid characters in a name are accepted' 'HTTP/1.1 200 OK' "$(status_line)"

ask 'POST https://localhost/validate HTTP/1.1' 'Host: l' "$json" "Content-Length: $size"
equal 'an absolute target' 'HTTP/1.1 404 Not Found' "$(status_line)"
for path in /%76alidate /validat%65 /%2Fvalidate /validate%2f; do
    ask "POST $path HTTP/1.1" 'Host: l' "$json" "Content-Length: $size" 'Connection: close'
    case $path in
    *2F* | *2f*) want='HTTP/1.1 404 Not Found' ;;
    *) want='HTTP/1.1 200 OK' ;;
    esac
    equal "the path $path" "$want" "$(status_line)"
done
ask 'POST /validate HTTP/1.0' "$json" "Content-Length: $size"
equal 'HTTP/1.0, without a Host' 200 "$(status_line | cut -d' ' -f2)"
equal 'HTTP/1.0: the connection is closed after the response' 1 "$(grep -c '"allowed":' "$work/raw")"
# too_large NAME LINE...: 431. The answer comes before the client has sent everything: when the connection
# is closed with bytes unread, TCP resets it, and the client may lose the answer. So it retries.
too_large() {
    local name="$1" try
    shift
    for try in 1 2 3 4 5; do
        ask 'POST /validate HTTP/1.1' 'Host: l' "$@" "$json" "Content-Length: $size"
        [ ! -s "$work/raw" ] || break
    done
    equal "$name" 431 "$(status_line | cut -d' ' -f2)"
}
too_large 'a header that is too long' "X: $(head -c 20000 /dev/zero | tr '\0' a)"
too_large 'too many headers' "$(for i in $(seq 2000); do printf 'X-%d: a\\r\\n' "$i"; done)Y: b"

# The plain ports, too.
for at in "$probes /livez" "$plain /version"; do
    for bad in 'Host : l' 'X: y'; do
        printf 'GET %s HTTP/1.1\r\n%s\r\nConnection: close\r\n\r\n' "${at#* }" "$bad" |
            timeout 5 curl -sN "telnet://127.0.0.1:${at% *}" >"$work/raw" 2>/dev/null
        check "GET ${at#* } with '$bad' alone: 400" "$(cat "$work/raw")" grep -q '^HTTP/1.1 400 ' "$work/raw"
    done
done
matches 'they are counted' '^curfew_rejected_requests_total{reason="header"} [1-9]' \
    "$(curl -sS "http://127.0.0.1:$plain/metrics")"
check 'and a good review is still answered' 'it is not' answers
