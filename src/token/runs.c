/* SPDX-License-Identifier: Apache-2.0 */
/* runs.c - base64 inside other text: where it begins, where it ends, and what it stands for.
 *
 * Both alphabets at once, with or without padding, and over line breaks, as PEM, MIME and YAML
 * blocks have them, also when those are written as \n in a JSON text. A run may be larger than
 * what is in memory of it: it is read piece by piece. */
#include <string.h>

#include "digits.h"
#include "scan.h"

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
size_t cf_run_escape(const char *begin, const char *text)
{
    if (text == begin)
        return 0;
    if (text[-1] == '%')
        return 2;
    if (text[-1] != '\\')
        return 0;
    return *text == 'u' ? 5 : 1;
}

/* What is behind the line breaks and blanks at `p`. */
static const char *skip_break(struct cf_base64_run *run, const char *p, const char *end, bool last)
{
    while (p < end) {
        if (*p == '\n' || *p == '\r') {
            run->broken = true;
            p++;
        } else if (*p == ' ' || *p == '\t') {
            p++;
        } else if (*p == '\\' && p + 1 < end && (p[1] == 'n' || p[1] == 'r' || p[1] == '\n')) {
            run->broken = true;
            p += 2;
        } else {
            /* Half an escape waits for the other half. */
            return *p == '\\' && p + 1 == end && !last ? end - 1 : p;
        }
    }
    return p;
}

static void put(struct cf_base64_run *run, struct cf_run_out *out, char c)
{
    run->bits = (run->bits << 6 | cf_digits[(unsigned char)c]) & 0xFFFU;
    run->have += 6;
    if (run->have >= 8) {
        run->have -= 8;
        out->bytes[out->len++] = (char)(run->bits >> run->have);
    }
}

/* The digits up to the next character that is none; returns where that is. */
static const char *take_digits(struct cf_base64_run *run, const char *p, const char *end,
                               struct cf_run_out *out)
{
    const char *begin = p;

    while (run->have != 0 && p < end && cf_is_digit(*p))
        put(run, out, *p++);
    while (run->have == 0 && end - p >= 4) {
        unsigned a = cf_digits[(unsigned char)p[0]], b = cf_digits[(unsigned char)p[1]];
        unsigned c = cf_digits[(unsigned char)p[2]], d = cf_digits[(unsigned char)p[3]];

        if (((a | b | c | d) & 0xC0U) != 0)
            break;
        out->bytes[out->len++] = (char)(a << 2 | b >> 4);
        out->bytes[out->len++] = (char)(b << 4 | c >> 2);
        out->bytes[out->len++] = (char)(c << 6 | d);
        p += 4;
    }
    while (p < end && cf_is_digit(*p))
        put(run, out, *p++);
    run->line += (size_t)(p - begin);
    run->digits += (size_t)(p - begin);
    return p;
}

/* Whether the next line may go on with this run: one that is unrelated must not be put out of
 * step, and in wrapped base64 all lines but the last have the same length. */
static bool goes_on(const struct cf_base64_run *run, char next)
{
    return cf_is_digit(next) && run->line >= CF_RUN_MIN &&
           (run->digits % 4 == 0 || run->line == run->first_line);
}

/* Up to the end of the line; false where there is no room for it. */
static bool take_line(struct cf_base64_run *run, const char **at, const char *end,
                      struct cf_run_out *out)
{
    size_t room = (out->max - out->len) / 3 * 4, left = (size_t)(end - *at);

    *at = take_digits(run, *at, room < left ? *at + room : end, out);
    return *at == end || !cf_is_digit(**at);
}

enum cf_run_step cf_run_read(struct cf_base64_run *run, const char **at, const char *end, bool last,
                             struct cf_run_out *out)
{
    for (;;) {
        if (!run->between && !take_line(run, at, end, out))
            return CF_RUN_FULL;
        if (*at == end && !last)
            return CF_RUN_MORE;
        if (!run->between && run->first_line == 0)
            run->first_line = run->line;
        run->between = true;
        *at = skip_break(run, *at, end, last);
        if (!last && (*at == end || (**at == '\\' && *at + 1 == end)))
            return CF_RUN_MORE;
        if (*at == end || !run->broken || !goes_on(run, **at))
            return CF_RUN_ENDS;
        run->between = run->broken = false;
        run->line = 0;
    }
}

bool cf_run_begins_token(const char *text, const char *end)
{
    static const char token[] = "eyJhbGciOi"; /* {"alg": */
    char bytes[CF_RUN_BEGINNING];
    size_t len = end - text > CF_RUN_BEGINNING ? CF_RUN_BEGINNING : (size_t)(end - text);

    memcpy(bytes, text, len);
    while (len >= sizeof(token) - 1) {
        struct cf_base64_run run = {0};
        struct cf_run_out out = {bytes, 0, sizeof(bytes)};

        /* In place: less is written than was read. */
        (void)take_digits(&run, bytes, bytes + len, &out);
        len = out.len;
        if (len >= sizeof(token) - 1 && memcmp(bytes, token, sizeof(token) - 1) == 0)
            return true;
    }
    return false;
}
