/* SPDX-License-Identifier: Apache-2.0 */
/* boundary.h - the node boundary: which objects belong to a node, and whether a request stays
 * inside.
 *
 * A ServiceAccount with the annotation rbac.kubernetes.io/restricted-by-node: "true" may access, of
 * nodes, pods, configmaps, secrets, claims, volumes and serviceaccounts/token, only the objects
 * that belong to the node of its token. The annotation filters, it never grants. Admission and
 * authorization (/authorize) make a query, look up facts in the store (cf_boundary_lookup()), and
 * evaluate both (cf_boundary_evaluate(), which is pure). */
#ifndef CURFEW_BOUNDARY_H
#define CURFEW_BOUNDARY_H

#include "curfew/arena.h"
#include "curfew/fields.h"
#include "curfew/request.h"
#include "curfew/store.h"

/* The source of the query. Authorization sees reads, but no objects; of a create not even a name.
 */
enum cf_boundary_from { CF_FROM_ADMISSION, CF_FROM_AUTHORIZATION };

/* The members of an object under review that decide. Strings are "" when absent. */
struct cf_boundary_object {
    bool given;
    const char *node;                         /* spec.nodeName of a Pod, target of a Binding */
    const char *account;                      /* of a Pod */
    const char *volume;                       /* spec.volumeName of a claim */
    const char *claim_namespace, *claim_name; /* spec.claimRef of a volume */
};

struct cf_boundary {
    enum cf_boundary_from from;
    const char *verb; /* of RBAC; at admission "create", "update", "delete" or "connect" */
    const char *resource, *subresource, *namespace, *name; /* "" when absent */
    /* Field selectors that require exactly one value; "" when absent. */
    const char *selected_name, *selected_node;

    const char *caller_namespace, *caller_account; /* NULL: the caller is not a ServiceAccount */
    const char *caller_node, *caller_pod, *caller_pod_uid; /* of its token; NULL: unknown */

    struct cf_boundary_object object, old_object; /* at admission */
    /* What a pod's new object refers to and its old one does not; without their reach. */
    struct cf_store_ref *refs;
    size_t ref_count;
    const char *bound_kind, *bound_name, *bound_uid; /* of a TokenRequest, at admission */
};

/* What was looked up about a query (cf_boundary_lookup). */
struct cf_boundary_facts {
    bool known;            /* false: the cluster has not been listed yet */
    bool restricted;       /* the caller is restricted by node */
    bool token_restricted; /* the account of a requested token is */
    const char *node;      /* of the caller; NULL: unknown */
    bool pod_known;        /* the pod that the query names, or that a token is bound to */
    struct cf_store_pod pod;
    enum cf_reach reach;       /* of the object, the volume, or the account that is named */
    enum cf_reach other_reach; /* of the new volume of a claim, or the new claim of a volume */
    /* The references of the query; of a binding, those of the pod. */
    struct cf_store_ref *refs;
    size_t ref_count;
    const char *own_namespace; /* of Curfew; NULL: unknown */
};

/* Whether the boundary covers this resource of the core group, or an impersonation. */
bool cf_boundary_covers(const char *group, const char *resource, const char *verb);

/* The name of the object: the middle of a proxy's "[scheme:]name[:port]"; for a list or a watch
 * without a name, the name that its field selector requires. In the arena; "": not named. */
const char *cf_boundary_name(struct cf_arena *arena, const struct cf_boundary *query);

/* The edge that leads to a resource; false: no edge does (pods, nodes, ...). */
bool cf_boundary_edge(const char *resource, enum cf_edge *edge);

enum cf_boundary_place { CF_BOUNDARY_NO_OPINION, CF_BOUNDARY_INSIDE, CF_BOUNDARY_OUTSIDE };

struct cf_boundary_verdict {
    enum cf_boundary_place place;
    /* Why, for the caller, who must not learn what is on other nodes; printable. */
    const char *reason;
    const char *nearest; /* more details, for the log of Curfew; NULL: none */
};

/* What rules.node-boundary sets. */
struct cf_boundary_settings {
    bool token_for_pods_on_node; /* tokenFor: podsOnNode */
    bool allow_pod_create;
    bool deny_shared_objects; /* sharedObjects: deny */
};

/* The strings live in the arena; check cf_arena_failed(). */
struct cf_boundary_verdict cf_boundary_evaluate(struct cf_arena *arena,
                                                const struct cf_boundary *query,
                                                const struct cf_boundary_facts *facts,
                                                const struct cf_boundary_settings *settings);

/* ---- queries of an AdmissionReview ---- */

/* Sets request->boundary where node-boundary evaluates the request of an AdmissionReview: a write
 * of a ServiceAccount that the boundary covers, or a TokenRequest of any user. */
void cf_boundary_query(struct cf_fields *r, const struct cf_json *json, const char *group,
                       const char *kind, struct cf_request *request);

/* The same for a request whose object could not be read. True: for a restricted account the
 * decision depends on that object. */
bool cf_boundary_query_unread(struct cf_fields *r, const char *group, const char *kind,
                              struct cf_request *request);

/* A query of this caller, in the arena; NULL (and a failure) when out of memory. */
struct cf_boundary *cf_boundary_new(struct cf_fields *r, enum cf_boundary_from from,
                                    const struct cf_request *request);

/* ---- lookup ---- */

/* Whether all resources that edges depend on have been listed once. */
bool cf_boundary_known(const struct cf_store *store);

/* Looks up the facts about the query, in the arena. The caller holds the lock of the store. */
void cf_boundary_lookup(struct cf_arena *arena, const struct cf_store *store,
                        const struct cf_boundary *query, const char *own_namespace,
                        struct cf_boundary_facts *out);

#endif
