/* SPDX-License-Identifier: Apache-2.0 */
/* swap.h - values that threads share, and that are replaced while threads use them.
 *
 * A shared value counts its references and is freed with the last one. A swap is the place where
 * the current value stands: a thread takes a reference, works with the value without a lock and
 * drops the reference; meanwhile another thread may put a new value in its place. */
#ifndef CURFEW_SWAP_H
#define CURFEW_SWAP_H

#include <pthread.h>
#include <stddef.h>

/* A value of `size` bytes, zeroed, with one reference; NULL when out of memory. The last
 * cf_shared_unref() calls clear(), which frees what the value holds, and then frees the value. */
void *cf_shared_new(size_t size, void (*clear)(void *value));

/* Adds a reference, and returns the value. Takes NULL. */
void *cf_shared_ref(void *value);

/* Drops a reference. Takes NULL. */
void cf_shared_unref(void *value);

struct cf_swap {
    pthread_mutex_t lock; /* held to read or replace the pointer only */
    void *value;          /* from cf_shared_new(), or NULL */
};

void cf_swap_init(struct cf_swap *swap);

/* Drops the reference that the swap holds. No thread may use the swap any more. */
void cf_swap_clear(struct cf_swap *swap);

/* The current value with a reference for the caller; NULL when there is none. */
void *cf_swap_ref(struct cf_swap *swap);

/* Replaces the value. Takes over the caller's reference to the new one, and drops the swap's
 * reference to the old one outside the lock. */
void cf_swap_set(struct cf_swap *swap, void *value);

#endif
