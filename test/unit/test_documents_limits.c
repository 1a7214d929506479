/* SPDX-License-Identifier: Apache-2.0 */
/* test_documents_limits.c - the ceilings of a document, of a List's own members and of one item:
 * each is reported where it is reached, and the other documents are still read. */
#include "test.h"

#include "curfew/buf.h"
#include "curfew/limits.h"
#include "curfew/documents.h"

static struct cf_arena *of_doc, *of_items;

static int setup(void **state)
{
    (void)state;
    cf_json_init();
    of_doc = cf_arena_new(CF_ARENA_MAX);
    of_items = cf_arena_new(CF_ARENA_MAX);
    return of_doc != NULL && of_items != NULL ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    cf_arena_free(of_doc);
    cf_arena_free(of_items);
    return 0;
}

/* ---- what is read ---- */

/* One line for each document: its kind, its items or its error. */
static struct cf_buf seen;

static int see_item(const struct cf_document_item *item, void *arg)
{
    (void)arg;
    if (item->json == NULL)
        cf_buf_addf(&seen, " [%zu: %s]", item->index, item->err.msg);
    else
        cf_buf_addf(&seen, " %zu@%zu", item->index, cf_json_line(item->json));
    cf_arena_reset(of_items, true);
    return 0;
}

static int see(const struct cf_document *doc, void *arg)
{
    struct cf_err err = {0};

    (void)arg;
    if (doc->err.kind != CF_ERR_NONE)
        cf_buf_addf(&seen, "%s", doc->err.msg);
    else if (doc->root != NULL)
        cf_buf_addf(&seen, "%zu: %s", doc->line, cf_json_str(cf_json_get(doc->root, "kind")));
    if (doc->is_streamed && cf_document_items(doc, of_items, see_item, NULL, &err) != 0)
        cf_buf_addf(&seen, " %s", err.msg);
    cf_buf_addc(&seen, '\n');
    cf_arena_reset(of_doc, true);
    return 0;
}

static void expect(const struct cf_buf *text, const char *expected)
{
    const struct cf_manifest_reading how = {.arena = of_doc, .document = see};
    struct cf_err err = {0};
    struct cf_manifest *m = cf_manifest_of_text("t", cf_buf_str(text), text->len, &err);

    assert_true(cf_buf_ok(text));
    cf_buf_init(&seen, CF_MIB);
    assert_int_equal(cf_manifest_read(m, &how, &err), 0);
    cf_manifest_close(m);
    assert_string_equal(cf_buf_str(&seen), expected);
    cf_buf_free(&seen);
}

/* ---- texts ---- */

static void begin(struct cf_buf *text, const char *start)
{
    cf_buf_init(text, 80 * CF_MIB);
    cf_buf_adds(text, start);
}

/* `before`, `count` times x, `after`. */
static void add_long(struct cf_buf *text, const char *before, size_t len, const char *after)
{
    char *x = malloc(len);

    assert_non_null(x);
    memset(x, 'x', len);
    cf_buf_adds(text, before);
    cf_buf_add(text, x, len);
    cf_buf_adds(text, after);
    free(x);
}

/* ---- documents ---- */

static void a_yaml_document(void **state)
{
    struct cf_buf text;

    (void)state;
    begin(&text, "kind: Before\n---\n");
    add_long(&text, "kind: A\na: ", CF_DOCUMENT_MAX, "\n---\nkind: After\n");
    expect(&text, "1: Before\n"
                  "t:3: the document has more than 32 MiB, and is not a List, which may be larger\n"
                  "6: After\n");
    cf_buf_free(&text);
    begin(&text, "");
    add_long(&text, "kind: A\na: ", CF_DOCUMENT_MAX - strlen("kind: A\na: \n"), "\n");
    expect(&text, "1: A\n");
    cf_buf_free(&text);
}

static void a_json_document(void **state)
{
    struct cf_buf text;

    (void)state;
    begin(&text, "{\"kind\":\"Before\"}\n");
    add_long(&text, "{\"kind\":\"A\",\"a\":\"", CF_DOCUMENT_MAX, "\"}\n{\"kind\":\"After\"}\n");
    expect(&text, "1: Before\n"
                  "t:2: the document has more than 32 MiB, and is not a List, which may be larger\n"
                  "3: After\n");
    cf_buf_free(&text);
}

/* ---- Lists ---- */

static void members_of_a_yaml_list(void **state)
{
    struct cf_buf text;

    (void)state;
    begin(&text, "kind: List\n");
    add_long(&text, "a: ", CF_LIST_HEAD_MAX, "\nitems:\n- a: 1\n");
    add_long(&text, "- a: ", CF_DOCUMENT_MAX, "\n---\nkind: After\n");
    expect(&text, "t:1: the document has more than 32 MiB, and is a List whose own members have "
                  "more than 64 KiB\n"
                  "7: After\n");
    cf_buf_free(&text);
    /* A smaller List is read completely. */
    begin(&text, "kind: List\n");
    add_long(&text, "a: ", CF_LIST_HEAD_MAX, "\nitems:\n- a: 1\n");
    add_long(&text, "- a: ", CF_MIB, "\n");
    expect(&text, "1: List\n");
    cf_buf_free(&text);
    /* As much after the items, which are 1 MiB. */
    begin(&text, "kind: List\nitems:\n");
    add_long(&text, "- a: ", CF_DOCUMENT_MAX, "\n");
    add_long(&text, "a: ", CF_LIST_HEAD_MAX, "\n");
    expect(&text, "t:1: the document has more than 32 MiB, and is a List whose own members have "
                  "more than 64 KiB\n");
    cf_buf_free(&text);
}

static void members_of_a_json_list(void **state)
{
    struct cf_buf text;

    (void)state;
    begin(&text, "{\"kind\":\"List\",");
    add_long(&text, "\"a\":\"", CF_LIST_HEAD_MAX, "\",\"items\":[{},\n");
    add_long(&text, "{\"a\":\"", CF_DOCUMENT_MAX, "\"}]}\n{\"kind\":\"After\"}");
    expect(&text, "t:1: the document has more than 32 MiB, and is a List whose own members have "
                  "more than 64 KiB\n"
                  "3: After\n");
    cf_buf_free(&text);
    begin(&text, "{\"kind\":\"List\",");
    add_long(&text, "\"a\":\"", CF_LIST_HEAD_MAX, "\",\"items\":[{},\n");
    add_long(&text, "{\"a\":\"", CF_MIB, "\"}]}\n");
    expect(&text, "1: List\n");
    cf_buf_free(&text);
}

static void one_item(void **state)
{
    struct cf_buf text;

    (void)state;
    begin(&text, "kind: List\nitems:\n- a: 1\n");
    add_long(&text, "- a: ", CF_DOCUMENT_MAX, "\n- a: 3\n");
    expect(&text, "1: List 0@3 [1: t:4: an item of more than 32 MiB] 2@5\n");
    cf_buf_free(&text);
    begin(&text, "{\"kind\":\"List\",\"items\":[{},\n");
    add_long(&text, " {\"a\":\"", CF_DOCUMENT_MAX, "\"},\n{}]}\n");
    expect(&text, "1: List 0@1 [1: t:2:2: an item of more than 32 MiB] 2@3\n");
    cf_buf_free(&text);
}

/* ---- lines ---- */

static void a_list_of_a_mebibyte(struct cf_buf *text, const char *before)
{
    begin(text, before);
    cf_buf_adds(text, "items:\n- a: 1\n");
    add_long(text, "- a: ", CF_MIB, "\n  b: 1\n");
}

static void errors_after_the_items_have_their_lines(void **state)
{
    struct cf_buf text;

    (void)state;
    a_list_of_a_mebibyte(&text, "kind: List\n");
    cf_buf_adds(&text, "a: b\nc: d: e\n");
    expect(&text, "t:7:5: mapping values are not allowed in this context\n");
    cf_buf_free(&text);
    a_list_of_a_mebibyte(&text, "kind: List\n");
    cf_buf_adds(&text, "a:\n  b: \"c\n");
    expect(&text, "t:8:1: found unexpected end of stream (while scanning a quoted scalar, which "
                  "begins at line 7)\n");
    cf_buf_free(&text);
    a_list_of_a_mebibyte(&text, "kind: List\n");
    cf_buf_adds(&text, "items:\n- a: 2\n");
    expect(&text, "t:6:1: duplicate key 'items'\n");
    cf_buf_free(&text);
    a_list_of_a_mebibyte(&text, "kind: List\n");
    cf_buf_adds(&text, "- c: {\n- d: 1\n");
    expect(&text, "1: List 0@3 1@4 [2: t:7:1: did not find expected node content (while parsing a "
                  "flow node, which begins at line 7)] 3@7\n");
    cf_buf_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_yaml_document),
        cmocka_unit_test(a_json_document),
        cmocka_unit_test(members_of_a_yaml_list),
        cmocka_unit_test(members_of_a_json_list),
        cmocka_unit_test(one_item),
        cmocka_unit_test(errors_after_the_items_have_their_lines),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
