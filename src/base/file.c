/* SPDX-License-Identifier: Apache-2.0 */
/* file.c - reading whole files; see file.h. */
#include "curfew/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "curfew/buf.h"
#include "curfew/limits.h"
#include "curfew/str.h"

static int too_large(const char *name, size_t max, struct cf_err *err)
{
    if (max >= CF_MIB && max % CF_MIB == 0)
        return cf_err_set(err, "'%s' is larger than %zu MiB", name, max / CF_MIB);
    if (max >= CF_KIB && max % CF_KIB == 0)
        return cf_err_set(err, "'%s' is larger than %zu KiB", name, max / CF_KIB);
    return cf_err_set(err, "'%s' is larger than %zu bytes", name, max);
}

static int read_all(int fd, const char *name, struct cf_buf *buf, struct cf_err *err)
{
    char chunk[64 * 1024];

    for (;;) {
        ssize_t got = read(fd, chunk, sizeof(chunk));

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return cf_err_system(err, "reading '%s': %s", name, strerror(errno));
        if (got == 0)
            return 0;
        if ((size_t)got > buf->max - buf->len)
            return too_large(name, buf->max, err);
        cf_buf_add(buf, chunk, (size_t)got);
        explicit_bzero(chunk, (size_t)got); /* it may have been a key */
        if (!cf_buf_ok(buf))
            return cf_err_memory(err);
    }
}

/* A size that is known says at once what reading would say after 64 MiB. */
static int check_kind(int fd, const char *name, const struct cf_buf *buf, struct cf_err *err)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return cf_err_system(err, "reading '%s': %s", name, strerror(errno));
    if (S_ISDIR(st.st_mode))
        return cf_err_set(err, "'%s' is a directory, not a file", name);
    if (S_ISREG(st.st_mode) && st.st_size > 0 && (size_t)st.st_size > buf->max)
        return too_large(name, buf->max, err);
    return 0;
}

int cf_file_read(const char *path, struct cf_buf *buf, struct cf_err *err)
{
    bool from_stdin = cf_streq(path, "-");
    const char *name = from_stdin ? "standard input" : path;
    size_t before = buf->len;
    int fd = STDIN_FILENO;
    int result;

    if (!from_stdin) {
        do
            fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        while (fd < 0 && errno == EINTR);
    }
    if (fd < 0)
        return cf_err_system(err, "opening '%s': %s", name, strerror(errno));
    result = check_kind(fd, name, buf, err);
    if (result == 0)
        result = read_all(fd, name, buf, err);
    if (result != 0 && buf->data != NULL) {
        buf->len = before;
        buf->data[before] = '\0';
    }
    if (!from_stdin)
        close(fd);
    return result;
}
