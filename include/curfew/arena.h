/* SPDX-License-Identifier: Apache-2.0 */
/* arena.h - the memory of one review (or one document): many small allocations, one free.
 *
 * Not thread-safe: an arena belongs to one thread at a time. */
#ifndef CURFEW_ARENA_H
#define CURFEW_ARENA_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "curfew/attr.h"

struct cf_arena;

/* An empty arena that never holds more than `ceiling` bytes; NULL when out of memory. */
struct cf_arena *cf_arena_new(size_t ceiling);

/* Called when the arena needs `bytes` more than its ceiling. True: the ceiling rises by them. */
typedef bool cf_arena_more(void *arg, size_t bytes);

/* Sets another ceiling. When the arena reaches it, it calls `more` to raise it (NULL: it does not
 * rise). */
void cf_arena_limit(struct cf_arena *arena, size_t ceiling, cf_arena_more *more, void *arg);

/* Frees it and all that came from it; takes NULL. */
void cf_arena_free(struct cf_arena *arena);

/* For CF_CLEANUP. */
void cf_arena_cleanup(struct cf_arena **arena);

/* `size` bytes, zeroed, aligned for any type; NULL at the ceiling or when out of memory, and
 * then cf_arena_failed() stays true until the next reset. */
void *cf_arena_alloc(struct cf_arena *arena, size_t size);

/* The same for `count` members of `size` bytes, safe against overflow. */
void *cf_arena_array(struct cf_arena *arena, size_t count, size_t size);

/* An array with room for one more member of `size` bytes: `items` itself while `count` is below
 * *capacity, else the members in twice the room (8 at first). The array may move, and pointers into
 * the old one are void then. NULL as above; `items` and *capacity stay as they were. */
void *cf_arena_grow(struct cf_arena *arena, void *items, size_t count, size_t *capacity,
                    size_t size);

/* Makes the newest allocation longer in place; false when it is not the newest, or there is no room
 * after it. The new bytes are zero. */
bool cf_arena_extend(struct cf_arena *arena, void *newest, size_t size, size_t new_size);

/* Wipes an allocation of `size` bytes that is not needed any more. One of a MiB or more has a
 * separate block, which goes back to the system; smaller ones remain until the next reset. */
void cf_arena_drop(struct cf_arena *arena, void *bytes, size_t size);

/* A NUL-terminated copy; NULL as above, or when text is NULL. */
char *cf_arena_strdup(struct cf_arena *arena, const char *text);
char *cf_arena_strndup(struct cf_arena *arena, const char *text, size_t len);
char *cf_arena_printf(struct cf_arena *arena, const char *fmt, ...) CF_PRINTF(2, 3);
char *cf_arena_vprintf(struct cf_arena *arena, const char *fmt, va_list args) CF_PRINTF(2, 0);

/* Whether an allocation has failed since the last reset: builders check it once at the end. */
bool cf_arena_failed(const struct cf_arena *arena);

/* Forgets all allocations. Keeps at most CF_ARENA_KEEP bytes for the next use (and never more than
 * the ceiling) and gives the rest back. With `wipe`, what was used is overwritten first. */
void cf_arena_reset(struct cf_arena *arena, bool wipe);

/* Bytes that it has from the system. */
size_t cf_arena_held(const struct cf_arena *arena);

/* Bytes given out since the last reset. */
size_t cf_arena_used(const struct cf_arena *arena);

#endif
