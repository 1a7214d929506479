/* SPDX-License-Identifier: Apache-2.0 */
/* arena_private.h - what arena.c offers to buf.c. */
#ifndef CURFEW_BASE_ARENA_PRIVATE_H
#define CURFEW_BASE_ARENA_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>

struct cf_arena;

/* Makes the newest allocation longer where it stands; false when it is not the newest or there
 * is no room behind it. The new bytes are zero. */
bool cf_arena_extend(struct cf_arena *arena, void *newest, size_t size, size_t new_size);

#endif
