/* SPDX-License-Identifier: Apache-2.0 */
/* The scalars of a YAML file have the same meaning as in kubectl. */
#include "document.h"

static void refuses(const char *text, const char *message)
{
    is_refused(yaml(text), message);
}

static void reads(const char *text, const char *want)
{
    is_read(yaml(text), want);
}

static void odd_keys(void **state)
{
    (void)state;
    refuses("? [a]\n: 1\n", "1:3: a key that is an array");
    refuses("? {a: b}\n: 1\n", "1:3: a key that is an object");
    refuses("a: &x [1]\n*x : 2\n", "2:1: a key that is an array");
    refuses("!!int x: 2\n", "1:1: the value is not an integer (!!int)");
    reads("1: a\n0x10: b\ntrue: c\noff: d\n1.5: f\n1e6: g\n\"2\": h\n0.00001: i\n1e2: j\n",
          "{\"1\":\"a\",\"16\":\"b\",\"true\":\"c\",\"false\":\"d\",\"1.5\":\"f\","
          "\"1e+06\":\"g\",\"2\":\"h\",\"1e-05\":\"i\",\"100\":\"j\"}");
    reads("0.1: a\n-2.5e-3: b\n1e300: c\n", "{\"0.1\":\"a\",\"-0.0025\":\"b\",\".inf\":\"c\"}");
    reads("+.Inf: a\n-.INF: b\n.NaN: c\n", "{\".inf\":\"a\",\"-.inf\":\"b\",\".nan\":\"c\"}");
    reads("? a\n? b\n", "{\"a\":null,\"b\":null}");
    reads("a: &x k\n*x : 1\nb: &y 2\n*y : yes\n", "{\"a\":\"k\",\"k\":1,\"b\":2,\"2\":true}");
    reads("&k a: 1\nb: *k\n", "{\"a\":1,\"b\":\"a\"}");
}

/* Each plain scalar as kubectl's go-yaml v2 resolves it. */
static void plain_scalars(void **state)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"", "null"},
        {"~", "null"},
        {"null", "null"},
        {"Null", "null"},
        {"NULL", "null"},
        {"nULL", "\"nULL\""},
        {"y", "true"},
        {"Y", "true"},
        {"yes", "true"},
        {"Yes", "true"},
        {"YES", "true"},
        {"on", "true"},
        {"On", "true"},
        {"ON", "true"},
        {"true", "true"},
        {"True", "true"},
        {"TRUE", "true"},
        {"n", "false"},
        {"N", "false"},
        {"no", "false"},
        {"No", "false"},
        {"NO", "false"},
        {"off", "false"},
        {"Off", "false"},
        {"OFF", "false"},
        {"false", "false"},
        {"False", "false"},
        {"FALSE", "false"},
        {"yEs", "\"yEs\""},
        {"0", "0"},
        {"-0", "0"},
        {"+1", "1"},
        {"12", "12"},
        {"-12", "-12"},
        {"0400", "256"},
        {"0o17", "15"},
        {"0O17", "15"},
        {"0x1F", "31"},
        {"0X1f", "31"},
        {"-0x10", "-16"},
        {"0b101", "5"},
        {"-0b11", "-3"},
        {"1_000", "1000"},
        {"0x_f", "15"},
        {"08", "8"},
        {"09.5", "9.5"},
        {"0x", "\"0x\""},
        {"0o8", "\"0o8\""},
        {"00", "0"},
        {"0b2", "\"0b2\""},
        {"1__0_", "10"},
        {"_1", "\"_1\""},
        {"9223372036854775807", "9223372036854775807"},
        {"-9223372036854775808", "-9223372036854775808"},
        {"9223372036854775808", "9223372036854775808"},
        {"18446744073709551615", "18446744073709551615"},
        {"18446744073709551616", "18446744073709552000"},
        {"-9223372036854775809", "-9223372036854776000"},
        {"0xFFFFFFFFFFFFFFFF", "18446744073709551615"},
        {"0x1FFFFFFFFFFFFFFFF", "\"0x1FFFFFFFFFFFFFFFF\""},
        {"1e3", "1000"},
        {"1E3", "1000"},
        {"1e+3", "1000"},
        {"3600.0", "3600"},
        {"1.", "1"},
        {".5", "0.5"},
        {"-.5", "-0.5"},
        {"+.5", "0.5"},
        {"1.5e-3", "0.0015"},
        {"1e-6", "0.000001"},
        {"1e-7", "1e-7"},
        {"1.25e-10", "1.25e-10"},
        {"1e20", "100000000000000000000"},
        {"1e21", "1e+21"},
        {"-1.5e25", "-1.5e+25"},
        {"0.1", "0.1"},
        {"-0.0", "-0"},
        {"123456.789", "123456.789"},
        {"1e999", "\"1e999\""},
        {"1e-999", "0"},
        {"1e", "\"1e\""},
        {".", "\".\""},
        {"..", "\"..\""},
        {"1.2.3", "\"1.2.3\""},
        {"-", NULL},
        {"+", "\"+\""},
        {".e5", "\".e5\""},
        {".5_0", "\".5_0\""},
        {"5_0.5", "50.5"},
        {"1:30", "\"1:30\""},
        {"1:30:00", "\"1:30:00\""},
        {"2027-03-31", "\"2027-03-31\""},
        {"2027-03-31T10:00:00Z", "\"2027-03-31T10:00:00Z\""},
        {"500m", "\"500m\""},
        {"1Gi", "\"1Gi\""},
        {"0x10g", "\"0x10g\""},
        {"--1", "\"--1\""},
        {"=", "\"=\""},
        {"nginx:1.25", "\"nginx:1.25\""},
        {"4.9406564584124654e-324", "5e-324"},
        {"1.7976931348623157e308", "1.7976931348623157e+308"},
    };

    (void)state;
    for (size_t i = 0; i < CF_COUNT(cases); i++) {
        char text[100], want[100];

        if (cases[i].want == NULL)
            continue;
        snprintf(text, sizeof(text), "v: %s\n", cases[i].text);
        snprintf(want, sizeof(want), "{\"v\":%s}", cases[i].want);
        reads(text, want);
        /* Quoted, it is always a text. */
        snprintf(text, sizeof(text), "v: '%s'\n", cases[i].text);
        snprintf(want, sizeof(want), "{\"v\":\"%s\"}", cases[i].text);
        reads(text, want);
    }
    refuses("v: .inf\n", "1:4: infinity and not-a-number are not JSON values");
    refuses("- -.INF\n", "1:3: infinity and not-a-number are not JSON values");
    refuses("v: .NaN\n", "1:4: infinity and not-a-number are not JSON values");
    reads("- -\n", "[[null]]");
}

static void tags(void **state)
{
    (void)state;
    reads("[!!str 1, !!str yes, !!str ~, !!str , ! x, !!int 5, !!int '5', !!float 1.5, !!float 2, "
          "!!bool yes, !!null '', !!binary aGk=]\n",
          "[\"1\",\"yes\",\"~\",\"\",\"x\",5,5,1.5,2,true,null,\"hi\"]");
    reads("!!map {a: !!seq [1]}\n", "{\"a\":[1]}");
    reads("!!str 1: x\n", "{\"1\":\"x\"}");
    refuses("a: !!int 1.5\n", "1:4: the value is not an integer (!!int)");
    refuses("a: !!float x\n", "1:4: the value is not a number (!!float)");
    refuses("a: !!bool 1\n", "1:4: the value is not a boolean (!!bool)");
    refuses("a: !!null x\n", "1:4: the value is not null (!!null)");
    reads("a: !!python/object:os.system [x]\n", "{\"a\":[\"x\"]}");
    reads("a: !!set {x}\nb: !!map [x]\nc: !!timestamp 2027-01-01\n",
          "{\"a\":{\"x\":null},\"b\":[\"x\"],\"c\":\"2027-01-01\"}");
}

static void texts(void **state)
{
    const struct cf_json *value;

    (void)state;
    reads(
        "a: |\n  one\n   two\n\n  three\nb: >-\n  one\n  two\nc: \"x\\ty\\u00e9\\e\"\nd: 'it''s'\n",
        "{\"a\":\"one\\n two\\n\\nthree\\n\",\"b\":\"one two\",\"c\":\"x\\ty\xC3\xA9\\u001b\","
        "\"d\":\"it's\"}");
    reads("a: b c\n  d # comment\n", "{\"a\":\"b c d\"}");
    value = cf_json_first(yaml("- \"\xF0\x9F\x98\x80 \\U0001F600\"\n"));
    assert_string_equal(cf_json_str(value), "\xF0\x9F\x98\x80 \xF0\x9F\x98\x80");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(odd_keys),
        cmocka_unit_test(plain_scalars),
        cmocka_unit_test(tags),
        cmocka_unit_test(texts),
    };

    return cmocka_run_group_tests(tests, document_setup, document_teardown);
}
