/* SPDX-License-Identifier: Apache-2.0 */
/* split.h - a file's text as sections between `---` lines. */
#ifndef CURFEW_CLI_SPLIT_H
#define CURFEW_CLI_SPLIT_H

#include <stdbool.h>
#include <stddef.h>

/* What is left to be read. Start with the whole text and line 1. */
struct cf_split {
    const char *at, *end;
    size_t line; /* of `at`, from 1 */
};

struct cf_section {
    const char *bytes;
    size_t len;
    size_t line;    /* of its first byte */
    size_t content; /* of its first line that is neither blank nor a comment; 0: there is none */
};

/* The next section that holds anything but white space; false at the end. */
bool cf_split_next(struct cf_split *split, struct cf_section *out);

/* Lines ended in bytes[0..len). */
size_t cf_split_lines(const char *bytes, size_t len);

#endif
