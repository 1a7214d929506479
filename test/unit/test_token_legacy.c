/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"
#include "sign.h"

#include "curfew/attr.h"
#include "curfew/json.h"
#include "curfew/limits.h"
#include "curfew/str.h"
#include "curfew/token.h"

static struct cf_arena *arena;
static char *token; /* of Secret shop/web-token */
static size_t header_len, claims_len;

static int set_up(void **state)
{
    (void)state;
    cf_json_init();
    arena = cf_arena_new(8 * CF_MIB);
    token = test_file("test/tokens/legacy.jwt");
    token[strcspn(token, "\n")] = '\0';
    header_len = strcspn(token, ".");
    claims_len = strcspn(token + header_len + 1, ".");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    cf_arena_free(arena);
    free(token);
    return 0;
}

static bool is_of(const char *text, size_t len, const char *namespace, const char *name)
{
    struct cf_token out;
    bool is;

    cf_arena_reset(arena, true);
    is = cf_token_of_secret(arena, text, len, namespace, name, &out);
    if (is)
        assert_string_equal(out.account, "web");
    return is;
}

static bool is_own(const char *text)
{
    return is_of(text, strlen(text), "shop", "web-token");
}

/* The token with `what` put in at `at`, and this number of bytes left out there. */
static bool is_own_with(size_t at, const char *what, size_t less)
{
    char text[8192];

    snprintf(text, sizeof(text), "%.*s%s%s", (int)at, token, what, token + at + less);
    return is_own(text);
}

static void of_this_secret_alone(void **state)
{
    (void)state;
    assert_true(is_own(token));
    assert_false(is_of(token, strlen(token), "shop", "web"));
    assert_false(is_of(token, strlen(token), "lab", "web-token"));
    assert_false(is_of(token, strlen(token), "", "web-token"));
    assert_false(is_of(token, strlen(token), "shop", ""));
    assert_false(is_of(token, strlen(token), NULL, NULL));
}

static void other_tokens(void **state)
{
    static const char *const names[] = {"extended-1y", "pod-bound-1h", "stale",
                                        "bound-1h-unbound-object"};

    (void)state;
    for (size_t i = 0; i < CF_COUNT(names); i++) {
        char path[64];
        char *text;

        snprintf(path, sizeof(path), "test/tokens/%s.jwt", names[i]);
        text = test_file(path);
        assert_false(is_own(text));
        free(text);
    }
}

/* go-jose drops them before it reads a token: all that unicode.IsSpace knows, and nothing else. */
static void white_space(void **state)
{
    static const char *const spaces[] = {
        "\t",           "\n",           "\v",
        "\f",           "\r",           " ",
        "\xC2\x85",     "\xC2\xA0",     "\xE1\x9A\x80",
        "\xE2\x80\x80", "\xE2\x80\x83", "\xE2\x80\x8A",
        "\xE2\x80\xA8", "\xE2\x80\xA9", "\xE2\x80\xAF",
        "\xE2\x81\x9F", "\xE3\x80\x80",
    };
    static const char *const others[] = {
        "\b",           "\x0E",         "\x1F",         "\x7F",
        "\xC2\x84",     "\xC2\x86",     "\xE1\x9A\x81", "\xE2\x80\x8B",
        "\xE2\x80\xB0", "\xE2\x81\xA0", "\xE3\x80\x81", "\xEF\xBB\xBF",
        "\xC2",         "\xE2\x80",     "\xFF",         "="};
    const size_t places[] = {0, 1, 2, header_len, header_len + 1, header_len + claims_len};

    (void)state;
    for (size_t i = 0; i < CF_COUNT(places); i++) {
        for (size_t j = 0; j < CF_COUNT(spaces); j++)
            assert_true(is_own_with(places[i], spaces[j], 0));
        for (size_t j = 0; j < CF_COUNT(others); j++)
            assert_false(is_own_with(places[i], others[j], 0));
    }
    assert_true(is_own_with(strlen(token), "\n\n \xE3\x80\x80", 0));
}

/* The last character of header and claims has four bits that Go does not look at. */
static void spare_bits(void **state)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const size_t ends[] = {header_len - 1, header_len + claims_len};

    (void)state;
    assert_int_equal(header_len % 4, 2);
    assert_int_equal(claims_len % 4, 2);
    for (size_t i = 0; i < CF_COUNT(ends); i++) {
        size_t digit = (size_t)(strchr(digits, token[ends[i]]) - digits);

        for (size_t spare = 0; spare < 16; spare++) {
            const char last[] = {digits[(digit & ~(size_t)15) | spare], '\0'};

            assert_true(is_own_with(ends[i], last, 1));
        }
    }
}

static void no_token_at_all(void **state)
{
    static const char *const texts[] = {"",
                                        ".",
                                        "..",
                                        "...",
                                        "eyJ",
                                        "eyJ.",
                                        "eyJ.eyJ.",
                                        "e30.e30.",
                                        "eyJhbGciOiJFUzI1NiJ9..",
                                        "eyJhbGciOiJFUzI1NiJ9.e30.x"};

    (void)state;
    for (size_t i = 0; i < CF_COUNT(texts); i++)
        assert_false(is_own(texts[i]));
    assert_false(is_own_with(0, ".", 0));
    assert_false(is_own_with(strlen(token), ".x", 0));
    assert_false(is_own_with(header_len, "", 1));
    assert_false(is_own_with(0, "Bearer ", 0));
    assert_false(is_own_with(0, "\"", 0));
    assert_false(is_of(token, header_len + 1 + claims_len, "shop", "web-token"));
}

/* However long: a Secret has up to a MiB, and all of it may be white space. */
static void long_texts(void **state)
{
    size_t len = strlen(token), room = 2 * CF_MIB;
    char *text = malloc(room);

    (void)state;
    assert_non_null(text);
    memset(text, '\n', room);
    memcpy(text + CF_MIB, token, len);
    assert_true(is_of(text, room, "shop", "web-token"));
    memset(text, 'A', room);
    assert_false(is_of(text, room, "shop", "web-token"));
    memset(text, '.', room);
    assert_false(is_of(text, room, "shop", "web-token"));
    memcpy(text, token, len);
    memset(text + len, 'A', room - len);
    assert_false(is_of(text, room, "shop", "web-token"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_this_secret_alone), cmocka_unit_test(other_tokens),
        cmocka_unit_test(white_space),          cmocka_unit_test(spare_bits),
        cmocka_unit_test(no_token_at_all),      cmocka_unit_test(long_texts),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
