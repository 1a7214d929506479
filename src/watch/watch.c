/* SPDX-License-Identifier: Apache-2.0 */
/* watch.c - a thread for each resource: what it does next (list, watch, pause), its start and its
 * end. */
#include "curfew/watch.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "curfew/limits.h"
#include "curfew/time.h"
#include "watch_private.h"

/* During a pause, how often to check whether the resource has become stale. */
#define AGE_CHECK_MICROS (CF_MICROS / 4)

void cf_watch_stale_after(struct cf_watch *watch, int64_t seconds)
{
    atomic_store(&watch->stale_after, seconds);
}

const char *cf_watch_server(const struct cf_watch *watch)
{
    return cf_api_server(watch->reflectors[CF_NAMESPACES].api);
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

/* ---- one thread ---- */

/* False: the watch stops. */
static bool sleep_until(struct cf_watch *watch, int64_t when)
{
    struct timespec ts = {.tv_sec = (time_t)(when / CF_MICROS),
                          .tv_nsec = (long)(when % CF_MICROS) * 1000};
    bool stopping;

    pthread_mutex_lock(&watch->lock);
    if (!atomic_load(&watch->stopping))
        pthread_cond_timedwait(&watch->stop, &watch->lock, &ts);
    stopping = atomic_load(&watch->stopping);
    pthread_mutex_unlock(&watch->lock);
    return !stopping;
}

static void pause_for(struct cf_reflector *r, int64_t micros)
{
    int64_t until = cf_monotonic_micros() + micros;

    for (int64_t now; (now = cf_monotonic_micros()) < until;) {
        int64_t next = now + AGE_CHECK_MICROS;

        if (!sleep_until(r->watch, next < until ? next : until))
            return;
        cf_reflector_log_age(r);
    }
}

static int next_request(struct cf_reflector *r)
{
    if (r->doubted) {
        int ended = cf_reflector_check_server(r);

        if (ended != CF_ENDED_WELL)
            return ended;
        r->doubted = false;
    }
    if (r->version[0] != '\0')
        return cf_reflector_watch(r);
    return r->no_watch_list ? cf_reflector_list(r) : cf_reflector_watch_list(r);
}

/* A server that ends a watch long before its time is probably shutting down. */
static bool watch_ended_early(const struct cf_reflector *r)
{
    return r->phase == CF_WATCHING && cf_monotonic_micros() - r->began < r->lasts / 2;
}

void cf_reflector_run(struct cf_reflector *r)
{
    while (!cf_watch_stopping(r->watch)) {
        int64_t began = cf_monotonic_micros();
        int ended = next_request(r);
        bool pause = false;

        if (ended == CF_ENDED_STOPPED)
            return;
        /* A request that lasted resets the pause. */
        if (cf_monotonic_micros() - began > cf_watch_third(r->watch))
            r->pause = 0;
        if (ended >= 0)
            pause = cf_reflector_failed(r, ended);
        else if (ended == CF_ENDED_WELL && watch_ended_early(r))
            pause = r->doubted = true;
        else
            r->pause = 0;
        if (pause)
            pause_for(r, cf_reflector_next_pause(r));
    }
}

static void *run_thread(void *arg)
{
    cf_reflector_run(arg);
    return NULL;
}

/* ---- start and end ---- */

static int open_reflector(struct cf_watch *watch, enum cf_resource resource, struct cf_err *err)
{
    struct cf_reflector *r = &watch->reflectors[resource];

    r->watch = watch;
    r->resource = resource;
    r->doubted = true; /* reads the version */
    r->last = CF_ENDED_WELL;
    cf_framer_init(&r->framer, cf_reflector_take, r);
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

static int open_reflectors(struct cf_watch *watch, const struct cf_watch_config *config,
                           struct cf_err *err)
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

static int start_threads(struct cf_watch *watch, struct cf_err *err)
{
    for (int i = 0; i < CF_RESOURCES; i++) {
        struct cf_reflector *r = &watch->reflectors[i];

        if (r->api == NULL)
            continue;
        if (pthread_create(&r->thread, NULL, run_thread, r) != 0)
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
    if (open_reflectors(watch, config, err) == 0 && start_threads(watch, err) == 0)
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
    cf_framer_free(&r->framer);
}

void cf_watch_stop(struct cf_watch *watch)
{
    if (watch == NULL)
        return;
    pthread_mutex_lock(&watch->lock);
    atomic_store(&watch->stopping, true);
    pthread_cond_broadcast(&watch->stop);
    pthread_mutex_unlock(&watch->lock);
    /* Join all before any is closed: each uses the clients and versions of others. */
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
