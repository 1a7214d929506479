/* SPDX-License-Identifier: Apache-2.0 */
/* answer.c - the only place that builds responses (admission.k8s.io/v1, AdmissionResponse). */
#include <string.h>

#include "curfew/base64.h"
#include "curfew/limits.h"
#include "curfew/review.h"
#include "curfew/str.h"
#include "curfew/writer.h"
#include "review_private.h"

struct answer {
    struct cf_arena *arena;
    const struct cf_review_input *in;
    const struct cf_request *request;
    const struct cf_evaluation *evaluation;
    size_t len; /* of the review */
    struct cf_out out;
};

static void open_answer(struct answer *a, bool allowed)
{
    cf_out_object(&a->out, NULL);
    cf_out_str(&a->out, "apiVersion", "admission.k8s.io/v1");
    cf_out_str(&a->out, "kind", "AdmissionReview");
    cf_out_object(&a->out, "response");
    cf_out_str(&a->out, "uid", a->request->uid);
    cf_out_bool(&a->out, "allowed", allowed);
}

static void close_answer(struct answer *a)
{
    cf_out_end_object(&a->out);
    cf_out_end_object(&a->out);
}

/* ---- the forecast ----
 *
 * Whether a request that /mutate repairs will be denied by /validate anyway: then a warning
 * about the repair would only confuse. Nearly always nothing would be denied, and one more run of
 * the rules without a lookup shows that. Only otherwise the object is patched, decoded and
 * evaluated as /validate will do it. */

static struct cf_engine_input enforcing(const struct cf_review_input *in)
{
    return (struct cf_engine_input){
        .policy = in->policy,
        .store = in->store,
        .now = in->now,
        .modes = CF_MODE_BIT(CF_ENFORCE),
        .own_namespace = in->own_namespace,
        .level = in->level,
    };
}

static bool has_denial(const struct cf_request *request, const struct cf_evaluation *evaluation)
{
    for (size_t i = 0; i < evaluation->count; i++) {
        if (cf_verdict_denies(request, &evaluation->items[i]))
            return true;
    }
    return false;
}

/* False when out of memory, which the arena reports. */
static bool denies(struct cf_arena *arena, const struct cf_engine_input *engine,
                   const struct cf_request *request, const struct cf_lookups *lookups)
{
    struct cf_evaluation evaluation;

    return cf_engine_evaluate(arena, engine, request, lookups, &evaluation, NULL) == 0 &&
           cf_engine_exempt(arena, engine, request, &evaluation, NULL) == 0 &&
           has_denial(request, &evaluation);
}

/* The kinds that are ever patched. */
static const struct cf_kind_info *info_of(enum cf_kind kind)
{
    if (kind == CF_KIND_TOKEN_REQUEST)
        return cf_kind_find("authentication.k8s.io", "TokenRequest");
    return cf_kind_find("", kind == CF_KIND_POD ? "Pod" : "ServiceAccount");
}

/* The request with its object repaired; false: that is not known. */
static bool repair(struct cf_arena *arena, struct cf_request *request, const char *patch)
{
    struct cf_json *json = (struct cf_json *)(uintptr_t)request->object->json;
    struct cf_object *object = cf_arena_alloc(arena, sizeof(*object));
    struct cf_err err;

    if (object == NULL || cf_json_patch(arena, json, patch, &err) != 0 ||
        cf_object_decode(arena, json, info_of(request->kind), "", object, &err) != 0)
        return false;
    request->object = object;
    return true;
}

/* Where both modes have one level, the findings are known, and all that have a fix are repaired. */
static bool something_stays(const struct cf_evaluation *evaluation)
{
    for (size_t i = 0; i < evaluation->count; i++) {
        const struct cf_verdict *v = &evaluation->items[i];

        if (v->exempt == CF_EXEMPT_NO && !v->finding.never_denied && v->finding.fix == NULL)
            return true;
    }
    return false;
}

/* Whether /validate will deny the request once `patch`, which was made from the evaluation, has
 * repaired it. The patch changes the object in place: do not read it afterwards. `len` is the size
 * of the review; one above CF_FORECAST_MAX that would be denied unpatched counts as denied. */
static bool will_be_denied(struct cf_arena *arena, const struct cf_review_input *in,
                           const struct cf_request *request, const struct cf_evaluation *evaluation,
                           const char *patch, size_t len)
{
    const enum cf_level *level = evaluation->lookups->levels.mode;
    struct cf_engine_input engine = enforcing(in);
    struct cf_request copy = *request;
    struct cf_evaluation again;

    engine.caller_only = true;
    if (denies(arena, &engine, request, evaluation->lookups))
        return true;
    if (level[CF_FIX] == level[CF_ENFORCE])
        return something_stays(evaluation);
    engine.caller_only = false;
    if (!denies(arena, &engine, request, evaluation->lookups))
        return false;
    if (len > CF_FORECAST_MAX || !repair(arena, &copy, patch))
        return true;
    return cf_engine_run(arena, &engine, &copy, &again, NULL) == 0 && has_denial(&copy, &again);
}

/* ---- /mutate ---- */

/* Templates are never repaired by the server: GitOps tools would fight it. A CSIDriver is the
 * admin's own, and refused. */
static bool may_patch(const struct cf_request *request)
{
    return (request->kind & (CF_KIND_POD | CF_KIND_TOKEN_REQUEST | CF_KIND_SERVICE_ACCOUNT)) != 0;
}

static const char *fixed_rules(struct answer *a)
{
    const struct cf_rule *last = NULL;
    struct cf_buf ids;

    cf_buf_init_arena(&ids, a->arena, CF_ANSWER_MAX);
    for (size_t i = 0; i < a->evaluation->count; i++) {
        const struct cf_verdict *v = &a->evaluation->items[i];

        if ((v->modes & CF_MODE_BIT(CF_FIX)) == 0 || v->finding.rule == last)
            continue;
        cf_buf_addf(&ids, "%s%s", last != NULL ? "," : "", v->finding.rule->id);
        last = v->finding.rule;
    }
    return cf_buf_str(&ids);
}

/* The first rule that has more findings than are reported, where its fixes are wanted; NULL: none.
 * Then nothing is repaired: half of it would look like all. */
static const struct cf_verdict *too_many(const struct cf_evaluation *evaluation)
{
    for (size_t i = 0; i < evaluation->count; i++) {
        const struct cf_verdict *v = &evaluation->items[i];

        if (v->finding.more && v->exempt == CF_EXEMPT_NO && (v->reached & CF_MODE_BIT(CF_FIX)) != 0)
            return v;
    }
    return NULL;
}

static int answer_mutate(struct answer *a, enum cf_decision *decision, struct cf_err *err)
{
    const char *patch = NULL, *encoded;

    const struct cf_verdict *more = too_many(a->evaluation);

    if (may_patch(a->request) && more == NULL) {
        patch = cf_patch_text(a->arena, a->request, a->evaluation, err);
        if (patch == NULL && err->kind != CF_ERR_NONE)
            return -1;
    }
    open_answer(a, true);
    if (patch != NULL) {
        encoded = cf_base64(a->arena, patch, strlen(patch));
        if (encoded == NULL)
            return cf_err_memory(err);
        cf_out_str(&a->out, "patchType", "JSONPatch");
        cf_out_str(&a->out, "patch", encoded);
        if (cf_fixed_worth_reporting(a->request, a->evaluation) &&
            !will_be_denied(a->arena, a->in, a->request, a->evaluation, patch, a->len))
            cf_warnings_fixed(&a->out, a->arena, a->request, a->evaluation);
        cf_out_object(&a->out, "auditAnnotations");
        cf_out_str(&a->out, "fixed", fixed_rules(a));
        cf_out_end_object(&a->out);
        *decision = CF_FIXED;
    } else if (may_patch(a->request) && more != NULL) {
        cf_warnings_unfixed(&a->out, a->arena, a->request, a->evaluation);
    }
    close_answer(a);
    return 0;
}

/* ---- /validate ---- */

static bool counts_for_audit(const struct cf_verdict *v)
{
    return (v->reached & (CF_MODE_BIT(CF_ENFORCE) | CF_MODE_BIT(CF_AUDIT))) != 0;
}

/* "legacy-token-mount spec.volumes[0].secret.secretName, ..." */
static const char *audited_findings(struct answer *a)
{
    size_t left_out = 0;
    struct cf_buf text;

    cf_buf_init_arena(&text, a->arena, CF_ANSWER_MAX);
    for (size_t i = 0; i < a->evaluation->count; i++) {
        const struct cf_finding *f = &a->evaluation->items[i].finding;

        if (!counts_for_audit(&a->evaluation->items[i]))
            continue;
        if (text.len + strlen(f->path) > CF_AUDIT_FINDINGS_MAX)
            left_out++;
        else
            cf_buf_addf(&text, "%s%s %s%s", text.len > 0 ? ", " : "", f->rule->id, f->path,
                        f->unknown ? " (unknown)" : "");
    }
    if (left_out > 0)
        cf_buf_addf(&text, ", and %zu more", left_out);
    return cf_str_shown(a->arena, cf_buf_str(&text)); /* a key may be any text, also a token */
}

static void write_annotations(struct answer *a)
{
    enum cf_level level = a->evaluation->lookups->levels.mode[CF_ENFORCE];
    const char *findings = audited_findings(a), *exempt = NULL;

    for (size_t i = 0; i < a->evaluation->count && exempt == NULL; i++)
        exempt = cf_exempt_name(a->evaluation->items[i].exempt);
    cf_out_object(&a->out, "auditAnnotations");
    cf_out_str(&a->out, "enforce-level", cf_level_name(level));
    if (!cf_str_empty(findings))
        cf_out_str(&a->out, "findings", findings);
    if (exempt != NULL)
        cf_out_str(&a->out, "exempt", exempt);
    cf_out_end_object(&a->out);
}

static const struct cf_verdict **denied_list(struct answer *a, size_t *count)
{
    const struct cf_verdict **list =
        cf_arena_array(a->arena, a->evaluation->count + 1, sizeof(*list));

    *count = 0;
    for (size_t i = 0; list != NULL && i < a->evaluation->count; i++) {
        if (cf_verdict_denies(a->request, &a->evaluation->items[i]))
            list[(*count)++] = &a->evaluation->items[i];
    }
    return list;
}

/* Kinds that no rule reads have no warnings, unless there is a finding about the caller. */
static bool was_evaluated(const struct answer *a)
{
    return (a->request->kind != CF_KIND_OTHER && !a->evaluation->skipped) ||
           a->evaluation->count > 0;
}

static int answer_validate(struct answer *a, enum cf_decision *decision, struct cf_err *err)
{
    size_t count;
    const struct cf_verdict **denied = denied_list(a, &count);
    struct cf_note_lines existing = {0};
    const char *message;

    if (denied == NULL)
        return cf_err_memory(err);
    open_answer(a, count == 0);
    if (count > 0) {
        message = cf_denial(a->arena, a->request, a->evaluation, denied, count);
        if (message == NULL)
            return cf_err_memory(err);
        cf_out_object(&a->out, "status");
        cf_out_int(&a->out, "code", denied[0]->finding.malformed ? 422 : 403);
        cf_out_str(&a->out, "reason", denied[0]->finding.malformed ? "Invalid" : "Forbidden");
        cf_out_str(&a->out, "message", message);
        cf_out_end_object(&a->out);
        *decision = CF_DENIED;
    }
    if (was_evaluated(a)) {
        if (count == 0 && a->request->kind != CF_KIND_OTHER && !a->evaluation->skipped)
            cf_existing_lines(a->arena, a->in, a->request, a->evaluation, &existing);
        cf_warnings_validate(&a->out, a->arena, a->request, a->evaluation, &existing, a->in->now);
        write_annotations(a);
    }
    close_answer(a);
    return 0;
}

/* ---- what could not be read ---- */

/* `pod "web"`; of a kind that no rule knows its resource. */
static const char *unread_subject(struct answer *a, const struct cf_unread_review *u)
{
    const char *name = u->request.name, *text, *link = " ";

    if (u->info == NULL || cf_str_empty(name))
        return u->info == NULL ? cf_subject(a->arena, &u->request) : u->info->spoken;
    if (u->info->bit == CF_KIND_TOKEN_REQUEST)
        link = " for service account ";
    text = cf_arena_printf(a->arena, "%s%s\"%s\"", u->info->spoken, link, name);
    return cf_str_or_empty(text);
}

/* The first line is complete by itself; a reason that it cuts follows uncut. */
static const char *unread_message(struct answer *a, const struct cf_unread_review *u,
                                  const char *reason)
{
    const char *subject = unread_subject(a, u);
    const char *line =
        cf_line(a->arena, CF_FIRST_LINE_MAX, "%s could not be read: %s", subject, reason);
    const char *text;

    if (cf_ends_with(line, reason))
        return line;
    text = cf_arena_printf(a->arena, "%s\n  %s", line,
                           cf_line(a->arena, CF_DENIAL_LINE_MAX, "%s", reason));
    return cf_str_or_empty(text);
}

static void allow_unread(struct answer *a, const struct cf_unread_review *u, const char *reason)
{
    open_answer(a, true);
    if (u->advised) {
        cf_out_array(&a->out, "warnings");
        cf_out_str(&a->out, NULL,
                   cf_line(a->arena, CF_WARNING_MAX, "%s could not be evaluated: %s",
                           unread_subject(a, u), reason));
        cf_out_end_array(&a->out);
    }
    cf_out_object(&a->out, "auditAnnotations");
    if (u->enforce != NULL)
        cf_out_str(&a->out, "enforce-level", cf_level_name(*u->enforce));
    if (u->exempt != CF_EXEMPT_NO)
        cf_out_str(&a->out, "exempt", cf_exempt_name(u->exempt));
    cf_out_str(&a->out, "unread", cf_line(a->arena, CF_DENIAL_LINE_MAX, "%s", reason));
    cf_out_end_object(&a->out);
}

static void deny_unread(struct answer *a, const struct cf_unread_review *u, unsigned code,
                        const char *reason)
{
    open_answer(a, false);
    cf_out_object(&a->out, "status");
    cf_out_int(&a->out, "code", code);
    cf_out_str(&a->out, "reason", code == 413 ? "RequestEntityTooLarge" : "BadRequest");
    cf_out_str(&a->out, "message", unread_message(a, u, reason));
    cf_out_end_object(&a->out);
}

/* `reason` may be err->msg. The fault is at or after bytes[len]. */
static int answer_unread(struct answer *a, const char *bytes, size_t len, unsigned code,
                         const char *reason, struct cf_buf *answer, struct cf_outcome *outcome,
                         struct cf_err *err)
{
    struct cf_unread_review *u = cf_arena_alloc(a->arena, sizeof(*u));
    const char *kept = cf_arena_strdup(a->arena, reason);
    int rc;

    if (u == NULL || kept == NULL)
        return cf_err_memory(err);
    rc = cf_unread_evaluate(a->arena, a->in, bytes, len, u, err);
    if (rc > 0)
        return cf_err_set(err, "%s", kept);
    if (rc < 0)
        return -1;
    a->request = &u->request;
    cf_out_init(&a->out, answer);
    if (u->allowed)
        allow_unread(a, u, kept);
    else
        deny_unread(a, u, code, kept);
    close_answer(a);
    if (cf_arena_failed(a->arena) || !cf_buf_ok(answer))
        return cf_err_memory(err);
    *outcome = (struct cf_outcome){.decision = u->allowed ? CF_ALLOWED : CF_DENIED,
                                   .request = &u->request,
                                   .lookups = u->lookups,
                                   .holds_secret = true,
                                   .unread = kept};
    return 0;
}

int cf_review_unread(struct cf_arena *arena, const struct cf_review_input *in, const char *bytes,
                     size_t len, unsigned code, const char *reason, struct cf_buf *answer,
                     struct cf_outcome *outcome, struct cf_err *err)
{
    struct answer a = {.arena = arena, .in = in};

    *outcome = (struct cf_outcome){.decision = CF_ERROR, .holds_secret = true};
    return answer_unread(&a, bytes, len, code, reason, answer, outcome, err);
}

/* ---- the entries ---- */

int cf_answer_undecoded(struct cf_arena *arena, const struct cf_review_input *in, const char *bytes,
                        size_t len, struct cf_buf *answer, struct cf_outcome *outcome,
                        struct cf_err *err)
{
    struct answer a = {.arena = arena, .in = in};
    bool bad_json = err->offset != CF_ERR_NO_OFFSET;
    int rc;

    if (err->kind != CF_ERR_INPUT)
        return -1;
    rc = answer_unread(&a, bytes, err->offset < len ? err->offset : len, 400, err->msg, answer,
                       outcome, err);
    outcome->bad_json = bad_json;
    return rc;
}

int cf_answer(struct cf_arena *arena, const struct cf_review_input *in, size_t len,
              struct cf_buf *answer, struct cf_outcome *outcome, struct cf_err *err)
{
    struct answer a = {.arena = arena,
                       .in = in,
                       .request = outcome->request,
                       .evaluation = outcome->evaluation,
                       .len = len};
    enum cf_decision decision = CF_ALLOWED;
    int rc;

    cf_out_init(&a.out, answer);
    rc = in->phase == CF_PHASE_VALIDATE ? answer_validate(&a, &decision, err)
                                        : answer_mutate(&a, &decision, err);
    if (rc == 0 && (cf_arena_failed(arena) || !cf_buf_ok(answer)))
        rc = cf_err_memory(err);
    if (rc == 0)
        outcome->decision = decision;
    return rc;
}
