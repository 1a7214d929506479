# SPDX-License-Identifier: Apache-2.0
# memory.sh - limits.memory: large reviews at the same time, on few and on many threads. Sourced by
# run.sh.

# A pod of about 3 MB (4 MB with more) with 70,000 findings of two rules.
crowd() { # SOURCES ENVS
    pod 3600 | sed 's|"spec".*||'
    awk -v sources="$1" -v envs="$2" 'BEGIN {
        printf "\"spec\":{\"containers\":[{\"name\":\"c\",\"envFrom\":["
        for (i = 0; i < envs; i++)
            printf "%s{\"secretRef\":{\"name\":\"web-token\"}}", i ? "," : ""
        printf "]}],\"volumes\":[{\"name\":\"v\",\"projected\":{\"sources\":["
        for (i = 0; i < sources; i++)
            printf "%s{\"serviceAccountToken\":{\"expirationSeconds\":1}}", i ? "," : ""
        printf "]}}]}},\"oldObject\":null,\"dryRun\":false,\"options\":null}}"
    }'
}
crowd 40000 30000 | tr -d '\n' >"$work/crowd"
crowd 55000 36000 | tr -d '\n' >"$work/larger-crowd"

# crowded NAME COUNT FILE: all at the same time. On a machine that others use as well, all may hold their
# bodies at the same time, so that none can be reviewed: the best of three.
crowded() {
    for try in 1 2 3; do
        "$work/bin/clients" many "$port" "$2" "$3" >"$work/many.out" 2>"$work/many.err"
        grep -q '^answered 0 busy [0-9]* other 0$' "$work/many.out" || break
    done
    peak=$(memory VmHWM)
    echo "     $1: $(cat "$work/many.out"); idle $idle, peak $peak KiB"
    check "$1: each gets a response or 429" \
        "$(cat "$work/many.out") $(sort "$work/many.err" | uniq -c)" grep -q 'other 0$' "$work/many.out"
    check "$1: some get a response" "$(cat "$work/many.out")" grep -q 'answered [1-9]' "$work/many.out"
    # A sanitizer's build is large.
    if [ "$idle" -lt 20000 ]; then
        check "$1: the peak is below limits.memory and 96 MiB" "idle $idle, peak $peak KiB" \
            test "$peak" -lt $(((128 + 96) * 1024))
    fi
    check "$1: a good review is answered then" 'it is not' answers
}

for threads in 16 2; do
    server "$work/memory.log" --threads "$threads" || exit 1
    idle=$(memory VmRSS)
    # One for each that answers, its own, and what the libraries start.
    count=$(ls "/proc/$pid/task" | wc -l)
    check "--threads $threads" "$count threads" test "$count" -ge "$threads"
    equal 'a review of 3 MB with 70,000 findings' 200 "$(post /validate "$work/crowd")"
    check 'it is denied, and counts the findings that are not listed' "$(cat "$work/body")" \
        grep -q '"allowed":false.*token-lifetime: and more: of this rule 39001' "$work/body"
    equal 'and at /mutate' 200 "$(post /mutate "$work/crowd")"
    check 'it is not repaired' "$(head -c 500 "$work/body")" \
        sh -c '! grep -q patchType "$1"' sh "$work/body"
    crowded "$threads threads, 16 x 3 MB" 16 "$work/crowd"
    crowded "$threads threads, 24 x 4 MB" 24 "$work/larger-crowd"
    "$work/bin/clients" many "$port" 16 "$work/crowd" 40 >"$work/many.out" 2>"$work/many.err"
    check "$threads threads: all retries get a response" \
        "$(cat "$work/many.out") $(sort "$work/many.err" | uniq -c)" \
        grep -qx 'answered 16 busy 0 other 0' "$work/many.out"
    stops 'and ends' "$pid"
done
check 'the log has the processing time too' "$(tail -n 3 "$work/memory.log" | cut -c 1-400)" \
    grep -q '"rule":"token-lifetime,legacy-token-env","decision":"denied".*"durationMicros":[0-9]' \
    "$work/memory.log"

# In a cgroup with the memory limit of the chart, if this machine allows one.
cage=
for root_group in /sys/fs/cgroup/memory /sys/fs/cgroup; do
    own=$(sed -n -e 's/^[0-9]*:memory://p' -e 's/^0:://p' /proc/self/cgroup | head -n 1)
    for group in "$root_group$own" "$root_group"; do
        if [ -z "$cage" ] && mkdir "$group/curfew-test-$$" 2>/dev/null; then
            if echo $((224 * 1048576)) 2>/dev/null >"$group/curfew-test-$$/memory.limit_in_bytes" ||
                echo $((224 * 1048576)) 2>/dev/null >"$group/curfew-test-$$/memory.max"; then
                cage=$group/curfew-test-$$
            else
                rmdir "$group/curfew-test-$$"
            fi
        fi
    done
done
if [ -n "$cage" ] && [ "$idle" -lt 20000 ]; then
    printf '#!/bin/sh\necho $$ >"%s/cgroup.procs" && exec "$@"\n' "$cage" >"$work/caged"
    under="sh $work/caged"
    if server "$work/caged.log" --threads 16; then
        check 'it is in a cgroup of 224 MiB' "$(cat "/proc/$pid/cgroup")" \
            grep -q "curfew-test-$$" "/proc/$pid/cgroup"
        crowded 'in a cgroup of 224 MiB' 24 "$work/larger-crowd"
        check 'it is still the same process' 'it ended' kill -0 "$pid"
        stops 'and ends' "$pid"
    fi
    under=
fi
[ -z "$cage" ] || wait_until 5 rmdir "$cage"

# Less than a large review needs: a verdict, since no later time would do. The limit can be changed
# while it runs.
limits() { # MEMORY
    printf 'apiVersion: curfew.dev/v1alpha1\nkind: CurfewConfiguration\nlimits: {memory: %s}\n' "$1"
}
padded 8000000 >"$work/in"
limits 16MiB >"$work/limits.yaml"
server "$work/limits.log" --config "$work/limits.yaml" --authorize-anonymous || exit 1
for path in /validate /mutate; do
    equal "$path: what never fits is a verdict" 200 "$(post $path "$work/in")"
    check "$path: denied with code 413, and why" "$(head -c 400 "$work/body")" \
        grep -q '"uid":"11111111-2222-3333-4444-555555555555","allowed":false,"status":{.*"code":413.*limits\.memory' "$work/body"
done
equal 'at /authorize it is 413' 413 "$(post /authorize "$work/in")"
check 'one plain sentence' "$(cat "$work/body")" is_sentence
check 'which names limits.memory' "$(cat "$work/body")" grep -q 'limits\.memory' "$work/body"
check 'a good review is answered then' 'it is not' answers
limits 128MiB >"$work/limits.yaml.new" && mv "$work/limits.yaml.new" "$work/limits.yaml"
fits() {
    [ "$(post /validate "$work/in")" = 200 ] && grep -q '"allowed":true' "$work/body"
}
check 'with a larger limit it is read' "$(head -c 400 "$work/body")" wait_until 10 fits
padded 16770000 >"$work/in"
check 'so is the largest' "$(head -c 400 "$work/body")" fits
stops 'and ends' "$pid"
