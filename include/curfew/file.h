/* SPDX-License-Identifier: Apache-2.0 */
/* file.h - reading whole files. */
#ifndef CURFEW_FILE_H
#define CURFEW_FILE_H

#include <stddef.h>

#include "curfew/err.h"

struct cf_buf;

/* Appends the whole of `path` ("-" is standard input) to buf, whose max is the ceiling; a
 * larger file is an error that names the ceiling. Messages name the path. Works for pipes. */
int cf_file_read(const char *path, struct cf_buf *buf, struct cf_err *err);

#endif
