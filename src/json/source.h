/* SPDX-License-Identifier: Apache-2.0 */
/* source.h - the bytes of one input (a file, standard input, a pipe, or a text in memory), which
 * can be read at any offset and as often as needed, and its lines. */
#ifndef CURFEW_JSON_SOURCE_H
#define CURFEW_JSON_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "curfew/buf.h"
#include "curfew/err.h"

struct cf_source {
    const char *name;   /* for messages: the path, or "standard input"; the caller's */
    const char *memory; /* the bytes themselves; NULL: they are in the file */
    int fd;
    uint64_t base; /* where in the file the source begins */
    uint64_t size; /* in bytes */
};

/* Opens a file, or standard input for "-". Input that can be read only once (standard input, a
 * pipe) is copied to a temporary file first, which has no name and which no other user can open.
 * UTF-16 with a byte order mark becomes UTF-8 in the same way. -1 and a message that names the
 * path. */
int cf_source_open(const char *path, struct cf_source *out, struct cf_err *err);

/* A text that the caller keeps. cf_source_close() is then not needed. */
void cf_source_memory(const char *name, const char *bytes, size_t len, struct cf_source *out);

/* A part of a source, which must stay open. cf_source_close() is then not needed. */
void cf_source_part(const struct cf_source *source, uint64_t offset, uint64_t size,
                    struct cf_source *out);

/* Reads bytes[offset..offset+len) into `to`, fewer at the end; *got is the number. -1: reading
 * failed, or the file has become shorter since it was opened. */
int cf_source_read(const struct cf_source *source, uint64_t offset, void *to, size_t len,
                   size_t *got, struct cf_err *err);

/* bytes[from..to), where they are in memory, or else read into buf, which is emptied first. NULL:
 * reading failed, or there are more than buf may hold. */
const char *cf_source_text(const struct cf_source *source, uint64_t from, uint64_t to,
                           struct cf_buf *buf, struct cf_err *err);

void cf_source_close(struct cf_source *source);

/* ---- the lines of a source ----
 *
 * One after the other, with a window of the source in memory: what is marked, up to the line that
 * was read last. */

/* The part of a line that is examined: a kind, a `---`, a dash. */
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
    bool large;    /* it has more than CF_DOCUMENT_MAX bytes; its first bytes are dropped */
    bool returns;  /* the source has a \r */
};

void cf_lines_init(struct cf_lines *lines);
/* Starts with a source, whose first line has this number. The window is kept. */
void cf_lines_open(struct cf_lines *lines, const struct cf_source *source, size_t first_line);
void cf_lines_free(struct cf_lines *lines); /* wipes what it held */

bool cf_lines_at_end(const struct cf_lines *lines);

/* Looks at the next line: 1; 0 at the end; -1: reading failed, or out of memory. */
int cf_lines_look(struct cf_lines *lines, struct cf_line *out, struct cf_err *err);
/* Moves after it. */
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
