#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh BUILD [DIR] - compares how kubectl and Curfew read YAML and JSON (README.md), in the files
# of DIR; without it, in the files of this project and in 20,000 generated files. Needs Go, and the Go
# module proxy once; without Go it reports that and passes. COUNT and SEED change the generated files.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=$1
dir=${2:-}
here=test/oracle
passed=0
failed=0
PATH=$PATH:/usr/local/go/bin:/usr/lib/go/bin

if ! command -v go > /dev/null; then
    echo "ok   skipped: there is no Go"
    echo "1 passed, 0 failed"
    exit 0
fi
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM

GOFLAGS=-mod=readonly GOWORK=off go build -C $here/kubectl -trimpath -buildvcs=false \
    -o "$work/oracle" . || {
    echo "FAIL kubectl's reader does not build"
    echo "0 passed, 1 failed"
    exit 1
}

# manifests FOLDER...
manifests() {
    find "$@" -type f \( -name '*.yaml' -o -name '*.yml' -o -name '*.json' \) | LC_ALL=C sort
}

# compare NAME: of the files that are named in $work/files.
compare() {
    if "$work/oracle" "$build/oracle-test" < "$work/files" > "$work/out"; then
        passed=$((passed + 1))
        echo "ok   $1: $(tail -n 1 "$work/out")"
    else
        failed=$((failed + 1))
        cat "$work/out"
        echo "FAIL $1"
    fi
}

# A reader that gives one member more has to be caught.
planted() {
    printf '#!/bin/sh\n"%s" | sed -u "s/^value \\([0-9]*\\) {/value \\1 {\"planted\":1,/"\n' \
        "$build/oracle-test" > "$work/planted"
    chmod +x "$work/planted"
    printf 'a: 1\n' > "$work/planted.yaml"
    echo "$work/planted.yaml" > "$work/files"
    if "$work/oracle" "$work/planted" < "$work/files" > "$work/out"; then
        failed=$((failed + 1))
        echo "FAIL a planted difference is not found"
    else
        passed=$((passed + 1))
        echo "ok   a planted difference is found"
    fi
}

# The output of --fix has the same documents as its input, for any mix of formats: kubectl's
# reader accepts one JSON value per document after the first YAML document.
fixed() {
    set -- "$golden/fix-stream/a.json" "$golden/fix-mixed-forms/all.yaml" \
        "$golden/json-stream/pods.json" "$golden/fix-stream/b.yaml" \
        "$golden/fix-stream/c.yaml" "$golden/fix-list/list.yaml"
    files=
    for file in "$@"; do
        files="$files -f $file"
    done
    # shellcheck disable=SC2086
    "$build/curfew" review --level privileged --fix $files > "$work/fixed.yaml" 2> "$work/err"
    printf '%s\n' "$@" > "$work/files"
    values > "$work/before"
    echo "$work/fixed.yaml" > "$work/files"
    values > "$work/after"
    compare "the output of --fix for a stream"
    if [ "$(wc -l < "$work/before")" -gt 5 ] && cmp -s "$work/before" "$work/after"; then
        passed=$((passed + 1))
        echo "ok   the output of --fix has all documents of the input"
    else
        failed=$((failed + 1))
        diff "$work/before" "$work/after" | head -n 20
        echo "FAIL the output of --fix has other documents than the input"
    fi
}

# The documents that Curfew reads in the files of $work/files.
values() {
    "$build/oracle-test" < "$work/files" | sed -n 's/^value [0-9]* //p'
}

if [ -n "$dir" ]; then
    manifests "$dir" > "$work/files"
    compare "$dir"
else
    golden=$work/golden # the input of the golden cases
    python3 -B test/golden/golden.py --extract "$golden"
    planted
    fixed
    manifests test deploy charts "$golden" > "$work/files"
    compare "files of this project"
    python3 $here/generate.py "$work/generated" "${COUNT:-20000}" "${SEED:-1}"
    manifests "$work/generated" > "$work/files"
    compare "generated files, seed ${SEED:-1}"
    [ "$failed" = 0 ] ||
        echo "     python3 $here/generate.py DIR ${COUNT:-20000} ${SEED:-1} generates them again"
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
