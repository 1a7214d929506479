/* SPDX-License-Identifier: Apache-2.0 */
/* store_private.h - the parts of the store, for the files of the store. */
#ifndef CURFEW_KUBE_STORE_PRIVATE_H
#define CURFEW_KUBE_STORE_PRIVATE_H

#include <pthread.h>

#include "store_fresh.h"

struct cf_store {
    enum cf_store_absent absent;
    /* Behind pointers, since who only asks a store locks it too. */
    pthread_rwlock_t *lock;
    struct cf_store_fresh *fresh;

    void *namespaces, *secrets, *accounts;
    struct cf_store_counts counts;
};

#endif
