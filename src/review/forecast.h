/* SPDX-License-Identifier: Apache-2.0 */
/* forecast.h - while /mutate answers: what /validate will say. */
#ifndef CURFEW_REVIEW_FORECAST_H
#define CURFEW_REVIEW_FORECAST_H

#include "curfew/review.h"

/* Whether /validate will deny the request once it is repaired by the patch, which comes of the
 * judgement. What a patch touches is changed in place: the object is not to be read again. `len`
 * are the review's bytes; of a very large one that would be denied as it is, nobody looks whether
 * the patch is enough. */
bool cf_will_be_denied(struct cf_arena *arena, const struct cf_review_input *in,
                       const struct cf_request *request, const struct cf_evaluation *judgement,
                       const char *patch, size_t len);

#endif
