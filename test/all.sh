#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# all.sh - runs parts of the tests, regardless of failures of other parts, and prints a summary.
#
#   test/all.sh BUILD PART...     parts: unit threads rules recorded property golden api fault http
#                                 soak lint chart
#
# `threads` runs only the unit tests with threads, for ThreadSanitizer.
# The output of a part goes to BUILD/test-logs/PART.log (V=1 also prints it); the last line is
# "N passed, N failed". A part that fails without a failed check counts as one failure, and so
# does one that ran nothing, or that hangs.
set -u

patience=900 # seconds for one part
logs=$1/test-logs

unit() { # PROGRAM...
    status=0
    for program in "$@"; do
        echo "== $program"
        "$program" || {
            echo "FAIL $program"
            status=1
        }
    done
    return $status
}

run_part() {
    case $1 in
    unit) unit "$BUILD"/unit/test_*"${T:-}"* ;;
    threads) unit "$BUILD"/unit/test_*_threads ;;
    rules | recorded | property) "$BUILD/$1-test" ;;
    golden) sh test/golden/run.sh ${CASE:-} ;;
    api | fault | http | lint | chart) sh "test/$1/run.sh" ;;
    soak) sh test/soak/run.sh 2 ;;
    *)
        echo "FAIL unknown part '$1'"
        return 1
        ;;
    esac
}

# count LOG: prints "PASSED FAILED", from cmocka's totals, from totals of a script, or from its lines.
count() {
    awk '/^\[  PASSED  \] [0-9]+ test\(s\)/ { passed += $4; has_totals = 1 }
         /^\[  FAILED  \] .*[0-9]+ test\(s\), listed/ {
             sub(/ test\(s\).*/, "")
             sub(/.* /, "")
             failed += $0
             has_totals = 1
         }
         /^[0-9]+ passed, [0-9]+ failed$/ { passed += $1; failed += $3; has_totals = 1 }
         /^ok / { ok++ }
         /^FAIL / { bad++ }
         END { print has_totals ? passed + 0 : ok + 0, has_totals ? failed + 0 : bad + 0 }' "$1"
}

show_failure() {
    awk -f test/failures.awk "$1" | head -60
    echo "    ... and it ended with:"
    tail -n 15 "$1" | sed 's/^/    /'
    echo "    all of it: $1"
}

if [ "$1" = --part ]; then
    run_part "$2"
    exit
fi

BUILD=$1
CURFEW=$BUILD/curfew
export BUILD CURFEW
shift
all_passed=0
all_failed=0
rm -rf "$logs"
mkdir -p "$logs"

if [ -e "$BUILD/broken" ]; then # left by make
    rm -f "$BUILD/broken"
    echo "build         0 passed, 1 failed  (see above)"
    all_failed=1
fi

for part in "$@"; do
    log=$logs/$part.log
    began=$(date +%s)
    timeout -k 10 $patience sh "$0" --part "$part" > "$log" 2>&1 < /dev/null
    status=$?
    read -r passed failed << END
$(count "$log")
END
    [ $status != 124 ] || echo "FAIL $part did not end within $patience s" >> "$log"
    if [ "$failed" = 0 ] && { [ $status != 0 ] || [ "$passed" = 0 ]; }; then
        failed=1
    fi
    [ "${V:-0}" = 0 ] || cat "$log"
    printf '%-9s %5d passed, %d failed  (%d s)\n' "$part" "$passed" "$failed" \
        $(($(date +%s) - began))
    [ "$failed" = 0 ] || [ "${V:-0}" != 0 ] || show_failure "$log"
    all_passed=$((all_passed + passed))
    all_failed=$((all_failed + failed))
done

echo "$all_passed passed, $all_failed failed"
[ "$all_failed" = 0 ]
