/* SPDX-License-Identifier: Apache-2.0 */
/* routes.c - which paths there are, and what is checked of a request before its body is read. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "context.h"
#include "curfew/str.h"
#include "http.h"
#include "reply.h"
#include "stats.h"

static const struct cf_route review_routes[] = {
    {"/mutate", "POST", true, CF_PHASE_MUTATE, cf_answer_review},
    {"/validate", "POST", true, CF_PHASE_VALIDATE, cf_answer_review},
    {"/mutate/kubelet", "POST", true, CF_PHASE_MUTATE_KUBELET, cf_answer_review},
    {"/authorize", "POST", true, CF_PHASE_AUTHORIZE, cf_answer_review},
    {NULL, NULL, false, CF_PHASE_VALIDATE, NULL},
};

static const struct cf_route metrics_routes[] = {
    {"/metrics", "GET, HEAD", false, CF_PHASE_VALIDATE, cf_answer_metrics},
    {"/version", "GET, HEAD", false, CF_PHASE_VALIDATE, cf_answer_version},
    {NULL, NULL, false, CF_PHASE_VALIDATE, NULL},
};

static const struct cf_route *find(const struct cf_route *routes, const char *path)
{
    for (; routes->path != NULL; routes++) {
        if (cf_streq(routes->path, path))
            return routes;
    }
    return NULL;
}

/* Always false, so that a check can `return refuse(...)`. */
static bool refuse(struct cf_server *server, struct cf_http_request *request, enum cf_reject reason,
                   unsigned status, const char *sentence)
{
    cf_stats_reject(server->stats, reason);
    cf_reply_text(request, status, sentence);
    return false;
}

static bool refuse_method(struct cf_server *server, struct cf_http_request *request,
                          const char *allow)
{
    cf_stats_reject(server->stats, CF_REJECT_METHOD);
    cf_reply_method(request, allow);
    return false;
}

/* Whether `methods`, a list as in "GET, HEAD", has this one; methods are case-sensitive. */
static bool has_method(const char *methods, const char *method)
{
    size_t len = strlen(method);
    const char *at = strstr(methods, method);

    return len > 0 && at != NULL && (at == methods || at[-1] == ' ') &&
           (at[len] == '\0' || at[len] == ',');
}

/* application/json, whatever its parameters say: JSON is UTF-8. */
static bool is_json(const char *type)
{
    static const char json[] = "application/json";
    size_t len = sizeof(json) - 1;

    if (type == NULL || strncasecmp(type, json, len) != 0)
        return false;
    type += len;
    type += strspn(type, " \t");
    return *type == '\0' || *type == ';';
}

static size_t max_body(struct cf_server *server)
{
    struct cf_policy_swap *policy = cf_server_policy_ref(server);
    size_t max = cf_policy_swap(policy)->max_body;

    cf_server_policy_unref(policy);
    return max;
}

static bool check_length(struct cf_server *server, struct cf_http_request *request,
                         size_t *body_len)
{
    size_t max = max_body(server);
    char sentence[96];
    int64_t length;

    if (request->transfer_encoding != NULL || request->content_length == NULL)
        return refuse(server, request, CF_REJECT_LENGTH, 411,
                      "a review must come with a Content-Length, not chunked");
    if (!cf_str_int64(request->content_length, &length) || length < 0)
        return refuse(server, request, CF_REJECT_LENGTH, 400, "the Content-Length is no number");
    if ((uint64_t)length > max) {
        snprintf(sentence, sizeof(sentence),
                 "a review of more than %zu bytes (limits.maxBody) is "
                 "not read",
                 max);
        return refuse(server, request, CF_REJECT_SIZE, 413, sentence);
    }
    if (length == 0)
        return refuse(server, request, CF_REJECT_LENGTH, 400, "a review must come with a body");
    *body_len = (size_t)length;
    return true;
}

static bool check_review(struct cf_server *server, struct cf_http_request *request,
                         size_t *body_len)
{
    const char *encoding = request->content_encoding;

    if (request->repeated)
        return refuse(server, request, CF_REJECT_LENGTH, 400,
                      "a header that describes the body was given twice");
    if (!is_json(request->content_type))
        return refuse(server, request, CF_REJECT_TYPE, 415,
                      "a review must come with the Content-Type application/json");
    if (encoding != NULL && strcasecmp(encoding, "identity") != 0)
        return refuse(server, request, CF_REJECT_ENCODING, 415,
                      "a review must come without a Content-Encoding");
    return check_length(server, request, body_len);
}

static bool accept_request(struct cf_server *server, const struct cf_route *routes,
                           const char *no_path, struct cf_http_request *request, size_t *body_len)
{
    const struct cf_route *route = find(routes, request->path);

    if (request->fault != NULL)
        return refuse(server, request, CF_REJECT_HEADER, 400, request->fault);
    if (route == NULL)
        return refuse(server, request, CF_REJECT_PATH, 404, no_path);
    if (!has_method(route->methods, request->method))
        return refuse_method(server, request, route->methods);
    if (route->takes_review && !cf_caller_check(server, route, request))
        return false;
    if (route->takes_review)
        return check_review(server, request, body_len);
    if (cf_has_body(request))
        return refuse(server, request, CF_REJECT_SIZE, 413, "this path takes no body");
    return true;
}

bool cf_routes_accept_review(void *arg, struct cf_http_request *request, size_t *body_len)
{
    return accept_request(arg, review_routes,
                          "nothing is served at this path: reviews go to /mutate, /validate, "
                          "/mutate/kubelet or /authorize",
                          request, body_len);
}

bool cf_routes_accept_metrics(void *arg, struct cf_http_request *request, size_t *body_len)
{
    return accept_request(arg, metrics_routes,
                          "nothing is served at this path: there are /metrics and /version",
                          request, body_len);
}

void cf_routes_answer_review(void *arg, struct cf_http_request *request)
{
    const struct cf_route *route = find(review_routes, request->path);

    route->answer(arg, route, request);
}

void cf_routes_answer_metrics(void *arg, struct cf_http_request *request)
{
    const struct cf_route *route = find(metrics_routes, request->path);

    route->answer(arg, route, request);
}

void cf_routes_exhausted(void *arg, struct cf_http_request *request, bool busy)
{
    static const char sentence[] =
        "too many reviews at once (limits.memory): try again in a second\n";
    struct cf_http_reply reply = {
        .status = 429, .retry_after = "1", .body = sentence, .len = sizeof(sentence) - 1};
    struct cf_server *server = arg;

    cf_stats_reject(server->stats, CF_REJECT_BUSY);
    if (busy)
        cf_http_reply(request, &reply);
    else
        cf_reply_text(request, 500, "out of memory");
}
