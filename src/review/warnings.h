/* SPDX-License-Identifier: Apache-2.0 */
/* warnings.h - what the API server passes on as `Warning:` lines: each one line of at most 256
 * characters, all of them together under 4096 (k8s.io/apiserver endpoints/filters/warning.go). */
#ifndef CURFEW_REVIEW_WARNINGS_H
#define CURFEW_REVIEW_WARNINGS_H

#include "curfew/writer.h"
#include "curfew/review.h"
#include "existing.h"

/* Write the member "warnings" where there are any; `more` comes behind those of the findings. */
void cf_warnings_fixed(struct cf_out *out, struct cf_arena *arena, const struct cf_request *request,
                       const struct cf_evaluation *judgement);
/* That nothing was repaired, for each rule that has more findings than are told. */
void cf_warnings_unfixed(struct cf_out *out, struct cf_arena *arena,
                         const struct cf_request *request, const struct cf_evaluation *judgement);
void cf_warnings_validate(struct cf_out *out, struct cf_arena *arena,
                          const struct cf_request *request, const struct cf_evaluation *judgement,
                          const struct cf_note_lines *more, int64_t now);

/* Whether somebody is to hear of what /mutate repaired. */
bool cf_fixed_worth_reporting(const struct cf_request *request,
                              const struct cf_evaluation *judgement);

/* Whether /validate denies for this verdict; if not, it may warn. */
bool cf_verdict_denies(const struct cf_request *request, const struct cf_verdict *verdict);

#endif
