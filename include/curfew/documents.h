/* SPDX-License-Identifier: Apache-2.0 */
/* documents.h - files, folders and standard input as documents, one at a time: what `-f` and
 * `--objects` read, for the CLI and for `serve --objects`.
 *
 * Of all that is read, one document at a time is in memory, and of a large List one item: inputs
 * may have any size. */
#ifndef CURFEW_MANIFEST_H
#define CURFEW_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>

#include "curfew/arena.h"
#include "curfew/err.h"
#include "curfew/json.h"

/* A file, a folder, or "-". It may be read several times. */
struct cf_manifest;

/* Of a pipe or standard input, what it holds is kept in a file without a name until
 * cf_manifest_close(). NULL: it can't be opened (no such file, out of memory). `path` is the
 * caller's. */
struct cf_manifest *cf_manifest_open(const char *path, struct cf_err *err);
/* A text in memory, under this name. Both are the caller's. */
struct cf_manifest *cf_manifest_of_text(const char *name, const char *bytes, size_t len,
                                        struct cf_err *err);
void cf_manifest_close(struct cf_manifest *manifest); /* takes NULL */

/* One document of a file: a YAML document between `---` lines, or one JSON value. */
struct cf_document {
    const char *file;  /* "-" for standard input; fit to print */
    size_t number;     /* within the file, from 1 */
    size_t line;       /* its first line in the file, from 1 */
    const char *bytes; /* as they stand in the file; NULL: a List too large to be in memory */
    size_t len;
    bool is_json;
    /* NULL: empty, or it could not be read, or it is not worth reading (below). Of a List that is
     * read item by item: all but its items. */
    const struct cf_json *root;
    bool is_streamed; /* it is such a List: its items are read by cf_document_items() */
    /* kind != CF_ERR_NONE: it could not be read; "FILE:LINE[:COL]: ..." */
    struct cf_err err;
    /* An AdmissionReview whose JSON is broken: what the server answers to its bytes is known. */
    bool broken_review;

    const struct cf_document_place *place; /* where its items are; for cf_document_items() */
};

/* What a folder holds and what was not read of it. */
enum cf_passed_over {
    CF_PASSED_LINK,    /* a link to a folder: it could lead around in circles */
    CF_PASSED_NO_FILE, /* a pipe, a socket or a device, by the name of a manifest */
};

struct cf_manifest_reading {
    /* Where a document's values live. It is never emptied: `document` does that when it needs none
     * of them any more. */
    struct cf_arena *arena;
    void *arg;
    /* Called for each document, in order. -1 ends the reading. The document lives until it
     * returns; those that can't be read are among them, with their error, and hide nothing else. */
    int (*document)(const struct cf_document *doc, void *arg);
    /* Whether documents of this kind ("": without one) are worth reading, where the kind can be
     * told without that; NULL: all are. */
    bool (*worth)(const char *kind, void *arg);
    /* Called for what a folder has and nothing reads; may be NULL. */
    void (*passed_over)(const char *path, enum cf_passed_over why, void *arg);
};

/* Reads a folder recursively: *.yaml, *.yml, *.json, sorted by name, hidden ones too, but not .git,
 * and not the folders in which the kubelet keeps a mounted ConfigMap's versions: their files are
 * linked to. -1: the path itself can't be read (a folder without such files, out of memory), or
 * `document` returned -1, which leaves err alone. */
int cf_manifest_read(const struct cf_manifest *manifest, const struct cf_manifest_reading *how,
                     struct cf_err *err);

/* An item of a List. */
struct cf_document_item {
    const struct cf_json *json; /* NULL: it could not be read */
    size_t index;
    struct cf_err err; /* "FILE:LINE:COL: ..." of an item that could not be read */
};

/* Calls `item` for each item of a List that is read item by item, in order, while the document is
 * there: as often as needed. An item's values live in `arena`, which `item` empties when it needs
 * none of them. -1: the rest of the List can't be read (err, "FILE:LINE:COL: ..."), or `item`
 * returned -1 (err is untouched). */
int cf_document_items(const struct cf_document *doc, struct cf_arena *arena,
                      int (*item)(const struct cf_document_item *item, void *arg), void *arg,
                      struct cf_err *err);

/* Hands on the bytes of a document as they stand in the file, in pieces: for one that is not in
 * memory. */
int cf_document_bytes(const struct cf_document *doc,
                      int (*piece)(const char *bytes, size_t len, void *arg), void *arg,
                      struct cf_err *err);

#endif
