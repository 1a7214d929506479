/* SPDX-License-Identifier: Apache-2.0 */
/* slots.c - see slots.h. */
#include "slots.h"

#include <stddef.h>

#define HELD_MICROS 50000

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
    struct cf_thread_slot slot = {.value = now + HELD_MICROS};

    for (unsigned i = 0; i < slots->count && slot.at == NULL; i++) {
        if (atomic_load_explicit(&slots->free_at[i], memory_order_relaxed) <= now)
            slot.at = &slots->free_at[i];
    }
    if (slot.at != NULL)
        atomic_store_explicit(slot.at, slot.value, memory_order_relaxed);
    return slot;
}

/* It may have been free again for a while, and another connection's by now: then it stays. */
bool cf_slot_leave(struct cf_thread_slot *slot)
{
    int64_t value = slot->value;

    if (slot->at == NULL)
        return false;
    (void)atomic_compare_exchange_strong(slot->at, &value, 0);
    slot->at = NULL;
    return true;
}
