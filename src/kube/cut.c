/* SPDX-License-Identifier: Apache-2.0 */
/* cut.c - a stream of bytes is cut into objects; see cut.h. */
#include "cut.h"

#include <string.h>

#include "curfew/limits.h"

/* What is kept from object to object; the rest goes back. */
#define KEEP (64 * CF_KIB)

static const char item_prefix[] = "{\"object\":";

void cf_cut_init(struct cf_cut *cut, cf_cut_take *take, void *arg)
{
    *cut = (struct cf_cut){.take = take, .arg = arg};
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

void cf_cut_reset(struct cf_cut *cut, enum cf_cut_form form)
{
    struct cf_cut next = {.form = form, .take = cut->take, .arg = cut->arg};

    empty(&cut->text);
    empty(&cut->head);
    next.text = cut->text;
    next.head = cut->head;
    *cut = next;
    cut->to = form == CF_CUT_LIST ? &cut->head : NULL;
}

void cf_cut_free(struct cf_cut *cut)
{
    cf_buf_wipe(&cut->text);
    cf_buf_wipe(&cut->head);
    cf_buf_free(&cut->text);
    cf_buf_free(&cut->head);
}

bool cf_cut_whole(const struct cf_cut *cut)
{
    return cut->depth == 0 && (cut->form == CF_CUT_EVENTS || cut->head.len > 0);
}

/* ---- where the bytes go ---- */

static int flush(struct cf_cut *cut, const char **mark, const char *upto, struct cf_err *err)
{
    if (cut->to != NULL) {
        cf_buf_add(cut->to, *mark, (size_t)(upto - *mark));
        if (!cf_buf_ok(cut->to) && cut->to->len + (size_t)(upto - *mark) <= cut->to->max)
            return cf_err_memory(err);
        if (!cf_buf_ok(cut->to))
            return cf_err_set(err, "%s of more than %zu bytes",
                              cut->to == &cut->text ? "an object" : "a list's own members",
                              cut->to->max);
    }
    *mark = upto;
    return 0;
}

/* The depth that an event, or an item in its wrapping, would have if it stood alone. */
static size_t level(const struct cf_cut *cut)
{
    return cut->form == CF_CUT_LIST ? cut->depth - 1 : cut->depth;
}

static bool key_is(const struct cf_cut *cut, const char *name)
{
    size_t len = strlen(name);

    return cut->to != NULL && cut->key > 0 && cut->to->len > cut->key + len &&
           memcmp(cut->to->data + cut->key, name, len) == 0 && cut->to->data[cut->key + len] == '"';
}

static int begin_object(struct cf_cut *cut, const char **mark, const char *at, struct cf_err *err)
{
    if (flush(cut, mark, at, err) != 0)
        return -1;
    empty(&cut->text);
    cut->to = &cut->text;
    cut->object = (struct cf_cut_object){.object = 0};
    cut->values = 0;
    cut->key = 0;
    if (cut->form == CF_CUT_LIST) {
        cf_buf_adds(&cut->text, item_prefix);
        cut->object.object = cut->text.len;
    }
    return 0;
}

/* At the byte behind its last brace. */
static int end_object(struct cf_cut *cut, const char **mark, const char *behind, struct cf_err *err)
{
    int rc;

    if (flush(cut, mark, behind, err) != 0)
        return -1;
    if (cut->form == CF_CUT_LIST)
        cf_buf_addc(&cut->text, '}');
    if (!cf_buf_ok(&cut->text))
        return cf_err_memory(err);
    cut->object.text = cut->text.data;
    cut->object.len = cut->text.len;
    cut->object.over = cut->object.over || cut->values > CF_NODES_MAX;
    rc = cut->take(cut->arg, &cut->object, err);
    empty(&cut->text);
    cut->to = NULL;
    cut->comma = false;
    return rc;
}

/* ---- structure ---- */

static int opened(struct cf_cut *cut, const char **mark, const char *at, char c, struct cf_err *err)
{
    if (cut->to == &cut->head && c == '[' && cut->depth == 1) {
        if (flush(cut, mark, at + 1, err) != 0)
            return -1;
        if (key_is(cut, "items")) {
            cut->in_items = cut->items = cut->comma = true;
            cut->to = NULL;
        }
    } else if (cut->to == &cut->text && level(cut) <= 2 && c == '{') {
        if (flush(cut, mark, at, err) != 0)
            return -1;
        if (level(cut) == 1 && key_is(cut, "object"))
            cut->object.object = cut->text.len;
        else if (level(cut) == 2 && key_is(cut, "metadata"))
            cut->object.meta = cut->text.len;
    }
    cut->depth++;
    cut->values++;
    if (level(cut) > CF_DEPTH_MAX)
        cut->object.over = true;
    return 0;
}

static int closed(struct cf_cut *cut, const char **mark, const char *at, char c, struct cf_err *err)
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
    if (level(cut) == 2 && cut->object.meta != 0 && cut->object.meta_len == 0) {
        if (flush(cut, mark, at + 1, err) != 0)
            return -1;
        cut->object.meta_len = cut->text.len - cut->object.meta;
    }
    if (cut->depth == (cut->form == CF_CUT_LIST ? 2 : 0))
        return end_object(cut, mark, at + 1, err);
    return 0;
}

/* Between objects: space, and in a list one comma. */
static int between(struct cf_cut *cut, const char **mark, const char *at, struct cf_err *err)
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

static int structure(struct cf_cut *cut, const char **mark, const char *at, struct cf_err *err)
{
    if (cut->to == NULL)
        return between(cut, mark, at, err);
    switch (*at) {
    case '"':
        cut->in_string = true;
        cut->key = cut->to->len + (size_t)(at - *mark) + 1;
        return 0;
    case '{':
    case '[':
        return opened(cut, mark, at, *at, err);
    case '}':
    case ']':
        return closed(cut, mark, at, *at, err);
    case ',':
        cut->values++;
        return 0;
    case '\n':
        if (cut->form == CF_CUT_EVENTS)
            return cf_err_set(err, "a line ended in the middle of an event");
        return 0;
    default:
        return 0;
    }
}

/* ---- texts ---- */

static int escaped(struct cf_cut *cut, const char **mark, const char *at, struct cf_err *err)
{
    if (cut->escape == 1) {
        cut->escape = *at == 'u' ? 2 : 0;
        cut->zeros = true;
        return 0;
    }
    cut->zeros = cut->zeros && *at == '0';
    if (++cut->escape < 6)
        return 0;
    cut->escape = 0;
    if (!cut->zeros)
        return 0;
    if (flush(cut, mark, at + 1, err) != 0)
        return -1;
    memcpy(cut->to->data + cut->to->len - 4, "fffd", 4);
    return 0;
}

/* Up to what ends a run of plain characters. */
static const char *plain(const char *p, const char *end)
{
    while (p < end && *p != '"' && *p != '\\' && (unsigned char)*p >= 0x20)
        p++;
    return p;
}

static int in_string(struct cf_cut *cut, char c, struct cf_err *err)
{
    if (c == '\\')
        cut->escape = 1;
    else if (c == '"')
        cut->in_string = false;
    else
        return cf_err_set(err, "a text is not closed in its line");
    return 0;
}

static int step(struct cf_cut *cut, const char **mark, const char *at, struct cf_err *err)
{
    if (cut->escape != 0)
        return escaped(cut, mark, at, err);
    if (cut->in_string)
        return in_string(cut, *at, err);
    return structure(cut, mark, at, err);
}

int cf_cut_feed(struct cf_cut *cut, const char *bytes, size_t len, struct cf_err *err)
{
    const char *p = bytes, *end = bytes + len, *mark = bytes;

    while (p < end) {
        if (cut->in_string && cut->escape == 0)
            p = plain(p, end);
        if (p == end)
            break;
        if (step(cut, &mark, p, err) != 0)
            return -1;
        p++;
    }
    return flush(cut, &mark, end, err);
}
