/* SPDX-License-Identifier: Apache-2.0 */
/* cf_yaml_parse(): invalid files, then valid ones. */
#include "document.h"

static size_t first_line = 1;

static const struct cf_json *parse(const char *text)
{
    return yaml_with(text, strlen(text), first_line, CF_YAML_MANIFEST);
}

static const struct cf_json *parse_text(const char *text)
{
    return yaml_with(text, strlen(text), 1, CF_YAML_TEXT);
}

static void refuses(const char *text, const char *message)
{
    is_refused(parse(text), message);
}

static void reads(const char *text, const char *want)
{
    is_read(yaml(text), want);
}

static void broken_files(void **state)
{
    (void)state;
    refuses("a: [1, 2\nb: 3\n", "2:2: did not find expected ',' or ']' (while parsing a flow "
                                "sequence, which begins at line 1)");
    refuses("a: b: c\n", "1:5: mapping values are not allowed in this context");
    refuses("a:\n\tb: 1\n", "2:1: a tab where only spaces can indent");
    refuses("a:\n  - 1\n \t- 2\n", "3:2: a tab where only spaces can indent");
    refuses("a: 'x\n", "2:1: found unexpected end of stream (while scanning a quoted scalar, "
                       "which begins at line 1)");
    refuses("a: \"\\q\"\n", "1:5: found unknown escape character (while parsing a quoted scalar, "
                            "which begins at line 1)");
    refuses("name: {{ .Values.name }}\n", "1:8: a key that is an object");
    refuses("a: 1\n---\nb: 2\n", "2:1: a second document begins here");
    refuses("%YAML 2.0\n---\na: 1\n", "1:1: found incompatible YAML document");
    refuses("a: \xFF\n", "1:4: invalid leading UTF-8 octet");
    refuses("a: 1\nb: \xC3\xA9\xC3(\n", "2:6: invalid trailing UTF-8 octet");
    refuses("a: \xC0\x80\n", "1:4: invalid length of a UTF-8 sequence");
    refuses("a: \xE2\x82", "1:5: invalid trailing UTF-8 octet"); /* kubectl adds a newline */
    is_refused(parse_text("a: \xE2\x82"), "1:4: incomplete UTF-8 octet sequence");
    refuses("a: b\x01\n", "1:5: control characters are not allowed");
    refuses("a: \x7f\n", "1:4: control characters are not allowed");
    refuses("a: \"\\ud800\"\n", "1:7: found invalid Unicode character escape code (while parsing a "
                                "quoted scalar, which begins at line 1)");
    assert_null(yaml_with("a: \0\n", 5, first_line, CF_YAML_MANIFEST));
    assert_string_equal(err.msg, "1:4: control characters are not allowed");
    assert_null(yaml_with("\xFF\xFE"
                          "a\0",
                          4, first_line, CF_YAML_MANIFEST));
    assert_string_equal(err.msg, "1:1: invalid leading UTF-8 octet");
    first_line = 41;
    refuses("a: 1\na: 2\n", "42:1: duplicate key 'a'");
    refuses("a: 1\nb: \xFF\n", "42:4: invalid leading UTF-8 octet");
    refuses("a:\n\tb: 1\n", "42:1: a tab where only spaces can indent");
    first_line = 1;
}

static void duplicate_keys(void **state)
{
    (void)state;
    refuses("a: 1\nb: 2\na: 3\n", "3:1: duplicate key 'a'");
    refuses("x:\n  - k: 1\n    \"k\": 2\n", "3:5: duplicate key 'k'");
    refuses("{a: 1, ? a : 2}\n", "1:10: duplicate key 'a'");
    refuses("1: x\n0x1: y\n", "2:1: duplicate key '1'");
    refuses("yes: x\ntrue: y\n", "2:1: duplicate key 'true'");
    is_refused(parse_text("<<: {}\n<<: {}\n"), "2:1: duplicate key '<<'");
    refuses("\"a\\0\": x\n\"a\\x00\": y\n", "2:1: duplicate key 'a'");
    refuses("? eyJhbGciOiJSUzI1NiJ9.e30.x\n: 1\n? eyJhbGciOiJSUzI1NiJ9.e30.x\n: 2\n",
            "3:3: duplicate key '[redacted]'");
    reads("a: {a: {a: 1}}\n", "{\"a\":{\"a\":{\"a\":1}}}");
    reads("a: 1\n\"<<\": 2\n'<< ': 3\n", "{\"a\":1,\"<<\":2,\"<< \":3}");
}

static void many_keys(void **state)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    int64_t start;

    (void)state;
    for (int i = 0; i < 100000; i++)
        fprintf(out, "curfew.dev/label-%d: v\n", i);
    fflush(out);
    start = cpu_micros();
    assert_int_equal(cf_json_count(yaml_with(text, len, first_line, CF_YAML_MANIFEST)), 100000);
    fprintf(out, "curfew.dev/label-500: v\n");
    fclose(out);
    assert_null(yaml_with(text, len, first_line, CF_YAML_MANIFEST));
    assert_string_equal(err.msg, "100001:1: duplicate key 'curfew.dev/label-500'");
    assert_true(cpu_micros() - start < 5000000);
    free(text);
}

static void depth(void **state)
{
    char text[300];

    (void)state;
    for (int levels = 99; levels <= 102; levels++) {
        memset(text, '[', (size_t)levels);
        memset(text + levels, ']', (size_t)levels);
        text[2 * levels] = '\0';
        assert_int_equal(yaml(text) != NULL, levels <= CF_DEPTH_MAX);
    }
    assert_string_equal(err.msg, "1:101: nested deeper than 100");
}

static void nodes(void **state)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    (void)state;
    for (int i = 0; i < CF_NODES_MAX - 1; i++)
        fputs("- 1\n", out);
    fflush(out);
    assert_non_null(yaml_with(text, len, first_line, CF_YAML_MANIFEST));
    fputs("- 1\n", out);
    fclose(out);
    assert_null(yaml_with(text, len, first_line, CF_YAML_MANIFEST));
    assert_string_equal(err.msg, "300000:3: more than 300000 values, aliases expanded");
    free(text);
}

static void billion_laughs(void **state)
{
    char text[2000] = "a: &a [x,x,x,x,x,x,x,x,x,x]\n";
    char deep[3000] = "a: &a0 [x]\n";
    int64_t start = cpu_micros();
    char line[100];

    (void)state;
    for (char c = 'b'; c <= 'i'; c++) {
        sprintf(line, "%c: &%c [*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c]\n", c, c, c - 1, c - 1, c - 1,
                c - 1, c - 1, c - 1, c - 1, c - 1, c - 1);
        strcat(text, line);
    }
    refuses(text, "6:14: more than 300000 values, aliases expanded");
    for (int i = 1; i < 120; i++) {
        sprintf(line, "b%d: &a%d [*a%d]\n", i, i, i - 1);
        strcat(deep, line);
    }
    refuses(deep, "100:12: nested deeper than 100");
    assert_true(cpu_micros() - start < 2000000);
}

/* Members that are merged count, also where the mapping has them already. */
static void merged_laughs(void **state)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    int64_t start = cpu_micros();

    (void)state;
    fputs("base: &base\n", out);
    for (int i = 0; i < 10000; i++)
        fprintf(out, "  k%d: 1\n", i);
    for (int i = 0; i < 100; i++)
        fprintf(out, "m%d: {<<: [*base, *base, *base]}\n", i);
    fclose(out);
    assert_null(yaml_with(text, len, first_line, CF_YAML_MANIFEST));
    assert_non_null(strstr(err.msg, "more than 300000 values"));
    assert_true(cpu_micros() - start < 2000000);
    free(text);
}

static void many_anchors(void **state)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    int64_t start = cpu_micros();

    (void)state;
    for (int i = 0; i < 40000; i++)
        fprintf(out, "- &anchor%d x\n- *anchor%d\n", i, i / 2);
    fclose(out);
    assert_non_null(yaml_with(text, len, first_line, CF_YAML_MANIFEST));
    assert_true(cpu_micros() - start < 5000000);
    free(text);
}

/* Names that share a bucket of a hash without a random key (h * 33 + c), which was used once. */
static void anchors_chosen_to_collide(void **state)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    int64_t start = cpu_micros();
    int written = 0;

    (void)state;
    for (int i = 0; written < 60000; i++) {
        unsigned hash = 5381;
        char name[16];

        sprintf(name, "a%d", i);
        for (const char *p = name; *p != '\0'; p++)
            hash = hash * 33 + (unsigned char)*p;
        if (hash % 256 == 7) {
            fprintf(out, "- &%s 1\n", name);
            written++;
        }
    }
    for (int i = 0; i < 60000; i++)
        fputs("- *a10\n", out); /* the first of them */
    fclose(out);
    assert_non_null(yaml_with(text, len, first_line, CF_YAML_MANIFEST));
    assert_true(cpu_micros() - start < 5000000);
    free(text);
}

/* 1 MiB that stands for 1 GiB: few values, and many bytes. Keys count as texts do. */
static void long_aliases(void **state)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    int64_t start = cpu_micros();

    (void)state;
    fprintf(out, "a: &a\n  %0*d: %0*d\nb:\n", 1000, 1, 1000000, 2);
    for (int i = 0; i < 62; i++)
        fputs("- *a\n", out);
    fflush(out);
    assert_non_null(yaml_with(text, len, first_line, CF_YAML_TEXT));
    for (int i = 0; i < 1000; i++)
        fputs("- *a\n", out);
    fclose(out);
    assert_null(yaml_with(text, len, first_line, CF_YAML_TEXT));
    assert_string_equal(err.msg, "70:3: more than 64 MiB, aliases expanded");
    assert_true(cpu_micros() - start < 5000000);
    free(text);
}

static void a_later_anchor_hides_an_earlier_one(void **state)
{
    (void)state;
    reads("[&a 1, *a, &a 2, *a, &a [&a 3, *a], *a]", "[1,1,2,2,[3,3],3]");
}

static void aliases(void **state)
{
    (void)state;
    refuses("a: *b\n", "1:4: alias 'b' has no anchor before it");
    refuses("a: &x [1, *x]\n", "1:11: alias 'x' is inside its own anchor");
    refuses("a: &x {b: [*x]}\n", "1:12: alias 'x' is inside its own anchor");
    refuses("a: *x\nb: &x 1\n", "1:4: alias 'x' has no anchor before it");
    reads("a: &x {b: [1, &y two]}\nc: *x\nd: *y\n",
          "{\"a\":{\"b\":[1,\"two\"]},\"c\":{\"b\":[1,\"two\"]},\"d\":\"two\"}");
    reads("[&x 1, &x 2, *x]\n", "[1,2,2]");
    reads("a: &x\nb: *x\n", "{\"a\":null,\"b\":null}");
    /* An item has no key, although its value was a member. */
    assert_null(cf_json_key(cf_json_at(cf_json_get(yaml("a: &x 1\nb: [*x]\n"), "b"), 0)));
}

static void merge_keys(void **state)
{
    static const char base[] = "- &a {x: 1, w: 2}\n- &b {w: 3, z: 4}\n";
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"- {<<: *a}", "{\"x\":1,\"w\":2}"},
        {"- {<<: *a, w: 9}", "{\"w\":9,\"x\":1}"},
        {"- {w: 9, <<: *a}", "{\"x\":1,\"w\":2}"},
        {"- {<<: [*a, *b], q: 0}", "{\"q\":0,\"x\":1,\"w\":2,\"z\":4}"},
        {"- {<<: [*b, *a]}", "{\"w\":3,\"z\":4,\"x\":1}"},
        {"- {<<: {x: 5}}", "{\"x\":5}"},
        {"- {<<: []}", "{}"},
        {"- {<<: {<<: *a, x: 7}, k: v}", "{\"k\":\"v\",\"x\":7,\"w\":2}"},
        /* The merged mapping stays whole for those who name it later. */
        {"- [{<<: &c {p: 1}}, *c]", "[{\"p\":1},{\"p\":1}]"},
        {"- {'<<': 1}", "{\"<<\":1}"},
    };

    (void)state;
    for (size_t i = 0; i < CF_COUNT(cases); i++) {
        char text[200];
        const struct cf_json *value;

        snprintf(text, sizeof(text), "%s%s\n", base, cases[i].text);
        value = yaml(text);
        if (value == NULL)
            fail_msg("'%s': %s", text, err.msg);
        assert_string_equal(compact(cf_json_at(value, 2)), cases[i].want);
        assert_string_equal(compact(cf_json_at(value, 0)), "{\"x\":1,\"w\":2}");
    }
    refuses("<<: 1\n", "1:5: '<<' takes a mapping or a sequence of mappings");
    refuses("a: 1\n<<: [{}, 2]\n", "2:5: '<<' takes a mapping or a sequence of mappings");
    refuses("<<: {a: 1, a: 2}\n", "1:12: duplicate key 'a'");
}

static void documents(void **state)
{
    static const char *const nothing[] = {
        "",
        "\n\n",
        "# only a comment\n",
        "---\n",
        "--- # comment\n\n",
        "---\n...\n",
        "%YAML 1.1\n---\n",
        "\xEF\xBB\xBF",
        "\xEF\xBB\xBF# x\n",
        "--- \n# a\n# b\n",
    };

    (void)state;
    for (size_t i = 0; i < CF_COUNT(nothing); i++) {
        assert_null(yaml(nothing[i]));
        assert_int_equal(err.kind, CF_ERR_NONE);
        assert_string_equal(err.msg, "");
    }
    assert_true(cf_json_is_null(yaml("---\n~\n")));
    assert_int_equal(cf_json_type(yaml("--- ''\n")), CF_JSON_STRING);
    reads("%YAML 1.1\n---\n# c\na: 1\n...\n", "{\"a\":1}");
    reads("\xEF\xBB\xBF"
          "a: 1\n",
          "{\"a\":1}");
    reads("\xEF\xBB\xBF---\na: 1", "{\"a\":1}");
    reads("{\"a\": [1, 2.50, \"x\", null, true], \"b\": {}}",
          "{\"a\":[1,2.5,\"x\",null,true],\"b\":{}}");
    reads("a:\r\n  - 1\r\n", "{\"a\":[1]}");
    reads("42", "42");
    assert_null(cf_yaml_parse(arena, "a: [", 4, 1, CF_YAML_MANIFEST, NULL));
    assert_null(cf_yaml_parse(arena, "", 0, 1, CF_YAML_MANIFEST, NULL));
}

static void at(const struct cf_json *value, size_t line, size_t column)
{
    assert_int_equal(cf_json_line(value), line);
    assert_int_equal(cf_json_column(value), column);
}

static void places(void **state)
{
    const struct cf_json *root;

    (void)state;
    first_line = 10;
    root = parse("---\na: 1\n\xC3\xA9: [x,  true]\nc:\n  d:\n  - {e: ~}\n");
    first_line = 1;
    at(root, 11, 1);
    at(cf_json_get(root, "a"), 11, 4);
    at(cf_json_get(root, "\xC3\xA9"), 12, 4);
    at(cf_json_at(cf_json_get(root, "\xC3\xA9"), 1), 12, 9);
    at(cf_json_get(root, "c"), 14, 3);
    at(cf_json_pointer(root, "/c/d"), 15, 3);
    at(cf_json_pointer(root, "/c/d/0"), 15, 5);
    at(cf_json_pointer(root, "/c/d/0/e"), 15, 9);
    assert_false(cf_json_is_plain(cf_json_get(root, "a")));
    first_line = 60000000;
    at(parse("\n\n    x\n"), 60000002, 5);
    first_line = 1;
}

static void text_mode(void **state)
{
    const struct cf_json *root =
        parse_text("a: 0400\nb: 'no'\nc: no\nd: ~\ne:\nf: null\ng: 1e3\nh: !!str 5\ni: !!int 5\n"
                   "j: .inf\nk: |\n  5\nyes: 1\n0x1: 2\n~: 3\nl: !!null x\n");

    (void)state;
    assert_null(root);
    assert_string_equal(err.msg, "16:4: the value is not null (!!null)");
    root = parse_text("a: 0400\nb: 'no'\nc: no\nd: ~\ne:\nf: null\ng: 1e3\nh: !!str 5\ni: !!int 5\n"
                      "j: .inf\nk: |\n  5\nyes: 1\n0x1: 2\n~: 3\n");
    assert_string_equal(
        compact(root),
        "{\"a\":\"0400\",\"b\":\"no\",\"c\":\"no\",\"d\":null,\"e\":null,\"f\":\"null\","
        "\"g\":\"1e3\",\"h\":\"5\",\"i\":\"5\",\"j\":\".inf\",\"k\":\"5\\n\",\"yes\":\"1\","
        "\"0x1\":\"2\",\"~\":\"3\"}");
    assert_true(cf_json_is_plain(cf_json_get(root, "a")));
    assert_false(cf_json_is_plain(cf_json_get(root, "b")));
    assert_true(cf_json_is_plain(cf_json_get(root, "c")));
    assert_true(cf_json_is_plain(cf_json_get(root, "d")));
    assert_false(cf_json_is_plain(cf_json_get(root, "h")));
    assert_true(cf_json_is_plain(cf_json_get(root, "i")));
    assert_false(cf_json_is_plain(cf_json_get(root, "k")));
    assert_false(cf_json_is_plain(root));
    /* The own members of a mapping remain, also with a merge key after them. */
    assert_string_equal(compact(parse_text("{a: 1, <<: {a: 2, b: 3}, c: 4}")),
                        "{\"a\":\"1\",\"c\":\"4\",\"b\":\"3\"}");
    root = parse_text("a: &x 5m\nb: {<<: {c: *x}}\n");
    assert_true(cf_json_is_plain(cf_json_pointer(root, "/b/c")));
    assert_int_equal(cf_json_column(cf_json_pointer(root, "/b/c")), 4);
}

static const char sample[] =
    "# a sample\napiVersion: v1\nkind: Pod\nmetadata: &m {name: web, labels: {a: \"1\"}}\n"
    "spec:\n  <<: *m\n  containers:\n  - command: [\"sh\", '-c', |-\n      x]\n"
    "    args:\n    - >\n      folded\n      text\n    - !!str 5\n    - -0x1F\n";

static const char block_sample[] =
    "# a sample\napiVersion: v1\nmetadata: &m {name: web, labels: {a: \"1\\u00e9\"}}\n"
    "spec:\n  <<: *m\n  containers:\n  - command: [\"sh\", '-c', x]\n    args:\n    - >\n"
    "      folded\n      text\n    - !!str 5\n    - -0x1F\n    ? k\n    : |\n      \xE2\x82\xAC\n";

/* Cut anywhere, or with any byte in it for another: no crash, and a sentence with a place. */
static void mutations(void **state)
{
    char text[sizeof(block_sample)];
    size_t len = sizeof(block_sample) - 1;

    (void)state;
    assert_null(yaml(sample));
    for (size_t cut = 0; cut < len; cut++) {
        if (yaml_with(block_sample, cut, first_line, CF_YAML_MANIFEST) == NULL &&
            err.kind != CF_ERR_NONE)
            assert_true(err.msg[0] >= '1' && err.msg[0] <= '9');
    }
    for (size_t i = 0; i < len; i++) {
        for (int byte = 0; byte < 256; byte++) {
            memcpy(text, block_sample, sizeof(text));
            text[i] = (char)byte;
            if (yaml_with(text, len, first_line, (enum cf_yaml_flags)(byte & 1)) == NULL)
                assert_true(err.kind == CF_ERR_NONE || strchr(err.msg, ':') != NULL);
        }
    }
}

static void small_arenas_fail_cleanly(void **state)
{
    const char *text = "a: &x {b: [1, two]}\nc: {<<: *x, d: *x}\n";
    size_t failed = 0;

    (void)state;
    for (size_t ceiling = 0; ceiling < 80 * CF_KIB; ceiling += 32) {
        struct cf_arena *small = cf_arena_new(ceiling);
        struct cf_err why = {0};

        if (cf_yaml_parse(small, text, strlen(text), 1, CF_YAML_MANIFEST, &why) == NULL) {
            assert_string_equal(why.msg, "out of memory");
            assert_int_equal(why.kind, CF_ERR_SYSTEM);
            failed++;
        }
        cf_arena_free(small);
    }
    assert_true(failed > 50);
}

/* As \u0000 in JSON. */
static void nul_becomes_a_replacement(void **state)
{
    (void)state;
    reads("a: \"\\0\"\nb: \"x\\x00y\\u0000\"\n", "{\"a\":\"\xEF\xBF\xBD\",\"b\":\"x\xEF\xBF\xBD"
                                                 "y\xEF\xBF\xBD\"}");
    reads("? \"a\\0\"\n: 1\n\"a\\ufffd\": 2\n", "{\"a\xEF\xBF\xBD\":1,\"a\xEF\xBF\xBD\":2}");
    reads("'\\0': '\\0'\n", "{\"\\\\0\":\"\\\\0\"}");
    is_refused(parse_text("a: \"\\0\"\n"), "1:4: a NUL character in a string");
    is_refused(parse_text("\"\\0\": 1\n"), "1:1: a NUL character in a string");
}

/* libyaml compares each directive with all before it: 40,000 of them took it some 4 s. */
static void many_tag_directives(void **state)
{
    const size_t most = CF_TAG_DIRECTIVES_MAX;
    static const char *const line_ends[] = {"\n",       "\r\n",         "\r",
                                            "\xC2\x85", "\xE2\x80\xA8", "\xE2\x80\xA9"};
    struct cf_buf text;

    (void)state;
    for (size_t e = 0; e < CF_COUNT(line_ends); e++) {
        cf_buf_init_arena(&text, arena, 2 * CF_MIB);
        for (size_t i = 0; i < most; i++)
            cf_buf_addf(&text, "%%TAG !a%zu! tag:yaml.org,2002:%s", i, line_ends[e]);
        cf_buf_addf(&text, "---%sa: !a%zu!str 1%s", line_ends[e], most - 1, line_ends[e]);
        reads(cf_buf_str(&text), "{\"a\":\"1\"}");

        cf_buf_init_arena(&text, arena, 2 * CF_MIB);
        int64_t began = cpu_micros();
        for (size_t i = 0; i < 40000; i++)
            cf_buf_addf(&text, "%%TAG !a%zu! tag:x,1:%s", i, line_ends[e]);
        cf_buf_adds(&text, "a: 1");
        assert_null(parse(cf_buf_str(&text)));
        assert_non_null(strstr(err.msg, ": more than 100 %TAG directives"));
        assert_true(cpu_micros() - began < 500000);
    }
}

static void reports_the_place_of_too_many_directives(void **state)
{
    struct cf_buf text;

    (void)state;
    cf_buf_init_arena(&text, arena, CF_MIB);
    cf_buf_adds(&text, "# a comment\n%YAML 1.1\n");
    for (size_t i = 0; i <= CF_TAG_DIRECTIVES_MAX; i++)
        cf_buf_addf(&text, "%%TAG !a%zu! tag:x,1:\n", i);
    refuses(cf_buf_str(&text), "103:1: more than 100 %TAG directives; a document has one or two");
}

/* What only looks like one. */
static void percent_signs_that_are_not_directives(void **state)
{
    struct cf_buf text;
    const struct cf_json *value;

    (void)state;
    cf_buf_init_arena(&text, arena, CF_MIB);
    cf_buf_adds(&text, "a: |\n");
    for (size_t i = 0; i < 2 * CF_TAG_DIRECTIVES_MAX; i++)
        cf_buf_adds(&text, "  %TAG !a! x %TAG\n");
    value = yaml(cf_buf_str(&text));
    assert_non_null(value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(broken_files),
        cmocka_unit_test(duplicate_keys),
        cmocka_unit_test(many_keys),
        cmocka_unit_test(depth),
        cmocka_unit_test(nodes),
        cmocka_unit_test(billion_laughs),
        cmocka_unit_test(merged_laughs),
        cmocka_unit_test(many_anchors),
        cmocka_unit_test(anchors_chosen_to_collide),
        cmocka_unit_test(long_aliases),
        cmocka_unit_test(many_tag_directives),
        cmocka_unit_test(reports_the_place_of_too_many_directives),
        cmocka_unit_test(percent_signs_that_are_not_directives),
        cmocka_unit_test(a_later_anchor_hides_an_earlier_one),
        cmocka_unit_test(aliases),
        cmocka_unit_test(merge_keys),
        cmocka_unit_test(documents),
        cmocka_unit_test(places),
        cmocka_unit_test(text_mode),
        cmocka_unit_test(nul_becomes_a_replacement),
        cmocka_unit_test(mutations),
        cmocka_unit_test(small_arenas_fail_cleanly),
    };

    return cmocka_run_group_tests(tests, document_setup, document_teardown);
}
