/* SPDX-License-Identifier: Apache-2.0 */
/* lines.c - see lines.h. */
#include "lines.h"

#include <stdlib.h>
#include <string.h>

#include "curfew/limits.h"

#define BOM "\xEF\xBB\xBF"
#define WINDOW_MIN (256 * CF_KIB)

/* ---- the window ---- */

void cf_lines_init(struct cf_lines *lines)
{
    *lines = (struct cf_lines){.line = 1};
}

void cf_lines_open(struct cf_lines *lines, const struct cf_source *source, size_t first_line)
{
    *lines = (struct cf_lines){
        .source = source, .window = lines->window, .cap = lines->cap, .line = first_line};
}

void cf_lines_free(struct cf_lines *lines)
{
    if (lines->window != NULL)
        explicit_bzero(lines->window, lines->cap);
    free(lines->window);
    cf_lines_init(lines);
}

static bool all_read(const struct cf_lines *lines)
{
    return lines->base + lines->have >= lines->source->size;
}

bool cf_lines_at_end(const struct cf_lines *lines)
{
    return lines->base + lines->at >= lines->source->size;
}

/* Drops the first bytes of the window. */
static void drop(struct cf_lines *lines, size_t len)
{
    if (len == 0)
        return;
    memmove(lines->window, lines->window + len, lines->have - len);
    lines->base += len;
    lines->have -= len;
    lines->at -= len;
    lines->start = len < lines->start ? lines->start - len : 0;
}

static int grow(struct cf_lines *lines, size_t cap, struct cf_err *err)
{
    char *bigger = malloc(cap);

    if (bigger == NULL)
        return cf_err_memory(err);
    if (lines->window != NULL) {
        memcpy(bigger, lines->window, lines->have);
        explicit_bzero(lines->window, lines->cap);
    }
    free(lines->window);
    lines->window = bigger;
    lines->cap = cap;
    return 0;
}

/* Reads on: what precedes the mark, or the line where too much is marked, makes room. */
static int fill(struct cf_lines *lines, struct cf_err *err)
{
    size_t got;

    drop(lines, lines->large ? lines->at : lines->start);
    if (!lines->large && lines->have >= CF_DOCUMENT_MAX) {
        lines->large = true;
        drop(lines, lines->at);
    }
    if (lines->cap == 0 && grow(lines, WINDOW_MIN, err) != 0)
        return -1;
    if (lines->have == lines->cap && grow(lines, 2 * lines->cap, err) != 0)
        return -1;
    if (cf_source_read(lines->source, lines->base + lines->have, lines->window + lines->have,
                       lines->cap - lines->have, &got, err) != 0)
        return -1;
    lines->returns |= memchr(lines->window + lines->have, '\r', got) != NULL;
    lines->have += got;
    return 0;
}

void cf_lines_mark(struct cf_lines *lines, size_t offset)
{
    lines->large = false;
    lines->at += offset;
    lines->start = lines->at;
    lines->mark = lines->base + lines->at;
}

const char *cf_lines_marked(const struct cf_lines *lines, uint64_t *len)
{
    *len = lines->base + lines->at - lines->mark;
    return lines->large || *len > CF_DOCUMENT_MAX ? NULL : lines->window + lines->start;
}

/* ---- what a line holds ---- */

bool cf_is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

const char *cf_skip_blanks(const char *at, const char *end)
{
    while (at < end && cf_is_blank(*at))
        at++;
    return at;
}

const char *cf_skip_bom(const char *at, const char *end)
{
    return end - at >= 3 && memcmp(at, BOM, 3) == 0 ? at + 3 : at;
}

/* ---- lines ---- */

static const char *find_break(const char *at, const char *end)
{
    const char *newline = memchr(at, '\n', (size_t)(end - at)), *ret;

    ret = memchr(at, '\r', (size_t)((newline != NULL ? newline : end) - at));
    return ret != NULL ? ret : newline;
}

static const char *next_break(const struct cf_lines *lines)
{
    const char *at = lines->window + lines->at;
    size_t len = lines->have - lines->at;

    return lines->returns ? find_break(at, at + len) : memchr(at, '\n', len);
}

int cf_lines_look(struct cf_lines *lines, struct cf_line *out, struct cf_err *err)
{
    const char *end;

    while (lines->have - lines->at < CF_LINE_HEAD && !all_read(lines)) {
        if (fill(lines, err) != 0)
            return -1;
    }
    *out = (struct cf_line){.text = lines->window + lines->at};
    if (lines->at == lines->have)
        return 0;
    out->brk = next_break(lines);
    end = out->brk != NULL ? out->brk : lines->window + lines->have;
    out->end = (size_t)(end - out->text) > CF_LINE_HEAD ? out->text + CF_LINE_HEAD : end;
    out->whole = out->end == end && (out->brk != NULL || all_read(lines));
    return 1;
}

int cf_lines_pass(struct cf_lines *lines, const struct cf_line *line, struct cf_err *err)
{
    const char *brk = line->brk;

    while (brk == NULL) {
        lines->at = lines->have;
        if (all_read(lines))
            return 0;
        if (fill(lines, err) != 0)
            return -1;
        brk = next_break(lines);
    }
    lines->at = (size_t)(brk - lines->window) + 1;
    lines->line++;
    if (*brk != '\r')
        return 0;
    if (lines->at == lines->have && !all_read(lines) && fill(lines, err) != 0)
        return -1;
    if (lines->at < lines->have && lines->window[lines->at] == '\n')
        lines->at++;
    return 0;
}
