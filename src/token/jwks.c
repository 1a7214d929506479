/* SPDX-License-Identifier: Apache-2.0 */
/* jwks.c - a JWK Set (RFC 7517, section 5), as `kubectl get --raw /openid/v1/jwks` prints it. */
#include "curfew/jwks.h"

#include <stdlib.h>

#include "curfew/attr.h"
#include "curfew/buf.h"
#include "curfew/file.h"
#include "curfew/limits.h"
#include "curfew/str.h"
#include "curfew/swap.h"
#include "jwk.h"

static void clear_jwks(void *value)
{
    struct cf_jwks *jwks = value;

    for (size_t i = 0; i < jwks->count; i++)
        cf_jwk_clear(&jwks->keys[i]);
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

struct cf_jwks *cf_jwks_ref(struct cf_jwks *jwks)
{
    return cf_shared_ref(jwks);
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

/* Which of two keys is meant must not depend on their order. */
static int check_kid(const struct cf_jwks *jwks, const struct cf_jwk *key, struct cf_err *err)
{
    for (size_t i = 0; key->kid != NULL && i < jwks->count; i++) {
        if (cf_streq(jwks->keys[i].kid, key->kid))
            return cf_err_set(err, "it has the same kid as key %zu", i + 1);
    }
    return 0;
}

static int add_key(struct cf_arena *arena, struct cf_jwks *jwks, const struct cf_json *json,
                   struct cf_err *err)
{
    struct cf_jwk key;
    int rc = cf_jwk_read(arena, json, &key, err);

    if (rc < 0)
        return -1;
    if (rc == 0) {
        jwks->ignored++;
        return 0;
    }
    if (check_kid(jwks, &key, err) != 0) {
        cf_jwk_clear(&key);
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
        if (add_key(arena, jwks, v, err) != 0)
            return cf_err_wrap(err, "key %zu", n);
    }
    if (jwks->count == 0)
        return cf_err_set(err, "it has no key for RS256, RS384, RS512, ES256 or ES384");
    return 0;
}

static struct cf_jwks *parse(struct cf_arena *arena, const char *bytes, size_t len,
                             struct cf_err *err)
{
    const struct cf_json *root = cf_json_parse(arena, bytes, len, NULL, NULL, err);
    const struct cf_json *keys = cf_json_get(root, "keys");
    struct cf_jwks *jwks;

    if (root == NULL)
        return NULL;
    if (cf_json_type(keys) != CF_JSON_ARRAY) {
        cf_err_set(err, "it is no JWK Set: that is an object with an array 'keys'");
        return NULL;
    }
    if (cf_json_count(keys) > CF_JWKS_KEYS_MAX) {
        cf_err_set(err, "it has more than %d keys", CF_JWKS_KEYS_MAX);
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
    jwks = parse(arena, bytes, len, err);
    /* One that was refused may have been private. */
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
