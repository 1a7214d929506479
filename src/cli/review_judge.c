/* SPDX-License-Identifier: Apache-2.0 */
/* review_judge.c - every manifest is judged as if nobody in particular created it now. */
#include <stdlib.h>
#include <string.h>

#include "curfew/str.h"
#include "review_run.h"

/* The report while it grows. */
struct judging {
    struct cf_run *run;
    struct cf_review_item *item;
    struct cf_request request;
    struct cf_object object;
    size_t rows_capacity;
    size_t unknown_count, unknown_capacity;
    size_t fixed;
    bool fix;
    bool failed; /* out of memory */
};

static void *grow(struct judging *j, const void *items, size_t count, size_t *capacity, size_t size)
{
    size_t wanted = *capacity == 0 ? 16 : 2 * *capacity;
    void *bigger = cf_arena_array(j->run->arena, wanted, size);

    if (bigger == NULL) {
        j->failed = true;
        return NULL;
    }
    if (count > 0)
        memcpy(bigger, items, count * size);
    *capacity = wanted;
    return bigger;
}

/* ---- Secrets nobody knows ---- */

static void note_unknown(struct cf_secret_ref *ref, void *arg)
{
    struct judging *j = arg;
    struct cf_run *run = j->run;

    if (ref->state != CF_SECRET_UNKNOWN || j->failed)
        return;
    if (j->unknown_count == j->unknown_capacity) {
        const char **bigger =
            grow(j, run->unknown, j->unknown_count, &j->unknown_capacity, sizeof(*run->unknown));

        if (bigger == NULL)
            return;
        run->unknown = bigger;
    }
    run->unknown[j->unknown_count] =
        cf_arena_printf(run->arena, "%s/%s", j->request.namespace_, ref->name);
    j->failed |= run->unknown[j->unknown_count++] == NULL;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Several places may name one Secret. */
static size_t sort_unknown(struct judging *j)
{
    const char **names = j->run->unknown;
    size_t kept = 0;

    if (j->failed || j->unknown_count == 0)
        return 0;
    qsort(names, j->unknown_count, sizeof(*names), by_text);
    for (size_t i = 0; i < j->unknown_count; i++) {
        if (kept == 0 || strcmp(names[kept - 1], names[i]) != 0)
            names[kept++] = names[i];
    }
    return kept;
}

/* ---- findings ---- */

/* The modes in which a finding counts here: for a template those of its level, though the server
 * never denies one; for what is never denied all but enforce, unless the person asked with
 * --level. An exception warns in its last days. */
static unsigned modes_that_count(const struct cf_run *run, const struct cf_verdict *verdict)
{
    unsigned modes = verdict->reached;

    if (verdict->exempt != CF_EXEMPT_NO) {
        modes = verdict->modes & CF_MODE_BIT(CF_AUDIT);
        if (verdict->exception != NULL &&
            cf_exception_state(verdict->exception, run->now) == CF_EXCEPTION_ENDING)
            modes |= verdict->reached & CF_MODE_BIT(CF_WARN);
        return modes;
    }
    if (verdict->finding.never_denied && run->opts->level == NULL)
        modes &= ~CF_MODE_BIT(CF_ENFORCE);
    return modes;
}

/* Whether it is among those that decide the exit code. */
static bool is_failure(const struct cf_run *run, const struct cf_verdict *verdict, unsigned modes)
{
    if (run->opts->fail_on_warn)
        return verdict->exempt == CF_EXEMPT_NO || (modes & CF_MODE_BIT(CF_WARN)) != 0;
    if (verdict->exempt != CF_EXEMPT_NO)
        return false;
    if (run->opts->fix && (modes & CF_MODE_BIT(CF_FIX)) != 0)
        return true;
    return (modes & CF_MODE_BIT(CF_ENFORCE)) != 0;
}

static void add_row(struct judging *j, const struct cf_verdict *verdict, unsigned modes)
{
    struct cf_run *run = j->run;
    struct cf_report *report = &run->report;
    const struct cf_finding *f = &verdict->finding;
    const struct cf_document *doc = j->item->doc;
    struct cf_report_row row = {
        .file = doc->file,
        .document = doc->number,
        .line = cf_locate(run->arena, doc, j->item->json, f->path),
        .kind = j->item->kind,
        .namespace_ = j->item->info->cluster_scoped ? "" : j->request.namespace_,
        .name = cf_str_empty(j->object.name) ? cf_str_or_empty(j->object.generate_name)
                                             : j->object.name,
        .subject = cf_subject(run->arena, &j->request),
        .finding = f,
        .modes = f->fix == NULL ? modes & ~CF_MODE_BIT(CF_FIX) : modes,
        .exempt = cf_exempt_name(verdict->exempt),
        .until = verdict->exception != NULL ? verdict->exception->until : NULL,
        .fails = is_failure(run, verdict, modes),
    };

    if (row.subject == NULL)
        j->failed = true;
    if (!cf_rule_level(f->rule, run->policy, &row.level))
        row.level = f->rule->level;
    if (report->count == j->rows_capacity) {
        struct cf_report_row *bigger =
            grow(j, report->rows, report->count, &j->rows_capacity, sizeof(row));

        if (bigger == NULL)
            return;
        report->rows = bigger;
    }
    report->rows[report->count++] = row;
}

static void add_rows(struct judging *j, const struct cf_judgement *judgement)
{
    for (size_t i = 0; i < judgement->count && !j->failed; i++) {
        unsigned modes = modes_that_count(j->run, &judgement->items[i]);

        if (modes != 0)
            add_row(j, &judgement->items[i], modes);
    }
}

/* ---- objects ---- */

static bool namespace_of(const struct cf_run *run, const struct cf_review_item *item,
                         const char **out, struct cf_err *err)
{
    const struct cf_json *meta = cf_json_get(item->json, "metadata");
    const struct cf_json *own = cf_json_get(meta, "namespace");

    if (!cf_json_is_null(own) && cf_json_str(own) == NULL) {
        cf_err_set(err, "metadata.namespace must be a string, not %s",
                   cf_json_type_name(cf_json_type(own)));
        return false;
    }
    *out = cf_str_empty(cf_json_str(own)) ? run->opts->namespace_ : cf_json_str(own);
    if (item->info->cluster_scoped)
        *out = "";
    /* A namespace's own exceptions and exemptions stand under its name. */
    if (item->info->bit == CF_KIND_NAMESPACE)
        *out = cf_str_or_empty(cf_json_str(cf_json_get(meta, "name")));
    return true;
}

static bool request_of(struct judging *j, struct cf_err *err)
{
    const char *namespace_;

    if (!namespace_of(j->run, j->item, &namespace_, err) ||
        cf_object_decode(j->run->arena, j->item->json, j->item->info, "", &j->object, err) != 0)
        return false;
    j->request = (struct cf_request){
        .uid = "",
        .operation = CF_CREATE,
        .resource = "",
        .subresource = "",
        .namespace_ = namespace_,
        .name = cf_str_or_empty(j->object.name),
        .caller = {.username = "", .uid = ""},
        .kind = j->item->info->bit,
        .object = &j->object,
        .manifest = true,
    };
    return true;
}

static void judge_object(struct judging *j)
{
    struct cf_run *run = j->run;
    const struct cf_engine_input in = {.policy = run->policy,
                                       .store = run->store,
                                       .now = run->now,
                                       .modes = CF_ALL_MODES,
                                       .level = run->opts->level};
    struct cf_judgement judgement;
    struct cf_err err = {0};

    if (!request_of(j, &err) ||
        cf_engine_judge(run->arena, &in, &j->request, &judgement, &err) != 0) {
        j->failed |= err.kind == CF_ERR_SYSTEM;
        run->errors++;
        j->item->unreadable = true;
        cf_run_say_error(run, j->item->doc, j->item->json, &err);
        return;
    }
    if (judgement.skipped) {
        run->report.not_judged++;
        return;
    }
    run->report.judged++;
    cf_object_secret_refs(&j->object, note_unknown, j);
    if (j->fix && cf_run_fix_item(run, j->item, &j->request, &judgement))
        j->fixed++;
    add_rows(j, &judgement);
}

static size_t count_documents(const struct cf_run *run)
{
    size_t count = 0;

    for (size_t i = 0; i < run->docs.count; i++)
        count += run->docs.items[i].root != NULL || run->docs.items[i].err.kind != CF_ERR_NONE;
    return count;
}

int cf_run_judge(struct cf_run *run, size_t *fixed)
{
    struct judging j = {.run = run, .fix = fixed != NULL};

    run->report = (struct cf_report){.documents = count_documents(run), .skipped = run->skipped};
    run->unknown = NULL;
    for (size_t i = 0; i < run->items.count && !j.failed; i++) {
        j.item = &run->items.items[i];
        if (j.item->is_review || j.item->broken || j.item->unreadable)
            continue;
        if (j.item->info == NULL)
            run->report.not_judged++;
        else
            judge_object(&j);
    }
    run->report.unknown_secrets = sort_unknown(&j);
    run->report.errors = run->errors;
    if (fixed != NULL)
        *fixed += j.fixed;
    return j.failed ? -1 : 0;
}
