#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh [SECONDS] - a client that behaves like an API server, against a server under stress: its files
# are replaced (also with invalid ones), slow and idle clients hold connections, and it is stopped. No
# response may be wrong or lost. Prints one row for each condition.
#
# SECONDS (3) for each condition; RATE (500) reviews a second, and bursts. Two floods together have
# 3.2 times FLOODS (10000) connections that never become a request. THREADS ("2 16") sets the threads of
# the flooded servers. Ends with "N passed, N failed".
set -u

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
root=$(CDPATH='' cd -- "$here/../.." && pwd)
curfew=${CURFEW:-$root/build/curfew}
each=${1:-3}
rate=${RATE:-500}
floods=${FLOODS:-10000}
recorded=$root/test/recorded
objects=$recorded/objects.yaml
work=$(mktemp -d)
certs=$work/certs
vol=$work/volume
others=

. "$root/test/cases.sh"
. "$root/test/lib/server.sh"
. "$root/test/http/lib.sh"
trap 'quiet_down; cleanup' EXIT
trap 'exit 1' INT TERM

review=$recorded/mutate.create.pods.legacy-mount.by-admin.json
allowed="\"allowed\":true=/validate=$recorded/validate.create.pods.agent.by-daemon-set-controller.json"
denied="\"allowed\":false=/validate=$recorded/validate.create.pods.legacy-mount.by-admin.json"
fixed="\"patch\":=/mutate=$recorded/mutate.create.pods.legacy-mount.by-admin.json"
tokens="\"allowed\":true=/mutate=$recorded/mutate.create.serviceaccounts-token.web.by-n1.json"
good=$recorded/validate.create.pods.agent.by-daemon-set-controller.json

# ---- what is swapped ----

show() { # NAME: the volume's files are now those of this folder, all at once
    ln -s "$1" "$vol/..new" && mv -T "$vol/..new" "$vol/..data"
}

prepare() {
    mkdir -p "$vol/one" "$vol/two" "$vol/cut" "$vol/mixed" "$vol/none"
    for name in one two; do
        dev_certs "$certs" || exit 1
        cp "$certs/tls.crt" "$certs/tls.key" "$vol/$name"
    done
    cp "$vol/two/tls.key" "$vol/cut/tls.key"
    head -c 400 "$vol/two/tls.crt" >"$vol/cut/tls.crt"
    cp "$vol/two/tls.crt" "$vol/mixed/tls.crt"
    cp "$vol/one/tls.key" "$vol/mixed/tls.key"
    head='apiVersion: curfew.dev/v1alpha1\nkind: CurfewConfiguration\n'
    printf "$head" >"$vol/one/curfew.yaml"
    printf "${head}exemptions: {namespaces: [elsewhere]}\n" >"$vol/two/curfew.yaml"
    printf "${head}defaults: {enf" >"$vol/cut/curfew.yaml"
    printf "${head}defaults: {enforce: nothing}\n" >"$vol/mixed/curfew.yaml"
    for file in tls.crt tls.key; do ln -s "..data/$file" "$vol/$file"; done
    show one
    cp "$vol/one/curfew.yaml" "$vol/curfew.yaml"
}

swap_pairs() {
    while :; do
        for name in two cut one mixed two none; do
            show $name
            sleep 1
        done
    done
}

# Half of them in place, so that the server sees partly written files.
swap_policies() {
    while :; do
        for name in two cut one mixed none; do
            if [ $name = none ]; then
                rm -f "$vol/curfew.yaml"
            else
                cat "$vol/$name/curfew.yaml" >"$vol/curfew.yaml"
            fi
            sleep 1
        done
    done
}

# ---- conditions ----

background() { # COMMAND...: runs until quiet_down
    "$@" &
    others="$others $!"
}

quiet_down() {
    for other in $others; do kill "$other" 2>/dev/null; done
    for other in $others; do wait "$other" 2>/dev/null; done
    others=
    rm -f "$work"/slow.*.err
}

slow() { # MODE COUNT
    background "$work/bin/clients" slow "$1" "$port" "$2" 3600 "$review" >/dev/null 2>"$work/slow.$1.err"
}

# Reopens connections that the server closed.
slow_again() { # MODE COUNT
    client=
    trap 'kill "$client" 2>/dev/null; exit' TERM
    while :; do
        "$work/bin/clients" slow "$1" "$port" "$2" 20 "$review" >/dev/null 2>>"$work/slow.$1.err" &
        client=$!
        wait "$client"
    done
}

connected() { # MODE...
    for mode in "$@"; do wait_until 30 grep -q connected "$work/slow.$mode.err" || return 1; done
}

load() { # LABEL SECONDS
    "$work/bin/load" "$port" "$certs/ca.crt" "$1" "$2" "$rate" "$allowed" "$denied" "$fixed" "$tokens" \
        2>"$work/load.err"
}

row() { # LABEL [keep]: with keep, background programs keep running
    if load "$1" "$each" >"$work/row"; then ok "$1"; else fail "$1" "$(sort "$work/load.err" | uniq -c | head -5)"; fi >>"$work/verdicts"
    cat "$work/row"
    [ "${2:-}" = keep ] || quiet_down
}

# Connections that never become a request, of each kind and at each port, from one address and from many;
# one process for each half of them, with 20,000 descriptors.
all_floods() {
    share=$((floods / 10))
    for addresses in 1 200; do
        background "$work/bin/flood" 3600 $addresses "silent:$port:$((3 * share))" \
            "hello:$port:$((3 * share))" "half-hello:$port:$((2 * share))" "tls-headers:$port:$share" \
            "silent:$probes:$((2 * share))" "headers:$probes:$((2 * share))" "kept:$probes:$share" \
            "silent:$plain:$share" "headers:$plain:$share" >/dev/null 2>&1
    done
}

# THREADS: with a separate server, whose memory is checked. Times are printed, but checked only with
# TIMED=1, for a quiet machine, and not with more threads than cores.
flooded() {
    label="all floods${1:+, $1 threads}"
    timed=false
    [ "${TIMED:-0}" = 0 ] || [ "${1:-2}" -gt "$(nproc)" ] || timed=true
    server "$work/flooded.log" --tls-cert "$vol/one/tls.crt" --tls-key "$vol/one/tls.key" \
        ${1:+--threads "$1"} || exit 1
    # Memory is not checked for sanitizer builds, which are large.
    measured=true
    [ "$(memory VmRSS)" -lt 20000 ] || measured=false
    lost=0
    for try in 1 2 3; do
        flooded_once "$label" $try
        lost=$((lost + $(awk '$1 == "warm" || $1 == "kept" { lost += $4 } END { print lost + 0 }' "$work/beside.out")))
        if ! $timed || in_time; then break; fi
    done
    quiet_down
    peak=$(memory VmHWM)
    echo "    peak $((peak / 1024)) MiB"
    {
        ! $timed || check "$label: probes in 0.5 s, a new connection in 1 s" "$(cat "$work/beside.out")" in_time
        equal "$label: reviews lost on kept connections" 0 $lost
        ! $measured || check "$label: the peak is below 96 MiB" "$peak KiB" test "$peak" -lt $((96 * 1024))
        stops "$label: it ends" "$pid"
    } >>"$work/verdicts"
}

# LABEL TRY: the effect on other clients; the best of three counts, since the machine may be busy.
flooded_once() {
    "$work/bin/clients" beside "$port" "$probes" "$plain" $((each + 2)) "$good" >"$work/beside.out" 2>"$work/beside.err" &
    beside=$!
    wait_until 10 grep -q warm "$work/beside.err"
    [ "$2" != 1 ] || all_floods
    row "$1" keep
    wait "$beside"
    sed 's/^/    /' "$work/beside.out"
}

in_time() {
    awk '{ worst[$1] = $10; lost += $4 } END { exit lost > 0 || worst["probes"] > 500 || worst["new"] > 1000 }' \
        "$work/beside.out"
}

reloaded() { # WHAT: it really was, good and bad
    check "$1 was reloaded" "$(tail -n 3 "$work/server.log")" grep -q "\"reloaded\",\"what\":\"$1\"" "$work/server.log"
    check "invalid files of $1 were rejected" none grep -q "not reloaded.*\"what\":\"$1\"" "$work/server.log"
}

dev_certs "$certs" || exit 1
build_clients "$here/load.c" "$root/test/http/flood.c" "$root/test/lib/clients.c" || exit 1
prepare
: >"$work/verdicts"
server "$work/server.log" --config "$vol/curfew.yaml" --tls-cert "$vol/tls.crt" --tls-key "$vol/tls.key" \
    --drain-delay 2s --drain-timeout 2s || exit 1

echo "$rate reviews/s and a burst of 40 each second, $each s a condition; times in ms"
printf '%-22s %7s %5s %5s %7s %6s %15s %15s %7s\n' '' '' '' '' '' new 'kept: p50   p99' 'new: p50   p99' ''
printf '%-22s %7s %5s %5s %7s %6s %7s %7s %7s %7s %7s\n' '' sent wrong lost refused conns '' '' '' '' max
row 'no other load'
background swap_pairs
row 'certificate swaps'
background swap_policies
row 'policy swaps'
for mode in headers body read; do background slow_again $mode 100; done
connected headers body read || fail 'slow clients connect' "$(cat "$work"/slow.*.err)"
row '300 slow clients'
if [ "$each" -ge 5 ] && command -v slowhttptest >/dev/null; then
    for kind in -H -B -X; do
        background slowhttptest $kind -c 100 -r 100 -i 1 -l $((each + 2)) -t POST \
            -u "https://localhost:$port/validate" >/dev/null 2>&1
    done
    row 'slowhttptest -H -B -X'
fi
slow idle 1000
connected idle || fail 'idle clients connect' "$(cat "$work"/slow.idle.err)"
row '1,000 idle connections'
main=$pid
if "$curfew" serve --help | grep -q -- --threads; then
    for threads in ${THREADS:-2 16}; do flooded $threads; done
else
    flooded
fi
pid=$main
ports_of "$work/server.log"
background swap_pairs
background swap_policies
for mode in headers body read; do background slow_again $mode 100; done
slow idle 1000
connected headers body read idle || fail 'they connect' "$(cat "$work"/slow.*.err)"
row 'everything together' keep

# Stops the server under that load, which continues until connections are refused.
load 'SIGTERM' 0 >"$work/row" &
loader=$!
sleep 1
kill -TERM "$pid"
if wait "$loader"; then ok 'SIGTERM'; else fail 'SIGTERM' "$(cat "$work/load.err")"; fi >>"$work/verdicts"
cat "$work/row"
ends 'it ends: exit code' "$pid"
quiet_down
# Some of the 300 slow clients get no response; all requests of the load do.
cut=$(sed -n 's/.*"msg":"stopped","unanswered":\([0-9]*\).*/\1/p' "$work/server.log")
check 'the log counts unanswered requests' "$cut" test "$cut" -le 300
reloaded 'the certificate'
reloaded 'the configuration'
check 'no sanitizer reported an error' "$(grep -A20 -E 'ERROR: |WARNING: |runtime error' "$work/server.log")" \
    sh -c '! grep -qE "Sanitizer|runtime error" "$1"' sh "$work/server.log"
cat "$work/verdicts"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
