/* SPDX-License-Identifier: Apache-2.0 */
/* convert.c - the same files, another token.
 *
 * A legacy Secret holds `token`, `ca.crt` and `namespace`. A projection gives the same three: a
 * serviceAccountToken, the ConfigMap kube-root-ca.crt, the downward API. Paths and modes stay. A
 * token source does not have a mode, it follows the volume's defaultMode; so where the token
 * item has one, that becomes the default, and every other item states its own. */
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "convert.h"
#include "curfew/limits.h"

static const struct cf_item whole_secret[] = {
    {"token", "token", CF_MODE_NONE},
    {"ca.crt", "ca.crt", CF_MODE_NONE},
    {"namespace", "namespace", CF_MODE_NONE},
};

struct conversion {
    const struct cf_rule_input *in;
    struct cf_findings *out;
    const struct cf_volume *volume;
    const struct cf_volume_source *source; /* NULL: a secret volume */
    struct cf_items items; /* what the Secret gives, `whole_secret` without items[] */
    int64_t old_default;   /* defaultMode as it holds for items */
    int64_t token_mode;    /* CF_MODE_NONE: no token item states one */
    /* The level's max; or, where extended-token does not hold for the object, 3607: a client that
     * reads its token only once keeps working, for a year, and shows up as stale. */
    int64_t expiration;
};

static bool is_item(const struct cf_item *item, const char *key)
{
    return cf_streq(item->key, key);
}

static bool state_all_modes(const struct conversion *c)
{
    return c->source == NULL && c->token_mode != CF_MODE_NONE;
}

/* ---- obstacles ---- */

static const char *foreign_key(const struct conversion *c)
{
    for (size_t i = 0; i < c->items.count; i++) {
        const struct cf_item *item = &c->items.items[i];

        if (!is_item(item, "token") && !is_item(item, "ca.crt") && !is_item(item, "namespace"))
            return cf_str_or_empty(item->key);
    }
    return NULL;
}

/* '/' sorts before all else, so that "a/b" directly follows "a". */
static int by_path(const void *a, const void *b)
{
    const char *x = *(const char *const *)a, *y = *(const char *const *)b;

    while (*x != '\0' && *x == *y) {
        x++;
        y++;
    }
    if (*x == *y)
        return 0;
    if (*x == '\0' || *y == '\0')
        return *x == '\0' ? -1 : 1;
    if (*x == '/' || *y == '/')
        return *x == '/' ? -1 : 1;
    return (unsigned char)*x < (unsigned char)*y ? -1 : 1;
}

static bool paths_clash(const char *a, const char *b)
{
    size_t len = strlen(a);

    return strncmp(a, b, len) == 0 && (b[len] == '\0' || b[len] == '/');
}

static size_t path_count(const struct conversion *c)
{
    size_t n = c->source == NULL ? c->items.count : 0;

    for (size_t i = 0; i < c->volume->source_count; i++)
        n += c->volume->sources[i].items.count + CF_COUNT(whole_secret);
    return n;
}

/* The paths that a source writes, as far as the pod shows them. */
static void source_paths(const struct conversion *c, const struct cf_volume_source *source,
                         const char **paths, size_t *n)
{
    for (size_t i = 0; i < source->items.count; i++)
        paths[(*n)++] = cf_str_or_empty(source->items.items[i].path);
    if (source->items.count > 0)
        return;
    if (source->type == CF_SOURCE_TOKEN)
        paths[(*n)++] = cf_str_or_empty(source->token_path);
    if (cf_streq(source->config_map, CF_ROOT_CA_CONFIG_MAP))
        paths[(*n)++] = "ca.crt";
    for (size_t i = 0; i < CF_COUNT(source->other_paths) && source->other_paths[i] != NULL; i++)
        paths[(*n)++] = source->other_paths[i];
    if (source->secret != NULL && c->in->secrets[source->secret->index].state == CF_SECRET_LEGACY) {
        for (size_t i = 0; i < CF_COUNT(whole_secret); i++)
            paths[(*n)++] = whole_secret[i].path;
    }
}

/* The first path that two files would share; NULL when all differ. */
static const char *find_clash(const struct conversion *c)
{
    const char **paths = cf_arena_array(c->out->arena, path_count(c) + 1, sizeof(*paths));
    size_t n = 0;

    if (paths == NULL) {
        c->out->failed = true;
        return NULL;
    }
    for (size_t i = 0; c->source == NULL && i < c->items.count; i++)
        paths[n++] = cf_str_or_empty(c->items.items[i].path);
    for (size_t i = 0; i < c->volume->source_count; i++)
        source_paths(c, &c->volume->sources[i], paths, &n);
    qsort(paths, n, sizeof(*paths), by_path);
    for (size_t i = 1; i < n; i++) {
        if (paths_clash(paths[i - 1], paths[i]))
            return paths[i];
    }
    return NULL;
}

static const char *clash(const struct conversion *c, struct cf_shared_paths *shared)
{
    if (!shared->known)
        *shared = (struct cf_shared_paths){true, find_clash(c)};
    return shared->clash;
}

/* Whether one mode serves all token items; for a secret volume that mode is kept. */
static bool token_modes_agree(struct conversion *c)
{
    int64_t wanted = CF_MODE_NONE;

    for (size_t i = 0; i < c->items.count; i++) {
        const struct cf_item *item = &c->items.items[i];
        int64_t mode = item->mode != CF_MODE_NONE ? item->mode : c->old_default;

        if (!is_item(item, "token"))
            continue;
        if (wanted != CF_MODE_NONE && wanted != mode)
            return false;
        wanted = mode;
        if (item->mode != CF_MODE_NONE)
            c->token_mode = item->mode;
    }
    return c->source == NULL || wanted == CF_MODE_NONE || wanted == c->old_default;
}

/* A volume or source of several types is invalid, and Curfew does not make it valid. */
static bool is_mixed(const struct conversion *c)
{
    return c->source != NULL ? c->source->mixed : c->volume->mixed;
}

static size_t token_count(const struct conversion *c)
{
    size_t n = 0;

    for (size_t i = 0; i < c->items.count; i++)
        n += is_item(&c->items.items[i], "token");
    return n;
}

/* Kubernetes refuses such a name, and no file system has such a path. */
static bool is_too_long(const struct conversion *c)
{
    if (c->volume->name != NULL && c->volume->name != c->volume->called)
        return true;
    for (size_t i = 0; i < c->items.count; i++) {
        const char *path = c->items.items[i].path;

        if (path != NULL && strnlen(path, PATH_MAX + 1) > PATH_MAX)
            return true;
    }
    return false;
}

static bool has_obstacle(struct conversion *c, struct cf_shared_paths *shared,
                         struct cf_obstacle *obstacle)
{
    struct cf_arena *arena = c->out->arena;
    const char *text;

    *obstacle = (struct cf_obstacle){0};
    if (!c->in->may_fix) {
        obstacle->why = "the pod exists already, and its volumes can't be changed";
        obstacle->remedy = "recreate the pod with a projected volume that has a "
                           "serviceAccountToken source";
    } else if (c->volume->sub_path_container != NULL) {
        obstacle->why = cf_arena_printf(
            arena, "container \"%s\" mounts it with subPath, and such a file is never renewed",
            c->volume->sub_path_container);
        obstacle->remedy = "mount the whole volume as a folder instead of one file by subPath; "
                           "then it can be converted";
    } else if (c->items.count > CF_CONVERT_ITEMS_MAX) {
        obstacle->why = cf_arena_printf(arena, "it lists more than %d files", CF_CONVERT_ITEMS_MAX);
    } else if (is_too_long(c)) {
        obstacle->why = "a name or a path in it is longer than any can be";
    } else if ((text = foreign_key(c)) != NULL) {
        obstacle->why =
            cf_arena_printf(arena, "items[] lists key \"%s\", which only a Secret can give", text);
        obstacle->remedy = "move that key to a Secret of type Opaque, and mount the token as a "
                           "projected serviceAccountToken volume";
    } else if ((text = clash(c, shared)) != NULL) {
        obstacle->why =
            cf_arena_printf(arena, "another part of the volume writes \"%s\" too", text);
        obstacle->remedy = "give each part of the volume paths of its own (items[].path); then it "
                           "can be converted";
    } else if (!token_modes_agree(c)) {
        obstacle->why = "the token's file mode differs from defaultMode, and a projected token "
                        "has none of its own";
        obstacle->remedy = "set defaultMode to the one mode of the token's items; then it can be "
                           "converted";
    } else if (is_mixed(c)) {
        obstacle->why = "it has more than one source type";
        obstacle->remedy = "keep one type in it, as Kubernetes requires; then it can be converted";
    } else {
        return false;
    }
    return true;
}

/* ---- writing ---- */

static void write_mode(struct cf_out *json, const struct conversion *c, const struct cf_item *item)
{
    if (item->mode != CF_MODE_NONE)
        cf_out_int(json, "mode", item->mode);
    else if (state_all_modes(c))
        cf_out_int(json, "mode", c->old_default);
}

static void write_token(struct cf_out *json, const struct conversion *c, const struct cf_item *item)
{
    cf_out_object(json, NULL);
    cf_out_object(json, "serviceAccountToken");
    cf_out_int(json, "expirationSeconds", c->expiration);
    cf_out_str(json, "path", item->path);
    cf_out_end_object(json);
    cf_out_end_object(json);
}

static void write_root_ca(struct cf_out *json, const struct conversion *c)
{
    cf_out_object(json, NULL);
    cf_out_object(json, "configMap");
    cf_out_str(json, "name", CF_ROOT_CA_CONFIG_MAP);
    cf_out_array(json, "items");
    for (size_t i = 0; i < c->items.count; i++) {
        if (!is_item(&c->items.items[i], "ca.crt"))
            continue;
        cf_out_object(json, NULL);
        cf_out_str(json, "key", "ca.crt");
        cf_out_str(json, "path", c->items.items[i].path);
        write_mode(json, c, &c->items.items[i]);
        cf_out_end_object(json);
    }
    cf_out_end_array(json);
    cf_out_end_object(json);
    cf_out_end_object(json);
}

static void write_namespace(struct cf_out *json, const struct conversion *c)
{
    cf_out_object(json, NULL);
    cf_out_object(json, "downwardAPI");
    cf_out_array(json, "items");
    for (size_t i = 0; i < c->items.count; i++) {
        if (!is_item(&c->items.items[i], "namespace"))
            continue;
        cf_out_object(json, NULL);
        cf_out_str(json, "path", c->items.items[i].path);
        cf_out_object(json, "fieldRef");
        cf_out_str(json, "apiVersion", "v1");
        cf_out_str(json, "fieldPath", "metadata.namespace");
        cf_out_end_object(json);
        write_mode(json, c, &c->items.items[i]);
        cf_out_end_object(json);
    }
    cf_out_end_array(json);
    cf_out_end_object(json);
    cf_out_end_object(json);
}

static bool has_key(const struct conversion *c, const char *key)
{
    for (size_t i = 0; i < c->items.count; i++) {
        if (is_item(&c->items.items[i], key))
            return true;
    }
    return false;
}

/* The sources that take the Secret's place, as items of the open array. */
static void write_sources(struct cf_out *json, const struct conversion *c)
{
    for (size_t i = 0; i < c->items.count; i++) {
        if (is_item(&c->items.items[i], "token"))
            write_token(json, c, &c->items.items[i]);
    }
    if (has_key(c, "ca.crt"))
        write_root_ca(json, c);
    if (has_key(c, "namespace"))
        write_namespace(json, c);
}

static void write_volume(struct cf_out *json, const struct conversion *c)
{
    int64_t mode = c->token_mode != CF_MODE_NONE ? c->token_mode : c->volume->default_mode;

    cf_out_object(json, NULL);
    cf_out_str(json, "name", c->volume->name);
    cf_out_object(json, "projected");
    cf_out_array(json, "sources");
    write_sources(json, c);
    cf_out_end_array(json);
    if (mode != CF_MODE_NONE)
        cf_out_int(json, "defaultMode", mode);
    cf_out_end_object(json);
    cf_out_end_object(json);
}

/* ---- the fix ---- */

static const char *render(const struct conversion *c, bool as_list,
                          void (*write)(struct cf_out *json, const struct conversion *c))
{
    struct cf_buf buf;
    struct cf_out json;

    cf_buf_init_arena(&buf, c->out->arena, CF_ANSWER_MAX);
    cf_out_init(&json, &buf);
    if (as_list)
        cf_out_array(&json, NULL);
    write(&json, c);
    if (as_list)
        cf_out_end_array(&json);
    return cf_buf_ok(&buf) ? cf_buf_str(&buf) : NULL;
}

static void fix_volume(const struct conversion *c, struct cf_fix *fix)
{
    cf_fix_op(fix, "replace", cf_path_pointer(c->out->arena, c->volume->at),
              render(c, false, write_volume));
    fix->replacement = render(c, true, write_volume);
    fix->replaces = cf_path_text(c->out->arena, c->volume->at);
}

/* The new sources one by one at the old one's place: the first replaces it, the others are
 * inserted after it. */
static void fix_source(const struct conversion *c, struct cf_fix *fix)
{
    struct cf_arena *arena = c->out->arena;
    const char *list = render(c, true, write_sources);
    size_t at = c->source->index, n = 0;
    const struct cf_json *sources =
        list != NULL ? cf_json_parse(arena, list, strlen(list), NULL, NULL, NULL) : NULL;
    const struct cf_json *v;

    for (v = cf_json_first(sources); v != NULL; v = cf_json_next(v), n++) {
        struct cf_path here = CF_PATH_INDEX(c->source->at->up, at + n);
        struct cf_buf buf;
        struct cf_out json;

        cf_buf_init_arena(&buf, arena, CF_ANSWER_MAX);
        cf_out_init(&json, &buf);
        cf_out_value(&json, NULL, v);
        cf_fix_op(fix, n == 0 ? "replace" : "add", cf_path_pointer(arena, &here), cf_buf_str(&buf));
    }
    fix->source = c->source->at;
    fix->inserts = n > 0 ? n - 1 : 0;
    fix->replacement = list;
    fix->replaces = cf_path_text(arena, c->source->at);
}

static void warn_converted(const struct conversion *c, struct cf_fix *fix)
{
    const char *who = cf_volume_spoken(c->out, c->volume);
    const char *secret = c->source != NULL ? c->source->secret->name : c->volume->secret->name;
    const char *kept =
        c->items.items == whole_secret ? "; other keys of the Secret are not in it" : "";

    if (token_count(c) == 0)
        fix->warning = cf_arena_printf(
            c->out->arena, "%s now holds the same files without Secret \"%s\"", who, secret);
    else
        fix->warning =
            cf_arena_printf(c->out->arena,
                            "%s now holds a token of %" PRId64 " s in place of Secret \"%s\"%s: "
                            "the client must re-read the file",
                            who, c->expiration, secret, kept);
    cf_fix_warn_written(c->in, c->out, fix, c->volume);
}

struct cf_fix *cf_convert(const struct cf_rule_input *in, struct cf_findings *out,
                          const struct cf_volume *volume, const struct cf_volume_source *source,
                          struct cf_shared_paths *shared, struct cf_obstacle *obstacle)
{
    struct conversion c = {
        .in = in,
        .out = out,
        .volume = volume,
        .source = source,
        .items = source != NULL ? source->items : volume->items,
        .old_default =
            volume->default_mode != CF_MODE_NONE ? volume->default_mode : CF_MODE_DEFAULT,
        .token_mode = CF_MODE_NONE,
        .expiration =
            in->considered ? cf_lifetime_of(in->policy, in->level)->max : CF_EXTENDING_SECONDS,
    };
    struct cf_fix *fix;

    if (c.items.count == 0)
        c.items = (struct cf_items){whole_secret, CF_COUNT(whole_secret)};
    if (has_obstacle(&c, shared, obstacle))
        return NULL;
    /* Of a projected source: one for each file of the token, ca.crt, and namespace. */
    fix = cf_fix_new(out, (source != NULL ? token_count(&c) + 2 : 1) + CF_ANNOTATION_OPS);
    if (fix == NULL)
        return NULL;
    if (source != NULL)
        fix_source(&c, fix);
    else
        fix_volume(&c, fix);
    warn_converted(&c, fix);
    return fix;
}
