/* SPDX-License-Identifier: Apache-2.0 */
/* yaml_binary.c - see yaml_binary.h. */
#include "yaml_binary.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "curfew/arena.h"
#include "curfew/str.h"

static const char replacement[] = "\xEF\xBF\xBD"; /* U+FFFD */

/* The value of a digit; 64 for what is none. */
static unsigned digit_value(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *found = c == '\0' ? NULL : strchr(digits, c);

    return found == NULL ? 64 : (unsigned)(found - digits);
}

/* Digits in fours, the last ones padded. `out` has room for three bytes of each four. */
static bool decode(const char *text, size_t len, char *out, size_t *out_len)
{
    unsigned bits = 0, have = 0, padding = 0;

    *out_len = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned digit = digit_value(text[i]);

        if (text[i] == '\n' || text[i] == '\r')
            continue;
        if (text[i] == '=' && have + padding >= 2 && have + padding < 4) {
            padding++;
            continue;
        }
        if (digit == 64 || padding > 0)
            return false;
        bits = (bits << 6 | digit) & 0xFFFFFF;
        if (++have < 4)
            continue;
        for (int shift = 16; shift >= 0; shift -= 8)
            out[(*out_len)++] = (char)(bits >> shift & 0xFF);
        have = 0;
    }
    if (have + padding != 0 && have + padding != 4)
        return false;
    if (have >= 2)
        out[(*out_len)++] = (char)(bits >> (6 * have - 8) & 0xFF);
    if (have == 3)
        out[(*out_len)++] = (char)(bits >> 2 & 0xFF);
    return true;
}

/* `out` has room for three bytes of each. */
static size_t make_utf8(const char *bytes, size_t len, char *out)
{
    size_t written = 0;

    for (size_t i = 0; i < len;) {
        uint32_t code;
        size_t size = cf_utf8_decode(bytes + i, len - i, &code);

        if (size > 0)
            memcpy(out + written, bytes + i, size);
        else
            memcpy(out + written, replacement, sizeof(replacement) - 1);
        written += size > 0 ? size : sizeof(replacement) - 1;
        i += size > 0 ? size : 1;
    }
    return written;
}

enum cf_yaml_binary cf_yaml_binary(struct cf_arena *arena, const char **text, size_t *len)
{
    char *bytes = cf_arena_alloc(arena, *len + 1);
    size_t count;
    char *out;

    if (bytes == NULL)
        return CF_YAML_BINARY_NO_MEMORY;
    if (!decode(*text, *len, bytes, &count))
        return CF_YAML_BINARY_BROKEN;
    out = cf_arena_alloc(arena, 3 * count + 1);
    if (out == NULL)
        return CF_YAML_BINARY_NO_MEMORY;
    *len = make_utf8(bytes, count, out);
    out[*len] = '\0';
    *text = out;
    return CF_YAML_BINARY_DECODED;
}
