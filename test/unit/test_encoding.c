/* SPDX-License-Identifier: Apache-2.0 */
/* What cf_decode() makes of a file, in one piece and in pieces of every size. What is wanted is
 * what golang.org/x/text makes of the same bytes. */
#include "test.h"

#include "curfew/encoding.h"

#define BAD "\xEF\xBF\xBD"

static void decodes(const char *bytes, size_t len, const char *want, size_t want_len,
                    size_t replaced)
{
    for (size_t piece = 1; piece <= len + 1; piece++) {
        struct cf_decoder decoder = {.replaced = 0};
        char out[400];
        size_t total = 0, at = 0;

        do {
            size_t count = len - at < piece ? len - at : piece;
            char *exact = malloc(count + 1);

            assert_non_null(exact);
            memcpy(exact, bytes + at, count);
            assert_true(total + CF_DECODE_ROOM(count) <= sizeof(out));
            at += count;
            total += cf_decode(&decoder, exact, count, at == len, out + total);
            free(exact);
        } while (at < len);
        assert_int_equal(total, want_len);
        assert_memory_equal(out, want, want_len);
        assert_int_equal(decoder.replaced, replaced);
        assert_int_equal(decoder.held_len, 0);
    }
}

#define DECODES(bytes, want, replaced)                                                             \
    decodes(bytes, sizeof(bytes) - 1, want, sizeof(want) - 1, replaced)

static void utf8(void **state)
{
    (void)state;
    DECODES("", "", 0);
    DECODES("a", "a", 0);
    DECODES("a: \xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80.", "a: \xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80.",
            0);
    DECODES("\xEF\xBB\xBF"
            "a",
            "a", 0);
    DECODES("\xEF\xBB\xBF", "", 0);
    DECODES("a\xEF\xBB\xBF", "a\xEF\xBB\xBF", 0);
    DECODES("a\0b", "a\0b", 0);
}

/* As much as begins a character is replaced by one U+FFFD. */
static void broken_utf8(void **state)
{
    (void)state;
    DECODES("\xFF", BAD, 1);
    DECODES("\xEF", BAD, 1);
    DECODES("\xEF\xBB", BAD, 1);
    DECODES("\xEF\xBB.", BAD ".", 1);
    DECODES("a\xFF\xFE", "a" BAD BAD, 2);
    DECODES("\x80.", BAD ".", 1);
    DECODES("\xC0\x80", BAD BAD, 2);
    DECODES("\xC3.\xC3", BAD "." BAD, 2);
    DECODES("\xE2\x82.", BAD ".", 1);
    DECODES("\xE2.\x82", BAD "." BAD, 2);
    DECODES("\xED\xA0\x80", BAD BAD BAD, 3);
    DECODES("\xE0\x9F\x80", BAD BAD BAD, 3);
    DECODES("\xF0\x9F\x98", BAD, 1);
    DECODES("\xF0\x9F\x98\xF0\x9F\x98\x80", BAD "\xF0\x9F\x98\x80", 1);
    DECODES("\xF0\x8F\x80\x80", BAD BAD BAD BAD, 4);
    DECODES("\xF4\x90\x80\x80", BAD BAD BAD BAD, 4);
    DECODES("\xF5\x80", BAD BAD, 2);
    DECODES("# caf\xE9\n", "# caf" BAD "\n", 1);
}

static void utf16(void **state)
{
    (void)state;
    DECODES("\xFF\xFE", "", 0);
    DECODES("\xFF\xFE"
            "a\0:\0 \0\xE9\0\xAC\x20\n\0",
            "a: \xC3\xA9\xE2\x82\xAC\n", 0);
    DECODES("\xFE\xFF\0a\0:\0 \0\xE9\x20\xAC\0\n", "a: \xC3\xA9\xE2\x82\xAC\n", 0);
    DECODES("\xFF\xFE\x3D\xD8\x00\xDE.\0", "\xF0\x9F\x98\x80.", 0);
    DECODES("\xFE\xFF\xD8\x3D\xDE\x00\0.", "\xF0\x9F\x98\x80.", 0);
    /* A second mark is a character. */
    DECODES("\xFF\xFE\xFF\xFE", "\xEF\xBB\xBF", 0);
    DECODES("\xFF\xFE\0\0", "\0", 0);
}

static void broken_utf16(void **state)
{
    (void)state;
    DECODES("\xFF\xFE"
            "a",
            BAD, 1);
    DECODES("\xFF\xFE\x3D\xD8x\0", BAD "x", 1);
    DECODES("\xFF\xFE\x3D\xD8", BAD, 1);
    DECODES("\xFF\xFE\x3D\xD8\x00", BAD BAD, 2);
    DECODES("\xFF\xFE\x3D\xD8\x3D\xD8\x00\xDE", BAD "\xF0\x9F\x98\x80", 1);
    DECODES("\xFF\xFE\x00\xDEx\0", BAD "x", 1);
    DECODES("\xFF\xFE\x00\xDE\x00\xDEx\0", BAD "x", 1);
    DECODES("\xFE\xFF\xDE\x00\xD8\x3D\0x", BAD BAD "x", 2);
}

static void idle(void **state)
{
    (void)state;
    assert_true(cf_decode_is_idle("", 0));
    assert_true(cf_decode_is_idle("apiVersion: v1\xC3\xA9\n", 17));
    assert_false(cf_decode_is_idle("apiVersion: v1\xC3\xA9\n", 15));
    assert_false(cf_decode_is_idle("apiVersion\xFF", 11));
    assert_false(cf_decode_is_idle("\xFF\xFE"
                                   "a\0",
                                   4));
    assert_false(cf_decode_is_idle("\xEF\xBB\xBF"
                                   "a",
                                   4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8),         cmocka_unit_test(broken_utf8), cmocka_unit_test(utf16),
        cmocka_unit_test(broken_utf16), cmocka_unit_test(idle),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
