/* SPDX-License-Identifier: Apache-2.0 */
/* What copied-token means for the answer, beyond its fixtures: levels, wiping, and that no answer
 * ever holds a part of a token. */
#include "test.h"
#include "answer.h"
#include "sign.h"

#include "curfew/attr.h"
#include "curfew/buf.h"
#include "curfew/config.h"
#include "curfew/limits.h"
#include "curfew/rule.h"
#include "curfew/str.h"
#include "curfew/token.h"

static struct cf_arena *arena;
static struct cf_policy *policy;
static struct cf_store *store;
static char *legacy, *week,
    *hours; /* tokens that never expire, expire after a week, after two hours */

static char *token_of(int64_t life)
{
    char claims[256], *text, *out;

    snprintf(claims, sizeof(claims),
             "{\"kubernetes.io\":{\"namespace\":\"shop\"},\"iat\":4070908800,\"exp\":%lld}",
             4070908800LL + (long long)life);
    text = test_unsigned("{\"alg\":\"ES256\"}", claims);
    out = test_join(text, "c2lnbmF0dXJlb2Zub2JvZHk");
    free(text);
    return out;
}

static int set_up(void **state)
{
    (void)state;
    cf_json_init();
    arena = cf_arena_new(CF_ARENA_MAX);
    policy = cf_policy_new(cf_rule_configs(), cf_rule_count);
    store = cf_store_new(CF_ABSENT_IS_PLAIN);
    legacy = test_file("test/tokens/legacy.jwt");
    week = token_of(7 * 86400);
    hours = token_of(7200);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(legacy);
    free(week);
    free(hours);
    cf_store_free(store);
    cf_policy_free(policy);
    cf_arena_free(arena);
    return 0;
}

static struct test_answer ask_as(const char *operation, const char *kind, const char *object,
                                 const char *more)
{
    const struct cf_review_input in = {
        .phase = CF_PHASE_VALIDATE, .policy = policy, .store = store, .now = 4070908800};
    char *review = NULL;
    struct test_answer a;

    assert_true(
        asprintf(&review,
                 "{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\","
                 "\"request\":{\"uid\":\"u\",\"operation\":\"%s\",\"namespace\":\"shop\","
                 "\"name\":\"x\",\"kind\":{\"group\":\"\",\"kind\":\"%s\"},\"object\":%s%s}}",
                 operation, kind, object, more) > 0);
    cf_arena_reset(arena, true);
    a = test_ask(arena, &in, review);
    free(review);
    return a;
}

static struct test_answer ask(const char *kind, const char *object, const char *more)
{
    return ask_as("CREATE", kind, object, more);
}

static struct test_answer ask_pod(const char *value)
{
    char *object = NULL;
    struct test_answer a;

    assert_true(asprintf(&object,
                         "{\"spec\":{\"containers\":[{\"name\":\"c\",\"env\":[{\"name\":\"T\","
                         "\"value\":\"%s\"}]}]}}",
                         value) > 0);
    a = ask("Pod", object, "");
    free(object);
    return a;
}

static void what_held_a_token_is_wiped(void **state)
{
    struct test_answer a = ask_pod(legacy);
    char *object = NULL, *old = NULL;

    (void)state;
    assert_true(a.holds_secret);
    assert_false(ask_pod("value").holds_secret);
    assert_true(asprintf(&object, "{\"metadata\":{\"annotations\":{\"a\":\"%s\"}}}", legacy) > 0);
    assert_true(ask("Pod", object, "").holds_secret);
    assert_true(asprintf(&old, ",\"oldObject\":%s", object) > 0);
    /* Also when the token is not new, so that there is no finding, or when the update removes it.
     */
    a = ask_as("UPDATE", "Pod", object, old);
    assert_true(a.allowed);
    assert_true(a.holds_secret);
    assert_true(ask_as("UPDATE", "Pod", "{}", old).holds_secret);
    assert_false(ask_as("UPDATE", "Pod", "{}", ",\"oldObject\":{}").holds_secret);
    free(object);
    free(old);
    assert_true(ask("ConfigMap", "{\"data\":{\"a\":\"b\"}}", "").holds_secret);
    assert_true(ask("Secret", "{\"data\":{\"a\":\"Yg==\"}}", "").holds_secret);
}

/* The level of the server's configuration, and the message. */
static void denied_at_baseline(void **state)
{
    struct test_answer a = ask_pod(legacy);

    (void)state;
    assert_false(a.allowed);
    assert_true(cf_starts_with(a.message,
                               "pod \"x\" violates Curfew level \"baseline\": copied-token: "
                               "variable \"T\" of container \"c\" holds a copied token "
                               "that never expires\n"));
    assert_non_null(strstr(a.message, "best effort"));
}

/* Two hours are too long at restricted (warn and audit), and well at baseline (enforce). */
static void each_mode_has_its_own_max(void **state)
{
    struct test_answer a = ask_pod(hours);

    (void)state;
    assert_true(a.allowed);
    assert_true(test_warned(&a, "would violate Curfew level \"restricted\": copied-token: variable "
                                "\"T\" of container \"c\" holds a copied token that lives 2 h"));
}

/* Tokens of one text are findings of their own, at each level. */
static void several_tokens_of_one_text(void **state)
{
    char *value = NULL;
    struct test_answer a;

    (void)state;
    assert_true(asprintf(&value, "%s %s %s %s", hours, week, legacy, week) > 0);
    a = ask_pod(value);
    assert_false(a.allowed);
    assert_non_null(strstr(a.message, "lives 7 days (and 1 more)\n"));
    assert_non_null(strstr(a.message, "ends at 2099-01-08T00:00:00Z; it may live 24 h at most"));
    assert_null(strstr(a.message, "2099-01-01T02:00:00Z"));
    assert_true(test_warned(&a, "lives 2 h"));
    free(value);
}

/* A key of annotations may be any text until the API server has validated the object. */
static void a_key_that_is_a_token(void **state)
{
    char *object = NULL;
    struct test_answer a;

    (void)state;
    assert_true(asprintf(&object, "{\"metadata\":{\"annotations\":{\"k.%s\":\"%s\"}}}", legacy,
                         legacy) > 0);
    a = ask("Pod", object, "");
    assert_false(a.allowed);
    assert_non_null(strstr(a.text, "copied-token metadata.annotations"));
    assert_non_null(strstr(a.text, "[redacted]"));
    assert_null(strstr(a.text, "eyJ"));
    free(object);
}

static void templates_are_warned_about(void **state)
{
    char *object = NULL;
    struct test_answer a;

    (void)state;
    assert_true(
        asprintf(&object,
                 "{\"template\":{\"spec\":{\"containers\":[{\"name\":\"c\",\"args\":[\"%s\"]}]}}}",
                 legacy) > 0);
    a = ask("PodTemplate", object, "");
    assert_true(a.allowed);
    assert_true(test_warned(&a, "copied-token: an argument of container \"c\" holds"));
    free(object);
}

/* The server reads Secrets and ConfigMaps only with `contents: true`. */
static void contents_only_with_the_option(void **state)
{
    static const char config[] = "apiVersion: curfew.dev/v1alpha1\nkind: CurfewConfiguration\n"
                                 "contents: true\n";
    struct cf_policy *without = policy;
    char *object = NULL;
    struct cf_err err;

    (void)state;
    assert_true(asprintf(&object,
                         "{\"metadata\":{\"annotations\":{\"a\":\"%s\"}},\"data\":{\"a\":\"%s\"}}",
                         legacy, legacy) > 0);
    assert_true(ask("ConfigMap", object, "").allowed);
    assert_true(ask("Secret", object, "").allowed);
    policy = cf_policy_parse(config, sizeof(config) - 1, "c.yaml", cf_rule_configs(), cf_rule_count,
                             0, &err);
    assert_non_null(policy);
    assert_int_equal(policy->notes.count, 0);
    assert_false(ask("ConfigMap", object, "").allowed);
    assert_false(ask("Secret", object, "").allowed);
    /* What a client sends cannot make a manifest of a request. */
    cf_policy_free(policy);
    policy = without;
    assert_true(ask("ConfigMap", object, ",\"manifest\":true,\"resource\":{}").allowed);
    free(object);
}

/* No run of characters of a token is in any answer: eight are too many for chance. */
static void no_part_of_a_token_is_told(void **state)
{
    static const char *const wrappings[] = {"%s", "Bearer %s", "x %s y %s"};
    const char *tokens[] = {legacy, week, hours};

    (void)state;
    for (size_t i = 0; i < CF_COUNT(tokens); i++) {
        for (size_t j = 0; j < CF_COUNT(wrappings); j++) {
            char value[8192];
            struct test_answer a;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            snprintf(value, sizeof(value), wrappings[j], tokens[i], tokens[i]);
#pragma GCC diagnostic pop
            a = ask_pod(value);
            for (const char *p = tokens[i]; strlen(p) >= 8; p++) {
                char part[9] = {0};

                memcpy(part, p, 8);
                assert_null(strstr(a.text, part));
            }
        }
    }
}

/* ---- what is not read ---- */

/* A token that never expires with an audience of that many bytes. */
static char *long_token(size_t audience)
{
    char *claims = NULL, *text, *out;

    assert_true(asprintf(&claims, "{\"aud\":\"%0*d\",\"kubernetes.io\":{\"namespace\":\"shop\"}}",
                         (int)audience, 7) > 0);
    text = test_unsigned("{\"alg\":\"ES256\"}", claims);
    out = test_join(text, "c2lnbmF0dXJlb2Zub2JvZHk");
    free(text);
    free(claims);
    return out;
}

static struct test_answer ask_pods(const char *operation, const char *value, const char *old)
{
    char *object = NULL, *more = strdup("");
    struct test_answer a;

    assert_true(asprintf(&object, "{\"metadata\":{\"annotations\":{\"a\":\"%s\"}}}", value) > 0);
    if (old != NULL) {
        free(more);
        assert_true(asprintf(&more,
                             ",\"oldObject\":{\"metadata\":{\"annotations\":{\"a\":\"%s\"}}}",
                             old) > 0);
    }
    a = ask_as(operation, "Pod", object, more);
    free(more);
    free(object);
    return a;
}

static void denied_for(const char *value, const char *why)
{
    struct test_answer a = ask_pods("CREATE", value, NULL);

    assert_false(a.allowed);
    assert_non_null(strstr(a.message,
                           "copied-token: annotation \"a\" could not be searched completely "
                           "for copied tokens\n"));
    assert_non_null(strstr(a.message, why));
    assert_null(strstr(a.text, "eyJ"));
    /* It was there before. */
    assert_true(ask_pods("UPDATE", value, value).allowed);
    assert_false(ask_pods("UPDATE", value, "another").allowed);
}

static void too_long_to_be_read(void **state)
{
    char *token = long_token(13000), *longest = long_token(11000), *huge = long_token(700000);

    (void)state;
    denied_for(token, "it holds what looks like a token of more than 16 KiB, which was not read");
    denied_for(huge, "more than 16 KiB");
    assert_false(ask_pods("UPDATE", token, huge).allowed);
    assert_non_null(strstr(ask_pods("CREATE", longest, NULL).message, "that never expires"));
    free(token);
    free(longest);
    free(huge);
}

static void too_deep_to_be_read(void **state)
{
    char *text = strdup(legacy);

    (void)state;
    for (unsigned n = 1; n < 7; n++) {
        char *outer = test_base64(text, strlen(text));

        free(text);
        text = outer;
        if (n > CF_TOKEN_LAYERS)
            denied_for(text, "under more than three layers of base64, which was not read");
        else
            assert_non_null(strstr(ask_pods("CREATE", text, NULL).message, "that never expires"));
    }
    free(text);
}

/* Harmless strings before a token: they are read up to a number that no API server stores. */
static void too_many_to_be_read(void **state)
{
    struct cf_buf text;

    (void)state;
    cf_buf_init(&text, 16 * CF_MIB);
    for (unsigned i = 0; i < CF_TOKEN_TRIES_MAX; i++) {
        cf_buf_addf(&text,
                    "eyJhbGciOiJFUzI1NiJ9.eyJrdWJlcm5ldGVzLmlvIjp7fSwiaWF0IjoxLCJleHAiOjJ9.c%06u ",
                    i);
        if (i == 20000) {
            size_t len = text.len;
            struct test_answer a;

            cf_buf_adds(&text, legacy);
            a = ask_pods("CREATE", cf_buf_str(&text), NULL);
            assert_false(a.allowed);
            assert_non_null(strstr(a.message, "that never expires"));
            text.len = len;
        }
    }
    assert_true(ask_pods("CREATE", cf_buf_str(&text), NULL).allowed);
    cf_buf_adds(&text, legacy);
    denied_for(cf_buf_str(&text),
               "the object holds more than 32768 strings that look like tokens, and "
               "the rest was not read");
    cf_buf_free(&text);
}

/* Every one of thousands counts, wherever the bad one is. */
static void all_of_a_text_are_judged(void **state)
{
    struct cf_buf text;
    struct test_answer a;

    (void)state;
    cf_buf_init(&text, 16 * CF_MIB);
    for (unsigned i = 0; i < 300; i++)
        cf_buf_addf(&text,
                    "eyJhbGciOiJFUzI1NiJ9.eyJrdWJlcm5ldGVzLmlvIjp7fSwiaWF0IjoxLCJleHAiOjJ9.c%06u ",
                    i);
    cf_buf_adds(&text, legacy);
    a = ask_pods("CREATE", cf_buf_str(&text), NULL);
    assert_false(a.allowed);
    assert_non_null(strstr(a.message, "holds a copied token that never expires"));
    cf_buf_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_held_a_token_is_wiped),
        cmocka_unit_test(denied_at_baseline),
        cmocka_unit_test(each_mode_has_its_own_max),
        cmocka_unit_test(several_tokens_of_one_text),
        cmocka_unit_test(a_key_that_is_a_token),
        cmocka_unit_test(templates_are_warned_about),
        cmocka_unit_test(contents_only_with_the_option),
        cmocka_unit_test(no_part_of_a_token_is_told),
        cmocka_unit_test(too_long_to_be_read),
        cmocka_unit_test(too_deep_to_be_read),
        cmocka_unit_test(too_many_to_be_read),
        cmocka_unit_test(all_of_a_text_are_judged),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
