/* SPDX-License-Identifier: Apache-2.0 */
/* memory.h - memory addressed by 32-bit ids: half the size of pointers, and no bookkeeping beside
 * a record.
 *
 * Ids start at 1; 0 means none. A record never moves. Empty chunks go back to malloc. */
#ifndef CF_STORE_MEMORY_H
#define CF_STORE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- slabs: records of one size ---- */

/* Ids of records fit in this many bits; the others are free for what is packed beside an id. */
#define CF_ID_BITS 27

struct cf_chunk {
    uint64_t used;       /* a bit for each record */
    uint32_t prev, next; /* among the chunks with room, from 1 */
    uint32_t records[];
};

/* Records in chunks of 64. */
struct cf_slab {
    uint32_t size; /* of a record, a multiple of 4 */
    struct cf_chunk **chunks;
    uint32_t chunk_count, chunk_capacity;
    uint32_t first_hole; /* no chunk before it is missing */
    uint32_t partial;    /* the first chunk with room, from 1; 0: none */
    uint32_t used;       /* records */
};

void cf_slab_init(struct cf_slab *slab, size_t size);
/* Frees everything in it. */
void cf_slab_clear(struct cf_slab *slab);

/* A record, zeroed; 0: out of memory, or no id is left. */
uint32_t cf_slab_new(struct cf_slab *slab);
void cf_slab_free(struct cf_slab *slab, uint32_t id);

static inline void *cf_slab_at(const struct cf_slab *slab, uint32_t id)
{
    struct cf_chunk *chunk = slab->chunks[(id - 1) / 64];

    return chunk->records + (size_t)((id - 1) % 64) * (slab->size / 4);
}

/* The next record in use after `id` (0: the first one); 0: no more. */
uint32_t cf_slab_next(const struct cf_slab *slab, uint32_t id);

/* ---- lists of records ---- */

/* A doubly linked list through the records of one slab. Each record holds its links `offset` bytes
 * from its beginning; `first` is the id of the list's first record. */
struct cf_links {
    uint32_t prev, next;
};

/* Puts the record in front. */
void cf_list_push(const struct cf_slab *slab, size_t offset, uint32_t *first, uint32_t id);
void cf_list_remove(const struct cf_slab *slab, size_t offset, uint32_t *first, uint32_t id);

/* ---- heap: blocks of any size, each in a slab of its size ---- */

#define CF_HEAP_CLASSES 23
struct cf_heap {
    struct cf_slab classes[CF_HEAP_CLASSES]; /* the last one holds pointers to large blocks */
    size_t large_bytes;
};

void cf_heap_init(struct cf_heap *heap);
void cf_heap_clear(struct cf_heap *heap);

/* A block, aligned for uint32_t, its content undefined; 0: out of memory. */
uint32_t cf_heap_new(struct cf_heap *heap, size_t size);
void *cf_heap_at(const struct cf_heap *heap, uint32_t id);
void cf_heap_free(struct cf_heap *heap, uint32_t id); /* takes 0 */

/* Blocks in use, and bytes taken from malloc. */
size_t cf_heap_used(const struct cf_heap *heap);
size_t cf_heap_bytes(const struct cf_heap *heap);

/* ---- hash tables of ids ---- */

/* The hash is kept beside the id, so that a table grows without reading what the ids stand for. */
struct cf_table_slot {
    uint32_t hash, id; /* id 0: empty */
};

struct cf_table {
    struct cf_table_slot *slots;
    uint32_t capacity; /* a power of two, or 0 */
    uint32_t count;
};

void cf_table_clear(struct cf_table *table);

/* The id with this hash for which `same` returns true; 0: not found. */
uint32_t cf_table_find(const struct cf_table *table, uint32_t hash,
                       bool (*same)(uint32_t id, const void *arg), const void *arg);

/* Adds an id that is not in it. -1: out of memory. */
int cf_table_add(struct cf_table *table, uint32_t hash, uint32_t id);

/* Removes an id that is in it. */
void cf_table_drop(struct cf_table *table, uint32_t hash, uint32_t id);

/* A hash of numbers and a seed. */
uint32_t cf_hash_numbers(uint64_t seed, const uint32_t *numbers, size_t count);

/* ---- names: each text once, with a reference count ---- */

/* Two strings are equal exactly when their ids are. */
struct cf_names {
    struct cf_heap *heap; /* holds the strings; the owner's */
    struct cf_table table;
    uint64_t key[2]; /* of the hash */
};

void cf_names_init(struct cf_names *names, struct cf_heap *heap);
void cf_names_clear(struct cf_names *names);

/* The id of a text, and one more reference to it; 0: out of memory. */
uint32_t cf_names_add(struct cf_names *names, const char *text);
/* The id of a text that has a reference; 0: not found. */
uint32_t cf_names_find(const struct cf_names *names, const char *text);

/* The text lives as long as a reference to it. "" for 0. */
const char *cf_names_text(const struct cf_names *names, uint32_t id);

void cf_names_ref(const struct cf_names *names, uint32_t id); /* takes 0 */
void cf_names_unref(struct cf_names *names, uint32_t id);     /* takes 0 */

/* ---- uids ---- */

/* An object's uid in 16 bytes: a canonical UUID as its value; any other text as {0, 0, 0, id of the
 * text}. All zero: none. */
struct cf_uid {
    uint32_t word[4];
};

/* False: out of memory. */
bool cf_uid_ref(struct cf_names *names, const char *text, struct cf_uid *out);
void cf_uid_unref(struct cf_names *names, const struct cf_uid *uid);
bool cf_uid_is_none(const struct cf_uid *uid);
bool cf_uid_equal(const struct cf_uid *a, const struct cf_uid *b);
/* A uid as text: written to `out`, or a text of the names; "" for none. */
const char *cf_uid_text(const struct cf_names *names, const struct cf_uid *uid, char out[40]);

#endif
