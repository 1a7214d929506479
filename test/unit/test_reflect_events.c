/* SPDX-License-Identifier: Apache-2.0 */
/* reflect_events.c: events that come together are taken as if each had come alone. */
#include "document.h"

#include "../../src/kube/watch_private.h"

#define EVENT(name, version)                                                                       \
    "{\"type\":\"ADDED\",\"object\":{\"kind\":\"Namespace\",\"metadata\":{\"name\":\"" name "\","  \
    "\"resourceVersion\":\"" version "\"}}}\n"

static struct cf_watch watched;
static struct cf_reflector *r = &watched.reflectors[CF_NAMESPACES];

static int start(void **state)
{
    (void)state;
    watched = (struct cf_watch){.store = cf_store_new(CF_ABSENT_DEPENDS), .stale_after = 30};
    assert_non_null(watched.store);
    r->watch = &watched;
    r->resource = CF_NAMESPACES;
    r->arena = arena;
    r->phase = CF_WATCHING;
    r->last = r->ended = CF_ENDED_WELL;
    strcpy(r->version, "5");
    cf_cut_init(&r->cut, cf_reflect_take, r);
    cf_cut_reset(&r->cut, CF_CUT_EVENTS);
    return 0;
}

static int end(void **state)
{
    (void)state;
    cf_reflect_drop(r);
    cf_cut_free(&r->cut);
    cf_store_free(watched.store);
    return 0;
}

static int feed(const char *text)
{
    err = (struct cf_err){.kind = CF_ERR_NONE};
    if (cf_cut_feed(&r->cut, text, strlen(text), &err) != 0)
        return -1;
    return cf_reflect_apply(r, &err);
}

static void versions_go_on(void **state)
{
    (void)state;
    assert_int_equal(feed(EVENT("a", "7") EVENT("b", "7") EVENT("c", "8")), 0);
    assert_string_equal(r->version, "8");
    assert_int_equal(cf_store_counts(watched.store).namespaces, 3);
}

static void versions_go_backwards(void **state)
{
    (void)state;
    assert_int_equal(feed(EVENT("a", "4")), -1);
    assert_int_equal(r->ended, CF_WATCH_GONE);
    assert_string_equal(err.msg, "its versions went backwards, from 5 to 4");
}

/* Between two events that come in one piece, though both are newer than what was applied. */
static void versions_go_backwards_at_once(void **state)
{
    (void)state;
    assert_int_equal(feed(EVENT("a", "9") EVENT("b", "7")), -1);
    assert_int_equal(r->ended, CF_WATCH_GONE);
    assert_string_equal(err.msg, "its versions went backwards, from 9 to 7");
    assert_string_equal(r->version, "5");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(versions_go_on, start, end),
        cmocka_unit_test_setup_teardown(versions_go_backwards, start, end),
        cmocka_unit_test_setup_teardown(versions_go_backwards_at_once, start, end),
    };

    return cmocka_run_group_tests(tests, document_setup, document_teardown);
}
