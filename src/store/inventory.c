/* SPDX-License-Identifier: Apache-2.0 */
/* inventory.c - legacy Secrets by namespace, and the pods that name one. */
#include <stdlib.h>
#include <string.h>

#include "curfew/attr.h"
#include "curfew/limits.h"
#include "store_private.h"

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

/* Their names, since a namespace may go while others are looked at. */
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
    uint32_t id = cf_item_find(store, CF_ITEM_NAMESPACE, "", name);
    const struct cf_item_namespace *ns = id != 0 ? cf_item_at(store, CF_ITEM_NAMESPACE, id) : NULL;

    if (ns == NULL || !has_legacy(ns))
        return false;
    *row = (struct cf_store_inventory){name, ns->legacy_used, ns->legacy_unused, ns->legacy_invalid,
                                       0};
    for (uint32_t at = ns->first_shape; at != 0; at = cf_shape_at(store, at)->next) {
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
