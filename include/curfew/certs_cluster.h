/* SPDX-License-Identifier: Apache-2.0 */
/* certs_cluster.h - certificates in a Secret, and their authority in webhook configurations.
 *
 * One writer wins: a Secret is written with the resourceVersion that was read (or created), and
 * whoever comes second is told of a conflict and reads again. A Secret that is not ours is never
 * written: ours carry the annotation curfew.dev/certificates. */
#ifndef CURFEW_CERTS_CLUSTER_H
#define CURFEW_CERTS_CLUSTER_H

#include <stdbool.h>
#include <stddef.h>

#include "curfew/client.h"
#include "curfew/certs.h"

/* ---- the Secret (certs_secret.c) ---- */

struct cf_certs_secret; /* its name, and what was last read of it */

/* The texts stay the caller's. NULL: out of memory. */
struct cf_certs_secret *cf_certs_secret_new(const char *namespace, const char *name);
void cf_certs_secret_free(struct cf_certs_secret *secret); /* wipes it; takes NULL */

/* Reads it into `out` (emptied first), which stays empty where there is none. *exists tells. -1: no
 * answer, or a refusal. */
int cf_certs_secret_read(struct cf_certs_secret *secret, const struct cf_api_caller *asker,
                         struct cf_certs *out, bool *exists, struct cf_err *err);

/* Whether what was read last may be written. -1 (CF_ERR_INPUT): it is somebody else's. */
int cf_certs_secret_check_owner(const struct cf_certs_secret *secret, struct cf_err *err);

/* Wipes what was read last. */
void cf_certs_secret_forget(struct cf_certs_secret *secret);

/* Writes what was read last with these contents, or creates it. *conflict: somebody else was
 * faster; nothing was written. */
int cf_certs_secret_write(struct cf_certs_secret *secret, const struct cf_api_caller *asker,
                          const struct cf_certs *certs, bool *conflict, struct cf_err *err);

/* ---- webhook configurations (webhooks.c) ---- */

/* One more than a certificate may be for: cf_certs_next() refuses them. */
#define CF_WEBHOOK_NAMES 65

/* What the mutating and the validating configuration of one name say. */
struct cf_webhooks {
    unsigned configurations; /* how many of the two there are */
    unsigned differing;      /* their webhooks whose caBundle is another one, before any writing */
    unsigned distrusting;    /* those of them that did not trust `cert` */
    char first[256]; /* of the differing: "validatingwebhookconfiguration NAME, webhook NAME" */

    /* The first caBundle that is not empty, PEM; NULL: it is not wanted. */
    struct cf_buf *trusted;

    /* The names that an API server verifies our certificate by: added to what is there. */
    struct cf_arena *arena;
    const char *names[CF_WEBHOOK_NAMES];
    size_t name_count;
};

/* Reads both configurations of this name. `bundle` (NULL: only the names are wanted) is the PEM
 * that their caBundles should hold; with `write` those that differ are patched. `cert` is what they
 * have to trust. */
int cf_webhooks_look(const struct cf_api_caller *asker, const char *name,
                     const struct cf_buf *bundle, const struct cf_buf *cert, bool write,
                     struct cf_webhooks *out, struct cf_err *err);

/* ---- what a rotator was given ---- */

/* What the flags of `curfew certs` come to, for as long as they live. */
struct cf_certs_given {
    char *namespace; /* of the Secret; NULL: none */
    const char *name;
    const char **configurations, **names; /* with a NULL at their end */
    size_t name_count;
    char **services; /* those of the names that are ours to free */
    int64_t leaf_lifetime, ca_lifetime;
};

#endif
