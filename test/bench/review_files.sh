#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# review_files.sh - `curfew review -f DIR` over 376 MB in 58,000 files, made up in the shape of public
# repositories (files.py), beside two others that read the same files: libyaml alone, which keeps nothing
# of them, and (where Go is) what kubectl reads files with. They take turns on one core, and the median
# counts.
#
#   CURFEW=build/curfew BUILD=build ROUNDS=3 FILES=58000 MB=376 sh test/bench/review_files.sh
#
# BEFORE=PROGRAM is another curfew to compare with. The files stay in BUILD/bench-files.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
root=$(CDPATH='' cd -- "$here/../.." && pwd)
build=${BUILD:-build}
curfew=${CURFEW:-$build/curfew}
rounds=${ROUNDS:-3}
count=${FILES:-58000}
mb=${MB:-376}
files=$build/bench-files
. "$here/lib.sh"
need python3 pkg-config

# The files, unless they are there from the last time.
make_files() {
    wanted="$count $mb $(cksum < "$here/files.py")"
    [ "$(cat "$files.made" 2> /dev/null)" != "$wanted" ] || return 0
    say "$mb MB in $count files are made in $files"
    rm -rf "$files" "$files.made"
    python3 "$here/files.py" "$files" --files "$count" --mb "$mb" >&2
    echo "$wanted" > "$files.made"
}

build_libyaml() {
    # shellcheck disable=SC2046 # a list of flags
    ${CC:-cc} -O2 -o "$work/libyaml" "$here/events.c" $(pkg-config --cflags --libs yaml-0.1)
}

# Of the Go module proxy, in the version of `make e2e`.
build_kubectl() {
    PATH=$PATH:/usr/local/go/bin:/usr/lib/go/bin
    command -v go > /dev/null || return 1
    version=$(bash -c ". '$here/../e2e/cluster/versions.sh' && echo \"\$K8S\"")
    mkdir "$work/go"
    cp "$here/kubectl/main.go" "$work/go/"
    (
        cd "$work/go"
        export GOFLAGS=-mod=mod GOWORK=off
        go mod init bench && go mod edit -require "k8s.io/apimachinery@v0.${version#*.}" && go mod tidy &&
            CGO_ENABLED=0 go build -o "$work/kubectl" .
    ) > "$work/go.log" 2>&1 || {
        say "kubectl's reader is not built: $(tail -n 1 "$work/go.log")"
        return 1
    }
}

# take NAME COMMAND...: one round; appends what measure.py says to the name's file.
take() {
    name=$1
    shift
    python3 "$here/measure.py" taskset -c "$server_core" "$@" < "$work/names" > "$work/$name.out" 2> "$work/err"
    tail -n 1 "$work/err" >> "$work/$name.rounds"
}

# column NAME NUMBER: its median.
column() {
    awk -v c="$2" '{ print $c }' "$work/$1.rounds" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

row() { # NAME LABEL
    awk -v label="$2" -v wall="$(column "$1" 1)" -v cpu="$(column "$1" 2)" -v rss="$(column "$1" 3)" \
        -v base="$(column libyaml 2)" -v kubectl="$kubectl_cpu" -v bytes="$bytes" -v files="$number" 'BEGIN {
            printf "%-26s %7.2f %7.2f %7.1f %8d %8.1f %9.2f", label, wall, cpu, bytes / 1e6 / wall,
                files / wall, rss / 1024, cpu / base
            if (kubectl > 0) printf " %9.2f", cpu / kubectl
            printf "\n" }'
}

make_files
find "$files" -type f | sort > "$work/names"
number=$(wc -l < "$work/names")
bytes=$(tr '\n' '\0' < "$work/names" | xargs -0 cat | wc -c)
build_libyaml
contestants="libyaml curfew"
! build_kubectl || contestants="$contestants kubectl"
[ -z "${BEFORE:-}" ] || contestants="$contestants before"

round=0
while [ $round -lt "$rounds" ]; do
    round=$((round + 1))
    for contestant in $contestants; do
        say "round $round of $rounds: $contestant"
        case $contestant in
        curfew) take curfew "$curfew" review -f "$files" ;;
        before) take before "$BEFORE" review -f "$files" ;;
        *) take "$contestant" "$work/$contestant" ;;
        esac
    done
done

for contestant in $contestants; do
    awk -v who="$contestant" '
        { ok = who == "curfew" || who == "before" ? $4 <= 3 : $4 == 0 }
        !ok { print "bench: " who " ended with status " $4 > "/dev/stderr"; bad = 1 }
        END { exit bad }' "$work/$contestant.rounds" || exit 3
done
kubectl_cpu=0
case $contestants in *kubectl*) kubectl_cpu=$(column kubectl 2) ;; esac

echo "$(awk -v b="$bytes" 'BEGIN { printf "%.1f MB", b / 1e6 }') in $number files, 1 core, medians of" \
    "$rounds rounds; meanwhile all others used" \
    "$(cat "$work"/*.rounds | awk '$5 > m { m = $5 } { s += $5 } END { printf "%.2f cores (at most %.2f)", s / NR, m }')," \
    "load $(cut -d' ' -f1-3 /proc/loadavg)"
echo
printf '%-26s %7s %7s %7s %8s %8s %9s' '' 'wall s' 'CPU s' 'MB/s' 'files/s' 'RSS MiB' 'x libyaml'
[ "$kubectl_cpu" = 0 ] || printf ' %9s' 'x kubectl'
echo
row curfew 'curfew review'
[ -z "${BEFORE:-}" ] || row before 'curfew review, before'
row libyaml 'libyaml, events only'
[ "$kubectl_cpu" = 0 ] || row kubectl "kubectl's reader"
echo
for contestant in $contestants; do
    echo "$contestant: $(tail -n 1 "$work/$contestant.out")"
done
