#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# selftest.sh BUILD [NAME...] - plants a small bug for each target, one at a time and in a copy of the
# sources, and fails unless the target finds it within a minute, starting from the corpus. Copies the
# output of `make fuzz-build` in BUILD, so that only the changed file is built again.
set -u
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
build=$1
shift
wanted=" $* "
seconds=60

# target | file | sed command | description
bugs='
review|src/review/unread.c|s/if (denied .. is_always_evaluated(in->policy, u))/if (denied || (is_always_evaluated(in->policy, u) ? in->now == 0 : false))/|a malformed ServiceAccount is allowed in an exempt namespace
authorize|src/json/lex.c|s/if (end - p < 6 ../if (end - p < 2 ||/|an escape at the end is read beyond the text
policy|src/base/str.c|s/} else if (bad > 0) {/} else if (bad > 1) {/|messages contain control characters
manifest|src/json/writer.c|s/if (strstr(text, ": ") != NULL ../if (/|a text with a colon in it is printed bare
kubeconfig|src/client/credentials.c|s/bool secret = kept_is_given(&creds->token) ../bool secret =/|a token goes to a server without TLS
token|src/token/verify.c|s/bool same = rc == 0 .. jwt != NULL ../bool same = rc != ENOMEM ||/|the signature is not looked at
http|src/server/routes.c|s/if (!is_header_name(name, name_len)) {/if (name_len == 0 || !is_header_name(name, 1)) {/|a header may have a space in its name
watch|src/watch/framer.c|s/= f->to->len + (size_t)(at - .mark) + 1;/= f->to->len + 1;/|the place of a key is stale
'

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
(cd "$root" && tar -cf - --exclude='./build/*/corpus' Makefile VERSION include src test deploy/deps.sh \
    "$build") | tar -xf - -C "$work"
cd "$work" || exit 1
passed=0
failed=0

report() { # ok|FAIL TARGET TEXT
    echo "$1 $2: $3"
    if [ "$1" = ok ]; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
}

# plant TARGET FILE SED WHAT
plant() {
    cp -p "$2" "$work/whole"
    sed -i "$3" "$2"
    if cmp -s "$2" "$work/whole"; then
        report FAIL "$1" "there is no place for the bug in $2"
        return
    fi
    # The parent make knows how to build the targets; make compares the times of the sources.
    if ! make --no-print-directory fuzz-build TARGETS="$1" BUILD="${build%/fuzz}" > "$work/log" 2>&1; then
        report FAIL "$1" "it does not compile with the bug"
        tail -n 10 "$work/log" | sed 's/^/     /'
    elif sh test/fuzz/run.sh fuzz "$build" $seconds "$1" > "$work/log" 2>&1; then
        report FAIL "$1" "not found in $seconds s: $4"
        sed 's/^/     /' "$work/log"
    else
        log=$build/fuzz-logs/$1.log
        report ok "$1" "found ($4) after $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs: $(
            sed -n 's/^FAIL [a-z]*: //p' "$work/log")"
    fi
    cp -p "$work/whole" "$2"
    touch "$2"
}

while IFS='|' read -r target file change what; do
    [ -e "test/fuzz/$target.c" ] || continue
    case $wanted in
    "  " | *" $target "*) plant "$target" "$file" "$change" "$what" ;;
    esac
done << END
$(printf '%s' "$bugs" | sed 's/||/\\x7c\\x7c/g')
END
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
