/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "curfew/arena.h"
#include "curfew/json.h"
#include "curfew/limits.h"
#include "curfew/log.h"

/* Standard error becomes a pipe; what was logged is read back from it. */
static int saved_stderr;
static int pipe_fds[2];

static int capture(void **state)
{
    (void)state;
    fflush(stderr);
    saved_stderr = dup(STDERR_FILENO);
    if (pipe(pipe_fds) != 0)
        return -1;
    fcntl(pipe_fds[0], F_SETFL, O_NONBLOCK);
    return dup2(pipe_fds[1], STDERR_FILENO) < 0 ? -1 : 0;
}

static int release(void **state)
{
    (void)state;
    dup2(saved_stderr, STDERR_FILENO);
    close(saved_stderr);
    close(pipe_fds[0]);
    close(pipe_fds[1]);
    cf_log_setup(CF_LOG_TEXT, CF_LOG_INFO);
    return 0;
}

static const char *logged(void)
{
    static char text[300000];
    size_t len = 0;
    ssize_t got;

    while ((got = read(pipe_fds[0], text + len, sizeof(text) - 1 - len)) > 0)
        len += (size_t)got;
    text[len] = '\0';
    return text;
}

static void text_lines(void **state)
{
    const char *line;

    (void)state;
    cf_log(CF_LOG_DEBUG, "not shown");
    cf_log(CF_LOG_INFO, "listening", CF_LOG_S("address", "[::]:8443"), CF_LOG_S("none", NULL),
           CF_LOG_N("port", -8443), CF_LOG_S("odd", "a b"), CF_LOG_S("empty", ""),
           CF_LOG_S("injected", "x\nlevel=error k=\"v\""));
    line = logged();
    assert_int_equal(line[4], '-');
    assert_int_equal(line[19], 'Z');
    assert_string_equal(line + 20, " info  listening address=[::]:8443 port=-8443 odd=\"a b\" "
                                   "empty=\"\" injected=\"x\\nlevel=error k=\\\"v\\\"\"\n");
    cf_log(CF_LOG_ERROR, "two\nlines");
    assert_string_equal(logged() + 20, " error two\\nlines\n");
    cf_log_setup(CF_LOG_TEXT, CF_LOG_ERROR);
    assert_false(cf_log_enabled(CF_LOG_WARN));
    cf_log(CF_LOG_WARN, "not shown");
    assert_string_equal(logged(), "");
}

static void json_lines_are_json(void **state)
{
    struct cf_arena *arena = cf_arena_new(CF_MIB);
    const struct cf_json *line;
    const char *text;
    int64_t number = 0;

    (void)state;
    cf_log_setup(CF_LOG_JSON, CF_LOG_DEBUG);
    cf_log(CF_LOG_WARN, "it's \"odd\"", CF_LOG_S("user", "\xFF\x01 x"), CF_LOG_N("n", INT64_MIN));
    text = logged();
    line = cf_json_parse(arena, text, strlen(text), NULL, NULL, NULL);
    assert_non_null(line);
    assert_string_equal(cf_json_str(cf_json_get(line, "level")), "warn");
    assert_string_equal(cf_json_str(cf_json_get(line, "msg")), "it's \"odd\"");
    assert_string_equal(cf_json_str(cf_json_get(line, "user")), "\xEF\xBF\xBD\x01 x");
    assert_true(cf_json_int(cf_json_get(line, "n"), &number) && number == INT64_MIN);
    assert_string_equal(cf_json_key(cf_json_first(line)), "time");
    cf_arena_free(arena);
}

static void long_texts_are_cut(void **state)
{
    char huge[10001];
    const char *line;

    (void)state;
    memset(huge, '\x01', 10000);
    huge[10000] = '\0';
    for (int format = CF_LOG_TEXT; format <= CF_LOG_JSON; format++) {
        cf_log_setup((enum cf_log_format)format, CF_LOG_INFO);
        cf_log(CF_LOG_INFO, huge, CF_LOG_S("a", huge), CF_LOG_S("b", huge), CF_LOG_S("c", huge),
               CF_LOG_N("last", 1));
        line = logged();
        assert_true(strlen(line) <= PIPE_BUF);
        assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
        /* What does not fit is left out, and counted; what does is there. */
        assert_non_null(strstr(line, "last"));
        assert_non_null(strstr(line, format == CF_LOG_TEXT ? "last=1 leftOut=3\n"
                                                           : ",\"last\":1,\"leftOut\":3}\n"));
        cf_log(CF_LOG_INFO, "short", CF_LOG_S("a", "b"));
        assert_null(strstr(logged(), "leftOut"));
    }
}

/* The name of an object that was not read completely may be any string. */
static void tokens_are_redacted(void **state)
{
    static const char token[] = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJrIn0.c2lnbmF0dXJl";
    char text[600];

    (void)state;
    for (int format = CF_LOG_TEXT; format <= CF_LOG_JSON; format++) {
        const char *line;

        cf_log_setup((enum cf_log_format)format, CF_LOG_INFO);
        snprintf(text, sizeof(text), "a\n%s", token);
        cf_log(CF_LOG_INFO, text, CF_LOG_S("bare", token), CF_LOG_S("quoted", text),
               CF_LOG_S("short", ";eyJ;"), CF_LOG_S("word", "monkeyJar"));
        line = logged();
        assert_null(strstr(line, "eyJh"));
        assert_null(strstr(line, "eyJ;"));
        assert_non_null(strstr(line, "a\\n[redacted]"));
        assert_non_null(strstr(line, "monkeyJar"));
        /* A token that is cut is redacted as well. */
        memset(text, ' ', 500);
        snprintf(text + 500, sizeof(text) - 500, "%s", token);
        cf_log(CF_LOG_INFO, text, CF_LOG_S("cut", text));
        assert_null(strstr(logged(), "eyJ"));
    }
}

static void a_full_pipe_drops(void **state)
{
    uint64_t before = cf_log_dropped();
    uint64_t lines = 0;

    (void)state;
    errno = EDOM;
    for (int i = 0; i < 2000; i++)
        cf_log(CF_LOG_INFO, "0123456789012345678901234567890123456789");
    assert_int_equal(errno, EDOM);
    assert_true(cf_log_dropped() > before);
    for (const char *p = logged(); *p != '\0'; p++)
        lines += *p == '\n';
    assert_int_equal(lines + cf_log_dropped() - before, 2000);
    cf_log(CF_LOG_INFO, "again");
    assert_non_null(strstr(logged(), "again"));
}

static void closed_standard_error(void **state)
{
    uint64_t before = cf_log_dropped();

    (void)state;
    close(pipe_fds[0]);
    cf_log(CF_LOG_INFO, "no SIGPIPE either");
    assert_int_equal(cf_log_dropped(), before + 1);
    close(STDERR_FILENO);
    cf_log(CF_LOG_INFO, "closed");
    assert_int_equal(cf_log_dropped(), before + 2);
}

static void *log_many(void *name)
{
    for (int i = 0; i < 100; i++)
        cf_log(CF_LOG_INFO, "thread", CF_LOG_S("name", name), CF_LOG_N("i", i));
    return NULL;
}

static void lines_of_threads_are_complete(void **state)
{
    static char names[4][2] = {"a", "b", "c", "d"};
    pthread_t threads[4];
    const char *p;

    (void)state;
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, log_many, names[i]), 0);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    for (p = logged(); *p != '\0'; p = strchr(p, '\n') + 1)
        assert_memory_equal(p + 19, "Z info  thread name=", 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(text_lines, capture, release),
        cmocka_unit_test_setup_teardown(json_lines_are_json, capture, release),
        cmocka_unit_test_setup_teardown(long_texts_are_cut, capture, release),
        cmocka_unit_test_setup_teardown(tokens_are_redacted, capture, release),
        cmocka_unit_test_setup_teardown(a_full_pipe_drops, capture, release),
        cmocka_unit_test_setup_teardown(closed_standard_error, capture, release),
        cmocka_unit_test_setup_teardown(lines_of_threads_are_complete, capture, release),
    };

    cf_json_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
