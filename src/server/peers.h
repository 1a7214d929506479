/* SPDX-License-Identifier: Apache-2.0 */
/* peers.h - the connections of a port by source address (peer) and kind: which, and how many.
 *
 * During a flood every function here is called once per connection, tens of thousands of times a
 * second, so none of them iterates over connections or addresses. A hash table finds a peer; its
 * hash function has random parameters, since clients choose their addresses. For each kind, peers
 * are also in lists by their number of connections, and a bitmap shows which of these lists are not
 * empty.
 *
 * The caller must hold a lock. */
#ifndef CF_SERVER_PEERS_H
#define CF_SERVER_PEERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* Kinds of connections, by what matters for admission and eviction. standing_of() in connection.c
 * maps the stage of a connection to its kind. */
enum cf_standing {
    CF_STANDING_SILENT, /* in the lobby; its first bytes are still incomplete */
    CF_STANDING_READY,  /* in the lobby; waits to be admitted */
    CF_STANDING_NEW,    /* admitted, without a verdict; the server waits for the client */
    CF_STANDING_FIRST,  /* admitted, without a verdict; its first request is being received */
    CF_STANDING_IDLE,   /* has had a verdict; no request is in progress */
    CF_STANDING_OWED,   /* admitted, without a verdict; a thread works on its first request */
    CF_STANDING_BUSY,   /* has had a verdict; a request is in progress */
    CF_STANDING_NONE,   /* not listed: it is ending */
};
#define CF_STANDINGS CF_STANDING_NONE

/* An IPv4 address, or the upper half of an IPv6 address: a client commonly has a whole /64, and can
 * connect from any address in it. */
struct cf_peer_key {
    uint64_t bits;
    bool six;
};
struct cf_peer_key cf_peer_key(const struct sockaddr *from);

struct cf_peer;

/* Embedded in a connection: its place in the list of its peer and kind. */
struct cf_peer_link {
    struct cf_peer_link *next, *prev;
    struct cf_peer *peer; /* NULL: not listed */
    enum cf_standing kind;
};

struct cf_peers;

/* For at most `max` connections. NULL when out of memory. */
struct cf_peers *cf_peers_new(size_t max);
void cf_peers_free(struct cf_peers *peers); /* takes NULL; no connection may be listed any more */

/* Adds a connection. False when out of memory. */
bool cf_peers_add(struct cf_peers *peers, struct cf_peer_link *link, struct cf_peer_key key,
                  enum cf_standing kind);

/* Moves a connection to the end of the list of another kind, or adds it if it is not listed; `key`
 * is needed for that. False when out of memory. */
bool cf_peers_move(struct cf_peers *peers, struct cf_peer_link *link, struct cf_peer_key key,
                   enum cf_standing kind);
void cf_peers_remove(struct cf_peers *peers, struct cf_peer_link *link);

/* The number of connections of a kind. */
size_t cf_peers_count(const struct cf_peers *peers, enum cf_standing kind);

/* Weights compare addresses by their connections without a verdict. For each connection with a
 * verdict one without is not counted, since an API server may suddenly need twice as many; but one
 * always counts, so that an address with none at all is preferred.
 *
 * The weight of the connection's address: its admitted connections without a verdict. */
unsigned cf_peers_weight(const struct cf_peer_link *link);

/* The oldest connection of this kind of the address with the greatest weight of this kind; NULL:
 * there is none. Only for kinds that may be evicted: not for OWED and BUSY. */
struct cf_peer_link *cf_peers_heaviest(const struct cf_peers *peers, enum cf_standing kind);

/* Whether the weight of the connection's address, for the connection's kind, is at most one less
 * than the greatest. */
bool cf_peers_is_heavy(const struct cf_peers *peers, const struct cf_peer_link *link);

/* The connection to admit next: the oldest ready one of the address with the least weight. NULL:
 * none is ready. */
struct cf_peer_link *cf_peers_next(const struct cf_peers *peers);

#endif
