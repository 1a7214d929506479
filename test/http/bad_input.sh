# SPDX-License-Identifier: Apache-2.0
# bad_input.sh - what is no review, or can't be read as one. Sourced by run.sh.

# bad NAME STATUS FILE [curl flag...], at both phases.
bad() {
    local name="$1" want="$2" file="$3" path
    shift 3
    for path in /mutate /validate; do
        refused "$name at $path" "$want" "$(post $path "$file" "$@")"
    done
}

# from_stdin NAME STATUS: the body comes from stdin.
from_stdin() {
    cat >"$work/in"
    bad "$1" "$2" "$work/in"
}

: | from_stdin 'nothing' 400
head -c 5000 /dev/urandom | from_stdin 'garbage' 400
printf 'hello' | from_stdin 'a word' 400
printf '{}' | from_stdin 'an empty object' 400
printf '[]' | from_stdin 'an array' 400
printf 'null' | from_stdin 'null' 400
head -c 2000 "$good" | from_stdin 'truncated' 400
{ cat "$good" && printf 'x'; } | from_stdin 'trailing bytes' 400
cat "$good" "$good" | from_stdin 'two reviews' 400
{ cat "$good" && printf '\0'; } | from_stdin 'a trailing NUL' 400
{ printf '\357\273\277' && cat "$good"; } | from_stdin 'a byte order mark' 400
sed 's|admission.k8s.io/v1|admission.k8s.io/v1beta1|' "$good" | from_stdin 'v1beta1' 400
sed 's|"AdmissionReview"|"SubjectAccessReview"|' "$good" | from_stdin 'another kind' 400

nest=$(printf '%10000s' '' | tr ' ' '[')
labels "{\"k\":$nest$(printf '%s' "$nest" | tr '[' ']')}" >"$work/in"
bad 'depth 10,000' 400 "$work/in"
printf '%10000s' '' | tr ' ' '[' | from_stdin '10,000 open brackets' 400
labels '{"k":"a","k":"b"}' | from_stdin 'duplicate keys' 400
labels '{"k":"a","\\u006b":"b"}' | from_stdin 'duplicate keys, one escaped' 400
labels '{"k":"a\\u0000b"}' | from_stdin 'an escaped NUL' 400
labels "$(printf '{"k":"a\001b"}')" | from_stdin 'a control character' 400
labels "$(printf '{"k":"a\tb"}')" | from_stdin 'a raw tab' 400
labels '{"k":"@"}' | tr '@' '\377' | from_stdin 'bad UTF-8' 400
labels '{"k":"@!"}' | tr '@!' '\300\200' | from_stdin 'overlong UTF-8' 400
labels '{"k":"\\ud800"}' | from_stdin 'a lone surrogate' 400

for value in '"3600"' 3600.5 3600.0 1e3 9223372036854775808 -9223372036854775809 true '{}' 01 +1; do
    pod "$value" | from_stdin "expirationSeconds $value" 400
done
pod -1 >"$work/in"
equal 'expirationSeconds -1 is answered' 200 "$(post /validate "$work/in")"
check 'expirationSeconds -1 is denied' "$(cat "$work/body")" grep -q '"allowed":false' "$work/body"
pod 9223372036854775807 >"$work/in"
equal 'expirationSeconds 2^63-1 is answered' 200 "$(post /validate "$work/in")"
check 'expirationSeconds 2^63-1 is denied' "$(cat "$work/body")" \
    grep -q '"allowed":false' "$work/body"

# sed would choke on a label list this long.
{
    pod 3600 | sed 's|"spec".*||' | sed 's|"namespace":"shop"},$|"namespace":"shop","labels":{|'
    awk 'BEGIN { for (i = 1; i < 100000; i++) printf "\"k%d\":\"v\",", i; printf "\"k\":\"v\"}}," }'
    pod 3600 | sed 's|.*"spec"|"spec"|'
} | tr -d '\n' >"$work/in"
equal '100,000 labels are answered' 200 "$(post /validate "$work/in")"
check '100,000 labels: the answer' "$(head -c 300 "$work/body")" grep -q '"allowed":' "$work/body"
awk 'BEGIN { printf "["; for (i = 0; i < 400000; i++) printf "1,"; printf "1]" }' |
    from_stdin '400,000 values' 400

head -c 67108864 /dev/zero | tr '\0' ' ' >"$work/large"
bad '64 MiB' 413 "$work/large"
# Without waiting for a "100 Continue" the client may be reset while it sends.
code=$(post /validate "$work/large" -H 'Expect:')
case $code in
413 | 000) check '64 MiB at once' 'a good review is not answered' answers ;;
*) fail '64 MiB at once' "status $code" ;;
esac
rm -f "$work/large"

for wrong in '' ' text/plain' ' application/jsonx' ' application/x-www-form-urlencoded'; do
    refused "Content-Type:$wrong" 415 "$(type=$wrong post /mutate "$good")"
done
bad 'chunked' 411 "$good" -H 'Transfer-Encoding: chunked'
gzip -c "$good" >"$work/in"
bad 'gzip' 415 "$work/in" -H 'Content-Encoding: gzip'
bad 'two content types' 400 "$good" -H 'content-type: application/json'
for type in ' application/json; charset=utf-8' 'Application/JSON' ' application/json ;x=y'; do
    equal "Content-Type:$type" 200 "$(post /validate "$good")"
done
unset type
equal 'Content-Encoding: identity' 200 "$(post /validate "$good" -H 'Content-Encoding: identity')"
