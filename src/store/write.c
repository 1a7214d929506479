/* SPDX-License-Identifier: Apache-2.0 */
/* write.c - adding, changing and deleting objects: one by one, in batches, and as lists. */
#include <string.h>

#include "curfew/attr.h"
#include "curfew/limits.h"
#include "curfew/str.h"
#include "store_private.h"
#include "read.h"

/* ---- Namespace, ServiceAccount, Secret ---- */

static int put_namespace(struct cf_store *store, const struct cf_facts *facts)
{
    uint32_t id = cf_item_ref(store, CF_ITEM_NAMESPACE, "", facts->name);
    struct cf_item_namespace *ns;

    if (id == 0)
        return -1;
    ns = cf_namespace_at(store, id);
    for (int mode = 0; mode < CF_MODES; mode++) {
        if ((facts->unread & CF_UNREAD_LABELS) == 0)
            ns->label[mode] =
                facts->labels.labelled[mode] ? (uint8_t)facts->labels.level[mode] : CF_NO_LABEL;
        else if (!ns->item.known)
            ns->label[mode] = CF_RESTRICTED;
    }
    cf_item_know(store, CF_ITEM_NAMESPACE, id, true);
    cf_item_unref(store, CF_ITEM_NAMESPACE, id);
    return 0;
}

static void drop_namespace(struct cf_store *store, uint32_t id)
{
    struct cf_item_namespace *ns = cf_namespace_at(store, id);

    ns->item.refs++;
    memset(ns->label, CF_NO_LABEL, sizeof(ns->label));
    cf_item_know(store, CF_ITEM_NAMESPACE, id, false);
    cf_item_unref(store, CF_ITEM_NAMESPACE, id);
}

static void set_restricted(struct cf_store *store, uint32_t id, bool restricted)
{
    struct cf_item_head *account = cf_account_at(store, id);

    store->accounts_restricted -= (account->flags & CF_FLAG_RESTRICTED) != 0;
    store->accounts_restricted += restricted;
    account->flags = restricted ? CF_FLAG_RESTRICTED : 0;
}

static int put_account(struct cf_store *store, const struct cf_facts *facts)
{
    uint32_t id = cf_item_ref(store, CF_ITEM_ACCOUNT, facts->namespace, facts->name);
    const struct cf_item_head *account;
    bool restricted = facts->restricted;

    if (id == 0)
        return -1;
    account = cf_account_at(store, id);
    if ((facts->unread & CF_UNREAD_ANNOTATIONS) != 0)
        restricted = !account->known || (account->flags & CF_FLAG_RESTRICTED) != 0;
    set_restricted(store, id, restricted);
    cf_item_know(store, CF_ITEM_ACCOUNT, id, true);
    cf_item_unref(store, CF_ITEM_ACCOUNT, id);
    return 0;
}

static void drop_account(struct cf_store *store, uint32_t id)
{
    cf_account_at(store, id)->refs++;
    set_restricted(store, id, false);
    cf_item_know(store, CF_ITEM_ACCOUNT, id, false);
    cf_item_unref(store, CF_ITEM_ACCOUNT, id);
}

/* The counter of the namespace for a Secret with these flags. */
static uint32_t *legacy_count(struct cf_store *store, uint32_t namespace, uint8_t flags)
{
    struct cf_item_namespace *ns = cf_namespace_at(store, namespace);

    if ((flags & CF_FLAG_INVALID) != 0)
        return &ns->legacy_invalid;
    return (flags & CF_FLAG_USED) != 0 ? &ns->legacy_used : &ns->legacy_unused;
}

/* Takes over the references to the owner's text and to the namespace (0: not a legacy Secret). */
static void set_secret(struct cf_store *store, uint32_t id, uint8_t flags, uint32_t owner,
                       uint32_t namespace, bool known)
{
    struct cf_item_secret *secret = cf_secret_at(store, id);
    struct cf_item_secret old = *secret;

    if (old.namespace != 0)
        (*legacy_count(store, old.namespace, old.target.item.flags))--;
    if (namespace != 0)
        (*legacy_count(store, namespace, flags))++;
    secret->target.item.flags = flags;
    secret->owner = owner;
    secret->namespace = namespace;
    cf_item_know(store, CF_ITEM_SECRET, id, known);
    cf_names_unref(&store->names, old.owner);
    cf_item_unref(store, CF_ITEM_NAMESPACE, old.namespace);
}

static uint8_t secret_flags(const struct cf_facts *facts, const struct cf_item_secret *old)
{
    uint8_t flags = CF_FLAG_LEGACY;

    if ((facts->unread & CF_UNREAD_LABELS) != 0) /* 0 for a new one */
        return flags | (old->target.item.flags & (CF_FLAG_USED | CF_FLAG_INVALID));
    return (uint8_t)(flags | (facts->secret.used ? CF_FLAG_USED : 0) |
                     (facts->secret.invalid ? CF_FLAG_INVALID : 0));
}

static int put_secret(struct cf_store *store, const struct cf_facts *facts)
{
    uint32_t id = cf_item_ref(store, CF_ITEM_SECRET, facts->namespace, facts->name);
    const struct cf_item_secret *old = id != 0 ? cf_secret_at(store, id) : NULL;
    const char *name = facts->secret.owner;
    uint32_t owner = 0, ns = 0;
    uint8_t flags = 0;

    if (id == 0)
        return -1;
    if ((facts->unread & CF_UNREAD_ANNOTATIONS) != 0)
        name = cf_text_at(store, old->owner);
    if (facts->secret.legacy) {
        flags = secret_flags(facts, old);
        ns = cf_item_ref(store, CF_ITEM_NAMESPACE, "", facts->namespace);
        if (!cf_str_empty(name))
            owner = cf_names_add(&store->names, name);
    }
    if ((facts->secret.legacy && ns == 0) || (!cf_str_empty(name) && owner == 0)) {
        cf_names_unref(&store->names, owner);
        cf_item_unref(store, CF_ITEM_NAMESPACE, ns);
        cf_item_unref(store, CF_ITEM_SECRET, id);
        return -1;
    }
    set_secret(store, id, flags, owner, ns, true);
    cf_item_unref(store, CF_ITEM_SECRET, id);
    return 0;
}

static void drop_secret(struct cf_store *store, uint32_t id)
{
    cf_secret_at(store, id)->target.item.refs++;
    set_secret(store, id, 0, 0, 0, false);
    cf_item_unref(store, CF_ITEM_SECRET, id);
}

/* ---- any resource ---- */

static int put_facts(struct cf_store *store, struct cf_arena *arena, const struct cf_facts *facts)
{
    if (cf_str_empty(facts->name))
        return 0;
    switch (facts->resource) {
    case CF_NAMESPACES:
        return put_namespace(store, facts);
    case CF_SECRETS:
        return put_secret(store, facts);
    case CF_ACCOUNTS:
        return put_account(store, facts);
    case CF_PODS:
        return cf_graph_put_pod(store, arena, facts);
    case CF_CLAIMS:
        return cf_graph_put_claim(store, facts);
    case CF_VOLUMES:
        return cf_graph_put_volume(store, facts);
    }
    return 0;
}

static void drop_item(struct cf_store *store, enum cf_resource resource, uint32_t id)
{
    static void (*const drops[CF_RESOURCES])(struct cf_store * store, uint32_t id) = {
        [CF_NAMESPACES] = drop_namespace,  [CF_SECRETS] = drop_secret,
        [CF_ACCOUNTS] = drop_account,      [CF_PODS] = cf_graph_drop_pod,
        [CF_CLAIMS] = cf_graph_drop_claim, [CF_VOLUMES] = cf_graph_drop_volume,
    };

    drops[resource](store, id);
}

static void drop_named(struct cf_store *store, const struct cf_facts *facts)
{
    uint32_t id =
        cf_item_find(store, (enum cf_item_kind)facts->resource, facts->namespace, facts->name);

    if (id != 0 &&
        ((struct cf_item_head *)cf_item_at(store, (enum cf_item_kind)facts->resource, id))->known)
        drop_item(store, facts->resource, id);
}

/* ---- batches ---- */

struct fact_change {
    struct cf_facts facts;
    bool deleted;
};

static int apply_facts(struct cf_store *store, struct cf_arena *arena,
                       const struct fact_change *changes, size_t count, struct cf_err *err)
{
    int rc = 0;

    pthread_rwlock_wrlock(store->lock);
    for (size_t i = 0; i < count && rc == 0; i++) {
        if (changes[i].deleted)
            drop_named(store, &changes[i].facts);
        else
            rc = put_facts(store, arena, &changes[i].facts);
    }
    pthread_rwlock_unlock(store->lock);
    return rc == 0 ? 0 : cf_err_memory(err);
}

static void read_change(struct cf_arena *arena, enum cf_resource resource,
                        struct cf_store_change *change, struct fact_change *out, struct cf_err *err)
{
    out->deleted = change->deleted;
    if (change->deleted) {
        cf_facts_name(change->object, resource, "", &out->facts);
        return;
    }
    if (change->unread == 0 &&
        cf_facts_read(arena, change->object, resource, "", &out->facts, err) == 0)
        return;
    cf_facts_identify(arena, change->object, resource, change->unread, &out->facts);
    change->unread = out->facts.unread;
}

/* Reads without the lock, then takes it once to apply. */
static int apply_batch(struct cf_store *store, struct cf_arena *arena, enum cf_resource resource,
                       struct cf_store_change *changes, size_t count, struct cf_err *err)
{
    struct fact_change *facts = cf_arena_array(arena, count, sizeof(*facts));

    if (facts == NULL)
        return cf_err_memory(err);
    for (size_t i = 0; i < count; i++)
        read_change(arena, resource, &changes[i], &facts[i], err);
    return apply_facts(store, arena, facts, count, err);
}

int cf_store_apply(struct cf_store *store, enum cf_resource resource,
                   struct cf_store_change *changes, size_t count, struct cf_err *err)
{
    CF_CLEANUP(cf_arena_cleanup) struct cf_arena *arena = cf_arena_new(CF_ARENA_MAX);
    int rc = 0;

    if (arena == NULL)
        return cf_err_memory(err);
    for (size_t done = 0; done < count && rc == 0; done += CF_STORE_BATCH) {
        size_t batch = count - done < CF_STORE_BATCH ? count - done : CF_STORE_BATCH;

        rc = apply_batch(store, arena, resource, changes + done, batch, err);
        cf_arena_reset(arena, false);
    }
    return rc;
}

static int add_object(struct cf_store *store, struct cf_arena *arena, const struct cf_json *object,
                      const char *namespace, struct cf_err *err)
{
    struct fact_change change = {.deleted = false};
    enum cf_resource resource;

    if (!cf_facts_resource(arena, object, &resource))
        return 0;
    cf_facts_name(object, resource, namespace, &change.facts);
    if (cf_str_empty(change.facts.name))
        return 0;
    if (cf_facts_read(arena, object, resource, namespace, &change.facts, err) != 0)
        return -1;
    return apply_facts(store, arena, &change, 1, err);
}

static int add_any(struct cf_store *store, struct cf_arena *arena, const struct cf_json *json,
                   const char *namespace, struct cf_err *err)
{
    const struct cf_json *v;
    int rc;

    if (cf_json_type(json) != CF_JSON_OBJECT)
        return 0;
    if (cf_ends_with(cf_str_or_empty(cf_json_str(cf_json_get(json, "kind"))), "List")) {
        for (v = cf_json_first(cf_json_get(json, "items")); v != NULL; v = cf_json_next(v)) {
            if (add_any(store, arena, v, namespace, err) != 0)
                return -1;
        }
        return 0;
    }
    rc = add_object(store, arena, json, namespace, err);
    cf_arena_reset(arena, false);
    return rc;
}

int cf_store_add(struct cf_store *store, const struct cf_json *object, const char *namespace,
                 struct cf_err *err)
{
    CF_CLEANUP(cf_arena_cleanup) struct cf_arena *arena = cf_arena_new(CF_ARENA_MAX);
    int rc;

    if (arena == NULL)
        return cf_err_memory(err);
    rc = add_any(store, arena, object, namespace, err);
    if (rc != 0 && err != NULL)
        err->path = NULL; /* it was in this arena */
    return rc;
}

/* ---- lists ---- */

/* Items visited each time the lock is taken; at most CF_STORE_BATCH of them are dropped. */
#define SWEEP_SLICE 1024

/* Drops the items whose mark is not `keep`, the mark of the last list: the list did not have them.
 * With `keep` 0 clears all marks instead. Returns where to continue; 0 at the end. */
static uint32_t sweep_slice(struct cf_store *store, enum cf_resource resource, uint32_t from,
                            uint8_t keep)
{
    const struct cf_slab *items = &store->items[resource];
    size_t dropped = 0;
    uint32_t id = from;

    for (size_t n = 0; n < SWEEP_SLICE && dropped < CF_STORE_BATCH; n++) {
        struct cf_item_head *item;

        id = cf_slab_next(items, id);
        if (id == 0)
            return 0;
        item = cf_item_at(store, (enum cf_item_kind)resource, id);
        if (keep == 0) {
            item->mark = 0;
        } else if (item->known && item->mark != keep) {
            drop_item(store, resource, id);
            dropped++;
        }
    }
    return id;
}

static void sweep_all(struct cf_store *store, enum cf_resource resource, uint8_t keep)
{
    uint32_t at = 0;

    do {
        pthread_rwlock_wrlock(store->lock);
        at = sweep_slice(store, resource, at, keep);
        pthread_rwlock_unlock(store->lock);
    } while (at != 0);
}

/* Each list gets the next mark, from 1 to 255, and gives it to every item it has. Before the marks
 * start at 1 again, all are cleared: an old mark must not equal the new one. */
void cf_store_list_begin(struct cf_store *store, enum cf_resource resource)
{
    bool wraps;

    pthread_rwlock_wrlock(store->lock);
    wraps = store->mark[resource] == UINT8_MAX;
    store->mark[resource] = wraps ? 0 : store->mark[resource] + 1;
    pthread_rwlock_unlock(store->lock);
    if (!wraps)
        return;
    sweep_all(store, resource, 0);
    pthread_rwlock_wrlock(store->lock);
    store->mark[resource] = 1;
    pthread_rwlock_unlock(store->lock);
}

void cf_store_list_end(struct cf_store *store, enum cf_resource resource)
{
    uint8_t keep;

    pthread_rwlock_rdlock(store->lock);
    keep = store->mark[resource];
    pthread_rwlock_unlock(store->lock);
    if (keep != 0)
        sweep_all(store, resource, keep);
    atomic_store(&store->fresh->synced[resource], true);
}
