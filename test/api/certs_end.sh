# SPDX-License-Identifier: Apache-2.0
# certs_end.sh - what certs.sh began: a certificate and an authority at the end of their lives.
# Sourced by run.sh.

wait_until 60 grep -q 'two thirds of the authority.s life are over' "$work/short.rotator.log" &&
    ok 'an authority is renewed by itself' || fail 'an authority is renewed by itself' "$(cat "$work/short.rotator.log")"
wait_until 30 grep -q 'the new authority is trusted' "$work/short.rotator.log" &&
    ok 'and then signs' || fail 'and then signs' "$(cat "$work/short.rotator.log")"
matches 'before, certificates were' 'two thirds of the certificate.s life are over' "$(cat "$work/short.rotator.log")"
follows() { [ "$(served "$short_port")" = "$(in_secret short)" ]; }
wait_until 20 follows && ok 'the last one is served' || fail 'the last one is served' "$(tail -n 3 "$work/short.log")"
probed 'and in all that time not one handshake failed' short "$short_prober"
equal 'nothing was signed before it was trusted, here too' '0 wrong' "$(in_order short)"
kill -TERM "$short" "$short_rotator"
wait "$short"
equal 'the server ends' 0 $?
wait "$short_rotator"
equal 'the rotator ends' 0 $?
equal 'no server ever asked for more than its role has' 0 \
    "$(curl -sS --cacert "$ca/good.pem" "$api/_/trespasses")"
lacks 'no key was said' 'PRIVATE KEY\|cluster-token' "$(cat "$work"/*.log)"
