/* SPDX-License-Identifier: Apache-2.0 */
/* yaml_lines.c - see yaml_lines.h. */
#include "yaml_lines.h"

#include "curfew/str.h"

#include <string.h>

/* The bytes of the line end at p, 0 for none; *real is false for one that only YAML knows. */
static size_t break_at(const char *p, const char *end, bool *real)
{
    size_t left = (size_t)(end - p);

    *real = *p == '\n' || *p == '\r';
    if (*real)
        return *p == '\r' && left > 1 && p[1] == '\n' ? 2 : 1;
    if (left >= 2 && memcmp(p, "\xC2\x85", 2) == 0)
        return 2;
    if (left >= 3 && (memcmp(p, "\xE2\x80\xA8", 3) == 0 || memcmp(p, "\xE2\x80\xA9", 3) == 0))
        return 3;
    return 0;
}

/* Behind the next line end, or the end; *chars grows by what is skipped, *real is as above. */
static const char *skip_line(const char *p, const char *end, size_t *chars, bool *real)
{
    for (; p < end; p++) {
        size_t len = 0;

        *chars += ((unsigned char)*p & 0xC0) != 0x80;
        if (*p == '\n' || *p == '\r' || *p == '\xC2' || *p == '\xE2')
            len = break_at(p, end, real);
        if (len > 0)
            return p + len;
    }
    *real = true;
    return end;
}

static void rewind_to_begin(struct cf_yaml_lines *lines)
{
    lines->at = lines->begin;
    lines->line = lines->shift = lines->column = 0;
}

void cf_yaml_lines_init(struct cf_yaml_lines *lines, const char *bytes, size_t len,
                        size_t first_line)
{
    *lines = (struct cf_yaml_lines){
        .begin = bytes,
        .end = bytes + len,
        .first_line = first_line,
        .others = cf_utf8_old_break(bytes, len),
    };
    rewind_to_begin(lines);
}

static void go_to(struct cf_yaml_lines *lines, size_t line)
{
    if (line < lines->line)
        rewind_to_begin(lines);
    while (lines->line < line && lines->at < lines->end) {
        bool real;

        lines->at = skip_line(lines->at, lines->end, &lines->column, &real);
        lines->line++;
        lines->shift += !real;
        if (real)
            lines->column = 0;
    }
}

struct cf_yaml_place cf_yaml_lines_place(struct cf_yaml_lines *lines, size_t line, size_t column)
{
    if (lines->others)
        go_to(lines, line);
    return (struct cf_yaml_place){.line = lines->first_line + line - lines->shift,
                                  .column = lines->column + column + 1};
}

const char *cf_yaml_lines_start(struct cf_yaml_lines *lines, size_t line)
{
    struct cf_yaml_lines own = *lines;

    rewind_to_begin(&own);
    go_to(&own, line);
    return own.line == line ? own.at : own.end;
}

struct cf_yaml_place cf_yaml_lines_place_of(const struct cf_yaml_lines *lines, size_t offset)
{
    struct cf_yaml_place place = {.line = lines->first_line, .column = 1};
    const char *p = lines->begin, *at = p + offset;

    while (p < at && p < lines->end) {
        bool real = false;
        size_t len = break_at(p, lines->end, &real);

        place.column += ((unsigned char)*p & 0xC0) != 0x80;
        if (real) {
            place.line++;
            place.column = 1;
        }
        p += real ? len : 1;
    }
    return place;
}
