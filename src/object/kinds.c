/* SPDX-License-Identifier: Apache-2.0 */
/* kinds.c - the one map from kind to pod spec.
 *
 * Matched by group and kind at any version: the API server converts to the version that a
 * webhook asked for, and manifests on disk come in all of them. */
#include <string.h>

#include "curfew/object.h"
#include "curfew/str.h"

#define IN_TEMPLATE "/spec/template/spec"

static const struct cf_kind_info kinds[] = {
    {"", "Pod", CF_KIND_POD, "pod", "/spec", false},
    {"", "PodTemplate", CF_KIND_TEMPLATE, "podtemplate", "/template/spec", false},
    {"", "ReplicationController", CF_KIND_TEMPLATE, "replicationcontroller", IN_TEMPLATE, false},
    {"apps", "Deployment", CF_KIND_TEMPLATE, "deployment", IN_TEMPLATE, false},
    {"apps", "ReplicaSet", CF_KIND_TEMPLATE, "replicaset", IN_TEMPLATE, false},
    {"apps", "StatefulSet", CF_KIND_TEMPLATE, "statefulset", IN_TEMPLATE, false},
    {"apps", "DaemonSet", CF_KIND_TEMPLATE, "daemonset", IN_TEMPLATE, false},
    {"batch", "Job", CF_KIND_TEMPLATE, "job", IN_TEMPLATE, false},
    {"batch", "CronJob", CF_KIND_TEMPLATE, "cronjob", "/spec/jobTemplate/spec/template/spec",
     false},
    {"", "Secret", CF_KIND_SECRET, "secret", NULL, false},
    {"", "ConfigMap", CF_KIND_CONFIG_MAP, "configmap", NULL, false},
    {"", "ServiceAccount", CF_KIND_SERVICE_ACCOUNT, "serviceaccount", NULL, false},
    {"authentication.k8s.io", "TokenRequest", CF_KIND_TOKEN_REQUEST, "token request", NULL, false},
    {"storage.k8s.io", "CSIDriver", CF_KIND_CSI_DRIVER, "csidriver", NULL, true},
    {"", "Namespace", CF_KIND_NAMESPACE, "namespace", NULL, true},
};

/* extensions/v1beta1 was the home of these until Kubernetes 1.16. */
static bool same_group(const struct cf_kind_info *info, const char *group)
{
    return cf_streq(info->group, group) ||
           (cf_streq(group, "extensions") && cf_streq(info->group, "apps"));
}

const struct cf_kind_info *cf_kind_find(const char *group, const char *kind)
{
    if (group == NULL || kind == NULL)
        return NULL;
    for (size_t i = 0; i < CF_COUNT(kinds); i++) {
        if (cf_streq(kinds[i].kind, kind) && same_group(&kinds[i], group))
            return &kinds[i];
    }
    return NULL;
}

const char *cf_api_group(struct cf_arena *arena, const char *api_version)
{
    const char *slash = api_version != NULL ? strchr(api_version, '/') : NULL;

    if (slash == NULL)
        return "";
    return cf_arena_strndup(arena, api_version, (size_t)(slash - api_version));
}
