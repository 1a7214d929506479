/* SPDX-License-Identifier: Apache-2.0 */
/* query.c - what a review asks of single objects. */
#include "curfew/str.h"
#include "store_private.h"

/* What the lack of a Secret means. */
static enum cf_secret_state absent(const struct cf_store *store, int64_t stale_after)
{
    if (store->absent == CF_ABSENT_IS_UNKNOWN || !cf_store_fresh(store, CF_SECRETS, stale_after))
        return CF_SECRET_UNKNOWN;
    return CF_SECRET_PLAIN;
}

void cf_store_secret(const struct cf_store *store, struct cf_arena *arena, const char *namespace,
                     int64_t stale_after, struct cf_secret_ref *ref)
{
    uint32_t id = cf_item_find(store, CF_ITEM_SECRET, namespace, ref->name);
    const struct cf_item_secret *secret = id != 0 ? cf_item_at(store, CF_ITEM_SECRET, id) : NULL;

    ref->owner = NULL;
    if (secret == NULL || !secret->target.item.known) {
        ref->state = absent(store, stale_after);
        return;
    }
    ref->state =
        (secret->target.item.flags & CF_FLAG_LEGACY) != 0 ? CF_SECRET_LEGACY : CF_SECRET_PLAIN;
    if (secret->owner != 0)
        ref->owner = cf_arena_strdup(arena, cf_text_at(store, secret->owner));
}

bool cf_store_restricted(const struct cf_store *store, const char *namespace, const char *name)
{
    uint32_t id = cf_item_find(store, CF_ITEM_ACCOUNT, namespace, name);
    const struct cf_item_head *account = id != 0 ? cf_item_at(store, CF_ITEM_ACCOUNT, id) : NULL;

    return account != NULL && (account->flags & CF_FLAG_RESTRICTED) != 0;
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
    uint32_t id =
        cf_str_empty(namespace) ? 0 : cf_item_find(store, CF_ITEM_NAMESPACE, "", namespace);

    return levels_of(id != 0 ? cf_item_at(store, CF_ITEM_NAMESPACE, id) : NULL, policy);
}

struct cf_store_totals cf_store_totals(const struct cf_store *store, const struct cf_policy *policy)
{
    struct cf_store_totals totals = {.accounts_restricted = 0};
    const struct cf_slab *namespaces = &store->items[CF_ITEM_NAMESPACE];

    cf_store_lock(store);
    totals.accounts_restricted = store->accounts_restricted;
    for (uint32_t id = 0; (id = cf_slab_next(namespaces, id)) != 0;) {
        const struct cf_item_namespace *ns = cf_item_at(store, CF_ITEM_NAMESPACE, id);
        struct cf_levels levels = levels_of(ns, policy);

        for (int mode = 0; ns->item.known && mode < CF_MODES; mode++)
            totals.namespaces[mode][levels.mode[mode]]++;
    }
    cf_store_unlock(store);
    return totals;
}

/* ---- pods ---- */

static const char *copy(const struct cf_store *store, struct cf_arena *arena, uint32_t text)
{
    return text != 0 ? cf_str_or_empty(cf_arena_strdup(arena, cf_text_at(store, text))) : "";
}

void cf_store_copy_pod(const struct cf_store *store, struct cf_arena *arena, uint32_t id,
                       struct cf_store_pod *out)
{
    const struct cf_item_pod *pod = cf_item_at(store, CF_ITEM_POD, id);
    const struct cf_shape *shape = cf_shape_at(store, pod->shape);
    const struct cf_item_head *account = cf_item_at(store, CF_ITEM_ACCOUNT, shape->key.account);
    const struct cf_item_head *node =
        pod->node != 0 ? cf_item_at(store, CF_ITEM_NODE, pod->node) : NULL;
    char uid[40];

    out->namespace = copy(store, arena, pod->item.namespace);
    out->name = copy(store, arena, pod->item.name);
    out->uid = cf_str_or_empty(cf_arena_strdup(arena, cf_uid_text(store, &pod->uid, uid)));
    out->node = copy(store, arena, node != NULL ? node->name : 0);
    out->account = copy(store, arena, account->name);
    out->workload = shape->key.workload != 0 ? copy(store, arena, shape->key.workload) : out->name;
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

/* Each of one template's pods names it, or none does. */
size_t cf_store_pods_of_secret(const struct cf_store *store, struct cf_arena *arena,
                               const char *namespace, const char *secret, size_t max,
                               struct cf_store_pod **out)
{
    uint32_t wanted = cf_item_find(store, CF_ITEM_SECRET, namespace, secret);
    uint32_t id = cf_item_find(store, CF_ITEM_NAMESPACE, "", namespace);
    const struct cf_item_namespace *ns = id != 0 ? cf_item_at(store, CF_ITEM_NAMESPACE, id) : NULL;
    size_t count = 0, copied = 0;

    *out = NULL;
    if (wanted == 0 || ns == NULL)
        return 0;
    *out = cf_arena_array(arena, max < ns->pods ? max : ns->pods, sizeof(**out));
    for (uint32_t at = ns->first_shape; at != 0; at = cf_shape_at(store, at)->next) {
        const struct cf_shape *shape = cf_shape_at(store, at);

        if (cf_shape_names_secret(store, shape, wanted) == 0)
            continue;
        count += shape->pods;
        for (uint32_t pod = shape->first_pod; pod != 0 && copied < max && *out != NULL;
             pod = ((const struct cf_item_pod *)cf_item_at(store, CF_ITEM_POD, pod))->shape_next)
            cf_store_copy_pod(store, arena, pod, &(*out)[copied++]);
    }
    return count;
}
