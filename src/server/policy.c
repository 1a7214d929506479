/* SPDX-License-Identifier: Apache-2.0 */
/* policy.c - the policy in force. A review takes one reference and judges by it to its end,
 * whatever is loaded meanwhile; the lock is held to take the reference, never during a review. */
#include <stdlib.h>

#include "context.h"
#include "http.h"

struct cf_policy_swap {
    atomic_uint refs;
    struct cf_policy *policy;
};

static void unref(struct cf_policy_swap *held)
{
    if (held == NULL || atomic_fetch_sub(&held->refs, 1) != 1)
        return;
    cf_policy_free(held->policy);
    free(held);
}

struct cf_policy_swap *cf_server_policy_ref(struct cf_server *server)
{
    struct cf_policy_swap *held;

    pthread_mutex_lock(&server->lock);
    held = server->policy;
    atomic_fetch_add(&held->refs, 1);
    pthread_mutex_unlock(&server->lock);
    return held;
}

const struct cf_policy *cf_policy_swap(const struct cf_policy_swap *held)
{
    return held->policy;
}

void cf_server_policy_unref(struct cf_policy_swap *held)
{
    unref(held);
}

void cf_server_use_policy(struct cf_server *server, struct cf_policy *policy)
{
    struct cf_policy_swap *held = calloc(1, sizeof(*held)), *old;

    if (held == NULL) {
        cf_policy_free(policy);
        return;
    }
    atomic_init(&held->refs, 1);
    held->policy = policy;
    pthread_mutex_lock(&server->lock);
    old = server->policy;
    server->policy = held;
    pthread_mutex_unlock(&server->lock);
    unref(old);
    cf_budget_set(&server->budget, policy->memory, policy->max_body, server->config.threads);
}

void cf_server_drop_policy(struct cf_server *server)
{
    unref(server->policy);
    server->policy = NULL;
}
