/* SPDX-License-Identifier: Apache-2.0 */
/* token.c - from the three parts of a JWT to what it says.
 *
 * Strict, because two readers that disagree about a token are how one is smuggled past the other:
 * base64url without slack, JSON without duplicate keys, and no claim of another type. */
#include <string.h>

#include "curfew/attr.h"
#include "curfew/base64.h"
#include "curfew/json.h"
#include "curfew/limits.h"
#include "curfew/str.h"
#include "parts.h"

/* The issuer of tokens that come from Secrets (pkg/serviceaccount/legacy.go). */
#define LEGACY_ISSUER "kubernetes/serviceaccount"
#define LEGACY_CLAIM(name) "kubernetes.io/serviceaccount/" name
#define SUBJECT_PREFIX "system:serviceaccount:"

struct reader {
    struct cf_arena *arena;
    struct cf_err *err;
    bool failed;
};

static void fail(struct reader *r, const char *claim, const char *wanted)
{
    if (!r->failed)
        cf_err_set(r->err, "its '%s' is not %s", claim, wanted);
    r->failed = true;
}

/* ---- members ---- */

static const char *read_str(struct reader *r, const struct cf_json *object, const char *key)
{
    const struct cf_json *value = cf_json_get(object, key);

    if (cf_json_is_null(value))
        return NULL;
    if (cf_json_str(value) == NULL)
        fail(r, key, "a string");
    return cf_json_str(value);
}

/* RFC 7519 lets a NumericDate have a fraction; no issuer of ServiceAccount tokens writes one. */
static void read_time(struct reader *r, const struct cf_json *object, const char *key, bool *has,
                      int64_t *out)
{
    const struct cf_json *value = cf_json_get(object, key);

    if (cf_json_is_null(value))
        return;
    *has = cf_json_int(value, out);
    if (!*has)
        fail(r, key, "a whole number");
}

static const struct cf_json *read_object(struct reader *r, const struct cf_json *object,
                                         const char *key)
{
    const struct cf_json *value = cf_json_get(object, key);

    if (cf_json_is_null(value))
        return NULL;
    if (cf_json_type(value) != CF_JSON_OBJECT) {
        fail(r, key, "an object");
        return NULL;
    }
    return value;
}

/* The name of an object that the claim kubernetes.io tells of. */
static const char *read_name(struct reader *r, const struct cf_json *claim, const char *key)
{
    return read_str(r, read_object(r, claim, key), "name");
}

/* One audience may stand without its array. */
static void read_audiences(struct reader *r, const struct cf_json *claims, struct cf_token *out)
{
    const struct cf_json *value = cf_json_get(claims, "aud"), *v;
    bool one = cf_json_type(value) == CF_JSON_STRING;
    size_t count = one ? 1 : cf_json_count(value), n = 0;

    if (cf_json_is_null(value))
        return;
    if (!one && cf_json_type(value) != CF_JSON_ARRAY) {
        fail(r, "aud", "a string or an array of strings");
        return;
    }
    out->audiences = cf_arena_array(r->arena, count + 1, sizeof(*out->audiences));
    if (out->audiences == NULL)
        return;
    for (v = one ? value : cf_json_first(value); v != NULL && n < count; v = cf_json_next(v)) {
        out->audiences[n] = cf_json_str(v);
        if (out->audiences[n++] == NULL)
            fail(r, "aud", "a string or an array of strings");
    }
    out->audience_count = n;
}

/* ---- claims ---- */

static void read_legacy(struct reader *r, const struct cf_json *claims, struct cf_token *out)
{
    out->namespace = read_str(r, claims, LEGACY_CLAIM("namespace"));
    out->account = read_str(r, claims, LEGACY_CLAIM("service-account.name"));
    out->account_uid = read_str(r, claims, LEGACY_CLAIM("service-account.uid"));
    out->secret = read_str(r, claims, LEGACY_CLAIM("secret.name"));
}

static void read_bound(struct reader *r, const struct cf_json *claim, struct cf_token *out)
{
    const struct cf_json *account = read_object(r, claim, "serviceaccount");

    out->namespace = read_str(r, claim, "namespace");
    out->account = read_str(r, account, "name");
    out->account_uid = read_str(r, account, "uid");
    out->secret = read_name(r, claim, "secret");
    out->pod = read_name(r, claim, "pod");
    out->node = read_name(r, claim, "node");
    read_time(r, claim, "warnafter", &out->has_warn_after, &out->warn_after);
}

/* What the claims leave out, the subject may have: system:serviceaccount:NAMESPACE:NAME. */
static void complete(struct reader *r, struct cf_token *out)
{
    const char *rest, *colon;

    if (!cf_starts_with(out->subject, SUBJECT_PREFIX))
        return;
    rest = out->subject + strlen(SUBJECT_PREFIX);
    colon = strchr(rest, ':');
    if (colon == NULL || strchr(colon + 1, ':') != NULL)
        return;
    if (out->namespace == NULL)
        out->namespace = cf_arena_strndup(r->arena, rest, (size_t)(colon - rest));
    if (out->account == NULL)
        out->account = colon + 1;
}

static void take_claims(struct reader *r, const struct cf_json *claims, struct cf_token *out)
{
    const struct cf_json *bound = read_object(r, claims, "kubernetes.io");

    out->issuer = read_str(r, claims, "iss");
    out->subject = read_str(r, claims, "sub");
    out->jti = read_str(r, claims, "jti");
    read_time(r, claims, "exp", &out->has_exp, &out->exp);
    read_time(r, claims, "iat", &out->has_iat, &out->iat);
    read_time(r, claims, "nbf", &out->has_nbf, &out->nbf);
    read_audiences(r, claims, out);
    out->legacy_issuer = cf_streq(out->issuer, LEGACY_ISSUER);
    out->service_account = out->legacy_issuer || bound != NULL;
    if (bound != NULL)
        read_bound(r, bound, out);
    else if (out->legacy_issuer)
        read_legacy(r, claims, out);
    if (out->service_account)
        complete(r, out);
}

/* ---- parts ---- */

static const struct cf_json *decode_part(struct reader *r, const char *what, const char *text,
                                         size_t len)
{
    unsigned char *bytes = cf_arena_alloc(r->arena, CF_BASE64URL_BYTES(len));
    const struct cf_json *value;
    size_t n;

    if (bytes == NULL) {
        cf_err_memory(r->err);
        return NULL;
    }
    if (!cf_base64url_decode(text, len, bytes, &n)) {
        cf_err_set(r->err, "its %s is no base64url", what);
        return NULL;
    }
    value = cf_json_parse(r->arena, (const char *)bytes, n, NULL, NULL, r->err);
    if (value == NULL) {
        cf_err_wrap(r->err, "its %s", what);
        return NULL;
    }
    if (cf_json_type(value) != CF_JSON_OBJECT) {
        cf_err_set(r->err, "its %s is no JSON object", what);
        return NULL;
    }
    return value;
}

/* Lengths of header and claims; the signature is what is behind the second dot. */
static bool split(const char *text, size_t len, size_t *header, size_t *claims)
{
    const char *end = text + len;
    const char *first = memchr(text, '.', len);
    const char *second = first != NULL ? memchr(first + 1, '.', (size_t)(end - first - 1)) : NULL;

    if (second == NULL || memchr(second + 1, '.', (size_t)(end - second - 1)) != NULL)
        return false;
    *header = (size_t)(first - text);
    *claims = (size_t)(second - first - 1);
    return true;
}

int cf_token_read_header(struct cf_arena *arena, const char *text, size_t len, struct cf_token *out,
                         struct cf_err *err)
{
    struct reader r = {.arena = arena, .err = err};
    const struct cf_json *header = decode_part(&r, "header", text, len);

    if (header == NULL)
        return -1;
    out->alg = read_str(&r, header, "alg");
    out->kid = read_str(&r, header, "kid");
    out->typ = read_str(&r, header, "typ");
    out->critical = cf_json_get(header, "crit") != NULL;
    if (out->alg == NULL)
        fail(&r, "alg", "there");
    return r.failed ? -1 : 0;
}

int cf_token_read_claims(struct cf_arena *arena, const char *text, size_t len, struct cf_token *out,
                         struct cf_err *err)
{
    struct reader r = {.arena = arena, .err = err};
    const struct cf_json *claims = decode_part(&r, "payload", text, len);

    if (claims == NULL)
        return -1;
    take_claims(&r, claims, out);
    if (r.failed)
        return -1;
    return cf_arena_failed(arena) ? cf_err_memory(err) : 0;
}

int cf_token_decode(struct cf_arena *arena, const char *text, size_t len, struct cf_token *out,
                    struct cf_err *err)
{
    struct cf_token token = {0};
    size_t header_len, claims_len, signature_len;

    if (len > CF_TOKEN_MAX)
        return cf_err_set(err, "it has %zu bytes, and a token has at most %zu", len, CF_TOKEN_MAX);
    if (!split(text, len, &header_len, &claims_len))
        return cf_err_set(err, "it is no JWT: that is three parts with a dot between them");
    signature_len = len - header_len - claims_len - 2;
    if (!cf_base64url_decode(text + len - signature_len, signature_len, NULL, NULL))
        return cf_err_set(err, "its signature is no base64url");
    if (cf_token_read_header(arena, text, header_len, &token, err) != 0 ||
        cf_token_read_claims(arena, text + header_len + 1, claims_len, &token, err) != 0)
        return -1;
    *out = token;
    return 0;
}
