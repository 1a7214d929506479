/* SPDX-License-Identifier: Apache-2.0 */
/* server.c - a server's life: both ports up, drained, down. */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "context.h"
#include "curfew/arena.h"
#include "curfew/clock.h"
#include "curfew/limits.h"
#include "http.h"
#include "limits.h"
#include "stats.h"
#include "tls.h"

/* How often stopping looks whether the last answer is out. */
#define STOP_STEP_MS 5

/* The cores that this process may use, not those that the machine has. */
static unsigned usable_cores(void)
{
    cpu_set_t set;
    int count;

    if (sched_getaffinity(0, sizeof(set), &set) != 0)
        return 1;
    count = CPU_COUNT(&set);
    if (count < 1)
        return 1;
    return count > CF_THREADS_MAX ? CF_THREADS_MAX : (unsigned)count;
}

static void free_arena(void *arena)
{
    cf_arena_free(arena);
}

static int start_reviews(struct cf_server *server, struct cf_err *err)
{
    struct cf_http_config config = {
        .listen = server->config.listen,
        .threads = usable_cores(),
        .connections = CF_CONNECTIONS_MAX,
        .tls = server->tls,
        .accept = cf_routes_accept_review,
        .answer = cf_routes_answer_review,
        .exhausted = cf_routes_exhausted,
        .arg = server,
    };

    server->reviews = cf_http_start(&config, err);
    return server->reviews != NULL ? 0 : -1;
}

static int start_probes(struct cf_server *server, struct cf_err *err)
{
    struct cf_http_config config = {
        .listen = server->config.metrics_listen,
        .threads = 1,
        .connections = CF_PROBE_CONNECTIONS_MAX,
        .accept = cf_routes_accept_probe,
        .answer = cf_routes_answer_probe,
        .exhausted = cf_routes_exhausted,
        .arg = server,
    };

    server->probes = cf_http_start(&config, err);
    return server->probes != NULL ? 0 : -1;
}

static int start(struct cf_server *server, struct cf_err *err)
{
    server->tls = cf_tls_load(server->config.tls_cert, server->config.tls_key, err);
    if (server->tls == NULL)
        return -1;
    server->stats = cf_stats_new();
    server->has_arenas = pthread_key_create(&server->arenas, free_arena) == 0;
    if (server->stats == NULL || !server->has_arenas)
        return cf_err_memory(err);
    /* Ready means that reviews are answered, so the port that says so comes second. */
    if (start_reviews(server, err) != 0 || start_probes(server, err) != 0)
        return -1;
    atomic_store(&server->ready, true);
    return 0;
}

static void release(struct cf_server *server)
{
    cf_http_stop(server->reviews);
    cf_http_stop(server->probes);
    cf_tls_free(server->tls);
    cf_stats_free(server->stats);
    if (server->has_arenas)
        pthread_key_delete(server->arenas);
    free(server);
}

struct cf_server *cf_server_start(const struct cf_server_config *config, struct cf_err *err)
{
    struct cf_server *server = calloc(1, sizeof(*server));

    if (server == NULL) {
        cf_err_memory(err);
        return NULL;
    }
    server->config = *config;
    server->started = cf_now();
    if (start(server, err) == 0)
        return server;
    release(server);
    return NULL;
}

const char *cf_server_address(const struct cf_server *server)
{
    return cf_http_address(server->reviews);
}

const char *cf_server_metrics_address(const struct cf_server *server)
{
    return cf_http_address(server->probes);
}

int64_t cf_server_certificate_expires(const struct cf_server *server)
{
    return cf_tls_expires(server->tls);
}

bool cf_server_certificate_has_names(const struct cf_server *server)
{
    return cf_tls_has_names(server->tls);
}

void cf_server_libraries(char *out, size_t size)
{
    snprintf(out, size, "libmicrohttpd %s, GnuTLS %s", cf_http_version(), cf_tls_version());
}

void cf_server_drain(struct cf_server *server)
{
    atomic_store(&server->ready, false);
    cf_http_drain(server->reviews);
}

unsigned cf_server_stop(struct cf_server *server, int64_t seconds)
{
    const struct timespec step = {.tv_nsec = STOP_STEP_MS * 1000000L};
    int64_t deadline = cf_monotonic_micros() + seconds * 1000000;
    unsigned left;

    cf_server_drain(server);
    cf_http_close(server->reviews);
    while (cf_http_in_flight(server->reviews) > 0 && cf_monotonic_micros() < deadline)
        nanosleep(&step, NULL);
    left = cf_http_in_flight(server->reviews);
    release(server);
    return left;
}
