/* SPDX-License-Identifier: Apache-2.0 */
/* reviewlog.c - what the log says of a review: who, what, where, and what came of it. Never a
 * body, never a token: texts are copies, cut and made fit to print. */
#include <stdio.h>
#include <string.h>

#include "context.h"
#include "curfew/arena.h"
#include "curfew/attr.h"
#include "curfew/buf.h"
#include "curfew/time.h"
#include "curfew/log.h"
#include "curfew/str.h"
#include "limits.h"

/* A copy for the log, of no more than can be shown; NULL (and so left out) for none, or when out of
 * memory. */
static const char *clean(struct cf_arena *arena, const char *text)
{
    char *copy =
        cf_str_empty(text) ? NULL : cf_arena_strndup(arena, text, strnlen(text, CF_LOG_BYTES_MAX));

    copy = cf_str_shown(arena, copy);
    if (copy == NULL)
        return NULL;
    cf_utf8_cut(copy, CF_LOG_TEXT_MAX);
    return copy;
}

/* The modes whose findings made the decision; what was only audited is not logged. */
static unsigned logged_modes(enum cf_decision decision)
{
    if (decision == CF_NO_OPINION)
        return CF_ALL_MODES;
    switch (decision) {
    case CF_FIXED:
        return CF_MODE_BIT(CF_FIX);
    case CF_DENIED:
        return CF_MODE_BIT(CF_ENFORCE);
    default:
        return CF_MODE_BIT(CF_WARN);
    }
}

/* The ids of the rules that decided, each once, comma-joined: verdicts come in the rules' order. */
static const char *rules_of(struct cf_arena *arena, const struct cf_outcome *outcome)
{
    const struct cf_evaluation *judgement = outcome->judgement;
    unsigned modes = logged_modes(outcome->decision);
    const struct cf_rule *last = NULL;
    struct cf_buf buf;

    cf_buf_init_arena(&buf, arena, CF_KIB);
    for (size_t i = 0; judgement != NULL && i < judgement->count; i++) {
        const struct cf_verdict *verdict = &judgement->items[i];

        if ((verdict->modes & modes) == 0 || verdict->finding.rule == last)
            continue;
        last = verdict->finding.rule;
        cf_buf_adds(&buf, buf.len > 0 ? "," : "");
        cf_buf_adds(&buf, last->id);
    }
    return buf.len > 0 && cf_buf_ok(&buf) ? buf.data : NULL;
}

static const char *resource_of(struct cf_arena *arena, const struct cf_request *request)
{
    if (cf_str_empty(request->subresource))
        return clean(arena, request->resource);
    return clean(arena, cf_arena_printf(arena, "%s/%s", request->resource, request->subresource));
}

static const char *name_of(const struct cf_request *request)
{
    const struct cf_object *object =
        request->object != NULL ? request->object : request->old_object;

    if (!cf_str_empty(request->name) || object == NULL)
        return request->name;
    return !cf_str_empty(object->name) ? object->name : object->generate_name;
}

/* What was found at /authorize and not refused: a legacy token, while that is only audited. */
static bool is_told(const struct cf_outcome *outcome)
{
    const struct cf_evaluation *judgement = outcome->judgement;

    for (size_t i = 0; judgement != NULL && i < judgement->count; i++) {
        if (judgement->items[i].modes != 0)
            return true;
    }
    return false;
}

static enum cf_log_level level_of(const struct cf_outcome *outcome)
{
    if (outcome->unread != NULL)
        return CF_LOG_WARN;
    if (outcome->decision == CF_ALLOWED)
        return CF_LOG_DEBUG;
    return outcome->decision == CF_NO_OPINION && !is_told(outcome) ? CF_LOG_DEBUG : CF_LOG_INFO;
}

/* Why a boundary was the reason, or not; the caller is told less. */
static const char *reason_of(struct cf_arena *arena, const struct cf_policy *policy,
                             const struct cf_outcome *outcome)
{
    const struct cf_boundary *q = outcome->request->boundary;

    if (q == NULL || outcome->judgement == NULL || (!q->restricted && !q->token_restricted))
        return NULL;
    return clean(arena, cf_boundary_explain(arena, outcome, policy));
}

struct texts {
    const char *uid, *user, *credential_id, *resource, *namespace, *name, *rule, *node, *reason;
};

static struct texts texts_of(struct cf_arena *arena, const struct cf_policy *policy,
                             const struct cf_outcome *outcome)
{
    const struct cf_request *request = outcome->request;

    return (struct texts){
        .uid = clean(arena, request->uid),
        .user = clean(arena, request->caller.username),
        .credential_id = clean(arena, request->caller.credential_id),
        .resource = resource_of(arena, request),
        .namespace = clean(arena, request->namespace),
        .name = clean(arena, name_of(request)),
        .rule = rules_of(arena, outcome),
        .node = request->boundary != NULL ? clean(arena, request->boundary->node) : NULL,
        .reason = reason_of(arena, policy, outcome),
    };
}

void cf_log_review(struct cf_arena *arena, const struct cf_policy *policy, enum cf_phase phase,
                   const struct cf_outcome *outcome, int64_t begin)
{
    enum cf_log_level level = level_of(outcome);
    const struct cf_request *request = outcome->request;
    const char *unread = outcome->unread;
    struct texts texts;
    const char *msg;

    if (!cf_log_enabled(level) || request == NULL)
        return;
    msg = cf_str_shown(arena, cf_arena_printf(arena, "review at /%s%s%s", cf_phase_name(phase),
                                              unread != NULL ? ": " : "", cf_str_or_empty(unread)));
    /* First of all, so that the time tells of it. */
    texts = texts_of(arena, policy, outcome);
    cf_log(level, msg != NULL ? msg : "review", CF_LOG_S("uid", texts.uid),
           CF_LOG_S("user", texts.user), CF_LOG_S("credentialId", texts.credential_id),
           CF_LOG_S("operation", cf_operation_name(request->operation)),
           CF_LOG_S("resource", texts.resource), CF_LOG_S("namespace", texts.namespace),
           CF_LOG_S("name", texts.name), CF_LOG_S("rule", texts.rule),
           CF_LOG_S("decision", cf_decision_name(outcome->decision)), CF_LOG_S("node", texts.node),
           CF_LOG_S("reason", texts.reason),
           CF_LOG_N("durationMicros", cf_monotonic_micros() - begin));
}

void cf_log_unanswered(enum cf_phase phase, const struct cf_err *err, int64_t begin)
{
    enum cf_log_level level = err->kind == CF_ERR_INPUT ? CF_LOG_WARN : CF_LOG_ERROR;
    char msg[sizeof(err->msg) + 64];

    snprintf(msg, sizeof(msg), "review at /%s: %s", cf_phase_name(phase), err->msg);
    cf_log(level, msg, CF_LOG_S("decision", cf_decision_name(CF_ERROR)),
           CF_LOG_N("durationMicros", cf_monotonic_micros() - begin));
}
