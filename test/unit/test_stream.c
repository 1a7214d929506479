/* SPDX-License-Identifier: Apache-2.0 */
/* test_stream.c - the values of a JSON stream and the items of a List, separated by brackets and
 * quotes: in memory, and from a file with the end of a chunk at every byte. */
#include "test.h"

#include <unistd.h>

#include "../../src/json/stream.h"
#include "curfew/arena.h"
#include "curfew/json.h"
#include "curfew/limits.h"

#define CHUNK ((size_t)256 * 1024) /* as values.c reads a file */

/* ---- what is seen ---- */

struct seen {
    char text[2048];
    size_t len;
};

static void add(struct seen *seen, const char *fmt, ...) CF_PRINTF(2, 3);

static void add(struct seen *seen, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    seen->len +=
        (size_t)vsnprintf(seen->text + seen->len, sizeof(seen->text) - seen->len, fmt, args);
    va_end(args);
    assert_true(seen->len < sizeof(seen->text));
}

static void add_value(struct seen *seen, const struct cf_source *source, const struct cf_value *v)
{
    struct cf_err err = {0};
    struct cf_buf buf;
    const char *text;

    cf_buf_init(&buf, CF_MIB);
    text = cf_source_text(source, v->start, v->end, &buf, &err);
    assert_non_null(text);
    add(seen, "%zu:%zu %.*s%s%s", v->line, v->column, (int)(v->end - v->start), text,
        v->whole ? "" : " CUT", v->garbage ? " GARBAGE" : "");
    cf_buf_free(&buf);
}

/* All values up to the end, or to the sentence that ends them. */
static void add_values(struct seen *seen, struct cf_values *values)
{
    struct cf_value v;
    struct cf_err err = {0};
    const char *between = "";
    int rc;

    while ((rc = cf_values_next(values, &v, &err)) > 0) {
        add(seen, "%s", between);
        add_value(seen, values->source, &v);
        between = " | ";
    }
    if (rc < 0)
        add(seen, "%s! %s", between, err.msg);
}

static void see_values(const struct cf_source *source, struct seen *seen)
{
    struct cf_values values;

    *seen = (struct seen){0};
    cf_values_init(&values, source, 1, 1);
    add_values(seen, &values);
    cf_values_free(&values);
}

/* The items of the first value; "none" without an array `items`. */
static void see_items(const struct cf_source *source, struct seen *seen)
{
    struct cf_values values, items;
    struct cf_value v;
    struct cf_err err = {0};

    *seen = (struct seen){0};
    cf_values_init(&values, source, 1, 1);
    assert_int_equal(cf_values_next(&values, &v, &err), 1);
    if (v.items == 0) {
        add(seen, "none");
    } else {
        cf_values_items(&items, source, &v);
        add_values(seen, &items);
        cf_values_free(&items);
    }
    cf_values_free(&values);
}

typedef void reading(const struct cf_source *source, struct seen *seen);

static void expect(reading *look, const char *text, const char *expected)
{
    struct cf_source source;
    struct seen seen;

    cf_source_memory("t", text, strlen(text), &source);
    look(&source, &seen);
    assert_string_equal(seen.text, expected);
}

/* ---- a stream ---- */

static void a_stream_is_cut_into_its_values(void **state)
{
    (void)state;
    expect(see_values, "", "");
    expect(see_values, " \n\t\r\n ", "");
    expect(see_values, "{}", "1:1 {}");
    expect(see_values, "{\"a\":[{}]}\n {\"b\":1}", "1:1 {\"a\":[{}]} | 2:2 {\"b\":1}");
    expect(see_values, "1 true\nnull \"a b\"", "1:1 1 | 1:3 true | 2:1 null | 2:6 \"a b\"");
    expect(see_values, "{}{}[]", "1:1 {} | 1:3 {} | 1:5 []");
    expect(see_values, "\r\n{}\r{}\n\r\n{}", "2:1 {} | 3:1 {} | 5:1 {}");
    expect(see_values, "{\r\n\"a\":\r1}{}", "1:1 {\r\n\"a\":\r1} | 3:3 {}");
}

static void brackets_in_strings_do_not_count(void **state)
{
    (void)state;
    expect(see_values, "{\"a\":\"}{\"}{}", "1:1 {\"a\":\"}{\"} | 1:11 {}");
    expect(see_values, "{\"a\":\"\\\"}\"}1", "1:1 {\"a\":\"\\\"}\"} | 1:12 1");
    expect(see_values, "{\"a\":\"\\\\\"}1", "1:1 {\"a\":\"\\\\\"} | 1:11 1");
    expect(see_values, "{\"\\\"\":\"\\\\\\\"]\"}1", "1:1 {\"\\\"\":\"\\\\\\\"]\"} | 1:15 1");
}

static void reports_unclosed_values(void **state)
{
    (void)state;
    expect(see_values, "{\"a\":1", "1:1 {\"a\":1 CUT");
    expect(see_values, "{} {\"a\":\"x}", "1:1 {} | 1:4 {\"a\":\"x} CUT");
    expect(see_values, "\"a\\", "1:1 \"a\\ CUT");
    expect(see_values, "\"a\\\"", "1:1 \"a\\\" CUT");
    expect(see_values, "{} , {}", "1:1 {} | 1:4 , {} CUT GARBAGE");
    expect(see_values, "]", "1:1 ] CUT GARBAGE");
}

/* ---- items ---- */

static void items_are_those_of_the_list_itself(void **state)
{
    (void)state;
    expect(see_items, "{\"items\":[]}", "");
    expect(see_items, "{\"items\":[ \n ]}", "");
    expect(see_items, "{\"items\":[1]}", "1:11 1");
    expect(see_items, "{\"kind\":\"List\",\r\n\"items\" : [\r\n{},\r{\"a\":[]} , \"x\"]}",
           "3:1 {} | 4:1 {\"a\":[]} | 4:12 \"x\"");
    expect(see_items, "{\"items\":[[1],{\"items\":[2]}],\"x\":[3]}",
           "1:11 [1] | 1:15 {\"items\":[2]}");
    expect(see_items, "{\"x\":{\"items\":[1]}}", "none");
    expect(see_items, "{\"x\":{\"items\":[1]},\"items\":[2]}", "1:29 2");
    expect(see_items, "{\"items\":{\"items\":[1]}}", "none");
    expect(see_items, "{\"items\":null,\"x\":[1]}", "none");
    expect(see_items, "{\"items\":\"[1]\",\"x\":[1]}", "none");
    expect(see_items, "{\"kind\":\"items\",\"x\":[1]}", "none");
    expect(see_items, "{\"kind\":\"items\",\"items\":[1]}", "1:26 1");
    expect(see_items, "[{\"items\":[1]}]", "none");
    expect(see_items, "[\"items\",[1]]", "none");
    expect(see_items, "{\"itemsx\":[1],\"xitems\":[2],\"item\":[3],\"Items\":[4]}", "none");
    expect(see_items, "{\"items\\n\":[1],\"\\\"items\":[2],\"items\\\"\":[3]}", "none");
    /* The first one; the second is left for the parser to refuse. */
    expect(see_items, "{\"items\":[1],\"items\":[2]}", "1:11 1");
}

static void reports_the_place_of_a_fault_in_a_list(void **state)
{
    (void)state;
    expect(see_items, "{\"items\":[1 2]}", "1:11 1 | ! 1:13: invalid JSON: expected ',' or ']'");
    expect(see_items, "{\"items\":[{}{}]}", "1:11 {} | ! 1:13: invalid JSON: expected ',' or ']'");
    expect(see_items, "{\"items\":[1,]}", "1:11 1 | ! 1:13: invalid JSON: expected a value");
    expect(see_items, "{\"items\":[1,\n,2]}", "1:11 1 | ! 2:1: invalid JSON: expected a value");
    expect(see_items, "{\"items\":[1}]}", "1:11 1 | ! 1:12: invalid JSON: expected ',' or ']'");
    expect(see_items, "{\"items\":[,1]}", "1:11 ,1]} CUT GARBAGE");
    expect(see_items, "{\"items\":[1,:]}", "1:11 1 | 1:13 :]} CUT GARBAGE");
}

/* ---- chunks ---- */

/* A file of `shift` spaces less than a chunk, and the text after them. */
static void see_in_file(reading *look, const char *text, size_t shift, struct seen *seen)
{
    struct cf_source source = {.name = "t"};
    FILE *file = tmpfile();
    char *spaces = malloc(CHUNK);

    assert_non_null(file);
    assert_non_null(spaces);
    memset(spaces, ' ', CHUNK);
    assert_int_equal(fwrite(spaces, 1, CHUNK - shift, file), CHUNK - shift);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fflush(file), 0);
    source.fd = fileno(file);
    source.size = CHUNK - shift + strlen(text);
    look(&source, seen);
    free(spaces);
    fclose(file);
}

/* The text begins in the second line, so that its columns are the same after any spaces. */
static void same_at_every_boundary(reading *look, const char *text, const char *expected)
{
    struct seen seen;

    expect(look, text, expected);
    for (size_t shift = 1; shift <= strlen(text); shift++) {
        see_in_file(look, text, shift, &seen);
        assert_string_equal(seen.text, expected);
    }
}

static void a_chunk_may_end_anywhere(void **state)
{
    (void)state;
    same_at_every_boundary(see_values,
                           "\r\n{\"\\\\\\\"k\":\"}\\\\\\u007d\"}\r\n\r-12.5\rtrue \"a\\\"\"{}",
                           "2:1 {\"\\\\\\\"k\":\"}\\\\\\u007d\"} | 4:1 -12.5 | 5:1 true | "
                           "5:6 \"a\\\"\" | 5:11 {}");
    same_at_every_boundary(see_values, "\n{\"a\":\"\\", "2:1 {\"a\":\"\\ CUT");
    same_at_every_boundary(see_items,
                           "\n{\"item\":[0],\"items\"\r\n:\r\n[ {\"items\":[\"],\"]} ,\r\n\r\n12,"
                           "\"\\\\\",\"\\\"\" ],\"items\":[9]}",
                           "4:3 {\"items\":[\"],\"]} | 6:1 12 | 6:4 \"\\\\\" | 6:9 \"\\\"\"");
    same_at_every_boundary(see_items, "\n{\"items\":[{}\r\n{}]}",
                           "2:11 {} | ! 3:1: invalid JSON: expected ',' or ']'");
}

/* ---- generated ---- */

static uint64_t draw(uint64_t *state)
{
    uint64_t z = *state += 0x9E3779B97F4A7C15U;

    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9U;
    z = (z ^ z >> 27) * 0x94D049BB133111EBU;
    return z ^ z >> 31;
}

static void add_space(struct cf_buf *out, uint64_t *random)
{
    static const char *const spaces[] = {"", "", "", " ", "\n", "\r\n", "\r", "\t"};

    cf_buf_adds(out, spaces[draw(random) % 8]);
}

static void generate(struct cf_buf *out, uint64_t *random, unsigned depth)
{
    static const char *const leaves[] = {"1",     "-2.5e3", "true",      "null",      "\"\"",
                                         "\"}\"", "\"[,\"", "\"\\\"]\"", "\"items\"", "\"\\\\\""};
    static const char *const keys[] = {"\"items\":", "\"a\" :", "\"item\":", "\"items\\\"\": "};
    bool object = draw(random) % 2 == 0;
    unsigned count = (unsigned)(draw(random) % 4), from = (unsigned)(draw(random) % 4);

    add_space(out, random);
    if (depth > 3 || (depth > 0 && draw(random) % 3 == 0)) {
        cf_buf_adds(out, leaves[draw(random) % 10]);
        add_space(out, random);
        return;
    }
    cf_buf_addc(out, object ? '{' : '[');
    add_space(out, random);
    for (unsigned i = 0; i < count; i++) {
        if (i > 0)
            cf_buf_addc(out, ',');
        if (object)
            cf_buf_adds(out, keys[(from + i) % 4]);
        generate(out, random, depth + 1);
    }
    cf_buf_addc(out, object ? '}' : ']');
    add_space(out, random);
}

/* What the parser finds in the whole text: where each value, or each item, begins. */
static void places(const struct cf_json *first, struct seen *seen)
{
    for (; first != NULL; first = cf_json_next(first))
        add(seen, "%zu:%zu ", cf_json_line(first), cf_json_column(first));
}

static void compare(struct cf_arena *arena, const struct cf_buf *text)
{
    const struct cf_json *root, *items;
    struct cf_json_place at = {1, 1};
    struct seen parsed = {0}, cut = {0};
    struct cf_values values, list;
    struct cf_source source;
    struct cf_value v, item;
    struct cf_err err = {0};

    root = cf_json_parse_placed(arena, text->data, text->len, NULL, &at, &err);
    assert_string_equal(err.msg, "");
    assert_non_null(root);
    items = cf_json_get(root, "items");
    cf_source_memory("t", text->data, text->len, &source);
    cf_values_init(&values, &source, 1, 1);
    assert_int_equal(cf_values_next(&values, &v, &err), 1);
    assert_true(v.whole);
    add(&parsed, "%zu:%zu / ", cf_json_line(root), cf_json_column(root));
    add(&cut, "%zu:%zu / ", v.line, v.column);
    assert_int_equal(v.items != 0, cf_json_type(items) == CF_JSON_ARRAY);
    if (v.items != 0) {
        places(cf_json_first(items), &parsed);
        cf_values_items(&list, &source, &v);
        while (cf_values_next(&list, &item, &err) > 0) {
            add(&cut, "%zu:%zu ", item.line, item.column);
            assert_non_null(cf_json_parse(arena, source.memory + item.start,
                                          (size_t)(item.end - item.start), NULL, NULL, &err));
        }
        assert_int_equal(list.at, v.items_end);
    }
    assert_string_equal(cut.text, parsed.text);
    assert_int_equal(cf_values_next(&values, &v, &err), 0);
    assert_string_equal(err.msg, "");
    cf_values_free(&values);
}

static void generated_texts_are_cut_as_they_are_parsed(void **state)
{
    struct cf_arena *arena = cf_arena_new(CF_ARENA_MAX);
    uint64_t random = 1;
    struct cf_buf text;

    (void)state;
    cf_json_init();
    for (int i = 0; i < 20000; i++) {
        cf_buf_init(&text, CF_MIB);
        generate(&text, &random, 0);
        compare(arena, &text);
        cf_buf_free(&text);
        cf_arena_reset(arena, true);
    }
    cf_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stream_is_cut_into_its_values),
        cmocka_unit_test(brackets_in_strings_do_not_count),
        cmocka_unit_test(reports_unclosed_values),
        cmocka_unit_test(items_are_those_of_the_list_itself),
        cmocka_unit_test(reports_the_place_of_a_fault_in_a_list),
        cmocka_unit_test(a_chunk_may_end_anywhere),
        cmocka_unit_test(generated_texts_are_cut_as_they_are_parsed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
