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
