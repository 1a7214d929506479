/* SPDX-License-Identifier: Apache-2.0 */
/* volumes.c - the one loop over a pod's volumes: what they mount of Secrets and tokens. */
#include "curfew/attr.h"
#include "curfew/refs.h"
#include "curfew/str.h"
#include "curfew/podspec.h"

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

void cf_volumes_decode(struct cf_texts *texts, const struct cf_path *at, const struct cf_json *spec)
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
