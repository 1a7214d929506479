/* SPDX-License-Identifier: Apache-2.0 */
/* body.h - the body of a request while it comes in, its answer while it goes out, and
 * limits.memory. */
#ifndef CURFEW_SERVER_BODY_H
#define CURFEW_SERVER_BODY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* ---- budget ---- */

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

/* ---- body ---- */

enum cf_body_state {
    CF_BODY_GOOD,
    CF_BODY_BUSY,      /* all requests together were too much: this one was let go */
    CF_BODY_NO_MEMORY, /* the same, for want of memory */
};

struct cf_body {
    struct cf_budget *budget;
    enum cf_body_state state;
    char *data; /* NUL-terminated; NULL for none */
    size_t len, expected;
};

/* Of a request that promises so many bytes. */
void cf_body_begin(struct cf_body *body, struct cf_budget *budget, size_t expected);

/* The next piece of it; once it has been let go, pieces are dropped. */
void cf_body_add(struct cf_body *body, const char *data, size_t len);

/* Wipes and frees what was kept. */
void cf_body_drop(struct cf_body *body);

/* ---- answers ---- */

/* A copy of an answer, until it has been sent whole or its connection is gone. */
struct cf_sent {
    struct cf_budget *budget;
    size_t taken;
    char bytes[];
};

/* NULL when out of memory, or where the budget has no room (*refused): answers below
 * CF_SMALL_ANSWER are made in any case, "try again" is one. `budget` NULL: nothing is counted. */
struct cf_sent *cf_sent_new(struct cf_budget *budget, const char *bytes, size_t len, bool *refused);
void cf_sent_free(void *sent);

#endif
