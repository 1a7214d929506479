/* SPDX-License-Identifier: Apache-2.0 */
/* existing.h - what is there already and is touched by a request that is allowed: the pods of a
 * namespace whose level rises, the pods that name a new legacy Secret. As Pod Security does, it is
 * told and never refused. */
#ifndef CURFEW_REVIEW_EXISTING_H
#define CURFEW_REVIEW_EXISTING_H

#include "curfew/review.h"

/* Warnings, each a line that fits, the most important first. */
struct cf_note_lines {
    const char **items;
    size_t count, capacity;
};

/* Adds what there is to say; all of it lives in the arena. */
void cf_existing_lines(struct cf_arena *arena, const struct cf_review_input *in,
                       const struct cf_request *request, const struct cf_evaluation *judgement,
                       struct cf_note_lines *out);

/* One more, printf-like; when out of memory the arena says so. */
void cf_lines_add(struct cf_note_lines *lines, struct cf_arena *arena, const char *fmt, ...)
    CF_PRINTF(3, 4);

/* ---- relabel.c ---- */

/* The pods of a namespace that would violate a level that rises. */
void cf_relabel_lines(struct cf_arena *arena, const struct cf_review_input *in,
                      const struct cf_request *request, struct cf_note_lines *out);

#endif
