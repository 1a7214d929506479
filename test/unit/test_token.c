/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"
#include "sign.h"

#include "curfew/base64.h"
#include "curfew/json.h"
#include "curfew/limits.h"
#include "curfew/str.h"
#include "curfew/token.h"

#define HEADER "{\"alg\":\"ES256\",\"kid\":\"k\"}"
#define HOUR INT64_C(3600)

static struct cf_arena *arena;

static int set_up(void **state)
{
    (void)state;
    cf_json_init();
    arena = cf_arena_new(CF_TOKEN_ARENA_MAX);
    return arena != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    cf_arena_free(arena);
    return 0;
}

/* Decodes header and claims, with a signature that is not checked. */
static int decode(const char *header, const char *claims, struct cf_token *out, struct cf_err *err)
{
    char *text = test_unsigned(header, claims), *whole = test_join(text, "c2ln");
    int rc;

    cf_arena_reset(arena, true);
    rc = cf_token_decode(arena, whole, strlen(whole), out, err);
    free(text);
    free(whole);
    return rc;
}

static void refused(const char *header, const char *claims, const char *sentence)
{
    struct cf_token token = {.alg = "untouched"};
    struct cf_err err = {0};

    assert_int_equal(decode(header, claims, &token, &err), -1);
    assert_string_equal(token.alg, "untouched");
    assert_int_equal(err.kind, CF_ERR_INPUT);
    if (strncmp(err.msg, sentence, strlen(sentence)) != 0)
        fail_msg("'%s' is not '%s'", err.msg, sentence);
}

static struct cf_token claims(const char *text)
{
    struct cf_token token;
    struct cf_err err = {0};

    if (decode(HEADER, text, &token, &err) != 0)
        fail_msg("%s: %s", text, err.msg);
    return token;
}

/* ---- bad input ---- */

static void no_three_parts(void **state)
{
    static const char *const texts[] = {"",    ".", "a",  "a.b",     "eyJ", "a.b.c.d",
                                        "...", " ", "\n", "e30.e30", "e30", "..."};
    struct cf_token token;
    struct cf_err err;

    (void)state;
    for (size_t i = 0; i < CF_COUNT(texts); i++) {
        cf_arena_reset(arena, true);
        assert_int_equal(cf_token_decode(arena, texts[i], strlen(texts[i]), &token, &err), -1);
        assert_true(err.kind == CF_ERR_INPUT);
        if (texts[i][0] != '\0')
            assert_null(strstr(err.msg, "eyJ"));
    }
    assert_int_equal(cf_token_decode(arena, "e30.e30.", 8, &token, &err), -1);
    assert_string_equal(err.msg, "'alg' is missing");
}

static void bad_parts(void **state)
{
    static const struct {
        const char *text, *sentence;
    } cases[] = {
        {"=.e30.c2ln", "header: not base64url"},
        {"e30=.e30.c2ln", "header: not base64url"},
        {"e3 0.e30.c2ln", "header: not base64url"},
        {"eyJhbGciOiIifQ.e3+0.c2ln", "claims: not base64url"},
        {"eyJhbGciOiIifQ.e3/0.c2ln", "claims: not base64url"},
        {"eyJhbGciOiIifQ.e.c2ln", "claims: not base64url"},
        {"eyJhbGciOiIifQ.e31.c2ln", "claims: not base64url"}, /* bits left over */
        {"eyJhbGciOiIifQ.e30.c2l\n", "signature: not base64url"},
        {"eyJhbGciOiIifQ.e30.c", "signature: not base64url"},
        {".e30.c2ln", "header: invalid JSON: empty"},
        {"eyJhbGciOiIifQ..c2ln", "claims: invalid JSON: empty"},
        {"W10.e30.c2ln", "header: not a JSON object"},
        {"eyJhbGciOiIifQ.MQ.c2ln", "claims: not a JSON object"},
    };
    struct cf_token token;
    struct cf_err err;

    (void)state;
    for (size_t i = 0; i < CF_COUNT(cases); i++) {
        cf_arena_reset(arena, true);
        assert_int_equal(cf_token_decode(arena, cases[i].text, strlen(cases[i].text), &token, &err),
                         -1);
        if (!cf_starts_with(err.msg, cases[i].sentence))
            fail_msg("%s: '%s' is not '%s'", cases[i].text, err.msg, cases[i].sentence);
    }
}

static void bad_json(void **state)
{
    (void)state;
    refused("{", "{}", "header: invalid JSON at byte 1: unexpected end");
    refused(HEADER, "{\"exp\":1", "claims: invalid JSON");
    refused(HEADER, "{\"exp\":1,\"exp\":2}", "claims: invalid JSON: duplicate key 'exp'");
    refused("{\"alg\":\"ES256\",\"alg\":\"none\"}", "{}",
            "header: invalid JSON: duplicate key 'alg'");
    refused(HEADER, "{} {}", "claims: invalid JSON: unexpected bytes");
    refused(HEADER, "{\"a\":\"\xff\"}", "claims: invalid JSON");
}

/* RFC 7515, 4: the last one, as libjwt takes it. */
static void a_name_in_two_forms(void **state)
{
    struct cf_token token;
    struct cf_err err = {0};

    (void)state;
    assert_int_equal(decode("{\"alg\":\"ES256\",\"\\u0061lg\":\"none\"}", "{}", &token, &err), 0);
    assert_string_equal(token.alg, "none");
    assert_int_equal(decode("{\"\\u0061lg\":\"none\",\"alg\":\"ES256\"}", "{}", &token, &err), 0);
    assert_string_equal(token.alg, "ES256");
}

static void wrong_types(void **state)
{
    static const char *const strings[] = {"iss", "sub", "jti"};
    static const char *const times[] = {"exp", "iat", "nbf"};
    char text[256], wanted[128];

    (void)state;
    for (size_t i = 0; i < CF_COUNT(strings); i++) {
        snprintf(text, sizeof(text), "{\"%s\":1}", strings[i]);
        snprintf(wanted, sizeof(wanted), "'%s' is not a string", strings[i]);
        refused(HEADER, text, wanted);
    }
    for (size_t i = 0; i < CF_COUNT(times); i++) {
        static const char *const values[] = {
            "\"1\"", "1.5", "1e3", "true", "[]", "{}", "9223372036854775808"};

        for (size_t j = 0; j < CF_COUNT(values); j++) {
            snprintf(text, sizeof(text), "{\"%s\":%s}", times[i], values[j]);
            snprintf(wanted, sizeof(wanted), "'%s' is not a whole number", times[i]);
            refused(HEADER, text, wanted);
        }
    }
    refused(HEADER, "{\"aud\":1}", "'aud' is not a string or an array of strings");
    refused(HEADER, "{\"aud\":[\"a\",1]}", "'aud' is not a string or an array of strings");
    refused(HEADER, "{\"aud\":{}}", "'aud' is not a string or an array of strings");
    refused(HEADER, "{\"kubernetes.io\":1}", "'kubernetes.io' is not an object");
    refused(HEADER, "{\"kubernetes.io\":{\"pod\":\"p\"}}", "'pod' is not an object");
    refused(HEADER, "{\"kubernetes.io\":{\"pod\":{\"name\":1}}}", "'name' is not a string");
    refused(HEADER, "{\"kubernetes.io\":{\"warnafter\":\"1\"}}", "'warnafter' is not");
    refused("{\"alg\":1}", "{}", "'alg' is not a string");
    refused("{\"kid\":\"x\"}", "{}", "'alg' is missing");
    refused("{\"alg\":\"ES256\",\"kid\":1}", "{}", "'kid' is not a string");
    refused("{\"alg\":\"ES256\",\"typ\":[]}", "{}", "'typ' is not a string");
}

static void huge_tokens(void **state)
{
    size_t len = CF_TOKEN_MAX * 4;
    char *text = malloc(len + 1);
    struct cf_token token;
    struct cf_err err;

    (void)state;
    memset(text, 'A', len);
    text[len] = '\0';
    memcpy(text, "eyJhbGciOiIifQ.e30.", 19);
    assert_int_equal(cf_token_decode(arena, text, CF_TOKEN_MAX + 1, &token, &err), -1);
    assert_string_equal(err.msg, "16385 bytes; a token has at most 16384");
    cf_arena_reset(arena, true);
    assert_int_equal(cf_token_decode(arena, text, CF_TOKEN_MAX - 1, &token, &err), 0);
    free(text);
}

/* Claims that take more room than a token may: an error, and nothing else. */
static void claims_without_room(void **state)
{
    size_t count = CF_TOKEN_MAX / 3;
    char *text = malloc(count * 2 + 64), *to = text + sprintf(text, "{\"a\":[0");
    struct cf_arena *small = cf_arena_new(32 * CF_KIB);
    struct cf_token token;
    struct cf_err err;
    char *made, *whole;

    (void)state;
    for (size_t i = 1; i < count; i++)
        to += sprintf(to, ",0");
    strcpy(to, "]}");
    made = test_unsigned(HEADER, text);
    whole = test_join(made, "c2ln");
    assert_true(strlen(whole) < CF_TOKEN_MAX);
    assert_int_equal(cf_token_decode(small, whole, strlen(whole), &token, &err), -1);
    assert_int_equal(err.kind, CF_ERR_SYSTEM);
    cf_arena_free(small);
    free(made);
    free(whole);
    free(text);
}

/* A prefix of a token is not a token, and no byte after its end is read. */
static void cut_anywhere(void **state)
{
    char *text = test_file("test/tokens/pod-bound-1h.jwt");
    size_t len = strlen(text), signature = (size_t)(strrchr(text, '.') - text) + 1;
    struct cf_token token;
    struct cf_err err;

    (void)state;
    for (size_t cut = 0; cut <= len; cut++) {
        char *part = malloc(cut > 0 ? cut : 1);
        int rc;

        memcpy(part, text, cut);
        cf_arena_reset(arena, true);
        rc = cf_token_decode(arena, part, cut, &token, &err);
        if (cut < signature)
            assert_int_equal(rc, -1);
        free(part);
    }
    free(text);
}

/* Any byte changed to any other: never more than an answer. */
static void changed_anywhere(void **state)
{
    char *text = test_file("test/tokens/extended-1y.jwt");
    size_t len = strlen(text), read = 0;
    struct cf_token token;

    (void)state;
    for (size_t i = 0; i < len; i++) {
        char was = text[i];

        for (int c = 0; c < 256; c += 7) {
            text[i] = (char)c;
            cf_arena_reset(arena, true);
            read += cf_token_decode(arena, text, len, &token, NULL) == 0;
        }
        text[i] = was;
    }
    assert_true(read > 0);
    free(text);
}

/* ---- what a token says ---- */

static void a_legacy_token(void **state)
{
    char *text = test_file("test/tokens/legacy.jwt");
    struct cf_token t;
    struct cf_err err;
    int64_t life;

    (void)state;
    assert_int_equal(cf_token_decode(arena, text, strlen(text), &t, &err), 0);
    assert_string_equal(t.alg, "ES256");
    assert_string_equal(t.kid, "5pJWzPF1Mv-wCQVYSrG0wb1w5VlJe1sZgRtAGud-TE4");
    assert_string_equal(t.issuer, "kubernetes/serviceaccount");
    assert_string_equal(t.subject, "system:serviceaccount:shop:web");
    assert_string_equal(t.namespace, "shop");
    assert_string_equal(t.account, "web");
    assert_string_equal(t.account_uid, "31cc17da-0825-4c17-be5b-899ca1f65d6a");
    assert_string_equal(t.secret, "web-token");
    assert_true(t.service_account && t.legacy_issuer);
    assert_null(t.jti);
    assert_false(t.has_exp || t.has_iat || t.has_nbf || t.has_warn_after || t.critical);
    assert_int_equal(t.audience_count, 0);
    assert_int_equal(cf_token_kind(&t, HOUR), CF_TOKEN_LEGACY);
    assert_int_equal(cf_token_kind(&t, INT64_MAX), CF_TOKEN_LEGACY);
    assert_false(cf_token_lifetime(&t, &life));
    assert_true(cf_token_outlives(&t, INT64_MAX));
    assert_false(cf_token_expired(&t, INT64_MAX));
    assert_false(cf_token_stale(&t, INT64_MAX));
    free(text);
}

static void a_bound_token(void **state)
{
    char *text = test_file("test/tokens/pod-bound-1h.jwt");
    struct cf_token t;
    struct cf_err err;
    int64_t life;

    (void)state;
    assert_int_equal(cf_token_decode(arena, text, strlen(text), &t, &err), 0);
    assert_string_equal(t.jti, "2bb96694-ee8d-4bf7-aa09-048865ed8e15");
    assert_string_equal(t.pod, "legacy-mount");
    assert_string_equal(t.node, "n1");
    assert_null(t.secret);
    assert_int_equal(t.audience_count, 1);
    assert_string_equal(t.audiences[0], "https://kubernetes.default.svc.cluster.local");
    assert_true(cf_token_lifetime(&t, &life));
    assert_int_equal(life, HOUR);
    assert_int_equal(cf_token_kind(&t, HOUR), CF_TOKEN_BOUND);
    assert_int_equal(cf_token_kind(&t, HOUR - 1), CF_TOKEN_LONG);
    assert_false(cf_token_expired(&t, t.exp - 1));
    assert_true(cf_token_expired(&t, t.exp));
    free(text);
}

static void kinds_of_the_recorded_tokens(void **state)
{
    static const struct {
        const char *file;
        enum cf_token_kind kind;
        bool warns;
    } cases[] = {
        {"test/tokens/bound-1h-unbound-object.jwt", CF_TOKEN_UNBOUND, false},
        {"test/tokens/extended-1y.jwt", CF_TOKEN_EXTENDED, true},
        {"test/tokens/legacy.jwt", CF_TOKEN_LEGACY, false},
        {"test/tokens/pod-bound-1h.jwt", CF_TOKEN_BOUND, false},
        {"test/tokens/stale.jwt", CF_TOKEN_EXTENDED, true},
    };

    (void)state;
    for (size_t i = 0; i < CF_COUNT(cases); i++) {
        char *text = test_file(cases[i].file);
        struct cf_token t;
        struct cf_err err;

        cf_arena_reset(arena, true);
        assert_int_equal(cf_token_decode(arena, text, strlen(text), &t, &err), 0);
        assert_int_equal(cf_token_kind(&t, HOUR), cases[i].kind);
        assert_int_equal(t.has_warn_after, cases[i].warns);
        if (t.has_warn_after) {
            assert_false(cf_token_stale(&t, t.warn_after));
            assert_true(cf_token_stale(&t, t.warn_after + 1));
        }
        free(text);
    }
}

#define BOUND_TO(what, from, to) "{\"kubernetes.io\":{" what "},\"iat\":" #from ",\"exp\":" #to "}"

static void kinds(void **state)
{
    struct cf_token t;

    (void)state;
    t = claims("{}");
    assert_int_equal(cf_token_kind(&t, HOUR), CF_TOKEN_OTHER);
    t = claims("{\"iss\":\"https://accounts.example.com\",\"sub\":\"system:serviceaccount:a:b\"}");
    assert_int_equal(cf_token_kind(&t, HOUR), CF_TOKEN_OTHER);
    assert_null(t.account);
    /* An expiry that the API server ignores does not count. */
    t = claims("{\"iss\":\"kubernetes/serviceaccount\",\"iat\":0,\"exp\":10}");
    assert_int_equal(cf_token_kind(&t, HOUR), CF_TOKEN_LEGACY);
    assert_false(cf_token_expired(&t, 20));
    t = claims("{\"kubernetes.io\":{}}");
    assert_int_equal(cf_token_kind(&t, HOUR), CF_TOKEN_LEGACY);
    t = claims("{\"kubernetes.io\":{},\"exp\":10}");
    assert_int_equal(cf_token_kind(&t, HOUR), CF_TOKEN_LONG); /* unknown */
    t = claims("{\"kubernetes.io\":{},\"exp\":10,\"nbf\":1}");
    assert_int_equal(cf_token_kind(&t, HOUR), CF_TOKEN_UNBOUND);
    t = claims(BOUND_TO("", 0, 3600));
    assert_int_equal(cf_token_kind(&t, HOUR), CF_TOKEN_UNBOUND);
    t = claims(BOUND_TO("", 0, 3601));
    assert_int_equal(cf_token_kind(&t, HOUR), CF_TOKEN_LONG);
    t = claims(BOUND_TO("\"node\":{\"name\":\"n\"}", 0, 3600));
    assert_int_equal(cf_token_kind(&t, HOUR), CF_TOKEN_BOUND);
    t = claims(BOUND_TO("\"secret\":{\"name\":\"s\"}", 0, 3600));
    assert_int_equal(cf_token_kind(&t, HOUR), CF_TOKEN_BOUND);
    /* A year: extended for a pod, requested otherwise. */
    t = claims(BOUND_TO("\"pod\":{\"name\":\"p\"}", 0, 31536000));
    assert_int_equal(cf_token_kind(&t, HOUR), CF_TOKEN_EXTENDED);
    t = claims(BOUND_TO("\"pod\":{\"name\":\"p\"}", 0, 31449599));
    assert_int_equal(cf_token_kind(&t, HOUR), CF_TOKEN_LONG);
    t = claims(BOUND_TO("", 0, 31536000));
    assert_int_equal(cf_token_kind(&t, HOUR), CF_TOKEN_LONG);
    t = claims(BOUND_TO("\"warnafter\":3607,\"pod\":{\"name\":\"p\"}", 0, 7776000));
    assert_int_equal(cf_token_kind(&t, HOUR), CF_TOKEN_EXTENDED);
    for (int kind = 0; kind < CF_TOKEN_KINDS; kind++)
        assert_non_null(cf_token_kind_name((enum cf_token_kind)kind));
}

static void lifetimes_do_not_wrap(void **state)
{
    struct cf_token t;
    int64_t life;

    (void)state;
    t = claims(BOUND_TO("", -9223372036854775808, 9223372036854775807));
    assert_true(cf_token_lifetime(&t, &life));
    assert_int_equal(life, INT64_MAX);
    assert_int_equal(cf_token_kind(&t, HOUR), CF_TOKEN_LONG);
    t = claims(BOUND_TO("", 9223372036854775807, -9223372036854775808));
    assert_true(cf_token_lifetime(&t, &life));
    assert_int_equal(life, INT64_MIN);
    assert_int_equal(cf_token_kind(&t, HOUR), CF_TOKEN_UNBOUND);
    assert_true(cf_token_expired(&t, INT64_MIN));
}

static void accounts(void **state)
{
    struct cf_token t;

    (void)state;
    t = claims("{\"kubernetes.io\":{},\"sub\":\"system:serviceaccount:shop:web\"}");
    assert_string_equal(t.namespace, "shop");
    assert_string_equal(t.account, "web");
    t = claims("{\"kubernetes.io\":{\"namespace\":\"n\"},\"sub\":\"system:serviceaccount:a:b:c\"}");
    assert_string_equal(t.namespace, "n");
    assert_null(t.account);
    t = claims("{\"kubernetes.io\":{\"serviceaccount\":{\"name\":\"sa\",\"uid\":\"u\"}}}");
    assert_string_equal(t.account, "sa");
    assert_string_equal(t.account_uid, "u");
    assert_null(t.namespace);
}

static void audiences(void **state)
{
    struct cf_token t;

    (void)state;
    t = claims("{\"aud\":\"one\"}");
    assert_int_equal(t.audience_count, 1);
    assert_string_equal(t.audiences[0], "one");
    t = claims("{\"aud\":[]}");
    assert_int_equal(t.audience_count, 0);
    t = claims("{\"aud\":null}");
    assert_int_equal(t.audience_count, 0);
    t = claims("{\"aud\":[\"a\",\"b\"]}");
    assert_int_equal(t.audience_count, 2);
    assert_string_equal(t.audiences[1], "b");
}

static void headers(void **state)
{
    struct cf_token t;

    (void)state;
    assert_int_equal(decode("{\"alg\":\"none\",\"typ\":\"JWT\",\"crit\":[]}", "{}", &t, NULL), 0);
    assert_string_equal(t.alg, "none");
    assert_string_equal(t.typ, "JWT");
    assert_true(t.critical);
    assert_null(t.kid);
}

static void hashes(void **state)
{
    char hash[CF_TOKEN_HASH + 1];

    (void)state;
    cf_token_hash("abc", 3, hash);
    assert_string_equal(hash, "ba7816bf8f01");
    cf_token_hash("", 0, hash);
    assert_string_equal(hash, "e3b0c44298fc");
}

/* ---- base64url ---- */

static void base64url_both_ways(void **state)
{
    unsigned char bytes[300], back[300];

    (void)state;
    for (size_t len = 0; len < sizeof(bytes); len++) {
        char *text;
        size_t n = 0;

        for (size_t i = 0; i < len; i++)
            bytes[i] = (unsigned char)(i * 151 + len);
        text = test_base64url(bytes, len);
        assert_true(CF_BASE64URL_BYTES(strlen(text)) >= len);
        assert_true(cf_base64url_decode(text, strlen(text), back, &n));
        assert_int_equal(n, len);
        assert_memory_equal(back, bytes, len);
        assert_true(cf_base64url_decode(text, strlen(text), NULL, NULL));
        free(text);
    }
}

static void base64url_is_strict(void **state)
{
    unsigned char out[16];
    size_t n = 99;

    (void)state;
    for (int c = 0; c < 256; c++) {
        char text[4] = {'A', 'A', 'A', (char)c};
        bool good = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                    c == '-' || c == '_';

        assert_int_equal(cf_base64url_decode(text, 4, out, &n), good);
    }
    assert_false(cf_base64url_decode("A", 1, out, &n));
    assert_false(cf_base64url_decode("AB", 2, out, &n));
    assert_true(cf_base64url_decode("AA", 2, out, &n));
    assert_int_equal(n, 1);
    assert_false(cf_base64url_decode("AAB", 3, out, &n));
    assert_true(cf_base64url_decode("AAA", 3, out, &n));
    assert_int_equal(n, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_three_parts),
        cmocka_unit_test(bad_parts),
        cmocka_unit_test(bad_json),
        cmocka_unit_test(a_name_in_two_forms),
        cmocka_unit_test(wrong_types),
        cmocka_unit_test(huge_tokens),
        cmocka_unit_test(claims_without_room),
        cmocka_unit_test(cut_anywhere),
        cmocka_unit_test(changed_anywhere),
        cmocka_unit_test(a_legacy_token),
        cmocka_unit_test(a_bound_token),
        cmocka_unit_test(kinds_of_the_recorded_tokens),
        cmocka_unit_test(kinds),
        cmocka_unit_test(lifetimes_do_not_wrap),
        cmocka_unit_test(accounts),
        cmocka_unit_test(audiences),
        cmocka_unit_test(headers),
        cmocka_unit_test(hashes),
        cmocka_unit_test(base64url_both_ways),
        cmocka_unit_test(base64url_is_strict),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
