/* SPDX-License-Identifier: Apache-2.0 */
/* reload.h - what comes from files and is replaced while the server runs: the configuration, the
 * certificate with its key, the clients' authorities, the keys of bearer tokens.
 *
 * What can't be read, or would not do, changes nothing: the last good one stays in force. */
#ifndef CF_SERVER_RELOAD_H
#define CF_SERVER_RELOAD_H

#include <stdatomic.h>
#include <stdbool.h>

#include "curfew/err.h"
#include "stamp.h"

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
