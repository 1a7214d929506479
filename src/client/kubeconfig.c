/* SPDX-License-Identifier: Apache-2.0 */
/* kubeconfig.c - a kubeconfig (client-go tools/clientcmd/api/v1), read as kubectl reads it: one
 * context, its cluster and its user. What this program can't do is refused, never passed over:
 * somebody's request would be made under another name than the file says. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "credentials.h"
#include "curfew/base64.h"
#include "curfew/file.h"
#include "curfew/json.h"
#include "curfew/limits.h"
#include "curfew/str.h"
#include "kubeconfig.h"

/* ---- sentences ---- */

static size_t line_of(const struct cf_kubeconfig *k, const struct cf_json *value)
{
    size_t line = cf_json_line(value);

    return line != 0 ? line : cf_json_line(k->entry);
}

int cf_kubeconfig_fail(struct cf_kubeconfig *k, const struct cf_json *value, const char *sentence)
{
    size_t line = line_of(k, value);

    if (k->what == NULL)
        return cf_err_set(k->err, "'%s': %s", k->path, sentence);
    if (line == 0)
        return cf_err_set(k->err, "'%s': %s \"%s\": %s", k->path, k->what, k->name, sentence);
    return cf_err_set(k->err, "'%s':%zu: %s \"%s\": %s", k->path, line, k->what, k->name, sentence);
}

static int fail_type(struct cf_kubeconfig *k, const char *key, const struct cf_json *value,
                     const char *wanted)
{
    char sentence[128];

    snprintf(sentence, sizeof(sentence), "%s should be %s, not %s", key, wanted,
             cf_json_type_name(cf_json_type(value)));
    return cf_kubeconfig_fail(k, value, sentence);
}

/* ---- members ---- */

int cf_kubeconfig_text(struct cf_kubeconfig *k, const struct cf_json *object, const char *key,
                       const char **out)
{
    const struct cf_json *value = cf_json_get(object, key);

    *out = NULL;
    if (cf_json_is_null(value))
        return 0;
    if (cf_json_str(value) == NULL)
        return fail_type(k, key, value, "a string");
    if (cf_json_str(value)[0] != '\0') /* an empty one is none, as for kubectl */
        *out = cf_json_str(value);
    return 0;
}

int cf_kubeconfig_bool(struct cf_kubeconfig *k, const struct cf_json *object, const char *key,
                       bool *out)
{
    const struct cf_json *value = cf_json_get(object, key);

    if (!cf_json_is_null(value) && cf_json_type(value) != CF_JSON_BOOL)
        return fail_type(k, key, value, "true or false");
    *out = cf_json_true(value);
    return 0;
}

/* A path in a kubeconfig is relative to the kubeconfig. */
const char *cf_kubeconfig_beside(struct cf_kubeconfig *k, const char *path)
{
    const char *slash = strrchr(k->path, '/');

    if (path[0] == '/' || slash == NULL)
        return path;
    return cf_arena_printf(k->access->arena, "%.*s%s", (int)(slash - k->path + 1), k->path, path);
}

/* `certificate-authority-data` (base64), else `certificate-authority` (a path). */
static int read_kept(struct cf_kubeconfig *k, const struct cf_json *object, const char *path_key,
                     const char *data_key, struct cf_kept *out)
{
    const char *data, *path;
    char sentence[128];

    if (cf_kubeconfig_text(k, object, data_key, &data) != 0 ||
        cf_kubeconfig_text(k, object, path_key, &path) != 0)
        return -1;
    if (data == NULL) {
        out->path = path != NULL ? cf_kubeconfig_beside(k, path) : NULL;
        return 0;
    }
    if (cf_base64_decode(data, strlen(data), &out->bytes) && out->bytes.len > 0)
        return 0;
    snprintf(sentence, sizeof(sentence), "%s is no base64: it should be that of a PEM file",
             data_key);
    return cf_kubeconfig_fail(k, cf_json_get(object, data_key), sentence);
}

/* ---- entries ---- */

static void list_names(const struct cf_json *list, struct cf_buf *out)
{
    for (const struct cf_json *v = cf_json_first(list); v != NULL; v = cf_json_next(v)) {
        const char *name = cf_json_str(cf_json_get(v, "name"));

        if (name != NULL && out->len < 200)
            cf_buf_addf(out, "%s%s", out->len > 0 ? ", " : "", name);
    }
}

static int fail_missing(struct cf_kubeconfig *k, const char *list_key, const char *name)
{
    const struct cf_json *list = cf_json_get(k->root, list_key);
    struct cf_suggestion near = {.word = name};
    struct cf_buf sentence, names;
    char hint[96];

    for (const struct cf_json *v = cf_json_first(list); v != NULL; v = cf_json_next(v)) {
        if (cf_json_str(cf_json_get(v, "name")) != NULL)
            cf_suggest(&near, cf_json_str(cf_json_get(v, "name")));
    }
    cf_buf_init_arena(&names, k->access->arena, 4096);
    cf_buf_init_arena(&sentence, k->access->arena, 8192);
    list_names(list, &names);
    if (k->what != NULL)
        cf_buf_addf(&sentence, "it names %.*s \"%s\", ", (int)strlen(list_key) - 1, list_key, name);
    cf_buf_addf(&sentence, "there is no %.*s \"%s\"%s", (int)strlen(list_key) - 1, list_key, name,
                cf_suggestion_text(&near, hint));
    cf_buf_addf(&sentence, "%s%s", names.len > 0 ? "; there is: " : "; the list is empty",
                cf_buf_str(&names));
    return cf_kubeconfig_fail(k, NULL, cf_buf_str(&sentence));
}

/* The `inner` member of the entry of that name in a list: {name: N, cluster: {...}}. From here on
 * sentences are about it. */
static const struct cf_json *find_entry(struct cf_kubeconfig *k, const char *list_key,
                                        const char *inner, const char *name)
{
    const struct cf_json *list = cf_json_get(k->root, list_key);

    for (const struct cf_json *v = cf_json_first(list); v != NULL; v = cf_json_next(v)) {
        const struct cf_json *found = cf_json_get(v, inner);

        if (!cf_streq(cf_json_str(cf_json_get(v, "name")), name))
            continue;
        k->what = inner;
        k->name = name;
        k->entry = found != NULL ? found : v;
        if (cf_json_type(found) == CF_JSON_OBJECT)
            return found;
        fail_type(k, inner, found, "a map");
        return NULL;
    }
    fail_missing(k, list_key, name);
    return NULL;
}

static const char *told(struct cf_kubeconfig *k)
{
    return cf_arena_printf(k->access->arena, "%s \"%s\" of '%s'", k->what, k->name, k->path);
}

/* ---- clusters ---- */

static int read_cluster(struct cf_kubeconfig *k, const char *name)
{
    const struct cf_json *cluster = find_entry(k, "clusters", "cluster", name);
    struct cf_credentials *a = k->access;
    const char *server;
    size_t len;

    if (cluster == NULL || cf_kubeconfig_text(k, cluster, "server", &server) != 0 ||
        cf_kubeconfig_text(k, cluster, "tls-server-name", &a->server_name) != 0 ||
        cf_kubeconfig_text(k, cluster, "proxy-url", &a->proxy) != 0 ||
        cf_kubeconfig_bool(k, cluster, "insecure-skip-tls-verify", &a->insecure) != 0 ||
        read_kept(k, cluster, "certificate-authority", "certificate-authority-data", &a->ca) != 0)
        return -1;
    if (server == NULL)
        return cf_kubeconfig_fail(k, NULL, "server is missing: the API server's https:// address");
    len = strlen(server);
    while (len > 0 && server[len - 1] == '/')
        len--;
    /* kubectl takes a bare host:port for https as well. */
    a->server = cf_arena_printf(a->arena, "%s%.*s", strstr(server, "://") == NULL ? "https://" : "",
                                (int)len, server);
    a->trust = told(k);
    k->cluster = cluster;
    return 0;
}

/* ---- users ---- */

static int refuse_what_we_cannot(struct cf_kubeconfig *k, const struct cf_json *user)
{
    static const struct {
        const char *key, *sentence;
    } refused[] = {
        {"auth-provider", "auth-provider: Kubernetes 1.26 removed it; use exec, a program that "
                          "prints credentials"},
        {"username", "username and password: Kubernetes 1.19 removed them; use a token, a client "
                     "certificate or exec"},
        {"password", "username and password: Kubernetes 1.19 removed them; use a token, a client "
                     "certificate or exec"},
        {"as", "as: impersonation is not supported here; use that user's own credentials"},
        {"as-uid", "as-uid: impersonation is not supported here"},
        {"as-groups", "as-groups: impersonation is not supported here"},
        {"as-user-extra", "as-user-extra: impersonation is not supported here"},
    };

    for (size_t i = 0; i < CF_COUNT(refused); i++) {
        const struct cf_json *value = cf_json_get(user, refused[i].key);

        if (!cf_json_is_null(value) && !cf_streq(cf_json_str(value), ""))
            return cf_kubeconfig_fail(k, value, refused[i].sentence);
    }
    return 0;
}

static int read_token(struct cf_kubeconfig *k, const struct cf_json *user)
{
    struct cf_credentials *a = k->access;
    const char *token, *file;

    if (cf_kubeconfig_text(k, user, "token", &token) != 0 ||
        cf_kubeconfig_text(k, user, "tokenFile", &file) != 0)
        return -1;
    if (token != NULL)
        cf_buf_adds(&a->token.bytes, token);
    if (file != NULL)
        a->token.path = cf_kubeconfig_beside(k, file);
    if (!cf_buf_ok(&a->token.bytes))
        return cf_kubeconfig_fail(k, cf_json_get(user, "token"), "token is too long to be one");
    return 0;
}

static int read_user(struct cf_kubeconfig *k, const char *name)
{
    const struct cf_json *user = find_entry(k, "users", "user", name), *exec;
    struct cf_credentials *a = k->access;

    if (user == NULL || refuse_what_we_cannot(k, user) != 0 || read_token(k, user) != 0 ||
        read_kept(k, user, "client-certificate", "client-certificate-data", &a->cert) != 0 ||
        read_kept(k, user, "client-key", "client-key-data", &a->key) != 0)
        return -1;
    a->who = told(k);
    exec = cf_json_get(user, "exec");
    if (cf_json_is_null(exec))
        return 0;
    if (a->token.path != NULL || a->token.bytes.len > 0 || a->cert.path != NULL ||
        a->cert.bytes.len > 0)
        return cf_kubeconfig_fail(
            k, exec, "it has exec and a token or a certificate: one of them has to go");
    return cf_kubeconfig_exec(k, exec);
}

/* ---- the whole ---- */

static int read_context(struct cf_kubeconfig *k, const char *context)
{
    const char *cluster, *user;
    const struct cf_json *found;

    if (context == NULL && cf_kubeconfig_text(k, k->root, "current-context", &context) != 0)
        return -1;
    if (context == NULL)
        return cf_kubeconfig_fail(k, NULL,
                                  "current-context is not set: kubectl config use-context NAME "
                                  "sets it");
    found = find_entry(k, "contexts", "context", context);
    if (found == NULL || cf_kubeconfig_text(k, found, "cluster", &cluster) != 0 ||
        cf_kubeconfig_text(k, found, "user", &user) != 0 ||
        cf_kubeconfig_text(k, found, "namespace", &k->access->namespace) != 0)
        return -1;
    if (cluster == NULL)
        return cf_kubeconfig_fail(k, NULL, "cluster is missing: the name of one of the clusters");
    if (k->access->namespace == NULL)
        k->access->namespace = "default";
    k->access->who = told(k);
    if (read_cluster(k, cluster) != 0)
        return -1;
    k->what = "context";
    k->name = context;
    k->entry = found;
    return user != NULL ? read_user(k, user) : 0;
}

static int fail_read(struct cf_kubeconfig *k)
{
    if (strchr(k->path, ':') != NULL && access(k->path, F_OK) != 0)
        return cf_err_set(k->err,
                          "kubeconfig '%s': it names several files, and one is read here: "
                          "KUBECONFIG=A:B kubectl config view --flatten makes one of them",
                          k->path);
    return cf_err_wrap(k->err, "kubeconfig");
}

static int read_file(struct cf_kubeconfig *k, const char *context)
{
    struct cf_buf text;

    cf_buf_init_arena(&text, k->access->arena, CF_KUBECONFIG_MAX);
    if (cf_file_read(k->path, &text, k->err) != 0)
        return fail_read(k);
    k->root =
        cf_yaml_parse(k->access->arena, cf_buf_str(&text), text.len, 1, CF_YAML_MANIFEST, k->err);
    if (k->root == NULL && k->err->kind != CF_ERR_NONE)
        return cf_err_wrap(k->err, "kubeconfig '%s'", k->path);
    if (k->root == NULL)
        return cf_err_set(k->err, "kubeconfig '%s': it is empty", k->path);
    if (!cf_streq(cf_json_str(cf_json_get(k->root, "kind")), "Config"))
        return cf_err_set(k->err, "'%s': it is no kubeconfig: its kind should be Config", k->path);
    if (read_context(k, context) != 0)
        return cf_err_wrap(k->err, "kubeconfig");
    if (cf_arena_failed(k->access->arena))
        return cf_err_memory(k->err);
    return cf_credentials_check(k->access, k->err);
}

struct cf_credentials *cf_credentials_kubeconfig(const char *path, const char *context,
                                                 struct cf_err *err)
{
    struct cf_kubeconfig k = {.path = path, .err = err};

    k.access = cf_credentials_new(err);
    if (k.access == NULL)
        return NULL;
    k.path = cf_arena_strdup(k.access->arena, path);
    err->kind = CF_ERR_NONE;
    if (k.path != NULL && read_file(&k, context) == 0)
        return k.access;
    cf_credentials_free(k.access);
    return NULL;
}
