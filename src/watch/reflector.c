/* SPDX-License-Identifier: Apache-2.0 */
/* reflector.c - what one resource's thread does next: list, watch, pause. */
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "curfew/time.h"
#include "watch_private.h"

/* So often the same, and a watch that goes on from its version does not help. */
#define IN_A_ROW_MAX 3

/* A server that can't be reached is asked more often than client-go does: a refused connection
 * costs nobody anything, and until we know the cluster again, what is unknown may be denied. */
#define UNREACHABLE_PAUSE_MAX (5 * CF_MICROS)

/* How long a pause may go without a look at what is too old by now. */
#define LOOK_MICROS (CF_MICROS / 4)

void cf_reflector_received(struct cf_reflector *r, int64_t when)
{
    cf_store_refreshed(r->watch->store, r->resource, when);
    r->in_a_row = r->no_events = 0;
    if (r->kept)
        r->moves = 0;
    r->last = CF_ENDED_WELL;
    cf_reflector_log_heard(r);
}

void cf_reflector_listed(struct cf_reflector *r, int64_t asked)
{
    cf_store_list_end(r->watch->store, r->resource);
    atomic_fetch_add(&r->lists, 1);
    cf_reflector_received(r, asked);
    cf_reflector_log_synced(r->watch);
}

/* ---- pauses ---- */

static int64_t jitter(int64_t micros)
{
    uint32_t dice = 0;

    if (getrandom(&dice, sizeof(dice), GRND_NONBLOCK) != (ssize_t)sizeof(dice))
        return micros;
    return micros + (int64_t)((double)micros * dice / (double)UINT32_MAX);
}

/* False: it is over. */
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
        int64_t next = now + LOOK_MICROS;

        if (!sleep_until(r->watch, next < until ? next : until))
            return;
        cf_reflector_log_age(r);
    }
}

/* Doubles, up to a ceiling; with jitter up to twice that. */
static int64_t next_pause(struct cf_reflector *r)
{
    const struct cf_watch *watch = r->watch;
    int64_t pause = r->pause > watch->pause_min ? r->pause : watch->pause_min;
    int64_t most = watch->pause_max;

    if (r->last == CF_WATCH_UNREACHABLE && most > UNREACHABLE_PAUSE_MAX)
        most = UNREACHABLE_PAUSE_MAX;
    if (pause > most)
        pause = most;
    r->pause = pause < most / 2 ? pause * 2 : most;
    return jitter(pause);
}

/* ---- what is next ---- */

static int next(struct cf_reflector *r)
{
    if (r->doubted) {
        int ended = cf_reflector_distrust(r);

        if (ended != CF_ENDED_WELL)
            return ended;
        r->doubted = false;
    }
    if (r->version[0] != '\0')
        return cf_reflector_watch(r);
    return r->no_watch_list ? cf_reflector_list(r) : cf_reflector_watch_list(r);
}

/* What a failure means for the next try. Whether there is to be a pause before it. */
static bool learn(struct cf_reflector *r, int failure)
{
    int before = r->last;

    r->in_a_row++;
    r->last = failure;
    if (failure == CF_WATCH_GONE ||
        (r->in_a_row >= IN_A_ROW_MAX && failure != CF_WATCH_UNREACHABLE &&
         failure != CF_WATCH_REFUSED && failure != CF_WATCH_BUSY))
        r->version[0] = '\0';
    if (failure != CF_WATCH_GONE && failure != CF_WATCH_BUSY)
        r->doubted = true;
    atomic_fetch_add(&r->failures[failure], 1);
    cf_reflector_log_failure(r, failure);
    if (before == CF_WATCH_UNREACHABLE && failure != CF_WATCH_UNREACHABLE)
        r->pause = 0; /* it is back */
    return failure != CF_WATCH_GONE || before == CF_WATCH_GONE;
}

/* A watch that its server ends long before its time: an API server that is going away. */
static bool ended_early(const struct cf_reflector *r)
{
    return r->phase == CF_WATCHING && cf_monotonic_micros() - r->began < r->lasts / 2;
}

void cf_reflector_run(struct cf_reflector *r)
{
    while (!cf_watch_stopping(r->watch)) {
        int64_t began = cf_monotonic_micros();
        int ended = next(r);
        bool pause = false;

        if (ended == CF_ENDED_STOPPED)
            return;
        /* What has lasted was not in vain. */
        if (cf_monotonic_micros() - began > cf_watch_third(r->watch))
            r->pause = 0;
        if (ended >= 0)
            pause = learn(r, ended);
        else if (ended == CF_ENDED_WELL && ended_early(r))
            pause = r->doubted = true;
        else
            r->pause = 0;
        if (pause)
            pause_for(r, next_pause(r));
    }
}
