/* SPDX-License-Identifier: Apache-2.0 */
/* slots.h - how many new connections a thread is given at a time.
 *
 * A connection that has just been given to a thread has a slot there until its first step is done:
 * for TLS that is the answer to the ClientHello, which costs a millisecond. So a request on an
 * established connection waits for no more of these steps than there are slots. On a plain port the
 * step is to read the headers, which costs little.
 *
 * A client can hold up that step, but not the slot: it is free again after a moment. */
#ifndef CF_SERVER_SLOTS_H
#define CF_SERVER_SLOTS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

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

#endif
