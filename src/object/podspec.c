/* SPDX-License-Identifier: Apache-2.0 */
/* podspec.c - the one loop over a pod's containers, the one loop over its volumes, and the pod spec
 * as a whole. */
#include <stdlib.h>
#include <string.h>

#include "curfew/attr.h"
#include "curfew/podspec.h"
#include "curfew/refs.h"
#include "curfew/str.h"

/* ---- volumes ---- */

/* What an absent expirationSeconds counts as (k8s.io/api core/v1, authentication/v1). */
#define EXPIRATION_DEFAULT 3600

void cf_expiration_decode(struct cf_fields *r, const struct cf_path *at,
                          const struct cf_json *object, struct cf_expiration *out)
{
    out->at = cf_field_key(r, at, "expirationSeconds");
    out->no_parent = object == NULL;
    out->seconds =
        cf_field_int(r, at, object, "expirationSeconds", EXPIRATION_DEFAULT, &out->given);
}

bool cf_secret_ref_decode(struct cf_fields *r, const struct cf_path *at,
                          const struct cf_json *object, const char *key, struct cf_secret_ref *out)
{
    const char *name = cf_field_str(r, at, object, key);

    if (cf_str_empty(name))
        return false;
    *out = (struct cf_secret_ref){
        .at = cf_field_key(r, at, key), .name = name, .index = r->secret_refs++};
    return true;
}

static struct cf_secret_ref *secret_ref_new(struct cf_fields *r, const struct cf_path *at,
                                            const struct cf_json *object, const char *key)
{
    struct cf_secret_ref ref, *copy;

    if (!cf_secret_ref_decode(r, at, object, key, &ref))
        return NULL;
    copy = cf_arena_alloc(r->arena, sizeof(*copy));
    if (copy == NULL) {
        cf_field_fail_memory(r);
        return NULL;
    }
    *copy = ref;
    return copy;
}

static void items_decode(struct cf_fields *r, const struct cf_path *up,
                         const struct cf_json *object, struct cf_items *out)
{
    const struct cf_json *array = cf_field_array(r, up, object, "items"), *v;
    struct cf_path at = CF_PATH_KEY(up, "items");
    struct cf_item *items;
    size_t n = 0;

    items = cf_field_room(r, array, sizeof(*items));
    if (items == NULL)
        return;
    for (v = cf_json_first(array); v != NULL && !r->failed; v = cf_json_next(v), n++) {
        struct cf_path here = CF_PATH_INDEX(&at, n);

        if (!cf_field_is_object(r, &here, v))
            return;
        items[n].key = cf_field_str(r, &here, v, "key");
        items[n].path = cf_field_str(r, &here, v, "path");
        items[n].mode = cf_field_int(r, &here, v, "mode", CF_MODE_NONE, NULL);
    }
    *out = (struct cf_items){items, n};
}

/* Whether a volume or source holds more than its name and one type. */
static bool has_several_types(const struct cf_json *v)
{
    size_t types = 0;

    for (v = cf_json_first(v); v != NULL; v = cf_json_next(v))
        types += !cf_json_is_null(v) && !cf_streq(cf_json_key(v), "name");
    return types > 1;
}

/* Sources without a token or a Secret, which write files. */
static void other_source_decode(struct cf_fields *r, const struct cf_json *v,
                                struct cf_volume_source *out)
{
    static const struct {
        const char *type;
        const char *path;
    } writers[] = {
        {"clusterTrustBundle", "path"},
        {"podCertificate", "credentialBundlePath"},
        {"podCertificate", "keyPath"},
        {"podCertificate", "certificateChainPath"},
    };
    size_t n = 0;

    for (size_t i = 0; i < CF_COUNT(writers) && n < CF_COUNT(out->other_paths); i++) {
        const struct cf_json *body = cf_field_object(r, out->at, v, writers[i].type);
        struct cf_path at = CF_PATH_KEY(out->at, writers[i].type);
        const char *path = cf_field_str(r, &at, body, writers[i].path);

        if (path != NULL)
            out->other_paths[n++] = path;
    }
}

static void source_decode(struct cf_fields *r, const struct cf_json *v,
                          struct cf_volume_source *out)
{
    const struct cf_path *at = out->at, *here;
    const struct cf_json *body;

    out->mixed = has_several_types(v);
    if ((body = cf_field_object(r, at, v, "serviceAccountToken")) != NULL) {
        here = cf_field_key(r, at, "serviceAccountToken");
        out->type = CF_SOURCE_TOKEN;
        out->token_path = cf_field_str(r, here, body, "path");
        out->audience = cf_field_str(r, here, body, "audience");
        out->audience_at = cf_field_key(r, here, "audience");
        cf_expiration_decode(r, here, body, &out->expiration);
    } else if ((body = cf_field_object(r, at, v, "secret")) != NULL) {
        here = cf_field_key(r, at, "secret");
        out->type = CF_SOURCE_SECRET;
        out->secret = secret_ref_new(r, here, body, "name");
        items_decode(r, here, body, &out->items);
    } else if ((body = cf_field_object(r, at, v, "configMap")) != NULL) {
        here = cf_field_key(r, at, "configMap");
        out->type = CF_SOURCE_CONFIG_MAP;
        out->config_map = cf_field_str(r, here, body, "name");
        items_decode(r, here, body, &out->items);
    } else if ((body = cf_field_object(r, at, v, "downwardAPI")) != NULL) {
        out->type = CF_SOURCE_DOWNWARD_API;
        items_decode(r, cf_field_key(r, at, "downwardAPI"), body, &out->items);
    } else {
        other_source_decode(r, v, out);
    }
}

/* As cf_field_room(), without empty items: `{}` has two bytes, and would take a hundred times as
 * much memory. */
static void *room_for_full(struct cf_fields *r, const struct cf_json *array, size_t size)
{
    size_t count = 0;
    void *room;

    for (const struct cf_json *v = cf_json_first(array); v != NULL; v = cf_json_next(v))
        count += cf_json_first(v) != NULL;
    room = count > 0 && !r->failed ? cf_arena_array(r->arena, count, size) : NULL;
    if (count > 0 && room == NULL)
        cf_field_fail_memory(r);
    return room;
}

static void projected_decode(struct cf_fields *r, const struct cf_path *up,
                             const struct cf_json *body, struct cf_volume *out)
{
    const struct cf_json *array = cf_field_array(r, up, body, "sources"), *v;
    const struct cf_path *at = cf_field_key(r, up, "sources");
    size_t n = 0;

    out->type = CF_VOLUME_PROJECTED;
    out->default_mode = cf_field_int(r, up, body, "defaultMode", CF_MODE_NONE, NULL);
    out->sources = room_for_full(r, array, sizeof(*out->sources));
    for (v = cf_json_first(array); v != NULL && !r->failed; v = cf_json_next(v), n++) {
        struct cf_path here = CF_PATH_INDEX(at, n);
        struct cf_volume_source *source;

        if (!cf_field_is_object(r, &here, v) || cf_json_first(v) == NULL)
            continue;
        source = &out->sources[out->source_count];
        *source = (struct cf_volume_source){.at = cf_field_index(r, at, n), .index = n};
        source_decode(r, v, source);
        out->source_count++;
    }
}

/* A volume of another type that passes a Secret to a driver. */
static void other_decode(struct cf_fields *r, const struct cf_json *v, struct cf_volume *out)
{
    for (size_t i = 0; i < CF_DRIVERS && out->secret == NULL; i++) {
        const struct cf_json *body = cf_field_object(r, out->at, v, cf_drivers[i].type), *type;
        const struct cf_path *at, *type_at;

        if (body == NULL)
            continue;
        at = cf_field_key(r, out->at, cf_drivers[i].type);
        type = body;
        type_at = at;
        if (cf_drivers[i].ref != NULL) {
            body = cf_field_object(r, at, body, cf_drivers[i].ref);
            at = cf_field_key(r, at, cf_drivers[i].ref);
        }
        out->secret = secret_ref_new(r, at, body, cf_drivers[i].name);
        out->secret_via = cf_drivers[i].via;
        if (out->secret != NULL)
            out->driver = cf_field_str(r, type_at, type, "driver");
    }
}

static void volume_decode(struct cf_fields *r, const struct cf_json *v, struct cf_volume *out)
{
    const struct cf_json *body;

    out->name = cf_field_str(r, out->at, v, "name");
    out->called = cf_name_fit(r->arena, cf_str_or_empty(out->name));
    out->default_mode = CF_MODE_NONE;
    out->mixed = has_several_types(v);
    if ((body = cf_field_object(r, out->at, v, "secret")) != NULL) {
        const struct cf_path *here = cf_field_key(r, out->at, "secret");

        out->type = CF_VOLUME_SECRET;
        out->secret = secret_ref_new(r, here, body, "secretName");
        out->default_mode = cf_field_int(r, here, body, "defaultMode", CF_MODE_NONE, NULL);
        items_decode(r, here, body, &out->items);
    } else if ((body = cf_field_object(r, out->at, v, "projected")) != NULL) {
        projected_decode(r, cf_field_key(r, out->at, "projected"), body, out);
    } else {
        other_decode(r, v, out);
    }
}

/* Decodes the volumes of the pod spec at `at`, with their strings. */
static void decode_volumes(struct cf_texts *texts, const struct cf_path *at,
                           const struct cf_json *spec)
{
    struct cf_fields *r = texts->r;
    struct cf_pod_spec *out = texts->out;
    const struct cf_json *array = cf_field_array(r, at, spec, "volumes"), *v;
    const struct cf_path *here = cf_field_key(r, at, "volumes");
    size_t n = 0;

    out->volumes = room_for_full(r, array, sizeof(*out->volumes));
    for (v = cf_json_first(array); v != NULL && !r->failed; v = cf_json_next(v), n++) {
        struct cf_path at_n = CF_PATH_INDEX(here, n);
        struct cf_volume *volume;

        if (!cf_field_is_object(r, &at_n, v) || cf_json_first(v) == NULL)
            continue;
        volume = &out->volumes[out->volume_count];
        *volume = (struct cf_volume){.at = cf_field_index(r, here, n), .index = n};
        volume_decode(r, v, volume);
        cf_volume_texts_decode(texts, volume, v);
        out->volume_count++;
    }
}

/* ---- containers, and the pod spec as a whole ---- */

static const char *const container_lists[] = {"initContainers", "containers",
                                              "ephemeralContainers"};

/* A mount that picks one path out of a volume: the kubelet never refreshes such a file. */
struct sub_path_mount {
    const char *volume;
    const char *container;
    size_t order;
};

/* How many volumes with a projected token are recognised in mounts; pods have one or two. */
#define TOKEN_VOLUMES_MAX 8

struct visit {
    struct cf_fields *r;
    struct cf_pod_spec *out;
    const struct cf_volume *tokens[TOKEN_VOLUMES_MAX];
    size_t token_count;
    struct cf_token_mount token; /* of the current container */
    size_t env_capacity;
    struct cf_texts texts;
    struct sub_path_mount *mounts;
    size_t mount_count, mount_capacity;
};

void *cf_pod_grow(struct cf_fields *r, void *items, size_t count, size_t *capacity, size_t size)
{
    void *grown = cf_arena_grow(r->arena, items, count, capacity, size);

    if (grown == NULL)
        cf_field_fail_memory(r);
    return grown != NULL ? grown : items;
}

static void add_env(struct visit *visit, const struct cf_env_ref *ref)
{
    struct cf_pod_spec *out = visit->out;

    out->env =
        cf_pod_grow(visit->r, out->env, out->env_count, &visit->env_capacity, sizeof(*out->env));
    if (!visit->r->failed)
        out->env[out->env_count++] = *ref;
}

static void visit_env(struct visit *visit, const struct cf_path *up, const struct cf_json *c,
                      const char *container)
{
    struct cf_fields *r = visit->r;
    const struct cf_json *v = cf_json_first(cf_field_array(r, up, c, "env"));
    struct cf_path list = CF_PATH_KEY(up, "env");

    for (size_t i = 0; v != NULL && !r->failed; v = cf_json_next(v), i++) {
        struct cf_path at = CF_PATH_INDEX(&list, i), value_at;
        struct cf_env_ref ref = {.container = container};
        const struct cf_json *from;
        const struct cf_path *here;

        if (!cf_field_is_object(r, &at, v))
            return;
        ref.variable = cf_str_or_empty(cf_field_str(r, &at, v, "name"));
        value_at = CF_PATH_KEY(&at, "value");
        cf_text_note(&visit->texts, &(struct cf_text){.at = &value_at,
                                                      .container = container,
                                                      .field = "env",
                                                      .name = ref.variable,
                                                      .text = cf_field_str(r, &at, v, "value")});
        from = cf_field_object(r, &at, v, "valueFrom");
        if (from == NULL)
            continue;
        here = cf_field_key(r, cf_field_index(r, cf_field_key(r, up, "env"), i), "valueFrom");
        from = cf_field_object(r, here, from, "secretKeyRef");
        here = cf_field_key(r, here, "secretKeyRef");
        ref.key = cf_str_or_empty(cf_field_str(r, here, from, "key"));
        if (cf_secret_ref_decode(r, here, from, "name", &ref.secret))
            add_env(visit, &ref);
    }
}

static void visit_env_from(struct visit *visit, const struct cf_path *up, const struct cf_json *c,
                           const char *container)
{
    struct cf_fields *r = visit->r;
    const struct cf_json *v = cf_json_first(cf_field_array(r, up, c, "envFrom"));
    struct cf_path list = CF_PATH_KEY(up, "envFrom");

    for (size_t i = 0; v != NULL && !r->failed; v = cf_json_next(v), i++) {
        struct cf_path at = CF_PATH_INDEX(&list, i);
        struct cf_env_ref ref = {.container = container};
        const struct cf_json *from;
        const struct cf_path *here;

        if (!cf_field_is_object(r, &at, v))
            return;
        from = cf_field_object(r, &at, v, "secretRef");
        if (from == NULL)
            continue;
        here = cf_field_key(r, cf_field_index(r, cf_field_key(r, up, "envFrom"), i), "secretRef");
        if (cf_secret_ref_decode(r, here, from, "name", &ref.secret))
            add_env(visit, &ref);
    }
}

/* The first mount of a token counts, unless another is at the path where clients look. */
static void note_token(struct visit *visit, const struct cf_path *at, const struct cf_json *v,
                       const char *name)
{
    const char *path;

    for (size_t i = 0; i < visit->token_count; i++) {
        if (!cf_streq(visit->tokens[i]->name, name))
            continue;
        path = cf_field_str(visit->r, at, v, "mountPath");
        if (path != NULL && (visit->token.volume == NULL || cf_streq(path, CF_TOKEN_DIR)))
            visit->token = (struct cf_token_mount){path, visit->tokens[i]};
        return;
    }
}

static void visit_mounts(struct visit *visit, const struct cf_path *up, const struct cf_json *c,
                         const char *container)
{
    struct cf_fields *r = visit->r;
    const struct cf_json *v = cf_json_first(cf_field_array(r, up, c, "volumeMounts"));
    struct cf_path list = CF_PATH_KEY(up, "volumeMounts");

    for (size_t i = 0; v != NULL && !r->failed; v = cf_json_next(v), i++) {
        struct cf_path at = CF_PATH_INDEX(&list, i);
        const char *name, *sub_path, *sub_path_expr;

        if (!cf_field_is_object(r, &at, v))
            return;
        name = cf_field_str(r, &at, v, "name");
        sub_path = cf_field_str(r, &at, v, "subPath");
        sub_path_expr = cf_field_str(r, &at, v, "subPathExpr");
        if (name != NULL && cf_str_empty(sub_path) && cf_str_empty(sub_path_expr))
            note_token(visit, &at, v, name);
        if (name == NULL || (cf_str_empty(sub_path) && cf_str_empty(sub_path_expr)))
            continue;
        visit->mounts = cf_pod_grow(r, visit->mounts, visit->mount_count, &visit->mount_capacity,
                                    sizeof(*visit->mounts));
        if (r->failed)
            return;
        visit->mounts[visit->mount_count] =
            (struct sub_path_mount){name, container, visit->mount_count};
        visit->mount_count++;
    }
}

static void visit_containers(struct visit *visit, const struct cf_path *up,
                             const struct cf_json *spec, const char *key)
{
    struct cf_fields *r = visit->r;
    const struct cf_json *v = cf_json_first(cf_field_array(r, up, spec, key));
    const struct cf_path *list = v != NULL ? cf_field_key(r, up, key) : NULL;

    for (size_t i = 0; v != NULL && !r->failed; v = cf_json_next(v), i++) {
        const struct cf_path *at = cf_field_index(r, list, i);
        size_t env = visit->out->env_count;
        const char *name;

        if (!cf_field_is_object(r, at, v))
            return;
        name = cf_name_fit(r->arena, cf_str_or_empty(cf_field_str(r, at, v, "name")));
        visit_env(visit, at, v, name);
        visit_env_from(visit, at, v, name);
        visit->token = (struct cf_token_mount){0};
        visit_mounts(visit, at, v, name);
        for (; env < visit->out->env_count; env++) {
            visit->out->env[env].token = visit->token;
            visit->out->env[env].ephemeral = cf_streq(key, "ephemeralContainers");
        }
        cf_container_texts_decode(&visit->texts, at, v, name);
    }
}

static int by_volume(const void *a, const void *b)
{
    const struct sub_path_mount *x = a, *y = b;
    int order = strcmp(x->volume, y->volume);

    if (order != 0)
        return order;
    return x->order < y->order ? -1 : x->order > y->order;
}

/* The first mount of the volume in a sorted list; sorted, because a hostile pod may have
 * 100,000 of both. */
static const struct sub_path_mount *find_mount(const struct visit *visit, const char *volume)
{
    size_t low = 0, high = visit->mount_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(visit->mounts[middle].volume, volume) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < visit->mount_count && cf_streq(visit->mounts[low].volume, volume))
        return &visit->mounts[low];
    return NULL;
}

static void join_mounts(struct visit *visit)
{
    if (visit->mount_count == 0)
        return;
    qsort(visit->mounts, visit->mount_count, sizeof(*visit->mounts), by_volume);
    for (size_t i = 0; i < visit->out->volume_count; i++) {
        struct cf_volume *volume = &visit->out->volumes[i];
        const struct sub_path_mount *mount =
            volume->name != NULL ? find_mount(visit, volume->name) : NULL;

        if (mount != NULL)
            volume->sub_path_container = mount->container;
    }
}

/* serviceAccount is the deprecated alias; the API server lets serviceAccountName win. */
const char *cf_pod_account(struct cf_fields *r, const struct cf_path *at,
                           const struct cf_json *spec)
{
    const char *name = cf_field_str(r, at, spec, "serviceAccountName");
    const char *alias = cf_field_str(r, at, spec, "serviceAccount");

    if (cf_str_empty(name))
        name = cf_str_empty(alias) ? "default" : alias;
    return cf_name_fit(r->arena, name);
}

/* Whether the volume holds a token for the API server. */
static bool holds_token(const struct cf_volume *volume)
{
    for (size_t i = 0; i < volume->source_count; i++) {
        if (volume->sources[i].type == CF_SOURCE_TOKEN && cf_str_empty(volume->sources[i].audience))
            return true;
    }
    return false;
}

static void find_token_volumes(struct visit *visit)
{
    const struct cf_pod_spec *pod = visit->out;

    for (size_t i = 0; i < pod->volume_count && visit->token_count < TOKEN_VOLUMES_MAX; i++) {
        if (pod->volumes[i].name != NULL && holds_token(&pod->volumes[i]))
            visit->tokens[visit->token_count++] = &pod->volumes[i];
    }
}

void cf_pod_spec_decode(struct cf_fields *r, const struct cf_path *at, const struct cf_json *spec,
                        struct cf_pod_spec *out)
{
    struct visit visit = {.r = r, .out = out, .texts = {.r = r, .out = out}};

    *out = (struct cf_pod_spec){.at = at};
    out->account = cf_pod_account(r, at, spec);
    out->node_name = cf_field_str(r, at, spec, "nodeName");
    out->no_automount = cf_field_false(r, at, spec, "automountServiceAccountToken");
    decode_volumes(&visit.texts, at, spec);
    find_token_volumes(&visit);
    for (size_t i = 0; i < CF_COUNT(container_lists); i++)
        visit_containers(&visit, at, spec, container_lists[i]);
    if (!r->failed)
        join_mounts(&visit);
}
