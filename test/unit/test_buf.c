/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "curfew/arena.h"
#include "curfew/buf.h"
#include "curfew/limits.h"

static void the_ceiling_sticks(void **state)
{
    struct cf_buf buf;

    (void)state;
    cf_buf_init(&buf, 4);
    cf_buf_adds(&buf, "abcd");
    assert_true(cf_buf_ok(&buf));
    cf_buf_addc(&buf, 'e');
    assert_false(cf_buf_ok(&buf));
    cf_buf_adds(&buf, "");
    assert_int_equal(buf.len, 4);
    assert_string_equal(cf_buf_str(&buf), "abcd");
    assert_null(cf_buf_take(&buf, NULL));
    cf_buf_free(&buf);
}

static void a_ceiling_of_nothing(void **state)
{
    struct cf_buf buf;

    (void)state;
    cf_buf_init(&buf, 0);
    assert_string_equal(cf_buf_str(&buf), "");
    cf_buf_adds(&buf, "");
    assert_true(cf_buf_ok(&buf));
    cf_buf_addf(&buf, "%d", 1);
    assert_false(cf_buf_ok(&buf));
    cf_buf_free(&buf);
    cf_buf_init(&buf, SIZE_MAX);
    cf_buf_adds(&buf, "x");
    cf_buf_add(&buf, "y", SIZE_MAX - 1);
    assert_false(cf_buf_ok(&buf));
    cf_buf_free(&buf);
}

static void an_exhausted_arena_sticks(void **state)
{
    struct cf_arena *arena = cf_arena_new(4 * CF_KIB);
    struct cf_buf buf;

    (void)state;
    cf_buf_init_arena(&buf, arena, CF_MIB);
    for (int i = 0; i < 5000; i++)
        cf_buf_addc(&buf, 'x');
    assert_false(cf_buf_ok(&buf));
    assert_true(buf.len < 4096);
    cf_buf_free(&buf);
    cf_arena_free(arena);
}

static void grows_in_an_arena(void **state)
{
    struct cf_arena *arena = cf_arena_new(CF_MIB);
    struct cf_buf buf, other;

    (void)state;
    cf_buf_init_arena(&buf, arena, CF_MIB);
    cf_buf_init_arena(&other, arena, CF_MIB);
    for (int i = 0; i < 20000; i++) {
        cf_buf_addc(&buf, (char)('a' + i % 26));
        if (i % 3 == 0)
            cf_buf_addc(&other, 'z');
    }
    assert_true(cf_buf_ok(&buf) && cf_buf_ok(&other));
    assert_int_equal(buf.len, 20000);
    assert_int_equal(strlen(buf.data), 20000);
    for (int i = 0; i < 20000; i++)
        assert_int_equal(buf.data[i], 'a' + i % 26);
    assert_int_equal(strspn(other.data, "z"), other.len);
    cf_arena_free(arena);
}

/* Growing in place: a buffer that is alone in its arena is not copied at each step. */
static void growing_alone_wastes_nothing(void **state)
{
    struct cf_arena *arena = cf_arena_new(CF_MIB);
    struct cf_buf buf;
    const char *first;

    (void)state;
    cf_buf_init_arena(&buf, arena, CF_MIB);
    cf_buf_addc(&buf, 'x');
    first = buf.data;
    for (int i = 0; i < 4000; i++)
        cf_buf_addc(&buf, 'x');
    assert_ptr_equal(buf.data, first);
    assert_true(cf_arena_used(arena) < 9000);
    cf_arena_free(arena);
}

static void formats_and_takes(void **state)
{
    struct cf_buf buf;
    size_t len = 0;
    char *text;

    (void)state;
    cf_buf_init(&buf, 1000);
    text = cf_buf_take(&buf, &len);
    assert_string_equal(text, "");
    free(text);
    cf_buf_addf(&buf, "%s %d", "pod", 1);
    cf_buf_add(&buf, "\0x", 2);
    cf_buf_addf(&buf, "%0300d", 1);
    text = cf_buf_take(&buf, &len);
    assert_int_equal(len, 5 + 2 + 300);
    assert_memory_equal(text, "pod 1\0x000", 10);
    assert_int_equal(buf.len, 0);
    free(text);
    cf_buf_adds(&buf, NULL);
    cf_buf_adds(&buf, "again");
    assert_string_equal(cf_buf_str(&buf), "again");
    cf_buf_wipe(&buf);
    assert_int_equal(buf.data[0], 0);
    assert_int_equal(buf.len, 0);
    cf_buf_free(&buf);
    cf_buf_free(&buf);
}

static void quotes_everything(void **state)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"", "\"\""},
        {"plain / text", "\"plain / text\""},
        {"a\"b\\c", "\"a\\\"b\\\\c\""},
        {"\b\t\n\f\r", "\"\\b\\t\\n\\f\\r\""},
        {"\x01\x1f\x7f", "\"\\u0001\\u001f\\u007f\""},
        {"\xC2\x80\xC2\x9F\xC2\xA0", "\"\\u0080\\u009f\xC2\xA0\""},
        {"\xE2\x80\xA8\xE2\x80\xA9\xEF\xBB\xBF", "\"\\u2028\\u2029\\ufeff\""},
        {"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\""},
        {"\xFF\xC0\x80\xED\xA0\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\""},
        {"cut \xE2\x82", "\"cut \\ufffd\\ufffd\""},
    };

    (void)state;
    for (size_t i = 0; i < CF_COUNT(cases); i++) {
        struct cf_buf buf;

        cf_buf_init(&buf, 1000);
        cf_buf_add_quoted(&buf, cases[i].text);
        assert_string_equal(cf_buf_str(&buf), cases[i].want);
        cf_buf_free(&buf);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_ceiling_sticks),
        cmocka_unit_test(a_ceiling_of_nothing),
        cmocka_unit_test(an_exhausted_arena_sticks),
        cmocka_unit_test(grows_in_an_arena),
        cmocka_unit_test(growing_alone_wastes_nothing),
        cmocka_unit_test(formats_and_takes),
        cmocka_unit_test(quotes_everything),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
