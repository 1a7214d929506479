/* SPDX-License-Identifier: Apache-2.0 */
/* jwk.h - one key of a set, and the algorithms for which keys may be used. */
#ifndef CURFEW_TOKEN_JWK_H
#define CURFEW_TOKEN_JWK_H

#include <stdbool.h>
#include <stddef.h>

#include "curfew/err.h"
#include "curfew/json.h"
#include "curfew/jwks.h"

enum cf_key_type { CF_KEY_RSA, CF_KEY_P256, CF_KEY_P384 };

/* A supported signature algorithm, with its names in JOSE (RFC 7518) and libjwt. */
struct cf_jws_alg {
    const char *name;
    int libjwt; /* jwt_alg_t */
    enum cf_key_type type;
};

/* By its exact name; NULL: not supported. */
const struct cf_jws_alg *cf_jws_alg_find(const char *name);

struct cf_jwk {
    char *kid; /* NULL: none */
    enum cf_key_type type;
    const struct cf_jws_alg *alg; /* the only one for this key; NULL: any of its type */
    char *pem;
    size_t pem_len;
    size_t signature_len; /* bytes */
};

struct cf_jwks {
    size_t count, ignored;
    struct cf_jwk *keys;
};

#endif
