/* SPDX-License-Identifier: Apache-2.0 */
/* documents.h - all documents of a path together, for tests: the program itself never has more than
 * one of them. */
#ifndef CURFEW_TEST_DOCUMENTS_H
#define CURFEW_TEST_DOCUMENTS_H

#include <string.h>

#include "curfew/documents.h"

struct documents {
    struct cf_arena *arena;
    struct cf_document *items;
    size_t count;
};

static inline int documents_add(const struct cf_document *doc, void *arg)
{
    struct documents *docs = arg;
    size_t n = docs->count;
    struct cf_document *items = docs->items;

    /* Full at 8, 16, 32, ...: the arena keeps the old rows. */
    if (n == 0 || (n >= 8 && (n & (n - 1)) == 0)) {
        items = cf_arena_array(docs->arena, n == 0 ? 8 : 2 * n, sizeof(*items));
        if (items == NULL)
            return -1;
        if (n > 0)
            memcpy(items, docs->items, n * sizeof(*items));
        docs->items = items;
    }
    items[n] = *doc;
    items[n].file = cf_arena_strdup(docs->arena, doc->file);
    if (doc->bytes != NULL)
        items[n].bytes = cf_arena_strndup(docs->arena, doc->bytes, doc->len);
    items[n].place = NULL;
    docs->count++;
    return 0;
}

static inline int documents_of(struct cf_manifest *manifest, struct cf_arena *arena,
                               struct documents *out, struct cf_err *err)
{
    const struct cf_manifest_reading how = {.arena = arena, .arg = out, .document = documents_add};
    int rc = manifest != NULL ? cf_manifest_read(manifest, &how, err) : -1;

    cf_manifest_close(manifest);
    return rc;
}

/* Appends the documents of a path to `out`, which is all zero at first. */
static inline int documents_read(struct cf_arena *arena, const char *path, struct documents *out,
                                 struct cf_err *err)
{
    out->arena = arena;
    return documents_of(cf_manifest_open(path, err), arena, out, err);
}

/* Appends those of a text. */
static inline int documents_split(struct cf_arena *arena, const char *name, const char *text,
                                  size_t len, struct documents *out, struct cf_err *err)
{
    out->arena = arena;
    return documents_of(cf_manifest_of_text(name, text, len, err), arena, out, err);
}

#endif
