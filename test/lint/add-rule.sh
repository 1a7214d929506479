#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# add-rule.sh - proves that a rule is added by four things: its file, its line of the array, its
# fixtures and its row in the README; and that what is missing is caught. Works in a copy.
set -u
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
build=${BUILD:-build}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
passed=0
failed=0

check() { # WHAT COMMAND...
    what=$1
    shift
    if "$@"; then
        echo "ok add-rule: $what"
        passed=$((passed + 1))
    else
        echo "FAIL add-rule: $what"
        grep -E '^ *(FAIL|\[  (FAILED|ERROR)|.*error:)' "$work/out" | sort -u | head -n 20 | sed 's/^/    /'
        tail -n 8 "$work/out" | sed 's/^/    /'
        failed=$((failed + 1))
    fi
}

fails_with() { # TEXT COMMAND...
    text=$1
    shift
    ! "$@" > "$work/out" 2>&1 && grep -q -e "$text" "$work/out"
}

passes() {
    "$@" > "$work/out" 2>&1
}

# What is built goes along, so that only what changes is built again.
(cd "$root" && tar -cf - --exclude=./.git --exclude='./certs/*.crt' --exclude='./certs/*.key' \
    --exclude='./build/*/src' --exclude="./$build/test-logs" .) | tar -xf - -C "$work"
cd "$work" || exit 1

cat > src/rules/made_up.c << 'END'
/* SPDX-License-Identifier: Apache-2.0 */
/* made-up: no pod runs as the account "made-up". */
#include "common.h"

static void check(const struct cf_rule_input *in, struct cf_findings *out)
{
    struct cf_path spec = CF_PATH_KEY(NULL, "spec");
    struct cf_path at = CF_PATH_KEY(&spec, "serviceAccountName");
    struct cf_finding *f;

    if (!cf_streq(in->object->pod.account, "made-up"))
        return;
    f = cf_finding_add(out, "serviceAccountName", &at, "\"made-up\"");
    cf_finding_what(out, f, "the pod runs as \"%s\"", in->object->pod.account);
    cf_finding_detail(out, f, "nobody is made up");
}

const struct cf_rule cf_rule_made_up = {
    .id = "made-up",
    .title = "a pod runs as nobody",
    .remedy = "run as somebody",
    .level = CF_BASELINE,
    .kinds = CF_KIND_POD | CF_KIND_TEMPLATE,
    .check = check,
};
END
check "a rule that is not in the array is caught" \
    fails_with "made-up: is not in the array" sh test/lint/rules.sh
sed -i 's/X(token_audience)/& X(made_up)/' src/rules/rules.c
check "it builds" passes make DEPS=check BUILD="$build" tests
check "a rule without fixtures is caught" fails_with "FAIL made-up: has no fixture" make rules BUILD="$build"
check "a rule without a row in the README is caught" \
    fails_with "made-up: has no row" sh test/lint/rules.sh

mkdir -p test/rules/made-up/allow test/rules/made-up/deny
for side in allow/somebody deny/nobody; do
    cat > "test/rules/made-up/$side.yaml" << END
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec:
  serviceAccountName: $(case $side in deny/*) echo made-up ;; *) echo web ;; esac)
  containers: [{name: web, image: "shop/web:1"}]
END
done
check "a fixture without what is wanted is caught" fails_with "FAIL .*nobody" make rules BUILD="$build"
check "UPDATE=1 writes it" passes env UPDATE=1 make rules BUILD="$build"
check "and it is the rule's sentence" grep -q 'runs as "made-up"' test/rules/made-up/deny/nobody.want
sed -i 's/^| `token-audience` |.*/&\n| `made-up` | baseline | Pod | it runs as nobody | none |/' README.md
check "with its row the lint has nothing to say" passes sh test/lint/rules.sh
check "and all other tests pass as they are" \
    passes make test BUILD="$build" PARTS="unit rules recorded property golden"

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
