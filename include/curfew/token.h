/* SPDX-License-Identifier: Apache-2.0 */
/* token.h - what a ServiceAccount token says of itself, and finding tokens in other texts.
 *
 * Nothing here is trust: a claim is what somebody wrote. jwks.h tells whether it is true. */
#ifndef CURFEW_TOKEN_H
#define CURFEW_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "curfew/arena.h"
#include "curfew/err.h"

/* ---- one token (token.c) ---- */

/* What a JWT says, in its header and in its claims. Texts that are absent are NULL; a time that
 * is absent has its `has_` false. */
struct cf_token {
    const char *alg;
    const char *kid;
    const char *typ;
    bool critical; /* the header has `crit`: there is more to understand than we do */

    const char *issuer;
    const char *subject;
    const char *jti;
    const char **audiences;
    size_t audience_count;
    bool has_exp, has_iat, has_nbf, has_warn_after;
    int64_t exp, iat, nbf, warn_after; /* seconds since the epoch */

    /* Of a ServiceAccount: the issuer kubernetes/serviceaccount, or a claim kubernetes.io. */
    bool service_account;
    bool legacy_issuer;
    const char *namespace;
    const char *account;
    const char *account_uid;
    const char *secret; /* the legacy Secret, or the one that it is bound to */
    const char *pod;
    const char *node;
};

/* Reads the three parts of a JWT (RFC 7515, compact). -1: it is none, or a claim that we know has
 * the wrong type; the sentence never holds a part of it. Everything lives in the arena. */
int cf_token_decode(struct cf_arena *arena, const char *text, size_t len, struct cf_token *out,
                    struct cf_err *err);

/* Read the header or the claims alone. Each fills its members of `out`, and leaves the others as
 * they are. -1 as cf_token_decode(). */
int cf_token_read_header(struct cf_arena *arena, const char *text, size_t len, struct cf_token *out,
                         struct cf_err *err);
int cf_token_read_claims(struct cf_arena *arena, const char *text, size_t len, struct cf_token *out,
                         struct cf_err *err);

enum cf_token_kind {
    CF_TOKEN_OTHER,    /* no ServiceAccount's */
    CF_TOKEN_LEGACY,   /* never expires */
    CF_TOKEN_EXTENDED, /* asked for as an hour, made a year by the API server */
    CF_TOKEN_LONG,     /* lives longer than the bound, or nobody can say */
    CF_TOKEN_BOUND,    /* ends soon, and with its pod, node or Secret */
    CF_TOKEN_UNBOUND,  /* ends soon */
};
#define CF_TOKEN_KINDS 6

const char *cf_token_kind_name(enum cf_token_kind kind); /* "legacy", "extended", ... */

/* `max` is the longest life, in seconds, that is not long. */
enum cf_token_kind cf_token_kind(const struct cf_token *token, int64_t max);

/* Its whole life, `exp - iat` (`nbf` where there is no `iat`), which takes no clock; false when it
 * has no end or no beginning. */
bool cf_token_lifetime(const struct cf_token *token, int64_t *seconds);

/* It never expires, lives longer than max, or nobody can say. */
bool cf_token_outlives(const struct cf_token *token, int64_t max);

/* Whether the API server takes the text as the token of the Secret of that name: it then looks for
 * no type, no account's annotation and no end (see token.c). Fills `out`, in the arena. */
bool cf_token_of_secret(struct cf_arena *arena, const char *text, size_t len, const char *namespace,
                        const char *name, struct cf_token *out);

bool cf_token_expired(const struct cf_token *token, int64_t now);
/* Past its `warnafter`: whoever still uses it does not re-read the file. */
bool cf_token_stale(const struct cf_token *token, int64_t now);

/* The first characters of the token's SHA-256 in hex: a name for it that opens nothing. */
#define CF_TOKEN_HASH 12
void cf_token_hash(const char *text, size_t len, char out[CF_TOKEN_HASH + 1]);

/* The first 32 characters of any text's SHA-256 in hex. */
#define CF_TEXT_HASH 32
void cf_text_hash(const char *text, size_t len, char out[CF_TEXT_HASH + 1]);

/* ---- tokens in other texts (scan.c): best effort ---- */

/* Searches texts in time that is linear in them. Not thread-safe. */
struct cf_token_scanner;

enum cf_token_scan_flags {
    CF_SCAN_ACCOUNTS = 0, /* ServiceAccounts' tokens alone */
    CF_SCAN_ANY = 1,      /* every JWT */
    CF_SCAN_BOUNDED = 2,  /* no more than CF_TOKEN_TRIES_MAX of all texts together */
};

/* What looks like a token, and was not read. */
enum cf_token_unread {
    CF_UNREAD_NO,
    CF_UNREAD_LONG, /* it is longer than CF_TOKEN_MAX */
    CF_UNREAD_DEEP, /* it is under more than CF_TOKEN_LAYERS layers of base64 */
    CF_UNREAD_MANY, /* there were too many before it: the search of this text ends here */
};

/* "what looks like a token of more than 16 KiB": the object of "it holds", for people. */
const char *cf_token_unread_name(enum cf_token_unread unread);

struct cf_token_hit {
    const struct cf_token *token; /* NULL: it was not read */
    enum cf_token_unread unread;  /* why not */
    const char *text;             /* the token; ends with no NUL */
    size_t len;
    unsigned layers; /* of base64 that it was found under */
    size_t offset;   /* of the place where it begins, in the text that was searched */
    size_t line;     /* of that place, from 1 */
};

/* What it is given lives until it returns. False: that is enough, search no further. */
typedef bool cf_token_visit(const struct cf_token_hit *hit, void *arg);

struct cf_token_scanner *cf_token_scanner_new(enum cf_token_scan_flags flags);
/* Overwrites what it held; takes NULL. */
void cf_token_scanner_free(struct cf_token_scanner *scanner);

/* Calls `visit` for each different token of a text: as it stands, inside other text, and under
 * up to CF_TOKEN_LAYERS layers of base64 (of either alphabet, also broken into lines of 32
 * characters and more). -1: out of memory. */
int cf_token_scan(struct cf_token_scanner *scanner, const char *bytes, size_t len,
                  cf_token_visit *visit, void *arg);

/* The same for a text of any length that comes in pieces; what it finds is told on the way. What
 * is kept of the text does not depend on its length. */
void cf_token_scan_begin(struct cf_token_scanner *scanner, cf_token_visit *visit, void *arg);
int cf_token_scan_more(struct cf_token_scanner *scanner, const char *bytes, size_t len);
int cf_token_scan_end(struct cf_token_scanner *scanner);

/* Whether a scan could find anything at all: false for almost every text, and soon. */
bool cf_token_may_hold(const char *text, size_t len);

/* "3.0.19", of OpenSSL as it is in use. */
const char *cf_openssl_version(void);

#endif
