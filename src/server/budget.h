/* SPDX-License-Identifier: Apache-2.0 */
/* budget.h - limits.memory: what bodies, arenas and answers of all threads hold together.
 *
 * A caller takes room before it allocates, and gives it back after it has freed. What each thread's
 * arena keeps between reviews is set aside once, at the start: a small review that fits in there
 * takes nothing more than its body. */
#ifndef CF_SERVER_BUDGET_H
#define CF_SERVER_BUDGET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct cf_budget {
    atomic_size_t used;
    /* Set by cf_budget_set(), in bytes. */
    atomic_size_t max;       /* what may be used: limits.memory less what the arenas keep */
    atomic_size_t max_large; /* by large requests, so that small ones find room beside them */
    atomic_size_t keep;      /* of each thread's arena, set aside */
};

/* limits.memory for so many threads, where a body has `max_body` bytes at most; may be called at
 * any time. */
void cf_budget_set(struct cf_budget *budget, size_t memory, size_t max_body, unsigned threads);

/* Whether a request with a body of this size counts as large. */
bool cf_budget_is_large(size_t body_len);

/* The most that one request may ever hold, its body among it. */
size_t cf_budget_alone(const struct cf_budget *budget, bool large);

/* Takes the room, or false and leaves all as it was. */
bool cf_budget_take(struct cf_budget *budget, size_t bytes, bool large);
void cf_budget_give(struct cf_budget *budget, size_t bytes);

#endif
