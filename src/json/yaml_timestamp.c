/* SPDX-License-Identifier: Apache-2.0 */
/* yaml_timestamp.c - what go-yaml v2 takes for a point in time: Go's time.Parse() with its four
 * layouts "2006-1-2T15:4:5.999999999Z07:00" (also with a small t), "2006-1-2 15:4:5.999999999" and
 * "2006-1-2". It only matters with !!timestamp: the value is a text to kubectl anyway. */
#include <string.h>

#include "yaml_scalar.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* One or two digits (`exactly` two, if so), and then `behind` (NUL: anything). */
static bool take_number(const char **p, bool exactly, char behind, int *value)
{
    const char *at = *p;

    if (!is_digit(at[0]) || (exactly && !is_digit(at[1])))
        return false;
    *value = *at++ - '0';
    if (is_digit(*at))
        *value = *value * 10 + (*at++ - '0');
    if (behind != '\0' && *at++ != behind)
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
