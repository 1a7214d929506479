/* SPDX-License-Identifier: Apache-2.0 */
/* peek.c - members of an object whose text is broken further on: what stands before the fault is
 * as readable as ever, and tells whose request it was. See json.h. */
#include <string.h>

#include "curfew/json.h"

struct peek {
    const char *p, *end;
    const char *const *keys;
    size_t count;
    struct cf_json_piece *pieces;
};

static void skip_space(struct peek *k)
{
    while (k->p < k->end && (*k->p == ' ' || *k->p == '\n' || *k->p == '\r' || *k->p == '\t'))
        k->p++;
}

static bool take(struct peek *k, char c)
{
    skip_space(k);
    if (k->p == k->end || *k->p != c)
        return false;
    k->p++;
    return true;
}

/* From a string's first quote to behind its last one; NULL: it does not end. */
static const char *skip_string(const char *p, const char *end)
{
    for (p++; p < end; p++) {
        if (*p == '"')
            return p + 1;
        if (*p == '\\')
            p++;
    }
    return NULL;
}

/* Behind the bracket that closes the one at p; NULL: none does. */
static const char *skip_brackets(const char *p, const char *end)
{
    size_t depth = 0;

    while (p != NULL && p < end) {
        if (*p == '"') {
            p = skip_string(p, end);
            continue;
        }
        if (*p == '{' || *p == '[')
            depth++;
        else if (*p == '}' || *p == ']')
            depth--;
        p++;
        if (depth == 0)
            return p;
    }
    return NULL;
}

/* A number or a word ends before what may follow it; at the end of the bytes it may go on. */
static const char *skip_word(const char *p, const char *end)
{
    while (p < end && strchr(",]} \t\r\n", *p) == NULL)
        p++;
    return p < end ? p : NULL;
}

static const char *skip_value(const char *p, const char *end)
{
    if (p == end)
        return NULL;
    if (*p == '"')
        return skip_string(p, end);
    return *p == '{' || *p == '[' ? skip_brackets(p, end) : skip_word(p, end);
}

/* The piece of this key; NULL: nobody asked for it. */
static struct cf_json_piece *piece_of(const struct peek *k, const char *key, size_t len)
{
    for (size_t i = 0; i < k->count; i++) {
        if (strlen(k->keys[i]) == len && memcmp(k->keys[i], key, len) == 0)
            return &k->pieces[i];
    }
    return NULL;
}

/* One member; false: nothing behind it can be found. */
static bool read_member(struct peek *k)
{
    const char *key, *behind;
    struct cf_json_piece *piece;

    skip_space(k);
    key = k->p + 1;
    if (k->p == k->end || *k->p != '"' || (behind = skip_string(k->p, k->end)) == NULL)
        return false;
    piece = piece_of(k, key, (size_t)(behind - 1 - key));
    k->p = behind;
    if (!take(k, ':') || (piece != NULL && piece->text != NULL))
        return false;
    skip_space(k);
    behind = skip_value(k->p, k->end);
    if (piece != NULL)
        *piece = (struct cf_json_piece){k->p, (size_t)((behind != NULL ? behind : k->end) - k->p),
                                        behind != NULL};
    k->p = behind;
    return behind != NULL;
}

bool cf_json_peek(const char *bytes, size_t len, const char *const *keys, size_t count,
                  struct cf_json_piece *pieces)
{
    struct peek k = {bytes, bytes + len, keys, count, pieces};

    memset(pieces, 0, count * sizeof(*pieces));
    if (!take(&k, '{'))
        return false;
    if (take(&k, '}'))
        return true;
    while (read_member(&k)) {
        if (!take(&k, ','))
            return take(&k, '}');
    }
    return false;
}
