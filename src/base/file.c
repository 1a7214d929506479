/* SPDX-License-Identifier: Apache-2.0 */
/* file.c - reading whole files; see file.h. */
#include "curfew/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "curfew/buf.h"
#include "curfew/limits.h"
#include "curfew/str.h"

static int fail_too_large(const char *name, size_t max, struct cf_err *err)
{
    if (max >= CF_MIB && max % CF_MIB == 0)
        return cf_err_set(err, "'%s' is larger than %zu MiB", name, max / CF_MIB);
    if (max >= CF_KIB && max % CF_KIB == 0)
        return cf_err_set(err, "'%s' is larger than %zu KiB", name, max / CF_KIB);
    return cf_err_set(err, "'%s' is larger than %zu bytes", name, max);
}

static int read_pieces(int fd, const char *name, cf_file_piece *take, void *arg, struct cf_err *err)
{
    char chunk[64 * 1024];

    for (;;) {
        ssize_t got = read(fd, chunk, sizeof(chunk));
        int result;

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return cf_err_system(err, "reading '%s': %s", name, strerror(errno));
        if (got == 0)
            return 0;
        result = take(chunk, (size_t)got, arg, err);
        explicit_bzero(chunk, (size_t)got); /* it may have been a key */
        if (result != 0)
            return result;
    }
}

/* The file that is read, and its destination. */
struct whole {
    const char *name;
    struct cf_buf *buf;
};

static int add_piece(const char *bytes, size_t len, void *arg, struct cf_err *err)
{
    struct whole *whole = arg;

    if (len > whole->buf->max - whole->buf->len)
        return fail_too_large(whole->name, whole->buf->max, err);
    cf_buf_add(whole->buf, bytes, len);
    return cf_buf_ok(whole->buf) ? 0 : cf_err_memory(err);
}

/* Rejects a file by its size before reading it. */
static int check_kind(int fd, const char *name, size_t max, struct cf_err *err)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return cf_err_system(err, "reading '%s': %s", name, strerror(errno));
    if (S_ISDIR(st.st_mode))
        return cf_err_set(err, "'%s' is a directory, not a file", name);
    if (S_ISREG(st.st_mode) && st.st_size > 0 && (size_t)st.st_size > max)
        return fail_too_large(name, max, err);
    return 0;
}

static const char *file_name(const char *path)
{
    return cf_streq(path, "-") ? "standard input" : path;
}

/* The descriptor, or -1 and a message. */
static int open_file(const char *path, struct cf_err *err)
{
    int fd = STDIN_FILENO;

    if (cf_streq(path, "-"))
        return fd;
    do
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    while (fd < 0 && errno == EINTR);
    if (fd < 0)
        return cf_err_system(err, "opening '%s': %s", path, strerror(errno));
    return fd;
}

static int take_file(const char *path, size_t max, cf_file_piece *take, void *arg,
                     struct cf_err *err)
{
    int fd = open_file(path, err), result;

    if (fd < 0)
        return -1;
    result = check_kind(fd, file_name(path), max, err);
    if (result == 0)
        result = read_pieces(fd, file_name(path), take, arg, err);
    if (!cf_streq(path, "-"))
        close(fd);
    return result;
}

int cf_file_read(const char *path, struct cf_buf *buf, struct cf_err *err)
{
    struct whole whole = {file_name(path), buf};
    size_t before = buf->len;
    int result = take_file(path, buf->max, add_piece, &whole, err);

    if (result != 0 && buf->data != NULL) {
        buf->len = before;
        buf->data[before] = '\0';
    }
    return result;
}

int cf_file_pieces(const char *path, cf_file_piece *take, void *arg, struct cf_err *err)
{
    return take_file(path, SIZE_MAX, take, arg, err);
}
