/* SPDX-License-Identifier: Apache-2.0 */
/* framer.c: where objects begin and end, however the bytes come. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/watch/framer.h"
#include "curfew/limits.h"
#include "curfew/str.h"

/* What was taken, a line each. */
struct taken {
    struct cf_buf lines;
    size_t count;
    struct cf_framer_object last;
    bool refuse;
};

static int take(void *arg, const struct cf_framer_object *o, struct cf_err *err)
{
    struct taken *t = arg;

    if (t->refuse)
        return cf_err_set(err, "enough");
    t->count++;
    t->last = *o;
    if (o->torn)
        cf_buf_adds(&t->lines, "torn ");
    if (o->len < CF_KIB) {
        cf_buf_add(&t->lines, o->text, o->len);
        cf_buf_addc(&t->lines, '\n');
    }
    return 0;
}

/* Feeds it in pieces of that size. The error's sentence; NULL for none. */
static const char *feed(struct cf_framer *framer, const char *text, size_t len, size_t piece)
{
    static struct cf_err err;

    err = (struct cf_err){.kind = CF_ERR_NONE};
    for (size_t at = 0; at < len; at += piece) {
        char *copy = malloc(piece); /* so that a sanitizer sees reads after it */
        size_t some = len - at < piece ? len - at : piece;
        int rc;

        assert_non_null(copy);
        memcpy(copy, text + at, some);
        rc = cf_framer_feed(framer, copy, some, &err);
        free(copy);
        if (rc != 0)
            return err.msg;
    }
    return NULL;
}

static void is_cut(enum cf_framer_form form, const char *text, const char *want, const char *head)
{
    for (size_t piece = 1; piece <= strlen(text); piece++) {
        struct taken t = {.count = 0};
        struct cf_framer framer;
        const char *wrong;

        cf_buf_init(&t.lines, CF_MIB);
        cf_framer_init(&framer, take, &t);
        cf_framer_reset(&framer, form);
        wrong = feed(&framer, text, strlen(text), piece);
        if (wrong != NULL)
            fail_msg("%s: %s", text, wrong);
        assert_true(cf_framer_whole(&framer));
        assert_string_equal(cf_buf_str(&t.lines), want);
        if (head != NULL)
            assert_string_equal(cf_buf_str(&framer.head), head);
        cf_framer_free(&framer);
        cf_buf_free(&t.lines);
    }
}

/* It ends in an error, or not at all, and takes no more than `before` objects first. */
static void is_wrong(enum cf_framer_form form, const char *text, const char *want, size_t before)
{
    for (size_t piece = 1; piece <= strlen(text) + 1; piece++) {
        struct taken t = {.count = 0};
        struct cf_framer framer;
        const char *wrong;

        cf_buf_init(&t.lines, CF_MIB);
        cf_framer_init(&framer, take, &t);
        cf_framer_reset(&framer, form);
        wrong = feed(&framer, text, strlen(text), piece);
        if (want != NULL && (wrong == NULL || strstr(wrong, want) == NULL))
            fail_msg("%s: want '%s', got '%s'", text, want, wrong != NULL ? wrong : "(nothing)");
        if (want == NULL) {
            assert_null(wrong);
            assert_false(cf_framer_whole(&framer));
        }
        assert_int_equal(t.count, before);
        cf_framer_free(&framer);
        cf_buf_free(&t.lines);
    }
}

static void test_events(void **state)
{
    (void)state;
    is_cut(CF_FRAMER_EVENTS, "", "", NULL);
    is_cut(CF_FRAMER_EVENTS, "{\"type\":\"ADDED\"}\n", "{\"type\":\"ADDED\"}\n", NULL);
    is_cut(CF_FRAMER_EVENTS, "\n{\"a\":{}}\r\n {\"b\":[{\"c\":[]}]}{}\n",
           "{\"a\":{}}\n{\"b\":[{\"c\":[]}]}\n{}\n", NULL);
    is_cut(CF_FRAMER_EVENTS, "{\"a\":\"}{\\\"][\\\\\"}\n", "{\"a\":\"}{\\\"][\\\\\"}\n", NULL);
}

static void test_list(void **state)
{
    (void)state;
    is_cut(
        CF_FRAMER_LIST,
        "{\"kind\":\"PodList\",\"metadata\":{\"items\":[1]},\"items\":[{\"a\":1},{\"b\":[{}]}]}\n",
        "{\"object\":{\"a\":1}}\n{\"object\":{\"b\":[{}]}}\n",
        "{\"kind\":\"PodList\",\"metadata\":{\"items\":[1]},\"items\":[]}\n");
    is_cut(CF_FRAMER_LIST, "{\n  \"items\": [\n    {\n      \"a\": {}\n    },\n    {}\n  ]\n}",
           "{\"object\":{\n      \"a\": {}\n    }}\n{\"object\":{}}\n", "{\n  \"items\": []\n}");
    is_cut(CF_FRAMER_LIST, "{\"items\":null,\"metadata\":{}}", "",
           "{\"items\":null,\"metadata\":{}}");
    is_cut(CF_FRAMER_LIST, "{\"items\":[],\"x\":\"items\",\"y\":[{}]}", "",
           "{\"items\":[],\"x\":\"items\",\"y\":[{}]}");
}

static void test_no_events(void **state)
{
    (void)state;
    is_wrong(CF_FRAMER_EVENTS, "<html>", "expected an event", 0);
    is_wrong(CF_FRAMER_EVENTS, "{}\nnull\n", "expected an event", 1);
    is_wrong(CF_FRAMER_EVENTS, "{},{}", "expected an event", 1);
    is_wrong(CF_FRAMER_EVENTS, "}", "expected an event", 0);
    is_wrong(CF_FRAMER_EVENTS, "{}\n{\"a\":", NULL, 1);
    is_wrong(CF_FRAMER_EVENTS, "{\"a\":\"\\", NULL, 0);
}

static void test_no_list(void **state)
{
    (void)state;
    is_wrong(CF_FRAMER_LIST, "", NULL, 0);
    is_wrong(CF_FRAMER_LIST, "{\"items\":[{}", NULL, 1);
    is_wrong(CF_FRAMER_LIST, "{\"items\":[{\"a\":1},", NULL, 1);
    is_wrong(CF_FRAMER_LIST, "{\"items\":[{}]", NULL, 1);
    is_wrong(CF_FRAMER_LIST, "{\"items\":[{},,{}]}", "expected an item of a list", 1);
    is_wrong(CF_FRAMER_LIST, "{\"items\":[{}{}]}", "expected an item of a list", 1);
    is_wrong(CF_FRAMER_LIST, "{\"items\":[1]}", "expected an item of a list", 0);
    is_wrong(CF_FRAMER_LIST, "]", "unexpected ']'", 0);
}

/* An event ends with its line, complete or not, and the next one begins after it. */
static void test_torn(void **state)
{
    (void)state;
    is_cut(CF_FRAMER_EVENTS, "{\"a\":1\n{\"b\":2}\n", "torn {\"a\":1\n{\"b\":2}\n", NULL);
    is_cut(CF_FRAMER_EVENTS, "{\"a\":[\"x\n{\"b\":2}\n", "torn {\"a\":[\"x\n{\"b\":2}\n", NULL);
    is_cut(CF_FRAMER_EVENTS, "{\"a\":\"x\\\n\n{\"b\":2}\n", "torn {\"a\":\"x\\\n{\"b\":2}\n", NULL);
    is_cut(CF_FRAMER_EVENTS, "{\n{\n{}\n", "torn {\ntorn {\n{}\n", NULL);
}

/* The framer does not care about the content of strings. */
static void test_texts(void **state)
{
    (void)state;
    is_cut(CF_FRAMER_EVENTS, "{\"a\":\"\x01\t\xff\\x\\u00\\u0000\"}\n{}",
           "{\"a\":\"\x01\t\xff\\x\\u00\\u0000\"}\n{}\n", NULL);
    is_cut(CF_FRAMER_LIST, "{\"items\":[{\"a\":\"x\n\"},{}]}",
           "{\"object\":{\"a\":\"x\n\"}}\n{\"object\":{}}\n", "{\"items\":[]}");
}

static char *repeated(const char *begin, const char *part, size_t count, const char *end)
{
    struct cf_buf text;
    size_t len;

    cf_buf_init(&text, SIZE_MAX / 4);
    cf_buf_adds(&text, begin);
    for (size_t i = 0; i < count; i++)
        cf_buf_adds(&text, part);
    cf_buf_adds(&text, end);
    return cf_buf_take(&text, &len);
}

/* The framer gives the first bytes of an object that is too large; the next object follows. */
static void test_large(void **state)
{
    static const struct {
        enum cf_framer_form form;
        const char *begin, *end;
        int most; /* more of 16 bytes than this many beyond the ceiling are too large */
    } cases[] = {
        {CF_FRAMER_EVENTS, "{\"a\":\"", "\"}\n{\"b\":1}\n", -1},
        {CF_FRAMER_LIST, "{\"items\":[{\"a\":\"", "\"},{\"b\":1}]}", -2},
        {CF_FRAMER_EVENTS, "{\"a\":[{}],\"c\":{\"d\":\"", "}\"}}\n{\"b\":1}\n", -2},
    };

    (void)state;
    for (size_t i = 0; i < CF_COUNT(cases); i++) {
        for (int more = -1; more <= 1; more++) {
            char *text = repeated(cases[i].begin, "0123456789abcdef",
                                  (size_t)((int)(CF_OBJECT_MAX / 16) + more), cases[i].end);
            struct taken t = {.count = 0};
            struct cf_framer framer;

            cf_buf_init(&t.lines, CF_MIB);
            cf_framer_init(&framer, take, &t);
            cf_framer_reset(&framer, cases[i].form);
            assert_null(feed(&framer, text, strlen(text), 65536));
            assert_int_equal(t.count, 2);
            assert_false(t.last.large);
            assert_string_equal(cf_buf_str(&t.lines), cases[i].form == CF_FRAMER_LIST
                                                          ? "{\"object\":{\"b\":1}}\n"
                                                          : "{\"b\":1}\n");
            assert_true(cf_framer_whole(&framer));
            /* Alone, to see how it is given. */
            cf_framer_reset(&framer, cases[i].form);
            assert_null(
                feed(&framer, text, strlen(text) - strlen(strpbrk(cases[i].end, ",\n")), 65536));
            assert_int_equal(t.count, 3);
            assert_int_equal(t.last.large, more > cases[i].most);
            assert_true(t.last.len <= CF_OBJECT_MAX && t.last.len > CF_OBJECT_MAX - 64);
            cf_framer_free(&framer);
            cf_buf_free(&t.lines);
            free(text);
        }
    }
}

static void test_ceilings(void **state)
{
    char *head = repeated("{\"metadata\":\"", "0123456789abcdef", CF_LIST_HEAD_MAX / 16, "\"}");
    struct taken t = {.count = 0};
    struct cf_framer framer;

    (void)state;
    cf_buf_init(&t.lines, CF_MIB);
    cf_framer_init(&framer, take, &t);
    cf_framer_reset(&framer, CF_FRAMER_LIST);
    assert_non_null(strstr(feed(&framer, head, strlen(head), 65536), "of a list beside its items"));
    /* And it continues. */
    cf_framer_reset(&framer, CF_FRAMER_EVENTS);
    assert_null(feed(&framer, "{}\n", 3, 3));
    assert_int_equal(t.count, 1);
    t.refuse = true;
    assert_string_equal(feed(&framer, "{}\n", 3, 3), "enough");
    cf_framer_free(&framer);
    cf_buf_free(&t.lines);
    free(head);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_events),    cmocka_unit_test(test_list),
        cmocka_unit_test(test_no_events), cmocka_unit_test(test_no_list),
        cmocka_unit_test(test_torn),      cmocka_unit_test(test_texts),
        cmocka_unit_test(test_large),     cmocka_unit_test(test_ceilings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
