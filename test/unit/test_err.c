/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "curfew/err.h"
#include "curfew/path.h"
#include "curfew/str.h"

static void null_err_is_ignored(void **state)
{
    (void)state;
    assert_int_equal(cf_err_set(NULL, "%s", "x"), -1);
    assert_int_equal(cf_err_system(NULL, "%s", "x"), -1);
    assert_int_equal(cf_err_memory(NULL), -1);
    assert_int_equal(cf_err_wrap(NULL, "%s", "x"), -1);
}

static void sets_kind_and_sentence(void **state)
{
    struct cf_err err = {0};

    (void)state;
    assert_int_equal(cf_err_set(&err, "line %d", 3), -1);
    assert_int_equal(err.kind, CF_ERR_INPUT);
    assert_string_equal(err.msg, "line 3");
    cf_err_system(&err, "disk");
    assert_int_equal(err.kind, CF_ERR_SYSTEM);
    cf_err_memory(&err);
    assert_string_equal(err.msg, "out of memory");
    assert_int_equal(err.kind, CF_ERR_SYSTEM);
}

static void wrap_keeps_the_kind(void **state)
{
    struct cf_err err = {0};

    (void)state;
    cf_err_system(&err, "no such file");
    assert_int_equal(cf_err_wrap(&err, "reading '%s'", "x"), -1);
    assert_string_equal(err.msg, "reading 'x': no such file");
    assert_int_equal(err.kind, CF_ERR_SYSTEM);
}

static bool is_utf8(const char *text)
{
    size_t len = 1;
    uint32_t code;

    for (; *text != '\0' && len > 0; text += len)
        len = cf_utf8_decode(text, 4, &code);
    return len > 0;
}

static void assert_cut(const struct cf_err *err)
{
    assert_true(is_utf8(err->msg) && strlen(err->msg) >= sizeof(err->msg) - 3);
    assert_true(cf_ends_with(err->msg, "..."));
    assert_false(cf_ends_with(err->msg, "...."));
}

static void long_sentences_end_with_dots(void **state)
{
    struct cf_err err = {0};
    char text[1200];

    (void)state;
    for (size_t shift = 0; shift < 3; shift++) {
        memset(text, 'a', shift);
        for (size_t i = shift; i + 3 < sizeof(text); i += 3)
            memcpy(text + i, "\xE2\x82\xAC", 4);
        cf_err_set(&err, "%s", text);
        assert_cut(&err);
        cf_err_wrap(&err, "b");
        assert_cut(&err);
        assert_memory_equal(err.msg, "b: ", 3);
        cf_err_wrap(&err, "%s", text);
        assert_cut(&err);
    }
}

/* Complete where it fits, and without a token. */
static void short_messages_are_not_truncated(void **state)
{
    struct cf_err err = {0};
    char text[sizeof(err.msg) + 1];

    (void)state;
    memset(text, 'a', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    cf_err_set(&err, "%s", text);
    assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
    assert_string_equal(err.msg + sizeof(err.msg) - 6, "aa...");
    cf_err_set(&err, "%s", text + 1);
    assert_string_equal(err.msg, text + 1);
    cf_err_set(&err, "%s", text + 4);
    cf_err_wrap(&err, "b");
    assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
    assert_true(cf_ends_with(err.msg, "aaa"));
    memcpy(text, "x eyJ", 5);
    cf_err_set(&err, "%s", text);
    assert_string_equal(err.msg, "x [redacted]...");
}

static void a_sentence_may_quote_itself(void **state)
{
    struct cf_err err = {0};

    (void)state;
    cf_err_set(&err, "inner");
    cf_err_wrap(&err, "outer");
    cf_err_wrap(&err, "outermost");
    assert_string_equal(err.msg, "outermost: outer: inner");
}

static void quoted_text_is_sanitized(void **state)
{
    struct cf_err err = {0};

    (void)state;
    cf_err_set(&err, "a \"%s\"", "\xE2\x80\xAE\x1b[31m eyJhbGciOiJSUzI1NiJ9.e30.x");
    assert_string_equal(err.msg, "a \"\\u202e?[31m [redacted]\"");
    cf_err_wrap(&err, "%s", "\xE2\x80\x8B");
    assert_string_equal(err.msg, "\\u200b: a \"\\u202e?[31m [redacted]\"");
}

static void errors_say_where(void **state)
{
    struct cf_path at = CF_PATH_KEY(NULL, "spec");
    struct cf_err err = {0};

    (void)state;
    assert_int_equal(cf_err_at(&err, 12, 3, "no '%s'", "x"), -1);
    assert_string_equal(err.msg, "12:3: no 'x'");
    assert_string_equal(err.msg + err.what, "no 'x'");
    assert_int_equal(err.kind, CF_ERR_INPUT);
    assert_int_equal(err.line, 12);
    assert_int_equal(err.column, 3);
    assert_int_equal(err.offset, CF_ERR_NO_OFFSET);
    err.path = &at;
    cf_err_wrap(&err, "file");
    assert_string_equal(err.msg + err.what, "file: 12:3: no 'x'");
    assert_int_equal(err.line, 12);
    assert_null(err.path);
    err.path = &at;
    cf_err_set(&err, "another");
    assert_int_equal(err.line + err.column + err.what, 0);
    assert_null(err.path);
    assert_int_equal(cf_err_at(NULL, 1, 1, "x"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(null_err_is_ignored),
        cmocka_unit_test(sets_kind_and_sentence),
        cmocka_unit_test(wrap_keeps_the_kind),
        cmocka_unit_test(long_sentences_end_with_dots),
        cmocka_unit_test(short_messages_are_not_truncated),
        cmocka_unit_test(a_sentence_may_quote_itself),
        cmocka_unit_test(quoted_text_is_sanitized),
        cmocka_unit_test(errors_say_where),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
