/* SPDX-License-Identifier: Apache-2.0 */
/* stream.h - the values of a JSON stream, or the items of a JSON array, found one at a time by
 * their brackets and quotes only. Each is then parsed by itself. */
#ifndef CURFEW_JSON_STREAM_H
#define CURFEW_JSON_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "source.h"

struct cf_value {
    uint64_t start, end; /* in the source */
    size_t line, column; /* of its first byte, from 1; columns count bytes */
    bool whole;          /* false: the source ends before the value does */
    bool garbage;        /* no value begins like this; `end` is the end of the source */

    /* The first member `items` of an object, where that is an array. */
    uint64_t items, items_end; /* after its bracket, and at the other; 0: no `items` */
    size_t items_line, items_column;
};

struct cf_values {
    const struct cf_source *source;
    bool list;   /* items: there is a comma between two of them */
    uint64_t at; /* of the next byte, in the source */
    size_t line, column;
    bool begun;    /* a list: there was an item */
    bool returned; /* the byte before was a \r */
    char *chunk;   /* of a source that is not in memory */
    uint64_t chunk_at;
    size_t chunk_len;
};

/* The values of `source`, which begins at this line and column. */
void cf_values_init(struct cf_values *values, const struct cf_source *source, size_t line,
                    size_t column);
/* The items that `value`, of these values, has. */
void cf_values_items(struct cf_values *items, const struct cf_source *source,
                     const struct cf_value *value);
void cf_values_free(struct cf_values *values); /* wipes what it held */

/* 1, 0 at the end, or -1: reading failed, or a comma is missing (CF_ERR_INPUT, "LINE:COLUMN: ...").
 */
int cf_values_next(struct cf_values *values, struct cf_value *out, struct cf_err *err);

#endif
