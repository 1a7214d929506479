/* SPDX-License-Identifier: Apache-2.0 */
/* events.c after framer.c: what a reflector makes of the bytes of a watch. */
#include "document.h"

#include "../../src/watch/watch_private.h"
#include "curfew/log.h"
#include "curfew/store.h"

/* A watch of pods, at version 1. */
struct stream {
    struct cf_watch watch;
    struct cf_reflector *pods;
};

static struct stream *open_stream(void)
{
    struct stream *s = calloc(1, sizeof(*s));

    assert_non_null(s);
    s->watch.store = cf_store_new(CF_ABSENT_DEPENDS);
    s->pods = &s->watch.reflectors[CF_PODS];
    s->pods->watch = &s->watch;
    s->pods->resource = CF_PODS;
    s->pods->phase = CF_WATCHING;
    strcpy(s->pods->version, "1");
    s->pods->arena = cf_arena_new(CF_ARENA_MAX);
    assert_non_null(s->watch.store);
    assert_non_null(s->pods->arena);
    cf_framer_init(&s->pods->framer, cf_reflector_take, s->pods);
    cf_framer_reset(&s->pods->framer, CF_FRAMER_EVENTS);
    return s;
}

static void close_stream(struct stream *s)
{
    cf_framer_free(&s->pods->framer);
    cf_arena_free(s->pods->arena);
    cf_store_free(s->watch.store);
    free(s);
}

static void feed(struct stream *s, const char *text, size_t piece)
{
    size_t len = strlen(text);

    for (size_t at = 0; at < len; at += piece) {
        size_t some = len - at < piece ? len - at : piece;
        char *copy = exact_copy(text + at, some);

        if (cf_framer_feed(&s->pods->framer, copy, some, &err) != 0)
            fail_msg("%s", err.msg);
        free(copy);
    }
    assert_true(cf_framer_whole(&s->pods->framer));
    assert_int_equal(cf_reflector_apply(s->pods, &err), 0);
}

/* The uid of the pod shop/NAME; NULL: it is not known. */
static const char *uid_of(const struct stream *s, const char *name)
{
    struct cf_store_pod pod;
    bool known;

    cf_arena_reset(arena, true);
    cf_store_lock(s->watch.store);
    known = cf_store_pod(s->watch.store, arena, "shop", name, &pod);
    cf_store_unlock(s->watch.store);
    return known ? pod.uid : NULL;
}

static void add_many(struct cf_buf *out, char c, size_t count)
{
    for (size_t i = 0; i < count; i++)
        cf_buf_addc(out, c);
}

/* An event of the pod shop/NAME; its metadata, object and event are still open. */
#define POD(name, version)                                                                         \
    "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"" name                               \
    "\",\"namespace\":\"shop\",\"uid\":\"uid-" name "\",\"resourceVersion\":\"" version "\""

/* A pod "big" with long metadata, which is nested deeper than is read; its object and its event are
 * still open. */
static void add_big(struct cf_buf *out)
{
    cf_buf_adds(out, POD("big", "2") ",\"labels\":{\"l\":\"");
    add_many(out, 'x', 60000);
    cf_buf_adds(out, "\"},\"ownerReferences\":[");
    add_many(out, ' ', 60000);
    cf_buf_adds(out, "]},\"spec\":{\"a\":");
    add_many(out, '[', CF_DEPTH_MAX + 5);
    add_many(out, ']', CF_DEPTH_MAX + 5);
    cf_buf_addc(out, '}');
}

/* Of an object that can't be read completely the metadata are taken from its text. What is called
 * "metadata" elsewhere, or comes once more and is much shorter, does not have their length. */
static void a_second_metadata(void **state)
{
    static const char *const second[] = {
        "},\"y\":{\"metadata\":{\"z\":{}}}}\n",
        "},\"y\":{\"metadata\":{}},\"metadata\":{\"name\":\"no\"}}\n",
        ",\"x\":{\"metadata\":{\"name\":\"no\"}}}}\n",
        ",\"metadata\":{\"ownerReferences\":[],\"labels\":{},\"annotations\":{}}}}\n",
        ",\"metadata\":{\"uid\":\"uid-big\"},\"metadata\":{}}}\n",
        ",\"metadata\":5}}\n",
        ",\"metadata\":{\"labels\":null\n", /* its line ends before it does */
    };
    static const size_t pieces[] = {1, 4096, CF_MIB};

    (void)state;
    for (size_t i = 0; i < CF_COUNT(second) * CF_COUNT(pieces); i++) {
        struct stream *s = open_stream();
        struct cf_buf text;

        cf_buf_init(&text, CF_MIB);
        add_big(&text);
        cf_buf_adds(&text, second[i / CF_COUNT(pieces)]);
        cf_buf_adds(&text, POD("next", "3") "}}}\n");
        s->pods->no_events = 5; /* torn lines are already skipped */
        feed(s, cf_buf_str(&text), pieces[i % CF_COUNT(pieces)]);
        assert_string_equal(uid_of(s, "big"), "uid-big");
        assert_string_equal(uid_of(s, "next"), "uid-next");
        assert_null(uid_of(s, "no"));
        assert_int_equal(atomic_load(&s->pods->unread), 1);
        assert_string_equal(s->pods->version, "3");
        cf_buf_free(&text);
        close_stream(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_second_metadata),
    };

    cf_log_setup(CF_LOG_TEXT, CF_LOG_ERROR);
    return cmocka_run_group_tests(tests, document_setup, document_teardown);
}
