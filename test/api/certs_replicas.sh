# SPDX-License-Identifier: Apache-2.0
# certs_replicas.sh - two rotators, two servers and one Secret. Sourced by run.sh, after certs.sh.

k=$work/admin
fast='--cert-lifetime 40s --ca-lifetime 300s --log-level debug'

# told CASE PATTERN: one of the two rotators says so, or will in a moment.
told() {
    wait_until 20 grep -q "$2" "$work/one.log" "$work/two.log" && ok "$1" ||
        fail "$1" "want: $2" "$(cat "$work/one.log" "$work/two.log")"
}

# ---- the start: a race ----

control race
# shellcheck disable=SC2086 # a list of words
{
    rotator "$work/one.log" curfew $fast
    one=$rotator
    rotator "$work/two.log" curfew $fast
    two=$rotator
    replica "$work/server.one.log" curfew
    one_server=$replica
    replica "$work/server.two.log" curfew
    two_server=$replica
}
wait_until 30 grep -q 'there is no webhook configuration \\"curfew\\" yet' "$work/one.log" &&
    ok 'without the webhook configuration it waits, and says so' ||
    fail 'without the webhook configuration it waits, and says so' "$(cat "$work/one.log")"
keeping "$work/one.log"
wait_until 10 answers "$rotator_probes/readyz" 503 && ok 'it is not ready' || fail 'it is not ready' 'no 503'
matches 'and says what it waits for' 'there is no webhook configuration "curfew" yet' \
    "$(curl -sS "http://127.0.0.1:$rotator_probes/readyz")"
equal 'but it lives' 200 "$(status_of "$rotator_probes/livez")"
listening "$work/server.one.log"
wait_until 10 answers "$probes/readyz" 503 && ok 'a server without a certificate is not ready' ||
    fail 'a server without a certificate is not ready' "$(status_of "$probes/readyz")"
has_reason() { curl -sS "http://127.0.0.1:$probes/readyz" | grep -q 'waiting for the certificate: there is no Secret curfew-system/curfew yet'; }
wait_until 10 has_reason && ok 'and says what it waits for, too' ||
    fail 'and says what it waits for, too' "$(curl -sS "http://127.0.0.1:$probes/readyz")"
equal 'but it lives, too' 200 "$(status_of "$probes/livez")"
equal 'nobody gets a certificate from it' '' "$(served "$port" 2>/dev/null)"
equal 'its metrics tell of no end' '' "$(curl -sS "http://127.0.0.1:$plain/metrics" | grep '^curfew_certificate_expiry')"
equal 'and that it has none' 'curfew_tls_secret_success 0' \
    "$(curl -sS "http://127.0.0.1:$plain/metrics" | grep '^curfew_tls_secret_success')"
webhooks curfew
webhooks curfew mutating
serving "$work/server.one.log"
one_port=$port one_plain=$plain
wait_until 20 answers "$probes/readyz" 200 && ok 'with a certificate it is ready' ||
    fail 'with a certificate it is ready' "$(curl -sS "http://127.0.0.1:$probes/readyz")"
serving "$work/server.two.log"
two_port=$port
wait_until 20 answers "$rotator_probes/readyz" 200 && ok 'so is the rotator' ||
    fail 'so is the rotator' "$(curl -sS "http://127.0.0.1:$rotator_probes/readyz")"
both_serve() { [ "$(served "$one_port")" = "$(in_secret curfew)" ] && [ "$(served "$two_port")" = "$(in_secret curfew)" ]; }
wait_until 20 both_serve && ok 'both serve what the Secret holds' ||
    fail 'both serve what the Secret holds' "$(served "$one_port") $(served "$two_port") $(in_secret curfew)"
# One for this Secret, one for that of certs.sh.
equal 'one of them made it' 2 "$(count POST 201)"
[ "$(count POST 409)" -ge 1 ] && ok 'the other one came second' || fail 'the other one came second' 'no 409'
equal 'its type' 1 "$(get "$(secret_path curfew)" | grep -c '"type": "kubernetes.io/tls"')"
equal 'it is marked as ours' 1 \
    "$(get "$(secret_path curfew)" | grep -c '"curfew.dev/certificates": "managed"')"
matches 'the name that the webhooks call' 'curfew.curfew-system.svc' \
    "$(get "$(secret_path curfew)" | field tls.crt | openssl x509 -noout -text)"
carried() { [ "$(bundle curfew)" = "$(get "$(secret_path curfew)" | field ca.crt)" ] && [ "$(bundle curfew mutating)" = "$(bundle curfew)" ]; }
wait_until 20 carried && ok 'the authority is in both configurations' ||
    fail 'the authority is in both configurations' "$(bundle curfew)"
equal 'in each of their webhooks' 2 \
    "$(get "$(webhooks_path curfew)" | grep -o '"caBundle": "LS0' | wc -l)"
matches 'and nothing else was touched' '"failurePolicy": "Fail"' "$(get "$(webhooks_path curfew)")"
probe curfew "$one_port,$two_port"

metric() { curl -sS "http://127.0.0.1:$one_plain/metrics" | sed -n "s/^$1 //p"; }
expiry() { date -u -d "$(get "$(secret_path curfew)" | field tls.crt | openssl x509 -noout -enddate | sed 's/.*=//')" +%s; }
told_expiry() { [ "$(metric curfew_certificate_expiry_timestamp_seconds)" = "$(expiry)" ]; }
wait_until 20 told_expiry && ok 'the metric of its end' ||
    fail 'the metric of its end' "$(metric curfew_certificate_expiry_timestamp_seconds) $(expiry)"
equal 'the metric of its reading' 1 "$(metric curfew_tls_secret_success)"

# ---- renewed by hand ----

before=$(in_secret curfew)
out=$("$curfew" certs renew --secret curfew-system/curfew --kubeconfig "$k" --cert-lifetime 40s --ca-lifetime 300s)
matches 'certs renew' '^written in Secret curfew-system/curfew' "$out"
[ "$(in_secret curfew)" != "$before" ] && ok 'another certificate' || fail 'another certificate' "$out"
wait_until 20 both_serve && ok 'which both follow' || fail 'which both follow' "$(tail -n 5 "$work/one.log")"
control conflict/update
out=$("$curfew" certs renew --secret curfew-system/curfew --kubeconfig "$k" --cert-lifetime 40s --ca-lifetime 300s)
matches 'a conflict is settled' '^written in' "$out"
[ "$(count PUT 409)" -ge 1 ] && ok 'and there was one' || fail 'and there was one' 'no 409'

out=$("$curfew" certs renew --ca --secret curfew-system/curfew --kubeconfig "$k" --cert-lifetime 40s --ca-lifetime 300s)
matches 'certs renew --ca' '^next: the rotator (curfew certs run) publishes the new authority' "$out"
newest=$(printf '%s\n' "$out" | sed -n 's/^authority \(.*\), until.*/\1/p')
signed_by_newest() {
    get "$(secret_path curfew)" | field tls.crt | openssl x509 -noout -issuer | grep -q "$newest"
}
wait_until 40 signed_by_newest && ok 'a rotator signs with it' ||
    fail 'a rotator signs with it' "$(tail -n 5 "$work/one.log")"
wait_until 20 both_serve && ok 'and the servers serve it' || fail 'and the servers serve it' "$(tail -n 5 "$work/server.one.log")"
told 'why is in the log' 'the Secret was written.*the new authority is trusted'
out=$("$curfew" certs show --secret curfew-system/curfew --kubeconfig "$k" --webhook-configuration curfew)
matches 'certs show: the newest' "^authority $newest$" "$out"
matches 'certs show: the older one' '(older: trusted on)$' "$out"
matches 'certs show: the names' '^certificate for curfew.curfew-system.svc$' "$out"
matches 'certs show: the bundles' '^caBundle: as it should be, in 2 webhook configurations' "$out"

# ---- what others do to it ----

before=$(in_secret curfew)
control "delete$(secret_path curfew)"
is_back() { get "$(secret_path curfew)" | grep -q '"tls.crt"'; }
wait_until 20 is_back && ok 'a Secret that was deleted comes back' ||
    fail 'a Secret that was deleted comes back' "$(tail -n 5 "$work/one.log")"
told 'with a word' '"level":"warn","msg":"the Secret was written".*it was deleted'
wait_until 40 both_serve && ok 'and both serve it' || fail 'and both serve it' "$(tail -n 5 "$work/one.log")"

garbage="{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"type\":\"kubernetes.io/tls\",\"metadata\":{\"name\":\"curfew\",\"namespace\":\"curfew-system\",\"labels\":{\"keep\":\"me\"},\"annotations\":{\"curfew.dev/certificates\":\"managed\"}},\"data\":{\"tls.crt\":\"Z2FyYmFnZQ==\",\"tls.key\":\"***\",\"mine\":\"eA==\"}}"
control "object$(secret_path curfew)" "$garbage"
is_whole() { [ -n "$(in_secret curfew 2>/dev/null)" ]; }
wait_until 20 is_whole && ok 'a Secret that was broken is mended' ||
    fail 'a Secret that was broken is mended' "$(tail -n 5 "$work/one.log")"
told 'with another word' "it held what cannot be served"
matches 'its labels are kept' '"keep": "me"' "$(get "$(secret_path curfew)")"
matches 'and its other data' '"mine": "eA=="' "$(get "$(secret_path curfew)")"
probed 'not one handshake failed' curfew "$prober"
equal 'nothing was signed before it was trusted' '0 wrong' "$(in_order curfew)"

webhooks curfew # as somebody's tool would write it
wait_until 20 carried && ok 'a caBundle that was overwritten comes back' ||
    fail 'a caBundle that was overwritten comes back' "$(tail -n 5 "$work/one.log")"
told 'the log tells' '"level":"warn","msg":"a caBundle did not trust our certificate: it was written","configuration":"curfew"'

control conflict/patch
webhooks curfew
wait_until 20 carried && ok 'also when two write at once' ||
    fail 'also when two write at once' "$(tail -n 5 "$work/one.log")"
lacks 'which is no error' 'could not be published' "$(cat "$work/one.log" "$work/two.log")"

# ---- without the right ----

keeping "$work/one.log"
control forbid/patch/validatingwebhookconfigurations
webhooks curfew
wait_until 20 grep -q 'RBAC does not let .*curfew\\" patch the validatingwebhookconfiguration \\"curfew\\"' "$work/one.log" &&
    ok '403: what is missing' || fail '403: what is missing' "$(tail -n 5 "$work/one.log")"
wait_until 10 answers "$rotator_probes/readyz" 503 && ok '403: the rotator is not ready' ||
    fail '403: the rotator is not ready' "$(status_of "$rotator_probes/readyz")"
equal '403: it lives' 200 "$(status_of "$rotator_probes/livez")"
[ -n "$(served "$one_port")" ] && ok '403: the servers serve on' || fail '403: the servers serve on' 'no handshake'
control allow
wait_until 20 carried && ok 'and with it all is well' || fail 'and with it all is well' "$(tail -n 5 "$work/one.log")"
wait_until 10 answers "$rotator_probes/readyz" 200 && ok 'and the rotator is ready' ||
    fail 'and the rotator is ready' "$(curl -sS "http://127.0.0.1:$rotator_probes/readyz")"

control forbid/get/secrets
rotator "$work/blind.log" curfew
wait_until 20 grep -q 'RBAC does not let .*get the Secret \\"curfew\\"' "$work/blind.log" &&
    ok 'without the right to read it waits, and says why' || fail 'without the right to read' "$(cat "$work/blind.log")"
kill -TERM "$rotator"
wait "$rotator"
equal 'until it is told to end' 0 $?
not_read() { [ "$(metric curfew_tls_secret_success)" = 0 ]; }
wait_until 20 not_read && ok 'a server that may not read tells so in its metric' ||
    fail 'a server that may not read tells so in its metric' "$(metric curfew_tls_secret_success)"
[ -n "$(served "$one_port")" ] && ok 'and serves on' || fail 'and serves on' 'no handshake'
control allow
is_read() { [ "$(metric curfew_tls_secret_success)" = 1 ]; }
wait_until 10 is_read && ok 'and reads again' || fail 'and reads again' "$(tail -n 3 "$work/server.one.log")"

# ---- what is not ours ----

control "object$(secret_path theirs)" '{"metadata":{"name":"theirs","namespace":"curfew-system"},"type":"kubernetes.io/tls","data":{"tls.crt":"eA==","tls.key":"eA=="}}'
before=$(get "$(secret_path theirs)")
rotator "$work/theirs.log" theirs --service theirs.curfew-system
wait "$rotator"
equal "somebody else's Secret is refused" 2 $?
matches 'and why' "Secret curfew-system/theirs is somebody else's.*--tls-cert" "$(cat "$work/theirs.log")"
equal 'and not written' "$before" "$(get "$(secret_path theirs)")"
out=$("$curfew" certs renew --secret curfew-system/theirs --kubeconfig "$k" 2>&1)
matches 'nor by hand' "is somebody else's" "$out"
out=$("$curfew" certs init --secret curfew-system/curfew --kubeconfig "$k" --dns x 2>&1)
matches 'init makes, and does not replace' 'there are certificates in Secret curfew-system/curfew already' "$out"
webhooks fresh
out=$("$curfew" certs init --secret curfew-system/fresh --kubeconfig "$k" --webhook-configuration fresh)
matches 'init: by the names of the webhooks' '^certificate for fresh.curfew-system.svc, ' "$out"
matches 'init: and their caBundles' '^caBundle written in 2 webhooks' "$out"

# ---- clocks that differ ----

before=$("$client" secret future 3600)
control "object$(secret_path future)" "$before"
rotator "$work/future.log" future --dns x
wait_until 20 grep -q 'Secret curfew-system/future is not valid before 20.*: the clock here' "$work/future.log" &&
    ok 'a certificate of a clock that is ahead' || fail 'a certificate of a clock that is ahead' "$(cat "$work/future.log")"
kill -TERM "$rotator"
wait "$rotator"
matches 'is not replaced' "$(printf '%s' "$before" | sed 's/.*"tls.crt":"\([^"]*\)".*/\1/')" \
    "$(get "$(secret_path future)")"

kill -TERM "$one" "$two" "$one_server" "$two_server"
for pid in "$one" "$two" "$one_server" "$two_server"; do
    wait "$pid"
    equal 'it ends in good order' 0 $?
done
