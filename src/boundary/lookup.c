/* SPDX-License-Identifier: Apache-2.0 */
/* lookup.c - what the store knows of a question's boundary: a few lookups by name,
 * copied, so that the decision itself holds no lock. */
#include "curfew/attr.h"
#include "curfew/str.h"
#include "curfew/boundary.h"

struct asking {
    struct cf_arena *arena;
    const struct cf_store *store;
    struct cf_boundary *q;
    const char *name;
};

/* From the token itself, else from its pod, if it is still the same one. */
static const char *node_of_caller(const struct asking *a)
{
    const struct cf_boundary *q = a->q;
    struct cf_store_pod pod;

    if (q->caller_node != NULL)
        return q->caller_node;
    if (cf_str_empty(q->caller_pod) ||
        !cf_store_pod(a->store, a->arena, q->caller_namespace, q->caller_pod, &pod) ||
        cf_str_empty(pod.node))
        return NULL;
    if (!cf_str_empty(q->caller_pod_uid) && !cf_streq(q->caller_pod_uid, pod.uid))
        return NULL;
    return pod.node;
}

static enum cf_reach reach(const struct asking *a, enum cf_edge edge, const char *namespace,
                           const char *name)
{
    return cf_store_reach(a->store, edge, namespace, name, a->q->node);
}

/* What a claim or a volume would be moved to. */
static void look_up_target(const struct asking *a)
{
    const struct cf_boundary_object *object = &a->q->object;

    if (!object->given)
        return;
    if (!cf_str_empty(object->volume))
        a->q->other_reach = reach(a, CF_EDGE_VOLUME, "", object->volume);
    else if (!cf_str_empty(object->claim_name))
        a->q->other_reach = reach(a, CF_EDGE_CLAIM, object->claim_namespace, object->claim_name);
}

static bool is_binding(const struct cf_boundary *q)
{
    return cf_streq(q->resource, "bindings") || cf_streq(q->subresource, "binding");
}

static void look_up_object(const struct asking *a)
{
    struct cf_boundary *q = a->q;
    const char *pod = NULL;
    enum cf_edge edge;

    if (cf_streq(q->resource, "pods") || cf_streq(q->resource, "bindings"))
        pod = a->name;
    else if (cf_streq(q->bound_kind, "Pod"))
        pod = q->bound_name;
    if (!cf_str_empty(pod))
        q->pod_known = cf_store_pod(a->store, a->arena, q->namespace, pod, &q->pod);
    if (q->pod_known && is_binding(q))
        q->ref_count = cf_store_pod_refs(a->store, a->arena, q->namespace, pod, &q->refs);
    if (cf_boundary_edge(q->resource, &edge) && !cf_str_empty(a->name))
        q->reach = reach(a, edge, q->namespace, a->name);
    for (size_t i = 0; i < q->ref_count; i++)
        q->refs[i].reach = reach(a, q->refs[i].edge, q->refs[i].namespace, q->refs[i].name);
    look_up_target(a);
}

/* A watch that is not there at all will never say. */
bool cf_boundary_known(const struct cf_store *store)
{
    static const enum cf_resource needed[] = {CF_ACCOUNTS, CF_PODS, CF_CLAIMS, CF_VOLUMES};

    for (size_t i = 0; i < CF_COUNT(needed); i++) {
        if (!cf_store_fresh(store, needed[i], INT64_MAX))
            return false;
    }
    return true;
}

void cf_boundary_lookup(struct cf_arena *arena, const struct cf_store *store,
                        struct cf_boundary *question)
{
    struct asking a = {arena, store, question, cf_boundary_name(arena, question)};
    struct cf_boundary *q = question;

    q->known = cf_boundary_known(store);
    if (q->from == CF_FROM_ADMISSION && cf_streq(q->resource, "serviceaccounts") &&
        cf_streq(q->subresource, "token"))
        q->token_restricted = cf_store_restricted(store, q->namespace, q->name);
    if (q->caller_account == NULL)
        return;
    q->restricted = cf_store_restricted(store, q->caller_namespace, q->caller_account);
    if (!q->restricted)
        return;
    q->node = node_of_caller(&a);
    if (q->node != NULL)
        look_up_object(&a);
}
