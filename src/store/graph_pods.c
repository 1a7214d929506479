/* SPDX-License-Identifier: Apache-2.0 */
/* graph_pods.c - a pod comes, is bound, changes, goes. */
#include <stdlib.h>
#include <string.h>

#include "curfew/str.h"
#include "store_private.h"
#include "read.h"

/* What a pod holds: gathered first, so that nothing has changed when memory runs out. */
struct pod_parts {
    struct cf_uid uid;
    uint32_t shape, node, claims;
};

static struct cf_item_pod *pod_at(const struct cf_store *store, uint32_t id)
{
    return cf_item_at(store, CF_ITEM_POD, id);
}

static struct cf_item_node *node_at(const struct cf_store *store, uint32_t id)
{
    return cf_item_at(store, CF_ITEM_NODE, id);
}

/* ---- holding ---- */

static void let_go_claims(struct cf_store *store, uint32_t list)
{
    const struct cf_list *claims = cf_list_at(store, list);

    for (uint32_t i = 0; i < claims->count; i++)
        cf_item_unref(store, CF_ITEM_CLAIM, claims->id[i]);
    cf_heap_free(&store->heap, list);
}

static void let_go_parts(struct cf_store *store, const struct pod_parts *parts)
{
    cf_uid_unref(store, &parts->uid);
    cf_shape_unref(store, parts->shape);
    cf_item_unref(store, CF_ITEM_NODE, parts->node);
    let_go_claims(store, parts->claims);
}

static int by_id(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

static bool hold_claims(struct cf_store *store, struct cf_arena *arena,
                        const struct cf_pod_facts *facts, uint32_t *list)
{
    uint32_t *ids = cf_arena_array(arena, facts->ref_count + 1, sizeof(*ids));
    size_t count = 0;
    bool failed = ids == NULL;

    for (size_t i = 0; i < facts->ref_count && !failed; i++) {
        if (facts->refs[i].what != CF_REF_CLAIM)
            continue;
        ids[count] = cf_item_ref(store, CF_ITEM_CLAIM, facts->namespace, facts->refs[i].name);
        failed = ids[count] == 0;
        count += !failed;
    }
    if (count == 0)
        return !failed;
    qsort(ids, count, sizeof(*ids), by_id);
    *list = failed ? 0 : cf_list_new(store, ids, count);
    for (size_t i = 0; *list == 0 && i < count; i++)
        cf_item_unref(store, CF_ITEM_CLAIM, ids[i]);
    return *list != 0;
}

static bool hold_parts(struct cf_store *store, struct cf_arena *arena, const struct cf_facts *facts,
                       struct pod_parts *parts)
{
    const struct cf_pod_facts *pod = &facts->pod;

    if (!cf_str_empty(pod->node) &&
        (parts->node = cf_item_ref(store, CF_ITEM_NODE, "", pod->node)) == 0)
        return false;
    if (!cf_uid_ref(store, facts->uid, &parts->uid))
        return false;
    /* A mirror pod has no edge to a claim. */
    if (!pod->mirror && !hold_claims(store, arena, pod, &parts->claims))
        return false;
    parts->shape = cf_shape_of(store, arena, pod);
    return parts->shape != 0;
}

/* ---- linking ---- */

static void join_shape(struct cf_store *store, uint32_t id)
{
    struct cf_item_pod *pod = pod_at(store, id);
    struct cf_shape *shape = cf_shape_at(store, pod->shape);

    pod->shape_prev = 0;
    pod->shape_next = shape->first_pod;
    if (shape->first_pod != 0)
        pod_at(store, shape->first_pod)->shape_prev = id;
    shape->first_pod = id;
    shape->pods++;
    ((struct cf_item_namespace *)cf_item_at(store, CF_ITEM_NAMESPACE, shape->key.namespace))
        ->pods++;
}

static void leave_shape(struct cf_store *store, const struct cf_item_pod *pod)
{
    struct cf_shape *shape = cf_shape_at(store, pod->shape);

    if (pod->shape_prev != 0)
        pod_at(store, pod->shape_prev)->shape_next = pod->shape_next;
    else
        shape->first_pod = pod->shape_next;
    if (pod->shape_next != 0)
        pod_at(store, pod->shape_next)->shape_prev = pod->shape_prev;
    shape->pods--;
    ((struct cf_item_namespace *)cf_item_at(store, CF_ITEM_NAMESPACE, shape->key.namespace))
        ->pods--;
}

static void join_node(struct cf_store *store, uint32_t id)
{
    struct cf_item_pod *pod = pod_at(store, id);
    struct cf_item_node *node = node_at(store, pod->node);

    pod->node_prev = 0;
    pod->node_next = node->first_pod;
    if (node->first_pod != 0)
        pod_at(store, node->first_pod)->node_prev = id;
    node->first_pod = id;
    node->pods++;
}

static void leave_node(struct cf_store *store, const struct cf_item_pod *pod)
{
    struct cf_item_node *node = node_at(store, pod->node);

    if (pod->node_prev != 0)
        pod_at(store, pod->node_prev)->node_next = pod->node_next;
    else
        node->first_pod = pod->node_next;
    if (pod->node_next != 0)
        pod_at(store, pod->node_next)->node_prev = pod->node_prev;
    node->pods--;
}

static void count_pod(struct cf_store *store, const struct cf_item_pod *pod, int by)
{
    const struct cf_list *claims = cf_list_at(store, pod->claims);

    cf_shape_count(store, cf_shape_at(store, pod->shape), by);
    for (uint32_t i = 0; i < claims->count; i++)
        cf_claim_count(store, claims->id[i], by);
}

static void link_pod(struct cf_store *store, uint32_t id)
{
    struct cf_item_pod *pod = pod_at(store, id);

    if (pod->shape == 0)
        return;
    join_shape(store, id);
    if (pod->node == 0)
        return;
    join_node(store, id);
    count_pod(store, pod, 1);
}

static void unlink_pod(struct cf_store *store, uint32_t id)
{
    const struct cf_item_pod *pod = pod_at(store, id);

    if (pod->shape == 0)
        return;
    if (pod->node != 0) {
        count_pod(store, pod, -1);
        leave_node(store, pod);
    }
    leave_shape(store, pod);
}

static void set_pod(struct cf_store *store, uint32_t id, const struct pod_parts *parts, bool known)
{
    struct cf_item_pod *pod = pod_at(store, id);
    struct pod_parts old = {pod->uid, pod->shape, pod->node, pod->claims};

    unlink_pod(store, id);
    cf_item_know(store, CF_ITEM_POD, id, known);
    pod->uid = parts->uid;
    pod->shape = parts->shape;
    pod->node = parts->node;
    pod->claims = parts->claims;
    link_pod(store, id);
    let_go_parts(store, &old);
}

/* Nearly all that a pod's watch tells are changes of its status. */
static bool is_same(const struct cf_store *store, const struct cf_item_pod *pod,
                    const struct pod_parts *parts)
{
    const struct cf_list *a = cf_list_at(store, pod->claims);
    const struct cf_list *b = cf_list_at(store, parts->claims);

    return pod->shape == parts->shape && pod->node == parts->node && a->count == b->count &&
           memcmp(a->id, b->id, a->count * sizeof(a->id[0])) == 0 &&
           memcmp(&pod->uid, &parts->uid, sizeof(pod->uid)) == 0;
}

/* Of a pod that can't be read whole: whether it is one that was. Its uid is `uid`. */
static bool is_still(const struct cf_item_pod *pod, const struct cf_uid *uid)
{
    return pod->item.known && (cf_uid_is_none(uid) || memcmp(&pod->uid, uid, sizeof(*uid)) == 0);
}

int cf_graph_put_pod(struct cf_store *store, struct cf_arena *arena, const struct cf_facts *facts)
{
    uint32_t id = cf_item_ref(store, CF_ITEM_POD, facts->namespace, facts->name);
    struct pod_parts parts = {.shape = 0};

    if (id == 0)
        return -1;
    if (!hold_parts(store, arena, facts, &parts)) {
        let_go_parts(store, &parts);
        cf_item_unref(store, CF_ITEM_POD, id);
        return -1;
    }
    if (is_same(store, pod_at(store, id), &parts) ||
        (facts->unread != 0 && is_still(pod_at(store, id), &parts.uid))) {
        cf_item_know(store, CF_ITEM_POD, id, true);
        let_go_parts(store, &parts);
    } else {
        set_pod(store, id, &parts, true);
    }
    cf_item_unref(store, CF_ITEM_POD, id);
    return 0;
}

void cf_graph_drop_pod(struct cf_store *store, uint32_t id)
{
    const struct pod_parts none = {.shape = 0};

    pod_at(store, id)->item.refs++;
    set_pod(store, id, &none, false);
    cf_item_unref(store, CF_ITEM_POD, id);
}
