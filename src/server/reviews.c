/* SPDX-License-Identifier: Apache-2.0 */
/* reviews.c - from the bytes of a review to its answer, its log line and its metrics. */
#include "context.h"
#include "curfew/arena.h"
#include "curfew/time.h"
#include "curfew/limits.h"
#include "curfew/str.h"
#include "http.h"
#include "limits.h"
#include "reply.h"
#include "stats.h"

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

/* 503 and no Retry-After: the API server does not ask again, and its failurePolicy decides. */
static unsigned status_of(const struct cf_err *err, const struct cf_outcome *outcome)
{
    if (err->kind == CF_ERR_INPUT)
        return 400;
    return outcome->unsynced ? 503 : 500;
}

/* What can't be read is counted by reason as well; whether its JSON or the review in it is at fault
 * only the message tells. */
static void count_unread(struct cf_server *server, const char *sentence)
{
    cf_stats_reject(server->stats,
                    cf_starts_with(sentence, "invalid JSON") ? CF_REJECT_JSON : CF_REJECT_REVIEW);
}

static void reply_failed(struct cf_server *server, enum cf_phase phase,
                         struct cf_http_request *request, const struct cf_outcome *outcome,
                         struct cf_err *err, int64_t begin)
{
    if (err->kind == CF_ERR_INPUT)
        count_unread(server, err->msg);
    cf_reply_text(request, status_of(err, outcome), err->msg);
    cf_log_unanswered(phase, err, begin);
}

/* When nobody waits for the answer any more. An API server says "10s", and never more than half a
 * minute, which Go would write in another way. */
static int64_t deadline_of(const struct cf_http_request *request, int64_t begin)
{
    int64_t seconds;

    if (!cf_duration_parse(request->timeout, &seconds) || seconds == 0)
        seconds = CF_REVIEW_SECONDS;
    if (seconds > CF_REVIEW_SECONDS_MAX)
        seconds = CF_REVIEW_SECONDS_MAX;
    return begin + seconds * 1000000;
}

/* What a review of this size may need, beside its body; see limits.h. */
static size_t bound_of(size_t body_len)
{
    size_t steep = CF_REVIEW_STEEP * body_len;
    size_t flat = CF_REVIEW_FLAT * body_len + CF_REVIEW_MORE;

    return CF_REVIEW_BASE + (steep < flat ? steep : flat);
}

/* What one review holds of limits.memory. */
struct room {
    struct cf_budget *budget;
    size_t keep;  /* its thread's own, which was set aside */
    size_t body;  /* bytes, counted by body.c */
    size_t taken; /* beside these two */
    bool large;
    bool refused;  /* more was asked for than there is */
    bool too_much; /* and more than there could ever be */
};

/* For the arena. */
static bool take_room(void *arg, size_t bytes)
{
    struct room *room = arg;
    size_t alone = cf_budget_alone(room->budget, room->large);

    if (cf_budget_take(room->budget, bytes, room->large)) {
        room->taken += bytes;
        return true;
    }
    room->refused = true;
    room->too_much = room->body + room->taken > alone || bytes > alone - room->body - room->taken;
    return false;
}

/* room->refused: there is none. */
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
    cf_budget_give(room->budget, room->taken);
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
    job->room->too_much =
        job->room->body + job->room->taken + answer->len > cf_budget_alone(job->room->budget, true);
    return false;
}

/* It would not fit if it were alone: a verdict, since no later time would do. Only its envelope is
 * read, in what it holds already and, where that is nothing, in a little beside the budget. */
static void refuse_for_ever(const struct job *job, struct cf_outcome *outcome)
{
    static const char sentence[] = "the review needs more memory than limits.memory has";
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
        cf_review_unread(job->arena, &job->in, request->body, request->body_len, 413, sentence,
                         &answer, outcome, &err) == 0 &&
        reply_answer(job, &answer)) {
        cf_log_review(job->arena, job->in.policy, job->phase, outcome, job->begin);
        return;
    }
    outcome->decision = CF_ERROR;
    cf_err_set(&err, "%s", sentence);
    cf_reply_text(job->request, 413, err.msg);
    cf_log_unanswered(job->phase, &err, job->begin);
}

/* Unless it left room->refused, it was answered. */
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
            count_unread(job->server, outcome->unread);
        cf_log_review(job->arena, job->in.policy, job->phase, outcome, job->begin);
        job->room->refused = false; /* a piece, that a smaller one did for */
        return;
    }
    outcome->decision = CF_ERROR;
    outcome->holds_secret = true; /* what could not be read may have held anything */
    if (job->room->refused && (answered || err.kind != CF_ERR_INPUT))
        return;
    job->room->refused = false;
    reply_failed(job->server, job->phase, job->request, outcome, &err, job->begin);
}

/* Returns whether the arena is to be wiped. */
static bool review(const struct job *job)
{
    struct cf_outcome outcome = {.decision = CF_ERROR, .holds_secret = true};

    if (!job->room->refused)
        answer_review(job, &outcome);
    if (job->room->refused && job->room->too_much)
        refuse_for_ever(job, &outcome);
    else if (job->room->refused)
        cf_routes_exhausted(job->server, job->request, true);
    if (!job->room->refused || job->room->too_much)
        cf_stats_review(job->server->stats, job->phase, &outcome,
                        cf_monotonic_micros() - job->begin);
    return outcome.holds_secret;
}

void cf_answer_review(struct cf_server *server, const struct cf_route *route,
                      struct cf_http_request *request)
{
    struct cf_arena *arena = cf_thread_arena(server);
    struct cf_policy_swap *policy;
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
        .policy = cf_policy_swap(policy),
        .store = server->config.store,
        .now = cf_now(),
        .own_user = server->config.own_user,
        .own_namespace = server->config.own_namespace,
        .deadline = deadline_of(request, job.begin),
    };
    open_room(&room, server, arena, request->body_len);
    wipe = review(&job);
    close_room(&room, arena, wipe);
    cf_server_policy_unref(policy);
}
