# SPDX-License-Identifier: Apache-2.0
# certs_away.sh - the rotator is down for a day or longer and starts again: no handshake fails.
# Instead of moving the clock, the Secret gets certificates of that age. Sourced by run.sh,
# after certs.sh.

day=86400

# found NAME AUTHORITY-SECONDS [LEAF-SECONDS]: a published Secret of that age.
found() {
    local secret
    secret=$("$client" secret "$@")
    control "object$(secret_path "$1")" "$secret"
    control "object$(webhooks_path "$1")" "{\"metadata\":{\"name\":\"$1\"},\"webhooks\":[{\"name\":\"a.curfew.dev\",
        \"clientConfig\":{\"service\":{\"name\":\"$1\",\"namespace\":\"curfew-system\"},
        \"caBundle\":\"$(printf '%s' "$secret" | sed 's/.*"ca.crt":"\([^"]*\)".*/\1/')\"}}]}"
}

# begins NAME: starts a server and a client, without a rotator.
begins() {
    replica "$work/away.$1.log" "$1"
    serving "$work/away.$1.log"
    port_of=$port server_of=$replica
    probe "$1" "$port"
    prober_of=$prober
    sleep 1
}

# comes_back NAME CASE [COMMAND...]: starts the rotator; the server gets the renewed certificate, until
# the command succeeds too; no handshake of the client fails.
comes_back() {
    local name="$1" case="$2"
    shift 2
    before=$(in_secret "$name" 2>/dev/null)
    rotator "$work/away.$name.rotator.log" "$name" --log-level debug
    renewed() { [ "$(in_secret "$name" 2>/dev/null)" != "$before" ] && [ "$(served "$port_of")" = "$(in_secret "$name")" ]; }
    all_done() { renewed && { [ $# = 0 ] || "$@"; }; }
    wait_until 90 all_done "$@" && ok "$case: it is renewed and served" ||
        fail "$case: it is renewed and served" "$(cat "$work/away.$name.rotator.log" "$work/away.$name.log")"
    kill -TERM "$rotator"
    wait "$rotator"
    probed "$case: not one handshake failed" "$name" "$prober_of"
}

found day "-$((61 * day))"
begins day
equal 'the rotator is down: the old certificate is still served' "$(in_secret day)" "$(served "$port_of")"
equal 'the rotator is down: the server is ready' 200 "$(status_of "$probes/readyz")"
comes_back day 'a day late'
matches 'a day late: the log has the reason' 'two thirds of the certificate.s lifetime have passed' "$(cat "$work/away.day.rotator.log")"
kill -TERM "$server_of"
wait "$server_of"

found month "-$((90 * day - 1800))"
begins month
comes_back month 'in the last half hour of its lifetime'
kill -TERM "$server_of"
wait "$server_of"

found authority "-$((245 * day))" "-$((10 * day))"
begins authority
new_one_signs() { grep -q 'the new authority is trusted' "$work/away.authority.rotator.log"; }
comes_back authority 'an authority that was due a day ago' new_one_signs
equal 'no authority signs before it is trusted, after a day' '0 wrong' "$(in_order authority)"
matches 'an authority that was due a day ago: the log has the reason' 'two thirds of the authority.s lifetime have passed' \
    "$(cat "$work/away.authority.rotator.log")"
kill -TERM "$server_of"
wait "$server_of"

# Deleted, while no rotator has its contents.
found lost "-$((10 * day))"
begins lost
control "delete$(secret_path lost)"
sleep 1
comes_back lost 'a Secret that was lost'
matches 'a lost Secret: the served certificate stays trusted' '^2$' \
    "$(bundle lost | grep -c 'BEGIN CERTIFICATE')"

# ---- how the server handles a Secret ----

hup() { kill -HUP "$server_of"; }
good=$(get "$(secret_path lost)")
broken=$(printf '%s' "$good" | sed 's/"tls.key": "[^"]*"/"tls.key": "'"$("$client" secret other -60 | sed 's/.*"tls.key":"\([^"]*\)".*/\1/')"'"/')
control "object$(secret_path lost)" "$broken"
hup
wait_until 20 grep -q "cannot read the serving certificate.*key" "$work/away.lost.log" &&
    ok "a key of another certificate: the log reports it" || fail "a key of another certificate: the log reports it" "$(cat "$work/away.lost.log")"
equal "a key of another certificate: the last valid pair is served" "$(printf '%s' "$good" | field tls.crt | serial)" "$(served "$port_of")"
equal "a key of another certificate: the metric reports it" 'curfew_tls_secret_success 0' \
    "$(curl -sS "http://127.0.0.1:$plain/metrics" | grep '^curfew_tls_secret_success')"
control "delete$(secret_path lost)"
hup
wait_until 20 grep -q 'Secret curfew-system/lost does not exist yet' "$work/away.lost.log" &&
    ok 'a deleted Secret: the log reports it' || fail 'a deleted Secret: the log reports it' "$(cat "$work/away.lost.log")"
equal 'a deleted Secret: the last valid pair is served' "$(printf '%s' "$good" | field tls.crt | serial)" "$(served "$port_of")"
equal 'a deleted Secret: the server is ready' 200 "$(status_of "$probes/readyz")"

# A Secret of another tool, without Curfew's annotation: it is only read.
control "object$(secret_path lost)" "$("$client" secret lost -60 | sed 's/"annotations":{[^}]*}/"annotations":{}/')"
hup
adopted() { [ "$(served "$port_of")" = "$(in_secret lost)" ]; }
wait_until 30 adopted && ok "a pair of another tool is served" || fail "a pair of another tool is served" "$(cat "$work/away.lost.log")"
kill -TERM "$server_of"
wait "$server_of"
equal 'it ends' 0 $?
