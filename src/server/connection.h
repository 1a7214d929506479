/* SPDX-License-Identifier: Apache-2.0 */
/* connection.h - the connections of a port: the stage of each and its deadline, which connections
 * are admitted, and which are evicted when the port is full.
 *
 * A new connection waits in the lobby until its first bytes have arrived and the port has room for
 * it. Then it is admitted: libmicrohttpd serves it in one of its threads. */
#ifndef CURFEW_SERVER_CONNECTION_H
#define CURFEW_SERVER_CONNECTION_H

#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "curfew/err.h"
#include "peers.h"

/* ---- slots: how many connections a thread may start concurrently ---- */

#define CF_SLOTS_TLS 4
#define CF_SLOTS_PLAIN 32

/* Of a thread. Zeroed apart from the count: all are free. */
struct cf_slots {
    unsigned count;                              /* CF_SLOTS_* */
    atomic_int_fast64_t free_at[CF_SLOTS_PLAIN]; /* in monotonic microseconds */
};

/* The slot of a connection. Zeroed: it has none. */
struct cf_thread_slot {
    atomic_int_fast64_t *at;
    int64_t value;
};

/* Only one thread, the acceptor, may call these two. */
bool cf_slots_free(const struct cf_slots *slots, int64_t now);
struct cf_thread_slot cf_slots_take(struct cf_slots *slots, int64_t now);

/* Frees the slot; may be called from any thread. False: the connection had none. */
bool cf_slot_leave(struct cf_thread_slot *slot);

/* ---- connections ---- */

enum cf_stage {
    CF_STAGE_SILENT,    /* in the lobby: its first bytes are still incomplete */
    CF_STAGE_READY,     /* in the lobby: it waits to be admitted */
    CF_STAGE_HANDSHAKE, /* TLS handshake */
    CF_STAGE_FRESH,     /* before the first request */
    CF_STAGE_IDLE,      /* between two requests */
    CF_STAGE_HEADERS,   /* the request line was received */
    CF_STAGE_BODY,      /* the headers were received */
    CF_STAGE_WORK,      /* the request is complete, a thread works on the answer */
    CF_STAGE_ANSWER,    /* the answer is being sent */
    CF_STAGE_ENDING,    /* shut down by the server, not closed yet */
};
#define CF_STAGES 10

/* Embedded in the connection of http.c. */
struct cf_conn {
    struct cf_peer_link link;    /* in the list of its address */
    struct cf_conn *next, *prev; /* in the list of its stage, the oldest first */
    void *owner;
    struct cf_peer_key key;
    struct sockaddr_in6 from; /* the larger of the two families */
    socklen_t from_len;
    int fd;
    enum cf_stage stage;
    int64_t since;    /* start of the stage, in monotonic microseconds */
    int64_t admitted; /* when it left the lobby, likewise */
    bool started;     /* libmicrohttpd serves it */
    bool had_verdict; /* it has received an answer of 2xx */
};

/* How many connections a port may have. */
struct cf_room {
    unsigned all;     /* admitted */
    unsigned fresh;   /* of them, without a verdict */
    unsigned reserve; /* for connections without a verdict: idle ones with a verdict are evicted
                       * until these have room */
    unsigned lobby;
};

/* The state in which a connection was evicted. */
enum cf_evicted {
    CF_EVICTED_WAITING, /* in the lobby */
    CF_EVICTED_NEW,     /* admitted, without a verdict */
    CF_EVICTED_IDLE,    /* idle, with a verdict */
};
#define CF_EVICTEDS 3

struct cf_conns {
    pthread_mutex_t lock;
    struct cf_room room;
    struct cf_peers *peers;
    struct cf_conn *first[CF_STAGES], *last[CF_STAGES];
    unsigned counts[CF_STAGES];
    unsigned kept;          /* admitted, with a verdict, not ending */
    struct cf_conn **by_fd; /* all connections, by descriptor */
    size_t by_fd_len;
    int64_t turned;    /* last eviction among addresses with equal numbers of connections */
    atomic_uint ready; /* counts[CF_STAGE_READY], readable without the lock */
    atomic_uint_fast64_t evicted[CF_EVICTEDS];
};

int cf_conns_init(struct cf_conns *conns, const struct cf_room *room, struct cf_err *err);
void cf_conns_destroy(struct cf_conns *conns); /* takes a zeroed struct */

/* ---- the lobby: for the acceptor's thread ---- */

/* Takes a connection into the lobby. False when out of memory. */
bool cf_conns_arrive(struct cf_conns *conns, struct cf_conn *conn);

/* The next four functions remove a connection from the table and return it; the caller closes and
 * frees it. NULL: there is none. */

/* The connection that the lobby evicts if it is over its limit, or in any case with `one_more`:
 * connections that have sent nothing before the others, and among them the oldest of the address
 * that has the most. */
struct cf_conn *cf_conns_surplus(struct cf_conns *conns, bool one_more);

/* A connection whose time in the lobby is over. */
struct cf_conn *cf_conns_overdue(struct cf_conns *conns);

/* The connection that is still listed with a descriptor that the kernel has just assigned to a new
 * one: libmicrohttpd has closed it without a notification, which it does when out of memory. */
struct cf_conn *cf_conns_stale(struct cf_conns *conns, int fd);

/* Any remaining connection: for the end. */
struct cf_conn *cf_conns_any(struct cf_conns *conns);

/* Whether the lobby is over its limit, and no address has at least two more connections there than
 * the address of this one. */
bool cf_conns_is_crowding(struct cf_conns *conns, const struct cf_conn *conn);

/* Removes a connection from the lobby, and counts it as evicted. */
void cf_conns_evict_waiting(struct cf_conns *conns, struct cf_conn *conn);

/* Admits the next connection and sets its stage; when the port is full, another connection is
 * evicted. NULL: no connection is ready, or there is no room. */
struct cf_conn *cf_conns_admit(struct cf_conns *conns, enum cf_stage stage);

/* Whether a connection is ready to be admitted. */
bool cf_conns_has_ready(const struct cf_conns *conns);

/* ---- after admission: for the connection's own thread ---- */

/* The connection with this descriptor, from now on served by libmicrohttpd. */
struct cf_conn *cf_conns_start(struct cf_conns *conns, int fd);

/* Starts a stage, unless the connection is ending. */
void cf_conns_enter(struct cf_conns *conns, struct cf_conn *conn, enum cf_stage stage);

/* Records an answer of 2xx. */
void cf_conns_verdict(struct cf_conns *conns, struct cf_conn *conn);

/* Must be called before the descriptor is closed. */
void cf_conns_remove(struct cf_conns *conns, struct cf_conn *conn);

/* ---- for any thread ---- */

/* Shuts down admitted connections that exceed the time of their stage. Returns how many. */
unsigned cf_conns_sweep(struct cf_conns *conns);

/* How many connections have a request in progress; with `new_ones` also those that are so new that
 * their first request is probably on its way. */
unsigned cf_conns_pending(struct cf_conns *conns, bool new_ones);

uint64_t cf_conns_evicted(const struct cf_conns *conns, enum cf_evicted why);

#endif
