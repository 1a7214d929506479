/* SPDX-License-Identifier: Apache-2.0 */
/* Warnings about existing pods: those in a namespace whose level rises, and those that refer to a
 * new legacy Secret. */
#include "curfew/time.h"
#include "reviews.h"

static int count_of(const struct test_answer *a)
{
    return cJSON_GetArraySize(a->warnings);
}

/* Labels of the namespace `base` before and after. */
static const char *relabel(const char *before, const char *after)
{
    return REVIEW(.operation = "UPDATE", .kind = "Namespace", .resource = "namespaces",
                  .namespace = "base", .name = "base",
                  .object =
                      cf_arena_printf(arena, "{'metadata':{'name':'base','labels':{%s}}}", after),
                  .old_object =
                      cf_arena_printf(arena, "{'metadata':{'name':'base','labels':{%s}}}", before));
}

#define ENFORCE(level) "'curfew.dev/enforce':'" level "'"
#define WARN(level) "'curfew.dev/warn':'" level "'"

/* An existing pod, by the rest of its metadata and its spec. */
static void exists(const char *name, const char *metadata, const char *spec)
{
    add_objects(store, cf_arena_printf(arena,
                                       "{'apiVersion':'v1','kind':'Pod','metadata':{'name':'%s',"
                                       "'namespace':'base','uid':'%s'%s},'spec':%s}",
                                       name, name, metadata, spec));
}

#define OF_WEB                                                                                     \
    ",'labels':{'pod-template-hash':'7f9'},'ownerReferences':[{'kind':'ReplicaSet','name':"        \
    "'web-7f9','uid':'r','controller':true}]"
#define ENV_POD                                                                                    \
    "{'serviceAccountName':'web','containers':[{'name':'a','env':[{'name':'T','valueFrom':{"       \
    "'secretKeyRef':{'name':'web-token','key':'token'}}}]}]}"

static void raised(void **state)
{
    struct test_answer a;

    (void)state;
    exists("web-7f9-a", OF_WEB, LEGACY_POD);
    exists("web-7f9-b", OF_WEB, LEGACY_POD);
    exists("bare", "", LEGACY_POD);
    exists("env", "", ENV_POD);
    exists("fine", "", "{}");
    a = validate(relabel(ENFORCE("baseline"), ENFORCE("restricted")));
    assert_true(a.allowed);
    assert_int_equal(count_of(&a), 2);
    assert_string_equal(warning(&a, 0),
                        "namespace \"base\": existing pods violate the new enforce level "
                        "\"restricted\": legacy-token-mount: pod \"bare\" (and 2 other pods): a "
                        "volume holds a token that never expires: \"web-token\"");
    assert_string_equal(warning(&a, 1),
                        "namespace \"base\": existing pods violate the new enforce level "
                        "\"restricted\": legacy-token-env: pod \"env\": a container reads a legacy "
                        "token from its environment: \"web-token\"");
    assert_string_equal(annotation(&a, "enforce-level"), "restricted");
}

/* The warning names the workload, and counts its other pods. */
static void replicas(void **state)
{
    struct test_answer a;

    (void)state;
    exists("web-7f9-a", OF_WEB, LEGACY_POD);
    exists("web-7f9-b", OF_WEB, LEGACY_POD);
    a = validate(relabel("", ENFORCE("restricted")));
    assert_int_equal(count_of(&a), 1);
    has_part(warning(&a, 0), "legacy-token-mount: pod of \"web\" (and 1 other pod): a volume");
}

/* Only a level that rises, enforce's or warn's, is worth a look. */
static void not_raised(void **state)
{
    static const struct {
        const char *before, *after;
    } cases[] = {
        {ENFORCE("restricted"), ENFORCE("restricted")},
        {ENFORCE("restricted"), ENFORCE("baseline")},
        {ENFORCE("restricted"), ""},
        {ENFORCE("privileged"), ENFORCE("baseline")}, /* which finds nothing */
        {"", "'curfew.dev/fix':'restricted','curfew.dev/audit':'restricted'"},
        {ENFORCE("baseline"), ENFORCE("baseline") ",'team':'x'"},
        {WARN("restricted"), ""}, /* the default */
    };

    (void)state;
    exists("bare", "", LEGACY_POD);
    for (size_t i = 0; i < CF_COUNT(cases); i++)
        assert_int_equal(
            count_of((struct test_answer[]){validate(relabel(cases[i].before, cases[i].after))}),
            0);
    use_config("guard: {lowering: true}");
    assert_int_equal(count_of((struct test_answer[]){
                         validate(relabel(ENFORCE("baseline") "," WARN("restricted"),
                                          ENFORCE("restricted") "," WARN("baseline")))}),
                     0); /* denied: nothing changes */
}

static void warn_alone(void **state)
{
    struct test_answer a;

    (void)state;
    exists("auto", "", AUTO_POD);
    exists("bare", "", LEGACY_POD);
    a = validate(relabel(WARN("baseline"), WARN("restricted")));
    assert_int_equal(count_of(&a), 2);
    has_part(warning(&a, 0), "existing pods violate the new warn level \"restricted\": "
                             "legacy-token-mount: pod \"bare\": ");
    has_part(warning(&a, 1), "extended-token: pod \"auto\": ");
    /* Every automounted pod has one, so it does not violate an enforce level. */
    a = validate(relabel("", ENFORCE("restricted")));
    assert_int_equal(count_of(&a), 1);
}

/* Each mode by its own level. */
static void both(void **state)
{
    struct test_answer a;

    (void)state;
    exists("long", "", LONG_POD);
    exists("bare", "", LEGACY_POD);
    a = validate(relabel(ENFORCE("privileged") "," WARN("privileged"),
                         ENFORCE("baseline") "," WARN("restricted")));
    assert_int_equal(count_of(&a), 2);
    has_part(warning(&a, 0), "the new enforce level \"baseline\": token-lifetime: pod \"long\": ");
    has_part(warning(&a, 0), ": 864000");
    has_part(warning(&a, 1), "the new warn level \"restricted\": legacy-token-mount: pod \"bare\"");
}

static void exempt_and_excepted(void **state)
{
    struct test_answer a;

    (void)state;
    exists("web-7f9-a", OF_WEB, LEGACY_POD);
    exists("bare", "", LEGACY_POD);
    use_config("exceptions: [{rule: legacy-token-mount, namespace: base, names: [web], until: "
               "2999-12-31, reason: x}]");
    a = validate(relabel("", ENFORCE("restricted")));
    assert_int_equal(count_of(&a), 1);
    has_part(warning(&a, 0), "legacy-token-mount: pod \"bare\": ");
    use_config("exceptions: [{rule: legacy-token-mount, namespace: base, serviceAccounts: [web], "
               "until: 2999-12-31, reason: x}]");
    assert_int_equal(count_of((struct test_answer[]){validate(relabel("", ENFORCE("restricted")))}),
                     0);
    use_config("exemptions: {namespaces: [base]}");
    a = validate(relabel("", ENFORCE("restricted")));
    assert_int_equal(count_of(&a), 1);
    assert_string_equal(warning(&a, 0),
                        "namespace \"base\": namespace-level: the namespace is exempt from Curfew "
                        "(exemptions.namespaces), its label curfew.dev/enforce has no effect");
    assert_int_equal(count_of((struct test_answer[]){validate(relabel(ENFORCE("restricted"), ""))}),
                     0);
}

static void mirror_pods(void **state)
{
    (void)state;
    exists("static", ",'annotations':{'kubernetes.io/config.mirror':'x'}", LEGACY_POD);
    assert_int_equal(count_of((struct test_answer[]){validate(relabel("", ENFORCE("restricted")))}),
                     0);
}

static void many_pods(const char *spec, size_t count)
{
    for (size_t i = 0; i < count; i++)
        exists(cf_arena_printf(arena, "p%05zu", i), "", spec);
}

static void at_most_3000(void **state)
{
    struct test_answer a;

    (void)state;
    many_pods(LEGACY_POD, 3001);
    a = validate(relabel("", ENFORCE("restricted")));
    assert_int_equal(count_of(&a), 2);
    assert_string_equal(warning(&a, 0),
                        "namespace \"base\": namespace-level: only the first 3000 of 3001 "
                        "existing pods were checked against the new level");
    has_part(warning(&a, 1), "(and 2999 other pods)");
}

/* Half of the time has gone before it began. */
static void no_time_left(void **state)
{
    struct cf_review_input in = {.phase = CF_PHASE_VALIDATE,
                                 .policy = policy,
                                 .store = store,
                                 .now = NOW,
                                 .deadline = cf_monotonic_micros() - 1000000};
    struct test_answer a;

    (void)state;
    many_pods(LEGACY_POD, 5);
    a = test_ask(arena, &in, relabel("", ENFORCE("restricted")));
    assert_int_equal(a.rc, 0);
    assert_true(a.allowed);
    assert_int_equal(count_of(&a), 1);
    has_part(warning(&a, 0), "only the first 0 of 5 existing pods were checked");
    in.deadline = cf_monotonic_micros() + 60 * (int64_t)1000000;
    a = test_ask(arena, &in, relabel("", ENFORCE("restricted")));
    has_part(warning(&a, 0), "pod \"p00000\" (and 4 other pods)");
}

/* A finding each: what does not fit is counted. */
static void more_than_fits(void **state)
{
    struct test_answer a;
    size_t total = 0;

    (void)state;
    for (int i = 0; i < 100; i++)
        exists(cf_arena_printf(arena, "p%d", i), "",
               cf_arena_printf(arena,
                               "{'volumes':[{'name':'t','projected':{'sources':[{"
                               "'serviceAccountToken':{'path':'t','expirationSeconds':%d}}]}}]}",
                               100000 + i));
    a = validate(relabel(ENFORCE("privileged"), ENFORCE("baseline")));
    for (int i = 0; i < count_of(&a); i++) {
        assert_true(cf_utf8_count(warning(&a, i)) <= 256);
        total += cf_utf8_count(warning(&a, i));
    }
    assert_true(total < 4096);
    has_part(warning(&a, count_of(&a) - 1), "Curfew has ");
    has_part(warning(&a, count_of(&a) - 1), " more warnings");
    lacks_part(warning(&a, count_of(&a) - 1), "curfew review");
}

/* Names as long as the API allows: the rule and what it says stay. */
static void long_names(void **state)
{
    char name[254];
    struct test_answer a;

    (void)state;
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    add_objects(store, cf_arena_printf(arena,
                                       "{'apiVersion':'v1','kind':'Secret','type':"
                                       "'kubernetes.io/service-account-token','metadata':{'name':"
                                       "'%s','namespace':'base'}}",
                                       name));
    exists(name, "",
           cf_arena_printf(arena, "{'volumes':[{'name':'v','secret':{'secretName':'%s'}}]}", name));
    a = validate(relabel("", ENFORCE("restricted")));
    assert_int_equal(count_of(&a), 1);
    assert_true(cf_utf8_count(warning(&a, 0)) <= 256);
    has_part(warning(&a, 0), "\"restricted\": legacy-token-mount: pod \"nnn");
    has_part(warning(&a, 0), "...\": a volume holds a token that never expires: \"nnn");
}

static void while_nothing_is_known(void **state)
{
    struct cf_store *known = store;
    struct test_answer a;

    (void)state;
    store = cf_store_new(CF_ABSENT_DEPENDS);
    a = validate(relabel("", ENFORCE("restricted")));
    assert_true(a.allowed);
    assert_int_equal(count_of(&a), 1);
    assert_string_equal(warning(&a, 0),
                        "namespace \"base\": namespace-level: existing pods were not checked "
                        "against the new level: Curfew has no current list of them");
    cf_store_free(store);
    store = cf_store_new(CF_ABSENT_IS_UNKNOWN);
    many_pods(LEGACY_POD, 2);
    a = validate(relabel("", ENFORCE("restricted")));
    assert_int_equal(count_of(&a), 1);
    assert_string_equal(
        warning(&a, 0),
        "namespace \"base\": namespace-level: 2 existing pods could not be evaluated: Curfew has "
        "not listed the cluster's legacy Secrets yet");
    cf_store_free(store);
    store = known;
}

/* ---- a new legacy Secret ---- */

static const char *new_secret(const char *type)
{
    return REVIEW(.kind = "Secret", .resource = "secrets", .namespace = "base", .name = "late",
                  .object = cf_arena_printf(arena,
                                            "{'type':'%s','metadata':{'name':'late','annotations':{"
                                            "'kubernetes.io/service-account.name':'web'}}}",
                                            type));
}

#define LEGACY_TYPE "kubernetes.io/service-account-token"
#define LATE_POD "{'volumes':[" MOUNT("t", "late") "]}"

static void a_secret_that_pods_wait_for(void **state)
{
    struct test_answer a;

    (void)state;
    exists("web-7f9-a", OF_WEB, LATE_POD);
    exists("web-7f9-b", OF_WEB, LATE_POD);
    exists("bare", "", LATE_POD);
    exists("other", "", LEGACY_POD);
    a = validate(new_secret(LEGACY_TYPE));
    assert_false(a.allowed);
    assert_int_equal(count_of(&a), 0);
    use_config("exceptions: [{rule: legacy-token-secret, namespace: base, names: [late], until: "
               "2999-12-31, reason: x}]");
    a = validate(new_secret(LEGACY_TYPE));
    assert_true(a.allowed);
    assert_int_equal(count_of(&a), 1);
    assert_string_equal(warning(&a, 0),
                        "secret \"late\": legacy-token-secret: 3 pods name it already, and will "
                        "hold its token: \"bare\", \"web\"");
    assert_int_equal(count_of((struct test_answer[]){validate(new_secret("Opaque"))}), 0);
    use_config("exemptions: {usernames: [alice]}");
    a = validate(new_secret(LEGACY_TYPE));
    assert_true(a.allowed);
    assert_int_equal(count_of(&a), 0);
}

static void a_secret_that_many_wait_for(void **state)
{
    struct test_answer a;

    (void)state;
    many_pods(LATE_POD, 7);
    use_config("exceptions: [{rule: legacy-token-secret, namespace: base, names: [late], until: "
               "2999-12-31, reason: x}]");
    a = validate(new_secret(LEGACY_TYPE));
    has_part(warning(&a, 0), "7 pods name it already");
    has_part(warning(&a, 0), "\"p00003\", \"p00004\" and 2 more");
    many_pods(LATE_POD, 501);
    a = validate(new_secret(LEGACY_TYPE));
    has_part(warning(&a, 0), "501 pods name it already");
    has_part(warning(&a, 0), " and more");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(raised),
        TEST(replicas),
        TEST(not_raised),
        TEST(warn_alone),
        TEST(both),
        TEST(exempt_and_excepted),
        TEST(mirror_pods),
        TEST(at_most_3000),
        TEST(no_time_left),
        TEST(more_than_fits),
        TEST(long_names),
        TEST(while_nothing_is_known),
        TEST(a_secret_that_pods_wait_for),
        TEST(a_secret_that_many_wait_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
