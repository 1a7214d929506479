/* SPDX-License-Identifier: Apache-2.0 */
/* skip.h - passes over a value that nobody will read, of any depth, in one pass. */
#ifndef CURFEW_JSON_SKIP_H
#define CURFEW_JSON_SKIP_H

#include <stddef.h>
#include <stdint.h>

#include "lex.h"

struct cf_arena;

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
