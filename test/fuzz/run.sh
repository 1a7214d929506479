#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh - runs the fuzz targets that `make` has built as BUILD/fuzz-NAME, one for each
# test/fuzz/NAME.c.
#
#   run.sh regress BUILD [NAME...]        runs every input once: corpus/NAME, found/NAME, the seeds
#   run.sh fuzz BUILD SECONDS [NAME...]   fuzzes from those for SECONDS; writes new inputs to
#                                         BUILD/corpus/NAME
#   run.sh min BUILD [NAME...]            updates corpus/NAME with inputs that reach more than the seeds
#
# Runs as many targets at a time as there are cores. Ends with "N passed, N failed".
set -u
cd "$(dirname "$0")/../.." || exit 1
here=test/fuzz
kept_files=200
kept_bytes=200000
found_name='.*/[0-9a-f]{40}' # as libFuzzer names what it finds; other names are given by hand

options='-timeout=20 -rss_limit_mb=2048 -print_final_stats=1'

# inputs_of NAME: the existing directories of inputs.
inputs_of() {
    for dir in "$here/corpus/$1" "$here/found/$1" "$BUILD/seeds/$1"; do
        [ ! -d "$dir" ] || echo "$dir"
    done
}

dict() {
    [ ! -e "$here/$1.dict" ] || echo "-dict=$here/$1.dict"
}

# one NAME: runs it with its output in its log.
one() {
    artifacts=$BUILD/artifacts/$1
    mkdir -p "$artifacts" "$BUILD/corpus/$1" "$BUILD/fuzz-logs"
    find "$artifacts" -type f -delete
    if [ "$MODE" = regress ]; then
        set -- "$1" -runs=0
    else
        set -- "$1" "-max_total_time=$SECONDS_EACH" -max_len=8192 -reload=0 "$BUILD/corpus/$1"
    fi
    name=$1
    shift
    # shellcheck disable=SC2046,SC2086 # lists of words
    "$BUILD/fuzz-$name" $options $(dict "$name") "-artifact_prefix=$artifacts/" "$@" $(inputs_of "$name") \
        > "$BUILD/fuzz-logs/$name.log" 2>&1
    echo $? > "$BUILD/fuzz-logs/$name.status"
}

# stat LOG KEY: a number of the final statistics.
stat() {
    sed -n "s/^stat::$2: *//p" "$1" | tail -n 1
}

# Prints the corpus input that is identical to the artifact, or the artifact.
kept_as() {
    # shellcheck disable=SC2046 # a list of folders
    find $(inputs_of "$2") -type f -exec cmp -s {} "$1" \; -print -quit | grep . || echo "$1"
}

# report NAME: prints a line, and instructions for a failure.
report() {
    log=$BUILD/fuzz-logs/$1.log
    runs=$(stat "$log" number_of_executed_units)
    edges=$(grep -o 'cov: [0-9]*' "$log" | tail -n 1)
    if [ "$(cat "$BUILD/fuzz-logs/$1.status")" = 0 ]; then
        echo "ok $1: ${runs:-0} inputs, ${edges:-cov: 0} edges"
        return
    fi
    echo "FAIL $1: $(grep -m 1 -E '^FAIL |ERROR: (Address|Leak|Undefined)|runtime error|ERROR: libFuzzer' "$log" |
        sed 's/^FAIL //; s/^==[0-9]*==//')"
    for artifact in "$BUILD/artifacts/$1"/*; do
        [ -e "$artifact" ] || continue
        artifact=$(kept_as "$artifact" "$1")
        echo "     input:    $artifact"
        echo "     again:    $BUILD/fuzz-$1 $artifact"
        # For machines of which only this output remains.
        [ "$(wc -c < "$artifact")" -gt 8192 ] || echo "     base64 -d | gunzip: $(gzip -9nc "$artifact" | base64 -w 0)"
        echo "     after the fix, keep the input in $here/found/$1/"
    done
    echo "     full log: $log"
}

run_all() {
    rm -rf "$BUILD/seeds" "$BUILD/fuzz-logs"
    sh "$here/seeds.sh" "$BUILD/seeds" || exit 1
    export BUILD MODE SECONDS_EACH
    printf '%s\n' "$@" | xargs -P "$(nproc)" -n 1 sh "$here/run.sh" --one
    for target in "$@"; do report "$target"; done > "$BUILD/fuzz-logs/all"
    cat "$BUILD/fuzz-logs/all"
    failed=$(grep -c '^FAIL ' "$BUILD/fuzz-logs/all")
    echo "$(grep -c '^ok ' "$BUILD/fuzz-logs/all") passed, $failed failed"
    [ "$failed" = 0 ]
}

# Keeps the smallest inputs that reach edges that the seeds do not reach.
minimise() {
    work=$(mktemp -d)
    mkdir -p "$work/all" "$work/seeds" "$BUILD/corpus/$1" "$here/corpus/$1"
    find "$here/corpus/$1" "$BUILD/corpus/$1" -type f -size -5k -exec cp -n {} "$work/all" \;
    find "$here/corpus/$1" -regextype egrep -type f ! -regex "$found_name" -exec cp {} "$work/seeds" \;
    [ ! -d "$BUILD/seeds/$1" ] || cp "$BUILD/seeds/$1"/* "$work/seeds"
    # shellcheck disable=SC2086 # a list of words
    "$BUILD/fuzz-$1" $options -merge=1 -use_counters=0 "$work/seeds" "$work/all" > "$work/log" 2>&1 ||
        { echo "FAIL $1" && cat "$work/log" && return 1; }
    find "$here/corpus/$1" -regextype egrep -type f -regex "$found_name" -delete
    find "$work/seeds" -regextype egrep -type f -regex "$found_name" -printf '%s %p\n' | sort -n | awk -v files=$kept_files -v bytes=$kept_bytes '
        { sum += $1 }
        ++n <= files && sum <= bytes { print $2 }' | while read -r file; do
        cp "$file" "$here/corpus/$1/"
    done
    rm -rf "$work"
    echo "ok $1: $(find "$here/corpus/$1" -type f | wc -l) inputs, $(du -sb "$here/corpus/$1" | cut -f 1) bytes"
}

MODE=${MODE:-$1}
[ "$1" != --one ] || {
    one "$2"
    exit 0
}
BUILD=$2
SECONDS_EACH=0
shift 2
if [ "$MODE" = fuzz ]; then
    SECONDS_EACH=$1
    shift
fi
# shellcheck disable=SC2046 # a list of words
[ $# -gt 0 ] || set -- $(for file in "$here"/*.c; do basename "$file" .c; done)
case $MODE in
regress | fuzz) run_all "$@" ;;
min)
    rm -rf "$BUILD/seeds"
    sh "$here/seeds.sh" "$BUILD/seeds" || exit 1
    for target in "$@"; do minimise "$target" || exit 1; done
    ;;
*)
    echo "run.sh: regress, fuzz or min, not '$MODE'" >&2
    exit 2
    ;;
esac
