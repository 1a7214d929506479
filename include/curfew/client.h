/* SPDX-License-Identifier: Apache-2.0 */
/* client.h - a client of the Kubernetes API over HTTPS: credentials, calls, streams.
 *
 * One thread at a time uses a client; each thread that needs one opens its own. Connections are
 * kept alive. Credentials are read again when their file changes or they are about to expire
 * (client-go's rest.InClusterConfig reads a token file at least once a minute), and wiped. */
#ifndef CURFEW_CLIENT_H
#define CURFEW_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "curfew/arena.h"
#include "curfew/buf.h"
#include "curfew/err.h"

struct cf_api;

/* `kubeconfig` names a file; NULL: in-cluster (KUBERNETES_SERVICE_HOST and _PORT, and the files of
 * /var/run/secrets/kubernetes.io/serviceaccount). `context` NULL: current-context. NULL with an
 * error that says what is missing or wrong, and where. The caller closes the client. */
struct cf_api *cf_api_open(const char *kubeconfig, const char *context, struct cf_err *err);
/* A server by its address alone, https://HOST[:PORT], without credentials. `ca_file`: the CAs that
 * verify its certificate, PEM; `server_name`: expected in the certificate, NULL: the host. */
struct cf_api *cf_api_open_at(const char *url, const char *ca_file, const char *server_name,
                              struct cf_err *err);
void cf_api_close(struct cf_api *api); /* takes NULL */

const char *cf_api_server(const struct cf_api *api);    /* "https://10.0.0.1:443" */
const char *cf_api_namespace(const struct cf_api *api); /* of the context, or the pod; never NULL */

/* Whether the kubeconfig names a credential program (`exec`), which runs when credentials are
 * needed. */
bool cf_api_runs_program(const struct cf_api *api);

struct cf_api_call {
    const char *method;       /* "GET", "POST", "PUT", "PATCH", "DELETE" */
    const char *path;         /* "/api/v1/pods?limit=500" */
    const char *accept;       /* NULL: application/json */
    const char *content_type; /* NULL: application/json, where there is a body */
    const char *body;         /* NULL: none */
    size_t body_len;
    /* For the error of a 403, after "to": "list", "secrets in API group \"\"". NULL: the method and
     * the path. */
    const char *verb, *resource;
    size_t max;              /* of the answer, in bytes; a longer one is an error */
    int64_t timeout_seconds; /* of one try; 0: 30 */
    /* For 429, 5xx and broken connections, with backoff and jitter, or after the server's
     * Retry-After; 0: 5 for GET, else 1. */
    unsigned tries;
    /* Called between tries and about four times a second; true cancels the call. NULL: never. */
    bool (*cancelled)(void *arg);
    void *arg;
};

/* 0: the server answered with *status; its body is in `out` (emptied first). -1: no answer, or 401
 * or 403 (CF_ERR_SYSTEM): the error names the server and the reason, for a 403 the verb and the
 * resource that RBAC must allow; *status is then 401, 403 or 0. */
int cf_api_call(struct cf_api *api, const struct cf_api_call *call, unsigned *status,
                struct cf_buf *out, struct cf_err *err);

/* A watch. `data` gets the bytes of a 200 as they come, and ends the stream by returning false; the
 * body of any other status goes to `out`. The stream also ends when nothing came for
 * `silence_seconds`, and when call->cancelled returns true. No retries. 0: it began and has ended;
 * *why is then a static text (CF_API_WHOLE: the answer is complete). -1: as above. */
#define CF_API_WHOLE "the server closed it"
struct cf_api_stream {
    bool (*data)(void *arg, const char *bytes, size_t len);
    /* Called before the request is sent; `kept`: the connection carried an earlier answer. False:
     * the request is not sent, and cf_api_stream() returns -1 without an error. NULL: use any
     * connection. */
    bool (*connected)(void *arg, bool kept);
    void *arg;
    int64_t silence_seconds;
};
int cf_api_stream(struct cf_api *api, const struct cf_api_call *call,
                  const struct cf_api_stream *stream, unsigned *status, struct cf_buf *out,
                  const char **why, struct cf_err *err);

/* How a call is made: the client, and how to cancel (as in struct cf_api_call). */
struct cf_api_caller {
    struct cf_api *api;
    bool (*cancelled)(void *arg);
    void *arg;
};

/* A call about one object: `call` has the method, path, verb, resource and body. It takes up to
 * three tries of 10 s each, also for methods that write, so a write may meet its own earlier try as
 * a conflict. `body` is made in the arena, with room for any object. Else as cf_api_call(). */
int cf_api_call_object(const struct cf_api_caller *caller, struct cf_arena *arena,
                       const struct cf_api_call *call, unsigned *status, struct cf_buf *body,
                       struct cf_err *err);
/* The error for an unexpected status: "WHAT: status 500: MESSAGE", with the message of the Status
 * in `body`. Returns -1. */
int cf_api_fail_status(struct cf_arena *arena, const char *what, unsigned status,
                       const struct cf_buf *body, struct cf_err *err);

/* The version of libcurl: "7.88.1". */
const char *cf_curl_version(void);

#endif
