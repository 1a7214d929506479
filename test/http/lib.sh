# SPDX-License-Identifier: Apache-2.0
# lib.sh - shared functions of the HTTP tests: servers, requests. Sourced by run.sh, after ../cases.sh and
# ../lib/*.sh.

# begin LOG [FLAG...]: starts a server with the objects in $objects, if set.
begin() {
    local log="$1"
    shift
    serve "$log" ${objects:+--objects "$objects"} --tls-cert "$certs/tls.crt" --tls-key "$certs/tls.key" "$@"
}

# server LOG [FLAG...]: starts one, and waits; sets $pid, $port, $probes and $plain.
server() {
    begin "$@" && listening "$1"
}

# memory KEY: of the process $pid, in KiB.
memory() {
    sed -n "s/^$1:[^0-9]*\([0-9]*\).*/\1/p" "/proc/$pid/status"
}

# https PATH [curl flag...]: body to $work/body, headers to $work/headers; prints the status.
https() {
    local path="$1"
    shift
    curl -sS --max-time 20 --cacert "$certs/ca.crt" -o "$work/body" -D "$work/headers" \
        -w '%{http_code}' "$@" "https://localhost:$port$path" 2>"$work/curl.err"
}

# post PATH FILE [curl flag...]: a review as an API server sends it ($type sets another type).
post() {
    local path="$1" file="$2"
    shift 2
    https "$path" -H "Content-Type:${type- application/json}" --data-binary "@$file" "$@"
}

# get PATH [curl flag...]: at the port that has it; prints the status.
get() {
    local path="$1" at="$plain"
    shift
    case $path in /livez | /readyz) at=$probes ;; esac
    curl -sS --max-time 10 -o "$work/body" -D "$work/headers" -w '%{http_code}' "$@" \
        "http://127.0.0.1:$at$path" 2>"$work/curl.err"
}

header() {
    tr -d '\r' <"$work/headers" | sed -n "s/^$1: *//Ip"
}

# A good review is still answered.
answers() {
    [ "$(post /validate "$good")" = 200 ] && grep -q '"allowed":' "$work/body"
}

# The body is one plain sentence, and not a verdict.
is_sentence() {
    case $(header Content-Type) in text/plain*) ;; *) return 1 ;; esac
    [ "$(wc -l <"$work/body")" = 1 ] && [ "$(wc -c <"$work/body")" -gt 10 ] &&
        ! grep -q allowed "$work/body"
}

# refused NAME STATUS GOT: for the request just made.
refused() {
    if [ "$2" != "$3" ]; then
        fail "$1" "want status $2, got $3" "$(head -c 300 "$work/body")" "$(cat "$work/curl.err")"
    elif ! is_sentence; then
        fail "$1" "not one plain sentence: $(header Content-Type): $(head -c 300 "$work/body")"
    elif ! answers; then
        fail "$1" "afterwards a good review is not answered"
    else
        ok "$1"
    fi
}

# verdict NAME CODE REASON SENTENCE STATUS: the answer to the request just made denies it with this code,
# in a message that ends with the sentence (a basic regular expression).
verdict() {
    equal "$1: the status" 200 "$5"
    check "$1" "$(head -c 600 "$work/body")" grep -q \
        "^{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\",\"response\":{\"uid\":\"[0-9a-f-]*\",\"allowed\":false,\"status\":{\"code\":$2,\"reason\":\"$3\",\"message\":\"[^\"].*could not be read: .*$4\"}}}\$" \
        "$work/body"
}

# tls [s_client flag...]: a verified connection; the talk to $work/tls.
tls() {
    timeout 5 openssl s_client -connect "127.0.0.1:$port" -servername localhost \
        -CAfile "$certs/ca.crt" -verify_return_error "$@" >"$work/tls" 2>&1
}

# raw: bytes from stdin through verified TLS until the server closes; the answer to $work/raw.
raw() {
    timeout 5 openssl s_client -quiet -connect "127.0.0.1:$port" -servername localhost \
        -CAfile "$certs/ca.crt" -verify_return_error >"$work/raw" 2>/dev/null
}

# request PATH FILE [HEADER...]: an HTTP request as bytes.
request() {
    local path="$1" file="$2"
    shift 2
    printf 'POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n' "$path"
    printf 'Content-Length: %s\r\n' "$(wc -c <"$file")"
    for h in "$@"; do printf '%s\r\n' "$h"; done
    printf '\r\n'
    cat "$file"
}

# refuses NAME STATUS SENTENCE FLAG...: `curfew serve` with these flags ends with this exit code and sentence.
refuses() {
    local name="$1" want="$2" sentence="$3" out code
    shift 3
    out=$(timeout 5 "$curfew" serve "$@" 2>&1)
    code=$?
    if [ $code = "$want" ] && printf '%s' "$out" | grep -q "$sentence"; then
        ok "$name"
    else
        fail "$name" "want $want, got $code" "$out"
    fi
}
