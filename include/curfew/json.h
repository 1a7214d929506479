/* SPDX-License-Identifier: Apache-2.0 */
/* json.h - documents: strict parsing of hostile bytes, and reading what was parsed.
 *
 * A document lives in the arena it was parsed into, until that is reset. No value crosses a thread.
 * Numbers keep their digits: none is ever rounded through a double. */
#ifndef CURFEW_JSON_H
#define CURFEW_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "curfew/arena.h"
#include "curfew/err.h"

struct cf_json; /* one value; opaque */
struct cf_buf;

enum cf_json_type {
    CF_JSON_NULL,
    CF_JSON_BOOL,
    CF_JSON_NUMBER,
    CF_JSON_STRING,
    CF_JSON_ARRAY,
    CF_JSON_OBJECT,
};

/* Must be called once, before any thread and any other function here: directs the JSON
 * library's allocations to the arena in use. */
void cf_json_init(void);

/* "1.7.15", "0.2.5": the loaded versions of cJSON and libyaml. */
const char *cf_cjson_version(void);
const char *cf_libyaml_version(void);

/* ---- parsing (intake.c) ---- */

/* A member that no rule reads, and that parsing drops: the member `key` of any object that is
 * itself the value of a member `parent` (arrays between them do not count). Only the structure of
 * its value is checked (closed brackets and quotes, commas between values): it may have any depth,
 * and its values are not counted. */
struct cf_json_skip {
    const char *parent;
    const char *key;
};

/* Parses one JSON value (RFC 8259). Rejected, with err->offset and a message that names it: bad
 * grammar, invalid UTF-8, raw control characters, lone surrogates, duplicate keys, a byte order
 * mark, nesting over CF_DEPTH_MAX, more than CF_NODES_MAX values, empty input.
 * \u0000 becomes U+FFFD. Keys are duplicates when their bytes are equal before unescaping: so
 * every output of Go's encoder for different keys is accepted ("a\u0000" beside "a\ufffd"). Of keys
 * that unescape to the same string, cf_json_get() finds the last one, as Go does.
 * `skip` ends with {NULL, NULL}, or is NULL. With `end` NULL anything but white space after
 * the value is an error; else *end is the offset after the value and its trailing white space. */
const struct cf_json *cf_json_parse(struct cf_arena *arena, const char *bytes, size_t len,
                                    const struct cf_json_skip *skip, size_t *end,
                                    struct cf_err *err);

/* ---- with lines (json.c) ---- */

struct cf_json_place {
    size_t line, column; /* from 1 */
};

/* cf_json_parse() for a file: cf_json_line() and cf_json_column() return the place of each value.
 * `place` is that of the first byte, and becomes that of the byte at *end. Unchanged on an
 * error, which names its line and column in place of an offset.
 * It takes nearly twice the time. */
const struct cf_json *cf_json_parse_placed(struct cf_arena *arena, const char *bytes, size_t len,
                                           size_t *end, struct cf_json_place *place,
                                           struct cf_err *err);

/* ---- before a fault (intake.c) ---- */

/* The bytes of a member's value, in input that may be broken after it. */
struct cf_json_piece {
    const char *text; /* NULL: not found */
    size_t len;
    bool whole; /* false: the bytes end, or the fault comes, before the value does */
};

/* Finds the members with these keys in the bytes of an object, by the structure alone; a caller
 * that needs a value parses it. Stops at the end of the object or of the bytes, at invalid
 * structure, at a repeated key, and at a key that is not plain ASCII (an escape, a control
 * character, a broken byte), since it may be one of the keys. True: the end of the object was
 * found. Needs little of the arena (see lex.c), which may fail. */
bool cf_json_peek(struct cf_arena *arena, const char *bytes, size_t len, const char *const *keys,
                  size_t count, struct cf_json_piece *pieces);

/* ---- input that cannot be parsed (lex.c) ---- */

/* Iterates over the members of an object whose validity is unknown: their bytes, in order, with
 * duplicates. For input that cf_json_parse() rejected, or that was cut off. */
struct cf_json_walk {
    struct cf_arena *arena;
    const char *p, *end;
    bool begun;
    bool broken; /* the bytes ended before the object did, or its brackets do not match */
};
struct cf_json_member {
    const char *key; /* without its quotes, escapes and all */
    size_t key_len;
    const char *value; /* the last one of a broken object: up to the end of the bytes */
    size_t value_len;
};

/* False: not an object. */
bool cf_json_walk_open(struct cf_json_walk *walk, struct cf_arena *arena, const char *bytes,
                       size_t len);
/* False: no more members. */
bool cf_json_walk_next(struct cf_json_walk *walk, struct cf_json_member *member);

/* ---- YAML (yaml.c) ---- */

enum cf_yaml_flags {
    CF_YAML_MANIFEST = 0, /* what kubectl sends: plain scalars resolve as in YAML 1.1, a merge
                           * key overwrites the members before it, tags that kubectl does not know
                           * are ignored */
    CF_YAML_TEXT = 1,     /* plain scalars stay strings (cf_json_is_plain() is true for them,
                           * not for quoted ones); only empty and ~ are null */
};

/* Lines of the file that are missing in a text: their number, and the line before them. */
struct cf_yaml_gap {
    size_t line, lines;
};

/* Parses exactly one YAML document (the text between two `---` lines); NULL and no error
 * (err->kind == CF_ERR_NONE) when it holds only comments. The same ceilings and
 * errors as for JSON; aliases and merge keys (<<) are expanded under the node ceiling; keys
 * that are numbers or booleans become strings, as for kubectl; "\0" becomes U+FFFD (with
 * CF_YAML_TEXT it is an error). Errors name a line and a
 * column, counted from 1; `first_line` is the document's first line in its file. */
const struct cf_json *cf_yaml_parse(struct cf_arena *arena, const char *bytes, size_t len,
                                    size_t first_line, enum cf_yaml_flags flags,
                                    struct cf_err *err);
/* The same for a manifest in which lines of its file are missing. */
const struct cf_json *cf_yaml_parse_gap(struct cf_arena *arena, const char *bytes, size_t len,
                                        size_t first_line, struct cf_yaml_gap gap,
                                        struct cf_err *err);

/* Appends the value as a YAML block, each line indented by `indent` spaces, ending with a newline.
 * Strings that YAML 1.1 would read as another type are quoted: the block parses back to the value.
 */
void cf_yaml_write(struct cf_buf *buf, const struct cf_json *value, unsigned indent);
/* The same for one member of an object, with its key, and for one item of an array. */
void cf_yaml_write_member(struct cf_buf *buf, const struct cf_json *member, unsigned indent);
void cf_yaml_write_item(struct cf_buf *buf, const struct cf_json *item, unsigned indent);

/* ---- reading (json.c) ---- */

/* All of these take NULL for an absent value. */
enum cf_json_type cf_json_type(const struct cf_json *value); /* NULL reads as CF_JSON_NULL */

/* "a string", "a number", "null", ...: for messages. */
const char *cf_json_type_name(enum cf_json_type type);

/* Absent or JSON null. */
bool cf_json_is_null(const struct cf_json *value);

/* The member of an object, case-sensitive, the last one with that name; NULL when absent or when
 * `object` is not an object. */
const struct cf_json *cf_json_get(const struct cf_json *object, const char *key);

/* Iteration over an array's items or an object's members; NULL at the end, or for scalars. */
const struct cf_json *cf_json_first(const struct cf_json *container);
const struct cf_json *cf_json_next(const struct cf_json *item);
size_t cf_json_count(const struct cf_json *container);
const struct cf_json *cf_json_at(const struct cf_json *array, size_t index);

/* The key of an object's member; NULL for others. */
const char *cf_json_key(const struct cf_json *member);

/* The text of a string; NULL for any other type. */
const char *cf_json_str(const struct cf_json *value);

/* The digits of a number, verbatim; NULL for any other type. */
const char *cf_json_num(const struct cf_json *value);

/* True for JSON true; false for all else. */
bool cf_json_true(const struct cf_json *value);

/* An integer is `-?[0-9]+` within int64: `1e3` and `3600.0` are not. */
bool cf_json_int(const struct cf_json *value, int64_t *out);

/* The value at a JSON Pointer (RFC 6901); NULL when not found. */
const struct cf_json *cf_json_pointer(const struct cf_json *root, const char *pointer);

/* The place of the value in its file, from 1; 0 when unknown (cf_json_parse() does not note it). */
size_t cf_json_line(const struct cf_json *value);
size_t cf_json_column(const struct cf_json *value);

/* A plain (unquoted) scalar of a document parsed with CF_YAML_TEXT. */
bool cf_json_is_plain(const struct cf_json *value);

/* ---- changing (patch.c): for `curfew review --fix`, and to look ahead in /mutate ---- */

/* Applies a JSON Patch (RFC 6902) to a value of a document in `arena`, in place. -1 and a
 * message when an operation does not apply; the document is then unusable. */
int cf_json_patch(struct cf_arena *arena, struct cf_json *target, const char *patch_text,
                  struct cf_err *err);

#endif
