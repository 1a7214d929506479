/* SPDX-License-Identifier: Apache-2.0 */
/* documents_json.c - a section that begins like JSON: a stream of values, each a document. */
#include <string.h>

#include "curfew/attr.h"
#include "curfew/limits.h"
#include "curfew/str.h"
#include "documents_private.h"

/* Invalid JSON is an AdmissionReview when it has a request, and no other kind. */
static bool looks_like_review(struct cf_arena *arena, const char *bytes, size_t len)
{
    static const char *const keys[] = {"kind", "request"}, kind[] = "\"AdmissionReview\"";
    struct cf_json_piece pieces[CF_COUNT(keys)];

    cf_json_peek(arena, bytes, len, keys, CF_COUNT(keys), pieces);
    return pieces[1].text != NULL &&
           (pieces[0].text == NULL || (pieces[0].len == sizeof(kind) - 1 &&
                                       memcmp(pieces[0].text, kind, pieces[0].len) == 0));
}

/* The values of one section, which may be many. */
struct stream {
    struct cf_reader *reader;
    const struct cf_section *section;
    struct cf_source source; /* of the section */
    struct cf_values values;
    struct cf_value value;
    struct cf_document doc;
    struct cf_document_place place;
    bool after_first;
    bool over; /* the values after this one cannot be separated */
};

/* Like kubectl, retries invalid JSON as YAML. True: it is YAML, and was passed to the visitor. */
static bool try_yaml(struct stream *s, const struct cf_err *json, int *rc)
{
    const struct cf_section *section = s->section;
    struct cf_err yaml = {0}, both;

    if (cf_yaml_parse(s->reader->how->arena, section->bytes, (size_t)section->len, section->line,
                      CF_YAML_MANIFEST, &yaml) != NULL) {
        *rc = cf_reader_yaml(s->reader, section);
        return true;
    }
    if (yaml.kind != CF_ERR_INPUT || strstr(json->msg, yaml.msg + yaml.what) != NULL)
        return false;
    cf_err_set(&both, "%s; read as YAML, %s", json->msg, yaml.msg);
    both.line = json->line;
    cf_document_fail(&s->doc, &both, 0);
    return false;
}

/* Comments and an end marker, which may follow a value. */
static bool is_no_value(const struct stream *s)
{
    const char *at = s->doc.bytes;
    size_t len = s->doc.len;
    struct cf_err err = {0};

    if (!s->after_first || at == NULL)
        return false;
    if (len >= 3 && memcmp(at, "...", 3) == 0) {
        at += 3;
        len -= 3;
    } else if (*at != '#') {
        return false;
    }
    return cf_yaml_parse(s->reader->how->arena, at, len, 1, CF_YAML_MANIFEST, &err) == NULL &&
           err.kind == CF_ERR_NONE;
}

/* Reports that the value at s->doc is unreadable. */
static int json_failed(struct stream *s, struct cf_err *err)
{
    struct cf_reader *r = s->reader;
    struct cf_document *doc = &s->doc;
    bool review = false;
    int rc = 0;

    if (is_no_value(s)) {
        s->over = true;
        return 0;
    }
    if (doc->bytes != NULL)
        review = looks_like_review(r->how->arena, doc->bytes, doc->len);
    doc->broken_review = review && err->kind == CF_ERR_INPUT;
    cf_document_fail(doc, err, err->kind == CF_ERR_INPUT && doc->bytes != NULL ? 0 : doc->line);
    if (!s->after_first && !review && s->source.memory != NULL && err->kind == CF_ERR_INPUT &&
        try_yaml(s, err, &rc)) {
        s->over = true;
        return rc;
    }
    r->number++;
    return cf_reader_give(r, doc);
}

/* Parses a List without its items, as "..."items":[]...". */
static const struct cf_json *read_head(struct stream *s, struct cf_err *err)
{
    const struct cf_value *v = &s->value;
    struct cf_arena *arena = s->reader->how->arena;
    struct cf_buf head, piece;
    const char *text;

    cf_buf_init_arena(&head, arena, CF_LIST_HEAD_MAX);
    cf_buf_init(&piece, CF_LIST_HEAD_MAX);
    if (v->items - v->start + (v->end - v->items_end) > CF_LIST_HEAD_MAX) {
        cf_err_set(err, "is a List whose own members have more than %zu KiB",
                   CF_LIST_HEAD_MAX / CF_KIB);
        return NULL;
    }
    text = cf_source_text(&s->source, v->start, v->items, &piece, err);
    if (text != NULL)
        cf_buf_add(&head, text, (size_t)(v->items - v->start));
    if (text != NULL)
        text = cf_source_text(&s->source, v->items_end, v->end, &piece, err);
    if (text != NULL)
        cf_buf_add(&head, text, (size_t)(v->end - v->items_end));
    cf_buf_free(&piece);
    if (text == NULL)
        return NULL;
    if (!cf_buf_ok(&head)) {
        cf_err_memory(err);
        return NULL;
    }
    return cf_json_parse(arena, cf_buf_str(&head), head.len, NULL, NULL, err);
}

/* The end of the value's text: that of the section where the value has none. */
static uint64_t text_end(const struct stream *s)
{
    return s->value.whole ? s->value.end : s->source.size;
}

/* Whether the value is worth reading, by its kind; true when that is unknown. */
static bool is_worth_json(struct stream *s)
{
    static const char *const key = "kind";
    struct cf_reader *r = s->reader;
    struct cf_json_piece piece;
    char kind[CF_SECTION_KIND_MAX] = "";

    if (r->how->worth == NULL ||
        !cf_json_peek(r->how->arena, s->doc.bytes, s->doc.len, &key, 1, &piece))
        return true;
    if (piece.text != NULL && (piece.len < 2 || piece.len - 2 >= sizeof(kind) ||
                               memchr(piece.text, '\\', piece.len) != NULL))
        return true;
    if (piece.text != NULL)
        memcpy(kind, piece.text + 1, piece.len - 2);
    return cf_is_list_kind(kind) || cf_reader_is_worth(r, kind);
}

static int give_value(struct stream *s)
{
    struct cf_reader *r = s->reader;
    struct cf_document *doc = &s->doc;
    uint64_t len = text_end(s) - s->value.start;
    struct cf_json_place at = {s->value.line, s->value.column};
    struct cf_err err = {0};

    *doc = (struct cf_document){.file = r->file,
                                .number = r->number + 1,
                                .line = s->value.line,
                                .is_json = true,
                                .place = &s->place};
    s->place = (struct cf_document_place){.source = s->source, .value = s->value};
    if (s->value.whole && s->value.items != 0 && len > CF_LIST_WHOLE_MAX) {
        doc->root = read_head(s, &err);
        doc->is_streamed = cf_is_list_kind(cf_json_str(cf_json_get(doc->root, "kind")));
        if (!doc->is_streamed)
            doc->root = NULL;
    }
    if (len > CF_DOCUMENT_MAX && !doc->is_streamed) {
        r->number++;
        if (!s->value.whole)
            cf_err_set(&err, "its brackets or quotes are not closed");
        return cf_reader_too_large(r, doc, &err);
    }
    if (len <= CF_DOCUMENT_MAX) {
        doc->bytes = cf_source_text(&s->source, s->value.start, text_end(s), &r->text, &err);
        doc->len = (size_t)len;
        if (doc->bytes == NULL)
            return cf_reader_failure(r, r->file, &err);
    }
    if (!doc->is_streamed && (!s->value.whole || is_worth_json(s))) {
        err = (struct cf_err){0};
        doc->root = cf_json_parse_placed(r->how->arena, doc->bytes, doc->len, NULL, &at, &err);
        if (doc->root == NULL)
            return json_failed(s, &err);
    }
    r->number++;
    return cf_reader_give(r, doc);
}

/* After an unreadable value the next one begins with a brace; anything else means that its quotes
 * or brackets do not match. */
static bool can_go_on(struct stream *s)
{
    char next[256];
    size_t got, i = 0;

    if (!s->value.whole ||
        cf_source_read(&s->source, s->values.at, next, sizeof(next), &got, NULL) != 0)
        return false;
    while (i < got && strchr(CF_WHITE, next[i]) != NULL && next[i] != '\0')
        i++;
    return i == got || next[i] == '{';
}

int cf_reader_json(struct cf_reader *r, const struct cf_section *section)
{
    struct stream s = {.reader = r, .section = section};
    int rc = 0, got;

    cf_section_source(r, section, &s.source);
    cf_values_init(&s.values, &s.source, section->line, 1);
    while (rc == 0 && (got = cf_values_next(&s.values, &s.value, r->err)) != 0) {
        rc = got < 0 ? cf_reader_failure(r, r->file, r->err) : give_value(&s);
        if (got < 0 || s.over || (s.doc.err.kind != CF_ERR_NONE && !can_go_on(&s)))
            break;
        s.after_first = true;
    }
    cf_values_free(&s.values);
    return rc;
}
