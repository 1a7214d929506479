# SPDX-License-Identifier: Apache-2.0
# worst.sh - the cost of worst-case reviews of 16 MiB (test/lib/shapes.h).
# WORST=all sends every pair of shapes to every endpoint, which takes many minutes. Sourced by run.sh.

cat >"$work/worst.yaml" <<'END'
apiVersion: curfew.dev/v1alpha1
kind: CurfewConfiguration
defaults: {enforce: baseline, fix: restricted, audit: restricted, warn: restricted}
contents: true
rules: {token-audience: {allowed: [vault]}}
END
server "$work/worst.log" --config "$work/worst.yaml" --threads 2 --authorize-anonymous || exit 1
# A sanitizer's build is slow, and its memory is another: there it is for its own eyes.
size=16777216 measured=true
[ "$(memory VmRSS)" -lt 20000 ] ||
    size=1048576 measured=false
$measured || export SECONDS_MAX=10
"$work/bin/worst" "$port" "$pid" $size "${WORST:-short}" >"$work/worst.out" 2>"$work/worst.err"
status=$?
grep '^     [0-9]' "$work/worst.out"
check "no review of $size bytes costs more than ${SECONDS_MAX:-0.5} s, or six times one without findings" \
    "$(grep -v '^     [0-9]' "$work/worst.out") $(cat "$work/worst.err")" test $status = 0
if $measured; then
    peak=$(memory VmHWM)
    check 'the worst: the peak is below limits.memory and 96 MiB' "$peak KiB" \
        test "$peak" -lt $(((128 + 96) * 1024))
fi
stops 'and ends' "$pid"
