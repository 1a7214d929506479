/* SPDX-License-Identifier: Apache-2.0 */
/* listener.h - the thread that accepts a port's connections, waits for their first words, and hands
 * them on in bounded number.
 *
 * libmicrohttpd could accept by itself, but can't be told to stop without a risk: up to 1.0.1 its
 * MHD_quiesce_daemon() races with its own threads for the listening socket's place in their epoll
 * sets, and ends the process when it loses (daemon.c, "Failed to remove listen FD"). Here closing
 * is closing, and connections are spread evenly over the threads.
 *
 * The thread never waits for room: it keeps the kernel's queue empty, whatever a flood does. If
 * that queue were full, the kernel would drop a client's SYN, and the client would come back after
 * a second, which is too late for a probe. */
#ifndef CF_SERVER_ACCEPT_H
#define CF_SERVER_ACCEPT_H

#include <stdbool.h>

#include "curfew/err.h"

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
