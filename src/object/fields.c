/* SPDX-License-Identifier: Apache-2.0 */
/* fields.c - typed members; see fields.h. */
#include "curfew/fields.h"

const struct cf_path *cf_field_key(struct cf_fields *r, const struct cf_path *up, const char *key)
{
    const struct cf_path *path = cf_path_key(r->arena, up, key);

    if (path == NULL)
        cf_field_fail_memory(r);
    return path;
}

const struct cf_path *cf_field_index(struct cf_fields *r, const struct cf_path *up, size_t index)
{
    const struct cf_path *path = cf_path_index(r->arena, up, index);

    if (path == NULL)
        cf_field_fail_memory(r);
    return path;
}

/* Where the value stands. Without memory the error has no path. */
static void set_place(struct cf_fields *r, const struct cf_path *at, const struct cf_json *value)
{
    if (r->err == NULL)
        return;
    r->err->line = cf_json_line(value);
    r->err->column = cf_json_column(value);
    r->err->path = cf_path_copy(r->arena, at);
}

void cf_field_fail(struct cf_fields *r, const struct cf_path *at, const char *expected,
                   const struct cf_json *value)
{
    const char *path;

    if (r->failed)
        return;
    path = cf_path_text(r->arena, at);
    if (path == NULL) {
        cf_field_fail_memory(r);
        return;
    }
    r->failed = true;
    cf_err_set(r->err, "%s%s must be %s, not %s", r->where, path, expected,
               cf_json_type_name(cf_json_type(value)));
    set_place(r, at, value);
}

void cf_field_fail_memory(struct cf_fields *r)
{
    if (r->failed)
        return;
    r->failed = true;
    cf_err_memory(r->err);
}

/* NULL when absent, null, or (with a failure) of another type. */
static const struct cf_json *typed_member(struct cf_fields *r, const struct cf_path *at,
                                          const struct cf_json *object, const char *key,
                                          enum cf_json_type type)
{
    const struct cf_json *value = r->failed ? NULL : cf_json_get(object, key);
    struct cf_path here = CF_PATH_KEY(at, key);

    if (cf_json_is_null(value))
        return NULL;
    if (cf_json_type(value) == type)
        return value;
    cf_field_fail(r, &here, cf_json_type_name(type), value);
    return NULL;
}

const struct cf_json *cf_field_object(struct cf_fields *r, const struct cf_path *at,
                                      const struct cf_json *object, const char *key)
{
    return typed_member(r, at, object, key, CF_JSON_OBJECT);
}

const struct cf_json *cf_field_array(struct cf_fields *r, const struct cf_path *at,
                                     const struct cf_json *object, const char *key)
{
    return typed_member(r, at, object, key, CF_JSON_ARRAY);
}

const char *cf_field_str(struct cf_fields *r, const struct cf_path *at,
                         const struct cf_json *object, const char *key)
{
    return cf_json_str(typed_member(r, at, object, key, CF_JSON_STRING));
}

bool cf_field_bool(struct cf_fields *r, const struct cf_path *at, const struct cf_json *object,
                   const char *key)
{
    return cf_json_true(typed_member(r, at, object, key, CF_JSON_BOOL));
}

bool cf_field_false(struct cf_fields *r, const struct cf_path *at, const struct cf_json *object,
                    const char *key)
{
    const struct cf_json *value = typed_member(r, at, object, key, CF_JSON_BOOL);

    return value != NULL && !cf_json_true(value);
}

int64_t cf_field_int(struct cf_fields *r, const struct cf_path *at, const struct cf_json *object,
                     const char *key, int64_t absent, bool *given)
{
    const struct cf_json *value = typed_member(r, at, object, key, CF_JSON_NUMBER);
    struct cf_path here = CF_PATH_KEY(at, key);
    const char *path;
    int64_t number;

    if (given != NULL)
        *given = value != NULL;
    if (value == NULL)
        return absent;
    if (cf_json_int(value, &number))
        return number;
    path = cf_path_text(r->arena, &here);
    r->failed = true;
    cf_err_set(r->err, "%s%s must be an integer within 64 bits, written in digits alone", r->where,
               path != NULL ? path : key);
    set_place(r, &here, value);
    return absent;
}

void *cf_field_room(struct cf_fields *r, const struct cf_json *array, size_t size)
{
    size_t count = r->failed ? 0 : cf_json_count(array);
    void *room = count > 0 ? cf_arena_array(r->arena, count, size) : NULL;

    if (count > 0 && room == NULL)
        cf_field_fail_memory(r);
    return room;
}

const char **cf_field_strings(struct cf_fields *r, const struct cf_path *at,
                              const struct cf_json *object, const char *key, size_t *count)
{
    const struct cf_json *array = cf_field_array(r, at, object, key), *v;
    struct cf_path list = CF_PATH_KEY(at, key);
    const char **texts = cf_field_room(r, array, sizeof(*texts));
    size_t n = 0;

    *count = 0;
    if (texts == NULL)
        return NULL;
    for (v = cf_json_first(array); v != NULL && !r->failed; v = cf_json_next(v), n++) {
        struct cf_path here = CF_PATH_INDEX(&list, n);

        texts[n] = cf_json_str(v);
        if (texts[n] == NULL)
            cf_field_fail(r, &here, cf_json_type_name(CF_JSON_STRING), v);
    }
    *count = n;
    return texts;
}

bool cf_field_is_object(struct cf_fields *r, const struct cf_path *at, const struct cf_json *value)
{
    if (r->failed)
        return false;
    if (cf_json_type(value) == CF_JSON_OBJECT)
        return true;
    cf_field_fail(r, at, cf_json_type_name(CF_JSON_OBJECT), value);
    return false;
}
