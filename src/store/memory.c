/* SPDX-License-Identifier: Apache-2.0 */
/* memory.c - see store_heap.h. */
#include "memory.h"

#include <stdlib.h>
#include <string.h>

#include "curfew/attr.h"

#define FULL UINT64_MAX
#define CHUNKS_MAX ((1u << CF_ID_BITS) / 64)

/* ---- slabs ---- */

void cf_slab_init(struct cf_slab *slab, size_t size)
{
    *slab = (struct cf_slab){.size = (uint32_t)(size + 3) / 4 * 4};
}

void cf_slab_clear(struct cf_slab *slab)
{
    for (uint32_t i = 0; i < slab->chunk_count; i++)
        free(slab->chunks[i]);
    free(slab->chunks);
    cf_slab_init(slab, slab->size);
}

static size_t chunk_size(const struct cf_slab *slab)
{
    return sizeof(struct cf_chunk) + (size_t)slab->size * 64;
}

static void push_partial(struct cf_slab *slab, uint32_t index)
{
    struct cf_chunk *chunk = slab->chunks[index];

    chunk->prev = 0;
    chunk->next = slab->partial;
    if (slab->partial != 0)
        slab->chunks[slab->partial - 1]->prev = index + 1;
    slab->partial = index + 1;
}

static void drop_partial(struct cf_slab *slab, uint32_t index)
{
    struct cf_chunk *chunk = slab->chunks[index];

    if (chunk->prev != 0)
        slab->chunks[chunk->prev - 1]->next = chunk->next;
    else
        slab->partial = chunk->next;
    if (chunk->next != 0)
        slab->chunks[chunk->next - 1]->prev = chunk->prev;
}

static bool grow_list(struct cf_slab *slab)
{
    uint32_t capacity = slab->chunk_capacity == 0 ? 4 : slab->chunk_capacity * 2;
    struct cf_chunk **bigger;

    if (slab->chunk_count < slab->chunk_capacity)
        return true;
    if (slab->chunk_count >= CHUNKS_MAX)
        return false;
    bigger = realloc(slab->chunks, capacity * sizeof(struct cf_chunk *));
    if (bigger == NULL)
        return false;
    slab->chunks = bigger;
    slab->chunk_capacity = capacity;
    return true;
}

static bool add_chunk(struct cf_slab *slab)
{
    uint32_t index = slab->first_hole;

    while (index < slab->chunk_count && slab->chunks[index] != NULL)
        index++;
    if (index == slab->chunk_count) {
        if (!grow_list(slab))
            return false;
        slab->chunks[slab->chunk_count++] = NULL;
    }
    slab->first_hole = index;
    slab->chunks[index] = malloc(chunk_size(slab));
    if (slab->chunks[index] == NULL)
        return false;
    slab->chunks[index]->used = 0;
    push_partial(slab, index);
    return true;
}

uint32_t cf_slab_new(struct cf_slab *slab)
{
    struct cf_chunk *chunk;
    uint32_t index, id;

    if (slab->partial == 0 && !add_chunk(slab))
        return 0;
    index = slab->partial - 1;
    chunk = slab->chunks[index];
    id = index * 64 + (uint32_t)__builtin_ctzll(~chunk->used) + 1;
    chunk->used |= UINT64_C(1) << ((id - 1) % 64);
    if (chunk->used == FULL)
        drop_partial(slab, index);
    slab->used++;
    memset(cf_slab_at(slab, id), 0, slab->size);
    return id;
}

static void free_chunk(struct cf_slab *slab, uint32_t index)
{
    drop_partial(slab, index);
    free(slab->chunks[index]);
    slab->chunks[index] = NULL;
    if (index < slab->first_hole)
        slab->first_hole = index;
    while (slab->chunk_count > 0 && slab->chunks[slab->chunk_count - 1] == NULL)
        slab->chunk_count--;
    if (slab->first_hole > slab->chunk_count)
        slab->first_hole = slab->chunk_count;
}

void cf_slab_free(struct cf_slab *slab, uint32_t id)
{
    uint32_t index = (id - 1) / 64;
    struct cf_chunk *chunk = slab->chunks[index];

    if (chunk->used == FULL)
        push_partial(slab, index);
    chunk->used &= ~(UINT64_C(1) << ((id - 1) % 64));
    slab->used--;
    if (chunk->used == 0)
        free_chunk(slab, index);
}

uint32_t cf_slab_next(const struct cf_slab *slab, uint32_t id)
{
    uint32_t index = id / 64, bit = id % 64;

    for (; index < slab->chunk_count; index++, bit = 0) {
        uint64_t used = slab->chunks[index] != NULL ? slab->chunks[index]->used >> bit : 0;

        if (used != 0)
            return index * 64 + bit + (uint32_t)__builtin_ctzll(used) + 1;
    }
    return 0;
}

size_t cf_slab_bytes(const struct cf_slab *slab)
{
    size_t bytes = slab->chunk_capacity * sizeof(struct cf_chunk *);

    for (uint32_t i = 0; i < slab->chunk_count; i++)
        bytes += slab->chunks[i] != NULL ? chunk_size(slab) : 0;
    return bytes;
}

/* ---- blocks ---- */

#define CLASS_BITS (32 - CF_ID_BITS)
#define LARGE (CF_HEAP_CLASSES - 1)

static const uint16_t class_sizes[LARGE] = {8,  12, 16, 20, 24, 28, 32,  36,  40,  44,  48,
                                            52, 56, 64, 72, 80, 96, 112, 128, 160, 208, 272};

void cf_heap_init(struct cf_heap *heap)
{
    *heap = (struct cf_heap){.large_bytes = 0};
    for (size_t i = 0; i < LARGE; i++)
        cf_slab_init(&heap->classes[i], class_sizes[i]);
    cf_slab_init(&heap->classes[LARGE], sizeof(void *) + sizeof(size_t));
}

/* A large block, and how large it is. */
struct large {
    void *block;
    size_t size;
};

static struct large *large_at(const struct cf_heap *heap, uint32_t id)
{
    return cf_slab_at(&heap->classes[LARGE], id >> CLASS_BITS);
}

void cf_heap_clear(struct cf_heap *heap)
{
    for (uint32_t id = 0; (id = cf_slab_next(&heap->classes[LARGE], id)) != 0;)
        free(large_at(heap, id << CLASS_BITS)->block);
    for (size_t i = 0; i < CF_HEAP_CLASSES; i++)
        cf_slab_clear(&heap->classes[i]);
    heap->large_bytes = 0;
}

static uint32_t new_large(struct cf_heap *heap, size_t size)
{
    void *block = malloc(size);
    uint32_t id = block != NULL ? cf_slab_new(&heap->classes[LARGE]) : 0;

    if (id == 0) {
        free(block);
        return 0;
    }
    id = id << CLASS_BITS | LARGE;
    *large_at(heap, id) = (struct large){block, size};
    heap->large_bytes += size;
    return id;
}

uint32_t cf_heap_new(struct cf_heap *heap, size_t size)
{
    uint32_t class_ = 0, id;

    while (class_ < LARGE && class_sizes[class_] < size)
        class_++;
    if (class_ == LARGE)
        return new_large(heap, size);
    id = cf_slab_new(&heap->classes[class_]);
    return id != 0 ? id << CLASS_BITS | class_ : 0;
}

void *cf_heap_at(const struct cf_heap *heap, uint32_t id)
{
    uint32_t class_ = id % (1u << CLASS_BITS);

    if (class_ == LARGE)
        return large_at(heap, id)->block;
    return cf_slab_at(&heap->classes[class_], id >> CLASS_BITS);
}

void cf_heap_free(struct cf_heap *heap, uint32_t id)
{
    uint32_t class_ = id % (1u << CLASS_BITS);

    if (id == 0)
        return;
    if (class_ == LARGE) {
        heap->large_bytes -= large_at(heap, id)->size;
        free(large_at(heap, id)->block);
    }
    cf_slab_free(&heap->classes[class_], id >> CLASS_BITS);
}

size_t cf_heap_used(const struct cf_heap *heap)
{
    size_t used = 0;

    for (size_t i = 0; i < CF_HEAP_CLASSES; i++)
        used += heap->classes[i].used;
    return used;
}

size_t cf_heap_bytes(const struct cf_heap *heap)
{
    size_t bytes = heap->large_bytes;

    for (size_t i = 0; i < CF_HEAP_CLASSES; i++)
        bytes += cf_slab_bytes(&heap->classes[i]);
    return bytes;
}
