/* SPDX-License-Identifier: Apache-2.0 */
/* budget.c - see budget.h. */
#include "budget.h"

#include "limits.h"

/* A body of the largest size always fits, however little there is: else it could not even be
 * told whose review it is. */
void cf_budget_set(struct cf_budget *budget, size_t memory, size_t max_body, unsigned threads)
{
    size_t beside = memory > max_body ? memory - max_body : 0;
    size_t keep = beside / 2 / (threads == 0 ? 1 : threads);
    size_t share = memory / CF_SMALL_SHARE;

    if (keep > CF_ARENA_KEEP)
        keep = CF_ARENA_KEEP;
    if (share > beside / 2)
        share = beside / 2;
    atomic_store(&budget->keep, keep);
    atomic_store(&budget->max, memory - keep * threads);
    atomic_store(&budget->max_large, memory - keep * threads - share);
}

bool cf_budget_is_large(size_t body_len)
{
    return body_len > CF_SMALL_BODY;
}

size_t cf_budget_alone(const struct cf_budget *budget, bool large)
{
    return atomic_load_explicit(large ? &budget->max_large : &budget->max, memory_order_relaxed);
}

/* Adds first and looks then: two threads at the edge must not both get in. */
bool cf_budget_take(struct cf_budget *budget, size_t bytes, bool large)
{
    size_t before;

    if (bytes == 0)
        return true;
    before = atomic_fetch_add(&budget->used, bytes);
    if (before + bytes <= cf_budget_alone(budget, large))
        return true;
    atomic_fetch_sub(&budget->used, bytes);
    return false;
}

void cf_budget_give(struct cf_budget *budget, size_t bytes)
{
    if (bytes > 0)
        atomic_fetch_sub(&budget->used, bytes);
}
