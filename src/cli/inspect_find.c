/* SPDX-License-Identifier: Apache-2.0 */
/* inspect_find.c - finds the tokens in a file: a single token, a kubeconfig, manifests, a
 * .dockerconfigjson, or any text that contains tokens. */
#include <string.h>

#include "curfew/file.h"
#include "curfew/json.h"
#include "curfew/limits.h"
#include "curfew/path.h"
#include "curfew/str.h"
#include "inspect.h"
#include "curfew/documents.h"

/* ---- text ---- */

bool cf_finder_take(const struct cf_token_hit *hit, void *finder)
{
    struct cf_finder *f = finder;
    const char *path = f->path != NULL ? cf_path_text(f->arena, f->path) : NULL;
    struct cf_inspect_place place = {.file = f->file,
                                     .subject = f->subject,
                                     .path = cf_str_empty(path) ? NULL : path,
                                     .line = f->is_text ? hit->line : f->line};

    f->found++;
    cf_inspect_keep(f->run, hit, &place, f->is_text);
    return !f->run->failed;
}

static void scan_for_tokens(struct cf_finder *f, const char *text, size_t len)
{
    if (cf_token_may_hold(text, len) &&
        cf_token_scan(f->scanner, text, len, cf_finder_take, f) != 0)
        f->run->failed = true;
}

/* ---- documents ---- */

/* `Secret "web-token" in namespace "shop"` for an object; for any other value the current subject.
 */
static const char *subject_of(struct cf_finder *f, const struct cf_json *value)
{
    const char *kind = cf_json_str(cf_json_get(value, "kind"));
    const struct cf_json *meta = cf_json_get(value, "metadata");
    const char *name = cf_json_str(cf_json_get(meta, "name"));
    const char *namespace = cf_json_str(cf_json_get(meta, "namespace"));
    const char *text;

    if (cf_str_empty(kind) || cf_str_empty(name))
        return f->subject;
    if (cf_str_empty(namespace))
        text = cf_arena_printf(f->arena, "%s \"%s\"", kind, name);
    else
        text = cf_arena_printf(f->arena, "%s \"%s\" in namespace \"%s\"", kind, name, namespace);
    return cf_str_or_empty(text);
}

/* Scans all strings of a value. Recursion is limited: documents are not deeper than CF_DEPTH_MAX.
 */
static void walk_value(struct cf_finder *f, const struct cf_json *value, const struct cf_path *at)
{
    bool is_array = cf_json_type(value) == CF_JSON_ARRAY;
    const char *text = cf_json_str(value), *subject = f->subject;
    const struct cf_json *v;
    size_t i = 0;

    if (text != NULL) {
        f->path = at;
        f->line = cf_json_line(value);
        scan_for_tokens(f, text, strlen(text));
        return;
    }
    f->subject = subject_of(f, value);
    for (v = cf_json_first(value); v != NULL && !f->run->failed; v = cf_json_next(v), i++) {
        struct cf_path here = {.up = at, .key = is_array ? NULL : cf_json_key(v), .index = i};

        walk_value(f, v, &here);
    }
    f->subject = subject;
}

/* ---- kubeconfigs ---- */

static bool is_kubeconfig(const struct cf_json *root)
{
    return cf_streq(cf_json_str(cf_json_get(root, "kind")), "Config") &&
           cf_json_type(cf_json_get(root, "users")) == CF_JSON_ARRAY;
}

/* A path in a kubeconfig is relative to the directory of the kubeconfig. */
static const char *path_beside(struct cf_arena *arena, const char *file, const char *path)
{
    const char *slash = strrchr(file, '/');

    if (path[0] == '/' || slash == NULL)
        return path;
    return cf_arena_printf(arena, "%.*s%s", (int)(slash - file + 1), file, path);
}

static void read_token_file(struct cf_finder *f, const char *kubeconfig, const char *name,
                            const struct cf_path *at)
{
    struct cf_inspect *run = f->run;
    const char *path = path_beside(f->arena, kubeconfig, name);
    size_t before = f->found;
    struct cf_err err = {0};
    struct cf_buf buf;

    cf_buf_init_arena(&buf, f->arena, CF_FILE_MAX);
    if (path == NULL || cf_file_read(path, &buf, &err) != 0) {
        cf_inspect_print(run, CF_EXIT_FAILED, "curfew inspect: %s: %s: %s", f->file,
                         cf_str_or_empty(f->subject), err.msg);
    } else {
        f->path = at;
        scan_for_tokens(f, cf_buf_str(&buf), buf.len);
        if (f->found == before)
            cf_inspect_print(run, CF_EXIT_FAILED, "curfew inspect: %s: %s: '%s' holds no token",
                             f->file, cf_str_or_empty(f->subject), path);
    }
}

/* Scans the users; clusters and contexts have no tokens. */
static void walk_kubeconfig(struct cf_finder *f, const struct cf_json *root, const char *file)
{
    const struct cf_json *v = cf_json_first(cf_json_get(root, "users"));
    struct cf_path list = CF_PATH_KEY(NULL, "users");

    for (size_t i = 0; v != NULL && !f->run->failed; v = cf_json_next(v), i++) {
        struct cf_path at = CF_PATH_INDEX(&list, i), user_at = CF_PATH_KEY(&at, "user");
        struct cf_path file_at = CF_PATH_KEY(&user_at, "tokenFile");
        const struct cf_json *user = cf_json_get(v, "user");
        const char *name = cf_str_or_empty(cf_json_str(cf_json_get(v, "name")));
        const char *token_file = cf_json_str(cf_json_get(user, "tokenFile"));

        f->subject = cf_arena_printf(f->arena, "user \"%s\"", name);
        walk_value(f, user, &user_at);
        f->line = cf_json_line(cf_json_get(user, "tokenFile"));
        if (!cf_str_empty(token_file))
            read_token_file(f, file, token_file, &file_at);
    }
    f->subject = NULL;
}

/* ---- files ---- */

/* Text that is not a document, or is a single string, is left to the scan as text, which reports
 * lines. */
static void walk_document(struct cf_finder *f, const struct cf_document *doc, const char *path,
                          enum cf_inspect_input input)
{
    if (doc->err.kind != CF_ERR_NONE) {
        if (input != CF_INPUT_ANY || doc->err.kind == CF_ERR_SYSTEM)
            cf_inspect_print(f->run, CF_EXIT_FAILED, "%s", doc->err.msg);
    } else if (is_kubeconfig(doc->root)) {
        walk_kubeconfig(f, doc->root, path);
    } else if (input == CF_INPUT_KUBECONFIG) {
        cf_inspect_print(f->run, CF_EXIT_FAILED,
                         "%s:%zu: not a kubeconfig (expected kind Config with users)", f->file,
                         doc->line);
    } else if (input != CF_INPUT_ANY || cf_json_str(doc->root) == NULL) {
        walk_value(f, doc->root, NULL);
    }
}

/* Adds `text` if it is exactly one token. */
static bool take_single_token(struct cf_finder *f, const char *text, size_t len, struct cf_err *err)
{
    struct cf_arena *arena = cf_arena_new(CF_TOKEN_ARENA_MAX);
    struct cf_token token;
    const struct cf_token_hit hit = {.token = &token, .text = text, .len = len};
    bool taken = false;

    if (arena == NULL) {
        f->run->failed = true;
        return false;
    }
    if (cf_token_decode(arena, text, len, &token, err) == 0) {
        cf_finder_take(&hit, f);
        taken = true;
    }
    cf_arena_reset(arena, true);
    cf_arena_free(arena);
    return taken;
}

/* Skips white space at both ends. */
static const char *trim_space(const char *text, size_t *len)
{
    static const char white[] = " \t\r\n";
    const char *end = text + *len;

    while (text < end && strchr(white, *text) != NULL && *text != '\0')
        text++;
    while (end > text && strchr(white, end[-1]) != NULL && end[-1] != '\0')
        end--;
    *len = (size_t)(end - text);
    return text;
}

void cf_finder_report_nothing(struct cf_finder *f)
{
    cf_inspect_print(f->run, CF_EXIT_FAILED, "curfew inspect: %s: no token found", f->file);
}

/* The argument of struct cf_manifest_reading. */
struct documents {
    struct cf_finder *finder;
    struct cf_arena *of_doc, *of_items;
    const char *path;
    enum cf_inspect_input input;
};

static int walk_item(const struct cf_document_item *item, void *arg)
{
    struct documents *d = arg;
    struct cf_path list = CF_PATH_KEY(NULL, "items"), at = CF_PATH_INDEX(&list, item->index);

    if (item->json != NULL)
        walk_value(d->finder, item->json, &at);
    else if (d->input != CF_INPUT_ANY || item->err.kind == CF_ERR_SYSTEM)
        cf_inspect_print(d->finder->run, CF_EXIT_FAILED, "%s", item->err.msg);
    cf_arena_reset(d->of_items, true);
    return d->finder->run->failed ? -1 : 0;
}

static int walk_one(const struct cf_document *doc, void *arg)
{
    struct documents *d = arg;
    struct cf_err err = {0};

    if (doc->root != NULL || doc->err.kind != CF_ERR_NONE)
        walk_document(d->finder, doc, d->path, d->input);
    if (doc->is_streamed && cf_document_items(doc, d->of_items, walk_item, d, &err) != 0 &&
        err.kind != CF_ERR_NONE)
        cf_inspect_print(d->finder->run, CF_EXIT_FAILED, "%s", err.msg);
    cf_arena_reset(d->of_doc, true);
    return d->finder->run->failed ? -1 : 0;
}

static void walk_documents(struct cf_finder *f, struct cf_manifest *manifest, const char *path,
                           enum cf_inspect_input input)
{
    CF_CLEANUP(cf_arena_cleanup) struct cf_arena *of_doc = cf_arena_new(CF_ARENA_MAX);
    CF_CLEANUP(cf_arena_cleanup) struct cf_arena *of_items = cf_arena_new(CF_ARENA_MAX);
    struct documents d = {
        .finder = f, .of_doc = of_doc, .of_items = of_items, .path = path, .input = input};
    const struct cf_manifest_reading how = {.arena = of_doc, .arg = &d, .document = walk_one};
    struct cf_err err = {0};

    if (of_doc == NULL || of_items == NULL)
        f->run->failed = true;
    else if (cf_manifest_read(manifest, &how, &err) != 0 && err.kind != CF_ERR_NONE)
        cf_inspect_print(f->run, CF_EXIT_FAILED, "curfew inspect: %s", err.msg);
}

static void walk_text(struct cf_finder *f, const char *text, size_t len, const char *path,
                      enum cf_inspect_input input)
{
    struct cf_err err = {0};
    struct cf_manifest *manifest = cf_manifest_of_text(f->file, text, len, &err);

    if (manifest == NULL)
        f->run->failed = true;
    else
        walk_documents(f, manifest, path, input);
    cf_manifest_close(manifest);
}

void cf_finder_documents(struct cf_finder *f, const char *path)
{
    struct cf_err err = {0};
    struct cf_manifest *manifest = cf_manifest_open(path, &err);
    int before = f->run->status;

    if (manifest == NULL)
        cf_inspect_print(f->run, CF_EXIT_FAILED, "curfew inspect: %s", err.msg);
    else
        walk_documents(f, manifest, path, CF_INPUT_MANIFEST);
    cf_manifest_close(manifest);
    if (f->found == 0 && f->run->status == before)
        cf_finder_report_nothing(f);
}

void cf_finder_search(struct cf_finder *f, const char *text, size_t len, const char *path,
                      enum cf_inspect_input input)
{
    size_t word_len = len;
    const char *word = trim_space(text, &word_len);
    bool one_word = word_len > 0 && strcspn(word, " \t\r\n") >= word_len;
    struct cf_err why = {0};
    int before = f->run->status;

    if (input == CF_INPUT_ANY && one_word && take_single_token(f, word, word_len, &why))
        return;
    walk_text(f, text, len, path, input);
    if (input == CF_INPUT_ANY && !f->run->failed) {
        f->is_text = true; /* a place in text is a line, without a path */
        f->path = NULL;
        scan_for_tokens(f, text, len);
    }
    if (f->found > 0 || f->run->status != before)
        return;
    if (one_word && input == CF_INPUT_ANY)
        cf_inspect_print(f->run, CF_EXIT_FAILED, "curfew inspect: %s: not a token: %s", f->file,
                         why.msg);
    else
        cf_finder_report_nothing(f);
}

bool cf_inspect_argument(struct cf_inspect *run, const char *text)
{
    struct cf_finder f = {.run = run, .file = "the command line"};
    struct cf_err why = {0};

    if (take_single_token(&f, text, strlen(text), &why))
        return true;
    cf_inspect_print(run, CF_EXIT_FAILED,
                     "curfew inspect: the argument is not a token: %s; pass files with -f",
                     why.msg);
    return false;
}
