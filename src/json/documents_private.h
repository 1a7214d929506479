/* SPDX-License-Identifier: Apache-2.0 */
/* documents_private.h - what folder.c, documents.c and documents_json.c share. */
#ifndef CURFEW_JSON_DOCUMENTS_PRIVATE_H
#define CURFEW_JSON_DOCUMENTS_PRIVATE_H

#include "curfew/buf.h"
#include "curfew/documents.h"
#include "split.h"
#include "stream.h"

/* A List that has more bytes than this is read item by item. Smaller ones have fewer values than
 * CF_NODES_MAX, unless they were made to exceed it. */
#define CF_LIST_WHOLE_MAX (1 * CF_MIB)

/* White space of JSON. */
#define CF_WHITE " \t\r\n"

/* One reading: its documents come from one file after the other. */
struct cf_reader {
    const struct cf_manifest_reading *how;
    struct cf_lines lines;
    struct cf_buf text;       /* of a JSON value that is not in memory */
    struct cf_yaml_list list; /* for its window */
    struct cf_err *err;

    /* Of the file. */
    const char *file; /* printable */
    size_t number;    /* of documents with content, so far */
};

/* Where the items of a List are. */
struct cf_document_place {
    struct cf_source source; /* of the section that the document is in */
    size_t line;             /* of its first byte */
    struct cf_value value;   /* of a JSON document, in the source */
};

void cf_reader_init(struct cf_reader *reader, const struct cf_manifest_reading *how,
                    struct cf_err *err);
void cf_reader_free(struct cf_reader *reader);

/* Reads all documents of one source. -1: out of memory, or the visitor ended it; what can't be
 * read of the source is a document with an error. */
int cf_reader_source(struct cf_reader *reader, const char *file, const struct cf_source *source);

/* One section, as a YAML document, and as a stream of JSON values. */
int cf_reader_yaml(struct cf_reader *reader, const struct cf_section *section);
int cf_reader_json(struct cf_reader *reader, const struct cf_section *section);

/* ---- what these two share (documents.c) ---- */

/* Passes a document to the visitor. */
int cf_reader_give(const struct cf_reader *reader, const struct cf_document *doc);
bool cf_reader_is_worth(const struct cf_reader *reader, const char *kind);
/* "PodList": its objects may be in its items. */
bool cf_is_list_kind(const char *kind);
/* The section's bytes, which are in memory where it is not too large. */
void cf_section_source(const struct cf_reader *reader, const struct cf_section *section,
                       struct cf_source *out);

/* Sets the error of an unreadable document: "FILE:12:3: message" of "12:3: message" (`line` 0), or
 * of "message" and a line. */
void cf_document_fail(struct cf_document *doc, const struct cf_err *err, size_t line);
/* Passes a document that is too large to the visitor. `why` says why it was not read as a List,
 * which may be larger; without an error: it is not a List. */
int cf_reader_too_large(struct cf_reader *reader, struct cf_document *doc,
                        const struct cf_err *why);

/* Passes a document to the visitor that says why a file is unreadable. */
int cf_reader_failure(struct cf_reader *reader, const char *file, const struct cf_err *why);

#endif
