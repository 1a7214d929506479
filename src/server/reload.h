/* SPDX-License-Identifier: Apache-2.0 */
/* reload.h - files that are reloaded while the server runs: the configuration, the serving
 * certificate and its key, the authorities of clients, the keys of bearer tokens. */
#ifndef CURFEW_SERVER_RELOAD_H
#define CURFEW_SERVER_RELOAD_H

#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "curfew/err.h"

/* ---- stamps: whether a file has changed ---- */

struct cf_stamp {
    int error; /* errno; 0 if the file exists */
    char real[PATH_MAX];
    struct stat st;
};

void cf_stamp_take(const char *path, struct cf_stamp *out);

bool cf_stamp_same(const struct cf_stamp *a, const struct cf_stamp *b);

/* Whether the file changed so recently that it may be only partly written. */
bool cf_stamp_is_fresh(const struct cf_stamp *stamp);

/* Whether two paths in the same folder resolve to files in the same folder, as those of one version
 * of a mounted Secret do. Always true for paths in different folders. */
bool cf_stamp_together(const char *path, const struct cf_stamp *stamp, const char *other_path,
                       const struct cf_stamp *other);

/* ---- reload ---- */

struct cf_server;

enum cf_reload { CF_RELOAD_CONFIG, CF_RELOAD_CERTIFICATE, CF_RELOAD_CLIENT_CA, CF_RELOAD_JWKS };
#define CF_RELOADS 4
/* The label `file`. */
const char *cf_reload_name(enum cf_reload source);

#define CF_RELOAD_FILES 2 /* of one source, at most */

/* A source: files that are loaded together. Only the thread of lifecycle.c uses it, except for
 * `good`. */
struct cf_watched {
    const char *paths[CF_RELOAD_FILES]; /* NULL: none; without the first: not in use */
    struct cf_stamp seen[CF_RELOAD_FILES];
    unsigned postponed;
    atomic_bool good;                                /* the contents of the files are active */
    char failure[sizeof(((struct cf_err *)0)->msg)]; /* the last one logged; "": none */
};

/* Loads all sources at the start of the server, or fails. */
int cf_reload_start(struct cf_server *server, struct cf_err *err);

/* Loads the sources that have changed; with `all`, the others too. True: a file is being written,
 * call this again soon. */
bool cf_reload_changed(struct cf_server *server, bool all);

#endif
