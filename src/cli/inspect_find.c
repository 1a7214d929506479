/* SPDX-License-Identifier: Apache-2.0 */
/* inspect_find.c - the tokens of a file, whatever it is: a token alone, a kubeconfig, a manifest, a
 * .dockerconfigjson, or a text that has one in it.
 *
 * What is kept of a token is what it says; the token itself is verified on the way, and gone with
 * the text that it was in. */
#include <string.h>

#include "curfew/file.h"
#include "curfew/json.h"
#include "curfew/limits.h"
#include "curfew/path.h"
#include "curfew/str.h"
#include "inspect.h"
#include "curfew/manifest.h"

/* One file, and where in it we are. */
struct finder {
    struct cf_inspect *run;
    struct cf_token_scanner *scanner;
    const char *file;
    const char *bytes; /* of the file, where lines are counted; NULL inside a document */
    const char *subject;
    const struct cf_path *path;
    size_t line;
    size_t found; /* in this file */
};

/* ---- keeping what a token says ---- */

static const char *fit(struct cf_inspect *run, const char *text)
{
    char *copy = cf_str_shown(run->arena, text);

    run->failed = run->failed || (copy == NULL && text != NULL);
    return copy;
}

static void keep_token(struct cf_inspect *run, const struct cf_token *from, struct cf_token *to)
{
    *to = *from;
    to->alg = fit(run, from->alg);
    to->kid = fit(run, from->kid);
    to->typ = fit(run, from->typ);
    to->issuer = fit(run, from->issuer);
    to->subject = fit(run, from->subject);
    to->jti = fit(run, from->jti);
    to->namespace_ = fit(run, from->namespace_);
    to->account = fit(run, from->account);
    to->account_uid = fit(run, from->account_uid);
    to->secret = fit(run, from->secret);
    to->pod = fit(run, from->pod);
    to->node = fit(run, from->node);
    to->audiences = cf_arena_array(run->arena, from->audience_count + 1, sizeof(*to->audiences));
    run->failed = run->failed || to->audiences == NULL;
    for (size_t i = 0; to->audiences != NULL && i < from->audience_count; i++)
        to->audiences[i] = fit(run, from->audiences[i]);
}

static void verify(struct cf_inspect *run, const char *text, size_t len,
                   const struct cf_token *token, struct cf_inspected *out)
{
    struct cf_err err = {0};

    if (run->jwks == NULL)
        return;
    if (cf_token_verify(run->jwks, text, len, token, &err) == 0) {
        out->signature = CF_SIGNATURE_GOOD;
        return;
    }
    out->signature = CF_SIGNATURE_BAD;
    out->reason = fit(run, err.msg);
}

static struct cf_inspected *find(struct cf_inspect *run, const char *hash)
{
    for (size_t i = 0; i < run->count; i++) {
        if (cf_streq(run->items[i].hash, hash))
            return &run->items[i];
    }
    return NULL;
}

static struct cf_inspected *add(struct cf_inspect *run)
{
    size_t wanted = run->capacity == 0 ? 8 : run->capacity * 2;
    struct cf_inspected *bigger;

    if (run->count == run->capacity) {
        bigger = cf_arena_array(run->arena, wanted, sizeof(*bigger));
        if (bigger == NULL) {
            run->failed = true;
            return NULL;
        }
        if (run->count > 0)
            memcpy(bigger, run->items, run->count * sizeof(*bigger));
        run->items = bigger;
        run->capacity = wanted;
    }
    return &run->items[run->count++];
}

static void add_place(struct cf_inspect *run, struct cf_inspected *item,
                      const struct cf_inspect_place *place)
{
    struct cf_inspect_place *copy = cf_arena_alloc(run->arena, sizeof(*copy));

    if (copy == NULL) {
        run->failed = true;
        return;
    }
    *copy = *place;
    if (item->last_place != NULL)
        item->last_place->next = copy;
    else
        item->places = copy;
    item->last_place = copy;
}

static void keep(struct cf_inspect *run, const char *text, size_t len, const struct cf_token *token,
                 const struct cf_inspect_place *place)
{
    char hash[CF_TOKEN_HASH + 1];
    struct cf_inspected *item;

    cf_token_hash(text, len, hash);
    item = find(run, hash);
    if (item == NULL) {
        item = add(run);
        if (item == NULL)
            return;
        *item = (struct cf_inspected){.kind = cf_token_kind(token, run->max)};
        memcpy(item->hash, hash, sizeof(hash));
        keep_token(run, token, &item->token);
        verify(run, text, len, token, item);
    }
    add_place(run, item, place);
}

/* ---- texts ---- */

static size_t line_at(const char *bytes, size_t offset)
{
    size_t line = 1;

    for (size_t i = 0; i < offset; i++)
        line += bytes[i] == '\n';
    return line;
}

static void take_hit(const struct cf_token_hit *hit, void *arg)
{
    struct finder *f = arg;
    struct cf_inspect *run = f->run;
    const char *path = f->path != NULL ? cf_path_text(run->arena, f->path) : NULL;
    struct cf_inspect_place place = {.file = f->file,
                                     .subject = f->subject,
                                     .path = cf_str_empty(path) ? NULL : fit(run, path),
                                     .line = f->line};

    /* What the documents told already. */
    if (f->bytes != NULL && f->found > 0 && find(run, hit->hash) != NULL)
        return;
    if (f->bytes != NULL)
        place.line = line_at(f->bytes, hit->offset);
    f->found++;
    keep(run, hit->text, hit->len, hit->token, &place);
}

static void scan(struct finder *f, const char *text, size_t len)
{
    if (cf_token_may_hold(text, len) && cf_token_scan(f->scanner, text, len, take_hit, f) != 0)
        f->run->failed = true;
}

/* ---- documents ---- */

/* `Secret "web-token" in namespace "shop"` for an object; what it was for all else. */
static const char *subject_of(struct finder *f, const struct cf_json *value)
{
    const char *kind = cf_json_str(cf_json_get(value, "kind"));
    const struct cf_json *meta = cf_json_get(value, "metadata");
    const char *name = cf_json_str(cf_json_get(meta, "name"));
    const char *namespace_ = cf_json_str(cf_json_get(meta, "namespace"));
    const char *text;

    if (cf_str_empty(kind) || cf_str_empty(name))
        return f->subject;
    if (cf_str_empty(namespace_))
        text = cf_arena_printf(f->run->arena, "%s \"%s\"", kind, name);
    else
        text =
            cf_arena_printf(f->run->arena, "%s \"%s\" in namespace \"%s\"", kind, name, namespace_);
    return fit(f->run, cf_str_or_empty(text));
}

/* All strings of a value; documents are never deeper than CF_DEPTH_MAX. */
static void walk(struct finder *f, const struct cf_json *value, const struct cf_path *at)
{
    bool is_array = cf_json_type(value) == CF_JSON_ARRAY;
    const char *text = cf_json_str(value), *subject = f->subject;
    const struct cf_json *v;
    size_t i = 0;

    if (text != NULL) {
        f->path = at;
        f->line = cf_json_line(value);
        scan(f, text, strlen(text));
        return;
    }
    f->subject = subject_of(f, value);
    for (v = cf_json_first(value); v != NULL && !f->run->failed; v = cf_json_next(v), i++) {
        struct cf_path here = {.up = at, .key = is_array ? NULL : cf_json_key(v), .index = i};

        walk(f, v, &here);
    }
    f->subject = subject;
}

/* ---- kubeconfigs ---- */

static bool is_kubeconfig(const struct cf_json *root)
{
    return cf_streq(cf_json_str(cf_json_get(root, "kind")), "Config") &&
           cf_json_type(cf_json_get(root, "users")) == CF_JSON_ARRAY;
}

/* A path in a kubeconfig is relative to the kubeconfig. */
static const char *beside(struct cf_inspect *run, const char *file, const char *path)
{
    const char *slash = strrchr(file, '/');

    if (path[0] == '/' || slash == NULL)
        return path;
    return cf_arena_printf(run->arena, "%.*s%s", (int)(slash - file + 1), file, path);
}

static void read_token_file(struct finder *f, const char *kubeconfig, const char *name,
                            const struct cf_path *at)
{
    struct cf_inspect *run = f->run;
    const char *path = beside(run, kubeconfig, name);
    size_t before = f->found;
    struct cf_err err = {0};
    struct cf_buf buf;

    cf_buf_init_arena(&buf, run->arena, CF_FILE_MAX);
    if (path == NULL || cf_file_read(path, &buf, &err) != 0) {
        cf_inspect_say(run, CF_EXIT_FAILED, "curfew inspect: %s: %s: %s", f->file,
                       cf_str_or_empty(f->subject), err.msg);
    } else {
        f->path = at;
        scan(f, cf_buf_str(&buf), buf.len);
        if (f->found == before)
            cf_inspect_say(run, CF_EXIT_FAILED, "curfew inspect: %s: %s: '%s' holds no token",
                           f->file, cf_str_or_empty(f->subject), path);
    }
}

/* What the users bring; clusters and contexts have no tokens. */
static void walk_kubeconfig(struct finder *f, const struct cf_json *root, const char *file)
{
    const struct cf_json *v = cf_json_first(cf_json_get(root, "users"));
    struct cf_path list = CF_PATH_KEY(NULL, "users");

    for (size_t i = 0; v != NULL && !f->run->failed; v = cf_json_next(v), i++) {
        struct cf_path at = CF_PATH_INDEX(&list, i), user_at = CF_PATH_KEY(&at, "user");
        struct cf_path file_at = CF_PATH_KEY(&user_at, "tokenFile");
        const struct cf_json *user = cf_json_get(v, "user");
        const char *name = cf_str_or_empty(cf_json_str(cf_json_get(v, "name")));
        const char *token_file = cf_json_str(cf_json_get(user, "tokenFile"));

        f->subject = fit(f->run, cf_arena_printf(f->run->arena, "user \"%s\"", name));
        walk(f, user, &user_at);
        f->line = cf_json_line(cf_json_get(user, "tokenFile"));
        if (!cf_str_empty(token_file))
            read_token_file(f, file, token_file, &file_at);
    }
    f->subject = NULL;
}

/* ---- files ---- */

static void walk_document(struct finder *f, const struct cf_document *doc, const char *path,
                          enum cf_inspect_input input)
{
    if (doc->err.kind != CF_ERR_NONE) {
        if (input != CF_INPUT_ANY)
            cf_inspect_say(f->run, CF_EXIT_FAILED, "%s", doc->err.msg);
    } else if (is_kubeconfig(doc->root)) {
        walk_kubeconfig(f, doc->root, path);
    } else if (input == CF_INPUT_KUBECONFIG) {
        cf_inspect_say(f->run, CF_EXIT_FAILED,
                       "%s:%zu: it is no kubeconfig: that is of kind Config and has users", f->file,
                       doc->line);
    } else {
        walk(f, doc->root, NULL);
    }
}

/* What struct cf_manifest_reading hands around. */
struct documents {
    struct finder *finder;
    struct cf_arena *of_doc, *of_items;
    const char *path;
    enum cf_inspect_input input;
};

static int walk_item(const struct cf_document_item *item, void *arg)
{
    struct documents *d = arg;
    struct cf_path list = CF_PATH_KEY(NULL, "items"), at = CF_PATH_INDEX(&list, item->index);

    if (item->json != NULL)
        walk(d->finder, item->json, &at);
    else if (d->input != CF_INPUT_ANY)
        cf_inspect_say(d->finder->run, CF_EXIT_FAILED, "%s", item->err.msg);
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
        err.kind != CF_ERR_NONE && d->input != CF_INPUT_ANY)
        cf_inspect_say(d->finder->run, CF_EXIT_FAILED, "%s", err.msg);
    cf_arena_reset(d->of_doc, true);
    return d->finder->run->failed ? -1 : 0;
}

static void walk_documents(struct finder *f, const char *text, size_t len, const char *path,
                           enum cf_inspect_input input)
{
    CF_CLEANUP(cf_arena_cleanup) struct cf_arena *of_doc = cf_arena_new(CF_ARENA_MAX);
    CF_CLEANUP(cf_arena_cleanup) struct cf_arena *of_items = cf_arena_new(CF_ARENA_MAX);
    struct documents d = {
        .finder = f, .of_doc = of_doc, .of_items = of_items, .path = path, .input = input};
    const struct cf_manifest_reading how = {.arena = of_doc, .arg = &d, .document = walk_one};
    struct cf_err err = {0};
    struct cf_manifest *manifest = cf_manifest_of_text(f->file, text, len, &err);

    if (of_doc == NULL || of_items == NULL || manifest == NULL ||
        cf_manifest_read(manifest, &how, &err) != 0)
        f->run->failed = true;
    cf_manifest_close(manifest);
}

/* `text` is a token and nothing else. */
static bool take_whole(struct finder *f, const char *text, size_t len, struct cf_err *err)
{
    struct cf_arena *arena = cf_arena_new(CF_TOKEN_ARENA_MAX);
    struct cf_inspect_place place = {.file = f->file};
    struct cf_token token;
    bool taken = false;

    if (arena == NULL) {
        f->run->failed = true;
        return false;
    }
    if (cf_token_decode(arena, text, len, &token, err) == 0) {
        keep(f->run, text, len, &token, &place);
        f->found++;
        taken = true;
    }
    cf_arena_reset(arena, true);
    cf_arena_free(arena);
    return taken;
}

/* Without the white space around it. */
static const char *trim(const char *text, size_t *len)
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

static void tell_nothing(struct finder *f, const struct cf_err *why, bool one_word)
{
    if (one_word)
        cf_inspect_say(f->run, CF_EXIT_FAILED, "curfew inspect: %s: no token: %s", f->file,
                       why->msg);
    else
        cf_inspect_say(f->run, CF_EXIT_FAILED, "curfew inspect: %s: it holds no token", f->file);
}

static void search(struct finder *f, const char *text, size_t len, const char *path,
                   enum cf_inspect_input input)
{
    size_t word_len = len;
    const char *word = trim(text, &word_len);
    bool one_word = word_len > 0 && strcspn(word, " \t\r\n") >= word_len;
    struct cf_err why = {0};
    int before = f->run->status;

    if (input == CF_INPUT_ANY && one_word && take_whole(f, word, word_len, &why))
        return;
    walk_documents(f, text, len, path, input);
    if (input == CF_INPUT_ANY) {
        f->bytes = text;
        f->path = NULL;
        scan(f, text, len);
    }
    if (f->found == 0 && f->run->status == before)
        tell_nothing(f, &why, one_word && input == CF_INPUT_ANY);
}

void cf_inspect_file(struct cf_inspect *run, const char *path, enum cf_inspect_input input)
{
    struct finder f = {.run = run, .file = cf_streq(path, "-") ? "standard input" : fit(run, path)};
    struct cf_err err = {0};
    struct cf_buf buf;

    /* In the arena, which is overwritten at the end. */
    cf_buf_init_arena(&buf, run->arena, CF_FILE_MAX);
    if (cf_file_read(path, &buf, &err) != 0) {
        cf_inspect_say(run, CF_EXIT_FAILED, "curfew inspect: %s", err.msg);
        return;
    }
    f.scanner = cf_token_scanner_new(CF_SCAN_ANY);
    if (f.file == NULL || f.scanner == NULL)
        run->failed = true;
    else
        search(&f, cf_buf_str(&buf), buf.len, path, input);
    cf_token_scanner_free(f.scanner);
}

bool cf_inspect_argument(struct cf_inspect *run, const char *text)
{
    struct finder f = {.run = run, .file = "the command line"};
    struct cf_err why = {0};

    if (take_whole(&f, text, strlen(text), &why))
        return true;
    cf_inspect_say(run, CF_EXIT_FAILED,
                   "curfew inspect: the argument is no token: %s; a file is given with -f",
                   why.msg);
    return false;
}
