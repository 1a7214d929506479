/* SPDX-License-Identifier: Apache-2.0 */
/* watch.c - a thread for each resource: started, counted, ended. */
#include "curfew/watch.h"

#include <stdlib.h>
#include <string.h>

#include "curfew/time.h"
#include "curfew/limits.h"
#include "watch_private.h"

bool cf_watch_stopping(const struct cf_watch *watch)
{
    return atomic_load(&watch->stopping);
}

int64_t cf_watch_third(const struct cf_watch *watch)
{
    return atomic_load(&watch->stale_after) * CF_MICROS / 3;
}

void cf_watch_stale_after(struct cf_watch *watch, int64_t seconds)
{
    atomic_store(&watch->stale_after, seconds);
}

const char *cf_watch_server(const struct cf_watch *watch)
{
    return cf_api_server(watch->reflectors[CF_NAMESPACES].api);
}

void cf_watch_note_minor(struct cf_reflector *r, unsigned minor)
{
    struct cf_watch *watch = r->watch;
    unsigned lowest = 0;

    /* One at a time, so that an older reading does not come last. */
    pthread_mutex_lock(&watch->lock);
    atomic_store(&r->minor, minor);
    for (int i = 0; i < CF_RESOURCES; i++) {
        unsigned one = atomic_load(&watch->reflectors[i].minor);

        if (one != 0 && (lowest == 0 || one < lowest))
            lowest = one;
    }
    cf_store_set_server_version(watch->store, lowest != 0 ? 1 : 0, lowest);
    pthread_mutex_unlock(&watch->lock);
}

struct cf_watch_counts cf_watch_counts(const struct cf_watch *watch, enum cf_resource resource)
{
    const struct cf_reflector *r = &watch->reflectors[resource];
    struct cf_watch_counts counts = {.events = atomic_load(&r->events),
                                     .unread = atomic_load(&r->unread),
                                     .lists = atomic_load(&r->lists)};

    for (int i = 0; i < CF_WATCH_FAILURES; i++)
        counts.failures[i] = atomic_load(&r->failures[i]);
    return counts;
}

/* ---- start and end ---- */

static void *thread(void *arg)
{
    cf_reflector_run(arg);
    return NULL;
}

static int open_reflector(struct cf_watch *watch, enum cf_resource resource, struct cf_err *err)
{
    struct cf_reflector *r = &watch->reflectors[resource];

    r->watch = watch;
    r->resource = resource;
    r->doubted = true; /* asks for the version */
    r->last = CF_ENDED_WELL;
    cf_framer_init(&r->cut, cf_reflector_take, r);
    r->arena = cf_arena_new(CF_ARENA_MAX);
    if (r->arena == NULL)
        return cf_err_memory(err);
    r->api = cf_api_open(watch->kubeconfig, watch->context, err);
    return r->api != NULL ? 0 : -1;
}

static int copy_text(const char *text, char **copy, struct cf_err *err)
{
    *copy = text != NULL ? strdup(text) : NULL;
    return text == NULL || *copy != NULL ? 0 : cf_err_memory(err);
}

static int64_t micros_or(int64_t millis, int64_t otherwise)
{
    return (millis != 0 ? millis : otherwise) * 1000;
}

static int prepare(struct cf_watch *watch, const struct cf_watch_config *config, struct cf_err *err)
{
    if (copy_text(config->kubeconfig, &watch->kubeconfig, err) != 0 ||
        copy_text(config->context, &watch->context, err) != 0)
        return -1;
    for (int i = 0; i < CF_RESOURCES; i++) {
        bool wanted = i != CF_SECRETS || !config->no_secrets;

        cf_store_expect(config->store, (enum cf_resource)i, wanted);
        if (wanted && open_reflector(watch, (enum cf_resource)i, err) != 0)
            return -1;
    }
    return 0;
}

static int run(struct cf_watch *watch, struct cf_err *err)
{
    for (int i = 0; i < CF_RESOURCES; i++) {
        struct cf_reflector *r = &watch->reflectors[i];

        if (r->api == NULL)
            continue;
        if (pthread_create(&r->thread, NULL, thread, r) != 0)
            return cf_err_system(err, "no thread for watching %s", cf_resource_name(r->resource));
        r->running = true;
    }
    return 0;
}

struct cf_watch *cf_watch_start(const struct cf_watch_config *config, struct cf_err *err)
{
    struct cf_watch *watch = calloc(1, sizeof(*watch));
    pthread_condattr_t monotonic;

    if (watch == NULL) {
        cf_err_memory(err);
        return NULL;
    }
    watch->store = config->store;
    watch->stale_after = config->stale_after;
    watch->pause_min = micros_or(config->pause_min, 800);
    watch->pause_max = micros_or(config->pause_max, 30000);
    watch->patience = micros_or(config->patience, 30000);
    watch->started = cf_monotonic_micros();
    pthread_mutex_init(&watch->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&watch->stop, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (prepare(watch, config, err) == 0 && run(watch, err) == 0)
        return watch;
    cf_watch_stop(watch);
    return NULL;
}

static void close_reflector(struct cf_reflector *r)
{
    cf_api_close(r->api);
    if (r->arena != NULL)
        cf_arena_reset(r->arena, true);
    cf_arena_free(r->arena);
    cf_framer_free(&r->cut);
}

void cf_watch_stop(struct cf_watch *watch)
{
    if (watch == NULL)
        return;
    pthread_mutex_lock(&watch->lock);
    atomic_store(&watch->stopping, true);
    pthread_cond_broadcast(&watch->stop);
    pthread_mutex_unlock(&watch->lock);
    /* All of them first: each looks at others' clients and versions. */
    for (int i = 0; i < CF_RESOURCES; i++) {
        if (watch->reflectors[i].running)
            pthread_join(watch->reflectors[i].thread, NULL);
    }
    for (int i = 0; i < CF_RESOURCES; i++)
        close_reflector(&watch->reflectors[i]);
    pthread_cond_destroy(&watch->stop);
    pthread_mutex_destroy(&watch->lock);
    free(watch->kubeconfig);
    free(watch->context);
    free(watch);
}
