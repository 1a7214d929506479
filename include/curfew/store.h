/* SPDX-License-Identifier: Apache-2.0 */
/* store.h - what Curfew knows of the cluster: ids and edges, never objects, no Secret's value.
 *
 * Filled from manifests once (--objects, `curfew review`), or kept by list and watch (watch.h).
 * One writer-preferring lock: a review asks everything between cf_store_lock() and
 * cf_store_unlock(), gets copies in its own arena, and then runs its rules without the lock. */
#ifndef CURFEW_STORE_H
#define CURFEW_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "curfew/arena.h"
#include "curfew/config.h"
#include "curfew/err.h"
#include "curfew/object.h"

struct cf_store;

/* What it means that the store lacks an object. */
enum cf_store_absent {
    CF_ABSENT_IS_PLAIN,   /* the manifests are the whole cluster: `serve --objects` */
    CF_ABSENT_IS_UNKNOWN, /* they are what the person gave us: `curfew review` */
    CF_ABSENT_DEPENDS,    /* kept by watches: plain while that one is synced and fresh */
};

/* What is watched. */
enum cf_resource {
    CF_NAMESPACES,
    CF_SECRETS, /* legacy ones only, as PartialObjectMetadata */
    CF_ACCOUNTS,
    CF_PODS,
    CF_CLAIMS,
    CF_VOLUMES,
};
#define CF_RESOURCES 6
const char *cf_resource_name(enum cf_resource resource); /* "namespaces", ..., in metrics */

struct cf_store *cf_store_new(enum cf_store_absent absent);
void cf_store_free(struct cf_store *store); /* takes NULL */
/* Another meaning, while no other thread uses the store: `curfew review`, which also answers as a
 * server would. */
void cf_store_set_absent(struct cf_store *store, enum cf_store_absent absent);

/* ---- filling it ---- */

/* Takes what it needs of one object (the six resources; others are ignored; a `...List` is
 * opened). `namespace` is used where the object names none. An object given twice: the last one
 * wins. -1: a member has the wrong type, or out of memory. Takes the lock itself. */
int cf_store_add(struct cf_store *store, const struct cf_json *object, const char *namespace,
                 struct cf_err *err);

/* Whether cf_store_add() takes anything of objects of this kind, in the core group. */
bool cf_store_keeps(const char *kind);

/* What was not there to be read of an object that a watch brought. */
enum cf_store_unread {
    CF_UNREAD_REST = 1, /* all but the metadata */
    CF_UNREAD_LABELS = 2,
    CF_UNREAD_ANNOTATIONS = 4,
};

/* The same for objects of one resource that a watch brought (their kind may be absent, as in a
 * typed list), and what it deleted: at most CF_STORE_BATCH changes under one hold of the lock. A
 * PartialObjectMetadata of CF_SECRETS is a legacy Secret. -1: out of memory.
 *
 * An object of which a member has the wrong type does not end a batch. Its `unread` is set then,
 * and err says why (of the last one), though 0 is returned; that of one that could not even be
 * parsed was set before. Of such an object is known:
 *   Namespace  its levels. If its labels can't be read: those that it had; and of one that was not
 *              known before, restricted for each mode, as for a label that is no level.
 *   Secret     that it is a legacy one (the watch lists no others), its owner and its labels. What
 *              of these can't be read is as it was before.
 *   account    whether it is restricted by node. If its annotations can't be read: whether it was;
 *              and one that was not known before is.
 *   claim      everything.
 *   pod        its uid, its controller and its workload; and all the rest, if it was known whole
 *              and is still the same (its uid), since what it refers to does not change.
 *   volume     its uid; and all the rest in the same case.
 * A pod or a volume that was never known whole refers to nothing, is on no node and runs as nobody.
 * So nobody reaches anything through it, and nobody who is restricted by node may bind it. What it
 * refers to may seem to be another node's alone (CF_REACH_OWN, not CF_REACH_SHARED); that is the
 * loss of the user who wrote it. */
#define CF_STORE_BATCH 64
struct cf_store_change {
    const struct cf_json *object; /* the object, or its last state where it was deleted */
    bool deleted;
    unsigned unread; /* enum cf_store_unread; in and out */
};
int cf_store_apply(struct cf_store *store, enum cf_resource resource,
                   struct cf_store_change *changes, size_t count, struct cf_err *err);

/* A list: what cf_store_apply() gives between the two is all there is, the rest is dropped at the
 * end (in batches), and the resource is synced from then on. A list that broke off is begun anew.
 */
void cf_store_list_begin(struct cf_store *store, enum cf_resource resource);
void cf_store_list_end(struct cf_store *store, enum cf_resource resource);

/* The watch has heard from its server (an event, a bookmark, a list): now it is fresh. */
void cf_store_refreshed(struct cf_store *store, enum cf_resource resource,
                        int64_t monotonic_micros);

/* Which watches there are at all (the others' absence is unknown for ever); default: all. */
void cf_store_expect(struct cf_store *store, enum cf_resource resource, bool expected);
bool cf_store_expected(const struct cf_store *store, enum cf_resource resource);

/* ---- asking it ---- */

void cf_store_lock(const struct cf_store *store);
void cf_store_unlock(const struct cf_store *store);

/* Whether the resource is synced and was heard of within `stale_after` seconds; a store from
 * manifests is always so. Needs no lock. */
bool cf_store_fresh(const struct cf_store *store, enum cf_resource resource, int64_t stale_after);
/* Every expected resource was listed once. Needs no lock. */
bool cf_store_synced(const struct cf_store *store);
/* Microseconds since the watch was heard of; -1: never, or there is no watch. Needs no lock. */
int64_t cf_store_age(const struct cf_store *store, enum cf_resource resource);

/* The API server's version, 1.x: x; of several servers the lowest; 0 while it is not known. Some of
 * what a review says can only be believed from newer ones. Needs no lock. */
void cf_store_set_server_version(struct cf_store *store, unsigned major, unsigned minor);
unsigned cf_store_server_minor(const struct cf_store *store);

/* Everything below is to be called between cf_store_lock() and cf_store_unlock(). */

/* Fills ref->state and ref->owner. */
void cf_store_secret(const struct cf_store *store, struct cf_arena *arena, const char *namespace,
                     int64_t stale_after, struct cf_secret_ref *ref);

/* Whether the account carries the annotation rbac.kubernetes.io/restricted-by-node: "true". */
bool cf_store_restricted(const struct cf_store *store, const char *namespace, const char *name);

/* The namespace's level for each mode: its labels, else the policy's defaults. A namespace the
 * store lacks has no labels; NULL or "" (cluster-scoped objects) means the defaults. A label
 * that is no level counts as restricted, as Pod Security does. */
struct cf_levels cf_store_levels(const struct cf_store *store, const struct cf_policy *policy,
                                 const char *namespace);

/* A pod: where it runs and as whom. Texts are copied into the arena; "" for none. */
struct cf_store_pod {
    const char *namespace, *name, *uid, *node, *account;
    const char *workload; /* its name as exceptions match it (cf_workload_name) */
    bool mirror;
};
/* False: the store has no such pod. */
bool cf_store_pod(const struct cf_store *store, struct cf_arena *arena, const char *namespace,
                  const char *name, struct cf_store_pod *out);

/* ---- edges ---- */

/* What pods refer to: every reference that the Node authorizer follows (Kubernetes
 * plugin/pkg/auth/authorizer/node/graph.go), and, through a claim, its volume and the Secrets that
 * the volume names. */
enum cf_edge {
    CF_EDGE_SECRET,
    CF_EDGE_CONFIG_MAP,
    CF_EDGE_CLAIM,
    CF_EDGE_VOLUME,  /* cluster-scoped: namespace "" */
    CF_EDGE_ACCOUNT, /* the account it runs as */
};

enum cf_reach {
    CF_REACH_NONE,   /* no pod on that node refers to it */
    CF_REACH_OWN,    /* pods on that node do, and no others */
    CF_REACH_SHARED, /* pods of other nodes do as well */
};
/* A volume is also reached when its required node affinity names only that node. */
enum cf_reach cf_store_reach(const struct cf_store *store, enum cf_edge edge, const char *namespace,
                             const char *name, const char *node);

/* What one pod refers to itself, bound or not; `reach` is left to whoever asks. An array in the
 * arena; returns how many there are. */
struct cf_store_ref {
    enum cf_edge edge;
    const char *namespace, *name;
    enum cf_reach reach;
};
size_t cf_store_pod_refs(const struct cf_store *store, struct cf_arena *arena,
                         const char *namespace, const char *name, struct cf_store_ref **out);

/* The pods that name this Secret themselves (mirror pods and ended ones too): at most `max` of them
 * into `out` (an array in the arena), in no order; returns how many there are. */
size_t cf_store_pods_of_secret(const struct cf_store *store, struct cf_arena *arena,
                               const char *namespace, const char *secret, size_t max,
                               struct cf_store_pod **out);

/* An existing pod of a namespace, as far as rules can judge it: an object with the account, the
 * owner, and a volume or an environment for each Secret and token source, under the name of the
 * volume (an automounted one's ends in "-") or container. Not kept: items, paths, names of
 * variables, texts. Calls `visit` for at most `max` pods, one of each controller first, until it
 * returns false; returns how many pods the namespace has. What it is given lives in the arena. */
size_t cf_store_pods_in(
    const struct cf_store *store, struct cf_arena *arena, const char *namespace, size_t max,
    bool (*visit)(const struct cf_store_pod *pod, struct cf_object *object, void *arg), void *arg);

/* ---- inventory ---- */

/* What it holds, for the start-up line. Takes the lock itself. */
struct cf_store_counts {
    size_t namespaces, secrets, accounts, pods;
};
struct cf_store_counts cf_store_counts(const struct cf_store *store);

/* One namespace's legacy Secrets, for metrics, each in one of the three: invalid when the label
 * kubernetes.io/legacy-token-invalid-since is set, else used when .../legacy-token-last-used is. */
struct cf_store_inventory {
    const char *namespace;
    size_t legacy_used, legacy_unused, legacy_invalid; /* Secrets */
    size_t pods_mounting;                              /* pods that name one */
};
/* Calls `visit` for each namespace that has any, without the lock; takes it itself, in slices. */
void cf_store_inventory(const struct cf_store *store,
                        void (*visit)(const struct cf_store_inventory *row, void *arg), void *arg);
/* Namespaces by level and mode as cf_store_levels() has them; accounts restricted by node. Takes
 * the lock itself. */
struct cf_store_totals {
    size_t namespaces[CF_MODES][CF_LEVELS];
    size_t accounts_restricted;
};
struct cf_store_totals cf_store_totals(const struct cf_store *store,
                                       const struct cf_policy *policy);

#endif
