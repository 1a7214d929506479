#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# bench.sh - reviews of an ordinary pod over keep-alive TLS 1.3, beside nginx answering the same
# number of bytes statically. Both servers on one core, wrk on another; the rounds take turns and
# the median counts, so that what else the machine does meets all alike.
#
#   CURFEW=build/curfew ROUNDS=3 SECONDS_EACH=6 CONNECTIONS=25 test/bench/bench.sh
#
# CPU is what the server's processes used, and so holds even where wrk is the slower side.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
root=$(CDPATH='' cd -- "$here/../.." && pwd)
curfew=${CURFEW:-$root/build/curfew}
rounds=${ROUNDS:-3}
seconds=${SECONDS_EACH:-6}
connections=${CONNECTIONS:-25}
. "$here/lib.sh"
need wrk nginx curl openssl

post() { # URL FILE
    curl -sS --fail --cacert "$certs/ca.crt" -H 'Content-Type: application/json' \
        --data-binary "@$2" "$1"
}

start_nginx() { # BYTES: of its answer
    body=$(head -c "$1" /dev/zero | tr '\0' x)
    nginx_port=$((20000 + $$ % 20000))
    cat >"$work/nginx.conf" <<END
worker_processes 1;
daemon off;
pid $work/nginx.pid;
error_log $work/nginx.log error;
events { worker_connections 512; }
http {
    access_log off;
    keepalive_requests 1000000000;
    client_body_buffer_size 64k;
    client_body_temp_path $work/body;
    proxy_temp_path $work/proxy;
    fastcgi_temp_path $work/fastcgi;
    uwsgi_temp_path $work/uwsgi;
    scgi_temp_path $work/scgi;
    server {
        listen 127.0.0.1:$nginx_port ssl;
        ssl_certificate $certs/tls.crt;
        ssl_certificate_key $certs/tls.key;
        ssl_protocols TLSv1.3;
        ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;
        default_type application/json;
        location / { return 200 "$body"; }
    }
}
END
    taskset -c "$server_core" nginx -e "$work/nginx.log" -c "$work/nginx.conf" &
    nginx_pid=$!
    pids="$pids $nginx_pid"
    wait_for 5 post "https://localhost:$nginx_port/" "$work/allowed.json"
}

ticks() { # PID...: user and system time of processes and their children that still run
    total=0
    for p in "$@" $(cat /proc/"$1"/task/*/children 2>/dev/null); do
        # The name in brackets may contain anything, so count the fields after it.
        t=$(sed 's/.*) //' "/proc/$p/stat" | awk '{ print $12 + $13 }')
        total=$((total + t))
    done
    echo $total
}

rss() { # PID: resident MiB, with its children
    for p in "$1" $(cat /proc/"$1"/task/*/children 2>/dev/null); do
        awk '/^VmRSS/ { print $2 }' "/proc/$p/status"
    done | awk '{ n += $1 } END { printf "%.1f", n / 1024 }'
}

# measure NAME PID URL BODY: one round; appends "requests/s CPU-seconds/1000" to the name's file.
measure() {
    before=$(ticks "$2")
    BODY=$4 taskset -c "$client_core" wrk -t1 -c"$connections" -d"${seconds}s" \
        -s "$here/post.lua" "$3" >"$work/wrk"
    after=$(ticks "$2")
    if grep -q 'Non-2xx\|Socket errors' "$work/wrk"; then
        say "$1: $(grep 'Non-2xx\|Socket errors' "$work/wrk")"
    fi
    awk -v ticks=$((after - before)) -v hz="$(getconf CLK_TCK)" '
        / requests in / { n = $1 }
        /^Requests\/sec/ { rate = $2 }
        END { printf "%.0f %.4f\n", rate, ticks / hz / n * 1000 }' "$work/wrk" >>"$work/$1.rounds"
}

median() { # FILE COLUMN
    awk -v c="$2" '{ print $c }' "$1" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

dev_certs "$certs"
sh "$here/pod.sh" 3600 >"$work/allowed.json"
sh "$here/pod.sh" 3607 >"$work/fixed.json"
start "$work/curfew.log" --objects "$root/test/recorded/objects.yaml"
curfew_pid=$pid url=https://localhost:$port
allowed=$(post "$url/validate" "$work/allowed.json")
fixed=$(post "$url/mutate" "$work/fixed.json")
case $allowed in *'"allowed":true'*) ;; *) say "not allowed: $allowed"; exit 3 ;; esac
case $fixed in *'"patch":'*) ;; *) say "not fixed: $fixed"; exit 3 ;; esac
start_nginx ${#allowed}
idle=$(rss "$curfew_pid")

round=0
while [ $round -lt "$rounds" ]; do
    round=$((round + 1))
    say "round $round of $rounds"
    measure nginx "$nginx_pid" "https://localhost:$nginx_port/" "$work/allowed.json"
    measure validate "$curfew_pid" "$url/validate" "$work/allowed.json"
    measure mutate "$curfew_pid" "$url/mutate" "$work/fixed.json"
done

echo "a pod review of $(wc -c <"$work/allowed.json") bytes, TLS 1.3, $connections connections," \
    "1 core, medians of $rounds rounds of $seconds s"
echo
printf '%-28s %10s %14s %9s %11s %11s\n' '' 'reviews/s' 'CPU s per 1000' 'RSS MiB' 'of nginx' 'CPU x nginx'
for name in nginx validate mutate; do
    file=$work/$name.rounds
    case $name in
    nginx) label="nginx, ${#allowed} bytes" memory=$(rss "$nginx_pid") ;;
    validate) label="curfew /validate, allowed" memory=$(rss "$curfew_pid") ;;
    mutate) label="curfew /mutate, repaired" memory=$(rss "$curfew_pid") ;;
    esac
    awk -v label="$label" -v memory="$memory" -v rate="$(median "$file" 1)" \
        -v cpu="$(median "$file" 2)" -v nrate="$(median "$work/nginx.rounds" 1)" \
        -v ncpu="$(median "$work/nginx.rounds" 2)" 'BEGIN {
            printf "%-28s %10d %14.4f %9.1f %11.2f %11.2f\n", label, rate, cpu, memory,
                rate / nrate, cpu / ncpu }'
done
echo
echo "curfew idle: $idle MiB resident"

# From exec to the first 200: /readyz, and nginx's answer without TLS.
build_clients "$root/test/lib/clients.c"
port=$((20001 + $$ % 20000))
sed "s/listen .*/listen 127.0.0.1:$port;/; /ssl_/d; s/return 200 .*/return 200 ok; }/" \
    "$work/nginx.conf" >"$work/ready.conf"
curfew_start=$("$work/bin/clients" ready $port /readyz 21 "$curfew" serve \
    --objects "$root/test/recorded/objects.yaml" --tls-cert "$certs/tls.crt" \
    --tls-key "$certs/tls.key" --listen 127.0.0.1:0 --metrics-listen 127.0.0.1:0 --probe-listen "127.0.0.1:$port" \
    --drain-delay 0s)
nginx_start=$("$work/bin/clients" ready $port / 21 nginx -e "$work/nginx.log" -c "$work/ready.conf")
echo "start to ready, median of 21: curfew $curfew_start ms, nginx $nginx_start ms"
