/* SPDX-License-Identifier: Apache-2.0 */
/* caller.c - who is asking, as userInfo tells it. */
#include <stdlib.h>
#include <string.h>

#include "curfew/request.h"
#include "curfew/str.h"

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

/* k8s.io/kubernetes pkg/auth/nodeidentifier: both, or it is no node. */
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

/* k8s.io/apiserver authentication/serviceaccount SplitUsername: two parts, none of them empty. */
bool cf_caller_split(struct cf_arena *arena, struct cf_caller *caller)
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

const char *cf_operation_name(enum cf_operation operation)
{
    static const char *const names[CF_OPERATIONS + 1] = {
        [CF_CREATE] = "CREATE",   [CF_UPDATE] = "UPDATE", [CF_DELETE] = "DELETE",
        [CF_CONNECT] = "CONNECT", [CF_READ] = "READ",     [CF_OPERATION_UNKNOWN] = "unknown",
    };

    return names[operation];
}
