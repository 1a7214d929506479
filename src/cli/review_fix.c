/* SPDX-License-Identifier: Apache-2.0 */
/* review_fix.c - `--fix`: the documents as they should be. Here the person decides, so templates
 * and CSIDrivers are fixed too. */
#include <string.h>

#include "curfew/json_out.h"
#include "curfew/limits.h"
#include "curfew/str.h"
#include "review_run.h"

/* The judgement with CF_FIX for every fix that exists, whatever the namespace's fix level; only
 * what is exempt or excepted stays as it is. False: there is none. */
static bool choose_fixes(struct cf_arena *arena, const struct cf_judgement *judgement,
                         struct cf_judgement *out)
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

bool cf_run_fix_item(struct cf_run *run, struct cf_review_item *item,
                     const struct cf_request *request, const struct cf_judgement *judgement)
{
    struct cf_judgement chosen;
    struct cf_err err = {0};
    const char *patch;

    if (!choose_fixes(run->arena, judgement, &chosen))
        return false;
    patch = cf_patch_text(run->arena, request, &chosen, &err);
    if (patch == NULL && err.kind == CF_ERR_NONE)
        return false;
    /* The document is the run's own: nobody else reads it while it changes. */
    if (patch == NULL ||
        cf_json_patch(run->arena, (struct cf_json *)(uintptr_t)item->json, patch, &err) != 0) {
        item->broken = true;
        run->errors++;
        cf_run_say(run, CF_EXIT_FAILED, "%s:%zu: it could not be fixed: %s", item->doc->file,
                   item->doc->line, err.msg);
        return false;
    }
    item->fixed = true;
    return true;
}

/* ---- printing ---- */

enum form { FORM_NONE, FORM_YAML, FORM_JSON };

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

static void add_changed(struct cf_buf *out, const struct cf_document *doc)
{
    struct cf_out json;

    if (!doc->is_json) {
        add_leading_comments(out, doc);
        cf_yaml_write(out, doc->root, 0);
        return;
    }
    cf_out_init(&json, out);
    cf_out_value(&json, NULL, doc->root);
    cf_buf_addc(out, '\n');
}

static void add_verbatim(struct cf_buf *out, const struct cf_document *doc)
{
    cf_buf_add(out, doc->bytes, doc->len);
    if (doc->len > 0 && doc->bytes[doc->len - 1] != '\n')
        cf_buf_addc(out, '\n');
}

void cf_run_print_documents(struct cf_run *run)
{
    const struct cf_review_item *item = run->items.items, *end = item + run->items.count;
    enum form last = run->out.len > 0 ? FORM_JSON : FORM_NONE; /* answers stand there already */

    /* The items are in the order of their documents. */
    for (size_t i = 0; i < run->docs.count; i++) {
        const struct cf_document *doc = &run->docs.items[i];
        enum form form = doc->is_json ? FORM_JSON : FORM_YAML;
        bool fixed = false, broken = false, answered = false;

        for (; item < end && item->doc == doc; item++) {
            fixed |= item->fixed;
            broken |= item->broken;
            answered |= item->is_review;
        }
        if (answered || doc->len == 0)
            continue;
        if (last != FORM_NONE && (last == FORM_YAML || form == FORM_YAML))
            cf_buf_adds(&run->out, "---\n");
        if (fixed && !broken)
            add_changed(&run->out, doc);
        else
            add_verbatim(&run->out, doc);
        last = form;
    }
}
