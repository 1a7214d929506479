/* SPDX-License-Identifier: Apache-2.0 */
/* reach.c - whether something belongs to a node: the references of the node's own pods, held
 * against all there are.
 *
 * A node has some 30 pods, and the sum over all nodes is kept up to date by the graph: so neither a
 * ConfigMap that every pod of a namespace names nor a Secret that every volume needs costs more. */
#include "curfew/str.h"
#include "store_private.h"

static const struct cf_item_volume *volume_at(const struct cf_store *store, uint32_t id)
{
    return cf_item_at(store, CF_ITEM_VOLUME, id);
}

static size_t count_in(const struct cf_list *list, uint32_t id)
{
    size_t count = 0;

    for (uint32_t i = 0; i < list->count; i++)
        count += list->id[i] == id;
    return count;
}

/* How often the volumes behind a claim name the Secret. */
static size_t secret_behind(const struct cf_store *store, uint32_t claim, uint32_t secret)
{
    const struct cf_item_claim *item = cf_item_at(store, CF_ITEM_CLAIM, claim);
    size_t count = 0;

    for (uint32_t v = item->first_volume; v != 0; v = volume_at(store, v)->next) {
        if ((volume_at(store, v)->item.flags & CF_FLAG_LINKED) != 0)
            count += count_in(cf_list_at(store, volume_at(store, v)->secrets), secret);
    }
    return count;
}

/* How often the pod refers to the item. */
static size_t refers(const struct cf_store *store, const struct cf_item_pod *pod, enum cf_edge edge,
                     uint32_t id)
{
    const struct cf_shape *shape = cf_shape_at(store, pod->shape);
    const struct cf_list *claims = cf_list_at(store, pod->claims);
    size_t count;

    if (shape->key.mirror)
        return 0;
    switch (edge) {
    case CF_EDGE_SECRET:
        count = cf_shape_names_secret(store, shape, id);
        for (uint32_t i = 0; i < claims->count; i++)
            count += secret_behind(store, claims->id[i], id);
        return count;
    case CF_EDGE_CONFIG_MAP:
        return cf_shape_names_map(store, shape, id);
    case CF_EDGE_ACCOUNT:
        return shape->key.account == id;
    case CF_EDGE_CLAIM:
    case CF_EDGE_VOLUME: /* asked by its claim */
        break;
    }
    return count_in(claims, id);
}

static size_t refers_on(const struct cf_store *store, uint32_t node, enum cf_edge edge, uint32_t id)
{
    const struct cf_item_node *item = node != 0 ? cf_item_at(store, CF_ITEM_NODE, node) : NULL;
    size_t count = 0;

    for (uint32_t at = item != NULL ? item->first_pod : 0; at != 0;) {
        const struct cf_item_pod *pod = cf_item_at(store, CF_ITEM_POD, at);

        count += refers(store, pod, edge, id);
        at = pod->node_next;
    }
    return count;
}

static enum cf_reach reach_of(const struct cf_store *store, enum cf_edge edge,
                              enum cf_item_kind kind, uint32_t id, const char *node)
{
    const struct cf_target *target = cf_item_at(store, kind, id);
    size_t all = target->bound, own;

    if (kind == CF_ITEM_SECRET)
        all += ((const struct cf_item_secret *)(const void *)target)->via;
    if (all == 0)
        return CF_REACH_NONE;
    own = refers_on(store, cf_item_find(store, CF_ITEM_NODE, "", node), edge, id);
    if (own == 0)
        return CF_REACH_NONE;
    return all > own ? CF_REACH_SHARED : CF_REACH_OWN;
}

/* Through its claim; and what can be used on one node alone is that node's. */
static enum cf_reach reach_of_volume(const struct cf_store *store, uint32_t id, const char *node)
{
    const struct cf_item_volume *volume = volume_at(store, id);
    enum cf_reach reach = CF_REACH_NONE;

    if ((volume->item.flags & CF_FLAG_LINKED) != 0)
        reach = reach_of(store, CF_EDGE_CLAIM, CF_ITEM_CLAIM, volume->claim, node);
    if (reach == CF_REACH_NONE && volume->node != 0 &&
        cf_streq(cf_text_at(store, volume->node), node))
        reach = CF_REACH_OWN;
    return reach;
}

enum cf_reach cf_store_reach(const struct cf_store *store, enum cf_edge edge, const char *namespace,
                             const char *name, const char *node)
{
    static const enum cf_item_kind kinds[] = {
        [CF_EDGE_SECRET] = CF_ITEM_SECRET,   [CF_EDGE_CONFIG_MAP] = CF_ITEM_CONFIG_MAP,
        [CF_EDGE_CLAIM] = CF_ITEM_CLAIM,     [CF_EDGE_VOLUME] = CF_ITEM_VOLUME,
        [CF_EDGE_ACCOUNT] = CF_ITEM_ACCOUNT,
    };
    uint32_t id = cf_item_find(store, kinds[edge], edge == CF_EDGE_VOLUME ? "" : namespace, name);

    if (id == 0 || cf_str_empty(node))
        return CF_REACH_NONE;
    if (edge == CF_EDGE_VOLUME)
        return reach_of_volume(store, id, node);
    return reach_of(store, edge, kinds[edge], id, node);
}
