/* SPDX-License-Identifier: Apache-2.0 */
/* boundary.h - what belongs to one node, and whether a request stays inside.
 *
 * An account that carries rbac.kubernetes.io/restricted-by-node: "true" may touch, of nodes, pods,
 * configmaps, secrets, claims, volumes and serviceaccounts/token, only what belongs to the node of
 * its token. The annotation filters, it never grants. Admission and authorization (/authorize) make
 * a question, have the store's part of it filled in (cf_boundary_lookup()), and ask
 * cf_boundary_evaluate(), which is pure. */
#ifndef CURFEW_BOUNDARY_H
#define CURFEW_BOUNDARY_H

#include "curfew/arena.h"
#include "curfew/fields.h"
#include "curfew/request.h"
#include "curfew/store.h"

/* Where the question came from. Authorization sees reads, and no object; of a create not even
 * a name. */
enum cf_boundary_from { CF_FROM_ADMISSION, CF_FROM_AUTHORIZATION };

/* What a boundary reads of an object under review. Texts are "" for none. */
struct cf_boundary_object {
    bool given;
    const char *node;                         /* a Pod's spec.nodeName, a Binding's target */
    const char *account;                      /* a Pod's */
    const char *volume;                       /* a claim's spec.volumeName */
    const char *claim_namespace, *claim_name; /* a volume's spec.claimRef */
};

struct cf_boundary {
    enum cf_boundary_from from;
    const char *verb; /* as RBAC has it; at admission "create", "update", "delete" or "connect" */
    const char *resource, *subresource, *namespace, *name; /* "" for none */
    /* Field selectors that ask for exactly one value; "" for none. */
    const char *selected_name, *selected_node;

    const char *caller_namespace, *caller_account; /* NULL: the caller is no ServiceAccount */
    const char *caller_node, *caller_pod, *caller_pod_uid; /* of its token; NULL: none */

    struct cf_boundary_object object, old_object; /* at admission */
    /* What a pod's new object names and its old one does not; of a binding, what the pod names. */
    struct cf_store_ref *refs;
    size_t ref_count;
    const char *bound_kind, *bound_name, *bound_uid; /* of a TokenRequest, at admission */
    const char *own_namespace;                       /* Curfew's; NULL: unknown */

    /* ---- filled in by cf_boundary_lookup() ---- */
    bool known;            /* false: the store has not heard of the cluster yet */
    bool restricted;       /* the caller is */
    bool token_restricted; /* the account that a token is asked for is */
    const char *node;      /* the caller's; NULL: nobody can say */
    bool pod_known;        /* the pod that the question names, or that a token is bound to */
    struct cf_store_pod pod;
    enum cf_reach reach;       /* of the object, the volume, or the account that is named */
    enum cf_reach other_reach; /* of the claim's new volume, or the volume's new claim */
};

/* Whether the boundary covers this resource of the core group, or an impersonation. */
bool cf_boundary_covers(const char *group, const char *resource, const char *verb);

/* The name of the object: of a proxy's "[scheme:]name[:port]" the middle; of a list or a watch that
 * names none the one that its field selector asks for. In the arena; "" for none. */
const char *cf_boundary_name(struct cf_arena *arena, const struct cf_boundary *question);

/* The edge by which a resource is reached; false: by none (pods, nodes, ...). */
bool cf_boundary_edge(const char *resource, enum cf_edge *edge);

enum cf_boundary_place { CF_BOUNDARY_NO_OPINION, CF_BOUNDARY_INSIDE, CF_BOUNDARY_OUTSIDE };

struct cf_boundary_verdict {
    enum cf_boundary_place place;
    /* Why, for whoever asked, who may not learn what is on other nodes; fit to print. */
    const char *reason;
    const char *nearest; /* what else is known, for whoever runs Curfew; NULL: nothing */
};

/* What rules.node-boundary sets. */
struct cf_boundary_settings {
    bool token_for_pods_on_node; /* tokenFor: podsOnNode */
    bool allow_pod_create;
    bool deny_shared_objects; /* sharedObjects: deny */
};

/* Texts live in the arena, which cf_arena_failed() tells of. */
struct cf_boundary_verdict cf_boundary_evaluate(struct cf_arena *arena,
                                                const struct cf_boundary *question,
                                                const struct cf_boundary_settings *settings);

/* ---- queries of an AdmissionReview ---- */

/* Makes request->boundary of an AdmissionReview's request, where node-boundary has a question about
 * it: for a ServiceAccount's write of what a boundary covers, and for anybody's TokenRequest. */
void cf_boundary_query(struct cf_fields *r, const struct cf_json *json, const char *group,
                       const char *kind, struct cf_request *request);

/* Makes request->boundary of a request whose object could not be read. True: for a restricted
 * account the answer depends on that object. */
bool cf_boundary_query_unread(struct cf_fields *r, const char *group, const char *kind,
                              struct cf_request *request);

/* The question that is about this caller, in the arena; NULL (and a failure) without memory. */
struct cf_boundary *cf_boundary_new(struct cf_fields *r, enum cf_boundary_from from,
                                    const struct cf_request *request);

/* ---- lookup ---- */

/* Whether all that edges are made of was listed once. */
bool cf_boundary_known(const struct cf_store *store);

/* Fills in what the store knows of the question. The store's lock is held. */
void cf_boundary_lookup(struct cf_arena *arena, const struct cf_store *store,
                        struct cf_boundary *question);

#endif
