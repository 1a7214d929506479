/* SPDX-License-Identifier: Apache-2.0 */
/* Bad configurations: each is refused as a whole, with the place and what would be right. */
#include "test.h"

#include "curfew/json.h"
#include "curfew/limits.h"
#include "curfew/rule.h"

#define HEAD "apiVersion: curfew.dev/v1alpha1\nkind: CurfewConfiguration\n"
/* 2026-11-22T00:00:00Z */
#define NOW 1795305600

struct mistake {
    const char *text; /* after HEAD: begins on line 3 */
    const char *msg;  /* how the message begins, after "t.yaml:" */
};

static struct cf_policy *parse(const char *text, size_t len, struct cf_err *err)
{
    return cf_policy_parse(text, len, "t.yaml", cf_rule_configs(), cf_rule_count, NOW, err);
}

static void refuse(const char *text, size_t len, const char *msg)
{
    struct cf_err err = {0};
    struct cf_policy *policy = parse(text, len, &err);

    if (policy != NULL) {
        cf_policy_free(policy);
        fail_msg("accepted, instead of: %s", msg);
    }
    assert_int_equal(err.kind, CF_ERR_INPUT);
    if (strncmp(err.msg, msg, strlen(msg)) != 0)
        assert_string_equal(err.msg, msg);
}

static void refuse_text(const char *text, const char *msg)
{
    refuse(text, strlen(text), msg);
}

static void refuse_all(const struct mistake *mistakes, size_t count)
{
    char text[2048], msg[512];

    for (size_t i = 0; i < count; i++) {
        snprintf(text, sizeof(text), "%s%s", HEAD, mistakes[i].text);
        snprintf(msg, sizeof(msg), "t.yaml:%s", mistakes[i].msg);
        refuse_text(text, msg);
    }
}

static void unknown_keys(void **state)
{
    static const struct mistake cases[] = {
        {"exemption: {}", "3:1: unknown key 'exemption', did you mean 'exemptions'? (known here: "
                          "apiVersion, kind, defaults, exemptions, exceptions, guard, "
                          "lookupFailure, apiServerAudiences, staleAfter, limits, authorize, "
                          "rules, contents)"},
        {"authorize: {legacytokenuse: audit}", "3:13: unknown key 'legacytokenuse', did you mean "
                                               "'legacyTokenUse'? (known here: legacyTokenUse)"},
        {"lowering: true", "3:1: unknown key 'lowering' (known here: "},
        {"rules: {copied-token: {contents: true}}", "3:24: unknown key 'contents' (known here: "
                                                    "level)"},
        {"defaults:\n  enforced:\n    x: baseline", "4:3: unknown key 'enforced', did you mean "
                                                    "'enforce'? (known here: enforce, fix, audit, "
                                                    "warn)"},
        {"guard: {group: []}", "3:9: unknown key 'group', did you mean 'groups'? (known here: "
                               "groups, lowering)"},
        {"metadata:\n\n  # why\n  name: x", "3:1: unknown key 'metadata' (known here: "},
        {"limits: {'maxbody': 1}", "3:11: unknown key 'maxbody', did you mean 'maxBody'?"},
        {"x: y", "3:1: unknown key 'x' (known"},
        {"x:", "3:1: unknown key 'x' (known"},
        {"? x\n: y", "3:3: unknown key 'x' (known"},
        {"exceptions:\n- rule: unbound-token\n  namespaces: [a]",
         "5:3: unknown key 'namespaces', did you mean 'namespace'? (known here: rule, namespace, "
         "names, serviceAccounts, until, reason)"},
        {"lookupFailure: {privileged: allow}", "3:17: unknown key 'privileged' (known here: "
                                               "baseline, restricted)"},
        {"rules: {unbound-token: {max: 1h}}", "3:25: unknown key 'max' (known here: level)"},
        {"rules: {token-lifetime: {max: 1h}}", "3:26: unknown key 'max' (known here: level, "
                                               "baseline, restricted)"},
        {"rules: {token-lifetime: {restricted: {maximum: 1h}}}",
         "3:39: unknown key 'maximum' (known here: min, max, maxUnbound)"},
        {"rules: {node-boundary: {tokensFor: own}}", "3:25: unknown key 'tokensFor', did you "
                                                     "mean 'tokenFor'? (known here: tokenFor, "
                                                     "allowPodCreate, sharedObjects)"},
        {"rules:\n  unbound-tokens:\n    level: off",
         "4:3: unknown rule 'unbound-tokens', did you mean 'unbound-token'? (known here: "},
        {"rules: {x: {level: off}}", "3:9: unknown rule 'x' (known"},
        {"\"\\e[31m\\u0007\": 1", "3:17: unknown key '?[31m?' (known"},
    };

    (void)state;
    refuse_all(cases, CF_COUNT(cases));
}

/* All rules are known, in the order of the table. */
static void unknown_rules(void **state)
{
    char keyed[1024] = "t.yaml:3:9: unknown rule 'zzz' (known here: ";
    char named[1024] = "t.yaml:3:21: unknown rule 'zzz' (known here: ";

    (void)state;
    for (size_t i = 0; i < cf_rule_count; i++) {
        strcat(strcat(keyed, cf_rules[i]->id), i + 1 < cf_rule_count ? ", " : ")");
        strcat(strcat(named, cf_rules[i]->id), i + 1 < cf_rule_count ? ", " : ")");
    }
    refuse_text(HEAD "rules: {zzz: {level: off}}", keyed);
    refuse_text(HEAD "exceptions: [{rule: zzz}]", named);
}

static void wrong_types(void **state)
{
    static const struct mistake cases[] = {
        {"defaults: baseline", "3:11: 'defaults' must be a mapping, such as {enforce: baseline}, "
                               "not 'baseline'"},
        {"defaults: []", "3:11: 'defaults' must be a mapping"},
        {"defaults: {enforce: [baseline]}", "3:21: 'enforce' must be privileged, baseline or "
                                            "restricted, not a list"},
        {"exemptions: [kube-system]", "3:13: 'exemptions' must be a mapping, such as "
                                      "{namespaces: [kube-system]}, not a list"},
        {"exemptions: {namespaces: kube-system}", "3:26: 'namespaces' must be a list of exact "
                                                  "names, such as [one, two], not 'kube-system'"},
        {"exemptions: {namespaces: [[a]]}", "3:27: each item of 'namespaces' must be a name, not "
                                            "a list"},
        {"exemptions: {namespaces: [a, ~]}", "3:30: each item of 'namespaces' must be a name, "
                                             "not empty"},
        {"exemptions: {groups: [a, '']}", "3:26: each item of 'groups' must be a name, not \"\""},
        {"exceptions: {}", "3:13: 'exceptions' must be a list of mappings with rule, namespace, "
                           "names, until and reason, not a mapping"},
        {"exceptions: [unbound-token]", "3:14: an exception must be a mapping with rule, "
                                        "namespace, names, until and reason, not 'unbound-token'"},
        {"exceptions:\n-", "4:2: an exception must be a mapping"},
        {"guard: system:masters", "3:8: 'guard' must be a mapping"},
        {"contents: maybe", "3:11: 'contents' must be true or false, without quotes, not 'maybe'"},
        {"contents: 'true'", "3:11: 'contents' must be true or false, without quotes, not "
                             "\"true\""},
        {"contents: 1", "3:11: 'contents' must be true or false"},
        {"staleAfter: {}", "3:13: 'staleAfter' must be a duration from 1s to 1h, such as 30s, "
                           "not a mapping"},
        {"limits: {maxBody: [1]}", "3:19: 'maxBody' must be a size from 64KiB to 64MiB"},
        {"lookupFailure: allow", "3:16: 'lookupFailure' must be a mapping, such as {baseline: "
                                 "allow, restricted: deny}, not 'allow'"},
        {"rules: []", "3:8: 'rules' must be a mapping of rule ids, such as {unbound-token: "
                      "{level: off}}, not a list"},
        {"rules: {unbound-token: off}", "3:24: 'unbound-token' must be a mapping, such as "
                                        "{level: off}, not 'off'"},
        {"rules: {token-lifetime: 1h}", "3:25: 'token-lifetime' must be a mapping"},
        {"rules: {token-audience: {allowed: vault}}", "3:35: 'allowed' must be a list"},
    };

    (void)state;
    refuse_all(cases, CF_COUNT(cases));
}

static void wrong_values(void **state)
{
    static const struct mistake cases[] = {
        {"defaults: {warn: strict}", "3:18: 'warn' must be privileged, baseline or restricted, "
                                     "not 'strict'"},
        {"defaults: {enforce: off}", "3:21: 'enforce' must be privileged"},
        {"defaults: {enforce: \"\"}", "3:21: 'enforce' must be privileged, baseline or "
                                      "restricted, not \"\""},
        {"staleAfter: 0s", "3:13: 'staleAfter' must be a duration from 1s to 1h, such as 30s, "
                           "not '0s'"},
        {"staleAfter: 61m", "3:13: 'staleAfter' must be"},
        {"staleAfter: 1d", "3:13: 'staleAfter' must be"},
        {"staleAfter: -5s", "3:13: 'staleAfter' must be"},
        {"limits: {maxBody: 1KiB}", "3:19: 'maxBody' must be a size from 64KiB to 64MiB, such as "
                                    "16MiB, not '1KiB'"},
        {"limits: {maxBody: 65MiB}", "3:19: 'maxBody' must be"},
        {"limits: {maxBody: 16Mi}", "3:19: 'maxBody' must be"},
        {"limits: {memory: 5GiB}", "3:18: 'memory' must be a size from 64KiB to 4GiB, such as "
                                   "128MiB, not '5GiB'"},
        {"limits: {memory: 1MiB}", "3:18: 'memory' must be at least 'maxBody', which is 16777216 "
                                   "bytes"},
        {"limits: {maxInflightBytes: 96MiB}", "3:28: 'maxInflightBytes' was removed: "
                                              "set limits.memory, which holds the bodies of "
                                              "reviews and all else that they need"},
        {"limits: {maxInflightBytes: }", "3:28: 'maxInflightBytes' was removed: set limits.memory"},
        {"lookupFailure: {baseline: ignore}", "3:27: 'baseline' must be allow or deny, not "
                                              "'ignore'"},
        {"authorize: {legacyTokenUse: warn}", "3:29: 'legacyTokenUse' must be audit or enforce, "
                                              "not 'warn'"},
        {"exemptions: {usernames: [a, b, c, b]}", "3:35: 'b' is in 'usernames' twice"},
        {"apiServerAudiences:\n- a\n- \"a\"", "5:3: \"a\" is in 'apiServerAudiences' twice"},
    };

    (void)state;
    refuse_all(cases, CF_COUNT(cases));
}

static void wrong_rule_options(void **state)
{
    static const struct mistake cases[] = {
        {"rules: {unbound-token: {level: privileged}}", "3:32: 'level' must be baseline, "
                                                        "restricted or off, not 'privileged'"},
        {"rules: {unbound-token: {level: true}}", "3:32: 'level' must be"},
        {"rules: {unbound-token: {level: 'false'}}", "3:32: 'level' must be baseline, restricted "
                                                     "or off, not \"false\""},
        {"rules: {node-boundary: {level: off}}", "3:32: 'level' cannot be set on "
                                                 "'node-boundary': it applies in every namespace, "
                                                 "regardless of levels and labels"},
        {"rules: {restricted-by-node-annotation: {level: }}",
         "3:48: 'level' cannot be set on 'restricted-by-node-annotation'"},
        {"rules: {namespace-level: {level: off}}", "3:34: 'level' cannot be set on "
                                                   "'namespace-level'"},
        {"rules: {namespace-level: off}", "3:26: 'namespace-level' must be left out: its settings "
                                          "are those of the mapping 'guard' beside 'rules'"},
        {"rules: {guard: {}}", "3:16: the rule 'guard' is now called 'namespace-level'"},
        {"rules: {guard: }", "3:16: the rule 'guard' is now called 'namespace-level'"},
        {"rules: {node-boundary: {tokenFor: all}}", "3:35: 'tokenFor' must be own or podsOnNode"},
        {"rules: {node-boundary: {sharedObjects: warn}}", "3:40: 'sharedObjects' must be allow "
                                                          "or deny, not 'warn'"},
        {"rules: {restricted-by-node-annotation: {require: {serviceAccountSelector: {}}}}",
         "3:75: missing 'matchLabels': a mapping of at least one label, such as {role: "
         "node-agent}"},
        {"rules: {restricted-by-node-annotation: {require: {serviceAccountSelector: "
         "{matchLabels: {}}}}}",
         "3:89: 'matchLabels' must be a mapping of at least one label, such as {role: "
         "node-agent}, not a mapping"},
        {"rules: {restricted-by-node-annotation: {require: {serviceAccountSelector: "
         "{matchLabels: {role: [a]}}}}}",
         "3:96: a label is a name and a text, not 'role' and a list"},
        {"rules: {restricted-by-node-annotation: {require: {usedByDaemonSets: deny}}}",
         "3:69: 'usedByDaemonSets' must be warn or ignore, not 'deny'"},
        {"rules: {token-audience: {allowed: [vault, '*']}}",
         "3:43: \"*\" in 'allowed' is a glob, but only an exception's names"},
    };

    (void)state;
    refuse_all(cases, CF_COUNT(cases));
}

static void wrong_bounds(void **state)
{
    static const struct mistake cases[] = {
        {"rules: {token-lifetime: {baseline: {max: 3607}}}",
         "3:42: 'max' must not be exactly 3607 seconds: the API server extends such a token "
         "to one year, so clamping to it would trigger what it should prevent (3600 is fine)"},
        {"rules: {token-lifetime: {restricted: {min: 3607s}}}", "3:44: 'min' must not be exactly"},
        {"rules: {token-lifetime: {restricted: {maxUnbound: '3607'}}}",
         "3:51: 'maxUnbound' must not be exactly"},
        {"rules: {token-lifetime: {baseline: {min: 599}}}",
         "3:42: 'min' must be a duration from 600s to 4294967296s, such as 1h, not '599'"},
        {"rules: {token-lifetime: {baseline: {max: 4294967297}}}", "3:42: 'max' must be a"},
        {"rules: {token-lifetime: {baseline: {max: 0}}}", "3:42: 'max' must be a duration"},
        {"rules: {token-lifetime: {restricted: {min: 2h}}}",
         "3:44: 'min' (7200s) must not be above 'max' (3600s)"},
        {"rules: {token-lifetime: {baseline: {maxUnbound: 10m, min: 20m}}}",
         "3:59: 'min' (1200s) must not be above 'maxUnbound' (600s)"},
        {"rules: {token-lifetime: {restricted: {max: 48h}}}",
         "3:44: 'max' of restricted (172800s) must not be above that of baseline (86400s): "
         "restricted holds every rule of baseline"},
        {"rules: {token-lifetime: {baseline: {max: 15m}, restricted: {max: 1h}}}",
         "3:66: 'max' of restricted (3600s) must not be above that of baseline (900s)"},
        {"rules: {token-lifetime: {baseline: {maxUnbound: 15m}, restricted: {maxUnbound: 16m}}}",
         "3:80: 'maxUnbound' of restricted (960s) must not be above that of baseline (900s)"},
        {"rules: {token-lifetime: {baseline: {maxUnbound: 15m}, restricted: {min: 16m}}}",
         "3:73: 'min' (960s) must not be above 'maxUnbound' (900s)"},
    };

    (void)state;
    refuse_all(cases, CF_COUNT(cases));
}

#define EXCEPTION_BUT(keys) "exceptions:\n- rule: unbound-token\n" keys
#define GOOD_END "  until: 2027-01-01\n  reason: r\n"

static void wrong_exceptions(void **state)
{
    static const struct mistake cases[] = {
        {"exceptions:\n- namespace: a", "4:3: missing 'rule': the id of a rule, such as "
                                        "legacy-token-secret"},
        {"exceptions: [{}]", "3:14: missing 'rule'"},
        {"exceptions: [{rule: unbound-tokn}]",
         "3:21: unknown rule 'unbound-tokn', did you mean 'unbound-token'? (known here: "},
        {"exceptions: [{rule: guard}]", "3:21: the rule 'guard' is now called 'namespace-level'"},
        {"exceptions: [{rule: ''}]", "3:21: 'rule' must be the id of a rule"},
        {"exceptions: [{rule: '*'}]", "3:21: unknown rule '*' (known here: "},
        {EXCEPTION_BUT("  names: [a]\n" GOOD_END), "4:3: missing 'namespace': the name of a "
                                                   "namespace, or \"\" for cluster-scoped objects"},
        {EXCEPTION_BUT("  namespace:\n  names: [a]\n" GOOD_END), "4:3: missing 'namespace'"},
        {EXCEPTION_BUT("  namespace: 'ci-*'\n  names: [a]\n" GOOD_END),
         "5:14: \"ci-*\" in 'namespace' is a glob, but only an exception's names and "
         "serviceAccounts may be: give exact names only"},
        {EXCEPTION_BUT("  namespace: a\n  names: [a]\n  reason: r\n"),
         "4:3: missing 'until': the last day it holds, written YYYY-MM-DD, such as 2027-03-31"},
        {EXCEPTION_BUT("  namespace: a\n  names: [a]\n  until: 2027-01-01\n"),
         "4:3: missing 'reason': a text that says why"},
        {EXCEPTION_BUT("  namespace: a\n  names: [a]\n  until: 2027-01-01\n  reason: ''\n"),
         "8:11: 'reason' must be a text that says why, such as \"moves to OIDC in March\", not "
         "\"\""},
        {EXCEPTION_BUT("  namespace: a\n" GOOD_END),
         "4:3: missing 'names' or 'serviceAccounts': an exception says for which objects, or for "
         "whose, it holds"},
        {EXCEPTION_BUT("  namespace: a\n  names: []\n" GOOD_END), "4:3: missing 'names' or"},
        {EXCEPTION_BUT("  namespace: a\n  names: ['web-?']\n" GOOD_END),
         "6:11: \"web-?\" in 'names' has '?' or '[', but globs know only '*'"},
        {EXCEPTION_BUT("  namespace: a\n  serviceAccounts: ['[a]']\n" GOOD_END),
         "6:21: \"[a]\" in 'serviceAccounts' has '?' or '['"},
        {EXCEPTION_BUT(
             "  namespace: a\n  serviceAccounts: [system:serviceaccount:ci:jenkins]\n" GOOD_END),
         "6:21: 'system:serviceaccount:ci:jenkins' in 'serviceAccounts' has ':', but an account "
         "is given by its bare name, such as 'jenkins', in the exception's namespace"},
        {EXCEPTION_BUT("  namespace: a\n  names: [b, b]\n" GOOD_END), "6:14: 'b' is in 'names' "
                                                                      "twice"},
    };

    (void)state;
    refuse_all(cases, CF_COUNT(cases));
}

static void wrong_days(void **state)
{
    static const char *const days[] = {"2027-02-30", "2027-2-3",   "2027-13-01",
                                       "27-01-01",   "31.03.2027", "2027-03-31T00:00:00Z",
                                       "never"};
    char text[512], msg[256];

    (void)state;
    for (size_t i = 0; i < CF_COUNT(days); i++) {
        snprintf(text, sizeof(text),
                 HEAD EXCEPTION_BUT("  namespace: a\n  names: [a]\n  reason: r\n  until: '%s'\n"),
                 days[i]);
        snprintf(msg, sizeof(msg),
                 "t.yaml:8:10: 'until' must be a day that exists, written YYYY-MM-DD, such as "
                 "2027-03-31, not '%s'",
                 days[i]);
        refuse_text(text, msg);
    }
}

static void exemptions_that_would_switch_curfew_off(void **state)
{
    static const struct mistake cases[] = {
        {"exemptions: {namespaces: [kube-*]}", "3:27: 'kube-*' in 'namespaces' is a glob, but "
                                               "only an exception's names and serviceAccounts "
                                               "may be: give exact names only"},
        {"exemptions: {usernames: ['ada*']}", "3:26: \"ada*\" in 'usernames' is a glob"},
        {"exemptions: {usernames: ['system:kube-controller-manager']}",
         "3:26: \"system:kube-controller-manager\" in 'usernames' is one of the controllers that "
         "make the pods of Deployments, Jobs and more: exempting them would switch Curfew off "
         "for all of these"},
        {"exemptions: {usernames: ['system:serviceaccount:kube-system:replicaset-controller']}",
         "3:26: \"system:serviceaccount:kube-system:replicaset-controller\" in 'usernames' is"},
        {"exemptions: {usernames: ['system:serviceaccount:kube-system:*-controller']}",
         "3:26: \"system:serviceaccount:kube-system:*-controller\" in 'usernames' is one of"},
        {"exemptions: {usernames: ['system:apiserver']}", "3:26: \"system:apiserver\" in"},
        {"exemptions: {groups: ['system:serviceaccounts']}",
         "3:23: \"system:serviceaccounts\" in 'groups' holds the controllers"},
        {"exemptions: {groups: ['system:serviceaccounts:kube-system']}", "3:23: \"system:serv"},
        {"exemptions: {groups: ['system:authenticated']}",
         "3:23: \"system:authenticated\" in 'groups' holds every authenticated or every anonymous "
         "user: exempting it would switch Curfew off"},
        {"exemptions: {groups: ['system:unauthenticated']}", "3:23: \"system:unauth"},
        {"exemptions: {groups: ['system:nodes']}", "3:23: \"system:nodes\" in 'groups' holds"},
        {"guard: {groups: ['system:*']}", "3:18: \"system:*\" in 'groups' is a glob"},
    };

    (void)state;
    refuse_all(cases, CF_COUNT(cases));
}

static void other_documents(void **state)
{
    static const struct {
        const char *text, *msg;
    } cases[] = {
        {"", "t.yaml:1:1: nothing here: a configuration begins with apiVersion: "
             "curfew.dev/v1alpha1 and kind: CurfewConfiguration"},
        {"# only\n\n# comments\n", "t.yaml:1:1: nothing here"},
        {"---\n...\n", "t.yaml:"},
        {"~", "t.yaml:"},
        {"- a\n- b\n", "t.yaml:1:1: a configuration is a mapping with apiVersion, kind and more, "
                       "not a list"},
        {"just words", "t.yaml:1:1: a configuration is a mapping with apiVersion, kind and more, "
                       "not 'just words'"},
        {"{}", "t.yaml:1:1: missing 'apiVersion': curfew.dev/v1alpha1"},
        {"apiVersion: curfew.dev/v1alpha1\n", "t.yaml:1:1: missing 'kind': CurfewConfiguration"},
        {"apiVersion: v1\nkind: ConfigMap\n", "t.yaml:1:13: 'apiVersion' must be "
                                              "curfew.dev/v1alpha1, not 'v1'"},
        {"apiVersion: curfew.dev/v1alpha1\nkind: Curfew\n",
         "t.yaml:2:7: 'kind' must be CurfewConfiguration, not 'Curfew'"},
        {"apiVersion:\nkind: CurfewConfiguration\n", "t.yaml:1:1: missing 'apiVersion'"},
        {HEAD "---\n" HEAD, "t.yaml:3:1: "},
        {HEAD "contents: true\ncontents: false\n", "t.yaml:4:"},
        {HEAD "defaults:\n\tenforce: baseline\n", "t.yaml:4:"},
        {HEAD "guard: {groups: [a\n", "t.yaml:4:"},
        {HEAD "\x80\x81", "t.yaml:"},
        {HEAD "\x1b[31m: 1", "t.yaml:"},
        {"\x7f"
         "ELF\x02\x01\x01",
         "t.yaml:"},
    };

    (void)state;
    for (size_t i = 0; i < CF_COUNT(cases); i++)
        refuse_text(cases[i].text, cases[i].msg);
    refuse("a\0b", 3, "t.yaml:");
    refuse(HEAD "\0", strlen(HEAD) + 1, "t.yaml:");
}

static void aliases_are_read_as_what_they_stand_for(void **state)
{
    static const char text[] = HEAD "exemptions: {usernames: &who [ada, bob], groups: *who}\n";
    struct cf_err err = {0};
    struct cf_policy *policy = parse(text, strlen(text), &err);

    (void)state;
    assert_non_null(policy);
    assert_true(cf_strings_has(&policy->exempt_groups, "bob"));
    assert_false(cf_strings_has(&policy->exempt_groups, "eve"));
    assert_false(cf_strings_has(&policy->exempt_groups, NULL));
    cf_policy_free(policy);
}

static void bombs(void **state)
{
    static char text[CF_CONFIG_MAX + 2];
    size_t head = strlen(HEAD);

    (void)state;
    memset(text, ' ', sizeof(text));
    memcpy(text, HEAD, head);
    refuse(text, CF_CONFIG_MAX + 1,
           "t.yaml: a configuration is at most 1048576 bytes, not "
           "1048577");
    memset(text + head, '[', 100000);
    refuse(text, head + 100000, "t.yaml:3:");
    refuse_text(HEAD
                "a: &a [1,1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
                "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
                "e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\n",
                "t.yaml:");
}

/* 100,000 names in one list, the last one twice: found without comparing each with each. */
static void long_lists(void **state)
{
    static char text[CF_CONFIG_MAX];
    size_t len = (size_t)snprintf(text, sizeof(text), HEAD "exemptions: {namespaces: [");

    (void)state;
    for (int i = 0; i < 100000; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "n%d,", i);
    len += (size_t)snprintf(text + len, sizeof(text) - len, "\n n99999]}");
    refuse(text, len, "t.yaml:4:2: 'n99999' is in 'namespaces' twice");
}

static void long_and_ugly_texts_are_shown_short(void **state)
{
    char text[4096], key[2001];

    (void)state;
    memset(key, 'k', sizeof(key) - 1);
    key[sizeof(key) - 1] = '\0';
    snprintf(text, sizeof(text), HEAD "limits: {%.1000s: 1}", key);
    refuse(
        text, strlen(text),
        "t.yaml:3:10: unknown key 'kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk...' "
        "(known here: maxBody, memory)");
    snprintf(text, sizeof(text), HEAD "contents: %s", key);
    refuse(text, strlen(text),
           "t.yaml:3:11: 'contents' must be true or false, without quotes, "
           "not 'kkkkk");
    refuse_text(HEAD "contents: eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln",
                "t.yaml:3:11: 'contents' must be true or false, without quotes, "
                "not '[redacted]");
    refuse_text(HEAD "contents: \"a\\nb\\e[0m\"",
                "t.yaml:3:11: 'contents' must be true or false, without quotes, not \"a?b?[0m\"");
}

static void errors_need_no_listener(void **state)
{
    (void)state;
    assert_null(parse("x: 1", 4, NULL));
    assert_null(parse("", 0, NULL));
    assert_null(parse("[", 1, NULL));
}

static int start(void **state)
{
    (void)state;
    cf_json_init();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unknown_keys),
        cmocka_unit_test(unknown_rules),
        cmocka_unit_test(wrong_types),
        cmocka_unit_test(wrong_values),
        cmocka_unit_test(wrong_rule_options),
        cmocka_unit_test(wrong_bounds),
        cmocka_unit_test(wrong_exceptions),
        cmocka_unit_test(wrong_days),
        cmocka_unit_test(exemptions_that_would_switch_curfew_off),
        cmocka_unit_test(other_documents),
        cmocka_unit_test(aliases_are_read_as_what_they_stand_for),
        cmocka_unit_test(bombs),
        cmocka_unit_test(long_lists),
        cmocka_unit_test(long_and_ugly_texts_are_shown_short),
        cmocka_unit_test(errors_need_no_listener),
    };

    return cmocka_run_group_tests(tests, start, NULL);
}
