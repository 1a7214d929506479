/* SPDX-License-Identifier: Apache-2.0 */
/* refs.c - what pods and volumes refer to, place by place; see refs.h. */
#include "curfew/refs.h"

#include "curfew/attr.h"
#include "curfew/str.h"

/* k8s.io/kubernetes pkg/api/v1/pod/util.go, VisitPodSecretNames */
const struct cf_driver cf_drivers[CF_DRIVERS] = {
    {"csi", "nodePublishSecretRef", "name", "csi.nodePublishSecretRef"},
    {"flexVolume", "secretRef", "name", "flexVolume.secretRef"},
    {"azureFile", NULL, "secretName", "azureFile.secretName"},
    {"cephfs", "secretRef", "name", "cephfs.secretRef"},
    {"cinder", "secretRef", "name", "cinder.secretRef"},
    {"iscsi", "secretRef", "name", "iscsi.secretRef"},
    {"rbd", "secretRef", "name", "rbd.secretRef"},
    {"scaleIO", "secretRef", "name", "scaleIO.secretRef"},
    {"storageos", "secretRef", "name", "storageos.secretRef"},
};

#define EXPIRATION_DEFAULT 3600

struct walk {
    struct cf_fields *r;
    const char *pod;
    const char *place;
    void (*visit)(const struct cf_ref *ref, void *arg);
    void *arg;
};

/* The name that the member `key` of `object` gives; `object` may be NULL. */
static void visit_name(const struct walk *walk, enum cf_ref_what what, enum cf_ref_via via,
                       const struct cf_path *up, const struct cf_json *object, const char *key)
{
    const char *name = cf_field_str(walk->r, up, object, key);
    struct cf_path at = CF_PATH_KEY(up, key);

    if (!cf_str_empty(name))
        walk->visit(
            &(struct cf_ref){
                .what = what, .via = via, .name = name, .place = walk->place, .at = &at},
            walk->arg);
}

/* The same for an object that a member of `up` holds: {secretRef: {name: x}}. */
static void visit_name_in(const struct walk *walk, enum cf_ref_what what, enum cf_ref_via via,
                          const struct cf_path *up, const struct cf_json *object,
                          const char *member, const char *key)
{
    struct cf_path at = CF_PATH_KEY(up, member);

    visit_name(walk, what, via, &at, cf_field_object(walk->r, up, object, member), key);
}

/* Calls `visit` for each item of an array of objects. */
static void visit_items(const struct walk *walk, const struct cf_path *up,
                        const struct cf_json *object, const char *key,
                        void (*visit)(const struct walk *walk, const struct cf_path *at,
                                      const struct cf_json *v))
{
    const struct cf_json *v = cf_json_first(cf_field_array(walk->r, up, object, key));
    struct cf_path list = CF_PATH_KEY(up, key);

    for (size_t i = 0; v != NULL && !walk->r->failed; v = cf_json_next(v), i++) {
        struct cf_path at = CF_PATH_INDEX(&list, i);

        if (cf_field_is_object(walk->r, &at, v))
            visit(walk, &at, v);
    }
}

/* ---- containers ---- */

static void visit_ref_env(const struct walk *walk, const struct cf_path *up,
                          const struct cf_json *v)
{
    const struct cf_json *from = cf_field_object(walk->r, up, v, "valueFrom");
    struct cf_path at = CF_PATH_KEY(up, "valueFrom");

    if (from == NULL)
        return;
    visit_name_in(walk, CF_REF_SECRET, CF_VIA_ENV, &at, from, "secretKeyRef", "name");
    visit_name_in(walk, CF_REF_CONFIG_MAP, CF_VIA_ENV, &at, from, "configMapKeyRef", "name");
}

static void visit_ref_env_from(const struct walk *walk, const struct cf_path *at,
                               const struct cf_json *v)
{
    visit_name_in(walk, CF_REF_SECRET, CF_VIA_ENV_FROM, at, v, "secretRef", "name");
    visit_name_in(walk, CF_REF_CONFIG_MAP, CF_VIA_ENV_FROM, at, v, "configMapRef", "name");
}

static void visit_container(const struct walk *walk, const struct cf_path *at,
                            const struct cf_json *v)
{
    struct walk inside = *walk;

    inside.place = cf_str_or_empty(cf_field_str(walk->r, at, v, "name"));
    visit_items(&inside, at, v, "env", visit_ref_env);
    visit_items(&inside, at, v, "envFrom", visit_ref_env_from);
}

/* ---- volumes ---- */

static void visit_token(const struct walk *walk, const struct cf_path *up, const struct cf_json *v)
{
    const struct cf_json *token = cf_field_object(walk->r, up, v, "serviceAccountToken");
    struct cf_path at = CF_PATH_KEY(up, "serviceAccountToken");
    struct cf_ref ref = {.what = CF_REF_TOKEN, .name = "", .place = walk->place, .at = &at};

    if (token == NULL)
        return;
    ref.audience = cf_field_str(walk->r, &at, token, "audience");
    ref.seconds =
        cf_field_int(walk->r, &at, token, "expirationSeconds", EXPIRATION_DEFAULT, &ref.given);
    if (!walk->r->failed)
        walk->visit(&ref, walk->arg);
}

static void visit_source(const struct walk *walk, const struct cf_path *at, const struct cf_json *v)
{
    visit_token(walk, at, v);
    visit_name_in(walk, CF_REF_SECRET, CF_VIA_PROJECTED, at, v, "secret", "name");
    visit_name_in(walk, CF_REF_CONFIG_MAP, CF_VIA_PROJECTED, at, v, "configMap", "name");
}

static void visit_driver(const struct walk *walk, const struct cf_path *up, const struct cf_json *v,
                         size_t index)
{
    const struct cf_driver *driver = &cf_drivers[index];
    const struct cf_json *body = cf_field_object(walk->r, up, v, driver->type);
    struct cf_path at = CF_PATH_KEY(up, driver->type);
    enum cf_ref_via via = (enum cf_ref_via)(CF_VIA_DRIVER + index);

    if (body == NULL)
        return;
    if (driver->ref != NULL)
        visit_name_in(walk, CF_REF_SECRET, via, &at, body, driver->ref, driver->name);
    else
        visit_name(walk, CF_REF_SECRET, via, &at, body, driver->name);
}

/* The claim of an ephemeral volume is made by a controller, under this name. */
static void visit_ephemeral(const struct walk *walk, const struct cf_path *up,
                            const struct cf_json *v)
{
    struct cf_path at = CF_PATH_KEY(up, "ephemeral");
    const char *name;

    if (cf_field_object(walk->r, up, v, "ephemeral") == NULL)
        return;
    name = cf_arena_printf(walk->r->arena, "%s-%s", walk->pod, walk->place);
    if (name == NULL)
        cf_field_fail_memory(walk->r);
    else
        walk->visit(
            &(struct cf_ref){.what = CF_REF_CLAIM, .name = name, .place = walk->place, .at = &at},
            walk->arg);
}

static void visit_ref_volume(const struct walk *walk, const struct cf_path *at,
                             const struct cf_json *v)
{
    struct walk inside = *walk;
    const struct cf_json *projected;
    struct cf_path projected_at = CF_PATH_KEY(at, "projected");

    inside.place = cf_str_or_empty(cf_field_str(walk->r, at, v, "name"));
    visit_name_in(&inside, CF_REF_SECRET, CF_VIA_VOLUME, at, v, "secret", "secretName");
    visit_name_in(&inside, CF_REF_CONFIG_MAP, CF_VIA_VOLUME, at, v, "configMap", "name");
    visit_name_in(&inside, CF_REF_CLAIM, CF_VIA_VOLUME, at, v, "persistentVolumeClaim",
                  "claimName");
    visit_ephemeral(&inside, at, v);
    projected = cf_field_object(walk->r, at, v, "projected");
    visit_items(&inside, &projected_at, projected, "sources", visit_source);
    for (size_t i = 0; i < CF_DRIVERS; i++)
        visit_driver(&inside, at, v, i);
}

static void visit_pull_secret(const struct walk *walk, const struct cf_path *at,
                              const struct cf_json *v)
{
    visit_name(walk, CF_REF_SECRET, CF_VIA_IMAGE_PULL, at, v, "name");
}

void cf_pod_refs(struct cf_fields *r, const struct cf_path *at, const struct cf_json *spec,
                 const char *pod, void (*visit)(const struct cf_ref *ref, void *arg), void *arg)
{
    struct walk walk = {.r = r, .pod = pod, .place = "", .visit = visit, .arg = arg};

    visit_items(&walk, at, spec, "imagePullSecrets", visit_pull_secret);
    visit_items(&walk, at, spec, "volumes", visit_ref_volume);
    visit_items(&walk, at, spec, "initContainers", visit_container);
    visit_items(&walk, at, spec, "containers", visit_container);
    visit_items(&walk, at, spec, "ephemeralContainers", visit_container);
}

/* ---- persistent volumes ---- */

/* k8s.io/kubernetes pkg/api/v1/persistentvolume/util.go, VisitPVSecretNames, less what only a
 * controller reads (csi.controllerPublishSecretRef, csi.controllerExpandSecretRef). */
static const struct {
    const char *type;
    const char *ref; /* NULL: name and namespace are in the type itself */
    const char *name, *namespace;
    bool of_claim; /* where no namespace is given it is the claim's */
} volume_secrets[] = {
    {"azureFile", NULL, "secretName", "secretNamespace", true},
    {"cephfs", "secretRef", "name", "namespace", true},
    {"flexVolume", "secretRef", "name", "namespace", true},
    {"rbd", "secretRef", "name", "namespace", true},
    {"scaleIO", "secretRef", "name", "namespace", true},
    {"iscsi", "secretRef", "name", "namespace", true},
    {"cinder", "secretRef", "name", "namespace", false},
    {"storageos", "secretRef", "name", "namespace", false},
    {"csi", "nodePublishSecretRef", "name", "namespace", false},
    {"csi", "nodeStageSecretRef", "name", "namespace", false},
    {"csi", "nodeExpandSecretRef", "name", "namespace", false},
};

static void volume_secret(struct cf_fields *r, const struct cf_path *up, const struct cf_json *spec,
                          size_t index, const char *claim_namespace, struct cf_ref *out)
{
    const struct cf_json *body = cf_field_object(r, up, spec, volume_secrets[index].type);
    struct cf_path type_at = CF_PATH_KEY(up, volume_secrets[index].type);
    struct cf_path ref_at = CF_PATH_KEY(&type_at, volume_secrets[index].ref);
    const struct cf_path *at = &type_at;

    if (volume_secrets[index].ref != NULL) {
        body = cf_field_object(r, at, body, volume_secrets[index].ref);
        at = &ref_at;
    }
    out->name = cf_field_str(r, at, body, volume_secrets[index].name);
    out->namespace = cf_field_str(r, at, body, volume_secrets[index].namespace);
    if (cf_str_empty(out->namespace) && volume_secrets[index].of_claim)
        out->namespace = claim_namespace;
}

void cf_volume_refs(struct cf_fields *r, const struct cf_path *at, const struct cf_json *spec,
                    void (*visit)(const struct cf_ref *ref, void *arg), void *arg)
{
    struct cf_path claim_at = CF_PATH_KEY(at, "claimRef");
    const char *claim_namespace =
        cf_field_str(r, &claim_at, cf_field_object(r, at, spec, "claimRef"), "namespace");

    for (size_t i = 0; i < CF_COUNT(volume_secrets); i++) {
        struct cf_ref ref = {.what = CF_REF_SECRET, .place = "", .at = at};

        volume_secret(r, at, spec, i, claim_namespace, &ref);
        if (!r->failed && !cf_str_empty(ref.name) && !cf_str_empty(ref.namespace))
            visit(&ref, arg);
    }
}
