/* SPDX-License-Identifier: Apache-2.0 */
/* duration.c - "15m" and "16MiB", as the configuration and the flags write them. */
#include "curfew/config.h"

#include "curfew/limits.h"
#include "curfew/str.h"

/* The API's own ceiling of expirationSeconds: 136 years. */
#define DURATION_MAX ((uint64_t)1 << 32)

struct unit {
    const char *suffix;
    uint64_t factor;
};

static const struct unit time_units[] = {{"", 1}, {"s", 1}, {"m", 60}, {"h", 3600}, {NULL, 0}};

static const struct unit size_units[] = {
    {"", 1}, {"KiB", CF_KIB}, {"MiB", CF_MIB}, {"GiB", CF_KIB *CF_MIB}, {NULL, 0}};

/* Digits and one of the units, nothing else, at most `max` in all. */
static bool parse(const char *text, const struct unit *unit, uint64_t max, uint64_t *out)
{
    uint64_t number = 0;
    const char *at = text;

    if (text == NULL)
        return false;
    for (; *at >= '0' && *at <= '9'; at++) {
        uint64_t digit = (uint64_t)(*at - '0');

        if (number > (max - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    while (unit->suffix != NULL && !cf_streq(at, unit->suffix))
        unit++;
    if (at == text || unit->suffix == NULL || number > max / unit->factor)
        return false;
    *out = number * unit->factor;
    return true;
}

bool cf_duration_parse(const char *text, int64_t *seconds)
{
    uint64_t value;

    if (!parse(text, time_units, DURATION_MAX, &value))
        return false;
    *seconds = (int64_t)value;
    return true;
}

bool cf_size_parse(const char *text, size_t *bytes)
{
    uint64_t value;

    if (!parse(text, size_units, SIZE_MAX, &value))
        return false;
    *bytes = (size_t)value;
    return true;
}
