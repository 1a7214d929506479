/* SPDX-License-Identifier: Apache-2.0 */
/* http.c - see http.h. The only file that includes libmicrohttpd.
 *
 * Every thread is a libmicrohttpd daemon of its own with an epoll set and no listening socket;
 * the acceptor gives each new connection to the one that has the fewest (accept.h says why). A
 * request lives inside its connection: HTTP/1.1 has one at a time. */
#include "http.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <microhttpd.h>

#include "accept.h"
#include "body.h"
#include "conns.h"
#include "curfew/attr.h"
#include "curfew/log.h"
#include "limits.h"
#include "listen.h"
#include "tls.h"

struct worker {
    struct cf_http *http;
    struct MHD_Daemon *daemon;
    atomic_uint connections; /* given to it and not closed yet */
};

struct cf_http {
    struct cf_http_config config;
    struct cf_acceptor *acceptor;
    struct worker *workers;
    unsigned worker_count;
    atomic_bool draining;
    struct cf_conns conns;
    struct cf_inflight inflight;
    char address[CF_ADDRESS_MAX];
};

struct connection {
    struct cf_http_request request; /* first: cf_http_reply() finds its way back */
    struct cf_conn conn;
    struct worker *worker;
    struct MHD_Connection *mhd;
    struct cf_tls_peer *peer; /* NULL on a plain port */
    bool busy;                /* with a request */
    bool replied;             /* to it */
    struct cf_body body;
};

const char *cf_http_version(void)
{
    return MHD_get_version();
}

/* ---- replies ---- */

static struct MHD_Response *response_of(const char *body, size_t len)
{
    struct MHD_Response *response;
    void *copy = NULL;

    if (len > 0) {
        copy = malloc(len);
        if (copy == NULL)
            return NULL;
        memcpy(copy, body, len);
    }
    response = MHD_create_response_from_buffer_with_free_callback_cls(len, copy, free, copy);
    if (response == NULL)
        free(copy);
    return response;
}

static bool add_header(struct MHD_Response *response, const char *name, const char *value)
{
    return value == NULL || MHD_add_response_header(response, name, value) == MHD_YES;
}

void cf_http_reply(struct cf_http_request *request, const struct cf_http_reply *reply)
{
    struct connection *c = (struct connection *)request;
    bool draining = atomic_load_explicit(&c->worker->http->draining, memory_order_relaxed);
    struct MHD_Response *response = response_of(reply->body, reply->len);

    if (response == NULL)
        return;
    if (add_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                   reply->type != NULL ? reply->type : "text/plain; charset=utf-8") &&
        add_header(response, MHD_HTTP_HEADER_ALLOW, reply->allow) &&
        add_header(response, MHD_HTTP_HEADER_RETRY_AFTER, reply->retry_after) &&
        add_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, reply->authenticate) &&
        add_header(response, MHD_HTTP_HEADER_CONNECTION, draining ? "close" : NULL))
        c->replied = MHD_queue_response(c->mhd, reply->status, response) == MHD_YES;
    MHD_destroy_response(response);
}

/* ---- requests ---- */

/* NULL: there was no memory at its start. */
static struct connection *connection_of(struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info != NULL ? info->socket_context : NULL;
}

static enum MHD_Result on_header(void *arg, enum MHD_ValueKind kind, const char *name,
                                 const char *value)
{
    struct cf_http_request *r = arg;
    const struct {
        const char *name;
        const char **value;
    } wanted[] = {
        {MHD_HTTP_HEADER_CONTENT_TYPE, &r->content_type},
        {MHD_HTTP_HEADER_CONTENT_LENGTH, &r->content_length},
        {MHD_HTTP_HEADER_CONTENT_ENCODING, &r->content_encoding},
        {MHD_HTTP_HEADER_TRANSFER_ENCODING, &r->transfer_encoding},
    };

    (void)kind;
    if (strcasecmp(name, MHD_HTTP_HEADER_AUTHORIZATION) == 0) {
        r->authorized_twice = r->authorization != NULL;
        r->authorization = value != NULL ? value : "";
    }
    for (size_t i = 0; i < CF_COUNT(wanted); i++) {
        if (strcasecmp(name, wanted[i].name) != 0)
            continue;
        r->repeated = r->repeated || *wanted[i].value != NULL;
        *wanted[i].value = value != NULL ? value : "";
    }
    return MHD_YES;
}

/* The value stands in the connection's own memory, which is writable; libmicrohttpd's const keeps
 * its users from writing to what it may read again. It reads no header after this. */
void cf_http_forget_token(struct cf_http_request *request)
{
    if (request->authorization != NULL)
        explicit_bzero((char *)(uintptr_t)request->authorization, strlen(request->authorization));
    request->authorization = NULL;
}

/* The request line has come: what is missing of the headers has a short time. */
static void *on_request_line(void *arg, const char *uri, struct MHD_Connection *mhd)
{
    struct connection *c = connection_of(mhd);

    (void)arg, (void)uri;
    if (c != NULL)
        cf_conn_enter(&c->conn, CF_STAGE_HEADERS);
    return NULL;
}

static enum MHD_Result begin(struct connection *c, const char *path, const char *method)
{
    struct cf_http *http = c->worker->http;
    size_t expected = 0;
    bool taken;

    c->request = (struct cf_http_request){
        .method = method,
        .path = path,
        .timeout = MHD_lookup_connection_value(c->mhd, MHD_GET_ARGUMENT_KIND, "timeout"),
    };
    c->busy = true;
    c->replied = false;
    cf_conn_enter(&c->conn, CF_STAGE_BODY);
    MHD_get_connection_values(c->mhd, MHD_HEADER_KIND, on_header, &c->request);
    taken = http->config.accept(http->config.arg, &c->request, &expected);
    cf_body_begin(&c->body, &http->inflight, expected);
    if (taken)
        return MHD_YES;
    cf_conn_enter(&c->conn, CF_STAGE_ANSWER);
    return c->replied ? MHD_YES : MHD_NO;
}

static enum MHD_Result finish(struct connection *c)
{
    const struct cf_http_config *config = &c->worker->http->config;

    c->request.body = c->body.data;
    c->request.body_len = c->body.len;
    if (c->body.state == CF_BODY_GOOD)
        config->answer(config->arg, &c->request);
    else
        config->exhausted(config->arg, &c->request, c->body.state == CF_BODY_BUSY);
    c->request.body = NULL;
    cf_body_drop(&c->body);
    cf_conn_enter(&c->conn, CF_STAGE_ANSWER);
    return c->replied ? MHD_YES : MHD_NO;
}

/* libmicrohttpd takes no answer while a body is coming in: what is not kept is answered for at
 * its end.
 *
 * It asks three times: at the headers, with each piece of the body, at the end. */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *mhd, const char *path,
                                  const char *method, const char *version, const char *data,
                                  size_t *len, void **state)
{
    struct connection *c = connection_of(mhd);

    (void)arg, (void)version;
    if (c == NULL || (c->peer != NULL && !cf_tls_trusted(c->peer)))
        return MHD_NO; /* no memory at its start */
    if (*state == NULL) {
        *state = c;
        return begin(c, path, method);
    }
    if (*len == 0)
        return finish(c);
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
    cf_conn_enter(&c->conn, CF_STAGE_IDLE);
}

/* ---- connections ---- */

static void on_established(void *arg)
{
    struct connection *c = arg;

    cf_conn_enter(&c->conn, CF_STAGE_FRESH);
}

static void *open_connection(struct worker *worker, struct MHD_Connection *mhd)
{
    struct cf_http *http = worker->http;
    bool tls = http->config.tls != NULL;
    struct connection *c = calloc(1, sizeof(*c));

    if (c == NULL)
        return NULL;
    c->worker = worker;
    c->mhd = mhd;
    if (tls)
        c->peer = cf_tls_attach(
            http->config.tls,
            MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION)->tls_session,
            on_established, c);
    if (tls && c->peer == NULL) {
        free(c);
        return NULL;
    }
    cf_conns_add(&http->conns, &c->conn,
                 MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd,
                 tls ? CF_STAGE_HANDSHAKE : CF_STAGE_FRESH);
    return c;
}

/* CLOSED comes when the TLS session is gone already, but the descriptor is not. */
static void on_connection(void *arg, struct MHD_Connection *mhd, void **context,
                          enum MHD_ConnectionNotificationCode what)
{
    struct worker *worker = arg;
    struct connection *c = *context;

    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        *context = open_connection(worker, mhd);
        return;
    }
    atomic_fetch_sub_explicit(&worker->connections, 1, memory_order_relaxed);
    if (c == NULL)
        return;
    cf_conns_remove(&worker->http->conns, &c->conn);
    cf_body_drop(&c->body);
    cf_tls_detach(c->peer);
    free(c);
}

static unsigned load_of(const struct worker *worker)
{
    return atomic_load_explicit(&worker->connections, memory_order_relaxed);
}

struct cf_http_load cf_http_load(const struct cf_http *http)
{
    struct cf_http_load load = {.bytes = atomic_load(&http->inflight.bytes)};

    for (unsigned i = 0; i < http->worker_count; i++)
        load.connections += load_of(&http->workers[i]);
    return load;
}

static bool has_room(void *arg)
{
    const struct cf_http *http = arg;

    return cf_http_load(http).connections < http->config.connections;
}

static void tick(void *arg)
{
    cf_http_sweep(arg);
}

static void make_room(void *arg)
{
    struct cf_http *http = arg;

    cf_conns_evict(&http->conns, CF_EVICT_MAX);
}

static void take(void *arg, int fd, const struct sockaddr *from, socklen_t from_len)
{
    struct cf_http *http = arg;
    struct worker *least = &http->workers[0];

    for (unsigned i = 1; i < http->worker_count; i++) {
        if (load_of(&http->workers[i]) < load_of(least))
            least = &http->workers[i];
    }
    atomic_fetch_add_explicit(&least->connections, 1, memory_order_relaxed);
    if (MHD_add_connection(least->daemon, fd, from, from_len) != MHD_YES)
        atomic_fetch_sub_explicit(&least->connections, 1, memory_order_relaxed);
}

/* ---- starting and stopping ---- */

static void on_log(void *arg, const char *fmt, va_list args) CF_PRINTF(2, 0);

/* The library's own words: about single connections, so of interest only when looking closely. */
static void on_log(void *arg, const char *fmt, va_list args)
{
    char text[256];

    (void)arg;
    vsnprintf(text, sizeof(text), fmt, args);
    text[strcspn(text, "\n")] = '\0';
    cf_log(CF_LOG_DEBUG, "libmicrohttpd", CF_LOG_S("text", text));
}

/* The limit of connections is ours, in has_room(): at its own, 0.9.75 leaves a lock held. */
static struct MHD_Daemon *start_daemon(struct worker *worker)
{
    const struct cf_http_config *config = &worker->http->config;
    bool tls = config->tls != NULL;
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ITC;

    flags |= tls ? MHD_USE_TLS : 0;
    flags |= cf_log_enabled(CF_LOG_DEBUG) ? MHD_USE_ERROR_LOG : 0;
    /* clang-format off */
    return MHD_start_daemon(flags, 0, NULL, NULL, on_request, worker,
        MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, worker,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, worker,
        MHD_OPTION_URI_LOG_CALLBACK, on_request_line, worker,
        MHD_OPTION_CONNECTION_LIMIT, 2 * config->connections,
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
        worker->daemon = start_daemon(worker);
        if (worker->daemon == NULL)
            return cf_err_system(err,
                                 "starting to serve at %s: libmicrohttpd can't "
                                 "(--log-level debug says why)",
                                 http->address);
        http->worker_count++;
    }
    return 0;
}

static int start(struct cf_http *http, struct cf_err *err)
{
    struct cf_accept_hooks hooks = {
        .has_room = has_room, .make_room = make_room, .take = take, .tick = tick, .arg = http};
    int fd = cf_listen(http->config.listen, err);

    if (fd < 0)
        return -1;
    cf_listen_name(fd, http->address);
    if (start_workers(http, err) == 0)
        http->acceptor = cf_acceptor_start(fd, &hooks, err);
    if (http->acceptor != NULL)
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
    cf_conns_init(&http->conns);
    cf_http_limit_bodies(http, config->bodies);
    if (start(http, err) == 0)
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
    cf_acceptor_stop(http->acceptor);
    http->acceptor = NULL;
}

void cf_http_limit_bodies(struct cf_http *http, size_t bytes)
{
    atomic_store(&http->inflight.max, bytes);
}

void cf_http_sweep(struct cf_http *http)
{
    unsigned ended = cf_conns_sweep(&http->conns);

    if (ended > 0)
        cf_log(CF_LOG_DEBUG, "connections were too slow", CF_LOG_N("ended", (int64_t)ended));
}

unsigned cf_http_pending(struct cf_http *http, bool new_ones)
{
    return cf_conns_pending(&http->conns, new_ones);
}

void cf_http_stop(struct cf_http *http)
{
    if (http == NULL)
        return;
    cf_http_close(http);
    for (unsigned i = 0; i < http->worker_count; i++)
        MHD_stop_daemon(http->workers[i].daemon);
    cf_conns_destroy(&http->conns);
    free(http->workers);
    free(http);
}
