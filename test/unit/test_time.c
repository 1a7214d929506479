/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "curfew/attr.h"
#include "curfew/time.h"

static void dates_are_strict(void **state)
{
    static const char *const bad[] = {
        "",           "2027",       "2027-3-31",   "2027-03-31 ", " 2027-03-31", "2027-03-31T",
        "2027/03/31", "2027-02-29", "2100-02-29",  "2027-13-01",  "2027-00-01",  "2027-01-00",
        "2027-04-31", "1969-12-31", "10000-01-01", "-027-03-31",  "2027-0a-31",  "+027-03-31",
    };
    int64_t end = 42;

    (void)state;
    assert_false(cf_date_end(NULL, &end));
    for (size_t i = 0; i < CF_COUNT(bad); i++)
        assert_false(cf_date_end(bad[i], &end));
    assert_int_equal(end, 42);
}

static void a_date_ends_with_its_day(void **state)
{
    static const struct {
        const char *text;
        int64_t want;
    } cases[] = {
        {"1970-01-01", 86400},     {"2027-03-31", 1806537600}, {"2028-02-29", 1835481600},
        {"2000-02-29", 951868800}, {"2026-12-31", 1798761600}, {"9999-12-31", 253402300800},
    };
    int64_t end;

    (void)state;
    setenv("TZ", "America/New_York", 1);
    for (size_t i = 0; i < CF_COUNT(cases); i++) {
        assert_true(cf_date_end(cases[i].text, &end));
        assert_int_equal(end, cases[i].want);
    }
}

static void formats_any_number(void **state)
{
    static const struct {
        int64_t when;
        const char *want;
    } cases[] = {
        {0, "1970-01-01T00:00:00Z"},         {1795360371, "2026-11-22T15:12:51Z"},
        {-1, "1969-12-31T23:59:59Z"},        {INT64_MAX, "9999-12-31T23:59:59Z"},
        {INT64_MIN, "1000-01-01T00:00:00Z"},
    };
    char out[32];

    (void)state;
    for (size_t i = 0; i < CF_COUNT(cases); i++)
        assert_string_equal(cf_time_format(cases[i].when, out), cases[i].want);
}

static void clocks_run(void **state)
{
    int64_t before = cf_monotonic_micros();

    (void)state;
    assert_true(cf_now() > 1700000000);
    assert_true(cf_monotonic_micros() >= before);
}

static void times_are_strict(void **state)
{
    static const char *const bad[] = {
        "",
        "2026-11-22",
        "2026-11-22T15:12:51",
        "2026-11-22T15:12:51z",
        "2026-11-22 15:12:51Z",
        "2026-11-22T15:12:51Z ",
        "2026-11-22T24:00:00Z",
        "2026-11-22T15:60:00Z",
        "2026-11-22T15:12:60Z",
        "2026-02-29T00:00:00Z",
        "1969-12-31T23:59:59Z",
        "2026-11-22T1a:12:51Z",
        "2026-11-22T15-12:51Z",
        "2026-11-22T15:12-51Z",
        "+026-11-22T15:12:51Z",
        "2026-11-22T15:12:51+01:00",
    };
    int64_t when = 7;

    (void)state;
    assert_false(cf_time_parse(NULL, &when));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(cf_time_parse(bad[i], &when));
    assert_int_equal(when, 7);
}

static void times_come_back(void **state)
{
    static const int64_t times[] = {0, 1, 951782399, 951782400, 1795360371, 253402300799};
    char text[32];
    int64_t when;

    (void)state;
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        assert_true(cf_time_parse(cf_time_format(times[i], text), &when));
        assert_int_equal(when, times[i]);
    }
}

static void formats_human_readable_spans(void **state)
{
    static const struct {
        int64_t seconds;
        const char *text;
    } cases[] = {
        {0, "0 s"},
        {59, "59 s"},
        {3599, "3599 s"},
        {3600, "1 h"},
        {3607, "3607 s"},
        {35999, "35999 s"},
        {36000, "10 h"},
        {36001, "10 h"},
        {86400, "24 h"},
        {172799, "47 h"},
        {172800, "2 days"},
        {172801, "48 h"},
        {863999, "239 h"},
        {864000, "10 days"},
        {31544000, "365 days"},
        {INT64_MAX, "106751991167300 days"},
        {-5, "-5 s"},
        {INT64_MIN, "-9223372036854775808 s"},
    };
    char text[32];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_string_equal(cf_span_format(cases[i].seconds, text), cases[i].text);
}

static void jitter_stays_between(void **state)
{
    bool low = false, high = false;

    (void)state;
    for (int i = 0; i < 1000; i++) {
        int64_t got = cf_jitter(7, 9);

        assert_in_range(got, 7, 9);
        low |= got == 7;
        high |= got == 9;
    }
    assert_true(low && high);
    assert_int_equal(cf_jitter(5, 5), 5);
    assert_int_equal(cf_jitter(5, 4), 4);
    assert_in_range(cf_jitter(0, UINT32_MAX - 1), 0, UINT32_MAX - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jitter_stays_between), cmocka_unit_test(times_are_strict),
        cmocka_unit_test(times_come_back),      cmocka_unit_test(formats_human_readable_spans),
        cmocka_unit_test(dates_are_strict),     cmocka_unit_test(a_date_ends_with_its_day),
        cmocka_unit_test(formats_any_number),   cmocka_unit_test(clocks_run),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
