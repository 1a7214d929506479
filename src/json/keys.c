/* SPDX-License-Identifier: Apache-2.0 */
/* keys.c - duplicate keys; see keys.h.
 *
 * Nearly all objects have few keys: these are compared as they come, and only when the key's
 * bit in `seen` is set already. The keys of large objects are sorted when the object ends,
 * with a full comparison, so that keys chosen to share a fingerprint gain nothing. */
#include "keys.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "curfew/arena.h"

#define FEW 32

void cf_keys_init(struct cf_keys *keys, struct cf_arena *arena)
{
    *keys = (struct cf_keys){.arena = arena};
}

struct cf_key_set cf_keys_open(const struct cf_keys *keys)
{
    return (struct cf_key_set){.base = keys->count};
}

static uint64_t load_bytes(const char *bytes, size_t len)
{
    uint64_t value = 0;

    memcpy(&value, bytes, len);
    return value;
}

/* Of the length and the first and last eight bytes: label keys share long prefixes, field names
 * are short. */
static uint64_t fingerprint(const char *text, size_t len)
{
    uint64_t head, tail = 0;

    if (len >= 8) {
        head = load_bytes(text, 8);
        tail = load_bytes(text + len - 8, 8);
    } else if (len >= 4) {
        head = load_bytes(text, 4);
        tail = load_bytes(text + len - 4, 4);
    } else {
        head = len == 0
                   ? 0
                   : (uint64_t)(unsigned char)text[0] << 16 |
                         (uint64_t)(unsigned char)text[len / 2] << 8 | (unsigned char)text[len - 1];
    }
    head = (head ^ len) * UINT64_C(0x9E3779B97F4A7C15);
    tail = (tail ^ head >> 32) * UINT64_C(0xC2B2AE3D27D4EB4F);
    return head ^ tail;
}

static bool same_key(const struct cf_key *a, const struct cf_key *b)
{
    return a->print == b->print && a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

int cf_keys_add(struct cf_keys *keys, struct cf_key_set *set, const char *text, size_t len,
                size_t at)
{
    struct cf_key *list, *key;
    uint64_t bit;

    list = cf_arena_grow(keys->arena, keys->list, keys->count, &keys->cap, sizeof(*list));
    if (list == NULL)
        return -1;
    keys->list = list;
    key = &list[keys->count++];
    *key = (struct cf_key){fingerprint(text, len), text, len, at};
    bit = UINT64_C(1) << (key->print >> 58);
    if ((set->seen & bit) != 0 && keys->count - set->base <= FEW) {
        for (const struct cf_key *old = keys->list + set->base; old < key; old++) {
            if (same_key(old, key))
                return 1;
        }
    }
    set->seen |= bit;
    return 0;
}

static int compare_keys(const void *left, const void *right)
{
    const struct cf_key *a = left;
    const struct cf_key *b = right;
    int order;

    if (a->print != b->print)
        return a->print < b->print ? -1 : 1;
    if (a->len != b->len)
        return a->len < b->len ? -1 : 1;
    order = memcmp(a->text, b->text, a->len);
    if (order != 0)
        return order;
    return a->at < b->at ? -1 : a->at > b->at;
}

const struct cf_key *cf_keys_close(struct cf_keys *keys, const struct cf_key_set *set)
{
    size_t count = keys->count - set->base;
    struct cf_key *list;

    keys->count = set->base;
    if (count <= FEW)
        return NULL;
    list = keys->list + set->base;
    qsort(list, count, sizeof(*list), compare_keys);
    for (size_t i = 1; i < count; i++) {
        if (same_key(&list[i - 1], &list[i]))
            return &list[i];
    }
    return NULL;
}

void cf_keys_keep_first(struct cf_keys *keys, const struct cf_key_set *set, const void **values)
{
    struct cf_key *list = keys->list + set->base;
    size_t count = keys->count - set->base;

    keys->count = set->base;
    if (count == 0)
        return;
    qsort(list, count, sizeof(*list), compare_keys);
    for (size_t i = 1; i < count; i++) {
        if (same_key(&list[i - 1], &list[i]))
            values[list[i].at] = NULL;
    }
}
