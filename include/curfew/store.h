/* SPDX-License-Identifier: Apache-2.0 */
/* store.h - what Curfew knows about the cluster: ids and edges, no objects and no Secret's value.
 *
 * It is filled once from manifests (--objects, `curfew review`), or kept up to date by list and
 * watch (watch.h). One lock prefers writers: a review makes all its queries between cf_store_lock()
 * and cf_store_unlock(), gets copies in its own arena, and evaluates its rules without the lock.
 * src/store/store.c explains the design with a drawing. */
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

/* What it means when the store lacks an object. */
enum cf_store_absent {
    CF_ABSENT_IS_PLAIN, /* it does not exist (`serve --objects`: the manifests are all there is) */
    CF_ABSENT_IS_UNKNOWN, /* it may exist (`curfew review`: the manifests are a part) */
    CF_ABSENT_DEPENDS,    /* it does not exist while its resource's watch is synced and fresh */
};

/* The watched resources. */
enum cf_resource {
    CF_NAMESPACES,
    CF_SECRETS, /* legacy ones only, as PartialObjectMetadata */
    CF_ACCOUNTS,
    CF_PODS,
    CF_CLAIMS,
    CF_VOLUMES,
};
#define CF_RESOURCES 6
const char *cf_resource_name(enum cf_resource resource); /* "namespaces"; as in metrics */

struct cf_store *cf_store_new(enum cf_store_absent absent);
void cf_store_free(struct cf_store *store); /* takes NULL */
/* Changes the meaning; no other thread may use the store meanwhile. `curfew review` uses it to
 * answer as a server would. */
void cf_store_set_absent(struct cf_store *store, enum cf_store_absent absent);

/* ---- filling it ---- */

/* Adds what it needs of one object of the six resources, or of each item of a `...List`; ignores
 * other kinds. `namespace` applies to an object that names none. Of two objects with one name the
 * last wins. -1: a member has the wrong type, or out of memory. Takes the lock itself. */
int cf_store_add(struct cf_store *store, const struct cf_json *object, const char *namespace,
                 struct cf_err *err);

/* Whether cf_store_add() keeps anything of objects of this kind, in the core group. */
bool cf_store_keeps(const char *kind);

/* What could not be read of an object that a watch sent. */
enum cf_store_unread {
    CF_UNREAD_REST = 1, /* all but the metadata */
    CF_UNREAD_LABELS = 2,
    CF_UNREAD_ANNOTATIONS = 4,
};

/* Applies changes of one resource that a watch sent (their kind may be missing, as in a typed
 * list): at most CF_STORE_BATCH each time it takes the lock. A PartialObjectMetadata of CF_SECRETS
 * is a legacy Secret. -1: out of memory.
 *
 * An object with a member of the wrong type does not end a batch: 0 is returned, its `unread` is
 * set, and err gives the reason (of the last such object). An object that could not even be parsed
 * comes with `unread` set. The store then knows:
 *   Namespace  its levels. If its labels can't be read: those it had before, and for a new one
 *              restricted for each mode, as for an invalid label.
 *   Secret     that it is a legacy one (the watch selects no others), its owner and its labels.
 *              What can't be read of these stays as it was.
 *   account    whether it is restricted by node. If its annotations can't be read: whether it was,
 *              and a new one is.
 *   claim      everything.
 *   pod        its uid, its controller and its workload; and the rest, if the store has read the
 *              same pod (by uid) completely before, since what a pod refers to does not change.
 *   volume     its uid; and the rest in the same case.
 * A pod or a volume that was never read completely refers to nothing, has no node and no account.
 * So it gives no node access to anything, and an account that is restricted by node can't bind it.
 * An object that it refers to may seem to belong to another node alone (CF_REACH_OWN, not
 * CF_REACH_SHARED); only the user who wrote it loses by that. */
#define CF_STORE_BATCH 64
struct cf_store_change {
    const struct cf_json *object; /* the object, or its last state where it was deleted */
    bool deleted;
    unsigned unread; /* enum cf_store_unread; in and out */
};
int cf_store_apply(struct cf_store *store, enum cf_resource resource,
                   struct cf_store_change *changes, size_t count, struct cf_err *err);

/* Frame a list: the objects that cf_store_apply() gets between the two are all there are. The end
 * drops the others (in batches) and marks the resource as synced. A list that broke off is started
 * again with cf_store_list_begin(). */
void cf_store_list_begin(struct cf_store *store, enum cf_resource resource);
void cf_store_list_end(struct cf_store *store, enum cf_resource resource);

/* The watch received something from its server (an event, a bookmark, a list) at this time. */
void cf_store_refreshed(struct cf_store *store, enum cf_resource resource,
                        int64_t monotonic_micros);

/* Whether the resource has a watch (default: yes). What it lacks without one is always unknown. */
void cf_store_expect(struct cf_store *store, enum cf_resource resource, bool expected);
bool cf_store_expected(const struct cf_store *store, enum cf_resource resource);

/* ---- queries ---- */

void cf_store_lock(const struct cf_store *store);
void cf_store_unlock(const struct cf_store *store);

/* Whether the resource is synced and its last contact is at most `stale_after` seconds ago;
 * always true for a store from manifests. Needs no lock. */
bool cf_store_fresh(const struct cf_store *store, enum cf_resource resource, int64_t stale_after);
/* Whether every resource with a watch was listed once. Needs no lock. */
bool cf_store_synced(const struct cf_store *store);
/* Microseconds since the watch's last contact with its server; -1: never, or no watch. Needs no
 * lock. */
int64_t cf_store_age(const struct cf_store *store, enum cf_resource resource);

/* The API server's minor version, x of 1.x; the lowest of several servers; 0: not known. A review
 * trusts some of its members only from newer servers. Needs no lock. */
void cf_store_set_server_version(struct cf_store *store, unsigned major, unsigned minor);
unsigned cf_store_server_minor(const struct cf_store *store);

/* Call everything below between cf_store_lock() and cf_store_unlock(). */

/* The facts of the Secret with this name. */
void cf_store_secret(const struct cf_store *store, struct cf_arena *arena, const char *namespace,
                     const char *name, int64_t stale_after, struct cf_secret_facts *out);

/* Whether the account carries the annotation rbac.kubernetes.io/restricted-by-node: "true". */
bool cf_store_restricted(const struct cf_store *store, const char *namespace, const char *name);

/* The namespace's level for each mode: its labels, else the policy's defaults. The defaults also
 * apply to a namespace that the store lacks, and to NULL or "" (cluster-scoped objects). An invalid
 * label counts as restricted, as in Pod Security. */
struct cf_levels cf_store_levels(const struct cf_store *store, const struct cf_policy *policy,
                                 const char *namespace);

/* A pod: its node and its account. Strings are copied into the arena; "" for none. */
struct cf_store_pod {
    const char *namespace, *name, *uid, *node, *account;
    const char *workload; /* the name that exceptions match (cf_workload_name) */
    bool mirror;
};
/* False: not found. */
bool cf_store_pod(const struct cf_store *store, struct cf_arena *arena, const char *namespace,
                  const char *name, struct cf_store_pod *out);

/* ---- edges ---- */

/* What pods refer to: every reference that the Node authorizer follows (Kubernetes
 * plugin/pkg/auth/authorizer/node/graph.go); and through a claim its volume and the Secrets that
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
    CF_REACH_OWN,    /* pods on that node refer to it, and no others */
    CF_REACH_SHARED, /* pods on that node refer to it, and pods on other nodes */
};
/* A volume also belongs to the one node that its required node affinity names. */
enum cf_reach cf_store_reach(const struct cf_store *store, enum cf_edge edge, const char *namespace,
                             const char *name, const char *node);

/* What one pod refers to itself, bound to a node or not: an array in the arena. Returns its length.
 * The caller sets `reach`. */
struct cf_store_ref {
    enum cf_edge edge;
    const char *namespace, *name;
    enum cf_reach reach;
};
size_t cf_store_pod_refs(const struct cf_store *store, struct cf_arena *arena,
                         const char *namespace, const char *name, struct cf_store_ref **out);

/* The pods that name this Secret themselves, including mirror pods and ended ones: at most `max` of
 * them in `out` (an array in the arena), in no order. Returns how many exist. */
size_t cf_store_pods_of_secret(const struct cf_store *store, struct cf_arena *arena,
                               const char *namespace, const char *secret, size_t max,
                               struct cf_store_pod **out);

/* Calls `visit` for at most `max` pods of a namespace, one of each controller first, until it
 * returns false. Returns how many pods the namespace has. What `visit` gets lives in the arena. An
 * object has the members that rules evaluate: the account, the owner, and a volume or an
 * environment for each Secret and token source, under the name of the volume (an automounted one's
 * ends in "-") or container. It lacks items, paths, names of variables and strings. */
size_t cf_store_pods_in(
    const struct cf_store *store, struct cf_arena *arena, const char *namespace, size_t max,
    bool (*visit)(const struct cf_store_pod *pod, struct cf_object *object, void *arg), void *arg);

/* ---- inventory ---- */

/* How many objects the store knows, for the start-up line. Takes the lock itself. */
struct cf_store_counts {
    size_t namespaces, secrets, accounts, pods;
};
struct cf_store_counts cf_store_counts(const struct cf_store *store);

/* One namespace's legacy Secrets, for metrics. Each counts once: as invalid when the label
 * kubernetes.io/legacy-token-invalid-since is set, else as used when .../legacy-token-last-used is,
 * else as unused. */
struct cf_store_inventory {
    const char *namespace;
    size_t legacy_used, legacy_unused, legacy_invalid; /* Secrets */
    size_t pods_mounting;                              /* pods that name one */
};
/* Calls `visit` for each namespace with a legacy Secret. Takes the lock itself, for one namespace
 * at a time, and not during `visit`. */
void cf_store_inventory(const struct cf_store *store,
                        void (*visit)(const struct cf_store_inventory *row, void *arg), void *arg);
/* The number of namespaces by mode and level, as in cf_store_levels(); and of accounts restricted
 * by node. Takes the lock itself. */
struct cf_store_totals {
    size_t namespaces[CF_MODES][CF_LEVELS];
    size_t accounts_restricted;
};
struct cf_store_totals cf_store_totals(const struct cf_store *store,
                                       const struct cf_policy *policy);

#endif
