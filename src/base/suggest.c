/* SPDX-License-Identifier: Apache-2.0 */
/* suggest.c - the word that was meant, for whoever mistyped one. */
#include <stdio.h>
#include <string.h>

#include "curfew/str.h"
#include "curfew/suggest.h"

#define WORD_MAX 40 /* no flag, command or key is longer; a longer word is near to none */
#define SLIPS_MAX 2

static size_t least(size_t a, size_t b, size_t c)
{
    size_t ab = a < b ? a : b;

    return ab < c ? ab : c;
}

/* Levenshtein's distance, one row at a time. Both words are shorter than WORD_MAX. */
static size_t distance(const char *a, const char *b)
{
    size_t len = strlen(b), row[WORD_MAX];

    for (size_t j = 0; j <= len; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1] != '\0'; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= len; j++) {
            size_t change = diagonal + (a[i - 1] != b[j - 1]);

            diagonal = row[j];
            row[j] = least(change, row[j] + 1, row[j - 1] + 1);
        }
    }
    return row[len];
}

void cf_suggest(struct cf_suggestion *s, const char *candidate)
{
    size_t typed = strlen(s->word), d;

    if (typed >= WORD_MAX || strlen(candidate) >= WORD_MAX)
        return;
    d = distance(s->word, candidate);
    if (typed > 2 && cf_starts_with(candidate, s->word))
        d = 1;
    if (d > SLIPS_MAX || d + 1 >= typed || (s->best != NULL && d >= s->distance))
        return;
    s->best = candidate;
    s->distance = d;
}

const char *cf_suggestion_text(const struct cf_suggestion *s, char out[96])
{
    out[0] = '\0';
    if (s->best != NULL)
        snprintf(out, 96, ": did you mean '%s'?", s->best);
    return out;
}
