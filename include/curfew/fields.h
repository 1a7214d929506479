/* SPDX-License-Identifier: Apache-2.0 */
/* fields.h - typed members with errors that name the path. Failures stick to the reader: read
 * freely, ask `failed` once at the end. */
#ifndef CURFEW_READ_H
#define CURFEW_READ_H

#include "curfew/json.h"
#include "curfew/path.h"

struct cf_fields {
    struct cf_arena *arena;
    const char *where; /* begins the paths in messages: "request.object." or "" */
    struct cf_err *err;
    bool failed;
};

/* A step down, in the arena; the root (NULL) after a failure. */
const struct cf_path *cf_field_key(struct cf_fields *r, const struct cf_path *up, const char *key);
const struct cf_path *cf_field_index(struct cf_fields *r, const struct cf_path *up, size_t index);

/* "<where><path> must be <expected>, not <what it is>". */
void cf_field_fail(struct cf_fields *r, const struct cf_path *at, const char *expected,
                   const struct cf_json *value);
void cf_field_fail_memory(struct cf_fields *r);

/* The member of `object`, which stands at `at`, if it is of the type; NULL when it is absent or
 * null; NULL and a failure when it has another type. */
const struct cf_json *cf_field_object(struct cf_fields *r, const struct cf_path *at,
                                      const struct cf_json *object, const char *key);
const struct cf_json *cf_field_array(struct cf_fields *r, const struct cf_path *at,
                                     const struct cf_json *object, const char *key);
const char *cf_field_str(struct cf_fields *r, const struct cf_path *at,
                         const struct cf_json *object, const char *key);
bool cf_field_bool(struct cf_fields *r, const struct cf_path *at, const struct cf_json *object,
                   const char *key);
/* Whether it is there and false. */
bool cf_field_false(struct cf_fields *r, const struct cf_path *at, const struct cf_json *object,
                    const char *key);
/* `absent` when there is none; *given (may be NULL) tells. */
int64_t cf_field_int(struct cf_fields *r, const struct cf_path *at, const struct cf_json *object,
                     const char *key, int64_t absent, bool *given);

/* Room in the arena for as many members of `size` bytes as the array has items; NULL when it has
 * none, is NULL, or (with a failure) when there is no memory. */
void *cf_field_room(struct cf_fields *r, const struct cf_json *array, size_t size);

/* An array whose items must all be texts; NULL and *count 0 when there are none. */
const char **cf_field_strings(struct cf_fields *r, const struct cf_path *at,
                              const struct cf_json *object, const char *key, size_t *count);

/* The value itself must be an object (an array's item); false and a failure otherwise. */
bool cf_field_is_object(struct cf_fields *r, const struct cf_path *at, const struct cf_json *value);

#endif
