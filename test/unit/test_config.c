/* SPDX-License-Identifier: Apache-2.0 */
/* What a good configuration means; test_config_errors.c has the bad ones. */
#include "test.h"

#include <unistd.h>

#include "curfew/time.h"
#include "curfew/json.h"
#include "curfew/limits.h"
#include "curfew/rule.h"

#define HEAD "apiVersion: curfew.dev/v1alpha1\nkind: CurfewConfiguration\n"
/* 2026-11-22T00:00:00Z */
#define NOW 1795305600

static struct cf_policy *parse(const char *text)
{
    struct cf_err err = {0};
    struct cf_policy *policy =
        cf_policy_parse(text, strlen(text), "t.yaml", cf_rule_configs(), cf_rule_count, NOW, &err);

    if (policy == NULL)
        fail_msg("%s", err.msg);
    return policy;
}

static struct cf_policy *load(const char *path)
{
    struct cf_err err = {0};
    struct cf_policy *policy = cf_policy_load(path, cf_rule_configs(), cf_rule_count, NOW, &err);

    if (policy == NULL)
        fail_msg("%s", err.msg);
    return policy;
}

static const struct cf_rule_setting *setting_of(const struct cf_policy *policy, const char *id)
{
    int index = cf_rule_index(id);

    assert_true(index >= 0 && (size_t)index < policy->rule_count);
    return &policy->rules[index];
}

/* Where a rule's option is stored: `key` is "require.usedByDaemonSets". */
static const void *option_of(const struct cf_policy *policy, const char *id, const char *key)
{
    const struct cf_rule_setting *setting = setting_of(policy, id);
    const struct cf_config_option *o = setting->rule->options->table;
    const char *at = setting->settings;
    size_t len;

    for (;; key += len + 1) {
        len = strcspn(key, ".");
        while (o->key != NULL && (strlen(o->key) != len || strncmp(o->key, key, len) != 0))
            o++;
        assert_non_null(o->key);
        at += o->offset;
        if (key[len] == '\0')
            return at;
        o = o->members;
    }
}

static bool flag_of(const struct cf_policy *policy, const char *id, const char *key)
{
    return *(const bool *)option_of(policy, id, key);
}

static enum cf_rule_place place_of(const struct cf_policy *policy, const char *id)
{
    return setting_of(policy, id)->place;
}

static void assert_strings(const struct cf_strings *list, const char *joined)
{
    char text[512] = "";

    for (size_t i = 0; i < list->count; i++) {
        strcat(text, i == 0 ? "" : " ");
        strcat(text, list->items[i]);
    }
    assert_string_equal(text, joined);
}

static void assert_lifetime(const struct cf_lifetime *lifetime, int64_t min, int64_t max,
                            int64_t max_unbound)
{
    assert_int_equal(lifetime->min, min);
    assert_int_equal(lifetime->max, max);
    assert_int_equal(lifetime->max_unbound, max_unbound);
}

/* How token-audience keeps them: `limited` follows the list. */
static void assert_audiences(const struct cf_policy *policy, bool limited, const char *joined)
{
    const struct {
        struct cf_strings allowed;
        bool limited;
    } *audiences = option_of(policy, "token-audience", "allowed");

    assert_int_equal(audiences->limited, limited);
    assert_strings(&audiences->allowed, joined);
}

static void assert_labels(const struct cf_policy *policy, const char *keys, const char *values)
{
    const struct cf_config_labels *labels = option_of(policy, "restricted-by-node-annotation",
                                                      "require.serviceAccountSelector.matchLabels");

    assert_strings(&labels->keys, keys);
    assert_strings(&labels->values, values);
}

/* Options of rules that are off until they are set. */
static const struct {
    const char *rule, *key;
} flags[] = {
    {"namespace-level", "lowering"},
    {"copied-token", "contents"},
    {"legacy-token-use", "legacyTokenUse"},
    {"restricted-by-node-annotation", "require.usedByDaemonSets"},
    {"node-boundary", "tokenFor"},
    {"node-boundary", "allowPodCreate"},
    {"node-boundary", "sharedObjects"},
};

static void assert_builtin(const struct cf_policy *policy)
{
    assert_int_equal(policy->defaults.mode[CF_ENFORCE], CF_BASELINE);
    assert_int_equal(policy->defaults.mode[CF_FIX], CF_BASELINE);
    assert_int_equal(policy->defaults.mode[CF_AUDIT], CF_RESTRICTED);
    assert_int_equal(policy->defaults.mode[CF_WARN], CF_RESTRICTED);
    assert_true(policy->fix_follows_enforce);
    assert_strings(&policy->exempt_namespaces, "");
    assert_strings(&policy->exempt_usernames, "");
    assert_strings(&policy->exempt_groups, "");
    assert_int_equal(policy->exception_count, 0);
    assert_strings(&policy->guard_groups, "system:masters");
    assert_int_equal(policy->lookup_failure[CF_PRIVILEGED], CF_LOOKUP_ALLOW);
    assert_int_equal(policy->lookup_failure[CF_BASELINE], CF_LOOKUP_ALLOW);
    assert_int_equal(policy->lookup_failure[CF_RESTRICTED], CF_LOOKUP_DENY);
    assert_strings(&policy->api_server_audiences,
                   "https://kubernetes.default.svc.cluster.local https://kubernetes.default.svc");
    assert_int_equal(policy->stale_after, 30);
    assert_int_equal(policy->max_body, 16 * CF_MIB);
    assert_int_equal(policy->memory, 128 * CF_MIB);
    assert_int_equal(policy->rule_count, cf_rule_count);
    for (size_t i = 0; i < cf_rule_count; i++) {
        assert_ptr_equal(policy->rules[i].rule, &cf_rule_configs()[i]);
        assert_int_equal(policy->rules[i].place, CF_RULE_DEFAULT);
    }
    assert_lifetime(cf_lifetime_of(policy, CF_BASELINE), 600, 86400, 86400);
    assert_lifetime(cf_lifetime_of(policy, CF_RESTRICTED), 600, 3600, 3600);
    assert_audiences(policy, false, "");
    assert_labels(policy, "", "");
    for (size_t i = 0; i < CF_COUNT(flags); i++)
        assert_false(flag_of(policy, flags[i].rule, flags[i].key));
    assert_strings(&policy->notes, "");
}

static void without_a_file_the_builtin_holds(void **state)
{
    struct cf_policy *policy = cf_policy_new(cf_rule_configs(), cf_rule_count);

    (void)state;
    assert_non_null(policy);
    assert_builtin(policy);
    assert_string_equal(policy->digest, "builtin");
    cf_policy_free(policy);
    cf_policy_free(NULL);
}

static void without_rules_there_is_a_policy_too(void **state)
{
    struct cf_policy *policy = cf_policy_new(NULL, 0);

    (void)state;
    assert_non_null(policy);
    assert_int_equal(policy->rule_count, 0);
    cf_policy_cleanup(&policy);
    assert_null(policy);
}

static void what_is_left_out_or_empty_has_its_default(void **state)
{
    static const char *const cases[] = {
        HEAD,
        "---\n" HEAD,
        "# why\n---\n" HEAD "...\n",
        "{\"apiVersion\": \"curfew.dev/v1alpha1\", \"kind\": \"CurfewConfiguration\"}",
        HEAD "defaults:\nexemptions: ~\nexceptions: null\nguard: Null\nlookupFailure: NULL\n"
             "apiServerAudiences:\nstaleAfter:\ncontents:\nlimits:\nauthorize:\nrules:\n",
        HEAD "defaults: {}\nexemptions: {}\nexceptions: []\nguard: {}\nlookupFailure: {}\n"
             "limits: {}\nauthorize: {}\nrules: {}\n",
        HEAD "defaults: {enforce: , fix: ~, audit: null, warn: }\n"
             "exemptions: {namespaces: , usernames: [], groups: []}\n"
             "guard: {groups: null, lowering: ~}\nlookupFailure: {baseline: , restricted: }\n"
             "limits: {maxBody: , memory: null}\nauthorize: {legacyTokenUse: }\n",
        HEAD "rules: {unbound-token: , token-lifetime: ~}\n",
        HEAD "rules:\n  unbound-token: {level: }\n  token-audience: {allowed: }\n"
             "  token-lifetime: {baseline: {max: }, restricted: }\n"
             "  restricted-by-node-annotation: {require: }\n  node-boundary:\n",
    };

    (void)state;
    for (size_t i = 0; i < CF_COUNT(cases); i++) {
        struct cf_policy *policy = parse(cases[i]);

        assert_builtin(policy);
        cf_policy_free(policy);
    }
}

static void every_key_reaches_the_policy(void **state)
{
    struct cf_policy *policy = parse(
        HEAD "defaults: {enforce: restricted, fix: privileged, audit: baseline, warn: baseline}\n"
             "exemptions: {namespaces: [kube-system, 123], usernames: [ada], groups: ['on']}\n"
             "guard: {groups: [], lowering: yes}\n"
             "lookupFailure: {baseline: deny, restricted: allow}\n"
             "apiServerAudiences: [api]\nstaleAfter: 1h\ncontents: on\n"
             "limits: {maxBody: 64MiB, memory: '4GiB'}\n"
             "authorize: {legacyTokenUse: enforce}\n");

    (void)state;
    assert_int_equal(policy->defaults.mode[CF_ENFORCE], CF_RESTRICTED);
    assert_int_equal(policy->defaults.mode[CF_FIX], CF_PRIVILEGED);
    assert_int_equal(policy->defaults.mode[CF_AUDIT], CF_BASELINE);
    assert_int_equal(policy->defaults.mode[CF_WARN], CF_BASELINE);
    assert_false(policy->fix_follows_enforce);
    assert_strings(&policy->exempt_namespaces, "kube-system 123");
    assert_strings(&policy->exempt_usernames, "ada");
    assert_strings(&policy->exempt_groups, "on");
    assert_strings(&policy->guard_groups, "");
    assert_true(flag_of(policy, "namespace-level", "lowering"));
    assert_int_equal(policy->lookup_failure[CF_BASELINE], CF_LOOKUP_DENY);
    assert_int_equal(policy->lookup_failure[CF_RESTRICTED], CF_LOOKUP_ALLOW);
    assert_strings(&policy->api_server_audiences, "api");
    assert_int_equal(policy->stale_after, 3600);
    assert_true(flag_of(policy, "copied-token", "contents"));
    assert_int_equal(policy->max_body, 64 * CF_MIB);
    assert_int_equal(policy->memory, 4096 * CF_MIB);
    assert_true(flag_of(policy, "legacy-token-use", "legacyTokenUse"));
    cf_policy_free(policy);
}

static void every_rule_option_reaches_the_policy(void **state)
{
    struct cf_policy *policy = parse(
        HEAD
        "rules:\n"
        "  token-audience: {level: baseline, allowed: [vault, sts.amazonaws.com]}\n"
        "  restricted-by-node-annotation:\n    require:\n"
        "      serviceAccountSelector: {matchLabels: {role: agent, 1: off, x: ''}}\n"
        "      usedByDaemonSets: warn\n"
        "  node-boundary: {tokenFor: podsOnNode, allowPodCreate: true, sharedObjects: deny}\n");

    (void)state;
    assert_int_equal(place_of(policy, "token-audience"), CF_RULE_AT_BASELINE);
    assert_audiences(policy, true, "vault sts.amazonaws.com");
    assert_labels(policy, "role 1 x", "agent off ");
    for (size_t i = 3; i < CF_COUNT(flags); i++)
        assert_true(flag_of(policy, flags[i].rule, flags[i].key));
    cf_policy_free(policy);
}

static void fix_follows_enforce_until_it_is_set(void **state)
{
    struct cf_policy *policy = parse(HEAD "defaults: {enforce: restricted}\n");

    (void)state;
    assert_true(policy->fix_follows_enforce);
    assert_int_equal(policy->defaults.mode[CF_FIX], CF_RESTRICTED);
    cf_policy_free(policy);
}

static void an_empty_list_of_audiences_is_a_limit(void **state)
{
    struct cf_policy *policy = parse(HEAD "rules: {token-audience: {allowed: []}}\n");

    (void)state;
    assert_audiences(policy, true, "");
    cf_policy_free(policy);
}

static void only_a_selector_requires_the_annotation(void **state)
{
    struct cf_policy *policy =
        parse(HEAD "rules: {restricted-by-node-annotation: {require: {usedByDaemonSets: warn}}}\n");

    (void)state;
    assert_labels(policy, "", "");
    assert_true(flag_of(policy, "restricted-by-node-annotation", "require.usedByDaemonSets"));
    cf_policy_free(policy);
}

static void a_rule_moves(void **state)
{
    static const struct {
        const char *level;
        enum cf_rule_place place;
    } cases[] = {
        {"baseline", CF_RULE_AT_BASELINE},
        {"restricted", CF_RULE_AT_RESTRICTED},
        {"off", CF_RULE_OFF},
        {"false", CF_RULE_OFF},
        {"'off'", CF_RULE_OFF},
        {"Off", CF_RULE_OFF},
        {"OFF", CF_RULE_OFF},
        {"no", CF_RULE_OFF},
        {"n", CF_RULE_OFF},
        {"FALSE", CF_RULE_OFF},
        {"~", CF_RULE_DEFAULT},
    };
    char text[256];

    (void)state;
    for (size_t i = 0; i < CF_COUNT(cases); i++) {
        struct cf_policy *policy;

        snprintf(text, sizeof(text), HEAD "rules: {unbound-token: {level: %s}}", cases[i].level);
        policy = parse(text);
        assert_int_equal(place_of(policy, "unbound-token"), cases[i].place);
        assert_int_equal(place_of(policy, "legacy-token-secret"), CF_RULE_DEFAULT);
        assert_strings(&policy->notes, "");
        cf_policy_free(policy);
    }
}

static void booleans_have_yamls_spellings(void **state)
{
    static const struct {
        const char *text;
        bool value;
    } cases[] = {
        {"true", true}, {"True", true}, {"TRUE", true},   {"yes", true}, {"On", true},
        {"y", true},    {"Y", true},    {"false", false}, {"NO", false}, {"off", false},
    };
    char text[256];

    (void)state;
    for (size_t i = 0; i < CF_COUNT(cases); i++) {
        struct cf_policy *policy;

        snprintf(text, sizeof(text), HEAD "contents: %s", cases[i].text);
        policy = parse(text);
        assert_int_equal(flag_of(policy, "copied-token", "contents"), cases[i].value);
        cf_policy_free(policy);
    }
}

static void bounds_default_to_one_another(void **state)
{
    static const struct {
        const char *bounds;
        struct cf_lifetime baseline, restricted;
    } cases[] = {
        {"{}", {600, 86400, 86400}, {600, 3600, 3600}},
        {"{level: off}", {600, 86400, 86400}, {600, 3600, 3600}},
        {"{baseline: {max: 48h}}", {600, 172800, 172800}, {600, 3600, 3600}},
        {"{baseline: {max: 4294967296}}", {600, 4294967296, 4294967296}, {600, 3600, 3600}},
        {"{baseline: {max: 30m}}", {600, 1800, 1800}, {600, 1800, 1800}},
        {"{baseline: {max: 24h0m0s}, restricted: {max: 1h30m}}",
         {600, 86400, 86400},
         {600, 5400, 5400}},
        {"{baseline: {maxUnbound: 20m}}", {600, 86400, 1200}, {600, 3600, 1200}},
        {"{baseline: {min: 2h}}", {7200, 86400, 86400}, {600, 3600, 3600}},
        {"{baseline: {max: '600'}}", {600, 600, 600}, {600, 600, 600}},
        {"{restricted: {max: 15m}}", {600, 86400, 86400}, {600, 900, 900}},
        {"{restricted: {max: 24h}}", {600, 86400, 86400}, {600, 86400, 86400}},
        {"{restricted: {maxUnbound: 2h}}", {600, 86400, 86400}, {600, 3600, 7200}},
        {"{restricted: {min: 1h, max: 2h, maxUnbound: 1h}}",
         {600, 86400, 86400},
         {3600, 7200, 3600}},
        {"{restricted: {max: 3606s}}", {600, 86400, 86400}, {600, 3606, 3606}},
        {"{restricted: {max: 3608s}}", {600, 86400, 86400}, {600, 3608, 3608}},
    };
    char text[256];

    (void)state;
    for (size_t i = 0; i < CF_COUNT(cases); i++) {
        const struct cf_lifetime *b = &cases[i].baseline, *r = &cases[i].restricted;
        struct cf_policy *policy;

        snprintf(text, sizeof(text), HEAD "rules: {token-lifetime: %s}", cases[i].bounds);
        policy = parse(text);
        assert_lifetime(cf_lifetime_of(policy, CF_BASELINE), b->min, b->max, b->max_unbound);
        assert_lifetime(cf_lifetime_of(policy, CF_RESTRICTED), r->min, r->max, r->max_unbound);
        cf_policy_free(policy);
    }
}

static void exceptions_are_read(void **state)
{
    struct cf_policy *policy = parse(
        HEAD "exceptions:\n"
             "- rule: legacy-token-secret\n  namespace: ci\n  names: [\"jenkins-*\", 123]\n"
             "  until: 2027-03-31\n  reason: moves to OIDC\n"
             "- {rule: node-boundary, namespace: '', serviceAccounts: ['*'], until: '2026-11-22',\n"
             "   reason: no}\n");
    const struct cf_exception *e = policy->exceptions;

    (void)state;
    assert_int_equal(policy->exception_count, 2);
    assert_string_equal(e[0].rule, "legacy-token-secret");
    assert_string_equal(e[0].namespace, "ci");
    assert_strings(&e[0].names, "jenkins-* 123");
    assert_strings(&e[0].service_accounts, "");
    assert_string_equal(e[0].until, "2027-03-31");
    assert_int_equal(e[0].ends, 1806537600); /* 2027-04-01T00:00:00Z */
    assert_string_equal(e[0].reason, "moves to OIDC");
    assert_string_equal(e[1].namespace, "");
    assert_strings(&e[1].names, "");
    assert_strings(&e[1].service_accounts, "*");
    assert_string_equal(e[1].reason, "no");
    assert_strings(&policy->notes, "");
    cf_policy_free(policy);
}

static void an_exception_ends_by_itself(void **state)
{
    const int64_t day = 86400;
    struct cf_exception exception = {0};

    (void)state;
    assert_true(cf_date_end("2026-11-22", &exception.ends));
    assert_int_equal(exception.ends, NOW + day);
    assert_int_equal(cf_exception_state(&exception, exception.ends), CF_EXCEPTION_ENDED);
    assert_int_equal(cf_exception_state(&exception, exception.ends + day), CF_EXCEPTION_ENDED);
    assert_int_equal(cf_exception_state(&exception, exception.ends - 1), CF_EXCEPTION_ENDING);
    assert_int_equal(cf_exception_state(&exception, exception.ends - 14 * day),
                     CF_EXCEPTION_ENDING);
    assert_int_equal(cf_exception_state(&exception, exception.ends - 14 * day - 1),
                     CF_EXCEPTION_ACTIVE);
    assert_int_equal(cf_exception_state(&exception, 0), CF_EXCEPTION_ACTIVE);
}

static void notes_tell_what_does_not_hold(void **state)
{
    static const char *const idle[] = {
        "exceptions[1]: ended on 2026-11-21 and no longer applies",
    };
    struct cf_policy *policy = parse(
        HEAD "exceptions:\n"
             "- {rule: unbound-token, namespace: a, names: [b], until: 2026-11-22, reason: c}\n"
             "- {rule: unbound-token, namespace: a, names: [b], until: 2026-11-21, reason: c}\n"
             "rules:\n  restricted-by-node-annotation: {require: {usedByDaemonSets: ignore}}\n"
             "  node-boundary: {}\n"
             "guard: {lowering: true}\nstaleAfter: 30s\ncontents: true\n"
             "authorize: {legacyTokenUse: enforce}\n");

    (void)state;
    assert_int_equal(policy->notes.count, CF_COUNT(idle));
    for (size_t i = 0; i < CF_COUNT(idle); i++)
        assert_string_equal(policy->notes.items[i], idle[i]);
    cf_policy_free(policy);
}

static void the_example_parses(void **state)
{
    struct cf_policy *policy = load("deploy/curfew.example.yaml");

    (void)state;
    assert_int_equal(policy->exception_count, 1);
    assert_strings(&policy->exempt_namespaces, "kube-system");
    assert_audiences(policy, true, "vault sts.amazonaws.com");
    assert_labels(policy, "role", "node-agent");
    assert_int_equal(place_of(policy, "unbound-token"), CF_RULE_OFF);
    assert_lifetime(cf_lifetime_of(policy, CF_BASELINE), 600, 86400, 86400);
    assert_lifetime(cf_lifetime_of(policy, CF_RESTRICTED), 600, 3600, 3600);
    /* Where a "not yet" of the example has come true, its comment goes. */
    assert_strings(&policy->notes, "");
    cf_policy_free(policy);
}

static void the_digest_is_of_the_bytes(void **state)
{
    struct cf_policy *policy = parse(HEAD), *other = parse(HEAD "#\n");

    (void)state;
    assert_string_equal(policy->digest, "6e8f6edbaa0806a1");
    assert_string_not_equal(policy->digest, other->digest);
    cf_policy_free(policy);
    cf_policy_free(other);
}

static void files_are_loaded_by_name(void **state)
{
    char path[] = "/tmp/curfew-test-XXXXXX";
    int fd = mkstemp(path);
    struct cf_err err = {0};
    struct cf_policy *policy;

    (void)state;
    assert_int_equal(write(fd, HEAD "x: 1\n", strlen(HEAD "x: 1\n")), strlen(HEAD "x: 1\n"));
    close(fd);
    policy = cf_policy_load(path, cf_rule_configs(), cf_rule_count, NOW, &err);
    unlink(path);
    assert_null(policy);
    assert_memory_equal(err.msg, path, strlen(path));
    assert_memory_equal(err.msg + strlen(path), ":3:1: unknown key 'x'", 21);
    assert_null(cf_policy_load(path, cf_rule_configs(), cf_rule_count, NOW, &err));
    assert_int_equal(err.kind, CF_ERR_SYSTEM);
    assert_non_null(strstr(err.msg, path));
    assert_null(cf_policy_load(path, cf_rule_configs(), cf_rule_count, NOW, NULL));
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
        cmocka_unit_test(without_a_file_the_builtin_holds),
        cmocka_unit_test(without_rules_there_is_a_policy_too),
        cmocka_unit_test(what_is_left_out_or_empty_has_its_default),
        cmocka_unit_test(every_key_reaches_the_policy),
        cmocka_unit_test(every_rule_option_reaches_the_policy),
        cmocka_unit_test(fix_follows_enforce_until_it_is_set),
        cmocka_unit_test(an_empty_list_of_audiences_is_a_limit),
        cmocka_unit_test(only_a_selector_requires_the_annotation),
        cmocka_unit_test(a_rule_moves),
        cmocka_unit_test(booleans_have_yamls_spellings),
        cmocka_unit_test(bounds_default_to_one_another),
        cmocka_unit_test(exceptions_are_read),
        cmocka_unit_test(an_exception_ends_by_itself),
        cmocka_unit_test(notes_tell_what_does_not_hold),
        cmocka_unit_test(the_example_parses),
        cmocka_unit_test(the_digest_is_of_the_bytes),
        cmocka_unit_test(files_are_loaded_by_name),
    };

    return cmocka_run_group_tests(tests, start, NULL);
}
