# SPDX-License-Identifier: Apache-2.0
# http.sh - paths, methods, connections, probes. Sourced by run.sh.

for path in / /mutate/ /validate/x /mutate/kubelet/ /authorize/ /livez /readyz /metrics /version; do
    refused "404 for $path" 404 "$(post $path "$good")"
done
for method in GET PUT DELETE PATCH OPTIONS post; do
    refused "405 for $method" 405 "$(https /validate -X $method)"
    https /validate -X $method >/dev/null
    equal "Allow after $method" POST "$(header Allow)"
done
https /validate -I >/dev/null
equal '405 for HEAD' 405 "$(sed -n '1s/.* \([0-9]*\) .*/\1/p' "$work/headers")"
refused '411 without a length' 411 "$(https /validate -X POST -H 'Content-Type: application/json')"
equal 'a query is ignored' 200 "$(post '/validate?timeout=10s' "$good")"
equal 'the content type of a response' application/json "$(header Content-Type)"
for path in /mutate /validate /mutate/kubelet; do
    equal "$path responds" 200 "$(post $path "$good")"
    check "$path returns the uid" "$(cat "$work/body")" \
        grep -q "$(grep -o '"uid":"[^"]*"' "$good" | head -n 1)" "$work/body"
done

# A length that is not the body's.
printf 'POST /validate HTTP/1.1\r\nHost: l\r\nContent-Type: application/json\r\n%s\r\n\r\n{}' \
    'Content-Length: x' | raw
check 'a Content-Length of x' "$(cat "$work/raw")" grep -q '^HTTP/1.1 400' "$work/raw"
check 'a Content-Length of x: nothing allowed' "$(cat "$work/raw")" \
    sh -c '! grep -q "\"allowed\"" "$1"' sh "$work/raw"
printf 'POST /validate HTTP/1.1\r\nHost: l\r\nContent-Type: application/json\r\n%s\r\n\r\n{}' \
    'Content-Length: 99999999999999999999' | raw
# Curfew responds with 413; libmicrohttpd 1.0.5 and newer with 400, before it calls Curfew.
check 'a Content-Length beyond 64 bits' "$(cat "$work/raw")" grep -qE '^HTTP/1.1 4(13|00)' "$work/raw"
request /validate "$good" 'Content-Length: 2' 'Connection: close' | raw
check 'two Content-Lengths' "$(head -c 300 "$work/raw")" grep -q '^HTTP/1.1 400' "$work/raw"
request /validate "$good" 'Transfer-Encoding: chunked' 'Connection: close' | raw
check 'a length and chunked' "$(head -c 300 "$work/raw")" grep -q '^HTTP/1.1 411' "$work/raw"
{ request /validate "$good" && printf 'junk\r\n\r\n'; } | raw
equal 'a body longer than its length: one response' 1 "$(grep -o '"allowed":' "$work/raw" | wc -l)"
request /validate "$good" | head -c 3000 | timeout 2 openssl s_client -quiet -no_ign_eof \
    -connect "127.0.0.1:$port" >"$work/raw" 2>/dev/null
equal 'a body shorter than its length gets no response' 0 "$(grep -c HTTP "$work/raw")"
check 'afterwards a good review is answered' 'it is not' answers

# Connections.
for i in 1 2 3 4; do
    printf 'url="https://localhost:%s/validate"\noutput="/dev/null"\n' "$port"
done >"$work/urls"
equal 'keep-alive: four reviews, one connection' '200 1 200 0 200 0 200 0 ' \
    "$(curl -sS --cacert "$certs/ca.crt" -H 'Content-Type: application/json' \
        --data-binary "@$good" -w '%{http_code} %{num_connects} ' -K "$work/urls")"
{ request /validate "$good" && request /mutate "$good" 'Connection: close'; } | raw
equal 'pipelining: two requests' 2 "$(grep -o 'HTTP/1.1 200' "$work/raw" | wc -l)"
request /validate "$good" | "$work/bin/clients" half-close "$port" "$certs/ca.crt" >"$work/raw"
check 'a client that half-closes gets its response' "$(cat "$work/raw")" \
    grep -q '"allowed":' "$work/raw"
request /validate "$good" | head -c 900 | "$work/bin/clients" half-close "$port" "$certs/ca.crt" >"$work/raw"
equal 'a client that half-closes too early gets none' 0 "$(grep -c HTTP "$work/raw")"
check 'and a good review is still answered' 'it is not' answers

# The two plain ports serve only their own paths.
at() { # PORT PATH [curl flag...]: prints the status
    local url="http://127.0.0.1:$1$2"
    shift 2
    curl -sS --max-time 10 -o "$work/body" -D "$work/headers" -w '%{http_code}' "$@" "$url" \
        2>"$work/curl.err"
}
for path in /metrics /version / /nothing /livez/ /readyz/x /validate; do
    equal "the probe port: GET $path" 404 "$(at "$probes" $path)"
    check "the probe port: GET $path has a plain sentence" "$(cat "$work/body")" is_sentence
done
for path in /livez /readyz / /nothing /metrics/ /version/x /validate; do
    equal "the metrics port: GET $path" 404 "$(at "$plain" $path)"
    check "the metrics port: GET $path has a plain sentence" "$(cat "$work/body")" is_sentence
done
equal 'no review on the probe port' 404 "$(at "$probes" /validate -X POST -d '{}')"
equal 'no review on the metrics port' 404 "$(at "$plain" /validate -X POST -d '{}')"
for path in /livez /readyz; do
    equal "GET $path" 200 "$(get $path)"
    equal "GET $path says" ok "$(cat "$work/body")"
    equal "HEAD $path" 200 "$(get $path -I)"
done
equal 'GET /version' 200 "$(get /version)"
check '/version is JSON' "$(cat "$work/body")" \
    grep -q '^{"version":"[^"]*","revision":"[^"]*"}$' "$work/body"
equal 'POST /livez' 405 "$(get /livez -X POST -d x)"
equal 'POST /livez: Allow' 'GET, HEAD' "$(header Allow)"
equal 'GET /livez with a body' 413 "$(get /livez -X GET -d x)"
equal 'POST /metrics' 405 "$(get /metrics -X POST -d x)"
equal 'GET /metrics with a body' 413 "$(get /metrics -X GET -d x)"
