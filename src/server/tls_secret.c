/* SPDX-License-Identifier: Apache-2.0 */
/* tls_secret.c - reads the serving certificate from a Secret; see tls_secret.h.
 *
 * If the Secret cannot be read or its certificate is not valid, the last valid pair stays in use.
 */
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
/* Before the first certificate, and after a failure. */
#define RETRY_SECONDS 2
/* After the rotation of an authority, its leaf is written to the Secret just before the authority
 * is added to the caBundles, which API servers read within about a second. Until then the previous
 * certificate is served. */
#define SETTLE_MAX_SECONDS 3

struct cf_tls_secret {
    struct cf_tls *tls;
    struct cf_api_caller caller;
    struct cf_certs_secret *certs;
    char where[600]; /* NAMESPACE/NAME */
    pthread_t thread;
    bool has_thread;
    pthread_mutex_t lock;
    pthread_cond_t wakeup;
    bool woken;                                      /* under the lock */
    char failure[sizeof(((struct cf_err *)0)->msg)]; /* under the lock: error of the last read */
    atomic_bool stop;
    atomic_bool good;
    struct cf_buf served;  /* the current certificate; empty: none yet */
    struct cf_buf waiting; /* a certificate of a new authority, not served yet */
    int64_t waiting_since; /* when it was first read, in monotonic microseconds */
};

static bool is_stopped(void *arg)
{
    struct cf_tls_secret *secret = arg;

    return atomic_load(&secret->stop);
}

/* ---- certificates ---- */

static bool same_bytes(const struct cf_buf *a, const struct cf_buf *b)
{
    return a->len == b->len && memcmp(cf_buf_str(a), cf_buf_str(b), a->len) == 0;
}

static int replace_bytes(struct cf_buf *to, const struct cf_buf *from, struct cf_err *err)
{
    cf_buf_wipe(to);
    cf_buf_add(to, cf_buf_str(from), from->len);
    return cf_buf_ok(to) ? 0 : cf_err_memory(err);
}

/* A twentieth of the lifetime of the current certificate, but at most `most`: so that a certificate
 * with a short lifetime is replaced before it expires. In seconds. */
static int64_t lifetime_part(const struct cf_tls_secret *secret, int64_t most)
{
    struct cf_tls_leaf leaf;
    int64_t part = most;

    if (cf_tls_leaf(secret->tls, &leaf))
        part = (leaf.expires - leaf.begins) / 20;
    return part < 1 ? 1 : part > most ? most : part;
}

/* ---- reading ---- */

/* Whether the pair must wait until API servers trust its authority. After the current certificate
 * has expired, waiting has no advantage. */
static bool must_wait(struct cf_tls_secret *secret, const struct cf_buf *cert)
{
    struct cf_cert_info old, new;
    int64_t now = cf_monotonic_micros();

    if (!cf_cert_info(cf_buf_str(&secret->served), secret->served.len, 0, &old) ||
        !cf_cert_info(cf_buf_str(cert), cert->len, 0, &new) || cf_streq(old.issuer, new.issuer) ||
        old.expires <= cf_now())
        return false;
    if (!same_bytes(&secret->waiting, cert)) {
        secret->waiting_since = now;
        return replace_bytes(&secret->waiting, cert, NULL) == 0;
    }
    return now - secret->waiting_since < lifetime_part(secret, SETTLE_MAX_SECONDS) * 1000000;
}

/* Takes over the reference. */
static int use_pair(struct cf_tls_secret *secret, struct cf_tls_pair *pair,
                    const struct cf_buf *cert, struct cf_err *err)
{
    struct cf_cert_info leaf = {.expires = 0};
    char ends[32];

    if (replace_bytes(&secret->served, cert, err) != 0) {
        cf_tls_pair_unref(pair);
        return -1;
    }
    cf_tls_use_pair(secret->tls, pair);
    cf_buf_wipe(&secret->waiting);
    cf_cert_info(cf_buf_str(cert), cert->len, 0, &leaf);
    cf_log(CF_LOG_INFO, "serving the certificate from the Secret",
           CF_LOG_S("secret", secret->where), CF_LOG_S("serial", leaf.serial),
           CF_LOG_S("signer", leaf.issuer),
           CF_LOG_S("expires", cf_time_format(leaf.expires, ends)));
    return 0;
}

static int take_certificate(struct cf_tls_secret *secret, const struct cf_certs *certs,
                            struct cf_err *err)
{
    struct cf_tls_pair *pair;

    if (certs->cert.len == 0 || certs->key.len == 0)
        return cf_err_system(err, "Secret %s has no %s yet", secret->where,
                             certs->cert.len == 0 ? "tls.crt" : "tls.key");
    /* Also if the certificate is unchanged: the key may be invalid now, which must be logged. */
    pair = cf_tls_pair_of(secret->where, &certs->cert, &certs->key, err);
    if (pair == NULL)
        return -1;
    if (same_bytes(&secret->served, &certs->cert))
        cf_buf_wipe(&secret->waiting);
    else if (!must_wait(secret, &certs->cert))
        return use_pair(secret, pair, &certs->cert, err);
    cf_tls_pair_unref(pair);
    return 0;
}

static int read_certificate(struct cf_tls_secret *secret, struct cf_err *err)
{
    struct cf_certs certs;
    bool exists;
    int result;

    cf_certs_init(&certs);
    result = cf_certs_secret_read(secret->certs, &secret->caller, &certs, &exists, err);
    cf_certs_secret_forget(secret->certs);
    if (result == 0 && !exists)
        result = cf_err_system(err, "Secret %s does not exist yet: 'curfew certs run' creates it",
                               secret->where);
    if (result == 0)
        result = take_certificate(secret, &certs, err);
    cf_certs_free(&certs);
    return result;
}

/* ---- the thread ---- */

/* Logs each failure once. */
static void log_read_failure(struct cf_tls_secret *secret, const struct cf_err *err)
{
    bool is_new;

    pthread_mutex_lock(&secret->lock);
    is_new = !cf_streq(secret->failure, err->msg);
    snprintf(secret->failure, sizeof(secret->failure), "%s", err->msg);
    pthread_mutex_unlock(&secret->lock);
    if (is_new && err->msg[0] != '\0')
        cf_log(CF_LOG_ERROR, "cannot read the serving certificate, will retry",
               CF_LOG_S("secret", secret->where), CF_LOG_S("error", err->msg));
}

static int64_t pause_millis(const struct cf_tls_secret *secret, bool failed)
{
    if (secret->served.len == 0)
        return RETRY_SECONDS * 1000;
    if (secret->waiting.len > 0)
        return lifetime_part(secret, SETTLE_MAX_SECONDS) * 1000;
    return lifetime_part(secret, failed ? RETRY_SECONDS : PAUSE_MAX_SECONDS) * 1000;
}

static void wait_until_woken(struct cf_tls_secret *secret, int64_t millis)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(millis / 1000);
    pthread_mutex_lock(&secret->lock);
    while (!secret->woken && !atomic_load(&secret->stop)) {
        if (pthread_cond_timedwait(&secret->wakeup, &secret->lock, &until) == ETIMEDOUT)
            break;
    }
    secret->woken = false;
    pthread_mutex_unlock(&secret->lock);
}

static void *run_reader(void *arg)
{
    struct cf_tls_secret *secret = arg;

    while (!atomic_load(&secret->stop)) {
        struct cf_err err = {.kind = CF_ERR_NONE};
        bool failed = read_certificate(secret, &err) != 0;

        if (atomic_load(&secret->stop))
            break;
        atomic_store(&secret->good, !failed);
        log_read_failure(secret, &err);
        wait_until_woken(secret, pause_millis(secret, failed));
    }
    return NULL;
}

/* ---- start and end ---- */

static void init_wakeup(struct cf_tls_secret *secret)
{
    pthread_condattr_t attributes;

    pthread_mutex_init(&secret->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&secret->wakeup, &attributes);
    pthread_condattr_destroy(&attributes);
}

static int start_reader(struct cf_tls_secret *secret, const struct cf_tls_secret_config *config,
                        struct cf_err *err)
{
    int code;

    secret->certs = cf_certs_secret_new(config->namespace, config->name);
    if (secret->certs == NULL)
        return cf_err_memory(err);
    secret->caller.api = cf_api_open(config->kubeconfig, config->context, err);
    if (secret->caller.api == NULL)
        return -1;
    secret->caller.cancelled = is_stopped;
    secret->caller.arg = secret;
    code = pthread_create(&secret->thread, NULL, run_reader, secret);
    secret->has_thread = code == 0;
    return code == 0 ? 0 : cf_err_system(err, "cannot start a thread: %s", strerror(code));
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
    init_wakeup(secret);
    if (start_reader(secret, config, err) == 0)
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
    cf_api_close(secret->caller.api);
    cf_certs_secret_free(secret->certs);
    cf_buf_free(&secret->served);
    cf_buf_free(&secret->waiting);
    pthread_cond_destroy(&secret->wakeup);
    pthread_mutex_destroy(&secret->lock);
    free(secret);
}

void cf_tls_secret_wake(struct cf_tls_secret *secret)
{
    pthread_mutex_lock(&secret->lock);
    secret->woken = true;
    pthread_cond_signal(&secret->wakeup);
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
