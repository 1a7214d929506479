/* SPDX-License-Identifier: Apache-2.0 */
/* store.h - what Curfew knows of the cluster: legacy Secrets, namespaces' labels, accounts
 * restricted by node. Here it is filled from manifests, once, before it is shared; afterwards
 * any number of threads may read it. What a reader gets is a copy in its own arena. */
#ifndef CURFEW_STORE_H
#define CURFEW_STORE_H

#include <stdbool.h>

#include "curfew/arena.h"
#include "curfew/config.h"
#include "curfew/err.h"
#include "curfew/object.h"

struct cf_store;

/* What it means that the store lacks a Secret. */
enum cf_store_absent {
    CF_ABSENT_IS_PLAIN,   /* the manifests are the whole cluster: `serve --objects` */
    CF_ABSENT_IS_UNKNOWN, /* they are what the person gave us: `curfew review` */
};

struct cf_store *cf_store_new(enum cf_store_absent absent);
void cf_store_free(struct cf_store *store); /* takes NULL */

/* Takes what it needs of one object (Namespace, Secret, ServiceAccount; others are ignored; a
 * `...List` is opened). `namespace_` is used where the object names none. An object given twice:
 * the last one wins. -1: a member has the wrong type, or out of memory. */
int cf_store_add(struct cf_store *store, const struct cf_json *object, const char *namespace_,
                 struct cf_err *err);

/* Fills ref->state and ref->owner. */
void cf_store_secret(const struct cf_store *store, struct cf_arena *arena, const char *namespace_,
                     struct cf_secret_ref *ref);

/* Whether the account carries the annotation rbac.kubernetes.io/restricted-by-node: "true". */
bool cf_store_restricted(const struct cf_store *store, const char *namespace_, const char *name);

/* The namespace's level for each mode: its labels, else the policy's defaults. A namespace the
 * store lacks has no labels; NULL or "" (cluster-scoped objects) means the defaults. A label
 * that is no level counts as restricted, as Pod Security does. */
struct cf_levels cf_store_levels(const struct cf_store *store, const struct cf_policy *policy,
                                 const char *namespace_);

/* What it holds, for the start-up line. */
struct cf_store_counts {
    size_t namespaces, secrets, accounts;
};
struct cf_store_counts cf_store_counts(const struct cf_store *store);

#endif
