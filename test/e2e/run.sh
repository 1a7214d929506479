#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# run.sh BUILD [SCENARIOS...] - Curfew in front of a real cluster of one node: builds what the cluster
# is made of (once), brings it up, plays test/e2e/scenarios/SCENARIOS*.sh (else all), and takes it
# down again. The last line is "N passed, N failed".
#
#   K8S=1.36.3      the Kubernetes version
#   E2E_CACHE=DIR   where the cluster's programs are kept (~/.cache/curfew-e2e)
#   E2E_SHELL=1     a shell in the cluster before it goes
#   E2E_KEEP=1      keeps the logs, also when nothing failed
set -u
cd "$(dirname "$0")/../.." || exit 1
build=$1
shift
here=test/e2e
work=
child=

give_up() {
    echo "e2e: $*" >&2
    exit 1
}

# child SIGNAL COMMAND...: signals to us do not wait for it, and it does not outlive us.
child() {
    ends_with=$1
    setpriv --pdeathsig "$1" "${@:2}" &
    child=$!
    wait "$child"
    local status=$?
    child=
    return $status
}

cleanup() {
    if [ -n "$child" ]; then
        kill -"$ends_with" "$child" 2> /dev/null
        wait "$child" 2> /dev/null
    fi
    [ -z "$work" ] || rm -rf "$work"
}

[ "$(id -u)" = 0 ] || give_up "a kubelet needs root"
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# The first two are the cluster as it was, and how Curfew comes to it.
files=("$here"/scenarios/0[01]-*.sh)
if [ $# = 0 ]; then
    files+=("$here"/scenarios/[1-9]*.sh)
fi
for name in "$@"; do
    # shellcheck disable=SC2206 # a pattern
    found=("$here"/scenarios/*$name*.sh)
    [ -e "${found[0]}" ] || give_up "no scenarios '$name'"
    files+=("${found[@]}")
done

work=$(mktemp -d "${TMPDIR:-/tmp}/curfew-e2e.XXXXXX") || exit 1
took() { # NAME SINCE
    printf '%-28s %4d s\n' "$1" $(($(date +%s) - $2)) >> "$work/seconds"
}

export E2E_WORK=$work CURFEW=$build/curfew
began=$(date +%s)
child KILL unshare --pid --kill-child --mount-proc bash "$here/cluster/build.sh" || exit 1
took 'cluster built' "$began"

exec 3> >(tee "$work/said")
tee=$!
child TERM bash "$here/cluster/room.sh" "$work" bash "$here/play.sh" "${files[@]}" >&3 2>&1
status=$?
exec 3>&-
wait "$tee"
[ ! -e "$work/played" ] || took 'cluster down' "$(cat "$work/played")"

passed=$(grep -c '^ok ' "$work/said")
failed=$(grep -c '^FAIL ' "$work/said")
[ "$status" = 0 ] || [ "$failed" != 0 ] || failed=1
if [ "$failed" != 0 ] || [ -n "${E2E_KEEP:-}" ]; then
    rm -rf "$build/e2e-logs"
    mkdir -p "$build/e2e-logs"
    cp "$work"/log/*.log "$work/audit.log" "$build/e2e-logs" 2> /dev/null
    echo "the logs are in $build/e2e-logs"
fi
cat "$work/seconds"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
