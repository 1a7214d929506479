/* SPDX-License-Identifier: Apache-2.0 */
/* fresh.c - when each watch was heard of, and whether everything was listed once. */
#include <limits.h>

#include "curfew/time.h"
#include "store_private.h"

#define MICROS_PER_SECOND 1000000

const char *cf_resource_name(enum cf_resource resource)
{
    static const char *const names[CF_RESOURCES] = {
        [CF_NAMESPACES] = "namespaces",         [CF_SECRETS] = "secrets",
        [CF_ACCOUNTS] = "serviceaccounts",      [CF_PODS] = "pods",
        [CF_CLAIMS] = "persistentvolumeclaims", [CF_VOLUMES] = "persistentvolumes",
    };

    return names[resource];
}

void cf_store_fresh_init(struct cf_store_fresh *fresh)
{
    for (int i = 0; i < CF_RESOURCES; i++) {
        atomic_init(&fresh->heard[i], -1);
        atomic_init(&fresh->synced[i], false);
        atomic_init(&fresh->expected[i], true);
    }
    atomic_init(&fresh->minor, 0);
}

/* Two watches of one resource do not exist, but a clock read before another may arrive after. */
void cf_store_refreshed(struct cf_store *store, enum cf_resource resource, int64_t monotonic_micros)
{
    _Atomic int64_t *heard = &store->fresh->heard[resource];
    int64_t before = atomic_load(heard);

    while (before < monotonic_micros &&
           !atomic_compare_exchange_weak(heard, &before, monotonic_micros))
        ;
}

void cf_store_expect(struct cf_store *store, enum cf_resource resource, bool expected)
{
    atomic_store(&store->fresh->expected[resource], expected);
}

bool cf_store_expected(const struct cf_store *store, enum cf_resource resource)
{
    return atomic_load(&store->fresh->expected[resource]);
}

bool cf_store_fresh(const struct cf_store *store, enum cf_resource resource, int64_t stale_after)
{
    return store->absent != CF_ABSENT_DEPENDS ||
           cf_store_fresh_query(store->fresh, resource, stale_after);
}

/* Microseconds; -1: never. The clock is read first: what is heard meanwhile has age 0. */
static int64_t age(const struct cf_store_fresh *fresh, enum cf_resource resource)
{
    int64_t now = cf_monotonic_micros();
    int64_t heard = atomic_load(&fresh->heard[resource]);

    if (heard < 0)
        return -1;
    return heard < now ? now - heard : 0;
}

bool cf_store_fresh_query(const struct cf_store_fresh *fresh, enum cf_resource resource,
                          int64_t stale_after)
{
    int64_t micros;

    if (!atomic_load(&fresh->expected[resource]) || !atomic_load(&fresh->synced[resource]))
        return false;
    micros = age(fresh, resource);
    return micros >= 0 && micros / MICROS_PER_SECOND < stale_after;
}

bool cf_store_synced(const struct cf_store *store)
{
    if (store->absent != CF_ABSENT_DEPENDS)
        return true;
    for (int i = 0; i < CF_RESOURCES; i++) {
        if (atomic_load(&store->fresh->expected[i]) && !atomic_load(&store->fresh->synced[i]))
            return false;
    }
    return true;
}

int64_t cf_store_age(const struct cf_store *store, enum cf_resource resource)
{
    if (store->absent != CF_ABSENT_DEPENDS || !atomic_load(&store->fresh->expected[resource]))
        return -1;
    return age(store->fresh, resource);
}

/* What comes after 1.x is newer than all of them. */
void cf_store_set_server_version(struct cf_store *store, unsigned major, unsigned minor)
{
    atomic_store(&store->fresh->minor, major > 1 ? UINT_MAX : major == 1 ? minor : 0);
}

unsigned cf_store_server_minor(const struct cf_store *store)
{
    return atomic_load(&store->fresh->minor);
}
