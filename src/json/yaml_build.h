/* SPDX-License-Identifier: Apache-2.0 */
/* yaml_build.h - makes a document of what yaml.c reads: scalars, aliases, and the beginnings and
 * ends of containers, in the order of the file. */
#ifndef CURFEW_JSON_YAML_BUILD_H
#define CURFEW_JSON_YAML_BUILD_H

#include "curfew/limits.h"
#include "json_private.h"
#include "keys.h"

struct cf_yaml_place {
    size_t line, column; /* from 1 */
};

/* What may precede a value; NULL when absent. */
struct cf_yaml_props {
    const char *anchor;
    const char *tag; /* resolved: "tag:yaml.org,2002:str" */
};

struct cf_yaml_scalar {
    const char *text;
    size_t len;
    bool plain; /* not quoted, no block */
};

/* The anchors of a document by their names, in time that no document can make quadratic: the author
 * of a manifest chooses the names, so their hash has a random key. */
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

/* A mapping that a merge key stands for. */
struct cf_yaml_merge {
    struct cf_yaml_merge *before; /* merged before this one, and so overwritten by it */
    const struct cf_json *value;
    size_t own; /* members of the mapping itself that come before it, and are overwritten too */
};

struct cf_yaml_frame {
    struct cf_json *node;
    size_t count; /* members of it */
    struct cf_key_set keys;
    const char *key;              /* of the value to come; NULL: the key is to come */
    bool merging;                 /* the value to come is that of a merge key */
    struct cf_yaml_merge *merges; /* the last one; NULL: there are none */
    struct cf_yaml_anchor *anchor;
    bool object;
};

struct cf_yaml_build {
    struct cf_arena *arena;
    enum cf_yaml_flags flags;
    struct cf_err *err;
    struct cf_json *root; /* NULL: there was none */
    size_t nodes, bytes;  /* of the document, aliases expanded */
    size_t depth;
    struct cf_yaml_frame frames[CF_DEPTH_MAX];
    struct cf_keys keys;
    struct cf_yaml_anchors anchors;
};

/* For a document of `len` bytes. */
void cf_yaml_build_init(struct cf_yaml_build *b, struct cf_arena *arena, size_t len,
                        enum cf_yaml_flags flags, struct cf_err *err);

/* All functions below return 0, or -1 and a message that begins with the place. */
int cf_yaml_build_scalar(struct cf_yaml_build *b, struct cf_yaml_place at,
                         struct cf_yaml_props props, struct cf_yaml_scalar scalar);
int cf_yaml_build_alias(struct cf_yaml_build *b, struct cf_yaml_place at, const char *name);
int cf_yaml_build_open(struct cf_yaml_build *b, struct cf_yaml_place at, struct cf_yaml_props props,
                       bool object);
int cf_yaml_build_close(struct cf_yaml_build *b);

/* ---- merge keys (yaml_merge.c) ----
 *
 * To kubectl a merge key is another assignment: its members overwrite the members before it, and
 * members after it overwrite them. Of the mappings of a sequence the first one overwrites the
 * others. In a configuration the mapping's own members always remain. */

/* Keeps the value of a merge key of the innermost mapping: a mapping, or a sequence of mappings. */
int cf_yaml_merge_note(struct cf_yaml_build *b, struct cf_yaml_place at,
                       const struct cf_json *value);

/* At the end of the mapping: copies the kept members into it. */
int cf_yaml_merge_all(struct cf_yaml_build *b, struct cf_yaml_frame *frame);

/* Sets "LINE:COLUMN: " and the message. Returns -1. */
int cf_yaml_fail(struct cf_err *err, struct cf_yaml_place at, const char *fmt, ...) CF_PRINTF(3, 4);

#endif
