# SPDX-License-Identifier: Apache-2.0
# lib.sh - what the benchmarks share: a folder that goes at the end, and a core for the server and one
# for its client. Sourced; $root is the project.

. "$root/test/cases.sh"
. "$root/test/lib/server.sh"
work=$(mktemp -d)
certs=$work/certs

say() { echo "bench: $*" >&2; }

trap 'set +e; cleanup' EXIT
trap 'exit 1' INT TERM

# wait_for SECONDS COMMAND...
wait_for() {
    wait_until "$@" || { say "nothing came of: $*"; tail -n 3 "$work"/*.log >&2; exit 3; }
}

# start LOG FLAG...: a server on its core; sets $pid, $port, $probes and $plain.
start() {
    under="taskset -c $server_core" serve "$@" --tls-cert "$certs/tls.crt" --tls-key "$certs/tls.key"
    listening "$1" || exit 3
}

# need TOOL...
need() {
    for tool in "$@"; do
        command -v "$tool" >/dev/null || PATH=$PATH:/usr/sbin:/sbin
        command -v "$tool" >/dev/null || { say "$tool is needed (make deps-bench)"; exit 3; }
    done
}

need taskset
# The first two cores that this process may use.
cores=$(taskset -pc $$ | sed 's/.*: //' | tr ',' '\n' | awk -F- '{ for (i = $1; i <= $NF; i++) print i }')
server_core=$(echo "$cores" | sed -n 1p)
client_core=$(echo "$cores" | sed -n 2p)
if [ -z "$client_core" ]; then
    say 'only one core: the client takes from the server, ratios are rough'
    client_core=$server_core
fi
