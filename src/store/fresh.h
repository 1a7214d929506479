/* SPDX-License-Identifier: Apache-2.0 */
/* fresh.h - how far what the store holds can be believed. */
#ifndef CURFEW_KUBE_STORE_FRESH_H
#define CURFEW_KUBE_STORE_FRESH_H

#include <stdatomic.h>

#include "curfew/store.h"

/* Asked by every review, written by the watch of the resource: never behind the lock. */
struct cf_store_fresh {
    _Atomic int64_t heard[CF_RESOURCES]; /* monotonic microseconds; -1: never */
    atomic_bool synced[CF_RESOURCES];    /* it was listed once */
    atomic_bool expected[CF_RESOURCES];  /* there is a watch */
    atomic_uint minor;                   /* of the API server's version; 0: not known */
};

void cf_store_fresh_init(struct cf_store_fresh *fresh);

/* Whether what the resource lacks does not exist. */
bool cf_store_fresh_query(const struct cf_store_fresh *fresh, enum cf_resource resource,
                          int64_t stale_after);

#endif
