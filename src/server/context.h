/* SPDX-License-Identifier: Apache-2.0 */
/* context.h - what the server's parts share: made at its start, read by all its threads. */
#ifndef CF_SERVER_CONTEXT_H
#define CF_SERVER_CONTEXT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "body.h"
#include "connection.h"
#include "curfew/server.h"
#include "curfew/swap.h"
#include "reload.h"

struct cf_arena;
struct cf_buf;
struct cf_http;
struct cf_http_request;
struct cf_stats;
struct cf_tls;

struct cf_tls_secret;
struct cf_jwks;
struct cf_probes;

struct cf_server {
    struct cf_server_config config;
    struct cf_tls *tls;
    struct cf_tls_secret *tls_secret; /* where its certificate is from; NULL: from files */
    struct cf_swap policy;            /* struct cf_policy: the active one; never empty */
    struct cf_swap keys;              /* struct cf_jwks: of bearer tokens */
    struct cf_watched watched[CF_KEPT];
    int64_t crl_ends; /* of the clients' revocation lists; 0: none */
    int64_t warned;   /* when the log last told of an end that is near; 0: not yet */
    struct cf_stats *stats;
    struct cf_budget budget;  /* limits.memory */
    struct cf_http *reviews;  /* the webhook's port */
    struct cf_http *metrics;  /* /metrics and /version */
    struct cf_probes *probes; /* /livez and /readyz */
    pthread_key_t arenas;     /* each thread's arena */
    bool has_arenas;
    int64_t started; /* unix seconds */
    atomic_bool ready;
    atomic_bool complete; /* all ports are there; of interest to those that are there already */
};

/* One row of a port's table of paths. */
struct cf_route {
    const char *path;
    const char *methods; /* as `Allow` lists them */
    bool takes_review;   /* a body of JSON; else none */
    enum cf_phase phase;
    void (*answer)(struct cf_server *server, const struct cf_route *route,
                   struct cf_http_request *request);
};

/* ---- server.c ---- */

/* Ends all connections and threads. */
void cf_server_free(struct cf_server *server);

/* The active policy with a reference for the caller, who drops it with cf_policy_free(). A review
 * uses one policy to its end, also when another one becomes active meanwhile. */
struct cf_policy *cf_server_policy_ref(struct cf_server *server);

/* Makes the policy the active one, and sets limits.memory. Takes over the caller's reference. */
void cf_server_use_policy(struct cf_server *server, struct cf_policy *policy);

/* ---- probes.c ---- */

/* Connections of the probe port that gave way, by reason. */
uint64_t cf_probes_evicted(const struct cf_probes *probes, enum cf_evicted why);

/* ---- routes.c ---- */

/* Replies with one sentence, as text/plain. */
void cf_reply_text(struct cf_http_request *request, unsigned status, const char *sentence);

/* Replies 405; `allow` lists the methods of the path, as in "GET, HEAD". */
void cf_reply_method(struct cf_http_request *request, const char *allow);

/* Whether a body follows the headers, or may follow. */
bool cf_has_body(const struct cf_http_request *request);

/* The callbacks of struct cf_http_config for the two ports; `arg` is the server. */
bool cf_routes_accept_review(void *arg, struct cf_http_request *request, size_t *body_len);
bool cf_routes_accept_metrics(void *arg, struct cf_http_request *request, size_t *body_len);
void cf_routes_answer_review(void *arg, struct cf_http_request *request);
void cf_routes_answer_metrics(void *arg, struct cf_http_request *request);
void cf_routes_exhausted(void *arg, struct cf_http_request *request, bool busy);

/* ---- bearer.c ---- */

/* Whether the caller may ask at this path, so far as the headers tell; else the request has been
 * answered. */
bool cf_caller_check(struct cf_server *server, const struct cf_route *route,
                     struct cf_http_request *request);

/* ---- reviews.c ---- */

/* Each thread keeps one arena for all its reviews, which is empty between them; it dies with the
 * thread. NULL when out of memory. */
struct cf_arena *cf_thread_arena(const struct cf_server *server);

void cf_answer_review(struct cf_server *server, const struct cf_route *route,
                      struct cf_http_request *request);

/* ---- metrics.c ---- */

/* Appends all metrics in the Prometheus text format. */
void cf_metrics_write(struct cf_server *server, struct cf_buf *out);

#endif
