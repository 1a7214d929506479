/* SPDX-License-Identifier: Apache-2.0 */
/* verdicts.c - lists of findings, compared and joined. A hostile object may have 100,000 of
 * them, so everything here sorts. */
#include <stdlib.h>
#include <string.h>

#include "engine_private.h"

/* ---- an UPDATE: what was there before ---- */

static int by_key(const void *a, const void *b)
{
    const struct cf_finding *x = *(const struct cf_finding *const *)a;
    const struct cf_finding *y = *(const struct cf_finding *const *)b;
    int order = strcmp(x->key, y->key);

    return order != 0 ? order : strcmp(x->value, y->value);
}

/* Of equal ones the earlier comes first: it is the later that counts as new. */
static int by_key_and_place(const void *a, const void *b)
{
    const struct cf_finding *x = *(const struct cf_finding *const *)a;
    const struct cf_finding *y = *(const struct cf_finding *const *)b;
    int order = by_key(a, b);

    if (order != 0)
        return order;
    return x < y ? -1 : x > y;
}

static const struct cf_finding **sorted(struct cf_arena *arena, const struct cf_finding *items,
                                        size_t count)
{
    const struct cf_finding **list = cf_arena_array(arena, count + 1, sizeof(*list));

    for (size_t i = 0; list != NULL && i < count; i++)
        list[i] = &items[i];
    if (list != NULL)
        qsort(list, count, sizeof(*list), by_key_and_place);
    return list;
}

/* Marks in `drop` the findings that have a partner among the old ones. */
static void match(const struct cf_finding *base, const struct cf_finding **now, size_t now_count,
                  const struct cf_finding **old, size_t old_count, bool *drop)
{
    size_t i = 0, j = 0;

    while (i < now_count && j < old_count) {
        int order = by_key(&now[i], &old[j]);

        if (order == 0) {
            drop[now[i] - base] = true;
            j++;
        }
        if (order <= 0)
            i++;
        else
            j++;
    }
}

void cf_findings_subtract(struct cf_findings *out, size_t first, struct cf_findings *old)
{
    size_t count = out->count - first, kept = first;
    const struct cf_finding **now_list, **old_list;
    bool *drop;

    if (out->failed || old->count == 0)
        return;
    now_list = sorted(out->arena, out->items + first, count);
    old_list = sorted(out->arena, old->items, old->count);
    drop = cf_arena_array(out->arena, count, sizeof(*drop));
    if (now_list == NULL || old_list == NULL || drop == NULL) {
        out->failed = true;
        return;
    }
    match(out->items + first, now_list, count, old_list, old->count, drop);
    for (size_t i = 0; i < count; i++) {
        if (!drop[i])
            out->items[kept++] = out->items[first + i];
    }
    out->count = kept;
}

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
static void restore_order(struct cf_arena *arena, struct cf_judgement *judgement)
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

int cf_verdicts_merge(struct cf_arena *arena, struct cf_judgement *judgement,
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
