/* SPDX-License-Identifier: Apache-2.0 */
/* request.c - the typed request: its operation, its caller (k8s.io/api authentication/v1 UserInfo,
 * authorization/v1 SubjectAccessReviewSpec) and the name of its workload. */
#include <string.h>

#include "curfew/object.h"
#include "curfew/request.h"
#include "curfew/str.h"

const char *cf_operation_name(enum cf_operation operation)
{
    static const char *const names[CF_OPERATIONS + 1] = {
        [CF_CREATE] = "CREATE",   [CF_UPDATE] = "UPDATE", [CF_DELETE] = "DELETE",
        [CF_CONNECT] = "CONNECT", [CF_READ] = "READ",     [CF_OPERATION_UNKNOWN] = "unknown",
    };

    return names[operation];
}

/* ---- callers ---- */

#define ACCOUNT_PREFIX "system:serviceaccount:"

bool cf_caller_in_group(const struct cf_caller *caller, const char *group)
{
    for (size_t i = 0; i < caller->group_count; i++) {
        if (cf_streq(caller->groups[i], group))
            return true;
    }
    return false;
}

bool cf_caller_is_control_plane(const struct cf_caller *caller)
{
    return cf_streq(caller->username, "system:kube-controller-manager") ||
           cf_streq(caller->username, "system:apiserver");
}

/* Both are required (k8s.io/kubernetes pkg/auth/nodeidentifier). */
bool cf_caller_is_node(const struct cf_caller *caller)
{
    return cf_starts_with(cf_str_or_empty(caller->username), "system:node:") &&
           cf_caller_in_group(caller, "system:nodes");
}

bool cf_caller_is_controller(const struct cf_caller *caller)
{
    return cf_caller_is_control_plane(caller) ||
           cf_starts_with(cf_str_or_empty(caller->username), ACCOUNT_PREFIX "kube-system:");
}

/* k8s.io/apiserver authentication/serviceaccount SplitUsername: two parts, neither of them empty.
 */
static bool caller_split(struct cf_arena *arena, struct cf_caller *caller)
{
    const char *rest = cf_str_or_empty(caller->username), *colon;

    caller->namespace = caller->account = NULL;
    if (!cf_starts_with(rest, ACCOUNT_PREFIX))
        return true;
    rest += strlen(ACCOUNT_PREFIX);
    colon = strchr(rest, ':');
    if (colon == NULL || colon == rest || colon[1] == '\0' || strchr(colon + 1, ':') != NULL)
        return true;
    caller->namespace = cf_arena_strndup(arena, rest, (size_t)(colon - rest));
    caller->account = colon + 1;
    return caller->namespace != NULL;
}

bool cf_caller_is_account(const struct cf_caller *caller, const char *namespace, const char *name)
{
    const char *rest = caller->username;
    size_t len = strlen(namespace);

    if (rest == NULL || !cf_starts_with(rest, ACCOUNT_PREFIX))
        return false;
    rest += strlen(ACCOUNT_PREFIX);
    return strncmp(rest, namespace, len) == 0 && rest[len] == ':' && cf_streq(rest + len + 1, name);
}

bool cf_caller_is_legacy_token(const struct cf_caller *caller)
{
    return cf_starts_with(cf_str_or_empty(caller->username), ACCOUNT_PREFIX) &&
           cf_str_empty(caller->pod_name) && cf_str_empty(caller->node_name) &&
           !cf_starts_with(cf_str_or_empty(caller->credential_id), "JTI=");
}

#define EXTRA "authentication.kubernetes.io/"

/* The first value of extra[key]. */
static const char *extra_value(struct cf_fields *r, const struct cf_path *up,
                               const struct cf_json *object, const char *key)
{
    struct cf_path list = CF_PATH_KEY(up, key), at = CF_PATH_INDEX(&list, 0);
    const struct cf_json *first = cf_json_first(cf_field_array(r, up, object, key));

    if (first != NULL && cf_json_str(first) == NULL)
        cf_field_fail(r, &at, cf_json_type_name(CF_JSON_STRING), first);
    return cf_json_str(first);
}

void cf_caller_decode(struct cf_fields *r, const struct cf_path *at, const struct cf_json *user,
                      const char *name_key, const char *groups_key, struct cf_caller *out)
{
    struct cf_path extra_at = CF_PATH_KEY(at, "extra");
    const struct cf_json *extras = cf_field_object(r, at, user, "extra");

    out->username = cf_str_or_empty(cf_field_str(r, at, user, name_key));
    out->uid = cf_field_str(r, at, user, "uid");
    out->groups = cf_field_strings(r, at, user, groups_key, &out->group_count);
    out->credential_id = extra_value(r, &extra_at, extras, EXTRA "credential-id");
    out->pod_name = extra_value(r, &extra_at, extras, EXTRA "pod-name");
    out->pod_uid = extra_value(r, &extra_at, extras, EXTRA "pod-uid");
    out->node_name = extra_value(r, &extra_at, extras, EXTRA "node-name");
    if (!caller_split(r->arena, out))
        cf_field_fail_memory(r);
}

/* ---- workloads ---- */

/* "web" of "web-7fddb57d69", where the pod's label has the same hash. */
static const char *without_hash(struct cf_arena *arena, const char *owner, const char *hash)
{
    return cf_arena_strndup(arena, owner, strlen(owner) - strlen(hash) - 1);
}

/* "nightly" of "nightly-29123456", to which the CronJob appended the minute. */
static const char *without_digits(struct cf_arena *arena, const char *owner)
{
    size_t len = strlen(owner), digits = 0;

    while (digits < len && owner[len - 1 - digits] >= '0' && owner[len - 1 - digits] <= '9')
        digits++;
    if (digits == 0 || len < digits + 2 || owner[len - 1 - digits] != '-')
        return owner;
    return cf_arena_strndup(arena, owner, len - 1 - digits);
}

static const char *workload_of_owner(struct cf_arena *arena, const struct cf_object *object)
{
    if (object->template_hash != NULL)
        return without_hash(arena, object->owner_name, object->template_hash);
    if (cf_streq(object->owner_kind, "Job"))
        return without_digits(arena, object->owner_name);
    return object->owner_name;
}

static const char *without_dash(struct cf_arena *arena, const char *generate_name)
{
    size_t len = strlen(generate_name);

    if (len > 0 && generate_name[len - 1] == '-')
        return cf_arena_strndup(arena, generate_name, len - 1);
    return generate_name;
}

const char *cf_object_workload(struct cf_arena *arena, const struct cf_object *object)
{
    if (!cf_str_empty(object->owner_name))
        return workload_of_owner(arena, object);
    if (!cf_str_empty(object->generate_name))
        return without_dash(arena, object->generate_name);
    return NULL;
}

const char *cf_workload_name(struct cf_arena *arena, const struct cf_request *request)
{
    const struct cf_object *object = request->object;
    const char *name;

    if (object == NULL || request->kind == CF_KIND_TOKEN_REQUEST)
        name = request->name;
    else
        name = cf_object_workload(arena, object);
    if (cf_str_empty(name))
        name = cf_str_empty(request->name) && object != NULL ? object->name : request->name;
    return cf_str_or_empty(name);
}

size_t cf_workload_names(struct cf_arena *arena, const struct cf_request *request,
                         const char *names[CF_WORKLOAD_NAMES])
{
    const struct cf_object *object = request->object;

    names[0] = cf_workload_name(arena, request);
    if (object == NULL || cf_streq(object->owner_kind, "ReplicaSet") ||
        cf_str_empty(object->owner_name) || cf_streq(object->owner_name, names[0]))
        return 1;
    names[1] = object->owner_name;
    return 2;
}
