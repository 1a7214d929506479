/* SPDX-License-Identifier: Apache-2.0 */
/* keeper.h - the certificate that the replicas keep for themselves: in one Secret, which they all
 * follow and one of them writes, and in the caBundles of our webhook configurations.
 *
 * A thread of its own. keeper.c has its life, keeper_sync.c what one look at the cluster does. */
#ifndef CF_SERVER_KEEPER_H
#define CF_SERVER_KEEPER_H

#include <stdatomic.h>

#include "curfew/certs_cluster.h"
#include "curfew/server.h"
#include "tls.h"

struct cf_keeper;

/* Takes the Secret's certificate into use, making it where there is none; waits for as long as it
 * takes, telling why, but not beyond SIGTERM or SIGINT. NULL: it can't work (CF_ERR_INPUT), or was
 * told to end. */
struct cf_keeper *cf_keeper_start(const struct cf_keeper_config *config, struct cf_tls *tls,
                                  struct cf_err *err);

/* Ends the thread; takes NULL. */
void cf_keeper_stop(struct cf_keeper *keeper);

/* Looks at once. */
void cf_keeper_wake(struct cf_keeper *keeper);

/* Whether the last look found everything as it should be, or made it so. */
bool cf_keeper_good(const struct cf_keeper *keeper);

/* ---- keeper_sync.c ---- */

struct cf_sync {
    const struct cf_keeper_config *config;
    struct cf_tls *tls;
    struct cf_asker asker;
    struct cf_certs_secret *secret;
    char where[200];        /* "NAMESPACE/NAME" */
    struct cf_certs served; /* what is in use; empty at the start */
    struct cf_buf carried;  /* the bundle that all configurations carry, since: */
    int64_t carried_at;     /* monotonic microseconds */
    struct cf_buf settled;  /* the one that they have carried for long enough */
    bool waiting;           /* something is put off until then */
    char bundle_failure[sizeof(((struct cf_err *)0)->msg)]; /* why it could not be published; "" */
};

int cf_sync_init(struct cf_sync *sync, struct cf_err *err);
void cf_sync_free(struct cf_sync *sync);

/* One look: reads, publishes, makes what is due, follows what others made. -1: CF_ERR_INPUT, it
 * never will work; CF_ERR_SYSTEM, not now. */
int cf_sync_look(struct cf_sync *sync, struct cf_err *err);

/* Until the next look, in milliseconds. */
int64_t cf_sync_pause(const struct cf_sync *sync, bool failed);

#endif
