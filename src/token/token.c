/* SPDX-License-Identifier: Apache-2.0 */
/* token.c - decodes the parts of a JWT, and what follows from its claims.
 *
 * Strict, because an attacker can use two readers that disagree about a token to smuggle it past
 * one of them: base64url without spare bits, JSON without duplicate keys, and no claim of another
 * type. */
#include "curfew/token.h"

#include <string.h>

#include <openssl/evp.h>

#include "curfew/attr.h"
#include "curfew/base64.h"
#include "curfew/json.h"
#include "curfew/limits.h"
#include "curfew/str.h"

/* The issuer of tokens that come from Secrets (pkg/serviceaccount/legacy.go). */
#define LEGACY_ISSUER "kubernetes/serviceaccount"
#define LEGACY_CLAIM(name) "kubernetes.io/serviceaccount/" name
#define SUBJECT_PREFIX "system:serviceaccount:"

struct claim_reader {
    struct cf_arena *arena;
    struct cf_err *err;
    bool failed;
};

static void fail_claim(struct claim_reader *r, const char *claim, const char *wanted)
{
    if (!r->failed)
        cf_err_set(r->err, "'%s' is not %s", claim, wanted);
    r->failed = true;
}

/* ---- members ---- */

static const char *read_str(struct claim_reader *r, const struct cf_json *object, const char *key)
{
    const struct cf_json *value = cf_json_get(object, key);

    if (cf_json_is_null(value))
        return NULL;
    if (cf_json_str(value) == NULL)
        fail_claim(r, key, "a string");
    return cf_json_str(value);
}

/* RFC 7519 lets a NumericDate have a fraction; no issuer of ServiceAccount tokens writes one. */
static void read_claim_time(struct claim_reader *r, const struct cf_json *object, const char *key,
                            bool *has, int64_t *out)
{
    const struct cf_json *value = cf_json_get(object, key);

    if (cf_json_is_null(value))
        return;
    *has = cf_json_int(value, out);
    if (!*has)
        fail_claim(r, key, "a whole number");
}

static const struct cf_json *read_member_object(struct claim_reader *r,
                                                const struct cf_json *object, const char *key)
{
    const struct cf_json *value = cf_json_get(object, key);

    if (cf_json_is_null(value))
        return NULL;
    if (cf_json_type(value) != CF_JSON_OBJECT) {
        fail_claim(r, key, "an object");
        return NULL;
    }
    return value;
}

/* The name of an object in the claim kubernetes.io. */
static const char *read_name(struct claim_reader *r, const struct cf_json *claim, const char *key)
{
    return read_str(r, read_member_object(r, claim, key), "name");
}

/* A single audience may be a string. */
static void read_aud(struct claim_reader *r, const struct cf_json *claims, struct cf_token *out)
{
    const struct cf_json *value = cf_json_get(claims, "aud"), *v;
    bool one = cf_json_type(value) == CF_JSON_STRING;
    size_t count = one ? 1 : cf_json_count(value), n = 0;

    if (cf_json_is_null(value))
        return;
    if (!one && cf_json_type(value) != CF_JSON_ARRAY) {
        fail_claim(r, "aud", "a string or an array of strings");
        return;
    }
    out->audiences = cf_arena_array(r->arena, count + 1, sizeof(*out->audiences));
    if (out->audiences == NULL)
        return;
    for (v = one ? value : cf_json_first(value); v != NULL && n < count; v = cf_json_next(v)) {
        out->audiences[n] = cf_json_str(v);
        if (out->audiences[n++] == NULL)
            fail_claim(r, "aud", "a string or an array of strings");
    }
    out->audience_count = n;
}

/* ---- claims ---- */

static void read_legacy(struct claim_reader *r, const struct cf_json *claims, struct cf_token *out)
{
    out->namespace = read_str(r, claims, LEGACY_CLAIM("namespace"));
    out->account = read_str(r, claims, LEGACY_CLAIM("service-account.name"));
    out->account_uid = read_str(r, claims, LEGACY_CLAIM("service-account.uid"));
    out->secret = read_str(r, claims, LEGACY_CLAIM("secret.name"));
}

static void read_bound_claims(struct claim_reader *r, const struct cf_json *claim,
                              struct cf_token *out)
{
    const struct cf_json *account = read_member_object(r, claim, "serviceaccount");

    out->namespace = read_str(r, claim, "namespace");
    out->account = read_str(r, account, "name");
    out->account_uid = read_str(r, account, "uid");
    out->secret = read_name(r, claim, "secret");
    out->pod = read_name(r, claim, "pod");
    out->node = read_name(r, claim, "node");
    read_claim_time(r, claim, "warnafter", &out->has_warn_after, &out->warn_after);
}

/* Takes missing names from the subject: system:serviceaccount:NAMESPACE:NAME. */
static void complete_from_subject(struct claim_reader *r, struct cf_token *out)
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

static void take_claims(struct claim_reader *r, const struct cf_json *claims, struct cf_token *out)
{
    const struct cf_json *bound = read_member_object(r, claims, "kubernetes.io");

    out->issuer = read_str(r, claims, "iss");
    out->subject = read_str(r, claims, "sub");
    out->jti = read_str(r, claims, "jti");
    read_claim_time(r, claims, "exp", &out->has_exp, &out->exp);
    read_claim_time(r, claims, "iat", &out->has_iat, &out->iat);
    read_claim_time(r, claims, "nbf", &out->has_nbf, &out->nbf);
    read_aud(r, claims, out);
    out->legacy_issuer = cf_streq(out->issuer, LEGACY_ISSUER);
    out->service_account = out->legacy_issuer || bound != NULL;
    if (bound != NULL)
        read_bound_claims(r, bound, out);
    else if (out->legacy_issuer)
        read_legacy(r, claims, out);
    if (out->service_account)
        complete_from_subject(r, out);
}

/* ---- parts ---- */

static const struct cf_json *decode_part(struct claim_reader *r, const char *what, const char *text,
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
        cf_err_set(r->err, "%s: not base64url", what);
        return NULL;
    }
    value = cf_json_parse(r->arena, (const char *)bytes, n, NULL, NULL, r->err);
    if (value == NULL) {
        cf_err_wrap(r->err, "%s", what);
        return NULL;
    }
    if (cf_json_type(value) != CF_JSON_OBJECT) {
        cf_err_set(r->err, "%s: not a JSON object", what);
        return NULL;
    }
    return value;
}

/* Lengths of header and claims; the signature follows the second dot. */
static bool split_token(const char *text, size_t len, size_t *header, size_t *claims)
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
    struct claim_reader r = {.arena = arena, .err = err};
    const struct cf_json *header = decode_part(&r, "header", text, len);

    if (header == NULL)
        return -1;
    out->alg = read_str(&r, header, "alg");
    out->kid = read_str(&r, header, "kid");
    out->typ = read_str(&r, header, "typ");
    out->critical = cf_json_get(header, "crit") != NULL;
    if (out->alg == NULL && !r.failed)
        return cf_err_set(err, "'alg' is missing");
    return r.failed ? -1 : 0;
}

int cf_token_read_claims(struct cf_arena *arena, const char *text, size_t len, struct cf_token *out,
                         struct cf_err *err)
{
    struct claim_reader r = {.arena = arena, .err = err};
    const struct cf_json *claims = decode_part(&r, "claims", text, len);

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
        return cf_err_set(err, "%zu bytes; a token has at most %zu", len, CF_TOKEN_MAX);
    if (!split_token(text, len, &header_len, &claims_len))
        return cf_err_set(err, "not a JWT (expected header.claims.signature)");
    signature_len = len - header_len - claims_len - 2;
    if (!cf_base64url_decode(text + len - signature_len, signature_len, NULL, NULL))
        return cf_err_set(err, "signature: not base64url");
    if (cf_token_read_header(arena, text, header_len, &token, err) != 0 ||
        cf_token_read_claims(arena, text + header_len + 1, claims_len, &token, err) != 0)
        return -1;
    *out = token;
    return 0;
}

/* ---- what follows from the claims ---- */

/* The API server extends 3607 s to a year (ExpirationExtensionSeconds); a day around it: tokens
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

/* For a token of a Secret the API server checks only that the Secret exists
 * (pkg/serviceaccount/legacy.go): it ignores an `exp`. */
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

static void sha256_hex(const char *text, size_t len, char *out, size_t digits)
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
    sha256_hex(text, len, out, CF_TOKEN_HASH);
}

void cf_text_hash(const char *text, size_t len, char out[CF_TEXT_HASH + 1])
{
    sha256_hex(text, len, out, CF_TEXT_HASH);
}

/* ---- whether the API server takes a text as the token of a Secret ---- */

/* The API server reads namespace and Secret name from the claims, gets that Secret, and
 * compares its data.token with the token of the request (pkg/serviceaccount/legacy.go). So only the
 * string counts, and two readings of one string would be a bypass of the rules. The API server
 * reads leniently, and so does this part: white space anywhere is dropped (go-jose,
 * stripWhitespace), and spare bits at the end of base64 may be set (Go's RawURLEncoding). The
 * signature is not checked: the API server rejects a token with an invalid one anyway. */

/* As Go's unicode.IsSpace. */
static bool is_space(uint32_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r') || c == 0x85 || c == 0xA0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
           c == 0x205F || c == 0x3000;
}

/* Copies the string without its white space; returns the length of the copy. More than
 * CF_TOKEN_MAX: not a token. */
static size_t strip(const char *text, size_t len, char out[CF_TOKEN_MAX + 4])
{
    size_t n = 0, bytes;

    for (size_t i = 0; i < len && n <= CF_TOKEN_MAX; i += bytes) {
        uint32_t c = 0;

        bytes = cf_utf8_decode(text + i, len - i, &c);
        if (bytes > 0 && is_space(c))
            continue;
        bytes = bytes > 0 ? bytes : 1;
        memcpy(out + n, text + i, bytes);
        n += bytes;
    }
    return n;
}

/* Clears the spare bits of the last character. */
static void clear_spare_bits(char *text, size_t len)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    static const unsigned spare[4] = {0, 0, 0xF, 0x3};
    unsigned digit = len > 0 ? cf_digits[(unsigned char)text[len - 1]] : CF_NO_DIGIT;

    if (digit != CF_NO_DIGIT && spare[len % 4] != 0)
        text[len - 1] = alphabet[digit & ~spare[len % 4]];
}

/* Reads header and claims, which end with a dot each. */
static bool read_parts(struct cf_arena *arena, char *text, size_t len, struct cf_token *out)
{
    char *end = text + len, *claims = memchr(text, '.', len), *signature;

    if (claims == NULL || len > CF_TOKEN_MAX)
        return false;
    claims++;
    signature = memchr(claims, '.', (size_t)(end - claims));
    if (signature == NULL)
        return false;
    signature++;
    if (memchr(signature, '.', (size_t)(end - signature)) != NULL)
        return false;
    clear_spare_bits(text, (size_t)(claims - text - 1));
    clear_spare_bits(claims, (size_t)(signature - claims - 1));
    return cf_token_read_header(arena, text, (size_t)(claims - text - 1), out, NULL) == 0 &&
           cf_token_read_claims(arena, claims, (size_t)(signature - claims - 1), out, NULL) == 0;
}

bool cf_token_of_secret(struct cf_arena *arena, const char *text, size_t len, const char *namespace,
                        const char *name, struct cf_token *out)
{
    char *copy = cf_arena_alloc(arena, (len < CF_TOKEN_MAX ? len : CF_TOKEN_MAX) + 5);
    struct cf_token token = {0};

    if (copy == NULL || !read_parts(arena, copy, strip(text, len, copy), &token))
        return false;
    if (!token.legacy_issuer || cf_str_empty(token.secret) || !cf_streq(token.secret, name) ||
        cf_str_empty(token.namespace) || !cf_streq(token.namespace, namespace))
        return false;
    *out = token;
    return true;
}
