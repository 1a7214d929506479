#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# run.sh BUILD [SCENARIOS...] - Curfew in front of a real cluster of one node: builds what the cluster
# is made of (once), and plays two plays, each in a cluster of its own that is taken down again:
#
#   test/e2e/scenarios/   Curfew beside the cluster, wired by hand: what people type, and are told
#   test/e2e/install/     Curfew in the cluster, from its chart and its image: how it lives there
#
# With SCENARIOS only the files of these names, in the plays that have some. The last line is
# "N passed, N failed".
#
#   K8S=1.36.3      the Kubernetes version
#   E2E_CACHE=DIR   where the cluster's programs are kept (~/.cache/curfew-e2e)
#   E2E_RATE=200    pods a second that are created while things happen to Curfew
#   E2E_SHELL=1     a shell in each cluster before it goes
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
    [ -z "$work" ] || rm -rf "$work" "$work".*
}

[ "$(id -u)" = 0 ] || give_up "a kubelet needs root"
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# scenes PLAY NAME...: the files of that play that have one of these in their names, else all of them.
# "install/" is in the name of all of a play.
scenes() {
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

# play NAME SCENES...: in a room of its own. The files 0*.sh, what every scenario of the play stands on,
# come first.
play() {
    local name=$1 room=$work.$1
    local files
    shift
    mkdir "$room" || exit 1
    mapfile -t files < <(printf '%s\n' "$here/$name"/0*.sh "$@" | awk '!seen[$0]++')
    echo "=== $name" >&3
    export E2E_WORK=$room
    child TERM bash "$here/cluster/room.sh" "$room" bash "$here/play.sh" "${files[@]}" >&3 2>&1 ||
        broken+=" $name"
    [ ! -e "$room/played" ] || took 'cluster down' "$(cat "$room/played")"
    mkdir "$work/$name"
    cp "$room"/log/*.log "$room/audit.log" "$work/$name" 2> /dev/null
    cat "$room/seconds" >> "$work/seconds" 2> /dev/null
    rm -rf "$room"
}

plays=
for name in scenarios install; do
    [ -z "$(scenes $name "$@")" ] || plays+=" $name"
done
for name in "$@"; do
    [ -n "$(scenes scenarios "$name")$(scenes install "$name")" ] || give_up "no scenarios '$name'"
done

work=$(mktemp -d "${TMPDIR:-/tmp}/curfew-e2e.XXXXXX") || exit 1
export CURFEW=$build/curfew
began=$(date +%s)
child KILL unshare --pid --kill-child --mount-proc bash "$here/cluster/build.sh" || exit 1
took 'cluster built' "$began"

broken=
exec 3> >(tee "$work/said")
tee=$!
for name in $plays; do
    # shellcheck disable=SC2046 # the repository's own names
    play "$name" $(scenes "$name" "$@")
done
exec 3>&-
wait "$tee"

passed=$(grep -c '^ok ' "$work/said")
failed=$(grep -c '^FAIL ' "$work/said")
[ -z "$broken" ] || [ "$failed" != 0 ] || failed=1
if [ "$failed" != 0 ] || [ -n "${E2E_KEEP:-}" ]; then
    rm -rf "$build/e2e-logs"
    mkdir -p "$build/e2e-logs"
    for name in $plays; do
        cp -r "$work/$name" "$build/e2e-logs"
    done
    echo "the logs are in $build/e2e-logs"
fi
cat "$work/seconds"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
