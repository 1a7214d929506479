/* SPDX-License-Identifier: Apache-2.0 */
/* stamp.h - which file a path leads to, and in which state: what changes when the file does.
 *
 * A ConfigMap's or Secret's volume is a folder of links through `..data`, which is swapped as a
 * whole: so the resolved path counts, not only what stands at its end. */
#ifndef CF_SERVER_STAMP_H
#define CF_SERVER_STAMP_H

#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>

struct cf_stamp {
    int error; /* errno; 0 when the file is there */
    char real[PATH_MAX];
    struct stat st;
};

void cf_stamp_take(const char *path, struct cf_stamp *out);

bool cf_stamp_same(const struct cf_stamp *a, const struct cf_stamp *b);

/* Whether it was changed just now: it may be half written. */
bool cf_stamp_is_fresh(const struct cf_stamp *stamp);

/* Whether two paths of one folder lead to files of one folder; paths of two folders always do. */
bool cf_stamp_together(const char *path, const struct cf_stamp *stamp, const char *other_path,
                       const struct cf_stamp *other);

#endif
