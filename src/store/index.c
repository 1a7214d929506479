/* SPDX-License-Identifier: Apache-2.0 */
/* index.c - items by kind, namespace and name: finding them and counting references to them. */
#include <string.h>

#include "store_private.h"

void cf_items_init(struct cf_store *store)
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
