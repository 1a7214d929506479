/* SPDX-License-Identifier: Apache-2.0 */
/* files.h - the files that a container sees in a volume, derived from the semantics of Secrets,
 * projections and the downward API (pkg/volume/{secret,projected}), independently of the
 * conversion. */
#ifndef CURFEW_TEST_FILES_H
#define CURFEW_TEST_FILES_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "curfew/arena.h"

#define FILES_MAX 128

struct files {
    struct cf_arena *arena;
    const char *account; /* the pod's: whose token a projected one is */
    const char *paths[FILES_MAX];
    const char *texts[FILES_MAX]; /* "content mode" */
    size_t count;
};

static inline const char *member(const cJSON *object, const char *key)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));

    return text != NULL ? text : "";
}

static inline int mode_of(const cJSON *object, const char *key, int otherwise)
{
    const cJSON *mode = cJSON_GetObjectItemCaseSensitive(object, key);

    return cJSON_IsNumber(mode) ? mode->valueint : otherwise;
}

/* A later file takes the place of an earlier one of the same path. */
static inline void add_file(struct files *f, const char *path, const char *content, int mode)
{
    const char *text = cf_arena_printf(f->arena, "%s %o", content, (unsigned)mode);

    for (size_t i = 0; i < f->count; i++) {
        if (strcmp(f->paths[i], path) == 0) {
            f->texts[i] = text;
            return;
        }
    }
    if (f->count == FILES_MAX)
        abort();
    f->paths[f->count] = path;
    f->texts[f->count++] = text;
}

/* The account of this legacy Secret; NULL: it has none, or is not legacy. */
static inline const char *owner_of(const char *secret)
{
    static const char *const owners[][2] = {{"web-token", "web"},
                                            {"web-token-2", "web"},
                                            {"api-token", "api"},
                                            {"default-token", "default"}};

    for (size_t i = 0; i < sizeof(owners) / sizeof(owners[0]); i++) {
        if (strcmp(owners[i][0], secret) == 0)
            return owners[i][1];
    }
    return NULL;
}

static inline bool is_legacy(const char *secret)
{
    return owner_of(secret) != NULL || strcmp(secret, "orphan-token") == 0;
}

static inline const char *secret_content(struct files *f, const char *secret, const char *key)
{
    if (is_legacy(secret) && strcmp(key, "token") == 0)
        return cf_arena_printf(f->arena, "token of %s",
                               owner_of(secret) != NULL ? owner_of(secret) : secret);
    if (is_legacy(secret) && strcmp(key, "ca.crt") == 0)
        return "root ca";
    if (is_legacy(secret) && strcmp(key, "namespace") == 0)
        return "namespace";
    return cf_arena_printf(f->arena, "secret %s %s", secret, key);
}

static inline const char *config_content(struct files *f, const char *map, const char *key)
{
    if (strcmp(map, "kube-root-ca.crt") == 0 && strcmp(key, "ca.crt") == 0)
        return "root ca";
    return cf_arena_printf(f->arena, "config %s %s", map, key);
}

static inline void add_keys(struct files *f, const cJSON *body, const char *name, int mode,
                            const char *(*content)(struct files *, const char *, const char *),
                            const char *const *whole)
{
    const cJSON *items = cJSON_GetObjectItemCaseSensitive(body, "items"), *item;

    cJSON_ArrayForEach(item, items)
    {
        add_file(f, member(item, "path"), content(f, name, member(item, "key")),
                 mode_of(item, "mode", mode));
    }
    for (; cJSON_GetArraySize(items) == 0 && *whole != NULL; whole++)
        add_file(f, *whole, content(f, name, *whole), mode);
}

static inline void add_secret(struct files *f, const cJSON *body, const char *name, int mode)
{
    static const char *const legacy[] = {"token", "ca.crt", "namespace", NULL};
    static const char *const other[] = {"password", NULL};

    add_keys(f, body, name, mode, secret_content, is_legacy(name) ? legacy : other);
}

static inline void add_source(struct files *f, const cJSON *source, int mode)
{
    static const char *const root_ca[] = {"ca.crt", NULL}, *const settings[] = {"settings", NULL};
    const cJSON *body, *item;

    if ((body = cJSON_GetObjectItemCaseSensitive(source, "serviceAccountToken")) != NULL)
        add_file(f, member(body, "path"), cf_arena_printf(f->arena, "token of %s", f->account),
                 mode);
    if ((body = cJSON_GetObjectItemCaseSensitive(source, "secret")) != NULL)
        add_secret(f, body, member(body, "name"), mode);
    if ((body = cJSON_GetObjectItemCaseSensitive(source, "configMap")) != NULL)
        add_keys(f, body, member(body, "name"), mode, config_content,
                 strcmp(member(body, "name"), "kube-root-ca.crt") == 0 ? root_ca : settings);
    if ((body = cJSON_GetObjectItemCaseSensitive(source, "clusterTrustBundle")) != NULL)
        add_file(f, member(body, "path"), "trust bundle", mode);
    body = cJSON_GetObjectItemCaseSensitive(source, "downwardAPI");
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(body, "items"))
    {
        const char *field = member(cJSON_GetObjectItemCaseSensitive(item, "fieldRef"), "fieldPath");

        add_file(f, member(item, "path"),
                 strcmp(field, "metadata.namespace") == 0 ? "namespace" : field,
                 mode_of(item, "mode", mode));
    }
}

static inline void add_volume(struct files *f, const cJSON *volume)
{
    const cJSON *secret = cJSON_GetObjectItemCaseSensitive(volume, "secret");
    const cJSON *projected = cJSON_GetObjectItemCaseSensitive(volume, "projected"), *source;

    if (secret != NULL)
        add_secret(f, secret, member(secret, "secretName"), mode_of(secret, "defaultMode", 0644));
    cJSON_ArrayForEach(source, cJSON_GetObjectItemCaseSensitive(projected, "sources"))
    {
        add_source(f, source, mode_of(projected, "defaultMode", 0644));
    }
}

static inline bool has_file(const struct files *f, const char *path, const char *text)
{
    for (size_t i = 0; i < f->count; i++) {
        if (strcmp(f->paths[i], path) == 0)
            return strcmp(f->texts[i], text) == 0;
    }
    return false;
}

static inline bool same_files(const struct files *a, const struct files *b)
{
    for (size_t i = 0; i < a->count; i++) {
        if (!has_file(b, a->paths[i], a->texts[i]))
            return false;
    }
    return a->count == b->count;
}

#endif
