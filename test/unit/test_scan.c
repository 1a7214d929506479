/* SPDX-License-Identifier: Apache-2.0 */
#include "scan.h"

/* ---- nothing to find ---- */

static void texts_without_tokens(void **state)
{
    (void)state;
    holds_nothing("");
    holds_nothing(".");
    holds_nothing("eyJ");
    holds_nothing(".eyJ.");
    holds_nothing("eyJ.eyJ.eyJ");
    holds_nothing("eyJhbGciOiJFUzI1NiJ9.eyJ.x eyJhbGciOiJFUzI1NiJ9.eyJ");
    /* It begins like a token, and is not one. */
    holds_nothing("eyJhbGciOiJFUzI1NiIsImtpZCI6IjEifQ.eyJub3RoaW5nIjoiaGVyZSJ9.c2lnbmF0dXJl");
    holds_nothing("eyJrdWJlcm5ldGVzLmlvIjp7fX0.eyJub3RoaW5nIjoiaGVyZSJ9.c2lnbmF0dXJlYWJjZGVm");
    holds_nothing(other);
    /* The word alone is not a claim. */
    holds_nothing("eyJhbGciOiJFUzI1NiJ9.eyJhIjoia3ViZXJuZXRlcy5pbyJ9.c2lnbmF0dXJlYWJjZGVm");
}

static void parts_of_a_token(void **state)
{
    char *copy = strdup(legacy), *dot = strrchr(copy, '.');

    (void)state;
    *dot = '\0';
    holds_nothing(copy); /* no signature */
    dot[0] = '.';
    dot[1] = '\0';
    holds_nothing(copy);
    holds_nothing(strchr(legacy, '.') + 1); /* no header */
    holds_nothing(strchr(legacy, '.'));
    free(copy);
}

static void prose(void **state)
{
    static const char *const words[] = {
        "Lorem ipsum dolor sit amet, consectetur adipiscing elit. Eyes on the prize.",
        "/usr/local/share/very/long/path/without/any/dots/in/it/at/all/and/more/and/more/and",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "VVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVV",
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    };

    (void)state;
    for (size_t i = 0; i < CF_COUNT(words); i++)
        holds_nothing(words[i]);
    assert_false(cf_token_may_hold("", 0));
    assert_false(cf_token_may_hold(words[0], strlen(words[0])));
    assert_true(cf_token_may_hold(words[1], strlen(words[1])));
}

/* ---- tokens as they are ---- */

static void tokens_in_other_text(void **state)
{
    static const char *const around[] = {
        "%s",
        "  %s\n",
        "Authorization: Bearer %s",
        "curl -H 'Authorization: Bearer %s' https://api",
        "--token=%s --other",
        "users: [{user: {token: %s}}]",
        "{\"users\":[{\"user\":{\"token\":\"%s\"}}]}",
        "https://x.example.com/?access_token=%s&x=1",
        "user:%s@host",
        "a.b.%s,c.d",
        "line\\n%s\\nline",
        "access_token%%3D%s%%26",
        "word%s",
        "...%s...",
        "eyJ %s eyJ",
        "eyJeyJeyJ%s",
    };

    (void)state;
    for (size_t i = 0; i < CF_COUNT(around); i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        holds(format(around[i], legacy), legacy, 0);
#pragma GCC diagnostic pop
    }
    holds(strdup(bound), bound, 0);
}

static void where_it_begins(void **state)
{
    char *text = format("12345 %s", legacy), *inner = format("token: %s", legacy), *b64;

    (void)state;
    assert_int_equal(scan(text).offset, 6);
    free(text);
    b64 = test_base64(inner, strlen(inner));
    text = format("data:\n  x: %s", b64);
    assert_int_equal(scan(text).offset, 11);
    free(text);
    free(b64);
    free(inner);
}

static void several_tokens(void **state)
{
    char *text = format("%s %s\n%s %s", legacy, bound, legacy, other);

    (void)state;
    assert_int_equal(scan(text).count, 2);
    assert_int_equal(scan_as(CF_SCAN_ANY, text, strlen(text)).count, 3);
    free(text);
}

static void any_token(void **state)
{
    (void)state;
    assert_int_equal(scan_as(CF_SCAN_ANY, other, strlen(other)).count, 1);
    assert_int_equal(
        scan_as(CF_SCAN_ANY, "eyJhbGciOiIifQ.eyJhIjp9.c2lnbmF0dXJlYWJjZGVmZ2hpamts", 52).count, 0);
}

/* ---- headers ---- */

/* Strings that look like the beginning of a header precede it. */
static void text_in_front_of_a_header(void **state)
{
    static const char *const pieces[] = {"eyJ", "eyJh", "e",  "eyJhbGciOi", "eyJhbGciOiJFUzI1NiJ9_",
                                         "IiI", "fX0",  "e30"};

    (void)state;
    for (size_t i = 0; i < CF_COUNT(pieces); i++) {
        struct cf_buf text;

        cf_buf_init(&text, CF_MIB);
        for (int n = 0; n < 5000; n++) {
            cf_buf_adds(&text, pieces[i]);
            if (n < 20 || n == 4999)
                holds(format("%s%s", cf_buf_str(&text), legacy), legacy, 0);
        }
        cf_buf_free(&text);
    }
}

static void headers_of_any_shape(void **state)
{
    static const char *const headers[] = {
        "{\"alg\":\"ES256\",\"jwk\":{\"kty\":\"EC\",\"k\":{\"a\":[{\"b\":1},[]]}}}",
        "{\"x\":\"}{\\\"{\\\\\",\"alg\":\"ES256\"}",
        "{\"alg\":\"ES256\",\"x\":\"{\\\"\"}",
        "{\"alg\":\"ES256\"} \n",
        "{\"x\":[\"{\",\"}\",\"\\\\\"],\"alg\":\"ES256\"}",
    };

    (void)state;
    for (size_t i = 0; i < CF_COUNT(headers); i++) {
        char *text = test_unsigned(headers[i], "{\"kubernetes.io\":{\"namespace\":\"shop\","
                                               "\"serviceaccount\":{\"name\":\"web\"}}}");
        char *token = test_join(text, "c2lnbmF0dXJl");

        holds(strdup(token), token, 0);
        holds(format("eyJeyJ%s", token), token, 0);
        free(token);
        free(text);
    }
}

/* ---- base64 ---- */

static void layers(void **state)
{
    (void)state;
    holds(encoded(strdup(legacy)), legacy, 1);
    holds(encoded(format("user:%s", legacy)), legacy, 1);
    holds(encoded(format("u:%s", legacy)), legacy, 1);
    holds(encoded(encoded(strdup(legacy))), legacy, 2);
    holds(encoded(encoded(encoded(strdup(legacy)))), legacy, 3);
}

/* However many bytes are in front, in every layer. */
static void any_alignment(void **state)
{
    (void)state;
    for (int i = 0; i < 40; i++) {
        char *inner = format("%.*s %s", i, "0123456789012345678901234567890123456789", legacy);
        char *b64 = encoded(inner);
        char *more = format("%.*s: %s", i, "abcdefghijklmnopqrstuvwxyzabcdefghijklmnop", b64);

        holds(strdup(b64), legacy, 1);
        holds(encoded(more), legacy, 2);
        free(b64);
    }
}

static void both_alphabets(void **state)
{
    /* 0xFF.. makes '/' and '+', or '_' and '-'. */
    char *text = format("\xFB\xFF\xFE\xFB\xEF\xBE %s", legacy);
    char *standard = test_base64(text, strlen(text)), *url = test_base64url(text, strlen(text));

    (void)state;
    assert_non_null(strpbrk(standard, "+/"));
    assert_non_null(strpbrk(url, "-_"));
    holds(standard, legacy, 1);
    holds(url, legacy, 1);
    free(text);
}

static void broken_into_lines(void **state)
{
    static const char *const eols[] = {"\n", "\r\n", "\n    ", "\\n", "\\r\\n", "\\\n", "\n\t\t"};
    static const size_t widths[] = {64, 76, 60, 70, 75, 80, 33, 100};

    (void)state;
    for (size_t i = 0; i < CF_COUNT(eols); i++) {
        for (size_t j = 0; j < CF_COUNT(widths); j++) {
            char *b64 = test_wrapped(legacy, strlen(legacy), widths[j], eols[i]);

            holds(format("-----BEGIN IT-----\n%s-----END IT-----", b64), legacy, 1);
            holds(format("  x: |\n    %s", b64), legacy, 1);
            free(b64);
        }
    }
}

/* However many blanks and line breaks there are between two lines. */
static void far_apart(void **state)
{
    static const int widths[] = {1, 200, 256, 300, 5000, 100000};

    (void)state;
    for (size_t i = 0; i < CF_COUNT(widths); i++) {
        char *eol = format("\n%*s", widths[i], "\n");
        char *b64 = test_wrapped(legacy, strlen(legacy), 66, eol);

        holds(b64, legacy, 1);
        free(eol);
    }
}

/* Lines before a run that look like its first ones. */
static void unrelated_lines_before(void **state)
{
    char *b64 = test_base64(legacy, strlen(legacy));

    (void)state;
    holds(format("word\n%s", b64), legacy, 1);
    holds(format("an/ordinary/path\n%s\nmore", b64), legacy, 1);
    holds(format("0123456789abcdef0123456789abcdef\n%s", b64), legacy, 1);
    holds(format("line\\n%s", b64), legacy, 1);
    holds(format("x%%20%s", b64), legacy, 1);
    holds(format("\\u003d%s", b64), legacy, 1);
    free(b64);
}

static void docker_configurations(void **state)
{
    char *user = format("serviceaccount:%s", legacy);
    char *auth = test_base64(user, strlen(user));

    (void)state;
    holds(format("{\"auths\":{\"r.example.com\":{\"auth\":\"%s\"}}}", auth), legacy, 1);
    holds(
        format("{\"auths\":{\"r.example.com\":{\"username\":\"serviceaccount\",\"password\":\"%s\","
               "\"auth\":\"%s\"}}}",
               auth, legacy),
        legacy, 0);
    holds(format("{\"r.example.com\":{\"identitytoken\":\"%s\"}}", legacy), legacy, 0);
    holds(encoded(format("{\"auths\":{\"r.example.com\":{\"auth\":\"%s\"}}}", auth)), legacy, 2);
    holds(encoded(encoded(format("{\"auths\":{\"r\":{\"auth\":\"%s\"}}}", auth))), legacy, 3);
    free(auth);
    free(user);
}

static void padding_is_not_needed(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        char *text = format("%.*s%s", i, "::", legacy);

        holds(test_base64url(text, strlen(text)), legacy, 1);
        free(text);
    }
}

/* ---- hostile texts ---- */

/* A text that ends anywhere: never read on, never more than the whole one holds. */
static void cut_anywhere(void **state)
{
    char *b64 = test_wrapped(legacy, strlen(legacy), 64, "\n");
    char *text = format("%s %s", legacy, b64);
    size_t len = strlen(text), found = 0;

    (void)state;
    for (size_t cut = 0; cut <= len; cut += 1)
        found += scan_as(CF_SCAN_ACCOUNTS, text, cut).count;
    assert_true(found >= len - strlen(legacy));
    free(text);
    free(b64);
}

static void changed_anywhere(void **state)
{
    static const char values[] = {'\0', '.', 'A', '=', '"', '\n', '\xFF'};
    char *text = test_base64(legacy, strlen(legacy));

    (void)state;
    for (size_t i = 0; text[i] != '\0'; i++) {
        char was = text[i];
        size_t len = strlen(legacy);

        for (size_t j = 0; j < sizeof(values); j++) {
            text[i] = values[j];
            scan_as(CF_SCAN_ANY, text, (len + 2) / 3 * 4);
        }
        text[i] = was;
    }
    free(text);
}

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525U + 1013904223U;
    return *seed >> 8;
}

static void random_bytes(void **state)
{
    static const char alphabet[] = "eyJ.eyJ.{}\":kubernetes.ioA-_+/=\n\\nZXlKIl";
    uint32_t seed = 1;
    char text[600];

    (void)state;
    for (int round = 0; round < 4000; round++) {
        size_t len = next_random(&seed) % sizeof(text);

        for (size_t i = 0; i < len; i++)
            text[i] = round % 2 == 0 ? (char)next_random(&seed)
                                     : alphabet[next_random(&seed) % (sizeof(alphabet) - 1)];
        scan_as(CF_SCAN_ANY, text, len);
    }
}

/* Random pieces of tokens, of base64 and of what is around them. */
static void random_pieces(void **state)
{
    char *once = test_base64(legacy, strlen(legacy)), *twice = test_base64(once, strlen(once));
    const char *pieces[] = {legacy, bound, other, once, twice, ".", "eyJ", "\\n", "\n", "%3D", " "};
    uint32_t seed = 7;

    (void)state;
    for (int round = 0; round < 300; round++) {
        struct cf_buf text;

        cf_buf_init(&text, CF_MIB);
        for (int i = 0; i < 8; i++) {
            const char *piece = pieces[next_random(&seed) % CF_COUNT(pieces)];
            size_t len = strlen(piece), from = next_random(&seed) % (len + 1);

            if (next_random(&seed) % 3 == 0)
                from = 0;
            cf_buf_add(&text, piece + from,
                       next_random(&seed) % 3 == 0 ? (len - from) / 2 : len - from);
        }
        scan_as(CF_SCAN_ANY, cf_buf_str(&text), text.len);
        cf_buf_free(&text);
    }
    free(once);
    free(twice);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_without_tokens),
        cmocka_unit_test(parts_of_a_token),
        cmocka_unit_test(prose),
        cmocka_unit_test(tokens_in_other_text),
        cmocka_unit_test(where_it_begins),
        cmocka_unit_test(several_tokens),
        cmocka_unit_test(any_token),
        cmocka_unit_test(text_in_front_of_a_header),
        cmocka_unit_test(headers_of_any_shape),
        cmocka_unit_test(layers),
        cmocka_unit_test(any_alignment),
        cmocka_unit_test(both_alphabets),
        cmocka_unit_test(broken_into_lines),
        cmocka_unit_test(far_apart),
        cmocka_unit_test(unrelated_lines_before),
        cmocka_unit_test(docker_configurations),
        cmocka_unit_test(padding_is_not_needed),
        cmocka_unit_test(cut_anywhere),
        cmocka_unit_test(changed_anywhere),
        cmocka_unit_test(random_bytes),
        cmocka_unit_test(random_pieces),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
