/* SPDX-License-Identifier: Apache-2.0 */
/* unread.h - what is answered to a review whose object could not be read. */
#ifndef CURFEW_REVIEW_UNREAD_H
#define CURFEW_REVIEW_UNREAD_H

#include "curfew/review.h"
#include "engine_private.h"

struct cf_unread_review {
    struct cf_request request;       /* of the envelope: its objects are NULL, its kind is known */
    const struct cf_kind_info *info; /* NULL: no rule knows the kind, or nobody knows it */
    const char *kind;                /* "Pod"; NULL: unknown */
    const enum cf_level *enforce;    /* of the namespace; NULL: it was not looked up */
    enum cf_exempt exempt;           /* why it is allowed, unless the level or the kind is why */
    bool allowed;
    bool advised; /* a template: allowed with a warning */
};

/* Reads what precedes the fault, which is at or behind bytes[len], and decides. 1: it is no
 * AdmissionReview, or no uid was found, and *out is undefined. -1: out of memory. */
int cf_unread_evaluate(struct cf_arena *arena, const struct cf_review_input *in, const char *bytes,
                       size_t len, struct cf_unread_review *out, struct cf_err *err);

#endif
