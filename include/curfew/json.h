/* SPDX-License-Identifier: Apache-2.0 */
/* json.h - documents: strict parsing of hostile bytes, and reading what was parsed.
 *
 * A document lives in the arena it was parsed into and dies with it. No value crosses a thread.
 * Numbers keep their text: nothing is ever rounded through a double. */
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

/* "1.7.15", "0.2.5": of cJSON and libyaml, as they are in use. */
const char *cf_cjson_version(void);
const char *cf_libyaml_version(void);

/* ---- parsing (intake.c) ---- */

/* A member that no rule reads and that is therefore not kept: the member `key` of any object that
 * is itself the value of a member `parent` (arrays between them do not count). Of its value only
 * the structure is checked (brackets and quotes are closed, commas are where they belong): it may
 * be of any depth, and its values are not counted. */
struct cf_json_skip {
    const char *parent;
    const char *key;
};

/* Parses one JSON value (RFC 8259). Refused, with a sentence that names the byte offset: bad
 * grammar, invalid UTF-8, raw control characters, lone surrogates, duplicate keys, a byte order
 * mark, nesting over CF_DEPTH_MAX, more than CF_NODES_MAX values, empty input.
 * \u0000 becomes U+FFFD. Keys are duplicates when their bytes are the same, before unescaping: so
 * whatever Go's encoder makes of keys that differ is taken ("a\u0000" beside "a\ufffd"). Of keys
 * that become the same text cf_json_get() finds the last one, as Go does.
 * `skip` ends with {NULL, NULL}, or is NULL. With `end` NULL anything but white space after
 * the value is an error; else *end is the offset behind the value and the white space after it. */
const struct cf_json *cf_json_parse(struct cf_arena *arena, const char *bytes, size_t len,
                                    const struct cf_json_skip *skip, size_t *end,
                                    struct cf_err *err);

/* The same, and tells how many bytes precede the first fault; `len` when there is none. */
const struct cf_json *cf_json_parse_offset(struct cf_arena *arena, const char *bytes, size_t len,
                                           const struct cf_json_skip *skip, size_t *end,
                                           size_t *sound, struct cf_err *err);

/* ---- with lines (json_lines.c) ---- */

struct cf_json_place {
    size_t line, column; /* from 1 */
};

/* cf_json_parse() for a file: cf_json_line() and cf_json_column() tell where each value stands.
 * `place` is that of the first byte; it becomes that of the byte behind what was read (*end). Left
 * alone on an error. It takes nearly twice the time. */
const struct cf_json *cf_json_parse_placed(struct cf_arena *arena, const char *bytes, size_t len,
                                           size_t *end, struct cf_json_place *place,
                                           struct cf_err *err);

/* ---- before a fault (peek.c) ---- */

/* A member's value as it stands in a text that may be broken further on. */
struct cf_json_piece {
    const char *text; /* NULL: there is no such member */
    size_t len;
    bool whole; /* false: the bytes end, or the fault comes, before the value does */
};

/* Finds, in the bytes of an object, the members with these keys (in order), by the structure alone:
 * a caller that needs a value parses it. Ends at the end of the object or of the bytes, at what is
 * no JSON, at the second member of the same name, and at a key with anything but plain ASCII in it
 * (an escape, a control character, a broken byte): it may stand for one of these. True: the
 * object's end was seen. The arena is used for little (see skip.c), and may fail. */
bool cf_json_peek(struct cf_arena *arena, const char *bytes, size_t len, const char *const *keys,
                  size_t count, struct cf_json_piece *pieces);

/* ---- what can't be parsed (skip.c) ---- */

/* The members of an object of which nothing is known but its first byte, one by one, as their bytes
 * stand there; in the order in which they stand, duplicates and all. For what cf_json_parse()
 * refused, or for a text that was cut off. */
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

/* False: it is no object. */
bool cf_json_walk_open(struct cf_json_walk *walk, struct cf_arena *arena, const char *bytes,
                       size_t len);
/* False: there are no more. */
bool cf_json_walk_next(struct cf_json_walk *walk, struct cf_json_member *member);

/* ---- YAML (yaml.c) ---- */

enum cf_yaml_flags {
    CF_YAML_MANIFEST = 0, /* what kubectl sends: plain scalars resolve as YAML 1.1 has it, a merge
                           * key overwrites what comes before it, tags that kubectl does not know
                           * are ignored */
    CF_YAML_TEXT = 1,     /* plain scalars stay texts; cf_json_is_plain() tells them from quoted
                           * ones; only empty and ~ are null */
};

/* Parses exactly one YAML document (the text between two `---` lines); NULL and no error
 * (err->kind == CF_ERR_NONE) when it holds nothing but comments. The same ceilings and
 * refusals as for JSON; aliases and merge keys (<<) are expanded under the node ceiling; keys
 * that are numbers or booleans become texts as kubectl's do; "\0" becomes U+FFFD (with
 * CF_YAML_TEXT it is refused). Messages begin with
 * "LINE:COLUMN: ", counted from 1, `first_line` being the document's first line in its file. */
const struct cf_json *cf_yaml_parse(struct cf_arena *arena, const char *bytes, size_t len,
                                    size_t first_line, enum cf_yaml_flags flags,
                                    struct cf_err *err);

/* Appends the value as a YAML block, each line behind `indent` spaces, ending with a newline.
 * Texts that YAML 1.1 would read as something else are quoted: it parses back to the same. */
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

/* The member of an object, case-sensitive, the last of that name; NULL when absent or when `object`
 * is no object. */
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

/* The digits of a number as they were written; NULL for any other type. */
const char *cf_json_num(const struct cf_json *value);

/* True for JSON true; false for all else. */
bool cf_json_true(const struct cf_json *value);

/* An integer is `-?[0-9]+` within int64: `1e3` and `3600.0` are none. */
bool cf_json_int(const struct cf_json *value, int64_t *out);

/* The value at a JSON Pointer (RFC 6901); NULL when there is none. */
const struct cf_json *cf_json_pointer(const struct cf_json *root, const char *pointer);

/* Where the value stood in its file, from 1; 0 when unknown (cf_json_parse() does not note it). */
size_t cf_json_line(const struct cf_json *value);
size_t cf_json_column(const struct cf_json *value);

/* A plain (unquoted) scalar of a document parsed with CF_YAML_TEXT. */
bool cf_json_is_plain(const struct cf_json *value);

/* ---- changing (patch.c): for `curfew review --fix`, and to look ahead in /mutate ---- */

/* Applies a JSON Patch (RFC 6902) to a value of a document in `arena`, in place. -1 and a
 * sentence when an operation does not apply; the document is then unusable. */
int cf_json_patch(struct cf_arena *arena, struct cf_json *target, const char *patch_text,
                  struct cf_err *err);

#endif
