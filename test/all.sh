#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# all.sh - runs parts of the tests, each even if others fail, and prints the totals.
#
#   test/all.sh BUILD PART...
#     unit rules recorded property golden api fault http lint chart    JOBS at a time (2 for each core)
#     selftest   each lint can fail (`make lint` runs both)
#     threads    the unit tests with threads, for ThreadSanitizer
#     stress     slow clients, floods, memory ceilings, worst-case reviews: one at a time after the others,
#     soak       since they measure time and memory
#
# Each part writes BUILD/test-logs/PART.log (V=1 prints it). The failures of all parts are printed at the
# end; the last line is "N passed, N failed". A part that fails without a reason, that runs nothing or that
# hangs counts as one failure.
set -u

patience=1200 # seconds for one part

# programs NUMBER PROGRAM...: runs the programs, NUMBER at a time.
programs() {
    number=$1
    shift
    printf '%s\n' "$@" | xargs -P "$number" -n 1 sh "$0" --program
}

# one_program PROGRAM: writes its output in one piece.
one_program() {
    out=$(mktemp)
    echo "== $1" > "$out"
    "$1" >> "$out" 2>&1
    status=$?
    [ $status = 0 ] || echo "FAIL $1" >> "$out"
    cat "$out"
    rm -f "$out"
    return $status
}

run_part() {
    case $1 in
    unit) programs "$(nproc)" "$BUILD"/unit/test_*"${T:-}"* ;;
    threads) programs 1 "$BUILD"/unit/test_*_threads ;;
    rules | recorded | property) "$BUILD/$1-test" ;;
    golden) sh test/golden/run.sh ${CASE:-} ;;
    api | fault | chart) sh "test/$1/run.sh" ;;
    http) sh test/http/run.sh "$CURFEW" quick ;;
    stress) sh test/http/run.sh "$CURFEW" stress ;;
    soak) sh test/soak/run.sh 2 ;;
    lint) sh test/lint/run.sh lints ;;
    selftest) sh test/lint/selftest.sh ;;
    logs) sh test/lint/logs.sh . ;;
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

# measured_part PART: runs it, prints its row, and leaves PART.log and PART.count.
measured_part() {
    log=$LOGS/$1.log
    began=$(date +%s)
    timeout -k 10 $patience sh "$0" --part "$1" > "$log" 2>&1 < /dev/null
    status=$?
    read -r passed failed << END
$(count "$log")
END
    [ $status != 124 ] || echo "FAIL $1 did not end within $patience s" >> "$log"
    if [ "$failed" = 0 ] && { [ $status != 0 ] || [ "$passed" = 0 ]; }; then
        failed=1
    fi
    echo "$passed $failed" > "$LOGS/$1.count"
    printf '%-9s %5d passed, %d failed  (%d s)\n' "$1" "$passed" "$failed" $(($(date +%s) - began))
}

show_failure() { # PART
    echo
    echo "$1:"
    awk -f test/failures.awk "$LOGS/$1.log" | head -60
    echo "    ... and it ended with:"
    tail -n 15 "$LOGS/$1.log" | sed 's/^/    /'
    echo "    all of it: $LOGS/$1.log"
}

# Which of the parts $@ are (or are not) among those that run alone.
split() { # alone|together PART...
    kind=$1
    shift
    for part in "$@"; do
        case $kind:$part in
        alone:stress | alone:soak) echo "$part" ;;
        *:stress | *:soak | alone:*) ;;
        *) echo "$part" ;;
        esac
    done
}

case $1 in
--part)
    run_part "$2"
    exit
    ;;
--program)
    one_program "$2"
    exit
    ;;
--measured)
    measured_part "$2"
    exit
    ;;
esac

BUILD=$1
CURFEW=$BUILD/curfew
LOGS=$BUILD/test-logs
export BUILD CURFEW LOGS
shift
mkdir -p "$LOGS"
for part in "$@" logs; do # not those of a second run beside this one
    rm -f "$LOGS/$part.log" "$LOGS/$part.count"
done

all_passed=0
all_failed=0
if [ -e "$BUILD/broken" ]; then # left by make
    rm -f "$BUILD/broken"
    echo "build         0 passed, 1 failed  (see above)"
    all_failed=1
fi

split together "$@" | xargs -r -P "${JOBS:-$((2 * $(nproc)))}" -n 1 sh "$0" --measured
for part in $(split alone "$@"); do
    measured_part "$part"
done
case " $* " in # the lint of the logs, when all are there
*' lint '*)
    measured_part logs
    set -- "$@" logs
    ;;
esac

for part in "$@"; do
    [ "${V:-0}" = 0 ] || cat "$LOGS/$part.log"
    read -r passed failed < "$LOGS/$part.count" || passed=0 failed=1
    [ "$failed" = 0 ] || [ "${V:-0}" != 0 ] || show_failure "$part"
    all_passed=$((all_passed + passed))
    all_failed=$((all_failed + failed))
done

echo "$all_passed passed, $all_failed failed"
[ "$all_failed" = 0 ]
