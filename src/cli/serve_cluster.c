/* SPDX-License-Identifier: Apache-2.0 */
/* serve_cluster.c - the cluster of `curfew serve`: the server's own ServiceAccount, and the store,
 * which watches keep up to date or manifests fill.
 *
 * The server lists and watches with its own ServiceAccount, and the API server may query /authorize
 * about that account. Curfew must never deny itself, so it has to know its identity. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "curfew/arena.h"
#include "curfew/attr.h"
#include "curfew/buf.h"
#include "curfew/documents.h"
#include "curfew/file.h"
#include "curfew/limits.h"
#include "curfew/str.h"
#include "curfew/token.h"
#include "objects.h"
#include "serve.h"

#define MOUNTED_TOKEN "/var/run/secrets/kubernetes.io/serviceaccount/token"

/* ---- the identity ---- */

/* Leaves *out empty when out of memory. */
static void set_own(struct cf_own *out, const char *namespace, size_t len, const char *name)
{
    *out = (struct cf_own){.namespace = strndup(namespace, len)};
    if (out->namespace == NULL ||
        asprintf(&out->user, "system:serviceaccount:%s:%s", out->namespace, name) < 0) {
        free(out->namespace);
        *out = (struct cf_own){.user = NULL};
    }
}

/* The token is not verified: a process that can write this file has Curfew's identity anyway. */
static void read_mounted_token(struct cf_own *out)
{
    CF_CLEANUP(cf_arena_cleanup) struct cf_arena *arena = cf_arena_new(CF_TOKEN_ARENA_MAX);
    struct cf_token token = {.service_account = false};
    struct cf_err err;
    struct cf_buf text;

    cf_buf_init(&text, CF_TOKEN_MAX);
    if (arena != NULL && cf_file_read(MOUNTED_TOKEN, &text, &err) == 0 && text.len > 0 &&
        cf_token_decode(arena, text.data, text.len, &token, &err) == 0 && token.service_account &&
        !cf_str_empty(token.namespace) && !cf_str_empty(token.account))
        set_own(out, token.namespace, strlen(token.namespace), token.account);
    cf_buf_wipe(&text);
    cf_buf_free(&text);
    if (arena != NULL)
        cf_arena_reset(arena, true);
}

int cf_own_find(const struct cf_cmd *cmd, const char *flag, struct cf_own *out)
{
    const char *slash = flag != NULL ? strchr(flag, '/') : NULL;

    *out = (struct cf_own){.user = NULL};
    if (flag == NULL) {
        read_mounted_token(out);
        return CF_EXIT_OK;
    }
    if (slash == NULL || slash == flag || slash[1] == '\0' || strchr(slash + 1, '/') != NULL ||
        strchr(flag, ':') != NULL)
        return cf_usage_error(cmd, "--service-account must be NAMESPACE/NAME, not '%s'", flag);
    set_own(out, flag, (size_t)(slash - flag), slash + 1);
    return out->user != NULL ? CF_EXIT_OK : CF_EXIT_FAILED;
}

void cf_own_free(struct cf_own *own)
{
    free(own->user);
    free(own->namespace);
    *own = (struct cf_own){.user = NULL};
}

/* ---- the store: flags ---- */

/* In seconds, until the configuration sets it. */
#define STALE_AFTER 30

static bool runs_in_pod(void)
{
    return !cf_str_empty(getenv("KUBERNETES_SERVICE_HOST"));
}

int cf_cluster_check_flags(const struct cf_cmd *cmd, const struct cf_cluster_flags *flags)
{
    if (flags->objects.count > 0 || flags->kubeconfig != NULL || runs_in_pod())
        return CF_EXIT_OK;
    return cf_usage_error(cmd,
                          "--kubeconfig is required outside of a pod, or --objects: Curfew reads "
                          "the namespaces, Secrets and ServiceAccounts of the cluster");
}

/* ---- the store from manifests ---- */

struct loading {
    struct cf_store *store;
    struct cf_arena *of_doc, *of_items;
    struct cf_err *err;
};

/* Keeps the first error, which ends the reading. */
static int refuse_document(struct loading *l, const struct cf_document *doc,
                           const struct cf_json *json, const struct cf_err *err)
{
    if (l->err->kind == CF_ERR_NONE)
        *l->err = *err;
    if (json != NULL)
        cf_err_wrap(l->err, "%s:%zu", doc->file, cf_locate_error(doc, json, err));
    return -1;
}

static int load_object(const struct cf_manifest_object *object, void *arg)
{
    struct loading *l = arg;
    struct cf_err err = {0};

    if (l->err->kind != CF_ERR_NONE)
        return -1;
    if (cf_store_add(l->store, object->json, "default", &err) != 0)
        return refuse_document(l, object->doc, object->json, &err);
    return 0;
}

static void load_error(const struct cf_document *doc, const struct cf_json *json,
                       const struct cf_err *err, void *arg)
{
    refuse_document(arg, doc, json, err);
}

static int load_document(const struct cf_document *doc, void *arg)
{
    struct loading *l = arg;
    const struct cf_objects_visit visit = {.arg = l, .object = load_object, .error = load_error};
    int rc;

    if (doc->err.kind != CF_ERR_NONE)
        return refuse_document(l, doc, NULL, &doc->err);
    rc = cf_document_objects(doc, l->of_doc, l->of_items, &visit);
    cf_arena_reset(l->of_doc, true);
    return l->err->kind != CF_ERR_NONE ? -1 : rc;
}

/* --objects describes the whole cluster. A document that cannot be read is an error, since a lookup
 * could depend on it. */
static int load_objects(struct cf_store *store, const char *path, struct cf_err *err)
{
    CF_CLEANUP(cf_arena_cleanup) struct cf_arena *of_doc = cf_arena_new(CF_ARENA_MAX);
    CF_CLEANUP(cf_arena_cleanup) struct cf_arena *of_items = cf_arena_new(CF_ARENA_MAX);
    struct cf_err found = {0}, failed = {0};
    struct loading l = {.store = store, .of_doc = of_doc, .of_items = of_items, .err = &found};
    const struct cf_manifest_reading how = {.arena = of_doc, .arg = &l, .document = load_document};
    struct cf_manifest *manifest;
    int rc;

    if (of_doc == NULL || of_items == NULL)
        return cf_err_memory(err);
    manifest = cf_manifest_open(path, err);
    if (manifest == NULL)
        return -1;
    rc = cf_manifest_read(manifest, &how, &failed);
    cf_manifest_close(manifest);
    if (rc == 0)
        return 0;
    if (found.kind == CF_ERR_NONE && failed.kind == CF_ERR_NONE)
        return cf_err_memory(err);
    *err = found.kind != CF_ERR_NONE ? found : failed;
    return -1;
}

static int read_manifests(const struct cf_cluster_flags *flags, struct cf_cluster *cluster,
                          struct cf_err *err)
{
    cluster->store = cf_store_new(CF_ABSENT_IS_PLAIN);
    if (cluster->store == NULL)
        return cf_err_memory(err);
    for (size_t i = 0; i < flags->objects.count; i++) {
        if (load_objects(cluster->store, flags->objects.items[i], err) != 0)
            return -1;
    }
    return 0;
}

/* ---- the store from an API server ---- */

static int start_watch(const struct cf_cluster_flags *flags, struct cf_cluster *cluster,
                       struct cf_err *err)
{
    struct cf_watch_config config = {
        .kubeconfig = flags->kubeconfig,
        .context = flags->context,
        .stale_after = STALE_AFTER,
        .no_secrets = flags->no_secret_watch,
    };

    cluster->store = cf_store_new(CF_ABSENT_DEPENDS);
    if (cluster->store == NULL)
        return cf_err_memory(err);
    config.store = cluster->store;
    cluster->watch = cf_watch_start(&config, err);
    return cluster->watch != NULL ? 0 : -1;
}

int cf_cluster_open(const struct cf_cluster_flags *flags, struct cf_cluster *cluster,
                    struct cf_err *err)
{
    int rc;

    *cluster = (struct cf_cluster){.store = NULL};
    rc = flags->objects.count > 0 ? read_manifests(flags, cluster, err)
                                  : start_watch(flags, cluster, err);
    if (rc != 0)
        cf_cluster_close(cluster);
    return rc;
}

void cf_cluster_close(struct cf_cluster *cluster)
{
    cf_watch_stop(cluster->watch);
    cf_store_free(cluster->store);
    *cluster = (struct cf_cluster){.store = NULL};
}
