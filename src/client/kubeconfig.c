/* SPDX-License-Identifier: Apache-2.0 */
/* kubeconfig.c - reads a kubeconfig (client-go tools/clientcmd/api/v1) as kubectl does: one
 * context, its cluster and its user. Members that this client does not support are errors, never
 * ignored: else a request would be made under another name than the file says. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "curfew/base64.h"
#include "curfew/file.h"
#include "curfew/json.h"
#include "curfew/limits.h"
#include "curfew/str.h"
#include "curfew/writer.h"
#include "credentials.h"

#define GROUP "client.authentication.k8s.io"
#define WORDS_MAX 1024

/* A file that is being read. */
struct kubeconfig {
    struct cf_credentials *creds; /* to be filled */
    const char *path;
    const struct cf_json *root;
    const struct cf_json *entry;   /* the entry being read: `user "admin"` */
    const struct cf_json *cluster; /* of the context */
    const char *what, *name;       /* of the entry; NULL: the file as a whole */
    struct cf_err *err;
};

/* ---- errors ---- */

static size_t line_of(const struct kubeconfig *k, const struct cf_json *value)
{
    size_t line = cf_json_line(value);

    return line != 0 ? line : cf_json_line(k->entry);
}

/* "'FILE':LINE: user "admin": MESSAGE"; the line of the value, else of the entry. Returns -1. */
static int fail_entry(struct kubeconfig *k, const struct cf_json *value, const char *message)
{
    size_t line = line_of(k, value);

    if (k->what == NULL)
        return cf_err_set(k->err, "'%s': %s", k->path, message);
    if (line == 0)
        return cf_err_set(k->err, "'%s': %s \"%s\": %s", k->path, k->what, k->name, message);
    return cf_err_set(k->err, "'%s':%zu: %s \"%s\": %s", k->path, line, k->what, k->name, message);
}

static int fail_type(struct kubeconfig *k, const char *key, const struct cf_json *value,
                     const char *wanted)
{
    char message[128];

    snprintf(message, sizeof(message), "%s should be %s, not %s", key, wanted,
             cf_json_type_name(cf_json_type(value)));
    return fail_entry(k, value, message);
}

/* ---- members ---- */

/* A string member; absent, null and "" are NULL. */
static int get_text(struct kubeconfig *k, const struct cf_json *object, const char *key,
                    const char **out)
{
    const struct cf_json *value = cf_json_get(object, key);

    *out = NULL;
    if (cf_json_is_null(value))
        return 0;
    if (cf_json_str(value) == NULL)
        return fail_type(k, key, value, "a string");
    if (cf_json_str(value)[0] != '\0') /* "" counts as absent, as for kubectl */
        *out = cf_json_str(value);
    return 0;
}

/* A boolean member; absent and null are false. */
static int get_bool(struct kubeconfig *k, const struct cf_json *object, const char *key, bool *out)
{
    const struct cf_json *value = cf_json_get(object, key);

    if (!cf_json_is_null(value) && cf_json_type(value) != CF_JSON_BOOL)
        return fail_type(k, key, value, "true or false");
    *out = cf_json_true(value);
    return 0;
}

/* A path in a kubeconfig is relative to the kubeconfig. */
static const char *resolve_path(struct kubeconfig *k, const char *path)
{
    const char *slash = strrchr(k->path, '/');

    if (path[0] == '/' || slash == NULL)
        return path;
    return cf_arena_printf(k->creds->arena, "%.*s%s", (int)(slash - k->path + 1), k->path, path);
}

/* `certificate-authority-data` (base64), else `certificate-authority` (a path). */
static int read_kept_file(struct kubeconfig *k, const struct cf_json *object, const char *path_key,
                          const char *data_key, struct cf_kept *out)
{
    const char *data, *path;
    char message[128];

    if (get_text(k, object, data_key, &data) != 0 || get_text(k, object, path_key, &path) != 0)
        return -1;
    if (data == NULL) {
        out->path = path != NULL ? resolve_path(k, path) : NULL;
        return 0;
    }
    if (cf_base64_decode(data, strlen(data), &out->bytes) && out->bytes.len > 0)
        return 0;
    snprintf(message, sizeof(message), "%s is not base64 of a PEM file", data_key);
    return fail_entry(k, cf_json_get(object, data_key), message);
}

/* ---- entries ---- */

static void list_entries(const struct cf_json *list, struct cf_buf *out)
{
    for (const struct cf_json *v = cf_json_first(list); v != NULL; v = cf_json_next(v)) {
        const char *name = cf_json_str(cf_json_get(v, "name"));

        if (name != NULL && out->len < 200)
            cf_buf_addf(out, "%s%s", out->len > 0 ? ", " : "", name);
    }
}

static int fail_missing(struct kubeconfig *k, const char *list_key, const char *name)
{
    const struct cf_json *list = cf_json_get(k->root, list_key);
    struct cf_suggestion near = {.word = name};
    struct cf_buf message, names;
    char hint[96];

    for (const struct cf_json *v = cf_json_first(list); v != NULL; v = cf_json_next(v)) {
        if (cf_json_str(cf_json_get(v, "name")) != NULL)
            cf_suggest(&near, cf_json_str(cf_json_get(v, "name")));
    }
    cf_buf_init_arena(&names, k->creds->arena, 4096);
    cf_buf_init_arena(&message, k->creds->arena, 8192);
    list_entries(list, &names);
    cf_buf_addf(&message, "there is no %.*s \"%s\"%s", (int)strlen(list_key) - 1, list_key, name,
                cf_suggestion_text(&near, hint));
    cf_buf_addf(&message, "%s%s", names.len > 0 ? "; found: " : "; the list is empty",
                cf_buf_str(&names));
    return fail_entry(k, NULL, cf_buf_str(&message));
}

/* The `inner` member of the entry with this name in a list: {name: N, cluster: {...}}. Errors are
 * about it from here on. */
static const struct cf_json *find_entry(struct kubeconfig *k, const char *list_key,
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

static const char *entry_title(struct kubeconfig *k)
{
    return cf_arena_printf(k->creds->arena, "%s \"%s\" of '%s'", k->what, k->name, k->path);
}

/* ---- clusters ---- */

static int read_cluster(struct kubeconfig *k, const char *name)
{
    const struct cf_json *cluster = find_entry(k, "clusters", "cluster", name);
    struct cf_credentials *a = k->creds;
    const char *server;
    size_t len;

    if (cluster == NULL || get_text(k, cluster, "server", &server) != 0 ||
        get_text(k, cluster, "tls-server-name", &a->server_name) != 0 ||
        get_text(k, cluster, "proxy-url", &a->proxy) != 0 ||
        get_bool(k, cluster, "insecure-skip-tls-verify", &a->insecure) != 0 ||
        read_kept_file(k, cluster, "certificate-authority", "certificate-authority-data", &a->ca) !=
            0)
        return -1;
    if (server == NULL)
        return fail_entry(k, NULL, "server is missing: the API server's https:// address");
    len = strlen(server);
    while (len > 0 && server[len - 1] == '/')
        len--;
    /* As for kubectl, host:port means https. */
    a->server = cf_arena_printf(a->arena, "%s%.*s", strstr(server, "://") == NULL ? "https://" : "",
                                (int)len, server);
    a->trust = entry_title(k);
    k->cluster = cluster;
    return 0;
}

/* ---- a user's `exec`: which program to run, and what it gets to know of the cluster ---- */

static int read_exec_args(struct kubeconfig *k, const struct cf_json *exec, struct cf_exec *out)
{
    const struct cf_json *list = cf_json_get(exec, "args");
    size_t count = cf_json_count(list), i = 0;
    const char **args = cf_arena_array(k->creds->arena, count + 2, sizeof(*args));

    if (args == NULL)
        return cf_err_memory(k->err);
    if (count > WORDS_MAX || (!cf_json_is_null(list) && cf_json_type(list) != CF_JSON_ARRAY))
        return fail_entry(k, list, "exec.args should be a list of strings");
    args[i++] = out->command;
    for (const struct cf_json *v = cf_json_first(list); v != NULL; v = cf_json_next(v)) {
        if (cf_json_str(v) == NULL)
            return fail_entry(k, v, "exec.args should be a list of strings: quote numbers");
        args[i++] = cf_json_str(v);
    }
    out->args = args;
    return 0;
}

static int read_exec_env(struct kubeconfig *k, const struct cf_json *exec, struct cf_exec *out)
{
    const struct cf_json *list = cf_json_get(exec, "env");
    size_t count = cf_json_count(list), i = 0;
    const char **env = cf_arena_array(k->creds->arena, count + 1, sizeof(*env));

    if (env == NULL)
        return cf_err_memory(k->err);
    if (count > WORDS_MAX || (!cf_json_is_null(list) && cf_json_type(list) != CF_JSON_ARRAY))
        return fail_entry(k, list, "exec.env should be a list of {name, value}");
    for (const struct cf_json *v = cf_json_first(list); v != NULL; v = cf_json_next(v)) {
        const char *name, *value;

        if (get_text(k, v, "name", &name) != 0 || get_text(k, v, "value", &value) != 0)
            return -1;
        if (name == NULL || strchr(name, '=') != NULL)
            return fail_entry(k, v, "exec.env should be a list of {name, value}");
        env[i++] = cf_arena_printf(k->creds->arena, "%s=%s", name, cf_str_or_empty(value));
    }
    out->env = env;
    return 0;
}

static int read_exec_version(struct kubeconfig *k, const struct cf_json *exec, struct cf_exec *out)
{
    if (get_text(k, exec, "apiVersion", &out->api_version) != 0)
        return -1;
    if (cf_streq(out->api_version, GROUP "/v1") || cf_streq(out->api_version, GROUP "/v1beta1"))
        return 0;
    return fail_entry(k, cf_json_get(exec, "apiVersion"),
                      "exec.apiVersion should be " GROUP "/v1 or " GROUP "/v1beta1");
}

static int read_exec_mode(struct kubeconfig *k, const struct cf_json *exec, struct cf_exec *out)
{
    static const char *const modes[] = {"IfAvailable", "Never", "Always"};
    const char *mode;

    if (get_text(k, exec, "interactiveMode", &mode) != 0)
        return -1;
    if (mode == NULL && cf_ends_with(out->api_version, "/v1beta1"))
        mode = modes[0];
    for (size_t i = 0; i < CF_COUNT(modes); i++) {
        if (cf_streq(mode, modes[i])) {
            out->input = (enum cf_exec_stdin)i;
            return 0;
        }
    }
    return fail_entry(k, exec, "exec.interactiveMode should be Never, IfAvailable or Always");
}

static const struct cf_json *find_exec_config(const struct cf_json *cluster)
{
    const struct cf_json *v = cf_json_first(cf_json_get(cluster, "extensions"));

    for (; v != NULL; v = cf_json_next(v)) {
        if (cf_streq(cf_json_str(cf_json_get(v, "name")), GROUP "/exec"))
            return cf_json_get(v, "extension");
    }
    return NULL;
}

/* The program gets the CA as data, also when the kubeconfig names a file. */
static const char *authority_data(struct kubeconfig *k)
{
    struct cf_kept *ca = &k->creds->ca;

    if (cf_kept_refresh(ca, false, k->err) != 0 || ca->bytes.len == 0)
        return NULL;
    return cf_base64(k->creds->arena, ca->bytes.data, ca->bytes.len);
}

static int describe_cluster(struct kubeconfig *k, struct cf_exec *exec)
{
    const struct cf_credentials *a = k->creds;
    const struct cf_json *config = find_exec_config(k->cluster);
    const char *ca = authority_data(k);
    struct cf_out out;
    struct cf_buf text;

    if (k->err->kind != CF_ERR_NONE)
        return -1;
    cf_buf_init_arena(&text, a->arena, 2 * CF_KUBECONFIG_MAX);
    cf_out_init(&out, &text);
    cf_out_object(&out, NULL);
    cf_out_str(&out, "server", a->server);
    if (a->server_name != NULL)
        cf_out_str(&out, "tls-server-name", a->server_name);
    if (a->insecure)
        cf_out_bool(&out, "insecure-skip-tls-verify", true);
    if (ca != NULL)
        cf_out_str(&out, "certificate-authority-data", ca);
    if (a->proxy != NULL)
        cf_out_str(&out, "proxy-url", a->proxy);
    if (config != NULL)
        cf_out_value(&out, "config", config);
    cf_out_end_object(&out);
    exec->cluster = cf_buf_take(&text, NULL);
    return exec->cluster != NULL ? 0 : cf_err_memory(k->err);
}

/* A command with a slash is relative to the kubeconfig; one without is searched in PATH. */
static int read_exec_command(struct kubeconfig *k, const struct cf_json *exec, struct cf_exec *out)
{
    if (get_text(k, exec, "command", &out->command) != 0 ||
        get_text(k, exec, "installHint", &out->hint) != 0)
        return -1;
    if (out->command == NULL)
        return fail_entry(k, exec, "exec.command is missing: the program to run");
    if (strchr(out->command, '/') != NULL)
        out->command = resolve_path(k, out->command);
    return 0;
}

static int read_exec(struct kubeconfig *k, const struct cf_json *exec)
{
    struct cf_exec *out = cf_arena_alloc(k->creds->arena, sizeof(*out));
    bool give_cluster;

    if (out == NULL)
        return cf_err_memory(k->err);
    if (cf_json_type(exec) != CF_JSON_OBJECT)
        return fail_entry(k, exec, "exec should be a map");
    if (read_exec_command(k, exec, out) != 0 || read_exec_version(k, exec, out) != 0 ||
        read_exec_mode(k, exec, out) != 0 || read_exec_args(k, exec, out) != 0 ||
        read_exec_env(k, exec, out) != 0 ||
        get_bool(k, exec, "provideClusterInfo", &give_cluster) != 0)
        return -1;
    if (give_cluster && describe_cluster(k, out) != 0)
        return -1;
    k->creds->exec = out;
    return 0;
}

/* ---- users ---- */

static int refuse_unsupported(struct kubeconfig *k, const struct cf_json *user)
{
    static const struct {
        const char *key, *message;
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
            return fail_entry(k, value, refused[i].message);
    }
    return 0;
}

static int read_user_token(struct kubeconfig *k, const struct cf_json *user)
{
    struct cf_credentials *a = k->creds;
    const char *token, *file;

    if (get_text(k, user, "token", &token) != 0 || get_text(k, user, "tokenFile", &file) != 0)
        return -1;
    if (token != NULL)
        cf_buf_adds(&a->token.bytes, token);
    if (file != NULL)
        a->token.path = resolve_path(k, file);
    if (!cf_buf_ok(&a->token.bytes))
        return fail_entry(k, cf_json_get(user, "token"), "token is too long");
    return 0;
}

static int read_user(struct kubeconfig *k, const char *name)
{
    const struct cf_json *user = find_entry(k, "users", "user", name), *exec;
    struct cf_credentials *a = k->creds;

    if (user == NULL || refuse_unsupported(k, user) != 0 || read_user_token(k, user) != 0 ||
        read_kept_file(k, user, "client-certificate", "client-certificate-data", &a->cert) != 0 ||
        read_kept_file(k, user, "client-key", "client-key-data", &a->key) != 0)
        return -1;
    a->who = entry_title(k);
    exec = cf_json_get(user, "exec");
    if (cf_json_is_null(exec))
        return 0;
    if (a->token.path != NULL || a->token.bytes.len > 0 || a->cert.path != NULL ||
        a->cert.bytes.len > 0)
        return fail_entry(k, exec, "it has exec and a token or a certificate; remove one of them");
    return read_exec(k, exec);
}

/* ---- the whole ---- */

static int read_context(struct kubeconfig *k, const char *context)
{
    const char *cluster, *user;
    const struct cf_json *found;

    if (context == NULL && get_text(k, k->root, "current-context", &context) != 0)
        return -1;
    if (context == NULL)
        return fail_entry(k, NULL,
                          "current-context is not set; set it with kubectl config "
                          "use-context NAME");
    found = find_entry(k, "contexts", "context", context);
    if (found == NULL || get_text(k, found, "cluster", &cluster) != 0 ||
        get_text(k, found, "user", &user) != 0 ||
        get_text(k, found, "namespace", &k->creds->namespace) != 0)
        return -1;
    if (cluster == NULL)
        return fail_entry(k, NULL, "cluster is missing: the name of one of the clusters");
    if (k->creds->namespace == NULL)
        k->creds->namespace = "default";
    k->creds->who = entry_title(k);
    if (read_cluster(k, cluster) != 0)
        return -1;
    k->what = "context";
    k->name = context;
    k->entry = found;
    return user != NULL ? read_user(k, user) : 0;
}

static int fail_read(struct kubeconfig *k)
{
    if (strchr(k->path, ':') != NULL && access(k->path, F_OK) != 0)
        return cf_err_set(k->err,
                          "kubeconfig '%s': a list of files is not supported; merge them with "
                          "KUBECONFIG=A:B kubectl config view --flatten",
                          k->path);
    return cf_err_wrap(k->err, "kubeconfig");
}

static int read_kubeconfig(struct kubeconfig *k, const char *context)
{
    struct cf_buf text;

    cf_buf_init_arena(&text, k->creds->arena, CF_KUBECONFIG_MAX);
    if (cf_file_read(k->path, &text, k->err) != 0)
        return fail_read(k);
    k->root =
        cf_yaml_parse(k->creds->arena, cf_buf_str(&text), text.len, 1, CF_YAML_MANIFEST, k->err);
    if (k->root == NULL && k->err->kind != CF_ERR_NONE)
        return cf_err_wrap(k->err, "kubeconfig '%s'", k->path);
    if (k->root == NULL)
        return cf_err_set(k->err, "kubeconfig '%s': it is empty", k->path);
    if (!cf_streq(cf_json_str(cf_json_get(k->root, "kind")), "Config"))
        return cf_err_set(k->err, "'%s': not a kubeconfig (its kind should be Config)", k->path);
    if (read_context(k, context) != 0)
        return cf_err_wrap(k->err, "kubeconfig");
    if (cf_arena_failed(k->creds->arena))
        return cf_err_memory(k->err);
    return cf_credentials_check(k->creds, k->err);
}

struct cf_credentials *cf_credentials_kubeconfig(const char *path, const char *context,
                                                 struct cf_err *err)
{
    struct kubeconfig k = {.path = path, .err = err};

    k.creds = cf_credentials_new(err);
    if (k.creds == NULL)
        return NULL;
    k.path = cf_arena_strdup(k.creds->arena, path);
    err->kind = CF_ERR_NONE;
    if (k.path != NULL && read_kubeconfig(&k, context) == 0)
        return k.creds;
    cf_credentials_free(k.creds);
    return NULL;
}
