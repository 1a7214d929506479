/* SPDX-License-Identifier: Apache-2.0 */
/* body.c - the body of a request while it comes in, its answer while it goes out, and limits.memory
 * over those of all threads. */
#include <stdlib.h>
#include <string.h>

#include "body.h"
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

/* ---- body ---- */

void cf_body_begin(struct cf_body *body, struct cf_budget *budget, size_t expected)
{
    *body = (struct cf_body){.budget = budget, .expected = expected};
}

void cf_body_drop(struct cf_body *body)
{
    if (body->data == NULL)
        return;
    explicit_bzero(body->data, body->len);
    free(body->data);
    cf_budget_give(body->budget, body->len);
    body->data = NULL;
    body->len = 0;
}

static void let_go(struct cf_body *body, enum cf_body_state why)
{
    body->state = why;
    cf_body_drop(body);
}

/* All of it is asked for at once, and costs nothing before it is written to: the system gives a
 * large block page by page. */
static bool has_place(struct cf_body *body)
{
    if (body->data == NULL)
        body->data = malloc(body->expected + 1);
    return body->data != NULL;
}

void cf_body_add(struct cf_body *body, const char *data, size_t len)
{
    if (body->state != CF_BODY_GOOD)
        return;
    if (len > body->expected - body->len || !has_place(body)) {
        let_go(body, CF_BODY_NO_MEMORY);
        return;
    }
    if (!cf_budget_take(body->budget, len, cf_budget_is_large(body->expected))) {
        let_go(body, CF_BODY_BUSY);
        return;
    }
    memcpy(body->data + body->len, data, len);
    body->len += len;
    body->data[body->len] = '\0';
}

struct cf_sent *cf_sent_new(struct cf_budget *budget, const char *bytes, size_t len, bool *refused)
{
    bool counts = budget != NULL && cf_budget_take(budget, len, true);
    struct cf_sent *sent;

    *refused = budget != NULL && !counts && len >= CF_SMALL_ANSWER;
    sent = *refused ? NULL : malloc(sizeof(*sent) + len);
    if (sent == NULL && counts)
        cf_budget_give(budget, len);
    if (sent == NULL)
        return NULL;
    *sent = (struct cf_sent){.budget = budget, .taken = counts ? len : 0};
    if (len > 0)
        memcpy(sent->bytes, bytes, len);
    return sent;
}

void cf_sent_free(void *arg)
{
    struct cf_sent *sent = arg;

    if (sent->taken > 0)
        cf_budget_give(sent->budget, sent->taken);
    free(sent);
}
