/* SPDX-License-Identifier: Apache-2.0 */
/* findings.c - collecting what rules find.
 *
 * A rule may have 100,000 findings in one object. Of each rule the first CF_FINDINGS_MAX are
 * kept and reported; of the others only their number, and whether one is a reason to deny. */
#include "curfew/rule.h"

#include <stdio.h>
#include <string.h>

#include "curfew/hash.h"
#include "curfew/limits.h"
#include "curfew/str.h"

/* ---- findings ---- */

void cf_findings_begin(struct cf_findings *out, const struct cf_rule *rule,
                       struct cf_prints *prints, bool noting)
{
    out->rule = rule;
    out->first = out->count;
    out->more = 0;
    out->more_denies = false;
    out->stopped = false;
    out->prints = prints;
    out->noting = noting;
    out->is_spare = false;
    out->scratch_used = 0;
}

/* What the rule wrote to the one that was not kept. */
static void look_at_spare(struct cf_findings *out)
{
    if (!out->is_spare)
        return;
    out->is_spare = false;
    out->more_denies = out->more_denies || !out->spare.never_denied;
}

static struct cf_finding *room(struct cf_findings *out)
{
    size_t wanted = out->capacity == 0 ? 8 : out->capacity * 2;
    struct cf_finding *bigger;

    if (out->count < out->capacity)
        return &out->items[out->count++];
    bigger = cf_arena_array(out->arena, wanted, sizeof(*bigger));
    if (bigger == NULL) {
        out->failed = true;
        return NULL;
    }
    if (out->count > 0)
        memcpy(bigger, out->items, out->count * sizeof(*bigger));
    out->items = bigger;
    out->capacity = wanted;
    return &out->items[out->count++];
}

char *cf_finding_scratch(struct cf_findings *out, size_t size)
{
    char *text = out->scratch + out->scratch_used;

    if (size > sizeof(out->scratch) - out->scratch_used)
        return cf_arena_alloc(out->arena, size);
    out->scratch_used += size;
    return text;
}

static bool in_scratch(const struct cf_findings *out, const char *text)
{
    return text >= out->scratch && text < out->scratch + sizeof(out->scratch);
}

static const char *keep(struct cf_findings *out, const char *text)
{
    return text != NULL && in_scratch(out, text) ? cf_arena_strdup(out->arena, text) : text;
}

/* Whether it was there before, or is only noted. */
static bool is_left_out(struct cf_findings *out, const struct cf_finding *f)
{
    if (out->prints == NULL)
        return false;
    if (!out->noting)
        return cf_prints_take(out->prints, f);
    if (!cf_prints_add(out->prints, f))
        out->failed = true;
    return true;
}

static struct cf_finding *spare(struct cf_findings *out, const struct cf_finding *f)
{
    out->spare = *f;
    out->scratch_used = 0;
    return &out->spare;
}

struct cf_finding *cf_finding_add(struct cf_findings *out, const char *key,
                                  const struct cf_path *at, const char *value)
{
    struct cf_finding made = {
        .rule = out->rule,
        .key = key,
        .value = value,
        .what = out->rule->title,
        .detail = out->rule->title,
        .never_denied = (out->rule->traits & CF_RULE_NEVER_DENIES) != 0,
    };
    struct cf_finding *f;

    look_at_spare(out);
    if (key == NULL || value == NULL) {
        out->failed = true;
        return NULL;
    }
    if (is_left_out(out, &made))
        return spare(out, &made);
    if (out->count - out->first >= CF_FINDINGS_MAX) {
        out->more++;
        out->is_spare = true;
        return spare(out, &made);
    }
    made.key = keep(out, key);
    made.value = keep(out, value);
    made.at = cf_path_copy(out->arena, at);
    made.path = cf_path_text(out->arena, at);
    out->scratch_used = 0;
    if (made.key == NULL || made.value == NULL || made.path == NULL)
        out->failed = true;
    f = out->failed ? NULL : room(out);
    if (f != NULL)
        *f = made;
    return f;
}

bool cf_finding_kept(const struct cf_findings *out, const struct cf_finding *f)
{
    return f != NULL && f != &out->spare;
}

bool cf_findings_stop(struct cf_findings *out)
{
    if (out->noting || out->more == 0)
        return false;
    look_at_spare(out);
    out->stopped = out->more_denies;
    return out->stopped;
}

/* Replaces the last finding that was kept by one that represents it and all after it. */
void cf_findings_end(struct cf_findings *out)
{
    struct cf_finding *f;

    look_at_spare(out);
    if (out->more == 0 || out->failed)
        return;
    f = &out->items[out->count - 1];
    *f = (struct cf_finding){
        .rule = out->rule,
        .key = "\n",
        .at = f->at,
        .path = f->path,
        .value = "null",
        .what = out->rule->title,
        .detail = "the list of findings ends here",
        .remedy = "repair the listed findings first, then apply or review the object again",
        .never_denied = f->never_denied && !out->more_denies,
        .more = true,
    };
    cf_finding_what(out, f, "and more: of this rule %s%zu further findings are not listed",
                    out->stopped ? "at least " : "", out->more + 1);
}

static const char *text(struct cf_findings *out, const char *fmt, va_list args) CF_PRINTF(2, 0);

/* Ends a full text in dots, and not within a character. */
static void cut(char made[CF_FINDING_TEXT_MAX])
{
    size_t at = CF_FINDING_TEXT_MAX - sizeof("...");

    while (at > 0 && ((unsigned char)made[at] & 0xC0) == 0x80)
        at--;
    memcpy(made + at, "...", sizeof("..."));
}

/* A text for people, without what a name must not smuggle into a terminal or a header. */
static const char *text(struct cf_findings *out, const char *fmt, va_list args)
{
    char made[CF_FINDING_TEXT_MAX], *copy;

    if (vsnprintf(made, sizeof(made), fmt, args) >= (int)sizeof(made))
        cut(made);
    cf_str_sanitize(made, sizeof(made));
    copy = cf_arena_strdup(out->arena, made);
    if (copy == NULL)
        out->failed = true;
    return cf_str_or_empty(copy);
}

void cf_finding_what(struct cf_findings *out, struct cf_finding *f, const char *fmt, ...)
{
    va_list args;

    if (!cf_finding_kept(out, f))
        return;
    va_start(args, fmt);
    f->what = text(out, fmt, args);
    va_end(args);
}

void cf_finding_detail(struct cf_findings *out, struct cf_finding *f, const char *fmt, ...)
{
    va_list args;

    if (!cf_finding_kept(out, f))
        return;
    va_start(args, fmt);
    f->detail = text(out, fmt, args);
    va_end(args);
}

void cf_finding_remedy(struct cf_findings *out, struct cf_finding *f, const char *fmt, ...)
{
    va_list args;

    if (!cf_finding_kept(out, f))
        return;
    va_start(args, fmt);
    f->remedy = text(out, fmt, args);
    va_end(args);
}

/* ---- what an object had before ----
 *
 * A finding of the new object that the old one had, too, is dropped. Of each finding a hash of its
 * key and value is kept, and its count: 16 bytes, where the strings may be a hundred times as long.
 * The hash is keyed, so that an attacker cannot choose a new value that passes for an old one. */

#define CAPACITY_MIN 64

struct slot {
    uint64_t print;
    size_t times; /* how often it is there, and one more; 0: the slot is free */
};

struct cf_prints {
    struct cf_arena *arena;
    struct slot *slots;
    size_t capacity, used; /* slots: open addressing, at most half of them are in use */
    size_t count;
};

struct cf_prints *cf_prints_new(struct cf_arena *arena)
{
    struct cf_prints *prints = cf_arena_alloc(arena, sizeof(*prints));

    if (prints != NULL)
        prints->arena = arena;
    return prints;
}

size_t cf_prints_count(const struct cf_prints *prints)
{
    return prints->count;
}

static uint64_t print_of(const struct cf_finding *finding)
{
    const uint64_t *key = cf_hash_key();
    uint64_t both[2] = {cf_hash64(key, finding->key, strlen(finding->key)),
                        cf_hash64(key, finding->value, strlen(finding->value))};

    return cf_hash64(key, (const char *)both, sizeof(both));
}

/* The slot of the print, or the free one where it would be. */
static struct slot *find(struct slot *slots, size_t capacity, uint64_t print)
{
    size_t at = print & (capacity - 1);

    while (slots[at].times != 0 && slots[at].print != print)
        at = (at + 1) & (capacity - 1);
    return &slots[at];
}

static bool grow_prints(struct cf_prints *prints)
{
    size_t capacity = prints->capacity == 0 ? CAPACITY_MIN : 2 * prints->capacity;
    struct slot *slots = cf_arena_array(prints->arena, capacity, sizeof(*slots));

    if (slots == NULL)
        return false;
    for (size_t i = 0; i < prints->capacity; i++) {
        if (prints->slots[i].times > 0)
            *find(slots, capacity, prints->slots[i].print) = prints->slots[i];
    }
    cf_arena_drop(prints->arena, prints->slots, prints->capacity * sizeof(*slots));
    prints->slots = slots;
    prints->capacity = capacity;
    return true;
}

bool cf_prints_add(struct cf_prints *prints, const struct cf_finding *finding)
{
    uint64_t print = print_of(finding);
    struct slot *slot;

    if (prints->used >= prints->capacity / 2 && !grow_prints(prints))
        return false;
    slot = find(prints->slots, prints->capacity, print);
    prints->used += slot->times == 0;
    slot->print = print;
    slot->times += slot->times == 0 ? 2 : 1;
    prints->count++;
    return true;
}

/* The slot stays in use, so that the slots after it are found. */
bool cf_prints_take(struct cf_prints *prints, const struct cf_finding *finding)
{
    uint64_t print = print_of(finding);
    struct slot *slot = prints->capacity == 0 ? NULL : find(prints->slots, prints->capacity, print);

    if (slot == NULL || slot->times <= 1)
        return false;
    slot->times--;
    prints->count--;
    return true;
}
