/* SPDX-License-Identifier: Apache-2.0 */
/* review_evaluate.c - evaluates the documents of a run: every manifest as a CREATE by no particular
 * user, and recorded AdmissionReviews and SubjectAccessReviews as the server would answer them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "curfew/limits.h"
#include "curfew/str.h"
#include "curfew/writer.h"
#include "review_run.h"

/* ---- recorded reviews ---- */

/* The bytes of a review: those of the file, or YAML converted to JSON. False: out of memory. */
static bool review_bytes(struct cf_arena *arena, const struct cf_manifest_object *item,
                         const char **bytes, size_t *len)
{
    struct cf_buf buf;
    struct cf_out out;

    if (item->doc->is_json && (item->json == NULL || item->json == item->doc->root)) {
        *bytes = item->doc->bytes;
        *len = item->doc->len;
        return true;
    }
    cf_buf_init_arena(&buf, arena, CF_ARENA_MAX);
    cf_out_init(&out, &buf);
    cf_out_value(&out, NULL, item->json);
    *bytes = cf_buf_take(&buf, len);
    return *bytes != NULL;
}

static void add_answer(struct cf_run *run, const struct cf_buf *answer, enum cf_decision decision)
{
    int status = decision == CF_DENIED ? CF_EXIT_FINDINGS : CF_EXIT_OK;

    cf_buf_add(&run->out, cf_buf_str(answer), answer->len);
    if (answer->len == 0 || answer->data[answer->len - 1] != '\n')
        cf_buf_addc(&run->out, '\n');
    cf_run_flush(run, stdout);
    run->status = status > run->status ? status : run->status;
}

/* The response of the server goes to stdout, an explanation of it for users to stderr. */
static void explain_decision(struct cf_run *run, struct cf_arena *arena,
                             const struct cf_manifest_object *item, bool access,
                             const struct cf_outcome *outcome)
{
    if (!access || run->opts->json)
        return;
    cf_run_print(run, CF_EXIT_OK, "%s:%zu: %s", item->doc->file,
                 cf_locate(item->doc, item->json, NULL),
                 cf_boundary_explain(arena, outcome, run->policy));
}

/* `item->json` is NULL for a review whose JSON is broken. */
static void answer_item(struct cf_run *run, const struct cf_manifest_object *item, bool access)
{
    const struct cf_review_input in = {.phase = access ? CF_PHASE_AUTHORIZE : run->opts->phase,
                                       .policy = run->policy,
                                       .store = run->store,
                                       .now = run->now,
                                       .level = run->opts->level};
    struct cf_outcome outcome = {0};
    struct cf_err err = {0};
    struct cf_buf answer;
    const char *bytes;
    size_t len;
    int rc;

    if (!review_bytes(run->arena, item, &bytes, &len)) {
        cf_run_print(run, CF_EXIT_FAILED, "curfew review: out of memory");
        return;
    }
    cf_buf_init(&answer, CF_ANSWER_MAX);
    rc = access ? cf_authorize_answer(run->arena, &in, bytes, len, &answer, &outcome, &err)
                : cf_review_answer(run->arena, &in, bytes, len, &answer, &outcome, &err);
    if (rc == 0) {
        add_answer(run, &answer, outcome.decision);
        explain_decision(run, run->arena, item, access, &outcome);
    } else if (item->json == NULL) {
        cf_run_print_error(run, item->doc, NULL, &item->doc->err);
    } else {
        cf_run_print_error(run, item->doc, item->json, &err);
    }
    cf_buf_wipe(&answer);
    cf_buf_free(&answer);
    run->answered++;
}

static int answer_object(const struct cf_manifest_object *object, void *arg)
{
    struct cf_run *run = arg;
    bool access;

    if (cf_is_review(object, &access))
        answer_item(run, object, access);
    cf_arena_reset(run->arena, true);
    return 0;
}

static int answer_document(const struct cf_document *doc, void *arg)
{
    struct cf_run *run = arg;
    const struct cf_objects_visit visit = {.arg = run, .object = answer_object};
    const struct cf_manifest_object broken = {.doc = doc, .kind = "AdmissionReview"};
    int rc;

    if (doc->broken_review) {
        answer_item(run, &broken, false);
        cf_arena_reset(run->arena, true);
    }
    rc = cf_document_objects(doc, run->of_doc, run->of_items, &visit);
    cf_arena_reset(run->of_doc, true);
    return rc;
}

static bool worth_answering(const char *kind, void *arg)
{
    (void)arg;
    return cf_streq(kind, "AdmissionReview") || cf_streq(kind, "SubjectAccessReview");
}

int cf_run_replay(struct cf_run *run)
{
    int rc;

    if (!run->has_reviews)
        return 0;
    /* For a server, an object that its cluster lacks does not exist. */
    cf_store_set_absent(run->store, CF_ABSENT_IS_PLAIN);
    rc = cf_run_each(run, answer_document, worth_answering, run);
    cf_store_set_absent(run->store, CF_ABSENT_IS_UNKNOWN);
    return rc;
}

/* ---- manifests ---- */

/* With --fix an object is evaluated again until no fix remains: a fix for one level may violate
 * another, and one pass fixes at most CF_FINDINGS_MAX findings of each rule. After the last pass,
 * remaining fixes are an error. */
#define FIX_PASSES_MAX 4

/* One document. */
struct document_state {
    struct cf_run *run;
    bool fixed;    /* an object was fixed */
    bool broken;   /* a fix failed half way, so the document cannot be printed from its values */
    bool answered; /* it holds a review, which cf_run_replay() has answered */
};

/* One object. */
struct evaluated_object {
    const struct cf_manifest_object *object;
    const struct cf_kind_info *info;
    struct cf_object decoded;
    struct cf_request request;
    struct cf_evaluation evaluation;
};

/* ---- unknown Secrets ---- */

struct secret_check {
    struct cf_run *run;
    const struct cf_secret_facts *facts;
};

static void note_unknown(const struct cf_secret_ref *ref, void *arg)
{
    const struct secret_check *secrets = arg;
    struct cf_run *run = secrets->run;

    if (secrets->facts[ref->index].state == CF_SECRET_UNKNOWN)
        cf_name_set_add(&run->unknown,
                        cf_arena_printf(run->arena, "%s/%s", run->namespace, ref->name));
}

/* ---- findings ---- */

/* The modes for which a finding counts: for a pod template those of its level, although the server
 * never denies one; for findings that never deny all but enforce, unless --level was set. An
 * exception warns in its last days. */
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

/* Whether the finding causes exit code 1. */
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

static void add_row(struct cf_run *run, const struct evaluated_object *s,
                    const struct cf_verdict *verdict, unsigned modes)
{
    const struct cf_finding *f = &verdict->finding;
    const struct cf_document *doc = s->object->doc;
    struct cf_report_row row = {
        .file = doc->file,
        .document = doc->number,
        .line = cf_locate(doc, s->object->json, f->at),
        .kind = s->object->kind,
        .namespace = s->info->cluster_scoped ? "" : s->request.namespace,
        .name = cf_str_empty(s->decoded.name) ? cf_str_or_empty(s->decoded.generate_name)
                                              : s->decoded.name,
        .subject = cf_subject(run->arena, &s->request),
        .finding = f,
        .modes = f->fix == NULL ? modes & ~CF_MODE_BIT(CF_FIX) : modes,
        .exempt = cf_exempt_name(verdict->exempt),
        .until = verdict->exception != NULL ? verdict->exception->until : NULL,
        .fails = is_failure(run, verdict, modes),
    };

    if (!cf_rule_level(f->rule, run->policy, &row.level))
        row.level = f->rule->level;
    /* With --fix, only findings that the user has to fix. */
    if (row.fails || !run->opts->fix)
        cf_run_add_row(run, &row);
}

static void add_rows(struct cf_run *run, const struct evaluated_object *s)
{
    for (size_t i = 0; i < s->evaluation.count; i++) {
        unsigned modes = modes_that_count(run, &s->evaluation.items[i]);

        if (modes != 0)
            add_row(run, s, &s->evaluation.items[i], modes);
    }
}

/* ---- objects ---- */

static bool find_namespace(const struct cf_run *run, const struct evaluated_object *s,
                           const char **out, struct cf_err *err)
{
    const struct cf_json *meta = cf_json_get(s->object->json, "metadata");
    const struct cf_json *own = cf_json_get(meta, "namespace");

    if (!cf_json_is_null(own) && cf_json_str(own) == NULL) {
        cf_err_set(err, "metadata.namespace must be a string, not %s",
                   cf_json_type_name(cf_json_type(own)));
        err->line = cf_json_line(own);
        return false;
    }
    *out = cf_str_empty(cf_json_str(own)) ? run->opts->namespace : cf_json_str(own);
    if (s->info->cluster_scoped)
        *out = "";
    /* Exceptions and exemptions for a Namespace object are listed under its name. */
    if (s->info->bit == CF_KIND_NAMESPACE)
        *out = cf_str_or_empty(cf_json_str(cf_json_get(meta, "name")));
    return true;
}

static bool make_request(struct cf_run *run, struct evaluated_object *s, struct cf_err *err)
{
    const char *namespace;

    if (!find_namespace(run, s, &namespace, err) ||
        cf_object_decode(run->arena, s->object->json, s->info, "", &s->decoded, err) != 0)
        return false;
    s->request = (struct cf_request){
        .uid = "",
        .operation = CF_CREATE,
        .resource = "",
        .subresource = "",
        .namespace = namespace,
        .name = cf_str_or_empty(s->decoded.name),
        .caller = {.username = "", .uid = ""},
        .kind = s->info->bit,
        .object = &s->decoded,
        .manifest = true,
    };
    return true;
}

static bool evaluate_subject(struct cf_run *run, struct evaluated_object *s, struct cf_err *err)
{
    const struct cf_engine_input in = {.policy = run->policy,
                                       .store = run->store,
                                       .now = run->now,
                                       .modes = CF_ALL_MODES,
                                       .level = run->opts->level};

    return make_request(run, s, err) &&
           cf_engine_run(run->arena, &in, &s->request, &s->evaluation, err) == 0;
}

static void report_remaining_fixes(struct cf_run *run, const struct evaluated_object *s)
{
    struct cf_err err;

    for (size_t i = 0; i < s->evaluation.count; i++) {
        const struct cf_verdict *verdict = &s->evaluation.items[i];

        if (verdict->finding.fix == NULL || verdict->exempt != CF_EXEMPT_NO)
            continue;
        cf_err_set(&err, "more fixes remain than one run applies: run --fix again on the output");
        cf_run_print_error(run, s->object->doc, s->object->json, &err);
        return;
    }
}

int cf_run_evaluate_object(struct cf_run *run, const struct cf_manifest_object *object, bool silent,
                           bool *fixed, bool *broken)
{
    struct evaluated_object s = {.object = object,
                                 .info = cf_kind_find(object->group, object->kind)};
    struct cf_err err = {0};

    for (int pass = 0;; pass++) {
        if (!evaluate_subject(run, &s, &err)) {
            if (err.kind == CF_ERR_SYSTEM)
                return -1;
            if (!silent)
                cf_run_print_error(run, object->doc, object->json, &err);
            return 0;
        }
        if (pass == FIX_PASSES_MAX && !silent)
            report_remaining_fixes(run, &s);
        if (s.evaluation.skipped || !run->opts->fix || run->unchanged || pass == FIX_PASSES_MAX ||
            !cf_run_fix_object(run, object, &s.request, &s.evaluation, silent, broken))
            break;
        *fixed = true;
    }
    if (silent || *broken)
        return 0;
    run->report.not_evaluated += s.evaluation.skipped;
    run->report.evaluated += !s.evaluation.skipped;
    if (s.evaluation.skipped)
        return 0;
    run->namespace = s.request.namespace;
    cf_object_secret_refs(&s.decoded, note_unknown,
                          &(struct secret_check){run, s.evaluation.lookups->secrets});
    add_rows(run, &s);
    return 0;
}

/* ---- objects of kinds that no rule reads ---- */

/* Whether the value is a pod spec: it has containers or volumes. */
static bool is_pod_spec(const struct cf_json *value)
{
    const struct cf_json *containers = cf_json_get(value, "containers");
    const struct cf_json *volumes = cf_json_get(value, "volumes");

    return (cf_json_type(containers) == CF_JSON_ARRAY &&
            cf_json_type(cf_json_first(containers)) == CF_JSON_OBJECT) ||
           (cf_json_type(volumes) == CF_JSON_ARRAY &&
            cf_json_type(cf_json_first(volumes)) == CF_JSON_OBJECT &&
            cf_json_str(cf_json_get(cf_json_first(volumes), "name")) != NULL);
}

/* Recursion is limited, since the depth of values is. */
static bool holds_pod_spec(const struct cf_json *value)
{
    if (is_pod_spec(value))
        return true;
    for (value = cf_json_first(value); value != NULL; value = cf_json_next(value)) {
        if (holds_pod_spec(value))
            return true;
    }
    return false;
}

static void count_unknown(struct cf_run *run, const struct cf_manifest_object *object)
{
    const char *name = cf_json_str(cf_json_pointer(object->json, "/metadata/name"));

    run->report.not_evaluated++;
    if (!holds_pod_spec(cf_json_get(object->json, "spec")))
        return;
    run->templates++;
    if (run->opts->verbose)
        cf_run_print(
            run, CF_EXIT_OK,
            "%s:%zu: not evaluated: %s \"%s\" has a pod template, but no rule reads this kind",
            object->doc->file, cf_locate(object->doc, object->json, NULL), object->kind,
            cf_str_or_empty(name));
}

/* ---- documents ---- */

static int evaluate_object(const struct cf_manifest_object *object, void *arg)
{
    struct document_state *j = arg;
    bool access, fixed = false, broken = false;
    int rc = 0;

    j->run->objects_seen++;
    if (cf_is_review(object, &access)) {
        j->answered = true;
    } else if (cf_kind_find(object->group, object->kind) == NULL) {
        count_unknown(j->run, object);
    } else {
        rc = cf_run_evaluate_object(j->run, object, false, &fixed, &broken);
        j->fixed |= fixed;
        j->broken |= broken;
    }
    cf_arena_reset(j->run->arena, true);
    return rc;
}

static void evaluate_error(const struct cf_document *doc, const struct cf_json *json,
                           const struct cf_err *err, void *arg)
{
    struct document_state *j = arg;

    cf_run_print_error(j->run, doc, json, err);
    cf_arena_reset(j->run->arena, true);
}

static void skip_without_kind(const struct cf_document *doc, const struct cf_json *json, void *arg)
{
    struct document_state *j = arg;

    j->run->report.skipped++;
    if (j->run->opts->verbose)
        cf_run_print(j->run, CF_EXIT_OK, "%s:%zu: skipped: no kind", doc->file,
                     cf_locate(doc, json, NULL));
}

static void report_empty_list(const struct cf_document *doc, void *arg)
{
    struct document_state *j = arg;

    cf_run_print(j->run, CF_EXIT_OK, "%s:%zu: the List is empty", doc->file, doc->line);
}

static int check_item(const struct cf_document_item *item, void *arg)
{
    struct cf_run *run = arg;

    run->unchanged |= item->json == NULL;
    cf_arena_reset(run->of_items, true);
    return 0;
}

/* With --fix, a List that is read item by item is printed from its values only if all items can be
 * read. */
static void check_items(struct cf_run *run, const struct cf_document *doc)
{
    struct cf_err err = {0};

    run->unchanged = false;
    if (!run->opts->fix || !doc->is_streamed)
        return;
    if (cf_document_items(doc, run->of_items, check_item, run, &err) != 0)
        run->unchanged = true;
    if (run->unchanged)
        cf_run_print(run, CF_EXIT_FAILED,
                     "%s:%zu: the List is printed unchanged, because not all items can be read",
                     doc->file, doc->line);
}

static int evaluate_document(const struct cf_document *doc, void *arg)
{
    struct cf_run *run = arg;
    struct document_state j = {.run = run};
    const struct cf_objects_visit visit = {.arg = &j,
                                           .object = evaluate_object,
                                           .error = evaluate_error,
                                           .no_kind = skip_without_kind,
                                           .empty = report_empty_list};
    int rc;

    run->report.documents += doc->root != NULL || doc->err.kind != CF_ERR_NONE;
    if (doc->broken_review) {
        run->objects_seen++;
        j.answered = true;
    } else if (doc->err.kind != CF_ERR_NONE) {
        cf_run_print_error(run, doc, NULL, &doc->err);
    }
    check_items(run, doc);
    rc = cf_document_objects(doc, run->of_doc, run->of_items, &visit);
    if (rc == 0 && run->opts->fix && !j.answered)
        rc = cf_run_print_document(run, doc, j.fixed, !j.broken && !run->unchanged);
    cf_arena_reset(run->of_doc, true);
    return rc;
}

int cf_run_evaluate(struct cf_run *run)
{
    return cf_run_each(run, evaluate_document, NULL, run);
}
