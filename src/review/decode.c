/* SPDX-License-Identifier: Apache-2.0 */
/* decode.c - from the bytes of an AdmissionReview to a typed request.
 *
 * admission.k8s.io/v1 (k8s.io/api admission/v1/types.go). A review that is not valid is an
 * error here; unread.c decides about the answer. */
#include <string.h>

#include "curfew/attr.h"
#include "curfew/review.h"
#include "curfew/str.h"
#include "review_private.h"

/* Members that no rule reads, and that are most of a review. The first is the copy of the object
 * that kubectl apply keeps in it: it is read of Secrets and ConfigMaps (copied-token), and to keep
 * it of every pod would cost a fifth of the time that a review takes. */
static const struct cf_json_skip skipped[] = {
    {"annotations", "kubectl.kubernetes.io/last-applied-configuration"},
    {"metadata", "managedFields"},
    {"object", "status"},
    {"oldObject", "status"},
    {"request", "options"},
    {"request", "requestKind"},
    {"request", "requestResource"},
    {"spec", "affinity"},
    {"spec", "tolerations"},
    {"spec", "topologySpreadConstraints"},
    {"containers", "resources"},
    {"containers", "securityContext"},
    {"containers", "ports"},
    {"initContainers", "resources"},
    {"initContainers", "securityContext"},
    {NULL, NULL},
};

/* The list for these bytes, chosen before they are parsed: where the word occurs, the copy is kept.
 */
static const struct cf_json_skip *skipped_of(const char *bytes, size_t len)
{
    static const char *const kinds[] = {"\"Secret\"", "\"ConfigMap\""};

    for (size_t i = 0; i < CF_COUNT(kinds); i++) {
        if (memmem(bytes, len, kinds[i], strlen(kinds[i])) != NULL)
            return skipped + 1;
    }
    return skipped;
}

/* Subresources of pods that rules do not read. Unknown ones are evaluated, so that version skew is
 * safe. */
static const char *const quiet_subresources[] = {"status", "binding", "eviction",    "exec",
                                                 "attach", "log",     "portforward", "proxy"};

static const struct cf_path request_at = {.key = "request"};
static const struct cf_path operation_at = {.up = &request_at, .key = "operation"};

bool cf_operation_parse(const char *text, enum cf_operation *out)
{
    for (int i = 0; text != NULL && i < CF_READ; i++) {
        if (cf_streq(text, cf_operation_name((enum cf_operation)i))) {
            *out = (enum cf_operation)i;
            return true;
        }
    }
    return false;
}

static int operation_decode(struct cf_fields *r, const char *text, enum cf_operation *out)
{
    if (cf_operation_parse(text, out))
        return 0;
    if (!r->failed && r->err != NULL) {
        cf_err_set(r->err, "request.operation must be CREATE, UPDATE, DELETE or CONNECT");
        r->err->path = &operation_at;
    }
    r->failed = true;
    return -1;
}

/* Whether rules read this kind of object under this subresource. */
static bool needs_evaluation(const struct cf_kind_info *info, const struct cf_request *request)
{
    const char *sub = request->subresource;

    if (info == NULL || request->operation > CF_UPDATE)
        return false;
    /* A namespace's labels change through all of its subresources (status, finalize). */
    if (info->bit == CF_KIND_TOKEN_REQUEST || info->bit == CF_KIND_NAMESPACE)
        return true;
    if (info->bit != CF_KIND_POD)
        return cf_str_empty(sub);
    for (size_t i = 0; i < CF_COUNT(quiet_subresources); i++) {
        if (cf_streq(sub, quiet_subresources[i]))
            return false;
    }
    return true;
}

static int object_decode(struct cf_fields *r, const struct cf_json *request, const char *key,
                         const struct cf_kind_info *info, struct cf_object **out)
{
    const struct cf_json *json = cf_field_object(r, &request_at, request, key);
    const char *where = cf_arena_printf(r->arena, "request.%s.", key);
    struct cf_object *object = cf_arena_alloc(r->arena, sizeof(*object));

    if (r->failed)
        return -1;
    if (object == NULL || where == NULL)
        return cf_err_memory(r->err);
    if (json == NULL)
        return cf_err_set(r->err, "request.%s is missing: there is nothing to evaluate", key);
    if (cf_object_decode(r->arena, json, info, where, object, r->err) != 0)
        return -1;
    *out = object;
    return 0;
}

static int objects_decode(struct cf_fields *r, const struct cf_json *json,
                          const struct cf_kind_info *info, struct cf_request *request)
{
    if (!needs_evaluation(info, request))
        return 0;
    if (object_decode(r, json, "object", info, &request->object) != 0)
        return -1;
    if (request->operation == CF_UPDATE &&
        object_decode(r, json, "oldObject", info, &request->old_object) != 0)
        return -1;
    request->kind = info->bit;
    /* As the API server sets it; reviews that are written by hand may lack it. */
    if (request->kind == CF_KIND_NAMESPACE)
        request->namespace =
            cf_str_empty(request->name) ? cf_str_or_empty(request->object->name) : request->name;
    if (cf_object_may_hold_token(request->object) ||
        (request->old_object != NULL && cf_object_may_hold_token(request->old_object)))
        request->holds_secret = true;
    return 0;
}

static int request_decode(struct cf_fields *r, const struct cf_json *json,
                          struct cf_request *request)
{
    struct cf_path kind_at = CF_PATH_KEY(&request_at, "kind");
    struct cf_path resource_at = CF_PATH_KEY(&request_at, "resource");
    const struct cf_json *kind = cf_field_object(r, &request_at, json, "kind");
    const struct cf_json *resource = cf_field_object(r, &request_at, json, "resource");
    const char *group = cf_str_or_empty(cf_field_str(r, &kind_at, kind, "group"));
    const char *resource_group = cf_field_str(r, &resource_at, resource, "group");
    const char *name = cf_field_str(r, &kind_at, kind, "kind");
    struct cf_path user_at = CF_PATH_KEY(&request_at, "userInfo");

    request->uid = cf_field_str(r, &request_at, json, "uid");
    request->resource = cf_str_or_empty(cf_field_str(r, &resource_at, resource, "resource"));
    request->subresource = cf_str_or_empty(cf_field_str(r, &request_at, json, "subResource"));
    request->namespace = cf_str_or_empty(cf_field_str(r, &request_at, json, "namespace"));
    request->name = cf_str_or_empty(cf_field_str(r, &request_at, json, "name"));
    request->dry_run = cf_field_bool(r, &request_at, json, "dryRun");
    cf_caller_decode(r, &user_at, cf_field_object(r, &request_at, json, "userInfo"), "username",
                     "groups", &request->caller);
    if (r->failed)
        return -1;
    if (cf_str_empty(request->uid))
        return cf_err_set(r->err, "request.uid is missing");
    if (cf_str_empty(name))
        return cf_err_set(r->err, "request.kind.kind is missing");
    if (operation_decode(r, cf_field_str(r, &request_at, json, "operation"), &request->operation) !=
        0)
        return -1;
    request->holds_secret = cf_streq(name, "Secret") || cf_streq(name, "ConfigMap");
    if (objects_decode(r, json, cf_kind_find(group, name), request) != 0)
        return -1;
    cf_boundary_query(r, json, resource_group, name, request);
    return r->failed ? -1 : 0;
}

static int envelope_check(struct cf_fields *r, const struct cf_json *root,
                          const struct cf_json **request)
{
    const char *version, *kind;

    if (cf_json_type(root) != CF_JSON_OBJECT)
        return cf_err_set(r->err, "an AdmissionReview must be an object, not %s",
                          cf_json_type_name(cf_json_type(root)));
    version = cf_field_str(r, NULL, root, "apiVersion");
    kind = cf_field_str(r, NULL, root, "kind");
    *request = cf_field_object(r, NULL, root, "request");
    if (r->failed)
        return -1;
    if (!cf_streq(kind, "AdmissionReview") || !cf_streq(version, "admission.k8s.io/v1"))
        return cf_err_set(r->err, "not an AdmissionReview of apiVersion admission.k8s.io/v1");
    if (*request == NULL)
        return cf_err_set(r->err, "request is missing");
    return 0;
}

int cf_review_decode(struct cf_arena *arena, const char *bytes, size_t len, struct cf_request **out,
                     struct cf_err *err)
{
    struct cf_fields r = {.arena = arena, .where = "", .err = err};
    const struct cf_json *root =
        cf_json_parse(arena, bytes, len, skipped_of(bytes, len), NULL, err);
    struct cf_request *request = cf_arena_alloc(arena, sizeof(*request));
    const struct cf_json *json = NULL;

    if (root == NULL)
        return -1;
    if (request == NULL)
        return cf_err_memory(err);
    if (envelope_check(&r, root, &json) != 0 || request_decode(&r, json, request) != 0)
        return -1;
    *out = request;
    return 0;
}
