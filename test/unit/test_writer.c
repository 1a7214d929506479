/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "curfew/arena.h"
#include "curfew/writer.h"
#include "curfew/limits.h"

static void failures_stick(void **state)
{
    struct cf_buf buf;
    struct cf_out out;

    (void)state;
    cf_buf_init(&buf, 10);
    cf_out_init(&out, &buf);
    cf_out_object(&out, NULL);
    cf_out_str(&out, "a", "long enough");
    cf_out_end_object(&out);
    assert_false(cf_buf_ok(&buf));
    cf_buf_free(&buf);
}

static void commas_and_keys(void **state)
{
    struct cf_buf buf;
    struct cf_out out;

    (void)state;
    cf_buf_init(&buf, 1000);
    cf_out_init(&out, &buf);
    cf_out_object(&out, NULL);
    cf_out_object(&out, "empty");
    cf_out_end_object(&out);
    cf_out_array(&out, "list");
    cf_out_array(&out, NULL);
    cf_out_end_array(&out);
    cf_out_int(&out, NULL, INT64_MIN);
    cf_out_object(&out, NULL);
    cf_out_bool(&out, "t", true);
    cf_out_bool(&out, "f", false);
    cf_out_end_object(&out);
    cf_out_str(&out, NULL, "\"<\n\x7f");
    cf_out_end_array(&out);
    cf_out_null(&out, "n\"");
    cf_out_str(&out, "none", NULL);
    cf_out_raw(&out, "raw", "[1]");
    cf_out_value(&out, "value", NULL);
    cf_out_int(&out, "", 0);
    cf_out_end_object(&out);
    assert_true(cf_buf_ok(&buf));
    assert_string_equal(cf_buf_str(&buf),
                        "{\"empty\":{},\"list\":[[],-9223372036854775808,{\"t\":true,\"f\":false},"
                        "\"\\\"<\\n\\u007f\"],\"n\\\"\":null,\"none\":null,\"raw\":[1],"
                        "\"value\":null,\"\":0}");
    cf_buf_free(&buf);
}

static void parsed_values(void **state)
{
    static const char text[] = "{\"a\":[1e5,-0,{\"\":[]},null,true,false,\"\xC3\xA9\\u0001\"]}";
    struct cf_arena *arena = cf_arena_new(CF_MIB);
    const struct cf_json *value = cf_json_parse(arena, text, sizeof(text) - 1, NULL, NULL, NULL);
    struct cf_buf buf;
    struct cf_out out;

    (void)state;
    cf_buf_init(&buf, 1000);
    cf_out_init(&out, &buf);
    cf_out_array(&out, NULL);
    cf_out_value(&out, NULL, value);
    cf_out_value(&out, NULL, cf_json_first(cf_json_get(value, "a")));
    cf_out_end_array(&out);
    assert_string_equal(cf_buf_str(&buf),
                        "[{\"a\":[1e5,-0,{\"\":[]},null,true,false,\"\xC3\xA9\\u0001\"]},1e5]");
    cf_buf_free(&buf);
    cf_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failures_stick),
        cmocka_unit_test(commas_and_keys),
        cmocka_unit_test(parsed_values),
    };

    cf_json_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
