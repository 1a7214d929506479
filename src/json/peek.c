/* SPDX-License-Identifier: Apache-2.0 */
/* peek.c - members of an object whose text is broken further on: what stands before the fault is
 * as readable as ever, and tells whose request it was. See json.h. */
#include <string.h>

#include "curfew/json.h"

/* The piece of this key; NULL: nobody asked for it. */
static struct cf_json_piece *piece_of(const struct cf_json_member *member, const char *const *keys,
                                      size_t count, struct cf_json_piece *pieces)
{
    for (size_t i = 0; i < count; i++) {
        if (strlen(keys[i]) == member->key_len &&
            memcmp(keys[i], member->key, member->key_len) == 0)
            return &pieces[i];
    }
    return NULL;
}

/* Whether the key can be compared as it stands. Any other key may be one that was asked for: an
 * escaped key is, and a broken key may have been. */
static bool is_plain(const struct cf_json_member *member)
{
    for (size_t i = 0; i < member->key_len; i++) {
        if (member->key[i] < ' ' || member->key[i] > '~' || member->key[i] == '\\')
            return false;
    }
    return true;
}

bool cf_json_peek(struct cf_arena *arena, const char *bytes, size_t len, const char *const *keys,
                  size_t count, struct cf_json_piece *pieces)
{
    struct cf_json_walk walk;
    struct cf_json_member member;

    memset(pieces, 0, count * sizeof(*pieces));
    if (!cf_json_walk_open(&walk, arena, bytes, len))
        return false;
    while (cf_json_walk_next(&walk, &member)) {
        struct cf_json_piece *piece = piece_of(&member, keys, count, pieces);

        if (!is_plain(&member) || (piece != NULL && piece->text != NULL))
            return false;
        if (piece == NULL)
            continue;
        *piece = (struct cf_json_piece){member.value, member.value_len, !walk.broken};
    }
    return !walk.broken;
}
