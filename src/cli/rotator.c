/* SPDX-License-Identifier: Apache-2.0 */
/* rotator.c - see rotator.h. One thread does all the work; the probe port has its own. */
#include "rotator.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include "curfew/time.h"
#include "curfew/log.h"
#include "curfew/probes.h"
#include "curfew/server.h"
#include "curfew/str.h"
#include "curfew/version.h"
#include "kube.h"
#include "curfew/rotation.h"

/* The work shows that it goes on a few times a second, also while it waits for an API server. After
 * so long without that it hangs, and a kubelet should start it anew. */
#define HANGS_SECONDS 60

struct rotator {
    const struct cf_rotator_config *config;
    struct cf_rotation rotation;
    struct cf_probes *probes;
    sigset_t signals;
    atomic_int_fast64_t alive_at; /* monotonic microseconds */
    pthread_mutex_t lock;
    char failure[sizeof(((struct cf_err *)0)->msg)]; /* under the lock: of the last pass; "" */
};

/* ---- what the probes ask ---- */

static bool is_alive(void *arg, char *why, size_t size)
{
    struct rotator *rotator = arg;
    int64_t gone = (cf_monotonic_micros() - atomic_load(&rotator->alive_at)) / 1000000;

    if (gone < HANGS_SECONDS)
        return true;
    snprintf(why, size, "nothing has moved for %lld s", (long long)gone);
    return false;
}

static bool is_ready(void *arg, char *why, size_t size)
{
    struct rotator *rotator = arg;

    pthread_mutex_lock(&rotator->lock);
    cf_str_show(why, size, "%s", rotator->failure);
    pthread_mutex_unlock(&rotator->lock);
    return why[0] == '\0';
}

/* ---- signals ---- */

/* Asked while an API server is waited for. */
static bool told_to_end(void *arg)
{
    struct rotator *rotator = arg;
    sigset_t pending;

    atomic_store(&rotator->alive_at, cf_monotonic_micros());
    return sigpending(&pending) == 0 &&
           (sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGINT) == 1);
}

/* Returns whether a signal has come that ends it. */
static bool wait_for_end(struct rotator *rotator, int64_t millis)
{
    int64_t until = cf_monotonic_micros() + millis * 1000;

    for (;;) {
        int64_t left = until - cf_monotonic_micros();
        struct timespec ts = {.tv_sec = (time_t)(left / 1000000),
                              .tv_nsec = (long)(left % 1000000) * 1000};
        int got;

        atomic_store(&rotator->alive_at, cf_monotonic_micros());
        if (left <= 0)
            return false;
        got = sigtimedwait(&rotator->signals, NULL, &ts);
        if (got == SIGHUP)
            return false;
        if (got > 0)
            return true;
    }
}

/* ---- the work ---- */

static void remember(struct rotator *rotator, const char *failure)
{
    pthread_mutex_lock(&rotator->lock);
    snprintf(rotator->failure, sizeof(rotator->failure), "%s", failure);
    pthread_mutex_unlock(&rotator->lock);
}

static void tell(struct rotator *rotator, const struct cf_err *err)
{
    if (cf_streq(rotator->failure, err->msg))
        return;
    cf_log(CF_LOG_ERROR, "the certificate could not be looked after: it is tried again",
           CF_LOG_S("secret", rotator->rotation.where), CF_LOG_S("error", err->msg));
}

/* -1: the pass has failed. */
static int pass(struct rotator *rotator, struct cf_err *err)
{
    int result = cf_rotation_pass(&rotator->rotation, err);

    if (result != 0 && !told_to_end(rotator))
        tell(rotator, err);
    remember(rotator, result != 0 ? err->msg : rotator->rotation.bundle_failure);
    return result;
}

static int work(struct rotator *rotator, struct cf_err *err)
{
    bool first = true, failed;

    do {
        err->kind = CF_ERR_NONE;
        failed = pass(rotator, err) != 0;
        /* What makes no sense at the start never will; later somebody may be about to mend it. */
        if (failed && first && err->kind == CF_ERR_INPUT)
            return -1;
        first = first && failed;
    } while (!wait_for_end(rotator, cf_rotation_pause(&rotator->rotation, failed)));
    return 0;
}

/* ---- its life ---- */

static void say_start(const struct rotator *rotator)
{
    const char *const *names = rotator->config->given->configurations;

    cf_log(CF_LOG_INFO, "keeping the certificate", CF_LOG_S("version", cf_version()),
           CF_LOG_S("revision", cf_revision()), CF_LOG_S("secret", rotator->rotation.where),
           CF_LOG_S("configuration", names[0]),
           CF_LOG_S("cluster", cf_api_server(rotator->rotation.asker.api)),
           CF_LOG_S("probeAddress", cf_probes_address(rotator->probes)));
}

static int start(struct rotator *rotator, struct cf_err *err)
{
    const struct cf_rotator_config *config = rotator->config;
    struct cf_api *api = cf_cli_open_api(config->kubeconfig, config->context, err);

    if (api == NULL || cf_rotation_init(&rotator->rotation, config->given, api, err) != 0)
        return -1;
    rotator->rotation.asker.cancelled = told_to_end;
    rotator->rotation.asker.arg = rotator;
    atomic_store(&rotator->alive_at, cf_monotonic_micros());
    remember(rotator, "the first look at the Secret is under way");
    rotator->probes = cf_probes_start(config->probe_listen, is_ready, rotator, err);
    if (rotator->probes == NULL)
        return -1;
    cf_probes_alive_hook(rotator->probes, is_alive);
    return 0;
}

int cf_rotator_run(const struct cf_rotator_config *config, struct cf_err *err)
{
    struct rotator rotator = {.config = config, .lock = PTHREAD_MUTEX_INITIALIZER};
    int result;

    cf_server_block_signals();
    sigemptyset(&rotator.signals);
    sigaddset(&rotator.signals, SIGTERM);
    sigaddset(&rotator.signals, SIGINT);
    sigaddset(&rotator.signals, SIGHUP);
    result = start(&rotator, err);
    if (result == 0) {
        say_start(&rotator);
        result = work(&rotator, err);
    }
    if (result == 0)
        cf_log(CF_LOG_INFO, "stopped", CF_LOG_S("secret", rotator.rotation.where));
    cf_probes_stop(rotator.probes);
    cf_rotation_free(&rotator.rotation);
    return result;
}
