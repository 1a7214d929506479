/* SPDX-License-Identifier: Apache-2.0 */
/* routes.c - the paths of each port, what is checked of a request before its body is read, and the
 * short answers in plain text. */
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

/* RFC 9110, 5.6.2: what a name is made of. A proxy that trims "Transfer-Encoding " before it looks
 * reads another body than we do, and the rest as another request. libmicrohttpd 0.9.75 passes such
 * names on, later ones refuse them: it is checked here whatever the library does. */
static bool is_name(const char *name, size_t len)
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

/* RFC 9110, 5.5: no control character but the tab. */
static bool is_value(const char *value, size_t len)
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

    if (!is_name(name, name_len)) {
        request->fault = "a header's name holds a character that no name has, such as a space";
        return;
    }
    if (!is_value(value, value_len)) {
        request->fault = "a header's value holds a control character";
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

/* RFC 9112, 3.2: exactly one Host, from HTTP/1.1 on. */
void cf_http_headers_end(struct cf_http_request *request, const char *version)
{
    if (request->fault != NULL)
        return;
    if (request->hosts > 1)
        request->fault = "the header Host was given twice";
    else if (request->hosts == 0 && !cf_streq(version, "HTTP/1.0"))
        request->fault = "a request of HTTP/1.1 must come with the header Host";
}

/* The value stands in the connection's own memory, which is writable; libmicrohttpd's const keeps
 * its users from writing to what it may read again. It reads no header after this. */
void cf_http_forget_token(struct cf_http_request *request)
{
    if (request->authorization != NULL)
        explicit_bzero((char *)(uintptr_t)request->authorization, strlen(request->authorization));
    request->authorization = NULL;
}

/* ---- reply ---- */

static void reply_sentence(struct cf_http_request *request, unsigned status, const char *allow,
                           const char *sentence)
{
    char text[sizeof(((struct cf_err *)0)->msg) + 2];
    int len = snprintf(text, sizeof(text), "%.*s\n", (int)sizeof(text) - 2, sentence);
    struct cf_http_reply reply = {.status = status, .allow = allow, .body = text};

    reply.len = len > 0 ? (size_t)len : 0;
    cf_http_reply(request, &reply);
}

void cf_reply_text(struct cf_http_request *request, unsigned status, const char *sentence)
{
    reply_sentence(request, status, NULL, sentence);
}

void cf_reply_method(struct cf_http_request *request, const char *allow)
{
    char sentence[64];

    snprintf(sentence, sizeof(sentence), "this path takes %s only",
             cf_streq(allow, "POST") ? "POST" : "GET and HEAD");
    reply_sentence(request, 405, allow, sentence);
}

bool cf_has_body(const struct cf_http_request *request)
{
    return request->transfer_encoding != NULL ||
           (request->content_length != NULL && !cf_streq(request->content_length, "0"));
}

/* ---- plain ---- */

/* the metrics port: what runs here, and what has it done. */

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

/* ---- routes ---- */

/* which paths there are, and what is checked of a request before its body is read. */

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
    struct cf_policy *policy = cf_server_policy_ref(server);
    size_t max = policy->max_body;

    cf_policy_free(policy);
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
