/* SPDX-License-Identifier: Apache-2.0 */
/* jwks.c - a JWK Set (RFC 7517, section 5), as `kubectl get --raw /openid/v1/jwks` prints it.
 *
 * Each JSON Web Key (RFC 7518, section 6) becomes the PEM that libjwt takes. OpenSSL makes the key
 * from its numbers and writes the PEM; nothing here builds DER. */
#include "curfew/jwks.h"

#include <stdlib.h>
#include <string.h>

#include <jwt.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include "curfew/attr.h"
#include "curfew/base64.h"
#include "curfew/buf.h"
#include "curfew/file.h"
#include "curfew/limits.h"
#include "curfew/str.h"
#include "curfew/swap.h"
#include "jwk.h"

/* Larger exponents are not used, and would only make verifying slow. */
#define EXPONENT_BYTES_MAX 8

static const struct cf_jws_alg algs[] = {
    {"RS256", JWT_ALG_RS256, CF_KEY_RSA},  {"RS384", JWT_ALG_RS384, CF_KEY_RSA},
    {"RS512", JWT_ALG_RS512, CF_KEY_RSA},  {"ES256", JWT_ALG_ES256, CF_KEY_P256},
    {"ES384", JWT_ALG_ES384, CF_KEY_P384},
};

const struct cf_jws_alg *cf_jws_alg_find(const char *name)
{
    for (size_t i = 0; i < CF_COUNT(algs); i++) {
        if (cf_streq(algs[i].name, name))
            return &algs[i];
    }
    return NULL;
}

/* ---- numbers ---- */

struct number {
    unsigned char *bytes; /* in the arena */
    size_t len;
};

/* A member that must be a base64url text. */
static int read_jwk_number(struct cf_arena *arena, const struct cf_json *json, const char *key,
                           struct number *out, struct cf_err *err)
{
    const char *text = cf_json_str(cf_json_get(json, key));

    if (text == NULL)
        return cf_err_set(err, "'%s' is missing, or not a string", key);
    out->bytes = cf_arena_alloc(arena, CF_BASE64URL_BYTES(strlen(text)));
    if (out->bytes == NULL)
        return cf_err_memory(err);
    if (!cf_base64url_decode(text, strlen(text), out->bytes, &out->len) || out->len == 0)
        return cf_err_set(err, "'%s' is not base64url", key);
    return 0;
}

/* RFC 7518, 6.3.1.1: no zero bytes in front; some issuers write them. */
static void strip_zeros(struct number *n)
{
    while (n->len > 1 && n->bytes[0] == 0) {
        n->bytes++;
        n->len--;
    }
}

static size_t bits_of(const struct number *n)
{
    size_t bits = n->len * 8;

    for (unsigned char top = n->bytes[0]; (top & 0x80) == 0 && bits > 0;
         top = (unsigned char)(top << 1))
        bits--;
    return bits;
}

/* ---- OpenSSL ---- */

static void free_params(OSSL_PARAM **params)
{
    OSSL_PARAM_free(*params);
}

static void free_builder(OSSL_PARAM_BLD **builder)
{
    OSSL_PARAM_BLD_free(*builder);
}

static void free_context(EVP_PKEY_CTX **context)
{
    EVP_PKEY_CTX_free(*context);
}

static void free_pkey(EVP_PKEY **pkey)
{
    EVP_PKEY_free(*pkey);
}

static void free_bio(BIO **bio)
{
    BIO_free(*bio);
}

static void free_bn(BIGNUM **bn)
{
    BN_free(*bn);
}

/* NULL when OpenSSL does not take the numbers for a key: a point that is not on its curve, ... */
static EVP_PKEY *pkey_new(const char *type, OSSL_PARAM_BLD *builder)
{
    CF_CLEANUP(free_params) OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
    CF_CLEANUP(free_context) EVP_PKEY_CTX *make = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    CF_CLEANUP(free_context) EVP_PKEY_CTX *check = NULL;
    CF_CLEANUP(free_pkey) EVP_PKEY *pkey = NULL;
    EVP_PKEY *out;

    if (params == NULL || make == NULL || EVP_PKEY_fromdata_init(make) != 1 ||
        EVP_PKEY_fromdata(make, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
        return NULL;
    check = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    if (check == NULL || EVP_PKEY_public_check(check) != 1)
        return NULL;
    out = pkey;
    pkey = NULL;
    return out;
}

static EVP_PKEY *ec_new(const char *group, const unsigned char *point, size_t len)
{
    CF_CLEANUP(free_builder) OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();

    if (builder == NULL ||
        OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, group, 0) != 1 ||
        OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point, len) != 1)
        return NULL;
    return pkey_new("EC", builder);
}

static EVP_PKEY *rsa_new(const struct number *n, const struct number *e)
{
    CF_CLEANUP(free_builder) OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    CF_CLEANUP(free_bn) BIGNUM *modulus = BN_bin2bn(n->bytes, (int)n->len, NULL);
    CF_CLEANUP(free_bn) BIGNUM *exponent = BN_bin2bn(e->bytes, (int)e->len, NULL);

    if (builder == NULL || modulus == NULL || exponent == NULL ||
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, modulus) != 1 ||
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, exponent) != 1)
        return NULL;
    return pkey_new("RSA", builder);
}

/* Takes over the pkey. */
static int write_pem(EVP_PKEY *made, struct cf_jwk *out, struct cf_err *err)
{
    CF_CLEANUP(free_pkey) EVP_PKEY *pkey = made;
    CF_CLEANUP(free_bio) BIO *bio = BIO_new(BIO_s_mem());
    char *bytes;
    long len;

    if (pkey == NULL) {
        ERR_clear_error();
        return cf_err_set(err, "the numbers are not a public key");
    }
    if (bio == NULL || PEM_write_bio_PUBKEY(bio, pkey) != 1)
        return cf_err_memory(err);
    len = BIO_get_mem_data(bio, &bytes);
    out->pem = strndup(bytes, (size_t)len);
    if (out->pem == NULL)
        return cf_err_memory(err);
    out->pem_len = (size_t)len;
    return 0;
}

/* ---- the two types ---- */

/* RFC 7518, 6.2.1: both coordinates are as long as the curve's field. */
static int read_ec(struct cf_arena *arena, const struct cf_json *json, struct cf_jwk *out,
                   struct cf_err *err)
{
    const char *curve = cf_json_str(cf_json_get(json, "crv"));
    size_t size = cf_streq(curve, "P-256") ? 32 : 48;
    unsigned char point[1 + 48 + 48] = {4}; /* uncompressed */
    struct number x, y;

    if (!cf_streq(curve, "P-256") && !cf_streq(curve, "P-384"))
        return 0;
    if (read_jwk_number(arena, json, "x", &x, err) != 0 ||
        read_jwk_number(arena, json, "y", &y, err) != 0)
        return -1;
    if (x.len != size || y.len != size)
        return cf_err_set(err, "'x' and 'y' must have %zu bytes on %s", size, curve);
    memcpy(point + 1, x.bytes, size);
    memcpy(point + 1 + size, y.bytes, size);
    out->type = size == 32 ? CF_KEY_P256 : CF_KEY_P384;
    out->signature_len = 2 * size;
    return write_pem(ec_new(curve, point, 1 + 2 * size), out, err) == 0 ? 1 : -1;
}

static int read_rsa(struct cf_arena *arena, const struct cf_json *json, struct cf_jwk *out,
                    struct cf_err *err)
{
    struct number n, e;

    if (read_jwk_number(arena, json, "n", &n, err) != 0 ||
        read_jwk_number(arena, json, "e", &e, err) != 0)
        return -1;
    strip_zeros(&n);
    strip_zeros(&e);
    if (bits_of(&n) < CF_RSA_BITS_MIN || bits_of(&n) > CF_RSA_BITS_MAX)
        return 0;
    if (e.len > EXPONENT_BYTES_MAX || (e.bytes[e.len - 1] & 1) == 0 || bits_of(&e) < 2)
        return cf_err_set(err, "'e' is not an RSA exponent");
    out->type = CF_KEY_RSA;
    out->signature_len = n.len;
    return write_pem(rsa_new(&n, &e), out, err) == 0 ? 1 : -1;
}

/* ---- one key ---- */

static void jwk_clear(struct cf_jwk *key)
{
    free(key->kid);
    free(key->pem);
    *key = (struct cf_jwk){0};
}

/* "verify" is in key_ops, or key_ops is absent. */
static bool may_verify(const struct cf_json *json)
{
    const struct cf_json *ops = cf_json_get(json, "key_ops"), *v;

    if (cf_json_is_null(ops))
        return true;
    for (v = cf_json_first(ops); v != NULL; v = cf_json_next(v)) {
        if (cf_streq(cf_json_str(v), "verify"))
            return true;
    }
    return false;
}

static int read_type(struct cf_arena *arena, const struct cf_json *json, struct cf_jwk *out,
                     struct cf_err *err)
{
    const char *type = cf_json_str(cf_json_get(json, "kty"));

    if (cf_streq(type, "EC"))
        return read_ec(arena, json, out, err);
    if (cf_streq(type, "RSA"))
        return read_rsa(arena, json, out, err);
    return type != NULL ? 0 : cf_err_set(err, "'kty' is missing, or not a string");
}

static int read_names(const struct cf_json *json, struct cf_jwk *out, struct cf_err *err)
{
    const struct cf_json *kid = cf_json_get(json, "kid"), *alg = cf_json_get(json, "alg");

    out->alg = cf_jws_alg_find(cf_json_str(alg));
    if (!cf_json_is_null(alg) && (out->alg == NULL || out->alg->type != out->type))
        return 0;
    if (cf_json_is_null(kid))
        return 1;
    if (cf_json_str(kid) == NULL)
        return cf_err_set(err, "'kid' is not a string");
    out->kid = strdup(cf_json_str(kid));
    return out->kid != NULL ? 1 : cf_err_memory(err);
}

/* 1: done; 0: it cannot verify anything here; -1: it is malformed, or private. */
static int jwk_read(struct cf_arena *arena, const struct cf_json *json, struct cf_jwk *out,
                    struct cf_err *err)
{
    const struct cf_json *use = cf_json_get(json, "use");
    struct cf_jwk key = {0};
    int rc;

    if (cf_json_type(json) != CF_JSON_OBJECT)
        return cf_err_set(err, "not an object");
    if (cf_json_get(json, "d") != NULL && cf_json_get(json, "kty") != NULL)
        return cf_err_set(err, "it is a private key: use public keys only, and replace this one");
    if ((!cf_json_is_null(use) && !cf_streq(cf_json_str(use), "sig")) || !may_verify(json))
        return 0;
    rc = read_type(arena, json, &key, err);
    if (rc == 1)
        rc = read_names(json, &key, err);
    if (rc != 1) {
        jwk_clear(&key);
        return rc;
    }
    *out = key;
    return 1;
}

/* ---- the set ---- */

static void clear_jwks(void *value)
{
    struct cf_jwks *jwks = value;

    for (size_t i = 0; i < jwks->count; i++)
        jwk_clear(&jwks->keys[i]);
    free(jwks->keys);
}

static struct cf_jwks *jwks_new(size_t room)
{
    struct cf_jwks *jwks = cf_shared_new(sizeof(*jwks), clear_jwks);

    if (jwks == NULL)
        return NULL;
    jwks->keys = calloc(room + 1, sizeof(*jwks->keys));
    if (jwks->keys != NULL)
        return jwks;
    cf_jwks_unref(jwks);
    return NULL;
}

void cf_jwks_unref(struct cf_jwks *jwks)
{
    cf_shared_unref(jwks);
}

void cf_jwks_cleanup(struct cf_jwks **jwks)
{
    cf_jwks_unref(*jwks);
    *jwks = NULL;
}

size_t cf_jwks_count(const struct cf_jwks *jwks)
{
    return jwks->count;
}

size_t cf_jwks_ignored(const struct cf_jwks *jwks)
{
    return jwks->ignored;
}

/* The order of keys must not decide which key a kid selects. */
static int check_kid(const struct cf_jwks *jwks, const struct cf_jwk *key, struct cf_err *err)
{
    for (size_t i = 0; key->kid != NULL && i < jwks->count; i++) {
        if (cf_streq(jwks->keys[i].kid, key->kid))
            return cf_err_set(err, "it has the kid of key %zu", i + 1);
    }
    return 0;
}

static int add_jwk(struct cf_arena *arena, struct cf_jwks *jwks, const struct cf_json *json,
                   struct cf_err *err)
{
    struct cf_jwk key;
    int rc = jwk_read(arena, json, &key, err);

    if (rc < 0)
        return -1;
    if (rc == 0) {
        jwks->ignored++;
        return 0;
    }
    if (check_kid(jwks, &key, err) != 0) {
        jwk_clear(&key);
        return -1;
    }
    jwks->keys[jwks->count++] = key;
    return 0;
}

static int add_keys(struct cf_arena *arena, struct cf_jwks *jwks, const struct cf_json *keys,
                    struct cf_err *err)
{
    const struct cf_json *v;
    size_t n = 1;

    for (v = cf_json_first(keys); v != NULL; v = cf_json_next(v), n++) {
        if (add_jwk(arena, jwks, v, err) != 0)
            return cf_err_wrap(err, "key %zu", n);
    }
    if (jwks->count == 0)
        return cf_err_set(err, "no key for RS256, RS384, RS512, ES256 or ES384");
    return 0;
}

static struct cf_jwks *parse_jwks(struct cf_arena *arena, const char *bytes, size_t len,
                                  struct cf_err *err)
{
    const struct cf_json *root = cf_json_parse(arena, bytes, len, NULL, NULL, err);
    const struct cf_json *keys = cf_json_get(root, "keys");
    struct cf_jwks *jwks;

    if (root == NULL)
        return NULL;
    if (cf_json_type(keys) != CF_JSON_ARRAY) {
        cf_err_set(err, "not a JWK Set (expected an object with an array 'keys')");
        return NULL;
    }
    if (cf_json_count(keys) > CF_JWKS_KEYS_MAX) {
        cf_err_set(err, "more than %d keys", CF_JWKS_KEYS_MAX);
        return NULL;
    }
    jwks = jwks_new(cf_json_count(keys));
    if (jwks == NULL) {
        cf_err_memory(err);
        return NULL;
    }
    if (add_keys(arena, jwks, keys, err) == 0)
        return jwks;
    cf_jwks_unref(jwks);
    return NULL;
}

struct cf_jwks *cf_jwks_parse(const char *bytes, size_t len, struct cf_err *err)
{
    CF_CLEANUP(cf_arena_cleanup) struct cf_arena *arena = cf_arena_new(CF_ARENA_MAX);
    struct cf_jwks *jwks;

    if (arena == NULL) {
        cf_err_memory(err);
        return NULL;
    }
    jwks = parse_jwks(arena, bytes, len, err);
    /* A rejected key may be private. */
    cf_arena_reset(arena, true);
    return jwks;
}

struct cf_jwks *cf_jwks_load(const char *path, struct cf_err *err)
{
    struct cf_jwks *jwks = NULL;
    struct cf_buf buf;

    cf_buf_init(&buf, CF_JWKS_MAX);
    if (cf_file_read(path, &buf, err) == 0) {
        jwks = cf_jwks_parse(cf_buf_str(&buf), buf.len, err);
        if (jwks == NULL)
            cf_err_wrap(err, "'%s'", path);
    }
    cf_buf_wipe(&buf);
    cf_buf_free(&buf);
    return jwks;
}
