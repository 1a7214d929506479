/* SPDX-License-Identifier: Apache-2.0 */
/* object.h - Kubernetes objects as rules see them: typed, checked, and only what some rule reads.
 *
 * Decoding is the one place that checks JSON types: a member of the wrong type makes the review
 * unreadable, so rules need not check them. Everything here borrows from the document and lives in
 * its arena. Absent strings are NULL. */
#ifndef CURFEW_OBJECT_H
#define CURFEW_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "curfew/arena.h"
#include "curfew/config.h"
#include "curfew/err.h"
#include "curfew/json.h"
#include "curfew/path.h"

/* Kinds of objects that rules evaluate, one bit each. */
enum cf_kind {
    CF_KIND_OTHER = 0, /* no rule reads it */
    CF_KIND_POD = 1 << 0,
    CF_KIND_TEMPLATE = 1 << 1, /* every workload with a pod template */
    CF_KIND_SECRET = 1 << 2,
    CF_KIND_SERVICE_ACCOUNT = 1 << 3,
    CF_KIND_TOKEN_REQUEST = 1 << 4,
    CF_KIND_CSI_DRIVER = 1 << 5,
    CF_KIND_CONFIG_MAP = 1 << 6,
    CF_KIND_NAMESPACE = 1 << 7,
};

/* What the store knows about the Secret of a name. */
enum cf_secret_state {
    CF_SECRET_UNKNOWN, /* not listed (yet) */
    CF_SECRET_PLAIN,   /* absent, or of another type */
    CF_SECRET_LEGACY,  /* of type kubernetes.io/service-account-token */
};

/* What was looked up of a Secret. */
struct cf_secret_facts {
    enum cf_secret_state state;
    const char *owner; /* a legacy Secret's ServiceAccount; NULL: it names none */
};

/* A place that names a Secret of the object's namespace. */
struct cf_secret_ref {
    const struct cf_path *at; /* of the name */
    const char *name;
    size_t index; /* among those of the object: of its facts in cf_lookups */
};

/* An item of a secret, configMap or downwardAPI source. */
struct cf_item {
    const char *key; /* NULL in a downwardAPI */
    const char *path;
    int64_t mode; /* -1: none */
};

struct cf_items {
    const struct cf_item *items;
    size_t count;
};

#define CF_MODE_NONE ((int64_t)-1)
#define CF_MODE_DEFAULT ((int64_t)0644) /* what the API server fills in for defaultMode */

/* expirationSeconds as it was given. */
struct cf_expiration {
    const struct cf_path *at;
    bool given;      /* false: absent or null, counts as 3600 */
    bool no_parent;  /* the object that it would be a member of is absent or null, too */
    int64_t seconds; /* 3600 where not given */
};

enum cf_source_type {
    CF_SOURCE_OTHER,
    CF_SOURCE_TOKEN,
    CF_SOURCE_SECRET,
    CF_SOURCE_CONFIG_MAP,
    CF_SOURCE_DOWNWARD_API,
};

/* One source of a projected volume. */
struct cf_volume_source {
    const struct cf_path *at; /* spec.volumes[i].projected.sources[j] */
    size_t index;
    enum cf_source_type type;
    const char *token_path; /* CF_SOURCE_TOKEN */
    const char *audience;
    const struct cf_path *audience_at;
    struct cf_expiration expiration;
    struct cf_secret_ref *secret; /* CF_SOURCE_SECRET */
    const char *config_map;       /* CF_SOURCE_CONFIG_MAP */
    struct cf_items items;        /* of secret, configMap, downwardAPI */
    const char *other_paths[3];   /* files that clusterTrustBundle and podCertificate write */
    bool mixed;                   /* of several types, so not valid */
};

enum cf_volume_type { CF_VOLUME_OTHER, CF_VOLUME_SECRET, CF_VOLUME_PROJECTED };

struct cf_volume {
    const struct cf_path *at; /* spec.volumes[i] */
    size_t index;
    const char *name;   /* as it is written, for a patch */
    const char *called; /* the same, shortened (cf_name_fit) */
    enum cf_volume_type type;
    struct cf_secret_ref
        *secret;            /* of CF_VOLUME_SECRET, and of any other type that refers to one */
    const char *secret_via; /* of another type: "csi.nodePublishSecretRef", ... */
    const char *driver;     /* of csi and flexVolume with such a Secret; NULL: none */
    struct cf_items items;  /* CF_VOLUME_SECRET */
    int64_t default_mode;   /* CF_MODE_NONE when absent */
    struct cf_volume_source *sources; /* CF_VOLUME_PROJECTED */
    size_t source_count;
    bool mixed; /* of several types, so not valid */
    /* The first container that mounts it with subPath or subPathExpr; NULL: no container does. */
    const char *sub_path_container;
};

/* Where a container mounts a volume with a projected token for the API server. */
struct cf_token_mount {
    const char *path;               /* mountPath */
    const struct cf_volume *volume; /* NULL: the container mounts none */
};

/* An environment variable, or a whole environment, that comes from a Secret. */
struct cf_env_ref {
    struct cf_secret_ref secret;
    const char *container;
    const char *variable; /* NULL: envFrom */
    const char *key;      /* of the Secret; NULL: all of it */
    bool ephemeral;       /* the container is */
    struct cf_token_mount token;
};

/* A string of a container or a volume that may hold a copied token. Only strings that could hold
 * one are kept (cf_token_may_hold): very few. */
struct cf_text {
    const struct cf_path *at;
    const char *container; /* NULL: the string is of a volume */
    const char *volume;
    const char *field; /* "env", "command", "args", "livenessProbe", "postStart", ...,
                        * "csi.volumeAttributes", "flexVolume.options" */
    const char *part;  /* of a probe or a hook: "path", "host", "service"; NULL: a header, a word */
    const char *name;  /* of the variable, the header or the attribute; NULL: none */
    const char *text;  /* must not be printed */
};

/* Strings by name: annotations, and the content of a Secret or a ConfigMap. */
struct cf_text_map {
    const struct cf_path *at;
    const struct cf_json *values; /* each is a string or null; NULL: no map */
};

struct cf_pod_spec {
    const struct cf_path *at;
    const char *account;   /* serviceAccountName, else serviceAccount, else "default" */
    const char *node_name; /* NULL: not bound to a node */
    bool no_automount;     /* automountServiceAccountToken: false */
    struct cf_volume *volumes;
    size_t volume_count;
    struct cf_env_ref *env; /* containers in the order init, regular, ephemeral */
    size_t env_count;
    struct cf_text *texts; /* of the volumes, then of the containers in the same order */
    size_t text_count;
};

struct cf_secret {
    bool legacy_type;
    const char *account;       /* annotation kubernetes.io/service-account.name */
    const char *account_uid;   /* annotation kubernetes.io/service-account.uid */
    const char *invalid_since; /* label kubernetes.io/legacy-token-invalid-since */
    /* These must not be printed: */
    const char *token;       /* data.token of the legacy type */
    const char *any_token;   /* data.token of any type, base64 */
    const char *plain_token; /* stringData.token, which the API server writes over data.token */
};

struct cf_service_account {
    const char *restricted_by_node; /* the annotation; NULL: absent */
    struct cf_secret_ref *secrets;  /* secrets[].name */
    size_t secret_count;
    const struct cf_json *labels; /* NULL: no labels */
};

struct cf_token_request {
    struct cf_expiration expiration;
    const char **audiences;
    size_t audience_count;
    const char *bound_kind; /* NULL: not bound to an object */
    const char *bound_name;
    const char *bound_uid; /* NULL: not given */
};

/* CSIDriver spec.tokenRequests[] */
struct cf_csi_token {
    const char *audience;
    const struct cf_path *audience_at;
    struct cf_expiration expiration;
};

struct cf_csi_driver {
    struct cf_csi_token *tokens;
    size_t token_count;
};

struct cf_namespace {
    const char *labels[CF_MODES];     /* the level labels' values; NULL: absent */
    const struct cf_json *all_labels; /* NULL: no labels */
};

/* The maps of a Secret or a ConfigMap: data, stringData, binaryData. */
#define CF_CONTENTS 3

struct cf_object {
    const struct cf_json *json;
    enum cf_kind kind;
    const char *kind_name; /* for messages: "pod", "deployment", "token request", ... */
    const char *name;
    const char *generate_name;
    const char *owner_kind; /* the owner reference with controller: true; NULL: no owner */
    const char *owner_name;
    /* What follows the last '-' of the owner's name, if a label *-template-hash has the same value;
     * else NULL. */
    const char *template_hash;
    const char *fixed_by; /* the annotation curfew.dev/fixed; no rule trusts it */
    bool has_metadata, has_annotations;
    bool mirror; /* the annotation kubernetes.io/config.mirror */
    struct cf_text_map annotations;
    size_t secret_ref_count; /* above every index of a cf_secret_ref */

    struct cf_pod_spec pod;                   /* CF_KIND_POD, CF_KIND_TEMPLATE */
    struct cf_text_map pod_annotations;       /* of the template, CF_KIND_TEMPLATE */
    struct cf_text_map contents[CF_CONTENTS]; /* CF_KIND_SECRET, CF_KIND_CONFIG_MAP */
    union {
        struct cf_secret secret;
        struct cf_service_account account;
        struct cf_token_request token_request;
        struct cf_csi_driver csi_driver;
        struct cf_namespace namespace;
    };
};

/* One entry of the map from kinds to what Curfew reads of them. */
struct cf_kind_info {
    const char *group; /* "" is the core group */
    const char *kind;
    enum cf_kind bit;
    const char *resource; /* in requests: "pods", or RESOURCE/SUBRESOURCE */
    const char *spoken;   /* in messages: "pod", "cronjob", "token request" */
    const char *pod_spec; /* JSON Pointer to the pod spec; NULL: no pod spec */
    bool cluster_scoped;
};

/* All kinds that a rule reads. */
#define CF_KIND_INFOS 15
extern const struct cf_kind_info cf_kind_infos[CF_KIND_INFOS];

/* Finds a kind by group and kind, at any version; NULL when no rule reads it. The workloads are
 * found in their former group "extensions", too. */
const struct cf_kind_info *cf_kind_find(const char *group, const char *kind);

/* "apps" of "apps/v1", "" of "v1" or NULL; in the arena. NULL: out of memory. */
const char *cf_api_group(struct cf_arena *arena, const char *api_version);

/* A name for keys and messages: the name itself, or, where it is longer than any valid name
 * (CF_NAME_MAX), its beginning and a hash of the whole. In the arena; "" when that is out of memory
 * (cf_arena_failed). NULL for NULL. */
const char *cf_name_fit(struct cf_arena *arena, const char *name);

/* Whether the text is a DNS subdomain, as names of objects are, and so safe in a command that users
 * paste into a shell. Names from manifests have not been validated by an API server. */
bool cf_is_object_name(const char *text);

/* Decodes an object of a known kind. `where` begins the paths in messages ("request.object."
 * or ""). -1: out of memory, or a member that rules read has the wrong JSON type, or is not an
 * integer within int64; the error names its path. */
int cf_object_decode(struct cf_arena *arena, const struct cf_json *json,
                     const struct cf_kind_info *info, const char *where, struct cf_object *out,
                     struct cf_err *err);

/* Calls `visit` for each place of the object that names a Secret. */
void cf_object_secret_refs(const struct cf_object *object,
                           void (*visit)(const struct cf_secret_ref *ref, void *arg), void *arg);

/* Whether the object's annotations or pod spec hold a string that may be a token. Then the bytes of
 * the review must be treated as those of a Secret. */
bool cf_object_may_hold_token(const struct cf_object *object);

/* The suffix of the label that holds the hash of a pod template: pod-template-hash of a Deployment,
 * rollouts-pod-template-hash of an Argo Rollout, ... */
#define CF_TEMPLATE_HASH "-template-hash"

/* The workload's name, from the controller owner or generateName (see cf_workload_name, which reads
 * the request as well), in the arena. NULL: neither is set. */
const char *cf_object_workload(struct cf_arena *arena, const struct cf_object *object);

#define CF_SA_TOKEN_TYPE "kubernetes.io/service-account-token"
#define CF_SA_NAME_ANNOTATION "kubernetes.io/service-account.name"
#define CF_SA_UID_ANNOTATION "kubernetes.io/service-account.uid"
#define CF_INVALID_SINCE_LABEL "kubernetes.io/legacy-token-invalid-since"
#define CF_LAST_USED_LABEL "kubernetes.io/legacy-token-last-used"
#define CF_RESTRICTED_ANNOTATION "rbac.kubernetes.io/restricted-by-node"
#define CF_FIXED_ANNOTATION "curfew.dev/fixed"
#define CF_MIRROR_ANNOTATION "kubernetes.io/config.mirror"
#define CF_APPLIED_ANNOTATION "kubectl.kubernetes.io/last-applied-configuration"
#define CF_ROOT_CA_CONFIG_MAP "kube-root-ca.crt"
/* Where the token and the files beside it are mounted by default. */
#define CF_TOKEN_DIR "/var/run/secrets/kubernetes.io/serviceaccount"

#endif
