/* SPDX-License-Identifier: Apache-2.0 */
/* lines.h - the lines of a source, one after the other, with a window of it in memory: what is
 * marked, up to the line that was read last. */
#ifndef CURFEW_CLI_LINES_H
#define CURFEW_CLI_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "source.h"

/* What is looked at of a line: a kind, a `---`, a dash. */
#define CF_LINE_HEAD ((size_t)512)

/* One line, or the first CF_LINE_HEAD bytes of a longer one; until the next call. It ends at \n,
 * \r\n or a lone \r. */
struct cf_line {
    const char *text, *end;
    const char *brk; /* what ends it; NULL: not in the window */
    bool whole;      /* `end` is where it ends */
};

struct cf_lines {
    const struct cf_source *source;
    size_t line; /* the number of the next one, from 1 */

    char *window;     /* bytes of the source, from `base` on */
    size_t cap, have; /* its size; the bytes in it */
    uint64_t base;
    size_t start;  /* of what is marked, in the window */
    size_t at;     /* of the next line, in the window */
    uint64_t mark; /* where what is marked begins in the source */
    bool large;    /* it has more than CF_DOCUMENT_MAX bytes; its first bytes are gone */
    bool returns;  /* the source has a \r */
};

void cf_lines_init(struct cf_lines *lines);
/* Starts with a source, whose first line has this number. The window is kept. */
void cf_lines_open(struct cf_lines *lines, const struct cf_source *source, size_t first_line);
void cf_lines_free(struct cf_lines *lines); /* wipes what it held */

bool cf_lines_at_end(const struct cf_lines *lines);

/* Looks at the next line: 1; 0 at the end; -1: reading failed, or out of memory. */
int cf_lines_look(struct cf_lines *lines, struct cf_line *out, struct cf_err *err);
/* Moves behind it. */
int cf_lines_pass(struct cf_lines *lines, const struct cf_line *line, struct cf_err *err);

/* From here on, what is passed stays in the window; `offset` bytes into the next line. */
void cf_lines_mark(struct cf_lines *lines, size_t offset);
/* The bytes from the mark to the next line, of which there are *len; NULL: too many. */
const char *cf_lines_marked(const struct cf_lines *lines, uint64_t *len);

/* ---- what a line holds ---- */

/* Space, tab, or the \r of a line that ends in \r\r\n. */
bool cf_is_blank(char c);
const char *cf_skip_blanks(const char *at, const char *end);
/* Files that were put together with cat(1) have byte order marks in their middle. */
const char *cf_skip_bom(const char *at, const char *end);

#endif
