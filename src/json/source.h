/* SPDX-License-Identifier: Apache-2.0 */
/* source.h - the bytes of one input: a file, standard input, a pipe, or a text in memory. They can
 * be read at any offset and as often as needed. */
#ifndef CURFEW_CLI_SOURCE_H
#define CURFEW_CLI_SOURCE_H

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

/* Opens a file, or standard input for "-". What can be read only once (standard input, a pipe) is
 * copied to a temporary file first, which has no name and which no other user can open. UTF-16
 * with a byte order mark becomes UTF-8 in the same way. -1 and a sentence that names the path. */
int cf_source_open(const char *path, struct cf_source *out, struct cf_err *err);

/* A text that the caller keeps. cf_source_close() is then not needed. */
void cf_source_memory(const char *name, const char *bytes, size_t len, struct cf_source *out);

/* A part of a source, which must stay open. cf_source_close() is then not needed. */
void cf_source_part(const struct cf_source *source, uint64_t offset, uint64_t size,
                    struct cf_source *out);

/* Reads bytes[offset..offset+len) into `to`, fewer at the end; *got tells how many. -1: reading
 * failed, or the file has become shorter since it was opened. */
int cf_source_read(const struct cf_source *source, uint64_t offset, void *to, size_t len,
                   size_t *got, struct cf_err *err);

/* bytes[from..to), where they are in memory, or else read into buf, which is emptied first. NULL:
 * reading failed, or there are more than buf may hold. */
const char *cf_source_text(const struct cf_source *source, uint64_t from, uint64_t to,
                           struct cf_buf *buf, struct cf_err *err);

void cf_source_close(struct cf_source *source);

#endif
