/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>

#include <openssl/evp.h>

#include "curfew/base64.h"

const char *cf_base64(struct cf_arena *arena, const char *bytes, size_t len)
{
    char *out;

    if (len > INT_MAX / 2)
        return NULL;
    out = cf_arena_alloc(arena, (len + 2) / 3 * 4 + 1);
    if (out != NULL)
        (void)EVP_EncodeBlock((unsigned char *)out, (const unsigned char *)bytes, (int)len);
    return out;
}
