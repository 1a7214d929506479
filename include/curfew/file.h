/* SPDX-License-Identifier: Apache-2.0 */
/* file.h - reading files. */
#ifndef CURFEW_FILE_H
#define CURFEW_FILE_H

#include <stddef.h>

#include "curfew/err.h"

struct cf_buf;

/* Appends the whole of `path` ("-" is standard input) to buf, whose max is the ceiling; a
 * larger file is an error that names the ceiling. Messages name the path. Works for pipes. */
int cf_file_read(const char *path, struct cf_buf *buf, struct cf_err *err);

/* What is next in a file, overwritten when this returns. Not 0: that is the result, and no more is
 * read. */
typedef int cf_file_piece(const char *bytes, size_t len, void *arg, struct cf_err *err);

/* Gives a file of any size piece by piece; as above otherwise. */
int cf_file_pieces(const char *path, cf_file_piece *take, void *arg, struct cf_err *err);

#endif
