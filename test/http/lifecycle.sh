# SPDX-License-Identifier: Apache-2.0
# lifecycle.sh - flags, files, metrics, logs, shutdown. Sourced by run.sh.

# Configuration and objects.
printf 'apiVersion: curfew.dev/v1alpha1\nkind: CurfewConfiguration\n' >"$work/good.yaml"
printf 'apiVersion: curfew.dev/v1alpha1\nkind: CurfewConfiguration\nfoo: 1\n' >"$work/bad.yaml"
equal '--check-config: a valid file' "$work/good.yaml: ok 0" \
    "$("$curfew" serve --check-config "$work/good.yaml" | head -n 1) $?"
out=$("$curfew" serve --check-config "$work/bad.yaml" 2>&1)
equal '--check-config: an invalid file' 2 $?
check '--check-config names the line' "$out" sh -c 'printf %s "$1" | grep -q "bad.yaml:3:1"' sh "$out"
"$curfew" serve --check-config "$work/none.yaml" >/dev/null 2>&1
equal '--check-config: a missing file' 2 $?
refuses 'a bad configuration' 2 'bad.yaml:3:1' --config "$work/bad.yaml" --objects "$objects" \
    --tls-cert "$certs/tls.crt" --tls-key "$certs/tls.key"
printf 'kind: Secret\napiVersion: v1\nmetadata: {name: a}\n---\n{{ x }}\n' >"$work/objects.yaml"
refuses 'an unreadable object' 2 'objects.yaml:5' --objects "$work/objects.yaml" \
    --tls-cert "$certs/tls.crt" --tls-key "$certs/tls.key"
refuses 'no such objects' 3 "$work/none" --objects "$work/none" --tls-cert "$certs/tls.crt" \
    --tls-key "$certs/tls.key"
refuses 'an invalid log level' 2 'log-level' --objects "$objects" --tls-cert x --tls-key x \
    --log-level loud

# Metrics, counted from zero.
server "$work/metrics.log"
post /validate "$good" >/dev/null
post /validate "$denied" >/dev/null
check 'the denied review is denied' "$(cat "$work/body")" grep -q '"allowed":false' "$work/body"
post /validate "$denied" >/dev/null
post /mutate "$fixed" >/dev/null
check 'the fixed review is patched' "$(cat "$work/body")" grep -q '"patch":' "$work/body"
printf '{' >"$work/in"
post /validate "$work/in" >/dev/null
printf '{}' >"$work/in"
post /validate "$work/in" >/dev/null
post /nowhere "$good" >/dev/null
https /validate -X GET >/dev/null
(type=text/plain post /validate "$good") >/dev/null
post /validate "$good" -H 'Content-Encoding: gzip' >/dev/null
post /validate "$good" -H 'Transfer-Encoding: chunked' >/dev/null
head -c 17000000 /dev/zero >"$work/in"
post /validate "$work/in" >/dev/null
tls -tls1_1 -cipher DEFAULT@SECLEVEL=0 </dev/null
equal 'GET /metrics' 200 "$(get /metrics)"
cp "$work/body" "$work/metrics"
check 'metrics are in the Prometheus text format' "$(awk -f "$here/metrics.awk" "$work/metrics")" \
    awk -f "$here/metrics.awk" "$work/metrics"
# not_metrics TEXT: the parser refuses it
bad=0
not_metrics() {
    printf "$1" >"$work/in"
    bad=$((bad + 1))
    check "the parser of metrics rejects invalid ones ($bad)" 'it does not' sh -c '! awk -f "$1" "$2"' sh \
        "$here/metrics.awk" "$work/in"
}
h='# HELP a_total A.\n# TYPE a_total counter\n'
printf "${h}a_total{a=\"1\"} 1\na_total{a=\"2\"} 2\n" >"$work/in"
check 'the parser of metrics accepts valid ones' "$(awk -f "$here/metrics.awk" "$work/in")" \
    awk -f "$here/metrics.awk" "$work/in"
not_metrics ''
not_metrics 'a_total 1\n'
not_metrics "${h}a_total\n"
not_metrics "${h}a_total x\n"
not_metrics "${h}a_total{a=\"b\" 1\n"
not_metrics "${h}a_total{a=\"b\"c=\"d\"} 1\n"
not_metrics "${h}a_total{a=\"b\\\\c\"} 1\n"
not_metrics "${h}a_total{a=\"1\"} 1\na_total{a=\"1\"} 2\n"
not_metrics '# HELP a_total A.\n# TYPE a_total number\na_total 1\n'
not_metrics "${h}a_total 1\n# HELP b_total B.\n# TYPE b_total counter\nb_total 1\na_total{a=\"1\"} 2\n"

# sum REGEX: of the values of all series that match.
sum() {
    awk -v want="$1" '$0 !~ /^#/ && $0 ~ want { n += $NF } END { print n + 0 }' "$work/metrics"
}
equal 'reviews at /validate' 5 "$(sum '^curfew_reviews_total.*endpoint="validate"')"
equal 'reviews denied' 2 "$(sum '^curfew_reviews_total.*decision="denied"')"
equal 'reviews fixed' 1 "$(sum '^curfew_reviews_total.*decision="fixed"')"
equal 'reviews in error' 2 "$(sum '^curfew_reviews_total.*decision="error"')"
equal 'durations of reviews' 6 "$(sum '^curfew_review_duration_seconds_count')"
equal 'handshakes' 12 "$(sum '^curfew_tls_handshakes_total.*ok')"
equal 'handshakes failed' 1 "$(sum '^curfew_tls_handshakes_total.*failed')"
for reason in method path type encoding length size json review; do
    equal "requests rejected: $reason" 1 "$(sum "^curfew_rejected_requests_total.*\"$reason\"")"
done
check 'findings are counted' 'none' test "$(sum '^curfew_findings_total.*enforce')" -gt 0
equal 'the expiry of the certificate' "$(date -d "$(openssl x509 -in "$certs/tls.crt" -noout -enddate |
    cut -d= -f2)" +%s)" "$(sum '^curfew_certificate_expiry_timestamp_seconds')"
check 'resident memory' 'nothing' test "$(sum '^process_resident_memory_bytes')" -gt 1000000
equal 'build info' 1 "$(sum '^curfew_build_info.*version="')"

# Logs: a line for each denial and fix, and for what could not be read; valid JSON; no token.
post /validate "$secret" >/dev/null
post /mutate "$secret" >/dev/null
equal 'log lines of denials' 3 "$(grep -c '"decision":"denied"' "$work/metrics.log")"
equal 'log lines of fixes' 1 "$(grep -c '"decision":"fixed"' "$work/metrics.log")"
equal 'log lines of errors' 2 "$(grep -c '"decision":"error"' "$work/metrics.log")"
check 'a log line has the rule, the user and the duration' "$(tail -n 1 "$work/metrics.log")" \
    grep -q '"user":"[^"]*".*"rule":"[^"]*","decision":"denied","durationMicros":[0-9]' \
    "$work/metrics.log"
stops 'exit code' "$pid"

# Shutdown: SIGTERM with an open connection, and with one in the middle of a review.
server "$work/drain.log" --drain-delay 3s
sleep 8 | openssl s_client -quiet -connect "127.0.0.1:$port" >/dev/null 2>&1 &
idle=$!
pids="$pids $idle"
{
    request /validate "$good" 'Connection: close' >"$work/slow"
    head -c 500 "$work/slow"
    sleep 3.5 # begun before the end of the drain, done after it
    tail -c +501 "$work/slow"
} | raw &
slow=$!
sleep 0.2
kill -TERM "$pid"
wait_until 2 grep -q '"msg":"draining"' "$work/drain.log"
equal 'draining: /readyz' 503 "$(get /readyz)"
equal 'draining: /livez' 200 "$(get /livez)"
equal 'draining: reviews are answered' 200 "$(post /validate "$good")"
equal 'draining: connections are closed after the response' close "$(header Connection)"
ends 'SIGTERM with open connections: exit code' "$pid"
wait "$slow"
check 'a review in the middle of it is answered' "$(cat "$work/raw")" \
    grep -q '"allowed":' "$work/raw"
check 'the log reports it' "$(tail -n 1 "$work/drain.log")" \
    sh -c 'tail -n 1 "$1" | grep -q "\"msg\":\"stopped\",\"unanswered\":0"' sh "$work/drain.log"
kill "$idle" 2>/dev/null

server "$work/int.log" --log-format json --drain-delay 60s
kill -INT "$pid"
wait_until 2 grep -q '"msg":"draining"' "$work/int.log"
stops 'a second signal stops it immediately' "$pid"

# It can't die by SIGPIPE, dump core, or lose a descriptor to a closed standard stream.
server "$work/fd.log" <&- >&-
equal 'closed standard streams' 200 "$(post /validate "$good")"
check 'no core dumps' "$(grep core "/proc/$pid/limits")" \
    grep -q 'Max core file size *0 *0' "/proc/$pid/limits"
stops 'closed standard streams: exit code' "$pid"
