/* SPDX-License-Identifier: Apache-2.0 */
/* kept.c - a credential that is given as data or lies in a file that others replace. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "credentials.h"
#include "curfew/time.h"
#include "curfew/file.h"
#include "curfew/limits.h"

#define BLINDLY_AFTER_MICROS ((int64_t)60 * 1000000)

static bool same_file(const struct cf_kept *kept, const struct stat *st)
{
    return kept->seen.dev == st->st_dev && kept->seen.ino == st->st_ino &&
           kept->seen.size == st->st_size && kept->seen.changed.tv_sec == st->st_mtim.tv_sec &&
           kept->seen.changed.tv_nsec == st->st_mtim.tv_nsec;
}

static void remember(struct cf_kept *kept, const struct stat *st)
{
    kept->seen.dev = st->st_dev;
    kept->seen.ino = st->st_ino;
    kept->seen.size = st->st_size;
    kept->seen.changed = st->st_mtim;
}

static int read_again(struct cf_kept *kept, struct cf_err *err)
{
    struct cf_buf bytes;

    cf_buf_init(&bytes, CF_CREDENTIAL_MAX);
    if (cf_file_read(kept->path, &bytes, err) != 0 || bytes.len == 0) {
        if (bytes.len == 0 && err != NULL && err->kind == CF_ERR_NONE)
            cf_err_system(err, "'%s' is empty", kept->path);
        cf_buf_wipe(&bytes);
        cf_buf_free(&bytes);
        return -1;
    }
    cf_buf_wipe(&kept->bytes);
    cf_buf_free(&kept->bytes);
    kept->bytes = bytes;
    kept->read_at = cf_monotonic_micros();
    return 0;
}

int cf_kept_refresh(struct cf_kept *kept, bool again, struct cf_err *err)
{
    struct cf_err why = {.kind = CF_ERR_NONE};
    struct stat st;

    if (kept->path == NULL)
        return 0;
    if (stat(kept->path, &st) != 0)
        cf_err_system(&why, "opening '%s': %s", kept->path, strerror(errno));
    else if (!again && kept->read_at != 0 && same_file(kept, &st) &&
             cf_monotonic_micros() - kept->read_at < BLINDLY_AFTER_MICROS)
        return 0;
    else if (read_again(kept, &why) == 0)
        remember(kept, &st);
    if (why.kind == CF_ERR_NONE || kept->bytes.len > 0)
        return 0;
    *err = why;
    err->kind = CF_ERR_SYSTEM;
    return -1;
}

void cf_kept_free(struct cf_kept *kept)
{
    cf_buf_wipe(&kept->bytes);
    cf_buf_free(&kept->bytes);
}
