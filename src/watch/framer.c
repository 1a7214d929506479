/* SPDX-License-Identifier: Apache-2.0 */
/* framer.c - cuts a stream of bytes into objects; see framer.h. */
#include "framer.h"

#include <string.h>

#include "curfew/limits.h"

/* A buffer keeps up to this much memory from object to object. */
#define KEEP (64 * CF_KIB)

static const char item_prefix[] = "{\"object\":";

void cf_framer_init(struct cf_framer *f, cf_framer_take *take, void *arg)
{
    *f = (struct cf_framer){.take = take, .arg = arg};
    cf_buf_init(&f->text, CF_OBJECT_MAX);
    cf_buf_init(&f->head, CF_LIST_HEAD_MAX);
}

static void empty_buf(struct cf_buf *buf)
{
    size_t max = buf->max;

    if (buf->len > 0)
        explicit_bzero(buf->data, buf->len); /* no byte after these was ever written */
    if (buf->cap > KEEP || buf->failed) {
        cf_buf_free(buf);
        cf_buf_init(buf, max);
    }
    buf->len = 0;
}

void cf_framer_reset(struct cf_framer *f, enum cf_framer_form form)
{
    struct cf_framer next = {.form = form, .take = f->take, .arg = f->arg};

    empty_buf(&f->text);
    empty_buf(&f->head);
    next.text = f->text;
    next.head = f->head;
    *f = next;
    f->to = form == CF_FRAMER_LIST ? &f->head : NULL;
}

void cf_framer_free(struct cf_framer *f)
{
    cf_buf_wipe(&f->text);
    cf_buf_wipe(&f->head);
    cf_buf_free(&f->text);
    cf_buf_free(&f->head);
}

bool cf_framer_whole(const struct cf_framer *f)
{
    return f->depth == 0 && (f->form == CF_FRAMER_EVENTS || f->head.len > 0);
}

/* ---- objects ---- */

/* Of an object that is too large the first bytes are kept. */
static int append_bytes(struct cf_framer *f, const char *bytes, size_t len, struct cf_err *err)
{
    size_t room = f->to->max - f->to->len;

    if (f->to == &f->text && len > room) {
        f->large = true;
        len = room;
    }
    if (len > room)
        return cf_err_set(err, "more than %zu bytes of a list beside its items", f->to->max);
    cf_buf_add(f->to, bytes, len);
    return cf_buf_ok(f->to) ? 0 : cf_err_memory(err);
}

static int flush_upto(struct cf_framer *f, const char **mark, const char *upto, struct cf_err *err)
{
    size_t len = (size_t)(upto - *mark);

    if (f->to != NULL && len > 0 && append_bytes(f, *mark, len, err) != 0)
        return -1;
    *mark = upto;
    return 0;
}

/* Whether the last string in the head is this name. */
static bool key_is(const struct cf_framer *f, const char *name)
{
    size_t len = strlen(name);

    return f->key > 0 && f->head.len > f->key + len &&
           memcmp(f->head.data + f->key, name, len) == 0 && f->head.data[f->key + len] == '"';
}

static int begin_object(struct cf_framer *f, const char **mark, const char *at, struct cf_err *err)
{
    if (flush_upto(f, mark, at, err) != 0)
        return -1;
    empty_buf(&f->text);
    f->to = &f->text;
    f->large = false;
    if (f->form == CF_FRAMER_LIST)
        cf_buf_adds(&f->text, item_prefix);
    return 0;
}

static int give_object(struct cf_framer *f, bool torn, struct cf_err *err)
{
    struct cf_framer_object object = {
        .text = cf_buf_str(&f->text),
        .len = f->text.len,
        .large = f->large,
        .torn = torn,
    };
    int rc = f->take(f->arg, &object, err);

    empty_buf(&f->text);
    f->to = NULL;
    f->comma = false;
    return rc;
}

/* `after`: the byte after its last brace. */
static int end_object(struct cf_framer *f, const char **mark, const char *after, struct cf_err *err)
{
    if (flush_upto(f, mark, after, err) != 0 ||
        (f->form == CF_FRAMER_LIST && append_bytes(f, "}", 1, err) != 0))
        return -1;
    return give_object(f, false, err);
}

/* A newline in the middle of an event: the next bytes begin another one. */
static int tear_object(struct cf_framer *f, const char **mark, const char *at, struct cf_err *err)
{
    if (flush_upto(f, mark, at, err) != 0)
        return -1;
    f->depth = 0;
    f->in_string = f->escaped = false;
    return give_object(f, true, err);
}

/* ---- structure ---- */

static int open_level(struct cf_framer *f, const char **mark, const char *at, char c,
                      struct cf_err *err)
{
    if (f->to == &f->head && c == '[' && f->depth == 1) {
        if (flush_upto(f, mark, at + 1, err) != 0)
            return -1;
        if (key_is(f, "items")) {
            f->in_items = f->items = f->comma = true;
            f->to = NULL;
        }
    }
    f->depth++;
    return 0;
}

static int close_level(struct cf_framer *f, const char **mark, const char *at, char c,
                       struct cf_err *err)
{
    if (f->depth == 0)
        return cf_err_set(err, "unexpected '%c'", c);
    f->depth--;
    if (f->in_items &&
        f->depth == 1) { /* the end of the items: the next bytes are the list's again */
        f->in_items = false;
        f->to = &f->head;
        *mark = at;
        return 0;
    }
    if (f->to != &f->text)
        return 0;
    if (f->depth == (f->form == CF_FRAMER_LIST ? 2 : 0))
        return end_object(f, mark, at + 1, err);
    return 0;
}

/* Between objects: white space, and in a list one comma. */
static int scan_between(struct cf_framer *f, const char **mark, const char *at, struct cf_err *err)
{
    bool list = f->form == CF_FRAMER_LIST;

    *mark = at + 1;
    switch (*at) {
    case ' ':
    case '\t':
    case '\r':
    case '\n':
        return 0;
    case ',':
        if (!list || f->comma)
            break;
        f->comma = true;
        return 0;
    case ']':
        if (!list)
            break;
        return close_level(f, mark, at, *at, err);
    case '{':
        if (list && !f->comma)
            break;
        *mark = at;
        if (begin_object(f, mark, at, err) != 0)
            return -1;
        f->depth++;
        return 0;
    default:
        break;
    }
    return cf_err_set(err, "expected %s", list ? "an item of a list" : "an event");
}

static int scan_structure(struct cf_framer *f, const char **mark, const char *at,
                          struct cf_err *err)
{
    if (f->to == NULL)
        return scan_between(f, mark, at, err);
    switch (*at) {
    case '"':
        f->in_string = true;
        if (f->to == &f->head)
            f->key = f->to->len + (size_t)(at - *mark) + 1;
        return 0;
    case '{':
    case '[':
        return open_level(f, mark, at, *at, err);
    case '}':
    case ']':
        return close_level(f, mark, at, *at, err);
    default:
        return 0;
    }
}

/* ---- strings ---- */

/* The end of a run of plain characters; a newline ends one, too. */
static const char *skip_plain_chars(const char *p, const char *end)
{
    while (p < end && *p != '"' && *p != '\\' && *p != '\n')
        p++;
    return p;
}

static void scan_string(struct cf_framer *f, char c)
{
    if (f->escaped)
        f->escaped = false;
    else if (c == '\\')
        f->escaped = true;
    else if (c == '"')
        f->in_string = false;
}

static int scan_byte(struct cf_framer *f, const char **mark, const char *at, struct cf_err *err)
{
    if (*at == '\n' && f->form == CF_FRAMER_EVENTS && f->to != NULL)
        return tear_object(f, mark, at, err);
    if (!f->in_string)
        return scan_structure(f, mark, at, err);
    scan_string(f, *at);
    return 0;
}

int cf_framer_feed(struct cf_framer *f, const char *bytes, size_t len, struct cf_err *err)
{
    const char *p = bytes, *end = bytes + len, *mark = bytes;

    while (p < end) {
        if (f->in_string && !f->escaped)
            p = skip_plain_chars(p, end);
        if (p == end)
            break;
        if (scan_byte(f, &mark, p, err) != 0)
            return -1;
        p++;
    }
    return flush_upto(f, &mark, end, err);
}
