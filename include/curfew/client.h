/* SPDX-License-Identifier: Apache-2.0 */
/* client.h - the Kubernetes API over HTTPS: who we are there, one request, one stream.
 *
 * A client belongs to one thread at a time; each thread that needs one opens its own. Connections
 * are kept alive. Credentials are read anew when their file changes or they are about to expire
 * (client-go rest.InClusterConfig: a token file is re-read at least once a minute), and wiped. */
#ifndef CURFEW_API_H
#define CURFEW_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "curfew/buf.h"
#include "curfew/err.h"

struct cf_api;

/* `kubeconfig` names a file; NULL: in-cluster (KUBERNETES_SERVICE_HOST and _PORT, and the files of
 * /var/run/secrets/kubernetes.io/serviceaccount). `context` NULL: current-context. NULL and a
 * sentence: what is missing or wrong, where, and what would be right. */
struct cf_api *cf_api_open(const char *kubeconfig, const char *context, struct cf_err *err);
/* A server by its address alone, https://HOST[:PORT], without credentials. `ca_file`: the
 * authorities that its certificate is trusted by, PEM; `server_name`: what the certificate is for,
 * NULL: the host. */
struct cf_api *cf_api_open_at(const char *url, const char *ca_file, const char *server_name,
                              struct cf_err *err);
void cf_api_close(struct cf_api *api); /* takes NULL */

const char *cf_api_server(const struct cf_api *api);    /* "https://10.0.0.1:443" */
const char *cf_api_namespace(const struct cf_api *api); /* of the context, or our pod; never NULL */

/* Whether the kubeconfig names a program that knows the credentials (`exec`), which is run when
 * they are needed. */
bool cf_api_runs_program(const struct cf_api *api);

struct cf_api_call {
    const char *method;       /* "GET", "POST", "PUT", "PATCH", "DELETE" */
    const char *path;         /* "/api/v1/pods?limit=500" */
    const char *accept;       /* NULL: application/json */
    const char *content_type; /* NULL: application/json, where there is a body */
    const char *body;         /* NULL: none */
    size_t body_len;
    /* For the sentence about a 403: "list secrets in the API group \"\"". NULL: the path. */
    const char *verb, *resource;
    size_t max;              /* of the answer, in bytes; more is an error */
    int64_t timeout_seconds; /* of one try; 0: 30 */
    unsigned tries; /* of 429, 5xx and broken connections, with backoff and jitter, Retry-After
                     * respected; 0: 5 for GET, else 1 */
    /* Asked between tries and while waiting (about four times a second); true: give up. NULL:
     * never. */
    bool (*cancelled)(void *arg);
    void *arg;
};

/* 0: the server answered, *status is its HTTP status, and `out` (emptied first) its body. -1: it
 * did not answer, or 401 or 403 (CF_ERR_SYSTEM): the sentence names the server and the reason, for
 * a 403 the verb and the resource that RBAC has to allow; *status is then that status, or 0. */
int cf_api_call(struct cf_api *api, const struct cf_api_call *call, unsigned *status,
                struct cf_buf *out, struct cf_err *err);

/* A watch. `data` gets the bytes of a 200 as they come, and ends the stream by returning false;
 * the body of any other status goes to `out`. The stream also ends when nothing came for
 * `silence_seconds`, and when call->cancelled says so. No retries. 0: it began, and has ended;
 * *why is then a static sentence (CF_API_WHOLE where it came to its end in good order, "silent for
 * 60 s", ...). -1 as above. */
#define CF_API_WHOLE "the server closed it"
struct cf_api_stream {
    bool (*data)(void *arg, const char *bytes, size_t len);
    /* Called before the request is sent; `kept`: the connection carried an earlier answer. False:
     * the request is not sent, and cf_api_stream() returns -1 without a sentence. NULL: any
     * connection will do. */
    bool (*connected)(void *arg, bool kept);
    void *arg;
    int64_t silence_seconds;
};
int cf_api_stream(struct cf_api *api, const struct cf_api_call *call,
                  const struct cf_api_stream *stream, unsigned *status, struct cf_buf *out,
                  const char **why, struct cf_err *err);

/* "7.88.1", of the HTTP library in use. */
const char *cf_curl_version(void);

#endif
