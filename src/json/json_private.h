/* SPDX-License-Identifier: Apache-2.0 */
/* json_private.h - what json.c, the only user of cJSON, offers to the other files of this folder.
 *
 * A number is a cJSON string of CF_NUMBER_MARK and its digits: cJSON would turn it into a double,
 * and no real string can hold that byte, because every document is valid UTF-8. */
#ifndef CURFEW_JSON_PRIVATE_H
#define CURFEW_JSON_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>

#include "curfew/json.h"

#define CF_NUMBER_MARK '\xFF'

/* Directs cJSON's allocations on this thread to `arena` (NULL: they fail) and returns the one
 * before, to be put back. */
struct cf_arena *cf_json_use(struct cf_arena *arena);

/* All below allocate from the arena in use; NULL or false only when that is exhausted. */

/* cf_json_parse(); with a place, that of the first byte, errors name a line and a column. */
const struct cf_json *cf_json_parse_at(struct cf_arena *arena, const char *bytes, size_t len,
                                       const struct cf_json_skip *skip, size_t *end,
                                       const struct cf_json_place *place, struct cf_err *err);

/* The line and the column, in bytes, of `at`; `first` is the place of the byte at `begin`. Lines
 * end at \n, \r\n or a lone \r. */
struct cf_json_place cf_json_place_at(const struct cf_json_place *first, const char *begin,
                                      const char *at, const char *end);

/* Parses what intake.c has checked and rewritten. */
struct cf_json *cf_json_parse_checked(const char *text, size_t len);

/* Null, array and object; a bool is false. */
struct cf_json *cf_json_new(enum cf_json_type type);
struct cf_json *cf_json_new_bool(bool value);
struct cf_json *cf_json_new_text(const char *text);
struct cf_json *cf_json_new_number(const char *digits);
struct cf_json *cf_json_copy(const struct cf_json *value);

/* Appends to an array (key NULL) or an object; the key is copied. */
bool cf_json_append(struct cf_json *container, const char *key, struct cf_json *item);

/* Inserts in front of `before`, a value in the container; NULL appends. */
bool cf_json_insert(struct cf_json *container, struct cf_json *before, const char *key,
                    struct cf_json *item);
void cf_json_detach(struct cf_json *container, struct cf_json *item);

/* Writes the members or items to `out`, which has room for all. */
void cf_json_members(struct cf_json *container, struct cf_json **out);

/* Removes const, for the owner of the document. */
struct cf_json *cf_json_mutable(const struct cf_json *value);

/* What cf_json_line(), cf_json_column() and cf_json_is_plain() will say. */
void cf_json_place(struct cf_json *value, size_t line, size_t column, bool plain);

/* Values in it, itself included, and how deep they nest (a scalar: 0). */
size_t cf_json_size(const struct cf_json *value);
size_t cf_json_height(const struct cf_json *value);
/* Bytes of the strings, numbers and keys in it, without its own key. */
size_t cf_json_bytes(const struct cf_json *value);

#endif
