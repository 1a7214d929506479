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
    atomic_uint in_flight;
    char address[CF_ADDRESS_MAX];
};

struct connection {
    struct cf_http_request request; /* first: cf_http_reply() finds its way back */
    struct worker *worker;
    struct MHD_Connection *mhd;
    struct cf_tls_peer *peer;
    bool busy;    /* with a request */
    bool replied; /* to it */
    bool exhausted;
    char *body;
    size_t body_len, body_cap, body_expected;
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
        add_header(response, MHD_HTTP_HEADER_CONNECTION, draining ? "close" : NULL))
        c->replied = MHD_queue_response(c->mhd, reply->status, response) == MHD_YES;
    MHD_destroy_response(response);
}

/* ---- requests ---- */

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
    for (size_t i = 0; i < CF_COUNT(wanted); i++) {
        if (strcasecmp(name, wanted[i].name) != 0)
            continue;
        r->repeated = r->repeated || *wanted[i].value != NULL;
        *wanted[i].value = value != NULL ? value : "";
    }
    return MHD_YES;
}

static enum MHD_Result begin(struct connection *c, const char *path, const char *method)
{
    struct cf_http *http = c->worker->http;

    c->request = (struct cf_http_request){.method = method, .path = path};
    c->busy = true;
    c->replied = c->exhausted = false;
    c->body_expected = 0;
    atomic_fetch_add(&http->in_flight, 1);
    MHD_get_connection_values(c->mhd, MHD_HEADER_KIND, on_header, &c->request);
    if (http->config.accept(http->config.arg, &c->request, &c->body_expected))
        return MHD_YES;
    return c->replied ? MHD_YES : MHD_NO;
}

static void drop_body(struct connection *c)
{
    if (c->body != NULL)
        explicit_bzero(c->body, c->body_len);
    free(c->body);
    c->body = NULL;
    c->body_len = c->body_cap = 0;
}

/* Not realloc(): what it leaves behind could be a Secret. */
static bool grow_body(struct connection *c, size_t need)
{
    size_t cap = c->body_cap == 0 ? CF_BODY_FIRST : c->body_cap * 2;
    size_t len = c->body_len;
    char *larger;

    cap = cap < need ? need : cap;
    cap = cap > c->body_expected ? c->body_expected : cap;
    larger = malloc(cap + 1);
    if (larger == NULL)
        return false;
    if (len > 0)
        memcpy(larger, c->body, len);
    drop_body(c);
    c->body = larger;
    c->body_len = len;
    c->body_cap = cap;
    return true;
}

/* libmicrohttpd takes no answer while a body is coming in, so what can't be kept is let go by
 * and answered for at the end. */
static void receive(struct connection *c, const char *data, size_t len)
{
    size_t need = c->body_len + len;

    if (c->exhausted)
        return;
    if (len > c->body_expected - c->body_len || (need > c->body_cap && !grow_body(c, need))) {
        c->exhausted = true;
        drop_body(c);
        return;
    }
    memcpy(c->body + c->body_len, data, len);
    c->body_len = need;
    c->body[need] = '\0';
}

static enum MHD_Result finish(struct connection *c)
{
    const struct cf_http_config *config = &c->worker->http->config;

    c->request.body = c->body;
    c->request.body_len = c->body_len;
    if (c->exhausted)
        config->exhausted(config->arg, &c->request);
    else
        config->answer(config->arg, &c->request);
    c->request.body = NULL;
    drop_body(c);
    return c->replied ? MHD_YES : MHD_NO;
}

/* libmicrohttpd asks three times: at the headers, with each piece of the body, at the end. */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *mhd, const char *path,
                                  const char *method, const char *version, const char *data,
                                  size_t *len, void **state)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct connection *c = info != NULL ? info->socket_context : NULL;

    (void)arg, (void)version;
    if (c == NULL)
        return MHD_NO; /* no memory at its start */
    if (*state == NULL) {
        *state = c;
        return begin(c, path, method);
    }
    if (*len == 0)
        return finish(c);
    receive(c, data, *len);
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
    drop_body(c);
    c->busy = false;
    atomic_fetch_sub(&c->worker->http->in_flight, 1);
}

/* ---- connections ---- */

static void *open_connection(struct worker *worker, struct MHD_Connection *mhd)
{
    struct connection *c = calloc(1, sizeof(*c));
    const union MHD_ConnectionInfo *info;

    if (c == NULL)
        return NULL;
    c->worker = worker;
    c->mhd = mhd;
    if (worker->http->config.tls == NULL)
        return c;
    info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    c->peer = cf_tls_attach(worker->http->config.tls, info->tls_session);
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
    cf_tls_detach(c->peer);
    free(c);
}

static unsigned load_of(const struct worker *worker)
{
    return atomic_load_explicit(&worker->connections, memory_order_relaxed);
}

static bool has_room(void *arg)
{
    const struct cf_http *http = arg;
    unsigned total = 0;

    for (unsigned i = 0; i < http->worker_count; i++)
        total += load_of(&http->workers[i]);
    return total < http->config.connections;
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
    struct cf_accept_hooks hooks = {.has_room = has_room, .take = take, .arg = http};
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

unsigned cf_http_in_flight(const struct cf_http *http)
{
    return atomic_load(&http->in_flight);
}

void cf_http_stop(struct cf_http *http)
{
    if (http == NULL)
        return;
    cf_http_close(http);
    for (unsigned i = 0; i < http->worker_count; i++)
        MHD_stop_daemon(http->workers[i].daemon);
    free(http->workers);
    free(http);
}
