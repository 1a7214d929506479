/* SPDX-License-Identifier: Apache-2.0 */
/* connection.h - a port's connections: what each waits for and until when, which of them are
 * served, and which give way when the port is full. */
#ifndef CURFEW_SERVER_CONNECTION_H
#define CURFEW_SERVER_CONNECTION_H

#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "curfew/err.h"
#include "peers.h"

/* ---- slots ---- */

#define CF_SLOTS_TLS 4
#define CF_SLOTS_PLAIN 32

/* A thread's; all are free where the rest is zero. */
struct cf_slots {
    unsigned count;                              /* CF_SLOTS_* */
    atomic_int_fast64_t free_at[CF_SLOTS_PLAIN]; /* in monotonic microseconds */
};

/* A connection's; all zero: it has none. */
struct cf_thread_slot {
    atomic_int_fast64_t *at;
    int64_t value;
};

/* Only one thread takes slots. False: none is free. */
bool cf_slots_free(const struct cf_slots *slots, int64_t now);
struct cf_thread_slot cf_slots_take(struct cf_slots *slots, int64_t now);

/* False: it had none any more. From another thread than the one that took it. */
bool cf_slot_leave(struct cf_thread_slot *slot);

/* ---- connection ---- */

enum cf_stage {
    CF_STAGE_SILENT,    /* in the lobby: what it has said is not enough */
    CF_STAGE_READY,     /* in the lobby: it has, and waits for its turn */
    CF_STAGE_HANDSHAKE, /* of TLS */
    CF_STAGE_FRESH,     /* no request has come yet */
    CF_STAGE_IDLE,      /* between two requests */
    CF_STAGE_HEADERS,   /* the request line has come */
    CF_STAGE_BODY,      /* the headers have come */
    CF_STAGE_WORK,      /* the whole request has come; its thread works on the answer */
    CF_STAGE_ANSWER,    /* it is being written, or read by a slow client */
    CF_STAGE_ENDING,    /* shut down by us */
};
#define CF_STAGES 10

/* Part of the connection. */
struct cf_conn {
    struct cf_peer_link link;    /* among those of its address */
    struct cf_conn *next, *prev; /* among those of its stage, the oldest first */
    void *owner;
    struct cf_peer_key key;
    struct sockaddr_in6 from; /* the larger of the two families */
    socklen_t from_len;
    int fd;
    enum cf_stage stage;
    int64_t since;    /* when that began, in monotonic microseconds */
    int64_t admitted; /* when it left the lobby, likewise */
    bool started;     /* libmicrohttpd has taken it over */
    bool had_verdict; /* an answer of 2xx */
};

/* How many there may be. */
struct cf_room {
    unsigned all;     /* admitted */
    unsigned fresh;   /* of them, without a verdict */
    unsigned reserve; /* kept free for those without a verdict: idle ones with one give way */
    unsigned lobby;
};

/* Why a connection gave way. */
enum cf_evicted {
    CF_EVICTED_WAITING, /* it was in the lobby */
    CF_EVICTED_NEW,     /* it was admitted, and had no verdict */
    CF_EVICTED_IDLE,    /* it had a verdict, and was idle */
};
#define CF_EVICTEDS 3

struct cf_conns {
    pthread_mutex_t lock;
    struct cf_room room;
    struct cf_peers *peers;
    struct cf_conn *first[CF_STAGES], *last[CF_STAGES];
    unsigned counts[CF_STAGES];
    unsigned kept;          /* admitted, with a verdict, not ending */
    struct cf_conn **by_fd; /* all of them */
    size_t by_fd_len;
    int64_t turned;    /* when an address last made way for itself */
    atomic_uint ready; /* counts[CF_STAGE_READY], to be read without the lock */
    atomic_uint_fast64_t evicted[CF_EVICTEDS];
};

int cf_conns_init(struct cf_conns *conns, const struct cf_room *room, struct cf_err *err);
void cf_conns_destroy(struct cf_conns *conns); /* takes one that is all zero */

/* ---- the lobby: for the thread that accepts ---- */

/* Takes a connection into the lobby. False when out of memory. */
bool cf_conns_arrive(struct cf_conns *conns, struct cf_conn *conn);

/* Each takes one out of the table, to be closed and freed; NULL: none.
 * One too many is in the lobby: a connection that has sent nothing goes first, and among those the
 * oldest of the address that has the most. */
struct cf_conn *cf_conns_surplus(struct cf_conns *conns, bool one_more);
/* Whether the lobby is full, and this one's address about the one that has the most there; and
 * that one is taken out. */
bool cf_conns_crowds(struct cf_conns *conns, const struct cf_conn *conn);
void cf_conns_give_way(struct cf_conns *conns, struct cf_conn *conn);
/* One has been in the lobby for too long. */
struct cf_conn *cf_conns_overdue(struct cf_conns *conns);
/* One is still listed with a descriptor that has just been given to another connection:
 * libmicrohttpd had closed it without a word, as it does when it has no memory for it. */
struct cf_conn *cf_conns_stale(struct cf_conns *conns, int fd);
/* Any one that is left, at the end. */
struct cf_conn *cf_conns_any(struct cf_conns *conns);

/* The next one that is admitted, in this stage; when the port is full, another one has been made to
 * give way. NULL: nobody is ready, or there is no room. */
struct cf_conn *cf_conns_admit(struct cf_conns *conns, enum cf_stage stage);

/* Whether somebody is ready. */
bool cf_conns_has_ready(const struct cf_conns *conns);

/* ---- afterwards: for the connection's own thread ---- */

/* The one with this descriptor, which libmicrohttpd has taken over. */
struct cf_conn *cf_conns_start(struct cf_conns *conns, int fd);

/* Begins a stage. */
void cf_conns_enter(struct cf_conns *conns, struct cf_conn *conn, enum cf_stage stage);

/* It is answered with 2xx. */
void cf_conns_verdict(struct cf_conns *conns, struct cf_conn *conn);

/* Before the descriptor is closed. */
void cf_conns_remove(struct cf_conns *conns, struct cf_conn *conn);

/* ---- for any thread ---- */

/* Shuts down admitted ones that took too long for their stage. Returns how many. */
unsigned cf_conns_sweep(struct cf_conns *conns);

/* How many have a request under way; with `new_ones` also those that are about to: connections so
 * young that their first request must be expected. */
unsigned cf_conns_pending(struct cf_conns *conns, bool new_ones);

uint64_t cf_conns_evicted(const struct cf_conns *conns, enum cf_evicted why);

#endif
