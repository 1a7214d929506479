/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "curfew/buf.h"
#include "curfew/file.h"
#include "curfew/limits.h"

static char folder[] = "/tmp/curfew-file-XXXXXX";

static const char *in_folder(const char *name)
{
    static char path[100];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

static void put(const char *path, size_t len)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    for (size_t i = 0; i < len; i++)
        assert_int_not_equal(fputc('a' + (int)(i % 26), file), EOF);
    assert_int_equal(fclose(file), 0);
}

static void missing_files_and_folders(void **state)
{
    struct cf_err err = {0};
    struct cf_buf buf;

    (void)state;
    cf_buf_init(&buf, 100);
    assert_int_equal(cf_file_read("/nonexistent/x.yaml", &buf, &err), -1);
    assert_string_equal(err.msg, "opening '/nonexistent/x.yaml': No such file or directory");
    assert_int_equal(err.kind, CF_ERR_SYSTEM);
    assert_int_equal(cf_file_read(folder, &buf, &err), -1);
    assert_non_null(strstr(err.msg, "is a directory"));
    assert_string_equal(cf_buf_str(&buf), "");
    cf_buf_free(&buf);
}

static int add_len(const char *bytes, size_t len, void *arg, struct cf_err *err)
{
    size_t *sum = arg;

    assert_int_equal(bytes[0], 'a' + (int)(*sum % 26));
    *sum += len;
    return *sum > 200000 ? cf_err_set(err, "enough") : 0;
}

static void a_file_in_pieces(void **state)
{
    const char *path = in_folder("pieces");
    struct cf_err err = {0};
    size_t sum = 0;

    (void)state;
    put(path, 150000);
    assert_int_equal(cf_file_pieces(path, add_len, &sum, &err), 0);
    assert_int_equal(sum, 150000);
    put(path, 900000);
    sum = 0;
    assert_int_equal(cf_file_pieces(path, add_len, &sum, &err), -1);
    assert_string_equal(err.msg, "enough");
    assert_true(sum < 300000);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(cf_file_pieces(folder, add_len, &sum, &err), -1);
    assert_non_null(strstr(err.msg, "is a directory"));
    assert_int_equal(cf_file_pieces("/nonexistent/x", add_len, &sum, &err), -1);
    assert_string_equal(err.msg, "opening '/nonexistent/x': No such file or directory");
}

static void the_ceiling_is_named(void **state)
{
    struct cf_err err = {0};
    struct cf_buf buf;
    const char *path = in_folder("big");

    (void)state;
    put(path, 2049);
    cf_buf_init(&buf, 2 * CF_KIB);
    cf_buf_adds(&buf, "x");
    assert_int_equal(cf_file_read(path, &buf, &err), -1);
    assert_non_null(strstr(err.msg, "is larger than 2 KiB"));
    assert_int_equal(err.kind, CF_ERR_INPUT);
    assert_string_equal(cf_buf_str(&buf), "x");
    cf_buf_free(&buf);

    cf_buf_init(&buf, 2049);
    assert_int_equal(cf_file_read(path, &buf, &err), 0);
    assert_int_equal(buf.len, 2049);
    assert_int_equal(cf_file_read(path, &buf, &err), -1);
    assert_int_equal(buf.len, 2049);
    cf_buf_free(&buf);
    unlink(path);
}

static void appends(void **state)
{
    struct cf_err err = {0};
    struct cf_buf buf;

    (void)state;
    put(in_folder("a"), 300000);
    put(in_folder("empty"), 0);
    cf_buf_init(&buf, CF_MIB);
    cf_buf_adds(&buf, "x");
    assert_int_equal(cf_file_read(in_folder("empty"), &buf, &err), 0);
    assert_int_equal(cf_file_read(in_folder("a"), &buf, &err), 0);
    assert_int_equal(buf.len, 300001);
    assert_memory_equal(buf.data, "xabcdef", 7);
    cf_buf_free(&buf);
    unlink(in_folder("a"));
    unlink(in_folder("empty"));
}

static void ignore(int signal)
{
    (void)signal;
}

/* Writes in bits, and interrupts the reader while it waits. */
static void *feed(void *reader)
{
    int fd = open(in_folder("pipe"), O_WRONLY);

    for (int i = 0; i < 20; i++) {
        usleep(1000);
        pthread_kill(*(pthread_t *)reader, SIGUSR1);
        if (write(fd, "0123456789", 10) != 10)
            break;
    }
    close(fd);
    return NULL;
}

static void pipes_and_interruptions(void **state)
{
    struct sigaction action = {.sa_handler = ignore};
    pthread_t self = pthread_self();
    struct cf_err err = {0};
    struct cf_buf buf;
    pthread_t thread;

    (void)state;
    sigaction(SIGUSR1, &action, NULL);
    assert_int_equal(mkfifo(in_folder("pipe"), 0600), 0);
    for (size_t max = 200; max >= 199; max--) {
        cf_buf_init(&buf, max);
        signal(SIGPIPE, SIG_IGN);
        assert_int_equal(pthread_create(&thread, NULL, feed, &self), 0);
        assert_int_equal(cf_file_read(in_folder("pipe"), &buf, &err), max == 200 ? 0 : -1);
        pthread_join(thread, NULL);
        cf_buf_free(&buf);
    }
    assert_non_null(strstr(err.msg, "is larger than 199 bytes"));
    unlink(in_folder("pipe"));
}

static void dash_is_standard_input(void **state)
{
    int saved = dup(STDIN_FILENO);
    struct cf_err err = {0};
    struct cf_buf buf;
    int fd;

    (void)state;
    put(in_folder("in"), 5);
    fd = open(in_folder("in"), O_RDONLY);
    dup2(fd, STDIN_FILENO);
    cf_buf_init(&buf, 4);
    assert_int_equal(cf_file_read("-", &buf, &err), -1);
    assert_string_equal(err.msg, "'standard input' is larger than 4 bytes");
    buf.max = 100;
    assert_int_equal(cf_file_read("-", &buf, &err), 0);
    assert_string_equal(cf_buf_str(&buf), "abcde");
    /* Left open: standard input belongs to the caller. */
    assert_int_equal(fcntl(STDIN_FILENO, F_GETFD) >= 0, 1);
    cf_buf_free(&buf);
    dup2(saved, STDIN_FILENO);
    close(saved);
    close(fd);
    unlink(in_folder("in"));
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL ? -1 : 0;
}

static int drop_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(missing_files_and_folders), cmocka_unit_test(a_file_in_pieces),
        cmocka_unit_test(the_ceiling_is_named),      cmocka_unit_test(appends),
        cmocka_unit_test(pipes_and_interruptions),   cmocka_unit_test(dash_is_standard_input),
    };

    return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
