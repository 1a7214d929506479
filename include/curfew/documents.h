/* SPDX-License-Identifier: Apache-2.0 */
/* documents.h - reads files, folders and standard input one document at a time, for the flags `-f`
 * and `--objects` of the CLI and of `serve`.
 *
 * Only one document is in memory at a time, and of a large List only one item: inputs may have any
 * size. */
#ifndef CURFEW_DOCUMENTS_H
#define CURFEW_DOCUMENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "curfew/arena.h"
#include "curfew/err.h"
#include "curfew/json.h"

/* A file, a folder, or "-". It may be read several times. */
struct cf_manifest;

/* The content of a pipe or of standard input is kept in an unnamed file until
 * cf_manifest_close(). NULL: cannot open it (not found, out of memory). The caller keeps `path`. */
struct cf_manifest *cf_manifest_open(const char *path, struct cf_err *err);
/* A document in memory, with this name. The caller keeps both. */
struct cf_manifest *cf_manifest_of_text(const char *name, const char *bytes, size_t len,
                                        struct cf_err *err);
void cf_manifest_close(struct cf_manifest *manifest); /* takes NULL */

/* One document of a file: a YAML document between `---` lines, or one JSON value. */
struct cf_document {
    const char *file;  /* "-" for standard input; printable */
    size_t number;     /* within the file, from 1 */
    size_t line;       /* its first line in the file, from 1 */
    const char *bytes; /* verbatim from the file; NULL: a List too large for memory */
    size_t len;
    bool is_json;
    /* NULL: empty, unreadable, or not worth reading (see below). For a List that is read item by
     * item: the List without its items. */
    const struct cf_json *root;
    bool is_streamed; /* it is such a List: its items are read by cf_document_items() */
    /* kind != CF_ERR_NONE: the document is unreadable; "FILE:LINE[:COL]: ..." */
    struct cf_err err;
    /* An AdmissionReview with invalid JSON, to which the server has a defined answer. */
    bool broken_review;

    const struct cf_document_place *place; /* where its items are; for cf_document_items() */
};

/* Why an entry of a folder was not read. */
enum cf_passed_over {
    CF_PASSED_LINK,    /* a link to a folder, which could form a loop */
    CF_PASSED_NO_FILE, /* a pipe, socket or device that is named like a manifest */
};

struct cf_manifest_reading {
    /* Holds the values of documents. Only `document` resets it, when it no longer needs them. */
    struct cf_arena *arena;
    void *arg;
    /* Called for each document, in order, also for unreadable ones (with their error). Returns -1
     * to stop. The document is valid until it returns. */
    int (*document)(const struct cf_document *doc, void *arg);
    /* Whether documents of this kind ("": without one) are worth reading, where the kind is
     * known without parsing; NULL: all are. */
    bool (*worth)(const char *kind, void *arg);
    /* Called for entries of a folder that are skipped; may be NULL. */
    void (*passed_over)(const char *path, enum cf_passed_over why, void *arg);
};

/* Reads a folder recursively: *.yaml, *.yml, *.json, sorted by name, hidden ones too, but not .git
 * and not the folders in which the kubelet keeps the versions of a mounted ConfigMap (links lead to
 * their files). -1: the path itself is unreadable (a folder without such files, out of memory), or
 * `document` returned -1 and err is unchanged. */
int cf_manifest_read(const struct cf_manifest *manifest, const struct cf_manifest_reading *how,
                     struct cf_err *err);

/* An item of a List. */
struct cf_document_item {
    const struct cf_json *json; /* NULL: unreadable */
    size_t index;
    struct cf_err err; /* "FILE:LINE:COL: ..." of an unreadable item */
};

/* Calls `item` for each item of a List that is read item by item, in order. May be called
 * several times while the document is valid. `arena` holds the values of an item; `item` resets it
 * when it no longer needs them. -1: the rest of the List is unreadable (err, "FILE:LINE:COL: ..."),
 * or `item` returned -1 (err is unchanged). */
int cf_document_items(const struct cf_document *doc, struct cf_arena *arena,
                      int (*item)(const struct cf_document_item *item, void *arg), void *arg,
                      struct cf_err *err);

/* Passes the bytes of a document in pieces, verbatim: for one that is not in memory. */
int cf_document_bytes(const struct cf_document *doc,
                      int (*piece)(const char *bytes, size_t len, void *arg), void *arg,
                      struct cf_err *err);

#endif
