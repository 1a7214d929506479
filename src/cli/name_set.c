/* SPDX-License-Identifier: Apache-2.0 */
/* name_set.c - a set of names in no more memory than twice what they need: when the row is full,
 * what is there twice goes, and only then the row grows. */
#include <stdlib.h>
#include <string.h>

#include "review_run.h"

#define CAPACITY_MIN 64

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

size_t cf_name_set_sort(struct cf_name_set *set)
{
    size_t kept = 0;

    if (set->sorted || set->count == 0)
        return set->count;
    qsort(set->items, set->count, sizeof(*set->items), by_text);
    for (size_t i = 0; i < set->count; i++) {
        if (kept > 0 && strcmp(set->items[kept - 1], set->items[i]) == 0)
            free(set->items[i]);
        else
            set->items[kept++] = set->items[i];
    }
    set->count = kept;
    set->sorted = true;
    return kept;
}

static bool make_room(struct cf_name_set *set)
{
    size_t wanted = set->capacity == 0 ? CAPACITY_MIN : 2 * set->capacity;
    char **bigger;

    if (set->count < set->capacity)
        return true;
    if (cf_name_set_sort(set) < set->capacity / 2)
        return true;
    bigger = realloc(set->items, wanted * sizeof(*bigger));
    if (bigger == NULL)
        return false;
    set->items = bigger;
    set->capacity = wanted;
    return true;
}

void cf_name_set_add(struct cf_name_set *set, const char *text)
{
    char *copy = text != NULL && make_room(set) ? strdup(text) : NULL;

    if (copy == NULL) {
        set->failed = true;
        return;
    }
    set->items[set->count++] = copy;
    set->sorted = false;
}

void cf_name_set_free(struct cf_name_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        free(set->items[i]);
    free(set->items);
    *set = (struct cf_name_set){0};
}
