# SPDX-License-Identifier: Apache-2.0
# certs_end.sh - the end of what short_life started: a certificate and an authority that expire.
# Sourced by run.sh.

wait_until 60 grep -q 'two thirds of the authority.s lifetime have passed' "$work/short.rotator.log" &&
    ok 'an authority is renewed automatically' || fail 'an authority is renewed automatically' "$(cat "$work/short.rotator.log")"
wait_until 30 grep -q 'the new authority is trusted' "$work/short.rotator.log" &&
    ok 'the new authority signs' || fail 'the new authority signs' "$(cat "$work/short.rotator.log")"
matches 'certificates were renewed before that' 'two thirds of the certificate.s lifetime have passed' "$(cat "$work/short.rotator.log")"
follows() { [ "$(served "$short_port")" = "$(in_secret short)" ]; }
wait_until 20 follows && ok 'the last certificate is served' || fail 'the last certificate is served' "$(tail -n 3 "$work/short.log")"
probed 'and in all that time not one handshake failed' short "$short_prober"
equal 'no authority signs before it is trusted, until the end' '0 wrong' "$(in_order short)"
kill -TERM "$short" "$short_rotator"
wait "$short"
equal 'the server ends' 0 $?
wait "$short_rotator"
equal 'the rotator ends' 0 $?
