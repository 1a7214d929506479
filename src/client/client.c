/* SPDX-License-Identifier: Apache-2.0 */
/* client.c - calls and streams: credentials, tries, and what errors say. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "transport.h"
#include "curfew/json.h"
#include "curfew/limits.h"
#include "curfew/str.h"
#include "curfew/time.h"

#define TRIES_OF_GET 5
#define BACKOFF_MILLIS 250
#define BACKOFF_MAX_MILLIS 10000
/* A longer Retry-After is cut to this. */
#define RETRY_AFTER_MAX_MILLIS 60000
#define CANCEL_CHECK_MILLIS 250

/* ---- opening ---- */

/* Takes over the credentials. */
static struct cf_api *new_api(struct cf_credentials *creds, struct cf_err *err)
{
    struct cf_api *api = creds != NULL ? calloc(1, sizeof(*api)) : NULL;

    if (creds == NULL)
        return NULL;
    if (api == NULL) {
        cf_err_memory(err);
        cf_credentials_free(creds);
        return NULL;
    }
    api->creds = creds;
    api->wire = cf_wire_new();
    if (api->wire != NULL)
        return api;
    cf_err_memory(err);
    cf_api_close(api);
    return NULL;
}

struct cf_api *cf_api_open(const char *kubeconfig, const char *context, struct cf_err *err)
{
    struct cf_err unused = {.kind = CF_ERR_NONE};

    err = err != NULL ? err : &unused;
    return new_api(kubeconfig != NULL ? cf_credentials_kubeconfig(kubeconfig, context, err)
                                      : cf_credentials_in_cluster(NULL, err),
                   err);
}

struct cf_api *cf_api_open_at(const char *url, const char *ca_file, const char *server_name,
                              struct cf_err *err)
{
    struct cf_err unused = {.kind = CF_ERR_NONE};

    err = err != NULL ? err : &unused;
    return new_api(cf_credentials_at(url, ca_file, server_name, err), err);
}

void cf_api_close(struct cf_api *api)
{
    if (api == NULL)
        return;
    cf_wire_free(api->wire);
    cf_credentials_free(api->creds);
    free(api);
}

bool cf_api_runs_program(const struct cf_api *api)
{
    return api->creds->exec != NULL;
}

const char *cf_api_server(const struct cf_api *api)
{
    return api->creds->server;
}

const char *cf_api_namespace(const struct cf_api *api)
{
    return api->creds->namespace;
}

/* ---- refusals ---- */

/* Reads a message of RBAC: `secrets is forbidden: User "system:serviceaccount:a:b" cannot list
 * resource "secrets" in API group "" in the namespace "shop"`. Finds the user's name, and the
 * namespace with the words before it ("" without one). False: another 403, of admission or quota.
 */
static bool read_rbac(const char *message, char user[256], char where[320])
{
    static const char marker[] = "User \"", in[] = " in the namespace \"";
    const char *name = strstr(message, marker), *end, *scope;

    if (name == NULL)
        return false;
    name += strlen(marker);
    end = strchr(name, '"');
    if (end == NULL || !cf_starts_with(end + 1, " cannot "))
        return false;
    snprintf(user, 256, "%.*s", (int)(end - name), name);
    scope = strstr(end, in);
    snprintf(where, 320, "%.*s",
             scope != NULL ? (int)(strcspn(scope + strlen(in), "\"") + strlen(in) + 1) : 0,
             cf_str_or_empty(scope));
    return true;
}

static void explain_forbidden(const struct cf_credentials *creds, const struct cf_api_call *call,
                              const char *message, struct cf_err *err)
{
    char user[256], where[320];

    if (message == NULL) {
        cf_err_system(err, "%s does not allow %s to %s %.200s (403)", creds->server, creds->who,
                      call->verb != NULL ? call->verb : call->method,
                      call->resource != NULL ? call->resource : call->path);
    } else if (!read_rbac(message, user, where)) {
        cf_err_system(err, "%s rejected %s %.100s: %.300s", creds->server, call->method, call->path,
                      message);
    } else {
        cf_err_system(
            err, "%s: RBAC does not allow \"%s\" to %s %.200s%s; grant it with a %sClusterRole",
            creds->server, user, call->verb != NULL ? call->verb : call->method,
            call->resource != NULL ? call->resource : call->path, where,
            where[0] != '\0' ? "Role or " : "");
    }
}

/* Sets err for a 401 or 403, from the Status that the server sent. Returns -1. */
static int explain_refusal(const struct cf_credentials *creds, const struct cf_exchange *exchange,
                           struct cf_err *err)
{
    struct cf_arena *arena = cf_arena_new(CF_MIB);
    const struct cf_json *status = NULL;
    const char *message;

    if (exchange->status == 401) {
        cf_arena_free(arena);
        return cf_err_system(err,
                             "%s rejected the credentials of %s (401): they are invalid or expired",
                             creds->server, creds->who);
    }
    if (arena != NULL && exchange->out->len < 64 * CF_KIB)
        status =
            cf_json_parse(arena, cf_buf_str(exchange->out), exchange->out->len, NULL, NULL, NULL);
    message = cf_json_str(cf_json_get(status, "message"));
    explain_forbidden(creds, exchange->call, message, err);
    cf_arena_free(arena);
    return -1;
}

/* ---- tries ---- */

static int64_t pause_before(unsigned try, int64_t retry_after)
{
    int64_t millis = BACKOFF_MILLIS;

    if (retry_after > 0) {
        millis = retry_after > RETRY_AFTER_MAX_MILLIS / 1000 ? RETRY_AFTER_MAX_MILLIS
                                                             : retry_after * 1000;
        return millis + cf_jitter(BACKOFF_MILLIS / 2, BACKOFF_MILLIS);
    }
    for (unsigned i = 1; i < try && millis < BACKOFF_MAX_MILLIS; i++)
        millis *= 2;
    if (millis > BACKOFF_MAX_MILLIS)
        millis = BACKOFF_MAX_MILLIS;
    return cf_jitter(millis / 2, millis);
}

static bool call_cancelled(const struct cf_api_call *call)
{
    return call->cancelled != NULL && call->cancelled(call->arg);
}

/* False: cancelled. */
static bool wait_before(const struct cf_api_call *call, unsigned try, int64_t retry_after)
{
    int64_t left = pause_before(try, retry_after);

    while (left > 0 && !call_cancelled(call)) {
        int64_t slice = left < CANCEL_CHECK_MILLIS ? left : CANCEL_CHECK_MILLIS;

        poll(NULL, 0, (int)slice);
        left -= slice;
    }
    return !call_cancelled(call);
}

static bool worth_another(const struct cf_exchange *x)
{
    return x->end == CF_WIRE_BROKEN ||
           (x->end == CF_WIRE_ANSWERED && (x->status == 429 || x->status >= 500));
}

/* One exchange with fresh credentials. After a 401 they are read again, and it is repeated once. */
static int run_exchange(struct cf_api *api, struct cf_exchange *x, struct cf_err *err)
{
    const struct cf_api_call *call = x->call;

    for (int round = 0; round < 2; round++) {
        if (cf_credentials_refresh(api->creds, round > 0, call->cancelled, call->arg, err) != 0)
            return -1;
        cf_wire_exchange(api->wire, api->creds, x, err);
        if (x->status != 401)
            return 0;
    }
    return 0;
}

/* Errors of earlier tries are not reported when a later one got an answer. */
static int copy_failure(struct cf_err *err, const struct cf_err *why)
{
    if (err != NULL)
        *err = *why;
    return -1;
}

int cf_api_call(struct cf_api *api, const struct cf_api_call *call, unsigned *status,
                struct cf_buf *out, struct cf_err *err)
{
    struct cf_exchange x = {.call = call, .out = out};
    struct cf_err why = {.kind = CF_ERR_NONE};
    unsigned tries =
        call->tries != 0 ? call->tries : (cf_streq(call->method, "GET") ? TRIES_OF_GET : 1);

    *status = 0;
    for (unsigned try = 1;; try++) {
        if (run_exchange(api, &x, &why) != 0)
            return copy_failure(err, &why);
        if (!worth_another(&x) || try >= tries)
            break;
        if (!wait_before(call, try, x.retry_after))
            return cf_err_system(err, "%s: cancelled, shutting down", api->creds->server);
    }
    *status = x.status;
    if (x.end == CF_WIRE_ANSWERED && x.status != 401 && x.status != 403)
        return 0;
    if (x.end == CF_WIRE_ANSWERED)
        return explain_refusal(api->creds, &x, err);
    *status = 0;
    return copy_failure(err, &why);
}

static const char *why_of(enum cf_wire_end end)
{
    switch (end) {
    case CF_WIRE_ANSWERED:
        return CF_API_WHOLE;
    case CF_WIRE_READER:
        return "the reader ended it";
    case CF_WIRE_SILENT:
        return "no data for too long";
    case CF_WIRE_CANCELLED:
        return "shutting down";
    case CF_WIRE_BROKEN:
    case CF_WIRE_REFUSED:
        break;
    }
    return "the connection broke";
}

int cf_api_stream(struct cf_api *api, const struct cf_api_call *call,
                  const struct cf_api_stream *stream, unsigned *status, struct cf_buf *out,
                  const char **why, struct cf_err *err)
{
    struct cf_exchange x = {.call = call, .stream = stream, .out = out};
    struct cf_err reason = {.kind = CF_ERR_NONE};

    *status = 0;
    if (run_exchange(api, &x, &reason) != 0)
        return copy_failure(err, &reason);
    *status = x.status;
    if (x.status == 401 || x.status == 403)
        return explain_refusal(api->creds, &x, err);
    if (x.status == 200 || (x.status != 0 && x.end == CF_WIRE_ANSWERED)) {
        *why = why_of(x.end);
        return 0;
    }
    *status = 0;
    return copy_failure(err, &reason);
}

/* ---- calls about one object ---- */

#define OBJECT_TRIES 3
#define OBJECT_SECONDS 10
#define OBJECT_MAX (2 * CF_MIB) /* etcd limits an object to 1.5 MiB */

int cf_api_call_object(const struct cf_api_caller *caller, struct cf_arena *arena,
                       const struct cf_api_call *call, unsigned *status, struct cf_buf *body,
                       struct cf_err *err)
{
    struct cf_api_call all = *call;

    all.max = OBJECT_MAX;
    all.tries = OBJECT_TRIES;
    all.timeout_seconds = OBJECT_SECONDS;
    all.cancelled = caller->cancelled;
    all.arg = caller->arg;
    cf_buf_init_arena(body, arena, OBJECT_MAX);
    return cf_api_call(caller->api, &all, status, body, err);
}

int cf_api_fail_status(struct cf_arena *arena, const char *what, unsigned status,
                       const struct cf_buf *body, struct cf_err *err)
{
    const struct cf_json *answer =
        cf_json_parse(arena, cf_buf_str(body), body->len, NULL, NULL, NULL);
    const char *message = cf_json_str(cf_json_get(answer, "message"));

    return cf_err_system(err, "%s: status %u%s%.200s", cf_str_or_empty(what), status,
                         message != NULL ? ": " : "", cf_str_or_empty(message));
}
