/* SPDX-License-Identifier: Apache-2.0 */
/* legacy.c - whether the API server takes a text as the token of a Secret.
 *
 * It reads namespace and Secret name from the claims, gets the Secret of that name, and compares
 * its data.token with the token that was sent (pkg/serviceaccount/legacy.go). So all that counts
 * is the text, and two readings of one text would be a way around the rules. The API server reads
 * loosely, and so does this file: white space anywhere is dropped (go-jose, stripWhitespace), and
 * bits that are left over at the end of base64 may be anything (Go's RawURLEncoding). The
 * signature is not checked: without a good one the API server refuses the token anyway. */
#include <string.h>

#include "curfew/limits.h"
#include "curfew/str.h"
#include "digits.h"
#include "parts.h"

/* As Go's unicode.IsSpace. */
static bool is_space(uint32_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r') || c == 0x85 || c == 0xA0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
           c == 0x205F || c == 0x3000;
}

/* Copies the text without its white space; returns the length of the copy, which is no token where
 * it is longer than CF_TOKEN_MAX. */
static size_t strip(const char *text, size_t len, char out[CF_TOKEN_MAX + 4])
{
    size_t n = 0, bytes;

    for (size_t i = 0; i < len && n <= CF_TOKEN_MAX; i += bytes) {
        uint32_t c = 0;

        bytes = cf_utf8_decode(text + i, len - i, &c);
        if (bytes > 0 && is_space(c))
            continue;
        bytes = bytes > 0 ? bytes : 1;
        memcpy(out + n, text + i, bytes);
        n += bytes;
    }
    return n;
}

/* Bits of the last character that stand for nothing become zero. */
static void clear_spare_bits(char *text, size_t len)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    static const unsigned spare[4] = {0, 0, 0xF, 0x3};
    unsigned digit = len > 0 ? cf_digits[(unsigned char)text[len - 1]] : CF_NO_DIGIT;

    if (digit != CF_NO_DIGIT && spare[len % 4] != 0)
        text[len - 1] = alphabet[digit & ~spare[len % 4]];
}

/* Reads header and claims, which end with a dot each. */
static bool read_parts(struct cf_arena *arena, char *text, size_t len, struct cf_token *out)
{
    char *end = text + len, *claims = memchr(text, '.', len), *signature;

    if (claims == NULL || len > CF_TOKEN_MAX)
        return false;
    claims++;
    signature = memchr(claims, '.', (size_t)(end - claims));
    if (signature == NULL)
        return false;
    signature++;
    if (memchr(signature, '.', (size_t)(end - signature)) != NULL)
        return false;
    clear_spare_bits(text, (size_t)(claims - text - 1));
    clear_spare_bits(claims, (size_t)(signature - claims - 1));
    return cf_token_read_header(arena, text, (size_t)(claims - text - 1), out, NULL) == 0 &&
           cf_token_read_claims(arena, claims, (size_t)(signature - claims - 1), out, NULL) == 0;
}

bool cf_token_of_secret(struct cf_arena *arena, const char *text, size_t len, const char *namespace,
                        const char *name, struct cf_token *out)
{
    char *copy = cf_arena_alloc(arena, (len < CF_TOKEN_MAX ? len : CF_TOKEN_MAX) + 5);
    struct cf_token token = {0};

    if (copy == NULL || !read_parts(arena, copy, strip(text, len, copy), &token))
        return false;
    if (!token.legacy_issuer || cf_str_empty(token.secret) || !cf_streq(token.secret, name) ||
        cf_str_empty(token.namespace) || !cf_streq(token.namespace, namespace))
        return false;
    *out = token;
    return true;
}
