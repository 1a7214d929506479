/* SPDX-License-Identifier: Apache-2.0 */
/* messages.h - what a person reads in kubectl. */
#ifndef CURFEW_REVIEW_MESSAGE_H
#define CURFEW_REVIEW_MESSAGE_H

#include "curfew/review.h"

/* One line of at most `max` characters: `<subject> <verb>: <rule id>: <rest>`. What is quoted is
 * cut first, so that the rule and the sentence stay. */
const char *cf_line(struct cf_arena *arena, size_t max, const char *fmt, ...) CF_PRINTF(3, 4);

/* The levels that hold for the rule: of the object's namespace, or of the caller's. */
const struct cf_levels *cf_evaluation_levels(const struct cf_evaluation *judgement,
                                             const struct cf_rule *rule);

/* Whether the object is in a manifest that `curfew review` could look at: one that exists already
 * is judged otherwise, and a request for a token is in none. */
bool cf_in_file(const struct cf_request *request);

/* The whole denial: a first line that stands alone, one line for each finding, the way out. */
const char *cf_denial(struct cf_arena *arena, const struct cf_request *request,
                      const struct cf_evaluation *judgement, const struct cf_verdict *const *denied,
                      size_t count);

#endif
