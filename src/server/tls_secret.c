/* SPDX-License-Identifier: Apache-2.0 */
/* tls_secret.c - see tls_secret.h.
 *
 * What cannot be read or served changes nothing: the last good pair stays in use. */
#include "tls_secret.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "curfew/certs_cluster.h"
#include "curfew/time.h"
#include "curfew/limits.h"
#include "curfew/log.h"
#include "curfew/str.h"

#define PAUSE_MAX_SECONDS 10
/* Before there is any certificate, and after a failure. */
#define RETRY_SECONDS 2
/* Where an authority was made anew, its leaf comes into the Secret just before the authority comes
 * into the caBundles, and API servers see these within a second or so. Until then the certificate
 * at hand is served on. */
#define SETTLE_MAX_SECONDS 3

struct cf_tls_secret {
    struct cf_tls *tls;
    struct cf_api_caller asker;
    struct cf_certs_secret *place;
    char where[600]; /* "NAMESPACE/NAME" */
    pthread_t thread;
    bool has_thread;
    pthread_mutex_t lock;
    pthread_cond_t bell;
    bool woken;                                      /* under the lock */
    char failure[sizeof(((struct cf_err *)0)->msg)]; /* under the lock: of the last read; "" */
    atomic_bool stop;
    atomic_bool good;
    struct cf_buf served;  /* the certificate in use; empty: none yet */
    struct cf_buf waiting; /* one of another authority, which waits since: */
    int64_t waiting_since; /* monotonic microseconds */
};

static bool stopped(void *arg)
{
    struct cf_tls_secret *secret = arg;

    return atomic_load(&secret->stop);
}

/* ---- small things ---- */

static bool same(const struct cf_buf *a, const struct cf_buf *b)
{
    return a->len == b->len && memcmp(cf_buf_str(a), cf_buf_str(b), a->len) == 0;
}

static int replace(struct cf_buf *to, const struct cf_buf *from, struct cf_err *err)
{
    cf_buf_wipe(to);
    cf_buf_add(to, cf_buf_str(from), from->len);
    return cf_buf_ok(to) ? 0 : cf_err_memory(err);
}

/* A twentieth of the life of what is served, so that a short one is followed in time. */
static int64_t part_of_life(const struct cf_tls_secret *secret, int64_t most)
{
    struct cf_tls_leaf leaf;
    int64_t part = most;

    if (cf_tls_leaf(secret->tls, &leaf))
        part = (leaf.expires - leaf.begins) / 20;
    return part < 1 ? 1 : part > most ? most : part;
}

/* ---- reading ---- */

/* Whether the pair has to wait until API servers know its authority. There is no use in waiting
 * once what is served has ended. */
static bool has_to_wait(struct cf_tls_secret *secret, const struct cf_buf *cert)
{
    struct cf_cert_info old, new;
    int64_t now = cf_monotonic_micros();

    if (!cf_cert_info(cf_buf_str(&secret->served), secret->served.len, 0, &old) ||
        !cf_cert_info(cf_buf_str(cert), cert->len, 0, &new) || cf_streq(old.issuer, new.issuer) ||
        old.expires <= cf_now())
        return false;
    if (!same(&secret->waiting, cert)) {
        secret->waiting_since = now;
        return replace(&secret->waiting, cert, NULL) == 0;
    }
    return now - secret->waiting_since < part_of_life(secret, SETTLE_MAX_SECONDS) * 1000000;
}

/* Takes over the reference. */
static int use(struct cf_tls_secret *secret, struct cf_tls_pair *pair, const struct cf_buf *cert,
               struct cf_err *err)
{
    struct cf_cert_info leaf = {.expires = 0};
    char ends[32];

    if (replace(&secret->served, cert, err) != 0) {
        cf_tls_pair_unref(pair);
        return -1;
    }
    cf_tls_use_pair(secret->tls, pair);
    cf_buf_wipe(&secret->waiting);
    cf_cert_info(cf_buf_str(cert), cert->len, 0, &leaf);
    cf_log(CF_LOG_INFO, "the certificate is in use", CF_LOG_S("secret", secret->where),
           CF_LOG_S("serial", leaf.serial), CF_LOG_S("signer", leaf.issuer),
           CF_LOG_S("expires", cf_time_format(leaf.expires, ends)));
    return 0;
}

static int take(struct cf_tls_secret *secret, const struct cf_certs *certs, struct cf_err *err)
{
    struct cf_tls_pair *pair;

    if (certs->cert.len == 0 || certs->key.len == 0)
        return cf_err_system(err, "Secret %s holds no %s yet", secret->where,
                             certs->cert.len == 0 ? "tls.crt" : "tls.key");
    /* Checked each time: a key that was broken since has to be told. */
    pair = cf_tls_pair_of(secret->where, &certs->cert, &certs->key, err);
    if (pair == NULL)
        return -1;
    if (same(&secret->served, &certs->cert))
        cf_buf_wipe(&secret->waiting);
    else if (!has_to_wait(secret, &certs->cert))
        return use(secret, pair, &certs->cert, err);
    cf_tls_pair_unref(pair);
    return 0;
}

static int look(struct cf_tls_secret *secret, struct cf_err *err)
{
    struct cf_certs certs;
    bool exists;
    int result;

    cf_certs_init(&certs);
    result = cf_certs_secret_read(secret->place, &secret->asker, &certs, &exists, err);
    cf_certs_secret_forget(secret->place);
    if (result == 0 && !exists)
        result = cf_err_system(err, "there is no Secret %s yet: 'curfew certs run' makes it",
                               secret->where);
    if (result == 0)
        result = take(secret, &certs, err);
    cf_certs_free(&certs);
    return result;
}

/* ---- the thread ---- */

/* A failure is logged once. To wait for the first certificate is no error: at the installation both
 * programs start at once. */
static void tell(struct cf_tls_secret *secret, const struct cf_err *err)
{
    bool is_new;

    pthread_mutex_lock(&secret->lock);
    is_new = !cf_streq(secret->failure, err->msg);
    snprintf(secret->failure, sizeof(secret->failure), "%s", err->msg);
    pthread_mutex_unlock(&secret->lock);
    if (is_new && err->msg[0] != '\0')
        cf_log(CF_LOG_ERROR, "the certificate could not be read: it is tried again",
               CF_LOG_S("secret", secret->where), CF_LOG_S("error", err->msg));
}

static int64_t pause_millis(const struct cf_tls_secret *secret, bool failed)
{
    if (secret->served.len == 0)
        return RETRY_SECONDS * 1000;
    if (secret->waiting.len > 0)
        return part_of_life(secret, SETTLE_MAX_SECONDS) * 1000;
    return part_of_life(secret, failed ? RETRY_SECONDS : PAUSE_MAX_SECONDS) * 1000;
}

static void wait_for_bell(struct cf_tls_secret *secret, int64_t millis)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(millis / 1000);
    pthread_mutex_lock(&secret->lock);
    while (!secret->woken && !atomic_load(&secret->stop)) {
        if (pthread_cond_timedwait(&secret->bell, &secret->lock, &until) == ETIMEDOUT)
            break;
    }
    secret->woken = false;
    pthread_mutex_unlock(&secret->lock);
}

static void *run(void *arg)
{
    struct cf_tls_secret *secret = arg;

    while (!atomic_load(&secret->stop)) {
        struct cf_err err = {.kind = CF_ERR_NONE};
        bool failed = look(secret, &err) != 0;

        if (atomic_load(&secret->stop))
            break;
        atomic_store(&secret->good, !failed);
        tell(secret, &err);
        wait_for_bell(secret, pause_millis(secret, failed));
    }
    return NULL;
}

/* ---- its life ---- */

static void init_bell(struct cf_tls_secret *secret)
{
    pthread_condattr_t attributes;

    pthread_mutex_init(&secret->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&secret->bell, &attributes);
    pthread_condattr_destroy(&attributes);
}

static int start(struct cf_tls_secret *secret, const struct cf_tls_secret_config *config,
                 struct cf_err *err)
{
    int code;

    secret->place = cf_certs_secret_new(config->namespace, config->name);
    if (secret->place == NULL)
        return cf_err_memory(err);
    secret->asker.api = cf_api_open(config->kubeconfig, config->context, err);
    if (secret->asker.api == NULL)
        return -1;
    secret->asker.cancelled = stopped;
    secret->asker.arg = secret;
    code = pthread_create(&secret->thread, NULL, run, secret);
    secret->has_thread = code == 0;
    return code == 0 ? 0 : cf_err_system(err, "starting a thread: %s", strerror(code));
}

struct cf_tls_secret *cf_tls_secret_start(const struct cf_tls_secret_config *config,
                                          struct cf_tls *tls, struct cf_err *err)
{
    struct cf_tls_secret *secret = calloc(1, sizeof(*secret));

    if (secret == NULL) {
        cf_err_memory(err);
        return NULL;
    }
    secret->tls = tls;
    snprintf(secret->where, sizeof(secret->where), "%s/%s", config->namespace, config->name);
    cf_buf_init(&secret->served, CF_CREDENTIAL_MAX);
    cf_buf_init(&secret->waiting, CF_CREDENTIAL_MAX);
    init_bell(secret);
    if (start(secret, config, err) == 0)
        return secret;
    cf_tls_secret_stop(secret);
    return NULL;
}

void cf_tls_secret_stop(struct cf_tls_secret *secret)
{
    if (secret == NULL)
        return;
    atomic_store(&secret->stop, true);
    cf_tls_secret_wake(secret);
    if (secret->has_thread)
        pthread_join(secret->thread, NULL);
    cf_api_close(secret->asker.api);
    cf_certs_secret_free(secret->place);
    cf_buf_free(&secret->served);
    cf_buf_free(&secret->waiting);
    pthread_cond_destroy(&secret->bell);
    pthread_mutex_destroy(&secret->lock);
    free(secret);
}

void cf_tls_secret_wake(struct cf_tls_secret *secret)
{
    pthread_mutex_lock(&secret->lock);
    secret->woken = true;
    pthread_cond_signal(&secret->bell);
    pthread_mutex_unlock(&secret->lock);
}

bool cf_tls_secret_good(const struct cf_tls_secret *secret)
{
    return atomic_load(&secret->good);
}

void cf_tls_secret_why(struct cf_tls_secret *secret, char *out, size_t size)
{
    pthread_mutex_lock(&secret->lock);
    cf_str_show(out, size, "%s", secret->failure);
    pthread_mutex_unlock(&secret->lock);
}
