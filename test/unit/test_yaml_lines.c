/* SPDX-License-Identifier: Apache-2.0 */
/* Lines as editors count them, with every line end of YAML; the last newline that kubectl adds;
 * and what libyaml takes for a mistake. */
#include "document.h"

#define NEL "\xC2\x85"
#define LS "\xE2\x80\xA8"
#define PS "\xE2\x80\xA9"

static void reads(const char *text, const char *want)
{
    is_read(yaml(text), want);
}

static void refuses(const char *text, const char *message)
{
    is_refused(yaml(text), message);
}

static void at(const char *text, const char *pointer, size_t line, size_t column)
{
    const struct cf_json *root = yaml(text), *value;

    if (root == NULL)
        fail_msg("%s: %s", text, err.msg);
    value = cf_json_pointer(root, pointer);
    assert_non_null(value);
    assert_int_equal(cf_json_line(value), line);
    assert_int_equal(cf_json_column(value), column);
}

static void line_ends(void **state)
{
    (void)state;
    at("a: 1\nb: 2\n", "/b", 2, 4);
    at("a: 1\r\nb: 2\r\n", "/b", 2, 4);
    at("a: 1\rb: 2\r", "/b", 2, 4);
    at("a: 1\r\r\nb: 2\r\r\n", "/b", 2, 4);
    at("a: 1\n\rb: 2\n", "/b", 3, 4);
    at("a: 'x" LS "y'\nb: 2\n", "/b", 2, 4);
    at("a: 'x" PS "y" NEL "z'\nb: 2\n", "/b", 2, 4);
    at("a: \"" LS LS LS "\"\nb: [1, 2]\n", "/b/1", 2, 8);
    at("a: |\n  x" LS "  y" NEL "  z\nb: 2\n", "/b", 3, 4);
    at("a: 'x" LS "y'\r\nb: 2\r\nc: '" LS "'\rd: 3\r", "/d", 4, 4);
    /* Content after such a line end on the same line. */
    at("a: 1 # x" LS "b: 2\nc: 3\n", "/b", 1, 13);
    at("a: 1 # \xC3\xA9" NEL "b: 2" NEL "c: 3\nd: 4\n", "/c", 1, 18);
    at("a: 1 # x" LS "b: 2\nc: 3\n", "/c", 2, 4);
    /* Escapes end no line. */
    at("a: \"\\L\\N\\u2028\"\nb: 2\n", "/b", 2, 4);
}

static void lines_of_errors(void **state)
{
    (void)state;
    refuses("a: 'x" LS "y'\nb: 1\na: 2\n", "3:1: duplicate key 'a'");
    refuses("a: 'x" LS "y'\nb: c: d\n", "2:5: mapping values are not allowed in this context");
    refuses("# " LS "\n# " PS "\na:\n\tb: 1\n", "4:1: a tab where only spaces can indent");
    refuses("a: 1\rb:\r\tc: 1\r", "3:1: a tab where only spaces can indent");
    refuses("a: '" NEL "\nb: 1\n",
            "3:1: found unexpected end of stream (while scanning a quoted scalar, which begins at "
            "line 1)");
    refuses("a: 1\rb: \x01\r", "2:4: control characters are not allowed");
    refuses("a: 'x" LS "y'\r\nb: \x01\n", "2:4: control characters are not allowed");
    refuses("a: 'x" LS "y'\n---\nb: 1\n", "2:1: a second document begins here");
}

/* As go-yaml has it: all of these end a comment and a line. */
static void line_ends_in_values(void **state)
{
    (void)state;
    reads("a: 1 # x" NEL "b: 2\n", "{\"a\":1,\"b\":2}");
    reads("# x" LS "a: 1" PS "b: 2\n", "{\"a\":1,\"b\":2}");
    reads("a: x" LS "  y\n", "{\"a\":\"x\\u2028y\"}");
    reads("a: 'x" NEL "  y'\n", "{\"a\":\"x y\"}");
    reads("a: |\r  x\r  y\r", "{\"a\":\"x\\ny\\n\"}");
    reads("a: |\r\r\n  x\r\r\n  y\r\r\n", "{\"a\":\"x\\ny\\n\"}");
    reads("a: |+\r\r\r\n  x\r\n\r\n", "{\"a\":\"\\nx\\n\\n\"}");
}

static void the_last_newline_is_added(void **state)
{
    (void)state;
    reads("a: |\n  x", "{\"a\":\"x\\n\"}");
    reads("a: |+\n  x", "{\"a\":\"x\\n\"}");
    reads("a: |-\n  x", "{\"a\":\"x\"}");
    reads("a: >\n  x\n  y", "{\"a\":\"x y\\n\"}");
    reads("a: |\r  x\r", "{\"a\":\"x\\n\"}");
    reads("a: |\n  x\n", "{\"a\":\"x\\n\"}");
    reads("a: |+\n  x\n\n", "{\"a\":\"x\\n\\n\"}");
    assert_string_equal(compact(yaml_with("a: |\n  x", 8, 1, CF_YAML_TEXT)), "{\"a\":\"x\"}");
}

static void colons_in_flow_collections(void **state)
{
    (void)state;
    reads("args: [2001:db8::]\n", "{\"args\":[\"2001:db8::\"]}");
    reads("command: [ping, 2001:db8::1, \"::1\"]\n",
          "{\"command\":[\"ping\",\"2001:db8::1\",\"::1\"]}");
    refuses("[::1]", "1:2: did not find expected node content (while parsing a flow node, which "
                     "begins at line 1)");
}

static void mended_colons(void **state)
{
    (void)state;
    reads("a: [x:]", "{\"a\":[\"x:\"]}");
    assert_int_equal(err.kind, CF_ERR_NONE); /* the error of the first attempt is cleared */
    reads("a: [x:, y:, z]", "{\"a\":[\"x:\",\"y:\",\"z\"]}");
    reads("a: {x:}", "{\"a\":{\"x:\":null}}");
    reads("a: {x: y:, z::: 1}", "{\"a\":{\"x\":\"y:\",\"z::\":1}}");
    reads("a: [x: y:]", "{\"a\":[{\"x\":\"y:\"}]}");
    reads("a: [a b :, c :]", "{\"a\":[\"a b :\",\"c :\"]}");
    reads("a: [\"b\":[c:], 'd':{e:}, {f: [g:]}]",
          "{\"a\":[{\"b\":[\"c:\"]},{\"d\":{\"e:\":null}},{\"f\":[\"g:\"]}]}");
    reads("a: [it's:, \"q:]\", 'r:,', s\":, t:\n]",
          "{\"a\":[\"it's:\",\"q:]\",\"r:,\",\"s\\\":\",{\"t\":null}]}");
    reads(
        "a: x:] y:, z\nb: |\n  x:]\nc: \"x:]\"\nd: [\xEE\x80\x80, \"\\ue001\\U0000e002:]\", x:]\n",
        "{\"a\":\"x:] y:, z\",\"b\":\"x:]\\n\",\"c\":\"x:]\",\"d\":[\"\xEE\x80\x80\","
        "\"\xEE\x80\x81\xEE\x80\x82:]\",\"x:\"]}");
    reads("- &a k\n- [{*a:}, {*a :[b:]}, !<x:?> c:]\n",
          "[\"k\",[{\"k\":null},{\"k\":[\"b:\"]},\"c:\"]]");
    reads("[x:,\n w:\n  z:]", "[\"x:\",{\"w\":\"z:\"}]");
    /* Lines and columns stay as they are. */
    at("a: [x:, y:, z]\nb: [\xC3\xA9:, w]\n", "/a/2", 1, 13);
    at("a: [x:, y:, z]\nb: [\xC3\xA9:, w]\n", "/b/1", 2, 9);
    refuses("a: [x:, y:]\nb: c: d\n", "2:5: mapping values are not allowed in this context");
    refuses("a: [x:, y:]\na: 1\n", "2:1: duplicate key 'a'");
    refuses("[x:[a]]",
            "1:4: did not find expected ',' or ']' (while parsing a flow sequence, which "
            "begins at line 1)");
    /* A configuration is read by libyaml's rules. */
    is_refused(yaml_with("a: [x:]", 7, 1, CF_YAML_TEXT),
               "1:6: found unexpected ':' (while scanning a plain scalar, which begins at line 1)");
}

static void escaped_apostrophes(void **state)
{
    (void)state;
    reads("a: \"it\\'s\"\n", "{\"a\":\"it's\"}");
    reads("[\"\\'\", \"\\\\'\", \"\\\\\\'x\", '\\', \\'x, \"y\\'\"]\n",
          "[\"'\",\"\\\\'\",\"\\\\'x\",\"\\\\\",\"\\\\'x\",\"y'\"]");
    reads("a: |\n  \\'\nb: \"\\'\"\nc: [x:, \"\\':\"]\n",
          "{\"a\":\"\\\\'\\n\",\"b\":\"'\",\"c\":[\"x:\",\"':\"]}");
    at("[\"\\'\", 1]", "/1", 1, 8);
    refuses("[\"\\'\", \"\\q\"]", "1:9: found unknown escape character (while parsing a quoted "
                                  "scalar, which begins at line 1)");
    is_refused(
        yaml_with("\"\\'\"", 4, 1, CF_YAML_TEXT),
        "1:2: found unknown escape character (while parsing a quoted scalar, which begins at "
        "line 1)");
}

/* A text that needs every candidate, and one where each colon has to be looked for. */
static void colons_have_limits(void **state)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    int64_t start = cpu_micros();

    (void)state;
    for (int i = 0; i < 100000; i++)
        fputs("- [a:, b:]\n", out);
    fflush(out);
    assert_int_equal(cf_json_count(yaml_with(text, len, 1, CF_YAML_MANIFEST)), 0);
    fclose(out);
    free(text);

    out = open_memstream(&text, &len);
    for (int i = 0; i < 20; i++)
        fputs("- [a :]\n", out);
    fclose(out);
    assert_null(yaml_with(text, len, 1, CF_YAML_MANIFEST));
    assert_string_equal(err.msg, "17:6: found unexpected ':' (while scanning a plain scalar, "
                                 "which begins at line 17)");
    free(text);

    out = open_memstream(&text, &len);
    for (int i = 0; i < 4096; i++)
        fprintf(out, "# \xEE%c%c\n", 0x80 | i >> 6, 0x80 | (i & 0x3F));
    fputs("[a:]\n", out);
    fclose(out);
    assert_null(yaml_with(text, len, 1, CF_YAML_MANIFEST));
    assert_string_equal(err.msg, "4097:3: found unexpected ':' (while scanning a plain scalar, "
                                 "which begins at line 4097)");
    free(text);
    assert_true(cpu_micros() - start < 5000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(line_ends),
        cmocka_unit_test(lines_of_errors),
        cmocka_unit_test(line_ends_in_values),
        cmocka_unit_test(the_last_newline_is_added),
        cmocka_unit_test(colons_in_flow_collections),
        cmocka_unit_test(mended_colons),
        cmocka_unit_test(escaped_apostrophes),
        cmocka_unit_test(colons_have_limits),
    };

    return cmocka_run_group_tests(tests, document_setup, document_teardown);
}
