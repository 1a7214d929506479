/* SPDX-License-Identifier: Apache-2.0 */
/* The lines and columns of the values of a JSON file. */
#include "document.h"

static struct cf_json_place place;

static const struct cf_json *placed(const char *text, size_t line, size_t column, size_t *end)
{
    char *exact = exact_copy(text, strlen(text));
    const struct cf_json *value;

    cf_arena_reset(arena, true);
    place = (struct cf_json_place){line, column};
    value = cf_json_parse_placed(arena, exact, strlen(text), end, &place, &err);
    free(exact);
    return value;
}

static void at(const char *text, const char *pointer, size_t line, size_t column)
{
    const struct cf_json *root = placed(text, 1, 1, NULL), *value;

    if (root == NULL)
        fail_msg("%s: %s", text, err.msg);
    value = cf_json_pointer(root, pointer);
    assert_non_null(value);
    assert_int_equal(cf_json_line(value), line);
    assert_int_equal(cf_json_column(value), column);
}

static void every_kind_of_value(void **state)
{
    static const char text[] =
        "\n{\n  \"a\": 1,\n  \"b\" :\n    [true, null , \"x\\\"\\u00e9\", -1.5E+3],\n"
        "  \"c\": {}, \"d\": [ ], \"e\":{\"f\":[[{\"g\": false}],\n 7]}, \"h\": 2\n}\n";

    (void)state;
    at(text, "", 2, 1);
    at(text, "/a", 3, 8);
    at(text, "/b", 5, 5);
    at(text, "/b/0", 5, 6);
    at(text, "/b/1", 5, 12);
    at(text, "/b/2", 5, 19);
    at(text, "/b/3", 5, 32);
    at(text, "/c", 6, 8);
    at(text, "/d", 6, 17);
    at(text, "/e", 6, 26);
    at(text, "/e/f/0/0/g", 6, 39);
    at(text, "/e/f/1", 7, 2);
    at(text, "/h", 7, 12);
    at(" 42 ", "", 1, 2);
    at("\"x\"", "", 1, 1);
    at("[[[]],[],1]", "/2", 1, 10);
    at("{\"\":{\"\":1}}", "//", 1, 9);
}

static void lines_and_columns(void **state)
{
    (void)state;
    at("[1,\r\n2,\r3,\n\r4]", "/1", 2, 1);
    at("[1,\r\n2,\r3,\n\r4]", "/2", 3, 1);
    at("[1,\r\n2,\r3,\n\r4]", "/3", 5, 1);
    /* Columns count characters, and line ends that only YAML knows do not count. */
    at("[\"\xC3\xA9\xE2\x80\xA8\xC2\x85\xF0\x9F\x98\x80\", 1]", "/1", 1, 10);
    at("{\"\xC3\xA9\": 1}", "/\xC3\xA9", 1, 7);
    /* A key that becomes another text, and keys that become the same. */
    at("{\"\\u00e9\\u0000\": 1, \"b\": 2}", "/b", 1, 26);
    assert_int_equal(
        cf_json_line(
            cf_json_at(cf_json_get(placed("{\"a\": 1, \"\\u0061\": [\n2]}", 1, 1, NULL), "a"), 0)),
        2);
}

static void streams(void **state)
{
    static const char text[] = "\n {\"a\": 1} {\"a\":\n2}\n\n";
    size_t end;

    (void)state;
    assert_int_equal(cf_json_line(placed(text, 10, 1, &end)), 11);
    assert_int_equal(cf_json_column(placed(text, 10, 1, &end)), 2);
    assert_int_equal(end, 11);
    assert_int_equal(place.line, 11);
    assert_int_equal(place.column, 11);
    assert_int_equal(cf_json_column(placed(text + end, place.line, place.column, &end)), 11);
    assert_int_equal(place.line, 14);
    assert_int_equal(place.column, 1);
    assert_null(placed("[1,]", 7, 8, NULL));
    assert_int_equal(place.line, 7);
    assert_int_equal(place.column, 8);
    assert_string_equal(err.msg, "7:11: invalid JSON: expected a value");
    assert_int_equal(err.line, 7);
    assert_int_equal(err.column, 11);
    assert_int_equal(err.offset, 3);
    assert_string_equal(err.msg + err.what, "invalid JSON: expected a value");
    assert_null(placed("[\n1,\r\n{\"a\":1,\r\"a\":1}]", 7, 8, NULL));
    assert_string_equal(err.msg, "10:1: invalid JSON: duplicate key 'a'");
    /* Without lines there are none. */
    assert_int_equal(cf_json_line(json("[1]")), 0);
}

/* One line of 2 MB, as deep as may be, in time that grows with the text. */
static void large_texts(void **state)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    int64_t start = cpu_micros();
    const struct cf_json *root;

    (void)state;
    fputs("[", out);
    for (int i = 0; i < CF_DEPTH_MAX - 1; i++)
        fputs("[", out);
    for (int i = 0; i < CF_DEPTH_MAX - 1; i++)
        fputs("]", out);
    for (int i = 0; i < 200000; i++)
        fputs(",\"1234567\"", out);
    fputs("]", out);
    fclose(out);
    root = placed(text, 1, 1, NULL);
    assert_int_equal(cf_json_count(root), 200001);
    assert_int_equal(cf_json_column(cf_json_at(root, 200000)), 200 + 199999 * 10 + 1);
    free(text);
    assert_true(cpu_micros() - start < 5000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_value),
        cmocka_unit_test(lines_and_columns),
        cmocka_unit_test(streams),
        cmocka_unit_test(large_texts),
    };

    return cmocka_run_group_tests(tests, document_setup, document_teardown);
}
