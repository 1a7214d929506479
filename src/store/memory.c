/* SPDX-License-Identifier: Apache-2.0 */
/* memory.c - slabs, blocks, hash tables, names and uids; see memory.h. */
#include "memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "curfew/attr.h"
#include "curfew/hash.h"

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

/* The chunks with room are a list. */
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

static bool grow_chunks(struct cf_slab *slab)
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
        if (!grow_chunks(slab))
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

/* Bytes of all chunks. */
static size_t slab_bytes(const struct cf_slab *slab)
{
    size_t bytes = slab->chunk_capacity * sizeof(struct cf_chunk *);

    for (uint32_t i = 0; i < slab->chunk_count; i++)
        bytes += slab->chunks[i] != NULL ? chunk_size(slab) : 0;
    return bytes;
}

/* ---- lists of records ---- */

static struct cf_links *links_at(const struct cf_slab *slab, size_t offset, uint32_t id)
{
    return (struct cf_links *)(void *)((char *)cf_slab_at(slab, id) + offset);
}

void cf_list_push(const struct cf_slab *slab, size_t offset, uint32_t *first, uint32_t id)
{
    *links_at(slab, offset, id) = (struct cf_links){.prev = 0, .next = *first};
    if (*first != 0)
        links_at(slab, offset, *first)->prev = id;
    *first = id;
}

void cf_list_remove(const struct cf_slab *slab, size_t offset, uint32_t *first, uint32_t id)
{
    const struct cf_links *links = links_at(slab, offset, id);

    if (links->prev != 0)
        links_at(slab, offset, links->prev)->next = links->next;
    else
        *first = links->next;
    if (links->next != 0)
        links_at(slab, offset, links->next)->prev = links->prev;
}

/* ---- heap ---- */

#define CLASS_BITS (32 - CF_ID_BITS)
#define LARGE_CLASS (CF_HEAP_CLASSES - 1)

static const uint16_t class_sizes[LARGE_CLASS] = {8,  12, 16, 20, 24, 28, 32,  36,  40,  44,  48,
                                                  52, 56, 64, 72, 80, 96, 112, 128, 160, 208, 272};

void cf_heap_init(struct cf_heap *heap)
{
    *heap = (struct cf_heap){.large_bytes = 0};
    for (size_t i = 0; i < LARGE_CLASS; i++)
        cf_slab_init(&heap->classes[i], class_sizes[i]);
    cf_slab_init(&heap->classes[LARGE_CLASS], sizeof(void *) + sizeof(size_t));
}

struct large_block {
    void *block;
    size_t size;
};

static struct large_block *large_at(const struct cf_heap *heap, uint32_t id)
{
    return cf_slab_at(&heap->classes[LARGE_CLASS], id >> CLASS_BITS);
}

void cf_heap_clear(struct cf_heap *heap)
{
    for (uint32_t id = 0; (id = cf_slab_next(&heap->classes[LARGE_CLASS], id)) != 0;)
        free(large_at(heap, id << CLASS_BITS)->block);
    for (size_t i = 0; i < CF_HEAP_CLASSES; i++)
        cf_slab_clear(&heap->classes[i]);
    heap->large_bytes = 0;
}

static uint32_t new_large(struct cf_heap *heap, size_t size)
{
    void *block = malloc(size);
    uint32_t id = block != NULL ? cf_slab_new(&heap->classes[LARGE_CLASS]) : 0;

    if (id == 0) {
        free(block);
        return 0;
    }
    id = id << CLASS_BITS | LARGE_CLASS;
    *large_at(heap, id) = (struct large_block){block, size};
    heap->large_bytes += size;
    return id;
}

uint32_t cf_heap_new(struct cf_heap *heap, size_t size)
{
    uint32_t size_class = 0, id;

    while (size_class < LARGE_CLASS && class_sizes[size_class] < size)
        size_class++;
    if (size_class == LARGE_CLASS)
        return new_large(heap, size);
    id = cf_slab_new(&heap->classes[size_class]);
    return id != 0 ? id << CLASS_BITS | size_class : 0;
}

void *cf_heap_at(const struct cf_heap *heap, uint32_t id)
{
    uint32_t size_class = id % (1u << CLASS_BITS);

    if (size_class == LARGE_CLASS)
        return large_at(heap, id)->block;
    return cf_slab_at(&heap->classes[size_class], id >> CLASS_BITS);
}

void cf_heap_free(struct cf_heap *heap, uint32_t id)
{
    uint32_t size_class = id % (1u << CLASS_BITS);

    if (id == 0)
        return;
    if (size_class == LARGE_CLASS) {
        heap->large_bytes -= large_at(heap, id)->size;
        free(large_at(heap, id)->block);
    }
    cf_slab_free(&heap->classes[size_class], id >> CLASS_BITS);
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
        bytes += slab_bytes(&heap->classes[i]);
    return bytes;
}

/* ---- hash tables: open addressing with linear probing ---- */

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

static void place_slot(struct cf_table_slot *slots, uint32_t capacity, struct cf_table_slot slot)
{
    uint32_t i = slot.hash & (capacity - 1);

    while (slots[i].id != 0)
        i = (i + 1) & (capacity - 1);
    slots[i] = slot;
}

static int resize_table(struct cf_table *table, uint32_t capacity)
{
    struct cf_table_slot *slots = calloc(capacity, sizeof(*slots));

    if (slots == NULL)
        return -1;
    for (uint32_t i = 0; i < table->capacity; i++) {
        if (table->slots[i].id != 0)
            place_slot(slots, capacity, table->slots[i]);
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
        (capacity == 0 || resize_table(table, capacity) != 0))
        return -1;
    place_slot(table->slots, table->capacity, (struct cf_table_slot){hash, id});
    table->count++;
    return 0;
}

void cf_table_drop(struct cf_table *table, uint32_t hash, uint32_t id)
{
    uint32_t mask = table->capacity - 1, hole = hash & mask;

    while (table->slots[hole].id != id)
        hole = (hole + 1) & mask;
    /* Each later slot moves into the hole, unless that is before the place its hash starts at. */
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
        resize_table(table, table->capacity / 2); /* out of memory: it keeps its size */
}

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

/* SipHash-1-3 with a key: users choose names, and must not be able to make them collide. */
static uint32_t hash_text(const uint64_t key[2], const char *text, size_t len)
{
    uint64_t hash = cf_hash64(key, text, len);

    return (uint32_t)(hash ^ hash >> 32);
}

/* ---- names ---- */

struct name_block {
    uint32_t refs;
    char text[];
};

struct text_query {
    const struct cf_names *names;
    const char *text;
};

void cf_names_init(struct cf_names *names, struct cf_heap *heap)
{
    *names = (struct cf_names){.heap = heap};
    /* Without randomness the names are still found. */
    if (getrandom(names->key, sizeof(names->key), 0) != (ssize_t)sizeof(names->key))
        names->key[0] = (uintptr_t)names;
}

void cf_names_clear(struct cf_names *names)
{
    cf_table_clear(&names->table);
}

static struct name_block *name_at(const struct cf_names *names, uint32_t id)
{
    return cf_heap_at(names->heap, id);
}

static bool same_text(uint32_t id, const void *arg)
{
    const struct text_query *query = arg;

    return strcmp(name_at(query->names, id)->text, query->text) == 0;
}

static uint32_t find_text(const struct cf_names *names, const char *text, uint32_t hash)
{
    struct text_query query = {names, text};

    return cf_table_find(&names->table, hash, same_text, &query);
}

uint32_t cf_names_find(const struct cf_names *names, const char *text)
{
    return find_text(names, text, hash_text(names->key, text, strlen(text)));
}

uint32_t cf_names_add(struct cf_names *names, const char *text)
{
    size_t len = strlen(text);
    uint32_t hash = hash_text(names->key, text, len);
    uint32_t id = find_text(names, text, hash);

    if (id != 0) {
        name_at(names, id)->refs++;
        return id;
    }
    id = cf_heap_new(names->heap, sizeof(struct name_block) + len + 1);
    if (id == 0)
        return 0;
    if (cf_table_add(&names->table, hash, id) != 0) {
        cf_heap_free(names->heap, id);
        return 0;
    }
    name_at(names, id)->refs = 1;
    memcpy(name_at(names, id)->text, text, len + 1);
    return id;
}

const char *cf_names_text(const struct cf_names *names, uint32_t id)
{
    return id != 0 ? name_at(names, id)->text : "";
}

void cf_names_ref(const struct cf_names *names, uint32_t id)
{
    if (id != 0)
        name_at(names, id)->refs++;
}

void cf_names_unref(struct cf_names *names, uint32_t id)
{
    struct name_block *name;

    if (id == 0)
        return;
    name = name_at(names, id);
    if (--name->refs > 0)
        return;
    cf_table_drop(&names->table, hash_text(names->key, name->text, strlen(name->text)), id);
    cf_heap_free(names->heap, id);
}

/* ---- uids ---- */

static int uuid_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* 8-4-4-4-12 lower-case digits, as Kubernetes writes every UUID. */
static bool parse_uuid(const char *text, struct cf_uid *out)
{
    size_t digits = 0;

    *out = (struct cf_uid){{0}};
    for (size_t i = 0; i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;

        if (dash ? text[i] != '-' : uuid_digit(text[i]) < 0)
            return false;
        if (dash)
            continue;
        out->word[digits / 8] = out->word[digits / 8] << 4 | (uint32_t)uuid_digit(text[i]);
        digits++;
    }
    /* A UUID that starts with 16 zeros is kept as a text. */
    return text[36] == '\0' && (out->word[0] | out->word[1]) != 0;
}

bool cf_uid_ref(struct cf_names *names, const char *text, struct cf_uid *out)
{
    if (parse_uuid(text, out))
        return true;
    *out = (struct cf_uid){{0}};
    if (text[0] == '\0')
        return true;
    out->word[3] = cf_names_add(names, text);
    return out->word[3] != 0;
}

static bool uid_is_text(const struct cf_uid *uid)
{
    return (uid->word[0] | uid->word[1]) == 0;
}

void cf_uid_unref(struct cf_names *names, const struct cf_uid *uid)
{
    if (uid_is_text(uid))
        cf_names_unref(names, uid->word[3]);
}

bool cf_uid_equal(const struct cf_uid *a, const struct cf_uid *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

bool cf_uid_is_none(const struct cf_uid *uid)
{
    return uid_is_text(uid) && uid->word[3] == 0;
}

const char *cf_uid_text(const struct cf_names *names, const struct cf_uid *uid, char out[40])
{
    const uint32_t *w = uid->word;

    if (uid_is_text(uid))
        return cf_names_text(names, w[3]);
    snprintf(out, 40, "%08x-%04x-%04x-%04x-%04x%08x", w[0], w[1] >> 16, w[1] & 0xffff, w[2] >> 16,
             w[2] & 0xffff, w[3]);
    return out;
}
