/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"
#include "sign.h"

#include <pthread.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <unistd.h>

#include "curfew/json.h"
#include "curfew/jwks.h"
#include "curfew/swap.h"
#include "curfew/limits.h"
#include "curfew/str.h"

#define CLAIMS "{\"sub\":\"x\"}"

static struct cf_arena *arena;
static EVP_PKEY *p256, *p256_other, *p384, *p521, *rsa, *rsa_other, *rsa_small;

static int set_up(void **state)
{
    (void)state;
    cf_json_init();
    arena = cf_arena_new(CF_ARENA_MAX);
    p256 = test_ec_key("P-256");
    p256_other = test_ec_key("P-256");
    p384 = test_ec_key("P-384");
    p521 = test_ec_key("P-521");
    rsa = test_rsa_key(2048);
    rsa_other = test_rsa_key(3072);
    rsa_small = test_rsa_key(1024);
    return rsa != NULL && p521 != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    EVP_PKEY *keys[] = {p256, p256_other, p384, p521, rsa, rsa_other, rsa_small};

    (void)state;
    for (size_t i = 0; i < CF_COUNT(keys); i++)
        EVP_PKEY_free(keys[i]);
    cf_arena_free(arena);
    return 0;
}

/* A set of up to four keys; takes the texts. */
static char *set_of(char *a, char *b, char *c, char *d)
{
    char *out = malloc(40000), *keys[] = {a, b, c, d};

    strcpy(out, "{\"keys\":[");
    for (size_t i = 0; i < 4 && keys[i] != NULL; i++) {
        sprintf(out + strlen(out), "%s%s", i > 0 ? "," : "", keys[i]);
        free(keys[i]);
    }
    strcat(out, "]}");
    return out;
}

static struct cf_jwks *parse(char *text)
{
    struct cf_err err = {0};
    struct cf_jwks *jwks = cf_jwks_parse(text, strlen(text), &err);

    if (jwks == NULL)
        fail_msg("%s", err.msg);
    free(text);
    return jwks;
}

static void refused(const char *text, const char *sentence)
{
    struct cf_err err = {0};

    assert_null(cf_jwks_parse(text, strlen(text), &err));
    assert_int_equal(err.kind, CF_ERR_INPUT);
    if (strncmp(err.msg, sentence, strlen(sentence)) != 0)
        fail_msg("'%s' is not '%s'", err.msg, sentence);
}

/* Takes both texts. */
static void refused_set(char *text, const char *sentence)
{
    refused(text, sentence);
    free(text);
}

/* ---- sets that are refused ---- */

static void no_sets(void **state)
{
    (void)state;
    refused("", "invalid JSON: empty");
    refused("{", "invalid JSON");
    refused("[]", "not a JWK Set");
    refused("{}", "not a JWK Set");
    refused("{\"keys\":{}}", "not a JWK Set");
    refused("{\"keys\":null}", "not a JWK Set");
    refused("{\"keys\":[]}", "no key for RS256, RS384, RS512, ES256 or ES384");
    refused("{\"keys\":[1]}", "key 1: not an object");
    refused("{\"keys\":[{}]}", "key 1: 'kty' is missing");
    refused("{\"keys\":[{\"kty\":5}]}", "key 1: 'kty' is missing");
    refused("{\"keys\":[{\"kty\":\"RSA\"}]}", "key 1: 'n' is missing");
    refused("{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AQ==\",\"e\":\"AQAB\"}]}",
            "key 1: 'n' is not base64url");
    refused("{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AQ\"}]}", "key 1: 'e' is missing");
    refused("{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\"}]}", "key 1: 'x' is missing");
    refused("{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AQ\",\"y\":\"AQ\"}]}",
            "key 1: 'x' and 'y' must have 32 bytes on P-256");
    refused("{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"\",\"y\":\"AQ\"}]}",
            "key 1: 'x' is not base64url");
}

static void too_many_keys(void **state)
{
    char *text = malloc(CF_JWKS_KEYS_MAX * 8 + 64), *to = text + sprintf(text, "{\"keys\":[1");

    (void)state;
    for (int i = 0; i < CF_JWKS_KEYS_MAX; i++)
        to += sprintf(to, ",1");
    strcpy(to, "]}");
    refused(text, "more than 256 keys");
    free(text);
}

static void points_off_the_curve(void **state)
{
    char *jwk = test_jwk(p256, NULL, NULL), *x = strstr(jwk, "\"x\":\"") + 5;

    (void)state;
    *x = *x == 'A' ? 'B' : 'A';
    refused_set(set_of(jwk, NULL, NULL, NULL), "key 1: the numbers are not a public key");
    /* All zeros: not an encoding of the point at infinity. */
    refused("{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\","
            "\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","
            "\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}]}",
            "key 1: the numbers are not a public key");
}

static void odd_exponents_only(void **state)
{
    static const char *const bad[] = {"AQ", "Ag", "AA", "AQAA", "AQAAAAAAAAAB"};

    (void)state;
    for (size_t i = 0; i < CF_COUNT(bad); i++) {
        char *jwk = test_jwk(rsa, NULL, NULL), *e = strstr(jwk, ",\"e\":\"");

        sprintf(e, ",\"e\":\"%s\"}", bad[i]);
        refused_set(set_of(jwk, NULL, NULL, NULL), "key 1: 'e' is not an RSA exponent");
    }
}

static void private_keys(void **state)
{
    (void)state;
    refused_set(
        set_of(test_jwk(p256, "a", NULL), test_jwk(p384, "b", ",\"d\":\"AAAA\""), NULL, NULL),
        "key 2: it is a private key: use public keys only");
    refused_set(set_of(test_jwk(rsa, "a", ",\"d\":\"AAAA\""), NULL, NULL, NULL),
                "key 1: it is a private key");
}

static void duplicated_kids(void **state)
{
    (void)state;
    refused_set(set_of(test_jwk(p256, "a", NULL), test_jwk(rsa, "b", NULL),
                       test_jwk(p384, "a", NULL), NULL),
                "key 3: it has the kid of key 1");
    refused_set(set_of(test_jwk(p256, NULL, ",\"kid\":7"), NULL, NULL, NULL),
                "key 1: 'kid' is not a string");
}

static void nothing_but_useless_keys(void **state)
{
    (void)state;
    refused("{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"},{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
            "\"x\":\"AA\"}]}",
            "no key for RS256, RS384, RS512, ES256 or ES384");
}

static void a_missing_file(void **state)
{
    struct cf_err err;

    (void)state;
    assert_null(cf_jwks_load("test/tokens/none.json", &err));
    assert_int_equal(err.kind, CF_ERR_SYSTEM);
    assert_null(cf_jwks_load("test/tokens/legacy.jwt", &err));
    assert_non_null(strstr(err.msg, "'test/tokens/legacy.jwt': invalid JSON"));
}

/* A set that ends anywhere, and one with any byte changed: an answer, and no harm. */
static void broken_anywhere(void **state)
{
    char *text =
        set_of(test_jwk(p256, "a", NULL), test_jwk(p384, "b", ",\"use\":\"sig\""), NULL, NULL);
    size_t len = strlen(text);

    (void)state;
    for (size_t cut = 0; cut < len; cut++) {
        char *part = malloc(cut > 0 ? cut : 1);

        memcpy(part, text, cut);
        assert_null(cf_jwks_parse(part, cut, NULL));
        free(part);
    }
    for (size_t i = 0; i < len; i++) {
        char was = text[i];

        for (int c = 0; c < 256; c += 51) {
            text[i] = (char)c;
            cf_jwks_unref(cf_jwks_parse(text, len, NULL));
        }
        text[i] = was;
    }
    free(text);
}

/* ---- sets that are taken ---- */

static void useless_keys_are_counted(void **state)
{
    struct cf_jwks *jwks = parse(set_of(test_jwk(p521, "a", NULL), test_jwk(rsa_small, "b", NULL),
                                        test_jwk(rsa, "c", NULL), test_jwk(p256, "d", NULL)));

    (void)state;
    assert_int_equal(cf_jwks_count(jwks), 2);
    assert_int_equal(cf_jwks_ignored(jwks), 2);
    cf_jwks_unref(jwks);
    jwks = parse(set_of(
        test_jwk(p256, "a", ",\"use\":\"enc\""), test_jwk(p384, "b", ",\"key_ops\":[\"sign\"]"),
        test_jwk(rsa, "c", ",\"alg\":\"PS256\""),
        test_jwk(rsa, "d",
                 ",\"use\":\"sig\",\"key_ops\":[\"sign\",\"verify\"],\"alg\":\"RS384\"")));
    assert_int_equal(cf_jwks_count(jwks), 1);
    assert_int_equal(cf_jwks_ignored(jwks), 3);
    cf_jwks_unref(jwks);
    /* An alg that belongs to another type. */
    jwks = parse(set_of(test_jwk(p256, "a", ",\"alg\":\"ES384\""),
                        test_jwk(rsa, "b", ",\"alg\":\"ES256\""),
                        test_jwk(p256, "c", ",\"alg\":\"ES256\""), NULL));
    assert_int_equal(cf_jwks_count(jwks), 1);
    cf_jwks_unref(jwks);
}

static void references(void **state)
{
    struct cf_jwks *jwks = parse(set_of(test_jwk(p256, "a", NULL), NULL, NULL, NULL));

    (void)state;
    cf_jwks_unref(NULL);
    assert_ptr_equal(cf_shared_ref(jwks), jwks);
    cf_jwks_unref(jwks);
    assert_int_equal(cf_jwks_count(jwks), 1);
    cf_jwks_unref(jwks);
}

/* ---- signatures ---- */

static int verify(const struct cf_jwks *jwks, const char *text, struct cf_err *err)
{
    struct cf_token token;

    cf_arena_reset(arena, true);
    if (cf_token_decode(arena, text, strlen(text), &token, err) != 0)
        fail_msg("%s", err->msg);
    return cf_token_verify(jwks, text, strlen(text), &token, err);
}

/* Takes the token. */
static void accepted(const struct cf_jwks *jwks, char *text)
{
    struct cf_err err = {0};

    if (verify(jwks, text, &err) != 0)
        fail_msg("%s", err.msg);
    free(text);
}

static void rejected(const struct cf_jwks *jwks, char *text, const char *sentence)
{
    struct cf_err err = {0};

    assert_int_equal(verify(jwks, text, &err), -1);
    assert_int_equal(err.kind, CF_ERR_INPUT);
    if (strncmp(err.msg, sentence, strlen(sentence)) != 0)
        fail_msg("'%s' is not '%s'", err.msg, sentence);
    free(text);
}

static struct cf_jwks *all_keys(void)
{
    return parse(set_of(test_jwk(p256, "p256", NULL), test_jwk(p384, "p384", NULL),
                        test_jwk(rsa, "rsa", NULL), test_jwk(rsa_other, NULL, NULL)));
}

static void the_recorded_tokens(void **state)
{
    static const char *const files[] = {"test/tokens/bound-1h-unbound-object.jwt",
                                        "test/tokens/extended-1y.jwt", "test/tokens/legacy.jwt",
                                        "test/tokens/pod-bound-1h.jwt"};
    struct cf_err err = {0};
    struct cf_jwks *jwks = cf_jwks_load("test/tokens/jwks.json", &err);

    (void)state;
    assert_non_null(jwks);
    for (size_t i = 0; i < CF_COUNT(files); i++)
        accepted(jwks, test_file(files[i]));
    cf_jwks_unref(jwks);
}

static void every_algorithm(void **state)
{
    const struct {
        EVP_PKEY *key;
        const char *digest, *alg, *kid;
    } cases[] = {
        {rsa, "SHA256", "RS256", "rsa"},   {rsa, "SHA384", "RS384", "rsa"},
        {rsa, "SHA512", "RS512", "rsa"},   {p256, "SHA256", "ES256", "p256"},
        {p384, "SHA384", "ES384", "p384"},
    };
    struct cf_jwks *jwks = all_keys();
    char header[128];

    (void)state;
    for (size_t i = 0; i < CF_COUNT(cases); i++) {
        for (int round = 0; round < 20; round++) { /* leading zeros in r or s come and go */
            snprintf(header, sizeof(header), "{\"alg\":\"%s\",\"kid\":\"%s\"}", cases[i].alg,
                     cases[i].kid);
            accepted(jwks, test_token(cases[i].key, cases[i].digest, header, CLAIMS));
        }
        snprintf(header, sizeof(header), "{\"alg\":\"%s\",\"typ\":\"jwt\"}", cases[i].alg);
        accepted(jwks, test_token(cases[i].key, cases[i].digest, header, CLAIMS));
    }
    accepted(jwks, test_token(rsa_other, "SHA256", "{\"alg\":\"RS256\"}", CLAIMS));
    cf_jwks_unref(jwks);
}

static void unsigned_tokens(void **state)
{
    static const char *const names[] = {"none", "None", "NONE", "nOnE"};
    struct cf_jwks *jwks = all_keys();
    char header[64];

    (void)state;
    for (size_t i = 0; i < CF_COUNT(names); i++) {
        char *text;

        snprintf(header, sizeof(header), "{\"alg\":\"%s\",\"kid\":\"rsa\"}", names[i]);
        text = test_unsigned(header, CLAIMS);
        rejected(jwks, test_join(text, ""), "not signed (alg: none)");
        rejected(jwks, test_join(text, "c2ln"), "not signed (alg: none)");
        free(text);
    }
    rejected(jwks, test_join("eyJhbGciOiIifQ.e30", ""), "alg '' is not one of RS256");
    cf_jwks_unref(jwks);
}

/* The classic attack: using the public key as a shared secret (RFC 8725, section 2.1). */
static void public_key_as_secret(void **state)
{
    struct cf_jwks *jwks = all_keys();
    BIO *bio = BIO_new(BIO_s_mem());
    char *pem;
    long len;

    (void)state;
    PEM_write_bio_PUBKEY(bio, rsa);
    len = BIO_get_mem_data(bio, &pem);
    rejected(jwks, test_hmac_token(pem, (size_t)len, "{\"alg\":\"HS256\",\"kid\":\"rsa\"}", CLAIMS),
             "alg 'HS256' needs a shared secret, but the keys are public");
    rejected(jwks, test_hmac_token(pem, (size_t)len, "{\"alg\":\"hs256\"}", CLAIMS),
             "alg 'hs256' needs a shared secret");
    /* The same bytes under an honest name. */
    rejected(jwks, test_hmac_token(pem, (size_t)len, "{\"alg\":\"RS256\",\"kid\":\"rsa\"}", CLAIMS),
             "key 'rsa': the signature has 32 bytes, expected 256 for RS256 with this key");
    BIO_free(bio);
    cf_jwks_unref(jwks);
}

static void another_algorithm_than_the_keys(void **state)
{
    struct cf_jwks *jwks = all_keys();

    (void)state;
    rejected(jwks, test_token(rsa, "SHA256", "{\"alg\":\"ES256\",\"kid\":\"rsa\"}", CLAIMS),
             "alg is ES256, but the key with the kid 'rsa' is for RS256, RS384 or RS512");
    rejected(jwks, test_token(p256, "SHA256", "{\"alg\":\"RS256\",\"kid\":\"p256\"}", CLAIMS),
             "alg is RS256, but the key with the kid 'p256' is for ES256");
    /* The right type, the wrong curve: libjwt alone would take it. */
    rejected(jwks, test_token(p384, "SHA256", "{\"alg\":\"ES256\",\"kid\":\"p384\"}", CLAIMS),
             "alg is ES256, but the key with the kid 'p384' is for ES384");
    rejected(jwks, test_token(p256, "SHA384", "{\"alg\":\"ES384\",\"kid\":\"p256\"}", CLAIMS),
             "alg is ES384, but the key with the kid 'p256' is for ES256");
    /* Names are compared as they are: libjwt alone would not mind. */
    rejected(jwks, test_token(p256, "SHA256", "{\"alg\":\"es256\",\"kid\":\"p256\"}", CLAIMS),
             "alg 'es256' is not one of RS256");
    rejected(jwks, test_token(p521, "SHA512", "{\"alg\":\"ES512\"}", CLAIMS),
             "alg 'ES512' is not one of RS256");
    rejected(jwks, test_token(rsa, "SHA384", "{\"alg\":\"RS256\",\"kid\":\"rsa\"}", CLAIMS),
             "key 'rsa': the signature does not match this key");
    cf_jwks_unref(jwks);
}

/* A key that names its algorithm is used with no other. */
static void a_key_for_one_algorithm(void **state)
{
    struct cf_jwks *jwks =
        parse(set_of(test_jwk(rsa, "r", ",\"alg\":\"RS256\""), NULL, NULL, NULL));

    (void)state;
    accepted(jwks, test_token(rsa, "SHA256", "{\"alg\":\"RS256\",\"kid\":\"r\"}", CLAIMS));
    rejected(jwks, test_token(rsa, "SHA512", "{\"alg\":\"RS512\",\"kid\":\"r\"}", CLAIMS),
             "alg is RS512, but the key with the kid 'r' is for RS256");
    rejected(jwks, test_token(rsa, "SHA512", "{\"alg\":\"RS512\"}", CLAIMS),
             "no kid, and no key of the set is for alg RS512");
    cf_jwks_unref(jwks);
}

static void other_keys(void **state)
{
    struct cf_jwks *jwks = all_keys();

    (void)state;
    rejected(jwks, test_token(p256_other, "SHA256", "{\"alg\":\"ES256\",\"kid\":\"p256\"}", CLAIMS),
             "key 'p256': the signature does not match this key");
    rejected(jwks,
             test_token(p256_other, "SHA256", "{\"alg\":\"ES256\",\"kid\":\"other\"}", CLAIMS),
             "no key of the set has the kid 'other'");
    rejected(jwks, test_token(p256, "SHA256", "{\"alg\":\"ES256\",\"kid\":\"\"}", CLAIMS),
             "no key of the set has the kid ''");
    rejected(jwks, test_token(p256_other, "SHA256", "{\"alg\":\"ES256\"}", CLAIMS),
             "no kid, and the signature does not match any key for ES256");
    rejected(jwks, test_token(rsa_other, "SHA256", "{\"alg\":\"RS256\",\"kid\":\"rsa\"}", CLAIMS),
             "key 'rsa': the signature has 384 bytes, expected 256 for RS256 with this key");
    cf_jwks_unref(jwks);
}

static void headers_with_extensions(void **state)
{
    struct cf_jwks *jwks = all_keys();

    (void)state;
    rejected(jwks,
             test_token(p256, "SHA256",
                        "{\"alg\":\"ES256\",\"kid\":\"p256\",\"crit\":[\"b64\"],\"b64\":true}",
                        CLAIMS),
             "header has 'crit', extensions that Curfew does not support");
    rejected(
        jwks,
        test_token(p256, "SHA256", "{\"alg\":\"ES256\",\"kid\":\"p256\",\"crit\":null}", CLAIMS),
        "header has 'crit'");
    rejected(jwks,
             test_token(p256, "SHA256", "{\"alg\":\"ES256\",\"kid\":\"p256\",\"typ\":\"at+jwt\"}",
                        CLAIMS),
             "typ is 'at+jwt', not JWT");
    cf_jwks_unref(jwks);
}

/* Names from a token are sanitized before they reach a terminal. */
static void hostile_names(void **state)
{
    struct cf_jwks *jwks = all_keys();
    char header[1024], kid[600];

    (void)state;
    memset(kid, 'k', sizeof(kid) - 1);
    kid[sizeof(kid) - 1] = '\0';
    snprintf(header, sizeof(header), "{\"alg\":\"ES256\",\"kid\":\"%s\"}", kid);
    rejected(jwks, test_token(p256, "SHA256", header, CLAIMS),
             "no key of the set has the kid "
             "'kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk...'");
    rejected(jwks,
             test_token(p256, "SHA256", "{\"alg\":\"ES256\",\"kid\":\"\\u001b[31m\\n\"}", CLAIMS),
             "no key of the set has the kid '?[31m?'");
    rejected(
        jwks,
        test_token(p256, "SHA256", "{\"alg\":\"ES256\",\"kid\":\"eyJhbGciOiJub25lIn0\"}", CLAIMS),
        "no key of the set has the kid '[redacted]'");
    cf_jwks_unref(jwks);
}

/* Any character of a signed token changed to another one: never accepted. */
static void changed_anywhere(void **state)
{
    struct cf_jwks *jwks = all_keys();
    char *text = test_token(p256, "SHA256", "{\"alg\":\"ES256\",\"kid\":\"p256\"}", CLAIMS);
    struct cf_token token;
    size_t decoded = 0;

    (void)state;
    for (size_t i = 0; text[i] != '\0'; i++) {
        char was = text[i];

        for (const char *c = "AZaz059-_"; *c != '\0'; c++) {
            if (*c == was)
                continue;
            text[i] = *c;
            cf_arena_reset(arena, true);
            if (cf_token_decode(arena, text, strlen(text), &token, NULL) != 0)
                continue;
            decoded++;
            assert_int_equal(cf_token_verify(jwks, text, strlen(text), &token, NULL), -1);
        }
        text[i] = was;
    }
    assert_true(decoded > 100);
    accepted(jwks, text);
    cf_jwks_unref(jwks);
}

/* r = s = 0 once verified everything somewhere. */
static void empty_signatures(void **state)
{
    struct cf_jwks *jwks = all_keys();
    char *text = test_unsigned("{\"alg\":\"ES256\",\"kid\":\"p256\"}", CLAIMS), *zeros;
    unsigned char zero[64] = {0};

    (void)state;
    zeros = test_base64url(zero, sizeof(zero));
    rejected(jwks, test_join(text, zeros), "key 'p256': the signature does not match this key");
    rejected(jwks, test_join(text, ""),
             "key 'p256': the signature has 0 bytes, expected 64 for ES256");
    free(zeros);
    free(text);
    cf_jwks_unref(jwks);
}

/* ---- all of it ---- */

#define HEADER_P256 "{\"alg\":\"ES256\",\"kid\":\"p256\"}"

static const char *const subjects[] = {"system:serviceaccount:kube-system:api", "api-*", NULL};
static const char *const curfew_only[] = {"curfew", NULL};
static const char *const paths[] = {"https://curfew/validate", "https://curfew/mutate", NULL};

/* Of the required issuer, subject and audience. */
#define BY "\"iss\":\"https://i\",\"sub\":\"api-1\""
#define GOOD BY ",\"aud\":\"curfew\""

static void accept_with(const struct cf_token_demands *demands, const char *claims,
                        const char *sentence)
{
    struct cf_jwks *jwks = all_keys();
    char *text = test_token(p256, "SHA256", HEADER_P256, claims);
    struct cf_token token = {.alg = "untouched"};
    struct cf_err err = {0};
    int rc;

    cf_arena_reset(arena, true);
    rc = cf_token_accept(arena, jwks, text, strlen(text), demands, &token, &err);
    if (sentence == NULL && rc != 0)
        fail_msg("%s", err.msg);
    if (sentence != NULL) {
        if (rc != -1)
            fail_msg("accepted, and not refused with '%s': %s", sentence, claims);
        assert_string_equal(err.msg, sentence);
        assert_string_equal(token.alg, "untouched");
    } else {
        assert_string_equal(token.alg, "ES256");
    }
    free(text);
    cf_jwks_unref(jwks);
}

static void accept_at(const char *claims, int64_t now, int64_t leeway, const char *sentence)
{
    struct cf_token_demands demands = {now, leeway, "https://i", subjects, curfew_only};

    accept_with(&demands, claims, sentence);
}

static void times(void **state)
{
    (void)state;
    accept_at("{" GOOD ",\"exp\":1000}", 999, 0, NULL);
    accept_at("{" GOOD ",\"exp\":1000}", 1000, 0, "expired at 1970-01-01T00:16:40Z");
    accept_at("{" GOOD ",\"exp\":1000}", 1059, 60, NULL);
    accept_at("{" GOOD ",\"exp\":1000}", 1060, 60, "expired at 1970-01-01T00:16:40Z");
    accept_at("{}", 0, 0, "no expiry (exp)");
    accept_at("{" GOOD ",\"exp\":null}", 0, 0, "no expiry (exp)");
    accept_at("{\"exp\":1000,\"iss\":\"kubernetes/serviceaccount\"}", 0, 0, "no expiry (exp)");
    accept_at("{" GOOD ",\"exp\":1000,\"nbf\":500}", 499, 0,
              "not valid before 1970-01-01T00:08:20Z");
    accept_at("{" GOOD ",\"exp\":1000,\"nbf\":500}", 500, 0, NULL);
    accept_at("{" GOOD ",\"exp\":1000,\"nbf\":500}", 490, 10, NULL);
    accept_at("{" GOOD ",\"exp\":9223372036854775807,\"nbf\":-9223372036854775808}", 5, 60, NULL);
    accept_at("{" GOOD ",\"exp\":-9223372036854775808}", 5, 60, "expired at 1000-01-01T00:00:00Z");
}

#define IN_TIME ",\"exp\":1000}"

static void issuers(void **state)
{
    (void)state;
    accept_at("{\"sub\":\"api-1\",\"aud\":\"curfew\"" IN_TIME, 5, 0, "no issuer (iss)");
    accept_at("{\"iss\":\"\",\"sub\":\"api-1\",\"aud\":\"curfew\"" IN_TIME, 5, 0,
              "no issuer (iss)");
    accept_at("{\"iss\":\"https://i/\",\"sub\":\"api-1\",\"aud\":\"curfew\"" IN_TIME, 5, 0,
              "issuer 'https://i/' is not accepted");
    accept_at("{\"iss\":\"HTTPS://i\",\"sub\":\"api-1\",\"aud\":\"curfew\"" IN_TIME, 5, 0,
              "issuer 'HTTPS://i' is not accepted");
}

static void subject_says(const char *subject, const char *sentence)
{
    char claims[256];

    snprintf(claims, sizeof(claims), "{\"iss\":\"https://i\",\"aud\":\"curfew\"%s" IN_TIME,
             subject);
    accept_at(claims, 5, 0, sentence);
}

/* The keys of a cluster sign a token for every pod in it. */
static void subjects_of_tokens(void **state)
{
    (void)state;
    subject_says(",\"sub\":\"system:serviceaccount:kube-system:api\"", NULL);
    subject_says(",\"sub\":\"api-\"", NULL);
    subject_says("", "no subject (sub)");
    subject_says(",\"sub\":null", "no subject (sub)");
    subject_says(",\"sub\":\"\"", "no subject (sub)");
    subject_says(",\"sub\":\"system:serviceaccount:shop:any\"",
                 "subject 'system:serviceaccount:shop:any' is not accepted");
    subject_says(",\"sub\":\"system:serviceaccount:kube-system:api2\"",
                 "subject 'system:serviceaccount:kube-system:api2' is not accepted");
    subject_says(",\"sub\":\"x-api-1\"", "subject 'x-api-1' is not accepted");
    subject_says(",\"sub\":\"a\\nb\"", "subject 'a?b' is not accepted");
}

static void audiences(void **state)
{
    struct cf_token_demands demands = {5, 0, "https://i", subjects, paths};

    (void)state;
    accept_at("{" BY ",\"aud\":[\"a\",\"curfew\"]" IN_TIME, 5, 0, NULL);
    accept_at("{" BY ",\"aud\":\"curfew\"" IN_TIME, 5, 0, NULL);
    accept_at("{" BY ",\"aud\":[\"Curfew\",\"curfew2\"]" IN_TIME, 5, 0,
              "not for the audience 'curfew'");
    accept_at("{" BY IN_TIME, 5, 0, "not for the audience 'curfew'");
    accept_with(&demands, "{" BY ",\"aud\":\"https://curfew/validate\"" IN_TIME, NULL);
    accept_with(&demands, "{" BY ",\"aud\":[\"x\",\"https://curfew/mutate\"]" IN_TIME, NULL);
    accept_with(&demands, "{" BY ",\"aud\":\"https://curfew/*\"" IN_TIME,
                "not for any accepted audience");
}

/* A requirement that is not set rejects every token. */
static void every_requirement_must_be_set(void **state)
{
    static const char *const none[] = {NULL};
    static const char good[] = "{" GOOD IN_TIME;
    const struct cf_token_demands all[] = {
        {5, 0, NULL, subjects, curfew_only},    {5, 0, "", subjects, curfew_only},
        {5, 0, "https://i", NULL, curfew_only}, {5, 0, "https://i", none, curfew_only},
        {5, 0, "https://i", subjects, NULL},    {5, 0, "https://i", subjects, none},
    };
    static const char *const sentences[] = {
        "issuer 'https://i' is not accepted", "issuer 'https://i' is not accepted",
        "subject 'api-1' is not accepted",    "subject 'api-1' is not accepted",
        "not for any accepted audience",      "not for any accepted audience",
    };

    (void)state;
    for (size_t i = 0; i < CF_COUNT(all); i++)
        accept_with(&all[i], good, sentences[i]);
    accept_with(&(struct cf_token_demands){5, 0, "", subjects, curfew_only},
                "{\"iss\":\"\",\"sub\":\"api-1\",\"aud\":\"curfew\"" IN_TIME, "no issuer (iss)");
}

static void bearer_headers(void **state)
{
    static const char *const bad[] = {"",          "Bearer",    "Bearer ",    "Bearer  ",
                                      "bear x",    "Basic abc", "Bearer a b", "Bearer a\r\nX: y",
                                      "Bearer\tx", " Bearer x", "Bearer a\t"};
    const char *text;
    size_t len;

    (void)state;
    assert_false(cf_bearer_token(NULL, &text, &len));
    for (size_t i = 0; i < CF_COUNT(bad); i++)
        assert_false(cf_bearer_token(bad[i], &text, &len));
    assert_true(cf_bearer_token("Bearer abc", &text, &len));
    assert_int_equal(len, 3);
    assert_string_equal(text, "abc");
    assert_true(cf_bearer_token("bEARER   x.y.z", &text, &len));
    assert_string_equal(text, "x.y.z");
}

/* ---- threads ---- */

struct worker {
    const struct cf_jwks *jwks;
    const char *good, *bad;
    unsigned wrong;
};

static void *verify_often(void *arg)
{
    struct worker *w = arg;
    struct cf_arena *own = cf_arena_new(CF_MIB);
    struct cf_token_demands demands = {5, 0, "https://i", subjects, curfew_only};
    struct cf_token token;

    for (int i = 0; i < 200; i++) {
        cf_arena_reset(own, true);
        w->wrong +=
            cf_token_accept(own, w->jwks, w->good, strlen(w->good), &demands, &token, NULL) != 0;
        cf_arena_reset(own, true);
        w->wrong +=
            cf_token_accept(own, w->jwks, w->bad, strlen(w->bad), &demands, &token, NULL) == 0;
    }
    cf_arena_free(own);
    return NULL;
}

static void many_threads(void **state)
{
    struct cf_jwks *jwks = all_keys();
    char *good = test_token(p256, "SHA256", HEADER_P256, "{" GOOD IN_TIME);
    char *bad = test_token(p256_other, "SHA256", HEADER_P256, "{" GOOD IN_TIME);
    struct worker workers[4];
    pthread_t threads[4];

    (void)state;
    for (int i = 0; i < 4; i++) {
        workers[i] = (struct worker){jwks, good, bad, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, verify_often, &workers[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(workers[i].wrong, 0);
    }
    free(good);
    free(bad);
    cf_jwks_unref(jwks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_sets),
        cmocka_unit_test(too_many_keys),
        cmocka_unit_test(points_off_the_curve),
        cmocka_unit_test(odd_exponents_only),
        cmocka_unit_test(private_keys),
        cmocka_unit_test(duplicated_kids),
        cmocka_unit_test(nothing_but_useless_keys),
        cmocka_unit_test(a_missing_file),
        cmocka_unit_test(broken_anywhere),
        cmocka_unit_test(useless_keys_are_counted),
        cmocka_unit_test(references),
        cmocka_unit_test(the_recorded_tokens),
        cmocka_unit_test(every_algorithm),
        cmocka_unit_test(unsigned_tokens),
        cmocka_unit_test(public_key_as_secret),
        cmocka_unit_test(another_algorithm_than_the_keys),
        cmocka_unit_test(a_key_for_one_algorithm),
        cmocka_unit_test(other_keys),
        cmocka_unit_test(headers_with_extensions),
        cmocka_unit_test(hostile_names),
        cmocka_unit_test(changed_anywhere),
        cmocka_unit_test(empty_signatures),
        cmocka_unit_test(times),
        cmocka_unit_test(issuers),
        cmocka_unit_test(subjects_of_tokens),
        cmocka_unit_test(audiences),
        cmocka_unit_test(every_requirement_must_be_set),
        cmocka_unit_test(bearer_headers),
        cmocka_unit_test(many_threads),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
