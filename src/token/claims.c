/* SPDX-License-Identifier: Apache-2.0 */
/* claims.c - what follows from what a token says. */
#include <string.h>

#include <openssl/evp.h>

#include "curfew/attr.h"
#include "curfew/token.h"

/* What the API server makes of 3607 s (ExpirationExtensionSeconds), and a day around it: tokens
 * from before the claim `warnafter`. */
#define YEAR ((int64_t)365 * 86400)
#define ABOUT ((int64_t)86400)

const char *cf_token_kind_name(enum cf_token_kind kind)
{
    static const char *const names[CF_TOKEN_KINDS] = {
        [CF_TOKEN_OTHER] = "other", [CF_TOKEN_LEGACY] = "legacy", [CF_TOKEN_EXTENDED] = "extended",
        [CF_TOKEN_LONG] = "long",   [CF_TOKEN_BOUND] = "bound",   [CF_TOKEN_UNBOUND] = "unbound",
    };

    return names[kind];
}

/* Of tokens from Secrets the API server asks nothing but whether the Secret is still there
 * (pkg/serviceaccount/legacy.go): even an `exp` would not end one. */
static bool ends(const struct cf_token *token)
{
    return token->has_exp && !token->legacy_issuer;
}

bool cf_token_lifetime(const struct cf_token *token, int64_t *seconds)
{
    int64_t begin = token->has_iat ? token->iat : token->nbf;

    if (!ends(token) || (!token->has_iat && !token->has_nbf))
        return false;
    if (__builtin_sub_overflow(token->exp, begin, seconds))
        *seconds = token->exp > begin ? INT64_MAX : INT64_MIN;
    return true;
}

bool cf_token_outlives(const struct cf_token *token, int64_t max)
{
    int64_t seconds;

    return !cf_token_lifetime(token, &seconds) || seconds > max;
}

static bool is_extended(const struct cf_token *token)
{
    int64_t seconds;

    if (token->has_warn_after)
        return token->exp > token->warn_after;
    return token->pod != NULL && cf_token_lifetime(token, &seconds) && seconds >= YEAR - ABOUT &&
           seconds <= YEAR + ABOUT;
}

enum cf_token_kind cf_token_kind(const struct cf_token *token, int64_t max)
{
    if (!token->service_account)
        return CF_TOKEN_OTHER;
    if (!ends(token))
        return CF_TOKEN_LEGACY;
    if (is_extended(token))
        return CF_TOKEN_EXTENDED;
    if (cf_token_outlives(token, max))
        return CF_TOKEN_LONG;
    if (token->pod != NULL || token->node != NULL || token->secret != NULL)
        return CF_TOKEN_BOUND;
    return CF_TOKEN_UNBOUND;
}

bool cf_token_expired(const struct cf_token *token, int64_t now)
{
    return ends(token) && token->exp <= now;
}

bool cf_token_stale(const struct cf_token *token, int64_t now)
{
    return token->has_warn_after && token->warn_after < now;
}

static void hash(const char *text, size_t len, char *out, size_t digits)
{
    static const char hex[] = "0123456789abcdef";
    unsigned char digest[EVP_MAX_MD_SIZE] = {0};

    (void)EVP_Digest(text, len, digest, NULL, EVP_sha256(), NULL);
    for (size_t i = 0; i < digits / 2; i++) {
        out[2 * i] = hex[digest[i] >> 4];
        out[2 * i + 1] = hex[digest[i] & 15];
    }
    out[digits] = '\0';
}

void cf_token_hash(const char *text, size_t len, char out[CF_TOKEN_HASH + 1])
{
    hash(text, len, out, CF_TOKEN_HASH);
}

void cf_text_hash(const char *text, size_t len, char out[CF_TEXT_HASH + 1])
{
    hash(text, len, out, CF_TEXT_HASH);
}
