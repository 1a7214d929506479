/* SPDX-License-Identifier: Apache-2.0 */
/* scan.h - runs of base64 inside other text (runs.c), for the scanner (scan.c). */
#ifndef CURFEW_CRYPTO_SCAN_H
#define CURFEW_CRYPTO_SCAN_H

#include <stddef.h>

/* The shortest run that is looked at: lines of wrapped base64 are longer, most words are not. */
#define CF_RUN_MIN 32
/* The fewest digits in which a token fits: the shortest JWT has some 50 characters. */
#define CF_RUN_DIGITS_MIN 64

/* Where the first run of at least CF_RUN_MIN digits of either alphabet begins; NULL: none. */
const char *cf_run_find(const char *text, const char *end);

/* The bytes that a run below `len` characters of text can stand for. */
#define CF_RUN_BYTES(len) ((len) / 4 * 3 + 3)

/* Decodes the run that begins at `text` (with `begin` being where all of it begins), over line
 * breaks, into `out`. Returns where it ends; *out_len is 0 for one that is too short to matter. */
const char *cf_run_decode(const char *begin, const char *text, const char *end, unsigned char *out,
                          size_t *out_len);

#endif
