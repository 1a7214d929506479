/* SPDX-License-Identifier: Apache-2.0 */
/* base64.h - base64 (RFC 4648): the standard alphabet of section 4, and the one of section 5 that
 * tokens and keys are written in. */
#ifndef CURFEW_BASE64_H
#define CURFEW_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "curfew/arena.h"
#include "curfew/buf.h"

#define CF_NO_DIGIT 0xFFU

/* The value of each character, 0 to 63, in either alphabet; CF_NO_DIGIT for all others. */
extern const uint8_t cf_digits[256];

static inline bool cf_is_digit(char c)
{
    return cf_digits[(unsigned char)c] != CF_NO_DIGIT;
}

/* The text in standard base64 with padding, NUL-terminated, in the arena; NULL when out of
 * memory. */
const char *cf_base64(struct cf_arena *arena, const char *bytes, size_t len);

/* The bytes that base64url text of `len` characters can stand for, at most. */
#define CF_BASE64URL_BYTES(len) ((len) / 4 * 3 + 2)

/* Decodes base64url according to JOSE (RFC 7515, section 2), strictly: no padding, no other
 * character, no bits left over that are not zero. `out` has room for CF_BASE64URL_BYTES(len), or
 * is NULL (and so may out_len be): the text is only checked. */
bool cf_base64url_decode(const char *text, size_t len, unsigned char *out, size_t *out_len);

/* Decodes standard base64 as Go does: padded, line breaks allowed anywhere. Appends to `out`; false
 * when the text is not base64, or `out` is full. */
bool cf_base64_decode(const char *text, size_t len, struct cf_buf *out);

#endif
