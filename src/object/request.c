/* SPDX-License-Identifier: Apache-2.0 */
/* request.c - who asks (k8s.io/api authentication/v1 UserInfo, authorization/v1
 * SubjectAccessReviewSpec). */
#include "curfew/str.h"
#include "curfew/request.h"

#define EXTRA "authentication.kubernetes.io/"

/* The first value of extra[key]. */
static const char *extra(struct cf_fields *r, const struct cf_path *up,
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
    out->credential_id = extra(r, &extra_at, extras, EXTRA "credential-id");
    out->pod_name = extra(r, &extra_at, extras, EXTRA "pod-name");
    out->pod_uid = extra(r, &extra_at, extras, EXTRA "pod-uid");
    out->node_name = extra(r, &extra_at, extras, EXTRA "node-name");
    if (!cf_caller_split(r->arena, out))
        cf_field_fail_memory(r);
}
