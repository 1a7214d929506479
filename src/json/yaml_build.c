/* SPDX-License-Identifier: Apache-2.0 */
/* yaml_build.c - makes a document of YAML values; see yaml_build.h.
 *
 * Aliases are expanded by copying, and every copied value counts: a document of nested aliases
 * ("billion laughs") ends at CF_NODES_MAX like any other, and the bytes of copied strings and
 * keys count as those of the file. The value of a merge key is kept until its mapping ends; then
 * its members are copied into the mapping. */
#include "yaml_build.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "curfew/arena.h"
#include "curfew/buf.h"
#include "curfew/hash.h"
#include "curfew/str.h"
#include "yaml_scalar.h"

/* ---- anchors by name: open addressing, at most half full ---- */

#define SLOTS_MIN 16

/* Where the name is, or where it belongs; the table is not empty. */
static struct cf_yaml_anchor **anchor_slot(const struct cf_yaml_anchors *anchors, const char *name,
                                           size_t len)
{
    size_t at = (size_t)cf_hash64(cf_hash_key(), name, len);

    for (;; at++) {
        struct cf_yaml_anchor **slot = &anchors->slots[at & (anchors->slot_count - 1)];

        if (*slot == NULL || ((*slot)->len == len && memcmp((*slot)->name, name, len) == 0))
            return slot;
    }
}

/* The old table stays in the arena: doubling, all of them together are no larger than the last. */
static bool grow_anchors(struct cf_yaml_anchors *anchors)
{
    struct cf_yaml_anchors larger = *anchors;

    larger.slot_count = anchors->slot_count == 0 ? SLOTS_MIN : anchors->slot_count * 2;
    larger.slots =
        cf_arena_array(anchors->arena, larger.slot_count, sizeof(struct cf_yaml_anchor *));
    if (larger.slots == NULL)
        return false;
    memset(larger.slots, 0, larger.slot_count * sizeof(struct cf_yaml_anchor *));
    for (size_t i = 0; i < anchors->slot_count; i++) {
        struct cf_yaml_anchor *anchor = anchors->slots[i];

        if (anchor != NULL)
            *anchor_slot(&larger, anchor->name, anchor->len) = anchor;
    }
    *anchors = larger;
    return true;
}

/* Adds an anchor, which hides an earlier one with that name. Copies the name. NULL when out of
 * memory. */
static struct cf_yaml_anchor *anchors_add(struct cf_yaml_anchors *anchors, const char *name)
{
    struct cf_yaml_anchor *anchor = cf_arena_alloc(anchors->arena, sizeof(*anchor));
    struct cf_yaml_anchor **slot;

    if (anchor == NULL || (2 * anchors->used >= anchors->slot_count && !grow_anchors(anchors)))
        return NULL;
    *anchor =
        (struct cf_yaml_anchor){.name = cf_arena_strdup(anchors->arena, name), .len = strlen(name)};
    if (anchor->name == NULL)
        return NULL;
    slot = anchor_slot(anchors, name, anchor->len);
    anchors->used += *slot == NULL;
    *slot = anchor;
    return anchor;
}

/* The latest anchor with that name; NULL: not found. */
static const struct cf_yaml_anchor *anchors_find(const struct cf_yaml_anchors *anchors,
                                                 const char *name)
{
    return anchors->slot_count == 0 ? NULL : *anchor_slot(anchors, name, strlen(name));
}

#define TEXT_SHOWN 60
/* A key's place in one number: a line and a column, within CF_FILE_MAX. */
#define COLUMN_BITS 27

#define TAG(name) "tag:yaml.org,2002:" name

void cf_yaml_build_init(struct cf_yaml_build *b, struct cf_arena *arena, size_t len,
                        enum cf_yaml_flags flags, struct cf_err *err)
{
    *b = (struct cf_yaml_build){
        .arena = arena, .flags = flags, .err = err, .bytes = len, .anchors.arena = arena};
    cf_keys_init(&b->keys, arena);
}

int cf_yaml_fail(struct cf_err *err, struct cf_yaml_place at, const char *fmt, ...)
{
    char text[256];
    va_list args;

    va_start(args, fmt);
    cf_str_vshow(text, sizeof(text), fmt, args);
    va_end(args);
    return cf_err_at(err, at.line, at.column, "%s", text);
}

/* A name from the document, sanitized. */
static const char *shown_name(struct cf_yaml_build *b, const char *name)
{
    char *copy = cf_str_shown(b->arena, name);

    if (copy == NULL)
        return "?";
    cf_utf8_cut(copy, TEXT_SHOWN);
    return copy;
}

static int count_nodes(struct cf_yaml_build *b, struct cf_yaml_place at, size_t count)
{
    b->nodes += count;
    if (b->nodes > CF_NODES_MAX)
        return cf_yaml_fail(b->err, at, "more than %d values, aliases expanded", CF_NODES_MAX);
    return 0;
}

static int count_bytes(struct cf_yaml_build *b, struct cf_yaml_place at, size_t count)
{
    b->bytes += count;
    if (b->bytes > CF_FILE_MAX)
        return cf_yaml_fail(b->err, at, "more than %zu MiB, aliases expanded",
                            CF_FILE_MAX / CF_MIB);
    return 0;
}

static struct cf_yaml_frame *innermost(struct cf_yaml_build *b)
{
    return b->depth == 0 ? NULL : &b->frames[b->depth - 1];
}

static bool key_is_next(struct cf_yaml_build *b)
{
    const struct cf_yaml_frame *frame = innermost(b);

    return frame != NULL && frame->object && frame->key == NULL;
}

/* ---- anchors ---- */

/* *out is NULL without a name. */
static int note_anchor(struct cf_yaml_build *b, const char *name, struct cf_yaml_anchor **out)
{
    *out = name != NULL ? anchors_add(&b->anchors, name) : NULL;
    return name != NULL && *out == NULL ? cf_err_memory(b->err) : 0;
}

static int expand(struct cf_yaml_build *b, struct cf_yaml_place at, const char *name,
                  struct cf_json **out)
{
    const struct cf_yaml_anchor *anchor = anchors_find(&b->anchors, name);

    if (anchor == NULL)
        return cf_yaml_fail(b->err, at, "alias '%s' has no anchor before it", shown_name(b, name));
    if (anchor->value == NULL)
        return cf_yaml_fail(b->err, at, "alias '%s' is inside its own anchor", shown_name(b, name));
    if (count_nodes(b, at, cf_json_size(anchor->value)) != 0 ||
        count_bytes(b, at, cf_json_bytes(anchor->value)) != 0)
        return -1;
    if (b->depth + cf_json_height(anchor->value) > CF_DEPTH_MAX)
        return cf_yaml_fail(b->err, at, "nested deeper than %d", CF_DEPTH_MAX);
    *out = cf_json_copy(anchor->value);
    return *out == NULL ? cf_err_memory(b->err) : 0;
}

/* ---- scalars ---- */

static const char replacement[] = "\xEF\xBF\xBD"; /* U+FFFD */

/* "\0" is what \u0000 is in JSON, and becomes the same. In a configuration it is a mistake. */
static int without_nul(struct cf_yaml_build *b, struct cf_yaml_place at, struct cf_yaml_scalar *in)
{
    struct cf_buf text;

    if (memchr(in->text, '\0', in->len) == NULL)
        return 0;
    if ((b->flags & CF_YAML_TEXT) != 0)
        return cf_yaml_fail(b->err, at, "a NUL character in a string");
    cf_buf_init_arena(&text, b->arena, in->len * strlen(replacement) + 1);
    for (size_t i = 0; i < in->len; i++) {
        if (in->text[i] != '\0')
            cf_buf_addc(&text, in->text[i]);
        else
            cf_buf_adds(&text, replacement);
    }
    if (!cf_buf_ok(&text))
        return cf_err_memory(b->err);
    in->text = cf_buf_str(&text);
    in->len = text.len;
    return 0;
}

static const struct tag {
    const char *name;
    const char *wanted; /* for messages */
    enum cf_scalar_kind kinds[2];
} tags[] = {
    {TAG("int"), "an integer (!!int)", {CF_SCALAR_INT, CF_SCALAR_INT}},
    {TAG("float"), "a number (!!float)", {CF_SCALAR_FLOAT, CF_SCALAR_INT}},
    {TAG("bool"), "a boolean (!!bool)", {CF_SCALAR_FALSE, CF_SCALAR_TRUE}},
    {TAG("null"), "null (!!null)", {CF_SCALAR_NULL, CF_SCALAR_NULL}},
};

static const struct tag *tag_find(const char *name)
{
    for (size_t i = 0; i < CF_COUNT(tags); i++) {
        if (cf_streq(name, tags[i].name))
            return &tags[i];
    }
    return NULL;
}

/* Tags that leave the text as it is in a configuration, which takes no others. */
static bool is_text_tag(const char *tag)
{
    return cf_streq(tag, "!") || cf_streq(tag, TAG("str")) || cf_streq(tag, TAG("binary"));
}

/* A scalar with a tag that says what it is. */
static int resolve_as(struct cf_yaml_build *b, struct cf_yaml_place at, const struct tag *tag,
                      const char *text, struct cf_scalar *out)
{
    cf_scalar_resolve(text, out);
    if (out->kind != tag->kinds[0] && out->kind != tag->kinds[1])
        return cf_yaml_fail(b->err, at, "the value is not %s", tag->wanted);
    if (tag->kinds[0] == CF_SCALAR_FLOAT && !cf_scalar_to_float(out))
        return cf_yaml_fail(b->err, at, "the value is too large for %s", tag->wanted);
    return 0;
}

/* Decodes base64. */
static int decode_binary(struct cf_yaml_build *b, struct cf_yaml_place at,
                         struct cf_yaml_scalar *in)
{
    switch (cf_yaml_binary(b->arena, &in->text, &in->len)) {
    case CF_YAML_BINARY_DECODED:
        return 0;
    case CF_YAML_BINARY_BROKEN:
        return cf_yaml_fail(b->err, at, "the value is not base64 (!!binary)");
    default:
        return cf_err_memory(b->err);
    }
}

/* Resolves a scalar like kubectl, by its tag and quotes; may replace its text. */
static int resolve(struct cf_yaml_build *b, struct cf_yaml_place at, const char *tag,
                   struct cf_yaml_scalar *in, struct cf_scalar *out)
{
    const struct tag *known = tag_find(tag);

    out->kind = CF_SCALAR_TEXT;
    if (known != NULL)
        return resolve_as(b, at, known, in->text, out);
    if (tag == NULL) {
        if (in->plain)
            cf_scalar_resolve(in->text, out);
        return 0;
    }
    if ((b->flags & CF_YAML_TEXT) != 0)
        return is_text_tag(tag)
                   ? 0
                   : cf_yaml_fail(b->err, at, "the tag '%s' is not known", shown_name(b, tag));
    if (cf_streq(tag, TAG("binary")))
        return decode_binary(b, at, in);
    if (cf_streq(tag, TAG("timestamp")) && !cf_scalar_is_timestamp(in->text))
        return cf_yaml_fail(b->err, at, "the value is not a point in time (!!timestamp)");
    return 0; /* kubectl ignores other tags, and what they would have made of the text */
}

static struct cf_json *scalar_node(const struct cf_yaml_build *b, const struct cf_scalar *scalar,
                                   const char *text)
{
    bool manifest = (b->flags & CF_YAML_TEXT) == 0;

    if (scalar->kind == CF_SCALAR_NULL && (manifest || text[0] == '\0' || cf_streq(text, "~")))
        return cf_json_new(CF_JSON_NULL);
    if (!manifest)
        return cf_json_new_text(text);
    switch (scalar->kind) {
    case CF_SCALAR_FALSE:
    case CF_SCALAR_TRUE:
        return cf_json_new_bool(scalar->kind == CF_SCALAR_TRUE);
    case CF_SCALAR_INT:
    case CF_SCALAR_FLOAT:
        return cf_json_new_number(scalar->digits);
    default:
        return cf_json_new_text(text);
    }
}

/* ---- keys ---- */

static int fail_twice(struct cf_yaml_build *b, const struct cf_key *key)
{
    struct cf_yaml_place at = {.line = key->at >> COLUMN_BITS,
                               .column = key->at & (((size_t)1 << COLUMN_BITS) - 1)};

    return cf_yaml_fail(b->err, at, "duplicate key '%s'", shown_name(b, key->text));
}

/* `compared` is the key for comparisons: verbatim, with its NULs. */
static int set_key(struct cf_yaml_build *b, struct cf_yaml_place at, const char *text,
                   const struct cf_yaml_scalar *compared)
{
    struct cf_yaml_frame *frame = innermost(b);
    char *key = cf_arena_strdup(b->arena, text), *kept = key;
    size_t len = compared != NULL ? compared->len : strlen(text);
    int added;

    if (compared != NULL && (kept = cf_arena_alloc(b->arena, len + 1)) != NULL) {
        memcpy(kept, compared->text, len);
        kept[len] = '\0';
    }
    if (key == NULL || kept == NULL)
        return cf_err_memory(b->err);
    added = cf_keys_add(&b->keys, &frame->keys, kept, len, at.line << COLUMN_BITS | at.column);
    if (added < 0)
        return cf_err_memory(b->err);
    frame->key = key;
    return added == 0 ? 0 : fail_twice(b, &b->keys.list[b->keys.count - 1]);
}

/* A mapping may have several, so a merge key is never a duplicate. In a configuration a mapping has
 * at most one, without a tag. */
static bool is_merge_key(const struct cf_yaml_build *b, struct cf_yaml_props props,
                         struct cf_yaml_scalar in)
{
    if (in.len != 2 || memcmp(in.text, "<<", 2) != 0)
        return false;
    if (props.tag == NULL || (b->flags & CF_YAML_TEXT) != 0)
        return in.plain && props.tag == NULL;
    return cf_streq(props.tag, "!") || cf_streq(props.tag, TAG("merge"));
}

/* The scalar as a key; NULL when kubectl rejects such keys. */
static const char *key_text(const struct cf_yaml_build *b, const struct cf_scalar *scalar,
                            const char *text, char digits[CF_SCALAR_DIGITS])
{
    int64_t value;

    if ((b->flags & CF_YAML_TEXT) != 0)
        return text;
    if (scalar->kind == CF_SCALAR_NULL ||
        (scalar->kind == CF_SCALAR_INT && !cf_str_int64(scalar->digits, &value)))
        return NULL;
    return cf_scalar_key(scalar, text, digits);
}

static int fail_key(struct cf_yaml_build *b, struct cf_yaml_place at, enum cf_json_type type)
{
    if (type == CF_JSON_NUMBER)
        return cf_yaml_fail(b->err, at, "a key that is a number above 9223372036854775807");
    return cf_yaml_fail(b->err, at, "a key that is %s", cf_json_type_name(type));
}

/* Keeps what an alias will stand for, as a value or as a key. */
static int note_scalar(struct cf_yaml_build *b, const char *name, const struct cf_scalar *scalar,
                       const char *text, const struct cf_json *value)
{
    char digits[CF_SCALAR_DIGITS];
    struct cf_yaml_anchor *anchor;
    const char *key = key_text(b, scalar, text, digits);

    if (name == NULL)
        return 0;
    if (value == NULL)
        return cf_err_memory(b->err);
    if (note_anchor(b, name, &anchor) != 0)
        return -1;
    anchor->value = value;
    anchor->key = key == NULL ? NULL : cf_arena_strdup(b->arena, key);
    return key == NULL || anchor->key != NULL ? 0 : cf_err_memory(b->err);
}

static int scalar_key(struct cf_yaml_build *b, struct cf_yaml_place at, struct cf_yaml_props props,
                      struct cf_yaml_scalar in)
{
    const struct cf_yaml_scalar written = in;
    struct cf_scalar scalar;
    char digits[CF_SCALAR_DIGITS];
    const char *text;

    if (resolve(b, at, props.tag, &in, &scalar) != 0 || without_nul(b, at, &in) != 0)
        return -1;
    text = key_text(b, &scalar, in.text, digits);
    if (text == NULL)
        return fail_key(b, at, scalar.kind == CF_SCALAR_NULL ? CF_JSON_NULL : CF_JSON_NUMBER);
    if (props.anchor != NULL &&
        note_scalar(b, props.anchor, &scalar, in.text, scalar_node(b, &scalar, in.text)) != 0)
        return -1;
    innermost(b)->merging = is_merge_key(b, props, in);
    if (innermost(b)->merging && (b->flags & CF_YAML_TEXT) == 0) {
        innermost(b)->key = text;
        return 0;
    }
    return set_key(b, at, text, in.text != written.text ? &written : NULL);
}

static int alias_key(struct cf_yaml_build *b, struct cf_yaml_place at, const char *name)
{
    const struct cf_yaml_anchor *anchor;
    struct cf_json *value;

    if (expand(b, at, name, &value) != 0)
        return -1;
    anchor = anchors_find(&b->anchors, name);
    innermost(b)->merging = false;
    if (anchor->key == NULL)
        return fail_key(b, at, cf_json_type(value));
    return set_key(b, at, anchor->key, NULL);
}

/* ---- values ---- */

static struct cf_yaml_place place_of_value(const struct cf_json *value)
{
    return (struct cf_yaml_place){cf_json_line(value), cf_json_column(value)};
}

/* Puts a complete value into its container. */
static int deliver(struct cf_yaml_build *b, struct cf_yaml_place at, struct cf_json *value)
{
    struct cf_yaml_frame *frame = innermost(b);
    const char *key;

    if (frame == NULL) {
        b->root = value;
        return 0;
    }
    key = frame->key;
    frame->key = NULL;
    if (key != NULL && frame->merging)
        return cf_yaml_merge_note(b, at, value);
    frame->count++;
    return cf_json_append(frame->node, key, value) ? 0 : cf_err_memory(b->err);
}

int cf_yaml_build_scalar(struct cf_yaml_build *b, struct cf_yaml_place at,
                         struct cf_yaml_props props, struct cf_yaml_scalar in)
{
    struct cf_scalar scalar;
    struct cf_json *value;
    bool plain = (b->flags & CF_YAML_TEXT) != 0 && in.plain && !is_text_tag(props.tag);

    if (key_is_next(b))
        return scalar_key(b, at, props, in);
    if (count_nodes(b, at, 1) != 0 || resolve(b, at, props.tag, &in, &scalar) != 0 ||
        without_nul(b, at, &in) != 0)
        return -1;
    if (scalar.kind == CF_SCALAR_NOT_FINITE && (b->flags & CF_YAML_TEXT) == 0)
        return cf_yaml_fail(b->err, at, "infinity and not-a-number are not JSON values");
    value = scalar_node(b, &scalar, in.text);
    if (value == NULL)
        return cf_err_memory(b->err);
    cf_json_place(value, at.line, at.column, plain);
    if (note_scalar(b, props.anchor, &scalar, in.text, value) != 0)
        return -1;
    /* A document with only comments (after a "---") has one empty scalar. */
    if (b->depth == 0 && in.len == 0 && in.plain && props.tag == NULL)
        return 0;
    return deliver(b, at, value);
}

int cf_yaml_build_alias(struct cf_yaml_build *b, struct cf_yaml_place at, const char *name)
{
    const struct cf_yaml_frame *frame = innermost(b);
    struct cf_json *value;

    if (key_is_next(b))
        return alias_key(b, at, name);
    if (expand(b, at, name, &value) != 0)
        return -1;
    /* A sequence of merged mappings cannot be an alias. */
    if (frame != NULL && frame->object && frame->merging && cf_json_type(value) != CF_JSON_OBJECT)
        return cf_yaml_fail(b->err, at, "'<<' takes a mapping or a sequence of mappings");
    return deliver(b, at, value);
}

static bool is_collection_tag(const char *tag, bool object)
{
    return cf_streq(tag, "!") || cf_streq(tag, object ? TAG("map") : TAG("seq"));
}

int cf_yaml_build_open(struct cf_yaml_build *b, struct cf_yaml_place at, struct cf_yaml_props props,
                       bool object)
{
    struct cf_yaml_frame *frame;

    if (key_is_next(b))
        return cf_yaml_fail(b->err, at, "a key that is %s",
                            cf_json_type_name(object ? CF_JSON_OBJECT : CF_JSON_ARRAY));
    /* kubectl ignores the tags of mappings and sequences. */
    if ((b->flags & CF_YAML_TEXT) != 0 && props.tag != NULL &&
        !is_collection_tag(props.tag, object))
        return cf_yaml_fail(b->err, at, "the tag '%s' is not known", shown_name(b, props.tag));
    if (b->depth == CF_DEPTH_MAX)
        return cf_yaml_fail(b->err, at, "nested deeper than %d", CF_DEPTH_MAX);
    if (count_nodes(b, at, 1) != 0)
        return -1;
    frame = &b->frames[b->depth];
    *frame = (struct cf_yaml_frame){.object = object};
    if (note_anchor(b, props.anchor, &frame->anchor) != 0)
        return -1;
    frame->node = cf_json_new(object ? CF_JSON_OBJECT : CF_JSON_ARRAY);
    if (frame->node == NULL)
        return cf_err_memory(b->err);
    cf_json_place(frame->node, at.line, at.column, false);
    frame->keys = cf_keys_open(&b->keys);
    b->depth++;
    return 0;
}

int cf_yaml_build_close(struct cf_yaml_build *b)
{
    struct cf_yaml_frame *frame = innermost(b);
    const struct cf_key *twice = frame->object ? cf_keys_close(&b->keys, &frame->keys) : NULL;

    if (twice != NULL)
        return fail_twice(b, twice);
    if (frame->merges != NULL && cf_yaml_merge_all(b, frame) != 0)
        return -1;
    if (frame->anchor != NULL)
        frame->anchor->value = frame->node;
    b->depth--;
    return deliver(b, place_of_value(frame->node), frame->node);
}
