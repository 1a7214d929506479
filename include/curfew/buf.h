/* SPDX-License-Identifier: Apache-2.0 */
/* buf.h - a growing byte buffer with a ceiling. Append freely, check cf_buf_ok() once at the end:
 * after the first failure (ceiling, memory) every append is a no-op. */
#ifndef CURFEW_BUF_H
#define CURFEW_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "curfew/attr.h"

struct cf_arena;

struct cf_buf {
    char *data; /* NUL-terminated once anything was appended; NULL before */
    size_t len; /* without the NUL */
    size_t cap;
    size_t max; /* len never passes it */
    bool failed;
    struct cf_arena *arena; /* where the bytes live; NULL: malloc */
};

/* An empty buffer on the heap; cf_buf_free() when done. */
void cf_buf_init(struct cf_buf *buf, size_t max);

/* An empty buffer whose bytes live and die with the arena; cf_buf_free() is then not needed. */
void cf_buf_init_arena(struct cf_buf *buf, struct cf_arena *arena, size_t max);

void cf_buf_add(struct cf_buf *buf, const void *bytes, size_t len);
void cf_buf_adds(struct cf_buf *buf, const char *text);
void cf_buf_addc(struct cf_buf *buf, char c);
void cf_buf_addf(struct cf_buf *buf, const char *fmt, ...) CF_PRINTF(2, 3);

/* Appends text as a JSON string, quotes included. Also escaped: what YAML or a terminal cannot
 * take raw (DEL, C1, line separators, byte order marks). Invalid UTF-8 becomes \ufffd. */
void cf_buf_add_quoted(struct cf_buf *buf, const char *text);

/* False when an append failed: the ceiling, or out of memory. */
bool cf_buf_ok(const struct cf_buf *buf);

/* The text, "" when empty; never NULL. */
const char *cf_buf_str(const struct cf_buf *buf);

/* Passes the bytes to the caller, who frees them (unless they are an arena's), and empties the
 * buffer. NULL after a failure, or when out of memory. */
char *cf_buf_take(struct cf_buf *buf, size_t *len);

/* Overwrites what it held. */
void cf_buf_wipe(struct cf_buf *buf);
void cf_buf_free(struct cf_buf *buf);

#endif
