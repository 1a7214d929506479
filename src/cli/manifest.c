/* SPDX-License-Identifier: Apache-2.0 */
/* manifest.c - from bytes to documents: sections between `---` lines, each one YAML document or a
 * stream of JSON values; see manifest.h. Files and folders are folder.c's. */
#include "curfew/manifest.h"

#include <stdlib.h>
#include <string.h>

#include "curfew/attr.h"
#include "curfew/limits.h"
#include "curfew/str.h"
#include "manifest_private.h"

#define WHITE " \t\r\n"

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

static int give(const struct cf_reader *r, const struct cf_document *doc)
{
    return r->how->document(doc, r->how->arg);
}

static bool is_worth(const struct cf_reader *r, const char *kind)
{
    return r->how->worth == NULL || r->how->worth(kind, r->how->arg);
}

/* ---- errors ---- */

static bool line_holds_braces(const char *at, const char *end)
{
    const char *newline = memchr(at, '\n', (size_t)(end - at));

    return memmem(at, (size_t)((newline != NULL ? newline : end) - at), "{{", 2) != NULL;
}

/* Whether an action of a template stands at the error, or in the line before it. */
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

/* "FILE:12:3: sentence" out of "12:3: sentence", or out of "sentence" and a line. */
static void fail(struct cf_document *doc, const struct cf_err *err, size_t line)
{
    size_t at = line != 0 ? line : (size_t)strtoull(err->msg, NULL, 10);
    const char *hint = "";

    if (err->kind == CF_ERR_INPUT && looks_like_template(doc, at))
        hint = " (looks like an unrendered Helm template)";
    if (line != 0)
        cf_err_set(&doc->err, "%s:%zu: %s%s", doc->file, line, err->msg, hint);
    else
        cf_err_set(&doc->err, "%s:%s%s", doc->file, err->msg, hint);
    doc->err.kind = err->kind;
}

void cf_locate_json(struct cf_err *err, const char *bytes, size_t len, size_t line, size_t column)
{
    static const char word[] = " at byte ";
    struct cf_err from = *err;
    char *at = NULL, *behind;
    size_t offset;

    /* The last one: a key in the sentence could hold the same words. */
    for (char *next = from.msg; (next = strstr(next, word)) != NULL; next++)
        at = next;
    if (at == NULL) {
        cf_err_set(err, "%zu: %s", line, from.msg);
        return;
    }
    offset = (size_t)strtoull(at + sizeof(word) - 1, &behind, 10);
    offset = offset < len ? offset : len;
    for (size_t i = 0; i < offset; i++) {
        bool ends =
            bytes[i] == '\n' || (bytes[i] == '\r' && (i + 1 >= len || bytes[i + 1] != '\n'));

        line += ends;
        column = ends ? 1 : column + 1;
    }
    *at = '\0';
    cf_err_set(err, "%zu:%zu: %s%s", line, column, from.msg, behind);
}

int cf_reader_failure(struct cf_reader *r, const char *file, const struct cf_err *why)
{
    struct cf_document doc = {.file = file, .number = 1, .line = 1, .bytes = "", .err = *why};

    return give(r, &doc);
}

/* `why`: why it could not be read as a List, which may be larger; nothing: it is none. */
static int too_large(struct cf_reader *r, struct cf_document *doc, const struct cf_err *why)
{
    struct cf_err err;

    cf_err_set(&err, "the document has more than %zu MiB, and %s", CF_DOCUMENT_MAX / CF_MIB,
               why->kind != CF_ERR_NONE ? why->msg : "is no List, which could be larger");
    fail(doc, &err, doc->line);
    return give(r, doc);
}

/* ---- Lists ---- */

static bool is_list_kind(const char *kind)
{
    return cf_ends_with(cf_str_or_empty(kind), "List");
}

/* The section's bytes, which are in memory where it is not too large. */
static void part_of(const struct cf_reader *r, const struct cf_section *section,
                    struct cf_source *out)
{
    if (section->bytes != NULL)
        cf_source_memory(r->lines.source->name, section->bytes, (size_t)section->len, out);
    else
        cf_source_part(r->lines.source, section->offset, section->len, out);
}

/* ---- YAML ---- */

static size_t shifted(const struct cf_yaml_list *list, size_t line)
{
    return line > list->items_line ? line + list->items_lines : line;
}

/* The errors of what stands behind the items are as many lines too early; a sentence may end with
 * a second line. */
static void shift_line(struct cf_err *err, const struct cf_yaml_list *list)
{
    static const char word[] = ", which begins at line ";
    struct cf_err from = *err;
    char *behind, *second;
    size_t line;

    if (err->kind != CF_ERR_INPUT)
        return;
    line = shifted(list, (size_t)strtoull(from.msg, &behind, 10));
    second = strstr(behind, word);
    if (second == NULL) {
        cf_err_set(err, "%zu%s", line, behind);
        return;
    }
    *second = '\0';
    second += strlen(word);
    cf_err_set(err, "%zu%s%s%zu)", line, behind, word,
               shifted(list, (size_t)strtoull(second, NULL, 10)));
}

/* A large List: all but its items. False: it is to be read whole, where it is not too large for
 * that; err may say why it can't be read item by item. */
static bool read_yaml_list(struct cf_reader *r, const struct cf_section *section,
                           const struct cf_source *source, struct cf_document *doc,
                           struct cf_err *err)
{
    struct cf_buf head;
    int rc;

    if (!section->sure || !is_list_kind(section->kind) || !section->items ||
        section->len <= CF_LIST_WHOLE_MAX)
        return false;
    cf_buf_init_arena(&head, r->how->arena, CF_LIST_HEAD_MAX);
    rc = cf_yaml_list_head(&r->list, source, section->line, &head, err);
    if (rc == 0 || (rc < 0 && err->kind == CF_ERR_INPUT))
        return false;
    if (rc < 0) {
        fail(doc, err, section->content);
        return true;
    }
    doc->root = cf_yaml_parse(r->how->arena, cf_buf_str(&head), head.len, section->line,
                              CF_YAML_MANIFEST, err);
    doc->is_streamed = doc->root != NULL;
    shift_line(err, &r->list);
    if (err->kind != CF_ERR_NONE)
        fail(doc, err, err->kind == CF_ERR_INPUT ? 0 : section->content);
    return true;
}

static int read_yaml(struct cf_reader *r, const struct cf_section *section)
{
    struct cf_document_place place = {.line = section->line};
    struct cf_document doc = {.file = r->file,
                              .number = r->number + 1,
                              .line = section->content,
                              .bytes = section->bytes,
                              .len = (size_t)section->len,
                              .place = &place};
    struct cf_err err = {0};

    part_of(r, section, &place.source);
    if (section->sure && !is_list_kind(section->kind) && !is_worth(r, section->kind)) {
        doc.unread = true;
        r->number++;
        return give(r, &doc);
    }
    if (read_yaml_list(r, section, &place.source, &doc, &err)) {
        r->number++;
        return give(r, &doc);
    }
    if (section->bytes == NULL) {
        r->number++;
        return too_large(r, &doc, &err);
    }
    err = (struct cf_err){0};
    doc.root = cf_yaml_parse(r->how->arena, section->bytes, doc.len, section->line,
                             CF_YAML_MANIFEST, &err);
    if (err.kind != CF_ERR_NONE)
        fail(&doc, &err, err.kind == CF_ERR_INPUT ? 0 : section->content);
    if (doc.root != NULL || err.kind != CF_ERR_NONE)
        r->number++;
    return give(r, &doc);
}

/* ---- JSON ---- */

static bool looks_like_json(const struct cf_section *section, const char *bytes, size_t len)
{
    size_t i = 0;

    if (section->sure)
        return false;
    while (i < len && strchr(WHITE, bytes[i]) != NULL && bytes[i] != '\0')
        i++;
    if (i == len || bytes[i] != '{') /* kubectl reads what begins with a bracket as YAML */
        return false;
    for (i++; i < len && strchr(WHITE, bytes[i]) != NULL && bytes[i] != '\0'; i++)
        ;
    return i < len && (bytes[i] == '"' || bytes[i] == '}');
}

/* A broken text is an AdmissionReview when it has a request, and no other kind. */
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
    bool behind_first;
    bool over; /* nothing of what follows can be told apart */
};

/* "sentence" of "12:3: sentence". */
static const char *behind_place(const char *message)
{
    return message + strspn(message, "0123456789:") + 1;
}

/* What kubectl does with a text that is no JSON. True: it is YAML, and has been given. */
static bool try_yaml(struct stream *s, const struct cf_err *json, int *rc)
{
    const struct cf_section *section = s->section;
    struct cf_err yaml = {0}, both;

    if (cf_yaml_parse(s->reader->how->arena, section->bytes, (size_t)section->len, section->line,
                      CF_YAML_MANIFEST, &yaml) != NULL) {
        *rc = read_yaml(s->reader, section);
        return true;
    }
    if (yaml.kind != CF_ERR_INPUT || strstr(json->msg, behind_place(yaml.msg)) != NULL)
        return false;
    cf_err_set(&both, "%s; read as YAML, %s", json->msg, yaml.msg);
    fail(&s->doc, &both, 0);
    return false;
}

/* Comments and an end marker, which may stand behind a value. */
static bool is_no_value(const struct stream *s)
{
    const char *at = s->doc.bytes;
    size_t len = s->doc.len;
    struct cf_err err = {0};

    if (!s->behind_first || at == NULL)
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

/* The value at s->doc can't be read. */
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
    if (err->kind == CF_ERR_INPUT && doc->bytes != NULL)
        cf_locate_json(err, doc->bytes, doc->len, doc->line, s->value.column);
    fail(doc, err, err->kind == CF_ERR_INPUT && doc->bytes != NULL ? 0 : doc->line);
    if (!s->behind_first && !review && s->source.memory != NULL && err->kind == CF_ERR_INPUT &&
        try_yaml(s, err, &rc)) {
        s->over = true;
        return rc;
    }
    r->number++;
    return give(r, doc);
}

/* All of a List but its items, as a text of its own: "..."items":[]...". */
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

/* Whether the value's kind, where it can be told, is worth reading it. */
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
    return is_list_kind(kind) || is_worth(r, kind);
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
        doc->is_streamed = is_list_kind(cf_json_str(cf_json_get(doc->root, "kind")));
        if (!doc->is_streamed)
            doc->root = NULL;
    }
    if (len > CF_DOCUMENT_MAX && !doc->is_streamed) {
        r->number++;
        if (!s->value.whole)
            cf_err_set(&err, "its brackets or quotes are not closed");
        return too_large(r, doc, &err);
    }
    if (len <= CF_DOCUMENT_MAX) {
        doc->bytes = cf_source_text(&s->source, s->value.start, text_end(s), &r->text, &err);
        doc->len = (size_t)len;
        if (doc->bytes == NULL)
            return cf_reader_failure(r, r->file, &err);
    }
    if (!doc->is_streamed && s->value.whole && !is_worth_json(s)) {
        doc->unread = true;
    } else if (!doc->is_streamed) {
        err = (struct cf_err){0};
        doc->root = cf_json_parse_placed(r->how->arena, doc->bytes, doc->len, NULL, &at, &err);
        if (doc->root == NULL)
            return json_failed(s, &err);
    }
    r->number++;
    return give(r, doc);
}

/* Behind a value that can't be read, the next one begins with a brace; anything else means that
 * its quotes or brackets are wrong too. */
static bool can_go_on(struct stream *s)
{
    const char *at, *end;

    if (!s->value.whole)
        return false;
    if (s->source.memory == NULL)
        return true;
    at = s->source.memory + s->values.at;
    end = s->source.memory + s->source.size;
    while (at < end && strchr(WHITE, *at) != NULL && *at != '\0')
        at++;
    return at == end || *at == '{';
}

static int read_json(struct cf_reader *r, const struct cf_section *section)
{
    struct stream s = {.reader = r, .section = section};
    int rc = 0, got;

    part_of(r, section, &s.source);
    cf_values_init(&s.values, &s.source, section->line, 1);
    while (rc == 0 && (got = cf_values_next(&s.values, &s.value, r->err)) != 0) {
        rc = got < 0 ? cf_reader_failure(r, r->file, r->err) : give_value(&s);
        if (got < 0 || s.over || (s.doc.err.kind != CF_ERR_NONE && !can_go_on(&s)))
            break;
        s.behind_first = true;
    }
    cf_values_free(&s.values);
    return rc;
}

/* ---- a source ---- */

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
        return give(r, &doc);
    if (section->bytes != NULL)
        json = looks_like_json(section, section->bytes, (size_t)section->len);
    else if (peek_large(r, section, &json) != 0)
        return cf_reader_failure(r, r->file, r->err);
    return json ? read_json(r, section) : read_yaml(r, section);
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
