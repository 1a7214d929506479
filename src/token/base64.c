/* SPDX-License-Identifier: Apache-2.0 */
/* base64.c - encoding and decoding; see base64.h. */
#include "curfew/base64.h"

#include <limits.h>

#include <openssl/evp.h>

#define NONE CF_NO_DIGIT
#define NONE8 NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE
#define NONE32 NONE8, NONE8, NONE8, NONE8

/* clang-format off */
const uint8_t cf_digits[256] = {
    NONE32,
    /*    */ NONE8,
    /* (  */ NONE, NONE, NONE, 62, NONE, 62, NONE, 63,
    /* 0  */ 52, 53, 54, 55, 56, 57, 58, 59,
    /* 8  */ 60, 61, NONE, NONE, NONE, NONE, NONE, NONE,
    /* @A */ NONE, 0, 1, 2, 3, 4, 5, 6,
    /* H  */ 7, 8, 9, 10, 11, 12, 13, 14,
    /* P  */ 15, 16, 17, 18, 19, 20, 21, 22,
    /* X  */ 23, 24, 25, NONE, NONE, NONE, NONE, 63,
    /* `a */ NONE, 26, 27, 28, 29, 30, 31, 32,
    /* h  */ 33, 34, 35, 36, 37, 38, 39, 40,
    /* p  */ 41, 42, 43, 44, 45, 46, 47, 48,
    /* x  */ 49, 50, 51, NONE, NONE, NONE, NONE, NONE,
    NONE32, NONE32, NONE32, NONE32,
};
/* clang-format on */

const char *cf_base64(struct cf_arena *arena, const char *bytes, size_t len)
{
    char *out;

    if (len > INT_MAX / 2)
        return NULL;
    out = cf_arena_alloc(arena, (len + 2) / 3 * 4 + 1);
    if (out != NULL)
        (void)EVP_EncodeBlock((unsigned char *)out, (const unsigned char *)bytes, (int)len);
    return out;
}

/* The value of a digit of the URL alphabet. */
static unsigned url_digit(char c)
{
    return c == '+' || c == '/' ? CF_NO_DIGIT : cf_digits[(unsigned char)c];
}

bool cf_base64url_decode(const char *text, size_t len, unsigned char *out, size_t *out_len)
{
    unsigned bits = 0, have = 0;
    size_t n = 0;

    if (len % 4 == 1)
        return false;
    for (size_t i = 0; i < len; i++) {
        unsigned digit = url_digit(text[i]);

        if (digit == CF_NO_DIGIT)
            return false;
        bits = (bits << 6 | digit) & 0xFFFFU;
        have += 6;
        if (have >= 8) {
            have -= 8;
            if (out != NULL)
                out[n] = (unsigned char)(bits >> have);
            n++;
        }
    }
    if ((bits & ((1U << have) - 1)) != 0)
        return false;
    if (out_len != NULL)
        *out_len = n;
    return true;
}

/* The value of a digit of the standard alphabet. */
static unsigned standard_digit(char c)
{
    return c == '-' || c == '_' ? CF_NO_DIGIT : cf_digits[(unsigned char)c];
}

bool cf_base64_decode(const char *text, size_t len, struct cf_buf *out)
{
    unsigned bits = 0, have = 0, digits = 0, padding = 0;

    for (size_t i = 0; i < len; i++) {
        unsigned digit = standard_digit(text[i]);

        if (text[i] == '\n' || text[i] == '\r')
            continue;
        digits++;
        if (text[i] == '=') {
            padding++;
            continue;
        }
        if (digit == CF_NO_DIGIT || padding > 0)
            return false;
        bits = (bits << 6 | digit) & 0xFFFFU;
        have += 6;
        if (have >= 8) {
            have -= 8;
            cf_buf_addc(out, (char)(bits >> have & 0xFF));
        }
    }
    return digits % 4 == 0 && padding <= 2 && (padding == 0 || have == 2 * padding) &&
           (bits & ((1U << have) - 1)) == 0 && cf_buf_ok(out);
}
