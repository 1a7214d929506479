/* SPDX-License-Identifier: Apache-2.0 */
/* From a request to verdicts: levels and modes, lookups, findings of the old object, skipped
 * objects. */
#include "reviews.h"

#define E CF_MODE_BIT(CF_ENFORCE)
#define F CF_MODE_BIT(CF_FIX)
#define A CF_MODE_BIT(CF_AUDIT)
#define W CF_MODE_BIT(CF_WARN)

static const enum cf_level baseline = CF_BASELINE, restricted = CF_RESTRICTED,
                           privileged = CF_PRIVILEGED;

static void modes_are(const char *text, const char *rule, unsigned modes, unsigned reached)
{
    struct cf_evaluation evaluation = judge(text);
    const struct cf_verdict *v = verdict_of(&evaluation, rule);

    assert_int_equal(v->modes, modes);
    assert_int_equal(v->reached, reached);
}

/* ---- levels and modes ---- */

static void modes_of_each_namespace(void **state)
{
    (void)state;
    modes_are(POD_IN("shop", LEGACY_POD), "legacy-token-mount", E | F | A | W, E | F | A | W);
    modes_are(POD_IN("soft", LEGACY_POD), "legacy-token-mount", F, F);
    modes_are(POD_IN("mixed", LEGACY_POD), "legacy-token-mount", E | A | W, E | A | W);
    modes_are(POD_IN("quiet", LEGACY_POD), "legacy-token-mount", E | A | W, E | A | W);
    modes_are(POD_IN("default", LEGACY_POD), "legacy-token-mount", A | W, A | W);
    assert_int_equal(judge(POD_IN("base", LEGACY_POD)).count, 0);
    assert_int_equal(judge(POD_IN("free", LEGACY_POD)).count, 0);
    modes_are(POD_IN("base", LONG_POD), "token-lifetime", E | F | A | W, E | F | A | W);
    assert_int_equal(judge(POD_IN("free", LONG_POD)).count, 0);
}

static void a_level_over_all_labels(void **state)
{
    struct cf_evaluation evaluation = judge_at(&restricted, POD_IN("free", LEGACY_POD));

    (void)state;
    assert_int_equal(verdict_of(&evaluation, "legacy-token-mount")->modes, E | F | A | W);
    assert_int_equal(evaluation.lookups->levels.mode[CF_ENFORCE], CF_RESTRICTED);
    assert_int_equal(judge_at(&baseline, POD_IN("shop", LEGACY_POD)).count, 0);
    assert_int_equal(judge_at(&privileged, POD_IN("shop", LONG_POD)).count, 0);
}

/* Each mode uses the parameters of its own level. */
static void bounds_of_each_level(void **state)
{
    static const struct {
        const char *seconds;
        bool at_baseline, at_restricted;
    } cases[] = {
        {"599", true, true},    {"600", false, false}, {"3600", false, false},
        {"3601", false, true},  {"3606", false, true}, {"3608", false, true},
        {"86400", false, true}, {"86401", true, true}, {"4294967296", true, true},
    };

    (void)state;
    for (size_t i = 0; i < CF_COUNT(cases); i++) {
        const char *text = REVIEW(.kind = "Pod", .namespace = "shop", .name = "web",
                                  .object = cf_arena_printf(
                                      arena,
                                      "{'spec':{'volumes':[{'projected':{'sources':[{"
                                      "'serviceAccountToken':{'expirationSeconds':%s}}]}}]}}",
                                      cases[i].seconds));

        assert_int_equal(judge_at(&baseline, text).count, cases[i].at_baseline);
        assert_int_equal(judge_at(&restricted, text).count, cases[i].at_restricted);
    }
}

/* Found at both levels: the words are enforce's, the fix is fix's. */
static void one_verdict_of_two_levels(void **state)
{
    struct cf_evaluation evaluation = judge(POD_IN("mixed", LONG_POD));
    const struct cf_verdict *v = verdict_of(&evaluation, "token-lifetime");

    (void)state;
    assert_int_equal(evaluation.count, 1);
    assert_int_equal(v->modes, E | F | A | W);
    has_part(v->finding.what, "above the 3600 s allowed");
    assert_string_equal(v->finding.fix->ops[0].value, "86400");
    add_objects(store, "{'apiVersion':'v1','kind':'Namespace','metadata':{'name':'other','labels':{"
                       "'curfew.dev/enforce':'baseline','curfew.dev/fix':'restricted'}}}");
    evaluation = judge(POD_IN("other", LONG_POD));
    v = verdict_of(&evaluation, "token-lifetime");
    assert_int_equal(v->modes, E | F | A | W);
    has_part(v->finding.what, "above the 86400 s allowed");
    assert_string_equal(v->finding.fix->ops[0].value, "3600");
}

/* Findings of only the lower level (no valid configuration has them today) keep the order of the
 * rules. */
static void findings_of_only_the_lower_level(void **state)
{
    struct cf_lifetime *lifetimes = policy->rules[cf_rule_index("token-lifetime")].settings;
    struct cf_evaluation evaluation;

    (void)state;
    lifetimes[CF_BASELINE].max = 1200;
    evaluation = judge(
        POD_IN("mixed", "{'serviceAccountName':'web','volumes':[" TOKEN("a", "9000") "," MOUNT(
                            "b", "web-token") "," TOKEN("c", "3000") "]}"));
    assert_int_equal(evaluation.count, 3);
    assert_string_equal(evaluation.items[0].finding.path,
                        "spec.volumes[0].projected.sources[0].serviceAccountToken."
                        "expirationSeconds");
    assert_int_equal(evaluation.items[0].modes, E | F | A | W);
    assert_string_equal(evaluation.items[1].finding.path,
                        "spec.volumes[2].projected.sources[0].serviceAccountToken."
                        "expirationSeconds");
    assert_int_equal(evaluation.items[1].modes, F);
    assert_string_equal(evaluation.items[2].finding.rule->id, "legacy-token-mount");
}

/* Only what the fix level has is fixed. */
static void a_fix_of_a_higher_level(void **state)
{
    struct cf_evaluation evaluation =
        judge(POD_IN("mixed", "{'volumes':[" TOKEN("t", "7200") "]}"));
    const struct cf_verdict *v = verdict_of(&evaluation, "token-lifetime");

    (void)state;
    assert_int_equal(v->modes, E | A | W);
    assert_non_null(v->finding.fix);
}

static void rules_moved_and_turned_off(void **state)
{
    (void)state;
    use_config("rules: {legacy-token-mount: {level: baseline}, token-lifetime: {level: off}}");
    modes_are(POD_IN("base", LEGACY_POD), "legacy-token-mount", E | F | A | W, E | F | A | W);
    assert_int_equal(judge(POD_IN("base", LONG_POD)).count, 0);
    use_config("rules: {token-lifetime: {level: restricted}}");
    assert_int_equal(judge(POD_IN("base", LONG_POD)).count, 0);
    modes_are(POD_IN("shop", LONG_POD), "token-lifetime", E | F | A | W, E | F | A | W);
    assert_int_equal(judge(POD_IN("free", LONG_POD)).count, 0);
}

static void extended_tokens_are_never_denied(void **state)
{
    (void)state;
    modes_are(POD_IN("shop", AUTO_POD), "extended-token", F | A | W, E | F | A | W);
}

static void rules_that_ignore_levels(void **state)
{
    (void)state;
    modes_are(REVIEW(.kind = "ServiceAccount", .operation = "UPDATE", .namespace = "free",
                     .name = "agent", .object = "{}",
                     .old_object = "{'metadata':{'annotations':{"
                                   "'rbac.kubernetes.io/restricted-by-node':'true'}}}"),
              "restricted-by-node-annotation", E | A | W, E | F | A | W);
}

/* The engine evaluates only the modes in its input. */
static void modes_that_matter(void **state)
{
    struct cf_engine_input in = {
        .policy = policy, .store = store, .now = NOW, .modes = CF_MODE_BIT(CF_FIX)};
    struct cf_request *request = decode(POD_IN("shop", LEGACY_POD));
    struct cf_evaluation evaluation;

    (void)state;
    assert_int_equal(cf_engine_run(arena, &in, request, &evaluation, &err), 0);
    assert_int_equal(evaluation.count, 1);
    assert_int_equal(evaluation.items[0].reached, F);
}

static void the_order_of_the_rules(void **state)
{
    struct cf_evaluation evaluation = judge(POD_IN(
        "mixed",
        "{'serviceAccountName':'web','volumes':[" TOKEN("a", "3607") "," MOUNT(
            "b", "web-token") "," TOKEN("c",
                                        "7200") "," TOKEN("d",
                                                          "864000") "],'containers':[{'envFrom':[{'"
                                                                    "secretRef':{'name':'api-token'"
                                                                    "}}]}]}"));
    static const char *const wanted[] = {"token-lifetime", "token-lifetime", "legacy-token-mount",
                                         "legacy-token-env", "extended-token"};

    (void)state;
    assert_int_equal(evaluation.count, CF_COUNT(wanted));
    for (size_t i = 0; i < CF_COUNT(wanted); i++)
        assert_string_equal(evaluation.items[i].finding.rule->id, wanted[i]);
    has_part(evaluation.items[0].finding.path, "volumes[2]");
    has_part(evaluation.items[1].finding.path, "volumes[3]");
}

/* ---- lookups ---- */

static void secrets_by_namespace(void **state)
{
    (void)state;
    assert_int_equal(judge_at(&restricted, POD_IN("shop", LEGACY_POD)).count, 1);
    assert_int_equal(judge_at(&restricted, POD_IN("elsewhere", LEGACY_POD)).count, 0);
}

/* Until the cluster's Secrets are listed, lookupFailure decides; nothing is ever converted. */
static void secrets_before_the_first_list(void **state)
{
    struct cf_store *known = store;
    struct cf_evaluation evaluation;
    const struct cf_verdict *v;

    (void)state;
    store = cf_store_new(CF_ABSENT_IS_UNKNOWN);
    evaluation = judge_at(&restricted, POD_IN("shop", LEGACY_POD));
    v = verdict_of(&evaluation, "legacy-token-mount");
    assert_int_equal(v->modes, E | A | W);
    assert_true(v->finding.unknown);
    assert_null(v->finding.fix);
    has_part(v->finding.detail, "Curfew has not listed the cluster's legacy Secrets yet");
    has_part(v->finding.detail, "denied at level \"restricted\"");
    use_config("lookupFailure: {restricted: allow}");
    evaluation = judge_at(&restricted, POD_IN("shop", LEGACY_POD));
    v = verdict_of(&evaluation, "legacy-token-mount");
    assert_int_equal(v->modes, A | W);
    has_part(v->finding.detail, "allowed at level \"restricted\"");
    use_config("rules: {legacy-token-mount: {level: baseline}}");
    evaluation = judge_at(&baseline, POD_IN("shop", LEGACY_POD));
    assert_int_equal(verdict_of(&evaluation, "legacy-token-mount")->modes, A | W);
    use_config("rules: {legacy-token-mount: {level: baseline}}\nlookupFailure: {baseline: deny}");
    evaluation = judge_at(&baseline, POD_IN("shop", LEGACY_POD));
    assert_int_equal(verdict_of(&evaluation, "legacy-token-mount")->modes, E | A | W);
    cf_store_free(store);
    store = known;
}

/* What the person at `curfew review` did not give is counted there, and no finding. */
static void secrets_that_no_file_has(void **state)
{
    struct cf_store *known = store;
    struct cf_engine_input in = {.policy = policy, .now = NOW, .modes = CF_ALL_MODES};
    struct cf_request *request = decode(POD_IN("shop", LEGACY_POD));
    struct cf_evaluation evaluation;

    (void)state;
    in.store = store = cf_store_new(CF_ABSENT_IS_UNKNOWN);
    request->manifest = true;
    assert_int_equal(cf_engine_run(arena, &in, request, &evaluation, &err), 0);
    assert_int_equal(evaluation.count, 0);
    cf_store_free(store);
    store = known;
}

/* ---- what was there before ---- */

static const char *deployment(const char *volumes)
{
    return cf_arena_printf(arena,
                           "{'spec':{'template':{'spec':{'serviceAccountName':'web','volumes':[%s]"
                           "}}}}",
                           volumes);
}

static size_t new_findings(const char *now, const char *before)
{
    return judge(REVIEW(.operation = "UPDATE", .group = "apps", .kind = "Deployment",
                        .namespace = "shop", .name = "web", .object = deployment(now),
                        .old_object = deployment(before)))
        .count;
}

#define SOURCES(...) "{'name':'p','projected':{'sources':[" __VA_ARGS__ "]}}"
#define FROM(secret) "{'secret':{'name':'" secret "'}}"
#define LASTING(seconds) "{'serviceAccountToken':{'path':'t','expirationSeconds':" seconds "}}"

static void updates(void **state)
{
    static const struct {
        const char *now, *before;
        size_t count;
    } cases[] = {
        {MOUNT("a", "web-token"), MOUNT("a", "web-token"), 0},
        {MOUNT("a", "web-token"), "", 1},
        {"", MOUNT("a", "web-token"), 0},
        {MOUNT("b", "web-token"), MOUNT("a", "web-token"), 1},
        {MOUNT("a", "api-token"), MOUNT("a", "web-token"), 1},
        {MOUNT("a", "web-token") "," MOUNT("b", "api-token"),
         MOUNT("b", "api-token") "," MOUNT("a", "web-token"), 0},
        {MOUNT("a", "web-token") "," MOUNT("b", "web-token"), MOUNT("b", "web-token"), 1},
        {SOURCES(FROM("web-token") "," FROM("api-token")),
         SOURCES(FROM("api-token") "," FROM("web-token")), 0},
        /* equal keys match as a multiset */
        {SOURCES(FROM("web-token") "," FROM("web-token")), SOURCES(FROM("web-token")), 1},
        {SOURCES(FROM("web-token")), SOURCES(FROM("web-token") "," FROM("web-token")), 0},
        {SOURCES(FROM("web-token") "," FROM("web-token")),
         SOURCES(FROM("web-token") "," FROM("web-token")), 0},
        {SOURCES(LASTING("9000") "," LASTING("9000") "," LASTING("9000")),
         SOURCES(LASTING("9000") "," LASTING("8000")), 2},
        {SOURCES(LASTING("9000") "," LASTING("8000")), SOURCES(LASTING("8000")), 1},
        {SOURCES(LASTING("3607")), SOURCES(LASTING("3607")), 0},
        {SOURCES(LASTING("3607")), SOURCES(LASTING("3600")), 1},
        {SOURCES(LASTING("3608")), SOURCES(LASTING("3607")), 1},
        /* a plain volume becomes a projected one: another key */
        {SOURCES(FROM("web-token")), MOUNT("p", "web-token"), 1},
    };

    (void)state;
    for (size_t i = 0; i < CF_COUNT(cases); i++) {
        if (new_findings(cases[i].now, cases[i].before) != cases[i].count)
            fail_msg("%s from %s: not %zu", cases[i].now, cases[i].before, cases[i].count);
    }
}

/* Of two that are alike, it is the last that is new. */
static void which_one_is_new(void **state)
{
    struct cf_evaluation evaluation =
        judge(REVIEW(.operation = "UPDATE", .group = "apps", .kind = "Deployment",
                     .namespace = "shop", .name = "web",
                     .object = deployment(
                         SOURCES(FROM("web-token") "," FROM("api-token") "," FROM("web-token"))),
                     .old_object = deployment(SOURCES(FROM("web-token") "," FROM("api-token")))));

    (void)state;
    assert_int_equal(evaluation.count, 1);
    has_part(evaluation.items[0].finding.path, "sources[2]");
}

/* An object that exists can't be repaired. */
static void existing_pods(void **state)
{
    struct cf_evaluation evaluation =
        judge(REVIEW(.operation = "UPDATE", .kind = "Pod", .namespace = "shop", .name = "web",
                     .subresource = "of-tomorrow", .object = "{'spec':" LEGACY_POD "}",
                     .old_object = "{'spec':{}}"));

    (void)state;
    assert_int_equal(verdict_of(&evaluation, "legacy-token-mount")->modes, E | A | W);
    evaluation = judge(REVIEW(.kind = "Pod", .namespace = "shop", .name = "web",
                              .subresource = "of-tomorrow", .object = "{'spec':" LONG_POD "}"));
    assert_int_equal(verdict_of(&evaluation, "token-lifetime")->modes, E | A | W);
}

/* ---- objects that are not evaluated ---- */

static void is_skipped(const char *text)
{
    struct cf_evaluation evaluation = judge(text);

    assert_true(evaluation.skipped);
    assert_int_equal(evaluation.count, 0);
}

static void is_evaluated(const char *text)
{
    struct cf_evaluation evaluation = judge(text);

    assert_false(evaluation.skipped);
    assert_true(evaluation.count > 0);
}

#define MIRROR                                                                                     \
    "{'metadata':{'annotations':{'kubernetes.io/config.mirror':'x'}},'spec':{'nodeName':'n1',"     \
    "'serviceAccountName':'web','volumes':[" MOUNT("t", "web-token") "]}}"

static void mirror_pods(void **state)
{
    (void)state;
    is_skipped(REVIEW(.kind = "Pod", .namespace = "shop", .user = NODE1, .object = MIRROR));
    is_evaluated(REVIEW(.kind = "Pod", .namespace = "shop", .object = MIRROR));
    is_evaluated(REVIEW(.kind = "Pod", .namespace = "shop", .object = MIRROR,
                        .user = "{'username':'system:node:n1','groups':['system:authenticated']}"));
    is_evaluated(REVIEW(.kind = "Pod", .namespace = "shop", .object = MIRROR,
                        .user = "{'username':'system:node:n2','groups':['system:nodes']}"));
    is_evaluated(REVIEW(.kind = "Pod", .namespace = "shop", .object = MIRROR,
                        .user = "{'username':'n1','groups':['system:nodes']}"));
    is_evaluated(
        REVIEW(.kind = "Pod", .namespace = "shop", .user = NODE1,
               .object = "{'spec':{'nodeName':'n1','volumes':[" MOUNT("t", "web-token") "]}}"));
}

static void owned_templates(void **state)
{
#define OWNED(owner)                                                                               \
    "{'metadata':{'ownerReferences':[{'kind':'X','name':'x'" owner "}]},'spec':{'template':{"      \
    "'spec':" LEGACY_POD "}}}"
    (void)state;
    is_skipped(REVIEW(.group = "apps", .kind = "ReplicaSet", .namespace = "shop",
                      .object = OWNED(",'controller':true")));
    is_skipped(REVIEW(.group = "batch", .kind = "Job", .namespace = "shop",
                      .object = OWNED(",'controller':true")));
    is_evaluated(
        REVIEW(.group = "apps", .kind = "ReplicaSet", .namespace = "shop", .object = OWNED("")));
    is_evaluated(REVIEW(.group = "apps", .kind = "Deployment", .namespace = "shop",
                        .object = OWNED(",'controller':true")));
}

#define REQUEST_FOR(ref)                                                                           \
    "{'spec':{'expirationSeconds':3607,'boundObjectRef':{'kind':'" ref "','name':'x'}}}"
#define ASK(caller, ref)                                                                           \
    REVIEW(.group = "authentication.k8s.io", .kind = "TokenRequest", .subresource = "token",       \
           .namespace = "shop", .name = "web", .user = caller, .object = REQUEST_FOR(ref))

static void kubelets(void **state)
{
    struct cf_engine_input in = {.policy = policy,
                                 .store = store,
                                 .now = NOW,
                                 .modes = CF_MODE_BIT(CF_FIX),
                                 .kubelets = true};
    struct cf_request *request = decode(ASK(NODE1, "Pod"));
    struct cf_evaluation evaluation;

    (void)state;
    is_skipped(ASK(NODE1, "Pod"));
    is_evaluated(ASK(NODE1, "Secret"));
    is_evaluated(ASK(ALICE, "Pod"));
    assert_int_equal(cf_engine_run(arena, &in, request, &evaluation, &err), 0);
    assert_false(evaluation.skipped);
    assert_string_equal(evaluation.items[0].finding.rule->id, "extended-token");
}

static void kinds_that_no_rule_knows(void **state)
{
    struct cf_evaluation evaluation = judge(REVIEW(.kind = "Namespace", .object = "{}"));

    (void)state;
    assert_false(evaluation.skipped);
    assert_int_equal(evaluation.count, 0);
}

static void accounts_restricted_by_node(void **state)
{
    const char *object = "{'spec':{'boundObjectRef':{'kind':'Node','name':'n1'}}}";
    struct cf_evaluation evaluation;

    (void)state;
    evaluation = judge(REVIEW(.group = "authentication.k8s.io", .kind = "TokenRequest",
                              .namespace = "shop", .name = "agent", .object = object));
    assert_int_equal(evaluation.count, 0);
    evaluation = judge(REVIEW(.group = "authentication.k8s.io", .kind = "TokenRequest",
                              .namespace = "shop", .name = "web", .object = object));
    assert_string_equal(verdict_of(&evaluation, "unbound-token")->finding.value, "\"Node\"");
}

/* ---- E of a converted mount ---- */

static const char *converted_to(const char *namespace)
{
    struct cf_evaluation evaluation =
        judge(REVIEW(.kind = "Pod", .namespace = namespace, .name = "web",
                     .object = "{'spec':" LEGACY_POD "}"));
    const char *value = verdict_of(&evaluation, "legacy-token-mount")->finding.fix->ops[0].value;

    return strstr(value, ":3607,") != NULL ? "3607" : strstr(value, ":3600,") ? "3600" : value;
}

static void how_long_a_converted_token_lasts(void **state)
{
    (void)state;
    assert_string_equal(converted_to("shop"), "3600");
    assert_string_equal(converted_to("soft"), "3600");
    use_config("rules: {legacy-token-mount: {level: baseline}}");
    assert_string_equal(converted_to("base"), "3607"); /* extended-token is above this level */
    assert_string_equal(converted_to("shop"), "3600");
    assert_string_equal(converted_to("mixed"), "3607"); /* fix: baseline */
    use_config("rules: {extended-token: {level: off}}");
    assert_string_equal(converted_to("shop"), "3607");
    use_config("exceptions: [{rule: extended-token, namespace: shop, serviceAccounts: [w*], until: "
               "2026-11-21, reason: x}]");
    assert_string_equal(converted_to("shop"), "3600");
    use_config("exceptions: [{rule: extended-token, namespace: shop, serviceAccounts: [w*], until: "
               "2026-11-22, reason: x}]");
    assert_string_equal(converted_to("shop"), "3607");
    assert_string_equal(converted_to("soft"), "3600");
}

/* Short of memory: an error, and never a evaluation that lacks something. */
static void out_of_memory(void **state)
{
    struct cf_engine_input in = {
        .policy = policy, .store = store, .now = NOW, .modes = CF_ALL_MODES};
    const char *text = POD_IN("mixed", LEGACY_POD);
    size_t len = strlen(text), short_of = 0;
    bool fitted = false;

    (void)state;
    for (size_t ceiling = 1024; !fitted; ceiling += 128) {
        struct cf_arena *small = cf_arena_new(ceiling);
        struct cf_request *request;
        struct cf_evaluation evaluation;

        if (cf_review_decode(small, text, len, &request, &err) == 0) {
            fitted = cf_engine_run(small, &in, request, &evaluation, &err) == 0;
            short_of += !fitted;
            if (fitted)
                assert_int_equal(evaluation.count, 1);
            else
                assert_int_equal(err.kind, CF_ERR_SYSTEM);
        }
        cf_arena_free(small);
    }
    assert_true(short_of > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(modes_of_each_namespace),
        TEST(a_level_over_all_labels),
        TEST(bounds_of_each_level),
        TEST(one_verdict_of_two_levels),
        TEST(findings_of_only_the_lower_level),
        TEST(a_fix_of_a_higher_level),
        TEST(rules_moved_and_turned_off),
        TEST(extended_tokens_are_never_denied),
        TEST(rules_that_ignore_levels),
        TEST(modes_that_matter),
        TEST(the_order_of_the_rules),
        TEST(secrets_by_namespace),
        TEST(secrets_before_the_first_list),
        TEST(secrets_that_no_file_has),
        TEST(updates),
        TEST(which_one_is_new),
        TEST(existing_pods),
        TEST(mirror_pods),
        TEST(owned_templates),
        TEST(kubelets),
        TEST(kinds_that_no_rule_knows),
        TEST(accounts_restricted_by_node),
        TEST(how_long_a_converted_token_lasts),
        TEST(out_of_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
