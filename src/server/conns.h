/* SPDX-License-Identifier: Apache-2.0 */
/* conns.h - what every connection of a port is waiting for, and until when.
 *
 * libmicrohttpd's own timeout restarts at every byte, so a client could keep a connection busy for
 * ever with one byte a minute. Here each stage of a request has an end, whatever dribbles in.
 *
 * A connection that has run out of time is shut down by its descriptor and not closed: that is
 * left to the thread that owns it. Its entry leaves the table before the descriptor is closed,
 * so no number that has been given to another connection is ever touched. */
#ifndef CF_SERVER_CONNS_H
#define CF_SERVER_CONNS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum cf_stage {
    CF_STAGE_HANDSHAKE, /* of TLS */
    CF_STAGE_FRESH,     /* no request has come yet */
    CF_STAGE_IDLE,      /* between two requests */
    CF_STAGE_HEADERS,   /* the request line has come */
    CF_STAGE_BODY,      /* the headers have come */
    CF_STAGE_ANSWER,    /* it is being written, or read by a slow client */
    CF_STAGE_ENDING,    /* shut down by us */
};
#define CF_STAGES 7

/* Part of the connection; only its own thread moves it on. */
struct cf_conn {
    struct cf_conn *next, *prev;
    int fd;
    atomic_uint_fast64_t stage; /* when it began, and which: see conns.c */
};

struct cf_conns {
    pthread_mutex_t lock;
    struct cf_conn head;
};

void cf_conns_init(struct cf_conns *conns);
void cf_conns_destroy(struct cf_conns *conns);

void cf_conns_add(struct cf_conns *conns, struct cf_conn *conn, int fd, enum cf_stage stage);
/* Before the descriptor is closed. */
void cf_conns_remove(struct cf_conns *conns, struct cf_conn *conn);

/* Begins a stage. */
void cf_conn_enter(struct cf_conn *conn, enum cf_stage stage);

/* Shuts down those that took too long for their stage. Returns how many. */
unsigned cf_conns_sweep(struct cf_conns *conns);

/* Shuts down up to `max` of those that wait for their client longest, so that others find room;
 * none that has a request under way, or has just come. */
unsigned cf_conns_evict(struct cf_conns *conns, unsigned max);

/* How many have a request under way; with `new_ones` also those that are about to: connections so
 * young that their first request must be expected. */
unsigned cf_conns_pending(struct cf_conns *conns, bool new_ones);

#endif
