/* SPDX-License-Identifier: Apache-2.0 */
/* routes.c - the paths of the ports for reviews and metrics, the checks of a request before its
 * body is read, and short answers in plain text. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "curfew/attr.h"
#include "curfew/buf.h"
#include "curfew/str.h"
#include "curfew/process.h"
#include "curfew/writer.h"
#include "context.h"
#include "http.h"
#include "limits.h"
#include "stats.h"

/* ---- headers ---- */

/* RFC 9110, 5.6.2: the characters of a header name. A proxy that reads "Transfer-Encoding " as
 * "Transfer-Encoding" would see a different body than Curfew, and the rest of it as another request
 * (request smuggling). libmicrohttpd 0.9.75 accepts such names, later versions reject them: Curfew
 * checks them with every version. */
static bool is_header_name(const char *name, size_t len)
{
    static const char others[] = "!#$%&'*+-.^_`|~";

    for (size_t i = 0; i < len; i++) {
        char c = name[i];

        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
            (c == '\0' || strchr(others, c) == NULL))
            return false;
    }
    return len > 0;
}

/* RFC 9110, 5.5: no control character except the tab. */
static bool is_header_value(const char *value, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)value[i];

        if ((c < ' ' && c != '\t') || c == 0x7F)
            return false;
    }
    return true;
}

void cf_http_header(struct cf_http_request *request, const char *name, size_t name_len,
                    const char *value, size_t value_len)
{
    const struct {
        const char *name;
        const char **value;
    } wanted[] = {
        {"Content-Type", &request->content_type},
        {"Content-Length", &request->content_length},
        {"Content-Encoding", &request->content_encoding},
        {"Transfer-Encoding", &request->transfer_encoding},
    };

    if (!is_header_name(name, name_len)) {
        request->fault = "a header name contains an invalid character, such as a space";
        return;
    }
    if (!is_header_value(value, value_len)) {
        request->fault = "a header value contains a control character";
        return;
    }
    if (strcasecmp(name, "Host") == 0)
        request->hosts++;
    if (strcasecmp(name, "Authorization") == 0) {
        request->authorized_twice = request->authorization != NULL;
        request->authorization = value;
    }
    for (size_t i = 0; i < CF_COUNT(wanted); i++) {
        if (strcasecmp(name, wanted[i].name) != 0)
            continue;
        request->repeated = request->repeated || *wanted[i].value != NULL;
        *wanted[i].value = value;
    }
}

/* RFC 9112, 3.2: HTTP/1.1 requires exactly one Host header. */
void cf_http_headers_end(struct cf_http_request *request, const char *version)
{
    if (request->fault != NULL)
        return;
    if (request->hosts > 1)
        request->fault = "the Host header is repeated";
    else if (request->hosts == 0 && !cf_streq(version, "HTTP/1.0"))
        request->fault = "an HTTP/1.1 request requires a Host header";
}

/* The value is in the connection's memory, which is writable; libmicrohttpd declares it const
 * because it may read headers again, which it does not do after this. */
void cf_http_forget_token(struct cf_http_request *request)
{
    if (request->authorization != NULL)
        explicit_bzero((char *)(uintptr_t)request->authorization, strlen(request->authorization));
    request->authorization = NULL;
}

/* ---- short answers ---- */

static void reply_message(struct cf_http_request *request, unsigned status, const char *allow,
                          const char *message)
{
    char text[sizeof(((struct cf_err *)0)->msg) + 2];
    int len = snprintf(text, sizeof(text), "%.*s\n", (int)sizeof(text) - 2, message);
    struct cf_http_reply reply = {.status = status, .allow = allow, .body = text};

    reply.len = len > 0 ? (size_t)len : 0;
    cf_http_reply(request, &reply);
}

void cf_reply_text(struct cf_http_request *request, unsigned status, const char *message)
{
    reply_message(request, status, NULL, message);
}

void cf_reply_method(struct cf_http_request *request, const char *allow)
{
    char message[64];

    snprintf(message, sizeof(message), "this path accepts only %s",
             cf_streq(allow, "POST") ? "POST" : "GET and HEAD");
    reply_message(request, 405, allow, message);
}

bool cf_has_body(const struct cf_http_request *request)
{
    return request->transfer_encoding != NULL ||
           (request->content_length != NULL && !cf_streq(request->content_length, "0"));
}

/* ---- /version and /metrics ---- */

static void reply_buf(struct cf_http_request *request, const char *type, struct cf_buf *buf)
{
    struct cf_http_reply reply = {.status = 200, .type = type, .body = buf->data, .len = buf->len};

    if (cf_buf_ok(buf))
        cf_http_reply(request, &reply);
    else
        cf_reply_text(request, 500, "out of memory");
    cf_buf_free(buf);
}

static void answer_version(struct cf_server *server, const struct cf_route *route,
                           struct cf_http_request *request)
{
    struct cf_buf buf;
    struct cf_out out;

    (void)server, (void)route;
    cf_buf_init(&buf, 4 * CF_KIB);
    cf_out_init(&out, &buf);
    cf_out_object(&out, NULL);
    cf_out_str(&out, "version", cf_version());
    cf_out_str(&out, "revision", cf_revision());
    cf_out_end_object(&out);
    cf_buf_addc(&buf, '\n');
    reply_buf(request, "application/json", &buf);
}

static void answer_metrics(struct cf_server *server, const struct cf_route *route,
                           struct cf_http_request *request)
{
    struct cf_buf buf;

    (void)route;
    cf_buf_init(&buf, CF_METRICS_MAX);
    cf_metrics_write(server, &buf);
    reply_buf(request, "text/plain; version=0.0.4; charset=utf-8", &buf);
}

/* ---- paths ---- */

static const struct cf_route review_routes[] = {
    {"/mutate", "POST", true, CF_PHASE_MUTATE, cf_answer_review},
    {"/validate", "POST", true, CF_PHASE_VALIDATE, cf_answer_review},
    {"/mutate/kubelet", "POST", true, CF_PHASE_MUTATE_KUBELET, cf_answer_review},
    {"/authorize", "POST", true, CF_PHASE_AUTHORIZE, cf_answer_review},
    {NULL, NULL, false, CF_PHASE_VALIDATE, NULL},
};

static const struct cf_route metrics_routes[] = {
    {"/metrics", "GET, HEAD", false, CF_PHASE_VALIDATE, answer_metrics},
    {"/version", "GET, HEAD", false, CF_PHASE_VALIDATE, answer_version},
    {NULL, NULL, false, CF_PHASE_VALIDATE, NULL},
};

static const struct cf_route *find_route(const struct cf_route *routes, const char *path)
{
    for (; routes->path != NULL; routes++) {
        if (cf_streq(routes->path, path))
            return routes;
    }
    return NULL;
}

/* ---- checks before the body is read ---- */

/* Always returns false, so that a check can `return refuse_request(...)`. */
static bool refuse_request(struct cf_server *server, struct cf_http_request *request,
                           enum cf_reject reason, unsigned status, const char *message)
{
    cf_stats_reject(server->stats, reason);
    cf_reply_text(request, status, message);
    return false;
}

static bool refuse_method(struct cf_server *server, struct cf_http_request *request,
                          const char *allow)
{
    cf_stats_reject(server->stats, CF_REJECT_METHOD);
    cf_reply_method(request, allow);
    return false;
}

/* Whether `methods`, a list such as "GET, HEAD", contains this one; methods are case-sensitive. */
static bool has_method(const char *methods, const char *method)
{
    size_t len = strlen(method);
    const char *at = strstr(methods, method);

    return len > 0 && at != NULL && (at == methods || at[-1] == ' ') &&
           (at[len] == '\0' || at[len] == ',');
}

/* application/json with any parameters: JSON is always UTF-8. */
static bool is_json_type(const char *type)
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
    struct cf_policy *policy = cf_server_policy_ref(server);
    size_t max = policy->max_body;

    cf_policy_free(policy);
    return max;
}

static bool check_body_length(struct cf_server *server, struct cf_http_request *request,
                              size_t *body_len)
{
    size_t max = max_body(server);
    char message[96];
    int64_t length;

    if (request->transfer_encoding != NULL || request->content_length == NULL)
        return refuse_request(server, request, CF_REJECT_LENGTH, 411,
                              "a review requires a Content-Length and must not be chunked");
    if (!cf_str_int64(request->content_length, &length) || length < 0)
        return refuse_request(server, request, CF_REJECT_LENGTH, 400,
                              "the Content-Length is not a number");
    if ((uint64_t)length > max) {
        snprintf(message, sizeof(message), "the review is longer than %zu bytes (limits.maxBody)",
                 max);
        return refuse_request(server, request, CF_REJECT_SIZE, 413, message);
    }
    if (length == 0)
        return refuse_request(server, request, CF_REJECT_LENGTH, 400, "a review requires a body");
    *body_len = (size_t)length;
    return true;
}

static bool check_review_headers(struct cf_server *server, struct cf_http_request *request,
                                 size_t *body_len)
{
    const char *encoding = request->content_encoding;

    if (request->repeated)
        return refuse_request(server, request, CF_REJECT_LENGTH, 400,
                              "a header that describes the body is repeated");
    if (!is_json_type(request->content_type))
        return refuse_request(server, request, CF_REJECT_TYPE, 415,
                              "a review requires the Content-Type application/json");
    if (encoding != NULL && strcasecmp(encoding, "identity") != 0)
        return refuse_request(server, request, CF_REJECT_ENCODING, 415,
                              "a review must not have a Content-Encoding");
    return check_body_length(server, request, body_len);
}

static bool accept_request(struct cf_server *server, const struct cf_route *routes,
                           const char *no_path, struct cf_http_request *request, size_t *body_len)
{
    const struct cf_route *route = find_route(routes, request->path);

    if (request->fault != NULL)
        return refuse_request(server, request, CF_REJECT_HEADER, 400, request->fault);
    if (route == NULL)
        return refuse_request(server, request, CF_REJECT_PATH, 404, no_path);
    if (!has_method(route->methods, request->method))
        return refuse_method(server, request, route->methods);
    if (route->takes_review && !cf_caller_check(server, route, request))
        return false;
    if (route->takes_review)
        return check_review_headers(server, request, body_len);
    if (cf_has_body(request))
        return refuse_request(server, request, CF_REJECT_SIZE, 413,
                              "this path does not accept a body");
    return true;
}

/* ---- callbacks of the ports ---- */

bool cf_routes_accept_review(void *arg, struct cf_http_request *request, size_t *body_len)
{
    return accept_request(arg, review_routes,
                          "not found: reviews go to /mutate, /validate, "
                          "/mutate/kubelet or /authorize",
                          request, body_len);
}

bool cf_routes_accept_metrics(void *arg, struct cf_http_request *request, size_t *body_len)
{
    return accept_request(arg, metrics_routes, "not found: this port serves /metrics and /version",
                          request, body_len);
}

void cf_routes_answer_review(void *arg, struct cf_http_request *request)
{
    const struct cf_route *route = find_route(review_routes, request->path);

    route->answer(arg, route, request);
}

void cf_routes_answer_metrics(void *arg, struct cf_http_request *request)
{
    const struct cf_route *route = find_route(metrics_routes, request->path);

    route->answer(arg, route, request);
}

void cf_routes_exhausted(void *arg, struct cf_http_request *request, bool busy)
{
    static const char message[] =
        "too many reviews at once (limits.memory): try again in a second\n";
    struct cf_http_reply reply = {
        .status = 429, .retry_after = "1", .body = message, .len = sizeof(message) - 1};
    struct cf_server *server = arg;

    cf_stats_reject(server->stats, CF_REJECT_BUSY);
    if (busy)
        cf_http_reply(request, &reply);
    else
        cf_reply_text(request, 500, "out of memory");
}
