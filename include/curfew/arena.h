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

/* Frees it and all that came from it; takes NULL. */
void cf_arena_free(struct cf_arena *arena);

/* For CF_CLEANUP. */
void cf_arena_cleanup(struct cf_arena **arena);

/* `size` bytes, zeroed, aligned for any type; NULL at the ceiling or when out of memory, and
 * then cf_arena_failed() stays true until the next reset. */
void *cf_arena_alloc(struct cf_arena *arena, size_t size);

/* The same for `count` members of `size` bytes, safe against overflow. */
void *cf_arena_array(struct cf_arena *arena, size_t count, size_t size);

/* A NUL-terminated copy; NULL as above, or when text is NULL. */
char *cf_arena_strdup(struct cf_arena *arena, const char *text);
char *cf_arena_strndup(struct cf_arena *arena, const char *text, size_t len);
char *cf_arena_printf(struct cf_arena *arena, const char *fmt, ...) CF_PRINTF(2, 3);
char *cf_arena_vprintf(struct cf_arena *arena, const char *fmt, va_list args) CF_PRINTF(2, 0);

/* Whether an allocation has failed since the last reset: builders may ask once at the end. */
bool cf_arena_failed(const struct cf_arena *arena);

/* Forgets all allocations. Keeps at most CF_ARENA_KEEP bytes for the next use and gives the
 * rest back. With `wipe`, what was used is overwritten first. */
void cf_arena_reset(struct cf_arena *arena, bool wipe);

/* Bytes given out since the last reset. */
size_t cf_arena_used(const struct cf_arena *arena);

#endif
