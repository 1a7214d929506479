/* SPDX-License-Identifier: Apache-2.0 */
/* manifest_private.h - what folder.c and manifest.c share. */
#ifndef CURFEW_CLI_MANIFEST_PRIVATE_H
#define CURFEW_CLI_MANIFEST_PRIVATE_H

#include "curfew/manifest.h"

/* One more document at the end of the row, to be filled in; NULL when out of memory. */
struct cf_document *cf_documents_add(struct cf_arena *arena, struct cf_documents *out);

/* Appends the documents of one file's text, which ends with a NUL at bytes[len]. -1: out of
 * memory. */
int cf_documents_split(struct cf_arena *arena, const char *file, const char *bytes, size_t len,
                       struct cf_documents *out);

#endif
