/* SPDX-License-Identifier: Apache-2.0 */
/* rotator.h - one pass of `curfew certs run` over the Secret and the webhook configurations. */
#ifndef CURFEW_ROTATOR_H
#define CURFEW_ROTATOR_H

#include "curfew/certs_cluster.h"

/* What is remembered from pass to pass. */
struct cf_rotator {
    const struct cf_certs_given *given;
    struct cf_api_caller asker;
    struct cf_certs_secret *secret;
    char where[600];       /* "NAMESPACE/NAME" */
    struct cf_certs known; /* what the Secret held when it was last whole; empty at the start */
    struct cf_buf carried; /* the bundle that all configurations carry, since: */
    int64_t carried_at;    /* monotonic microseconds */
    struct cf_buf settled; /* the one that they have carried for long enough */
    bool waiting;          /* something is put off until then */
    char bundle_failure[sizeof(((struct cf_err *)0)->msg)]; /* why it could not be published; "" */
};

/* Takes over the client. */
int cf_rotator_init(struct cf_rotator *rotator, const struct cf_certs_given *given,
                    struct cf_api *api, struct cf_err *err);
void cf_rotator_free(struct cf_rotator *rotator);

/* Reads the Secret, publishes its authorities, makes what is due. 0: all is as it should be, but
 * for what bundle_failure tells. -1: CF_ERR_INPUT, it never will work; CF_ERR_SYSTEM, not now. */
int cf_rotator_pass(struct cf_rotator *rotator, struct cf_err *err);

/* Until the next pass, in milliseconds. */
int64_t cf_rotator_pause(const struct cf_rotator *rotator, bool failed);

#endif
