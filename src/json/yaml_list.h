/* SPDX-License-Identifier: Apache-2.0 */
/* yaml_list.h - a large List in block YAML, cut into its items at their dashes, so that one item
 * is in memory at a time. Each is then parsed by itself.
 *
 * It is how kubectl prints Lists: a key `items` at the margin, and below it lines that begin with
 * a dash, all in one column. An anchor holds within its item only. */
#ifndef CURFEW_CLI_YAML_LIST_H
#define CURFEW_CLI_YAML_LIST_H

#include "lines.h"

struct cf_yaml_list {
    struct cf_lines lines;
    size_t column; /* of the dashes, from 0 */
    bool over;     /* the items are */

    /* Of cf_yaml_list_head(): the line of `items: []` in the head, and how many lines the items
     * have. */
    size_t items_line, items_lines;
};

/* Appends the List without its items, as a document of its own: "apiVersion: v1\nitems: []\n...".
 * 1; 0: the List is written in another way; -1: reading failed, or the head is too large. */
int cf_yaml_list_head(struct cf_yaml_list *list, const struct cf_source *source, size_t first_line,
                      struct cf_buf *head, struct cf_err *err);

/* Goes to the first item. -1 as above. */
int cf_yaml_list_open(struct cf_yaml_list *list, const struct cf_source *source, size_t first_line,
                      struct cf_err *err);
/* The next item, with its dash, and the number of its first line: 1; 0 behind the last. `text` is
 * NULL for an item of more than CF_DOCUMENT_MAX bytes. */
int cf_yaml_list_next(struct cf_yaml_list *list, const char **text, size_t *len, size_t *line,
                      struct cf_err *err);
void cf_yaml_list_free(struct cf_yaml_list *list);

#endif
