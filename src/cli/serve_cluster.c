/* SPDX-License-Identifier: Apache-2.0 */
/* serve_cluster.c - the store of `curfew serve`: filled from manifests, or kept by watches. */
#include "serve_cluster.h"

#include <stdlib.h>

#include "curfew/arena.h"
#include "curfew/attr.h"
#include "curfew/limits.h"
#include "curfew/manifest.h"
#include "curfew/str.h"

/* Until the configuration has been read, which says another. */
#define STALE_AFTER 30

static bool in_a_pod(void)
{
    return !cf_str_empty(getenv("KUBERNETES_SERVICE_HOST"));
}

int cf_cluster_check_flags(const struct cf_cmd *cmd, const struct cf_cluster_flags *flags)
{
    bool manifests = flags->objects.count > 0;

    if (manifests && flags->kubeconfig != NULL)
        return cf_usage_error(cmd, "--objects and --kubeconfig: the cluster is known from one of "
                                   "them, not from both");
    if (flags->context != NULL && flags->kubeconfig == NULL)
        return cf_usage_error(cmd, "--context needs --kubeconfig");
    if (manifests && flags->no_secret_watch)
        return cf_usage_error(cmd, "--no-secret-watch and --objects: manifests are not watched");
    if (!manifests && flags->kubeconfig == NULL && !in_a_pod())
        return cf_usage_error(cmd, "--kubeconfig is needed, outside of a pod, or --objects: the "
                                   "cluster's namespaces, Secrets and accounts have to be known");
    return CF_EXIT_OK;
}

/* ---- manifests ---- */

static int add_documents(struct cf_store *store, const struct cf_documents *documents,
                         struct cf_err *err)
{
    for (size_t i = 0; i < documents->count; i++) {
        const struct cf_document *document = &documents->items[i];

        if (document->err.kind != CF_ERR_NONE) {
            *err = document->err;
            return -1;
        }
        if (document->root == NULL)
            continue;
        if (cf_store_add(store, document->root, "default", err) != 0)
            return cf_err_wrap(err, "%s:%zu", document->file, document->line);
    }
    return 0;
}

/* What --objects holds is all there is: a lookup must not depend on a document that could not
 * be read, so any of those is an error. */
static int load_objects(struct cf_store *store, const char *path, struct cf_err *err)
{
    CF_CLEANUP(cf_arena_cleanup) struct cf_arena *arena = cf_arena_new(CF_REPORT_MAX);
    struct cf_documents documents = {.items = NULL};

    if (arena == NULL)
        return cf_err_memory(err);
    if (cf_documents_read(arena, path, &documents, err) != 0)
        return -1;
    return add_documents(store, &documents, err);
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

/* ---- an API server ---- */

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
