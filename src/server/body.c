/* SPDX-License-Identifier: Apache-2.0 */
/* body.c - request bodies, copies of answers, and the memory budget that both are taken from; see
 * body.h. */
#include <stdlib.h>
#include <string.h>

#include "body.h"
#include "limits.h"

/* ---- budget ---- */

/* A body of the largest size always fits, however small limits.memory is: otherwise the answer
 * could not even carry the review's uid. */
void cf_budget_set(struct cf_budget *budget, size_t memory, size_t max_body, unsigned threads)
{
    size_t other = memory > max_body ? memory - max_body : 0;
    size_t keep = other / 2 / (threads == 0 ? 1 : threads);
    size_t share = memory / CF_SMALL_SHARE;

    if (keep > CF_ARENA_KEEP)
        keep = CF_ARENA_KEEP;
    if (share > other / 2)
        share = other / 2;
    atomic_store(&budget->keep, keep);
    atomic_store(&budget->max, memory - keep * threads);
    atomic_store(&budget->max_large, memory - keep * threads - share);
}

bool cf_budget_is_large(size_t body_len)
{
    return body_len > CF_SMALL_BODY;
}

size_t cf_budget_ceiling(const struct cf_budget *budget, bool large)
{
    return atomic_load_explicit(large ? &budget->max_large : &budget->max, memory_order_relaxed);
}

/* Adds before it compares: of two threads at the limit at most one succeeds. */
bool cf_budget_take(struct cf_budget *budget, size_t bytes, bool large)
{
    size_t before;

    if (bytes == 0)
        return true;
    before = atomic_fetch_add(&budget->used, bytes);
    if (before + bytes <= cf_budget_ceiling(budget, large))
        return true;
    atomic_fetch_sub(&budget->used, bytes);
    return false;
}

void cf_budget_release(struct cf_budget *budget, size_t bytes)
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
    cf_budget_release(body->budget, body->len);
    body->data = NULL;
    body->len = 0;
}

static void abandon_body(struct cf_body *body, enum cf_body_state why)
{
    body->state = why;
    cf_body_drop(body);
}

/* The whole block is allocated up front: the system provides a large block page by page, so that
 * only what is written to uses memory. */
static bool has_buffer(struct cf_body *body)
{
    if (body->data == NULL)
        body->data = malloc(body->expected + 1);
    return body->data != NULL;
}

void cf_body_add(struct cf_body *body, const char *data, size_t len)
{
    if (body->state != CF_BODY_GOOD)
        return;
    if (len > body->expected - body->len || !has_buffer(body)) {
        abandon_body(body, CF_BODY_NO_MEMORY);
        return;
    }
    if (!cf_budget_take(body->budget, len, cf_budget_is_large(body->expected))) {
        abandon_body(body, CF_BODY_BUSY);
        return;
    }
    memcpy(body->data + body->len, data, len);
    body->len += len;
    body->data[body->len] = '\0';
}

/* ---- answers ---- */

struct cf_reply_copy *cf_reply_copy_new(struct cf_budget *budget, const char *bytes, size_t len,
                                        bool *refused)
{
    bool counts = budget != NULL && cf_budget_take(budget, len, true);
    struct cf_reply_copy *sent;

    *refused = budget != NULL && !counts && len >= CF_SMALL_ANSWER;
    sent = *refused ? NULL : malloc(sizeof(*sent) + len);
    if (sent == NULL && counts)
        cf_budget_release(budget, len);
    if (sent == NULL)
        return NULL;
    *sent = (struct cf_reply_copy){.budget = budget, .taken = counts ? len : 0};
    if (len > 0)
        memcpy(sent->bytes, bytes, len);
    return sent;
}

void cf_reply_copy_free(void *arg)
{
    struct cf_reply_copy *sent = arg;

    if (sent->taken > 0)
        cf_budget_release(sent->budget, sent->taken);
    free(sent);
}
