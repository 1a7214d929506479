/* SPDX-License-Identifier: Apache-2.0 */
/* base64.h - standard base64 with padding (RFC 4648, section 4). */
#ifndef CURFEW_BASE64_H
#define CURFEW_BASE64_H

#include <stddef.h>

#include "curfew/arena.h"

/* The text in base64, NUL-terminated, in the arena; NULL when out of memory. */
const char *cf_base64(struct cf_arena *arena, const char *bytes, size_t len);

#endif
