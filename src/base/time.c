/* SPDX-License-Identifier: Apache-2.0 */
/* time.c - the only file that reads the clock; times, dates, durations and sizes as strings. */
#include "curfew/time.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <sys/random.h>

#include "curfew/limits.h"
#include "curfew/str.h"

#define DAY ((int64_t)86400)
#define YEAR_1000 INT64_C(-30610224000)
#define YEAR_9999_END INT64_C(253402300799)

int64_t cf_now(void)
{
    return (int64_t)time(NULL);
}

int64_t cf_monotonic_micros(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static bool digits(const char *text, size_t count, int *out)
{
    int value = 0;

    for (size_t i = 0; i < count; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        value = value * 10 + (text[i] - '0');
    }
    *out = value;
    return true;
}

static int days_in(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month - 1] + (month == 2 && leap);
}

/* Parses "2027-03-31" at the beginning of `text`, which is long enough, into its first second. */
static bool read_date(const char *text, int64_t *begin)
{
    int year, month, day;
    struct tm when = {0};

    if (text[4] != '-' || text[7] != '-' || !digits(text, 4, &year) ||
        !digits(text + 5, 2, &month) || !digits(text + 8, 2, &day))
        return false;
    if (year < 1970 || month < 1 || month > 12 || day < 1 || day > days_in(year, month))
        return false;
    when.tm_year = year - 1900;
    when.tm_mon = month - 1;
    when.tm_mday = day;
    *begin = (int64_t)timegm(&when);
    return true;
}

int64_t cf_jitter(int64_t low, int64_t high)
{
    uint32_t dice = 0;

    if (high <= low || getrandom(&dice, sizeof(dice), GRND_NONBLOCK) != (ssize_t)sizeof(dice))
        return high;
    return low + (int64_t)(dice % ((uint64_t)(high - low) + 1));
}

bool cf_date_end(const char *text, int64_t *end)
{
    int64_t begin;

    if (text == NULL || strlen(text) != strlen("2027-03-31") || !read_date(text, &begin))
        return false;
    *end = begin + DAY;
    return true;
}

bool cf_time_parse(const char *text, int64_t *when)
{
    int hour, minute, second;
    int64_t day;

    if (text == NULL || strlen(text) != strlen("2027-03-31T23:59:59Z") || !read_date(text, &day))
        return false;
    if (text[10] != 'T' || text[13] != ':' || text[16] != ':' || text[19] != 'Z' ||
        !digits(text + 11, 2, &hour) || !digits(text + 14, 2, &minute) ||
        !digits(text + 17, 2, &second) || hour > 23 || minute > 59 || second > 59)
        return false;
    *when = day + hour * 3600 + minute * 60 + second;
    return true;
}

char *cf_span_format(int64_t seconds, char out[32])
{
    const int64_t hour = 3600;

    if (seconds >= 10 * DAY || (seconds >= 2 * DAY && seconds % DAY == 0))
        snprintf(out, 32, "%" PRId64 " days", seconds / DAY);
    else if (seconds >= 10 * hour || (seconds >= hour && seconds % hour == 0))
        snprintf(out, 32, "%" PRId64 " h", seconds / hour);
    else
        snprintf(out, 32, "%" PRId64 " s", seconds);
    return out;
}

char *cf_time_format(int64_t when, char out[32])
{
    time_t seconds;
    struct tm parts;

    /* Tokens may claim any number: years of more than four digits become the nearest one. */
    if (when < YEAR_1000)
        when = YEAR_1000;
    if (when > YEAR_9999_END)
        when = YEAR_9999_END;
    seconds = (time_t)when;
    gmtime_r(&seconds, &parts);
    if (strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
        out[0] = '\0';
    return out;
}

/* ---- "15m", "1h30m" and "16MiB", as the configuration and the flags write them ---- */

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

/* Reads a number of at least one digit, at most `max`, at *at, and moves *at after it. */
static bool read_digits(const char **at, uint64_t max, uint64_t *out)
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

    if (text == NULL || !read_digits(&text, DURATION_MAX, &number))
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
        if (!read_digits(&text, DURATION_MAX, &number))
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

    if (text == NULL || !read_digits(&text, SIZE_MAX, &number))
        return false;
    while (unit->suffix != NULL && !cf_streq(text, unit->suffix))
        unit++;
    if (unit->suffix == NULL || number > SIZE_MAX / unit->factor)
        return false;
    *bytes = (size_t)(number * unit->factor);
    return true;
}
