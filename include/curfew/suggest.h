/* SPDX-License-Identifier: Apache-2.0 */
/* suggest.h - "did you mean": the known word that is nearest to a mistyped one. */
#ifndef CURFEW_SUGGEST_H
#define CURFEW_SUGGEST_H

#include <stddef.h>

/* Start with {.word = what was typed}, offer every right word, then read `best`. */
struct cf_suggestion {
    const char *word;
    const char *best; /* NULL: nothing is near */
    size_t distance;  /* of best */
};

/* A candidate that is near (a slip or two, or the beginning of it) and nearer than the best so
 * far becomes the best. */
void cf_suggest(struct cf_suggestion *s, const char *candidate);

/* ": did you mean 'x'?" in a buffer of the caller's, or "" when nothing is near. */
const char *cf_suggestion_text(const struct cf_suggestion *s, char out[96]);

#endif
