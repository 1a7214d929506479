/* SPDX-License-Identifier: Apache-2.0 */
/* connection.c - the connections of a port: their stages, the lobby, admission and eviction; see
 * connection.h. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "curfew/time.h"
#include "connection.h"
#include "limits.h"

/* ---- slots ---- */

/* A slot that no step of the connection frees becomes free after this time. */
#define SLOT_MICROS 50000

bool cf_slots_free(const struct cf_slots *slots, int64_t now)
{
    for (unsigned i = 0; i < slots->count; i++) {
        if (atomic_load_explicit(&slots->free_at[i], memory_order_relaxed) <= now)
            return true;
    }
    return false;
}

struct cf_thread_slot cf_slots_take(struct cf_slots *slots, int64_t now)
{
    struct cf_thread_slot slot = {.value = now + SLOT_MICROS};

    for (unsigned i = 0; i < slots->count && slot.at == NULL; i++) {
        if (atomic_load_explicit(&slots->free_at[i], memory_order_relaxed) <= now)
            slot.at = &slots->free_at[i];
    }
    if (slot.at != NULL)
        atomic_store_explicit(slot.at, slot.value, memory_order_relaxed);
    return slot;
}

/* If the time of the slot is over, it may belong to another connection already: then it stays
 * taken. */
bool cf_slot_leave(struct cf_thread_slot *slot)
{
    int64_t value = slot->value;

    if (slot->at == NULL)
        return false;
    (void)atomic_compare_exchange_strong(slot->at, &value, 0);
    slot->at = NULL;
    return true;
}

/* ---- connections ---- */

/* How long after a connection was opened its first request is expected. */
#define ABOUT_TO_MICROS 2000000
/* A connection is not evicted for this time after it was admitted: a burst of an API server
 * completes within it, even while a flood slows down the server. For the first connection of an
 * address, others are evicted after a shorter time. No later stage restarts this time: otherwise
 * requests that are refused would protect their connection forever. */
#define YOUNG_MICROS 2000000
#define YOUNG_TO_FIRST_MICROS 500000
/* If no address has more connections than that of the candidate, at most one connection is evicted
 * in this time: this bounds the handshakes that a flood causes. */
#define TURN_MICROS 20000

static const int64_t stage_seconds[CF_STAGES] = {
    [CF_STAGE_SILENT] = CF_HANDSHAKE_SECONDS,
    [CF_STAGE_READY] = CF_HANDSHAKE_SECONDS,
    [CF_STAGE_HANDSHAKE] = CF_HANDSHAKE_SECONDS,
    [CF_STAGE_FRESH] = CF_IDLE_SECONDS + CF_HEADERS_SECONDS,
    [CF_STAGE_IDLE] = CF_IDLE_SECONDS + CF_HEADERS_SECONDS,
    [CF_STAGE_HEADERS] = CF_HEADERS_SECONDS,
    [CF_STAGE_BODY] = CF_BODY_SECONDS,
    [CF_STAGE_WORK] = CF_REVIEW_SECONDS_MAX,
    [CF_STAGE_ANSWER] = CF_ANSWER_SECONDS,
    [CF_STAGE_ENDING] = CF_IDLE_SECONDS,
};

static enum cf_standing standing_of(const struct cf_conn *conn)
{
    switch (conn->stage) {
    case CF_STAGE_SILENT:
        return CF_STANDING_SILENT;
    case CF_STAGE_READY:
        return CF_STANDING_READY;
    case CF_STAGE_HANDSHAKE:
    case CF_STAGE_FRESH:
        return CF_STANDING_NEW;
    case CF_STAGE_IDLE:
        return conn->had_verdict ? CF_STANDING_IDLE : CF_STANDING_NEW;
    case CF_STAGE_HEADERS:
        return conn->had_verdict ? CF_STANDING_BUSY : CF_STANDING_NEW;
    case CF_STAGE_BODY:
    case CF_STAGE_ANSWER:
        return conn->had_verdict ? CF_STANDING_BUSY : CF_STANDING_FIRST;
    case CF_STAGE_WORK:
        return conn->had_verdict ? CF_STANDING_BUSY : CF_STANDING_OWED;
    case CF_STAGE_ENDING:
        break;
    }
    return CF_STANDING_NONE;
}

static struct cf_conn *conn_of(struct cf_peer_link *link)
{
    return link == NULL ? NULL
                        : (struct cf_conn *)(void *)((char *)link - offsetof(struct cf_conn, link));
}

int cf_conns_init(struct cf_conns *conns, const struct cf_room *room, struct cf_err *err)
{
    pthread_mutexattr_t spins;

    conns->room = *room;
    conns->peers = cf_peers_new((size_t)room->all + room->lobby + CF_ENDING_MAX);
    if (conns->peers == NULL)
        return cf_err_memory(err);
    /* Spinning is cheaper: the lock is held for less time than it takes to sleep and wake. */
    pthread_mutexattr_init(&spins);
    pthread_mutexattr_settype(&spins, PTHREAD_MUTEX_ADAPTIVE_NP);
    pthread_mutex_init(&conns->lock, &spins);
    pthread_mutexattr_destroy(&spins);
    return 0;
}

void cf_conns_destroy(struct cf_conns *conns)
{
    if (conns->peers == NULL)
        return;
    cf_peers_free(conns->peers);
    free(conns->by_fd);
    pthread_mutex_destroy(&conns->lock);
    conns->peers = NULL;
}

/* ---- lists of stages ---- */

static void append_to_stage(struct cf_conns *conns, struct cf_conn *conn, enum cf_stage stage)
{
    conn->stage = stage;
    conn->since = cf_monotonic_micros();
    conn->next = NULL;
    conn->prev = conns->last[stage];
    if (conn->prev != NULL)
        conn->prev->next = conn;
    else
        conns->first[stage] = conn;
    conns->last[stage] = conn;
    conns->counts[stage]++;
    if (stage == CF_STAGE_READY)
        atomic_store_explicit(&conns->ready, conns->counts[stage], memory_order_relaxed);
}

static void remove_from_stage(struct cf_conns *conns, struct cf_conn *conn)
{
    enum cf_stage stage = conn->stage;

    if (conn->prev != NULL)
        conn->prev->next = conn->next;
    else
        conns->first[stage] = conn->next;
    if (conn->next != NULL)
        conn->next->prev = conn->prev;
    else
        conns->last[stage] = conn->prev;
    conns->counts[stage]--;
    if (stage == CF_STAGE_READY)
        atomic_store_explicit(&conns->ready, conns->counts[stage], memory_order_relaxed);
}

/* When out of memory, the connection is in no list of its address: it cannot be evicted, but its
 * deadline still holds. */
static void move_to_stage(struct cf_conns *conns, struct cf_conn *conn, enum cf_stage stage)
{
    remove_from_stage(conns, conn);
    append_to_stage(conns, conn, stage);
    (void)cf_peers_move(conns->peers, &conn->link, conn->key, standing_of(conn));
}

static void remove_connection(struct cf_conns *conns, struct cf_conn *conn)
{
    remove_from_stage(conns, conn);
    cf_peers_remove(conns->peers, &conn->link);
    if (conn->had_verdict && conn->stage != CF_STAGE_ENDING)
        conns->kept--;
    conns->by_fd[conn->fd] = NULL;
}

static void shut_down(struct cf_conns *conns, struct cf_conn *conn)
{
    if (conn->had_verdict)
        conns->kept--;
    move_to_stage(conns, conn, CF_STAGE_ENDING);
    shutdown(conn->fd, SHUT_RDWR);
}

static void count_evicted(struct cf_conns *conns, enum cf_evicted why)
{
    atomic_fetch_add_explicit(&conns->evicted[why], 1, memory_order_relaxed);
}

/* ---- the lobby ---- */

/* Doubles the table as needed, so that a port with few connections has a small one. */
static bool has_table_entry(struct cf_conns *conns, int fd)
{
    size_t len = conns->by_fd_len > 0 ? conns->by_fd_len : 64;
    struct cf_conn **more;

    if ((size_t)fd < conns->by_fd_len)
        return true;
    while (len <= (size_t)fd)
        len *= 2;
    more = realloc(conns->by_fd, len * sizeof(*more));
    if (more == NULL)
        return false;
    memset(more + conns->by_fd_len, 0, (len - conns->by_fd_len) * sizeof(*more));
    conns->by_fd = more;
    conns->by_fd_len = len;
    return true;
}

bool cf_conns_arrive(struct cf_conns *conns, struct cf_conn *conn)
{
    bool done;

    conn->key = cf_peer_key((const struct sockaddr *)&conn->from);
    pthread_mutex_lock(&conns->lock);
    done = has_table_entry(conns, conn->fd) &&
           cf_peers_add(conns->peers, &conn->link, conn->key, CF_STANDING_SILENT);
    if (done) {
        append_to_stage(conns, conn, CF_STAGE_SILENT);
        conns->by_fd[conn->fd] = conn;
    }
    pthread_mutex_unlock(&conns->lock);
    return done;
}

struct cf_conn *cf_conns_surplus(struct cf_conns *conns, bool one_more)
{
    struct cf_conn *conn = NULL;

    pthread_mutex_lock(&conns->lock);
    if (one_more ||
        conns->counts[CF_STAGE_SILENT] + conns->counts[CF_STAGE_READY] > conns->room.lobby) {
        conn = conn_of(cf_peers_heaviest(conns->peers, CF_STANDING_SILENT));
        if (conn == NULL)
            conn = conn_of(cf_peers_heaviest(conns->peers, CF_STANDING_READY));
    }
    if (conn != NULL) {
        remove_connection(conns, conn);
        count_evicted(conns, CF_EVICTED_WAITING);
    }
    pthread_mutex_unlock(&conns->lock);
    return conn;
}

bool cf_conns_is_crowding(struct cf_conns *conns, const struct cf_conn *conn)
{
    bool crowds;

    pthread_mutex_lock(&conns->lock);
    crowds = conns->counts[CF_STAGE_SILENT] + conns->counts[CF_STAGE_READY] > conns->room.lobby &&
             cf_peers_is_heavy(conns->peers, &conn->link);
    pthread_mutex_unlock(&conns->lock);
    return crowds;
}

void cf_conns_evict_waiting(struct cf_conns *conns, struct cf_conn *conn)
{
    cf_conns_remove(conns, conn);
    count_evicted(conns, CF_EVICTED_WAITING);
}

static bool is_late(const struct cf_conn *conn, int64_t now)
{
    return conn != NULL && now - conn->since > stage_seconds[conn->stage] * 1000000;
}

struct cf_conn *cf_conns_overdue(struct cf_conns *conns)
{
    int64_t now = cf_monotonic_micros();
    struct cf_conn *conn;

    pthread_mutex_lock(&conns->lock);
    conn = conns->first[CF_STAGE_SILENT];
    if (!is_late(conn, now))
        conn = conns->first[CF_STAGE_READY];
    if (is_late(conn, now))
        remove_connection(conns, conn);
    else
        conn = NULL;
    pthread_mutex_unlock(&conns->lock);
    return conn;
}

struct cf_conn *cf_conns_stale(struct cf_conns *conns, int fd)
{
    struct cf_conn *conn = NULL;

    pthread_mutex_lock(&conns->lock);
    if ((size_t)fd < conns->by_fd_len)
        conn = conns->by_fd[fd];
    if (conn != NULL)
        remove_connection(conns, conn);
    pthread_mutex_unlock(&conns->lock);
    return conn;
}

struct cf_conn *cf_conns_any(struct cf_conns *conns)
{
    struct cf_conn *conn = NULL;

    pthread_mutex_lock(&conns->lock);
    for (unsigned i = 0; i < CF_STAGES && conn == NULL; i++)
        conn = conns->first[i];
    if (conn != NULL)
        remove_connection(conns, conn);
    pthread_mutex_unlock(&conns->lock);
    return conn;
}

/* ---- admission and eviction ---- */

/* Whether a connection of the address with the most connections may be evicted for the candidate:
 * at any time if the candidate's address would still have fewer after its admission, otherwise once
 * every TURN_MICROS. */
static bool may_evict(const struct cf_conns *conns, const struct cf_conn *conn,
                      const struct cf_conn *candidate, int64_t now)
{
    unsigned others = cf_peers_weight(&candidate->link);

    if (conn == NULL || !conn->started ||
        now - conn->admitted < (others == 0 ? YOUNG_TO_FIRST_MICROS : YOUNG_MICROS))
        return false;
    return cf_peers_weight(&conn->link) > others + 1 || now - conns->turned >= TURN_MICROS;
}

/* Connections that wait for their client are evicted before those whose first request is being
 * received. A request that a thread works on is never interrupted; there are no more of these than
 * threads. */
static bool evict_fresh(struct cf_conns *conns, const struct cf_conn *candidate)
{
    int64_t now = cf_monotonic_micros();
    struct cf_conn *conn = conn_of(cf_peers_heaviest(conns->peers, CF_STANDING_NEW));

    if (!may_evict(conns, conn, candidate, now)) {
        conn = conn_of(cf_peers_heaviest(conns->peers, CF_STANDING_FIRST));
        if (!may_evict(conns, conn, candidate, now))
            return false;
    }
    if (cf_peers_weight(&conn->link) <= cf_peers_weight(&candidate->link) + 1)
        conns->turned = now;
    shut_down(conns, conn);
    count_evicted(conns, CF_EVICTED_NEW);
    return true;
}

/* A connection with unread bytes is not idle, although its thread has not seen them yet: it moves
 * to the end of its list. */
static bool evict_idle(struct cf_conns *conns)
{
    struct cf_conn *conn = conn_of(cf_peers_heaviest(conns->peers, CF_STANDING_IDLE));
    int unread = 0;

    if (conn == NULL || !conn->started)
        return false;
    if (ioctl(conn->fd, FIONREAD, &unread) == 0 && unread > 0) {
        cf_peers_remove(conns->peers, &conn->link);
        (void)cf_peers_add(conns->peers, &conn->link, conn->key, CF_STANDING_IDLE);
        return false;
    }
    shut_down(conns, conn);
    count_evicted(conns, CF_EVICTED_IDLE);
    return true;
}

static bool make_room(struct cf_conns *conns, const struct cf_conn *candidate)
{
    const struct cf_room *room = &conns->room;
    size_t fresh = cf_peers_count(conns->peers, CF_STANDING_NEW) +
                   cf_peers_count(conns->peers, CF_STANDING_FIRST) +
                   cf_peers_count(conns->peers, CF_STANDING_OWED);

    if (conns->counts[CF_STAGE_ENDING] >= CF_ENDING_MAX)
        return false;
    if (fresh < room->fresh && fresh + conns->kept < room->all)
        return true;
    return fresh < room->reserve ? evict_idle(conns) : evict_fresh(conns, candidate);
}

struct cf_conn *cf_conns_admit(struct cf_conns *conns, enum cf_stage stage)
{
    struct cf_conn *conn;

    pthread_mutex_lock(&conns->lock);
    conn = conn_of(cf_peers_next(conns->peers));
    if (conn != NULL && !make_room(conns, conn))
        conn = NULL;
    if (conn != NULL) {
        move_to_stage(conns, conn, stage);
        conn->admitted = conn->since;
    }
    pthread_mutex_unlock(&conns->lock);
    return conn;
}

bool cf_conns_has_ready(const struct cf_conns *conns)
{
    return atomic_load_explicit(&conns->ready, memory_order_relaxed) > 0;
}

/* ---- after admission ---- */

struct cf_conn *cf_conns_start(struct cf_conns *conns, int fd)
{
    struct cf_conn *conn = NULL;

    pthread_mutex_lock(&conns->lock);
    if ((size_t)fd < conns->by_fd_len)
        conn = conns->by_fd[fd];
    if (conn != NULL)
        conn->started = true;
    pthread_mutex_unlock(&conns->lock);
    return conn;
}

void cf_conns_enter(struct cf_conns *conns, struct cf_conn *conn, enum cf_stage stage)
{
    pthread_mutex_lock(&conns->lock);
    if (conn->stage != CF_STAGE_ENDING)
        move_to_stage(conns, conn, stage);
    pthread_mutex_unlock(&conns->lock);
}

void cf_conns_verdict(struct cf_conns *conns, struct cf_conn *conn)
{
    if (conn->had_verdict)
        return; /* only the connection's own thread, which calls this, writes it */
    pthread_mutex_lock(&conns->lock);
    if (conn->stage != CF_STAGE_ENDING) {
        conn->had_verdict = true;
        conns->kept++;
        (void)cf_peers_move(conns->peers, &conn->link, conn->key, standing_of(conn));
    }
    pthread_mutex_unlock(&conns->lock);
}

void cf_conns_remove(struct cf_conns *conns, struct cf_conn *conn)
{
    pthread_mutex_lock(&conns->lock);
    remove_connection(conns, conn);
    pthread_mutex_unlock(&conns->lock);
}

/* ---- for any thread ---- */

unsigned cf_conns_sweep(struct cf_conns *conns)
{
    int64_t now = cf_monotonic_micros();
    unsigned ended = 0;

    pthread_mutex_lock(&conns->lock);
    for (unsigned stage = CF_STAGE_HANDSHAKE; stage < CF_STAGE_ENDING; stage++) {
        struct cf_conn *next;

        for (struct cf_conn *c = conns->first[stage]; is_late(c, now); c = next) {
            next = c->next;
            if (!c->started)
                continue;
            shut_down(conns, c);
            ended++;
        }
    }
    pthread_mutex_unlock(&conns->lock);
    return ended;
}

static unsigned count_young(const struct cf_conns *conns, enum cf_stage stage, int64_t now)
{
    unsigned found = 0;

    for (const struct cf_conn *c = conns->last[stage];
         c != NULL && now - c->since < ABOUT_TO_MICROS; c = c->prev)
        found++;
    return found;
}

unsigned cf_conns_pending(struct cf_conns *conns, bool new_ones)
{
    int64_t now = cf_monotonic_micros();
    unsigned pending;

    pthread_mutex_lock(&conns->lock);
    pending = conns->counts[CF_STAGE_HEADERS] + conns->counts[CF_STAGE_BODY] +
              conns->counts[CF_STAGE_WORK] + conns->counts[CF_STAGE_ANSWER];
    for (unsigned stage = CF_STAGE_SILENT; new_ones && stage <= CF_STAGE_FRESH; stage++)
        pending += count_young(conns, (enum cf_stage)stage, now);
    pthread_mutex_unlock(&conns->lock);
    return pending;
}

uint64_t cf_conns_evicted(const struct cf_conns *conns, enum cf_evicted why)
{
    return atomic_load_explicit(&conns->evicted[why], memory_order_relaxed);
}
