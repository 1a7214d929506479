# SPDX-License-Identifier: Apache-2.0
# streams.sh - watches: complete, partial, silent, cut. Sourced by run.sh.

k=$work/k
out=$(stream /stream/lines/3)
matches 'a stream: its bytes' '^{"line":2}' "$out"
matches 'a stream: its end' '^ended: the server closed it' "$out"
out=$(stream /stream/half/1)
matches 'a partial line is passed on' '^{"listatus 200' "$out"
out=$(stream /stream/cut/2)
matches 'a cut stream: its first line' '^{"line":1}' "$out"
matches 'a cut stream: its end' '^ended: the connection broke' "$out"
out=$(stream /stream/silent/1 --silence 1)
matches 'a silent stream' '^ended: no data for too long' "$out"
out=$(stream /stream/silent/0 --silence 1)
matches 'silent from its headers on' '^ended: no data for too long' "$out"
out=$(stream /stream/slow/8 --silence 2)
matches 'a slow stream is not silent' '^{"line":7}' "$out"
matches 'a slow stream ends normally' '^ended: the server closed it' "$out"
out=$(stream /stream/never --timeout 1)
matches 'a stream without headers' '^error: .*no answer within 1 s' "$out"
out=$(stream /stream/silent/1 --cancel-after 700 --silence 30)
matches 'a cancelled stream' '^ended: shutting down' "$out"
out=$(stream /stream/slow/50 --enough 30)
matches 'a stream that its reader stops' '^ended: the reader ended it' "$out"
out=$(stream /bare/410)
matches 'another status: its body' '^<html>no</html>' "$out"
matches 'another status' '^status 410' "$out"
out=$(stream /forbidden --verb watch --resource pods)
matches 'a forbidden stream' 'RBAC does not allow "system:.*curfew" to watch pods; ' "$out"
matches 'an unauthenticated stream' '(401)' "$(stream /unauthorized)"
out=$(stream /stream/lines/2 --repeat 3)
equal 'three streams in a row' 3 "$(printf '%s\n' "$out" | grep -c '^ended: the server closed it')"
