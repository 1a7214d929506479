/* SPDX-License-Identifier: Apache-2.0 */
/* encoding.c - see encoding.h; golang.org/x/text/encoding/unicode is the model: BOMOverride() over
 * UTF8.NewDecoder(). */
#include "curfew/encoding.h"

#include <stdint.h>
#include <string.h>

#include "curfew/str.h"

#define REPLACEMENT 0xFFFD

static size_t write_utf8(uint32_t code, char *out)
{
    static const unsigned char lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    size_t len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

    for (size_t i = len; i-- > 1; code >>= 6)
        out[i] = (char)(0x80 | (code & 0x3F));
    out[0] = (char)(lead[len] | code);
    return len;
}

static size_t write_replacement(struct cf_decoder *d, char *out)
{
    d->replaced++;
    return write_utf8(REPLACEMENT, out);
}

/* ---- UTF-8 ---- */

/* The length of the character that starts with this byte; 0: none does. */
static size_t utf8_size(unsigned char first)
{
    if (first < 0x80)
        return 1;
    if (first < 0xC2 || first > 0xF4)
        return 0;
    return first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

/* The second byte reveals overlong forms, surrogates and codes above U+10FFFF. */
static bool fits_second(unsigned char first, unsigned char second)
{
    unsigned char low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    unsigned char high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;

    return second >= low && second <= high;
}

/* How many bytes are the beginning of one character, or all of it; at least 1. */
static size_t utf8_part(const unsigned char *p, size_t len)
{
    size_t size = utf8_size(p[0]), part = 1;

    if (size < 2 || len < 2 || !fits_second(p[0], p[1]))
        return 1;
    for (part = 2; part < size && part < len && (p[part] & 0xC0) == 0x80; part++)
        ;
    return part;
}

static size_t step_utf8(struct cf_decoder *d, const unsigned char *p, size_t len, bool last,
                        char *out, size_t *written)
{
    size_t size = utf8_size(p[0]), part = utf8_part(p, len);

    if (part < size && part == len && !last)
        return 0;
    if (part == size) {
        memcpy(out, p, size);
        *written = size;
    } else {
        *written = write_replacement(d, out);
    }
    return part;
}

/* ---- UTF-16 ---- */

static uint32_t unit_at(const struct cf_decoder *d, const unsigned char *p)
{
    if (d->encoding == CF_ENCODING_UTF16_LE)
        return p[0] | (uint32_t)p[1] << 8;
    return (uint32_t)p[0] << 8 | p[1];
}

/* A pair in the wrong order becomes one U+FFFD, as in Go. */
static size_t step_utf16(struct cf_decoder *d, const unsigned char *p, size_t len, bool last,
                         char *out, size_t *written)
{
    uint32_t unit, next;

    if (len < 2 && !last)
        return 0;
    if (len < 2) {
        *written = write_replacement(d, out);
        return len;
    }
    unit = unit_at(d, p);
    if (unit < 0xD800 || unit > 0xDFFF) {
        *written = write_utf8(unit, out);
        return 2;
    }
    if (len < 4 && !last)
        return 0;
    next = len < 4 ? 0 : unit_at(d, p + 2);
    if (next >= 0xDC00 && next <= 0xDFFF && unit < 0xDC00) {
        *written = write_utf8(0x10000 + ((unit & 0x3FF) << 10) + (next & 0x3FF), out);
        return 4;
    }
    *written = write_replacement(d, out);
    return next >= 0xDC00 && next <= 0xDFFF ? 4 : 2;
}

/* ---- both ---- */

/* At the beginning of a file: what the byte order mark says. 0: more bytes are needed to know. */
static size_t step_mark(struct cf_decoder *d, const unsigned char *p, size_t len, bool last)
{
    static const unsigned char utf8[] = {0xEF, 0xBB, 0xBF};
    size_t same = 0;

    while (same < len && same < sizeof(utf8) && p[same] == utf8[same])
        same++;
    if (!last && ((same == len && len < sizeof(utf8)) || (len == 1 && p[0] >= 0xFE)))
        return 0;
    d->encoding = CF_ENCODING_UTF8;
    if (len >= 2 && p[0] == 0xFF && p[1] == 0xFE)
        d->encoding = CF_ENCODING_UTF16_LE;
    if (len >= 2 && p[0] == 0xFE && p[1] == 0xFF)
        d->encoding = CF_ENCODING_UTF16_BE;
    if (d->encoding != CF_ENCODING_UTF8)
        return 2;
    return same == sizeof(utf8) ? same : 0;
}

/* How many bytes of p are used; the rest are the beginning of a character (or of a mark). */
static size_t decode_some(struct cf_decoder *d, const unsigned char *p, size_t len, bool last,
                          char *out, size_t *written)
{
    size_t used = 0, count;

    *written = 0;
    if (len > 0 && d->encoding == CF_ENCODING_UNKNOWN) {
        used = step_mark(d, p, len, last);
        if (d->encoding == CF_ENCODING_UNKNOWN)
            return 0;
    }
    while (used < len) {
        size_t step = d->encoding == CF_ENCODING_UTF8
                          ? step_utf8(d, p + used, len - used, last, out + *written, &count)
                          : step_utf16(d, p + used, len - used, last, out + *written, &count);

        if (step == 0)
            break;
        used += step;
        *written += count;
    }
    return used;
}

size_t cf_decode(struct cf_decoder *d, const char *bytes, size_t len, bool last, char *out)
{
    const unsigned char *p = (const unsigned char *)bytes;
    size_t total = 0, written, used;

    /* Complete the held bytes with as many new ones as they need. */
    while (d->held_len > 0 && len > 0) {
        d->held[d->held_len++] = *p++;
        len--;
        used = decode_some(d, d->held, d->held_len, last && len == 0, out + total, &written);
        total += written;
        d->held_len -= used;
        memmove(d->held, d->held + used, d->held_len);
    }
    if (len > 0) {
        used = decode_some(d, p, len, last, out + total, &written);
        total += written;
        d->held_len = len - used;
        memcpy(d->held, p + used, d->held_len);
    }
    if (last && d->held_len > 0) {
        decode_some(d, d->held, d->held_len, true, out + total, &written);
        total += written;
        d->held_len = 0;
    }
    return total;
}

bool cf_decode_is_idle(const char *bytes, size_t len)
{
    const char *end = bytes + len;

    if (len >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0)
        return false;
    while (bytes < end) {
        uint32_t code;
        uint64_t eight;
        size_t size;

        if (end - bytes >= 8) {
            memcpy(&eight, bytes, 8);
            if ((eight & UINT64_C(0x8080808080808080)) == 0) {
                bytes += 8;
                continue;
            }
        }
        size = cf_utf8_decode(bytes, (size_t)(end - bytes), &code);
        if (size == 0)
            return false;
        bytes += size;
    }
    return true;
}
