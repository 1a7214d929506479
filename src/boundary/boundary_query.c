/* SPDX-License-Identifier: Apache-2.0 */
/* boundary_query.c - from an AdmissionReview to the question of its boundary. */
#include "curfew/attr.h"
#include "curfew/str.h"
#include "curfew/boundary.h"

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

static const char *text(struct cf_fields *r, const struct cf_path *at, const struct cf_json *object,
                        const char *key)
{
    return cf_str_or_empty(cf_field_str(r, at, object, key));
}

/* What the boundary reads of each kind; the object stands at request.<where>. */
static void object_read(struct cf_fields *r, const struct cf_json *request, const char *where,
                        const char *kind, struct cf_boundary_object *out)
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
        out->node = text(r, &spec_at, spec, "nodeName");
        out->account = text(r, &spec_at, spec, "serviceAccountName");
    } else if (cf_streq(kind, "Binding")) {
        out->node = text(r, &target_at, cf_field_object(r, &at, json, "target"), "name");
    } else if (cf_streq(kind, "PersistentVolumeClaim")) {
        out->volume = text(r, &spec_at, spec, "volumeName");
    } else {
        claim = cf_field_object(r, &spec_at, spec, "claimRef");
        out->claim_namespace = text(r, &claim_at, claim, "namespace");
        out->claim_name = text(r, &claim_at, claim, "name");
    }
}

/* In a deletecollection and for a generated name only the object knows. */
static const char *name_of(struct cf_fields *r, const struct cf_json *request,
                           const struct cf_request *typed)
{
    static const char *const keys[] = {"oldObject", "object"};
    struct cf_path root = {.key = "request"};

    if (!cf_str_empty(typed->name))
        return typed->name;
    for (size_t i = 0; i < CF_COUNT(keys); i++) {
        struct cf_path at = CF_PATH_KEY(&root, keys[i]), meta_at = CF_PATH_KEY(&at, "metadata");
        const struct cf_json *json = cf_field_object(r, &root, request, keys[i]);
        const char *name = text(r, &meta_at, cf_field_object(r, &at, json, "metadata"), "name");

        if (!cf_str_empty(name))
            return name;
    }
    return "";
}

static const char *verb_of(enum cf_operation operation)
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

    if (!cf_boundary_covers(group, request->resource, verb_of(request->operation)) ||
        (request->caller.account == NULL && !token))
        return;
    q = cf_boundary_new(r, CF_FROM_ADMISSION, request);
    if (q == NULL)
        return;
    q->verb = verb_of(request->operation);
    q->name = name_of(r, json, request);
    if (has_objects(kind)) {
        object_read(r, json, "object", kind, &q->object);
        object_read(r, json, "oldObject", kind, &q->old_object);
        /* Who sits on no node is outside whatever it names; and the control plane's controllers,
         * which make most pods, are such. */
        if (cf_streq(kind, "Pod") && (q->caller_node != NULL || !cf_str_empty(q->caller_pod)))
            cf_boundary_refs(r, json, q);
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
    const char *verb = verb_of(request->operation);
    bool token =
        cf_streq(request->resource, "serviceaccounts") && cf_streq(request->subresource, "token");

    if (!cf_boundary_covers(group, request->resource, verb) ||
        (request->caller.account == NULL && !token))
        return false;
    request->boundary = cf_boundary_new(r, CF_FROM_ADMISSION, request);
    if (request->boundary != NULL)
        request->boundary->verb = verb;
    /* Of a token request nothing else is read than what it is bound to; unbound is the worst. */
    return has_objects(kind) || cf_str_empty(request->name);
}
