/* SPDX-License-Identifier: Apache-2.0 */
/* bearer.c - authentication of callers by bearer token (--bearer-jwks); and /authorize, which by
 * default answers authenticated callers only. The TLS handshake checks client certificates: see
 * tls_clients.c. */
#include <stdio.h>

#include "context.h"
#include "curfew/arena.h"
#include "curfew/time.h"
#include "curfew/jwks.h"
#include "curfew/log.h"
#include "curfew/str.h"
#include "http.h"
#include "limits.h"
#include "stats.h"

static int check_bearer_token(struct cf_server *server, const struct cf_http_request *request,
                              struct cf_err *err)
{
    struct cf_token_demands demands = {
        .now = cf_now(),
        .leeway = CF_TOKEN_LEEWAY_SECONDS,
        .issuer = server->config.bearer_issuer,
        .subjects = server->config.bearer_subjects,
        .audiences = server->config.bearer_audiences,
    };
    struct cf_arena *arena = cf_thread_arena(server);
    struct cf_jwks *keys;
    struct cf_token token;
    const char *text;
    size_t len;
    int result;

    if (arena == NULL)
        return cf_err_memory(err);
    if (request->authorized_twice || !cf_bearer_token(request->authorization, &text, &len))
        return cf_err_set(err, "a review requires exactly one Authorization: Bearer token");
    keys = cf_swap_ref(&server->keys);
    result = cf_token_accept(arena, keys, text, len, &demands, &token, err);
    cf_jwks_unref(keys);
    cf_arena_reset(arena, true);
    return result == 0 ? 0 : cf_err_wrap(err, "the bearer token is refused");
}

static void refuse_caller(struct cf_server *server, struct cf_http_request *request,
                          unsigned status, struct cf_err *err)
{
    struct cf_http_reply reply = {.status = status,
                                  .authenticate = status == 401 ? "Bearer" : NULL};
    char text[sizeof(err->msg) + 2];

    cf_stats_reject(server->stats, CF_REJECT_CLIENT);
    cf_log(cf_stats_rarely(&server->stats->refused) ? CF_LOG_WARN : CF_LOG_DEBUG,
           "a client was refused", CF_LOG_S("error", err->msg));
    reply.len = (size_t)snprintf(text, sizeof(text), "%s\n", err->msg);
    reply.body = text;
    cf_http_reply(request, &reply);
}

/* Answers of /authorize reveal which objects belong to which node, and which accounts are
 * restricted: an anonymous caller could learn what its boundary hides. */
static bool answers_anonymous(const struct cf_server *server, const struct cf_route *route)
{
    return route->phase != CF_PHASE_AUTHORIZE || server->config.client_ca != NULL ||
           server->config.authorize_anonymous;
}

bool cf_caller_check(struct cf_server *server, const struct cf_route *route,
                     struct cf_http_request *request)
{
    struct cf_err err = {.kind = CF_ERR_NONE};
    unsigned status = 401;
    int result;

    if (server->config.bearer_jwks != NULL) {
        result = check_bearer_token(server, request, &err);
        cf_http_forget_token(request);
    } else if (answers_anonymous(server, route)) {
        return true;
    } else {
        status = 403;
        result = cf_err_set(&err, "this path answers authenticated callers only, and this server "
                                  "authenticates no callers: start it with --client-ca or "
                                  "--bearer-jwks");
    }
    if (result != 0)
        refuse_caller(server, request, status, &err);
    return result == 0;
}
