/* SPDX-License-Identifier: Apache-2.0 */
/* http.c - one listening port; see http.h. The only file that includes libmicrohttpd.
 *
 * Every thread is a separate libmicrohttpd daemon with an epoll set and no listening socket. The
 * acceptor (listener.c) gives each admitted connection to the thread that has the fewest. A request
 * is part of its connection: HTTP/1.1 has one at a time. */
#include "http.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <microhttpd.h>

#include "listener.h"
#include "body.h"
#include "connection.h"
#include "curfew/attr.h"
#include "curfew/time.h"
#include "curfew/log.h"
#include "curfew/str.h"
#include "limits.h"
#include "tls.h"

struct worker {
    struct cf_http *http;
    struct MHD_Daemon *daemon;
    atomic_uint connections; /* open connections of this thread */
    struct cf_slots slots;
};

struct cf_http {
    struct cf_http_config config;
    struct cf_acceptor *acceptor;
    struct worker *workers;
    unsigned worker_count;
    atomic_bool draining;
    struct cf_conns conns;
    char address[CF_ADDRESS_MAX];
};

struct connection {
    struct cf_http_request request; /* first member: cf_http_reply() casts it to the connection */
    struct cf_conn conn;
    struct worker *worker;
    struct MHD_Connection *mhd;
    struct cf_tls_peer *peer;   /* NULL on a plain port */
    struct cf_thread_slot slot; /* of its worker */
    bool busy;                  /* a request is in progress */
    bool nul;     /* the target contains an encoded NUL, at which libmicrohttpd ends the string */
    bool replied; /* the request has a reply */
    bool good;    /* its status is 2xx */
    struct cf_body body;
};

const char *cf_http_version(void)
{
    return MHD_get_version();
}

/* ---- replies ---- */

/* Takes over the copy. */
static struct MHD_Response *new_response(struct cf_reply_copy *copy, size_t len)
{
    struct MHD_Response *response = MHD_create_response_from_buffer_with_free_callback_cls(
        len, copy->bytes, cf_reply_copy_free, copy);

    if (response == NULL)
        cf_reply_copy_free(copy);
    return response;
}

static bool add_header(struct MHD_Response *response, const char *name, const char *value)
{
    return value == NULL || MHD_add_response_header(response, name, value) == MHD_YES;
}

bool cf_http_reply(struct cf_http_request *request, const struct cf_http_reply *reply)
{
    struct connection *c = (struct connection *)request;
    struct cf_budget *budget = c->worker->http->config.memory;
    bool draining = atomic_load_explicit(&c->worker->http->draining, memory_order_relaxed);
    bool refused = false;
    struct cf_reply_copy *copy = cf_reply_copy_new(budget, reply->body, reply->len, &refused);
    struct MHD_Response *response = copy != NULL ? new_response(copy, reply->len) : NULL;

    if (refused)
        return false;
    if (response == NULL)
        return true; /* no reply: the connection is closed */
    if (add_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                   reply->type != NULL ? reply->type : "text/plain; charset=utf-8") &&
        add_header(response, MHD_HTTP_HEADER_ALLOW, reply->allow) &&
        add_header(response, MHD_HTTP_HEADER_RETRY_AFTER, reply->retry_after) &&
        add_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, reply->authenticate) &&
        add_header(response, MHD_HTTP_HEADER_CONNECTION, draining ? "close" : NULL))
        c->replied = MHD_queue_response(c->mhd, reply->status, response) == MHD_YES;
    c->good = c->replied && reply->status / 100 == 2;
    MHD_destroy_response(response);
    return true;
}

/* ---- requests ---- */

static void set_stage(struct connection *c, enum cf_stage stage)
{
    cf_conns_enter(&c->worker->http->conns, &c->conn, stage);
}

/* The first step of the connection is done: its worker may start another one. */
static void leave_slot(struct connection *c)
{
    struct cf_http *http = c->worker->http;

    if (cf_slot_leave(&c->slot) && cf_conns_has_ready(&http->conns))
        cf_acceptor_wake(http->acceptor);
}

/* NULL: the process was out of memory when the connection was opened. */
static struct connection *connection_of(struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info != NULL ? info->socket_context : NULL;
}

static enum MHD_Result on_header(void *arg, enum MHD_ValueKind kind, const char *name,
                                 size_t name_len, const char *value, size_t value_len)
{
    (void)kind;
    cf_http_header(arg, name, name_len, value != NULL ? value : "", value != NULL ? value_len : 0);
    return MHD_YES;
}

/* Called after the request line. From here the headers have a short deadline. */
static void *on_request_line(void *arg, const char *uri, struct MHD_Connection *mhd)
{
    struct connection *c = connection_of(mhd);

    (void)arg;
    if (c == NULL)
        return NULL;
    c->nul = strstr(uri, "%00") != NULL;
    set_stage(c, CF_STAGE_HEADERS);
    return NULL;
}

static enum MHD_Result on_request_headers(struct connection *c, const char *path,
                                          const char *method, const char *version)
{
    struct cf_http *http = c->worker->http;
    size_t expected = 0;
    bool taken;

    c->request = (struct cf_http_request){
        .method = method,
        .path = path,
        .fault = c->nul ? "the request target contains a NUL" : NULL,
        .timeout = MHD_lookup_connection_value(c->mhd, MHD_GET_ARGUMENT_KIND, "timeout"),
    };
    c->busy = true;
    c->replied = c->good = false;
    leave_slot(c);
    set_stage(c, CF_STAGE_BODY);
    MHD_get_connection_values_n(c->mhd, MHD_HEADER_KIND, on_header, &c->request);
    cf_http_headers_end(&c->request, version);
    taken = http->config.accept(http->config.arg, &c->request, &expected);
    cf_body_begin(&c->body, http->config.memory, expected);
    if (taken)
        return MHD_YES;
    set_stage(c, CF_STAGE_ANSWER);
    return c->replied ? MHD_YES : MHD_NO;
}

static enum MHD_Result on_request_end(struct connection *c)
{
    const struct cf_http_config *config = &c->worker->http->config;

    set_stage(c, CF_STAGE_WORK);
    c->request.body = c->body.data;
    c->request.body_len = c->body.len;
    if (c->body.state == CF_BODY_GOOD)
        config->answer(config->arg, &c->request);
    else
        config->exhausted(config->arg, &c->request, c->body.state == CF_BODY_BUSY);
    c->request.body = NULL;
    cf_body_drop(&c->body);
    /* Not only in on_completed(): the client may have received the answer and sent the next request
     * before libmicrohttpd calls that. */
    if (c->good)
        cf_conns_verdict(&c->worker->http->conns, &c->conn);
    set_stage(c, CF_STAGE_ANSWER);
    return c->replied ? MHD_YES : MHD_NO;
}

/* libmicrohttpd calls this after the headers, for each piece of the body, and at the end. It
 * accepts no reply between the headers and the end: an abandoned body is answered at its end. */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *mhd, const char *path,
                                  const char *method, const char *version, const char *data,
                                  size_t *len, void **state)
{
    struct connection *c = connection_of(mhd);

    (void)arg;
    if (c == NULL || (c->worker->http->config.tls != NULL && !cf_tls_trusted(c->peer)))
        return MHD_NO; /* out of memory when it was opened, or an untrusted client */
    if (*state == NULL) {
        *state = c;
        return on_request_headers(c, path, method, version);
    }
    if (*len == 0)
        return on_request_end(c);
    cf_body_add(&c->body, data, *len);
    *len = 0;
    return MHD_YES;
}

static void on_completed(void *arg, struct MHD_Connection *mhd, void **state,
                         enum MHD_RequestTerminationCode why)
{
    struct connection *c = *state;

    (void)arg, (void)mhd, (void)why;
    if (c == NULL || !c->busy)
        return;
    cf_body_drop(&c->body);
    c->busy = false;
    set_stage(c, CF_STAGE_IDLE);
}

/* ---- connections ---- */

static void on_flight(void *arg)
{
    leave_slot(arg);
}

static void on_established(void *arg)
{
    set_stage(arg, CF_STAGE_FRESH);
}

/* NULL when out of memory: requests on the connection get no answer. */
static struct connection *open_connection(struct cf_http *http, struct MHD_Connection *mhd)
{
    int fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    struct cf_conn *conn = cf_conns_start(&http->conns, fd);
    struct connection *c = conn != NULL ? conn->owner : NULL;

    if (c == NULL)
        return NULL;
    c->mhd = mhd;
    if (http->config.tls != NULL)
        c->peer = cf_tls_attach(
            http->config.tls,
            MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION)->tls_session,
            on_flight, on_established, c);
    return c;
}

static void drop_conn(void *arg, struct cf_conn *conn)
{
    struct connection *c = conn->owner;

    (void)arg;
    if (c->worker != NULL)
        atomic_fetch_sub_explicit(&c->worker->connections, 1, memory_order_relaxed);
    free(c);
}

/* CLOSED is reported after the TLS session has been freed and before the descriptor is closed. */
static void on_connection(void *arg, struct MHD_Connection *mhd, void **context,
                          enum MHD_ConnectionNotificationCode what)
{
    struct worker *worker = arg;
    struct connection *c = *context;

    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        *context = open_connection(worker->http, mhd);
        return;
    }
    if (c == NULL)
        return;
    cf_conns_remove(&worker->http->conns, &c->conn);
    leave_slot(c);
    cf_body_drop(&c->body);
    cf_tls_detach(c->peer);
    drop_conn(NULL, &c->conn);
}

static unsigned load_of(const struct worker *worker)
{
    return atomic_load_explicit(&worker->connections, memory_order_relaxed);
}

struct cf_http_load cf_http_load(const struct cf_http *http)
{
    struct cf_budget *memory = http->config.memory;
    struct cf_http_load load = {.bytes = memory != NULL ? atomic_load(&memory->used) : 0};

    for (unsigned i = 0; i < http->worker_count; i++)
        load.connections += load_of(&http->workers[i]);
    return load;
}

uint64_t cf_http_evicted(const struct cf_http *http, enum cf_evicted why)
{
    return cf_conns_evicted(&http->conns, why);
}

/* ---- hooks of the acceptor ---- */

static struct cf_conn *make_conn(void *arg)
{
    struct connection *c = calloc(1, sizeof(*c));

    (void)arg;
    if (c == NULL)
        return NULL;
    c->conn.owner = c;
    return &c->conn;
}

/* The worker with the fewest connections among those with a free slot; NULL: none has one. */
static struct worker *least_loaded(struct cf_http *http, int64_t now)
{
    struct worker *least = NULL;

    for (unsigned i = 0; i < http->worker_count; i++) {
        struct worker *w = &http->workers[i];

        if (cf_slots_free(&w->slots, now) && (least == NULL || load_of(w) < load_of(least)))
            least = w;
    }
    return least;
}

static bool can_take(void *arg)
{
    return least_loaded(arg, cf_monotonic_micros()) != NULL;
}

/* Only the acceptor takes slots, so those that can_take() found are still free. */
static void give_to_worker(void *arg, struct cf_conn *conn)
{
    struct cf_http *http = arg;
    struct connection *c = conn->owner;
    int64_t now = cf_monotonic_micros();
    struct worker *worker = least_loaded(http, now);

    c->worker = worker;
    c->slot = cf_slots_take(&worker->slots, now);
    atomic_fetch_add_explicit(&worker->connections, 1, memory_order_relaxed);
    /* From here the connection belongs to the worker, which may have freed it already. If this
     * fails, the descriptor is closed, and cf_conns_stale() finds the entry when the kernel assigns
     * the descriptor again. */
    (void)MHD_add_connection(worker->daemon, conn->fd, (const struct sockaddr *)&conn->from,
                             conn->from_len);
}

/* ---- starting and stopping ---- */

static void on_library_log(void *arg, const char *fmt, va_list args) CF_PRINTF(2, 0);

/* Messages of libmicrohttpd: they are about single connections, so they are logged at debug only.
 */
static void on_library_log(void *arg, const char *fmt, va_list args)
{
    char text[256];

    (void)arg;
    cf_str_vshow(text, sizeof(text), fmt, args);
    text[strcspn(text, "\n")] = '\0';
    cf_log(CF_LOG_DEBUG, "libmicrohttpd", CF_LOG_S("text", text));
}

/* connection.c limits connections; libmicrohttpd's limit is never reached, since 0.9.75 does not
 * release a lock when it is. */
static struct MHD_Daemon *start_daemon(struct worker *worker)
{
    const struct cf_http_config *config = &worker->http->config;
    bool tls = config->tls != NULL;
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ITC;

    flags |= tls ? MHD_USE_TLS : 0;
    flags |= cf_log_enabled(CF_LOG_DEBUG) ? MHD_USE_ERROR_LOG : 0;
    /* clang-format off */
    return MHD_start_daemon(flags, 0, NULL, NULL, on_request, worker,
        MHD_OPTION_EXTERNAL_LOGGER, on_library_log, NULL,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, worker,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, worker,
        MHD_OPTION_URI_LOG_CALLBACK, on_request_line, worker,
        MHD_OPTION_CONNECTION_LIMIT, 2 * (config->room.all + CF_ENDING_MAX),
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, config->connection_memory,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)CF_IDLE_SECONDS,
        tls ? MHD_OPTION_HTTPS_CERT_CALLBACK : MHD_OPTION_END, cf_tls_certificate_hook(),
        MHD_OPTION_HTTPS_PRIORITIES, cf_tls_priorities(),
        MHD_OPTION_END);
    /* clang-format on */
}

static int start_workers(struct cf_http *http, struct cf_err *err)
{
    http->workers = calloc(http->config.threads, sizeof(*http->workers));
    if (http->workers == NULL)
        return cf_err_memory(err);
    for (unsigned i = 0; i < http->config.threads; i++) {
        struct worker *worker = &http->workers[i];

        worker->http = http;
        worker->slots.count = http->config.tls != NULL ? CF_SLOTS_TLS : CF_SLOTS_PLAIN;
        worker->daemon = start_daemon(worker);
        if (worker->daemon == NULL)
            return cf_err_system(err,
                                 "cannot serve on %s: libmicrohttpd does not start "
                                 "(--log-level debug shows the reason)",
                                 http->address);
        http->worker_count++;
    }
    return 0;
}

static int start_port(struct cf_http *http, struct cf_err *err)
{
    struct cf_accept_hooks hooks = {.make = make_conn,
                                    .drop = drop_conn,
                                    .can_take = can_take,
                                    .take = give_to_worker,
                                    .arg = http};
    int fd;

    if (cf_conns_init(&http->conns, &http->config.room, err) != 0)
        return -1;
    fd = cf_listen(http->config.listen, err);
    if (fd < 0)
        return -1;
    cf_listen_name(fd, http->address);
    if (start_workers(http, err) == 0 &&
        cf_acceptor_start(&http->acceptor, fd, &http->conns, http->config.tls != NULL, &hooks,
                          err) == 0)
        return 0;
    close(fd);
    return -1;
}

struct cf_http *cf_http_start(const struct cf_http_config *config, struct cf_err *err)
{
    struct cf_http *http = calloc(1, sizeof(*http));

    if (http == NULL) {
        cf_err_memory(err);
        return NULL;
    }
    http->config = *config;
    if (start_port(http, err) == 0)
        return http;
    cf_http_stop(http);
    return NULL;
}

const char *cf_http_address(const struct cf_http *http)
{
    return http->address;
}

void cf_http_drain(struct cf_http *http)
{
    atomic_store(&http->draining, true);
}

void cf_http_close(struct cf_http *http)
{
    cf_acceptor_close(http->acceptor);
}

unsigned cf_http_pending(struct cf_http *http, bool new_ones)
{
    return cf_conns_pending(&http->conns, new_ones);
}

/* Frees the acceptor after the threads have ended: each may still wake it. */
void cf_http_stop(struct cf_http *http)
{
    struct cf_conn *left;

    if (http == NULL)
        return;
    if (http->acceptor != NULL)
        cf_acceptor_stop(http->acceptor);
    for (unsigned i = 0; i < http->worker_count; i++)
        MHD_stop_daemon(http->workers[i].daemon);
    cf_acceptor_free(http->acceptor);
    while (http->conns.peers != NULL && (left = cf_conns_any(&http->conns)) != NULL)
        drop_conn(http, left);
    cf_conns_destroy(&http->conns);
    free(http->workers);
    free(http);
}
