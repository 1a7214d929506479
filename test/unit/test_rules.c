/* SPDX-License-Identifier: Apache-2.0 */
/* The table of rules, and the requirements of each rule. */
#include <ctype.h>

#include "reviews.h"

static void ids(void **state)
{
    (void)state;
    assert_true(cf_rule_count > 0);
    for (size_t i = 0; i < cf_rule_count; i++) {
        const char *id = cf_rules[i]->id;

        assert_non_null(id);
        assert_true(islower((unsigned char)id[0]));
        assert_int_equal(strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-"), strlen(id));
        assert_null(strstr(id, "--"));
        assert_true(id[strlen(id) - 1] != '-');
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(cf_rules[j]->id, id);
    }
}

static void texts(void **state)
{
    (void)state;
    for (size_t i = 0; i < cf_rule_count; i++) {
        const struct cf_rule *rule = cf_rules[i];

        assert_non_null(rule->title);
        assert_in_range(strlen(rule->title), 10, 59);
        assert_true(rule->title[strlen(rule->title) - 1] != '.');
        assert_non_null(rule->remedy);
        assert_in_range(strlen(rule->remedy), 10, 200);
        assert_true(rule->remedy[strlen(rule->remedy) - 1] != '.');
        assert_null(strchr(rule->remedy, '\n'));
        assert_non_null(rule->check);
    }
}

static void kinds_levels_and_traits(void **state)
{
    const unsigned kinds = CF_KIND_POD | CF_KIND_TEMPLATE | CF_KIND_SECRET |
                           CF_KIND_SERVICE_ACCOUNT | CF_KIND_TOKEN_REQUEST | CF_KIND_CSI_DRIVER |
                           CF_KIND_CONFIG_MAP | CF_KIND_NAMESPACE;
    const unsigned traits = CF_RULE_TRANSITION | CF_RULE_ALWAYS | CF_RULE_NEVER_DENIES |
                            CF_RULE_GUARDED | CF_RULE_CALLER | CF_RULE_ANY_LEVEL |
                            CF_RULE_FINDS_SECRETS | CF_RULE_QUIET_TO_CONTROLLERS;
    const unsigned needs = CF_NEEDS_SECRETS | CF_NEEDS_ACCOUNT | CF_NEEDS_BOUNDARY;

    (void)state;
    for (size_t i = 0; i < cf_rule_count; i++) {
        const struct cf_rule *rule = cf_rules[i];

        /* of kinds of objects, or of callers */
        assert_int_equal(rule->kinds == 0, (rule->traits & CF_RULE_CALLER) != 0);
        assert_int_equal(rule->kinds & ~kinds, 0);
        assert_int_equal(rule->traits & ~traits, 0);
        assert_int_equal(rule->needs & ~needs, 0);
        assert_int_equal(rule->existing == CF_EXISTING_PODS_OF_SECRET, rule->existing_text != NULL);
        assert_true(rule->level == CF_BASELINE || rule->level == CF_RESTRICTED);
        /* what is found in a pod is found in its template */
        assert_true((rule->kinds & CF_KIND_POD) == 0 || (rule->kinds & CF_KIND_TEMPLATE) != 0);
    }
}

static void ids_for_the_configuration(void **state)
{
    (void)state;
    for (size_t i = 0; i < cf_rule_count; i++) {
        assert_string_equal(cf_rule_configs()[i].id, cf_rules[i]->id);
        assert_int_equal(cf_rule_index(cf_rules[i]->id), i);
    }
    assert_int_equal(cf_rule_index("no-such-rule"), -1);
    assert_int_equal(cf_rule_index(""), -1);
    assert_int_equal(cf_rule_index(NULL), -1);
}

static void levels_of_the_rules(void **state)
{
    const struct cf_rule *mount = cf_rules[cf_rule_index("legacy-token-mount")];
    const struct cf_rule *lifetime = cf_rules[cf_rule_index("token-lifetime")];
    enum cf_level level = CF_PRIVILEGED;

    (void)state;
    assert_true(cf_rule_level(mount, policy, &level));
    assert_int_equal(level, CF_RESTRICTED);
    assert_true(cf_rule_level(lifetime, policy, &level));
    assert_int_equal(level, CF_BASELINE);
    use_config("rules: {legacy-token-mount: {level: baseline}, token-lifetime: {level: "
               "restricted}, unbound-token: {level: off}}");
    assert_true(cf_rule_level(mount, policy, &level));
    assert_int_equal(level, CF_BASELINE);
    assert_true(cf_rule_level(lifetime, policy, &level));
    assert_int_equal(level, CF_RESTRICTED);
    assert_false(cf_rule_level(cf_rules[cf_rule_index("unbound-token")], policy, &level));
}

/* An object with nothing in it is fine by every rule, created and updated. A TokenRequest
 * without a spec is bound to nothing. */
static void empty_objects(void **state)
{
    static const char *const kinds[][2] = {{"", "Pod"},
                                           {"apps", "Deployment"},
                                           {"batch", "CronJob"},
                                           {"", "PodTemplate"},
                                           {"", "Secret"},
                                           {"", "ServiceAccount"},
                                           {"storage.k8s.io", "CSIDriver"},
                                           {"", "Namespace"}};

    (void)state;
    use_config("rules: {token-audience: {allowed: []}}");
    for (size_t i = 0; i < CF_COUNT(kinds); i++) {
        assert_int_equal(judge(REVIEW(.group = kinds[i][0], .kind = kinds[i][1],
                                      .namespace = "shop", .object = "{}"))
                             .count,
                         0);
        assert_int_equal(
            judge(REVIEW(.operation = "UPDATE", .group = kinds[i][0], .kind = kinds[i][1],
                         .namespace = "shop", .object = "{}", .old_object = "{}"))
                .count,
            0);
    }
    assert_int_equal(judge(REVIEW(.group = "authentication.k8s.io", .kind = "TokenRequest",
                                  .namespace = "shop", .name = "web", .object = "{}"))
                         .count,
                     1);
}

static void callers(void **state)
{
    static const char *groups[] = {"a", "system:nodes"};
    struct cf_caller c = {.username = "system:node:n1", .groups = groups, .group_count = 2};

    (void)state;
    assert_true(cf_caller_in_group(&c, "a"));
    assert_false(cf_caller_in_group(&c, "system:masters"));
    assert_true(cf_caller_is_node(&c));
    c.group_count = 1;
    assert_false(cf_caller_is_node(&c));
    c = (struct cf_caller){.username = "system:kube-controller-manager"};
    assert_true(cf_caller_is_control_plane(&c) && cf_caller_is_controller(&c));
    c = (struct cf_caller){.username = "system:apiserver"};
    assert_true(cf_caller_is_control_plane(&c));
    c = (struct cf_caller){.username = "system:serviceaccount:kube-system:job-controller"};
    assert_true(cf_caller_is_controller(&c));
    assert_false(cf_caller_is_control_plane(&c));
    c = (struct cf_caller){.username = "system:serviceaccount:kube-systems:x"};
    assert_false(cf_caller_is_controller(&c));
}

static void accounts_of_callers(void **state)
{
    struct cf_caller c = {.username = "system:serviceaccount:shop:web"};

    (void)state;
    assert_true(cf_caller_is_account(&c, "shop", "web"));
    assert_false(cf_caller_is_account(&c, "shop", "we"));
    assert_false(cf_caller_is_account(&c, "sho", "web"));
    assert_false(cf_caller_is_account(&c, "shop:web", ""));
    assert_false(cf_caller_is_account(&c, "", "shop:web"));
    assert_true(cf_caller_is_legacy_token(&c));
    c.credential_id = "X509SHA256=1";
    assert_true(cf_caller_is_legacy_token(&c));
    c.credential_id = "JTI=1";
    assert_false(cf_caller_is_legacy_token(&c));
    c.credential_id = NULL;
    c.pod_name = "web-1";
    assert_false(cf_caller_is_legacy_token(&c));
    c = (struct cf_caller){.username = "alice"};
    assert_false(cf_caller_is_legacy_token(&c));
    assert_false(cf_caller_is_account(&c, "shop", "web"));
    c = (struct cf_caller){.username = NULL};
    assert_false(cf_caller_is_account(&c, "shop", "web") || cf_caller_is_node(&c) ||
                 cf_caller_is_legacy_token(&c) || cf_caller_is_controller(&c));
}

static void operations(void **state)
{
    (void)state;
    assert_string_equal(cf_operation_name(CF_CREATE), "CREATE");
    assert_string_equal(cf_operation_name(CF_UPDATE), "UPDATE");
    assert_string_equal(cf_operation_name(CF_DELETE), "DELETE");
    assert_string_equal(cf_operation_name(CF_CONNECT), "CONNECT");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(ids),
        TEST(texts),
        TEST(kinds_levels_and_traits),
        TEST(ids_for_the_configuration),
        TEST(levels_of_the_rules),
        TEST(empty_objects),
        TEST(callers),
        TEST(accounts_of_callers),
        TEST(operations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
