/* SPDX-License-Identifier: Apache-2.0 */
/* lex.h - JSON's strings and numbers, as strict as RFC 8259, and its structure alone. */
#ifndef CURFEW_JSON_LEX_H
#define CURFEW_JSON_LEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cf_arena;

/* What is wrong, and where; at the end of the bytes they only ended too early. */
struct cf_fault {
    const char *at;
    const char *what;
};

/* What a string has that its text is not. */
struct cf_escapes {
    bool any; /* a backslash */
    bool nul; /* a \u0000 among them */
};

/* From behind the first quote to behind the last one; NULL and a fault. What the string does not
 * have is left alone in *escapes. */
const char *cf_lex_string(const char *p, const char *end, struct cf_escapes *escapes,
                          struct cf_fault *fault);

/* From the first byte, a minus or a digit, to behind the last one; NULL and a fault. */
const char *cf_lex_number(const char *p, const char *end, struct cf_fault *fault);

/* Writes the text that a checked string (without its quotes) stands for; its bytes, never more
 * than `len`. \u0000 becomes U+FFFD. */
size_t cf_lex_unescape(const char *string, size_t len, char *text);

/* ---- passing over values that are not read, of any depth, in one pass ---- */

/* What is open: a bit for each container, 1 for an object. All zero but the arena at first; may be
 * used for many values, one after the other. */
struct cf_skip {
    struct cf_arena *arena;
    uint64_t *bits;
    size_t words, depth;
};

/* From the first byte of a value (or the space before it) to behind its last one. Only the
 * structure is checked: brackets and quotes are closed, and there is exactly one comma between two
 * values. NULL and a fault, whose `what` is NULL when there was no memory. */
const char *cf_skip_value(struct cf_skip *skip, const char *p, const char *end,
                          struct cf_fault *fault);

/* White space, and the string behind its first quote; NULL when the bytes end in it. */
const char *cf_skip_space(const char *p, const char *end);
const char *cf_skip_string(const char *p, const char *end);

#endif
