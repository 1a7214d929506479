/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "curfew/arena.h"
#include "curfew/attr.h"
#include "curfew/limits.h"
#include "curfew/str.h"

static void compares_with_null(void **state)
{
    (void)state;
    assert_true(cf_streq(NULL, NULL));
    assert_false(cf_streq(NULL, ""));
    assert_false(cf_streq("", NULL));
    assert_true(cf_streq("a", "a"));
    assert_false(cf_streq("a", "A"));
    assert_false(cf_starts_with(NULL, "a"));
    assert_false(cf_starts_with("a", NULL));
    assert_false(cf_ends_with(NULL, "a"));
    assert_true(cf_starts_with("system:node:n1", "system:node:"));
    assert_false(cf_starts_with("system", "system:node:"));
    assert_true(cf_starts_with("x", ""));
    assert_true(cf_ends_with("PodList", "List"));
    assert_false(cf_ends_with("ist", "List"));
    assert_true(cf_ends_with("x", ""));
    assert_string_equal(cf_str_or_empty(NULL), "");
    assert_true(cf_str_empty(NULL) && cf_str_empty("") && !cf_str_empty(" "));
}

static void globs(void **state)
{
    static const struct {
        const char *pattern, *text;
        bool want;
    } cases[] = {
        {"", "", true},        {"", "a", false},         {"*", "", true},
        {"*", "abc", true},    {"a*", "abc", true},      {"*c", "abc", true},
        {"a*c", "abc", true},  {"a*c", "abcd", false},   {"a*b*c", "aXbXbc", true},
        {"**a", "ba", true},   {"a**", "a", true},       {"*a*a*", "a", false},
        {"a?c", "abc", false}, {"[ab]", "a", false},     {"kube-*", "kube-system", true},
        {"a", "ab", false},    {"*ab*ab", "abab", true}, {"*abab", "ababab", true},
    };
    char text[2001], pattern[2001];

    (void)state;
    for (size_t i = 0; i < CF_COUNT(cases); i++)
        assert_int_equal(cf_glob(cases[i].pattern, cases[i].text), cases[i].want);
    assert_false(cf_glob(NULL, "a"));
    assert_false(cf_glob("a", NULL));
    /* Exponential in a naive matcher. */
    memset(text, 'a', 2000);
    text[2000] = '\0';
    for (size_t i = 0; i < 2000; i += 2)
        memcpy(pattern + i, "*a", 2);
    memcpy(pattern + 1998, "*b", 3);
    assert_false(cf_glob(pattern, text));
}

static void integers_are_strict(void **state)
{
    static const char *const bad[] = {
        "",
        "-",
        "+1",
        " 1",
        "1 ",
        "1.0",
        "1e3",
        "0x10",
        "--1",
        "9223372036854775808",
        "1_0",
        "-9223372036854775809",
        "99999999999999999999999999",
        "\xD9\xA1",
    };
    static const struct {
        const char *text;
        int64_t want;
    } good[] = {
        {"0", 0},
        {"-0", 0},
        {"007", 7},
        {"3600", 3600},
        {"-1", -1},
        {"9223372036854775807", INT64_MAX},
        {"-9223372036854775808", INT64_MIN},
        {"00000000000000000000000001", 1},
    };
    int64_t out = 42;

    (void)state;
    assert_false(cf_str_int64(NULL, &out));
    for (size_t i = 0; i < CF_COUNT(bad); i++)
        assert_false(cf_str_int64(bad[i], &out));
    assert_int_equal(out, 42);
    for (size_t i = 0; i < CF_COUNT(good); i++) {
        assert_true(cf_str_int64(good[i].text, &out));
        assert_true(out == good[i].want);
    }
}

/* Every character that is invisible or reverses others, and not the codes beside them. */
static void invisible_characters(void **state)
{
    static const uint32_t ranges[][2] = {
        {0xAD, 0xAD},     {0x61C, 0x61C},   {0x180E, 0x180E}, {0x200B, 0x200F},
        {0x202A, 0x202E}, {0x2060, 0x206F}, {0xFEFF, 0xFEFF}, {0xE0000, 0xE007F},
    };
    char escape[CF_ESCAPE_SIZE];

    (void)state;
    for (size_t i = 0; i < CF_COUNT(ranges); i++) {
        assert_false(cf_utf8_is_invisible(ranges[i][0] - 1));
        assert_false(cf_utf8_is_invisible(ranges[i][1] + 1));
        for (uint32_t code = ranges[i][0]; code <= ranges[i][1]; code++)
            assert_true(cf_utf8_is_invisible(code));
    }
    assert_int_equal(cf_utf8_escape(0x202E, escape), 6);
    assert_string_equal(escape, "\\u202e");
    assert_int_equal(cf_utf8_escape(0xE007F, escape), 12);
    assert_string_equal(escape, "\\udb40\\udc7f");
}

/* Escapes are longer: what does not fit is cut between characters, and never in silence. */
static void escapes_that_do_not_fit(void **state)
{
    static const char text[] =
        "ab\xE2\x80\xAE\xC3\xA9\xE2\x80\xAEz"; /* ab\u202eé\u202ez: 17 bytes */
    static const struct {
        size_t size;
        const char *want;
    } cases[] = {
        {18, "ab\\u202e\xC3\xA9\\u202ez"},
        {17, "ab\\u202e\xC3\xA9..."},
        {14, "ab\\u202e\xC3\xA9..."},
        {13, "ab\\u202e..."},
        {12, "ab\\u202e..."},
        {12, "ab\\u202e..."},
    };

    (void)state;
    for (size_t i = 0; i < CF_COUNT(cases); i++) {
        char *copy = calloc(1, cases[i].size);

        memcpy(copy, text, sizeof(text));
        cf_str_sanitize(copy, cases[i].size);
        assert_string_equal(copy, cases[i].want);
        free(copy);
    }
}

static void sanitizes(void **state)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"", ""},
        {"plain \xE2\x82\xAC", "plain \xE2\x82\xAC"},
        {"a\nb\tc\x1b[31m\x7f", "a?b?c?[31m?"},
        {"\xC2\x80-\xC2\x9F-\xC2\xA0", "?-?-\xC2\xA0"},
        {"x\xE2\x80\xA8y\xE2\x80\xA9z\xE2\x80\xA7", "x?y?z\xE2\x80\xA7"},
        {"\xE2\x80\xAEgnp.exe", "\\u202egnp.exe"},
        {"a\xE2\x80\x8B\xE2\x81\xA6z\xEF\xBB\xBF", "a\\u200b\\u2066z\\ufeff"},
        {"\xC2\xAD\xD8\x9C\xE1\xA0\x8E", "\\u00ad\\u061c\\u180e"},
        {"\xF3\xA0\x81\x81", "\\udb40\\udc41"},
        {"\xE2\x80", "\xE2\x80"}, /* no UTF-8 */
        {"eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJrIn0.c2ln_-=", "[redacted]"},
        {"token=eyJhbGciOiJSUzI1NiJ9.x and more", "token=[redacted] and more"},
        {"\"eyJhbGciOiJSUzI1NiJ9\"", "\"[redacted]\""},
        {"a.eyJpc3MiOiJrIn0", "a.[redacted]"},
        {"eyJab", "[reda"},
        {"eyJ", "[re"},
        {"eyK eY", "eyK eY"},
        {"monkeyJar", "monkeyJar"},
        {"\neyJhbGciOiJSUzI1NiJ9\n", "?[redacted]?"},
        {"eyJhbGciOiJSU\neyJhbGciOiJSU", "[redacted]?[redacted]"},
    };

    struct cf_arena *arena = cf_arena_new(CF_ARENA_MAX);

    (void)state;
    for (size_t i = 0; i < CF_COUNT(cases); i++) {
        char text[100];

        strcpy(text, cases[i].text);
        cf_str_sanitize(text, sizeof(text));
        assert_string_equal(text, cases[i].want);
        cf_str_sanitize(text, sizeof(text));
        assert_string_equal(text, cases[i].want);
        assert_string_equal(cf_str_shown(arena, cases[i].text), cases[i].want);
    }
    cf_arena_free(arena);
}

static void decodes_utf8(void **state)
{
    static const char *const bad[] = {
        "\x80",
        "\xBF",
        "\xC0\x80",
        "\xC1\xBF",
        "\xC3",
        "\xC3(",
        "\xE0\x80\x80",
        "\xE0\x9F\xBF",
        "\xE2\x82",
        "\xED\xA0\x80",
        "\xED\xBF\xBF",
        "\xF0\x80\x80\x80",
        "\xF0\x8F\xBF\xBF",
        "\xF4\x90\x80\x80",
        "\xF5\x80\x80\x80",
        "\xF0\x9F\x98",
        "\xFE",
        "\xFF",
    };
    uint32_t code = 7;

    (void)state;
    for (size_t i = 0; i < CF_COUNT(bad); i++) {
        assert_int_equal(cf_utf8_decode(bad[i], 4, &code), 0);
        assert_int_equal(cf_utf8_decode(bad[i], strlen(bad[i]), &code), 0);
    }
    assert_int_equal(cf_utf8_decode("a", 0, &code), 0);
    assert_int_equal(cf_utf8_decode("\xE2\x82\xAC", 2, &code), 0);
    assert_int_equal(code, 7);
    assert_int_equal(cf_utf8_decode("a", 1, &code), 1);
    assert_int_equal(code, 'a');
    assert_int_equal(cf_utf8_decode("\xC2\x80", 2, &code), 2);
    assert_int_equal(code, 0x80);
    assert_int_equal(cf_utf8_decode("\xE2\x82\xAC!", 4, &code), 3);
    assert_int_equal(code, 0x20AC);
    assert_int_equal(cf_utf8_decode("\xF4\x8F\xBF\xBF", 4, &code), 4);
    assert_int_equal(code, 0x10FFFF);
}

static void counts_and_cuts_characters(void **state)
{
    static const struct {
        const char *text;
        size_t max;
        const char *want;
    } cases[] = {
        {"", 3, ""},
        {"abc", 3, "abc"},
        {"abcd", 3, "..."},
        {"abcde", 4, "a..."},
        {"\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC", 4,
         "\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC"},
        {"\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC!", 4, "\xE2\x82\xAC..."},
        {"a\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9", 5, "a\xC3\xA9..."},
    };

    (void)state;
    assert_int_equal(cf_utf8_count("a\xE2\x82\xAC\xF0\x9F\x98\x80"), 3);
    for (size_t i = 0; i < CF_COUNT(cases); i++) {
        char *text = strdup(cases[i].text);

        cf_utf8_cut(text, cases[i].max);
        assert_string_equal(text, cases[i].want);
        assert_true(cf_utf8_count(text) <= cases[i].max);
        free(text);
    }
}

/* The text of `size` bytes at most that these texts become. */
static void shows_what_fits(void **state)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"", ""},
        {"0123456789abcde", "0123456789abcde"},
        {"0123456789abcdef", "0123456789ab..."},
        {"0123456789......", "0123456789..."},
        {"0123456789a\xE2\x82\xAC\xE2\x82\xAC", "0123456789a..."},
        {"0123456789\xE2\x82\xAC\xE2\x82\xAC", "0123456789..."},
        {"012345678\xE2\x82\xAC\xE2\x82\xAC!", "012345678\xE2\x82\xAC..."},
        {"012345678\xE2\x82\xAC\xE2\x82\xAC", "012345678\xE2\x82\xAC\xE2\x82\xAC"},
        {"eyJhbGciOi eyJhbGciOi", "[redacted] [..."},
        {"a eyJhbGciOiJSUzI1NiJ9.e30.x", "a [redacted]..."},
        {"\n\x1b 3456789abcdef", "?? 3456789ab..."},
        {"\xE2\x80\xAE\xE2\x80\xAE\xE2\x80\xAE", "\\u202e\\u202e..."},
    };
    char out[16];

    (void)state;
    for (size_t i = 0; i < CF_COUNT(cases); i++) {
        cf_str_show(out, sizeof(out), "%s", cases[i].text);
        assert_string_equal(out, cases[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compares_with_null),   cmocka_unit_test(globs),
        cmocka_unit_test(integers_are_strict),  cmocka_unit_test(sanitizes),
        cmocka_unit_test(invisible_characters), cmocka_unit_test(escapes_that_do_not_fit),
        cmocka_unit_test(decodes_utf8),         cmocka_unit_test(counts_and_cuts_characters),
        cmocka_unit_test(shows_what_fits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
