/* SPDX-License-Identifier: Apache-2.0 */
/* split.h - a file's text as sections between `---` lines. Of the file, one section at most is in
 * memory. */
#ifndef CURFEW_CLI_SPLIT_H
#define CURFEW_CLI_SPLIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lines.h"

#define CF_SECTION_KIND_MAX 64

struct cf_section {
    uint64_t offset;   /* of its first byte, in the file */
    uint64_t len;      /* in bytes */
    const char *bytes; /* until the next section is read; NULL: more than CF_DOCUMENT_MAX bytes */
    size_t line;       /* of its first byte, from 1 */
    size_t content;    /* of its first line that is neither blank nor a comment; 0: none */

    /* What its lines at the margin say, when they are those of a plain block mapping and nothing
     * else (`sure`): a YAML reader finds this kind and no other. It finds none where the line is
     * one of a quoted text or of a flow collection. */
    bool sure;
    bool items;                     /* there is a key `items` */
    char kind[CF_SECTION_KIND_MAX]; /* "": there is no key `kind` */
};

/* The next section that holds anything but white space: 1. At the end: 0. -1: reading failed, or
 * out of memory. */
int cf_split_next(struct cf_lines *lines, struct cf_section *out, struct cf_err *err);

#endif
