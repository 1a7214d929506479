/* SPDX-License-Identifier: Apache-2.0 */
/* split.h - a file's text as sections between `---` lines, and a large List as items between
 * dashes. Of the file, one section or item at most is in memory. */
#ifndef CURFEW_JSON_SPLIT_H
#define CURFEW_JSON_SPLIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "curfew/json.h"
#include "source.h"

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

/* ---- Lists ----
 *
 * A large List in block YAML, cut into its items at their dashes, so that one item
 * is in memory at a time. Each is then parsed by itself.
 *
 * It is how kubectl prints Lists: a key `items` at the margin, and below it lines that begin with
 * a dash, all in one column. An anchor holds within its item only. */

struct cf_yaml_list {
    struct cf_lines lines;
    size_t column; /* of the dashes, from 0 */
    bool over;     /* the items are */

    /* Of cf_yaml_list_head(): the items, which the head lacks after the line `items: []`. */
    struct cf_yaml_gap items;
};

/* Appends the List without its items, as a separate document: "apiVersion: v1\nitems: []\n...".
 * 1; 0: the List has another form; -1: reading failed, or the head is too large. */
int cf_yaml_list_head(struct cf_yaml_list *list, const struct cf_source *source, size_t first_line,
                      struct cf_buf *head, struct cf_err *err);

/* Goes to the first item. -1 as above. */
int cf_yaml_list_open(struct cf_yaml_list *list, const struct cf_source *source, size_t first_line,
                      struct cf_err *err);
/* The next item, with its dash, and the number of its first line: 1; 0 after the last. `text` is
 * NULL for an item of more than CF_DOCUMENT_MAX bytes. */
int cf_yaml_list_next(struct cf_yaml_list *list, const char **text, size_t *len, size_t *line,
                      struct cf_err *err);
void cf_yaml_list_free(struct cf_yaml_list *list);

#endif
