/* SPDX-License-Identifier: Apache-2.0 */
/* query.c - what a review queries about single objects, under the read lock. */
#include "curfew/refs.h"
#include "curfew/str.h"
#include "store_private.h"

/* The state of a Secret that the store lacks. */
static enum cf_secret_state absent_state(const struct cf_store *store, int64_t stale_after)
{
    if (store->absent == CF_ABSENT_IS_UNKNOWN || !cf_store_fresh(store, CF_SECRETS, stale_after))
        return CF_SECRET_UNKNOWN;
    return CF_SECRET_PLAIN;
}

void cf_store_secret(const struct cf_store *store, struct cf_arena *arena, const char *namespace,
                     const char *name, int64_t stale_after, struct cf_secret_facts *out)
{
    uint32_t id = cf_item_find(store, CF_ITEM_SECRET, namespace, name);
    const struct cf_item_secret *secret = id != 0 ? cf_secret_at(store, id) : NULL;

    out->owner = NULL;
    if (secret == NULL || !secret->target.item.known) {
        out->state = absent_state(store, stale_after);
        return;
    }
    out->state =
        (secret->target.item.flags & CF_FLAG_LEGACY) != 0 ? CF_SECRET_LEGACY : CF_SECRET_PLAIN;
    if (secret->owner != 0)
        out->owner = cf_arena_strdup(arena, cf_text_at(store, secret->owner));
}

bool cf_store_restricted(const struct cf_store *store, const char *namespace, const char *name)
{
    uint32_t id = cf_item_find(store, CF_ITEM_ACCOUNT, namespace, name);

    return id != 0 && (cf_account_at(store, id)->flags & CF_FLAG_RESTRICTED) != 0;
}

static struct cf_levels levels_of(const struct cf_item_namespace *ns,
                                  const struct cf_policy *policy)
{
    struct cf_levels levels = policy->defaults;

    for (int mode = 0; ns != NULL && mode < CF_MODES; mode++) {
        if (ns->label[mode] != CF_NO_LABEL)
            levels.mode[mode] = (enum cf_level)ns->label[mode];
    }
    if (policy->fix_follows_enforce && (ns == NULL || ns->label[CF_FIX] == CF_NO_LABEL))
        levels.mode[CF_FIX] = levels.mode[CF_ENFORCE];
    return levels;
}

struct cf_levels cf_store_levels(const struct cf_store *store, const struct cf_policy *policy,
                                 const char *namespace)
{
    return levels_of(cf_str_empty(namespace) ? NULL : cf_namespace_find(store, namespace), policy);
}

struct cf_store_totals cf_store_totals(const struct cf_store *store, const struct cf_policy *policy)
{
    struct cf_store_totals totals = {.accounts_restricted = 0};
    const struct cf_slab *namespaces = &store->items[CF_ITEM_NAMESPACE];

    cf_store_lock(store);
    totals.accounts_restricted = store->accounts_restricted;
    for (uint32_t id = 0; (id = cf_slab_next(namespaces, id)) != 0;) {
        const struct cf_item_namespace *ns = cf_namespace_at(store, id);
        struct cf_levels levels = levels_of(ns, policy);

        for (int mode = 0; ns->item.known && mode < CF_MODES; mode++)
            totals.namespaces[mode][levels.mode[mode]]++;
    }
    cf_store_unlock(store);
    return totals;
}

/* ---- pods ---- */

const char *cf_text_copy(const struct cf_store *store, struct cf_arena *arena, uint32_t id)
{
    return id != 0 ? cf_str_or_empty(cf_arena_strdup(arena, cf_text_at(store, id))) : "";
}

void cf_store_copy_pod(const struct cf_store *store, struct cf_arena *arena, uint32_t id,
                       struct cf_store_pod *out)
{
    const struct cf_item_pod *pod = cf_pod_at(store, id);
    const struct cf_shape *shape = cf_shape_at(store, pod->shape);
    char uid[40];

    out->namespace = cf_text_copy(store, arena, pod->item.namespace);
    out->name = cf_text_copy(store, arena, pod->item.name);
    out->uid = cf_str_or_empty(cf_arena_strdup(arena, cf_uid_text(&store->names, &pod->uid, uid)));
    out->node =
        pod->node != 0 ? cf_text_copy(store, arena, cf_node_at(store, pod->node)->item.name) : "";
    out->account = cf_text_copy(store, arena, cf_account_at(store, shape->key.account)->name);
    out->workload =
        shape->key.workload != 0 ? cf_text_copy(store, arena, shape->key.workload) : out->name;
    out->mirror = shape->key.mirror != 0;
}

bool cf_store_pod(const struct cf_store *store, struct cf_arena *arena, const char *namespace,
                  const char *name, struct cf_store_pod *out)
{
    uint32_t id = cf_item_find(store, CF_ITEM_POD, namespace, name);

    if (id == 0)
        return false;
    cf_store_copy_pod(store, arena, id, out);
    return true;
}

/* All pods of one shape name it, or none does. */
size_t cf_store_pods_of_secret(const struct cf_store *store, struct cf_arena *arena,
                               const char *namespace, const char *secret, size_t max,
                               struct cf_store_pod **out)
{
    uint32_t wanted = cf_item_find(store, CF_ITEM_SECRET, namespace, secret);
    const struct cf_item_namespace *ns = cf_namespace_find(store, namespace);
    size_t count = 0, copied = 0;

    *out = NULL;
    if (wanted == 0 || ns == NULL)
        return 0;
    *out = cf_arena_array(arena, max < ns->pods ? max : ns->pods, sizeof(**out));
    for (uint32_t at = ns->first_shape; at != 0; at = cf_shape_at(store, at)->of_namespace.next) {
        const struct cf_shape *shape = cf_shape_at(store, at);

        if (cf_shape_names_secret(store, shape, wanted) == 0)
            continue;
        count += shape->pods;
        for (uint32_t pod = shape->first_pod; pod != 0 && copied < max && *out != NULL;
             pod = cf_pod_at(store, pod)->of_shape.next)
            cf_store_copy_pod(store, arena, pod, &(*out)[copied++]);
    }
    return count;
}

/* ---- what one pod refers to, bound or not ---- */

static void add_pod_ref(const struct cf_store *store, struct cf_arena *arena, enum cf_edge edge,
                        enum cf_item_kind kind, uint32_t id, struct cf_store_ref *out)
{
    const struct cf_item_head *item = cf_item_at(store, kind, id);

    out->edge = edge;
    out->namespace = cf_text_copy(store, arena, item->namespace);
    out->name = cf_text_copy(store, arena, item->name);
}

size_t cf_store_pod_refs(const struct cf_store *store, struct cf_arena *arena,
                         const char *namespace, const char *name, struct cf_store_ref **out)
{
    uint32_t id = cf_item_find(store, CF_ITEM_POD, namespace, name);
    const struct cf_item_pod *pod = id != 0 ? cf_pod_at(store, id) : NULL;
    const struct cf_shape *shape = pod != NULL ? cf_shape_at(store, pod->shape) : NULL;
    const struct cf_ids *claims = pod != NULL ? cf_ids_at(store, pod->claims) : NULL;
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
        add_pod_ref(store, arena, CF_EDGE_SECRET, CF_ITEM_SECRET, words[0] >> CF_VIA_BITS,
                    &refs[n++]);
    for (uint32_t i = 0; i < shape->key.maps; i++, words++)
        add_pod_ref(store, arena, CF_EDGE_CONFIG_MAP, CF_ITEM_CONFIG_MAP, words[0], &refs[n++]);
    for (uint32_t i = 0; i < claims->count; i++)
        add_pod_ref(store, arena, CF_EDGE_CLAIM, CF_ITEM_CLAIM, claims->id[i], &refs[n++]);
    *out = refs;
    return n;
}

/* ---- reach: which nodes' pods refer to an object ----
 *
 * The references of the pods on the node, compared with those of all pods. A node has some 30 pods,
 * and the graph keeps the sum over all nodes, so the cost does not grow with the cluster: not for a
 * ConfigMap that every pod of a namespace names, nor for a Secret that every volume needs. */

static size_t count_id(const struct cf_ids *list, uint32_t id)
{
    size_t count = 0;

    for (uint32_t i = 0; i < list->count; i++)
        count += list->id[i] == id;
    return count;
}

/* How often the volumes of a claim name the Secret. */
static size_t count_volume_refs(const struct cf_store *store, uint32_t claim, uint32_t secret)
{
    size_t count = 0;

    for (uint32_t v = cf_claim_at(store, claim)->first_volume; v != 0;
         v = cf_volume_at(store, v)->of_claim.next) {
        if ((cf_volume_at(store, v)->item.flags & CF_FLAG_LINKED) != 0)
            count += count_id(cf_ids_at(store, cf_volume_at(store, v)->secrets), secret);
    }
    return count;
}

/* How often the pod refers to the item. */
static size_t count_refs(const struct cf_store *store, const struct cf_item_pod *pod,
                         enum cf_edge edge, uint32_t id)
{
    const struct cf_shape *shape = cf_shape_at(store, pod->shape);
    const struct cf_ids *claims = cf_ids_at(store, pod->claims);
    size_t count;

    if (shape->key.mirror)
        return 0;
    switch (edge) {
    case CF_EDGE_SECRET:
        count = cf_shape_names_secret(store, shape, id);
        for (uint32_t i = 0; i < claims->count; i++)
            count += count_volume_refs(store, claims->id[i], id);
        return count;
    case CF_EDGE_CONFIG_MAP:
        return cf_shape_names_map(store, shape, id);
    case CF_EDGE_ACCOUNT:
        return shape->key.account == id;
    case CF_EDGE_CLAIM:
    case CF_EDGE_VOLUME: /* never here: reach_of_volume() queries its claim */
        break;
    }
    return count_id(claims, id);
}

static size_t count_refs_on(const struct cf_store *store, uint32_t node, enum cf_edge edge,
                            uint32_t id)
{
    uint32_t at = node != 0 ? cf_node_at(store, node)->first_pod : 0;
    size_t count = 0;

    while (at != 0) {
        const struct cf_item_pod *pod = cf_pod_at(store, at);

        count += count_refs(store, pod, edge, id);
        at = pod->of_node.next;
    }
    return count;
}

static enum cf_reach reach_of(const struct cf_store *store, enum cf_edge edge,
                              enum cf_item_kind kind, uint32_t id, const char *node)
{
    const struct cf_target *target = cf_item_at(store, kind, id);
    size_t all = target->bound, own;

    if (kind == CF_ITEM_SECRET)
        all += cf_secret_at(store, id)->via;
    if (all == 0)
        return CF_REACH_NONE;
    own = count_refs_on(store, cf_item_find(store, CF_ITEM_NODE, "", node), edge, id);
    if (own == 0)
        return CF_REACH_NONE;
    return all > own ? CF_REACH_SHARED : CF_REACH_OWN;
}

/* Through its claim; a volume that only one node can use also belongs to that node. */
static enum cf_reach reach_of_volume(const struct cf_store *store, uint32_t id, const char *node)
{
    const struct cf_item_volume *volume = cf_volume_at(store, id);
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
