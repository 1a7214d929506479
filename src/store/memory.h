/* SPDX-License-Identifier: Apache-2.0 */
/* memory.h - memory by numbers: half as long as pointers, and no bookkeeping beside a record.
 *
 * Ids begin with 1; 0 is none. A record never moves. Chunks that are empty go back to malloc. */
#ifndef CURFEW_KUBE_STORE_HEAP_H
#define CURFEW_KUBE_STORE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Ids fit in so many bits: who packs something else beside one has the rest. */
#define CF_ID_BITS 27

struct cf_chunk;

/* Records of one size, in chunks of 64. */
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

/* A record, zeroed; 0 when out of memory (or ids). */
uint32_t cf_slab_new(struct cf_slab *slab);
void cf_slab_free(struct cf_slab *slab, uint32_t id);

struct cf_chunk {
    uint64_t used;       /* a bit for each record */
    uint32_t prev, next; /* among those with room, from 1 */
    uint32_t records[];
};

static inline void *cf_slab_at(const struct cf_slab *slab, uint32_t id)
{
    struct cf_chunk *chunk = slab->chunks[(id - 1) / 64];

    return chunk->records + (size_t)((id - 1) % 64) * (slab->size / 4);
}

/* The next record that is in use behind `id` (0: the first one); 0: there is none. */
uint32_t cf_slab_next(const struct cf_slab *slab, uint32_t id);

/* Bytes of all chunks. */
size_t cf_slab_bytes(const struct cf_slab *slab);

/* Blocks of any size, each from a slab of its size. */
#define CF_HEAP_CLASSES 23
struct cf_heap {
    struct cf_slab classes[CF_HEAP_CLASSES]; /* the last one holds pointers to large blocks */
    size_t large_bytes;
};

void cf_heap_init(struct cf_heap *heap);
void cf_heap_clear(struct cf_heap *heap);

/* A block, aligned for uint32_t, its content undefined; 0 when out of memory. */
uint32_t cf_heap_new(struct cf_heap *heap, size_t size);
void *cf_heap_at(const struct cf_heap *heap, uint32_t id);
void cf_heap_free(struct cf_heap *heap, uint32_t id); /* takes 0 */

/* Blocks in use, and bytes taken from malloc. */
size_t cf_heap_used(const struct cf_heap *heap);
size_t cf_heap_bytes(const struct cf_heap *heap);

#endif
