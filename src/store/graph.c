/* SPDX-License-Identifier: Apache-2.0 */
/* graph.c - what a pod, a claim or a volume changes: the edges, and the counters that spare
 * cf_store_reach() a walk over all pods.
 *
 *   node <- pod -> shape -> account, Secrets, ConfigMaps
 *           pod -> claim <- volume -> Secrets
 *
 * `bound` of an item counts the references from pods that are bound to a node; `via` of a Secret
 * counts those pods that reach it through a claim. Mirror pods have an edge to their node and no
 * other: a kubelet creates them, and must not gain access by naming an object in one.
 *
 * Each put first takes all references that the new state needs (its parts), then swaps them with
 * the old ones: when memory runs out, nothing has changed. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "curfew/str.h"
#include "store_private.h"
#include "read.h"

/* ---- claims and volumes ---- */

static void count_volume(struct cf_store *store, const struct cf_item_volume *volume, uint32_t by)
{
    const struct cf_ids *secrets = cf_ids_at(store, volume->secrets);

    for (uint32_t i = 0; i < secrets->count; i++)
        cf_secret_at(store, secrets->id[i])->via += by;
}

/* Counts a bound pod that names the claim, by +1 or -1, for the claim and the Secrets of its
 * volume. */
static void count_claim(struct cf_store *store, uint32_t id, int by)
{
    struct cf_item_claim *claim = cf_claim_at(store, id);

    claim->target.bound += (uint32_t)by;
    for (uint32_t v = claim->first_volume; v != 0; v = cf_volume_at(store, v)->of_claim.next) {
        if ((cf_volume_at(store, v)->item.flags & CF_FLAG_LINKED) != 0)
            count_volume(store, cf_volume_at(store, v), (uint32_t)by);
    }
}

/* Called after the volume or the claim changed. */
static void relink(struct cf_store *store, struct cf_item_volume *volume)
{
    const struct cf_item_claim *claim =
        volume->claim != 0 ? cf_claim_at(store, volume->claim) : NULL;
    bool was = (volume->item.flags & CF_FLAG_LINKED) != 0;
    bool is = claim != NULL && volume->item.known && claim->target.item.known &&
              !cf_uid_is_none(&claim->uid) && cf_uid_equal(&claim->uid, &volume->claim_uid);

    if (was == is)
        return;
    volume->item.flags = is ? CF_FLAG_LINKED : 0;
    count_volume(store, volume, is ? claim->target.bound : 0 - claim->target.bound);
}

static void relink_claim(struct cf_store *store, uint32_t id)
{
    for (uint32_t v = cf_claim_at(store, id)->first_volume; v != 0;
         v = cf_volume_at(store, v)->of_claim.next)
        relink(store, cf_volume_at(store, v));
}

static void set_claim(struct cf_store *store, uint32_t id, const struct cf_uid *uid, bool known)
{
    struct cf_uid old = cf_claim_at(store, id)->uid;

    cf_item_know(store, CF_ITEM_CLAIM, id, known);
    cf_claim_at(store, id)->uid = *uid;
    relink_claim(store, id);
    cf_uid_unref(&store->names, &old);
}

int cf_graph_put_claim(struct cf_store *store, const struct cf_facts *facts)
{
    uint32_t id = cf_item_ref(store, CF_ITEM_CLAIM, facts->namespace, facts->name);
    struct cf_uid uid;

    if (id == 0)
        return -1;
    if (!cf_uid_ref(&store->names, facts->uid, &uid)) {
        cf_item_unref(store, CF_ITEM_CLAIM, id);
        return -1;
    }
    if (facts->unread != 0 && cf_uid_is_none(&uid) && cf_claim_at(store, id)->target.item.known)
        cf_item_know(store, CF_ITEM_CLAIM, id, true); /* unchanged */
    else
        set_claim(store, id, &uid, true);
    cf_item_unref(store, CF_ITEM_CLAIM, id);
    return 0;
}

void cf_graph_drop_claim(struct cf_store *store, uint32_t id)
{
    const struct cf_uid none = {{0}};

    cf_claim_at(store, id)->target.item.refs++;
    set_claim(store, id, &none, false);
    cf_item_unref(store, CF_ITEM_CLAIM, id);
}

struct volume_parts {
    uint32_t claim, node, secrets;
    struct cf_uid uid, claim_uid;
};

static void unref_volume_parts(struct cf_store *store, const struct volume_parts *parts)
{
    const struct cf_ids *secrets = cf_ids_at(store, parts->secrets);

    cf_item_unref(store, CF_ITEM_CLAIM, parts->claim);
    cf_names_unref(&store->names, parts->node);
    cf_uid_unref(&store->names, &parts->uid);
    cf_uid_unref(&store->names, &parts->claim_uid);
    for (uint32_t i = 0; i < secrets->count; i++)
        cf_item_unref(store, CF_ITEM_SECRET, secrets->id[i]);
    cf_heap_free(&store->heap, parts->secrets);
}

/* A volume names a Secret in each of the ways that src/object/refs.c knows, at most. */
#define VOLUME_SECRETS_MAX 16

static bool ref_volume_secrets(struct cf_store *store, const struct cf_volume_facts *facts,
                               uint32_t *list)
{
    uint32_t ids[VOLUME_SECRETS_MAX];
    size_t count = 0;

    while (count < facts->secret_count && count < VOLUME_SECRETS_MAX) {
        const struct cf_ref *ref = &facts->secrets[count];

        ids[count] = cf_item_ref(store, CF_ITEM_SECRET, ref->namespace, ref->name);
        if (ids[count] == 0)
            break;
        count++;
    }
    *list = count == facts->secret_count ? cf_ids_new(store, ids, count) : 0;
    if (*list != 0 || facts->secret_count == 0)
        return true;
    while (count > 0)
        cf_item_unref(store, CF_ITEM_SECRET, ids[--count]);
    return false;
}

static bool ref_volume_parts(struct cf_store *store, const char *uid,
                             const struct cf_volume_facts *facts, struct volume_parts *parts)
{
    if (!cf_uid_ref(&store->names, uid, &parts->uid))
        return false;
    if (!cf_str_empty(facts->claim) && !cf_str_empty(facts->claim_namespace)) {
        parts->claim = cf_item_ref(store, CF_ITEM_CLAIM, facts->claim_namespace, facts->claim);
        if (parts->claim == 0)
            return false;
    }
    if (!cf_str_empty(facts->node) && (parts->node = cf_names_add(&store->names, facts->node)) == 0)
        return false;
    return cf_uid_ref(&store->names, facts->claim_uid, &parts->claim_uid) &&
           ref_volume_secrets(store, facts, &parts->secrets);
}

static void join_claim(struct cf_store *store, uint32_t id)
{
    uint32_t claim = cf_volume_at(store, id)->claim;

    if (claim != 0)
        cf_list_push(&store->items[CF_ITEM_VOLUME], offsetof(struct cf_item_volume, of_claim),
                     &cf_claim_at(store, claim)->first_volume, id);
}

static void leave_claim(struct cf_store *store, uint32_t id)
{
    uint32_t claim = cf_volume_at(store, id)->claim;

    if (claim != 0)
        cf_list_remove(&store->items[CF_ITEM_VOLUME], offsetof(struct cf_item_volume, of_claim),
                       &cf_claim_at(store, claim)->first_volume, id);
}

static void set_volume(struct cf_store *store, uint32_t id, const struct volume_parts *parts,
                       bool known)
{
    struct cf_item_volume *volume = cf_volume_at(store, id);
    struct volume_parts old = {volume->claim, volume->node, volume->secrets, volume->uid,
                               volume->claim_uid};
    bool was_known = volume->item.known;

    volume->item.known = false; /* to unlink it */
    relink(store, volume);
    volume->item.known = was_known;
    leave_claim(store, id);
    cf_item_know(store, CF_ITEM_VOLUME, id, known);
    volume->claim = parts->claim;
    volume->node = parts->node;
    volume->secrets = parts->secrets;
    volume->uid = parts->uid;
    volume->claim_uid = parts->claim_uid;
    join_claim(store, id);
    relink(store, volume);
    unref_volume_parts(store, &old);
}

/* Whether a volume that can't be read completely is the one that the store knows. */
static bool is_known_volume(const struct cf_item_volume *volume, const struct cf_uid *uid)
{
    return volume->item.known && (cf_uid_is_none(uid) || cf_uid_equal(&volume->uid, uid));
}

int cf_graph_put_volume(struct cf_store *store, const struct cf_facts *facts)
{
    uint32_t id = cf_item_ref(store, CF_ITEM_VOLUME, "", facts->name);
    struct volume_parts parts = {0};

    if (id == 0)
        return -1;
    if (!ref_volume_parts(store, facts->uid, &facts->volume, &parts)) {
        unref_volume_parts(store, &parts);
        cf_item_unref(store, CF_ITEM_VOLUME, id);
        return -1;
    }
    if (facts->unread != 0 && is_known_volume(cf_volume_at(store, id), &parts.uid)) {
        cf_item_know(store, CF_ITEM_VOLUME, id, true);
        unref_volume_parts(store, &parts);
    } else {
        set_volume(store, id, &parts, true);
    }
    cf_item_unref(store, CF_ITEM_VOLUME, id);
    return 0;
}

void cf_graph_drop_volume(struct cf_store *store, uint32_t id)
{
    const struct volume_parts none = {0};

    cf_volume_at(store, id)->item.refs++;
    set_volume(store, id, &none, false);
    cf_item_unref(store, CF_ITEM_VOLUME, id);
}

/* ---- pods ---- */

struct pod_parts {
    struct cf_uid uid;
    uint32_t shape, node, claims;
};

/* ---- references ---- */

static void unref_claims(struct cf_store *store, uint32_t list)
{
    const struct cf_ids *claims = cf_ids_at(store, list);

    for (uint32_t i = 0; i < claims->count; i++)
        cf_item_unref(store, CF_ITEM_CLAIM, claims->id[i]);
    cf_heap_free(&store->heap, list);
}

static void unref_pod_parts(struct cf_store *store, const struct pod_parts *parts)
{
    cf_uid_unref(&store->names, &parts->uid);
    cf_shape_unref(store, parts->shape);
    cf_item_unref(store, CF_ITEM_NODE, parts->node);
    unref_claims(store, parts->claims);
}

static int compare_ids(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

static bool ref_claims(struct cf_store *store, struct cf_arena *arena,
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
    qsort(ids, count, sizeof(*ids), compare_ids);
    *list = failed ? 0 : cf_ids_new(store, ids, count);
    for (size_t i = 0; *list == 0 && i < count; i++)
        cf_item_unref(store, CF_ITEM_CLAIM, ids[i]);
    return *list != 0;
}

static bool ref_pod_parts(struct cf_store *store, struct cf_arena *arena,
                          const struct cf_facts *facts, struct pod_parts *parts)
{
    const struct cf_pod_facts *pod = &facts->pod;

    if (!cf_str_empty(pod->node) &&
        (parts->node = cf_item_ref(store, CF_ITEM_NODE, "", pod->node)) == 0)
        return false;
    if (!cf_uid_ref(&store->names, facts->uid, &parts->uid))
        return false;
    /* A mirror pod gets no edge to a claim. */
    if (!pod->mirror && !ref_claims(store, arena, pod, &parts->claims))
        return false;
    parts->shape = cf_shape_of(store, arena, pod);
    return parts->shape != 0;
}

/* ---- lists and counters ---- */

static void join_shape(struct cf_store *store, uint32_t id)
{
    struct cf_shape *shape = cf_shape_at(store, cf_pod_at(store, id)->shape);

    cf_list_push(&store->items[CF_ITEM_POD], offsetof(struct cf_item_pod, of_shape),
                 &shape->first_pod, id);
    shape->pods++;
    cf_namespace_at(store, shape->key.namespace)->pods++;
}

static void leave_shape(struct cf_store *store, uint32_t id)
{
    struct cf_shape *shape = cf_shape_at(store, cf_pod_at(store, id)->shape);

    cf_list_remove(&store->items[CF_ITEM_POD], offsetof(struct cf_item_pod, of_shape),
                   &shape->first_pod, id);
    shape->pods--;
    cf_namespace_at(store, shape->key.namespace)->pods--;
}

static void join_node(struct cf_store *store, uint32_t id)
{
    struct cf_item_node *node = cf_node_at(store, cf_pod_at(store, id)->node);

    cf_list_push(&store->items[CF_ITEM_POD], offsetof(struct cf_item_pod, of_node),
                 &node->first_pod, id);
    node->pods++;
}

static void leave_node(struct cf_store *store, uint32_t id)
{
    struct cf_item_node *node = cf_node_at(store, cf_pod_at(store, id)->node);

    cf_list_remove(&store->items[CF_ITEM_POD], offsetof(struct cf_item_pod, of_node),
                   &node->first_pod, id);
    node->pods--;
}

static void count_pod(struct cf_store *store, const struct cf_item_pod *pod, int by)
{
    const struct cf_ids *claims = cf_ids_at(store, pod->claims);

    cf_shape_count(store, cf_shape_at(store, pod->shape), by);
    for (uint32_t i = 0; i < claims->count; i++)
        count_claim(store, claims->id[i], by);
}

static void link_pod(struct cf_store *store, uint32_t id)
{
    struct cf_item_pod *pod = cf_pod_at(store, id);

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
    const struct cf_item_pod *pod = cf_pod_at(store, id);

    if (pod->shape == 0)
        return;
    if (pod->node != 0) {
        count_pod(store, pod, -1);
        leave_node(store, id);
    }
    leave_shape(store, id);
}

static void set_pod(struct cf_store *store, uint32_t id, const struct pod_parts *parts, bool known)
{
    struct cf_item_pod *pod = cf_pod_at(store, id);
    struct pod_parts old = {pod->uid, pod->shape, pod->node, pod->claims};

    unlink_pod(store, id);
    cf_item_know(store, CF_ITEM_POD, id, known);
    pod->uid = parts->uid;
    pod->shape = parts->shape;
    pod->node = parts->node;
    pod->claims = parts->claims;
    link_pod(store, id);
    unref_pod_parts(store, &old);
}

/* Nearly all events of pods change their status alone. */
static bool is_unchanged_pod(const struct cf_store *store, const struct cf_item_pod *pod,
                             const struct pod_parts *parts)
{
    const struct cf_ids *a = cf_ids_at(store, pod->claims);
    const struct cf_ids *b = cf_ids_at(store, parts->claims);

    return pod->shape == parts->shape && pod->node == parts->node && a->count == b->count &&
           memcmp(a->id, b->id, a->count * sizeof(a->id[0])) == 0 &&
           cf_uid_equal(&pod->uid, &parts->uid);
}

/* Whether a pod that can't be read completely, with this uid, is the one that the store knows. */
static bool is_known_pod(const struct cf_item_pod *pod, const struct cf_uid *uid)
{
    return pod->item.known && (cf_uid_is_none(uid) || cf_uid_equal(&pod->uid, uid));
}

int cf_graph_put_pod(struct cf_store *store, struct cf_arena *arena, const struct cf_facts *facts)
{
    uint32_t id = cf_item_ref(store, CF_ITEM_POD, facts->namespace, facts->name);
    struct pod_parts parts = {.shape = 0};

    if (id == 0)
        return -1;
    if (!ref_pod_parts(store, arena, facts, &parts)) {
        unref_pod_parts(store, &parts);
        cf_item_unref(store, CF_ITEM_POD, id);
        return -1;
    }
    if (is_unchanged_pod(store, cf_pod_at(store, id), &parts) ||
        (facts->unread != 0 && is_known_pod(cf_pod_at(store, id), &parts.uid))) {
        cf_item_know(store, CF_ITEM_POD, id, true);
        unref_pod_parts(store, &parts);
    } else {
        set_pod(store, id, &parts, true);
    }
    cf_item_unref(store, CF_ITEM_POD, id);
    return 0;
}

void cf_graph_drop_pod(struct cf_store *store, uint32_t id)
{
    const struct pod_parts none = {.shape = 0};

    cf_pod_at(store, id)->item.refs++;
    set_pod(store, id, &none, false);
    cf_item_unref(store, CF_ITEM_POD, id);
}
