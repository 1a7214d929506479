# SPDX-License-Identifier: Apache-2.0
# certs_replicas.sh - two rotators, two servers and one Secret. Sourced by run.sh, after certs.sh.

k=$work/admin
fast='--cert-lifetime 40s --ca-lifetime 300s --log-level debug'

# logged_by_one CASE PATTERN: one of the two rotators logs it, or will in a moment.
logged_by_one() {
    wait_until 20 grep -q "$2" "$work/one.log" "$work/two.log" && ok "$1" ||
        fail "$1" "want: $2" "$(cat "$work/one.log" "$work/two.log")"
}

# ---- start: a race ----

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
wait_until 30 grep -q 'the webhook configuration \\"curfew\\" does not exist yet' "$work/one.log" &&
    ok 'the rotator waits for the webhook configuration, and reports it' ||
    fail 'the rotator waits for the webhook configuration, and reports it' "$(cat "$work/one.log")"
keeping "$work/one.log"
wait_until 10 answers "$rotator_probes/readyz" 503 && ok 'the waiting rotator is not ready' || fail 'the waiting rotator is not ready' 'no 503'
matches 'the waiting rotator reports what it waits for' 'the webhook configuration "curfew" does not exist yet' \
    "$(curl -sS "http://127.0.0.1:$rotator_probes/readyz")"
equal 'the waiting rotator is alive' 200 "$(status_of "$rotator_probes/livez")"
listening "$work/server.one.log"
wait_until 10 answers "$probes/readyz" 503 && ok 'a server without a certificate is not ready' ||
    fail 'a server without a certificate is not ready' "$(status_of "$probes/readyz")"
has_reason() { curl -sS "http://127.0.0.1:$probes/readyz" | grep -q 'waiting for the certificate: Secret curfew-system/curfew does not exist yet'; }
wait_until 10 has_reason && ok 'a server without a certificate reports what it waits for' ||
    fail 'a server without a certificate reports what it waits for' "$(curl -sS "http://127.0.0.1:$probes/readyz")"
equal 'a server without a certificate is alive' 200 "$(status_of "$probes/livez")"
equal 'a server without a certificate serves none' '' "$(served "$port" 2>/dev/null)"
equal 'its metrics have no expiry' '' "$(curl -sS "http://127.0.0.1:$plain/metrics" | grep '^curfew_certificate_expiry')"
equal 'its metrics report that it has none' 'curfew_tls_secret_success 0' \
    "$(curl -sS "http://127.0.0.1:$plain/metrics" | grep '^curfew_tls_secret_success')"
webhooks curfew
webhooks curfew mutating
serving "$work/server.one.log"
one_port=$port one_plain=$plain
wait_until 20 answers "$probes/readyz" 200 && ok 'with a certificate it is ready' ||
    fail 'with a certificate it is ready' "$(curl -sS "http://127.0.0.1:$probes/readyz")"
serving "$work/server.two.log"
two_port=$port
wait_until 20 answers "$rotator_probes/readyz" 200 && ok 'with a certificate the rotator is ready' ||
    fail 'with a certificate the rotator is ready' "$(curl -sS "http://127.0.0.1:$rotator_probes/readyz")"
both_serve() { [ "$(served "$one_port")" = "$(in_secret curfew)" ] && [ "$(served "$two_port")" = "$(in_secret curfew)" ]; }
wait_until 20 both_serve && ok 'both serve the certificate of the Secret' ||
    fail 'both serve the certificate of the Secret' "$(served "$one_port") $(served "$two_port") $(in_secret curfew)"
# One for this Secret, one for that of certs.sh.
equal 'one of them created it' 2 "$(count POST 201)"
[ "$(count POST 409)" -ge 1 ] && ok 'the other one had a conflict' || fail 'the other one had a conflict' 'no 409'
equal 'the type of the Secret' 1 "$(get "$(secret_path curfew)" | grep -c '"type": "kubernetes.io/tls"')"
equal 'the Secret has the annotation of Curfew' 1 \
    "$(get "$(secret_path curfew)" | grep -c '"curfew.dev/certificates": "managed"')"
matches 'the certificate has the name that the webhooks call' 'curfew.curfew-system.svc' \
    "$(get "$(secret_path curfew)" | field tls.crt | openssl x509 -noout -text)"
carried() { [ "$(bundle curfew)" = "$(get "$(secret_path curfew)" | field ca.crt)" ] && [ "$(bundle curfew mutating)" = "$(bundle curfew)" ]; }
wait_until 20 carried && ok 'the authority is in both configurations' ||
    fail 'the authority is in both configurations' "$(bundle curfew)"
equal 'the authority is in each webhook' 2 \
    "$(get "$(webhooks_path curfew)" | grep -o '"caBundle": "LS0' | wc -l)"
matches 'other fields of the webhooks are unchanged' '"failurePolicy": "Fail"' "$(get "$(webhooks_path curfew)")"
probe curfew "$one_port,$two_port"

metric() { curl -sS "http://127.0.0.1:$one_plain/metrics" | sed -n "s/^$1 //p"; }
expiry() { date -u -d "$(get "$(secret_path curfew)" | field tls.crt | openssl x509 -noout -enddate | sed 's/.*=//')" +%s; }
told_expiry() { [ "$(metric curfew_certificate_expiry_timestamp_seconds)" = "$(expiry)" ]; }
wait_until 20 told_expiry && ok 'the metric of the expiry' ||
    fail 'the metric of the expiry' "$(metric curfew_certificate_expiry_timestamp_seconds) $(expiry)"
equal 'the metric of reading the Secret' 1 "$(metric curfew_tls_secret_success)"

# ---- manual renewal ----

before=$(in_secret curfew)
out=$("$curfew" certs renew --secret curfew-system/curfew --kubeconfig "$k" --cert-lifetime 40s --ca-lifetime 300s)
matches 'certs renew' '^written in Secret curfew-system/curfew' "$out"
[ "$(in_secret curfew)" != "$before" ] && ok 'the certificate is new' || fail 'the certificate is new' "$out"
wait_until 20 both_serve && ok 'both serve the new certificate' || fail 'both serve the new certificate' "$(tail -n 5 "$work/one.log")"
control conflict/update
out=$("$curfew" certs renew --secret curfew-system/curfew --kubeconfig "$k" --cert-lifetime 40s --ca-lifetime 300s)
matches 'a conflict is resolved' '^written in' "$out"
[ "$(count PUT 409)" -ge 1 ] && ok 'there was a conflict' || fail 'there was a conflict' 'no 409'

out=$("$curfew" certs renew --ca --secret curfew-system/curfew --kubeconfig "$k" --cert-lifetime 40s --ca-lifetime 300s)
matches 'certs renew --ca' '^next: the rotator (curfew certs run) publishes the new authority' "$out"
newest=$(printf '%s\n' "$out" | sed -n 's/^authority \(.*\), until.*/\1/p')
signed_by_newest() {
    get "$(secret_path curfew)" | field tls.crt | openssl x509 -noout -issuer | grep -q "$newest"
}
wait_until 40 signed_by_newest && ok 'a rotator signs with the new authority' ||
    fail 'a rotator signs with the new authority' "$(tail -n 5 "$work/one.log")"
wait_until 20 both_serve && ok 'both serve its certificate' || fail 'both serve its certificate' "$(tail -n 5 "$work/server.one.log")"
logged_by_one 'the log has the reason' 'wrote the Secret.*the new authority is trusted'
out=$("$curfew" certs show --secret curfew-system/curfew --kubeconfig "$k" --webhook-configuration curfew)
matches 'certs show: the newest' "^authority $newest$" "$out"
matches 'certs show: the older one' '(older, still trusted)$' "$out"
matches 'certs show: the names' '^certificate for curfew.curfew-system.svc$' "$out"
matches 'certs show: the bundles' '^caBundle: up to date in 2 webhook configurations' "$out"

# ---- changes by others ----

before=$(in_secret curfew)
control "delete$(secret_path curfew)"
is_back() { get "$(secret_path curfew)" | grep -q '"tls.crt"'; }
wait_until 20 is_back && ok 'a deleted Secret is restored' ||
    fail 'a deleted Secret is restored' "$(tail -n 5 "$work/one.log")"
logged_by_one 'the log reports the deletion' '"level":"warn","msg":"wrote the Secret".*the Secret was deleted'
wait_until 40 both_serve && ok 'both serve the restored certificate' || fail 'both serve the restored certificate' "$(tail -n 5 "$work/one.log")"

garbage="{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"type\":\"kubernetes.io/tls\",\"metadata\":{\"name\":\"curfew\",\"namespace\":\"curfew-system\",\"labels\":{\"keep\":\"me\"},\"annotations\":{\"curfew.dev/certificates\":\"managed\"}},\"data\":{\"tls.crt\":\"Z2FyYmFnZQ==\",\"tls.key\":\"***\",\"mine\":\"eA==\"}}"
control "object$(secret_path curfew)" "$garbage"
is_whole() { [ -n "$(in_secret curfew 2>/dev/null)" ]; }
wait_until 20 is_whole && ok 'an invalid Secret is repaired' ||
    fail 'an invalid Secret is repaired' "$(tail -n 5 "$work/one.log")"
logged_by_one 'the log reports the invalid Secret' 'the Secret held no usable certificate'
matches 'the labels of the Secret are kept' '"keep": "me"' "$(get "$(secret_path curfew)")"
matches 'other data of the Secret is kept' '"mine": "eA=="' "$(get "$(secret_path curfew)")"
probed 'not one handshake failed' curfew "$prober"
equal 'no authority signs before it is trusted' '0 wrong' "$(in_order curfew)"

webhooks curfew # as another tool would write it
wait_until 20 carried && ok 'an overwritten caBundle is restored' ||
    fail 'an overwritten caBundle is restored' "$(tail -n 5 "$work/one.log")"
logged_by_one 'the log reports the caBundle' '"level":"warn","msg":"replaced a caBundle that did not trust the serving certificate","configuration":"curfew"'

control conflict/patch
webhooks curfew
wait_until 20 carried && ok 'two writers at the same time restore it' ||
    fail 'two writers at the same time restore it' "$(tail -n 5 "$work/one.log")"
lacks 'the conflict is not an error' 'could not be published' "$(cat "$work/one.log" "$work/two.log")"

# ---- without permission ----

keeping "$work/one.log"
control forbid/patch/validatingwebhookconfigurations
webhooks curfew
wait_until 20 grep -q 'RBAC does not allow .*curfew\\" to patch the validatingwebhookconfiguration \\"curfew\\"' "$work/one.log" &&
    ok '403: the log names the missing permission' || fail '403: the log names the missing permission' "$(tail -n 5 "$work/one.log")"
wait_until 10 answers "$rotator_probes/readyz" 503 && ok '403: the rotator is not ready' ||
    fail '403: the rotator is not ready' "$(status_of "$rotator_probes/readyz")"
equal '403: the rotator is alive' 200 "$(status_of "$rotator_probes/livez")"
[ -n "$(served "$one_port")" ] && ok '403: the servers continue to serve' || fail '403: the servers continue to serve' 'no handshake'
control allow
wait_until 20 carried && ok 'with the permission the caBundle is restored' || fail 'with the permission the caBundle is restored' "$(tail -n 5 "$work/one.log")"
wait_until 10 answers "$rotator_probes/readyz" 200 && ok 'with the permission the rotator is ready' ||
    fail 'with the permission the rotator is ready' "$(curl -sS "http://127.0.0.1:$rotator_probes/readyz")"

control forbid/get/secrets
rotator "$work/blind.log" curfew
wait_until 20 grep -q 'RBAC does not allow .*to get the Secret \\"curfew\\"' "$work/blind.log" &&
    ok 'without permission to read, it waits and reports why' || fail 'without the right to read' "$(cat "$work/blind.log")"
kill -TERM "$rotator"
wait "$rotator"
equal 'it ends on SIGTERM' 0 $?
not_read() { [ "$(metric curfew_tls_secret_success)" = 0 ]; }
wait_until 20 not_read && ok 'the metric reports a server that may not read' ||
    fail 'the metric reports a server that may not read' "$(metric curfew_tls_secret_success)"
[ -n "$(served "$one_port")" ] && ok 'a server that may not read continues to serve' || fail 'a server that may not read continues to serve' 'no handshake'
control allow
is_read() { [ "$(metric curfew_tls_secret_success)" = 1 ]; }
wait_until 10 is_read && ok 'with the permission it reads again' || fail 'with the permission it reads again' "$(tail -n 3 "$work/server.one.log")"

# ---- Secrets of others ----

control "object$(secret_path theirs)" '{"metadata":{"name":"theirs","namespace":"curfew-system"},"type":"kubernetes.io/tls","data":{"tls.crt":"eA==","tls.key":"eA=="}}'
before=$(get "$(secret_path theirs)")
rotator "$work/theirs.log" theirs --service theirs.curfew-system
wait "$rotator"
equal "a Secret of another tool is rejected" 2 $?
matches 'the log says why' "Secret curfew-system/theirs is not managed by Curfew.*--tls-cert" "$(cat "$work/theirs.log")"
equal 'that Secret is not written' "$before" "$(get "$(secret_path theirs)")"
out=$("$curfew" certs renew --secret curfew-system/theirs --kubeconfig "$k" 2>&1)
matches 'certs renew rejects that Secret too' 'is not managed by Curfew' "$out"
out=$("$curfew" certs init --secret curfew-system/curfew --kubeconfig "$k" --dns x 2>&1)
matches 'init creates, and does not replace' 'certificates exist in Secret curfew-system/curfew already' "$out"
webhooks fresh
out=$("$curfew" certs init --secret curfew-system/fresh --kubeconfig "$k" --webhook-configuration fresh)
matches 'init: the names come from the webhooks' '^certificate for fresh.curfew-system.svc, ' "$out"
matches 'init: writes their caBundles' '^caBundle written in 2 webhooks' "$out"

# ---- clocks that differ ----

before=$("$client" secret future 3600)
control "object$(secret_path future)" "$before"
rotator "$work/future.log" future --dns x
wait_until 20 grep -q 'Secret curfew-system/future is not valid before 20.*: the clock of this node' "$work/future.log" &&
    ok 'a certificate from a clock that is ahead is reported' || fail 'a certificate from a clock that is ahead is reported' "$(cat "$work/future.log")"
kill -TERM "$rotator"
wait "$rotator"
matches 'a certificate from a clock that is ahead is not replaced' "$(printf '%s' "$before" | sed 's/.*"tls.crt":"\([^"]*\)".*/\1/')" \
    "$(get "$(secret_path future)")"

kill -TERM "$one" "$two" "$one_server" "$two_server"
for pid in "$one" "$two" "$one_server" "$two_server"; do
    wait "$pid"
    equal 'it exits cleanly' 0 $?
done
