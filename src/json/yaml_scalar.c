/* SPDX-License-Identifier: Apache-2.0 */
/* yaml_scalar.c - plain scalars as go-yaml v2 reads them (goyaml.v2/resolve.go), so that a
 * manifest means here what it means to kubectl: yes is true, 0400 is 256, 1e3 is 1000.
 *
 * Integers are those of Go's strconv.ParseInt(text without "_", 0, 64), floats are written as
 * Go's encoding/json writes them. */
#include "yaml_scalar.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "curfew/arena.h"
#include "curfew/attr.h"
#include "curfew/str.h"

/* Longer ones are strings. */
#define NUMBER_MAX 400

/* The longest of these: false. */
#define WORD_MAX 5

static const struct word {
    const char *text;
    enum cf_scalar_kind kind;
} words[] = {
    {"", CF_SCALAR_NULL},           {"~", CF_SCALAR_NULL},          {"null", CF_SCALAR_NULL},
    {"Null", CF_SCALAR_NULL},       {"NULL", CF_SCALAR_NULL},       {"y", CF_SCALAR_TRUE},
    {"Y", CF_SCALAR_TRUE},          {"yes", CF_SCALAR_TRUE},        {"Yes", CF_SCALAR_TRUE},
    {"YES", CF_SCALAR_TRUE},        {"true", CF_SCALAR_TRUE},       {"True", CF_SCALAR_TRUE},
    {"TRUE", CF_SCALAR_TRUE},       {"on", CF_SCALAR_TRUE},         {"On", CF_SCALAR_TRUE},
    {"ON", CF_SCALAR_TRUE},         {"n", CF_SCALAR_FALSE},         {"N", CF_SCALAR_FALSE},
    {"no", CF_SCALAR_FALSE},        {"No", CF_SCALAR_FALSE},        {"NO", CF_SCALAR_FALSE},
    {"false", CF_SCALAR_FALSE},     {"False", CF_SCALAR_FALSE},     {"FALSE", CF_SCALAR_FALSE},
    {"off", CF_SCALAR_FALSE},       {"Off", CF_SCALAR_FALSE},       {"OFF", CF_SCALAR_FALSE},
    {".nan", CF_SCALAR_NOT_FINITE}, {".NaN", CF_SCALAR_NOT_FINITE}, {".NAN", CF_SCALAR_NOT_FINITE},
};

/* Any of [+-].inf, .Inf and .INF. */
static bool is_infinity(const char *text)
{
    text += *text == '+' || *text == '-';
    return cf_streq(text, ".inf") || cf_streq(text, ".Inf") || cf_streq(text, ".INF");
}

/* ---- integers ---- */

/* The base of a prefix (after the sign); moves *digits after the prefix. */
static unsigned base_of(const char **digits)
{
    const char *p = *digits;
    char mark = p[0] == '0' && p[1] != '\0' && p[2] != '\0' ? (char)(p[1] | 0x20) : '\0';

    if (p[0] != '0')
        return 10;
    *digits += mark == 'x' || mark == 'o' || mark == 'b' ? 2 : 1;
    return mark == 'x' ? 16 : mark == 'b' ? 2 : 8;
}

static unsigned digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
        return (unsigned)((c | 0x20) - 'a' + 10);
    return 16;
}

static bool resolve_int(const char *text, struct cf_scalar *scalar)
{
    bool sign = text[0] == '+' || text[0] == '-';
    bool negative = text[0] == '-';
    const char *p = text + sign;
    unsigned base;
    uint64_t value = 0;

    if (*p == '\0')
        return false;
    base = base_of(&p);
    for (; *p != '\0'; p++) {
        if (digit_value(*p) >= base || __builtin_mul_overflow(value, base, &value) ||
            __builtin_add_overflow(value, digit_value(*p), &value))
            return false;
    }
    /* Go tries int64 first, then uint64, which takes no sign. */
    if (sign && value > (uint64_t)INT64_MAX + negative)
        return false;
    snprintf(scalar->digits, sizeof(scalar->digits), "%s%llu", negative && value != 0 ? "-" : "",
             (unsigned long long)value);
    scalar->kind = CF_SCALAR_INT;
    return true;
}

/* ---- floats ---- */

/* A number as digits and the position of its decimal point: 0.DIGITS * 10^point. */
struct decimal {
    bool negative;
    char digits[20];
    int count;
    int point;
};

/* The shortest digits that are read back as the same number, of 32 or 64 bits. */
static void shortest(double value, bool single, struct decimal *out)
{
    char text[32];
    int precision = 0;
    char *exponent;
    bool same;

    do {
        snprintf(text, sizeof(text), "%.*e", precision++, fabs(value));
        same =
            single ? strtof(text, NULL) == (float)fabs(value) : strtod(text, NULL) == fabs(value);
    } while (!same && precision < 17);
    exponent = strchr(text, 'e');
    out->negative = signbit(value) != 0;
    out->point = atoi(exponent + 1) + 1;
    out->count = 0;
    for (const char *p = text; p < exponent; p++) {
        if (*p != '.')
            out->digits[out->count++] = *p;
    }
    out->digits[out->count] = '\0';
    if (value == 0)
        out->point = 1;
}

/* 1.5, 0.001, 1500: `point` is between -5 and 21. */
static void write_plain(const struct decimal *number, char out[CF_SCALAR_DIGITS])
{
    static const char zeros[] = "000000000000000000000";
    const char *sign = number->negative ? "-" : "";
    int point = number->point;

    if (point <= 0)
        snprintf(out, CF_SCALAR_DIGITS, "%s0.%.*s%s", sign, -point, zeros, number->digits);
    else if (point >= number->count)
        snprintf(out, CF_SCALAR_DIGITS, "%s%s%.*s", sign, number->digits, point - number->count,
                 zeros);
    else
        snprintf(out, CF_SCALAR_DIGITS, "%s%.*s.%s", sign, point, number->digits,
                 number->digits + point);
}

/* 1.5e+21; `width` digits of the exponent at least. */
static void write_exponent(const struct decimal *number, int width, char out[CF_SCALAR_DIGITS])
{
    int exponent = number->point - 1;

    snprintf(out, CF_SCALAR_DIGITS, "%s%c%s%se%c%0*d", number->negative ? "-" : "",
             number->digits[0], number->count > 1 ? "." : "", number->digits + 1,
             exponent < 0 ? '-' : '+', width, abs(exponent));
}

/* [-+]? ( . digits | digits [. digits?] ) ( [eE] [-+]? digits )? */
static bool is_float(const char *text)
{
    static const char digits[] = "0123456789";
    size_t whole, fraction = 0;

    text += *text == '+' || *text == '-';
    whole = strspn(text, digits);
    text += whole;
    if (*text == '.') {
        fraction = strspn(++text, digits);
        text += fraction;
    }
    if (whole == 0 && fraction == 0)
        return false;
    if (*text == 'e' || *text == 'E') {
        text++;
        text += *text == '+' || *text == '-';
        if (strspn(text, digits) == 0)
            return false;
        text += strspn(text, digits);
    }
    return *text == '\0';
}

static bool resolve_float(const char *text, struct cf_scalar *scalar)
{
    struct decimal number;
    double value;

    if (!is_float(text))
        return false;
    value = strtod(text, NULL);
    if (isinf(value))
        return false;
    shortest(value, false, &number);
    if (value == 0 || (fabs(value) >= 1e-6 && fabs(value) < 1e21))
        write_plain(&number, scalar->digits);
    else
        write_exponent(&number, value < 1 && value > -1 ? 1 : 2, scalar->digits);
    scalar->value = value;
    scalar->kind = CF_SCALAR_FLOAT;
    return true;
}

/* ---- both ---- */

static bool copy_without_underscores(const char *text, char out[NUMBER_MAX + 1])
{
    size_t len = 0;

    for (; *text != '\0'; text++) {
        if (*text == '_')
            continue;
        if (len == NUMBER_MAX)
            return false;
        out[len++] = *text;
    }
    out[len] = '\0';
    return true;
}

/* Nearly every scalar is longer than a word, or begins with another letter. */
static bool resolve_word(const char *text, struct cf_scalar *scalar)
{
    if (strnlen(text, WORD_MAX + 1) > WORD_MAX || strchr("~nNyYtTfFoO.", text[0]) == NULL)
        return false;
    for (size_t i = 0; i < CF_COUNT(words); i++) {
        if (cf_streq(text, words[i].text)) {
            scalar->kind = words[i].kind;
            return true;
        }
    }
    return false;
}

void cf_scalar_resolve(const char *text, struct cf_scalar *scalar)
{
    char plain[NUMBER_MAX + 1];

    scalar->kind = CF_SCALAR_TEXT;
    if (resolve_word(text, scalar))
        return;
    if (is_infinity(text))
        scalar->kind = CF_SCALAR_NOT_FINITE;
    else if (text[0] == '.')
        resolve_float(text, scalar);
    else if (strchr("0123456789+-", text[0]) != NULL && copy_without_underscores(text, plain) &&
             !resolve_int(plain, scalar))
        resolve_float(plain, scalar);
}

bool cf_scalar_to_float(struct cf_scalar *scalar)
{
    char digits[CF_SCALAR_DIGITS];
    int64_t value;

    if (scalar->kind != CF_SCALAR_INT)
        return true;
    memcpy(digits, scalar->digits, sizeof(digits));
    return cf_str_int64(digits, &value) && resolve_float(digits, scalar);
}

/* Go's strconv.FormatFloat(value, 'g', -1, 32), which sigs.k8s.io/yaml uses for keys. */
static void float_key(double value, char out[CF_SCALAR_DIGITS])
{
    struct decimal number;

    if (isinf((float)value)) {
        snprintf(out, CF_SCALAR_DIGITS, "%s", value < 0 ? "-.inf" : ".inf");
        return;
    }
    shortest((float)value, true, &number);
    if (number.point - 1 < -4 || number.point - 1 >= 6)
        write_exponent(&number, 2, out);
    else
        write_plain(&number, out);
}

const char *cf_scalar_key(const struct cf_scalar *scalar, const char *text,
                          char out[CF_SCALAR_DIGITS])
{
    switch (scalar->kind) {
    case CF_SCALAR_NULL:
        return "null";
    case CF_SCALAR_FALSE:
        return "false";
    case CF_SCALAR_TRUE:
        return "true";
    case CF_SCALAR_INT:
        return scalar->digits;
    case CF_SCALAR_FLOAT:
        float_key(scalar->value, out);
        return out;
    case CF_SCALAR_NOT_FINITE:
        if ((text[1] | 0x20) == 'n')
            return ".nan";
        return text[0] == '-' ? "-.inf" : ".inf";
    default:
        return text;
    }
}

/* ---- points in time ---- */

/* What go-yaml v2 takes for a point in time: Go's time.Parse() with its four
 * layouts "2006-1-2T15:4:5.999999999Z07:00" (also with a small t), "2006-1-2 15:4:5.999999999" and
 * "2006-1-2". It only matters with !!timestamp: the value is a text to kubectl anyway. */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* One or two digits (`exactly`: two), and then the character `next` (NUL: any). */
static bool take_number(const char **p, bool exactly, char next, int *value)
{
    const char *at = *p;

    if (!is_digit(at[0]) || (exactly && !is_digit(at[1])))
        return false;
    *value = *at++ - '0';
    if (is_digit(*at))
        *value = *value * 10 + (*at++ - '0');
    if (next != '\0' && *at++ != next)
        return false;
    *p = at;
    return true;
}

static int days_of(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return days[month - 1] + (month == 2 && leap);
}

static bool take_date(const char **p)
{
    int year = 0, month, day;
    size_t i;

    for (i = 0; i < 4; i++) {
        if (!is_digit((*p)[i]))
            return false;
        year = year * 10 + ((*p)[i] - '0');
    }
    if ((*p)[i] != '-')
        return false;
    *p += i + 1;
    return take_number(p, false, '-', &month) && take_number(p, false, '\0', &day) && month >= 1 &&
           month <= 12 && day >= 1 && day <= days_of(year, month);
}

static bool take_clock(const char **p)
{
    int hour, minute, second;

    if (!take_number(p, false, ':', &hour) || !take_number(p, false, ':', &minute) ||
        !take_number(p, false, '\0', &second) || hour > 23 || minute > 59 || second > 59)
        return false;
    if ((**p == '.' || **p == ',') && is_digit((*p)[1]))
        *p += 1 + strspn(*p + 1, "0123456789");
    return true;
}

static bool take_zone(const char **p)
{
    int hour, minute;

    if (**p == 'Z') {
        ++*p;
        return true;
    }
    if (**p != '+' && **p != '-')
        return false;
    ++*p;
    return take_number(p, true, ':', &hour) && take_number(p, true, '\0', &minute) && hour <= 24 &&
           minute <= 60;
}

bool cf_scalar_is_timestamp(const char *text)
{
    const char *p = text;

    if (!take_date(&p))
        return false;
    if (*p == ' ') {
        p += strspn(p, " ");
        return take_clock(&p) && *p == '\0';
    }
    if (*p == 'T' || *p == 't') {
        p++;
        return take_clock(&p) && take_zone(&p) && *p == '\0';
    }
    return *p == '\0';
}

/* ---- !!binary ---- */

static const char replacement[] = "\xEF\xBF\xBD"; /* U+FFFD */

/* The value of a digit; 64 for any other character. */
static unsigned base64_value(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *found = c == '\0' ? NULL : strchr(digits, c);

    return found == NULL ? 64 : (unsigned)(found - digits);
}

/* Digits in fours, the last ones padded. `out` has room for three bytes of each four. */
static bool decode_base64(const char *text, size_t len, char *out, size_t *out_len)
{
    unsigned bits = 0, have = 0, padding = 0;

    *out_len = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned digit = base64_value(text[i]);

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
    if (!decode_base64(*text, *len, bytes, &count))
        return CF_YAML_BINARY_BROKEN;
    out = cf_arena_alloc(arena, 3 * count + 1);
    if (out == NULL)
        return CF_YAML_BINARY_NO_MEMORY;
    *len = make_utf8(bytes, count, out);
    out[*len] = '\0';
    *text = out;
    return CF_YAML_BINARY_DECODED;
}
