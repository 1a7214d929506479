/* SPDX-License-Identifier: Apache-2.0 */
/* lifecycle.c - the main thread of a running server (signals, reloads, warnings, the shutdown), and
 * the port that serves /livez and /readyz.
 *
 * Shutdown: report not ready, so that no new clients are sent here; continue to serve for the drain
 * delay, closing each connection after its next answer; then accept no more connections and wait
 * for the requests in progress. */
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "curfew/client.h"
#include "curfew/json.h"
#include "curfew/limits.h"
#include "curfew/log.h"
#include "curfew/probes.h"
#include "curfew/process.h"
#include "curfew/store.h"
#include "curfew/str.h"
#include "curfew/time.h"
#include "curfew/token.h"
#include "curfew/watch.h"
#include "context.h"
#include "http.h"
#include "limits.h"
#include "seccomp.h"
#include "tls.h"
#include "tls_secret.h"

/* ---- the probe port ---- */

struct cf_probes {
    struct cf_http *http;
    cf_probes_ready ready;
    _Atomic(cf_probes_ready) alive; /* NULL: /livez always answers 200 */
    void *arg;
};

static bool on_probe_headers(void *arg, struct cf_http_request *request, size_t *body_len)
{
    (void)arg, (void)body_len;
    if (request->fault != NULL) {
        cf_reply_text(request, 400, request->fault);
        return false;
    }
    if (!cf_streq(request->path, "/livez") && !cf_streq(request->path, "/readyz")) {
        cf_reply_text(request, 404, "not found: this port serves /livez and /readyz");
        return false;
    }
    if (!cf_streq(request->method, "GET") && !cf_streq(request->method, "HEAD")) {
        cf_reply_method(request, "GET, HEAD");
        return false;
    }
    if (cf_has_body(request)) {
        cf_reply_text(request, 413, "this path does not accept a body");
        return false;
    }
    return true;
}

static void on_probe_request(void *arg, struct cf_http_request *request)
{
    struct cf_probes *probes = arg;
    bool wants_alive = cf_streq(request->path, "/livez");
    cf_probes_ready check = wants_alive ? atomic_load(&probes->alive) : probes->ready;
    char why[CF_PROBES_WHY_MAX] = "";

    if (check == NULL || check(probes->arg, why, sizeof(why)))
        cf_reply_text(request, 200, "ok");
    else
        cf_reply_text(request, 503, why);
}

/* Not called for requests without a body, but every request must get a reply. */
static void on_probe_exhausted(void *arg, struct cf_http_request *request, bool busy)
{
    (void)arg, (void)busy;
    cf_reply_text(request, 500, "out of memory");
}

struct cf_probes *cf_probes_start(const char *listen, cf_probes_ready ready, void *arg,
                                  struct cf_err *err)
{
    struct cf_probes *probes = calloc(1, sizeof(*probes));
    struct cf_http_config config = {
        .listen = listen,
        .threads = 1,
        .room = CF_ROOM_PLAIN,
        .connection_memory = CF_CONNECTION_MEMORY,
        .accept = on_probe_headers,
        .answer = on_probe_request,
        .exhausted = on_probe_exhausted,
        .arg = probes,
    };

    if (probes == NULL) {
        cf_err_memory(err);
        return NULL;
    }
    probes->ready = ready;
    probes->arg = arg;
    probes->http = cf_http_start(&config, err);
    if (probes->http != NULL)
        return probes;
    free(probes);
    return NULL;
}

void cf_probes_alive_hook(struct cf_probes *probes, cf_probes_ready alive)
{
    atomic_store(&probes->alive, alive);
}

const char *cf_probes_address(const struct cf_probes *probes)
{
    return cf_http_address(probes->http);
}

uint64_t cf_probes_evicted(const struct cf_probes *probes, enum cf_evicted why)
{
    return cf_http_evicted(probes->http, why);
}

void cf_probes_stop(struct cf_probes *probes)
{
    if (probes == NULL)
        return;
    cf_http_stop(probes->http);
    free(probes);
}

/* ---- the main thread ---- */

/* Interval between ticks; files are checked about once a second. */
#define TICK_MICROS 250000
#define TICKS_PER_CHECK 4
/* Interval between checks whether all requests have been answered. */
#define STOP_MICROS 5000

/* The log warns once a day of a certificate that expires within this time, or that is in the last
 * quarter of a shorter lifetime. */
#define EXPIRY_WARN_SECONDS ((int64_t)14 * 86400)
#define DAY_SECONDS 86400

/* Memory is returned to the system if it has fallen by this much since a peak. */
#define TRIM_BYTES (4 * CF_MIB)
#define TRIM_CONNECTIONS 64
#define TRIM_TICKS 20

struct life {
    struct cf_server *server;
    sigset_t signals;
    unsigned ticks;
    bool check_soon; /* a file is being written */
    struct cf_http_load peak;
};

static void fill_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
}

void cf_server_block_signals(void)
{
    sigset_t set;

    fill_signals(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

/* ---- log lines ---- */

static const char *libraries(char text[192])
{
    snprintf(text, 192, "libmicrohttpd %s, GnuTLS %s, OpenSSL %s, libcurl %s, cJSON %s, libyaml %s",
             cf_http_version(), cf_tls_version(), cf_openssl_version(), cf_curl_version(),
             cf_cjson_version(), cf_libyaml_version());
    return text;
}

/* With a watch the counts are left out: they are logged after the first lists. */
static struct cf_log_field count_field(const struct cf_server *server, const char *key,
                                       size_t count)
{
    if (server->config.watch != NULL)
        return CF_LOG_S(key, NULL);
    return CF_LOG_N(key, (int64_t)count);
}

static void log_start(struct cf_server *server, bool confined)
{
    const struct cf_watch *watch = server->config.watch;
    struct cf_store_counts counts = cf_store_counts(server->config.store);
    struct cf_policy *policy = cf_server_policy_ref(server);
    char text[192];

    cf_log(CF_LOG_INFO, "serving", CF_LOG_S("version", cf_version()),
           CF_LOG_S("revision", cf_revision()),
           CF_LOG_S("address", cf_http_address(server->reviews)),
           CF_LOG_S("probeAddress", cf_probes_address(server->probes)),
           CF_LOG_S("metricsAddress", cf_http_address(server->metrics)),
           CF_LOG_S("policy", policy->digest),
           CF_LOG_S("systemCalls", confined ? "filtered" : "not filtered"),
           CF_LOG_S("cluster", watch != NULL ? cf_watch_server(watch) : "manifests"),
           count_field(server, "namespaces", counts.namespaces),
           count_field(server, "secrets", counts.secrets),
           count_field(server, "serviceAccounts", counts.accounts),
           CF_LOG_S("libraries", libraries(text)));
    cf_policy_free(policy);
}

static void warn_before_expiry(const char *message, int64_t when, int64_t now, int64_t notice)
{
    char text[32];

    if (when - now < notice)
        cf_log(CF_LOG_WARN, message, CF_LOG_S("expires", cf_time_format(when, text)));
}

/* Checks once a day, and after each change. */
static void warn_before_expiries(struct cf_server *server)
{
    struct cf_tls_leaf leaf;
    int64_t now = cf_now(), notice;

    if ((server->warned != 0 && now - server->warned < DAY_SECONDS) ||
        !cf_tls_leaf(server->tls, &leaf))
        return;
    server->warned = now;
    notice = (leaf.expires - leaf.begins) / 4;
    if (!leaf.has_names)
        cf_log(CF_LOG_WARN, "the serving certificate has no subjectAltName, API servers reject it");
    warn_before_expiry("the serving certificate expires soon", leaf.expires, now,
                       notice < EXPIRY_WARN_SECONDS ? notice : EXPIRY_WARN_SECONDS);
    if (server->crl_ends != 0)
        warn_before_expiry("the client CRL should be replaced", server->crl_ends, now, DAY_SECONDS);
}

/* ---- ticks ---- */

/* glibc keeps memory that was freed after a peak: returns it if it is far more than needed now. */
static void trim_memory(struct life *life)
{
    struct cf_http_load now = cf_http_load(life->server->reviews);

    life->peak.bytes = now.bytes > life->peak.bytes ? now.bytes : life->peak.bytes;
    life->peak.connections =
        now.connections > life->peak.connections ? now.connections : life->peak.connections;
    if (life->ticks % TRIM_TICKS != 0 ||
        (life->peak.bytes - now.bytes < TRIM_BYTES &&
         life->peak.connections - now.connections < TRIM_CONNECTIONS))
        return;
    life->peak = now;
    malloc_trim(0);
}

static void tick(struct life *life)
{
    struct cf_server *server = life->server;

    life->ticks++;
    trim_memory(life);
    if (!life->check_soon && life->ticks % TICKS_PER_CHECK != 0)
        return;
    life->check_soon = cf_reload_changed(server, false);
    warn_before_expiries(server);
}

/* Returns the next signal; 0: none within this time. */
static int next_signal(const struct life *life, int64_t micros)
{
    struct timespec ts = {.tv_sec = (time_t)(micros / 1000000),
                          .tv_nsec = (long)(micros % 1000000) * 1000};
    int got = sigtimedwait(&life->signals, NULL, &ts);

    return got > 0 ? got : 0;
}

static void reload_all(struct life *life)
{
    life->check_soon = cf_reload_changed(life->server, true);
    if (life->server->tls_secret != NULL)
        cf_tls_secret_wake(life->server->tls_secret);
}

/* Serves until a signal to end, or until that time (0: no limit). Returns the signal, or 0. */
static int serve_until(struct life *life, int64_t until)
{
    int64_t next = cf_monotonic_micros();

    for (;;) {
        int64_t now = cf_monotonic_micros();
        int got;

        if (until != 0 && now >= until)
            return 0;
        if (now >= next) {
            tick(life);
            next = now + TICK_MICROS;
        }
        got = next_signal(life, until != 0 && until < next ? until - now : next - now);
        if (got == SIGHUP)
            reload_all(life);
        else if (got != 0)
            return got;
    }
}

/* ---- shutdown ---- */

/* Returns whether a second signal was received. */
static bool drain(struct life *life, int got)
{
    struct cf_server *server = life->server;
    int64_t seconds = server->config.drain_delay;

    cf_log(CF_LOG_INFO, "draining", CF_LOG_S("signal", got == SIGINT ? "SIGINT" : "SIGTERM"),
           CF_LOG_N("seconds", seconds));
    atomic_store(&server->ready, false);
    cf_http_drain(server->reviews);
    return seconds > 0 && serve_until(life, cf_monotonic_micros() + seconds * 1000000) != 0;
}

/* Returns the number of requests that get no answer. */
static unsigned wait_for_requests(struct life *life, bool at_once)
{
    struct cf_http *reviews = life->server->reviews;
    int64_t deadline = cf_monotonic_micros() + life->server->config.drain_timeout * 1000000;

    cf_http_close(reviews);
    while (!at_once && cf_http_pending(reviews, true) > 0 && cf_monotonic_micros() < deadline) {
        int got = next_signal(life, STOP_MICROS);

        at_once = got != 0 && got != SIGHUP;
    }
    return cf_http_pending(reviews, false);
}

/* All threads are running; threads that start later inherit the filter. */
static void confine_and_log_start(struct cf_server *server)
{
    struct cf_err err = {.kind = CF_ERR_NONE};
    bool confined = server->config.seccomp && cf_seccomp_start(&err) == 0;

    log_start(server, confined);
    if (err.kind != CF_ERR_NONE)
        cf_log(CF_LOG_WARN, "system calls are not filtered", CF_LOG_S("reason", err.msg));
}

void cf_server_run(struct cf_server *server)
{
    struct life life = {.server = server};
    bool at_once;
    unsigned cut;
    int got;

    fill_signals(&life.signals);
    confine_and_log_start(server);
    got = serve_until(&life, 0);
    at_once = drain(&life, got);
    cut = wait_for_requests(&life, at_once);
    cf_log(cut == 0 ? CF_LOG_INFO : CF_LOG_WARN, "stopped", CF_LOG_N("unanswered", (int64_t)cut));
    cf_server_free(server);
}
