/* SPDX-License-Identifier: Apache-2.0 */
/* names.c - see store_names.h. */
#include "names.h"

#include <string.h>
#include <sys/random.h>

struct name {
    uint32_t refs;
    char text[];
};

struct wanted {
    const struct cf_names *names;
    const char *text;
};

void cf_names_init(struct cf_names *names, struct cf_heap *heap)
{
    *names = (struct cf_names){.heap = heap};
    /* Without randomness the names still are found. */
    if (getrandom(names->key, sizeof(names->key), 0) != (ssize_t)sizeof(names->key))
        names->key[0] = (uintptr_t)names;
}

void cf_names_clear(struct cf_names *names)
{
    cf_table_clear(&names->table);
}

static struct name *at(const struct cf_names *names, uint32_t id)
{
    return cf_heap_at(names->heap, id);
}

static bool same(uint32_t id, const void *arg)
{
    const struct wanted *wanted = arg;

    return strcmp(at(wanted->names, id)->text, wanted->text) == 0;
}

static uint32_t find(const struct cf_names *names, const char *text, uint32_t hash)
{
    struct wanted wanted = {names, text};

    return cf_table_find(&names->table, hash, same, &wanted);
}

uint32_t cf_names_find(const struct cf_names *names, const char *text)
{
    return find(names, text, cf_hash_text(names->key, text, strlen(text)));
}

uint32_t cf_names_add(struct cf_names *names, const char *text)
{
    size_t len = strlen(text);
    uint32_t hash = cf_hash_text(names->key, text, len);
    uint32_t id = find(names, text, hash);

    if (id != 0) {
        at(names, id)->refs++;
        return id;
    }
    id = cf_heap_new(names->heap, sizeof(struct name) + len + 1);
    if (id == 0)
        return 0;
    if (cf_table_add(&names->table, hash, id) != 0) {
        cf_heap_free(names->heap, id);
        return 0;
    }
    at(names, id)->refs = 1;
    memcpy(at(names, id)->text, text, len + 1);
    return id;
}

const char *cf_names_text(const struct cf_names *names, uint32_t id)
{
    return id != 0 ? at(names, id)->text : "";
}

void cf_names_ref(const struct cf_names *names, uint32_t id)
{
    if (id != 0)
        at(names, id)->refs++;
}

void cf_names_unref(struct cf_names *names, uint32_t id)
{
    struct name *name;

    if (id == 0)
        return;
    name = at(names, id);
    if (--name->refs > 0)
        return;
    cf_table_drop(&names->table, cf_hash_text(names->key, name->text, strlen(name->text)), id);
    cf_heap_free(names->heap, id);
}
