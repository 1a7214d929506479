/* SPDX-License-Identifier: Apache-2.0 */
/* listener.h - sockets that accept connections, and the thread that accepts them, waits for
 * the first bytes of each, and hands them on in bounded number. */
#ifndef CURFEW_SERVER_LISTENER_H
#define CURFEW_SERVER_LISTENER_H

#include <stdbool.h>
#include <stddef.h>

#include "curfew/err.h"

/* ---- sockets that accept connections, from addresses as flags write them ---- */

/* Longest is "[" an IPv6 address with a zone "]:65535". */
#define CF_ADDRESS_MAX 96

/* Opens a listening, non-blocking socket at `[HOST]:PORT`: ":8443", "127.0.0.1:8443", "[::1]:0".
 * Without a host all addresses of both families; port 0 takes a free one. Returns it, or -1:
 * CF_ERR_INPUT when that is no address, CF_ERR_SYSTEM when it can't be had. */
int cf_listen(const char *address, struct cf_err *err);

/* Where a socket really listens, as HOST:PORT. */
void cf_listen_name(int fd, char out[CF_ADDRESS_MAX]);

/* ---- whether the first words of a connection are whole, so that serving it can begin ---- */

/* How many bytes of the beginning are needed to tell. */
#define CF_WORDS_MAX 2048

/* `waiting` bytes have come, and the first `len` of them are in `data`. What is no beginning of TLS
 * is whole too: whoever speaks TLS will refuse it. */
bool cf_words_are_hello(const unsigned char *data, size_t len, size_t waiting);

/* The same of a request's headers. Longer ones than CF_WORDS_MAX are not waited for. */
bool cf_words_are_headers(const char *data, size_t len);

/* ---- listener ---- */

struct cf_acceptor;
struct cf_conn;
struct cf_conns;

/* All are called in the acceptor's thread. */
struct cf_accept_hooks {
    /* A connection, with nothing in it yet; NULL when out of memory. */
    struct cf_conn *(*make)(void *arg);
    /* Frees one that was not taken; its descriptor is closed already. */
    void (*drop)(void *arg, struct cf_conn *conn);
    /* Whether another one may be taken now. When this becomes true again, somebody calls
     * cf_acceptor_wake(). */
    bool (*can_take)(void *arg);
    /* Takes over one that was admitted, and its descriptor. */
    void (*take)(void *arg, struct cf_conn *conn);
    void *arg;
};

/* Takes over the listening descriptor. With `tls` the first words are a ClientHello, else the
 * headers of a request. *out is set before the first connection is taken; NULL on failure. */
int cf_acceptor_start(struct cf_acceptor **out, int fd, struct cf_conns *conns, bool tls,
                      const struct cf_accept_hooks *hooks, struct cf_err *err);

/* Somebody who is ready may have room now. From any thread. */
void cf_acceptor_wake(struct cf_acceptor *acceptor);

/* Accepts what is waiting already, then closes the listening socket. The lobby is served on. */
void cf_acceptor_close(struct cf_acceptor *acceptor);

/* Ends the thread, and the connections in the lobby. cf_acceptor_wake() may still be called. */
void cf_acceptor_stop(struct cf_acceptor *acceptor);
void cf_acceptor_free(struct cf_acceptor *acceptor); /* takes NULL */

#endif
