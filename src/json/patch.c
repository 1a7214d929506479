/* SPDX-License-Identifier: Apache-2.0 */
/* patch.c - JSON Pointer (RFC 6901) and JSON Patch (RFC 6902).
 *
 * cJSON_Utils has both, but cannot be used: Debian does not build it, it removes members
 * regardless of case, and it decodes "~1" wrongly, so that /metadata/annotations/curfew.dev~1fixed
 * would name another annotation. Here a member that is replaced keeps its place, too. */
#include <string.h>

#include "curfew/limits.h"
#include "curfew/str.h"
#include "json_private.h"

/* Where an operation acts: a member of an object, or an item of an array or its end. */
struct patch_place {
    struct cf_json *container;
    const char *key;      /* of an object's member; NULL in an array */
    struct cf_json *item; /* NULL when there is none yet */
    size_t steps;         /* from the root to the place */
};

/* ---- pointers ---- */

/* Compares a key with the reference token at `token`, which ends at '/' or at the end. */
static bool token_is(const char *token, const char *key)
{
    for (; *token != '\0' && *token != '/'; token++, key++) {
        char c = *token;

        if (c == '~') {
            token++;
            if (*token != '0' && *token != '1')
                return false;
            c = *token == '0' ? '~' : '/';
        }
        if (c != *key)
            return false;
    }
    return *key == '\0';
}

/* An array's index: digits, without a leading zero. */
static bool token_index(const char *token, size_t *index)
{
    size_t len = strcspn(token, "/");
    size_t value = 0;

    /* Nine digits are more than an array can have items. */
    if (len == 0 || len > 9 || (len > 1 && token[0] == '0'))
        return false;
    for (size_t i = 0; i < len; i++) {
        if (token[i] < '0' || token[i] > '9')
            return false;
        value = value * 10 + (size_t)(token[i] - '0');
    }
    *index = value;
    return true;
}

static const struct cf_json *pointer_step(const struct cf_json *value, const char *token)
{
    const struct cf_json *member;
    size_t index;

    if (cf_json_type(value) == CF_JSON_ARRAY)
        return token_index(token, &index) ? cf_json_at(value, index) : NULL;
    if (cf_json_type(value) != CF_JSON_OBJECT)
        return NULL;
    for (member = cf_json_first(value); member != NULL; member = cf_json_next(member)) {
        if (token_is(token, cf_json_key(member)))
            return member;
    }
    return NULL;
}

const struct cf_json *cf_json_pointer(const struct cf_json *root, const char *pointer)
{
    while (root != NULL && *pointer == '/') {
        pointer++;
        root = pointer_step(root, pointer);
        pointer += strcspn(pointer, "/");
    }
    return *pointer == '\0' ? root : NULL;
}

static char *token_text(struct cf_arena *arena, const char *token)
{
    char *text = cf_arena_strdup(arena, token);
    char *to = text;

    if (text == NULL)
        return NULL;
    for (; *token != '\0'; token++) {
        if (token[0] == '~' && (token[1] == '0' || token[1] == '1'))
            *to++ = *++token == '0' ? '~' : '/';
        else
            *to++ = *token;
    }
    *to = '\0';
    return text;
}

static bool find_place(struct cf_arena *arena, struct cf_json *root, const char *pointer,
                       struct patch_place *place)
{
    const char *last = pointer == NULL ? NULL : strrchr(pointer, '/');
    const struct cf_json *container;
    char *above;

    if (last == NULL || pointer[0] != '/')
        return false;
    above = cf_arena_strndup(arena, pointer, (size_t)(last - pointer));
    if (above == NULL)
        return false;
    container = cf_json_pointer(root, above);
    *place = (struct patch_place){.container = cf_json_mutable(container)};
    place->item = cf_json_mutable(container == NULL ? NULL : pointer_step(container, last + 1));
    for (const char *p = pointer; *p != '\0'; p++)
        place->steps += *p == '/';
    if (cf_json_type(container) == CF_JSON_OBJECT)
        place->key = token_text(arena, last + 1);
    return cf_json_type(container) == CF_JSON_ARRAY || place->key != NULL;
}

/* ---- operations ---- */

struct patch_run {
    struct cf_arena *arena;
    struct cf_json *root;
};

/* Ends of messages; NULL is success. */
static const char no_place[] = "path not found";
static const char no_value[] = "value is missing";
static const char too_deep[] = "nested too deep";
static const char no_memory[] = "out of memory";

/* Whether `pointer` names an array's end: "-", or the index after the last item. */
static bool is_array_end(const struct patch_place *place, const char *pointer)
{
    const char *last = strrchr(pointer, '/') + 1;
    size_t index;

    if (cf_streq(last, "-"))
        return true;
    return token_index(last, &index) && index == cf_json_count(place->container);
}

/* Copies the value into a container, in front of `before`; with `instead`, it replaces the item. */
static const char *put_value(const struct patch_place *place, struct cf_json *before,
                             const struct cf_json *value, bool instead)
{
    struct cf_json *copy;

    if (place->steps + cf_json_height(value) > CF_DEPTH_MAX)
        return too_deep;
    /* Copy first: the value may contain the item that it replaces. */
    copy = cf_json_copy(value);
    if (instead)
        cf_json_detach(place->container, place->item);
    return cf_json_insert(place->container, before, place->key, copy) ? NULL : no_memory;
}

/* The value replaces the item. */
static const char *put_instead(const struct patch_place *place, const struct cf_json *value)
{
    return put_value(place, cf_json_mutable(cf_json_next(place->item)), value, true);
}

static const char *patch_add(struct patch_run *patch, const char *pointer,
                             const struct cf_json *value)
{
    struct patch_place place;

    if (value == NULL)
        return no_value;
    if (!find_place(patch->arena, patch->root, pointer, &place))
        return no_place;
    if (place.key != NULL && place.item != NULL)
        return put_instead(&place, value);
    if (place.key == NULL && place.item == NULL && !is_array_end(&place, pointer))
        return no_place;
    return put_value(&place, place.item, value, false);
}

static const char *patch_remove(struct patch_run *patch, const char *pointer)
{
    struct patch_place place;

    if (!find_place(patch->arena, patch->root, pointer, &place) || place.item == NULL)
        return no_place;
    cf_json_detach(place.container, place.item);
    return NULL;
}

static const char *patch_replace(struct patch_run *patch, const char *pointer,
                                 const struct cf_json *value)
{
    struct patch_place place;

    if (value == NULL)
        return no_value;
    if (!find_place(patch->arena, patch->root, pointer, &place) || place.item == NULL)
        return no_place;
    return put_instead(&place, value);
}

static const char *patch_transfer(struct patch_run *patch, const char *from, const char *pointer,
                                  bool keep)
{
    const struct cf_json *value = from == NULL ? NULL : cf_json_pointer(patch->root, from);
    const char *fault;

    if (value == NULL || from[0] != '/' || pointer == NULL)
        return no_place;
    if (keep)
        return patch_add(patch, pointer, value);
    if (cf_starts_with(pointer, from) && pointer[strlen(from)] == '/')
        return "cannot move a value into itself";
    fault = patch_remove(patch, from);
    return fault != NULL ? fault : patch_add(patch, pointer, value);
}

/* Numbers are equal when they are written the same. */
static bool equal(const struct cf_json *a, const struct cf_json *b)
{
    enum cf_json_type type = cf_json_type(a);
    const struct cf_json *item;
    size_t index = 0;

    if (a == NULL || b == NULL || type != cf_json_type(b) || cf_json_count(a) != cf_json_count(b))
        return false;
    if (cf_json_true(a) != cf_json_true(b) || !cf_streq(cf_json_str(a), cf_json_str(b)) ||
        !cf_streq(cf_json_num(a), cf_json_num(b)))
        return false;
    for (item = cf_json_first(a); item != NULL; item = cf_json_next(item), index++) {
        const struct cf_json *other =
            type == CF_JSON_OBJECT ? cf_json_get(b, cf_json_key(item)) : cf_json_at(b, index);
        if (!equal(item, other))
            return false;
    }
    return true;
}

static const char *patch_apply(struct patch_run *patch, const struct cf_json *operation)
{
    const char *op = cf_json_str(cf_json_get(operation, "op"));
    const char *path = cf_json_str(cf_json_get(operation, "path"));
    const char *from = cf_json_str(cf_json_get(operation, "from"));
    const struct cf_json *value = cf_json_get(operation, "value");

    if (path == NULL || path[0] != '/')
        return "path must begin with '/'";
    if (cf_streq(op, "add"))
        return patch_add(patch, path, value);
    if (cf_streq(op, "remove"))
        return patch_remove(patch, path);
    if (cf_streq(op, "replace"))
        return patch_replace(patch, path, value);
    if (cf_streq(op, "move") || cf_streq(op, "copy"))
        return patch_transfer(patch, from, path, cf_streq(op, "copy"));
    if (cf_streq(op, "test"))
        return equal(cf_json_pointer(patch->root, path), value) ? NULL : "the value differs";
    return "op must be add, remove, replace, move, copy or test";
}

int cf_json_patch(struct cf_arena *arena, struct cf_json *target, const char *patch_text,
                  struct cf_err *err)
{
    const struct cf_json *list =
        cf_json_parse(arena, patch_text, strlen(patch_text), NULL, NULL, err);
    struct patch_run patch = {.arena = arena, .root = target};
    struct cf_arena *before;
    const char *fault = NULL;
    size_t number = 0;

    if (list == NULL)
        return cf_err_wrap(err, "patch");
    if (cf_json_type(list) != CF_JSON_ARRAY)
        return cf_err_set(err, "patch: expected an array, found %s",
                          cf_json_type_name(cf_json_type(list)));
    before = cf_json_use(arena);
    for (list = cf_json_first(list); list != NULL && fault == NULL; list = cf_json_next(list)) {
        number++;
        fault = patch_apply(&patch, list);
    }
    cf_json_use(before);
    if (cf_arena_failed(arena))
        return cf_err_memory(err);
    return fault == NULL ? 0 : cf_err_set(err, "patch: operation %zu: %s", number, fault);
}
