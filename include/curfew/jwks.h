/* SPDX-License-Identifier: Apache-2.0 */
/* jwks.h - the keys of an issuer (RFC 7517), and whether one of them signed a token.
 *
 * The key decides which algorithm may be used with it, never the token: so no token can ask for
 * `none`, or for a public key to be taken as a shared secret. */
#ifndef CURFEW_JWKS_H
#define CURFEW_JWKS_H

#include <stddef.h>
#include <stdint.h>

#include "curfew/arena.h"
#include "curfew/err.h"
#include "curfew/token.h"

/* Immutable once made, and a shared value (curfew/swap.h): threads use it without a lock. */
struct cf_jwks;

/* Reads a JWK Set. Keys that can't verify anything here (of another type or curve, RSA below 2048
 * bits, `use` other than sig) are left out and counted. NULL: it is no JWK Set, no key is left,
 * two keys share a kid, or a key is malformed or private. */
struct cf_jwks *cf_jwks_parse(const char *bytes, size_t len, struct cf_err *err);

/* Reads a file ("-": standard input). */
struct cf_jwks *cf_jwks_load(const char *path, struct cf_err *err);

/* One reference more, and one less; the last one frees it. Both take NULL. */
struct cf_jwks *cf_jwks_ref(struct cf_jwks *jwks);
void cf_jwks_unref(struct cf_jwks *jwks);
void cf_jwks_cleanup(struct cf_jwks **jwks);

size_t cf_jwks_count(const struct cf_jwks *jwks);
/* Keys that were left out. */
size_t cf_jwks_ignored(const struct cf_jwks *jwks);

/* Whether one of the keys signed the token, which `token` was decoded from. Says nothing of its
 * times and audiences. -1: CF_ERR_INPUT, it did not; the sentence says why. */
int cf_token_verify(const struct cf_jwks *jwks, const char *text, size_t len,
                    const struct cf_token *token, struct cf_err *err);

/* What a caller's token has to be. The keys of an issuer sign the tokens of everybody it knows, so
 * nothing here can be left open: without an issuer, subjects or audiences no token is accepted. */
struct cf_token_demands {
    int64_t now;
    int64_t leeway;               /* seconds that the clocks may differ by */
    const char *issuer;           /* the token's, exactly */
    const char *const *subjects;  /* globs, up to a NULL: one of them matches the token's */
    const char *const *audiences; /* up to a NULL: one of them is among the token's */
};

/* The whole of it, for `Authorization: Bearer`: decoded, signed by one of the keys, with an end
 * that has not come, begun already, by the issuer, about one of the subjects and for one of the
 * audiences. -1: CF_ERR_INPUT, it is refused; the sentence says why, and holds no part of its
 * signature. `out` lives in the arena, which held the token: reset it with `wipe`. */
int cf_token_accept(struct cf_arena *arena, const struct cf_jwks *jwks, const char *text,
                    size_t len, const struct cf_token_demands *demands, struct cf_token *out,
                    struct cf_err *err);

/* The token of a header's value "Bearer TOKEN" (RFC 6750; the scheme in any case); false when it
 * is of another scheme, or has no token. */
bool cf_bearer_token(const char *header, const char **text, size_t *len);

#endif
