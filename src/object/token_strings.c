/* SPDX-License-Identifier: Apache-2.0 */
/* token_strings.c - the strings of an object that may hold a copied token.
 *
 * Every string is checked while the object is decoded. Nearly all are too short or too simple to
 * hold a token, so nothing is kept of an ordinary pod. */
#include <string.h>

#include "curfew/attr.h"
#include "curfew/str.h"
#include "curfew/token.h"
#include "curfew/podspec.h"

/* Fails the reader where cf_path_copy() is out of memory. */
static const struct cf_path *copy_path(struct cf_fields *r, const struct cf_path *at)
{
    const struct cf_path *copy = r->failed ? NULL : cf_path_copy(r->arena, at);

    if (copy == NULL && at != NULL)
        cf_field_fail_memory(r);
    return copy;
}

static bool same_path(const struct cf_path *a, const struct cf_path *b)
{
    for (; a != NULL && b != NULL; a = a->up, b = b->up) {
        if (a == b)
            return true;
        if (a->index != b->index || !cf_streq(a->key, b->key))
            return false;
    }
    return a == b;
}

/* The same, sharing the steps above with the path before it: 100,000 arguments of one list take one
 * step each. */
static const struct cf_path *copy_beside(struct cf_fields *r, const struct cf_path *at,
                                         const struct cf_path *last)
{
    if (last == NULL || last->up == NULL || at->up == NULL || !same_path(at->up, last->up))
        return copy_path(r, at);
    return at->key != NULL ? cf_field_key(r, last->up, at->key)
                           : cf_field_index(r, last->up, at->index);
}

void cf_text_note(struct cf_texts *texts, const struct cf_text *text)
{
    struct cf_pod_spec *out = texts->out;
    struct cf_fields *r = texts->r;

    if (text->text == NULL || !cf_token_may_hold(text->text, strlen(text->text)))
        return;
    out->texts = cf_pod_grow(r, out->texts, out->text_count, &texts->capacity, sizeof(*out->texts));
    if (r->failed)
        return;
    out->texts[out->text_count] = *text;
    out->texts[out->text_count].name = cf_name_fit(r->arena, text->name);
    out->texts[out->text_count].at =
        copy_beside(r, text->at, out->text_count > 0 ? out->texts[out->text_count - 1].at : NULL);
    out->text_count++;
}

/* The words of a command line. */
static void words_decode(struct cf_texts *texts, const struct cf_path *up,
                         const struct cf_json *object, const char *key, struct cf_text text)
{
    const struct cf_json *v = cf_json_first(cf_field_array(texts->r, up, object, key));
    struct cf_path list = CF_PATH_KEY(up, key);

    for (size_t i = 0; v != NULL && !texts->r->failed; v = cf_json_next(v), i++) {
        struct cf_path at = CF_PATH_INDEX(&list, i);

        text.at = &at;
        text.text = cf_json_str(v);
        if (text.text == NULL && !cf_json_is_null(v))
            cf_field_fail(texts->r, &at, cf_json_type_name(CF_JSON_STRING), v);
        cf_text_note(texts, &text);
    }
}

static void headers_decode(struct cf_texts *texts, const struct cf_path *up,
                           const struct cf_json *get, struct cf_text text)
{
    struct cf_fields *r = texts->r;
    const struct cf_json *v = cf_json_first(cf_field_array(r, up, get, "httpHeaders"));
    struct cf_path list = CF_PATH_KEY(up, "httpHeaders");

    for (size_t i = 0; v != NULL && !r->failed; v = cf_json_next(v), i++) {
        struct cf_path at = CF_PATH_INDEX(&list, i), value_at = CF_PATH_KEY(&at, "value");

        if (!cf_field_is_object(r, &at, v))
            return;
        text.at = &value_at;
        text.name = cf_field_str(r, &at, v, "name");
        text.text = cf_field_str(r, &at, v, "value");
        cf_text_note(texts, &text);
    }
}

/* One string of a probe or a hook: its host, path or service. */
static void part_decode(struct cf_texts *texts, const struct cf_path *up,
                        const struct cf_json *object, const char *key, struct cf_text text)
{
    struct cf_path at = CF_PATH_KEY(up, key);

    text.at = &at;
    text.part = key;
    text.text = cf_field_str(texts->r, up, object, key);
    cf_text_note(texts, &text);
}

static void parts_decode(struct cf_texts *texts, const struct cf_path *up,
                         const struct cf_json *handler, const struct cf_text *text)
{
    static const struct {
        const char *type, *part;
    } parts[] = {
        {"httpGet", "path"}, {"httpGet", "host"}, {"tcpSocket", "host"}, {"grpc", "service"}};

    for (size_t i = 0; i < CF_COUNT(parts); i++) {
        struct cf_path at = CF_PATH_KEY(up, parts[i].type);

        part_decode(texts, &at, cf_field_object(texts->r, up, handler, parts[i].type),
                    parts[i].part, *text);
    }
}

/* A probe, or a lifecycle hook: what it sends, and what it runs. */
static void handler_decode(struct cf_texts *texts, const struct cf_path *up,
                           const struct cf_json *object, const char *key, const char *container)
{
    struct cf_fields *r = texts->r;
    const struct cf_json *handler = cf_field_object(r, up, object, key), *get, *exec;
    struct cf_path at = CF_PATH_KEY(up, key);
    struct cf_path get_at = CF_PATH_KEY(&at, "httpGet"), exec_at = CF_PATH_KEY(&at, "exec");
    const struct cf_text text = {.container = container, .field = key};

    if (handler == NULL)
        return;
    parts_decode(texts, &at, handler, &text);
    get = cf_field_object(r, &at, handler, "httpGet");
    exec = cf_field_object(r, &at, handler, "exec");
    if (get != NULL)
        headers_decode(texts, &get_at, get, text);
    if (exec != NULL)
        words_decode(texts, &exec_at, exec, "command", text);
}

void cf_container_texts_decode(struct cf_texts *texts, const struct cf_path *at,
                               const struct cf_json *container, const char *name)
{
    static const char *const probes[] = {"livenessProbe", "readinessProbe", "startupProbe"};
    static const char *const hooks[] = {"postStart", "preStop"};
    const struct cf_json *lifecycle = cf_field_object(texts->r, at, container, "lifecycle");
    struct cf_path lifecycle_at = CF_PATH_KEY(at, "lifecycle");

    words_decode(texts, at, container, "command",
                 (struct cf_text){.container = name, .field = "command"});
    words_decode(texts, at, container, "args",
                 (struct cf_text){.container = name, .field = "args"});
    for (size_t i = 0; i < CF_COUNT(probes); i++)
        handler_decode(texts, at, container, probes[i], name);
    for (size_t i = 0; lifecycle != NULL && i < CF_COUNT(hooks); i++)
        handler_decode(texts, &lifecycle_at, lifecycle, hooks[i], name);
}

void cf_volume_texts_decode(struct cf_texts *texts, const struct cf_volume *volume,
                            const struct cf_json *json)
{
    static const struct {
        const char *type, *map, *field;
    } maps[] = {{"csi", "volumeAttributes", "csi.volumeAttributes"},
                {"flexVolume", "options", "flexVolume.options"}};
    struct cf_fields *r = texts->r;

    for (size_t i = 0; i < CF_COUNT(maps); i++) {
        struct cf_path body_at = CF_PATH_KEY(volume->at, maps[i].type);
        struct cf_path map_at = CF_PATH_KEY(&body_at, maps[i].map);
        const struct cf_json *body = cf_field_object(r, volume->at, json, maps[i].type);
        const struct cf_json *v = cf_json_first(cf_field_object(r, &body_at, body, maps[i].map));

        for (; v != NULL && !r->failed; v = cf_json_next(v)) {
            struct cf_path at = CF_PATH_KEY(&map_at, cf_json_key(v));
            const struct cf_text text = {.at = &at,
                                         .volume = volume->called,
                                         .field = maps[i].field,
                                         .name = cf_json_key(v),
                                         .text = cf_json_str(v)};

            if (text.text == NULL && !cf_json_is_null(v))
                cf_field_fail(r, &at, cf_json_type_name(CF_JSON_STRING), v);
            cf_text_note(texts, &text);
        }
    }
}

void cf_text_map_decode(struct cf_fields *r, const struct cf_path *up, const struct cf_json *object,
                        const char *key, struct cf_text_map *out)
{
    const struct cf_json *map = cf_field_object(r, up, object, key), *v;
    struct cf_path at = CF_PATH_KEY(up, key);

    if (map == NULL)
        return;
    for (v = cf_json_first(map); v != NULL; v = cf_json_next(v)) {
        struct cf_path here = CF_PATH_KEY(&at, cf_json_key(v));

        if (cf_json_str(v) == NULL && !cf_json_is_null(v))
            cf_field_fail(r, &here, cf_json_type_name(CF_JSON_STRING), v);
    }
    *out = (struct cf_text_map){copy_path(r, &at), map};
}

/* The annotation with the last applied configuration does not count: it repeats the object. */
static bool map_may_hold(const struct cf_text_map *map)
{
    for (const struct cf_json *v = cf_json_first(map->values); v != NULL; v = cf_json_next(v)) {
        const char *text = cf_str_or_empty(cf_json_str(v));

        if (!cf_streq(cf_json_key(v), CF_APPLIED_ANNOTATION) &&
            cf_token_may_hold(text, strlen(text)))
            return true;
    }
    return false;
}

bool cf_object_may_hold_token(const struct cf_object *object)
{
    return object->pod.text_count > 0 || map_may_hold(&object->annotations) ||
           map_may_hold(&object->pod_annotations);
}
