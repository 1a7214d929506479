/* SPDX-License-Identifier: Apache-2.0 */
/* peers.h - whose connections there are: for each source address and kind, which and how many.
 *
 * Every question here is asked once for each connection that a flood brings, tens of thousands of
 * times a second, so none of them walks over connections or addresses. Addresses stand in a hash
 * table with a random key, since a client may choose its address. For each kind they also stand in
 * lists by their count, and a bitmap tells which of these lists hold somebody.
 *
 * The caller holds a lock. */
#ifndef CF_SERVER_PEERS_H
#define CF_SERVER_PEERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* What a connection is to the others of its port; connection.h says when it is which. */
enum cf_standing {
    CF_STANDING_SILENT, /* accepted; what it has said is not enough to serve it */
    CF_STANDING_READY,  /* accepted; waits for its turn to be served */
    CF_STANDING_NEW,    /* served, without a verdict; the server waits for the client */
    CF_STANDING_FIRST,  /* served, without a verdict; its first request is under way */
    CF_STANDING_IDLE,   /* has had a verdict; no request is under way */
    CF_STANDING_OWED,   /* served, without a verdict; a thread works on its first request */
    CF_STANDING_BUSY,   /* has had a verdict; a request is under way */
    CF_STANDING_NONE,   /* not listed: it is ending */
};
#define CF_STANDINGS CF_STANDING_NONE

/* An IPv4 address, or the upper half of an IPv6 address: whoever has one IPv6 address commonly has
 * its /64 whole, and could come from as many addresses as it likes. */
struct cf_peer_key {
    uint64_t bits;
    bool six;
};
struct cf_peer_key cf_peer_key(const struct sockaddr *from);

struct cf_peer;

/* Part of a connection: its place among its peer's connections of one kind. */
struct cf_peer_link {
    struct cf_peer_link *next, *prev;
    struct cf_peer *peer; /* NULL: not listed */
    enum cf_standing kind;
};

struct cf_peers;

/* For at most `max` connections. NULL when out of memory. */
struct cf_peers *cf_peers_new(size_t max);
void cf_peers_free(struct cf_peers *peers); /* takes NULL; nothing may be listed any more */

/* Lists a new connection. False when out of memory. */
bool cf_peers_add(struct cf_peers *peers, struct cf_peer_link *link, struct cf_peer_key key,
                  enum cf_standing kind);

/* Lists it as another kind, behind those that are of it already. An address whose last connection
 * leaves is forgotten, so `key` has to be told again. False when out of memory. */
bool cf_peers_move(struct cf_peers *peers, struct cf_peer_link *link, struct cf_peer_key key,
                   enum cf_standing kind);
void cf_peers_remove(struct cf_peers *peers, struct cf_peer_link *link);

/* How many there are of a kind. */
size_t cf_peers_count(const struct cf_peers *peers, enum cf_standing kind);

/* How many of an address count, of those without a verdict: one for each connection with a verdict
 * does not, since an API server may need as many again at once; but the first always counts, so
 * that an address that has none at all comes before. This one: those that are served. */
unsigned cf_peers_weight(const struct cf_peer_link *link);

/* Of the address that has the most of this kind that count, the one that became it first; NULL:
 * none. For the kinds that may give way: not for OWED and BUSY. */
struct cf_peer_link *cf_peers_heaviest(const struct cf_peers *peers, enum cf_standing kind);

/* Whether no address has more than one more of this one's kind that count. */
bool cf_peers_is_heavy(const struct cf_peers *peers, const struct cf_peer_link *link);

/* The one that is ready and whose turn it is: the address that has the least weight comes first.
 * NULL: none is ready. */
struct cf_peer_link *cf_peers_next(const struct cf_peers *peers);

#endif
