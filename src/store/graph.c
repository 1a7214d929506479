/* SPDX-License-Identifier: Apache-2.0 */
/* graph.c - pods on nodes, their claims, the volumes behind those: who is linked to whom, and
 * the counts that spare cf_store_reach() a walk.
 *
 *   node <- pod -> shape -> account, Secrets, ConfigMaps
 *           pod -> claim <- volume -> Secrets
 *
 * `bound` of what a pod refers to grows with each pod that sits on a node; `via` of a Secret with
 * each such pod that reaches it through a claim. Mirror pods have their edge to the node alone: a
 * kubelet must not be able to open a door by making one. */
#include <string.h>

#include "curfew/str.h"
#include "store_private.h"
#include "read.h"

/* ---- claims and volumes ---- */

static struct cf_item_claim *claim_at(const struct cf_store *store, uint32_t id)
{
    return cf_item_at(store, CF_ITEM_CLAIM, id);
}

static struct cf_item_volume *volume_at(const struct cf_store *store, uint32_t id)
{
    return cf_item_at(store, CF_ITEM_VOLUME, id);
}

static void count_volume(struct cf_store *store, const struct cf_item_volume *volume, uint32_t by)
{
    const struct cf_list *secrets = cf_list_at(store, volume->secrets);

    for (uint32_t i = 0; i < secrets->count; i++)
        ((struct cf_item_secret *)cf_item_at(store, CF_ITEM_SECRET, secrets->id[i]))->via += by;
}

/* A bound pod more or less that names the claim. */
void cf_claim_count(struct cf_store *store, uint32_t id, int by)
{
    struct cf_item_claim *claim = claim_at(store, id);

    claim->target.bound += (uint32_t)by;
    for (uint32_t v = claim->first_volume; v != 0; v = volume_at(store, v)->next) {
        if ((volume_at(store, v)->item.flags & CF_FLAG_LINKED) != 0)
            count_volume(store, volume_at(store, v), (uint32_t)by);
    }
}

/* Whether the volume is the claim's is asked again after either changed. */
static void relink(struct cf_store *store, struct cf_item_volume *volume)
{
    const struct cf_item_claim *claim = volume->claim != 0 ? claim_at(store, volume->claim) : NULL;
    bool was = (volume->item.flags & CF_FLAG_LINKED) != 0;
    bool is = claim != NULL && volume->item.known && claim->target.item.known &&
              !cf_uid_is_none(&claim->uid) &&
              memcmp(&claim->uid, &volume->claim_uid, sizeof(claim->uid)) == 0;

    if (was == is)
        return;
    volume->item.flags = is ? CF_FLAG_LINKED : 0;
    count_volume(store, volume, is ? claim->target.bound : 0 - claim->target.bound);
}

static void relink_claim(struct cf_store *store, uint32_t id)
{
    for (uint32_t v = claim_at(store, id)->first_volume; v != 0; v = volume_at(store, v)->next)
        relink(store, volume_at(store, v));
}

static void set_claim(struct cf_store *store, uint32_t id, const struct cf_uid *uid, bool known)
{
    struct cf_uid old = claim_at(store, id)->uid;

    cf_item_know(store, CF_ITEM_CLAIM, id, known);
    claim_at(store, id)->uid = *uid;
    relink_claim(store, id);
    cf_uid_unref(store, &old);
}

int cf_graph_put_claim(struct cf_store *store, const struct cf_facts *facts)
{
    uint32_t id = cf_item_ref(store, CF_ITEM_CLAIM, facts->namespace, facts->name);
    struct cf_uid uid;

    if (id == 0)
        return -1;
    if (!cf_uid_ref(store, facts->uid, &uid)) {
        cf_item_unref(store, CF_ITEM_CLAIM, id);
        return -1;
    }
    if (facts->unread != 0 && cf_uid_is_none(&uid) && claim_at(store, id)->target.item.known)
        cf_item_know(store, CF_ITEM_CLAIM, id, true); /* it is what it was */
    else
        set_claim(store, id, &uid, true);
    cf_item_unref(store, CF_ITEM_CLAIM, id);
    return 0;
}

void cf_graph_drop_claim(struct cf_store *store, uint32_t id)
{
    const struct cf_uid none = {{0}};

    claim_at(store, id)->target.item.refs++;
    set_claim(store, id, &none, false);
    cf_item_unref(store, CF_ITEM_CLAIM, id);
}

/* What a volume will hold: gathered first, so that nothing has changed when memory runs out. */
struct volume_parts {
    uint32_t claim, node, secrets;
    struct cf_uid uid, claim_uid;
};

static void let_go_volume_parts(struct cf_store *store, const struct volume_parts *parts)
{
    const struct cf_list *secrets = cf_list_at(store, parts->secrets);

    cf_item_unref(store, CF_ITEM_CLAIM, parts->claim);
    cf_names_unref(&store->names, parts->node);
    cf_uid_unref(store, &parts->uid);
    cf_uid_unref(store, &parts->claim_uid);
    for (uint32_t i = 0; i < secrets->count; i++)
        cf_item_unref(store, CF_ITEM_SECRET, secrets->id[i]);
    cf_heap_free(&store->heap, parts->secrets);
}

/* A volume names a handful of Secrets at most: one for each way in refs.c. */
#define VOLUME_SECRETS_MAX 16

static bool hold_volume_secrets(struct cf_store *store, const struct cf_volume_facts *facts,
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
    *list = count == facts->secret_count ? cf_list_new(store, ids, count) : 0;
    if (*list != 0 || facts->secret_count == 0)
        return true;
    while (count > 0)
        cf_item_unref(store, CF_ITEM_SECRET, ids[--count]);
    return false;
}

static bool hold_volume_parts(struct cf_store *store, const char *uid,
                              const struct cf_volume_facts *facts, struct volume_parts *parts)
{
    if (!cf_uid_ref(store, uid, &parts->uid))
        return false;
    if (!cf_str_empty(facts->claim) && !cf_str_empty(facts->claim_namespace)) {
        parts->claim = cf_item_ref(store, CF_ITEM_CLAIM, facts->claim_namespace, facts->claim);
        if (parts->claim == 0)
            return false;
    }
    if (!cf_str_empty(facts->node) && (parts->node = cf_names_add(&store->names, facts->node)) == 0)
        return false;
    return cf_uid_ref(store, facts->claim_uid, &parts->claim_uid) &&
           hold_volume_secrets(store, facts, &parts->secrets);
}

static void join_claim(struct cf_store *store, uint32_t id)
{
    struct cf_item_volume *volume = volume_at(store, id);

    volume->prev = volume->next = 0;
    if (volume->claim == 0)
        return;
    volume->next = claim_at(store, volume->claim)->first_volume;
    if (volume->next != 0)
        volume_at(store, volume->next)->prev = id;
    claim_at(store, volume->claim)->first_volume = id;
}

static void leave_claim(struct cf_store *store, const struct cf_item_volume *volume)
{
    if (volume->prev != 0)
        volume_at(store, volume->prev)->next = volume->next;
    else if (volume->claim != 0)
        claim_at(store, volume->claim)->first_volume = volume->next;
    if (volume->next != 0)
        volume_at(store, volume->next)->prev = volume->prev;
}

static void set_volume(struct cf_store *store, uint32_t id, const struct volume_parts *parts,
                       bool known)
{
    struct cf_item_volume *volume = volume_at(store, id);
    struct volume_parts old = {volume->claim, volume->node, volume->secrets, volume->uid,
                               volume->claim_uid};
    bool was_known = volume->item.known;

    volume->item.known = false; /* to unlink it */
    relink(store, volume);
    volume->item.known = was_known;
    leave_claim(store, volume);
    cf_item_know(store, CF_ITEM_VOLUME, id, known);
    volume->claim = parts->claim;
    volume->node = parts->node;
    volume->secrets = parts->secrets;
    volume->uid = parts->uid;
    volume->claim_uid = parts->claim_uid;
    join_claim(store, id);
    relink(store, volume);
    let_go_volume_parts(store, &old);
}

/* Of a volume that can't be read whole: whether it is one that was. */
static bool is_still(const struct cf_item_volume *volume, const struct cf_uid *uid)
{
    return volume->item.known &&
           (cf_uid_is_none(uid) || memcmp(&volume->uid, uid, sizeof(*uid)) == 0);
}

int cf_graph_put_volume(struct cf_store *store, const struct cf_facts *facts)
{
    uint32_t id = cf_item_ref(store, CF_ITEM_VOLUME, "", facts->name);
    struct volume_parts parts = {0};

    if (id == 0)
        return -1;
    if (!hold_volume_parts(store, facts->uid, &facts->volume, &parts)) {
        let_go_volume_parts(store, &parts);
        cf_item_unref(store, CF_ITEM_VOLUME, id);
        return -1;
    }
    if (facts->unread != 0 && is_still(volume_at(store, id), &parts.uid)) {
        cf_item_know(store, CF_ITEM_VOLUME, id, true);
        let_go_volume_parts(store, &parts);
    } else {
        set_volume(store, id, &parts, true);
    }
    cf_item_unref(store, CF_ITEM_VOLUME, id);
    return 0;
}

void cf_graph_drop_volume(struct cf_store *store, uint32_t id)
{
    const struct volume_parts none = {0};

    volume_at(store, id)->item.refs++;
    set_volume(store, id, &none, false);
    cf_item_unref(store, CF_ITEM_VOLUME, id);
}
