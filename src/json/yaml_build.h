/* SPDX-License-Identifier: Apache-2.0 */
/* yaml_build.h - makes a document of what yaml.c reads: scalars, aliases, and the beginnings and
 * ends of containers, in the order of the file. */
#ifndef CURFEW_JSON_YAML_BUILD_H
#define CURFEW_JSON_YAML_BUILD_H

#include "curfew/limits.h"
#include "json_private.h"
#include "keys.h"
#include "yaml_anchors.h"

struct cf_yaml_place {
    size_t line, column; /* from 1 */
};

/* What can stand before a value; NULL each when it does not. */
struct cf_yaml_props {
    const char *anchor;
    const char *tag; /* resolved: "tag:yaml.org,2002:str" */
};

struct cf_yaml_scalar {
    const char *text;
    size_t len;
    bool plain; /* not quoted, no block */
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

/* All below return 0, or -1 and a sentence that begins with the place. */
int cf_yaml_build_scalar(struct cf_yaml_build *b, struct cf_yaml_place at,
                         struct cf_yaml_props props, struct cf_yaml_scalar scalar);
int cf_yaml_build_alias(struct cf_yaml_build *b, struct cf_yaml_place at, const char *name);
int cf_yaml_build_open(struct cf_yaml_build *b, struct cf_yaml_place at, struct cf_yaml_props props,
                       bool object);
int cf_yaml_build_close(struct cf_yaml_build *b);

/* "LINE:COLUMN: " and the sentence. Returns -1. */
int cf_yaml_fail(struct cf_err *err, struct cf_yaml_place at, const char *fmt, ...) CF_PRINTF(3, 4);

#endif
