/* SPDX-License-Identifier: Apache-2.0 */
/* The texts that cf_json_parse() accepts and refuses. */
#include "document.h"

static void refuses(const char *text, const char *message)
{
    is_refused(json(text), message);
}

static void accepts(const char *text, const char *want)
{
    is_read(json(text), want);
}

static void bad_grammar(void **state)
{
    (void)state;
    refuses("", "invalid JSON: empty");
    refuses(" \n\t ", "invalid JSON: empty");
    refuses("\xEF\xBB\xBF{}", "invalid JSON at byte 0: a byte order mark");
    refuses("{", "invalid JSON at byte 1: unexpected end");
    refuses("[1,]", "invalid JSON at byte 3: expected a value");
    refuses("{\"a\":1,}", "invalid JSON at byte 7: expected a key");
    refuses("{a:1}", "invalid JSON at byte 1: expected a key");
    refuses("{'a':1}", "invalid JSON at byte 1: expected a key");
    refuses("{\"a\" 1}", "invalid JSON at byte 5: expected ':'");
    refuses("{\"a\":}", "invalid JSON at byte 5: expected a value");
    refuses("{\"a\":1 \"b\":2}", "invalid JSON at byte 7: expected ',' or '}'");
    refuses("[1 2]", "invalid JSON at byte 3: expected ',' or ']'");
    refuses("[1}", "invalid JSON at byte 2: expected ',' or ']'");
    refuses("{\"a\":1]", "invalid JSON at byte 6: expected ',' or '}'");
    refuses("[}", "invalid JSON at byte 1: expected a value");
    refuses("{]", "invalid JSON at byte 1: expected a key");
    refuses("]", "invalid JSON at byte 0: expected a value");
    refuses("{} {}", "invalid JSON: unexpected bytes after the value at byte 3");
    refuses("nul", "invalid JSON at byte 3: unexpected end");
    refuses("nulL", "invalid JSON at byte 3: expected a value");
    refuses("True", "invalid JSON at byte 0: expected a value");
    refuses("truefalse", "invalid JSON: unexpected bytes after the value at byte 4");
    refuses("NaN", "invalid JSON at byte 0: expected a value");
    refuses("/* c */1", "invalid JSON at byte 0: expected a value");
    refuses("[1]\v", "invalid JSON: unexpected bytes after the value at byte 3");
    refuses("[,1]", "invalid JSON at byte 1: expected a value");
    refuses(",", "invalid JSON at byte 0: expected a value");
    assert_null(json_with("1\0", 2, NULL, NULL));
    assert_null(json_with("[\0]", 3, NULL, NULL));
    assert_null(json_with("\0", 1, NULL, NULL));
}

static void bad_numbers(void **state)
{
    static const char *const bad[] = {
        "01",       "-01",       "00",    "1.",   ".5",   "-",   "1e", "1e+",
        "+1",       "-.5",       "1.e1",  "0x10", "1e5.", "--1", "1-", "1_0",
        "Infinity", "-Infinity", "1.5.5", "0e",   "-e1",  "1E-", "-a",
    };

    (void)state;
    for (size_t i = 0; i < CF_COUNT(bad); i++) {
        char in_array[40];

        assert_null(json(bad[i]));
        snprintf(in_array, sizeof(in_array), "[%s]", bad[i]);
        assert_null(json(in_array));
        snprintf(in_array, sizeof(in_array), "{\"a\":%s}", bad[i]);
        assert_null(json(in_array));
    }
    refuses("-01", "invalid JSON at byte 1: a number with a leading zero");
    refuses("[1.]", "invalid JSON at byte 3: expected a digit");
}

static void numbers_keep_their_text(void **state)
{
    static const char *const good[] = {
        "0",
        "-0",
        "1",
        "-1",
        "10",
        "1.5",
        "1e3",
        "1E+3",
        "1.50e-07",
        "-0.0",
        "0e0",
        "9223372036854775808",
        "123456789012345678901234567890.5",
        "1e999999",
    };
    const struct cf_json *value;

    (void)state;
    for (size_t i = 0; i < CF_COUNT(good); i++) {
        value = json(good[i]);
        assert_int_equal(cf_json_type(value), CF_JSON_NUMBER);
        assert_string_equal(cf_json_num(value), good[i]);
        assert_null(cf_json_str(value));
        accepts(good[i], good[i]);
    }
    accepts(" [ 1 , -2.50 , { \"a\" : 1e5 } ] ", "[1,-2.50,{\"a\":1e5}]");
}

static void integers_are_read_from_their_text(void **state)
{
    static const char *const none[] = {
        "1e3", "3600.0", "9223372036854775808", "-9223372036854775809", "\"5\"", "null", "true",
    };
    int64_t number = 7;

    (void)state;
    for (size_t i = 0; i < CF_COUNT(none); i++)
        assert_false(cf_json_int(json(none[i]), &number));
    assert_int_equal(number, 7);
    assert_true(cf_json_int(json("9223372036854775807"), &number) && number == INT64_MAX);
    assert_true(cf_json_int(json("-9223372036854775808"), &number) && number == INT64_MIN);
    assert_true(cf_json_int(json("-0"), &number) && number == 0);
}

static void bad_strings(void **state)
{
    static const char *const bad[] = {
        "\"\n\"",
        "\"\x01\"",
        "\"\t\"",
        "\"\x1f\"",
        "\"a",
        "\"a\\",
        "\"\\\"",
        "\"\\x41\"",
        "\"\\'\"",
        "\"\\u12\"",
        "\"\\u123g\"",
        "\"\\U0041\"",
        /* lone surrogates */
        "\"\\ud800\"",
        "\"\\udc00\"",
        "\"\\ud800x\"",
        "\"\\ud800\\u0041\"",
        "\"\\ud800\\ud800\"",
        "\"\\udc00\\ud800\"",
        "\"\\udbff\\n\"",
        "\"\\uD83D\\u\"",
        /* not UTF-8: overlong, surrogates, beyond Unicode, cut */
        "\"\xC0\x80\"",
        "\"\xC1\xBF\"",
        "\"\xE0\x80\xAF\"",
        "\"\xF0\x80\x80\xAF\"",
        "\"\xED\xA0\x80\"",
        "\"\xED\xBF\xBF\"",
        "\"\xF4\x90\x80\x80\"",
        "\"\xF8\x88\x80\x80\x80\"",
        "\"\x80\"",
        "\"\xC3\"",
        "\"\xE2\x82\"",
        "\"\xF0\x9F\x98\"",
        "\"\xFF\"",
        "\"\xFF\x31\"",
        "\"\xC3(\"",
        "\"\xE2\x82\xAC\xE2\x82\"",
        "\xC3\xA9",
    };

    (void)state;
    for (size_t i = 0; i < CF_COUNT(bad); i++) {
        char shifted[120];

        /* At every offset of a 16-byte block, as a value and as a key. */
        for (int shift = 0; shift <= 17; shift++) {
            snprintf(shifted, sizeof(shifted), "%*s%s", shift, "", bad[i]);
            assert_null(json(shifted));
            snprintf(shifted, sizeof(shifted), "{%*s%s:\"0123456789abcdef\"}", shift, "", bad[i]);
            assert_null(json(shifted));
            snprintf(shifted, sizeof(shifted), "[\"%.*s%s, \"0123456789abcdef\"]", shift,
                     "abcdefghijklmnopqrs", bad[i] + 1);
            assert_null(json(shifted));
        }
    }
    refuses("\"01234567890123456\n\"",
            "invalid JSON at byte 18: unescaped control character in a string");
    refuses("\"\\ud800\"", "invalid JSON at byte 1: unpaired surrogate");
    refuses("\"ab\xC0\x80\"", "invalid JSON at byte 3: not UTF-8");
    refuses("\"\\x\"", "invalid JSON at byte 1: unknown escape in a string");
    refuses("\"\\u00g0\"", "invalid JSON at byte 1: expected four hexadecimal digits after \\u");
    refuses("\"\\u00", "invalid JSON at byte 5: unexpected end");
    refuses("\"abc", "invalid JSON at byte 4: unexpected end");
}

static void good_strings(void **state)
{
    (void)state;
    assert_string_equal(cf_json_str(json("\"\"")), "");
    assert_string_equal(cf_json_str(json("\"\\u0041\\u00e9\\u20ac\\ud83d\\ude00\"")),
                        "A\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80");
    assert_string_equal(cf_json_str(json("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0001\x7f\"")),
                        "\"\\/\b\f\n\r\t\x01\x7f");
    assert_string_equal(cf_json_str(json("\"\xF4\x8F\xBF\xBF\xEF\xBF\xBF\xC2\x80\"")),
                        "\xF4\x8F\xBF\xBF\xEF\xBF\xBF\xC2\x80");
    assert_string_equal(cf_json_str(json("\"0123456789abcdef0123456789abcdef\"")),
                        "0123456789abcdef0123456789abcdef");
}

static void duplicate_keys(void **state)
{
    (void)state;
    refuses("{\"a\":1,\"a\":1}", "invalid JSON: duplicate key 'a' at byte 7");
    refuses("{\"\\u00e9\":1,\"\\u00e9\":1}", "invalid JSON: duplicate key '\xC3\xA9' at byte 12");
    refuses("{\"\\ufffd\":1,\"\\ufffd\":1}",
            "invalid JSON: duplicate key '\xEF\xBF\xBD' at byte 12");
    refuses("{\"a\\u0000\":1,\"a\\u0000\":1}",
            "invalid JSON: duplicate key 'a\xEF\xBF\xBD' at byte 13");
    refuses("{\"\":1,\"\":1}", "invalid JSON: duplicate key '' at byte 6");
    refuses("[{\"x\":{\"b\":{},\"a\":[],\"b\":2}}]", "invalid JSON: duplicate key 'b' at byte 21");
    refuses("{\"a\":{\"b\":1},\"a\":{\"b\":1}}", "invalid JSON: duplicate key 'a' at byte 13");
    /* Neither the length of a key nor a token in it reaches the message. */
    refuses("{\"eyJhbGciOiJSUzI1NiJ9.e30.c2ln\":1,\"eyJhbGciOiJSUzI1NiJ9.e30.c2ln\":2}",
            "invalid JSON: duplicate key '[redacted]' at byte 35");
    refuses("{\"0123456789012345678901234567890123456789012345678901234567890\":1,"
            "\"0123456789012345678901234567890123456789012345678901234567890\":1}",
            "invalid JSON: duplicate key "
            "'012345678901234567890123456789012345678901234567890123456...' at byte 67");
    accepts("{\"a\":{\"a\":{\"a\":[{\"a\":1},{\"a\":2}]}},\"A\":1,\"a \":1,\"\":1}",
            "{\"a\":{\"a\":{\"a\":[{\"a\":1},{\"a\":2}]}},\"A\":1,\"a \":1,\"\":1}");
}

/* Keys with different bytes are not duplicates: Go writes "a\x00" and "a\uFFFD" like this. */
static void keys_of_the_same_text(void **state)
{
    const struct cf_json *object;

    (void)state;
    accepts("{\"a\":1,\"\\u0061\":2}", "{\"a\":1,\"a\":2}");
    accepts("{\"a\\u0000\":1,\"a\\ufffd\":2,\"a\xEF\xBF\xBD\":3}",
            "{\"a\xEF\xBF\xBD\":1,\"a\xEF\xBF\xBD\":2,\"a\xEF\xBF\xBD\":3}");
    /* The last one counts, as in Go. */
    object = json("{\"kind\":\"a\",\"\\u006bind\":\"b\",\"x\":\"c\"}");
    assert_string_equal(cf_json_str(cf_json_get(object, "kind")), "b");
}

static void nul_becomes_a_replacement(void **state)
{
    char text[200], want[200];

    (void)state;
    accepts("\"\\u0000\"", "\"\xEF\xBF\xBD\"");
    accepts("[\"a\\u0000b\\u0000\",1,\"\\u0001\\\\u0000\"]",
            "[\"a\xEF\xBF\xBD"
            "b\xEF\xBF\xBD\",1,\"\\u0001\\\\u0000\"]");
    accepts("{\"\\u0000\":{\"b\\u0000\":-1.5},\"c\":\"\\u00000\\n\"}",
            "{\"\xEF\xBF\xBD\":{\"b\xEF\xBF\xBD\":-1.5},\"c\":\"\xEF\xBF\xBD"
            "0\\n\"}");
    /* At every offset of a 16-byte block, between numbers. */
    for (int shift = 0; shift <= 17; shift++) {
        snprintf(text, sizeof(text), "[1,\"%.*s\\u0000%.*s\",2]", shift, "abcdefghijklmnopqrs",
                 shift, "abcdefghijklmnopqrs");
        snprintf(want, sizeof(want), "[1,\"%.*s\xEF\xBF\xBD%.*s\",2]", shift, "abcdefghijklmnopqrs",
                 shift, "abcdefghijklmnopqrs");
        accepts(text, want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_grammar),
        cmocka_unit_test(bad_numbers),
        cmocka_unit_test(numbers_keep_their_text),
        cmocka_unit_test(integers_are_read_from_their_text),
        cmocka_unit_test(bad_strings),
        cmocka_unit_test(good_strings),
        cmocka_unit_test(duplicate_keys),
        cmocka_unit_test(keys_of_the_same_text),
        cmocka_unit_test(nul_becomes_a_replacement),
    };

    return cmocka_run_group_tests(tests, document_setup, document_teardown);
}
