/* SPDX-License-Identifier: Apache-2.0 */
/* encoding.h - decodes the bytes of a file to UTF-8 like the reader of kubectl: a byte order mark
 * selects UTF-8 or UTF-16 (without one: UTF-8) and is dropped, and each broken sequence becomes
 * U+FFFD, wherever it is. */
#ifndef CURFEW_ENCODING_H
#define CURFEW_ENCODING_H

#include <stdbool.h>
#include <stddef.h>

enum cf_encoding {
    CF_ENCODING_UNKNOWN, /* too few bytes so far */
    CF_ENCODING_UTF8,
    CF_ENCODING_UTF16_LE,
    CF_ENCODING_UTF16_BE,
};

/* All zero at the beginning of a file. */
struct cf_decoder {
    enum cf_encoding encoding;
    size_t replaced;       /* U+FFFD written for broken sequences */
    unsigned char held[4]; /* an incomplete character, which the next piece completes */
    size_t held_len;
};

/* Room that the next piece of `len` bytes may need. */
#define CF_DECODE_ROOM(len) (3 * ((len) + sizeof(((struct cf_decoder *)0)->held)))

/* Decodes the next piece of a file, all of it: the result is the number of bytes written to `out`.
 * `last`: no more will come. Characters may be cut anywhere between pieces. */
size_t cf_decode(struct cf_decoder *decoder, const char *bytes, size_t len, bool last, char *out);

/* Whether decoding would change nothing: valid UTF-8 without a byte order mark. */
bool cf_decode_is_idle(const char *bytes, size_t len);

#endif
