/* SPDX-License-Identifier: Apache-2.0 */
/* conns.c - see conns.h.
 *
 * A stage and its beginning are one atomic number (microseconds * 8 + stage), so that a request
 * takes no lock, and nobody ever sees a new stage with an old beginning. */
#include "conns.h"

#include <stddef.h>
#include <sys/socket.h>

#include "curfew/clock.h"
#include "limits.h"

/* One that is younger than this is not made to give way. */
#define SETTLED_MICROS 1000000
/* A new connection is about to send a request for so long; then it is merely open. */
#define ABOUT_TO_MICROS 2000000

static const int64_t seconds[CF_STAGES] = {
    [CF_STAGE_HANDSHAKE] = CF_HANDSHAKE_SECONDS,
    [CF_STAGE_FRESH] = CF_IDLE_SECONDS + CF_HEADERS_SECONDS,
    [CF_STAGE_IDLE] = CF_IDLE_SECONDS + CF_HEADERS_SECONDS,
    [CF_STAGE_HEADERS] = CF_HEADERS_SECONDS,
    [CF_STAGE_BODY] = CF_BODY_SECONDS,
    [CF_STAGE_ANSWER] = CF_ANSWER_SECONDS,
    [CF_STAGE_ENDING] = CF_IDLE_SECONDS,
};

static uint64_t pack(enum cf_stage stage)
{
    return (uint64_t)cf_monotonic_micros() * 8 + (uint64_t)stage;
}

static enum cf_stage stage_of(uint64_t packed)
{
    return (enum cf_stage)(packed % 8);
}

static int64_t began(uint64_t packed)
{
    return (int64_t)(packed / 8);
}

void cf_conns_init(struct cf_conns *conns)
{
    pthread_mutex_init(&conns->lock, NULL);
    conns->head.next = conns->head.prev = &conns->head;
}

void cf_conns_destroy(struct cf_conns *conns)
{
    pthread_mutex_destroy(&conns->lock);
}

void cf_conns_add(struct cf_conns *conns, struct cf_conn *conn, int fd, enum cf_stage stage)
{
    conn->fd = fd;
    atomic_init(&conn->stage, pack(stage));
    pthread_mutex_lock(&conns->lock);
    conn->next = &conns->head;
    conn->prev = conns->head.prev;
    conn->prev->next = conn->next->prev = conn;
    pthread_mutex_unlock(&conns->lock);
}

void cf_conns_remove(struct cf_conns *conns, struct cf_conn *conn)
{
    pthread_mutex_lock(&conns->lock);
    conn->prev->next = conn->next;
    conn->next->prev = conn->prev;
    pthread_mutex_unlock(&conns->lock);
}

void cf_conn_enter(struct cf_conn *conn, enum cf_stage stage)
{
    atomic_store_explicit(&conn->stage, pack(stage), memory_order_relaxed);
}

/* Not if it has moved on in the meantime. */
static bool end(struct cf_conn *conn, uint64_t seen)
{
    if (!atomic_compare_exchange_strong(&conn->stage, &seen, pack(CF_STAGE_ENDING)))
        return false;
    shutdown(conn->fd, SHUT_RDWR);
    return true;
}

unsigned cf_conns_sweep(struct cf_conns *conns)
{
    int64_t now = cf_monotonic_micros();
    unsigned ended = 0;

    pthread_mutex_lock(&conns->lock);
    for (struct cf_conn *c = conns->head.next; c != &conns->head; c = c->next) {
        uint64_t seen = atomic_load_explicit(&c->stage, memory_order_relaxed);

        if (now - began(seen) > seconds[stage_of(seen)] * 1000000)
            ended += end(c, seen) ? 1 : 0;
    }
    pthread_mutex_unlock(&conns->lock);
    return ended;
}

static bool waits_for_client(uint64_t packed, int64_t now)
{
    return stage_of(packed) <= CF_STAGE_HEADERS && now - began(packed) >= SETTLED_MICROS;
}

/* NULL: none would do. */
static struct cf_conn *longest_waiting(struct cf_conns *conns, int64_t now, uint64_t *seen)
{
    struct cf_conn *found = NULL;

    for (struct cf_conn *c = conns->head.next; c != &conns->head; c = c->next) {
        uint64_t packed = atomic_load_explicit(&c->stage, memory_order_relaxed);

        if (waits_for_client(packed, now) && (found == NULL || began(packed) < began(*seen))) {
            found = c;
            *seen = packed;
        }
    }
    return found;
}

unsigned cf_conns_evict(struct cf_conns *conns, unsigned max)
{
    int64_t now = cf_monotonic_micros();
    unsigned ended = 0;

    pthread_mutex_lock(&conns->lock);
    for (unsigned i = 0; i < max; i++) {
        uint64_t seen = 0;
        struct cf_conn *c = longest_waiting(conns, now, &seen);

        if (c == NULL)
            break;
        ended += end(c, seen) ? 1 : 0;
    }
    pthread_mutex_unlock(&conns->lock);
    return ended;
}

static bool is_pending(uint64_t packed, bool new_ones, int64_t now)
{
    switch (stage_of(packed)) {
    case CF_STAGE_HANDSHAKE:
    case CF_STAGE_FRESH:
        return new_ones && now - began(packed) < ABOUT_TO_MICROS;
    case CF_STAGE_HEADERS:
    case CF_STAGE_BODY:
    case CF_STAGE_ANSWER:
        return true;
    default:
        return false;
    }
}

unsigned cf_conns_pending(struct cf_conns *conns, bool new_ones)
{
    int64_t now = cf_monotonic_micros();
    unsigned pending = 0;

    pthread_mutex_lock(&conns->lock);
    for (struct cf_conn *c = conns->head.next; c != &conns->head; c = c->next) {
        uint64_t packed = atomic_load_explicit(&c->stage, memory_order_relaxed);

        pending += is_pending(packed, new_ones, now) ? 1 : 0;
    }
    pthread_mutex_unlock(&conns->lock);
    return pending;
}
