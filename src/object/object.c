/* SPDX-License-Identifier: Apache-2.0 */
/* object.c - the kinds that rules know, and decoding a document into a typed object. */
#include <string.h>

#include "curfew/limits.h"
#include "curfew/object.h"
#include "curfew/podspec.h"
#include "curfew/str.h"
#include "curfew/token.h"

/* ---- kinds ---- */

/* The one map from kind to pod spec. The API server converts objects to the version that a webhook
 * registers for, and manifests on disk come in all versions: so the version does not count. */
#define IN_TEMPLATE "/spec/template/spec"

const struct cf_kind_info cf_kind_infos[CF_KIND_INFOS] = {
    {"", "Pod", CF_KIND_POD, "pods", "pod", "/spec", false},
    {"", "PodTemplate", CF_KIND_TEMPLATE, "podtemplates", "podtemplate", "/template/spec", false},
    {"", "ReplicationController", CF_KIND_TEMPLATE, "replicationcontrollers",
     "replicationcontroller", IN_TEMPLATE, false},
    {"apps", "Deployment", CF_KIND_TEMPLATE, "deployments", "deployment", IN_TEMPLATE, false},
    {"apps", "ReplicaSet", CF_KIND_TEMPLATE, "replicasets", "replicaset", IN_TEMPLATE, false},
    {"apps", "StatefulSet", CF_KIND_TEMPLATE, "statefulsets", "statefulset", IN_TEMPLATE, false},
    {"apps", "DaemonSet", CF_KIND_TEMPLATE, "daemonsets", "daemonset", IN_TEMPLATE, false},
    {"batch", "Job", CF_KIND_TEMPLATE, "jobs", "job", IN_TEMPLATE, false},
    {"batch", "CronJob", CF_KIND_TEMPLATE, "cronjobs", "cronjob",
     "/spec/jobTemplate/spec/template/spec", false},
    {"", "Secret", CF_KIND_SECRET, "secrets", "secret", NULL, false},
    {"", "ConfigMap", CF_KIND_CONFIG_MAP, "configmaps", "configmap", NULL, false},
    {"", "ServiceAccount", CF_KIND_SERVICE_ACCOUNT, "serviceaccounts", "serviceaccount", NULL,
     false},
    {"authentication.k8s.io", "TokenRequest", CF_KIND_TOKEN_REQUEST, "serviceaccounts/token",
     "token request", NULL, false},
    {"storage.k8s.io", "CSIDriver", CF_KIND_CSI_DRIVER, "csidrivers", "csidriver", NULL, true},
    {"", "Namespace", CF_KIND_NAMESPACE, "namespaces", "namespace", NULL, true},
};

/* The workloads of apps were in extensions/v1beta1, too, until Kubernetes 1.16. */
static bool is_in_group(const struct cf_kind_info *info, const char *group)
{
    return cf_streq(info->group, group) ||
           (cf_streq(group, "extensions") && cf_streq(info->group, "apps"));
}

const struct cf_kind_info *cf_kind_find(const char *group, const char *kind)
{
    if (group == NULL || kind == NULL)
        return NULL;
    for (size_t i = 0; i < CF_KIND_INFOS; i++) {
        if (cf_streq(cf_kind_infos[i].kind, kind) && is_in_group(&cf_kind_infos[i], group))
            return &cf_kind_infos[i];
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

/* ---- names ---- */

/* How much of a long name stays in front of "...#" and the hash. 100,000 findings may repeat one
 * name, so it is not copied, compared or even measured as a whole each time. */
#define SHOWN (CF_NAME_MAX - CF_TEXT_HASH - 4)

const char *cf_name_fit(struct cf_arena *arena, const char *name)
{
    char hash[CF_TEXT_HASH + 1];
    const char *fit;
    size_t shown = SHOWN;

    if (name == NULL || strnlen(name, CF_NAME_MAX + 1) <= CF_NAME_MAX)
        return name;
    /* Not in the middle of a character. */
    while (shown > 0 && ((unsigned char)name[shown] & 0xC0) == 0x80)
        shown--;
    cf_text_hash(name, strlen(name), hash);
    fit = cf_arena_printf(arena, "%.*s...#%s", (int)shown, name, hash);
    return cf_str_or_empty(fit);
}

bool cf_is_object_name(const char *text)
{
    size_t len = text != NULL ? strnlen(text, CF_NAME_MAX + 1) : 0;

    return len > 0 && len <= CF_NAME_MAX && text[0] != '-' &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-.") == len;
}

/* ---- metadata ---- */

/* What follows the last '-' of the owner's name, if it could be a hash; else NULL. */
static const char *last_part(const char *owner)
{
    const char *dash = owner != NULL ? strrchr(owner, '-') : NULL;
    size_t len = dash != NULL ? strlen(dash + 1) : 0;

    if (len == 0 || dash == owner ||
        strspn(dash + 1, "abcdefghijklmnopqrstuvwxyz0123456789") != len)
        return NULL;
    return dash + 1;
}

/* Deployments, Argo Rollouts and similar controllers append a hash of the pod template to their own
 * name when they name a ReplicaSet, and set it as a label of its pods. */
static void template_hash_decode(struct cf_fields *r, const struct cf_path *up,
                                 const struct cf_json *labels, struct cf_object *out)
{
    struct cf_path labels_at = CF_PATH_KEY(up, "labels");
    const char *hash = last_part(out->owner_name);

    for (const struct cf_json *v = cf_json_first(labels); v != NULL; v = cf_json_next(v)) {
        struct cf_path at = CF_PATH_KEY(&labels_at, cf_json_key(v));

        if (!cf_ends_with(cf_json_key(v), CF_TEMPLATE_HASH) || cf_json_is_null(v))
            continue;
        if (cf_json_str(v) == NULL)
            cf_field_fail(r, &at, cf_json_type_name(CF_JSON_STRING), v);
        else if (hash != NULL && cf_streq(cf_json_str(v), hash))
            out->template_hash = hash;
    }
}

static void owner_decode(struct cf_fields *r, const struct cf_path *up, const struct cf_json *meta,
                         struct cf_object *out)
{
    const struct cf_json *v = cf_json_first(cf_field_array(r, up, meta, "ownerReferences"));
    struct cf_path list = CF_PATH_KEY(up, "ownerReferences");

    for (size_t i = 0; v != NULL && !r->failed; v = cf_json_next(v), i++) {
        struct cf_path at = CF_PATH_INDEX(&list, i);

        if (!cf_field_is_object(r, &at, v) || !cf_field_bool(r, &at, v, "controller"))
            continue;
        out->owner_kind = cf_field_str(r, &at, v, "kind");
        out->owner_name = cf_name_fit(r->arena, cf_field_str(r, &at, v, "name"));
        return;
    }
}

void cf_owner_decode(struct cf_fields *r, const struct cf_path *up, const struct cf_json *meta,
                     const struct cf_json *labels, struct cf_object *out)
{
    owner_decode(r, up, meta, out);
    template_hash_decode(r, up, labels, out);
}

static void secret_decode(struct cf_fields *r, const struct cf_json *json,
                          const struct cf_json *labels, const struct cf_json *annotations,
                          struct cf_secret *out)
{
    struct cf_path meta = CF_PATH_KEY(NULL, "metadata"), data_at = CF_PATH_KEY(NULL, "data");
    struct cf_path labels_at = CF_PATH_KEY(&meta, "labels");
    struct cf_path annotations_at = CF_PATH_KEY(&meta, "annotations");
    struct cf_path plain_at = CF_PATH_KEY(NULL, "stringData");
    const struct cf_json *data = cf_field_object(r, NULL, json, "data");
    const struct cf_json *plain = cf_field_object(r, NULL, json, "stringData");

    out->legacy_type = cf_streq(cf_field_str(r, NULL, json, "type"), CF_SA_TOKEN_TYPE);
    out->account = cf_field_str(r, &annotations_at, annotations, CF_SA_NAME_ANNOTATION);
    out->account_uid = cf_field_str(r, &annotations_at, annotations, CF_SA_UID_ANNOTATION);
    out->invalid_since = cf_field_str(r, &labels_at, labels, CF_INVALID_SINCE_LABEL);
    out->any_token = cf_field_str(r, &data_at, data, "token");
    if (out->legacy_type)
        out->token = out->any_token;
    out->plain_token = cf_field_str(r, &plain_at, plain, "token");
    /* The API server reads null as an empty string. */
    if (cf_json_get(plain, "token") != NULL)
        out->plain_token = cf_str_or_empty(out->plain_token);
}

/* The content of a Secret or a ConfigMap; neither has all three maps. Of a legacy Secret, rules
 * read the token only. */
static void contents_decode(struct cf_fields *r, const struct cf_json *json, struct cf_object *out)
{
    static const char *const keys[CF_CONTENTS] = {"data", "stringData", "binaryData"};

    if (out->kind == CF_KIND_SECRET && out->secret.legacy_type)
        return;
    for (size_t i = 0; i < CF_CONTENTS; i++)
        cf_text_map_decode(r, NULL, json, keys[i], &out->contents[i]);
}

static void account_decode(struct cf_fields *r, const struct cf_json *json,
                           const struct cf_json *labels, const struct cf_json *annotations,
                           struct cf_service_account *out)
{
    struct cf_path meta = CF_PATH_KEY(NULL, "metadata");
    struct cf_path annotations_at = CF_PATH_KEY(&meta, "annotations");
    const struct cf_json *array = cf_field_array(r, NULL, json, "secrets"), *v;
    const struct cf_path *list = cf_field_key(r, NULL, "secrets");
    size_t n = 0;

    out->labels = labels;
    out->restricted_by_node =
        cf_field_str(r, &annotations_at, annotations, CF_RESTRICTED_ANNOTATION);
    out->secrets = cf_field_room(r, array, sizeof(*out->secrets));
    if (out->secrets == NULL)
        return;
    for (v = cf_json_first(array); v != NULL && !r->failed; v = cf_json_next(v), n++) {
        struct cf_path here = CF_PATH_INDEX(list, n);
        const struct cf_path *at;

        if (!cf_field_is_object(r, &here, v))
            return;
        if (cf_str_empty(cf_field_str(r, &here, v, "name")))
            continue;
        at = cf_field_index(r, list, n);
        if (cf_secret_ref_decode(r, at, v, "name", &out->secrets[out->secret_count]))
            out->secret_count++;
    }
}

static void token_request_decode(struct cf_fields *r, const struct cf_json *json,
                                 struct cf_token_request *out)
{
    const struct cf_json *spec = cf_field_object(r, NULL, json, "spec");
    const struct cf_path *at = cf_field_key(r, NULL, "spec");
    struct cf_path ref_at = CF_PATH_KEY(at, "boundObjectRef");
    const struct cf_json *ref = cf_field_object(r, at, spec, "boundObjectRef");

    cf_expiration_decode(r, at, spec, &out->expiration);
    out->audiences = cf_field_strings(r, at, spec, "audiences", &out->audience_count);
    if (ref == NULL)
        return;
    out->bound_kind = cf_str_or_empty(cf_field_str(r, &ref_at, ref, "kind"));
    out->bound_name = cf_str_or_empty(cf_field_str(r, &ref_at, ref, "name"));
    out->bound_uid = cf_field_str(r, &ref_at, ref, "uid");
}

static void csi_driver_decode(struct cf_fields *r, const struct cf_json *json,
                              struct cf_csi_driver *out)
{
    const struct cf_path *at = cf_field_key(r, NULL, "spec");
    const struct cf_path *list = cf_field_key(r, at, "tokenRequests");
    const struct cf_json *array =
        cf_field_array(r, at, cf_field_object(r, NULL, json, "spec"), "tokenRequests");
    const struct cf_json *v;
    size_t n = 0;

    out->tokens = cf_field_room(r, array, sizeof(*out->tokens));
    if (out->tokens == NULL)
        return;
    for (v = cf_json_first(array); v != NULL && !r->failed; v = cf_json_next(v), n++) {
        const struct cf_path *here = cf_field_index(r, list, n);
        struct cf_csi_token *token = &out->tokens[n];

        if (!cf_field_is_object(r, here, v))
            return;
        token->audience = cf_field_str(r, here, v, "audience");
        if (!cf_str_empty(token->audience))
            token->audience_at = cf_field_key(r, here, "audience");
        cf_expiration_decode(r, here, v, &token->expiration);
    }
    out->token_count = n;
}

/* The metadata of a pod template. */
static void template_decode(struct cf_fields *r, const struct cf_path *up,
                            const struct cf_json *template, struct cf_object *out)
{
    struct cf_path at = CF_PATH_KEY(up, "metadata");

    cf_text_map_decode(r, &at, cf_field_object(r, up, template, "metadata"), "annotations",
                       &out->pod_annotations);
}

/* Walks down to the pod spec. A template that is absent or null, as a ReplicationController's may
 * be, counts as empty. */
static void pod_decode(struct cf_fields *r, const struct cf_json *json, const char *pointer,
                       struct cf_object *out)
{
    const struct cf_path *at = NULL;

    for (const char *step = pointer; *step == '/';) {
        size_t len = strcspn(step + 1, "/");
        const char *key = cf_arena_strndup(r->arena, step + 1, len);

        if (key == NULL) {
            cf_field_fail_memory(r);
            return;
        }
        if (step[len + 1] == '\0' && at != NULL)
            template_decode(r, at, json, out);
        json = cf_field_object(r, at, json, key);
        at = cf_field_key(r, at, key);
        step += len + 1;
    }
    cf_pod_spec_decode(r, at, json, &out->pod);
}

static void namespace_decode(struct cf_fields *r, const struct cf_json *labels,
                             struct cf_namespace *out)
{
    struct cf_path meta = CF_PATH_KEY(NULL, "metadata"), at = CF_PATH_KEY(&meta, "labels");

    out->all_labels = labels;
    for (int mode = 0; mode < CF_MODES; mode++)
        out->labels[mode] = cf_field_str(r, &at, labels, cf_mode_label((enum cf_mode)mode));
}

static void metadata_decode(struct cf_fields *r, const struct cf_json *json, struct cf_object *out,
                            const struct cf_json **labels, const struct cf_json **annotations)
{
    struct cf_path at = CF_PATH_KEY(NULL, "metadata");
    struct cf_path annotations_at = CF_PATH_KEY(&at, "annotations");
    const struct cf_json *meta = cf_field_object(r, NULL, json, "metadata");

    *labels = cf_field_object(r, &at, meta, "labels");
    cf_text_map_decode(r, &at, meta, "annotations", &out->annotations);
    *annotations = out->annotations.values;
    out->has_metadata = meta != NULL;
    out->has_annotations = *annotations != NULL;
    out->name = cf_name_fit(r->arena, cf_field_str(r, &at, meta, "name"));
    out->generate_name = cf_name_fit(r->arena, cf_field_str(r, &at, meta, "generateName"));
    out->fixed_by = cf_field_str(r, &annotations_at, *annotations, CF_FIXED_ANNOTATION);
    out->mirror = cf_json_get(*annotations, CF_MIRROR_ANNOTATION) != NULL;
    cf_owner_decode(r, &at, meta, *labels, out);
}

int cf_object_decode(struct cf_arena *arena, const struct cf_json *json,
                     const struct cf_kind_info *info, const char *where, struct cf_object *out,
                     struct cf_err *err)
{
    struct cf_fields r = {.arena = arena, .where = where, .err = err};
    struct cf_object object = {.json = json, .kind = info->bit, .kind_name = info->spoken};
    const struct cf_json *labels, *annotations;

    if (!cf_field_is_object(&r, NULL, json))
        return -1;
    metadata_decode(&r, json, &object, &labels, &annotations);
    if (info->pod_spec != NULL)
        pod_decode(&r, json, info->pod_spec, &object);
    else if (info->bit == CF_KIND_SECRET)
        secret_decode(&r, json, labels, annotations, &object.secret);
    if (info->bit == CF_KIND_SECRET || info->bit == CF_KIND_CONFIG_MAP)
        contents_decode(&r, json, &object);
    else if (info->bit == CF_KIND_SERVICE_ACCOUNT)
        account_decode(&r, json, labels, annotations, &object.account);
    else if (info->bit == CF_KIND_TOKEN_REQUEST)
        token_request_decode(&r, json, &object.token_request);
    else if (info->bit == CF_KIND_CSI_DRIVER)
        csi_driver_decode(&r, json, &object.csi_driver);
    else if (info->bit == CF_KIND_NAMESPACE)
        namespace_decode(&r, labels, &object.namespace);
    if (r.failed)
        return -1;
    object.secret_ref_count = r.secret_refs;
    *out = object;
    return 0;
}

static void visit_volume_secrets(const struct cf_volume *volume,
                                 void (*visit)(const struct cf_secret_ref *ref, void *arg),
                                 void *arg)
{
    if (volume->secret != NULL)
        visit(volume->secret, arg);
    for (size_t i = 0; i < volume->source_count; i++) {
        if (volume->sources[i].secret != NULL)
            visit(volume->sources[i].secret, arg);
    }
}

void cf_object_secret_refs(const struct cf_object *object,
                           void (*visit)(const struct cf_secret_ref *ref, void *arg), void *arg)
{
    for (size_t i = 0; i < object->pod.volume_count; i++)
        visit_volume_secrets(&object->pod.volumes[i], visit, arg);
    for (size_t i = 0; i < object->pod.env_count; i++)
        visit(&object->pod.env[i].secret, arg);
    if (object->kind != CF_KIND_SERVICE_ACCOUNT)
        return;
    for (size_t i = 0; i < object->account.secret_count; i++)
        visit(&object->account.secrets[i], arg);
}
