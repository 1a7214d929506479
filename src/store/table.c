/* SPDX-License-Identifier: Apache-2.0 */
/* table.c - open addressing with linear probing; what is removed leaves no trace. */
#include <stdlib.h>
#include <string.h>

#include "curfew/hash.h"
#include "table.h"

#define CAPACITY_MIN 16

void cf_table_clear(struct cf_table *table)
{
    free(table->slots);
    *table = (struct cf_table){.slots = NULL};
}

uint32_t cf_table_find(const struct cf_table *table, uint32_t hash,
                       bool (*same)(uint32_t id, const void *arg), const void *arg)
{
    uint32_t mask = table->capacity - 1;

    if (table->capacity == 0)
        return 0;
    for (uint32_t i = hash & mask; table->slots[i].id != 0; i = (i + 1) & mask) {
        if (table->slots[i].hash == hash && same(table->slots[i].id, arg))
            return table->slots[i].id;
    }
    return 0;
}

static void place(struct cf_table_slot *slots, uint32_t capacity, struct cf_table_slot slot)
{
    uint32_t i = slot.hash & (capacity - 1);

    while (slots[i].id != 0)
        i = (i + 1) & (capacity - 1);
    slots[i] = slot;
}

static int resize(struct cf_table *table, uint32_t capacity)
{
    struct cf_table_slot *slots = calloc(capacity, sizeof(*slots));

    if (slots == NULL)
        return -1;
    for (uint32_t i = 0; i < table->capacity; i++) {
        if (table->slots[i].id != 0)
            place(slots, capacity, table->slots[i]);
    }
    free(table->slots);
    table->slots = slots;
    table->capacity = capacity;
    return 0;
}

int cf_table_add(struct cf_table *table, uint32_t hash, uint32_t id)
{
    uint32_t capacity = table->capacity == 0 ? CAPACITY_MIN : table->capacity * 2;

    /* Three quarters full at most. */
    if ((uint64_t)(table->count + 1) * 4 > (uint64_t)table->capacity * 3 &&
        (capacity == 0 || resize(table, capacity) != 0))
        return -1;
    place(table->slots, table->capacity, (struct cf_table_slot){hash, id});
    table->count++;
    return 0;
}

void cf_table_drop(struct cf_table *table, uint32_t hash, uint32_t id)
{
    uint32_t mask = table->capacity - 1, hole = hash & mask;

    while (table->slots[hole].id != id)
        hole = (hole + 1) & mask;
    /* What follows moves up unless it would come before the place where it is looked for. */
    for (uint32_t i = (hole + 1) & mask; table->slots[i].id != 0; i = (i + 1) & mask) {
        uint32_t home = table->slots[i].hash & mask;

        if (((i - home) & mask) >= ((i - hole) & mask)) {
            table->slots[hole] = table->slots[i];
            hole = i;
        }
    }
    table->slots[hole].id = 0;
    table->count--;
    if (table->count == 0)
        cf_table_clear(table);
    else if (table->capacity > CAPACITY_MIN && table->count < table->capacity / 8)
        resize(table, table->capacity / 2); /* without memory it stays as it is */
}

/* ---- hashes ---- */

uint32_t cf_hash_numbers(uint64_t seed, const uint32_t *numbers, size_t count)
{
    uint64_t h = seed;

    for (size_t i = 0; i < count; i++) {
        h = (h ^ numbers[i]) * UINT64_C(0x9E3779B97F4A7C15);
        h ^= h >> 32;
    }
    h *= UINT64_C(0xC2B2AE3D27D4EB4F);
    return (uint32_t)(h >> 32);
}

uint32_t cf_hash_text(const uint64_t key[2], const char *text, size_t len)
{
    uint64_t hash = cf_hash64(key, text, len);

    return (uint32_t)(hash ^ hash >> 32);
}
