/* SPDX-License-Identifier: Apache-2.0 */
/* sign.h - makes keys, JWKs and tokens with OpenSSL alone, for tests of what reads them. */
#ifndef CURFEW_TEST_SIGN_H
#define CURFEW_TEST_SIGN_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

/* All texts are malloc'ed. */
static inline char *test_base64url(const void *bytes, size_t len)
{
    char *out = malloc(len / 3 * 4 + 8);
    int n = EVP_EncodeBlock((unsigned char *)out, bytes, (int)len);

    while (n > 0 && out[n - 1] == '=')
        n--;
    out[n] = '\0';
    for (int i = 0; i < n; i++) {
        if (out[i] == '+')
            out[i] = '-';
        else if (out[i] == '/')
            out[i] = '_';
    }
    return out;
}

static inline char *test_base64(const void *bytes, size_t len)
{
    char *out = malloc(len / 3 * 4 + 8);

    EVP_EncodeBlock((unsigned char *)out, bytes, (int)len);
    return out;
}

/* Base64 broken into lines. */
static inline char *test_wrapped(const void *bytes, size_t len, size_t width, const char *eol)
{
    char *flat = test_base64(bytes, len);
    size_t n = strlen(flat);
    char *out = malloc(n + (n / width + 2) * strlen(eol) + 1), *to = out;

    for (size_t i = 0; i < n; i += width) {
        size_t part = n - i < width ? n - i : width;

        memcpy(to, flat + i, part);
        to += part;
        strcpy(to, eol);
        to += strlen(eol);
    }
    free(flat);
    return out;
}

static inline EVP_PKEY *test_ec_key(const char *curve)
{
    return EVP_EC_gen(curve);
}

static inline EVP_PKEY *test_rsa_key(size_t bits)
{
    return EVP_RSA_gen((unsigned)bits);
}

/* One number of a public key, in base64url, `size` bytes long (0: as long as it is). */
static inline char *test_number(const EVP_PKEY *key, const char *name, size_t size)
{
    BIGNUM *n = NULL;
    unsigned char bytes[2048];
    char *out;

    if (EVP_PKEY_get_bn_param(key, name, &n) != 1)
        return NULL;
    if (size == 0)
        size = (size_t)BN_num_bytes(n);
    BN_bn2binpad(n, bytes, (int)size);
    BN_free(n);
    out = test_base64url(bytes, size);
    return out;
}

/* A JWK; `more` is text in front of the last brace, such as `,"use":"sig"`. */
static inline char *test_jwk(const EVP_PKEY *key, const char *kid, const char *more)
{
    char *a, *b, *out = malloc(8192), name[64];
    size_t size;

    if (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA) {
        a = test_number(key, OSSL_PKEY_PARAM_RSA_N, 0);
        b = test_number(key, OSSL_PKEY_PARAM_RSA_E, 0);
        snprintf(out, 8192, "{\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"%s\"", a, b);
    } else {
        EVP_PKEY_get_group_name(key, name, sizeof(name), NULL);
        size = (size_t)(EVP_PKEY_get_bits(key) + 7) / 8;
        a = test_number(key, OSSL_PKEY_PARAM_EC_PUB_X, size);
        b = test_number(key, OSSL_PKEY_PARAM_EC_PUB_Y, size);
        snprintf(out, 8192, "{\"kty\":\"EC\",\"crv\":\"%s\",\"x\":\"%s\",\"y\":\"%s\"",
                 strcmp(name, "prime256v1") == 0  ? "P-256"
                 : strcmp(name, "secp384r1") == 0 ? "P-384"
                                                  : "P-521",
                 a, b);
    }
    if (kid != NULL)
        sprintf(out + strlen(out), ",\"kid\":\"%s\"", kid);
    sprintf(out + strlen(out), "%s}", more != NULL ? more : "");
    free(a);
    free(b);
    return out;
}

/* Converts DER to the two concatenated numbers (RFC 7518, 3.4). */
static inline size_t test_raw_signature(unsigned char *sig, size_t len, size_t size)
{
    const unsigned char *p = sig;
    ECDSA_SIG *parsed = d2i_ECDSA_SIG(NULL, &p, (long)len);
    unsigned char raw[256];

    BN_bn2binpad(ECDSA_SIG_get0_r(parsed), raw, (int)size);
    BN_bn2binpad(ECDSA_SIG_get0_s(parsed), raw + size, (int)size);
    ECDSA_SIG_free(parsed);
    memcpy(sig, raw, 2 * size);
    return 2 * size;
}

static inline size_t test_signature(EVP_PKEY *key, const char *digest, const char *text,
                                    unsigned char *sig, size_t room)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    size_t len = room;

    EVP_DigestSignInit_ex(context, NULL, digest, NULL, NULL, key, NULL);
    EVP_DigestSign(context, sig, &len, (const unsigned char *)text, strlen(text));
    EVP_MD_CTX_free(context);
    if (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC)
        len = test_raw_signature(sig, len, (size_t)(EVP_PKEY_get_bits(key) + 7) / 8);
    return len;
}

static inline char *test_join(const char *a, const char *b)
{
    char *out = malloc(strlen(a) + strlen(b) + 2);

    sprintf(out, "%s.%s", a, b);
    return out;
}

/* Header and claims, JSON texts, in base64url with a dot between them. */
static inline char *test_unsigned(const char *header, const char *claims)
{
    char *a = test_base64url(header, strlen(header));
    char *b = test_base64url(claims, strlen(claims));
    char *out = test_join(a, b);

    free(a);
    free(b);
    return out;
}

/* A token with a valid signature of `digest` ("SHA256", ...), regardless of its header. */
static inline char *test_token(EVP_PKEY *key, const char *digest, const char *header,
                               const char *claims)
{
    char *text = test_unsigned(header, claims), *part, *out;
    unsigned char sig[2048];
    size_t len = test_signature(key, digest, text, sig, sizeof(sig));

    part = test_base64url(sig, len);
    out = test_join(text, part);
    free(text);
    free(part);
    return out;
}

/* A token whose signature is an HMAC with `secret`. */
static inline char *test_hmac_token(const void *secret, size_t secret_len, const char *header,
                                    const char *claims)
{
    char *text = test_unsigned(header, claims), *part, *out;
    unsigned char sig[64];
    unsigned len = sizeof(sig);

    HMAC(EVP_sha256(), secret, (int)secret_len, (const unsigned char *)text, strlen(text), sig,
         &len);
    part = test_base64url(sig, len);
    out = test_join(text, part);
    free(text);
    free(part);
    return out;
}

/* A whole file, without white space at its end. */
static inline char *test_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    char *out = calloc(1, 1 << 20);
    size_t len;

    if (f == NULL) {
        fprintf(stderr, "there is no %s\n", path);
        exit(1);
    }
    len = fread(out, 1, (1 << 20) - 1, f);
    fclose(f);
    while (len > 0 && (out[len - 1] == '\n' || out[len - 1] == ' '))
        out[--len] = '\0';
    return out;
}

#endif
