/* SPDX-License-Identifier: Apache-2.0 */
/* Exemptions and exceptions: the users and objects that they cover, their end, and the modes that
 * they turn off. */
#include "reviews.h"

#define AUDIT CF_MODE_BIT(CF_AUDIT)

/* The exemption of the first finding of `rule`, checked for what it silences. */
static enum cf_exempt exempt_of(const char *rule, const char *text)
{
    struct cf_evaluation evaluation = judge(text);
    const struct cf_verdict *v = verdict_of(&evaluation, rule);

    if (v->exempt == CF_EXEMPT_NO)
        assert_int_not_equal(v->modes & ~AUDIT, 0);
    else
        assert_int_equal(v->modes & ~AUDIT, 0);
    assert_int_equal(v->exempt == CF_EXEMPT_EXCEPTION, v->exception != NULL);
    return v->exempt;
}

static const char *pod_by(const char *user)
{
    return REVIEW(.kind = "Pod", .namespace = "shop", .name = "web", .user = user,
                  .object = "{'metadata':{'name':'web'},'spec':" LEGACY_POD "}");
}

static enum cf_exempt mount_by(const char *user)
{
    return exempt_of("legacy-token-mount", pod_by(user));
}

/* ---- exemptions ---- */

static void by_namespace(void **state)
{
    (void)state;
    assert_int_equal(mount_by(ALICE), CF_EXEMPT_NO);
    use_config("exemptions: {namespaces: [shop]}");
    assert_int_equal(mount_by(ALICE), CF_EXEMPT_NAMESPACE);
    use_config("exemptions: {namespaces: [sho, shop2]}");
    assert_int_equal(mount_by(ALICE), CF_EXEMPT_NO);
}

static void by_user_and_group(void **state)
{
    (void)state;
    use_config("exemptions: {usernames: [alice]}");
    assert_int_equal(mount_by(ALICE), CF_EXEMPT_USER);
    assert_int_equal(mount_by("{'username':'Alice'}"), CF_EXEMPT_NO);
    assert_int_equal(mount_by("{}"), CF_EXEMPT_NO);
    use_config("exemptions: {groups: [break-glass]}");
    assert_int_equal(mount_by(ALICE), CF_EXEMPT_NO);
    assert_int_equal(mount_by(GROUPS("'a','break-glass'")), CF_EXEMPT_GROUP);
}

static const char *annotation_removed(const char *namespace, const char *user)
{
    return REVIEW(.operation = "UPDATE", .kind = "ServiceAccount", .namespace = namespace,
                  .name = "agent", .user = user, .object = "{'metadata':{'name':'agent'}}",
                  .old_object = "{'metadata':{'name':'agent','annotations':{"
                                "'rbac.kubernetes.io/restricted-by-node':'true'}}}");
}

static const char *label_removed(const char *user)
{
    return REVIEW(.operation = "UPDATE", .kind = "Secret", .namespace = "shop", .name = "s",
                  .user = user,
                  .object = "{'type':'kubernetes.io/service-account-token','metadata':{"
                            "'annotations':{'kubernetes.io/service-account.name':'web'}}}",
                  .old_object =
                      "{'type':'kubernetes.io/service-account-token','metadata':{'labels':{"
                      "'kubernetes.io/legacy-token-invalid-since':'2026-01-01'},"
                      "'annotations':{'kubernetes.io/service-account.name':'web'}}}");
}

/* guard.groups may undo the quarantine and the annotation, and nothing else. */
static void guard_groups(void **state)
{
    (void)state;
    assert_int_equal(exempt_of("restricted-by-node-annotation", annotation_removed("shop", MASTER)),
                     CF_EXEMPT_GROUP);
    assert_int_equal(exempt_of("restricted-by-node-annotation", annotation_removed("shop", ALICE)),
                     CF_EXEMPT_NO);
    assert_int_equal(exempt_of("legacy-token-revival", label_removed(MASTER)), CF_EXEMPT_GROUP);
    assert_int_equal(exempt_of("legacy-token-revival", label_removed(ALICE)), CF_EXEMPT_NO);
    assert_int_equal(mount_by(MASTER), CF_EXEMPT_NO);
    use_config("guard: {groups: [wardens]}");
    assert_int_equal(exempt_of("restricted-by-node-annotation", annotation_removed("shop", MASTER)),
                     CF_EXEMPT_NO);
    assert_int_equal(
        exempt_of("restricted-by-node-annotation", annotation_removed("shop", GROUPS("'wardens'"))),
        CF_EXEMPT_GROUP);
}

/* The annotation ignores exempt namespaces: node agents live there. */
static void what_no_namespace_exempts(void **state)
{
    (void)state;
    use_config("exemptions: {namespaces: [kube-system, shop], usernames: [root]}");
    assert_int_equal(
        exempt_of("restricted-by-node-annotation", annotation_removed("kube-system", ALICE)),
        CF_EXEMPT_NO);
    assert_int_equal(exempt_of("restricted-by-node-annotation",
                               annotation_removed("kube-system", "{'username':'root'}")),
                     CF_EXEMPT_USER);
    assert_int_equal(exempt_of("legacy-token-revival", label_removed(ALICE)), CF_EXEMPT_NAMESPACE);
    use_config("exceptions: [{rule: restricted-by-node-annotation, namespace: shop, names: [agent],"
               " until: 2026-12-31, reason: x}]");
    assert_int_equal(exempt_of("restricted-by-node-annotation", annotation_removed("shop", ALICE)),
                     CF_EXEMPT_EXCEPTION);
}

/* A namespace's levels: some users may lower them; no user may set an invalid one. */
static const char *relabelled(const char *name, const char *user, const char *labels)
{
    return REVIEW(.operation = "UPDATE", .kind = "Namespace", .resource = "namespaces",
                  .namespace = name, .name = name, .user = user,
                  .object = cf_arena_printf(arena, "{'metadata':{'name':'%s','labels':{%s}}}", name,
                                            labels),
                  .old_object = "{'metadata':{'labels':{'curfew.dev/enforce':'restricted'}}}");
}

#define NO_LEVEL "'curfew.dev/enforce':'strict'"

#define REQUIRE                                                                                    \
    "rules: {restricted-by-node-annotation: {require: {serviceAccountSelector: {matchLabels: "     \
    "{role: agent}}, usedByDaemonSets: warn}}}\n"

/* Of one rule, the half that must not be undone ignores levels and exempt namespaces, and
 * guard.groups lift it; the half that is required is like any other rule. */
static void what_is_required(void **state)
{
    const char *required = "{'metadata':{'name':'csi','labels':{'role':'agent'}}}";
    const char *in_shop = REVIEW(.kind = "ServiceAccount", .namespace = "shop", .name = "csi",
                                 .user = MASTER, .object = required);
    const char *in_base =
        REVIEW(.kind = "ServiceAccount", .namespace = "base", .name = "csi", .object = required);
    struct test_answer a;

    (void)state;
    use_config(REQUIRE);
    assert_int_equal(exempt_of("restricted-by-node-annotation", in_shop), CF_EXEMPT_NO);
    a = validate(in_shop);
    assert_false(a.allowed);
    has_part(a.message, "serviceaccount \"csi\" violates Curfew level \"restricted\": "
                        "restricted-by-node-annotation: the annotation "
                        "rbac.kubernetes.io/restricted-by-node is missing");
    a = mutate(in_shop);
    assert_string_equal(cJSON_PrintUnformatted(a.patch),
                        "[{\"op\":\"add\",\"path\":\"/metadata/annotations\",\"value\":{}},{\"op\":"
                        "\"add\",\"path\":\"/metadata/annotations/"
                        "rbac.kubernetes.io~1restricted-by-node\",\"value\":\"true\"}]");
    assert_true(validate(in_base).allowed);
    assert_null(mutate(in_base).patch);
    use_config(REQUIRE "exemptions: {namespaces: [shop]}");
    assert_int_equal(exempt_of("restricted-by-node-annotation", in_shop), CF_EXEMPT_NAMESPACE);
    assert_int_equal(exempt_of("restricted-by-node-annotation", annotation_removed("shop", ALICE)),
                     CF_EXEMPT_NO);
}

static const char *daemon_set(const char *account)
{
    return REVIEW(.group = "apps", .kind = "DaemonSet", .namespace = "shop", .name = "csi",
                  .object = cf_arena_printf(arena,
                                            "{'metadata':{'name':'csi'},'spec':{'template':{'spec':"
                                            "{'serviceAccountName':'%s'}}}}",
                                            account));
}

static void daemon_sets(void **state)
{
    struct test_answer a;

    (void)state;
    use_config(REQUIRE);
    a = validate(daemon_set("web"));
    assert_true(a.allowed);
    has_part(warning(&a, 0), "daemonset \"csi\" would violate Curfew level \"restricted\": "
                             "restricted-by-node-annotation: it runs on every node as "
                             "ServiceAccount \"web\", which is not restricted by node");
    assert_null(validate(daemon_set("agent")).warnings);
    use_config("defaults: {enforce: baseline}");
    assert_null(validate(daemon_set("web")).warnings);
}

static void labels_of_namespaces(void **state)
{
    (void)state;
    use_config(
        "guard: {lowering: true, groups: [wardens]}\n"
        "exemptions: {namespaces: [kube-system], usernames: [root], groups: [glass]}\n"
        "exceptions: [{rule: namespace-level, namespace: lab, names: [lab], until: 2999-12-31, "
        "reason: x}]");
    assert_int_equal(exempt_of("namespace-level", relabelled("shop", ALICE, "")), CF_EXEMPT_NO);
    assert_int_equal(exempt_of("namespace-level", relabelled("shop", MASTER, "")), CF_EXEMPT_NO);
    assert_int_equal(exempt_of("namespace-level", relabelled("shop", GROUPS("'wardens'"), "")),
                     CF_EXEMPT_GROUP);
    assert_int_equal(exempt_of("namespace-level", relabelled("shop", GROUPS("'glass'"), "")),
                     CF_EXEMPT_GROUP);
    assert_int_equal(exempt_of("namespace-level", relabelled("shop", "{'username':'root'}", "")),
                     CF_EXEMPT_USER);
    assert_int_equal(exempt_of("namespace-level", relabelled("kube-system", ALICE, "")),
                     CF_EXEMPT_NAMESPACE);
    assert_int_equal(exempt_of("namespace-level", relabelled("lab", ALICE, "")),
                     CF_EXEMPT_EXCEPTION);
    assert_int_equal(
        exempt_of("namespace-level", relabelled("shop", GROUPS("'wardens'"), NO_LEVEL)),
        CF_EXEMPT_NO);
    assert_int_equal(
        exempt_of("namespace-level", relabelled("kube-system", "{'username':'root'}", NO_LEVEL)),
        CF_EXEMPT_NO);
    assert_int_equal(exempt_of("namespace-level", relabelled("lab", ALICE, NO_LEVEL)),
                     CF_EXEMPT_NO);
}

/* One label is invalid, which no user may set; another lowers a level, which guard.groups may. */
static void wrong_and_lowered(void **state)
{
    struct cf_evaluation evaluation;

    (void)state;
    use_config("guard: {lowering: true}");
    evaluation = judge(relabelled("shop", MASTER,
                                  "'curfew.dev/fix':'none','curfew.dev/warn':"
                                  "'baseline','curfew.dev/enforce':'baseline'"));
    assert_int_equal(evaluation.count, 3);
    assert_true(evaluation.items[0].finding.malformed);
    assert_int_equal(evaluation.items[0].exempt, CF_EXEMPT_NO);
    for (size_t i = 1; i < 3; i++) {
        assert_false(evaluation.items[i].finding.malformed);
        assert_int_equal(evaluation.items[i].exempt, CF_EXEMPT_GROUP);
    }
}

/* ---- exceptions ---- */

static void excepted(const char *who, enum cf_exempt wanted, const char *text)
{
    use_config(cf_arena_printf(arena,
                               "exceptions: [{rule: legacy-token-mount, namespace: shop, %s, "
                               "until: 2999-12-31, reason: x}]",
                               who));
    assert_int_equal(exempt_of("legacy-token-mount", text), wanted);
}

static const char *pod_with(const char *metadata)
{
    return REVIEW(.kind = "Pod", .namespace = "shop",
                  .object =
                      cf_arena_printf(arena, "{'metadata':%s,'spec':" LEGACY_POD "}", metadata));
}

#define OWNER(kind, name)                                                                          \
    "'ownerReferences':[{'kind':'" kind "','name':'" name "','controller':true}]"

static void names(void **state)
{
    const char *replica = pod_with("{'generateName':'web-7f9-','labels':{'pod-template-hash':"
                                   "'7f9'}," OWNER("ReplicaSet", "web-7f9") "}");
    const char *rollout =
        pod_with("{'generateName':'web-7f9-','labels':{'rollouts-pod-template-hash':'7f9'}," OWNER(
            "ReplicaSet", "web-7f9") "}");
    const char *nightly =
        pod_with("{'generateName':'nightly-29123456-'," OWNER("Job", "nightly-29123456") "}");

    (void)state;
    excepted("names: [web]", CF_EXEMPT_EXCEPTION, pod_with("{'name':'web'}"));
    excepted("names: [api, 'w*']", CF_EXEMPT_EXCEPTION, pod_with("{'name':'web'}"));
    excepted("names: [w]", CF_EXEMPT_NO, pod_with("{'name':'web'}"));
    excepted("names: [web]", CF_EXEMPT_EXCEPTION, replica);
    excepted("names: ['web-*']", CF_EXEMPT_NO, replica);
    excepted("names: [web]", CF_EXEMPT_EXCEPTION, rollout);
    excepted("names: [web-7f9]", CF_EXEMPT_NO, rollout);
    excepted("names: [nightly]", CF_EXEMPT_EXCEPTION, nightly);
    excepted("names: [nightly-29123456]", CF_EXEMPT_EXCEPTION, nightly);
    excepted("names: [once]", CF_EXEMPT_EXCEPTION, pod_with("{'generateName':'once-'}"));
    /* both phases give the same name, though the second one has a real one */
    excepted("names: [once]", CF_EXEMPT_EXCEPTION,
             pod_with("{'generateName':'once-','name':'once-x7k2p'}"));
    excepted("names: [once-x7k2p]", CF_EXEMPT_NO,
             pod_with("{'generateName':'once-','name':'once-x7k2p'}"));
}

static void accounts(void **state)
{
    (void)state;
    excepted("serviceAccounts: [web]", CF_EXEMPT_EXCEPTION, pod_with("{'name':'x'}"));
    excepted("serviceAccounts: ['*']", CF_EXEMPT_EXCEPTION, pod_with("{'name':'x'}"));
    excepted("serviceAccounts: [api]", CF_EXEMPT_NO, pod_with("{'name':'x'}"));
    excepted("names: [x], serviceAccounts: [web]", CF_EXEMPT_EXCEPTION, pod_with("{'name':'x'}"));
    excepted("names: [x], serviceAccounts: [api]", CF_EXEMPT_NO, pod_with("{'name':'x'}"));
    excepted("names: [y], serviceAccounts: [web]", CF_EXEMPT_NO, pod_with("{'name':'x'}"));
}

static void accounts_of_other_kinds(void **state)
{
    const char *request =
        REVIEW(.group = "authentication.k8s.io", .kind = "TokenRequest", .namespace = "shop",
               .name = "web", .subresource = "token", .object = "{'spec':{}}");
    const char *secret = REVIEW(.kind = "Secret", .namespace = "shop", .name = "s",
                                .object = "{'metadata':{'name':'s','annotations':{"
                                          "'kubernetes.io/service-account.name':'web'}},'type':"
                                          "'kubernetes.io/service-account-token'}");

    (void)state;
    use_config("exceptions: [{rule: unbound-token, namespace: shop, serviceAccounts: [web], until: "
               "2999-12-31, reason: x}, {rule: legacy-token-secret, namespace: shop, "
               "serviceAccounts: [web], until: 2999-12-31, reason: x}]");
    assert_int_equal(exempt_of("unbound-token", request), CF_EXEMPT_EXCEPTION);
    assert_int_equal(exempt_of("legacy-token-secret", secret), CF_EXEMPT_EXCEPTION);
    use_config("exceptions: [{rule: unbound-token, namespace: shop, names: [web], until: "
               "2999-12-31, reason: x}, {rule: legacy-token-secret, namespace: shop, "
               "names: [s], until: 2999-12-31, reason: x}]");
    assert_int_equal(exempt_of("unbound-token", request), CF_EXEMPT_EXCEPTION);
    assert_int_equal(exempt_of("legacy-token-secret", secret), CF_EXEMPT_EXCEPTION);
}

static void other_rules_and_namespaces(void **state)
{
    (void)state;
    use_config("exceptions: [{rule: legacy-token-env, namespace: shop, names: ['*'], until: "
               "2999-12-31, reason: x}, {rule: legacy-token-mount, namespace: base, names: ['*'], "
               "until: 2999-12-31, reason: x}, {rule: legacy-token-mount, namespace: '', names: "
               "['*'], until: 2999-12-31, reason: x}]");
    assert_int_equal(mount_by(ALICE), CF_EXEMPT_NO);
}

static void cluster_scoped_objects(void **state)
{
    const char *driver = REVIEW(.group = "storage.k8s.io", .kind = "CSIDriver", .name = "d",
                                .object = "{'metadata':{'name':'d'},'spec':{'tokenRequests':[{"
                                          "'expirationSeconds':864000}]}}");

    (void)state;
    use_config("exceptions: [{rule: token-lifetime, namespace: '', names: [d], until: 2999-12-31, "
               "reason: x}]");
    assert_int_equal(exempt_of("token-lifetime", driver), CF_EXEMPT_EXCEPTION);
    use_config("exceptions: [{rule: token-lifetime, namespace: shop, names: [d], until: 2999-12-31,"
               " reason: x}]");
    assert_int_equal(exempt_of("token-lifetime", driver), CF_EXEMPT_NO);
}

/* It holds to the end of its last day, UTC. */
static void the_last_day(void **state)
{
    static const struct {
        int64_t now;
        enum cf_exempt wanted;
    } cases[] = {
        {1795305600 - 1, CF_EXEMPT_EXCEPTION},     /* 2026-11-21T23:59:59Z */
        {1795305600, CF_EXEMPT_EXCEPTION},         /* 2026-11-22T00:00:00Z */
        {1795305600 + 86399, CF_EXEMPT_EXCEPTION}, /* 2026-11-22T23:59:59Z */
        {1795305600 + 86400, CF_EXEMPT_NO},        /* 2026-11-23T00:00:00Z */
    };

    (void)state;
    use_config("exceptions: [{rule: legacy-token-mount, namespace: shop, names: [web], until: "
               "2026-11-22, reason: x}]");
    for (size_t i = 0; i < CF_COUNT(cases); i++) {
        struct cf_engine_input in = {
            .policy = policy, .store = store, .now = cases[i].now, .modes = CF_ALL_MODES};
        struct cf_request *request = decode(pod_by(ALICE));
        struct cf_evaluation evaluation;

        assert_int_equal(cf_engine_run(arena, &in, request, &evaluation, &err), 0);
        assert_int_equal(evaluation.items[0].exempt, cases[i].wanted);
    }
}

/* Of several exceptions, the one that ends last applies: a warning about an earlier end would be
 * wrong. */
static void the_longest_of_several(void **state)
{
    struct cf_evaluation evaluation;

    (void)state;
    use_config("exceptions: [{rule: legacy-token-mount, namespace: shop, names: [web], until: "
               "2026-11-30, reason: short}, {rule: legacy-token-mount, namespace: shop, names: "
               "['*'], until: 2027-11-30, reason: long}, {rule: legacy-token-mount, namespace: "
               "shop, serviceAccounts: [web], until: 2020-01-01, reason: past}]");
    evaluation = judge(pod_by(ALICE));
    assert_string_equal(verdict_of(&evaluation, "legacy-token-mount")->exception->reason, "long");
}

/* An exemption is reported before an exception; an exception is for one rule. */
static void one_rule_of_two(void **state)
{
    struct cf_evaluation evaluation;

    (void)state;
    use_config("exceptions: [{rule: legacy-token-mount, namespace: shop, names: [web], until: "
               "2999-12-31, reason: x}]");
    evaluation = judge(POD_IN("shop", "{'serviceAccountName':'web','volumes':[" MOUNT(
                                          "t", "web-token") "," TOKEN("l", "864000") "]}"));
    assert_int_equal(evaluation.count, 2);
    assert_int_equal(verdict_of(&evaluation, "legacy-token-mount")->modes, AUDIT);
    assert_int_equal(verdict_of(&evaluation, "token-lifetime")->exempt, CF_EXEMPT_NO);
    assert_int_equal(verdict_of(&evaluation, "token-lifetime")->modes, CF_ALL_MODES);
    use_config("exemptions: {namespaces: [shop], usernames: [alice]}\nexceptions: [{rule: "
               "legacy-token-mount, namespace: shop, names: [web], until: 2999-12-31, reason: x}]");
    assert_int_equal(mount_by(ALICE), CF_EXEMPT_NAMESPACE);
}

/* An exempt object is not repaired. */
static void nothing_is_fixed(void **state)
{
    struct test_answer a;

    (void)state;
    use_config("exemptions: {usernames: [alice]}");
    a = mutate(pod_by(ALICE));
    assert_null(a.patch);
    assert_int_equal(a.decision, CF_ALLOWED);
    a = validate(pod_by(ALICE));
    assert_true(a.allowed);
    assert_null(a.warnings);
    assert_string_equal(annotation(&a, "exempt"), "user");
    has_part(annotation(&a, "findings"), "legacy-token-mount");
}

static void names_of_exemptions(void **state)
{
    (void)state;
    assert_null(cf_exempt_name(CF_EXEMPT_NO));
    assert_string_equal(cf_exempt_name(CF_EXEMPT_NAMESPACE), "namespace");
    assert_string_equal(cf_exempt_name(CF_EXEMPT_USER), "user");
    assert_string_equal(cf_exempt_name(CF_EXEMPT_GROUP), "group");
    assert_string_equal(cf_exempt_name(CF_EXEMPT_EXCEPTION), "exception");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(by_namespace),
        TEST(by_user_and_group),
        TEST(guard_groups),
        TEST(what_no_namespace_exempts),
        TEST(what_is_required),
        TEST(daemon_sets),
        TEST(labels_of_namespaces),
        TEST(wrong_and_lowered),
        TEST(names),
        TEST(accounts),
        TEST(accounts_of_other_kinds),
        TEST(other_rules_and_namespaces),
        TEST(cluster_scoped_objects),
        TEST(the_last_day),
        TEST(the_longest_of_several),
        TEST(one_rule_of_two),
        TEST(nothing_is_fixed),
        TEST(names_of_exemptions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
