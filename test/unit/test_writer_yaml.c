/* SPDX-License-Identifier: Apache-2.0 */
/* The output of cf_yaml_write() is parsed as the same value. */
#include "document.h"

static const struct cf_json *parse(const char *text)
{
    const struct cf_json *value = cf_json_parse(arena, text, strlen(text), NULL, NULL, &err);

    if (value == NULL)
        fail_msg("'%s': %s", text, err.msg);
    return value;
}

static const char *written(const struct cf_json *value, unsigned indent)
{
    struct cf_buf buf;

    cf_buf_init_arena(&buf, arena, CF_FILE_MAX);
    cf_yaml_write(&buf, value, indent);
    assert_true(cf_buf_ok(&buf));
    return cf_buf_str(&buf);
}

static void round_trip(const struct cf_json *value)
{
    static const unsigned indents[] = {0, 4};
    const char *want = compact(value);

    for (size_t i = 0; i < CF_COUNT(indents); i++) {
        const char *text = written(value, indents[i]);
        const struct cf_json *again =
            cf_yaml_parse(arena, text, strlen(text), 1, CF_YAML_MANIFEST, &err);

        if (again == NULL)
            fail_msg("%s\n%s\n%s", want, text, err.msg);
        if (strcmp(compact(again), want) != 0)
            fail_msg("%s\n%s\n%s", want, text, compact(again));
    }
}

static void writes(const char *document, const char *want)
{
    const struct cf_json *value = parse(document);

    assert_string_equal(written(value, 0), want);
    round_trip(value);
}

static void blocks(void **state)
{
    (void)state;
    writes("{\"a\":1,\"b\":{\"c\":\"x\",\"d\":{}},\"e\":[],\"f\":null,\"g\":true,\"h\":-2.5}",
           "a: 1\nb:\n  c: x\n  d: {}\ne: []\nf: null\ng: true\nh: -2.5\n");
    writes("{\"v\":[{\"name\":\"t\",\"secret\":{\"k\":1}},[1,[2,3]],[],{},\"x\",[{\"a\":[]}]]}",
           "v:\n- name: t\n  secret:\n    k: 1\n- - 1\n  - - 2\n    - 3\n- []\n- {}\n- x\n"
           "- - a: []\n");
    writes("[{\"a\":[1,2],\"b\":2}]", "- a:\n  - 1\n  - 2\n  b: 2\n");
    writes("{}", "{}\n");
    writes("[]", "[]\n");
    writes("\"yes\"", "\"yes\"\n");
    writes("\"a\\nb\"", "\"a\\nb\"\n");
    writes("null", "null\n");
    writes("-0", "-0.0\n");
    assert_string_equal(written(parse("{\"a\":[{\"b\":\"x\\ny\"}]}"), 4),
                        "    a:\n    - b: |-\n        x\n        y\n");
}

/* Bare in the left column, quoted in the right one. */
static void quotes(void **state)
{
    static const char *const bare[] = {
        "web",         "a b",
        "nginx:1.25",  "500m",
        "1Gi",         "/var/run",
        "-c",          "--port=8443",
        "a-b_c.d",     "system:serviceaccount:a:b",
        "8080/tcp",    "kubernetes.io/x",
        "not",         "nope",
        "trueish",     "docker.io/library/x@sha256:abc",
        "a,b",         "x*",
        "$(POD_NAME)", "_x",
        "./a.sh",      "1st",
    };
    static const char *const quoted[] = {
        "",
        " ",
        "a ",
        " a",
        "~",
        "null",
        "true",
        "no",
        "y",
        "N",
        "on",
        "1",
        "-1",
        "0x10",
        "1e3",
        "1.5",
        ".5",
        "1_000",
        "0b1",
        ".inf",
        "-.inf",
        ".nan",
        "1:30",
        "12:30:45",
        "2027-03-31",
        "2027-03-31T10:00:00Z",
        "2001-12-14 21:59:43.10 -5",
        "=",
        "<<",
        "- a",
        "-",
        "?",
        "? a",
        ": a",
        "a: b",
        "a:",
        "a #b",
        "#a",
        "&a",
        "*a",
        "!a",
        "|",
        ">",
        "%a",
        "@a",
        "`a",
        "'a'",
        "\"a\"",
        "{a}",
        "[a]",
        "a\tb",
        "a\\b",
        "---",
        "--- a",
        "...",
        "1.2.3",
        "+1",
        "0o7",
        "1e999",
        "0x1FFFFFFFFFFFFFFFF",
        "99999999999999999999",
        "a{b",
        ",a",
        "10.0.0.1",
        "-1-",
    };
    char document[200], want[200];

    (void)state;
    for (size_t i = 0; i < CF_COUNT(bare); i++) {
        snprintf(document, sizeof(document), "{\"%s\":[\"%s\"]}", bare[i], bare[i]);
        snprintf(want, sizeof(want), "%s:\n- %s\n", bare[i], bare[i]);
        writes(document, want);
    }
    for (size_t i = 0; i < CF_COUNT(quoted); i++) {
        struct cf_buf text;

        cf_buf_init_arena(&text, arena, 100);
        cf_buf_add_quoted(&text, quoted[i]);
        snprintf(document, sizeof(document), "{%s:[%s]}", text.data, text.data);
        snprintf(want, sizeof(want), "%s:\n- %s\n", text.data, text.data);
        writes(document, want);
    }
}

static void literal_blocks(void **state)
{
    static const char *const inside[] = {
        "a\\nb",
        "a\\nb\\n",
        "a\\nb\\n\\n",
        "a\\n\\n\\nb",
        "\\na\\nb",
        "a\\n  b\\n c",
        "a\\n",
        "#!/bin/sh\\nset -e\\nexec \\\"$@\\\"\\n",
        "key: value\\n- x\\n",
        "---\\n...\\n",
        "\xC3\xA9\\n\xF0\x9F\x98\x80\\n",
        "a\\tb\\nc",
        "% x\\n# y",
        "\\n\\na\\n\\n\\n",
    };
    static const char *const quoted[] = {
        "\\n",          "\\n\\n",       " a\\nb",   "\\n a\\nb", "a \\nb",        "a\\nb ",
        "a\\n \\nb",    "a\\n\\tb",     "\\ta\\nb", "a\\r\\nb",  "a\\u0085b\\nc", "a\\u2028\\nb",
        "a\\ufeff\\nb", "a\\u0001\\nb", "a\\t\\nb", "a\\nb\\t",  "a\\u007f\\nb",
    };
    char document[200];

    (void)state;
    for (size_t i = 0; i < CF_COUNT(inside); i++) {
        snprintf(document, sizeof(document), "{\"a\":\"%s\",\"b\":[\"%s\",{\"c\":\"%s\"}],\"d\":1}",
                 inside[i], inside[i], inside[i]);
        assert_non_null(strstr(written(parse(document), 0), "a: |"));
        round_trip(parse(document));
    }
    for (size_t i = 0; i < CF_COUNT(quoted); i++) {
        snprintf(document, sizeof(document), "{\"a\":\"%s\",\"b\":[\"%s\"]}", quoted[i], quoted[i]);
        assert_null(strstr(written(parse(document), 0), "|"));
        round_trip(parse(document));
    }
    writes("{\"a\":\"x\\ny\",\"b\":\"x\\n\",\"c\":\"x\\n\\n\"}",
           "a: |-\n  x\n  y\nb: |\n  x\nc: |+\n  x\n\n");
}

static void long_keys(void **state)
{
    char document[9000];

    (void)state;
    for (size_t len = 990; len < 1040; len++) {
        snprintf(document, sizeof(document),
                 "[{\"%0*d\":{\"x\":[1]},\"%0*dk\":[{\"y\":\"a\\nb\"}],\"z%0*d\":2}]", (int)len, 1,
                 (int)len, 2, (int)len, 3);
        round_trip(parse(document));
    }
}

/* A small generator of documents that are as odd as they can be. */
static uint32_t seed = 12345;

static unsigned pick(unsigned below)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 16) % below;
}

static void generate_text(struct cf_buf *buf)
{
    static const char *const parts[] = {
        "a",
        "B",
        "0",
        "1",
        "-",
        " ",
        "  ",
        ":",
        "#",
        "\\n",
        "\\n",
        "\\t",
        "\\\"",
        "'",
        "e",
        "x",
        ".",
        "_",
        "~",
        "yes",
        "null",
        "{",
        "]",
        ",",
        "&",
        "*",
        "!",
        "|",
        ">",
        "%",
        "@",
        "\\\\",
        "\\u0085",
        "\xC3\xA9",
        "\xE2\x80\xA8",
        "\xEF\xBB\xBF",
        "\xF0\x9F\x98\x80",
        "\\u0001",
        "---",
        "?",
        "=",
        "<<",
        "+",
    };

    cf_buf_addc(buf, '"');
    for (unsigned n = pick(7); n > 0; n--)
        cf_buf_adds(buf, parts[pick(CF_COUNT(parts))]);
    cf_buf_addc(buf, '"');
}

static void generate(struct cf_buf *buf, unsigned depth)
{
    static const char *const scalars[] = {"null", "true", "false", "0", "-17", "1.5", "{}", "[]"};
    unsigned kind = depth == 0 ? pick(3) : pick(6);
    unsigned count = 1 + pick(4);

    if (kind == 0) {
        cf_buf_adds(buf, scalars[pick(CF_COUNT(scalars))]);
    } else if (kind < 3) {
        generate_text(buf);
    } else {
        cf_buf_addc(buf, kind == 3 ? '[' : '{');
        for (unsigned i = 0; i < count; i++) {
            if (i > 0)
                cf_buf_addc(buf, ',');
            if (kind != 3) {
                generate_text(buf);
                buf->len--;
                cf_buf_addf(buf, "%u\":", i);
            }
            generate(buf, depth - 1);
        }
        cf_buf_addc(buf, kind == 3 ? ']' : '}');
    }
}

static void generated_documents(void **state)
{
    (void)state;
    for (int i = 0; i < 20000; i++) {
        struct cf_buf buf;

        cf_arena_reset(arena, false);
        cf_buf_init_arena(&buf, arena, CF_MIB);
        generate(&buf, 1 + pick(4));
        round_trip(parse(cf_buf_str(&buf)));
    }
}

static void absent_value(void **state)
{
    (void)state;
    assert_string_equal(written(NULL, 2), "  null\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks),         cmocka_unit_test(quotes),
        cmocka_unit_test(literal_blocks), cmocka_unit_test(long_keys),
        cmocka_unit_test(absent_value),   cmocka_unit_test(generated_documents),
    };

    return cmocka_run_group_tests(tests, document_setup, document_teardown);
}
