/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "curfew/base64.h"

static bool decodes(const char *text, const char *wanted)
{
    struct cf_buf out;
    bool ok, same;

    cf_buf_init(&out, 20);
    ok = cf_base64_decode(text, strlen(text), &out);
    same = ok && out.len == strlen(wanted) && memcmp(cf_buf_str(&out), wanted, out.len) == 0;
    cf_buf_free(&out);
    return same;
}

static bool refuses(const char *text)
{
    struct cf_buf out;
    bool ok;

    cf_buf_init(&out, 20);
    ok = cf_base64_decode(text, strlen(text), &out);
    cf_buf_free(&out);
    return !ok;
}

static void good_ones(void **state)
{
    (void)state;
    assert_true(decodes("", ""));
    assert_true(decodes("YQ==", "a"));
    assert_true(decodes("YWI=", "ab"));
    assert_true(decodes("YWJj", "abc"));
    assert_true(decodes("YWJjZA==", "abcd"));
    assert_true(decodes("+/8/", "\xfb\xff\x3f"));
    assert_true(decodes("YW\nJj\r\nZA=\n=\n", "abcd"));
}

static void bad_ones(void **state)
{
    (void)state;
    assert_true(refuses("YQ"));
    assert_true(refuses("YQ="));
    assert_true(refuses("YQ==="));
    assert_true(refuses("YQ==YQ=="));
    assert_true(refuses("YWJj===="));
    assert_true(refuses("Y==="));
    assert_true(refuses("===="));
    assert_true(refuses("YR=="));
    assert_true(refuses("YWK="));
    assert_true(refuses("-_8_"));
    assert_true(refuses("YW Jj"));
    assert_true(refuses("YWJjYWJjYWJjYWJjYWJjYWJjYWJjYWJj")); /* 24 bytes, and room for 20 */
}

static void there_and_back(void **state)
{
    struct cf_arena *arena = cf_arena_new(10000);
    char bytes[] = "\x00\x01\xfe\xff any bytes";

    (void)state;
    assert_non_null(arena);
    for (size_t len = 0; len < sizeof(bytes); len++) {
        const char *text = cf_base64(arena, bytes, len);
        struct cf_buf out;

        cf_buf_init(&out, sizeof(bytes));
        assert_true(cf_base64_decode(text, strlen(text), &out));
        assert_int_equal(out.len, len);
        assert_memory_equal(cf_buf_str(&out), bytes, len);
        cf_buf_free(&out);
    }
    cf_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_ones),
        cmocka_unit_test(bad_ones),
        cmocka_unit_test(there_and_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
