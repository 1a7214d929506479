/* SPDX-License-Identifier: Apache-2.0 */
/* decode_private.h - what both kinds of reviews are read with. */
#ifndef CURFEW_REVIEW_DECODE_PRIVATE_H
#define CURFEW_REVIEW_DECODE_PRIVATE_H

#include "curfew/fields.h"
#include "curfew/request.h"

/* cf_review_decode(), which also tells how many bytes precede a fault in the JSON; `len` when there
 * is none. */
int cf_review_decode_offset(struct cf_arena *arena, const char *bytes, size_t len,
                            struct cf_request **out, size_t *sound, struct cf_err *err);

#endif
