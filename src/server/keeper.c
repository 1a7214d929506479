/* SPDX-License-Identifier: Apache-2.0 */
/* keeper.c - the thread that keeps the certificate; see keeper.h. */
#include "keeper.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "curfew/log.h"
#include "curfew/str.h"

struct cf_keeper {
    struct cf_sync sync;
    pthread_t thread;
    bool has_thread;
    pthread_mutex_t lock;
    pthread_cond_t bell;
    bool woken; /* under the lock */
    atomic_bool stop;
    atomic_bool good;
    char failure[sizeof(((struct cf_err *)0)->msg)]; /* the last one told; "" for none */
};

/* ---- being told to end ---- */

/* Before the thread that owns the signals waits for them, they are pending. */
static bool told_to_end(void *arg)
{
    sigset_t pending;

    (void)arg;
    return sigpending(&pending) == 0 &&
           (sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGINT) == 1);
}

static bool stopped(void *arg)
{
    struct cf_keeper *keeper = arg;

    return atomic_load(&keeper->stop);
}

/* ---- looking ---- */

static void tell(struct cf_keeper *keeper, const struct cf_err *err)
{
    if (cf_streq(keeper->failure, err->msg))
        return;
    snprintf(keeper->failure, sizeof(keeper->failure), "%s", err->msg);
    cf_log(CF_LOG_ERROR, "the certificate can't be looked after: it is tried again",
           CF_LOG_S("secret", keeper->sync.where), CF_LOG_S("error", err->msg));
}

/* 0: as it should be. */
static int look(struct cf_keeper *keeper, struct cf_err *err)
{
    int result = cf_sync_look(&keeper->sync, err);

    atomic_store(&keeper->good, result == 0 && keeper->sync.bundle_failure[0] == '\0');
    if (result == 0)
        keeper->failure[0] = '\0';
    return result;
}

static void wait_for_bell(struct cf_keeper *keeper, int64_t millis)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(millis / 1000);
    until.tv_nsec += (long)(millis % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&keeper->lock);
    while (!keeper->woken && !atomic_load(&keeper->stop)) {
        if (pthread_cond_timedwait(&keeper->bell, &keeper->lock, &until) == ETIMEDOUT)
            break;
    }
    keeper->woken = false;
    pthread_mutex_unlock(&keeper->lock);
}

static void *run(void *arg)
{
    struct cf_keeper *keeper = arg;
    bool failed = false;

    while (!atomic_load(&keeper->stop)) {
        struct cf_err err = {.kind = CF_ERR_NONE};

        wait_for_bell(keeper, cf_sync_pause(&keeper->sync, failed));
        if (atomic_load(&keeper->stop))
            break;
        failed = look(keeper, &err) != 0;
        if (failed && !atomic_load(&keeper->stop))
            tell(keeper, &err);
    }
    return NULL;
}

/* ---- the start ---- */

static int first_look(struct cf_keeper *keeper, struct cf_err *err)
{
    keeper->sync.asker.cancelled = told_to_end;
    for (;;) {
        err->kind = CF_ERR_NONE;
        if (look(keeper, err) == 0)
            return 0;
        if (err->kind == CF_ERR_INPUT)
            return -1;
        if (!told_to_end(NULL))
            tell(keeper, err);
        for (int i = 0; i < 10 && !told_to_end(NULL); i++)
            poll(NULL, 0, 100);
        if (told_to_end(NULL))
            return cf_err_system(err, "told to end before there was a certificate");
    }
}

static void init_bell(struct cf_keeper *keeper)
{
    pthread_condattr_t attributes;

    pthread_mutex_init(&keeper->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&keeper->bell, &attributes);
    pthread_condattr_destroy(&attributes);
}

static int start(struct cf_keeper *keeper, struct cf_err *err)
{
    int code;

    if (cf_sync_init(&keeper->sync, err) != 0 || first_look(keeper, err) != 0)
        return -1;
    keeper->sync.asker.cancelled = stopped;
    keeper->sync.asker.arg = keeper;
    code = pthread_create(&keeper->thread, NULL, run, keeper);
    keeper->has_thread = code == 0;
    return code == 0 ? 0 : cf_err_system(err, "starting a thread: %s", strerror(code));
}

struct cf_keeper *cf_keeper_start(const struct cf_keeper_config *config, struct cf_tls *tls,
                                  struct cf_err *err)
{
    struct cf_keeper *keeper = calloc(1, sizeof(*keeper));

    if (keeper == NULL) {
        cf_err_memory(err);
        return NULL;
    }
    keeper->sync.config = config;
    keeper->sync.tls = tls;
    init_bell(keeper);
    if (start(keeper, err) == 0)
        return keeper;
    cf_keeper_stop(keeper);
    return NULL;
}

void cf_keeper_stop(struct cf_keeper *keeper)
{
    if (keeper == NULL)
        return;
    atomic_store(&keeper->stop, true);
    cf_keeper_wake(keeper);
    if (keeper->has_thread)
        pthread_join(keeper->thread, NULL);
    cf_sync_free(&keeper->sync);
    pthread_cond_destroy(&keeper->bell);
    pthread_mutex_destroy(&keeper->lock);
    free(keeper);
}

void cf_keeper_wake(struct cf_keeper *keeper)
{
    pthread_mutex_lock(&keeper->lock);
    keeper->woken = true;
    pthread_cond_signal(&keeper->bell);
    pthread_mutex_unlock(&keeper->lock);
}

bool cf_keeper_good(const struct cf_keeper *keeper)
{
    return atomic_load(&keeper->good);
}
