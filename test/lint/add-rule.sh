#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# add-rule.sh - proves that four changes add a rule with an option and a lookup: its file, its line of the
# array, its fixtures and its row in the README; that the lints report a missing one; and that at most four
# files outside test/ and charts/ change. Works in a copy.
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

mkdir "$work/tree"
# What is built goes along, so that only what changes is built again.
(cd "$root" && tar -cf - --exclude=./.git --exclude='./certs/*.crt' --exclude='./certs/*.key' \
    --exclude='./build/*/src' --exclude="./$build/test-logs" .) | tar -xf - -C "$work/tree"
cd "$work/tree" || exit 1

# The files that differ, by git, from the copy as it was.
git init -q . && git add -A && git -c user.name=x -c user.email=x@x commit -qm before || exit 1
touched() {
    git add -A && git diff --cached --name-only | grep -v -e '^test/' -e '^charts/'
}
few_are_touched() {
    touched > "$work/out"
    [ "$(wc -l < "$work/out")" -le 4 ]
}

cat > src/rules/made_up.c << 'END'
/* SPDX-License-Identifier: Apache-2.0 */
/* made-up: no pod of a listed account mounts a legacy Secret.
 *
 * Reads:  volumes, and what the Secrets that they name are
 * Allows: other accounts, other Secrets.
 * Fixtures: test/rules/made-up/ */
#include "common.h"

struct made_up_settings {
    struct cf_strings accounts;
};

static const struct cf_config_option option_table[] = {
    {.key = "accounts",
     .want = "a list of names, such as [web]",
     .read = cf_config_list,
     .offset = offsetof(struct made_up_settings, accounts),
     .refuse = cf_config_refuse_glob},
    {0},
};

static const struct cf_rule_options options = {
    .want = "a mapping, such as {accounts: [web]}",
    .table = option_table,
    .size = sizeof(struct made_up_settings),
};

static void check_made_up(const struct cf_rule_input *in, struct cf_findings *out)
{
    const struct made_up_settings *settings = in->settings;
    const struct cf_pod_spec *pod = &in->object->pod;

    for (size_t i = 0; i < pod->volume_count; i++) {
        const struct cf_secret_ref *ref = pod->volumes[i].secret;
        struct cf_finding *f;

        if (ref == NULL || in->secrets[ref->index].state != CF_SECRET_LEGACY ||
            !cf_strings_has(&settings->accounts, pod->account))
            continue;
        f = cf_finding_add(out, pod->volumes[i].called, ref->at, cf_value_str(out, ref->name));
        cf_finding_what(out, f, "a pod of \"%s\" mounts Secret \"%s\"", pod->account, ref->name);
        cf_finding_detail(out, f, "\"%s\" is in rules.made-up.accounts", pod->account);
    }
}

const struct cf_rule cf_rule_made_up = {
    .id = "made-up",
    .title = "a listed account mounts a legacy Secret",
    .remedy = "mount another volume",
    .level = CF_BASELINE,
    .kinds = CF_KIND_POD | CF_KIND_TEMPLATE,
    .needs = CF_NEEDS_SECRETS,
    .options = &options,
    .check = check_made_up,
};
END
check "a rule that is not in the array is caught" \
    fails_with "made-up: is not in the array" sh test/lint/rules.sh
sed -i 's/^    X(token_audience).*/&\n    X(made_up) \\/' src/rules/rules.c
check "it builds" passes make DEPS=check BUILD="$build" all tests
check "a rule without fixtures is caught" fails_with "FAIL made-up: has no fixture" make rules BUILD="$build"
check "a rule without a row in the README is caught" \
    fails_with "made-up: has no row" sh test/lint/rules.sh

# fixture NAME SECRET [ACCOUNTS]: a pod of the account web that mounts the Secret.
fixture() {
    cat > "test/rules/made-up/$1.yaml" << END
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec:
  serviceAccountName: web
  containers: [{name: web, image: "shop/web:1"}]
  volumes: [{name: tok, secret: {secretName: $2}}]
END
    [ -z "${3:-}" ] || cat > "test/rules/made-up/$1.config.yaml" << END
apiVersion: curfew.dev/v1alpha1
kind: CurfewConfiguration
rules: {made-up: {accounts: $3}}
END
}
mkdir -p test/rules/made-up/allow test/rules/made-up/deny
fixture allow/no-account-is-listed web-token
fixture allow/another-account-is-listed web-token '[api, db]'
fixture allow/another-secret plain '[web]'
fixture deny/listed web-token '[api, web]'
check "a fixture without what is wanted is caught" fails_with "FAIL .*listed" make rules BUILD="$build"
check "UPDATE=1 writes it" passes env UPDATE=1 make rules BUILD="$build"
check "it is the rule's sentence" \
    grep -q 'a pod of "web" mounts Secret "web-token"' test/rules/made-up/deny/listed.want
check "a wrong value of the option is an error" fails_with "'accounts' must be a list of names" \
    "$build/curfew" serve --check-config /dev/stdin << 'END'
apiVersion: curfew.dev/v1alpha1
kind: CurfewConfiguration
rules: {made-up: {accounts: web}}
END
check "an option that the chart does not know is caught" \
    fails_with 'the rules have "made-up": {' env BUILD="$build" sh test/lint/chart.sh
check "make schema writes it" passes make schema BUILD="$build"
sed -i 's/^| `token-audience` |.*/&\n| `made-up` | baseline | Pod | a listed account mounts a legacy Secret | |/' README.md
for lint in rules chart layers banned size; do
    check "the lint $lint accepts it" passes env BUILD="$build" sh "test/lint/$lint.sh"
done
check "all other tests pass unchanged" \
    passes make test BUILD="$build" PARTS="unit rules recorded property golden"
check "at most four files outside test/ and charts/ change" few_are_touched
touched | sed 's/^/    touched: /'

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
