/* SPDX-License-Identifier: Apache-2.0 */
/* request.h - the typed request of a review, and its caller. */
#ifndef CURFEW_REQUEST_H
#define CURFEW_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "curfew/arena.h"
#include "curfew/fields.h"
#include "curfew/object.h"

struct cf_boundary;

/* Only authorization sees reads. */
enum cf_operation { CF_CREATE, CF_UPDATE, CF_DELETE, CF_CONNECT, CF_READ };
#define CF_OPERATIONS 5
/* The operation of a review that could not be read, where the operation is unknown, too. */
#define CF_OPERATION_UNKNOWN ((enum cf_operation)CF_OPERATIONS)
const char *cf_operation_name(enum cf_operation operation); /* "CREATE", ..., "unknown" */

struct cf_caller {
    const char *username; /* "" for a manifest on disk */
    const char *uid;
    const char **groups;
    size_t group_count;
    const char *credential_id; /* extra authentication.kubernetes.io/credential-id */
    const char *pod_name;      /* extra authentication.kubernetes.io/pod-name */
    const char *pod_uid;       /* extra authentication.kubernetes.io/pod-uid */
    const char *node_name;     /* extra authentication.kubernetes.io/node-name */
    /* Of system:serviceaccount:<namespace>:<account>; NULL: not a ServiceAccount. */
    const char *namespace, *account;
};

bool cf_caller_in_group(const struct cf_caller *caller, const char *group);
/* system:kube-controller-manager or system:apiserver. */
bool cf_caller_is_control_plane(const struct cf_caller *caller);
/* A node's own identity: group system:nodes and a username system:node:<name>. */
bool cf_caller_is_node(const struct cf_caller *caller);
/* A controller of the control plane, or a ServiceAccount of kube-system: it ignores warnings. */
bool cf_caller_is_controller(const struct cf_caller *caller);
/* system:serviceaccount:<namespace>:<name>, exactly. */
bool cf_caller_is_account(const struct cf_caller *caller, const char *namespace, const char *name);
/* A ServiceAccount whose request carries no credential id that begins with JTI=, and no pod: a
 * legacy token, or an impersonation, which looks the same (Kubernetes 1.32 and newer). */
bool cf_caller_is_legacy_token(const struct cf_caller *caller);
/* ServiceAccountTokenJTI is on by default from 1.30, and cannot be off from here on. */
#define CF_CREDENTIAL_ID_MINOR 32

/* The typed request, which review/ or the CLI decodes. It is const from then on: what is looked up
 * about it is in struct cf_lookups (rule.h). */
struct cf_request {
    const char *uid;
    enum cf_operation operation;
    bool dry_run;
    const char *resource;    /* "pods"; "" for a manifest on disk */
    const char *subresource; /* "" for none */
    const char *namespace;   /* "" for cluster-scoped objects */
    const char *name;        /* "" when it is generated */
    struct cf_caller caller;
    enum cf_kind kind;            /* CF_KIND_OTHER: no rule reads it */
    struct cf_object *object;     /* NULL on DELETE, and for other kinds */
    struct cf_object *old_object; /* NULL on CREATE, and for other kinds */
    bool manifest;                /* from a file, which the user of the CLI can read anyway */
    struct cf_boundary *boundary; /* the query of node-boundary; NULL: it does not apply */
    bool authorize;               /* of /authorize: there is no object */
    bool holds_secret;            /* the content of a Secret or ConfigMap, or a string that may be a
                                   * token, came with it */
};

/* ---- decoding ---- */

/* Decodes the caller from `user`, whose path is `at`. The keys of the name and the groups differ
 * between userInfo and the spec of a SubjectAccessReview. Failures stay with the reader. */
void cf_caller_decode(struct cf_fields *r, const struct cf_path *at, const struct cf_json *user,
                      const char *name_key, const char *groups_key, struct cf_caller *out);

/* "CREATE", "UPDATE", "DELETE" or "CONNECT"; false for any other text. */
bool cf_operation_parse(const char *text, enum cf_operation *out);

/* ---- the name of a workload, the same for every replica ---- */

/* The name that exceptions match and messages use, the same for every replica: the controller
 * owner's name (less the pod template's hash, or a CronJob Job's digits), else generateName
 * (less its last '-'), else the name. */
const char *cf_workload_name(struct cf_arena *arena, const struct cf_request *request);

#define CF_WORKLOAD_NAMES 2

/* The names by which exceptions match the object: cf_workload_name() first, then the full name of
 * the owner where that differs, since the name of a Job may end in digits without a CronJob. A
 * ReplicaSet counts by its short name only, since the full one is generated. Returns how many. */
size_t cf_workload_names(struct cf_arena *arena, const struct cf_request *request,
                         const char *names[CF_WORKLOAD_NAMES]);

#endif
