/* SPDX-License-Identifier: Apache-2.0 */
/* http.h - one listening port: its connections, threads, requests and answers.
 *
 * http.c is the only file that knows libmicrohttpd. Whoever uses it sees a request twice: at
 * its headers, where it may be refused before a byte of its body is read, and when it is whole. */
#ifndef CF_SERVER_HTTP_H
#define CF_SERVER_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "connection.h"
#include "curfew/err.h"

struct cf_budget;
struct cf_http;
struct cf_tls;

struct cf_http_request {
    const char *method, *path; /* without the query */
    const char *timeout;       /* of the query: how long the client waits; NULL: not told */
    /* Headers; NULL when absent. */
    const char *content_type, *content_encoding, *content_length, *transfer_encoding;
    bool repeated; /* one of them was given twice */
    const char *authorization;
    bool authorized_twice; /* it was given twice */
    unsigned hosts;        /* how many Host headers there are */
    const char *fault;     /* what makes it no request of HTTP (RFC 9112); NULL: nothing */

    const char *body; /* once it is whole; NUL-terminated; NULL for none */
    size_t body_len;
};

struct cf_http_reply {
    unsigned status;
    const char *type;         /* the content type; NULL: text/plain */
    const char *allow;        /* the methods that the path takes, with 405 */
    const char *retry_after;  /* seconds, with 429 */
    const char *authenticate; /* the scheme, with 401 */
    const char *body;         /* copied */
    size_t len;
};

struct cf_http_config {
    const char *listen; /* [HOST]:PORT */
    unsigned threads;
    struct cf_room room;      /* for connections: see connection.h */
    size_t connection_memory; /* bytes of each for its headers, and a piece of its body */
    struct cf_budget *memory; /* of bodies and answers; NULL: there are no bodies */
    struct cf_tls *tls;       /* NULL: plain */

    /* At the headers. True: read a body of exactly *body_len bytes (the default is 0), then ask
     * answer(). False: the request has been replied to, and its connection will be closed. */
    bool (*accept)(void *arg, struct cf_http_request *request, size_t *body_len);
    /* The request is whole. Must reply. */
    void (*answer)(void *arg, struct cf_http_request *request);
    /* The body has come, but could not be kept: all bodies together were too much (busy), or there
     * is no memory. Must reply. */
    void (*exhausted)(void *arg, struct cf_http_request *request, bool busy);
    void *arg;
};

struct cf_http *cf_http_start(const struct cf_http_config *config, struct cf_err *err);

/* Where it listens, as HOST:PORT. */
const char *cf_http_address(const struct cf_http *http);

/* Takes note of a header of the request, whose name and value have these lengths: a NUL may be in
 * them. */
void cf_http_header(struct cf_http_request *request, const char *name, size_t name_len,
                    const char *value, size_t value_len);

/* After the last header: what is missing. `version` is that of the request line, "HTTP/1.1". */
void cf_http_headers_end(struct cf_http_request *request, const char *version);

/* Wipes the Authorization header, which is not needed any more, out of the request's memory. */
void cf_http_forget_token(struct cf_http_request *request);

/* The one way to answer a request: once, from within accept(), answer() or exhausted(). False:
 * there is no room for an answer of this size (one below CF_SMALL_ANSWER always has it), and
 * another may be given. */
bool cf_http_reply(struct cf_http_request *request, const struct cf_http_reply *reply);

/* From now on every answer closes its connection, so that clients go elsewhere. */
void cf_http_drain(struct cf_http *http);

/* Takes no new connections any more; those that knocked already are served. */
void cf_http_close(struct cf_http *http);

/* What it holds at the moment. */
struct cf_http_load {
    unsigned connections;
    size_t bytes; /* of its budget */
};
struct cf_http_load cf_http_load(const struct cf_http *http);

/* Connections that gave way to others, since the start. */
uint64_t cf_http_evicted(const struct cf_http *http, enum cf_evicted why);

/* Connections with a request whose answer has not been sent whole; with `new_ones` also those that
 * are about to send one. */
unsigned cf_http_pending(struct cf_http *http, bool new_ones);

/* Ends all connections and threads. Takes NULL. */
void cf_http_stop(struct cf_http *http);

/* "0.9.75", of the library in use. */
const char *cf_http_version(void);

#endif
