/* SPDX-License-Identifier: Apache-2.0 */
/* read.c - reads objects of the six resources into facts, which is what the store keeps of them.
 *
 * Of a Secret it reads the type, the owner and two labels: no value and no other annotation. */
#include <stdlib.h>
#include <string.h>

#include "curfew/attr.h"
#include "curfew/podspec.h"
#include "curfew/str.h"
#include "read.h"

static bool find_resource(const char *kind, enum cf_resource *resource)
{
    static const char *const kinds[CF_RESOURCES] = {
        [CF_NAMESPACES] = "Namespace",         [CF_SECRETS] = "Secret",
        [CF_ACCOUNTS] = "ServiceAccount",      [CF_PODS] = "Pod",
        [CF_CLAIMS] = "PersistentVolumeClaim", [CF_VOLUMES] = "PersistentVolume",
    };

    for (int i = 0; i < CF_RESOURCES; i++) {
        if (cf_streq(kinds[i], kind)) {
            *resource = (enum cf_resource)i;
            return true;
        }
    }
    return false;
}

bool cf_store_keeps(const char *kind)
{
    enum cf_resource resource;

    return find_resource(kind, &resource);
}

bool cf_facts_resource(struct cf_arena *arena, const struct cf_json *object,
                       enum cf_resource *resource)
{
    if (!cf_str_empty(cf_api_group(arena, cf_json_str(cf_json_get(object, "apiVersion")))))
        return false;
    return find_resource(cf_json_str(cf_json_get(object, "kind")), resource);
}

void cf_facts_name(const struct cf_json *object, enum cf_resource resource, const char *namespace,
                   struct cf_facts *out)
{
    const struct cf_json *meta = cf_json_get(object, "metadata");
    const char *own = cf_json_str(cf_json_get(meta, "namespace"));

    *out = (struct cf_facts){.resource = resource};
    out->name = cf_str_or_empty(cf_json_str(cf_json_get(meta, "name")));
    out->namespace = cf_str_or_empty(cf_str_empty(own) ? namespace : own);
    out->uid = cf_str_or_empty(cf_json_str(cf_json_get(meta, "uid")));
    if (resource == CF_NAMESPACES || resource == CF_VOLUMES)
        out->namespace = "";
}

/* ---- Namespace ---- */

static void read_labels(const struct cf_json *object, struct cf_facts *out)
{
    static const char *const keys[CF_MODES] = {
        [CF_ENFORCE] = "curfew.dev/enforce",
        [CF_FIX] = "curfew.dev/fix",
        [CF_AUDIT] = "curfew.dev/audit",
        [CF_WARN] = "curfew.dev/warn",
    };
    const struct cf_json *labels = cf_json_get(cf_json_get(object, "metadata"), "labels");

    for (int mode = 0; mode < CF_MODES; mode++) {
        const struct cf_json *label = cf_json_get(labels, keys[mode]);

        out->labels.labelled[mode] = !cf_json_is_null(label);
        if (!cf_level_parse(cf_json_str(label), &out->labels.level[mode]))
            out->labels.level[mode] = CF_RESTRICTED;
    }
}

/* ---- Secret, ServiceAccount ---- */

/* The watch of Secrets selects legacy ones by type and gets PartialObjectMetadata, which has no
 * type. */
static bool is_legacy(const struct cf_json *json, const struct cf_object *object)
{
    const char *kind = cf_json_str(cf_json_get(json, "kind"));

    return object->secret.legacy_type ||
           (cf_streq(kind, "PartialObjectMetadata") && cf_json_get(json, "type") == NULL);
}

static void read_secret_facts(const struct cf_json *json, const struct cf_object *object,
                              struct cf_facts *out)
{
    const struct cf_json *labels = cf_json_get(cf_json_get(json, "metadata"), "labels");

    out->secret.legacy = is_legacy(json, object);
    out->secret.owner = out->secret.legacy ? cf_str_or_empty(object->secret.account) : "";
    out->secret.used = !cf_str_empty(cf_json_str(cf_json_get(labels, CF_LAST_USED_LABEL)));
    out->secret.invalid = !cf_str_empty(object->secret.invalid_since);
}

static int read_decoded(struct cf_arena *arena, const struct cf_json *json, struct cf_facts *out,
                        struct cf_err *err)
{
    bool secret = out->resource == CF_SECRETS;
    const struct cf_kind_info *info = cf_kind_find("", secret ? "Secret" : "ServiceAccount");
    struct cf_object object;

    if (cf_object_decode(arena, json, info, "", &object, err) != 0)
        return -1;
    if (secret)
        read_secret_facts(json, &object, out);
    else
        out->restricted = cf_streq(object.account.restricted_by_node, "true");
    return 0;
}

/* ---- references ---- */

struct ref_list {
    struct cf_fields *r;
    struct cf_ref *refs;
    size_t count, capacity;
};

/* The automounted token's volume has a random suffix in each pod; all pods get the same name here.
 */
static const char *common_place(const char *place)
{
    static const char automounted[] = "kube-api-access-";

    return cf_starts_with(place, automounted) ? automounted : place;
}

static void add_ref(const struct cf_ref *ref, void *arg)
{
    struct ref_list *list = arg;
    struct cf_ref *refs =
        cf_arena_grow(list->r->arena, list->refs, list->count, &list->capacity, sizeof(*refs));

    if (refs == NULL) {
        cf_field_fail_memory(list->r);
        return;
    }
    list->refs = refs;
    refs += list->count++;
    *refs = *ref;
    refs->at = NULL;
    refs->audience = cf_str_or_empty(ref->audience);
    refs->namespace = cf_str_or_empty(ref->namespace);
    refs->place = common_place(ref->place);
}

static int compare_refs(const void *a, const void *b)
{
    const struct cf_ref *x = a, *y = b;
    int order;

    if (x->what != y->what)
        return x->what < y->what ? -1 : 1;
    if ((order = strcmp(x->name, y->name)) != 0 ||
        (order = strcmp(x->namespace, y->namespace)) != 0)
        return order;
    /* The place that names a ConfigMap or a claim does not matter. */
    if (x->what == CF_REF_CONFIG_MAP || x->what == CF_REF_CLAIM)
        return 0;
    if (x->via != y->via)
        return x->via < y->via ? -1 : 1;
    if ((order = strcmp(x->place, y->place)) != 0 ||
        (order = strcmp(x->audience, y->audience)) != 0)
        return order;
    if (x->seconds != y->seconds)
        return x->seconds < y->seconds ? -1 : 1;
    return (int)x->given - (int)y->given;
}

/* Sorts the references and removes duplicates. */
static void sort_refs(struct ref_list *list, struct cf_ref **refs, size_t *count)
{
    size_t kept = 0;

    if (list->count > 1)
        qsort(list->refs, list->count, sizeof(*list->refs), compare_refs);
    for (size_t i = 0; i < list->count; i++) {
        if (kept == 0 || compare_refs(&list->refs[kept - 1], &list->refs[i]) != 0)
            list->refs[kept++] = list->refs[i];
    }
    *refs = list->refs;
    *count = kept;
}

/* ---- Pod ---- */

static void read_owner(struct cf_fields *r, const struct cf_json *json, struct cf_object *out)
{
    struct cf_path at = CF_PATH_KEY(NULL, "metadata");
    const struct cf_json *meta = cf_field_object(r, NULL, json, "metadata");
    const struct cf_json *labels = cf_field_object(r, &at, meta, "labels");
    const struct cf_json *annotations = cf_field_object(r, &at, meta, "annotations");

    cf_owner_decode(r, &at, meta, labels, out);
    out->generate_name = cf_field_str(r, &at, meta, "generateName");
    out->mirror = cf_json_get(annotations, CF_MIRROR_ANNOTATION) != NULL;
}

static void read_pod_facts(struct cf_fields *r, const struct cf_json *json, struct cf_facts *out)
{
    struct cf_pod_facts *pod = &out->pod;
    const struct cf_json *spec = cf_field_object(r, NULL, json, "spec");
    struct cf_path at = CF_PATH_KEY(NULL, "spec");
    struct ref_list list = {.r = r};
    struct cf_object object = {.json = json};

    read_owner(r, json, &object);
    pod->namespace = out->namespace;
    pod->node = cf_str_or_empty(cf_field_str(r, &at, spec, "nodeName"));
    pod->account = cf_pod_account(r, &at, spec);
    pod->owner_kind = cf_str_or_empty(object.owner_kind);
    pod->owner_name = cf_str_or_empty(object.owner_name);
    pod->workload = cf_str_or_empty(cf_object_workload(r->arena, &object));
    pod->mirror = object.mirror;
    cf_pod_refs(r, &at, spec, out->name, add_ref, &list);
    sort_refs(&list, &pod->refs, &pod->ref_count);
}

/* ---- PersistentVolume ---- */

/* The one value of {key, operator: In, values: [x]}; "" for any other requirement. */
static const char *only_value(struct cf_fields *r, const struct cf_path *up,
                              const struct cf_json *term, const char *list, const char *key)
{
    const struct cf_json *v = cf_json_first(cf_field_array(r, up, term, list));
    const char *found = "";

    for (; v != NULL; v = cf_json_next(v)) {
        const struct cf_json *values = cf_json_get(v, "values");
        const char *value = cf_json_str(cf_json_at(values, 0));

        if (!cf_streq(cf_json_str(cf_json_get(v, "key")), key) ||
            !cf_streq(cf_json_str(cf_json_get(v, "operator")), "In") ||
            cf_json_count(values) != 1 || cf_str_empty(value))
            continue;
        if (!cf_str_empty(found) && !cf_streq(found, value))
            return ""; /* a node has one name, so two match none */
        found = value;
    }
    return found;
}

/* Terms are alternatives, so all of them must name the same node. */
static const char *only_node(struct cf_fields *r, const struct cf_json *spec)
{
    struct cf_path spec_at = CF_PATH_KEY(NULL, "spec");
    struct cf_path affinity_at = CF_PATH_KEY(&spec_at, "nodeAffinity");
    struct cf_path at = CF_PATH_KEY(&affinity_at, "required");
    const struct cf_json *affinity = cf_field_object(r, &spec_at, spec, "nodeAffinity");
    const struct cf_json *required = cf_field_object(r, &affinity_at, affinity, "required");
    const struct cf_json *v = cf_json_first(cf_field_array(r, &at, required, "nodeSelectorTerms"));
    const char *node = "";

    for (; v != NULL; v = cf_json_next(v)) {
        const char *one = only_value(r, &at, v, "matchFields", "metadata.name");

        if (cf_str_empty(one))
            one = only_value(r, &at, v, "matchExpressions", "kubernetes.io/hostname");
        if (cf_str_empty(one) || (!cf_str_empty(node) && !cf_streq(node, one)))
            return "";
        node = one;
    }
    return node;
}

static void read_volume_facts(struct cf_fields *r, const struct cf_json *json, struct cf_facts *out)
{
    struct cf_volume_facts *volume = &out->volume;
    struct cf_path at = CF_PATH_KEY(NULL, "spec"), claim_at = CF_PATH_KEY(&at, "claimRef");
    const struct cf_json *spec = cf_field_object(r, NULL, json, "spec");
    const struct cf_json *claim = cf_field_object(r, &at, spec, "claimRef");
    struct ref_list list = {.r = r};

    volume->claim_namespace = cf_str_or_empty(cf_field_str(r, &claim_at, claim, "namespace"));
    volume->claim = cf_str_or_empty(cf_field_str(r, &claim_at, claim, "name"));
    volume->claim_uid = cf_str_or_empty(cf_field_str(r, &claim_at, claim, "uid"));
    volume->node = only_node(r, spec);
    cf_volume_refs(r, &at, spec, add_ref, &list);
    sort_refs(&list, &volume->secrets, &volume->secret_count);
}

int cf_facts_read(struct cf_arena *arena, const struct cf_json *object, enum cf_resource resource,
                  const char *namespace, struct cf_facts *out, struct cf_err *err)
{
    struct cf_fields r = {.arena = arena, .where = "", .err = err};

    cf_facts_name(object, resource, namespace, out);
    switch (resource) {
    case CF_NAMESPACES:
        read_labels(object, out);
        break;
    case CF_SECRETS:
    case CF_ACCOUNTS:
        return read_decoded(arena, object, out, err);
    case CF_PODS:
        read_pod_facts(&r, object, out);
        break;
    case CF_VOLUMES:
        read_volume_facts(&r, object, out);
        break;
    case CF_CLAIMS:
        break; /* only its uid */
    }
    return r.failed ? -1 : 0;
}

/* ---- from the metadata alone ---- */

/* Whether the map is one, and its value for the key, if any, is a string. */
static bool is_readable(const struct cf_json *map, const char *key)
{
    const struct cf_json *value = cf_json_get(map, key);

    return (cf_json_is_null(map) || cf_json_type(map) == CF_JSON_OBJECT) &&
           (cf_json_is_null(value) || cf_json_str(value) != NULL);
}

static void identify_secret(const struct cf_json *labels, const struct cf_json *annotations,
                            struct cf_facts *out)
{
    out->secret.legacy = true;
    out->secret.owner =
        cf_str_or_empty(cf_json_str(cf_json_get(annotations, CF_SA_NAME_ANNOTATION)));
    out->secret.used = !cf_str_empty(cf_json_str(cf_json_get(labels, CF_LAST_USED_LABEL)));
    out->secret.invalid = !cf_str_empty(cf_json_str(cf_json_get(labels, CF_INVALID_SINCE_LABEL)));
}

static void identify_pod(struct cf_arena *arena, const struct cf_json *json, struct cf_facts *out)
{
    struct cf_fields r = {.arena = arena, .where = ""};
    struct cf_object object = {.json = json};

    read_owner(&r, json, &object);
    if (r.failed)
        object = (struct cf_object){.json = json};
    out->pod.namespace = out->namespace;
    out->pod.node = out->pod.account = "";
    out->pod.owner_kind = cf_str_or_empty(object.owner_kind);
    out->pod.owner_name = cf_str_or_empty(object.owner_name);
    out->pod.workload = cf_str_or_empty(cf_object_workload(arena, &object));
    out->pod.mirror = object.mirror;
}

void cf_facts_identify(struct cf_arena *arena, const struct cf_json *object,
                       enum cf_resource resource, unsigned unread, struct cf_facts *out)
{
    const struct cf_json *meta = cf_json_get(object, "metadata");
    const struct cf_json *labels = cf_json_get(meta, "labels");
    const struct cf_json *annotations = cf_json_get(meta, "annotations");

    cf_facts_name(object, resource, "", out);
    out->unread = unread | CF_UNREAD_REST;
    if (!is_readable(labels, CF_LAST_USED_LABEL) || !is_readable(labels, CF_INVALID_SINCE_LABEL))
        out->unread |= CF_UNREAD_LABELS;
    if (!is_readable(annotations, CF_SA_NAME_ANNOTATION) ||
        !is_readable(annotations, CF_RESTRICTED_ANNOTATION))
        out->unread |= CF_UNREAD_ANNOTATIONS;
    if (resource == CF_NAMESPACES)
        read_labels(object, out);
    else if (resource == CF_SECRETS)
        identify_secret(labels, annotations, out);
    else if (resource == CF_ACCOUNTS)
        out->restricted =
            cf_streq(cf_json_str(cf_json_get(annotations, CF_RESTRICTED_ANNOTATION)), "true");
    else if (resource == CF_PODS)
        identify_pod(arena, object, out);
    else if (resource == CF_VOLUMES)
        out->volume = (struct cf_volume_facts){"", "", "", "", NULL, 0};
}
