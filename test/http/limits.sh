# SPDX-License-Identifier: Apache-2.0
# limits.sh - slow clients, greedy clients, a blocked log, the process. Sourced by run.sh.

# Clients that are slow at each stage, with a separate server; checked at the end.
server "$work/slow.log" --log-level debug || exit 1
slow_pid=$pid slow_port=$port slow_clients=
for mode in connect handshake headers body read; do
    "$work/bin/clients" slow $mode "$port" 20 28 "$fixed" >"$work/slow.$mode" 2>/dev/null &
    slow_clients="$slow_clients $!"
done
pids="$pids $slow_clients"

# More silent connections than the limit: the oldest are closed.
server "$work/room.log" || exit 1
"$work/bin/clients" slow connect "$probes" 64 8 >"$work/room.out" 2>"$work/room.err" &
room=$!
pids="$pids $room"
wait_until 10 grep -q connected "$work/room.err"
equal 'all connections are new: another one waits' 200 "$(get /readyz)"
"$work/bin/clients" slow connect "$probes" 40 1 >/dev/null 2>&1
equal 'the oldest idle connections are closed' 200 "$(get /readyz)"
kill "$room" 2>/dev/null
stops 'and ends' "$pid"

# 600 requests of 3 MiB: bounded memory, which comes back.
small_again() {
    [ "$(memory VmRSS)" -lt $((idle + 24 * 1024)) ]
}
padded 3145728 >"$work/in"
server "$work/greedy.log" || exit 1
equal 'a review of 3 MiB' 200 "$(post /validate "$work/in")"
idle=$(memory VmRSS)
# A sanitizer's build is large, and too slow for 600 bodies within their time.
count=600 measured=true
[ "$idle" -lt 20000 ] || count=60 measured=false
"$work/bin/clients" many "$port" $count "$work/in" >"$work/many.out" 2>"$work/many.err"
peak=$(memory VmHWM)
echo "     $count x 3 MiB: $(cat "$work/many.out"); idle $idle KiB, peak $peak KiB"
check 'each of them gets a response or 429' \
    "$(cat "$work/many.out") $(sort "$work/many.err" | uniq -c)" grep -q 'other 0$' "$work/many.out"
check 'some get a response' "$(cat "$work/many.out")" grep -q 'answered [1-9]' "$work/many.out"
check 'some get 429' "$(cat "$work/many.out")" grep -q 'busy [1-9]' "$work/many.out"
if $measured; then
    check 'memory: the peak is under limits.memory and 96 MiB' "idle $idle, peak $peak KiB" \
        test "$peak" -lt $(((128 + 96) * 1024))
    check 'memory: it is released' "$(memory VmRSS) KiB" wait_until 10 small_again
fi
get /metrics >/dev/null
check 'rejected reviews are counted as busy' "$(grep busy "$work/body")" \
    grep -q '^curfew_rejected_requests_total{reason="busy"} [1-9]' "$work/body"
check 'a good review is answered' 'it is not' answers
stops 'and ends' "$pid"

# The server does not wait for a blocked or full log.
mkfifo "$work/pipe"
{ head -n 1 >"$work/first" && sleep 30; } <"$work/pipe" &
reader=$!
pids="$pids $reader"
begin "$work/pipe" --log-level debug
logged "$work/first" serving
ports_of "$work/first"
"$work/bin/load" "$port" "$certs/ca.crt" 'blocked log' 1 800 "\"allowed\":false=/validate=$denied" \
    >"$work/row" 2>"$work/load.err"
check 'a blocked log: reviews get a response' "$(cat "$work/row" "$work/load.err")" \
    grep -q '^blocked log *840 *0 *0 *0' "$work/row"
kill "$reader" 2>/dev/null
check 'a closed log: reviews get a response' 'they are not' answers
stops 'and it ends' "$pid"
# The log cannot report the ports: use two that are free now.
ports=$(python3 -c 'import socket
s = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
print(*[x.getsockname()[1] for x in s])')
port=${ports% *} plain=${ports#* }
begin /dev/full --listen "127.0.0.1:$port" --metrics-listen "127.0.0.1:$plain"
check 'a full log: reviews get a response' "$(cat "$work/curl.err")" wait_until 10 answers
stops 'and it ends' "$pid"

# The process.
server "$work/process.log" <&- || exit 1
for fd in 0 1 2; do
    check "descriptor $fd is open" 'it is not' test -e "/proc/$pid/fd/$fd"
done
ignored=$(sed -n 's/^SigIgn:[^0-9a-f]*//p' "/proc/$pid/status")
check 'SIGPIPE is ignored' "$ignored" test $((0x$ignored & 0x1000)) -ne 0
check 'no core dumps' "$(grep core "/proc/$pid/limits")" \
    grep -q 'Max core file size *0 *0' "/proc/$pid/limits"
check 'the first line names versions and policy' "$(cat "$work/process.log")" \
    grep -q '"version":"[^"]*".*"policy":"builtin".*"libraries":"libmicrohttpd [0-9.]*, GnuTLS [0-9.]*, OpenSSL [0-9.]*, libcurl [0-9.]*, cJSON [0-9.]*, libyaml [0-9.]*"' \
    "$work/process.log"
stops 'and it ends' "$pid"
# The files in /proc of a process that cannot be dumped belong to root, for every user.
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
    as_nobody='setpriv --reuid 65534 --regid 65534 --clear-groups'
    chmod 755 "$work" "$certs" && chmod 644 "$certs/tls.key"
else
    as_nobody=
fi
if [ -n "$as_nobody" ] && $as_nobody test -x "$curfew" -a -r "$objects"; then
    under=$as_nobody
    server "$work/unprivileged.log"
    under=
    equal 'its memory cannot be read' 0 "$(stat -c %u "/proc/$pid/mem")"
    kill "$pid"
fi

# The slow clients.
# cut_off MODE FROM TO: all of them ended after FROM to TO milliseconds.
cut_off() {
    awk -v from="$2" -v to="$3" \
        '{ bad = $2 != 20 || $4 != 20 || $6 < from || $8 > to } END { exit bad || NR != 1 }' \
        "$work/slow.$1"
}
for client in $slow_clients; do wait "$client"; done
check 'a silent connection: after 10 s' "$(cat "$work/slow.connect")" \
    cut_off connect 9500 14000
check 'half a TLS hello: after 10 s' "$(cat "$work/slow.handshake")" cut_off handshake 9500 14000
check 'slow headers: after 10 s' "$(cat "$work/slow.headers")" cut_off headers 9500 14000
check 'a slow body: after 15 s' "$(cat "$work/slow.body")" cut_off body 14500 19000
check 'an unread response: after 15 s' "$(cat "$work/slow.read")" cut_off read 14500 28000
port=$slow_port
check 'and a good review is answered' 'it is not' answers
stops 'and ends' "$slow_pid"
