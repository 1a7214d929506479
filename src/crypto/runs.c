/* SPDX-License-Identifier: Apache-2.0 */
/* runs.c - base64 inside other text: where it begins, where it ends, and what it stands for.
 *
 * Both alphabets at once, with or without padding, and over line breaks, as PEM, MIME and YAML
 * blocks have them, also when those are written as \n in a JSON text. */
#include "scan.h"

#include <stdbool.h>

#include "digits.h"

/* Line breaks and indentation between two lines of a run. */
#define BREAK_MAX 256

const char *cf_run_find(const char *text, const char *end)
{
    while (end - text >= CF_RUN_MIN) {
        size_t i = CF_RUN_MIN;

        /* From behind: where the last character of a window is no digit, none of the others need
         * to be looked at. */
        while (i > 0 && cf_is_digit(text[i - 1]))
            i--;
        if (i == 0)
            return text;
        text += i;
    }
    return NULL;
}

/* The letters and digits of an escape (\n, \u003d, %3D) are none of the run behind them. */
static size_t escape_length(const char *begin, const char *text)
{
    if (text == begin)
        return 0;
    if (text[-1] == '%')
        return 2;
    if (text[-1] != '\\')
        return 0;
    return *text == 'u' ? 5 : 1;
}

/* What is behind the line breaks and blanks at `p`; NULL when no line ends there. */
static const char *skip_break(const char *p, const char *end)
{
    const char *limit = end - p > BREAK_MAX ? p + BREAK_MAX : end;
    bool broken = false;

    while (p < limit) {
        if (*p == '\n' || *p == '\r') {
            broken = true;
            p++;
        } else if (*p == ' ' || *p == '\t') {
            p++;
        } else if (*p == '\\' && p + 1 < end && (p[1] == 'n' || p[1] == 'r' || p[1] == '\n')) {
            broken = true;
            p += 2;
        } else {
            break;
        }
    }
    return broken && p < end ? p : NULL;
}

struct decoder {
    unsigned char *out;
    size_t len;
    unsigned bits, have;
    size_t digits;     /* so far */
    size_t line;       /* of them on this line */
    size_t first_line; /* on the first one; 0: it has not ended */
};

static void put(struct decoder *d, unsigned digit)
{
    d->bits = (d->bits << 6 | digit) & 0xFFFU;
    d->have += 6;
    if (d->have >= 8) {
        d->have -= 8;
        d->out[d->len++] = (unsigned char)(d->bits >> d->have);
    }
}

/* The digits up to the next character that is none; returns where that is. */
static const char *take_line(struct decoder *d, const char *p, const char *end)
{
    const char *begin = p;

    while (d->have != 0 && p < end && cf_is_digit(*p))
        put(d, cf_digits[(unsigned char)*p++]);
    while (end - p >= 4) {
        unsigned a = cf_digits[(unsigned char)p[0]], b = cf_digits[(unsigned char)p[1]];
        unsigned c = cf_digits[(unsigned char)p[2]], e = cf_digits[(unsigned char)p[3]];

        if (d->have != 0 || ((a | b | c | e) & 0xC0U) != 0)
            break;
        d->out[d->len++] = (unsigned char)(a << 2 | b >> 4);
        d->out[d->len++] = (unsigned char)(b << 4 | c >> 2);
        d->out[d->len++] = (unsigned char)(c << 6 | e);
        p += 4;
    }
    while (p < end && cf_is_digit(*p))
        put(d, cf_digits[(unsigned char)*p++]);
    d->line = (size_t)(p - begin);
    d->digits += d->line;
    if (d->first_line == 0)
        d->first_line = d->line;
    return p;
}

/* Whether the next line may go on with this run: one that is unrelated must not be put out of
 * step, and in wrapped base64 all lines but the last have the same length. */
static bool goes_on(const struct decoder *d, char next)
{
    return cf_is_digit(next) && d->line >= CF_RUN_MIN &&
           (d->digits % 4 == 0 || d->line == d->first_line);
}

const char *cf_run_decode(const char *begin, const char *text, const char *end, unsigned char *out,
                          size_t *out_len)
{
    struct decoder d = {.out = out};
    const char *p = text + escape_length(begin, text), *next;

    p = take_line(&d, p, end);
    while ((next = skip_break(p, end)) != NULL && goes_on(&d, *next))
        p = take_line(&d, next, end);
    *out_len = d.digits >= CF_RUN_DIGITS_MIN ? d.len : 0;
    return p;
}
