/* SPDX-License-Identifier: Apache-2.0 */
/* certs_dir.c - an authority and its leaf as four files of a folder. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "certs_hand.h"
#include "curfew/attr.h"
#include "curfew/file.h"

struct part {
    const char *name;
    struct cf_buf *buf;
    mode_t mode;
};

#define PARTS 4

/* Keys before their certificates: who watches the certificate then finds its key. */
static void parts_of(struct cf_certs *certs, struct part out[PARTS])
{
    out[0] = (struct part){"ca.key", &certs->ca_key, 0600};
    out[1] = (struct part){"ca.crt", &certs->ca, 0644};
    out[2] = (struct part){"tls.key", &certs->key, 0600};
    out[3] = (struct part){"tls.crt", &certs->cert, 0644};
}

static int path_of(const char *dir, const char *prefix, const char *name, char out[PATH_MAX],
                   struct cf_err *err)
{
    if (snprintf(out, PATH_MAX, "%s/%s%s", dir, prefix, name) >= PATH_MAX)
        return cf_err_set(err, "'%.100s...' is too long for a path", dir);
    return 0;
}

int cf_certs_dir_read(const char *dir, struct cf_certs *out, bool *exists, struct cf_err *err)
{
    struct part parts[PARTS];
    char path[PATH_MAX];

    *exists = false;
    parts_of(out, parts);
    for (size_t i = 0; i < PARTS; i++) {
        if (path_of(dir, "", parts[i].name, path, err) != 0)
            return -1;
        if (access(path, F_OK) != 0 && errno == ENOENT)
            continue;
        *exists = true;
        if (cf_file_read(path, parts[i].buf, err) != 0)
            return -1;
    }
    return 0;
}

static int write_all(int fd, const struct cf_buf *buf)
{
    size_t done = 0;

    while (done < buf->len) {
        ssize_t wrote = write(fd, buf->data + done, buf->len - done);

        if (wrote < 0 && errno != EINTR)
            return -1;
        done += wrote > 0 ? (size_t)wrote : 0;
    }
    return fsync(fd);
}

/* Beside the file, and then in its place. */
static int write_part(const char *dir, const struct part *part, struct cf_err *err)
{
    char path[PATH_MAX], fresh[PATH_MAX];
    int fd, result;

    if (path_of(dir, "", part->name, path, err) != 0 ||
        path_of(dir, ".new-", part->name, fresh, err) != 0)
        return -1;
    if (unlink(fresh) != 0 && errno != ENOENT)
        return cf_err_system(err, "removing '%s': %s", fresh, strerror(errno));
    fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, part->mode);
    if (fd < 0)
        return cf_err_system(err, "writing '%s': %s", fresh, strerror(errno));
    result = write_all(fd, part->buf);
    if (result != 0)
        cf_err_system(err, "writing '%s': %s", fresh, strerror(errno));
    close(fd);
    if (result == 0 && rename(fresh, path) != 0)
        result = cf_err_system(err, "writing '%s': %s", path, strerror(errno));
    if (result != 0)
        unlink(fresh);
    return result;
}

int cf_certs_dir_write(const char *dir, const struct cf_certs *certs, struct cf_err *err)
{
    struct part parts[PARTS];

    if (mkdir(dir, 0755) != 0 && errno != EEXIST)
        return cf_err_system(err, "making '%s': %s", dir, strerror(errno));
    parts_of((struct cf_certs *)(uintptr_t)certs, parts);
    for (size_t i = 0; i < PARTS; i++) {
        if (write_part(dir, &parts[i], err) != 0)
            return -1;
    }
    return 0;
}
