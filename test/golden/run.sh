#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs the golden cases: in each folder beside this script, the line in `cmd` is run with sh, and
# what it prints and returns is compared with the files stdout, stderr and status.
#
#   CURFEW=build/curfew test/golden/run.sh [CASE...]     compare
#   UPDATE=1 test/golden/run.sh [CASE...]                rewrite, then read the diff by eye
set -u
LC_ALL=C
TERM=dumb
export LC_ALL TERM
unset NO_COLOR

CURFEW=${CURFEW:-build/curfew}
case $CURFEW in
/*) ;;
*) CURFEW=$PWD/$CURFEW ;;
esac
export CURFEW
if [ ! -x "$CURFEW" ]; then
    echo "$CURFEW is no program: build it first, or set CURFEW" >&2
    exit 1
fi
cd "$(dirname "$0")" || exit 1

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
passed=0
failed=0

normalise() {
    sed -e 's/^curfew [0-9][0-9.]* (.*)$/curfew VERSION (REVISION)/' "$1"
}

run_case() {
    (cd "$1" && sh ./cmd </dev/null >"$work/out" 2>"$work/err")
    echo $? >"$work/status"
    normalise "$work/out" >"$work/stdout"
    normalise "$work/err" >"$work/stderr"
    if [ -n "${UPDATE:-}" ]; then
        cp "$work/stdout" "$work/stderr" "$work/status" "$1/"
    fi
    same=yes
    for part in status stdout stderr; do
        diff -u "$1/$part" "$work/$part" >"$work/diff" 2>&1 && continue
        same=no
        cat "$work/diff"
    done
    if [ $same = yes ]; then
        passed=$((passed + 1))
        echo "ok   $1"
    else
        failed=$((failed + 1))
        echo "FAIL $1"
    fi
}

if [ $# -eq 0 ]; then
    set -- */cmd
    for cmd in "$@"; do
        run_case "${cmd%/cmd}"
    done
else
    for name in "$@"; do
        run_case "${name%/}"
    done
fi
echo "$passed passed, $failed failed"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
