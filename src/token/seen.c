/* SPDX-License-Identifier: Apache-2.0 */
#include "seen.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "curfew/hash.h"
#include "curfew/limits.h"

#define CAPACITY_MIN 64
/* What is kept from text to text: an object may have 100,000 of them, each cleared for itself. */
#define CAPACITY_KEPT 256

static size_t slot_of(const struct cf_seen *seen, uint64_t hash)
{
    size_t at = (size_t)hash & (seen->capacity - 1);

    while (seen->slots[at] != 0 && seen->slots[at] != hash)
        at = (at + 1) & (seen->capacity - 1);
    return at;
}

static bool grow(struct cf_seen *seen)
{
    size_t capacity = seen->capacity == 0 ? CAPACITY_MIN : seen->capacity * 2;
    struct cf_seen bigger = {calloc(capacity, sizeof(*seen->slots)), capacity, seen->count};

    if (bigger.slots == NULL)
        return false;
    for (size_t i = 0; i < seen->capacity; i++) {
        if (seen->slots[i] != 0)
            bigger.slots[slot_of(&bigger, seen->slots[i])] = seen->slots[i];
    }
    free(seen->slots);
    *seen = bigger;
    return true;
}

enum cf_seen_answer cf_seen_add(struct cf_seen *seen, const char *text, size_t len)
{
    uint64_t hash = cf_hash64(cf_hash_key(), text, len);
    size_t at;

    if (seen->count >= CF_TOKENS_SEEN_MAX)
        cf_seen_clear(seen);
    if (seen->count >= seen->capacity / 4 * 3 && !grow(seen))
        return CF_SEEN_FAILED;
    hash += hash == 0;
    at = slot_of(seen, hash);
    if (seen->slots[at] == hash)
        return CF_SEEN_BEFORE;
    seen->slots[at] = hash;
    seen->count++;
    return CF_SEEN_NEW;
}

void cf_seen_clear(struct cf_seen *seen)
{
    if (seen->capacity > CAPACITY_KEPT)
        cf_seen_free(seen);
    else if (seen->count > 0)
        memset(seen->slots, 0, seen->capacity * sizeof(*seen->slots));
    seen->count = 0;
}

void cf_seen_free(struct cf_seen *seen)
{
    free(seen->slots);
    *seen = (struct cf_seen){0};
}
