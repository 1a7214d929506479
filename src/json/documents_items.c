/* SPDX-License-Identifier: Apache-2.0 */
/* documents_items.c - the items of a List, one at a time; see manifest.h. */
#include <string.h>

#include "curfew/limits.h"
#include "curfew/str.h"
#include "documents_private.h"

struct items {
    const struct cf_document *doc;
    struct cf_arena *arena;
    int (*item)(const struct cf_document_item *item, void *arg);
    void *arg;
    size_t index;
};

static int give(struct items *items, struct cf_document_item *item)
{
    item->index = items->index++;
    return items->item(item, items->arg);
}

/* "FILE:12:3: sentence" out of "12:3: sentence". */
static void put_file(const struct items *items, struct cf_err *err)
{
    struct cf_err from = *err;

    if (from.kind == CF_ERR_INPUT)
        cf_err_set(err, "%s:%s", items->doc->file, from.msg);
}

/* ---- JSON ---- */

static void too_large(const struct items *items, const struct cf_value *value, struct cf_err *err)
{
    cf_err_set(err, "%s:%zu:%zu: an item of more than %zu MiB", items->doc->file, value->line,
               value->column, CF_DOCUMENT_MAX / CF_MIB);
}

static void parse_item(struct items *items, const struct cf_value *value, struct cf_buf *buf,
                       struct cf_document_item *item)
{
    const struct cf_document_place *place = items->doc->place;
    size_t len = (size_t)(value->end - value->start);
    struct cf_json_place at = {value->line, value->column};
    const char *text;

    if (value->end - value->start > CF_DOCUMENT_MAX) {
        too_large(items, value, &item->err);
        return;
    }
    text = cf_source_text(&place->source, value->start, value->end, buf, &item->err);
    if (text == NULL)
        return;
    item->json = cf_json_parse_placed(items->arena, text, len, NULL, &at, &item->err);
    if (item->json != NULL)
        return;
    if (item->err.kind == CF_ERR_INPUT)
        cf_locate_json(&item->err, text, len, value->line, value->column);
    put_file(items, &item->err);
}

/* Behind an item that can't be read the next one follows, unless its brackets or quotes are wrong
 * too. */
static int give_json(struct items *items, struct cf_err *err)
{
    const struct cf_document_place *place = items->doc->place;
    struct cf_values values;
    struct cf_value value;
    struct cf_buf buf;
    int rc = 0, got = 1;

    cf_buf_init(&buf, CF_DOCUMENT_MAX);
    cf_values_items(&values, &place->source, &place->value);
    while (rc == 0 && (got = cf_values_next(&values, &value, err)) > 0) {
        struct cf_document_item item = {0};

        parse_item(items, &value, &buf, &item);
        rc = give(items, &item);
    }
    cf_values_free(&values);
    cf_buf_wipe(&buf);
    cf_buf_free(&buf);
    if (got < 0)
        put_file(items, err);
    return got < 0 ? -1 : rc;
}

/* ---- YAML ---- */

static void parse_yaml(struct items *items, const char *text, size_t len, size_t line,
                       struct cf_document_item *item)
{
    const struct cf_json *root;

    if (text == NULL) {
        cf_err_set(&item->err, "%s:%zu: an item of more than %zu MiB", items->doc->file, line,
                   CF_DOCUMENT_MAX / CF_MIB);
        return;
    }
    root = cf_yaml_parse(items->arena, text, len, line, CF_YAML_MANIFEST, &item->err);
    item->json = cf_json_first(root);
    if (root == NULL && item->err.kind != CF_ERR_NONE)
        put_file(items, &item->err);
    else if (item->json == NULL)
        cf_err_set(&item->err, "%s:%zu: an item must be an object", items->doc->file, line);
}

static int give_yaml(struct items *items, struct cf_err *err)
{
    const struct cf_document_place *place = items->doc->place;
    struct cf_yaml_list list = {0};
    const char *text;
    size_t len, line;
    int rc, got = 1;

    rc = cf_yaml_list_open(&list, &place->source, place->line, err);
    while (rc == 0 && (got = cf_yaml_list_next(&list, &text, &len, &line, err)) > 0) {
        struct cf_document_item item = {0};

        parse_yaml(items, text, len, line, &item);
        rc = give(items, &item);
    }
    cf_yaml_list_free(&list);
    return got < 0 ? -1 : rc;
}

int cf_document_items(const struct cf_document *doc, struct cf_arena *arena,
                      int (*item)(const struct cf_document_item *item, void *arg), void *arg,
                      struct cf_err *err)
{
    struct items items = {.doc = doc, .arena = arena, .item = item, .arg = arg};

    return doc->is_json ? give_json(&items, err) : give_yaml(&items, err);
}

int cf_document_bytes(const struct cf_document *doc,
                      int (*piece)(const char *bytes, size_t len, void *arg), void *arg,
                      struct cf_err *err)
{
    const struct cf_document_place *place = doc->place;
    uint64_t at = doc->is_json ? place->value.start : 0;
    uint64_t end = doc->is_json ? place->value.end : place->source.size;
    char chunk[16 * 1024];
    size_t got;
    int rc = 0;

    for (; at < end && rc == 0; at += got) {
        uint64_t left = end - at;

        if (cf_source_read(&place->source, at, chunk,
                           left < sizeof(chunk) ? (size_t)left : sizeof(chunk), &got, err) != 0)
            rc = -1;
        else
            rc = piece(chunk, got, arg);
    }
    explicit_bzero(chunk, sizeof(chunk));
    return rc;
}
