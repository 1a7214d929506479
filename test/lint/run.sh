#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh [lints] - runs all lints, then the tests of the lints. `lints` leaves these out, and logs.sh, which
# `make test` runs when all other parts have written their logs.
cd "$(dirname "$0")/../.." || exit 1
out=$(mktemp)
trap 'rm -f "$out"' EXIT

for script in test/lint/*.sh; do
    case $(basename "$script") in
    lib.sh | run.sh | selftest.sh | add-rule.sh) continue ;;
    logs.sh) [ "${1:-}" != lints ] || continue ;;
    esac
    sh "$script" . || echo "FAIL $script" > /dev/null
done > "$out" 2>&1
[ "${1:-}" = lints ] || sh test/lint/selftest.sh >> "$out" 2>&1

cat "$out"
passed=$(grep -c '^ok ' "$out")
failed=$(grep -c '^FAIL ' "$out")
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
