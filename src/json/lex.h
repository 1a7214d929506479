/* SPDX-License-Identifier: Apache-2.0 */
/* lex.h - JSON's strings and numbers, as strict as RFC 8259, and its structure alone. */
#ifndef CURFEW_JSON_LEX_H
#define CURFEW_JSON_LEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cf_arena;

/* What is wrong, and where; at the end of the bytes the fault is that they end. */
struct cf_fault {
    const char *at;
    const char *what;
};

/* What unescaping a string would change. */
struct cf_escapes {
    bool any; /* a backslash */
    bool nul; /* a \u0000 among them */
};

/* Reads a string from after its first quote; returns the end, after the last quote, or NULL and a
 * fault. Sets members of *escapes, and clears none. */
const char *cf_lex_string(const char *p, const char *end, struct cf_escapes *escapes,
                          struct cf_fault *fault);

/* Reads a number from its first byte, a minus or a digit; returns its end, or NULL and a fault. */
const char *cf_lex_number(const char *p, const char *end, struct cf_fault *fault);

/* Unescapes a checked string (without its quotes); returns the number of bytes written, at most
 * `len`. \u0000 becomes U+FFFD. */
size_t cf_lex_unescape(const char *string, size_t len, char *text);

/* ---- passing over values that are not read, of any depth, in one pass ---- */

/* What is open: a bit for each container, 1 for an object. All zero but the arena at first; may be
 * used for many values, one after the other. */
struct cf_skip {
    struct cf_arena *arena;
    uint64_t *bits;
    size_t words, depth;
};

/* Passes over a value and the white space before it; returns the end of the value. Checks only the
 * structure: brackets and quotes are closed, and values are separated by one comma. NULL and a
 * fault, whose `what` is NULL when out of memory. */
const char *cf_skip_value(struct cf_skip *skip, const char *p, const char *end,
                          struct cf_fault *fault);

/* Pass over white space, and over a string from after its first quote (NULL: it is not closed). */
const char *cf_skip_space(const char *p, const char *end);
const char *cf_skip_string(const char *p, const char *end);

#endif
