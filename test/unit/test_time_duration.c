/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "curfew/time.h"
#include "curfew/config.h"
#include "curfew/limits.h"

static void durations_are_read(void **state)
{
    static const struct {
        const char *text;
        int64_t seconds;
    } cases[] = {
        {"0", 0},
        {"90", 90},
        {"90s", 90},
        {"15m", 900},
        {"24h", 86400},
        {"0h", 0},
        {"007s", 7},
        {"1193046h", 4294965600},
        {"4294967296", 4294967296},
        {"4294967296s", 4294967296},
        {"1h30m", 5400},
        {"1h0m0s", 3600},
        {"24h0m1s", 86401},
        {"2h5s", 7205},
        {"15m30s", 930},
        {"90m90s", 5490},
        {"0h0m0s", 0},
        {"1193046h28m16s", 4294967296},
        {"1193046h1696s", 4294967296},
    };
    int64_t seconds;

    (void)state;
    for (size_t i = 0; i < CF_COUNT(cases); i++) {
        seconds = -1;
        assert_true(cf_duration_parse(cases[i].text, &seconds));
        assert_int_equal(seconds, cases[i].seconds);
    }
}

static void invalid_durations(void **state)
{
    static const char *const cases[] = {
        "",
        " ",
        "s",
        "-1",
        "+1",
        "-1s",
        "1 s",
        " 1s",
        "1s ",
        "1S",
        "1H",
        "7d",
        "1w",
        "1h30",
        "30m1h",
        "10s1m",
        "1m1h",
        "1h1h",
        "1m1m",
        "1s1s",
        "1h30m30m",
        "1h 30m",
        "1h-30m",
        "1hm",
        "h30m",
        "1h30mm",
        "1h30m5",
        "1h30m5ms",
        "1m1ms",
        "1h30.5m",
        "1d1h",
        "1193046h28m17s",
        "1193046h29m",
        "1193047h0m0s",
        "1h4294967296s",
        "4294967297h1s",
        "1h18446744073709551616s",
        "1h99999999999999999999m",
        "1.5h",
        "1e3",
        "0x10",
        "1sec",
        "10ms",
        "1\n",
        "soon",
        "4294967297",
        "71582789m",
        "1193047h",
        "1,000",
        "99999999999999999999",
        "18446744073709551617",
        "\xd9\xa1s",
    };

    (void)state;
    for (size_t i = 0; i < CF_COUNT(cases); i++) {
        int64_t seconds = -7;

        assert_false(cf_duration_parse(cases[i], &seconds));
        assert_int_equal(seconds, -7);
    }
    assert_false(cf_duration_parse(NULL, &(int64_t){0}));
}

static void sizes_are_read(void **state)
{
    static const struct {
        const char *text;
        size_t bytes;
    } cases[] = {
        {"0", 0},
        {"4096", 4096},
        {"64KiB", 64 * CF_KIB},
        {"16MiB", 16 * CF_MIB},
        {"1GiB", 1024 * CF_MIB},
        {"18446744073709551615", SIZE_MAX},
    };
    size_t bytes;

    (void)state;
    for (size_t i = 0; i < CF_COUNT(cases); i++) {
        bytes = 1;
        assert_true(cf_size_parse(cases[i].text, &bytes));
        assert_true(bytes == cases[i].bytes);
    }
}

static void invalid_sizes(void **state)
{
    static const char *const cases[] = {
        "",
        "MiB",
        "-1",
        "16 MiB",
        "16Mi",
        "16M",
        "16MB",
        "16mib",
        "1TiB",
        "1.5MiB",
        "16MiBx",
        "18446744073709551616",
        "17179869184GiB",
    };

    (void)state;
    for (size_t i = 0; i < CF_COUNT(cases); i++) {
        size_t bytes = 7;

        assert_false(cf_size_parse(cases[i], &bytes));
        assert_true(bytes == 7);
    }
    assert_false(cf_size_parse(NULL, &(size_t){0}));
}

static void levels_and_modes_have_names(void **state)
{
    (void)state;
    for (int i = 0; i < CF_LEVELS; i++) {
        enum cf_level level = CF_PRIVILEGED;

        assert_true(cf_level_parse(cf_level_name((enum cf_level)i), &level));
        assert_int_equal(level, i);
    }
    assert_string_equal(cf_mode_name(CF_ENFORCE), "enforce");
    assert_string_equal(cf_mode_name(CF_FIX), "fix");
    assert_string_equal(cf_mode_name(CF_AUDIT), "audit");
    assert_string_equal(cf_mode_name(CF_WARN), "warn");
}

static void invalid_levels(void **state)
{
    static const char *const cases[] = {"", "Baseline", "baseline ", "off", "strict", NULL};

    (void)state;
    for (size_t i = 0; i < CF_COUNT(cases); i++) {
        enum cf_level level = CF_RESTRICTED;

        assert_false(cf_level_parse(cases[i], &level));
        assert_int_equal(level, CF_RESTRICTED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_are_read),
        cmocka_unit_test(invalid_durations),
        cmocka_unit_test(sizes_are_read),
        cmocka_unit_test(invalid_sizes),
        cmocka_unit_test(levels_and_modes_have_names),
        cmocka_unit_test(invalid_levels),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
