/* SPDX-License-Identifier: Apache-2.0 */
/* pod_refs.c - what one pod refers to, bound or not. */
#include "curfew/refs.h"
#include "curfew/str.h"
#include "store_private.h"

static void add(const struct cf_store *store, struct cf_arena *arena, enum cf_edge edge,
                enum cf_item_kind kind, uint32_t id, struct cf_store_ref *out)
{
    const struct cf_item_head *item = cf_item_at(store, kind, id);

    out->edge = edge;
    out->namespace = cf_str_or_empty(cf_arena_strdup(arena, cf_text_at(store, item->namespace)));
    out->name = cf_str_or_empty(cf_arena_strdup(arena, cf_text_at(store, item->name)));
}

size_t cf_store_pod_refs(const struct cf_store *store, struct cf_arena *arena,
                         const char *namespace, const char *name, struct cf_store_ref **out)
{
    uint32_t id = cf_item_find(store, CF_ITEM_POD, namespace, name);
    const struct cf_item_pod *pod = id != 0 ? cf_item_at(store, CF_ITEM_POD, id) : NULL;
    const struct cf_shape *shape = pod != NULL ? cf_shape_at(store, pod->shape) : NULL;
    const struct cf_list *claims = pod != NULL ? cf_list_at(store, pod->claims) : NULL;
    const uint32_t *words = shape != NULL ? cf_shape_words(store, shape) : NULL;
    struct cf_store_ref *refs;
    size_t n = 0;

    *out = NULL;
    if (shape == NULL)
        return 0;
    refs = cf_arena_array(arena, shape->key.secrets + shape->key.maps + claims->count + 1,
                          sizeof(*refs));
    if (refs == NULL)
        return 0;
    for (uint32_t i = 0; i < shape->key.secrets; i++, words += CF_SECRET_WORDS)
        add(store, arena, CF_EDGE_SECRET, CF_ITEM_SECRET, words[0] >> CF_VIA_BITS, &refs[n++]);
    for (uint32_t i = 0; i < shape->key.maps; i++, words++)
        add(store, arena, CF_EDGE_CONFIG_MAP, CF_ITEM_CONFIG_MAP, words[0], &refs[n++]);
    for (uint32_t i = 0; i < claims->count; i++)
        add(store, arena, CF_EDGE_CLAIM, CF_ITEM_CLAIM, claims->id[i], &refs[n++]);
    *out = refs;
    return n;
}
