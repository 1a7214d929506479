/* SPDX-License-Identifier: Apache-2.0 */
/* reviews.c - answers a review: its memory, its answer, its log line and its metrics.
 *
 * A log line never contains a body or a token. Its values are sanitized copies of limited length.
 */
#include <stdio.h>
#include <string.h>

#include "curfew/arena.h"
#include "curfew/attr.h"
#include "curfew/buf.h"
#include "curfew/limits.h"
#include "curfew/log.h"
#include "curfew/str.h"
#include "curfew/time.h"
#include "context.h"
#include "http.h"
#include "limits.h"
#include "stats.h"

/* ---- log lines ---- */

/* A sanitized copy for the log. NULL, which leaves the field out, for an empty string or when out
 * of memory. */
static const char *sanitize(struct cf_arena *arena, const char *text)
{
    char *copy =
        cf_str_empty(text) ? NULL : cf_arena_strndup(arena, text, strnlen(text, CF_LOG_BYTES_MAX));

    copy = cf_str_shown(arena, copy);
    if (copy == NULL)
        return NULL;
    cf_utf8_cut(copy, CF_LOG_TEXT_MAX);
    return copy;
}

/* The modes whose findings led to the decision; findings that are only audited are not logged. */
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

/* The ids of the rules that led to the decision, separated by commas, each once: verdicts are in
 * the order of the rules. */
static const char *deciding_rules(struct cf_arena *arena, const struct cf_outcome *outcome)
{
    const struct cf_evaluation *evaluation = outcome->evaluation;
    unsigned modes = logged_modes(outcome->decision);
    const struct cf_rule *last = NULL;
    struct cf_buf buf;

    cf_buf_init_arena(&buf, arena, CF_KIB);
    for (size_t i = 0; evaluation != NULL && i < evaluation->count; i++) {
        const struct cf_verdict *verdict = &evaluation->items[i];

        if ((verdict->modes & modes) == 0 || verdict->finding.rule == last)
            continue;
        last = verdict->finding.rule;
        cf_buf_adds(&buf, buf.len > 0 ? "," : "");
        cf_buf_adds(&buf, last->id);
    }
    return buf.len > 0 && cf_buf_ok(&buf) ? buf.data : NULL;
}

static const char *logged_resource(struct cf_arena *arena, const struct cf_request *request)
{
    if (cf_str_empty(request->subresource))
        return sanitize(arena, request->resource);
    return sanitize(arena,
                    cf_arena_printf(arena, "%s/%s", request->resource, request->subresource));
}

static const char *logged_name(const struct cf_request *request)
{
    const struct cf_object *object =
        request->object != NULL ? request->object : request->old_object;

    if (!cf_str_empty(request->name) || object == NULL)
        return request->name;
    return !cf_str_empty(object->name) ? object->name : object->generate_name;
}

/* Whether a rule has found something: at /authorize, a legacy token that is only audited. */
static bool has_finding(const struct cf_outcome *outcome)
{
    const struct cf_evaluation *evaluation = outcome->evaluation;

    for (size_t i = 0; evaluation != NULL && i < evaluation->count; i++) {
        if (evaluation->items[i].modes != 0)
            return true;
    }
    return false;
}

static enum cf_log_level log_level_of(const struct cf_outcome *outcome)
{
    if (outcome->unread != NULL)
        return CF_LOG_WARN;
    if (outcome->decision == CF_ALLOWED)
        return CF_LOG_DEBUG;
    return outcome->decision == CF_NO_OPINION && !has_finding(outcome) ? CF_LOG_DEBUG : CF_LOG_INFO;
}

/* What was looked up about the boundary; NULL: nothing. */
static const struct cf_boundary_facts *boundary_facts(const struct cf_outcome *outcome)
{
    if (outcome->request->boundary == NULL || outcome->lookups == NULL)
        return NULL;
    return &outcome->lookups->boundary;
}

/* Why the node boundary denied the request, or did not. The answer to the caller says less. */
static const char *boundary_reason(struct cf_arena *arena, const struct cf_policy *policy,
                                   const struct cf_outcome *outcome)
{
    const struct cf_boundary_facts *facts = boundary_facts(outcome);

    if (facts == NULL || (!facts->restricted && !facts->token_restricted))
        return NULL;
    return sanitize(arena, cf_boundary_explain(arena, outcome, policy));
}

struct fields {
    const char *uid, *user, *credential_id, *resource, *namespace, *name, *rule, *node, *reason;
};

static struct fields fields_of(struct cf_arena *arena, const struct cf_policy *policy,
                               const struct cf_outcome *outcome)
{
    const struct cf_request *request = outcome->request;
    const struct cf_boundary_facts *facts = boundary_facts(outcome);

    return (struct fields){
        .uid = sanitize(arena, request->uid),
        .user = sanitize(arena, request->caller.username),
        .credential_id = sanitize(arena, request->caller.credential_id),
        .resource = logged_resource(arena, request),
        .namespace = sanitize(arena, request->namespace),
        .name = sanitize(arena, logged_name(request)),
        .rule = deciding_rules(arena, outcome),
        .node = facts != NULL ? sanitize(arena, facts->node) : NULL,
        .reason = boundary_reason(arena, policy, outcome),
    };
}

/* Logs a denial, a fix or a legacy token; other reviews only at level debug. The duration counts
 * from `begin` (cf_monotonic_micros()) and includes the work for this line. */
static void log_review(struct cf_arena *arena, const struct cf_policy *policy, enum cf_phase phase,
                       const struct cf_outcome *outcome, int64_t begin)
{
    enum cf_log_level level = log_level_of(outcome);
    const struct cf_request *request = outcome->request;
    const char *unread = outcome->unread;
    struct fields fields;
    const char *msg;

    if (!cf_log_enabled(level) || request == NULL)
        return;
    msg = cf_str_shown(arena, cf_arena_printf(arena, "review at /%s%s%s", cf_phase_name(phase),
                                              unread != NULL ? ": " : "", cf_str_or_empty(unread)));
    /* Before the duration is computed, which includes this. */
    fields = fields_of(arena, policy, outcome);
    cf_log(level, msg != NULL ? msg : "review", CF_LOG_S("uid", fields.uid),
           CF_LOG_S("user", fields.user), CF_LOG_S("credentialId", fields.credential_id),
           CF_LOG_S("operation", cf_operation_name(request->operation)),
           CF_LOG_S("resource", fields.resource), CF_LOG_S("namespace", fields.namespace),
           CF_LOG_S("name", fields.name), CF_LOG_S("rule", fields.rule),
           CF_LOG_S("decision", cf_decision_name(outcome->decision)), CF_LOG_S("node", fields.node),
           CF_LOG_S("reason", fields.reason),
           CF_LOG_N("durationMicros", cf_monotonic_micros() - begin));
}

/* Logs a review that got no answer. */
static void log_unanswered(enum cf_phase phase, const struct cf_err *err, int64_t begin)
{
    enum cf_log_level level = err->kind == CF_ERR_INPUT ? CF_LOG_WARN : CF_LOG_ERROR;
    char msg[sizeof(err->msg) + 64];

    snprintf(msg, sizeof(msg), "review at /%s: %s", cf_phase_name(phase), err->msg);
    cf_log(level, msg, CF_LOG_S("decision", cf_decision_name(CF_ERROR)),
           CF_LOG_N("durationMicros", cf_monotonic_micros() - begin));
}

/* ---- memory ---- */

struct cf_arena *cf_thread_arena(const struct cf_server *server)
{
    struct cf_arena *arena = pthread_getspecific(server->arenas);

    if (arena != NULL)
        return arena;
    arena = cf_arena_new(CF_ARENA_KEEP);
    if (arena != NULL && pthread_setspecific(server->arenas, arena) != 0) {
        cf_arena_free(arena);
        return NULL;
    }
    return arena;
}

/* What a review of this size may need in addition to its body; see limits.h. */
static size_t bound_of(size_t body_len)
{
    size_t steep = CF_REVIEW_STEEP * body_len;
    size_t flat = CF_REVIEW_FLAT * body_len + CF_REVIEW_MORE;

    return CF_REVIEW_BASE + (steep < flat ? steep : flat);
}

/* What one review uses of limits.memory. */
struct room {
    struct cf_budget *budget;
    size_t keep;  /* reserved for the thread's arena */
    size_t body;  /* size of the body, which body.c has taken from the budget */
    size_t taken; /* taken from the budget in addition */
    bool large;
    bool refused;    /* the budget has no room for the review */
    bool never_fits; /* nor would it have if the review were the only one */
};

/* Called by the arena. */
static bool take_room(void *arg, size_t bytes)
{
    struct room *room = arg;
    size_t alone = cf_budget_ceiling(room->budget, room->large);

    if (cf_budget_take(room->budget, bytes, room->large)) {
        room->taken += bytes;
        return true;
    }
    room->refused = true;
    room->never_fits = room->body + room->taken > alone || bytes > alone - room->body - room->taken;
    return false;
}

/* Sets room->refused if the budget has no room. */
static void open_room(struct room *room, struct cf_server *server, struct cf_arena *arena,
                      size_t body_len)
{
    size_t bound = bound_of(body_len);

    *room = (struct room){.budget = &server->budget,
                          .keep = atomic_load_explicit(&server->budget.keep, memory_order_relaxed),
                          .body = body_len,
                          .large = cf_budget_is_large(body_len)};
    if (bound <= room->keep || take_room(room, bound - room->keep))
        cf_arena_limit(arena, room->keep + room->taken, take_room, room);
}

static void close_room(struct room *room, struct cf_arena *arena, bool wipe)
{
    cf_arena_limit(arena, room->keep, NULL, NULL);
    cf_arena_reset(arena, wipe);
    cf_arena_limit(arena, CF_ARENA_KEEP, NULL, NULL);
    cf_budget_release(room->budget, room->taken);
}

/* ---- answers ---- */

/* 503 has no Retry-After: the API server does not retry, and failurePolicy applies. */
static unsigned status_of(const struct cf_err *err, const struct cf_outcome *outcome)
{
    if (err->kind == CF_ERR_INPUT)
        return 400;
    return outcome->unsynced ? 503 : 500;
}

/* Counts an unreadable review by reason: its JSON, or the review in it, is invalid. */
static void count_unreadable(struct cf_server *server, bool bad_json)
{
    cf_stats_reject(server->stats, bad_json ? CF_REJECT_JSON : CF_REJECT_REVIEW);
}

static void reply_failed(struct cf_server *server, enum cf_phase phase,
                         struct cf_http_request *request, const struct cf_outcome *outcome,
                         struct cf_err *err, int64_t begin)
{
    if (err->kind == CF_ERR_INPUT)
        count_unreadable(server, outcome->bad_json || err->offset != CF_ERR_NO_OFFSET);
    cf_reply_text(request, status_of(err, outcome), err->msg);
    log_unanswered(phase, err, begin);
}

/* When the client stops to wait for the answer. An API server sends "10s", and at most "30s": a
 * form that cf_duration_parse() reads. */
static int64_t deadline_of(const struct cf_http_request *request, int64_t begin)
{
    int64_t seconds;

    if (!cf_duration_parse(request->timeout, &seconds) || seconds == 0)
        seconds = CF_REVIEW_SECONDS;
    if (seconds > CF_REVIEW_SECONDS_MAX)
        seconds = CF_REVIEW_SECONDS_MAX;
    return begin + seconds * 1000000;
}

struct job {
    struct cf_server *server;
    enum cf_phase phase;
    struct cf_arena *arena;
    struct cf_http_request *request;
    struct room *room;
    struct cf_review_input in;
    int64_t begin;
};

static bool reply_answer(const struct job *job, const struct cf_buf *answer)
{
    struct cf_http_reply reply = {
        .status = 200, .type = "application/json", .body = answer->data, .len = answer->len};

    if (cf_http_reply(job->request, &reply))
        return true;
    job->room->refused = true;
    job->room->never_fits = job->room->body + job->room->taken + answer->len >
                            cf_budget_ceiling(job->room->budget, true);
    return false;
}

/* Denies a review that would not fit into limits.memory even alone: to try again later would not
 * help. Only the envelope of the review is read, in the memory that the review has already taken,
 * or in CF_REFUSAL_MAX bytes in addition to the budget. */
static void refuse_oversized(const struct job *job, struct cf_outcome *outcome)
{
    static const char message[] = "the review needs more memory than limits.memory allows";
    const struct cf_http_request *request = job->request;
    size_t ceiling = job->room->keep + job->room->taken;
    struct cf_err err = {.kind = CF_ERR_NONE};
    struct cf_buf answer;

    cf_stats_reject(job->server->stats, CF_REJECT_SIZE);
    cf_arena_limit(job->arena, ceiling > CF_REFUSAL_MAX ? ceiling : CF_REFUSAL_MAX, take_room,
                   job->room);
    cf_arena_reset(job->arena, true);
    cf_buf_init_arena(&answer, job->arena, CF_ANSWER_MAX);
    *outcome = (struct cf_outcome){.decision = CF_ERROR, .holds_secret = true};
    if (job->phase != CF_PHASE_AUTHORIZE && request->body != NULL &&
        cf_review_unread(job->arena, &job->in, request->body, request->body_len, 413, message,
                         &answer, outcome, &err) == 0 &&
        reply_answer(job, &answer)) {
        log_review(job->arena, job->in.policy, job->phase, outcome, job->begin);
        return;
    }
    outcome->decision = CF_ERROR;
    cf_err_set(&err, "%s", message);
    cf_reply_text(job->request, 413, err.msg);
    log_unanswered(job->phase, &err, job->begin);
}

/* The review has been answered, unless room->refused is set afterwards. */
static void answer_review(const struct job *job, struct cf_outcome *outcome)
{
    int (*answer_it)(struct cf_arena *, const struct cf_review_input *, const char *, size_t,
                     struct cf_buf *, struct cf_outcome *, struct cf_err *) =
        job->phase == CF_PHASE_AUTHORIZE ? cf_authorize_answer : cf_review_answer;
    const struct cf_http_request *request = job->request;
    struct cf_err err = {.kind = CF_ERR_NONE};
    struct cf_buf answer;
    bool answered;

    cf_buf_init_arena(&answer, job->arena, CF_ANSWER_MAX);
    answered = answer_it(job->arena, &job->in, request->body != NULL ? request->body : "",
                         request->body_len, &answer, outcome, &err) == 0;
    if (answered && reply_answer(job, &answer)) {
        if (outcome->unread != NULL)
            count_unreadable(job->server, outcome->bad_json);
        log_review(job->arena, job->in.policy, job->phase, outcome, job->begin);
        job->room->refused = false; /* a block was refused, but a smaller one was enough */
        return;
    }
    outcome->decision = CF_ERROR;
    outcome->holds_secret = true; /* a review that was not read may contain a Secret */
    if (job->room->refused && (answered || err.kind != CF_ERR_INPUT))
        return;
    job->room->refused = false;
    reply_failed(job->server, job->phase, job->request, outcome, &err, job->begin);
}

/* Returns whether the arena must be wiped. */
static bool review_and_count(const struct job *job)
{
    struct cf_outcome outcome = {.decision = CF_ERROR, .holds_secret = true};

    if (!job->room->refused)
        answer_review(job, &outcome);
    if (job->room->refused && job->room->never_fits)
        refuse_oversized(job, &outcome);
    else if (job->room->refused)
        cf_routes_exhausted(job->server, job->request, true);
    if (!job->room->refused || job->room->never_fits)
        cf_stats_review(job->server->stats, job->phase, &outcome,
                        cf_monotonic_micros() - job->begin);
    return outcome.holds_secret;
}

void cf_answer_review(struct cf_server *server, const struct cf_route *route,
                      struct cf_http_request *request)
{
    struct cf_arena *arena = cf_thread_arena(server);
    struct cf_policy *policy;
    struct room room;
    struct job job = {.server = server,
                      .phase = route->phase,
                      .arena = arena,
                      .request = request,
                      .room = &room,
                      .begin = cf_monotonic_micros()};
    bool wipe;

    if (arena == NULL) {
        cf_routes_exhausted(server, request, false);
        return;
    }
    policy = cf_server_policy_ref(server);
    job.in = (struct cf_review_input){
        .phase = route->phase,
        .policy = policy,
        .store = server->config.store,
        .now = cf_now(),
        .own_user = server->config.own_user,
        .own_namespace = server->config.own_namespace,
        .deadline = deadline_of(request, job.begin),
    };
    open_room(&room, server, arena, request->body_len);
    wipe = review_and_count(&job);
    close_room(&room, arena, wipe);
    cf_policy_free(policy);
}
