/* SPDX-License-Identifier: Apache-2.0 */
/* uid.c - uids in 16 bytes, where they are UUIDs as Kubernetes writes them. */
#include <stdio.h>

#include "store_private.h"

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* 8-4-4-4-12 lower-case digits, as every UUID of Kubernetes is written. */
static bool parse_uuid(const char *text, struct cf_uid *out)
{
    size_t digits = 0;

    *out = (struct cf_uid){{0}};
    for (size_t i = 0; i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;

        if (dash ? text[i] != '-' : hex(text[i]) < 0)
            return false;
        if (dash)
            continue;
        out->word[digits / 8] = out->word[digits / 8] << 4 | (uint32_t)hex(text[i]);
        digits++;
    }
    /* Those that begin with zeros are left to texts. */
    return text[36] == '\0' && (out->word[0] | out->word[1]) != 0;
}

bool cf_uid_ref(struct cf_store *store, const char *text, struct cf_uid *out)
{
    if (parse_uuid(text, out))
        return true;
    *out = (struct cf_uid){{0}};
    if (text[0] == '\0')
        return true;
    out->word[3] = cf_names_add(&store->names, text);
    return out->word[3] != 0;
}

static bool is_text(const struct cf_uid *uid)
{
    return (uid->word[0] | uid->word[1]) == 0;
}

void cf_uid_unref(struct cf_store *store, const struct cf_uid *uid)
{
    if (is_text(uid))
        cf_names_unref(&store->names, uid->word[3]);
}

bool cf_uid_is_none(const struct cf_uid *uid)
{
    return is_text(uid) && uid->word[3] == 0;
}

const char *cf_uid_text(const struct cf_store *store, const struct cf_uid *uid, char out[40])
{
    const uint32_t *w = uid->word;

    if (is_text(uid))
        return cf_text_at(store, w[3]);
    snprintf(out, 40, "%08x-%04x-%04x-%04x-%04x%08x", w[0], w[1] >> 16, w[1] & 0xffff, w[2] >> 16,
             w[2] & 0xffff, w[3]);
    return out;
}
