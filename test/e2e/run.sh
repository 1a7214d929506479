#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# run.sh BUILD [SCENARIOS...] - end-to-end tests of Curfew with a real single-node cluster: builds the
# programs of the cluster (once) and runs two suites, each in a separate cluster that is removed at the end:
#
#   test/e2e/scenarios/   Curfew outside the cluster, configured manually: commands and their output
#   test/e2e/install/     Curfew in the cluster, installed from its chart and image
#
# With SCENARIOS, runs only the files whose names contain one of them. The last line is
# "N passed, N failed".
#
#   K8S=1.36.3      the Kubernetes version
#   E2E_CACHE=DIR   cache for the programs of the cluster (default ~/.cache/curfew-e2e)
#   E2E_RATE=200    pods to create per second during the load scenarios
#   E2E_SHELL=1     opens a shell in each cluster before it is removed
#   E2E_KEEP=1      keeps the logs even if nothing failed
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

# child SIGNAL COMMAND...: runs the command so that signals to this script are handled immediately, and
# sends it SIGNAL when this script ends.
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
    [ -z "$work" ] || rm -rf "$work" "$work".*
}

[ "$(id -u)" = 0 ] || give_up "a kubelet needs root"
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# cases_of SUITE NAME...: the files of the suite whose names contain one of the names, or all files.
# "install/" matches all files of that suite.
cases_of() {
    local file name
    for file in "$here/$1"/[0-9]*.sh; do
        [ $# != 1 ] || echo "$file"
        for name in "${@:2}"; do
            # shellcheck disable=SC2254 # a pattern
            case ${file#"$here/"} in *$name*) echo "$file" ;; esac
        done
    done | sort -u
}

took() { # NAME SINCE
    printf '%-28s %4d s\n' "$1" $(($(date +%s) - $2)) >> "$work/seconds"
}

# run_suite NAME FILES...: runs the suite in a new sandbox. The files 0*.sh, which every scenario of the
# suite needs, come first.
run_suite() {
    local name=$1 sandbox=$work.$1
    local files
    shift
    mkdir "$sandbox" || exit 1
    mapfile -t files < <(printf '%s\n' "$here/$name"/0*.sh "$@" | awk '!seen[$0]++')
    echo "=== $name" >&3
    export E2E_WORK=$sandbox
    child TERM bash "$here/cluster/sandbox.sh" "$sandbox" bash "$here/suite.sh" "${files[@]}" >&3 2>&1 ||
        broken+=" $name"
    [ ! -e "$sandbox/finished" ] || took 'cluster down' "$(cat "$sandbox/finished")"
    mkdir "$work/$name"
    cp "$sandbox"/log/*.log "$sandbox/audit.log" "$work/$name" 2> /dev/null
    cat "$sandbox/seconds" >> "$work/seconds" 2> /dev/null
    rm -rf "$sandbox"
}

suites=
for name in scenarios install; do
    [ -z "$(cases_of $name "$@")" ] || suites+=" $name"
done
for name in "$@"; do
    [ -n "$(cases_of scenarios "$name")$(cases_of install "$name")" ] || give_up "no scenarios '$name'"
done

work=$(mktemp -d "${TMPDIR:-/tmp}/curfew-e2e.XXXXXX") || exit 1
export CURFEW=$build/curfew
began=$(date +%s)
child KILL unshare --pid --kill-child --mount-proc bash "$here/cluster/build.sh" || exit 1
took 'cluster built' "$began"

broken=
exec 3> >(tee "$work/said")
tee=$!
for name in $suites; do
    # shellcheck disable=SC2046 # the repository's own names
    run_suite "$name" $(cases_of "$name" "$@")
done
exec 3>&-
wait "$tee"

passed=$(grep -c '^ok ' "$work/said")
failed=$(grep -c '^FAIL ' "$work/said")
[ -z "$broken" ] || [ "$failed" != 0 ] || failed=1
if [ "$failed" != 0 ] || [ -n "${E2E_KEEP:-}" ]; then
    rm -rf "$build/e2e-logs"
    mkdir -p "$build/e2e-logs"
    for name in $suites; do
        cp -r "$work/$name" "$build/e2e-logs"
    done
    echo "the logs are in $build/e2e-logs"
fi
cat "$work/seconds"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
