#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# authorize.sh - measures authorization in a large cluster: SubjectAccessReviews of a node agent, half of
# them about objects of another node, while pods change. The server runs on one core, the API server and
# wrk on another; the server's store is filled over HTTP, as in a cluster.
#
#   PODS=150000 NODES=5000 RATE=300 SECONDS_EACH=6 ROUNDS=3 test/bench/authorize.sh BUILD
#
# Runs at full speed with 25 connections, and with 2 connections, whose latency includes no queueing.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
root=$(CDPATH='' cd -- "$here/../.." && pwd)
build=$1
curfew=$build/curfew
pods=${PODS:-150000}
nodes=${NODES:-5000}
rate=${RATE:-300}
rounds=${ROUNDS:-3}
seconds=${SECONDS_EACH:-6}
. "$here/lib.sh"
need wrk curl openssl

rss() { # PID: in MiB
    awk '/^VmRSS/ { printf "%.1f", $2 / 1024 }' "/proc/$1/status"
}

ticks() { # PID: of the CPU, all threads
    sed 's/.*) //' "/proc/$1/stat" | awk '{ print $12 + $13 }'
}

now() { date +%s%N; }

dev_certs "$certs"
printf 'apiVersion: v1\nkind: Namespace\nmetadata: {name: x}\n' >"$work/one.yaml"
start "$work/idle.log" --objects "$work/one.yaml"
idle=$(rss "$pid")
kill "$pid"

taskset -c "$client_core" "$build/bench/apiserver" "$pods" "$nodes" "$rate" "$work/questions" \
    >"$work/api.port" &
pids="$pids $!"
wait_for 30 test -s "$work/api.port"
kubeconfig "$work/kubeconfig" "server: http://127.0.0.1:$(cat "$work/api.port")"
begin=$(now)
start "$work/curfew.log" --kubeconfig "$work/kubeconfig" --authorize-anonymous
curfew_pid=$pid
wait_for 120 curl -fsS "http://127.0.0.1:$probes/readyz"
synced=$((($(now) - begin) / 1000000))
sleep 2 # what the first list took goes back to the system
full=$(rss "$curfew_pid")
# It denies some and not others, or this measures nothing.
head -n 40 "$work/questions" | while read -r line; do
    curl -sS --cacert "$certs/ca.crt" -H 'Content-Type: application/json' -d "$line" \
        "https://localhost:$port/authorize"
done >"$work/answers"
denied=$(grep -o '"denied":true' "$work/answers" | wc -l)
[ "$denied" -gt 4 ] && [ "$denied" -lt 36 ] || { say "$denied of 40 denied"; exit 3; }

round=0
while [ $round -lt "$rounds" ]; do
    round=$((round + 1))
    say "round $round of $rounds"
    for connections in 25 2; do
        before=$(ticks "$curfew_pid")
        line=$(QUESTIONS="$work/questions" taskset -c "$client_core" wrk -t 1 -c "$connections" \
            -d "${seconds}s" -s "$here/authorize.lua" "https://localhost:$port" |
            grep '^rate ')
        used=$(($(ticks "$curfew_pid") - before))
        echo "$line cpu $(awk -v t="$used" -v hz="$(getconf CLK_TCK)" -v n="$(echo "$line" |
            awk '{ print $12 }')" 'BEGIN { printf "%.1f", t / hz / n * 1e6 }')" \
            >>"$work/$connections.rounds"
    done
done

median() { # CONNECTIONS FIELD
    sort -n -k "$2" "$work/$1.rounds" | awk -v f="$2" '{ v[NR] = $f } END { print v[int((NR + 1) / 2)] }'
}
echo "/authorize: $pods pods on $nodes nodes, $rate pod events a second, TLS 1.3, 1 core," \
    "medians of $rounds rounds of $seconds s"
echo "first sync over HTTP: $synced ms; resident: $full MiB, $idle MiB with an empty store"
curl -fsS "http://127.0.0.1:$plain/metrics" | awk '
    /^curfew_review_duration_seconds_bucket/ { split($1, le, "\""); within[le[2]] = $2 }
    /^curfew_review_duration_seconds_count/ { all = $2 }
    END { printf "the server itself, from body to answer: %.2f %% within 50 us, %.2f %% within 500\n",
          100 * within["5e-05"] / all, 100 * within["0.0005"] / all }'
for connections in 25 2; do
    printf '%2d connections: %6d/s, microseconds: p50 %d, p99 %d, p99.9 %d, CPU %s (failed: %d)\n' \
        "$connections" "$(median $connections 2)" "$(median $connections 4)" \
        "$(median $connections 6)" "$(median $connections 8)" "$(median $connections 14)" \
        "$(awk '{ n += $10 } END { print n }' "$work/$connections.rounds")"
done
