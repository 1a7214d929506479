/* SPDX-License-Identifier: Apache-2.0 */
/* inspect_keep.c - collects the tokens that were found: the claims of each token once, and the
 * places where it was found. The signature is verified here; the token itself is not kept.
 *
 * A log may hold a million tokens with nearly the same claims: equal strings share one copy, and
 * the list has a limit. Tokens above the limit are counted. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "curfew/hash.h"
#include "curfew/limits.h"
#include "curfew/str.h"
#include "inspect.h"

#define CAPACITY_MIN 64

/* ---- the index ---- */

struct cf_inspect_slot {
    uint64_t hash; /* 0: free */
    void *value;
};

static struct cf_inspect_slot *slot_of(const struct cf_inspect_index *index, uint64_t hash)
{
    size_t at = (size_t)hash & (index->capacity - 1);

    while (index->slots[at].hash != 0 && index->slots[at].hash != hash)
        at = (at + 1) & (index->capacity - 1);
    return &index->slots[at];
}

static bool grow_index(struct cf_inspect_index *index)
{
    size_t capacity = index->capacity == 0 ? CAPACITY_MIN : index->capacity * 2;
    struct cf_inspect_index bigger = {calloc(capacity, sizeof(*index->slots)), capacity,
                                      index->count};

    if (bigger.slots == NULL)
        return false;
    for (size_t i = 0; i < index->capacity; i++) {
        if (index->slots[i].hash != 0)
            *slot_of(&bigger, index->slots[i].hash) = index->slots[i];
    }
    free(index->slots);
    *index = bigger;
    return true;
}

/* The slot for a hash; a new one has the hash 0. NULL: out of memory. */
static struct cf_inspect_slot *find_slot(struct cf_inspect_index *index, uint64_t hash)
{
    if (index->count >= index->capacity / 4 * 3 && !grow_index(index))
        return NULL;
    return slot_of(index, hash);
}

static void fill_slot(struct cf_inspect_index *index, struct cf_inspect_slot *slot, uint64_t hash,
                      void *value)
{
    *slot = (struct cf_inspect_slot){hash, value};
    index->count++;
}

static uint64_t hash_of(const char *text, size_t len)
{
    uint64_t hash = cf_hash64(cf_hash_key(), text, len);

    return hash + (hash == 0);
}

void cf_inspect_free(struct cf_inspect *run)
{
    free(run->known.slots);
    free(run->texts.slots);
    free(run->items);
    cf_arena_reset(run->arena, true);
    cf_arena_free(run->arena);
}

/* ---- claims ---- */

static char *shown_once(struct cf_inspect *run, const char *text)
{
    char *copy = cf_str_shown(run->arena, text);

    run->failed = run->failed || (copy == NULL && text != NULL);
    return copy;
}

const char *cf_inspect_shown(struct cf_inspect *run, const char *text)
{
    uint64_t hash = text != NULL ? hash_of(text, strlen(text)) : 0;
    struct cf_inspect_slot *slot;

    if (text == NULL)
        return NULL;
    slot = find_slot(&run->texts, hash);
    run->failed = run->failed || slot == NULL;
    if (slot == NULL)
        return NULL;
    if (slot->hash == 0)
        fill_slot(&run->texts, slot, hash, shown_once(run, text));
    return slot->value;
}

static void keep_token(struct cf_inspect *run, const struct cf_token *from, struct cf_token *to)
{
    *to = *from;
    to->alg = cf_inspect_shown(run, from->alg);
    to->kid = cf_inspect_shown(run, from->kid);
    to->typ = cf_inspect_shown(run, from->typ);
    to->issuer = cf_inspect_shown(run, from->issuer);
    to->subject = cf_inspect_shown(run, from->subject);
    to->jti = shown_once(run, from->jti); /* unique, so not worth sharing */
    to->namespace = cf_inspect_shown(run, from->namespace);
    to->account = cf_inspect_shown(run, from->account);
    to->account_uid = cf_inspect_shown(run, from->account_uid);
    to->secret = cf_inspect_shown(run, from->secret);
    to->pod = cf_inspect_shown(run, from->pod);
    to->node = cf_inspect_shown(run, from->node);
    to->audiences = cf_arena_array(run->arena, from->audience_count + 1, sizeof(*to->audiences));
    run->failed = run->failed || to->audiences == NULL;
    for (size_t i = 0; to->audiences != NULL && i < from->audience_count; i++)
        to->audiences[i] = cf_inspect_shown(run, from->audiences[i]);
}

static void verify_hit(const struct cf_inspect *run, const struct cf_token_hit *hit,
                       struct cf_inspected *out, struct cf_err *why)
{
    if (run->jwks == NULL)
        return;
    out->signature = CF_SIGNATURE_GOOD;
    if (cf_token_verify(run->jwks, hit->text, hit->len, hit->token, why) != 0)
        out->signature = CF_SIGNATURE_BAD;
}

/* ---- the list ---- */

/* Counts one more; returns whether the list has room for it. */
static bool count_listed(struct cf_inspect_count *count)
{
    bool listed = count->listed < CF_INSPECT_LISTED_MAX;

    count->listed += listed;
    count->unlisted += !listed;
    return listed;
}

static bool add_item(struct cf_inspect *run, struct cf_inspected *item)
{
    size_t wanted = run->capacity == 0 ? 8 : run->capacity * 2;
    struct cf_inspected **bigger;

    if (run->count == run->capacity) {
        bigger = realloc(run->items, wanted * sizeof(struct cf_inspected *));
        if (bigger == NULL)
            return false;
        run->items = bigger;
        run->capacity = wanted;
    }
    run->items[run->count++] = item;
    return true;
}

static struct cf_inspected *list_item(struct cf_inspect *run, const struct cf_inspected *made)
{
    struct cf_inspected *item = cf_arena_alloc(run->arena, sizeof(*item));

    if (item == NULL || !add_item(run, item)) {
        run->failed = true;
        return NULL;
    }
    *item = *made;
    return item;
}

/* NULL: counted only, or out of memory. */
static struct cf_inspected *take_token(struct cf_inspect *run, const struct cf_token_hit *hit)
{
    struct cf_inspected made = {.kind = cf_token_kind(hit->token, run->max)}, *item;
    struct cf_err why = {0};

    verify_hit(run, hit, &made, &why);
    if (!count_listed(&run->tokens[cf_inspect_is_finding(&made)]))
        return NULL;
    cf_token_hash(hit->text, hit->len, made.hash);
    item = list_item(run, &made);
    if (item != NULL)
        keep_token(run, hit->token, &item->token);
    if (item != NULL && made.signature == CF_SIGNATURE_BAD)
        item->reason = cf_inspect_shown(run, why.msg);
    return item;
}

static void print_unread(struct cf_inspect *run, const struct cf_token_hit *hit,
                         const struct cf_inspect_place *place)
{
    const char *file = cf_str_or_empty(cf_inspect_shown(run, place->file));
    char line[32] = "";

    run->status = CF_EXIT_FAILED;
    if (place->line > 0)
        snprintf(line, sizeof(line), ":%zu", place->line);
    if (run->unread.listed < CF_INSPECT_SAID_MAX)
        cf_inspect_print(run, CF_EXIT_FAILED,
                         "curfew inspect: %s%s: contains %s, which was not read", file, line,
                         cf_token_unread_name(hit->unread));
    else if (run->unread.listed == CF_INSPECT_SAID_MAX)
        cf_inspect_print(run, CF_EXIT_FAILED,
                         "curfew inspect: more was not read: the output has all places");
}

static struct cf_inspected *take_unread(struct cf_inspect *run, const struct cf_token_hit *hit,
                                        const struct cf_inspect_place *place)
{
    struct cf_inspected made = {.unread = hit->unread};

    print_unread(run, hit, place);
    cf_token_hash(hit->text, hit->len, made.hash);
    return count_listed(&run->unread) ? list_item(run, &made) : NULL;
}

/* ---- places ---- */

static void keep_place(struct cf_inspect *run, struct cf_inspected *item,
                       const struct cf_inspect_place *place)
{
    struct cf_inspect_place *copy;

    if (item->place_count == CF_INSPECT_PLACES_MAX) {
        item->more_places++;
        return;
    }
    copy = cf_arena_alloc(run->arena, sizeof(*copy));
    if (copy == NULL) {
        run->failed = true;
        return;
    }
    *copy = (struct cf_inspect_place){.file = cf_inspect_shown(run, place->file),
                                      .subject = cf_inspect_shown(run, place->subject),
                                      .path = cf_inspect_shown(run, place->path),
                                      .line = place->line};
    if (item->last_place != NULL)
        item->last_place->next = copy;
    else
        item->places = copy;
    item->last_place = copy;
    item->place_count++;
}

static struct cf_inspected *keep_new(struct cf_inspect *run, const struct cf_token_hit *hit,
                                     const struct cf_inspect_place *place)
{
    return hit->token != NULL ? take_token(run, hit) : take_unread(run, hit, place);
}

/* Whether the item was reported for this file already. Unread tokens are identified by their first
 * bytes only, so each line of text that holds one is reported. */
static bool is_reported(struct cf_inspect *run, const struct cf_inspected *item,
                        const struct cf_inspect_place *place)
{
    const struct cf_inspect_place *last = item->last_place;

    return cf_streq(last->file, cf_inspect_shown(run, place->file)) &&
           (item->unread == CF_UNREAD_NO || last->path != NULL || last->line == place->line);
}

/* For a token that is not listed only its hash is kept, and above CF_INSPECT_KNOWN_MAX not even
 * that: such a token is counted each time it is found, and the summary says "at most". */
void cf_inspect_keep(struct cf_inspect *run, const struct cf_token_hit *hit,
                     const struct cf_inspect_place *place, bool once)
{
    uint64_t hash = hash_of(hit->text, hit->len);
    struct cf_inspect_slot *slot = find_slot(&run->known, hash);
    struct cf_inspected *item;

    if (slot == NULL) {
        run->failed = true;
        return;
    }
    if (slot->hash == 0) {
        item = keep_new(run, hit, place);
        if (item != NULL || run->known.count < CF_INSPECT_KNOWN_MAX)
            fill_slot(&run->known, slot, hash, item);
        else
            run->at_most = true;
    } else {
        item = slot->value;
        if (once && item != NULL && is_reported(run, item, place))
            return;
    }
    if (item != NULL)
        keep_place(run, item, place);
}
