/* SPDX-License-Identifier: Apache-2.0 */
/* token - JWTs, texts that are searched for tokens, JWK Sets, and tokens of callers, selected by
 * the first byte modulo 4. The fuzzer has no signing key: the keys of test/tokens must accept only
 * the tokens there. */
#include "fuzz.h"

#include "curfew/attr.h"
#include "curfew/base64.h"
#include "curfew/file.h"
#include "curfew/json.h"
#include "curfew/jwks.h"
#include "curfew/limits.h"
#include "curfew/token.h"

static const char *const signed_files[] = {
    "test/tokens/bound-1h-unbound-object.jwt",
    "test/tokens/extended-1y.jwt",
    "test/tokens/legacy.jwt",
    "test/tokens/pod-bound-1h.jwt",
    "test/tokens/stale.jwt",
};

static struct cf_arena *arena;
static struct cf_jwks *issuer;
static struct cf_buf signed_tokens[CF_COUNT(signed_files)];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    struct cf_err err;

    (void)argc, (void)argv;
    cf_json_init();
    arena = cf_arena_new(CF_TOKEN_ARENA_MAX);
    issuer = cf_jwks_load("test/tokens/jwks.json", &err);
    fuzz_must(issuer != NULL, "test/tokens/jwks.json can be read", err.msg);
    for (size_t i = 0; i < CF_COUNT(signed_files); i++) {
        cf_buf_init(&signed_tokens[i], CF_TOKEN_MAX);
        fuzz_must(cf_file_read(signed_files[i], &signed_tokens[i], &err) == 0, "it can be read",
                  err.msg);
    }
    return 0;
}

static void decode(const char *text, size_t len)
{
    struct cf_err err = {.kind = CF_ERR_NONE};
    struct cf_token token;

    if (cf_token_decode(arena, text, len, &token, &err) != 0) {
        fuzz_must_be_clean(err.msg);
        return;
    }
    (void)cf_token_kind(&token, 86400);
    (void)cf_token_expired(&token, NOW);
    (void)cf_token_stale(&token, NOW);
    (void)cf_token_of_secret(arena, text, len, "shop", "web-token", &token);
}

static bool on_hit(const struct cf_token_hit *hit, void *arg)
{
    const char *const *bounds = arg;

    fuzz_must(hit->layers <= CF_TOKEN_LAYERS, "no more layers than are looked under", NULL);
    fuzz_must(hit->offset <= (size_t)(bounds[1] - bounds[0]), "the place is in the text", NULL);
    fuzz_must((hit->token != NULL) == (hit->unread == CF_UNREAD_NO), "it is read, or not", NULL);
    return true;
}

static void scan(const char *text, size_t len)
{
    const char *bounds[] = {text, text + len};
    bool may = cf_token_may_hold(text, len);

    for (int flags = CF_SCAN_ACCOUNTS; flags <= CF_SCAN_ANY; flags++) {
        struct cf_token_scanner *scanner = cf_token_scanner_new((enum cf_token_scan_flags)flags);

        fuzz_must(cf_token_scan(scanner, text, len, on_hit, bounds) == 0, "it is searched", NULL);
        cf_token_scanner_free(scanner);
    }
    (void)may;
}

static void keys(const char *text, size_t len)
{
    struct cf_err err = {.kind = CF_ERR_NONE};
    struct cf_jwks *jwks = cf_jwks_parse(text, len, &err);

    if (jwks == NULL)
        fuzz_must_be_clean(err.msg);
    else
        fuzz_must(cf_jwks_count(jwks) > 0, "a set has a key", NULL);
    cf_jwks_unref(jwks);
}

/* The signed part, without the signature, occurs in one of the files. */
static bool was_signed(const char *text, size_t len)
{
    const char *dot = memrchr(text, '.', len);

    for (size_t i = 0; dot != NULL && i < CF_COUNT(signed_files); i++) {
        const struct cf_buf *file = &signed_tokens[i];

        if ((size_t)(dot - text) < file->len &&
            memcmp(file->data, text, (size_t)(dot - text) + 1) == 0)
            return true;
    }
    return false;
}

static void accept(const char *text, size_t len)
{
    static const char *const any[] = {"*", NULL};
    static const char *const audiences[] = {"https://kubernetes.default.svc.cluster.local", NULL};
    struct cf_token_demands demands = {.now = 1795360500, /* while those in the files are good */
                                       .issuer = audiences[0],
                                       .subjects = any,
                                       .audiences = audiences};
    struct cf_err err = {.kind = CF_ERR_NONE};
    struct cf_token token;

    if (cf_token_decode(arena, text, len, &token, &err) == 0 &&
        cf_token_verify(issuer, text, len, &token, &err) == 0)
        fuzz_must(was_signed(text, len), "a verified token was not signed", text);
    if (cf_token_accept(arena, issuer, text, len, &demands, &token, &err) == 0) {
        fuzz_must(was_signed(text, len), "an accepted token was not signed", text);
        return;
    }
    fuzz_must(err.kind == CF_ERR_INPUT, "what is refused is at fault itself", err.msg);
    fuzz_must_be_clean(err.msg);
}

static void run(const uint8_t *data, size_t size)
{
    static void (*const ways[])(const char *text, size_t len) = {decode, scan, keys, accept};
    char *text = malloc(size);

    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    ways[data[0] % CF_COUNT(ways)](text, size - 1);
    free(text);
    cf_arena_reset(arena, true);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 1)
        fuzz_timed(run, data, size);
    return 0;
}
