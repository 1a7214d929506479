/* SPDX-License-Identifier: Apache-2.0 */
/* context.h - struct cf_server, which all parts of the server share, and the functions by which the
 * parts call each other. server.c fills the struct at the start; after that all threads read it. */
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
struct cf_probes;
struct cf_stats;
struct cf_tls;
struct cf_tls_secret;

struct cf_server {
    struct cf_server_config config;
    struct cf_tls *tls;
    struct cf_tls_secret *tls_secret; /* reads the certificate; NULL: it is read from files */
    struct cf_swap policy;            /* struct cf_policy: the active one; never empty */
    struct cf_swap keys;              /* struct cf_jwks: of bearer tokens */
    struct cf_watched watched[CF_RELOADS];
    int64_t crl_ends; /* next update of the client CRLs, in Unix time; 0: none */
    int64_t warned;   /* last check for certificates that expire soon; 0: check now */
    struct cf_stats *stats;
    struct cf_budget budget;  /* limits.memory */
    struct cf_http *reviews;  /* the webhook's port */
    struct cf_http *metrics;  /* /metrics and /version */
    struct cf_probes *probes; /* /livez and /readyz */
    pthread_key_t arenas;     /* the arena of each thread */
    bool has_arenas;
    int64_t started; /* unix seconds */
    atomic_bool ready;
    atomic_bool complete; /* all ports have started: /metrics may read from all of them */
};

/* An entry in the table of paths of a port. */
struct cf_route {
    const char *path;
    const char *methods; /* in the form of the Allow header */
    bool takes_review;   /* the body is a review in JSON; false: no body is accepted */
    enum cf_phase phase;
    void (*answer)(struct cf_server *server, const struct cf_route *route,
                   struct cf_http_request *request);
};

/* ---- server.c ---- */

/* Closes all connections and ends all threads. */
void cf_server_free(struct cf_server *server);

/* The active policy with a reference for the caller, who drops it with cf_policy_free(). A review
 * uses one policy to its end, also when another one becomes active meanwhile. */
struct cf_policy *cf_server_policy_ref(struct cf_server *server);

/* Makes the policy the active one, and sets limits.memory. Takes over the caller's reference. */
void cf_server_use_policy(struct cf_server *server, struct cf_policy *policy);

/* ---- lifecycle.c: the probe port ---- */

/* Evicted connections of the probe port. */
uint64_t cf_probes_evicted(const struct cf_probes *probes, enum cf_evicted why);

/* ---- routes.c ---- */

/* Replies with a message, as text/plain. */
void cf_reply_text(struct cf_http_request *request, unsigned status, const char *message);

/* Replies 405; `allow` lists the methods of the path, as in "GET, HEAD". */
void cf_reply_method(struct cf_http_request *request, const char *allow);

/* Whether the headers announce a body. */
bool cf_has_body(const struct cf_http_request *request);

/* The callbacks of struct cf_http_config for the two ports; `arg` is the server. */
bool cf_routes_accept_review(void *arg, struct cf_http_request *request, size_t *body_len);
bool cf_routes_accept_metrics(void *arg, struct cf_http_request *request, size_t *body_len);
void cf_routes_answer_review(void *arg, struct cf_http_request *request);
void cf_routes_answer_metrics(void *arg, struct cf_http_request *request);
void cf_routes_exhausted(void *arg, struct cf_http_request *request, bool busy);

/* ---- bearer.c ---- */

/* Checks the bearer token, and whether the path is open to anonymous callers. False: the request
 * was answered with 401 or 403. */
bool cf_caller_check(struct cf_server *server, const struct cf_route *route,
                     struct cf_http_request *request);

/* ---- reviews.c ---- */

/* The arena that the calling thread uses for all its reviews, empty between two of them; freed when
 * the thread ends. NULL when out of memory. */
struct cf_arena *cf_thread_arena(const struct cf_server *server);

void cf_answer_review(struct cf_server *server, const struct cf_route *route,
                      struct cf_http_request *request);

/* ---- metrics.c ---- */

/* Appends all metrics in the Prometheus text format. */
void cf_metrics_write(struct cf_server *server, struct cf_buf *out);

#endif
