/* SPDX-License-Identifier: Apache-2.0 */
/* objects.h - the objects of a document: the document itself, or the items of a List. */
#ifndef CURFEW_CLI_OBJECTS_H
#define CURFEW_CLI_OBJECTS_H

#include "curfew/documents.h"
#include "curfew/path.h"

struct cf_manifest_object {
    const struct cf_document *doc;
    const struct cf_json *json;
    const char *kind;       /* as in the manifest */
    const char *group;      /* of its apiVersion; "" for the core group */
    struct cf_arena *arena; /* where its values live */
};

struct cf_objects_visit {
    void *arg;
    /* -1 ends the visit. */
    int (*object)(const struct cf_manifest_object *object, void *arg);
    /* Called after the objects of each item of a List that is read item by item. May be NULL. */
    int (*item)(const struct cf_json *json, void *arg);
    /* What is not an object: an error about a value of the document, or about one of its items
     * (`json`), from which err->path leads on; or, with `json` NULL, one that names its line
     * already. May be NULL. */
    void (*error)(const struct cf_document *doc, const struct cf_json *json,
                  const struct cf_err *err, void *arg);
    /* An object without a kind. May be NULL. */
    void (*no_kind)(const struct cf_document *doc, const struct cf_json *json, void *arg);
    /* An empty List. May be NULL. */
    void (*empty)(const struct cf_document *doc, void *arg);
};

/* Visits all objects of a document in order, also those of Lists in Lists. `of_doc` is the arena
 * that the document was read into; `of_items` is an arena for the items of a List, and is reset
 * after each item. -1: out of memory, or a callback returned -1. */
int cf_document_objects(const struct cf_document *doc, struct cf_arena *of_doc,
                        struct cf_arena *of_items, const struct cf_objects_visit *visit);

/* The line of the value at the path, or of the nearest value above it that exists; the document's
 * where values have no lines. */
size_t cf_locate(const struct cf_document *doc, const struct cf_json *root,
                 const struct cf_path *path);

/* The line of the error, or else of the value at its path. */
size_t cf_locate_error(const struct cf_document *doc, const struct cf_json *root,
                       const struct cf_err *err);

#endif
