/* SPDX-License-Identifier: Apache-2.0 */
/* body.h - request bodies, copies of answers, and the memory budget (limits.memory) that both are
 * taken from. */
#ifndef CURFEW_SERVER_BODY_H
#define CURFEW_SERVER_BODY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* ---- budget ---- */

struct cf_budget {
    atomic_size_t used;
    /* Set by cf_budget_set(), in bytes. */
    atomic_size_t max;       /* for all requests: limits.memory less what the arenas keep */
    atomic_size_t max_large; /* for large requests: less than max, the rest is for small ones */
    atomic_size_t keep;      /* what the arena of each thread keeps between two requests */
};

/* Divides limits.memory (`memory`, in bytes) among that many threads; a body has at most `max_body`
 * bytes. May be called at any time. */
void cf_budget_set(struct cf_budget *budget, size_t memory, size_t max_body, unsigned threads);

/* Whether a request with a body of this size is a large one. */
bool cf_budget_is_large(size_t body_len);

/* The most that a single request may ever use, its body included. */
size_t cf_budget_ceiling(const struct cf_budget *budget, bool large);

/* Takes bytes from the budget. False: not enough is left, and nothing was taken. */
bool cf_budget_take(struct cf_budget *budget, size_t bytes, bool large);
void cf_budget_release(struct cf_budget *budget, size_t bytes);

/* ---- body ---- */

enum cf_body_state {
    CF_BODY_GOOD,
    CF_BODY_BUSY,      /* abandoned: the budget is used up */
    CF_BODY_NO_MEMORY, /* abandoned: out of memory */
};

struct cf_body {
    struct cf_budget *budget;
    enum cf_body_state state;
    char *data; /* NUL-terminated; NULL for none */
    size_t len, expected;
};

/* `expected` is the Content-Length. */
void cf_body_begin(struct cf_body *body, struct cf_budget *budget, size_t expected);

/* Appends the next piece; pieces of an abandoned body are ignored. */
void cf_body_add(struct cf_body *body, const char *data, size_t len);

/* Wipes and frees the bytes. */
void cf_body_drop(struct cf_body *body);

/* ---- answers ---- */

/* A copy of an answer, kept until it is sent completely or its connection is closed. */
struct cf_reply_copy {
    struct cf_budget *budget;
    size_t taken;
    char bytes[];
};

/* NULL when out of memory, or when the budget has no room (*refused). Answers below CF_SMALL_ANSWER
 * always have room, among them the one to try again later. `budget` NULL: not counted. */
struct cf_reply_copy *cf_reply_copy_new(struct cf_budget *budget, const char *bytes, size_t len,
                                        bool *refused);
void cf_reply_copy_free(void *sent);

#endif
