/* SPDX-License-Identifier: Apache-2.0 */
/* framer.c - a stream of bytes is cut into objects; see cut.h. */
#include "framer.h"

#include <string.h>

#include "curfew/limits.h"

/* What is kept from object to object; the rest goes back. */
#define KEEP (64 * CF_KIB)

static const char item_prefix[] = "{\"object\":";

void cf_framer_init(struct cf_framer *cut, cf_framer_take *take, void *arg)
{
    *cut = (struct cf_framer){.take = take, .arg = arg};
    cf_buf_init(&cut->text, CF_OBJECT_MAX);
    cf_buf_init(&cut->head, CF_LIST_HEAD_MAX);
}

static void empty(struct cf_buf *buf)
{
    size_t max = buf->max;

    if (buf->len > 0)
        explicit_bzero(buf->data, buf->len); /* behind that nothing was ever written */
    if (buf->cap > KEEP || buf->failed) {
        cf_buf_free(buf);
        cf_buf_init(buf, max);
    }
    buf->len = 0;
}

void cf_framer_reset(struct cf_framer *cut, enum cf_framer_form form)
{
    struct cf_framer next = {.form = form, .take = cut->take, .arg = cut->arg};

    empty(&cut->text);
    empty(&cut->head);
    next.text = cut->text;
    next.head = cut->head;
    *cut = next;
    cut->to = form == CF_CUT_LIST ? &cut->head : NULL;
}

void cf_framer_free(struct cf_framer *cut)
{
    cf_buf_wipe(&cut->text);
    cf_buf_wipe(&cut->head);
    cf_buf_free(&cut->text);
    cf_buf_free(&cut->head);
}

bool cf_framer_whole(const struct cf_framer *cut)
{
    return cut->depth == 0 && (cut->form == CF_CUT_EVENTS || cut->head.len > 0);
}

/* ---- where the bytes go ---- */

/* Of an object that is too large the first bytes are kept. */
static int add(struct cf_framer *cut, const char *bytes, size_t len, struct cf_err *err)
{
    size_t room = cut->to->max - cut->to->len;

    if (cut->to == &cut->text && len > room) {
        cut->large = true;
        len = room;
    }
    if (len > room)
        return cf_err_set(err, "a list's own members of more than %zu bytes", cut->to->max);
    cf_buf_add(cut->to, bytes, len);
    return cf_buf_ok(cut->to) ? 0 : cf_err_memory(err);
}

static int flush(struct cf_framer *cut, const char **mark, const char *upto, struct cf_err *err)
{
    size_t len = (size_t)(upto - *mark);

    if (cut->to != NULL && len > 0 && add(cut, *mark, len, err) != 0)
        return -1;
    *mark = upto;
    return 0;
}

/* The last text in the head, with its quote. */
static bool key_is(const struct cf_framer *cut, const char *name)
{
    size_t len = strlen(name);

    return cut->key > 0 && cut->head.len > cut->key + len &&
           memcmp(cut->head.data + cut->key, name, len) == 0 &&
           cut->head.data[cut->key + len] == '"';
}

static int begin_object(struct cf_framer *cut, const char **mark, const char *at,
                        struct cf_err *err)
{
    if (flush(cut, mark, at, err) != 0)
        return -1;
    empty(&cut->text);
    cut->to = &cut->text;
    cut->large = false;
    if (cut->form == CF_CUT_LIST)
        cf_buf_adds(&cut->text, item_prefix);
    return 0;
}

static int give_object(struct cf_framer *cut, bool torn, struct cf_err *err)
{
    struct cf_framer_object object = {
        .text = cf_buf_str(&cut->text),
        .len = cut->text.len,
        .large = cut->large,
        .torn = torn,
    };
    int rc = cut->take(cut->arg, &object, err);

    empty(&cut->text);
    cut->to = NULL;
    cut->comma = false;
    return rc;
}

/* At the byte behind its last brace. */
static int end_object(struct cf_framer *cut, const char **mark, const char *behind,
                      struct cf_err *err)
{
    if (flush(cut, mark, behind, err) != 0 ||
        (cut->form == CF_CUT_LIST && add(cut, "}", 1, err) != 0))
        return -1;
    return give_object(cut, false, err);
}

/* At a newline in the midst of an event: what comes next is another one. */
static int tear_object(struct cf_framer *cut, const char **mark, const char *at, struct cf_err *err)
{
    if (flush(cut, mark, at, err) != 0)
        return -1;
    cut->depth = 0;
    cut->in_string = cut->escaped = false;
    return give_object(cut, true, err);
}

/* ---- structure ---- */

static int opened(struct cf_framer *cut, const char **mark, const char *at, char c,
                  struct cf_err *err)
{
    if (cut->to == &cut->head && c == '[' && cut->depth == 1) {
        if (flush(cut, mark, at + 1, err) != 0)
            return -1;
        if (key_is(cut, "items")) {
            cut->in_items = cut->items = cut->comma = true;
            cut->to = NULL;
        }
    }
    cut->depth++;
    return 0;
}

static int closed(struct cf_framer *cut, const char **mark, const char *at, char c,
                  struct cf_err *err)
{
    if (cut->depth == 0)
        return cf_err_set(err, "'%c' that closes nothing", c);
    cut->depth--;
    if (cut->in_items && cut->depth == 1) { /* its bracket: the next bytes are the list's again */
        cut->in_items = false;
        cut->to = &cut->head;
        *mark = at;
        return 0;
    }
    if (cut->to != &cut->text)
        return 0;
    if (cut->depth == (cut->form == CF_CUT_LIST ? 2 : 0))
        return end_object(cut, mark, at + 1, err);
    return 0;
}

/* Between objects: space, and in a list one comma. */
static int between(struct cf_framer *cut, const char **mark, const char *at, struct cf_err *err)
{
    bool list = cut->form == CF_CUT_LIST;

    *mark = at + 1;
    switch (*at) {
    case ' ':
    case '\t':
    case '\r':
    case '\n':
        return 0;
    case ',':
        if (!list || cut->comma)
            break;
        cut->comma = true;
        return 0;
    case ']':
        if (!list)
            break;
        return closed(cut, mark, at, *at, err);
    case '{':
        if (list && !cut->comma)
            break;
        *mark = at;
        if (begin_object(cut, mark, at, err) != 0)
            return -1;
        cut->depth++;
        return 0;
    default:
        break;
    }
    return cf_err_set(err, "%s was expected", list ? "an item of a list" : "an event");
}

static int structure(struct cf_framer *cut, const char **mark, const char *at, struct cf_err *err)
{
    if (cut->to == NULL)
        return between(cut, mark, at, err);
    switch (*at) {
    case '"':
        cut->in_string = true;
        if (cut->to == &cut->head)
            cut->key = cut->to->len + (size_t)(at - *mark) + 1;
        return 0;
    case '{':
    case '[':
        return opened(cut, mark, at, *at, err);
    case '}':
    case ']':
        return closed(cut, mark, at, *at, err);
    default:
        return 0;
    }
}

/* ---- texts ---- */

/* Up to what ends a run of plain characters: a newline is one of what does. */
static const char *plain(const char *p, const char *end)
{
    while (p < end && *p != '"' && *p != '\\' && *p != '\n')
        p++;
    return p;
}

static void in_string(struct cf_framer *cut, char c)
{
    if (cut->escaped)
        cut->escaped = false;
    else if (c == '\\')
        cut->escaped = true;
    else if (c == '"')
        cut->in_string = false;
}

static int step(struct cf_framer *cut, const char **mark, const char *at, struct cf_err *err)
{
    if (*at == '\n' && cut->form == CF_CUT_EVENTS && cut->to != NULL)
        return tear_object(cut, mark, at, err);
    if (!cut->in_string)
        return structure(cut, mark, at, err);
    in_string(cut, *at);
    return 0;
}

int cf_framer_feed(struct cf_framer *cut, const char *bytes, size_t len, struct cf_err *err)
{
    const char *p = bytes, *end = bytes + len, *mark = bytes;

    while (p < end) {
        if (cut->in_string && !cut->escaped)
            p = plain(p, end);
        if (p == end)
            break;
        if (step(cut, &mark, p, err) != 0)
            return -1;
        p++;
    }
    return flush(cut, &mark, end, err);
}
