/* SPDX-License-Identifier: Apache-2.0 */
/* table.h - a hash table of ids. What an id stands for, and what makes two of them the same,
 * its owner knows. */
#ifndef CURFEW_KUBE_STORE_TABLE_H
#define CURFEW_KUBE_STORE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The hash beside the id: a table grows without a look at what it holds. */
struct cf_table_slot {
    uint32_t hash, id; /* id 0: empty */
};

struct cf_table {
    struct cf_table_slot *slots;
    uint32_t capacity; /* a power of two, or 0 */
    uint32_t count;
};

void cf_table_clear(struct cf_table *table);

/* The id with this hash of which `same` is true; 0: there is none. */
uint32_t cf_table_find(const struct cf_table *table, uint32_t hash,
                       bool (*same)(uint32_t id, const void *arg), const void *arg);

/* Adds an id that is not in it. -1: out of memory. */
int cf_table_add(struct cf_table *table, uint32_t hash, uint32_t id);

/* Removes an id that is in it. */
void cf_table_drop(struct cf_table *table, uint32_t hash, uint32_t id);

/* Well mixed bits of two numbers and a seed. */
uint32_t cf_hash_numbers(uint64_t seed, const uint32_t *numbers, size_t count);

/* A keyed hash of a text (SipHash-1-3): names are chosen by whoever may create objects, and must
 * not be able to share one. */
uint32_t cf_hash_text(const uint64_t key[2], const char *text, size_t len);

#endif
