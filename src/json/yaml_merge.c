/* SPDX-License-Identifier: Apache-2.0 */
/* yaml_merge.c - the values of merge keys (<<); see yaml_build.h. */
#include "yaml_build.h"

#include <string.h>

static int add_merge(struct cf_yaml_build *b, struct cf_yaml_frame *frame,
                     const struct cf_json *value)
{
    struct cf_yaml_merge *merge = cf_arena_alloc(b->arena, sizeof(*merge));

    if (merge == NULL)
        return cf_err_memory(b->err);
    *merge = (struct cf_yaml_merge){.before = frame->merges,
                                    .value = value,
                                    .own = (b->flags & CF_YAML_TEXT) != 0 ? 0 : frame->count};
    frame->merges = merge;
    return 0;
}

static int fail_merge(struct cf_yaml_build *b, struct cf_yaml_place at)
{
    return cf_yaml_fail(b->err, at, "'<<' takes a mapping or a sequence of mappings");
}

int cf_yaml_merge_note(struct cf_yaml_build *b, struct cf_yaml_place at,
                       const struct cf_json *value)
{
    struct cf_yaml_frame *frame = &b->frames[b->depth - 1];
    const struct cf_json **items, *item;
    size_t count = 0;

    if (cf_json_type(value) == CF_JSON_OBJECT)
        return add_merge(b, frame, value);
    if (cf_json_type(value) != CF_JSON_ARRAY)
        return fail_merge(b, at);
    items = cf_arena_array(b->arena, cf_json_count(value) + 1, sizeof(*items));
    if (items == NULL)
        return cf_err_memory(b->err);
    for (item = cf_json_first(value); item != NULL; item = cf_json_next(item)) {
        if (cf_json_type(item) != CF_JSON_OBJECT)
            return fail_merge(b, at);
        items[count++] = item;
    }
    while (count > 0) {
        if (add_merge(b, frame, items[--count]) != 0)
            return -1;
    }
    return 0;
}

/* All assignments of a mapping, the last one first. */
struct assignments {
    size_t count;
    const void **members; /* NULL: a later one has the same key */
    struct cf_json **own; /* the same member where it is the mapping's own, else NULL */
};

static void put_assignment(struct assignments *all, const struct cf_json *member,
                           struct cf_json *own)
{
    all->members[all->count] = member;
    all->own[all->count++] = own;
}

static int gather_assignments(struct cf_yaml_build *b, const struct cf_yaml_frame *frame,
                              struct assignments *all)
{
    size_t left = frame->count, count = left;
    const struct cf_yaml_merge *merge;
    struct cf_json **own;

    for (merge = frame->merges; merge != NULL; merge = merge->before)
        count += cf_json_count(merge->value);
    all->members = cf_arena_array(b->arena, count + 1, sizeof(*all->members));
    all->own = cf_arena_array(b->arena, count + 1, sizeof(*all->own));
    own = cf_arena_array(b->arena, left + 1, sizeof(*own));
    if (all->members == NULL || all->own == NULL || own == NULL)
        return cf_err_memory(b->err);
    cf_json_members(frame->node, own);
    for (merge = frame->merges; merge != NULL; merge = merge->before) {
        const struct cf_json *member = cf_json_first(merge->value);

        for (; left > merge->own; left--)
            put_assignment(all, own[left - 1], own[left - 1]);
        for (; member != NULL; member = cf_json_next(member))
            put_assignment(all, member, NULL);
    }
    for (; left > 0; left--)
        put_assignment(all, own[left - 1], own[left - 1]);
    return 0;
}

int cf_yaml_merge_all(struct cf_yaml_build *b, struct cf_yaml_frame *frame)
{
    struct cf_key_set set = cf_keys_open(&b->keys);
    struct assignments all = {.count = 0};

    if (gather_assignments(b, frame, &all) != 0)
        return -1;
    for (size_t i = 0; i < all.count; i++) {
        const char *key = cf_json_key(all.members[i]);

        if (cf_keys_add(&b->keys, &set, key, strlen(key), i) < 0)
            return cf_err_memory(b->err);
    }
    cf_keys_keep_first(&b->keys, &set, all.members);
    for (size_t i = 0; i < all.count; i++) {
        const struct cf_json *member = all.members[i];

        if (member == NULL && all.own[i] != NULL)
            cf_json_detach(frame->node, all.own[i]);
        if (member != NULL && all.own[i] == NULL &&
            !cf_json_append(frame->node, cf_json_key(member), cf_json_copy(member)))
            return cf_err_memory(b->err);
    }
    return 0;
}
