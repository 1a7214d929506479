/* SPDX-License-Identifier: Apache-2.0 */
/* lex.h - JSON's strings and numbers, as strict as RFC 8259. */
#ifndef CURFEW_JSON_LEX_H
#define CURFEW_JSON_LEX_H

#include <stdbool.h>
#include <stddef.h>

/* What is wrong, and where; at the end of the bytes they only ended too early. */
struct cf_fault {
    const char *at;
    const char *what;
};

/* From behind the first quote to behind the last one; NULL and a fault. Sets *escaped when
 * there is a backslash in it, else leaves it alone. */
const char *cf_lex_string(const char *p, const char *end, bool *escaped, struct cf_fault *fault);

/* From the first byte, a minus or a digit, to behind the last one; NULL and a fault. */
const char *cf_lex_number(const char *p, const char *end, struct cf_fault *fault);

/* Writes the text that a checked string (without its quotes) stands for; its bytes, never more
 * than `len`. */
size_t cf_lex_unescape(const char *string, size_t len, char *text);

#endif
