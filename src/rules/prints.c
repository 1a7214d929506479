/* SPDX-License-Identifier: Apache-2.0 */
/* prints.c - what an object had before, to tell it from what is new.
 *
 * Of each finding a hash of its key and value is kept, and how often it is there: 16 bytes, where
 * their texts could be a hundred times as much. The hash is keyed: nobody can choose a new value
 * that passes for an old one. */
#include <string.h>

#include "curfew/hash.h"
#include "curfew/rule.h"

#define CAPACITY_MIN 64

struct slot {
    uint64_t print;
    size_t times; /* how often it is there, and one more; 0: the slot is free */
};

struct cf_prints {
    struct cf_arena *arena;
    struct slot *slots;
    size_t capacity, used; /* slots: open addressing, at most half of them are in use */
    size_t count;
};

struct cf_prints *cf_prints_new(struct cf_arena *arena)
{
    struct cf_prints *prints = cf_arena_alloc(arena, sizeof(*prints));

    if (prints != NULL)
        prints->arena = arena;
    return prints;
}

size_t cf_prints_count(const struct cf_prints *prints)
{
    return prints->count;
}

static uint64_t print_of(const struct cf_finding *finding)
{
    const uint64_t *key = cf_hash_key();
    uint64_t both[2] = {cf_hash64(key, finding->key, strlen(finding->key)),
                        cf_hash64(key, finding->value, strlen(finding->value))};

    return cf_hash64(key, (const char *)both, sizeof(both));
}

/* The slot of the print, or the free one where it would be. */
static struct slot *find(struct slot *slots, size_t capacity, uint64_t print)
{
    size_t at = print & (capacity - 1);

    while (slots[at].times != 0 && slots[at].print != print)
        at = (at + 1) & (capacity - 1);
    return &slots[at];
}

static bool grow(struct cf_prints *prints)
{
    size_t capacity = prints->capacity == 0 ? CAPACITY_MIN : 2 * prints->capacity;
    struct slot *slots = cf_arena_array(prints->arena, capacity, sizeof(*slots));

    if (slots == NULL)
        return false;
    for (size_t i = 0; i < prints->capacity; i++) {
        if (prints->slots[i].times > 0)
            *find(slots, capacity, prints->slots[i].print) = prints->slots[i];
    }
    cf_arena_drop(prints->arena, prints->slots, prints->capacity * sizeof(*slots));
    prints->slots = slots;
    prints->capacity = capacity;
    return true;
}

bool cf_prints_add(struct cf_prints *prints, const struct cf_finding *finding)
{
    uint64_t print = print_of(finding);
    struct slot *slot;

    if (prints->used >= prints->capacity / 2 && !grow(prints))
        return false;
    slot = find(prints->slots, prints->capacity, print);
    prints->used += slot->times == 0;
    slot->print = print;
    slot->times += slot->times == 0 ? 2 : 1;
    prints->count++;
    return true;
}

/* The slot stays in use, so that those behind it are found. */
bool cf_prints_take(struct cf_prints *prints, const struct cf_finding *finding)
{
    uint64_t print = print_of(finding);
    struct slot *slot = prints->capacity == 0 ? NULL : find(prints->slots, prints->capacity, print);

    if (slot == NULL || slot->times <= 1)
        return false;
    slot->times--;
    prints->count--;
    return true;
}
