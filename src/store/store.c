/* SPDX-License-Identifier: Apache-2.0 */
/* store.c - the store as a whole: its life, its lock, what it holds. */
#include <stdlib.h>

#include "store_private.h"

static pthread_rwlock_t *lock_new(void)
{
    pthread_rwlock_t *lock = calloc(1, sizeof(*lock));
    pthread_rwlockattr_t attr;
    int rc;

    if (lock == NULL || pthread_rwlockattr_init(&attr) != 0) {
        free(lock);
        return NULL;
    }
    /* Nobody locks it twice, and a watch that waits for ever is a stale store. */
    pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    rc = pthread_rwlock_init(lock, &attr);
    pthread_rwlockattr_destroy(&attr);
    if (rc == 0)
        return lock;
    free(lock);
    return NULL;
}

struct cf_store *cf_store_new(enum cf_store_absent absent)
{
    struct cf_store *store = calloc(1, sizeof(*store));

    if (store == NULL)
        return NULL;
    store->absent = absent;
    cf_heap_init(&store->heap);
    cf_names_init(&store->names, &store->heap);
    cf_items_init(store);
    cf_slab_init(&store->shapes, sizeof(struct cf_shape));
    store->lock = lock_new();
    store->fresh = calloc(1, sizeof(*store->fresh));
    if (store->lock == NULL || store->fresh == NULL) {
        cf_store_free(store);
        return NULL;
    }
    cf_store_fresh_init(store->fresh);
    return store;
}

void cf_store_set_absent(struct cf_store *store, enum cf_store_absent absent)
{
    store->absent = absent;
}

void cf_store_free(struct cf_store *store)
{
    if (store == NULL)
        return;
    for (int kind = 0; kind < CF_ITEM_KINDS; kind++) {
        cf_slab_clear(&store->items[kind]);
        cf_table_clear(&store->index[kind]);
    }
    cf_slab_clear(&store->shapes);
    cf_table_clear(&store->shape_index);
    cf_names_clear(&store->names);
    cf_heap_clear(&store->heap);
    if (store->lock != NULL)
        pthread_rwlock_destroy(store->lock);
    free(store->lock);
    free(store->fresh);
    free(store);
}

void cf_store_lock(const struct cf_store *store)
{
    pthread_rwlock_rdlock(store->lock);
}

void cf_store_unlock(const struct cf_store *store)
{
    pthread_rwlock_unlock(store->lock);
}

struct cf_store_counts cf_store_counts(const struct cf_store *store)
{
    struct cf_store_counts counts;

    cf_store_lock(store);
    counts = (struct cf_store_counts){
        .namespaces = store->known[CF_ITEM_NAMESPACE],
        .secrets = store->known[CF_ITEM_SECRET],
        .accounts = store->known[CF_ITEM_ACCOUNT],
        .pods = store->known[CF_ITEM_POD],
    };
    cf_store_unlock(store);
    return counts;
}
