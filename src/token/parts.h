/* SPDX-License-Identifier: Apache-2.0 */
/* parts.h - the two parts of a token that say something, each read alone (token.c). */
#ifndef CURFEW_CRYPTO_PARTS_H
#define CURFEW_CRYPTO_PARTS_H

#include "curfew/token.h"

/* Each fills its members of `out`, and leaves the others alone. -1 as cf_token_decode(). */
int cf_token_read_header(struct cf_arena *arena, const char *text, size_t len, struct cf_token *out,
                         struct cf_err *err);
int cf_token_read_claims(struct cf_arena *arena, const char *text, size_t len, struct cf_token *out,
                         struct cf_err *err);

#endif
