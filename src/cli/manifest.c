/* SPDX-License-Identifier: Apache-2.0 */
/* manifest.c - from bytes to documents: sections between `---` lines, each one YAML document or a
 * stream of JSON values; see manifest.h. Files and folders are folder.c's. */
#include "curfew/manifest.h"

#include <stdlib.h>
#include <string.h>

#include "curfew/attr.h"
#include "curfew/str.h"
#include "manifest_private.h"
#include "split.h"

/* One file's documents on their way into the row. */
struct reader {
    struct cf_arena *arena;
    struct cf_documents *out;
    const char *file;
    bool json_name; /* *.json: never tried as YAML */
    size_t number;  /* of documents with content, so far */
};

struct cf_document *cf_documents_add(struct cf_arena *arena, struct cf_documents *out)
{
    size_t n = out->count;

    /* Full at 8, 16, 32, ...: the arena keeps the old rows, together no more than the last. */
    if (n == 0 || (n >= 8 && (n & (n - 1)) == 0)) {
        struct cf_document *items = cf_arena_array(arena, n == 0 ? 8 : 2 * n, sizeof(*out->items));

        if (items == NULL)
            return NULL;
        if (n > 0)
            memcpy(items, out->items, n * sizeof(*items));
        out->items = items;
    }
    out->count++;
    return &out->items[n];
}

static struct cf_document *add(struct reader *r, const char *bytes, size_t len, size_t line)
{
    struct cf_document *doc = cf_documents_add(r->arena, r->out);

    if (doc == NULL)
        return NULL;
    *doc = (struct cf_document){
        .file = r->file, .number = r->number + 1, .line = line, .bytes = bytes, .len = len};
    return doc;
}

/* "FILE:12:3: sentence" out of "12:3: sentence", or out of "sentence" and a line. */
static void fail(struct cf_document *doc, const struct cf_err *err, size_t line)
{
    const char *hint = "";

    if (memmem(doc->bytes, doc->len, "{{", 2) != NULL)
        hint = " (looks like an unrendered Helm template)";
    if (line != 0)
        cf_err_set(&doc->err, "%s:%zu: %s%s", doc->file, line, err->msg, hint);
    else
        cf_err_set(&doc->err, "%s:%s%s", doc->file, err->msg, hint);
    doc->err.kind = err->kind;
}

/* The JSON parser counts in bytes from the value's first one, people in lines and columns:
 * "12:3: sentence" out of "sentence at byte 345: more". */
static void locate_json(struct cf_err *err, const char *bytes, size_t len, size_t line)
{
    static const char word[] = " at byte ";
    struct cf_err from = *err;
    char *at = NULL, *behind;
    size_t offset, column = 1;

    /* The last one: a key in the sentence could hold the same words. */
    for (char *next = from.msg; (next = strstr(next, word)) != NULL; next++)
        at = next;
    if (at == NULL) {
        cf_err_set(err, "%zu: %s", line, from.msg);
        return;
    }
    offset = (size_t)strtoull(at + sizeof(word) - 1, &behind, 10);
    offset = offset < len ? offset : len;
    while (column <= offset && bytes[offset - column] != '\n')
        column++;
    *at = '\0';
    cf_err_set(err, "%zu:%zu: %s%s", line + cf_split_lines(bytes, offset), column, from.msg,
               behind);
}

static bool looks_like_json(const struct reader *r, const char *bytes, size_t len)
{
    const char *white = " \t\r\n";
    size_t i = 0;

    while (i < len && strchr(white, bytes[i]) != NULL)
        i++;
    if (i == len || (bytes[i] != '{' && bytes[i] != '['))
        return false;
    if (bytes[i] == '[' || r->json_name)
        return true;
    for (i++; i < len && strchr(white, bytes[i]) != NULL; i++)
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

static int read_yaml(struct reader *r, const struct cf_section *section)
{
    struct cf_document *doc = add(r, section->bytes, section->len, section->content);
    struct cf_err err = {0};

    if (doc == NULL)
        return -1;
    doc->root = cf_yaml_parse(r->arena, section->bytes, section->len, section->line,
                              CF_YAML_MANIFEST, &err);
    if (err.kind != CF_ERR_NONE)
        fail(doc, &err, err.kind == CF_ERR_INPUT ? 0 : section->content);
    if (doc->root != NULL || err.kind != CF_ERR_NONE)
        r->number++;
    return 0;
}

/* Behind a broken value nothing of the stream can be told apart: one error for the rest, which
 * begins at `pos` and `line`. */
static int json_failed(struct reader *r, const struct cf_section *section, size_t pos, size_t line,
                       struct cf_err *err)
{
    const char *bytes = section->bytes + pos;
    size_t len = section->len - pos;
    bool review = looks_like_review(r->arena, bytes, len);
    struct cf_document *doc;

    if (pos == 0 && !r->json_name && !review) {
        if (read_yaml(r, section) != 0)
            return -1;
        doc = &r->out->items[r->out->count - 1];
        if (doc->err.kind == CF_ERR_NONE)
            return 0;
    } else {
        doc = add(r, bytes, len, line);
        r->number++;
    }
    if (doc == NULL)
        return -1;
    doc->is_json = true;
    doc->broken_review = review && err->kind == CF_ERR_INPUT;
    if (err->kind == CF_ERR_INPUT)
        locate_json(err, bytes, len, line);
    fail(doc, err, err->kind == CF_ERR_INPUT ? 0 : line);
    return 0;
}

/* Each byte's line is counted once: a stream may have as many values as lines. */
static int read_json(struct reader *r, const struct cf_section *section)
{
    size_t pos = 0, line = section->line, end;

    while (true) {
        const char *start = section->bytes + pos;
        size_t blank = strspn(start, " \t\r\n"); /* the text ends with a NUL */
        struct cf_err err = {0};
        struct cf_document *doc;
        const struct cf_json *root;

        if (pos + blank >= section->len)
            return 0;
        root = cf_json_parse(r->arena, start, section->len - pos, NULL, &end, &err);
        if (root == NULL)
            return json_failed(r, section, pos, line, &err);
        doc = add(r, start + blank, end - blank, line + cf_split_lines(start, blank));
        if (doc == NULL)
            return -1;
        doc->root = root;
        doc->is_json = true;
        r->number++;
        line += cf_split_lines(start, end);
        pos += end;
    }
}

/* What PowerShell's `>` writes. */
static bool is_utf16(const char *bytes, size_t len)
{
    return len >= 2 && (memcmp(bytes, "\xFF\xFE", 2) == 0 || memcmp(bytes, "\xFE\xFF", 2) == 0);
}

static int read_utf16(struct reader *r, const char *bytes, size_t len)
{
    struct cf_document *doc = add(r, bytes, len, 1);
    struct cf_err err = {0};

    if (doc == NULL)
        return -1;
    cf_err_set(&err, "the file is UTF-16, save it as UTF-8");
    fail(doc, &err, 1);
    return 0;
}

int cf_documents_split(struct cf_arena *arena, const char *file, const char *bytes, size_t len,
                       struct cf_documents *out)
{
    struct reader r = {
        .arena = arena, .out = out, .file = file, .json_name = cf_ends_with(file, ".json")};
    struct cf_split split = {.at = bytes, .end = bytes + len, .line = 1};
    struct cf_section section;
    int rc = 0;

    if (is_utf16(bytes, len))
        return read_utf16(&r, bytes, len);
    while (rc == 0 && cf_split_next(&split, &section)) {
        if (section.content == 0)
            rc = add(&r, section.bytes, section.len, section.line) != NULL ? 0 : -1;
        else if (looks_like_json(&r, section.bytes, section.len))
            rc = read_json(&r, &section);
        else
            rc = read_yaml(&r, &section);
    }
    return rc;
}
