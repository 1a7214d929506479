/* SPDX-License-Identifier: Apache-2.0 */
/* stream.c - see stream.h. One pass over the bytes, with one chunk in memory. */
#include "stream.h"

#include <stdlib.h>
#include <string.h>

#include "curfew/limits.h"

#define CHUNK (256 * CF_KIB)
#define ITEMS "items"

enum byte { PLAIN, QUOTE, ESCAPE, OPEN, CLOSE, COLON, COMMA, NEWLINE, RETURN, SPACE };

/* The bytes that interrupt a run of plain ones: between values, in a value, and in a string. */
static const unsigned char between[256] = {
    ['"'] = QUOTE, ['{'] = OPEN,  ['['] = OPEN,     ['}'] = CLOSE,   [']'] = CLOSE,  [':'] = COLON,
    [','] = COMMA, [' '] = SPACE, ['\n'] = NEWLINE, ['\r'] = RETURN, ['\t'] = SPACE,
};
static const unsigned char outside[256] = {
    ['"'] = QUOTE, ['{'] = OPEN,  ['['] = OPEN,     ['}'] = CLOSE,   [']'] = CLOSE,
    [':'] = COLON, [','] = COMMA, ['\n'] = NEWLINE, ['\r'] = RETURN,
};
static const unsigned char inside[256] = {
    ['"'] = QUOTE,
    ['\\'] = ESCAPE,
    ['\n'] = NEWLINE,
    ['\r'] = RETURN,
};

/* The value that is being read. */
struct value_scan {
    struct cf_value *out;
    size_t depth;
    bool in_string, escaped;
    bool in_items;
    bool items_next;             /* after the key `items` */
    char key[sizeof(ITEMS) + 1]; /* the first bytes of the last text at depth 1 */
    size_t key_len;
};

/* ---- bytes ---- */

void cf_values_init(struct cf_values *values, const struct cf_source *source, size_t line,
                    size_t column)
{
    *values = (struct cf_values){.source = source, .line = line, .column = column};
}

void cf_values_items(struct cf_values *items, const struct cf_source *source,
                     const struct cf_value *value)
{
    cf_values_init(items, source, value->items_line, value->items_column);
    items->list = true;
    items->at = value->items;
}

void cf_values_free(struct cf_values *values)
{
    if (values->chunk != NULL)
        explicit_bzero(values->chunk, CHUNK);
    free(values->chunk);
    values->chunk = NULL;
}

/* The bytes from values->at on, as many as there are in one piece; none at the end. */
static int look_ahead(struct cf_values *v, const char **from, const char **to, struct cf_err *err)
{
    const struct cf_source *source = v->source;

    if (source->memory != NULL || v->at >= source->size) {
        *from = source->memory != NULL ? source->memory + v->at : "";
        *to = *from + (source->memory != NULL ? source->size - v->at : 0);
        return 0;
    }
    if (v->chunk == NULL && (v->chunk = malloc(CHUNK)) == NULL)
        return cf_err_memory(err);
    if (v->at < v->chunk_at || v->at >= v->chunk_at + v->chunk_len) {
        uint64_t left = source->size - v->at;

        v->chunk_at = v->at;
        if (cf_source_read(source, v->at, v->chunk, left < CHUNK ? (size_t)left : CHUNK,
                           &v->chunk_len, err) != 0)
            return -1;
    }
    *from = v->chunk + (v->at - v->chunk_at);
    *to = v->chunk + v->chunk_len;
    return 0;
}

/* ---- lines ---- */

/* Moves over bytes of which the last one may end a line, and no other. */
static void move_over(struct cf_values *v, const char *from, const char *to, enum byte last)
{
    v->at += (uint64_t)(to - from);
    v->column += (size_t)(to - from);
    if (last == RETURN || (last == NEWLINE && !(v->returned && to - from == 1)))
        v->line++;
    if (last == RETURN || last == NEWLINE)
        v->column = 1;
    if (to > from)
        v->returned = last == RETURN;
}

/* ---- one value ---- */

static void note_key(struct value_scan *s, const char *from, const char *to)
{
    for (; from < to && s->key_len < sizeof(s->key); from++)
        s->key[s->key_len++] = *from;
}

/* Returns false after the last byte of the value. */
static bool string_byte(struct value_scan *s, enum byte byte)
{
    if (s->escaped)
        s->escaped = false;
    else if (byte == ESCAPE)
        s->escaped = true;
    else if (byte == QUOTE)
        s->in_string = false;
    return s->in_string || s->depth > 0;
}

/* `v` is after the byte. */
static void open_bracket(struct value_scan *s, const struct cf_values *v, char c)
{
    struct cf_value *out = s->out;

    if (s->depth == 1 && c == '[' && s->items_next && out->items == 0) {
        s->in_items = true;
        out->items = v->at;
        out->items_line = v->line;
        out->items_column = v->column;
    }
    s->depth++;
}

static bool close_bracket(struct value_scan *s, const struct cf_values *v)
{
    if (s->depth > 0)
        s->depth--;
    if (s->in_items && s->depth == 1) {
        s->in_items = false;
        s->out->items_end = v->at - 1;
    }
    return s->depth > 0;
}

/* One structural byte, outside of strings. Returns false after the last byte of the value. */
static bool structure_byte(struct value_scan *s, const struct cf_values *v, enum byte byte, char c)
{
    switch (byte) {
    case QUOTE:
        s->in_string = true;
        s->key_len = 0;
        return true;
    case OPEN:
        open_bracket(s, v, c);
        return true;
    case CLOSE:
        return close_bracket(s, v);
    case COLON:
        if (s->depth == 1)
            s->items_next = s->key_len == strlen(ITEMS) && memcmp(s->key, ITEMS, s->key_len) == 0;
        return true;
    case COMMA:
        if (s->depth == 1)
            s->items_next = false;
        return true;
    default:
        return true;
    }
}

/* A text, an object or an array, from its first byte on. */
static int read_container(struct cf_values *v, struct value_scan *s, struct cf_err *err)
{
    const char *from, *to, *p;
    bool more = true;

    while (more) {
        if (look_ahead(v, &from, &to, err) != 0)
            return -1;
        if (from == to)
            return 0;
        for (p = from; p < to && more; from = p) {
            const unsigned char *marks = s->in_string ? inside : outside;
            enum byte byte;

            /* After a backslash any byte is examined. */
            while (p < to && !s->escaped && marks[(unsigned char)*p] == PLAIN)
                p++;
            if (s->in_string && s->depth == 1)
                note_key(s, from, p);
            if (p == to) {
                move_over(v, from, p, PLAIN);
                break;
            }
            byte = marks[(unsigned char)*p++];
            move_over(v, from, p, byte);
            if (!s->in_string) {
                more = structure_byte(s, v, byte, p[-1]);
            } else {
                if (s->depth == 1 && byte != QUOTE)
                    note_key(s, p - 1, p);
                more = string_byte(s, byte);
            }
        }
    }
    s->out->whole = true;
    return 0;
}

/* A number, true, false, null, or any other bare word. */
static int read_bare(struct cf_values *v, struct cf_value *out, struct cf_err *err)
{
    const char *from, *to, *p;

    out->whole = true;
    do {
        if (look_ahead(v, &from, &to, err) != 0)
            return -1;
        for (p = from; p < to && between[(unsigned char)*p] == PLAIN; p++)
            ;
        move_over(v, from, p, PLAIN);
    } while (p == to && from < to);
    return 0;
}

/* ---- between values ---- */

/* Moves to the first byte that is not white space; '\0' at the end. */
static int skip_white(struct cf_values *v, char *next, struct cf_err *err)
{
    const char *from, *to, *p;

    for (;;) {
        if (look_ahead(v, &from, &to, err) != 0)
            return -1;
        *next = '\0';
        if (from == to)
            return 0;
        for (p = from; p < to; from = p) {
            enum byte byte = between[(unsigned char)*p];

            if (byte != SPACE && byte != NEWLINE && byte != RETURN) {
                *next = *p;
                return 0;
            }
            move_over(v, from, ++p, byte);
        }
    }
}

static int expected(const struct cf_values *v, const char *what, struct cf_err *err)
{
    return cf_err_set(err, "%zu:%zu: invalid JSON: expected %s", v->line, v->column, what);
}

/* At an item, or at the bracket after the last one. */
static int pass_comma(struct cf_values *v, char *next, struct cf_err *err)
{
    const char *from, *to;

    if (!v->begun || *next == ']' || *next == '\0') {
        v->begun = true;
        return 0;
    }
    if (*next != ',')
        return expected(v, "',' or ']'", err);
    if (look_ahead(v, &from, &to, err) != 0)
        return -1;
    move_over(v, from, from + 1, PLAIN);
    if (skip_white(v, next, err) != 0)
        return -1;
    return *next == ']' || *next == ',' || *next == '\0' ? expected(v, "a value", err) : 0;
}

int cf_values_next(struct cf_values *v, struct cf_value *out, struct cf_err *err)
{
    struct value_scan scan = {.out = out};
    char next;
    int rc;

    if (skip_white(v, &next, err) != 0 || (v->list && pass_comma(v, &next, err) != 0))
        return -1;
    if (v->at >= v->source->size || (v->list && next == ']'))
        return 0;
    *out = (struct cf_value){.start = v->at, .line = v->line, .column = v->column};
    if (next == '{' || next == '[' || next == '"') {
        rc = read_container(v, &scan, err);
    } else if (between[(unsigned char)next] == PLAIN) {
        rc = read_bare(v, out, err);
    } else {
        out->garbage = true;
        v->at = v->source->size;
        rc = 0;
    }
    out->end = v->at;
    return rc == 0 ? 1 : -1;
}
