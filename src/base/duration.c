/* SPDX-License-Identifier: Apache-2.0 */
/* duration.c - "15m", "1h30m" and "16MiB", as the configuration and the flags write them. */
#include "curfew/time.h"

#include "curfew/limits.h"
#include "curfew/str.h"

/* The API's own ceiling of expirationSeconds: 136 years. */
#define DURATION_MAX ((uint64_t)1 << 32)

struct unit {
    const char *suffix;
    uint64_t factor;
};

/* In the order in which they are written, as Go does. */
static const struct unit time_units[] = {{"h", 3600}, {"m", 60}, {"s", 1}, {NULL, 0}};

static const struct unit size_units[] = {
    {"", 1}, {"KiB", CF_KIB}, {"MiB", CF_MIB}, {"GiB", CF_KIB *CF_MIB}, {NULL, 0}};

/* The number that `*at` begins with, which moves behind it: at least one digit, at most `max`. */
static bool read_number(const char **at, uint64_t max, uint64_t *out)
{
    const char *first = *at;
    uint64_t number = 0;

    for (; **at >= '0' && **at <= '9'; (*at)++) {
        uint64_t digit = (uint64_t)(**at - '0');

        if (number > (max - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    *out = number;
    return *at != first;
}

/* A bare number is seconds, else each number has its unit: hours, minutes and seconds, in this
 * order and each at most once. */
bool cf_duration_parse(const char *text, int64_t *seconds)
{
    const struct unit *unit = time_units;
    uint64_t number, total = 0;

    if (text == NULL || !read_number(&text, DURATION_MAX, &number))
        return false;
    if (*text == '\0') {
        *seconds = (int64_t)number;
        return true;
    }
    for (;; unit++) {
        while (unit->suffix != NULL && *text != *unit->suffix)
            unit++;
        if (unit->suffix == NULL || number > (DURATION_MAX - total) / unit->factor)
            return false;
        total += number * unit->factor;
        text++;
        if (*text == '\0')
            break;
        if (!read_number(&text, DURATION_MAX, &number))
            return false;
    }
    *seconds = (int64_t)total;
    return true;
}

/* Digits and one of the units, nothing else. */
bool cf_size_parse(const char *text, size_t *bytes)
{
    const struct unit *unit = size_units;
    uint64_t number;

    if (text == NULL || !read_number(&text, SIZE_MAX, &number))
        return false;
    while (unit->suffix != NULL && !cf_streq(text, unit->suffix))
        unit++;
    if (unit->suffix == NULL || number > SIZE_MAX / unit->factor)
        return false;
    *bytes = (size_t)(number * unit->factor);
    return true;
}
