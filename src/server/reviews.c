/* SPDX-License-Identifier: Apache-2.0 */
/* reviews.c - from the bytes of a review to its answer, its log line and its metrics. */
#include "context.h"
#include "curfew/arena.h"
#include "curfew/clock.h"
#include "curfew/limits.h"
#include "curfew/str.h"
#include "http.h"
#include "reply.h"
#include "stats.h"

struct cf_arena *cf_thread_arena(const struct cf_server *server)
{
    struct cf_arena *arena = pthread_getspecific(server->arenas);

    if (arena != NULL)
        return arena;
    arena = cf_arena_new(CF_ARENA_MAX);
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
                         struct cf_err *err, int64_t micros)
{
    if (err->kind == CF_ERR_INPUT)
        count_unread(server, err->msg);
    cf_str_sanitize(err->msg);
    cf_reply_text(request, status_of(err, outcome), err->msg);
    cf_log_unanswered(phase, err, micros);
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

static void review(struct cf_server *server, const struct cf_policy *policy, enum cf_phase phase,
                   struct cf_arena *arena, struct cf_http_request *request)
{
    int64_t begin = cf_monotonic_micros();
    struct cf_review_input in = {
        .phase = phase,
        .policy = policy,
        .store = server->config.store,
        .now = cf_now(),
        .own_user = server->config.own_user,
        .own_namespace = server->config.own_namespace,
        .deadline = deadline_of(request, begin),
    };
    int (*answer_it)(struct cf_arena *, const struct cf_review_input *, const char *, size_t,
                     struct cf_buf *, struct cf_outcome *, struct cf_err *) =
        phase == CF_PHASE_AUTHORIZE ? cf_authorize_answer : cf_review_answer;
    struct cf_outcome outcome = {.decision = CF_ERROR};
    struct cf_err err = {.kind = CF_ERR_NONE};
    struct cf_buf answer;
    int64_t micros;
    int result;

    cf_buf_init_arena(&answer, arena, CF_ANSWER_MAX);
    result = answer_it(arena, &in, request->body != NULL ? request->body : "", request->body_len,
                       &answer, &outcome, &err);
    micros = cf_monotonic_micros() - begin;
    if (result != 0)
        outcome.decision = CF_ERROR;
    cf_stats_review(server->stats, phase, &outcome, micros);
    if (result == 0) {
        struct cf_http_reply reply = {
            .status = 200, .type = "application/json", .body = answer.data, .len = answer.len};

        cf_http_reply(request, &reply);
        if (outcome.unread != NULL)
            count_unread(server, outcome.unread);
        cf_log_review(arena, in.policy, phase, &outcome, micros);
    } else {
        reply_failed(server, phase, request, &outcome, &err, micros);
    }
    /* What could not be read may have held anything. */
    cf_arena_reset(arena, outcome.holds_secret || result != 0);
}

void cf_answer_review(struct cf_server *server, const struct cf_route *route,
                      struct cf_http_request *request)
{
    struct cf_arena *arena = cf_thread_arena(server);
    struct cf_held_policy *policy;

    if (arena == NULL) {
        cf_routes_exhausted(server, request, false);
        return;
    }
    policy = cf_server_hold_policy(server);
    review(server, cf_held_policy(policy), route->phase, arena, request);
    cf_server_let_policy(policy);
}
