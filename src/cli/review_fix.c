/* SPDX-License-Identifier: Apache-2.0 */
/* review_fix.c - `--fix`: the documents as they should be. Here the person decides, so templates
 * and CSIDrivers are fixed too. */
#include <stdio.h>
#include <string.h>

#include "curfew/writer.h"
#include "curfew/limits.h"
#include "curfew/str.h"
#include "review_run.h"

/* The judgement with CF_FIX for every fix that exists, whatever the namespace's fix level; only
 * what is exempt or excepted stays as it is. False: there is none. */
static bool choose_fixes(struct cf_arena *arena, const struct cf_evaluation *judgement,
                         struct cf_evaluation *out)
{
    bool any = false;

    *out = *judgement;
    out->items = cf_arena_array(arena, judgement->count + 1, sizeof(*out->items));
    if (out->items == NULL)
        return false;
    for (size_t i = 0; i < judgement->count; i++) {
        struct cf_verdict *verdict = &out->items[i];

        *verdict = judgement->items[i];
        verdict->modes = 0;
        if (verdict->finding.fix == NULL || verdict->exempt != CF_EXEMPT_NO)
            continue;
        verdict->modes = CF_MODE_BIT(CF_FIX);
        any = true;
    }
    return any;
}

bool cf_run_fix_object(struct cf_run *run, const struct cf_manifest_object *object,
                       const struct cf_request *request, const struct cf_evaluation *judgement,
                       bool silent, bool *broken)
{
    struct cf_evaluation chosen;
    struct cf_err err = {0};
    const char *patch;

    if (!choose_fixes(run->arena, judgement, &chosen))
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
        cf_err_wrap(&err, "it could not be fixed");
        cf_run_print_error(run, object->doc, object->json, &err);
    }
    return false;
}

/* ---- printing ---- */

/* The comments of a document that has nothing else. */
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

/* YAML keeps no comments; those above the first key say where a document comes from. */
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

/* Whether the bytes of a JSON document are the same one when they are read as YAML, which can't
 * take all that JSON can: \ud83d\ude00, for example. */
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

/* As it stands in the file, where that is what a reader of the stream takes for it. kubectl takes
 * nothing behind the dashes, and has a line break behind the last line. */
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

struct list {
    struct cf_run *run;
    const struct cf_document *doc;
    bool begun;
};

static int fix_silently(const struct cf_manifest_object *object, void *arg)
{
    struct list *l = arg;
    bool access, fixed = false, broken = false;
    int rc = 0;

    if (!cf_is_review(object, &access) && cf_kind_find(object->group, object->kind) != NULL)
        rc = cf_run_evaluate_object(l->run, object, true, &fixed, &broken);
    cf_arena_reset(l->run->arena, true);
    return rc;
}

static int print_item(const struct cf_json *json, void *arg)
{
    struct list *l = arg;
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

/* The List's own members, and its items where they stood. */
static int print_fixed_list(struct cf_run *run, const struct cf_document *doc)
{
    struct list list = {.run = run, .doc = doc};
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

struct copy {
    struct cf_run *run;
    char last; /* byte of what was copied */
};

static int copy_bytes(const char *bytes, size_t len, void *arg)
{
    struct copy *copy = arg;

    cf_buf_add(&copy->run->out, bytes, len);
    cf_run_flush(copy->run, stdout);
    copy->last = bytes[len - 1];
    return 0;
}

static int copy_list(struct cf_run *run, const struct cf_document *doc)
{
    struct copy copy = {.run = run};
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
