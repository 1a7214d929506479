/* SPDX-License-Identifier: Apache-2.0 */
/* json.c - the only file that knows cJSON: a `struct cf_json` is a cJSON node by another name.
 *
 * cJSON's hooks are set once, for the whole program. They allocate from the arena in use on
 * the thread, and free nothing: a document ends with its arena. */
#include "curfew/json.h"

#include <string.h>

#include <cjson/cJSON.h>

#include "curfew/arena.h"
#include "curfew/limits.h"
#include "curfew/str.h"
#include "json_private.h"
#include "lex.h"

/* YAML positions are kept in the node's double, which numbers do not use here: 53 bits hold
 * 27 bits of line and 26 of column, more than a file of CF_FILE_MAX can have. */
#define COLUMNS 67108864.0

/* cJSON writes 1 into valueint for `true`, so the mark of a plain scalar is another bit. */
#define FLAG_PLAIN 2

static _Thread_local struct cf_arena *arena_in_use;

static void *json_alloc(size_t size)
{
    return arena_in_use == NULL ? NULL : cf_arena_alloc(arena_in_use, size);
}

static void json_free(void *bytes)
{
    (void)bytes;
}

void cf_json_init(void)
{
    cJSON_Hooks hooks = {.malloc_fn = json_alloc, .free_fn = json_free};

    cJSON_InitHooks(&hooks);
}

struct cf_arena *cf_json_use(struct cf_arena *arena)
{
    struct cf_arena *before = arena_in_use;

    arena_in_use = arena;
    return before;
}

static const cJSON *in(const struct cf_json *value)
{
    return (const cJSON *)value;
}

static cJSON *in_mutable(struct cf_json *value)
{
    return (cJSON *)value;
}

static struct cf_json *out(cJSON *value)
{
    return (struct cf_json *)value;
}

static const struct cf_json *out_const(const cJSON *value)
{
    return (const struct cf_json *)value;
}

struct cf_json *cf_json_mutable(const struct cf_json *value)
{
    union {
        const struct cf_json *in;
        struct cf_json *out;
    } both = {value};

    return both.out;
}

/* ---- making ---- */

struct cf_json *cf_json_parse_checked(const char *text, size_t len)
{
    return out(cJSON_ParseWithLengthOpts(text, len, NULL, 0));
}

struct cf_json *cf_json_new(enum cf_json_type type)
{
    switch (type) {
    case CF_JSON_ARRAY:
        return out(cJSON_CreateArray());
    case CF_JSON_OBJECT:
        return out(cJSON_CreateObject());
    case CF_JSON_BOOL:
        return out(cJSON_CreateFalse());
    default:
        return out(cJSON_CreateNull());
    }
}

struct cf_json *cf_json_new_bool(bool value)
{
    return out(cJSON_CreateBool(value));
}

struct cf_json *cf_json_new_text(const char *text)
{
    return out(cJSON_CreateString(text));
}

struct cf_json *cf_json_new_number(const char *digits)
{
    size_t len = strlen(digits);
    char *marked = json_alloc(len + 2);

    if (marked == NULL)
        return NULL;
    marked[0] = CF_NUMBER_MARK;
    memcpy(marked + 1, digits, len);
    return out(cJSON_CreateStringReference(marked));
}

struct cf_json *cf_json_copy(const struct cf_json *value)
{
    return out(cJSON_Duplicate(in(value), 1));
}

bool cf_json_append(struct cf_json *container, const char *key, struct cf_json *item)
{
    if (container == NULL || item == NULL)
        return false;
    if (key == NULL) {
        in_mutable(item)->string = NULL; /* a copy of a member still has its key */
        return cJSON_AddItemToArray(in_mutable(container), in_mutable(item));
    }
    return cJSON_AddItemToObject(in_mutable(container), key, in_mutable(item));
}

bool cf_json_insert(struct cf_json *container, struct cf_json *before, const char *key,
                    struct cf_json *item)
{
    cJSON *list = in_mutable(container);
    cJSON *next = in_mutable(before);
    cJSON *node = in_mutable(item);

    /* Appended, so that cJSON sets the key, and moved from the end to its place. */
    if (!cf_json_append(container, key, item))
        return false;
    if (next == NULL)
        return true;
    cJSON_DetachItemViaPointer(list, node);
    node->next = next;
    node->prev = next->prev;
    if (list->child == next)
        list->child = node;
    else
        next->prev->next = node;
    next->prev = node;
    return true;
}

void cf_json_detach(struct cf_json *container, struct cf_json *item)
{
    cJSON_DetachItemViaPointer(in_mutable(container), in_mutable(item));
}

void cf_json_members(struct cf_json *container, struct cf_json **members)
{
    for (cJSON *child = in_mutable(container)->child; child != NULL; child = child->next)
        *members++ = out(child);
}

void cf_json_place(struct cf_json *value, size_t line, size_t column, bool plain)
{
    cJSON *node = in_mutable(value);

    if (node == NULL)
        return;
    node->valuedouble = (double)line * COLUMNS + (double)column;
    node->valueint = plain ? FLAG_PLAIN : 0;
}

size_t cf_json_size(const struct cf_json *value)
{
    size_t size = 1;

    for (const cJSON *child = in(value)->child; child != NULL; child = child->next)
        size += child->child == NULL ? 1 : cf_json_size(out_const(child));
    return size;
}

size_t cf_json_bytes(const struct cf_json *value)
{
    const cJSON *node = in(value);
    size_t bytes = node->valuestring == NULL ? 0 : strlen(node->valuestring);

    for (const cJSON *child = node->child; child != NULL; child = child->next)
        bytes +=
            (child->string == NULL ? 0 : strlen(child->string)) + cf_json_bytes(out_const(child));
    return bytes;
}

size_t cf_json_height(const struct cf_json *value)
{
    size_t height = 0;

    if (cf_json_type(value) != CF_JSON_ARRAY && cf_json_type(value) != CF_JSON_OBJECT)
        return 0;
    for (const cJSON *child = in(value)->child; child != NULL; child = child->next) {
        size_t below = cf_json_height(out_const(child));

        height = below > height ? below : height;
    }
    return height + 1;
}

/* ---- reading ---- */

enum cf_json_type cf_json_type(const struct cf_json *value)
{
    switch (value == NULL ? cJSON_NULL : in(value)->type & 0xFF) {
    case cJSON_False:
    case cJSON_True:
        return CF_JSON_BOOL;
    case cJSON_String:
        return in(value)->valuestring[0] == CF_NUMBER_MARK ? CF_JSON_NUMBER : CF_JSON_STRING;
    case cJSON_Array:
        return CF_JSON_ARRAY;
    case cJSON_Object:
        return CF_JSON_OBJECT;
    default:
        return CF_JSON_NULL;
    }
}

const char *cf_json_type_name(enum cf_json_type type)
{
    static const char *const names[] = {
        [CF_JSON_NULL] = "null",       [CF_JSON_BOOL] = "a boolean", [CF_JSON_NUMBER] = "a number",
        [CF_JSON_STRING] = "a string", [CF_JSON_ARRAY] = "an array", [CF_JSON_OBJECT] = "an object",
    };

    return names[type];
}

bool cf_json_is_null(const struct cf_json *value)
{
    return cf_json_type(value) == CF_JSON_NULL;
}

const struct cf_json *cf_json_get(const struct cf_json *object, const char *key)
{
    const cJSON *found = NULL;

    if (cf_json_type(object) != CF_JSON_OBJECT)
        return NULL;
    for (const cJSON *member = in(object)->child; member != NULL; member = member->next) {
        if (strcmp(member->string, key) == 0)
            found = member;
    }
    return out_const(found);
}

const struct cf_json *cf_json_first(const struct cf_json *container)
{
    return container == NULL ? NULL : out_const(in(container)->child);
}

const struct cf_json *cf_json_next(const struct cf_json *item)
{
    return item == NULL ? NULL : out_const(in(item)->next);
}

size_t cf_json_count(const struct cf_json *container)
{
    size_t count = 0;

    for (const struct cf_json *item = cf_json_first(container); item; item = cf_json_next(item))
        count++;
    return count;
}

const struct cf_json *cf_json_at(const struct cf_json *array, size_t index)
{
    const struct cf_json *item = NULL;

    if (cf_json_type(array) == CF_JSON_ARRAY)
        item = cf_json_first(array);
    while (item != NULL && index-- > 0)
        item = cf_json_next(item);
    return item;
}

const char *cf_json_key(const struct cf_json *member)
{
    return member == NULL ? NULL : in(member)->string;
}

const char *cf_json_str(const struct cf_json *value)
{
    return cf_json_type(value) == CF_JSON_STRING ? in(value)->valuestring : NULL;
}

const char *cf_json_num(const struct cf_json *value)
{
    return cf_json_type(value) == CF_JSON_NUMBER ? in(value)->valuestring + 1 : NULL;
}

bool cf_json_true(const struct cf_json *value)
{
    return value != NULL && (in(value)->type & 0xFF) == cJSON_True;
}

bool cf_json_int(const struct cf_json *value, int64_t *out_int)
{
    return cf_str_int64(cf_json_num(value), out_int);
}

size_t cf_json_line(const struct cf_json *value)
{
    return value == NULL ? 0 : (size_t)(in(value)->valuedouble / COLUMNS);
}

size_t cf_json_column(const struct cf_json *value)
{
    return value == NULL ? 0
                         : (size_t)(in(value)->valuedouble - (double)cf_json_line(value) * COLUMNS);
}

bool cf_json_is_plain(const struct cf_json *value)
{
    return value != NULL && (in(value)->valueint & FLAG_PLAIN) != 0;
}

const char *cf_cjson_version(void)
{
    return cJSON_Version();
}

/* ---- lines and columns of values ---- */

/* The parsed values have the order of the input: after parsing, both are walked together. So
 * requests, whose lines are not needed, pay nothing. */

struct place_walk {
    const char *p, *end;
    struct cf_json_place place; /* of p */
    size_t depth;
    struct cf_json *open[CF_DEPTH_MAX];
};

struct cf_json_place cf_json_place_at(const struct cf_json_place *first, const char *begin,
                                      const char *at, const char *end)
{
    struct cf_json_place place = *first;

    for (const char *p = begin; p < at; p++) {
        bool ends = *p == '\n' || (*p == '\r' && (p + 1 >= end || p[1] != '\n'));

        place.line += ends;
        place.column = ends ? 1 : place.column + 1;
    }
    return place;
}

/* Lines are those of an editor: ended by \n, \r\n or a lone \r. Columns are characters. */
static void step_to(struct place_walk *w, const char *to)
{
    for (; w->p < to; w->p++) {
        bool newline = *w->p == '\n' || (*w->p == '\r' && (w->p + 1 == w->end || w->p[1] != '\n'));

        w->place.column += ((unsigned char)*w->p & 0xC0) != 0x80;
        if (newline) {
            w->place.line++;
            w->place.column = 1;
        }
    }
}

static void step_space(struct place_walk *w)
{
    step_to(w, cf_skip_space(w->p, w->end));
}

static void step_string(struct place_walk *w)
{
    step_to(w, cf_skip_string(w->p + 1, w->end));
}

/* A number, true, false or null. */
static void step_word(struct place_walk *w)
{
    const char *p = w->p;

    while (p < w->end && ((*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'z') || *p == 'E' ||
                          *p == '.' || *p == '+' || *p == '-'))
        p++;
    step_to(w, p);
}

/* In front of a value, and of its key if it has one. */
static void step_to_value(struct place_walk *w, const struct cf_json *value)
{
    step_space(w);
    if (cf_json_key(value) == NULL)
        return;
    step_string(w);
    step_space(w);
    step_to(w, w->p + 1); /* the colon */
    step_space(w);
}

/* After a value: moves to the next one, out of all containers that end here. NULL: no next one. */
static struct cf_json *next_placed(struct place_walk *w, struct cf_json *value)
{
    while (w->depth > 0) {
        step_space(w);
        step_to(w, w->p + 1); /* a comma, or the end of the container */
        if (cf_json_next(value) != NULL)
            return cf_json_mutable(cf_json_next(value));
        value = w->open[--w->depth];
    }
    return NULL;
}

static void place_values(struct place_walk *w, struct cf_json *value)
{
    while (value != NULL) {
        step_to_value(w, value);
        cf_json_place(value, w->place.line, w->place.column, false);
        if (*w->p == '{' || *w->p == '[') {
            step_to(w, w->p + 1);
            if (cf_json_first(value) != NULL) {
                w->open[w->depth++] = value;
                value = cf_json_mutable(cf_json_first(value));
                continue;
            }
            step_space(w);
            step_to(w, w->p + 1);
        } else if (*w->p == '"') {
            step_string(w);
        } else {
            step_word(w);
        }
        value = next_placed(w, value);
    }
}

const struct cf_json *cf_json_parse_placed(struct cf_arena *arena, const char *bytes, size_t len,
                                           size_t *end, struct cf_json_place *place,
                                           struct cf_err *err)
{
    const struct cf_json *root = cf_json_parse_at(arena, bytes, len, NULL, end, place, err);
    struct place_walk w = {.p = bytes, .end = bytes + len, .place = *place};

    if (root == NULL)
        return NULL;
    place_values(&w, cf_json_mutable(root));
    step_to(&w, end == NULL ? w.end : bytes + *end);
    *place = w.place;
    return root;
}
