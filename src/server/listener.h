/* SPDX-License-Identifier: Apache-2.0 */
/* listener.h - listening sockets, and the acceptor: the thread that accepts connections, waits for
 * their first bytes, and admits a bounded number of them. */
#ifndef CURFEW_SERVER_LISTENER_H
#define CURFEW_SERVER_LISTENER_H

#include <stdbool.h>
#include <stddef.h>

#include "curfew/err.h"

/* ---- listening sockets ---- */

/* The longest address is "[IPv6%ZONE]:65535". */
#define CF_ADDRESS_MAX 96

/* Opens a listening, non-blocking socket at `[HOST]:PORT`: ":8443", "127.0.0.1:8443", "[::1]:0".
 * Without a host it listens on all addresses of both families; port 0 selects a free port. Returns
 * the descriptor, or -1: CF_ERR_INPUT for an invalid address, CF_ERR_SYSTEM for other failures. */
int cf_listen(const char *address, struct cf_err *err);

/* The address of a listening socket, as HOST:PORT. */
void cf_listen_name(int fd, char out[CF_ADDRESS_MAX]);

/* ---- first bytes: whether a connection has sent enough to be admitted ---- */

/* How many of the first bytes of a connection the next two functions need. */
#define CF_FIRST_BYTES_MAX 2048

/* Whether the first bytes contain a complete ClientHello. `waiting` bytes have arrived, the first
 * `len` of them are in `data`. True also for bytes that are not TLS: the TLS library rejects
 * them. */
bool cf_has_client_hello(const unsigned char *data, size_t len, size_t waiting);

/* Whether the first bytes contain the complete headers of a request, or CF_FIRST_BYTES_MAX bytes of
 * longer ones. */
bool cf_has_headers(const char *data, size_t len);

/* ---- the acceptor ---- */

struct cf_acceptor;
struct cf_conn;
struct cf_conns;

/* Called in the acceptor's thread. */
struct cf_accept_hooks {
    /* Returns a new, zeroed connection; NULL when out of memory. */
    struct cf_conn *(*make)(void *arg);
    /* Frees a connection that was not admitted; its descriptor is closed already. */
    void (*drop)(void *arg, struct cf_conn *conn);
    /* Whether take() may be called now. When this becomes true again, cf_acceptor_wake() must be
     * called. */
    bool (*can_take)(void *arg);
    /* Takes over an admitted connection and its descriptor. */
    void (*take)(void *arg, struct cf_conn *conn);
    void *arg;
};

/* Takes over the listening descriptor. With `tls` the first bytes are a ClientHello, otherwise the
 * headers of a request. *out is set before the first connection is taken; NULL on failure. */
int cf_acceptor_start(struct cf_acceptor **out, int fd, struct cf_conns *conns, bool tls,
                      const struct cf_accept_hooks *hooks, struct cf_err *err);

/* Lets the acceptor check again whether it can admit a connection. May be called from any thread.
 */
void cf_acceptor_wake(struct cf_acceptor *acceptor);

/* Accepts the connections in the kernel's queue, then closes the listening socket. Connections in
 * the lobby are still admitted. */
void cf_acceptor_close(struct cf_acceptor *acceptor);

/* Ends the thread and closes the connections in the lobby. cf_acceptor_wake() may still be
 * called. */
void cf_acceptor_stop(struct cf_acceptor *acceptor);
void cf_acceptor_free(struct cf_acceptor *acceptor); /* takes NULL */

#endif
