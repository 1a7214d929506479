/* SPDX-License-Identifier: Apache-2.0 */
/* jwk.h - one key of a set, and the algorithms that keys may be used with. */
#ifndef CURFEW_CRYPTO_JWK_H
#define CURFEW_CRYPTO_JWK_H

#include <stdbool.h>
#include <stddef.h>

#include "curfew/err.h"
#include "curfew/json.h"
#include "curfew/jwks.h"

enum cf_key_type { CF_KEY_RSA, CF_KEY_P256, CF_KEY_P384 };

/* A way to sign that we verify, by the names that JOSE (RFC 7518) and libjwt have for it. */
struct cf_jws_alg {
    const char *name;
    int libjwt; /* jwt_alg_t */
    enum cf_key_type type;
};

/* By its exact name; NULL when we do not verify it. */
const struct cf_jws_alg *cf_jws_alg_find(const char *name);

struct cf_jwk {
    char *kid; /* NULL: none */
    enum cf_key_type type;
    const struct cf_jws_alg *alg; /* the only one it may be used with; NULL: any of its type */
    char *pem;
    size_t pem_len;
    size_t signature_len; /* bytes */
};

struct cf_jwks {
    size_t count, ignored;
    struct cf_jwk *keys;
};

#endif
