/* SPDX-License-Identifier: Apache-2.0 */
/* jwks.h - the keys of an issuer (RFC 7517), and verifying tokens with them.
 *
 * The key decides which algorithm may be used with it, never the token: so a token cannot select
 * `none`, or use a public key as a shared secret (RFC 8725, section 3.1). */
#ifndef CURFEW_JWKS_H
#define CURFEW_JWKS_H

#include <stddef.h>
#include <stdint.h>

#include "curfew/arena.h"
#include "curfew/err.h"
#include "curfew/token.h"

/* Immutable once made, and a shared value (curfew/swap.h): threads use it without a lock. */
struct cf_jwks;

/* Reads a JWK Set. Keys that cannot verify tokens here (of another type or curve, RSA below 2048
 * bits, `use` other than sig) are ignored and counted. NULL: not a JWK Set, no usable key,
 * two keys share a kid, or a key is malformed or private. */
struct cf_jwks *cf_jwks_parse(const char *bytes, size_t len, struct cf_err *err);

/* Reads a file ("-": standard input). */
struct cf_jwks *cf_jwks_load(const char *path, struct cf_err *err);

/* A key set is a shared value (swap.h). Drops a reference; the last one frees it. Takes NULL. */
void cf_jwks_unref(struct cf_jwks *jwks);
void cf_jwks_cleanup(struct cf_jwks **jwks);

size_t cf_jwks_count(const struct cf_jwks *jwks);
/* The number of keys that were ignored. */
size_t cf_jwks_ignored(const struct cf_jwks *jwks);

/* Verifies the signature of the token, from which `token` was decoded. Does not check its times and
 * audiences. -1: CF_ERR_INPUT, no key signed it, or CF_ERR_SYSTEM; the message says why. */
int cf_token_verify(const struct cf_jwks *jwks, const char *text, size_t len,
                    const struct cf_token *token, struct cf_err *err);

/* The requirements for a caller's token. An issuer signs the tokens of all its users, so each
 * requirement must be set: without an issuer, subjects or audiences no token is accepted. */
struct cf_token_demands {
    int64_t now;
    int64_t leeway;               /* seconds that the clocks may differ by */
    const char *issuer;           /* the token's, exactly */
    const char *const *subjects;  /* globs, up to a NULL: one of them matches the token's */
    const char *const *audiences; /* up to a NULL: one of them is among the token's */
};

/* Checks a token of `Authorization: Bearer`: it decodes, one of the keys signed it, it is valid
 * now, and has the issuer, one of the subjects and one of the audiences. -1: CF_ERR_INPUT,
 * rejected; the message says why, and holds no part of the signature. `out` lives in the arena,
 * which holds parts of the token: reset it with `wipe`. */
int cf_token_accept(struct cf_arena *arena, const struct cf_jwks *jwks, const char *text,
                    size_t len, const struct cf_token_demands *demands, struct cf_token *out,
                    struct cf_err *err);

/* The token of a header's value "Bearer TOKEN" (RFC 6750; the scheme in any case); false for
 * another scheme, or without a token. */
bool cf_bearer_token(const char *header, const char **text, size_t *len);

#endif
