/* SPDX-License-Identifier: Apache-2.0 */
/* manifest.h - files, folders and standard input as a row of documents: what `-f` and
 * `--objects` read, for the CLI and for `serve --objects`. */
#ifndef CURFEW_MANIFEST_H
#define CURFEW_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>

#include "curfew/arena.h"
#include "curfew/err.h"
#include "curfew/json.h"

/* One document of a file: a YAML document between `---` lines, or one JSON value. */
struct cf_document {
    const char *file;  /* "-" for standard input */
    size_t number;     /* within the file, from 1 */
    size_t line;       /* its first line in the file, from 1 */
    const char *bytes; /* as they stand in the file */
    size_t len;
    bool is_json;
    const struct cf_json *root; /* NULL: empty, or it could not be read */
    /* kind != CF_ERR_NONE: it could not be read; "FILE:LINE[:COL]: ..." */
    struct cf_err err;
    /* An AdmissionReview whose JSON is broken: what the server answers to its bytes is known. */
    bool broken_review;
};

struct cf_documents {
    struct cf_document *items;
    size_t count;
};

/* Reads a file, a folder (recursively: *.yaml, *.yml, *.json, sorted by name, no hidden ones)
 * or "-", and appends its documents; those that can't be read are among them, with their error,
 * and hide nothing else. Everything lives in the arena. -1: the path itself can't be read (no
 * such file, too large, a folder without such files, out of memory). */
int cf_documents_read(struct cf_arena *arena, const char *path, struct cf_documents *out,
                      struct cf_err *err);

#endif
