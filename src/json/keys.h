/* SPDX-License-Identifier: Apache-2.0 */
/* keys.h - finds duplicate keys, in time that no document can make quadratic. */
#ifndef CURFEW_JSON_KEYS_H
#define CURFEW_JSON_KEYS_H

#include <stddef.h>
#include <stdint.h>

struct cf_arena;

struct cf_key {
    uint64_t print; /* a fingerprint: equal keys have equal ones, others seldom */
    const char *text;
    size_t len;
    size_t at; /* its place, for messages; increases with each added key */
};

/* The keys of all objects that are open at a time, the innermost object's last. */
struct cf_keys {
    struct cf_arena *arena;
    struct cf_key *list;
    size_t count;
    size_t cap;
};

/* One object's part of the list: from `base` on. All zero but `base` at first. */
struct cf_key_set {
    size_t base;
    uint64_t seen; /* 64 bits of which each key sets one: a clear bit means "not seen yet" */
};

void cf_keys_init(struct cf_keys *keys, struct cf_arena *arena);

/* Begins an object. */
struct cf_key_set cf_keys_open(const struct cf_keys *keys);

/* Adds a key to the innermost object. 0, 1 when it is known to be a duplicate, -1 when out of
 * memory. The text is not copied. */
int cf_keys_add(struct cf_keys *keys, struct cf_key_set *set, const char *text, size_t len,
                size_t at);

/* Ends the innermost object. Returns a duplicate key (the later of the two) that
 * cf_keys_add() did not find, or NULL; valid until the next cf_keys_add(). */
const struct cf_key *cf_keys_close(struct cf_keys *keys, const struct cf_key_set *set);

/* Ends the innermost object otherwise: of equal keys only the earliest stays, and values[at] of
 * the others becomes NULL (here `at` is an index). */
void cf_keys_keep_first(struct cf_keys *keys, const struct cf_key_set *set, const void **values);

#endif
