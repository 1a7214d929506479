/* SPDX-License-Identifier: Apache-2.0 */
/* verify.c - verifies the signature of a token, and the requirements for a caller's token.
 *
 * libjwt (1.10 to 1.17) verifies the signature only: it takes the algorithm from the token,
 * compares names case-insensitively, skips characters that are not base64, and does not check
 * curves, times and audiences. So this file decides all that before it calls libjwt, and then
 * compares the algorithm that libjwt used. The copies that libjwt and jansson make of the token are
 * freed, but not wiped: 1.10 cannot do that. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/crypto.h>
#include <jwt.h>
#include <openssl/err.h>

#include "curfew/attr.h"
#include "curfew/time.h"
#include "curfew/limits.h"
#include "curfew/str.h"
#include "jwk.h"

/* Characters of a token's name in a message. */
#define NAME_SHOWN 60
#define NAME_BYTES (NAME_SHOWN * 4 + 4)

/* A printable copy. */
static const char *shown_claim(const char *name, char out[NAME_BYTES])
{
    size_t len = strnlen(name, NAME_BYTES - 1);

    /* Never in the middle of a character. */
    while (len > 0 && ((unsigned char)name[len] & 0xC0) == 0x80)
        len--;
    memcpy(out, name, len);
    out[len] = '\0';
    cf_str_sanitize(out, NAME_BYTES);
    cf_utf8_cut(out, NAME_SHOWN);
    return out;
}

/* ---- the header ---- */

static int refuse_alg(const char *alg, struct cf_err *err)
{
    char name[NAME_BYTES];

    if (strcasecmp(alg, "none") == 0)
        return cf_err_set(err, "not signed (alg: none)");
    if (strncasecmp(alg, "HS", 2) == 0)
        return cf_err_set(err, "alg '%s' needs a shared secret, but the keys are public",
                          shown_claim(alg, name));
    return cf_err_set(err, "alg '%s' is not one of RS256, RS384, RS512, ES256, ES384",
                      shown_claim(alg, name));
}

static int check_header(const struct cf_token *token, const struct cf_jws_alg **alg,
                        struct cf_err *err)
{
    char name[NAME_BYTES];

    if (token->critical)
        return cf_err_set(err, "header has 'crit', extensions that Curfew does not support");
    *alg = cf_jws_alg_find(token->alg);
    if (*alg == NULL)
        return refuse_alg(token->alg, err);
    if (token->typ != NULL && strcasecmp(token->typ, "JWT") != 0)
        return cf_err_set(err, "typ is '%s', not JWT", shown_claim(token->typ, name));
    return 0;
}

/* ---- one key ---- */

static bool fits(const struct cf_jwk *key, const struct cf_jws_alg *alg)
{
    return key->alg != NULL ? key->alg == alg : key->type == alg->type;
}

static const char *algs_of(const struct cf_jwk *key)
{
    static const char *const names[] = {
        [CF_KEY_RSA] = "RS256, RS384 or RS512", [CF_KEY_P256] = "ES256", [CF_KEY_P384] = "ES384"};

    return key->alg != NULL ? key->alg->name : names[key->type];
}

static size_t signature_bytes(const char *text, size_t len)
{
    const char *dot = memrchr(text, '.', len);
    size_t digits = dot != NULL ? len - (size_t)(dot + 1 - text) : 0;

    return digits / 4 * 3 + digits % 4 * 3 / 4;
}

/* `text` ends with a NUL. */
static int verify_signature(const struct cf_jwk *key, const struct cf_jws_alg *alg,
                            const char *text, struct cf_err *err)
{
    jwt_t *jwt = NULL;
    int rc = jwt_decode(&jwt, text, (const unsigned char *)key->pem, (int)key->pem_len);
    bool same = rc == 0 && jwt != NULL && (int)jwt_get_alg(jwt) == alg->libjwt;

    if (jwt != NULL)
        jwt_free(jwt);
    ERR_clear_error();
    if (rc == ENOMEM)
        return cf_err_memory(err);
    return same ? 0 : cf_err_set(err, "the signature does not match this key");
}

static int verify_with(const struct cf_jwk *key, const struct cf_jws_alg *alg, const char *text,
                       size_t len, struct cf_err *err)
{
    char *copy;
    int rc;

    if (signature_bytes(text, len) != key->signature_len)
        return cf_err_set(err, "the signature has %zu bytes, expected %zu for %s with this key",
                          signature_bytes(text, len), key->signature_len, alg->name);
    copy = strndup(text, len);
    if (copy == NULL)
        return cf_err_memory(err);
    rc = verify_signature(key, alg, copy, err);
    explicit_bzero(copy, len);
    free(copy);
    return rc;
}

/* ---- the set ---- */

static const struct cf_jwk *find_kid(const struct cf_jwks *jwks, const char *kid)
{
    for (size_t i = 0; i < jwks->count; i++) {
        if (cf_streq(jwks->keys[i].kid, kid))
            return &jwks->keys[i];
    }
    return NULL;
}

static int verify_by_kid(const struct cf_jwks *jwks, const struct cf_jws_alg *alg, const char *text,
                         size_t len, const struct cf_token *token, struct cf_err *err)
{
    const struct cf_jwk *key = find_kid(jwks, token->kid);
    char name[NAME_BYTES];

    shown_claim(token->kid, name);
    if (key == NULL)
        return cf_err_set(err, "no key of the set has the kid '%s'", name);
    if (!fits(key, alg))
        return cf_err_set(err, "alg is %s, but the key with the kid '%s' is for %s", alg->name,
                          name, algs_of(key));
    if (verify_with(key, alg, text, len, err) == 0)
        return 0;
    return cf_err_wrap(err, "key '%s'", name);
}

/* A token may have no kid: one of the keys for its alg must match. */
static int verify_by_alg(const struct cf_jwks *jwks, const struct cf_jws_alg *alg, const char *text,
                         size_t len, struct cf_err *err)
{
    bool tried = false;

    for (size_t i = 0; i < jwks->count; i++) {
        if (!fits(&jwks->keys[i], alg))
            continue;
        tried = true;
        if (verify_with(&jwks->keys[i], alg, text, len, err) == 0)
            return 0;
        if (err != NULL && err->kind == CF_ERR_SYSTEM)
            return -1;
    }
    if (!tried)
        return cf_err_set(err, "no kid, and no key of the set is for alg %s", alg->name);
    return cf_err_set(err, "no kid, and the signature does not match any key for %s", alg->name);
}

int cf_token_verify(const struct cf_jwks *jwks, const char *text, size_t len,
                    const struct cf_token *token, struct cf_err *err)
{
    const struct cf_jws_alg *alg = NULL;

    if (len > CF_TOKEN_MAX)
        return cf_err_set(err, "%zu bytes; a token has at most %zu", len, CF_TOKEN_MAX);
    if (check_header(token, &alg, err) != 0)
        return -1;
    if (token->kid != NULL)
        return verify_by_kid(jwks, alg, text, len, token, err);
    return verify_by_alg(jwks, alg, text, len, err);
}

/* ---- times, issuer, subject and audience ---- */

/* a + b, saturated. */
static int64_t add_saturated(int64_t a, int64_t b)
{
    int64_t sum;

    if (__builtin_add_overflow(a, b, &sum))
        return b > 0 ? INT64_MAX : INT64_MIN;
    return sum;
}

static int check_times(const struct cf_token *token, const struct cf_token_demands *demands,
                       struct cf_err *err)
{
    char when[32];

    if (!token->has_exp || token->legacy_issuer)
        return cf_err_set(err, "no expiry (exp)");
    if (demands->now >= add_saturated(token->exp, demands->leeway))
        return cf_err_set(err, "expired at %s", cf_time_format(token->exp, when));
    if (token->has_nbf && add_saturated(demands->now, demands->leeway) < token->nbf)
        return cf_err_set(err, "not valid before %s", cf_time_format(token->nbf, when));
    return 0;
}

static int check_issuer(const struct cf_token *token, const char *issuer, struct cf_err *err)
{
    char name[NAME_BYTES];

    if (cf_str_empty(token->issuer))
        return cf_err_set(err, "no issuer (iss)");
    if (cf_str_empty(issuer) || !cf_streq(token->issuer, issuer))
        return cf_err_set(err, "issuer '%s' is not accepted", shown_claim(token->issuer, name));
    return 0;
}

static int check_subject(const struct cf_token *token, const char *const *subjects,
                         struct cf_err *err)
{
    char name[NAME_BYTES];

    if (cf_str_empty(token->subject))
        return cf_err_set(err, "no subject (sub)");
    for (size_t i = 0; subjects != NULL && subjects[i] != NULL; i++) {
        if (cf_glob(subjects[i], token->subject))
            return 0;
    }
    return cf_err_set(err, "subject '%s' is not accepted", shown_claim(token->subject, name));
}

static bool is_for(const struct cf_token *token, const char *audience)
{
    for (size_t i = 0; i < token->audience_count; i++) {
        if (cf_streq(token->audiences[i], audience))
            return true;
    }
    return false;
}

static int check_audience(const struct cf_token *token, const char *const *audiences,
                          struct cf_err *err)
{
    for (size_t i = 0; audiences != NULL && audiences[i] != NULL; i++) {
        if (is_for(token, audiences[i]))
            return 0;
    }
    if (audiences != NULL && audiences[0] != NULL && audiences[1] == NULL)
        return cf_err_set(err, "not for the audience '%s'", audiences[0]);
    return cf_err_set(err, "not for any accepted audience");
}

int cf_token_accept(struct cf_arena *arena, const struct cf_jwks *jwks, const char *text,
                    size_t len, const struct cf_token_demands *demands, struct cf_token *out,
                    struct cf_err *err)
{
    struct cf_token token;

    if (cf_token_decode(arena, text, len, &token, err) != 0 ||
        cf_token_verify(jwks, text, len, &token, err) != 0 ||
        check_times(&token, demands, err) != 0 || check_issuer(&token, demands->issuer, err) != 0 ||
        check_subject(&token, demands->subjects, err) != 0 ||
        check_audience(&token, demands->audiences, err) != 0)
        return -1;
    *out = token;
    return 0;
}

bool cf_bearer_token(const char *header, const char **text, size_t *len)
{
    static const char scheme[] = "Bearer ";
    const char *p;

    if (header == NULL || strncasecmp(header, scheme, sizeof(scheme) - 1) != 0)
        return false;
    p = header + sizeof(scheme) - 1;
    p += strspn(p, " ");
    if (*p == '\0' || p[strcspn(p, " \t\r\n")] != '\0')
        return false;
    *text = p;
    *len = strlen(p);
    return true;
}

const char *cf_openssl_version(void)
{
    return OpenSSL_version(OPENSSL_VERSION_STRING);
}
