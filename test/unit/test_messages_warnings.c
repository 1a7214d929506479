/* SPDX-License-Identifier: Apache-2.0 */
/* The warnings in an answer: which callers receive them, their text, and that they stay within the
 * limits of the API server. */
#include "reviews.h"

static int count_of(const struct test_answer *a)
{
    return cJSON_GetArraySize(a->warnings);
}

/* The API server drops a warning with a control character, and all text after 4096 runes. */
static void inside_the_limits(const struct test_answer *a)
{
    size_t total = 0;

    for (int i = 0; i < count_of(a); i++) {
        const char *text = warning(a, i);

        for (const char *c = text; *c != '\0'; c++)
            assert_true((unsigned char)*c >= 0x20 && *c != 0x7f);
        assert_in_range(cf_utf8_count(text), 10, 256);
        total += cf_utf8_count(text);
    }
    assert_true(total < 4096);
}

/* ---- /mutate ---- */

static void fixed_fields(void **state)
{
    struct test_answer a = mutate(POD_IN("shop", LEGACY_POD));

    (void)state;
    assert_int_equal(count_of(&a), 1);
    assert_string_equal(warning(&a, 0),
                        "pod \"web\": legacy-token-mount: volume \"tok\" now holds a token of 3600 "
                        "s in place of Secret \"web-token\"; other keys of the Secret are not in "
                        "it: the client must re-read the file; applying it again unchanged "
                        "will fail");
    a = mutate(POD_IN("shop", LONG_POD));
    assert_string_equal(warning(&a, 0),
                        "pod \"web\": token-lifetime: volume \"long\" requested a "
                        "token of 864000 s and gets one of 3600 s; applying it again "
                        "unchanged will fail");
    a = mutate(POD_IN("shop", AUTO_POD));
    assert_string_equal(warning(&a, 0), "pod \"web\": extended-token: the automounted token volume "
                                        "now requests 3600 s instead of one year");
}

static void warnings_list_the_kept_items(void **state)
{
    struct test_answer a;

    (void)state;
    a = mutate(POD_IN("shop", "{'serviceAccountName':'web','volumes':[{'name':'t','secret':{"
                              "'secretName':'web-token','items':[{'key':'token','path':'x'}]}}]}"));
    assert_string_equal(warning(&a, 0),
                        "pod \"web\": legacy-token-mount: volume \"t\" now holds a token of 3600 s "
                        "in place of Secret \"web-token\": the client must re-read the file; "
                        "applying it again unchanged will fail");
    a = mutate(POD_IN("shop",
                      "{'serviceAccountName':'web','volumes':[{'name':'t','secret':{"
                      "'secretName':'web-token','items':[{'key':'ca.crt','path':'x'}]}}]}"));
    assert_string_equal(warning(&a, 0), "pod \"web\": legacy-token-mount: volume \"t\" now holds "
                                        "the same files without Secret \"web-token\"; applying it "
                                        "again unchanged will fail");
}

/* One for each rule, in the rules' order. */
static void once_for_each_rule(void **state)
{
    struct test_answer a = mutate(POD_IN(
        "soft",
        "{'serviceAccountName':'web','volumes':[" MOUNT("a", "web-token") "," MOUNT(
            "b",
            "api-"
            "token") "," MOUNT("c",
                               "web-token") "," TOKEN("d",
                                                      "3607") "," TOKEN("e",
                                                                        "9000") "," TOKEN("f",
                                                                                          "9000") "," TOKEN("g",
                                                                                                            "9000") "]"
                                                                                                                    "}"));

    (void)state;
    assert_int_equal(count_of(&a), 3);
    has_part(warning(&a, 0), "token-lifetime: volume \"e\" ");
    assert_true(cf_ends_with(warning(&a, 0), " (and 2 more)"));
    has_part(warning(&a, 1), "legacy-token-mount: volume \"a\" ");
    assert_true(cf_ends_with(warning(&a, 1), " (and 1 more)"));
    has_part(warning(&a, 2), "extended-token: volume \"d\" ");
    assert_string_equal(annotation(&a, "fixed"),
                        "token-lifetime,legacy-token-mount,extended-token");
}

/* Every automounted pod has an extended token: a controller gets no warning about it. */
static void controllers(void **state)
{
    struct test_answer a;

    (void)state;
    a = mutate(REVIEW(.kind = "Pod", .namespace = "shop", .user = CONTROLLER,
                      .object = "{'spec':" AUTO_POD "}"));
    assert_non_null(a.patch);
    assert_null(a.warnings);
    assert_string_equal(annotation(&a, "fixed"), "extended-token");
    a = mutate(REVIEW(.kind = "Pod", .namespace = "shop", .user = CONTROLLER,
                      .object = "{'spec':{'serviceAccountName':'web','volumes':[" TOKEN(
                          "a", "3607") "," MOUNT("b", "web-token") "]}}"));
    assert_int_equal(count_of(&a), 1);
    has_part(warning(&a, 0), "legacy-token-mount");
}

#define TOKEN_OF(ns, caller, spec)                                                                 \
    REVIEW(.group = "authentication.k8s.io", .kind = "TokenRequest",                               \
           .resource = "serviceaccounts", .subresource = "token", .namespace = ns, .name = "web",  \
           .user = caller, .object = "{'spec':{" spec "}}")
#define TO_POD "'boundObjectRef':{'kind':'Pod','name':'web-1'}"

/* The request is patched in both cases, and the audit annotation lists the rule. */
static void is_repaired(const char *text, bool warned)
{
    struct test_answer a = mutate(text);

    assert_int_equal(a.decision, CF_FIXED);
    assert_non_null(annotation(&a, "fixed"));
    assert_int_equal(cJSON_GetArraySize(a.warnings), warned ? 1 : 0);
    assert_int_equal(validate(text).decision, CF_DENIED); /* as it is */
}

/* There is no warning about the repair of a request that /validate will deny. */
static void repairs_of_requests_that_will_be_denied(void **state)
{
    (void)state;
    is_repaired(TOKEN_OF("shop", ALICE, TO_POD ",'expirationSeconds':864000"), true);
    /* it stays unbound, */
    is_repaired(TOKEN_OF("shop", ALICE, "'expirationSeconds':864000"), false);
    /* or the repair is not enough: a day where an hour is allowed, */
    is_repaired(TOKEN_OF("mixed", ALICE, TO_POD ",'expirationSeconds':864000"), false);
    /* or another volume is not repaired */
    is_repaired(POD_IN("shop", LEGACY_POD), true);
    is_repaired(POD_IN("shop", "{'serviceAccountName':'web','volumes':[" MOUNT(
                                   "a", "web-token") "," MOUNT("b", "api-token") "]}"),
                false);
}

/* A rule about the caller denies as well. */
static void rules_about_the_caller(void **state)
{
    static const char legacy[] = "{'username':'system:serviceaccount:shop:api','groups':["
                                 "'system:serviceaccounts']}";

    (void)state;
    cf_store_set_server_version(store, 1, 36);
    is_repaired(TOKEN_OF("shop", legacy, TO_POD ",'expirationSeconds':864000"), false);
    cf_store_set_server_version(store, 0, 0);
}

static void no_fix_no_warning(void **state)
{
    struct test_answer a = mutate(POD_IN(
        "shop", "{'volumes':[" MOUNT("a", "api-token") "],'containers':[{'envFrom':[{'secretRef':{"
                                                       "'name':'web-token'}}]}]}"));

    (void)state;
    assert_null(a.warnings);
    assert_null(a.annotations);
    assert_int_equal(a.decision, CF_ALLOWED);
}

/* ---- /validate ---- */

static void of_the_warn_level(void **state)
{
    struct test_answer a = validate(POD_IN("default", LEGACY_POD));

    (void)state;
    assert_true(a.allowed);
    assert_int_equal(count_of(&a), 1);
    has_part(warning(&a, 0), "pod \"web\" would violate Curfew level \"restricted\": "
                             "legacy-token-mount: volume \"tok\" mounts Secret \"web-token\", a "
                             "token that never expires; ");
    a = validate(POD_IN("free", LEGACY_POD));
    assert_null(a.warnings);
}

/* A denial carries no warnings for what it denied. */
static void beside_a_denial(void **state)
{
    struct test_answer a;

    (void)state;
    a = validate(POD_IN("shop", LEGACY_POD));
    assert_false(a.allowed);
    assert_null(a.warnings);
    a = validate(POD_IN("shop", "{'volumes':[" TOKEN("a", "3607") "," TOKEN("b", "9000") "]}"));
    assert_false(a.allowed);
    assert_int_equal(count_of(&a), 1);
    has_part(warning(&a, 0), "extended-token");
    /* denied at baseline, warned at restricted */
    a = validate(POD_IN("default", "{'serviceAccountName':'web','volumes':[" MOUNT(
                                       "t", "web-token") "," TOKEN("l", "864000") "]}"));
    assert_false(a.allowed);
    assert_int_equal(count_of(&a), 1);
    has_part(warning(&a, 0), "legacy-token-mount");
}

/* A warning wherever enforce, fix or warn reaches its level; audit alone is silent. */
static void extended_tokens(void **state)
{
    static const struct {
        const char *labels;
        int count;
    } cases[] = {
        {"'curfew.dev/enforce':'restricted','curfew.dev/warn':'privileged'", 1},
        {"'curfew.dev/enforce':'baseline','curfew.dev/warn':'restricted'", 1},
        {"'curfew.dev/fix':'restricted','curfew.dev/warn':'privileged'", 1},
        {"'curfew.dev/audit':'restricted','curfew.dev/warn':'baseline'", 0},
    };

    (void)state;
    for (size_t i = 0; i < CF_COUNT(cases); i++) {
        struct test_answer a;

        add_objects(store, cf_arena_printf(arena,
                                           "{'apiVersion':'v1','kind':'Namespace','metadata':{"
                                           "'name':'x','labels':{%s}}}",
                                           cases[i].labels));
        a = validate(POD_IN("x", AUTO_POD));
        assert_true(a.allowed);
        assert_int_equal(count_of(&a), cases[i].count);
    }
}

/* lookupFailure allows the request; a warning and the audit annotation report the failed lookup. */
static void failed_lookups(void **state)
{
    struct cf_store *known = store;
    struct test_answer a;

    (void)state;
    use_config("lookupFailure: {restricted: allow}\ndefaults: {enforce: restricted}");
    store = cf_store_new(CF_ABSENT_IS_UNKNOWN);
    a = validate(POD_IN("shop", LEGACY_POD));
    assert_true(a.allowed);
    assert_int_equal(count_of(&a), 1);
    assert_string_equal(warning(&a, 0),
                        "pod \"web\" could not be evaluated at Curfew level \"restricted\": "
                        "legacy-token-mount: volume \"tok\" mounts Secret \"web-token\", which "
                        "Curfew can't look up now: Curfew has not listed the cluster's legacy "
                        "Secrets yet");
    assert_string_equal(annotation(&a, "findings"),
                        "legacy-token-mount spec.volumes[0].secret.secretName (unknown)");
    a = mutate(POD_IN("shop", LEGACY_POD));
    assert_null(a.patch);
    assert_null(a.warnings);
    cf_store_free(store);
    store = known;
}

/* Templates are never denied; they cause a warning where enforce, fix or warn covers the rule. */
static void templates(void **state)
{
    static const char *const warned[] = {"shop", "soft", "mixed", "quiet", "default"};
    const char *object = "{'metadata':{'name':'web'},'spec':{'template':{'spec':" LEGACY_POD "}}}";
    struct test_answer a;

    (void)state;
    for (size_t i = 0; i < CF_COUNT(warned); i++) {
        a = validate(REVIEW(.group = "apps", .kind = "Deployment", .name = "web",
                            .namespace = warned[i], .object = object));
        assert_true(a.allowed);
        assert_int_equal(count_of(&a), 1);
        has_part(warning(&a, 0), "deployment \"web\" would violate Curfew level \"restricted\": "
                                 "legacy-token-mount: ");
    }
    a = validate(REVIEW(.group = "apps", .kind = "Deployment", .name = "web", .namespace = "free",
                        .object = object));
    assert_null(a.warnings);
}

/* Removing a legacy Secret from an account's list causes a warning, never a denial. */
static void secrets_that_leave_an_account(void **state)
{
    struct test_answer a =
        validate(REVIEW(.operation = "UPDATE", .kind = "ServiceAccount", .namespace = "shop",
                        .name = "web", .object = "{'metadata':{'name':'web'}}",
                        .old_object = "{'metadata':{'name':'web'},'secrets':[{'name':'web-token'},{"
                                      "'name':'db'}]}"));

    (void)state;
    assert_true(a.allowed);
    assert_int_equal(count_of(&a), 1);
    has_part(warning(&a, 0), "legacy-token-revival: legacy Secret \"web-token\" leaves secrets[]");
}

/* ---- exceptions ---- */

static void exceptions_before_they_end(void **state)
{
    static const struct {
        const char *until;
        int count;
    } cases[] = {{"2026-11-22", 1}, {"2026-12-05", 1}, {"2026-12-06", 0}, {"2999-12-31", 0}};

    (void)state;
    for (size_t i = 0; i < CF_COUNT(cases); i++) {
        struct test_answer a;

        use_config(cf_arena_printf(arena,
                                   "exceptions: [{rule: legacy-token-mount, namespace: shop, "
                                   "names: [web], until: %s, reason: 'it \"moves\"'}]",
                                   cases[i].until));
        a = validate(POD_IN("shop", "{'serviceAccountName':'web','volumes':[" MOUNT(
                                        "t", "web-token") "," MOUNT("u", "web-token") "]}"));
        assert_true(a.allowed);
        assert_string_equal(annotation(&a, "exempt"), "exception");
        assert_int_equal(count_of(&a), cases[i].count);
        if (cases[i].count > 0)
            has_part(warning(&a, 0),
                     cf_arena_printf(arena,
                                     "pod \"web\": legacy-token-mount: the exception ends on %s "
                                     "(it \"moves\"); then: volume \"t\" mounts ",
                                     cases[i].until));
        a = mutate(POD_IN("shop", LEGACY_POD));
        assert_null(a.patch);
        assert_null(a.warnings);
    }
}

static void exemptions_are_silent(void **state)
{
    struct test_answer a;

    (void)state;
    use_config("exemptions: {namespaces: [shop, default]}");
    a = validate(POD_IN("shop", LEGACY_POD));
    assert_true(a.allowed);
    assert_null(a.warnings);
    a = validate(POD_IN("default", LEGACY_POD));
    assert_null(a.warnings);
    a = validate(POD_IN("shop", AUTO_POD));
    assert_null(a.warnings);
}

/* ---- limits ---- */

static void many(void **state)
{
    struct cf_buf object;
    struct test_answer a;
    const char *last;

    (void)state;
    cf_buf_init_arena(&object, arena, CF_FILE_MAX);
    cf_buf_adds(&object, "{'metadata':{'name':'web'},'spec':{'template':{'spec':{'volumes':[");
    for (int i = 0; i < 1000; i++)
        cf_buf_addf(&object, "%s{'name':'v%d','secret':{'secretName':'web-token'}}",
                    i > 0 ? "," : "", i);
    cf_buf_adds(&object, "]}}}}");
    a = validate(REVIEW(.group = "apps", .kind = "Deployment", .namespace = "shop", .name = "web",
                        .object = cf_buf_str(&object)));
    inside_the_limits(&a);
    assert_true(count_of(&a) > 10);
    last = warning(&a, count_of(&a) - 1);
    assert_string_equal(
        last, cf_arena_printf(arena, "Curfew has %d more warnings; curfew review shows them all",
                              1000 - count_of(&a) + 1));
}

static void long_and_hostile_names(void **state)
{
    char *name = cf_arena_alloc(arena, 100001);
    struct test_answer a;
    const char *object;

    (void)state;
    memset(name, 'n', 100000);
    object = cf_arena_printf(
        arena,
        "{'metadata':{'name':'%s'},'spec':{'serviceAccountName':'web','volumes':[{'name':'%s',"
        "'secret':{'secretName':'web-token'}},{'name':'a\\nb\\u0000c','secret':{'secretName':"
        "'web-token'}}]}}",
        name, name + 100000 - CF_NAME_MAX);
    a = mutate(REVIEW(.kind = "Pod", .namespace = "shop", .object = object));
    assert_int_equal(count_of(&a), 1);
    inside_the_limits(&a);
    has_part(warning(&a, 0), "legacy-token-mount: volume \"nnn");
    a = validate(REVIEW(.kind = "Pod", .namespace = "default", .object = object));
    assert_int_equal(count_of(&a), 2);
    inside_the_limits(&a);
    has_part(warning(&a, 1), "volume \"a?b\xEF\xBF\xBD"
                             "c\"");
}

/* The rule's id is in every warning. */
static void ids(void **state)
{
    struct test_answer a = validate(POD_IN(
        "default",
        "{'serviceAccountName':'web','volumes':[" MOUNT("a", "web-token") "," TOKEN(
            "b", "3607") "," TOKEN("c",
                                   "9000") "],'containers':[{'name':'x',"
                                           "'envFrom':[{'secretRef':{'name':'web-token'}}]}]}"));
    static const char *const wanted[] = {"token-lifetime", "legacy-token-mount", "legacy-token-env",
                                         "extended-token"};

    (void)state;
    assert_int_equal(count_of(&a), CF_COUNT(wanted));
    for (int i = 0; i < (int)CF_COUNT(wanted); i++)
        has_part(warning(&a, i), cf_arena_printf(arena, ": %s: ", wanted[i]));
    inside_the_limits(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(fixed_fields),
        TEST(warnings_list_the_kept_items),
        TEST(once_for_each_rule),
        TEST(controllers),
        TEST(repairs_of_requests_that_will_be_denied),
        TEST(rules_about_the_caller),
        TEST(no_fix_no_warning),
        TEST(of_the_warn_level),
        TEST(beside_a_denial),
        TEST(extended_tokens),
        TEST(failed_lookups),
        TEST(templates),
        TEST(secrets_that_leave_an_account),
        TEST(exceptions_before_they_end),
        TEST(exemptions_are_silent),
        TEST(many),
        TEST(long_and_hostile_names),
        TEST(ids),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
