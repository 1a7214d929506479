/* SPDX-License-Identifier: Apache-2.0 */
/* kubeconfig_exec.c - a user's `exec`: which program to run, and what it is told of the cluster. */
#include <string.h>

#include "curfew/base64.h"
#include "curfew/json.h"
#include "curfew/writer.h"
#include "curfew/limits.h"
#include "curfew/str.h"
#include "kubeconfig.h"

#define GROUP "client.authentication.k8s.io"
#define WORDS_MAX 1024

/* ---- the program ---- */

static int read_args(struct cf_kubeconfig *k, const struct cf_json *exec, struct cf_exec *out)
{
    const struct cf_json *list = cf_json_get(exec, "args");
    size_t count = cf_json_count(list), i = 0;
    const char **args = cf_arena_array(k->access->arena, count + 2, sizeof(*args));

    if (args == NULL)
        return cf_err_memory(k->err);
    if (count > WORDS_MAX || (!cf_json_is_null(list) && cf_json_type(list) != CF_JSON_ARRAY))
        return cf_kubeconfig_fail(k, list, "exec.args should be a list of strings");
    args[i++] = out->command;
    for (const struct cf_json *v = cf_json_first(list); v != NULL; v = cf_json_next(v)) {
        if (cf_json_str(v) == NULL)
            return cf_kubeconfig_fail(k, v, "exec.args should be a list of strings: quote numbers");
        args[i++] = cf_json_str(v);
    }
    out->args = args;
    return 0;
}

static int read_env(struct cf_kubeconfig *k, const struct cf_json *exec, struct cf_exec *out)
{
    const struct cf_json *list = cf_json_get(exec, "env");
    size_t count = cf_json_count(list), i = 0;
    const char **env = cf_arena_array(k->access->arena, count + 1, sizeof(*env));

    if (env == NULL)
        return cf_err_memory(k->err);
    if (count > WORDS_MAX || (!cf_json_is_null(list) && cf_json_type(list) != CF_JSON_ARRAY))
        return cf_kubeconfig_fail(k, list, "exec.env should be a list of {name, value}");
    for (const struct cf_json *v = cf_json_first(list); v != NULL; v = cf_json_next(v)) {
        const char *name, *value;

        if (cf_kubeconfig_text(k, v, "name", &name) != 0 ||
            cf_kubeconfig_text(k, v, "value", &value) != 0)
            return -1;
        if (name == NULL || strchr(name, '=') != NULL)
            return cf_kubeconfig_fail(k, v, "exec.env should be a list of {name, value}");
        env[i++] = cf_arena_printf(k->access->arena, "%s=%s", name, cf_str_or_empty(value));
    }
    out->env = env;
    return 0;
}

static int read_version(struct cf_kubeconfig *k, const struct cf_json *exec, struct cf_exec *out)
{
    if (cf_kubeconfig_text(k, exec, "apiVersion", &out->api_version) != 0)
        return -1;
    if (cf_streq(out->api_version, GROUP "/v1") || cf_streq(out->api_version, GROUP "/v1beta1"))
        return 0;
    return cf_kubeconfig_fail(k, cf_json_get(exec, "apiVersion"),
                              "exec.apiVersion should be " GROUP "/v1 or " GROUP "/v1beta1");
}

static int read_mode(struct cf_kubeconfig *k, const struct cf_json *exec, struct cf_exec *out)
{
    static const char *const modes[] = {"IfAvailable", "Never", "Always"};
    const char *mode;

    if (cf_kubeconfig_text(k, exec, "interactiveMode", &mode) != 0)
        return -1;
    if (mode == NULL && cf_ends_with(out->api_version, "/v1beta1"))
        mode = modes[0];
    for (size_t i = 0; i < CF_COUNT(modes); i++) {
        if (cf_streq(mode, modes[i])) {
            out->input = (enum cf_exec_stdin)i;
            return 0;
        }
    }
    return cf_kubeconfig_fail(k, exec,
                              "exec.interactiveMode should be Never, IfAvailable or Always");
}

/* ---- what it is told ---- */

static const struct cf_json *find_config(const struct cf_json *cluster)
{
    const struct cf_json *v = cf_json_first(cf_json_get(cluster, "extensions"));

    for (; v != NULL; v = cf_json_next(v)) {
        if (cf_streq(cf_json_str(cf_json_get(v, "name")), GROUP "/exec"))
            return cf_json_get(v, "extension");
    }
    return NULL;
}

/* The authority goes along as data, also where the kubeconfig names a file. */
static const char *authority(struct cf_kubeconfig *k)
{
    struct cf_kept *ca = &k->access->ca;

    if (cf_kept_refresh(ca, false, k->err) != 0 || ca->bytes.len == 0)
        return NULL;
    return cf_base64(k->access->arena, ca->bytes.data, ca->bytes.len);
}

static int describe_cluster(struct cf_kubeconfig *k, struct cf_exec *exec)
{
    const struct cf_credentials *a = k->access;
    const struct cf_json *config = find_config(k->cluster);
    const char *ca = authority(k);
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

/* A path with a slash in it is beside the kubeconfig; a bare name is looked for in PATH. */
static int read_command(struct cf_kubeconfig *k, const struct cf_json *exec, struct cf_exec *out)
{
    if (cf_kubeconfig_text(k, exec, "command", &out->command) != 0 ||
        cf_kubeconfig_text(k, exec, "installHint", &out->hint) != 0)
        return -1;
    if (out->command == NULL)
        return cf_kubeconfig_fail(k, exec, "exec.command is missing: the program to run");
    if (strchr(out->command, '/') != NULL)
        out->command = cf_kubeconfig_beside(k, out->command);
    return 0;
}

int cf_kubeconfig_exec(struct cf_kubeconfig *k, const struct cf_json *exec)
{
    struct cf_exec *out = cf_arena_alloc(k->access->arena, sizeof(*out));
    bool tell_cluster;

    if (out == NULL)
        return cf_err_memory(k->err);
    if (cf_json_type(exec) != CF_JSON_OBJECT)
        return cf_kubeconfig_fail(k, exec, "exec should be a map");
    if (read_command(k, exec, out) != 0 || read_version(k, exec, out) != 0 ||
        read_mode(k, exec, out) != 0 || read_args(k, exec, out) != 0 ||
        read_env(k, exec, out) != 0 ||
        cf_kubeconfig_bool(k, exec, "provideClusterInfo", &tell_cluster) != 0)
        return -1;
    if (tell_cluster && describe_cluster(k, out) != 0)
        return -1;
    k->access->exec = out;
    return 0;
}
