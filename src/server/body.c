/* SPDX-License-Identifier: Apache-2.0 */
/* body.c - see body.h. */
#include "body.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

void cf_body_begin(struct cf_body *body, struct cf_inflight *inflight, size_t expected)
{
    *body = (struct cf_body){.inflight = inflight, .expected = expected};
}

void cf_body_drop(struct cf_body *body)
{
    if (body->data == NULL)
        return;
    explicit_bzero(body->data, body->len);
    free(body->data);
    atomic_fetch_sub(&body->inflight->bytes, body->len);
    body->data = NULL;
    body->len = 0;
}

/* Takes the room or leaves all as it was: two threads at the edge must not both get in. */
static bool reserve(struct cf_inflight *inflight, size_t len)
{
    size_t before = atomic_fetch_add(&inflight->bytes, len);

    if (before + len <= atomic_load_explicit(&inflight->max, memory_order_relaxed))
        return true;
    atomic_fetch_sub(&inflight->bytes, len);
    return false;
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
    if (!reserve(body->inflight, len)) {
        let_go(body, CF_BODY_BUSY);
        return;
    }
    memcpy(body->data + body->len, data, len);
    body->len += len;
    body->data[body->len] = '\0';
}
