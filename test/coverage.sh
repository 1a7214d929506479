#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# coverage.sh BUILD PART... - runs parts of the tests with a build that counts its lines (gcc --coverage),
# and prints for each folder of src/ how many lines there are and how many ran. BUILD/coverage.txt lists
# each file, BUILD/gcov/ each line.
set -u
cd "$(dirname "$0")/.." || exit 1
build=$1
shift

find "$build" -name '*.gcda' -delete
sh test/all.sh "$build" "$@"
status=$?

# gcov writes where it runs, and reads the sources from there.
rm -rf "$build/gcov"
mkdir -p "$build/gcov"
ln -s "$PWD/src" "$PWD/include" "$build/gcov"
for source in src/*.c src/*/*.c; do echo "$PWD/$build/${source%.c}.gcno"; done |
    (cd "$build/gcov" && xargs gcov --preserve-paths --relative-only --source-prefix "$OLDPWD") 2> "$build/gcov/log" |
    awk -F"'|:| of " '
        /^File / { file = $2 }
        /^Lines executed:/ && file ~ /^src\/.*\.c$/ { print file, $3, int($3 * $2 / 100 + 0.5); file = "" }' |
    sort > "$build/coverage.txt"
rm "$build/gcov/src" "$build/gcov/include"
grep -v -e 'assuming not executed' -e '^$' "$build/gcov/log" >&2

awk '
    function row(name, lines, covered) {
        printf "%-14s %7d %8d %6.1f %%\n", name, lines, covered, lines ? 100 * covered / lines : 0
    }
    BEGIN { printf "%-14s %7s %8s\n", "", "lines", "covered" }
    {
        folder = $1
        sub(/\/[^\/]*$/, "", folder)
        if (folder != last && last != "") row(last, lines, covered)
        if (folder != last) lines = covered = 0
        last = folder
        lines += $2; covered += $3; all += $2; all_covered += $3
    }
    END { row(last, lines, covered); row("all", all, all_covered) }' "$build/coverage.txt"
exit $status
