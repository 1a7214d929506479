# SPDX-License-Identifier: Apache-2.0
# bad_input.sh - requests that are not reviews are rejected; an unreadable review with a uid gets a
# verdict. Sourced by run.sh.

# bad NAME STATUS FILE [curl flag...], at both phases.
bad() {
    local name="$1" want="$2" file="$3" path
    shift 3
    for path in /mutate /validate; do
        refused "$name at $path" "$want" "$(post $path "$file" "$@")"
    done
}

# no_review NAME: what is in $work/in. (Not in a pipeline: a case in a subshell is not counted.)
no_review() {
    bad "$1" 400 "$work/in"
}

# unread NAME SENTENCE: the review in $work/in is denied at all phases, with code 400 and a message
# that ends so.
unread() {
    local path
    for path in /mutate /validate /mutate/kubelet; do
        verdict "$1 at $path" 400 BadRequest "$2" "$(post $path "$work/in")"
    done
}

: >"$work/in" && no_review 'nothing'
head -c 5000 /dev/urandom >"$work/in" && no_review 'garbage'
printf 'hello' >"$work/in" && no_review 'a word'
printf '{}' >"$work/in" && no_review 'an empty object'
printf '[]' >"$work/in" && no_review 'an array'
printf 'null' >"$work/in" && no_review 'null'
head -c 2000 "$good" >"$work/in" &&
    unread 'truncated' 'byte 2000: unexpected end'
{ cat "$good" && printf 'x'; } >"$work/in" &&
    unread 'trailing bytes' 'unexpected bytes after the value at byte [0-9]*'
cat "$good" "$good" >"$work/in" &&
    unread 'two reviews' 'unexpected bytes after the value at byte [0-9]*'
{ cat "$good" && printf '\0'; } >"$work/in" &&
    unread 'a trailing NUL' 'unexpected bytes after the value at byte [0-9]*'
{ printf '\357\273\277' && cat "$good"; } >"$work/in" && no_review 'a byte order mark'
sed 's|admission.k8s.io/v1|admission.k8s.io/v1beta1|' "$good" >"$work/in" && no_review 'v1beta1'
sed 's|"AdmissionReview"|"SubjectAccessReview"|' "$good" >"$work/in" && no_review 'another kind'

nest=$(printf '%10000s' '' | tr ' ' '[')
labels "{\"k\":$nest$(printf '%s' "$nest" | tr '[' ']')}" >"$work/in" &&
    unread 'depth 10,000' 'nested deeper than 100 at byte [0-9]*'
printf '%10000s' '' | tr ' ' '[' >"$work/in" && no_review '10,000 open brackets'
labels '{"k":"a","k":"b"}' >"$work/in" &&
    unread 'duplicate keys' "duplicate key 'k' at byte [0-9]*"
labels "$(printf '{"k":"a\001b"}')" >"$work/in" &&
    unread 'a control character' 'byte [0-9]*: unescaped control character in a string'
labels "$(printf '{"k":"a\tb"}')" >"$work/in" &&
    unread 'a raw tab' 'byte [0-9]*: unescaped control character in a string'
labels '{"k":"@"}' | tr '@' '\377' >"$work/in" &&
    unread 'bad UTF-8' 'byte [0-9]*: not UTF-8'
labels '{"k":"@!"}' | tr '@!' '\300\200' >"$work/in" &&
    unread 'overlong UTF-8' 'byte [0-9]*: not UTF-8'
labels '{"k":"\\ud800"}' >"$work/in" &&
    unread 'a lone surrogate' 'byte [0-9]*: unpaired surrogate'

# Everything that Go's encoder writes can be read.
for labels in '{"k":"a\\u0000b"}' '{"a\\u0000":"1","a\\ufffd":"1"}' '{"k":"a","\\u006b":"b"}'; do
    labels "$labels" >"$work/in"
    equal "labels $labels are answered" 200 "$(post /validate "$work/in")"
done
pod 3600 | sed 's|"metadata":{|"metadata":{"managedFields":[{"\\ufffd":1,"\\ufffd":'"$nest$(printf '%s' "$nest" | tr '[' ']')"'}],|' >"$work/in"
equal 'managedFields of any content are answered' 200 "$(post /validate "$work/in")"

at=request.object.spec.volumes.0..projected.sources.0..serviceAccountToken.expirationSeconds
for value in 3600.5 3600.0 1e3 9223372036854775808 -9223372036854775809; do
    pod "$value" >"$work/in" &&
    unread "expirationSeconds $value" \
        "$at must be an integer within 64 bits, written in digits alone"
done
pod '"3600"' >"$work/in" &&
    unread 'expirationSeconds "3600"' "$at must be a number, not a string"
pod true >"$work/in" &&
    unread 'expirationSeconds true' "$at must be a number, not a boolean"
pod '{}' >"$work/in" &&
    unread 'expirationSeconds {}' "$at must be a number, not an object"
pod 01 >"$work/in" &&
    unread 'expirationSeconds 01' 'byte [0-9]*: a number with a leading zero'
pod +1 >"$work/in" &&
    unread 'expirationSeconds +1' 'byte [0-9]*: expected a value'

# The envelope: a uid is enough.
pod 3600 | sed 's|"uid":"[0-9-]*",||' >"$work/in" && no_review 'no uid'
pod 3600 | sed 's|"uid":"[0-9-]*"|"uid":""|' >"$work/in" && no_review 'an empty uid'
pod 3600 | sed 's|"uid":"[0-9-]*"|"uid":7|' >"$work/in" && no_review 'a uid that is a number'
pod 3600 | head -c 90 >"$work/in" && no_review 'cut in the uid'
pod 3600 | head -c 116 >"$work/in" && unread 'cut after the uid' 'byte 116: unexpected end'
printf '%s' '{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"object":{"a":@},' \
    '"uid":"11111111-2222-3333-4444-555555555555"}}' >"$work/in" && no_review 'a uid after the error'
printf '%s' '{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":[]}' >"$work/in" && no_review 'a request that is an array'
pod 3600 | sed 's|"kind":{"group":"","version":"v1","kind":"Pod"},||' >"$work/in" &&
    unread 'no kind' 'request.kind.kind is missing'
pod 3600 | sed 's|"kind":{[^}]*}|"kind":"Pod"|' >"$work/in" &&
    unread 'a kind that is a string' 'request.kind must be an object, not a string'
pod 3600 | sed 's|"CREATE"|"PATCH"|' >"$work/in" &&
    unread 'an unknown operation' 'request.operation must be CREATE, UPDATE, DELETE or CONNECT'
pod 3600 | sed 's|"operation":"CREATE",||' >"$work/in" &&
    unread 'no operation' 'request.operation must be CREATE, UPDATE, DELETE or CONNECT'
pod 3600 | sed 's|"object":{.*,"oldObject":null|"object":null,"oldObject":null|' >"$work/in" &&
    unread 'no object' 'request.object is missing: there is nothing to evaluate'
pod 3600 | sed 's|"CREATE"|"UPDATE"|; s|"resource":"pods"|&|' >"$work/in" &&
    unread 'no oldObject' 'request.oldObject is missing: there is nothing to evaluate'
pod 3600 | sed 's|"groups":\[[^]]*\]|"groups":"all"|' >"$work/in" &&
    unread 'groups that are a string' 'request.userInfo.groups must be an array, not a string'
pod 3600 | sed 's|"spec":{.*,"oldObject"|"spec":[]},"oldObject"|' >"$work/in" &&
    unread 'a spec that is an array' 'request.object.spec must be an object, not an array'
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
values() {
    awk 'BEGIN { printf "["; for (i = 0; i < 400000; i++) printf "1,"; printf "1]" }'
}
values >"$work/in" && no_review '400,000 values and no review'
{
    pod 3600 | sed 's|"namespace":"shop"},"spec".*|"namespace":"shop"},"spec":|'
    values
    pod 3600 | sed 's|.*,"oldObject"|},"oldObject"|'
} | tr -d '\n' >"$work/in" &&
    unread '400,000 values' 'more than 300000 values'

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
