# SPDX-License-Identifier: Apache-2.0
# lib.sh - functions of the cases of run.sh: they generate, review and measure an input. Sourced.

most=$((256 * 1024)) # KiB resident
# Limits the address space, so that a failure does not affect the machine.
AS=$((4096 * 1024 * 1024))
export AS

wanted() {
    case $1 in *"${ONLY:-}"*) return 0 ;; esac
    return 1
}

input() { # SHAPE N [secrets]: in $work/in
    python3 "$root/test/scale/inputs.py" "$@" > "$work/in"
}

# review FLAG...: runs `curfew review`, with standard input from $from; sets $cpu, $rss and $status.
review() {
    python3 "$root/test/bench/measure.py" "$curfew" review "$@" \
        < "${from:-/dev/null}" > "$work/out" 2> "$work/err"
    read -r _ cpu rss status _ << END
$(tail -n 1 "$work/err")
END
}

# number WORD: the number before the word in the summary, or 0.
number() {
    tail -n 1 "$1" | sed -n "s/^\(.*[^0-9]\)\{0,1\}\([0-9][0-9]*\) $2.*/\2/p" | grep . || echo 0
}

# reviewed NAME DOCUMENTS FINDINGS SUMMARY: checks the counts and the memory of the last review.
reviewed() {
    local documents=$(($(number "$4" 'documents* evaluated') + $(number "$4" skipped) + $(number "$4" 'not evaluated')))
    equal "$1: every document is counted" "$2" "$documents"
    equal "$1: every finding" "$3 found, status $([ "$3" = 0 ] && echo 0 || echo 1)" \
        "$(number "$4" 'findings*') found, status $status"
    check "$1: no error" "$(head -n 1 "$work/err" | cut -c 1-200)" [ "$(number "$4" 'errors*')" = 0 ]
    small "$1" "$rss"
}

small() { # NAME KIB
    check "$1: at most $((most / 1024)) MiB resident" "$(($2 / 1024)) MiB" [ "$2" -le $most ]
}

# counts NAME DOCUMENTS FINDINGS FLAG...: reviews $work/in as a file.
counts() {
    local name="$1" documents="$2" findings="$3"
    shift 3
    wanted "$name" || return 0
    input "$@"
    from=
    review -f "$work/in"
    reviewed "$name" "$documents" "$findings" "$work/out"
}

# cpu_of SHAPE N [secrets]: the fastest of $tries reviews, in seconds.
cpu_of() {
    input "$@"
    from=
    for _ in $(seq "$tries"); do
        review -f "$work/in"
        [ "$status" -gt 1 ] || echo "$cpu"
    done | sort -n | head -n 1
}

# linear NAME SHAPE N [secrets]: N pods take at most 6 times as long as a quarter of them (4 times if
# exactly linear). Other processes can only slow it down, so one fast result is enough.
linear() {
    local name="$1 takes time as it grows" shape="$2" n="$3" few much
    shift 3
    wanted "$name" || return 0
    for tries in 1 3; do
        few=$(cpu_of "$shape" $((n / 4)) "$@")
        much=$(cpu_of "$shape" "$n" "$@")
        awk -v few="$few" -v much="$much" 'BEGIN { exit !(few > 0 && much < 6 * few) }' && break
    done
    check "$name" "$few s for $((n / 4)), $much s for $n" \
        awk -v few="$few" -v much="$much" 'BEGIN { exit !(few > 0 && much < 6 * few) }'
}

# piped NAME DOCUMENTS FINDINGS SHAPE N [secrets]: reviews through a pipe.
piped() {
    local name="$1" documents="$2" findings="$3"
    shift 3
    wanted "$name" || return 0
    mkfifo "$work/pipe"
    python3 "$root/test/scale/inputs.py" "$@" > "$work/pipe" 2> /dev/null &
    from=$work/pipe
    review -f -
    wait $!
    rm "$work/pipe"
    reviewed "$name" "$documents" "$findings" "$work/out"
}

# In JSON the summary is at the end too.
as_json() { # NAME
    wanted "$1" || return 0
    input documents 50000
    from=
    review -o json -f "$work/in"
    equal "$1: every finding is in it" '50000 500 500' "$(python3 -c '
import json, sys
answer = json.load(sys.stdin)
print(answer["summary"]["judged"], answer["summary"]["findings"], len(answer["findings"]))' < "$work/out" 2>&1)"
    small "$1" "$rss"
}

# All documents are printed, and the output has no findings that can be repaired.
fixes() { # NAME
    wanted "$1" || return 0
    input documents 50000
    from=
    review --fix -f "$work/in"
    small "$1" "$rss"
    equal "$1: every document is printed" 50000 "$(grep -c '^kind: Pod' "$work/out")"
    mv "$work/out" "$work/in"
    review -f "$work/in"
    equal "$1: the output has no findings" '50000 0' \
        "$(number "$work/out" 'documents* evaluated') $(number "$work/out" 'findings*')"
}

folder() { # NAME
    wanted "$1" || return 0
    mkdir "$work/folder"
    python3 "$root/test/bench/files.py" "$work/folder" --files 20000 --mb 935 --valid > "$work/made"
    read -r _ _ bytes _ documents _ findings _ < "$work/made"
    from=
    review -f "$work/folder"
    rm -rf "$work/folder"
    check "$1: the requested size was generated" "$bytes" [ "$bytes" -ge 934000000 ]
    # There are also findings of legacy Secrets; their number depends on the order of the files.
    equal "$1: every long token is found" "$findings" "$(grep -c ': token-lifetime (' "$work/out")"
    reviewed "$1" "$documents" "$(number "$work/out" 'findings*')" "$work/out"
}

# tokens NAME N WORDS: the summary of `inspect` for N tokens, each in two files.
tokens() {
    wanted "$1" || return 0
    awk -v n="$2" 'BEGIN {
        for (i = 0; i < n; i++)
            printf "eyJhbGciOiJFUzI1NiJ9.eyJrdWJlcm5ldGVzLmlvIjp7fSwiaWF0IjoxLCJleHAiOjJ9.%07d\n", i
    }' > "$work/in"
    equal "$1" "$3" \
        "$("$curfew" inspect --now 2026-11-22T15:30:00Z -f "$work/in" -f "$work/in" | tail -n 1)"
}

# serves NAME LEGACY PODS SHAPE N secrets: a server that starts with these objects knows all of them.
serves() {
    local name="$1" legacy="$2" naming="$3" pid plain
    shift 3
    wanted "$name" || return 0
    dev_certs "$work/certs"
    input "$@"
    under="prlimit --as=$AS"
    serve "$work/log" --objects "$work/in" --tls-cert "$work/certs/tls.crt" --tls-key "$work/certs/tls.key"
    wait_until 60 sh -c 'grep -q "\"msg\":\"serving\"" "$1" || ! kill -0 "$2"' sh "$work/log" "$pid"
    ports_of "$work/log"
    check "$name: it serves" "$(tail -n 1 "$work/log" | cut -c 1-200)" [ -n "$plain" ]
    if [ -n "$plain" ]; then
        curl -sS --max-time 20 "http://127.0.0.1:$plain/metrics" > "$work/metrics"
        equal "$name: it knows what is in them" "$legacy Secrets, $naming pods" "$(awk '
            /^curfew_legacy_secrets/ { secrets += $2 }
            /^curfew_pods_with_legacy_secrets/ { pods += $2 }
            END { print secrets + 0 " Secrets, " pods + 0 " pods" }' "$work/metrics")"
        small "$name" "$(awk '/^VmHWM/ { print $2 }' "/proc/$pid/status")"
    fi
    kill $pid 2> /dev/null
    wait $pid
}
