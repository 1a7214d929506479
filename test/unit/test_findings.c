/* SPDX-License-Identifier: Apache-2.0 */
/* More findings than Curfew reports: CF_FINDINGS_MAX of each rule and object. */
#include "reviews.h"

/* `count` copies of a text, comma-joined; each '#' in it is the copy's number. */
static const char *copies(size_t count, size_t from, const char *text)
{
    struct cf_buf buf;

    cf_buf_init_arena(&buf, arena, CF_FILE_MAX);
    for (size_t i = from; i < from + count; i++) {
        if (i > from)
            cf_buf_addc(&buf, ',');
        for (const char *c = text; *c != '\0'; c++) {
            if (*c == '#')
                cf_buf_addf(&buf, "%zu", i);
            else
                cf_buf_addc(&buf, *c);
        }
    }
    return cf_buf_str(&buf);
}

#define SOURCE "{'serviceAccountToken':{'path':'p#','expirationSeconds':1}}"
#define YEAR "{'serviceAccountToken':{'path':'y#','expirationSeconds':3607}}"
#define FROM "{'secretRef':{'name':'web-token'}}"

static const char *spec(const char *sources, const char *env)
{
    return cf_arena_printf(arena,
                           "{'containers':[{'name':'c','envFrom':[%s]}],'volumes':[{'name':'v',"
                           "'projected':{'sources':[%s]}}]}",
                           env, sources);
}

static const char *pod_of(const char *namespace, const char *sources, const char *env)
{
    return review(
        &(struct review){.kind = "Pod",
                         .resource = "pods",
                         .namespace = namespace,
                         .name = "web",
                         .object = cf_arena_printf(arena, "{'metadata':{'name':'web'},'spec':%s}",
                                                   spec(sources, env))});
}

static const char *pod(const char *sources, const char *env)
{
    return pod_of("shop", sources, env);
}

static size_t count_of(const struct cf_evaluation *evaluation, const char *rule, bool *more)
{
    size_t count = 0;

    *more = false;
    for (size_t i = 0; i < evaluation->count; i++) {
        if (!cf_streq(evaluation->items[i].finding.rule->id, rule))
            continue;
        count++;
        assert_false(*more); /* it is the last */
        *more = evaluation->items[i].finding.more;
    }
    return count;
}

static void found_is(const struct cf_evaluation *evaluation, const char *rule, size_t count,
                     bool more)
{
    bool has_more;

    assert_int_equal(count_of(evaluation, rule, &has_more), count);
    assert_int_equal(has_more, more);
}

static void the_first_thousand_are_reported(void **state)
{
    struct cf_evaluation evaluation = judge(pod(copies(1000, 0, SOURCE), ""));

    (void)state;
    found_is(&evaluation, "token-lifetime", 1000, false);
    evaluation = judge(pod(copies(1001, 0, SOURCE), ""));
    found_is(&evaluation, "token-lifetime", 1000, true);
    assert_string_equal(evaluation.items[999].finding.path,
                        "spec.volumes[0].projected.sources[999].serviceAccountToken."
                        "expirationSeconds");
    has_part(evaluation.items[999].finding.what, "and more: of this rule 2 further findings");
}

static void each_rule_has_its_own_limit(void **state)
{
    struct cf_evaluation evaluation = judge(pod(copies(3000, 0, SOURCE), copies(3000, 0, FROM)));

    (void)state;
    found_is(&evaluation, "token-lifetime", 1000, true);
    found_is(&evaluation, "legacy-token-env", 1000, true);
}

static void the_denial_counts_further_findings(void **state)
{
    struct test_answer a = validate(pod(copies(40000, 0, SOURCE), copies(30000, 0, FROM)));

    (void)state;
    assert_false(a.allowed);
    has_part(a.message, "token-lifetime: volume \"v\" requests a token of 1 s");
    has_part(a.message, "token-lifetime: and more: of this rule 39001 further findings");
    has_part(a.message, "legacy-token-env: and more: of this rule 29001 further findings");
    assert_true(strlen(a.message) < 8 * CF_KIB);
}

static void nothing_is_patched_and_a_warning_says_why(void **state)
{
    struct test_answer a = mutate(pod(copies(40000, 0, SOURCE), ""));

    (void)state;
    assert_true(a.allowed);
    assert_null(a.patch);
    assert_string_equal(warning(&a, 0),
                        "pod \"web\": token-lifetime: it has more than 1000 findings, and nothing "
                        "was repaired");
    a = mutate(pod(copies(1000, 0, SOURCE), ""));
    assert_int_equal(cJSON_GetArraySize(a.patch), 1000);
    /* If one rule is above the limit, no rule patches the object. */
    a = mutate(
        pod(cf_arena_printf(arena, "%s,%s", copies(1001, 0, SOURCE), copies(1, 0, YEAR)), ""));
    assert_null(a.patch);
    /* Without mode fix there is no repair, and no warning about a missing one. */
    a = mutate(pod_of("quiet", copies(40000, 0, SOURCE), ""));
    assert_null(a.patch);
    assert_null(a.warnings);
}

/* The annotation holds 2,048 bytes of findings, and says how many there are more. */
static void the_audit_log_has_a_count_of_the_rest(void **state)
{
    struct test_answer a = validate(pod(copies(40, 0, SOURCE), ""));
    const char *findings = cJSON_GetStringValue(cJSON_GetObjectItem(a.annotations, "findings"));
    size_t named = 0;

    (void)state;
    assert_non_null(findings);
    for (const char *at = findings; (at = strstr(at, "token-lifetime ")) != NULL; at++)
        named++;
    assert_true(strlen(findings) > CF_AUDIT_FINDINGS_MAX - 100);
    assert_true(strlen(findings) < CF_AUDIT_FINDINGS_MAX + 100);
    has_part(findings, cf_arena_printf(arena, ", and %zu more", 40 - named));
}

static const char *update(const char *sources, const char *old_sources)
{
    return review(&(struct review){
        .operation = "UPDATE",
        .kind = "Pod",
        .resource = "pods",
        .namespace = "shop",
        .name = "web",
        .object =
            cf_arena_printf(arena, "{'metadata':{'name':'web'},'spec':%s}", spec(sources, "")),
        .old_object = cf_arena_printf(arena, "{'metadata':{'name':'web'},'spec':%s}",
                                      spec(old_sources, ""))});
}

/* The old object's are taken away first, all of them, and then it is counted. */
static void findings_of_the_old_object_do_not_count(void **state)
{
    const char *many = copies(5000, 0, SOURCE);
    const char *one_more = cf_arena_printf(arena, "%s,%s", many, copies(1, 9999, SOURCE));
    struct cf_evaluation evaluation = judge(update(many, many));

    (void)state;
    assert_int_equal(evaluation.count, 0);
    evaluation = judge(update(one_more, many));
    found_is(&evaluation, "token-lifetime", 1, false);
    assert_string_equal(evaluation.items[0].finding.path,
                        "spec.volumes[0].projected.sources[5000].serviceAccountToken."
                        "expirationSeconds");
    /* The new one first, in front of all that were there. */
    one_more = cf_arena_printf(arena, "%s,%s", copies(1, 9999, SOURCE), many);
    evaluation = judge(update(one_more, many));
    found_is(&evaluation, "token-lifetime", 1, false);
    assert_string_equal(evaluation.items[0].finding.path,
                        "spec.volumes[0].projected.sources[0].serviceAccountToken."
                        "expirationSeconds");
    evaluation = judge(update(copies(9000, 0, SOURCE), many));
    found_is(&evaluation, "token-lifetime", 1000, true);
    /* Equal ones count as often as they are there. */
    evaluation = judge(update(copies(1500, 0, "{'serviceAccountToken':{'expirationSeconds':1}}"),
                              copies(1498, 0, "{'serviceAccountToken':{'expirationSeconds':1}}")));
    found_is(&evaluation, "token-lifetime", 2, false);
}

/* Findings that never deny do not deny in any number. */
static void findings_that_never_deny(void **state)
{
    struct test_answer a = validate(pod(copies(5000, 0, YEAR), ""));
    const char *secrets = copies(3000, 0, "{'name':'web-token'}");

    (void)state;
    assert_true(a.allowed);
    a = validate(review(&(struct review){
        .operation = "UPDATE",
        .kind = "ServiceAccount",
        .resource = "serviceaccounts",
        .namespace = "shop",
        .name = "web",
        .object = "{'metadata':{'name':'web'}}",
        .old_object =
            cf_arena_printf(arena, "{'metadata':{'name':'web'},'secrets':[%s]}", secrets)}));
    assert_true(a.allowed);
    has_part(warning(&a, 0), "legacy Secret \"web-token\" leaves secrets[]");
}

/* ---- by hand ---- */

static const struct cf_rule made_up = {.id = "made-up", .title = "made up", .remedy = "none"};

static void add(struct cf_findings *out, size_t count, bool never_denied)
{
    for (size_t i = 0; i < count; i++) {
        struct cf_finding *f = cf_finding_add(out, "k", NULL, "1");

        assert_non_null(f);
        f->never_denied = never_denied;
        cf_finding_what(out, f, "what");
    }
}

static void one_reason_to_deny_is_not_lost(void **state)
{
    struct cf_findings out = {.arena = arena};

    (void)state;
    cf_findings_begin(&out, &made_up, NULL, false);
    add(&out, 5000, true);
    cf_findings_end(&out);
    assert_int_equal(out.count, 1000);
    assert_true(out.items[999].never_denied);
    cf_findings_begin(&out, &made_up, NULL, false);
    add(&out, 5000, true);
    add(&out, 1, false);
    add(&out, 10, true);
    cf_findings_end(&out);
    assert_int_equal(out.count, 2000);
    assert_true(out.items[1999].more);
    assert_false(out.items[1999].never_denied);
    /* The very last. */
    cf_findings_begin(&out, &made_up, NULL, false);
    add(&out, 5000, true);
    add(&out, 1, false);
    cf_findings_end(&out);
    assert_false(out.items[2999].never_denied);
}

/* Findings above the limit use no memory. */
static void findings_above_the_limit_use_no_memory(void **state)
{
    struct cf_findings out = {.arena = arena};
    size_t before;

    (void)state;
    cf_findings_begin(&out, &made_up, NULL, false);
    add(&out, 1000, false);
    before = cf_arena_used(arena);
    add(&out, 100000, false);
    assert_int_equal(cf_arena_used(arena), before);
    cf_findings_end(&out);
}

static void prints_are_a_multiset(void **state)
{
    struct cf_prints *prints = cf_prints_new(arena);
    struct cf_finding a = {.key = "a", .value = "1"}, b = {.key = "a", .value = "2"},
                      c = {.key = "a1", .value = ""};

    (void)state;
    assert_false(cf_prints_take(prints, &a));
    for (int i = 0; i < 1000; i++)
        assert_true(cf_prints_add(prints, &a));
    for (int i = 0; i < 1000; i++) {
        struct cf_finding other = {.key = cf_arena_printf(arena, "k%d", i), .value = "1"};

        assert_true(cf_prints_add(prints, &other));
    }
    assert_true(cf_prints_add(prints, &b));
    assert_int_equal(cf_prints_count(prints), 2001);
    assert_false(cf_prints_take(prints, &c));
    assert_true(cf_prints_take(prints, &b));
    assert_false(cf_prints_take(prints, &b));
    for (int i = 0; i < 1000; i++)
        assert_true(cf_prints_take(prints, &a));
    assert_false(cf_prints_take(prints, &a));
    assert_true(cf_prints_add(prints, &a));
    assert_true(cf_prints_take(prints, &a));
    assert_int_equal(cf_prints_count(prints), 1000);
}

/* ---- names without end ---- */

static void names_without_end_are_not_repeated(void **state)
{
    size_t len = 1 << 20;
    char *name = cf_arena_alloc(arena, len + 1);
    struct test_answer a;

    (void)state;
    memset(name, 'n', len);
    a = validate(review(&(struct review){
        .kind = "Pod",
        .resource = "pods",
        .namespace = "shop",
        .object = cf_arena_printf(arena,
                                  "{'metadata':{'name':'%s'},'spec':{'containers':[{'name':'%s',"
                                  "'envFrom':[%s]}]}}",
                                  name, name, copies(5000, 0, FROM))}));
    assert_false(a.allowed);
    assert_true(strlen(a.text) < 64 * CF_KIB);
    has_part(a.message, "nnn");
}

/* Two long names with the same start stay different when they are shortened. */
static void long_names_stay_different(void **state)
{
    char name[400], other[400];
    const char *fit;

    (void)state;
    memset(name, 'n', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    memcpy(other, name, sizeof(name));
    other[sizeof(other) - 2] = 'o';
    fit = cf_name_fit(arena, name);
    assert_true(strlen(fit) <= CF_NAME_MAX);
    assert_string_equal(fit, cf_name_fit(arena, name));
    assert_string_not_equal(fit, cf_name_fit(arena, other));
    name[CF_NAME_MAX] = '\0';
    assert_ptr_equal(cf_name_fit(arena, name), name);
    assert_null(cf_name_fit(arena, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_first_thousand_are_reported),
        TEST(each_rule_has_its_own_limit),
        TEST(the_denial_counts_further_findings),
        TEST(the_audit_log_has_a_count_of_the_rest),
        TEST(nothing_is_patched_and_a_warning_says_why),
        TEST(findings_of_the_old_object_do_not_count),
        TEST(findings_that_never_deny),
        TEST(one_reason_to_deny_is_not_lost),
        TEST(findings_above_the_limit_use_no_memory),
        TEST(prints_are_a_multiset),
        TEST(names_without_end_are_not_repeated),
        TEST(long_names_stay_different),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
