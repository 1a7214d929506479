/* SPDX-License-Identifier: Apache-2.0 */
/* accept.h - the thread that accepts a port's connections and hands them on.
 *
 * libmicrohttpd could do this itself, but can't be told to stop without a risk: up to 1.0.1 its
 * MHD_quiesce_daemon() races with its own threads for the listening socket's place in their epoll
 * sets, and ends the process when it loses (daemon.c, "Failed to remove listen FD"). Here closing
 * is closing, and connections are spread evenly over the threads. */
#ifndef CF_SERVER_ACCEPT_H
#define CF_SERVER_ACCEPT_H

#include <stdbool.h>
#include <sys/socket.h>

#include "curfew/err.h"

struct cf_acceptor;

/* What to do with connections; all are called in the acceptor's thread. */
struct cf_accept_hooks {
    bool (*has_room)(void *arg);
    /* Somebody waits, and there is no room: see to it that there will be. */
    void (*make_room)(void *arg);
    /* Takes over the descriptor. */
    void (*take)(void *arg, int fd, const struct sockaddr *from, socklen_t from_len);
    /* A few times a second. */
    void (*tick)(void *arg);
    void *arg;
};

/* Takes over the listening descriptor. */
struct cf_acceptor *cf_acceptor_start(int fd, const struct cf_accept_hooks *hooks,
                                      struct cf_err *err);

/* Accepts what is waiting already, then closes the listening socket. Takes NULL. */
void cf_acceptor_stop(struct cf_acceptor *acceptor);

#endif
