/* SPDX-License-Identifier: Apache-2.0 */
/* name.c - names longer than Kubernetes allows. 100,000 findings may repeat one: it must not be
 * copied, compared or even measured whole each time. */
#include <string.h>

#include "curfew/limits.h"
#include "curfew/object.h"
#include "curfew/str.h"
#include "curfew/token.h"

/* What stays of it in front of "...#" and the hash. */
#define SHOWN (CF_NAME_MAX - CF_TEXT_HASH - 4)

const char *cf_name_fit(struct cf_arena *arena, const char *name)
{
    char hash[CF_TEXT_HASH + 1];
    const char *fit;
    size_t shown = SHOWN;

    if (name == NULL || strnlen(name, CF_NAME_MAX + 1) <= CF_NAME_MAX)
        return name;
    /* Not in the middle of a character. */
    while (shown > 0 && ((unsigned char)name[shown] & 0xC0) == 0x80)
        shown--;
    cf_text_hash(name, strlen(name), hash);
    fit = cf_arena_printf(arena, "%.*s...#%s", (int)shown, name, hash);
    return cf_str_or_empty(fit);
}

bool cf_is_object_name(const char *text)
{
    size_t len = text != NULL ? strnlen(text, CF_NAME_MAX + 1) : 0;

    return len > 0 && len <= CF_NAME_MAX && text[0] != '-' &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-.") == len;
}
