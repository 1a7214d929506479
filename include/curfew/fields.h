/* SPDX-License-Identifier: Apache-2.0 */
/* fields.h - typed members of JSON objects, with errors that name the path. A failure stays with
 * the reader, and later calls return NULL: read all members, then check `failed` once. */
#ifndef CURFEW_FIELDS_H
#define CURFEW_FIELDS_H

#include "curfew/json.h"
#include "curfew/path.h"

struct cf_fields {
    struct cf_arena *arena;
    const char *where; /* begins the paths in messages: "request.object." or "" */
    struct cf_err *err;
    bool failed;
    size_t secret_refs; /* how many references to Secrets were decoded (cf_secret_ref_decode) */
};

/* A step down, in the arena; the root (NULL) after a failure. */
const struct cf_path *cf_field_key(struct cf_fields *r, const struct cf_path *up, const char *key);
const struct cf_path *cf_field_index(struct cf_fields *r, const struct cf_path *up, size_t index);

/* "<where><path> must be <expected>, not <type of the value>"; `value` may be NULL. */
void cf_field_fail(struct cf_fields *r, const struct cf_path *at, const char *expected,
                   const struct cf_json *value);
void cf_field_fail_memory(struct cf_fields *r);

/* The member of `object`, whose own path is `at`, if it has the type; NULL when it is absent or
 * null; NULL and a failure when it has another type. */
const struct cf_json *cf_field_object(struct cf_fields *r, const struct cf_path *at,
                                      const struct cf_json *object, const char *key);
const struct cf_json *cf_field_array(struct cf_fields *r, const struct cf_path *at,
                                     const struct cf_json *object, const char *key);
const char *cf_field_str(struct cf_fields *r, const struct cf_path *at,
                         const struct cf_json *object, const char *key);
bool cf_field_bool(struct cf_fields *r, const struct cf_path *at, const struct cf_json *object,
                   const char *key);
/* Whether the member is present and false. */
bool cf_field_false(struct cf_fields *r, const struct cf_path *at, const struct cf_json *object,
                    const char *key);
/* `absent` when the member is absent; *given (may be NULL) is whether it is present. */
int64_t cf_field_int(struct cf_fields *r, const struct cf_path *at, const struct cf_json *object,
                     const char *key, int64_t absent, bool *given);

/* Room in the arena for as many members of `size` bytes as the array has items; NULL when the array
 * is NULL or empty, or (with a failure) when out of memory. */
void *cf_field_room(struct cf_fields *r, const struct cf_json *array, size_t size);

/* An array whose items must all be strings; NULL and *count 0 when it is absent or empty. */
const char **cf_field_strings(struct cf_fields *r, const struct cf_path *at,
                              const struct cf_json *object, const char *key, size_t *count);

/* The value itself must be an object (an array's item); false and a failure otherwise. */
bool cf_field_is_object(struct cf_fields *r, const struct cf_path *at, const struct cf_json *value);

#endif
