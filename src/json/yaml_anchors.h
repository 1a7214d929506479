/* SPDX-License-Identifier: Apache-2.0 */
/* yaml_anchors.h - the anchors of a document by their names, in time that no document can make
 * quadratic: the author of a manifest chooses the names, so their hash has a random key. */
#ifndef CURFEW_JSON_YAML_ANCHORS_H
#define CURFEW_JSON_YAML_ANCHORS_H

#include <stddef.h>

struct cf_arena;
struct cf_json;

struct cf_yaml_anchor {
    const char *name;
    size_t len;
    const struct cf_json *value; /* NULL until the value is complete */
    const char *key;             /* of a scalar: what it is as a key; NULL: it can't be one */
};

/* All zero but `arena` at first. */
struct cf_yaml_anchors {
    struct cf_arena *arena;
    struct cf_yaml_anchor **slots; /* a power of two of them */
    size_t slot_count, used;
};

/* A new anchor; it hides an earlier one of the same name. The name is copied. NULL when out of
 * memory. */
struct cf_yaml_anchor *cf_yaml_anchors_add(struct cf_yaml_anchors *anchors, const char *name);

/* The latest anchor of that name; NULL: none. */
const struct cf_yaml_anchor *cf_yaml_anchors_find(const struct cf_yaml_anchors *anchors,
                                                  const char *name);

#endif
