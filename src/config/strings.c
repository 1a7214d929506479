/* SPDX-License-Identifier: Apache-2.0 */
/* strings.c - lists of texts on the heap, as a policy holds them. */
#include "reader.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "curfew/str.h"

bool cf_strings_has(const struct cf_strings *list, const char *text)
{
    for (size_t i = 0; i < list->count; i++) {
        if (cf_streq(list->items[i], text))
            return true;
    }
    return false;
}

/* No room is remembered: it is doubled whenever the count is a power of two, and so full. */
static bool grow(struct cf_strings *list)
{
    size_t count = list->count;
    char **items;

    if ((count & (count - 1)) != 0)
        return true;
    items = realloc(list->items, (count == 0 ? 1 : 2 * count) * sizeof(*items));
    if (items == NULL)
        return false;
    list->items = items;
    return true;
}

bool cf_strings_add(struct cf_strings *list, const char *text)
{
    char *copy = text == NULL ? NULL : strdup(text);

    if (copy == NULL || !grow(list)) {
        free(copy);
        return false;
    }
    list->items[list->count++] = copy;
    return true;
}

void cf_strings_clear(struct cf_strings *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct cf_strings){0};
}

int cf_config_note(struct cf_config_reader *reader, const char *fmt, ...)
{
    const char *note;
    va_list args;

    va_start(args, fmt);
    note = cf_arena_vprintf(reader->arena, fmt, args);
    va_end(args);
    if (!cf_strings_add(&reader->policy->notes, note))
        return cf_err_memory(reader->err);
    return 0;
}
