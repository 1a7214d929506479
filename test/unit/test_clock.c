/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "curfew/attr.h"
#include "curfew/clock.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates_are_strict),
        cmocka_unit_test(a_date_ends_with_its_day),
        cmocka_unit_test(formats_any_number),
        cmocka_unit_test(clocks_run),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
