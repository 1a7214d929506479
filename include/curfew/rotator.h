/* SPDX-License-Identifier: Apache-2.0 */
/* rotator.h - the certificate rotator of `curfew certs run`: passes over one Secret and the
 * caBundles of webhook configurations. src/certs/rotator.c explains the rotation. One thread uses a
 * rotator. */
#ifndef CURFEW_ROTATOR_H
#define CURFEW_ROTATOR_H

#include "curfew/certs_cluster.h"

/* The Secret, the webhook configurations, and the certificates that are wanted. `curfew certs`
 * makes it from its flags. */
struct cf_certs_options {
    char *namespace; /* of the Secret; NULL: there is no Secret */
    const char *name;
    const char **configurations, **names; /* each ends with a NULL */
    size_t name_count;
    char **services;                    /* the allocated ones of `names`; ends with a NULL */
    int64_t leaf_lifetime, ca_lifetime; /* seconds */
};

/* What a pass leaves to the next. */
struct cf_rotator {
    const struct cf_certs_options *options; /* borrowed */
    struct cf_api_caller caller;
    struct cf_certs_secret *secret;
    char where[600];       /* "NAMESPACE/NAME" */
    struct cf_certs known; /* the Secret's certificates when they were last usable */
    struct cf_buf carried; /* the bundle that all configurations hold, since: */
    int64_t carried_at;    /* monotonic microseconds */
    struct cf_buf settled; /* the bundle that they have held for long enough to be trusted */
    bool waiting;          /* `carried` is not settled yet */
    char bundle_failure[sizeof(
        ((struct cf_err *)0)->msg)]; /* why publishing failed; "": it did not */
};

/* Takes over the client, also when it fails (out of memory). `rotator` is zeroed before. */
int cf_rotator_init(struct cf_rotator *rotator, const struct cf_certs_options *options,
                    struct cf_api *api, struct cf_err *err);
/* Closes the client and wipes the keys; the struct itself is the caller's. */
void cf_rotator_free(struct cf_rotator *rotator);

/* Reads the Secret, publishes its authorities in the caBundles, and writes what is due. 0: the
 * Secret holds usable certificates; bundle_failure has the error if publishing failed, which the
 * next pass retries. -1: CF_ERR_INPUT when no retry can help, CF_ERR_SYSTEM when one may. */
int cf_rotator_pass(struct cf_rotator *rotator, struct cf_err *err);

/* Milliseconds until the next pass is due. `failed`: the last one returned -1. */
int64_t cf_rotator_pause(const struct cf_rotator *rotator, bool failed);

#endif
