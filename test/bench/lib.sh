# SPDX-License-Identifier: Apache-2.0
# lib.sh - what the benchmarks share: a folder that goes at the end, with whoever is in $pids, and a
# core for the server and one for its client. Sourced.

work=$(mktemp -d)
certs=$work/certs
pids=

say() { echo "bench: $*" >&2; }

cleanup() {
    for pid in $pids; do kill "$pid" 2>/dev/null || true; done
    for pid in $pids; do wait "$pid" 2>/dev/null || true; done
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

# need TOOL...
need() {
    for tool in "$@"; do
        command -v "$tool" >/dev/null || PATH=$PATH:/usr/sbin:/sbin
        command -v "$tool" >/dev/null || { say "$tool is needed (make deps-bench)"; exit 3; }
    done
}

need taskset
# The first two cores that we may use.
cores=$(taskset -pc $$ | sed 's/.*: //' | tr ',' '\n' | awk -F- '{ for (i = $1; i <= $NF; i++) print i }')
server_core=$(echo "$cores" | sed -n 1p)
client_core=$(echo "$cores" | sed -n 2p)
if [ -z "$client_core" ]; then
    say 'only one core: the client takes from the server, ratios are rough'
    client_core=$server_core
fi
