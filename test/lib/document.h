/* SPDX-License-Identifier: Apache-2.0 */
/* document.h - what the tests of documents share: an arena, and parsing from a block of exactly
 * the bytes' size, so that a sanitizer sees one read too far. */
#ifndef CURFEW_TEST_DOCUMENT_H
#define CURFEW_TEST_DOCUMENT_H

#include <time.h>

#include "test.h"

#include "curfew/arena.h"
#include "curfew/buf.h"
#include "curfew/json.h"
#include "curfew/writer.h"
#include "curfew/limits.h"

static struct cf_arena *arena;
static struct cf_err err;

/* CPU time of this program, in microseconds: independent of other load on the machine. */
static inline int64_t cpu_micros(void)
{
    return (int64_t)clock() / (CLOCKS_PER_SEC / 1000000);
}

static inline char *exact_copy(const char *bytes, size_t len)
{
    char *exact = malloc(len > 0 ? len : 1);

    assert_non_null(exact);
    if (len > 0)
        memcpy(exact, bytes, len);
    return exact;
}

static inline const struct cf_json *json_with(const char *bytes, size_t len,
                                              const struct cf_json_skip *skip, size_t *end)
{
    char *exact = exact_copy(bytes, len);
    const struct cf_json *value;

    memset(&err, 0, sizeof(err));
    cf_arena_reset(arena, true);
    value = cf_json_parse(arena, exact, len, skip, end, &err);
    free(exact);
    assert_true((value == NULL) == (err.kind != CF_ERR_NONE));
    return value;
}

static inline const struct cf_json *json(const char *text)
{
    return json_with(text, strlen(text), NULL, NULL);
}

static inline const struct cf_json *yaml_with(const char *bytes, size_t len, size_t first_line,
                                              enum cf_yaml_flags flags)
{
    char *exact = exact_copy(bytes, len);
    const struct cf_json *value;

    err = (struct cf_err){.kind = CF_ERR_SYSTEM, .msg = "left over"};
    cf_arena_reset(arena, true);
    value = cf_yaml_parse(arena, exact, len, first_line, flags, &err);
    free(exact);
    return value;
}

static inline const struct cf_json *yaml(const char *text)
{
    return yaml_with(text, strlen(text), 1, CF_YAML_MANIFEST);
}

static inline const char *compact(const struct cf_json *value)
{
    struct cf_buf buf;
    struct cf_out out;

    cf_buf_init_arena(&buf, arena, CF_FILE_MAX);
    cf_out_init(&out, &buf);
    cf_out_value(&out, NULL, value);
    assert_true(cf_buf_ok(&buf));
    return cf_buf_str(&buf);
}

/* `value` is what the text was parsed to. */
static inline void is_refused(const struct cf_json *value, const char *message)
{
    assert_null(value);
    assert_string_equal(err.msg, message);
    assert_int_equal(err.kind, CF_ERR_INPUT);
}

static inline void is_read(const struct cf_json *value, const char *want)
{
    if (value == NULL)
        fail_msg("%s: %s", want, err.msg);
    assert_string_equal(compact(value), want);
}

static inline int document_setup(void **state)
{
    (void)state;
    cf_json_init();
    arena = cf_arena_new(CF_ARENA_MAX);
    return arena == NULL ? -1 : 0;
}

static inline int document_teardown(void **state)
{
    (void)state;
    cf_arena_free(arena);
    return 0;
}

#endif
