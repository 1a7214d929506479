/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>

#include <openssl/evp.h>

#include "curfew/base64.h"
#include "digits.h"

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

/* Of the URL alphabet alone. */
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

/* Of the standard alphabet alone. */
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
