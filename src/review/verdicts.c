/* SPDX-License-Identifier: Apache-2.0 */
/* verdicts.c - the findings of several levels, joined. Each has up to CF_FINDINGS_MAX of a rule, so
 * everything here sorts. */
#include <stdlib.h>
#include <string.h>

#include "engine_private.h"

/* ---- two levels: what both found ---- */

static int same_place(const struct cf_finding *x, const struct cf_finding *y)
{
    int order;

    if (x->rule != y->rule)
        return x->rule < y->rule ? -1 : 1;
    order = strcmp(x->path, y->path);
    if (order == 0)
        order = strcmp(x->key, y->key);
    /* One text may hold several tokens. */
    return order != 0 ? order : strcmp(x->value, y->value);
}

static int by_place(const void *a, const void *b)
{
    const struct cf_verdict *x = *(struct cf_verdict *const *)a;
    const struct cf_verdict *y = *(struct cf_verdict *const *)b;

    return same_place(&x->finding, &y->finding);
}

static struct cf_verdict *find(struct cf_verdict **list, size_t count, struct cf_verdict *wanted)
{
    struct cf_verdict **found = bsearch(&wanted, list, count, sizeof(*list), by_place);

    return found != NULL ? *found : NULL;
}

static unsigned lowest_bit(unsigned bits)
{
    return bits & (~bits + 1);
}

/* The text is that of the first mode (enforce before warn); the fix is that of the fix level. */
static void join(struct cf_verdict *into, const struct cf_verdict *from)
{
    const struct cf_fix *fix = into->finding.fix;

    if ((from->reached & CF_MODE_BIT(CF_FIX)) != 0)
        fix = from->finding.fix;
    if (lowest_bit(from->reached) < lowest_bit(into->reached))
        into->finding = from->finding;
    into->finding.fix = fix;
    into->reached |= from->reached;
}

/* Keeps the rules' order after findings of a second level were appended. */
static void restore_order(struct cf_arena *arena, struct cf_evaluation *judgement)
{
    struct cf_verdict *ordered = cf_arena_array(arena, judgement->count, sizeof(*ordered));
    size_t n = 0;

    for (size_t rule = 0; ordered != NULL && rule < cf_rule_count; rule++) {
        for (size_t i = 0; i < judgement->count; i++) {
            if (judgement->items[i].finding.rule == cf_rules[rule])
                ordered[n++] = judgement->items[i];
        }
    }
    if (ordered != NULL)
        judgement->items = ordered;
}

int cf_verdicts_merge(struct cf_arena *arena, struct cf_evaluation *judgement,
                      const struct cf_findings *found, unsigned modes)
{
    size_t before = judgement->count;
    struct cf_verdict *all, **places;

    if (found->count == 0)
        return 0;
    all = cf_arena_array(arena, before + found->count, sizeof(*all));
    places = cf_arena_array(arena, before + 1, sizeof(struct cf_verdict *));
    if (all == NULL || places == NULL)
        return -1;
    if (before > 0)
        memcpy(all, judgement->items, before * sizeof(*all));
    for (size_t i = 0; i < before; i++)
        places[i] = &all[i];
    qsort(places, before, sizeof(struct cf_verdict *), by_place);
    judgement->items = all;
    for (size_t i = 0; i < found->count; i++) {
        struct cf_verdict verdict = {.finding = found->items[i], .reached = modes};
        struct cf_verdict *same = find(places, before, &verdict);

        if (same != NULL)
            join(same, &verdict);
        else
            all[judgement->count++] = verdict;
    }
    if (before > 0 && judgement->count > before)
        restore_order(arena, judgement);
    return 0;
}
