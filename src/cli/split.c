/* SPDX-License-Identifier: Apache-2.0 */
/* split.c - cuts a file at its `---` lines, as kubectl's reader does: textually and before any
 * parsing, so that one broken document hides nothing of the others. YAML allows no such line
 * inside a document, and JSON none inside a text. */
#include <string.h>

#include "split.h"

#define BOM "\xEF\xBB\xBF"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* The byte behind the line that begins at `at`. */
static const char *line_end(const char *at, const char *end)
{
    const char *newline = memchr(at, '\n', (size_t)(end - at));

    return newline != NULL ? newline + 1 : end;
}

/* Files that were put together with cat(1) have byte order marks in their middle. */
static const char *behind_bom(const char *at, const char *end)
{
    return end - at >= 3 && memcmp(at, BOM, 3) == 0 ? at + 3 : at;
}

static const char *behind_blanks(const char *at, const char *end)
{
    while (at < end && is_blank(*at))
        at++;
    return at;
}

static bool is_separator(const char *at, const char *end)
{
    at = behind_bom(at, end);
    if (end - at < 3 || memcmp(at, "---", 3) != 0)
        return false;
    return end - at == 3 || at[3] == '\n' || is_blank(at[3]);
}

/* Blank, a comment, a directive, or the end of the document before. */
static bool is_empty_line(const char *at, const char *end)
{
    const char *text;

    at = behind_bom(at, end);
    if (at < end && *at == '%')
        return true;
    if (end - at >= 3 && memcmp(at, "...", 3) == 0)
        at += 3;
    text = behind_blanks(at, end);
    return text == end || *text == '\n' || *text == '#';
}

size_t cf_split_lines(const char *bytes, size_t len)
{
    const char *end = bytes + len;
    size_t count = 0;

    while (bytes < end && (bytes = memchr(bytes, '\n', (size_t)(end - bytes))) != NULL) {
        bytes++;
        count++;
    }
    return count;
}

/* Reads one line; moves to the next. */
static const char *take_line(struct cf_split *split)
{
    const char *at = split->at;

    split->at = line_end(at, split->end);
    split->line++;
    return at;
}

/* Content behind the dashes of a separator belongs to the section that it begins. The dashes are
 * then kept, so that columns stay right. */
static void take_separator(struct cf_split *split, struct cf_section *out)
{
    const char *dashes = behind_bom(split->at, split->end);
    const char *rest = behind_blanks(dashes + 3, split->end);
    size_t line = split->line;

    take_line(split);
    if (rest == split->end || *rest == '\n' || *rest == '#')
        dashes = split->at;
    else
        out->content = line;
    out->bytes = dashes;
    out->line = out->content != 0 ? line : split->line;
}

static bool is_white(const struct cf_section *section)
{
    for (size_t i = 0; i < section->len; i++) {
        if (section->bytes[i] != '\n' && !is_blank(section->bytes[i]))
            return false;
    }
    return true;
}

static void take_section(struct cf_split *split, struct cf_section *out)
{
    const char *start = behind_bom(split->at, split->end);

    *out = (struct cf_section){.bytes = start, .line = split->line};
    if (is_separator(start, split->end))
        take_separator(split, out);
    while (split->at < split->end && !is_separator(split->at, split->end)) {
        size_t line = split->line;
        const char *at = take_line(split);

        if (out->content == 0 && !is_empty_line(at, split->at))
            out->content = line;
    }
    out->bytes = behind_bom(out->bytes, split->at);
    out->len = (size_t)(split->at - out->bytes);
}

bool cf_split_next(struct cf_split *split, struct cf_section *out)
{
    while (split->at < split->end) {
        take_section(split, out);
        if (!is_white(out))
            return true;
    }
    return false;
}
