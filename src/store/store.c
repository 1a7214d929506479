/* SPDX-License-Identifier: Apache-2.0 */
/* store.c - the store as a whole: its lifetime, its lock, its items, its freshness, its
 * inventory.
 *
 * The store is an index of a cluster: which pod runs on which node, as which account, and what it
 * refers to. It holds no objects. An object is read into facts (read.c), the facts change the index
 * (write.c, graph.c), and the object is dropped.
 *
 *      namespace <------ shape ------> account
 *       levels,         ^   |
 *       counts          |   +--------> Secret, ConfigMap, (token sources)
 *                       |
 *      node <--------- pod ----------> claim <------ volume ------> Secret
 *
 * Each name above is an item: a fixed-size record in a slab, found by (kind, namespace, name) in a
 * hash table. An edge is the 32-bit id of a record. Strings are interned: each is stored once, with
 * a reference count, and is compared by its id. Where many records point to one (the pods of a
 * node, of a shape; the volumes of a claim; the shapes of a namespace), a list runs through them,
 * so both directions are walked without a search. An item that something refers to exists even when
 * its object does not: a pod may name a Secret that is created later.
 *
 * Pods of one template differ in little. What they share is a shape, stored once: 150,000 pods have
 * some 30,000 shapes, and a pod itself costs its name, its uid, its node and its claims. Counters
 * beside the edges (`bound`, `via`) hold how many references of pods on nodes there are in all, so
 * a query for one node walks the pods of that node and no others.
 *
 * One read-write lock prefers writers. A writer reads its objects before it takes the lock and
 * applies at most CF_STORE_BATCH changes under it. A review takes the read lock once, copies what
 * its rules need (states of Secrets, levels, pods, reach) as strings and numbers into its own
 * arena, and drops the lock before any rule runs: no id and no pointer into the store leaves the
 * lock, and no I/O happens under it.
 *
 * Freshness is apart from the lock, in atomics: for each resource whether it was listed once and
 * when its watch had the last contact with the API server. What the store lacks does not exist only
 * while the resource is fresh; otherwise it is unknown, and the policy's lookupFailure decides. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "curfew/attr.h"
#include "curfew/limits.h"
#include "curfew/time.h"
#include "store_private.h"

/* ---- items, found by kind, namespace and name ---- */

static void items_init(struct cf_store *store)
{
    static const size_t sizes[CF_ITEM_KINDS] = {
        [CF_ITEM_NAMESPACE] = sizeof(struct cf_item_namespace),
        [CF_ITEM_SECRET] = sizeof(struct cf_item_secret),
        [CF_ITEM_ACCOUNT] = sizeof(struct cf_target),
        [CF_ITEM_POD] = sizeof(struct cf_item_pod),
        [CF_ITEM_CLAIM] = sizeof(struct cf_item_claim),
        [CF_ITEM_VOLUME] = sizeof(struct cf_item_volume),
        [CF_ITEM_CONFIG_MAP] = sizeof(struct cf_target),
        [CF_ITEM_NODE] = sizeof(struct cf_item_node),
    };

    for (int kind = 0; kind < CF_ITEM_KINDS; kind++)
        cf_slab_init(&store->items[kind], sizes[kind]);
}

/* ---- finding ---- */

struct item_query {
    const struct cf_store *store;
    enum cf_item_kind kind;
    uint32_t name[2];
};

static bool same_item(uint32_t id, const void *arg)
{
    const struct item_query *query = arg;
    const struct cf_item_head *item = cf_item_at(query->store, query->kind, id);

    return item->namespace == query->name[0] && item->name == query->name[1];
}

static uint32_t hash_item(const struct cf_store *store, uint32_t namespace, uint32_t name)
{
    return cf_hash_numbers(store->names.key[0], (const uint32_t[]){namespace, name}, 2);
}

static uint32_t find_item(const struct cf_store *store, enum cf_item_kind kind, uint32_t namespace,
                          uint32_t name)
{
    struct item_query query = {store, kind, {namespace, name}};

    return cf_table_find(&store->index[kind], hash_item(store, namespace, name), same_item, &query);
}

uint32_t cf_item_find(const struct cf_store *store, enum cf_item_kind kind, const char *namespace,
                      const char *name)
{
    uint32_t ns = 0, text = cf_names_find(&store->names, name);

    if (namespace[0] != '\0' && (ns = cf_names_find(&store->names, namespace)) == 0)
        return 0;
    return text != 0 ? find_item(store, kind, ns, text) : 0;
}

const struct cf_item_namespace *cf_namespace_find(const struct cf_store *store, const char *name)
{
    uint32_t id = cf_item_find(store, CF_ITEM_NAMESPACE, "", name);

    return id != 0 ? cf_namespace_at(store, id) : NULL;
}

/* ---- references ---- */

static uint32_t make_item(struct cf_store *store, enum cf_item_kind kind, uint32_t namespace,
                          uint32_t name)
{
    uint32_t id = cf_slab_new(&store->items[kind]);
    struct cf_item_head *item;

    if (id == 0)
        return 0;
    if (cf_table_add(&store->index[kind], hash_item(store, namespace, name), id) != 0) {
        cf_slab_free(&store->items[kind], id);
        return 0;
    }
    item = cf_item_at(store, kind, id);
    item->namespace = namespace;
    item->name = name;
    cf_names_ref(&store->names, namespace);
    cf_names_ref(&store->names, name);
    if (kind == CF_ITEM_NAMESPACE)
        memset(cf_namespace_at(store, id)->label, CF_NO_LABEL, CF_MODES);
    return id;
}

uint32_t cf_item_ref(struct cf_store *store, enum cf_item_kind kind, const char *namespace,
                     const char *name)
{
    uint32_t ns = namespace[0] != '\0' ? cf_names_add(&store->names, namespace) : 0;
    uint32_t text = cf_names_add(&store->names, name), id = 0;

    if (text != 0 && (ns != 0 || namespace[0] == '\0')) {
        id = find_item(store, kind, ns, text);
        if (id == 0)
            id = make_item(store, kind, ns, text);
    }
    cf_names_unref(&store->names, ns);
    cf_names_unref(&store->names, text);
    if (id != 0)
        ((struct cf_item_head *)cf_item_at(store, kind, id))->refs++;
    return id;
}

void cf_item_unref(struct cf_store *store, enum cf_item_kind kind, uint32_t id)
{
    struct cf_item_head *item;

    if (id == 0)
        return;
    item = cf_item_at(store, kind, id);
    if (--item->refs > 0 || item->known)
        return;
    cf_table_drop(&store->index[kind], hash_item(store, item->namespace, item->name), id);
    cf_names_unref(&store->names, item->namespace);
    cf_names_unref(&store->names, item->name);
    cf_slab_free(&store->items[kind], id);
}

void cf_item_know(struct cf_store *store, enum cf_item_kind kind, uint32_t id, bool known)
{
    struct cf_item_head *item = cf_item_at(store, kind, id);

    if (known && !item->known)
        store->known[kind]++;
    else if (!known && item->known)
        store->known[kind]--;
    item->known = known;
    if (known)
        item->mark = store->mark[kind];
}

/* ---- arrays of ids ---- */

uint32_t cf_ids_new(struct cf_store *store, const uint32_t *ids, size_t count)
{
    uint32_t id = count > 0 ? cf_heap_new(&store->heap, (count + 1) * sizeof(uint32_t)) : 0;
    struct cf_ids *array;

    if (id == 0)
        return 0;
    array = cf_heap_at(&store->heap, id);
    array->count = (uint32_t)count;
    memcpy(array->id, ids, count * sizeof(uint32_t));
    return id;
}

const struct cf_ids *cf_ids_at(const struct cf_store *store, uint32_t id)
{
    static const struct cf_ids empty = {0};

    return id != 0 ? cf_heap_at(&store->heap, id) : &empty;
}

/* ---- the store ---- */

static pthread_rwlock_t *lock_new(void)
{
    pthread_rwlock_t *lock = calloc(1, sizeof(*lock));
    pthread_rwlockattr_t attr;
    int rc;

    if (lock == NULL || pthread_rwlockattr_init(&attr) != 0) {
        free(lock);
        return NULL;
    }
    /* No thread locks it twice; and readers must not starve a watch, or the store gets stale. */
    pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    rc = pthread_rwlock_init(lock, &attr);
    pthread_rwlockattr_destroy(&attr);
    if (rc == 0)
        return lock;
    free(lock);
    return NULL;
}

static void init_freshness(struct cf_freshness *fresh)
{
    for (int i = 0; i < CF_RESOURCES; i++) {
        atomic_init(&fresh->contact[i], -1);
        atomic_init(&fresh->synced[i], false);
        atomic_init(&fresh->expected[i], true);
    }
    atomic_init(&fresh->minor, 0);
}

struct cf_store *cf_store_new(enum cf_store_absent absent)
{
    struct cf_store *store = calloc(1, sizeof(*store));

    if (store == NULL)
        return NULL;
    store->absent = absent;
    cf_heap_init(&store->heap);
    cf_names_init(&store->names, &store->heap);
    items_init(store);
    cf_slab_init(&store->shapes, sizeof(struct cf_shape));
    store->lock = lock_new();
    store->fresh = calloc(1, sizeof(*store->fresh));
    if (store->lock == NULL || store->fresh == NULL) {
        cf_store_free(store);
        return NULL;
    }
    init_freshness(store->fresh);
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

/* ---- freshness ---- */

#define MICROS_PER_SECOND 1000000

const char *cf_resource_name(enum cf_resource resource)
{
    static const char *const names[CF_RESOURCES] = {
        [CF_NAMESPACES] = "namespaces",         [CF_SECRETS] = "secrets",
        [CF_ACCOUNTS] = "serviceaccounts",      [CF_PODS] = "pods",
        [CF_CLAIMS] = "persistentvolumeclaims", [CF_VOLUMES] = "persistentvolumes",
    };

    return names[resource];
}

/* A resource has one watch, but calls may come in another order than their clock readings. */
void cf_store_refreshed(struct cf_store *store, enum cf_resource resource, int64_t monotonic_micros)
{
    _Atomic int64_t *contact = &store->fresh->contact[resource];
    int64_t before = atomic_load(contact);

    while (before < monotonic_micros &&
           !atomic_compare_exchange_weak(contact, &before, monotonic_micros))
        ;
}

void cf_store_expect(struct cf_store *store, enum cf_resource resource, bool expected)
{
    atomic_store(&store->fresh->expected[resource], expected);
}

bool cf_store_expected(const struct cf_store *store, enum cf_resource resource)
{
    return atomic_load(&store->fresh->expected[resource]);
}

/* Microseconds; -1: never. Reads the clock first: a later contact has age 0. */
static int64_t age_of(const struct cf_freshness *fresh, enum cf_resource resource)
{
    int64_t now = cf_monotonic_micros();
    int64_t contact = atomic_load(&fresh->contact[resource]);

    if (contact < 0)
        return -1;
    return contact < now ? now - contact : 0;
}

bool cf_store_fresh(const struct cf_store *store, enum cf_resource resource, int64_t stale_after)
{
    const struct cf_freshness *fresh = store->fresh;
    int64_t micros;

    if (store->absent != CF_ABSENT_DEPENDS)
        return true;
    if (!atomic_load(&fresh->expected[resource]) || !atomic_load(&fresh->synced[resource]))
        return false;
    micros = age_of(fresh, resource);
    return micros >= 0 && micros / MICROS_PER_SECOND < stale_after;
}

bool cf_store_synced(const struct cf_store *store)
{
    if (store->absent != CF_ABSENT_DEPENDS)
        return true;
    for (int i = 0; i < CF_RESOURCES; i++) {
        if (atomic_load(&store->fresh->expected[i]) && !atomic_load(&store->fresh->synced[i]))
            return false;
    }
    return true;
}

int64_t cf_store_age(const struct cf_store *store, enum cf_resource resource)
{
    if (store->absent != CF_ABSENT_DEPENDS || !atomic_load(&store->fresh->expected[resource]))
        return -1;
    return age_of(store->fresh, resource);
}

/* A major version above 1 counts as newer than every 1.x. */
void cf_store_set_server_version(struct cf_store *store, unsigned major, unsigned minor)
{
    atomic_store(&store->fresh->minor, major > 1 ? UINT_MAX : major == 1 ? minor : 0);
}

unsigned cf_store_server_minor(const struct cf_store *store)
{
    return atomic_load(&store->fresh->minor);
}

/* ---- inventory ---- */

static bool names_legacy(const struct cf_store *store, const struct cf_shape *shape)
{
    const uint32_t *words = cf_shape_words(store, shape);

    for (uint32_t i = 0; i < shape->key.secrets; i++) {
        const struct cf_item_head *secret =
            cf_item_at(store, CF_ITEM_SECRET, words[i * CF_SECRET_WORDS] >> CF_VIA_BITS);

        if ((secret->flags & CF_FLAG_LEGACY) != 0)
            return true;
    }
    return false;
}

static bool has_legacy(const struct cf_item_namespace *ns)
{
    return ns->legacy_used + ns->legacy_unused + ns->legacy_invalid > 0;
}

/* Names, not ids: a namespace may be deleted while the lock is not held. */
static const char **copy_names(const struct cf_store *store, struct cf_arena *arena, size_t *count)
{
    const struct cf_slab *namespaces = &store->items[CF_ITEM_NAMESPACE];
    const char **names = cf_arena_array(arena, (size_t)namespaces->used + 1, sizeof(*names));

    *count = 0;
    for (uint32_t id = 0; names != NULL && (id = cf_slab_next(namespaces, id)) != 0;) {
        const struct cf_item_namespace *ns = cf_item_at(store, CF_ITEM_NAMESPACE, id);

        if (!has_legacy(ns))
            continue;
        names[*count] = cf_arena_strdup(arena, cf_text_at(store, ns->item.name));
        if (names[*count] != NULL)
            (*count)++;
    }
    return names;
}

static bool fill_row(const struct cf_store *store, const char *name, struct cf_store_inventory *row)
{
    const struct cf_item_namespace *ns = cf_namespace_find(store, name);

    if (ns == NULL || !has_legacy(ns))
        return false;
    *row = (struct cf_store_inventory){name, ns->legacy_used, ns->legacy_unused, ns->legacy_invalid,
                                       0};
    for (uint32_t at = ns->first_shape; at != 0; at = cf_shape_at(store, at)->of_namespace.next) {
        if (names_legacy(store, cf_shape_at(store, at)))
            row->pods_mounting += cf_shape_at(store, at)->pods;
    }
    return true;
}

void cf_store_inventory(const struct cf_store *store,
                        void (*visit)(const struct cf_store_inventory *row, void *arg), void *arg)
{
    CF_CLEANUP(cf_arena_cleanup) struct cf_arena *arena = cf_arena_new(CF_ARENA_MAX);
    const char **names;
    size_t count;

    if (arena == NULL)
        return;
    cf_store_lock(store);
    names = copy_names(store, arena, &count);
    cf_store_unlock(store);
    for (size_t i = 0; i < count; i++) {
        struct cf_store_inventory row;
        bool there;

        cf_store_lock(store);
        there = fill_row(store, names[i], &row);
        cf_store_unlock(store);
        if (there)
            visit(&row, arg);
    }
}
