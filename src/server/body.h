/* SPDX-License-Identifier: Apache-2.0 */
/* body.h - the body of a request while it comes in, and its answer while it goes out.
 *
 * Bytes count as they are received, not as they are promised. Every body is wiped: it may be a
 * Secret's. */
#ifndef CF_SERVER_BODY_H
#define CF_SERVER_BODY_H

#include <stdbool.h>
#include <stddef.h>

#include "budget.h"

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
