/* SPDX-License-Identifier: Apache-2.0 */
/* http.h - one listening port: its connections, threads, requests and answers.
 *
 * http.c is the only file that includes libmicrohttpd. The user of a port is called twice for each
 * request: after the headers, where it may refuse the request before the body is read, and when the
 * request is complete. */
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
    const char *timeout;       /* of the query: how long the client waits; NULL: unknown */
    /* Headers; NULL when absent. */
    const char *content_type, *content_encoding, *content_length, *transfer_encoding;
    bool repeated; /* one of these four occurs twice */
    const char *authorization;
    bool authorized_twice; /* it occurs twice */
    unsigned hosts;        /* number of Host headers */
    const char *fault;     /* why the request violates RFC 9112; NULL: it does not */

    const char *body; /* NUL-terminated; NULL: none, or not complete yet */
    size_t body_len;
};

struct cf_http_reply {
    unsigned status;
    const char *type;         /* the content type; NULL: text/plain */
    const char *allow;        /* the methods that the path accepts, with 405 */
    const char *retry_after;  /* seconds, with 429 */
    const char *authenticate; /* the scheme, with 401 */
    const char *body;         /* copied */
    size_t len;
};

struct cf_http_config {
    const char *listen; /* [HOST]:PORT */
    unsigned threads;
    struct cf_room room;      /* limits of connections */
    size_t connection_memory; /* bytes for the headers of a connection and a piece of its body */
    struct cf_budget *memory; /* for bodies and answers; NULL: the port accepts no bodies */
    struct cf_tls *tls;       /* NULL: plain HTTP */

    /* Called after the headers. True: a body of exactly *body_len bytes (default 0) is read, then
     * answer() is called. False: accept() has replied, and the connection will be closed. */
    bool (*accept)(void *arg, struct cf_http_request *request, size_t *body_len);
    /* Called when the request is complete. Must reply. */
    void (*answer)(void *arg, struct cf_http_request *request);
    /* Called in place of answer() when the body could not be kept: the budget is used up (busy), or
     * the process is out of memory. Must reply. */
    void (*exhausted)(void *arg, struct cf_http_request *request, bool busy);
    void *arg;
};

/* Starts the port and its threads. NULL: CF_ERR_INPUT for an invalid address, CF_ERR_SYSTEM for
 * other failures. */
struct cf_http *cf_http_start(const struct cf_http_config *config, struct cf_err *err);

/* The address that the port listens on, as HOST:PORT. */
const char *cf_http_address(const struct cf_http *http);

/* The next three functions are in routes.c, which also checks the rest of the headers.
 *
 * Records and checks a header of the request. Name and value may contain NUL bytes; the lengths
 * hold. */
void cf_http_header(struct cf_http_request *request, const char *name, size_t name_len,
                    const char *value, size_t value_len);

/* Checks for missing headers, after the last one. `version` is that of the request line,
 * "HTTP/1.1". */
void cf_http_headers_end(struct cf_http_request *request, const char *version);

/* Wipes the Authorization header from the request's memory. */
void cf_http_forget_token(struct cf_http_request *request);

/* Answers a request: once, from within accept(), answer() or exhausted(). False: the budget has no
 * room for an answer of this size, and another answer may be given; an answer below CF_SMALL_ANSWER
 * always has room. */
bool cf_http_reply(struct cf_http_request *request, const struct cf_http_reply *reply);

/* From now on each connection is closed after its next answer, so that clients connect to another
 * replica. */
void cf_http_drain(struct cf_http *http);

/* Accepts no more connections. Those in the kernel's queue are still served. */
void cf_http_close(struct cf_http *http);

/* The current load. */
struct cf_http_load {
    unsigned connections;
    size_t bytes; /* of its budget */
};
struct cf_http_load cf_http_load(const struct cf_http *http);

/* Connections evicted since the start. */
uint64_t cf_http_evicted(const struct cf_http *http, enum cf_evicted why);

/* Connections with a request whose answer is not completely sent; with `new_ones` also those that
 * are expected to send one. */
unsigned cf_http_pending(struct cf_http *http, bool new_ones);

/* Closes all connections, ends all threads and frees the port. Takes NULL. */
void cf_http_stop(struct cf_http *http);

/* The version of libmicrohttpd at run time, "0.9.75". */
const char *cf_http_version(void);

#endif
