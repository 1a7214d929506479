/* SPDX-License-Identifier: Apache-2.0 */
/* certs_cluster.h - certificates in a Secret, and their authorities in the caBundles of webhook
 * configurations.
 *
 * Writes are optimistic: a Secret is created, or replaced with the resourceVersion that was read;
 * the second of two writers gets a conflict and reads again. Curfew writes only Secrets that are
 * empty or carry the annotation curfew.dev/certificates: managed. */
#ifndef CURFEW_CERTS_CLUSTER_H
#define CURFEW_CERTS_CLUSTER_H

#include <stdbool.h>
#include <stddef.h>

#include "curfew/client.h"
#include "curfew/certs.h"

/* ---- the Secret (certs_secret.c) ---- */

struct cf_certs_secret; /* its name, and the object that was read last */

/* Both strings must outlive it. NULL: out of memory. The caller frees it. */
struct cf_certs_secret *cf_certs_secret_new(const char *namespace, const char *name);
void cf_certs_secret_free(struct cf_certs_secret *secret); /* wipes it; takes NULL */

/* Reads the Secret into `out`, which is emptied first; parts that are missing or not base64 stay
 * empty. *exists: whether the Secret exists. -1: the request failed (client.h), or CF_ERR_SYSTEM
 * for an unexpected status. */
int cf_certs_secret_read(struct cf_certs_secret *secret, const struct cf_api_caller *caller,
                         struct cf_certs *out, bool *exists, struct cf_err *err);

/* Whether Curfew may write the Secret that was read last. -1 (CF_ERR_INPUT): it holds data and
 * lacks the annotation. */
int cf_certs_secret_check_owner(const struct cf_certs_secret *secret, struct cf_err *err);

/* Wipes the object that was read last. */
void cf_certs_secret_forget(struct cf_certs_secret *secret);

/* Replaces these four keys of the Secret that was read last, or creates it; other keys and metadata
 * stay. *conflict: another writer was faster, nothing was written. -1: as for reading, or out of
 * memory. */
int cf_certs_secret_write(struct cf_certs_secret *secret, const struct cf_api_caller *caller,
                          const struct cf_certs *certs, bool *conflict, struct cf_err *err);

/* ---- webhook configurations (webhooks.c) ---- */

/* One more than a certificate can hold, so that cf_certs_next() reports too many. */
#define CF_WEBHOOK_NAMES 65

/* What the mutating and the validating configuration with one name hold. Set `trusted`, `arena` and
 * perhaps `names` before the call; the counts are added to. */
struct cf_webhooks {
    unsigned configurations; /* how many of the two exist */
    unsigned differing;      /* webhooks whose caBundle differed before the call */
    unsigned distrusting;    /* of these, webhooks whose caBundle did not trust `cert` */
    char first[256];         /* of these: "validatingwebhookconfiguration NAME, webhook NAME" */

    /* The first caBundle that is not empty, PEM; NULL: not wanted. */
    struct cf_buf *trusted;

    /* The names by which API servers verify the serving certificate, in the arena. */
    struct cf_arena *arena;
    const char *names[CF_WEBHOOK_NAMES];
    size_t name_count;
};

/* Reads both configurations with this name. `bundle` is the PEM that their caBundles should hold
 * (NULL: collect names only), `cert` the leaf that they should trust; with `write`, caBundles that
 * differ are patched. A configuration that does not exist is not an error. -1: a request failed, or
 * out of memory. */
int cf_webhooks_sync(const struct cf_api_caller *caller, const char *name,
                     const struct cf_buf *bundle, const struct cf_buf *cert, bool write,
                     struct cf_webhooks *out, struct cf_err *err);

#endif
