/* SPDX-License-Identifier: Apache-2.0 */
/* path.h - the place of a value in its object: printed for users as spec.volumes[1].name, for
 * patches as /spec/volumes/1/name (RFC 6901). */
#ifndef CURFEW_PATH_H
#define CURFEW_PATH_H

#include <stddef.h>

struct cf_arena;

struct cf_path {
    const struct cf_path *up; /* NULL: a member or item of the object itself */
    const char *key;          /* NULL: an array's item */
    size_t index;
};

/* For a step that lives on the stack as long as it is needed. */
#define CF_PATH_KEY(up_, key_) ((struct cf_path){.up = (up_), .key = (key_)})
#define CF_PATH_INDEX(up_, index_) ((struct cf_path){.up = (up_), .index = (index_)})

/* The same in the arena; NULL when out of memory. `key` is not copied. */
const struct cf_path *cf_path_key(struct cf_arena *arena, const struct cf_path *up,
                                  const char *key);
const struct cf_path *cf_path_index(struct cf_arena *arena, const struct cf_path *up, size_t index);

/* A copy of all steps, for a path that begins on the stack. NULL for NULL, or when out of memory.
 */
const struct cf_path *cf_path_copy(struct cf_arena *arena, const struct cf_path *path);

/* "spec.volumes[1].secret"; keys with other characters than [A-Za-z0-9_-] are quoted, as in
 * metadata.annotations["curfew.dev/fixed"]. "" for NULL. NULL when out of memory. */
const char *cf_path_text(struct cf_arena *arena, const struct cf_path *path);

/* "/spec/volumes/1/secret", with ~0 and ~1; "" for NULL. NULL when out of memory. */
const char *cf_path_pointer(struct cf_arena *arena, const struct cf_path *path);

#endif
