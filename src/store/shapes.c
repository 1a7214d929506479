/* SPDX-License-Identifier: Apache-2.0 */
/* shapes.c - what the pods of one template have in common, stored once.
 *
 * A shape has references to its items and strings; two pods have the same shape when all ids are
 * equal. A cluster of 150,000 pods has some 30,000. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "store_private.h"
#include "read.h"

static size_t count_words(const struct cf_shape_key *key)
{
    return (size_t)key->secrets * CF_SECRET_WORDS + key->maps +
           (size_t)key->tokens * CF_TOKEN_WORDS;
}

const uint32_t *cf_shape_words(const struct cf_store *store, const struct cf_shape *shape)
{
    return shape->words != 0 ? cf_heap_at(&store->heap, shape->words) : NULL;
}

/* ---- references ---- */

static void unref_words(struct cf_store *store, const struct cf_shape_key *key,
                        const uint32_t *words)
{
    for (uint32_t i = 0; i < key->secrets; i++, words += CF_SECRET_WORDS) {
        cf_item_unref(store, CF_ITEM_SECRET, words[0] >> CF_VIA_BITS);
        cf_names_unref(&store->names, words[1]);
    }
    for (uint32_t i = 0; i < key->maps; i++, words++)
        cf_item_unref(store, CF_ITEM_CONFIG_MAP, words[0]);
    for (uint32_t i = 0; i < key->tokens; i++, words += CF_TOKEN_WORDS) {
        cf_names_unref(&store->names, words[0]);
        cf_names_unref(&store->names, words[1]);
    }
}

static void unref_key(struct cf_store *store, const struct cf_shape_key *key)
{
    cf_item_unref(store, CF_ITEM_NAMESPACE, key->namespace);
    cf_item_unref(store, CF_ITEM_ACCOUNT, key->account);
    cf_names_unref(&store->names, key->owner_kind);
    cf_names_unref(&store->names, key->owner_name);
    cf_names_unref(&store->names, key->workload);
}

/* The id of "" is 0. False: out of memory. */
static bool ref_text(struct cf_store *store, const char *text, uint32_t *out)
{
    *out = text[0] != '\0' ? cf_names_add(&store->names, text) : 0;
    return *out != 0 || text[0] == '\0';
}

static bool ref_key(struct cf_store *store, const struct cf_pod_facts *facts,
                    struct cf_shape_key *key)
{
    key->mirror = facts->mirror;
    key->namespace = cf_item_ref(store, CF_ITEM_NAMESPACE, "", facts->namespace);
    key->account = cf_item_ref(store, CF_ITEM_ACCOUNT, facts->namespace, facts->account);
    return key->namespace != 0 && key->account != 0 &&
           ref_text(store, facts->owner_kind, &key->owner_kind) &&
           ref_text(store, facts->owner_name, &key->owner_name) &&
           ref_text(store, facts->workload, &key->workload);
}

static bool ref_secret(struct cf_store *store, const struct cf_pod_facts *facts,
                       const struct cf_ref *ref, uint32_t *words)
{
    uint32_t id = cf_item_ref(store, CF_ITEM_SECRET, facts->namespace, ref->name);

    if (id == 0)
        return false;
    words[0] = id << CF_VIA_BITS | (uint32_t)ref->via;
    if (ref_text(store, ref->place, &words[1]))
        return true;
    cf_item_unref(store, CF_ITEM_SECRET, id);
    return false;
}

static bool ref_token(struct cf_store *store, const struct cf_ref *ref, uint32_t *words)
{
    if (!ref_text(store, ref->place, &words[0]))
        return false;
    if (!ref_text(store, ref->audience, &words[1])) {
        cf_names_unref(&store->names, words[0]);
        return false;
    }
    words[2] = ref->given;
    words[3] = (uint32_t)((uint64_t)ref->seconds >> 32);
    words[4] = (uint32_t)(uint64_t)ref->seconds;
    return true;
}

/* Facts are sorted by kind: Secrets, then ConfigMaps, claims, tokens. The key counts the references
 * that were taken, so that a failure half-way can be undone. */
static bool ref_words(struct cf_store *store, const struct cf_pod_facts *facts,
                      struct cf_shape_key *key, uint32_t *words)
{
    for (size_t i = 0; i < facts->ref_count; i++) {
        const struct cf_ref *ref = &facts->refs[i];

        if (ref->what == CF_REF_SECRET) {
            if (!ref_secret(store, facts, ref, words))
                return false;
            key->secrets++;
            words += CF_SECRET_WORDS;
        } else if (ref->what == CF_REF_CONFIG_MAP) {
            *words = cf_item_ref(store, CF_ITEM_CONFIG_MAP, facts->namespace, ref->name);
            if (*words++ == 0)
                return false;
            key->maps++;
        } else if (ref->what == CF_REF_TOKEN) {
            if (!ref_token(store, ref, words))
                return false;
            key->tokens++;
            words += CF_TOKEN_WORDS;
        }
    }
    return true;
}

/* ---- finding and creating ---- */

struct shape_query {
    const struct cf_store *store;
    const struct cf_shape_key *key;
    const uint32_t *words;
};

static bool same_shape(uint32_t id, const void *arg)
{
    const struct shape_query *query = arg;
    const struct cf_shape *shape = cf_shape_at(query->store, id);
    size_t count = count_words(query->key);

    return memcmp(&shape->key, query->key, sizeof(shape->key)) == 0 &&
           (count == 0 || memcmp(cf_shape_words(query->store, shape), query->words,
                                 count * sizeof(uint32_t)) == 0);
}

static uint32_t hash_shape(const struct cf_store *store, const struct cf_shape_key *key,
                           const uint32_t *words)
{
    uint32_t numbers[] = {cf_hash_numbers(store->names.key[0], words, count_words(key)),
                          key->namespace,
                          key->account,
                          key->owner_name,
                          key->workload,
                          key->owner_kind,
                          key->mirror};

    return cf_hash_numbers(store->names.key[1], numbers, sizeof(numbers) / sizeof(numbers[0]));
}

/* The shape takes over the references of the key and the words; not when it returns 0, out of
 * memory. */
static uint32_t make_shape(struct cf_store *store, const struct cf_shape_key *key,
                           const uint32_t *words, uint32_t hash)
{
    size_t count = count_words(key);
    uint32_t id = cf_slab_new(&store->shapes);
    uint32_t block = count > 0 ? cf_heap_new(&store->heap, count * sizeof(uint32_t)) : 0;
    struct cf_shape *shape;

    if (id == 0 || (count > 0 && block == 0) || cf_table_add(&store->shape_index, hash, id) != 0) {
        if (id != 0)
            cf_slab_free(&store->shapes, id);
        cf_heap_free(&store->heap, block);
        return 0;
    }
    shape = cf_shape_at(store, id);
    shape->key = *key;
    shape->words = block;
    shape->hash = hash;
    if (count > 0)
        memcpy(cf_heap_at(&store->heap, block), words, count * sizeof(uint32_t));
    return id;
}

static void join_namespace(struct cf_store *store, uint32_t id)
{
    uint32_t namespace = cf_shape_at(store, id)->key.namespace;

    cf_list_push(&store->shapes, offsetof(struct cf_shape, of_namespace),
                 &cf_namespace_at(store, namespace)->first_shape, id);
}

static void leave_namespace(struct cf_store *store, uint32_t id)
{
    uint32_t namespace = cf_shape_at(store, id)->key.namespace;

    cf_list_remove(&store->shapes, offsetof(struct cf_shape, of_namespace),
                   &cf_namespace_at(store, namespace)->first_shape, id);
}

static int compare_words(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;

    return x[0] < y[0] ? -1 : x[0] > y[0];
}

static int compare_word_pairs(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    int order = compare_words(a, b);

    return order != 0 ? order : compare_words(x + 1, y + 1);
}

uint32_t cf_shape_of(struct cf_store *store, struct cf_arena *arena,
                     const struct cf_pod_facts *facts)
{
    struct cf_shape_key key = {.mirror = facts->mirror};
    uint32_t *words = cf_arena_array(arena, facts->ref_count * CF_TOKEN_WORDS + 1, sizeof(*words));
    struct shape_query query = {store, &key, words};
    uint32_t hash, id = 0;

    if (words == NULL)
        return 0;
    if (ref_key(store, facts, &key) && ref_words(store, facts, &key, words)) {
        qsort(words, key.secrets, CF_SECRET_WORDS * sizeof(*words), compare_word_pairs);
        qsort(words + (size_t)key.secrets * CF_SECRET_WORDS, key.maps, sizeof(*words),
              compare_words);
        hash = hash_shape(store, &key, words);
        id = cf_table_find(&store->shape_index, hash, same_shape, &query);
        if (id == 0 && (id = make_shape(store, &key, words, hash)) != 0) {
            join_namespace(store, id);
            return id;
        }
    }
    unref_words(store, &key, words);
    unref_key(store, &key);
    return id;
}

void cf_shape_unref(struct cf_store *store, uint32_t id)
{
    struct cf_shape *shape = id != 0 ? cf_shape_at(store, id) : NULL;
    struct cf_shape_key key;

    if (shape == NULL || shape->pods > 0)
        return;
    leave_namespace(store, id);
    cf_table_drop(&store->shape_index, shape->hash, id);
    key = shape->key;
    if (shape->words != 0)
        unref_words(store, &key, cf_shape_words(store, shape));
    cf_heap_free(&store->heap, shape->words);
    cf_slab_free(&store->shapes, id);
    unref_key(store, &key);
}

/* ---- queries and counters ---- */

size_t cf_shape_names_secret(const struct cf_store *store, const struct cf_shape *shape,
                             uint32_t item)
{
    const uint32_t *words = cf_shape_words(store, shape);
    size_t low = 0, high = shape->key.secrets, count = 0;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (words[middle * CF_SECRET_WORDS] >> CF_VIA_BITS < item)
            low = middle + 1;
        else
            high = middle;
    }
    while (low + count < shape->key.secrets &&
           words[(low + count) * CF_SECRET_WORDS] >> CF_VIA_BITS == item)
        count++;
    return count;
}

size_t cf_shape_names_map(const struct cf_store *store, const struct cf_shape *shape, uint32_t item)
{
    const uint32_t *words = cf_shape_words(store, shape);
    size_t low = 0, high = shape->key.maps;

    if (high == 0)
        return 0;
    words += (size_t)shape->key.secrets * CF_SECRET_WORDS;
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (words[middle] < item)
            low = middle + 1;
        else
            high = middle;
    }
    return low < shape->key.maps && words[low] == item;
}

static void count_target(struct cf_store *store, enum cf_item_kind kind, uint32_t id, int by)
{
    struct cf_target *target = cf_item_at(store, kind, id);

    target->bound += (uint32_t)by;
}

void cf_shape_count(struct cf_store *store, const struct cf_shape *shape, int by)
{
    const uint32_t *words = cf_shape_words(store, shape);

    if (shape->key.mirror)
        return;
    count_target(store, CF_ITEM_ACCOUNT, shape->key.account, by);
    for (uint32_t i = 0; i < shape->key.secrets; i++, words += CF_SECRET_WORDS)
        count_target(store, CF_ITEM_SECRET, words[0] >> CF_VIA_BITS, by);
    for (uint32_t i = 0; i < shape->key.maps; i++)
        count_target(store, CF_ITEM_CONFIG_MAP, words[i], by);
}
