/* SPDX-License-Identifier: Apache-2.0 */
/* review_fix.c - `--fix`: applies the fixes to objects, and prints the documents. The user decides
 * what to deploy, so pod templates and CSIDrivers are fixed, too, which the server never changes.
 */
#include <stdio.h>
#include <string.h>

#include "curfew/writer.h"
#include "curfew/limits.h"
#include "curfew/str.h"
#include "review_run.h"

/* ---- applying fixes ---- */

/* A copy of the evaluation with CF_FIX for every fix that exists, regardless of the namespace's fix
 * level; exempt findings are not fixed. False: there is no fix. */
static bool choose_fixes(struct cf_arena *arena, const struct cf_evaluation *evaluation,
                         struct cf_evaluation *out)
{
    bool any = false;

    *out = *evaluation;
    out->items = cf_arena_array(arena, evaluation->count + 1, sizeof(*out->items));
    if (out->items == NULL)
        return false;
    for (size_t i = 0; i < evaluation->count; i++) {
        struct cf_verdict *verdict = &out->items[i];

        *verdict = evaluation->items[i];
        verdict->modes = 0;
        if (verdict->finding.fix == NULL || verdict->exempt != CF_EXEMPT_NO)
            continue;
        verdict->modes = CF_MODE_BIT(CF_FIX);
        any = true;
    }
    return any;
}

bool cf_run_fix_object(struct cf_run *run, const struct cf_manifest_object *object,
                       const struct cf_request *request, const struct cf_evaluation *evaluation,
                       bool silent, bool *broken)
{
    struct cf_evaluation chosen;
    struct cf_err err = {0};
    const char *patch;

    if (!choose_fixes(run->arena, evaluation, &chosen))
        return false;
    patch = cf_patch_text(run->arena, request, &chosen, &err);
    if (patch == NULL && err.kind == CF_ERR_NONE)
        return false;
    /* The object is the run's own: nothing else reads it while it changes. */
    if (patch != NULL &&
        cf_json_patch(object->arena, (struct cf_json *)(uintptr_t)object->json, patch, &err) == 0)
        return true;
    *broken = true;
    if (!silent) {
        cf_err_wrap(&err, "cannot apply the fix");
        cf_run_print_error(run, object->doc, object->json, &err);
    }
    return false;
}

/* ---- printing a document ---- */

/* The comments of a document that has no other content. */
static void add_comments(struct cf_buf *out, const struct cf_document *doc)
{
    const char *at = doc->bytes, *end = doc->bytes + doc->len;

    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        size_t len = newline != NULL ? (size_t)(newline - at) + 1 : (size_t)(end - at);

        if (*at == '#')
            cf_buf_add(out, at, len);
        at += len;
    }
    if (out->len > 0 && out->data[out->len - 1] != '\n')
        cf_buf_addc(out, '\n');
}

/* Comments are lost when YAML is written from values. Those above the first key are kept, since
 * they often name the source of a document. */
static void add_leading_comments(struct cf_buf *out, const struct cf_document *doc)
{
    const char *at = doc->bytes, *end = doc->bytes + doc->len;

    while (at < end && (*at == '#' || *at == '\n' || *at == '\r')) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        size_t len = newline != NULL ? (size_t)(newline - at) + 1 : (size_t)(end - at);

        if (*at == '#')
            cf_buf_add(out, at, len);
        at += len;
    }
}

static void add_json(struct cf_buf *out, const struct cf_json *value)
{
    struct cf_out json;

    cf_out_init(&json, out);
    cf_out_value(&json, NULL, value);
    cf_buf_addc(out, '\n');
}

static void add_value(struct cf_buf *out, const struct cf_document *doc)
{
    if (doc->is_json) {
        add_json(out, doc->root);
        return;
    }
    add_leading_comments(out, doc);
    cf_yaml_write(out, doc->root, 0);
}

/* Whether a YAML parser reads the same values from a JSON document. Not all JSON is YAML: surrogate
 * pairs like \ud83d\ude00 are not. */
static bool reads_back(struct cf_run *run, const struct cf_document *doc)
{
    const struct cf_json *root =
        cf_yaml_parse(run->arena, doc->bytes, doc->len, 1, CF_YAML_MANIFEST, NULL);
    struct cf_buf before, after;

    cf_buf_init_arena(&before, run->arena, CF_ARENA_MAX);
    cf_buf_init_arena(&after, run->arena, CF_ARENA_MAX);
    if (root == NULL)
        return false;
    add_json(&before, doc->root);
    add_json(&after, root);
    return cf_buf_ok(&before) && cf_buf_ok(&after) &&
           cf_streq(cf_buf_str(&before), cf_buf_str(&after));
}

/* Prints the bytes of the file, if a reader of the output stream reads the same document from them.
 * kubectl reads no content on the line of the dashes, and expects a line break at the end. */
static void add_verbatim(struct cf_run *run, const struct cf_document *doc, bool alone)
{
    struct cf_buf *out = &run->out;
    bool ends = doc->len > 0 && doc->bytes[doc->len - 1] == '\n';
    bool dashes = doc->len > 3 && memcmp(doc->bytes, "---", 3) == 0;

    if (doc->root != NULL && !doc->is_streamed &&
        (dashes || (doc->is_json && !alone && !reads_back(run, doc)))) {
        add_value(out, doc);
        return;
    }
    cf_buf_add(out, doc->bytes, doc->len);
    if (!ends && (doc->is_json || !alone))
        cf_buf_addc(out, '\n');
}

/* ---- Lists that are read item by item ---- */

struct list_printer {
    struct cf_run *run;
    const struct cf_document *doc;
    bool begun;
};

static int fix_silently(const struct cf_manifest_object *object, void *arg)
{
    struct list_printer *l = arg;
    bool access, fixed = false, broken = false;
    int rc = 0;

    if (!cf_is_review(object, &access) && cf_kind_find(object->group, object->kind) != NULL)
        rc = cf_run_evaluate_object(l->run, object, true, &fixed, &broken);
    cf_arena_reset(l->run->arena, true);
    return rc;
}

static int print_item(const struct cf_json *json, void *arg)
{
    struct list_printer *l = arg;
    struct cf_buf *out = &l->run->out;
    struct cf_out item;

    if (!l->doc->is_json) {
        cf_yaml_write_item(out, json, 0);
    } else {
        if (l->begun)
            cf_buf_addc(out, ',');
        cf_out_init(&item, out);
        cf_out_value(&item, NULL, json);
    }
    l->begun = true;
    cf_run_flush(l->run, stdout);
    return 0;
}

/* Prints the members of a List in their order, with the fixed items. */
static int print_fixed_list(struct cf_run *run, const struct cf_document *doc)
{
    struct list_printer list = {.run = run, .doc = doc};
    const struct cf_objects_visit visit = {
        .arg = &list, .object = fix_silently, .item = print_item};
    const struct cf_json *member = cf_json_first(doc->root);
    struct cf_out json;
    int rc = 0;

    cf_out_init(&json, &run->out);
    if (doc->is_json)
        cf_out_object(&json, NULL);
    for (; member != NULL && rc == 0; member = cf_json_next(member)) {
        bool items = cf_streq(cf_json_key(member), "items");

        if (items && doc->is_json)
            cf_out_array(&json, "items");
        else if (items)
            cf_buf_adds(&run->out, "items:\n");
        else if (doc->is_json)
            cf_out_value(&json, cf_json_key(member), member);
        else
            cf_yaml_write_member(&run->out, member, 0);
        if (items)
            rc = cf_document_objects(doc, run->of_doc, run->of_items, &visit);
        if (items && doc->is_json)
            cf_out_end_array(&json);
    }
    if (doc->is_json) {
        cf_out_end_object(&json);
        cf_buf_addc(&run->out, '\n');
    }
    return rc;
}

struct list_copy {
    struct cf_run *run;
    char last; /* byte of what was copied */
};

static int copy_bytes(const char *bytes, size_t len, void *arg)
{
    struct list_copy *copy = arg;

    cf_buf_add(&copy->run->out, bytes, len);
    cf_run_flush(copy->run, stdout);
    copy->last = bytes[len - 1];
    return 0;
}

/* Prints a List unchanged. */
static int copy_list(struct cf_run *run, const struct cf_document *doc)
{
    struct list_copy copy = {.run = run};
    struct cf_err err = {0};

    if (cf_document_bytes(doc, copy_bytes, &copy, &err) != 0)
        cf_run_print_error(run, doc, NULL, &err);
    if (copy.last != '\n')
        cf_buf_addc(&run->out, '\n');
    return 0;
}

/* ---- documents ---- */

int cf_run_print_document(struct cf_run *run, const struct cf_document *doc, bool fixed, bool whole)
{
    bool alone = run->documents == 1 && !run->has_reviews;
    size_t before = run->out.len;
    int rc = 0;

    /* A reader that begins in JSON may refuse the first separator, and one that begins in YAML
     * takes one JSON value a document and no more (apimachinery, util/yaml). */
    if (!alone && (run->printed > 0 || run->answered > 0 || doc->is_json))
        cf_buf_adds(&run->out, "---\n");
    before = run->out.len - before;
    if (doc->root == NULL && doc->err.kind == CF_ERR_NONE)
        add_comments(&run->out, doc);
    else if (doc->is_streamed && whole && (fixed || (doc->is_json && !alone)))
        rc = print_fixed_list(run, doc);
    else if (doc->bytes == NULL)
        rc = copy_list(run, doc);
    else if (fixed && whole)
        add_value(&run->out, doc);
    else
        add_verbatim(run, doc, alone);
    if (run->out.len == before && !doc->is_streamed)
        run->out.len = 0; /* a separator without a document */
    else
        run->printed++;
    cf_run_flush(run, stdout);
    cf_arena_reset(run->arena, true);
    return rc;
}
