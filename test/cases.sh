# SPDX-License-Identifier: Apache-2.0
# cases.sh - functions of shell tests: print a line for each case, and wait for conditions. Sourced; the
# calling script sets $work, a directory that is removed at the end.

passed=0
failed=0
pids=

ok() {
    passed=$((passed + 1))
    echo "ok $1"
}

# fail NAME WHY...
fail() {
    failed=$((failed + 1))
    echo "FAIL $1"
    shift
    for why in "$@"; do echo "     $why"; done
}

# check NAME WHY COMMAND...: passes if the command succeeds.
check() {
    local name="$1" why="$2"
    shift 2
    if "$@" >/dev/null 2>&1; then ok "$name"; else fail "$name" "$why"; fi
}

# equal NAME WANT GOT
equal() {
    if [ "$2" = "$3" ]; then ok "$1"; else fail "$1" "want: $2" "got:  $3"; fi
}

# matches NAME PATTERN TEXT: a line of the text matches the basic regular expression.
matches() {
    if printf '%s\n' "$3" | grep -q -e "$2"; then ok "$1"; else fail "$1" "want: $2" "got:  $3"; fi
}

# lacks NAME PATTERN TEXT
lacks() {
    if printf '%s\n' "$3" | grep -q -e "$2"; then fail "$1" "unwanted: $2" "got: $3"; else ok "$1"; fi
}

cleanup() {
    for pid in $pids; do kill "$pid" 2>/dev/null; done
    for pid in $pids; do wait "$pid" 2>/dev/null; done
    rm -rf "$work"
}

# wait_until SECONDS COMMAND...
wait_until() {
    local left=$(($1 * 50))
    shift
    until "$@" >/dev/null 2>&1; do
        left=$((left - 1))
        [ "$left" -gt 0 ] || return 1
        sleep 0.02
    done
}

# ---- lanes: groups of cases that run at the same time ----

lanes=

# lane NAME COMMAND...: runs the command in the background. It has its own counters and, as $work, its own
# folder with links to all that $work holds now.
lane() {
    lane_name=$1 lane_folder=$work/$1.lane
    shift
    mkdir "$lane_folder"
    for lane_entry in "$work"/*; do
        case $lane_entry in *.lane | *.out) continue ;; esac
        ln -s "$lane_entry" "$lane_folder"
    done
    (
        trap 'exit 1' INT TERM
        passed=0 failed=0 pids='' lanes='' work=$lane_folder
        trap cleanup EXIT
        "$@"
        echo "$lane_name: $passed passed, $failed failed"
    ) >"$work/$lane_name.out" 2>&1 &
    lanes="$lanes $lane_name:$!"
    pids="$pids $!"
}

# join: waits for the lanes, prints the output of each, and adds up their counters.
join() {
    for lane in $lanes; do
        wait "${lane#*:}"
        lane=${lane%:*}
        cat "$work/$lane.out"
        lane_totals=$(sed -n "s/^$lane: \([0-9]* passed, [0-9]*\) failed\$/\1/p" "$work/$lane.out")
        if [ -n "$lane_totals" ]; then
            passed=$((passed + ${lane_totals% passed*}))
            failed=$((failed + ${lane_totals#*, }))
        else
            fail "$lane: ended early"
        fi
    done
    lanes=
}
