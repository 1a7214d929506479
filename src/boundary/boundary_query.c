/* SPDX-License-Identifier: Apache-2.0 */
/* boundary_query.c - the query about a node's boundary: made from an AdmissionReview, then
 * completed with what the store knows, in a few lookups by name. Everything is copied, so that the
 * decision holds no lock. */
#include <stdlib.h>
#include <string.h>

#include "curfew/attr.h"
#include "curfew/boundary.h"
#include "curfew/refs.h"
#include "curfew/str.h"

struct cf_boundary *cf_boundary_new(struct cf_fields *r, enum cf_boundary_from from,
                                    const struct cf_request *request)
{
    struct cf_boundary *q = cf_arena_alloc(r->arena, sizeof(*q));

    if (q == NULL) {
        cf_field_fail_memory(r);
        return NULL;
    }
    *q = (struct cf_boundary){
        .from = from,
        .verb = "",
        .resource = request->resource,
        .subresource = request->subresource,
        .namespace = request->namespace,
        .name = request->name,
        .selected_name = "",
        .selected_node = "",
        .caller_namespace = request->caller.namespace,
        .caller_account = request->caller.account,
        .caller_node = cf_str_empty(request->caller.node_name) ? NULL : request->caller.node_name,
        .caller_pod = request->caller.pod_name,
        .caller_pod_uid = request->caller.pod_uid,
    };
    return q;
}

/* ---- what a pod under review names that it did not name before ---- */

/* Sorted, never searched: a hostile pod may refer to 100,000 objects. */
struct refs {
    struct cf_fields *r;
    const char *namespace;
    struct cf_store_ref *items;
    size_t count, capacity;
};

static bool edge_of(enum cf_ref_what what, enum cf_edge *out)
{
    switch (what) {
    case CF_REF_SECRET:
        *out = CF_EDGE_SECRET;
        return true;
    case CF_REF_CONFIG_MAP:
        *out = CF_EDGE_CONFIG_MAP;
        return true;
    case CF_REF_CLAIM:
        *out = CF_EDGE_CLAIM;
        return true;
    case CF_REF_TOKEN: /* of the pod's own account */
        break;
    }
    return false;
}

static void add_boundary_ref(const struct cf_ref *ref, void *arg)
{
    struct refs *refs = arg;
    struct cf_store_ref *items;
    enum cf_edge edge;

    if (!edge_of(ref->what, &edge))
        return;
    items =
        cf_arena_grow(refs->r->arena, refs->items, refs->count, &refs->capacity, sizeof(*items));
    if (items == NULL) {
        cf_field_fail_memory(refs->r);
        return;
    }
    refs->items = items;
    refs->items[refs->count++] = (struct cf_store_ref){
        .edge = edge,
        .namespace = ref->namespace != NULL ? ref->namespace : refs->namespace,
        .name = ref->name};
}

static int by_ref_name(const void *a, const void *b)
{
    const struct cf_store_ref *x = a, *y = b;
    int order = strcmp(x->name, y->name);

    return order != 0 ? order : (int)x->edge - (int)y->edge;
}

static void collect_refs(struct refs *refs, const struct cf_json *request, const char *where,
                         const char *pod)
{
    struct cf_path root = {.key = "request"}, at = CF_PATH_KEY(&root, where);
    struct cf_path spec_at = CF_PATH_KEY(&at, "spec");
    const struct cf_json *json = cf_field_object(refs->r, &root, request, where);
    const struct cf_json *spec = cf_field_object(refs->r, &at, json, "spec");

    if (spec != NULL)
        cf_pod_refs(refs->r, &spec_at, spec, pod, add_boundary_ref, refs);
    if (refs->count > 1)
        qsort(refs->items, refs->count, sizeof(*refs->items), by_ref_name);
}

static void read_new_refs(struct cf_fields *r, const struct cf_json *json, struct cf_boundary *q)
{
    struct refs now = {.r = r, .namespace = q->namespace};
    struct refs was = {.r = r, .namespace = q->namespace};
    size_t old = 0, kept = 0;

    collect_refs(&now, json, "object", q->name);
    collect_refs(&was, json, "oldObject", q->name);
    for (size_t i = 0; i < now.count; i++) {
        if (i > 0 && by_ref_name(&now.items[i - 1], &now.items[i]) == 0)
            continue;
        while (old < was.count && by_ref_name(&was.items[old], &now.items[i]) < 0)
            old++;
        if (old == was.count || by_ref_name(&was.items[old], &now.items[i]) != 0)
            now.items[kept++] = now.items[i];
    }
    q->refs = now.items;
    q->ref_count = kept;
}

/* ---- the query of an AdmissionReview ---- */

static const char *text_member(struct cf_fields *r, const struct cf_path *at,
                               const struct cf_json *object, const char *key)
{
    return cf_str_or_empty(cf_field_str(r, at, object, key));
}

/* Reads the members that decide, for each kind; the path of the object is request.<where>. */
static void read_boundary_object(struct cf_fields *r, const struct cf_json *request,
                                 const char *where, const char *kind,
                                 struct cf_boundary_object *out)
{
    struct cf_path root = {.key = "request"}, at = CF_PATH_KEY(&root, where);
    struct cf_path spec_at = CF_PATH_KEY(&at, "spec"), claim_at = CF_PATH_KEY(&spec_at, "claimRef");
    struct cf_path target_at = CF_PATH_KEY(&at, "target");
    const struct cf_json *json = cf_field_object(r, &root, request, where);
    const struct cf_json *spec = cf_field_object(r, &at, json, "spec"), *claim;

    if (json == NULL)
        return;
    out->given = true;
    out->node = out->account = out->volume = out->claim_namespace = out->claim_name = "";
    if (cf_streq(kind, "Pod")) {
        out->node = text_member(r, &spec_at, spec, "nodeName");
        out->account = text_member(r, &spec_at, spec, "serviceAccountName");
    } else if (cf_streq(kind, "Binding")) {
        out->node = text_member(r, &target_at, cf_field_object(r, &at, json, "target"), "name");
    } else if (cf_streq(kind, "PersistentVolumeClaim")) {
        out->volume = text_member(r, &spec_at, spec, "volumeName");
    } else {
        claim = cf_field_object(r, &spec_at, spec, "claimRef");
        out->claim_namespace = text_member(r, &claim_at, claim, "namespace");
        out->claim_name = text_member(r, &claim_at, claim, "name");
    }
}

/* For a deletecollection and a generated name, only the object has the name. */
static const char *object_name_of(struct cf_fields *r, const struct cf_json *request,
                                  const struct cf_request *typed)
{
    static const char *const keys[] = {"oldObject", "object"};
    struct cf_path root = {.key = "request"};

    if (!cf_str_empty(typed->name))
        return typed->name;
    for (size_t i = 0; i < CF_COUNT(keys); i++) {
        struct cf_path at = CF_PATH_KEY(&root, keys[i]), meta_at = CF_PATH_KEY(&at, "metadata");
        const struct cf_json *json = cf_field_object(r, &root, request, keys[i]);
        const char *name =
            text_member(r, &meta_at, cf_field_object(r, &at, json, "metadata"), "name");

        if (!cf_str_empty(name))
            return name;
    }
    return "";
}

static const char *verb_of_operation(enum cf_operation operation)
{
    static const char *const verbs[] = {
        [CF_CREATE] = "create",
        [CF_UPDATE] = "update",
        [CF_DELETE] = "delete",
        [CF_CONNECT] = "connect",
    };

    return verbs[operation];
}

static bool has_objects(const char *kind)
{
    static const char *const kinds[] = {"Pod", "Binding", "PersistentVolumeClaim",
                                        "PersistentVolume"};

    for (size_t i = 0; i < CF_COUNT(kinds); i++) {
        if (cf_streq(kinds[i], kind))
            return true;
    }
    return false;
}

void cf_boundary_query(struct cf_fields *r, const struct cf_json *json, const char *group,
                       const char *kind, struct cf_request *request)
{
    bool token = request->kind == CF_KIND_TOKEN_REQUEST;
    struct cf_boundary *q;

    if (!cf_boundary_covers(group, request->resource, verb_of_operation(request->operation)) ||
        (request->caller.account == NULL && !token))
        return;
    q = cf_boundary_new(r, CF_FROM_ADMISSION, request);
    if (q == NULL)
        return;
    q->verb = verb_of_operation(request->operation);
    q->name = object_name_of(r, json, request);
    if (has_objects(kind)) {
        read_boundary_object(r, json, "object", kind, &q->object);
        read_boundary_object(r, json, "oldObject", kind, &q->old_object);
        /* A caller without a node is outside in any case, as are the controllers of the control
         * plane, which create most pods. */
        if (cf_streq(kind, "Pod") && (q->caller_node != NULL || !cf_str_empty(q->caller_pod)))
            read_new_refs(r, json, q);
    }
    if (token) {
        q->bound_kind = request->object->token_request.bound_kind;
        q->bound_name = request->object->token_request.bound_name;
        q->bound_uid = request->object->token_request.bound_uid;
    }
    request->boundary = q;
}

bool cf_boundary_query_unread(struct cf_fields *r, const char *group, const char *kind,
                              struct cf_request *request)
{
    const char *verb = verb_of_operation(request->operation);
    bool token =
        cf_streq(request->resource, "serviceaccounts") && cf_streq(request->subresource, "token");

    if (!cf_boundary_covers(group, request->resource, verb) ||
        (request->caller.account == NULL && !token))
        return false;
    request->boundary = cf_boundary_new(r, CF_FROM_ADMISSION, request);
    if (request->boundary != NULL)
        request->boundary->verb = verb;
    /* Of a token request only the bound object counts; without one the decision is the strictest.
     */
    return has_objects(kind) || cf_str_empty(request->name);
}

/* ---- lookup ---- */

struct boundary_lookup {
    struct cf_arena *arena;
    const struct cf_store *store;
    const struct cf_boundary *q;
    struct cf_boundary_facts *f;
    const char *name;
};

/* From the token, or from the pod of the token, if that pod still exists. */
static const char *node_of_caller(const struct boundary_lookup *l)
{
    const struct cf_boundary *q = l->q;
    struct cf_store_pod pod;

    if (q->caller_node != NULL)
        return q->caller_node;
    if (cf_str_empty(q->caller_pod) ||
        !cf_store_pod(l->store, l->arena, q->caller_namespace, q->caller_pod, &pod) ||
        cf_str_empty(pod.node))
        return NULL;
    if (!cf_str_empty(q->caller_pod_uid) && !cf_streq(q->caller_pod_uid, pod.uid))
        return NULL;
    return pod.node;
}

static enum cf_reach reach_from_node(const struct boundary_lookup *l, enum cf_edge edge,
                                     const char *namespace, const char *name)
{
    return cf_store_reach(l->store, edge, namespace, name, l->f->node);
}

/* The volume or the claim that the new object refers to. */
static void lookup_target(const struct boundary_lookup *l)
{
    const struct cf_boundary_object *object = &l->q->object;

    if (!object->given)
        return;
    if (!cf_str_empty(object->volume))
        l->f->other_reach = reach_from_node(l, CF_EDGE_VOLUME, "", object->volume);
    else if (!cf_str_empty(object->claim_name))
        l->f->other_reach =
            reach_from_node(l, CF_EDGE_CLAIM, object->claim_namespace, object->claim_name);
}

static bool creates_binding(const struct cf_boundary *q)
{
    return cf_streq(q->resource, "bindings") || cf_streq(q->subresource, "binding");
}

static void lookup_refs(const struct boundary_lookup *l)
{
    struct cf_boundary_facts *f = l->f;

    if (f->pod_known && creates_binding(l->q)) {
        f->ref_count =
            cf_store_pod_refs(l->store, l->arena, l->q->namespace, l->f->pod.name, &f->refs);
    } else if (l->q->ref_count > 0) {
        f->refs = cf_arena_array(l->arena, l->q->ref_count, sizeof(*f->refs));
        if (f->refs == NULL)
            return;
        f->ref_count = l->q->ref_count;
        memcpy(f->refs, l->q->refs, f->ref_count * sizeof(*f->refs));
    }
    for (size_t i = 0; i < f->ref_count; i++)
        f->refs[i].reach =
            reach_from_node(l, f->refs[i].edge, f->refs[i].namespace, f->refs[i].name);
}

static void lookup_object(const struct boundary_lookup *l)
{
    const struct cf_boundary *q = l->q;
    struct cf_boundary_facts *f = l->f;
    const char *pod = NULL;
    enum cf_edge edge;

    if (cf_streq(q->resource, "pods") || cf_streq(q->resource, "bindings"))
        pod = l->name;
    else if (cf_streq(q->bound_kind, "Pod"))
        pod = q->bound_name;
    if (!cf_str_empty(pod))
        f->pod_known = cf_store_pod(l->store, l->arena, q->namespace, pod, &f->pod);
    if (cf_boundary_edge(q->resource, &edge) && !cf_str_empty(l->name))
        f->reach = reach_from_node(l, edge, q->namespace, l->name);
    lookup_refs(l);
    lookup_target(l);
}

/* A resource without a watch never becomes known. */
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
                        const struct cf_boundary *query, const char *own_namespace,
                        struct cf_boundary_facts *out)
{
    const struct boundary_lookup l = {arena, store, query, out, cf_boundary_name(arena, query)};

    *out = (struct cf_boundary_facts){.known = cf_boundary_known(store),
                                      .own_namespace = own_namespace};
    if (query->from == CF_FROM_ADMISSION && cf_streq(query->resource, "serviceaccounts") &&
        cf_streq(query->subresource, "token"))
        out->token_restricted = cf_store_restricted(store, query->namespace, query->name);
    if (query->caller_account == NULL)
        return;
    out->restricted = cf_store_restricted(store, query->caller_namespace, query->caller_account);
    if (!out->restricted)
        return;
    out->node = node_of_caller(&l);
    if (out->node != NULL)
        lookup_object(&l);
}
