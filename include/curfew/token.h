/* SPDX-License-Identifier: Apache-2.0 */
/* token.h - decodes ServiceAccount tokens, and finds tokens in other data.
 *
 * Decoding is not verifying: anyone can write a claim. jwks.h verifies signatures. */
#ifndef CURFEW_TOKEN_H
#define CURFEW_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "curfew/arena.h"
#include "curfew/err.h"

/* ---- one token (token.c) ---- */

/* The header and the claims of a JWT. Absent strings are NULL; an absent time has its `has_` member
 * false. */
struct cf_token {
    const char *alg;
    const char *kid;
    const char *typ;
    bool critical; /* the header has `crit`, extensions that Curfew does not support */

    const char *issuer;
    const char *subject;
    const char *jti;
    const char **audiences;
    size_t audience_count;
    bool has_exp, has_iat, has_nbf, has_warn_after;
    int64_t exp, iat, nbf, warn_after; /* seconds since the epoch */

    /* A ServiceAccount token has the issuer kubernetes/serviceaccount, or a claim kubernetes.io. */
    bool service_account;
    bool legacy_issuer;
    const char *namespace;
    const char *account;
    const char *account_uid;
    const char *secret; /* the legacy Secret, or the one that it is bound to */
    const char *pod;
    const char *node;
};

/* Reads the three parts of a JWT (RFC 7515, compact). -1: not a JWT, or a known claim has the
 * wrong type; the message never holds a part of the token. Everything lives in the arena. */
int cf_token_decode(struct cf_arena *arena, const char *text, size_t len, struct cf_token *out,
                    struct cf_err *err);

/* Read the header or the claims alone. Each fills its members of `out`, and leaves the others as
 * they are. -1 as cf_token_decode(). */
int cf_token_read_header(struct cf_arena *arena, const char *text, size_t len, struct cf_token *out,
                         struct cf_err *err);
int cf_token_read_claims(struct cf_arena *arena, const char *text, size_t len, struct cf_token *out,
                         struct cf_err *err);

enum cf_token_kind {
    CF_TOKEN_OTHER,    /* not of a ServiceAccount */
    CF_TOKEN_LEGACY,   /* never expires */
    CF_TOKEN_EXTENDED, /* requested for an hour, extended to a year by the API server */
    CF_TOKEN_LONG,     /* lifetime above the limit, or unknown */
    CF_TOKEN_BOUND,    /* short-lived, and ends with its pod, node or Secret */
    CF_TOKEN_UNBOUND,  /* short-lived */
};
#define CF_TOKEN_KINDS 6

const char *cf_token_kind_name(enum cf_token_kind kind); /* "legacy", "extended", ... */

/* `max` is the limit of a lifetime, in seconds: above it a token is CF_TOKEN_LONG. */
enum cf_token_kind cf_token_kind(const struct cf_token *token, int64_t max);

/* The lifetime, `exp - iat` (`exp - nbf` without an `iat`), which needs no clock; false when the
 * token has no end or no beginning. */
bool cf_token_lifetime(const struct cf_token *token, int64_t *seconds);

/* The token never expires, its lifetime is above max, or is unknown. */
bool cf_token_outlives(const struct cf_token *token, int64_t max);

/* Whether the API server accepts the string as the token of the named Secret; it then checks
 * neither the Secret's type, nor the annotation of the account, nor an expiry (see token.c). Fills
 * `out`, in the arena. */
bool cf_token_of_secret(struct cf_arena *arena, const char *text, size_t len, const char *namespace,
                        const char *name, struct cf_token *out);

bool cf_token_expired(const struct cf_token *token, int64_t now);
/* Past its `warnafter`: a client that still uses it does not re-read the file. */
bool cf_token_stale(const struct cf_token *token, int64_t now);

/* The first characters of the token's SHA-256 in hex, which identifies it but does not
 * authenticate. */
#define CF_TOKEN_HASH 12
void cf_token_hash(const char *text, size_t len, char out[CF_TOKEN_HASH + 1]);

/* The first 32 characters of the SHA-256 of any string in hex. */
#define CF_TEXT_HASH 32
void cf_text_hash(const char *text, size_t len, char out[CF_TEXT_HASH + 1]);

/* ---- tokens in other data (scan.c): best effort ---- */

/* Searches in linear time. Not thread-safe. */
struct cf_token_scanner;

enum cf_token_scan_flags {
    CF_SCAN_ACCOUNTS = 0, /* only ServiceAccount tokens */
    CF_SCAN_ANY = 1,      /* every JWT */
    CF_SCAN_BOUNDED = 2,  /* no more than CF_TOKEN_TRIES_MAX in all searches together */
};

/* Why a string that looks like a token was not read. */
enum cf_token_unread {
    CF_UNREAD_NO,
    CF_UNREAD_LONG, /* it is longer than CF_TOKEN_MAX */
    CF_UNREAD_DEEP, /* it is under more than CF_TOKEN_LAYERS layers of base64 */
    CF_UNREAD_MANY, /* there were too many before it: the search ends here */
};

/* "what looks like a token of more than 16 KiB": the object of "it holds" in messages. */
const char *cf_token_unread_name(enum cf_token_unread unread);

struct cf_token_hit {
    const struct cf_token *token; /* NULL: not read */
    enum cf_token_unread unread;  /* why */
    const char *text;             /* the token, without a NUL at its end */
    size_t len;
    unsigned layers; /* of base64 around it */
    size_t offset;   /* of its first byte, in the input */
    size_t line;     /* of that place, from 1 */
};

/* The hit is valid until the function returns. False: stop the search. */
typedef bool cf_token_visit(const struct cf_token_hit *hit, void *arg);

struct cf_token_scanner *cf_token_scanner_new(enum cf_token_scan_flags flags);
/* Wipes its memory; takes NULL. */
void cf_token_scanner_free(struct cf_token_scanner *scanner);

/* Calls `visit` for each different token in the bytes: plain, inside other text, and under up to
 * CF_TOKEN_LAYERS layers of base64 (of either alphabet, also broken into lines of 32
 * characters and more). -1: out of memory. */
int cf_token_scan(struct cf_token_scanner *scanner, const char *bytes, size_t len,
                  cf_token_visit *visit, void *arg);

/* The same for input of any length that comes in pieces; reports hits on the way, in memory that
 * does not depend on the length. */
void cf_token_scan_begin(struct cf_token_scanner *scanner, cf_token_visit *visit, void *arg);
int cf_token_scan_more(struct cf_token_scanner *scanner, const char *bytes, size_t len);
int cf_token_scan_end(struct cf_token_scanner *scanner);

/* Whether a scan can find a token: a fast check, which is false for almost every string. */
bool cf_token_may_hold(const char *text, size_t len);

/* "3.0.19", the loaded version of OpenSSL. */
const char *cf_openssl_version(void);

#endif
