/* SPDX-License-Identifier: Apache-2.0 */
/* server.c - starts and frees a server: the process, the active policy, the ports. */
#include <malloc.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "curfew/arena.h"
#include "curfew/config.h"
#include "curfew/limits.h"
#include "curfew/probes.h"
#include "curfew/process.h"
#include "curfew/server.h"
#include "curfew/store.h"
#include "curfew/str.h"
#include "curfew/time.h"
#include "context.h"
#include "http.h"
#include "limits.h"
#include "stats.h"
#include "tls.h"
#include "tls_secret.h"

/* ---- process ---- */

/* malloc maps blocks of this size and more separately, and unmaps them when they are freed. By
 * default glibc raises this limit after the first large body, and keeps the memory of later ones.
 */
#define MMAP_FROM (256 * 1024)
/* What a heap keeps at its top when blocks are freed: the bodies of a burst of ordinary pods. With
 * glibc's default of 128 KiB, less than 25 of them, each burst would return pages and request them
 * again. */
#define TOP_KEPT (1024 * 1024)
/* Fewer heaps than threads: memory that one thread has freed can be used by another. */
#define HEAPS 2

static void raise_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

void cf_process_serve(void)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN};

    sigaction(SIGPIPE, &ignore, NULL);
    raise_descriptors();
    mallopt(M_MMAP_THRESHOLD, MMAP_FROM);
    mallopt(M_TRIM_THRESHOLD, TOP_KEPT);
    mallopt(M_ARENA_MAX, HEAPS);
}

/* ---- policy ---- */

struct cf_policy *cf_server_policy_ref(struct cf_server *server)
{
    return cf_swap_ref(&server->policy);
}

void cf_server_use_policy(struct cf_server *server, struct cf_policy *policy)
{
    cf_budget_set(&server->budget, policy->memory, policy->max_body, server->config.threads);
    cf_swap_set(&server->policy, policy);
}

/* ---- ports ---- */

static void free_thread_arena(void *arena)
{
    cf_arena_free(arena);
}

static int start_reviews(struct cf_server *server, struct cf_err *err)
{
    struct cf_http_config config = {
        .listen = server->config.listen,
        .threads = server->config.threads,
        .room = CF_ROOM_REVIEWS,
        .connection_memory =
            server->config.bearer_jwks != NULL ? CF_CONNECTION_MEMORY_TOKEN : CF_CONNECTION_MEMORY,
        .memory = &server->budget,
        .tls = server->tls,
        .accept = cf_routes_accept_review,
        .answer = cf_routes_answer_review,
        .exhausted = cf_routes_exhausted,
        .arg = server,
    };

    server->reviews = cf_http_start(&config, err);
    return server->reviews != NULL ? 0 : -1;
}

static int start_metrics(struct cf_server *server, struct cf_err *err)
{
    struct cf_http_config config = {
        .listen = server->config.metrics_listen,
        .threads = 1,
        .room = CF_ROOM_PLAIN,
        .connection_memory = CF_CONNECTION_MEMORY,
        .accept = cf_routes_accept_metrics,
        .answer = cf_routes_answer_metrics,
        .exhausted = cf_routes_exhausted,
        .arg = server,
    };

    server->metrics = cf_http_start(&config, err);
    return server->metrics != NULL ? 0 : -1;
}

/* Without a certificate every handshake fails. */
static bool has_certificate(struct cf_server *server, char *why, size_t size)
{
    struct cf_tls_leaf leaf;
    char failure[CF_PROBES_WHY_MAX];

    if (cf_tls_leaf(server->tls, &leaf))
        return true;
    cf_tls_secret_why(server->tls_secret, failure, sizeof(failure));
    cf_str_show(why, size, "waiting for the certificate: %s", failure);
    return false;
}

/* Ready means that reviews can be answered: there is a certificate, and all watched resources were
 * listed once. The server stays ready while the API server is unavailable: when that is available
 * again, it calls the webhook immediately. */
static bool is_server_ready(void *arg, char *why, size_t size)
{
    struct cf_server *server = arg;
    const struct cf_store *store = server->config.store;
    size_t len;

    if (!atomic_load(&server->ready)) {
        snprintf(why, size, "shutting down");
        return false;
    }
    if (!has_certificate(server, why, size))
        return false;
    if (cf_store_synced(store))
        return true;
    len = (size_t)snprintf(why, size, "waiting for the first list of");
    for (int i = 0; i < CF_RESOURCES && len < size; i++) {
        if (cf_store_expected(store, (enum cf_resource)i) &&
            cf_store_age(store, (enum cf_resource)i) < 0)
            len += (size_t)snprintf(why + len, size - len, " %s",
                                    cf_resource_name((enum cf_resource)i));
    }
    return false;
}

static int start_probes(struct cf_server *server, struct cf_err *err)
{
    server->probes = cf_probes_start(server->config.probe_listen, is_server_ready, server, err);
    return server->probes != NULL ? 0 : -1;
}

/* ---- start and end ---- */

static int start_tls_secret(struct cf_server *server, struct cf_err *err)
{
    if (server->config.tls_secret.name == NULL)
        return 0;
    server->tls_secret = cf_tls_secret_start(&server->config.tls_secret, server->tls, err);
    return server->tls_secret != NULL ? 0 : -1;
}

static int start_parts(struct cf_server *server, struct cf_err *err)
{
    server->tls = cf_tls_new(err);
    if (server->tls == NULL || cf_reload_start(server, err) != 0 ||
        start_tls_secret(server, err) != 0)
        return -1;
    server->stats = cf_stats_new();
    server->has_arenas = pthread_key_create(&server->arenas, free_thread_arena) == 0;
    if (server->stats == NULL || !server->has_arenas)
        return cf_err_memory(err);
    atomic_store(&server->ready, true);
    /* The probe port starts last: ready means that reviews are answered. */
    if (start_reviews(server, err) != 0 || start_metrics(server, err) != 0)
        return -1;
    if (start_probes(server, err) != 0)
        return -1;
    atomic_store(&server->complete, true);
    return 0;
}

void cf_server_free(struct cf_server *server)
{
    cf_http_stop(server->metrics); /* first: it reads from the others */
    cf_http_stop(server->reviews);
    cf_probes_stop(server->probes);
    cf_tls_secret_stop(server->tls_secret);
    cf_tls_free(server->tls);
    cf_stats_free(server->stats);
    cf_swap_clear(&server->policy);
    cf_swap_clear(&server->keys);
    if (server->has_arenas)
        pthread_key_delete(server->arenas);
    free(server);
}

static unsigned default_threads(void)
{
    unsigned cpus = cf_usable_cpus("");

    return cpus > CF_THREADS_DEFAULT_MAX ? CF_THREADS_DEFAULT_MAX : cpus;
}

struct cf_server *cf_server_start(const struct cf_server_config *config, struct cf_err *err)
{
    struct cf_server *server = calloc(1, sizeof(*server));

    if (server == NULL) {
        cf_err_memory(err);
        return NULL;
    }
    server->config = *config;
    if (server->config.threads == 0)
        server->config.threads = default_threads();
    server->started = cf_now();
    cf_swap_init(&server->policy);
    cf_swap_init(&server->keys);
    if (start_parts(server, err) == 0)
        return server;
    cf_server_free(server);
    return NULL;
}
