/* SPDX-License-Identifier: Apache-2.0 */
/* yaml_anchors.c - see yaml_anchors.h. Open addressing, at most half full. */
#include "yaml_anchors.h"

#include <stdbool.h>
#include <string.h>

#include "curfew/arena.h"
#include "curfew/hash.h"

#define SLOTS_MIN 16

/* Where the name is, or where it belongs; the table is not empty. */
static struct cf_yaml_anchor **slot_of(const struct cf_yaml_anchors *anchors, const char *name,
                                       size_t len)
{
    size_t at = (size_t)cf_hash64(cf_hash_key(), name, len);

    for (;; at++) {
        struct cf_yaml_anchor **slot = &anchors->slots[at & (anchors->slot_count - 1)];

        if (*slot == NULL || ((*slot)->len == len && memcmp((*slot)->name, name, len) == 0))
            return slot;
    }
}

/* The old table stays in the arena: doubling, all of them together are no larger than the last. */
static bool grow(struct cf_yaml_anchors *anchors)
{
    struct cf_yaml_anchors larger = *anchors;

    larger.slot_count = anchors->slot_count == 0 ? SLOTS_MIN : anchors->slot_count * 2;
    larger.slots =
        cf_arena_array(anchors->arena, larger.slot_count, sizeof(struct cf_yaml_anchor *));
    if (larger.slots == NULL)
        return false;
    memset(larger.slots, 0, larger.slot_count * sizeof(struct cf_yaml_anchor *));
    for (size_t i = 0; i < anchors->slot_count; i++) {
        struct cf_yaml_anchor *anchor = anchors->slots[i];

        if (anchor != NULL)
            *slot_of(&larger, anchor->name, anchor->len) = anchor;
    }
    *anchors = larger;
    return true;
}

struct cf_yaml_anchor *cf_yaml_anchors_add(struct cf_yaml_anchors *anchors, const char *name)
{
    struct cf_yaml_anchor *anchor = cf_arena_alloc(anchors->arena, sizeof(*anchor));
    struct cf_yaml_anchor **slot;

    if (anchor == NULL || (2 * anchors->used >= anchors->slot_count && !grow(anchors)))
        return NULL;
    *anchor =
        (struct cf_yaml_anchor){.name = cf_arena_strdup(anchors->arena, name), .len = strlen(name)};
    if (anchor->name == NULL)
        return NULL;
    slot = slot_of(anchors, name, anchor->len);
    anchors->used += *slot == NULL;
    *slot = anchor;
    return anchor;
}

const struct cf_yaml_anchor *cf_yaml_anchors_find(const struct cf_yaml_anchors *anchors,
                                                  const char *name)
{
    return anchors->slot_count == 0 ? NULL : *slot_of(anchors, name, strlen(name));
}
