/* SPDX-License-Identifier: Apache-2.0 */
/* peers.c - the connections of a port by source address and kind; see peers.h. */
#include "peers.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define BITS (8 * sizeof(unsigned long))
/* A rank in addition to those of the kinds: peers with a ready connection, by their weight. */
#define TURN CF_STANDINGS
#define RANKS (CF_STANDINGS + 1)

/* The place of a peer in a rank. */
struct rank_place {
    struct cf_peer *next, *prev;
    unsigned at; /* the count whose list it is in */
    bool in;
};

struct cf_peer {
    struct cf_peer *chain; /* next in its bucket of the table */
    struct cf_peer_key key;
    struct cf_peer_link lists[CF_STANDINGS]; /* list heads; the oldest connection is first */
    unsigned counts[CF_STANDINGS];
    unsigned listed; /* the sum of the counts */
    struct rank_place places[RANKS];
};

/* Peers ordered by a count: first[n] begins the list of those whose count is n. */
struct rank {
    struct cf_peer **first, **last;
    unsigned long *some; /* bit n: first[n] is not empty */
};

struct cf_peers {
    struct rank ranks[RANKS];
    size_t max, words;
    size_t counts[CF_STANDINGS];
    struct cf_peer **table;
    size_t mask;
    uint64_t random[3];
};

struct cf_peer_key cf_peer_key(const struct sockaddr *from)
{
    struct cf_peer_key key = {.bits = 0};
    struct in6_addr six;
    struct in_addr four;

    if (from->sa_family == AF_INET) {
        memcpy(&four, (const char *)from + offsetof(struct sockaddr_in, sin_addr), sizeof(four));
        key.bits = four.s_addr;
    } else if (from->sa_family == AF_INET6) {
        memcpy(&six, (const char *)from + offsetof(struct sockaddr_in6, sin6_addr), sizeof(six));
        key.six = !IN6_IS_ADDR_V4MAPPED(&six);
        if (key.six)
            memcpy(&key.bits, six.s6_addr, sizeof(key.bits));
        else
            key.bits = six.s6_addr32[3];
    }
    return key;
}

/* ---- ranks ---- */

static void enter_rank(struct cf_peers *peers, struct cf_peer *peer, unsigned which, unsigned at)
{
    struct rank *rank = &peers->ranks[which];
    struct rank_place *place = &peer->places[which];

    *place = (struct rank_place){.prev = rank->last[at], .at = at, .in = true};
    if (place->prev != NULL)
        place->prev->places[which].next = peer;
    else
        rank->first[at] = peer;
    rank->last[at] = peer;
    rank->some[at / BITS] |= 1UL << (at % BITS);
}

static void leave_rank(struct cf_peers *peers, struct cf_peer *peer, unsigned which)
{
    struct rank *rank = &peers->ranks[which];
    struct rank_place *place = &peer->places[which];
    unsigned at = place->at;

    if (!place->in)
        return;
    if (place->prev != NULL)
        place->prev->places[which].next = place->next;
    else
        rank->first[at] = place->next;
    if (place->next != NULL)
        place->next->places[which].prev = place->prev;
    else
        rank->last[at] = place->prev;
    if (rank->first[at] == NULL)
        rank->some[at / BITS] &= ~(1UL << (at % BITS));
    place->in = false;
}

/* Moves a peer to the list of its current count, or removes it from the rank. */
static void update_rank(struct cf_peers *peers, struct cf_peer *peer, unsigned which, bool in,
                        unsigned at)
{
    at = at < peers->max ? at : (unsigned)peers->max;
    if (peer->places[which].in == in && (!in || peer->places[which].at == at))
        return;
    leave_rank(peers, peer, which);
    if (in)
        enter_rank(peers, peer, which, at);
}

static unsigned counted_part(const struct cf_peer *peer, unsigned n)
{
    unsigned kept = peer->counts[CF_STANDING_IDLE] + peer->counts[CF_STANDING_BUSY];

    if (n == 0)
        return 0;
    return n > kept ? n - kept : 1;
}

static unsigned weight_of(const struct cf_peer *peer)
{
    return counted_part(peer, peer->counts[CF_STANDING_NEW] + peer->counts[CF_STANDING_FIRST] +
                                  peer->counts[CF_STANDING_OWED]);
}

static void update_ranks(struct cf_peers *peers, struct cf_peer *peer)
{
    const unsigned *counts = peer->counts;

    for (unsigned kind = CF_STANDING_SILENT; kind <= CF_STANDING_FIRST; kind++)
        update_rank(peers, peer, kind, counts[kind] > 0, counted_part(peer, counts[kind]));
    update_rank(peers, peer, CF_STANDING_IDLE, counts[CF_STANDING_IDLE] > 0,
                counts[CF_STANDING_IDLE]);
    update_rank(peers, peer, TURN, counts[CF_STANDING_READY] > 0, weight_of(peer));
}

static struct cf_peer *lowest_peer(const struct cf_peers *peers, unsigned which)
{
    const struct rank *rank = &peers->ranks[which];

    for (size_t i = 0; i < peers->words; i++) {
        if (rank->some[i] != 0)
            return rank->first[i * BITS + (size_t)__builtin_ctzl(rank->some[i])];
    }
    return NULL;
}

static struct cf_peer *highest_peer(const struct cf_peers *peers, unsigned which)
{
    const struct rank *rank = &peers->ranks[which];

    for (size_t i = peers->words; i > 0; i--) {
        if (rank->some[i - 1] != 0)
            return rank->first[i * BITS - 1 - (size_t)__builtin_clzl(rank->some[i - 1])];
    }
    return NULL;
}

/* ---- the table ---- */

/* A strongly universal hash of the two halves: a client that does not know the random numbers
 * cannot choose addresses that share a bucket. */
static struct cf_peer **bucket_of(const struct cf_peers *peers, struct cf_peer_key key)
{
    uint64_t hash = peers->random[0] + peers->random[1] * (uint32_t)key.bits +
                    peers->random[2] * ((key.bits >> 32) + (key.six ? 1 : 0));

    return &peers->table[(hash >> 32) & peers->mask];
}

static bool same_peer_key(struct cf_peer_key a, struct cf_peer_key b)
{
    return a.bits == b.bits && a.six == b.six;
}

static struct cf_peer *find_or_add_peer(struct cf_peers *peers, struct cf_peer_key key)
{
    struct cf_peer **bucket = bucket_of(peers, key);
    struct cf_peer *peer = *bucket;

    while (peer != NULL && !same_peer_key(peer->key, key))
        peer = peer->chain;
    if (peer != NULL)
        return peer;
    peer = calloc(1, sizeof(*peer));
    if (peer == NULL)
        return NULL;
    peer->key = key;
    for (unsigned i = 0; i < CF_STANDINGS; i++)
        peer->lists[i].next = peer->lists[i].prev = &peer->lists[i];
    peer->chain = *bucket;
    *bucket = peer;
    return peer;
}

static void remove_peer(struct cf_peers *peers, struct cf_peer *peer)
{
    struct cf_peer **at = bucket_of(peers, peer->key);

    while (*at != peer)
        at = &(*at)->chain;
    *at = peer->chain;
    free(peer);
}

/* ---- connections ---- */

static void link_connection(struct cf_peers *peers, struct cf_peer *peer, struct cf_peer_link *link,
                            enum cf_standing kind)
{
    struct cf_peer_link *head = &peer->lists[kind];

    *link = (struct cf_peer_link){.next = head, .prev = head->prev, .peer = peer, .kind = kind};
    link->prev->next = head->prev = link;
    peer->counts[kind]++;
    peer->listed++;
    peers->counts[kind]++;
}

static struct cf_peer *unlink_connection(struct cf_peers *peers, struct cf_peer_link *link)
{
    struct cf_peer *peer = link->peer;

    link->prev->next = link->next;
    link->next->prev = link->prev;
    link->peer = NULL;
    peer->counts[link->kind]--;
    peer->listed--;
    peers->counts[link->kind]--;
    return peer;
}

bool cf_peers_add(struct cf_peers *peers, struct cf_peer_link *link, struct cf_peer_key key,
                  enum cf_standing kind)
{
    struct cf_peer *peer;

    link->peer = NULL;
    if (kind == CF_STANDING_NONE)
        return true;
    peer = find_or_add_peer(peers, key);
    if (peer == NULL)
        return false;
    link_connection(peers, peer, link, kind);
    update_ranks(peers, peer);
    return true;
}

bool cf_peers_move(struct cf_peers *peers, struct cf_peer_link *link, struct cf_peer_key key,
                   enum cf_standing kind)
{
    struct cf_peer *peer = link->peer;

    if (peer == NULL)
        return cf_peers_add(peers, link, key, kind);
    if (kind == link->kind)
        return true;
    if (kind == CF_STANDING_NONE) {
        cf_peers_remove(peers, link);
        return true;
    }
    unlink_connection(peers, link);
    link_connection(peers, peer, link, kind);
    update_ranks(peers, peer);
    return true;
}

void cf_peers_remove(struct cf_peers *peers, struct cf_peer_link *link)
{
    struct cf_peer *peer;

    if (link->peer == NULL)
        return;
    peer = unlink_connection(peers, link);
    update_ranks(peers, peer);
    if (peer->listed == 0)
        remove_peer(peers, peer);
}

size_t cf_peers_count(const struct cf_peers *peers, enum cf_standing kind)
{
    return peers->counts[kind];
}

unsigned cf_peers_weight(const struct cf_peer_link *link)
{
    return link->peer != NULL ? weight_of(link->peer) : 0;
}

struct cf_peer_link *cf_peers_heaviest(const struct cf_peers *peers, enum cf_standing kind)
{
    struct cf_peer *peer = highest_peer(peers, kind);

    return peer != NULL ? peer->lists[kind].next : NULL;
}

bool cf_peers_is_heavy(const struct cf_peers *peers, const struct cf_peer_link *link)
{
    const struct cf_peer *most = highest_peer(peers, link->kind);

    return most != NULL && link->peer->places[link->kind].at + 1 >= most->places[link->kind].at;
}

struct cf_peer_link *cf_peers_next(const struct cf_peers *peers)
{
    struct cf_peer *peer = lowest_peer(peers, TURN);

    return peer != NULL ? peer->lists[CF_STANDING_READY].next : NULL;
}

/* ---- the whole table ---- */

static bool make_rank(struct rank *rank, size_t max, size_t words)
{
    rank->first = calloc(max + 1, sizeof(struct cf_peer *));
    rank->last = calloc(max + 1, sizeof(struct cf_peer *));
    rank->some = calloc(words, sizeof(unsigned long));
    return rank->first != NULL && rank->last != NULL && rank->some != NULL;
}

struct cf_peers *cf_peers_new(size_t max)
{
    struct cf_peers *peers = calloc(1, sizeof(*peers));
    size_t buckets = 64;
    bool made;

    if (peers == NULL)
        return NULL;
    while (buckets < max)
        buckets *= 2;
    peers->max = max;
    peers->words = max / BITS + 1;
    peers->mask = buckets - 1;
    peers->table = calloc(buckets, sizeof(struct cf_peer *));
    made = peers->table != NULL &&
           getrandom(peers->random, sizeof(peers->random), 0) == sizeof(peers->random);
    for (unsigned i = 0; i < RANKS; i++)
        made = make_rank(&peers->ranks[i], max, peers->words) && made;
    if (made)
        return peers;
    cf_peers_free(peers);
    return NULL;
}

void cf_peers_free(struct cf_peers *peers)
{
    if (peers == NULL)
        return;
    for (unsigned i = 0; i < RANKS; i++) {
        free(peers->ranks[i].first);
        free(peers->ranks[i].last);
        free(peers->ranks[i].some);
    }
    free(peers->table);
    free(peers);
}
