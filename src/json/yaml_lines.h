/* SPDX-License-Identifier: Apache-2.0 */
/* yaml_lines.h - lines as editors and grep count them: ended by \n, \r\n or a lone \r. To libyaml
 * U+0085, U+2028 and U+2029 end a line too. */
#ifndef CURFEW_JSON_YAML_LINES_H
#define CURFEW_JSON_YAML_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "yaml_build.h"

struct cf_yaml_lines {
    const char *begin, *end;
    size_t first_line;
    bool others; /* lines end in another way than \n, \r\n or \r */
    /* The line that was asked for last; those asked for next are mostly behind it. */
    const char *at;
    size_t line;  /* as libyaml counts, from 0 */
    size_t shift; /* how many of these are no lines */
    size_t column;
};

void cf_yaml_lines_init(struct cf_yaml_lines *lines, const char *bytes, size_t len,
                        size_t first_line);

/* Where libyaml's line and column (from 0) are in the file. */
struct cf_yaml_place cf_yaml_lines_place(struct cf_yaml_lines *lines, size_t line, size_t column);

/* The first byte of libyaml's line (from 0); the end when there is none. */
const char *cf_yaml_lines_start(struct cf_yaml_lines *lines, size_t line);

/* Where the byte at this offset is. */
struct cf_yaml_place cf_yaml_lines_place_of(const struct cf_yaml_lines *lines, size_t offset);

#endif
