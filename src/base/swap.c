/* SPDX-License-Identifier: Apache-2.0 */
/* swap.c - shared values and the places where they are replaced; see swap.h. */
#include "curfew/swap.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

/* Precedes each value, in the same allocation. */
struct header {
    atomic_uint refs;
    void (*clear)(void *value);
    _Alignas(16) char value[];
};

static struct header *header_of(void *value)
{
    return (struct header *)(void *)((char *)value - offsetof(struct header, value));
}

void *cf_shared_new(size_t size, void (*clear)(void *value))
{
    struct header *header;

    if (size > SIZE_MAX - sizeof(*header))
        return NULL;
    header = calloc(1, sizeof(*header) + size);
    if (header == NULL)
        return NULL;
    atomic_init(&header->refs, 1);
    header->clear = clear;
    return header->value;
}

void *cf_shared_ref(void *value)
{
    if (value != NULL)
        atomic_fetch_add_explicit(&header_of(value)->refs, 1, memory_order_relaxed);
    return value;
}

void cf_shared_unref(void *value)
{
    struct header *header;

    if (value == NULL)
        return;
    header = header_of(value);
    if (atomic_fetch_sub_explicit(&header->refs, 1, memory_order_acq_rel) != 1)
        return;
    header->clear(value);
    free(header);
}

void cf_swap_init(struct cf_swap *swap)
{
    pthread_mutex_init(&swap->lock, NULL);
    swap->value = NULL;
}

void cf_swap_clear(struct cf_swap *swap)
{
    cf_shared_unref(swap->value);
    swap->value = NULL;
    pthread_mutex_destroy(&swap->lock);
}

void *cf_swap_ref(struct cf_swap *swap)
{
    void *value;

    pthread_mutex_lock(&swap->lock);
    value = cf_shared_ref(swap->value);
    pthread_mutex_unlock(&swap->lock);
    return value;
}

void cf_swap_set(struct cf_swap *swap, void *value)
{
    void *old;

    pthread_mutex_lock(&swap->lock);
    old = swap->value;
    swap->value = value;
    pthread_mutex_unlock(&swap->lock);
    cf_shared_unref(old);
}
