/* SPDX-License-Identifier: Apache-2.0 */
/* json_lines.c - where the values of a JSON text stand in their file.
 *
 * What the parser gives has the values in the order of the text: both are walked together, after
 * the parsing. So a request, whose lines interest nobody, costs nothing. */
#include "curfew/limits.h"
#include "json_private.h"
#include "skip.h"

struct walk {
    const char *p, *end;
    struct cf_json_place place; /* of p */
    size_t depth;
    struct cf_json *open[CF_DEPTH_MAX];
};

/* Lines are those of an editor: ended by \n, \r\n or a lone \r. Columns are characters. */
static void go_to(struct walk *w, const char *to)
{
    for (; w->p < to; w->p++) {
        bool newline = *w->p == '\n' || (*w->p == '\r' && (w->p + 1 == w->end || w->p[1] != '\n'));

        w->place.column += ((unsigned char)*w->p & 0xC0) != 0x80;
        if (newline) {
            w->place.line++;
            w->place.column = 1;
        }
    }
}

static void skip_space(struct walk *w)
{
    go_to(w, cf_skip_space(w->p, w->end));
}

static void skip_string(struct walk *w)
{
    go_to(w, cf_skip_string(w->p + 1, w->end));
}

/* A number, true, false or null. */
static void skip_word(struct walk *w)
{
    const char *p = w->p;

    while (p < w->end && ((*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'z') || *p == 'E' ||
                          *p == '.' || *p == '+' || *p == '-'))
        p++;
    go_to(w, p);
}

/* In front of a value, and of its key if it has one. */
static void go_to_value(struct walk *w, const struct cf_json *value)
{
    skip_space(w);
    if (cf_json_key(value) == NULL)
        return;
    skip_string(w);
    skip_space(w);
    go_to(w, w->p + 1); /* the colon */
    skip_space(w);
}

/* Behind a value: goes to the next one, out of all containers that end here. NULL: all have. */
static struct cf_json *next_value(struct walk *w, struct cf_json *value)
{
    while (w->depth > 0) {
        skip_space(w);
        go_to(w, w->p + 1); /* a comma, or the end of the container */
        if (cf_json_next(value) != NULL)
            return cf_json_mutable(cf_json_next(value));
        value = w->open[--w->depth];
    }
    return NULL;
}

static void walk(struct walk *w, struct cf_json *value)
{
    while (value != NULL) {
        go_to_value(w, value);
        cf_json_place(value, w->place.line, w->place.column, false);
        if (*w->p == '{' || *w->p == '[') {
            go_to(w, w->p + 1);
            if (cf_json_first(value) != NULL) {
                w->open[w->depth++] = value;
                value = cf_json_mutable(cf_json_first(value));
                continue;
            }
            skip_space(w);
            go_to(w, w->p + 1);
        } else if (*w->p == '"') {
            skip_string(w);
        } else {
            skip_word(w);
        }
        value = next_value(w, value);
    }
}

const struct cf_json *cf_json_parse_placed(struct cf_arena *arena, const char *bytes, size_t len,
                                           size_t *end, struct cf_json_place *place,
                                           struct cf_err *err)
{
    const struct cf_json *root = cf_json_parse(arena, bytes, len, NULL, end, err);
    struct walk w = {.p = bytes, .end = bytes + len, .place = *place};

    if (root == NULL)
        return NULL;
    walk(&w, cf_json_mutable(root));
    go_to(&w, end == NULL ? w.end : bytes + *end);
    *place = w.place;
    return root;
}
