/* SPDX-License-Identifier: Apache-2.0 */
/* reload.h - files that are read again while the server runs: the configuration, the certificate
 * with its key, the authorities of clients, the keys of bearer tokens. */
#ifndef CURFEW_SERVER_RELOAD_H
#define CURFEW_SERVER_RELOAD_H

#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "curfew/err.h"

/* ---- stamp ---- */

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

/* ---- reload ---- */

struct cf_server;

enum cf_kept { CF_KEPT_CONFIG, CF_KEPT_CERTIFICATE, CF_KEPT_CLIENT_CA, CF_KEPT_JWKS };
#define CF_KEPT 4
/* The label `file`. */
const char *cf_kept_name(enum cf_kept kept);

#define CF_KEPT_FILES 2 /* of one source, at most */

/* One source: files that are loaded together. Only the lifecycle's thread touches it, but for
 * `good`. */
struct cf_watched {
    const char *paths[CF_KEPT_FILES]; /* NULL: none; without the first: not in use */
    struct cf_stamp seen[CF_KEPT_FILES];
    unsigned postponed;
    atomic_bool good;                                /* what is in the files is in force */
    char failure[sizeof(((struct cf_err *)0)->msg)]; /* the last one told; "" for none */
};

/* At the start: loads all of them, or fails. */
int cf_reload_first(struct cf_server *server, struct cf_err *err);

/* Loads what has changed; with `all`, what has not as well. True: something is being written;
 * look again soon. */
bool cf_reload_changed(struct cf_server *server, bool all);

#endif
