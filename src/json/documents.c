/* SPDX-License-Identifier: Apache-2.0 */
/* documents.c - turns bytes into documents (see documents.h): sections between `---` lines, each
 * one YAML document or a stream of JSON values (documents_json.c), and the items of large Lists.
 * folder.c reads files and folders. */
#include "curfew/documents.h"

#include <string.h>

#include "curfew/attr.h"
#include "curfew/limits.h"
#include "curfew/str.h"
#include "documents_private.h"

void cf_reader_init(struct cf_reader *r, const struct cf_manifest_reading *how, struct cf_err *err)
{
    *r = (struct cf_reader){.how = how, .err = err};
    cf_lines_init(&r->lines);
    cf_lines_init(&r->list.lines);
    cf_buf_init(&r->text, CF_DOCUMENT_MAX);
}

void cf_reader_free(struct cf_reader *r)
{
    cf_lines_free(&r->lines);
    cf_yaml_list_free(&r->list);
    cf_buf_wipe(&r->text);
    cf_buf_free(&r->text);
}

int cf_reader_give(const struct cf_reader *r, const struct cf_document *doc)
{
    return r->how->document(doc, r->how->arg);
}

bool cf_reader_is_worth(const struct cf_reader *r, const char *kind)
{
    return r->how->worth == NULL || r->how->worth(kind, r->how->arg);
}

/* ---- errors ---- */

static bool line_holds_braces(const char *at, const char *end)
{
    const char *newline = memchr(at, '\n', (size_t)(end - at));

    return memmem(at, (size_t)((newline != NULL ? newline : end) - at), "{{", 2) != NULL;
}

/* Whether the line of the error or the line before it has an action of a template. */
static bool looks_like_template(const struct cf_document *doc, size_t error_line)
{
    const char *at = doc->bytes, *end = doc->bytes + doc->len;
    size_t line = doc->is_json ? doc->line : doc->place->line;

    for (; at != NULL && at < end; line++) {
        if (line + 1 >= error_line && line <= error_line && line_holds_braces(at, end))
            return true;
        at = memchr(at, '\n', (size_t)(end - at));
        if (at == NULL || line > error_line)
            return false;
        at++;
    }
    return false;
}

void cf_document_fail(struct cf_document *doc, const struct cf_err *err, size_t line)
{
    size_t at = line != 0 ? line : err->line;
    const char *hint = "";

    if (err->kind == CF_ERR_INPUT && looks_like_template(doc, at))
        hint = " (looks like an unrendered Helm template)";
    if (line != 0)
        cf_err_set(&doc->err, "%s:%zu: %s%s", doc->file, line, err->msg, hint);
    else
        cf_err_set(&doc->err, "%s:%s%s", doc->file, err->msg, hint);
    doc->err.kind = err->kind;
}

int cf_reader_failure(struct cf_reader *r, const char *file, const struct cf_err *why)
{
    struct cf_document doc = {.file = file, .number = 1, .line = 1, .bytes = "", .err = *why};

    return cf_reader_give(r, &doc);
}

int cf_reader_too_large(struct cf_reader *r, struct cf_document *doc, const struct cf_err *why)
{
    struct cf_err err;

    cf_err_set(&err, "the document has more than %zu MiB, and %s", CF_DOCUMENT_MAX / CF_MIB,
               why->kind != CF_ERR_NONE ? why->msg : "is not a List, which may be larger");
    cf_document_fail(doc, &err, doc->line);
    return cf_reader_give(r, doc);
}

/* ---- Lists ---- */

bool cf_is_list_kind(const char *kind)
{
    return cf_ends_with(cf_str_or_empty(kind), "List");
}

void cf_section_source(const struct cf_reader *r, const struct cf_section *section,
                       struct cf_source *out)
{
    if (section->bytes != NULL)
        cf_source_memory(r->lines.source->name, section->bytes, (size_t)section->len, out);
    else
        cf_source_part(r->lines.source, section->offset, section->len, out);
}

/* ---- YAML ---- */

/* A large List: everything but its items. False: the caller must read it completely (if it is not
 * too large); err may say why it cannot be read item by item. */
static bool read_yaml_list(struct cf_reader *r, const struct cf_section *section,
                           const struct cf_source *source, struct cf_document *doc,
                           struct cf_err *err)
{
    struct cf_buf head;
    int rc;

    if (!section->sure || !cf_is_list_kind(section->kind) || !section->items ||
        section->len <= CF_LIST_WHOLE_MAX)
        return false;
    cf_buf_init_arena(&head, r->how->arena, CF_LIST_HEAD_MAX);
    rc = cf_yaml_list_head(&r->list, source, section->line, &head, err);
    if (rc == 0 || (rc < 0 && err->kind == CF_ERR_INPUT))
        return false;
    if (rc < 0) {
        cf_document_fail(doc, err, section->content);
        return true;
    }
    doc->root = cf_yaml_parse_gap(r->how->arena, cf_buf_str(&head), head.len, section->line,
                                  r->list.items, err);
    doc->is_streamed = doc->root != NULL;
    if (err->kind != CF_ERR_NONE)
        cf_document_fail(doc, err, err->kind == CF_ERR_INPUT ? 0 : section->content);
    return true;
}

int cf_reader_yaml(struct cf_reader *r, const struct cf_section *section)
{
    struct cf_document_place place = {.line = section->line};
    struct cf_document doc = {.file = r->file,
                              .number = r->number + 1,
                              .line = section->content,
                              .bytes = section->bytes,
                              .len = (size_t)section->len,
                              .place = &place};
    struct cf_err err = {0};

    cf_section_source(r, section, &place.source);
    if (section->sure && !cf_is_list_kind(section->kind) && !cf_reader_is_worth(r, section->kind)) {
        r->number++;
        return cf_reader_give(r, &doc);
    }
    if (read_yaml_list(r, section, &place.source, &doc, &err)) {
        r->number++;
        return cf_reader_give(r, &doc);
    }
    if (section->bytes == NULL) {
        r->number++;
        return cf_reader_too_large(r, &doc, &err);
    }
    err = (struct cf_err){0};
    doc.root = cf_yaml_parse(r->how->arena, section->bytes, doc.len, section->line,
                             CF_YAML_MANIFEST, &err);
    if (err.kind != CF_ERR_NONE)
        cf_document_fail(&doc, &err, err.kind == CF_ERR_INPUT ? 0 : section->content);
    if (doc.root != NULL || err.kind != CF_ERR_NONE)
        r->number++;
    return cf_reader_give(r, &doc);
}

/* ---- a source ---- */

static bool looks_like_json(const struct cf_section *section, const char *bytes, size_t len)
{
    size_t i = 0;

    if (section->sure)
        return false;
    while (i < len && strchr(CF_WHITE, bytes[i]) != NULL && bytes[i] != '\0')
        i++;
    if (i == len || bytes[i] != '{') /* kubectl reads what begins with a bracket as YAML */
        return false;
    for (i++; i < len && strchr(CF_WHITE, bytes[i]) != NULL && bytes[i] != '\0'; i++)
        ;
    return i < len && (bytes[i] == '"' || bytes[i] == '}');
}

/* The first bytes of a section that is too large for memory. */
static int peek_large(struct cf_reader *r, const struct cf_section *section, bool *json)
{
    char head[4096];
    size_t got;

    if (cf_source_read(r->lines.source, section->offset, head, sizeof(head), &got, r->err) != 0)
        return -1;
    *json = looks_like_json(section, head, got);
    return 0;
}

static int read_section(struct cf_reader *r, const struct cf_section *section)
{
    struct cf_document doc = {.file = r->file,
                              .number = r->number + 1,
                              .line = section->line,
                              .bytes = section->bytes,
                              .len = (size_t)section->len};
    bool json;

    if (section->content == 0)
        return cf_reader_give(r, &doc);
    if (section->bytes != NULL)
        json = looks_like_json(section, section->bytes, (size_t)section->len);
    else if (peek_large(r, section, &json) != 0)
        return cf_reader_failure(r, r->file, r->err);
    return json ? cf_reader_json(r, section) : cf_reader_yaml(r, section);
}

int cf_reader_source(struct cf_reader *r, const char *file, const struct cf_source *source)
{
    struct cf_section section;
    struct cf_err err = {0};
    int rc = 0, got = 1;

    r->file = file;
    r->number = 0;
    cf_lines_open(&r->lines, source, 1);
    while (rc == 0 && (got = cf_split_next(&r->lines, &section, &err)) > 0)
        rc = read_section(r, &section);
    if (rc == 0 && got < 0)
        rc = cf_reader_failure(r, file, &err);
    return rc;
}

/* ---- the items of a List, one at a time ---- */

struct items {
    const struct cf_document *doc;
    struct cf_arena *arena;
    int (*item)(const struct cf_document_item *item, void *arg);
    void *arg;
    size_t index;
};

static int give_item(struct items *items, struct cf_document_item *item)
{
    item->index = items->index++;
    return items->item(item, items->arg);
}

/* Makes "FILE:12:3: message" of "12:3: message". */
static void put_file(const struct items *items, struct cf_err *err)
{
    struct cf_err from = *err;

    if (from.kind == CF_ERR_INPUT)
        cf_err_set(err, "%s:%s", items->doc->file, from.msg);
}

/* ---- items: JSON ---- */

static void fail_large_item(const struct items *items, const struct cf_value *value,
                            struct cf_err *err)
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
        fail_large_item(items, value, &item->err);
        return;
    }
    text = cf_source_text(&place->source, value->start, value->end, buf, &item->err);
    if (text == NULL)
        return;
    item->json = cf_json_parse_placed(items->arena, text, len, NULL, &at, &item->err);
    if (item->json != NULL)
        return;
    put_file(items, &item->err);
}

/* Continues after an unreadable item, unless its brackets or quotes do not match. */
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
        rc = give_item(items, &item);
    }
    cf_values_free(&values);
    cf_buf_wipe(&buf);
    cf_buf_free(&buf);
    if (got < 0)
        put_file(items, err);
    return got < 0 ? -1 : rc;
}

/* ---- items: YAML ---- */

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
        rc = give_item(items, &item);
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
