# SPDX-License-Identifier: Apache-2.0
# certs_away.sh - the rotator is away for a day, or for longer, and comes back: no handshake fails.
# The clock is moved by the age of what the Secret holds: it was made so long ago. Sourced by run.sh,
# after certs.sh.

day=86400

# found NAME AUTHORITY-SECONDS [LEAF-SECONDS]: a Secret that was made then, published.
found() {
    local secret
    secret=$("$client" secret "$@")
    control "object$(secret_path "$1")" "$secret"
    control "object$(webhooks_path "$1")" "{\"metadata\":{\"name\":\"$1\"},\"webhooks\":[{\"name\":\"a.curfew.dev\",
        \"clientConfig\":{\"service\":{\"name\":\"$1\",\"namespace\":\"curfew-system\"},
        \"caBundle\":\"$(printf '%s' "$secret" | sed 's/.*"ca.crt":"\([^"]*\)".*/\1/')\"}}]}"
}

# begins NAME: a server, and somebody who calls it; nobody keeps the Secret.
begins() {
    replica "$work/away.$1.log" "$1"
    serving "$work/away.$1.log"
    port_of=$port server_of=$replica
    probe "$1" "$port"
    prober_of=$prober
    sleep 1
}

# comes_back NAME CASE [COMMAND...]: the rotator is there again, and what it makes is served, until
# the command succeeds, too; who called all the while was served.
comes_back() {
    local name="$1" case="$2"
    shift 2
    before=$(in_secret "$name" 2>/dev/null)
    rotator "$work/away.$name.rotator.log" "$name" --log-level debug
    renewed() { [ "$(in_secret "$name" 2>/dev/null)" != "$before" ] && [ "$(served "$port_of")" = "$(in_secret "$name")" ]; }
    all_done() { renewed && { [ $# = 0 ] || "$@"; }; }
    wait_until 90 all_done "$@" && ok "$case: it is renewed, and served" ||
        fail "$case: it is renewed, and served" "$(cat "$work/away.$name.rotator.log" "$work/away.$name.log")"
    kill -TERM "$rotator"
    wait "$rotator"
    probed "$case: not one handshake failed" "$name" "$prober_of"
}

found day "-$((61 * day))"
begins day
equal 'the rotator is away: what is due is served on' "$(in_secret day)" "$(served "$port_of")"
equal 'the rotator is away: the server is ready' 200 "$(status_of "$probes/readyz")"
comes_back day 'a day late'
matches 'a day late: why' 'two thirds of the certificate.s life are over' "$(cat "$work/away.day.rotator.log")"
kill -TERM "$server_of"
wait "$server_of"

found month "-$((90 * day - 1800))"
begins month
comes_back month 'in the last half hour of its life'
kill -TERM "$server_of"
wait "$server_of"

found authority "-$((245 * day))" "-$((10 * day))"
begins authority
new_one_signs() { grep -q 'the new authority is trusted' "$work/away.authority.rotator.log"; }
comes_back authority 'an authority that was due a day ago' new_one_signs
equal 'nothing was signed before it was trusted, after a day either' '0 wrong' "$(in_order authority)"
matches 'an authority that was due a day ago: why' 'two thirds of the authority.s life are over' \
    "$(cat "$work/away.authority.rotator.log")"
kill -TERM "$server_of"
wait "$server_of"

# Deleted, and nobody there who knows what it held.
found lost "-$((10 * day))"
begins lost
control "delete$(secret_path lost)"
sleep 1
comes_back lost 'a Secret that was lost'
matches 'a Secret that was lost: what was served is trusted on' '^2$' \
    "$(bundle lost | grep -c 'BEGIN CERTIFICATE')"

# ---- what the server makes of a Secret ----

hup() { kill -HUP "$server_of"; }
good=$(get "$(secret_path lost)")
broken=$(printf '%s' "$good" | sed 's/"tls.key": "[^"]*"/"tls.key": "'"$("$client" secret other -60 | sed 's/.*"tls.key":"\([^"]*\)".*/\1/')"'"/')
control "object$(secret_path lost)" "$broken"
hup
wait_until 20 grep -q "the certificate could not be read.*does not belong\|could not be read.*key" "$work/away.lost.log" &&
    ok "another's key: the log tells" || fail "another's key: the log tells" "$(cat "$work/away.lost.log")"
equal "another's key: the last good pair is served" "$(printf '%s' "$good" | field tls.crt | serial)" "$(served "$port_of")"
equal "another's key: the metric tells" 'curfew_tls_secret_success 0' \
    "$(curl -sS "http://127.0.0.1:$plain/metrics" | grep '^curfew_tls_secret_success')"
control "delete$(secret_path lost)"
hup
wait_until 20 grep -q 'there is no Secret curfew-system/lost yet' "$work/away.lost.log" &&
    ok 'a Secret that is gone: the log tells' || fail 'a Secret that is gone: the log tells' "$(cat "$work/away.lost.log")"
equal 'a Secret that is gone: the last good pair is served' "$(printf '%s' "$good" | field tls.crt | serial)" "$(served "$port_of")"
equal 'a Secret that is gone: the server is ready' 200 "$(status_of "$probes/readyz")"

# Of somebody else, who does not mark it as ours: it is only read.
control "object$(secret_path lost)" "$("$client" secret lost -60 | sed 's/"annotations":{[^}]*}/"annotations":{}/')"
hup
adopted() { [ "$(served "$port_of")" = "$(in_secret lost)" ]; }
wait_until 30 adopted && ok "somebody else's pair is served" || fail "somebody else's pair is served" "$(cat "$work/away.lost.log")"
kill -TERM "$server_of"
wait "$server_of"
equal 'it ends' 0 $?
