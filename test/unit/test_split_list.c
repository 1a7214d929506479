/* SPDX-License-Identifier: Apache-2.0 */
/* test_split_list.c - a List in block YAML, split at its dashes: the parts are the items that the
 * parser finds in the complete text. */
#include "test.h"

#include "../../src/json/split.h"
#include "curfew/arena.h"
#include "curfew/json.h"
#include "curfew/writer.h"
#include "curfew/limits.h"

static struct cf_arena *arena;

static int setup(void **state)
{
    (void)state;
    cf_json_init();
    arena = cf_arena_new(CF_ARENA_MAX);
    return arena == NULL ? -1 : 0;
}

static int teardown(void **state)
{
    (void)state;
    cf_arena_free(arena);
    return 0;
}

/* ---- what is cut ---- */

struct cut {
    int rc; /* of the head */
    struct cf_err err;
    struct cf_buf head;
    struct cf_buf items; /* "LINE:text|LINE:text|" */
};

static void cut_items(struct cf_yaml_list *list, const struct cf_source *source, struct cut *out)
{
    const char *text;
    size_t len, line;

    assert_int_equal(cf_yaml_list_open(list, source, 1, &out->err), 0);
    while (cf_yaml_list_next(list, &text, &len, &line, &out->err) > 0)
        cf_buf_addf(&out->items, "%zu:%.*s|", line, (int)len, text);
    assert_int_equal(out->err.kind, CF_ERR_NONE);
}

static void cut_list(struct cf_yaml_list *list, const char *text, struct cut *out)
{
    struct cf_source source;

    *out = (struct cut){0};
    cf_buf_init_arena(&out->head, arena, CF_LIST_HEAD_MAX);
    cf_buf_init_arena(&out->items, arena, CF_MIB);
    cf_source_memory("t", text, strlen(text), &source);
    cf_lines_init(&list->lines);
    out->rc = cf_yaml_list_head(list, &source, 1, &out->head, &out->err);
    if (out->rc > 0)
        cut_items(list, &source, out);
    cf_yaml_list_free(list);
}

static const char *as_json(const struct cf_json *value)
{
    struct cf_buf text;
    struct cf_out out;

    cf_buf_init_arena(&text, arena, CF_MIB);
    cf_out_init(&out, &text);
    cf_out_value(&out, NULL, value);
    return cf_buf_str(&text);
}

/* The items and the rest, each parsed by itself, are those of the whole text. */
static void assert_same_values(const char *text)
{
    struct cf_yaml_list list = {0};
    const struct cf_json *whole, *head, *item, *piece;
    struct cf_source source;
    struct cf_err err = {0};
    struct cut cut;
    const char *bytes;
    size_t len, line;

    whole = cf_yaml_parse(arena, text, strlen(text), 1, CF_YAML_MANIFEST, &err);
    assert_string_equal(err.msg, "");
    cut_list(&list, text, &cut);
    assert_int_equal(cut.rc, 1);
    head = cf_yaml_parse(arena, cf_buf_str(&cut.head), cut.head.len, 1, CF_YAML_MANIFEST, &err);
    assert_string_equal(err.msg, "");
    assert_int_equal(cf_json_count(cf_json_get(head, "items")), 0);
    for (piece = cf_json_first(whole); piece != NULL; piece = cf_json_next(piece)) {
        if (strcmp(cf_json_key(piece), "items") != 0)
            assert_string_equal(as_json(cf_json_get(head, cf_json_key(piece))), as_json(piece));
    }
    cf_source_memory("t", text, strlen(text), &source);
    assert_int_equal(cf_yaml_list_open(&list, &source, 1, &err), 0);
    item = cf_json_first(cf_json_get(whole, "items"));
    while (cf_yaml_list_next(&list, &bytes, &len, &line, &err) > 0) {
        piece = cf_yaml_parse(arena, bytes, len, line, CF_YAML_MANIFEST, &err);
        assert_string_equal(err.msg, "");
        assert_int_equal(cf_json_count(piece), 1);
        assert_non_null(item);
        assert_string_equal(as_json(cf_json_first(piece)), as_json(item));
        assert_int_equal(cf_json_line(cf_json_first(piece)), cf_json_line(item));
        item = cf_json_next(item);
    }
    assert_null(item);
    cf_yaml_list_free(&list);
}

static void expect(const char *text, const char *head, const char *items)
{
    struct cf_yaml_list list = {0};
    struct cut cut;

    cut_list(&list, text, &cut);
    assert_string_equal(cut.err.msg, "");
    assert_int_equal(cut.rc, 1);
    assert_string_equal(cf_buf_str(&cut.head), head);
    assert_string_equal(cf_buf_str(&cut.items), items);
    assert_same_values(text);
    cf_arena_reset(arena, true);
}

/* The List must be read completely. */
static void expect_other(const char *text)
{
    struct cf_yaml_list list = {0};
    struct cut cut;

    cut_list(&list, text, &cut);
    assert_string_equal(cut.err.msg, "");
    assert_int_equal(cut.rc, 0);
    cf_arena_reset(arena, true);
}

/* ---- the ways to write one ---- */

static void dashes_at_the_margin_and_indented(void **state)
{
    (void)state;
    expect("kind: List\nitems:\n- a: 1\n  b: 2\n- a: 3\n", "kind: List\nitems: []\n",
           "3:- a: 1\n  b: 2\n|5:- a: 3\n|");
    expect("items:\n  - a: 1\n    b: 2\n  - a: 3\nkind: List\n", "items: []\nkind: List\n",
           "2:  - a: 1\n    b: 2\n|4:  - a: 3\n|");
    expect("a: b\nitems: # of it\n-\n  a: 1\n- - x\n  - y\n-   a:\n    - 1\nkind: List",
           "a: b\nitems: []\nkind: List", "3:-\n  a: 1\n|5:- - x\n  - y\n|7:-   a:\n    - 1\n|");
    expect("items:\n- a\n", "items: []\n", "2:- a\n|");
    expect("items:\n- a: 1\n-a: 2\n", "items: []\n-a: 2\n", "2:- a: 1\n|"); /* a key */
    expect("metadata:\n  items:\n  - no\nitems:\n- yes_\n",
           "metadata:\n  items:\n  - no\nitems: []\n", "5:- yes_\n|");
}

static void comments_and_blank_lines_between(void **state)
{
    (void)state;
    expect("items:\n\n# first\n  # - no\n- a: 1\n\n# - no\n- a: 2\n  # end\n\nkind: List\n# end\n",
           "items: []\nkind: List\n# end\n", "5:- a: 1\n\n# - no\n|8:- a: 2\n  # end\n\n|");
    expect("items:\n  - a: 1\n # less\n# none\n  - a: 2\n", "items: []\n",
           "2:  - a: 1\n # less\n# none\n|5:  - a: 2\n|");
}

/* Longer than what is looked at of a line. */
static void a_long_comment_ends_nothing(void **state)
{
    char text[4096], x[701];

    (void)state;
    memset(x, 'x', sizeof(x) - 1);
    x[sizeof(x) - 1] = '\0';
    snprintf(text, sizeof(text), "kind: List\nitems:\n # %s\n  - a: 1\n # %s\n  - a: 2\n", x, x);
    assert_same_values(text);
    snprintf(text, sizeof(text), "items:\n- a: %s\n  b: %s\n- a: 2\nkind: List\n", x, x);
    assert_same_values(text);
    memset(x, ' ', sizeof(x) - 1);
    snprintf(text, sizeof(text), "items:\n- a: 1\n%s\n- a: 2\n%s# c\nkind: List\n", x, x);
    assert_same_values(text);
}

static void dashes_in_a_string_do_not_count(void **state)
{
    (void)state;
    expect("items:\n- a: |\n    - no\n\n    items:\n  b: >-\n   - no\n- c\n", "items: []\n",
           "2:- a: |\n    - no\n\n    items:\n  b: >-\n   - no\n|8:- c\n|");
    expect("items:\n  - |\n   - no\n  - - |\n      x\n    - y\n", "items: []\n",
           "2:  - |\n   - no\n|4:  - - |\n      x\n    - y\n|");
}

static void line_ends(void **state)
{
    (void)state;
    expect("kind: List\r\nitems:\r\n- a: 1\r\n  b: |\r\n    x\r\n- a: 2\r\n",
           "kind: List\r\nitems: []\n", "3:- a: 1\r\n  b: |\r\n    x\r\n|6:- a: 2\r\n|");
    expect("kind: List\ritems:\r- a: 1\r  b: 2\r- a: 2\rx: y\r", "kind: List\ritems: []\nx: y\r",
           "3:- a: 1\r  b: 2\r|5:- a: 2\r|");
    expect("items:\r\n-\r\n  a: 1\r\n- a\r\n", "items: []\n", "2:-\r\n  a: 1\r\n|4:- a\r\n|");
}

static void other_notations_are_not_split(void **state)
{
    (void)state;
    expect_other("kind: List\n");
    expect_other("kind: List\nitems: []\n");
    expect_other("kind: List\nitems: &a\n- x\n");
    expect_other("kind: List\nitems: !!seq\n- x\n");
    expect_other("kind: List\nitems:\n");
    expect_other("items:\nkind: List\n");
    expect_other("items:\n  a: b\n");
    expect_other("items:\n[a, b]\n");
    expect_other("items:\n  -a\n");
    expect_other("items:\n--- a\n");
    expect_other("itemsx:\n- a\n");
    expect_other("items:x\n- a\n");
    expect_other(" items:\n - a\n");
    expect_other("");
}

/* ---- what is wrong ---- */

/* The error of the head or of an item; "" when all are valid. */
static void expect_error(const char *text, const char *sentence)
{
    struct cf_yaml_list list = {0};
    struct cf_source source;
    struct cf_err err = {0};
    struct cut cut;
    const char *bytes;
    size_t len, line;

    cut_list(&list, text, &cut);
    assert_int_equal(cut.rc, 1);
    cf_yaml_parse_gap(arena, cf_buf_str(&cut.head), cut.head.len, 1, list.items, &err);
    cf_source_memory("t", text, strlen(text), &source);
    assert_int_equal(cf_yaml_list_open(&list, &source, 1, &err), 0);
    while (err.kind == CF_ERR_NONE && cf_yaml_list_next(&list, &bytes, &len, &line, &err) > 0)
        cf_yaml_parse(arena, bytes, len, line, CF_YAML_MANIFEST, &err);
    cf_yaml_list_free(&list);
    assert_string_equal(err.msg, sentence);
    cf_arena_reset(arena, true);
}

static void reports_faults(void **state)
{
    (void)state;
    /* A dash in another column is refused by the parser: to the left in the rest of the List, to
     * the right in its item. */
    expect_error(
        "items:\n  - a: 1\n - a: 2\n",
        "3:2: did not find expected key (while parsing a block mapping, which begins at line 1)");
    expect_error("items:\n - a: 1\n  - a: 2\n",
                 "3:3: did not find expected '-' indicator (while parsing a block collection, "
                 "which begins at line 2)");
    expect_error("items:\n- a: 1\nitems:\n- a: 2\n", "3:1: duplicate key 'items'");
    expect_error("items:\n- a: 1\n- a: \"x\n- a: 3\n",
                 "4:1: found unexpected end of stream (while scanning a quoted scalar, which "
                 "begins at line 3)");
    expect_error("items:\n- &x a\n- *x\n", "3:3: alias 'x' has no anchor before it");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dashes_at_the_margin_and_indented),
        cmocka_unit_test(comments_and_blank_lines_between),
        cmocka_unit_test(a_long_comment_ends_nothing),
        cmocka_unit_test(dashes_in_a_string_do_not_count),
        cmocka_unit_test(line_ends),
        cmocka_unit_test(other_notations_are_not_split),
        cmocka_unit_test(reports_faults),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
