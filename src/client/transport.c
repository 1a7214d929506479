/* SPDX-License-Identifier: Apache-2.0 */
/* transport.c - one exchange with an API server; the only file that uses libcurl.
 *
 * HTTP/1.1, so that a watch and a call never share a connection. The handle is reset for each
 * exchange; the multi handle keeps connections, and returns at least every quarter of a second, to
 * check whether the exchange was cancelled. */
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include <curl/curl.h>

#include "transport.h"
#include "curfew/time.h"
#include "curfew/str.h"
#include "curfew/process.h"

#define CHECK_MILLIS 250
#define CONNECT_SECONDS 10
#define ANSWER_SECONDS 30 /* default of a call */

struct cf_wire {
    CURLM *multi;
    CURL *easy;
};

/* The exchange in progress. */
struct transfer {
    CURL *easy;
    const struct cf_credentials *creds;
    struct cf_exchange *exchange;
    struct curl_slist *headers, *connect_to;
    char *url;
    int64_t began, received; /* monotonic microseconds; received: the last byte of the answer */
    bool too_large;
    char reason[CURL_ERROR_SIZE];
};

/* ---- the library as a whole ---- */

/* libcurl frees headers, requests and answers, which may hold a token. */
static void wiping_free(void *memory)
{
    if (memory != NULL)
        explicit_bzero(memory, malloc_usable_size(memory));
    free(memory);
}

static void *wiping_realloc(void *memory, size_t size)
{
    size_t had = memory != NULL ? malloc_usable_size(memory) : 0;
    void *fresh = malloc(size > 0 ? size : 1);

    if (fresh == NULL || memory == NULL)
        return fresh;
    memcpy(fresh, memory, had < size ? had : size);
    wiping_free(memory);
    return fresh;
}

static void init_library(void)
{
    (void)curl_global_init_mem(CURL_GLOBAL_DEFAULT, malloc, wiping_free, wiping_realloc, strdup,
                               calloc);
}

const char *cf_curl_version(void)
{
    return curl_version_info(CURLVERSION_NOW)->version;
}

struct cf_wire *cf_wire_new(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct cf_wire *wire = calloc(1, sizeof(*wire));

    pthread_once(&once, init_library);
    if (wire == NULL)
        return NULL;
    wire->multi = curl_multi_init();
    wire->easy = curl_easy_init();
    if (wire->multi != NULL && wire->easy != NULL)
        return wire;
    cf_wire_free(wire);
    return NULL;
}

void cf_wire_free(struct cf_wire *wire)
{
    if (wire == NULL)
        return;
    curl_easy_cleanup(wire->easy);
    curl_multi_cleanup(wire->multi);
    free(wire);
}

/* ---- the answer ---- */

static void read_status(struct transfer *t)
{
    long status = 0;

    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    t->exchange->status = status > 0 ? (unsigned)status : 0;
}

/* Returning less than it got ends the exchange. */
static size_t on_body(char *bytes, size_t size, size_t count, void *arg)
{
    struct transfer *t = arg;
    struct cf_exchange *x = t->exchange;
    size_t len = size * count;

    t->received = cf_monotonic_micros();
    read_status(t);
    if (x->stream != NULL && x->status == 200) {
        if (x->stream->data(x->stream->arg, bytes, len))
            return len;
        x->end = CF_WIRE_READER;
        return 0;
    }
    if (x->call->max != 0 && len > x->call->max - x->out->len) {
        t->too_large = true;
        return 0;
    }
    cf_buf_add(x->out, bytes, len);
    t->too_large = !cf_buf_ok(x->out);
    return cf_buf_ok(x->out) ? len : 0;
}

static size_t on_answer_header(char *bytes, size_t size, size_t count, void *arg)
{
    struct transfer *t = arg;

    (void)bytes;
    t->received = cf_monotonic_micros();
    return size * count;
}

/* Called before each request, and again when libcurl repeats one because a kept connection had
 * broken. */
static int on_connect(void *arg, char *ip, char *local_ip, int port, int local_port)
{
    struct transfer *t = arg;
    struct cf_exchange *x = t->exchange;
    long fresh = 0;

    (void)ip, (void)local_ip, (void)port, (void)local_port;
    curl_easy_getinfo(t->easy, CURLINFO_NUM_CONNECTS, &fresh);
    if (x->stream->connected(x->stream->arg, fresh == 0))
        return CURL_PREREQFUNC_OK;
    x->end = CF_WIRE_READER;
    return CURL_PREREQFUNC_ABORT;
}

/* ---- the request ---- */

static bool append_header(struct transfer *t, const char *name, const char *value, size_t len)
{
    struct curl_slist *more;
    char *line = NULL;
    size_t room = strlen(name) + len + 3;

    line = malloc(room);
    if (line == NULL)
        return false;
    snprintf(line, room, "%s: %.*s", name, (int)len, value);
    more = curl_slist_append(t->headers, line);
    explicit_bzero(line, room);
    free(line);
    t->headers = more != NULL ? more : t->headers;
    return more != NULL;
}

static bool append_text(struct transfer *t, const char *name, const char *value)
{
    return append_header(t, name, value, strlen(value));
}

/* "https://10.0.0.1:6443/k8s" is "https://", "10.0.0.1:6443" and "/k8s". */
struct address {
    const char *host, *path;
    int scheme_len, host_len;
};

static struct address split_address(const char *server)
{
    const char *host = strstr(server, "://") + 3;
    int host_len = (int)strcspn(host, "/");

    return (struct address){host, host + host_len, (int)(host - server), host_len};
}

/* The port with its colon, "" for none; "[::1]:443" has colons of its own. */
static const char *port_of(const struct address *a, int *len)
{
    int at = a->host_len;

    while (at > 0 && a->host[at - 1] >= '0' && a->host[at - 1] <= '9')
        at--;
    if (at == 0 || a->host[at - 1] != ':')
        at = a->host_len + 1;
    *len = a->host_len - (at - 1);
    return a->host + at - 1;
}

/* The URL has the certificate's name as its host, and the connection goes to the real host. */
static bool use_server_name(struct transfer *t, const struct address *a)
{
    const struct cf_credentials *creds = t->creds;
    const char *path = t->exchange->call->path;
    int port_len;
    const char *port = port_of(a, &port_len);
    size_t room = strlen(creds->server) + strlen(creds->server_name) + strlen(path) + 8;
    char *text = malloc(room);
    bool fits;

    if (text == NULL)
        return false;
    snprintf(text, room, "::%.*s%.*s", a->host_len - port_len, a->host, port_len > 0 ? port_len : 4,
             port_len > 0 ? port : ":443");
    t->connect_to = curl_slist_append(NULL, text);
    snprintf(text, room, "%.*s%s%.*s%s%s", a->scheme_len, creds->server, creds->server_name,
             port_len, port, a->path, path);
    t->url = text;
    fits = append_header(t, "Host", a->host, (size_t)a->host_len);
    return t->connect_to != NULL && fits;
}

static bool make_url(struct transfer *t)
{
    const struct cf_credentials *creds = t->creds;
    struct address a = split_address(creds->server);
    size_t room = strlen(creds->server) + strlen(t->exchange->call->path) + 1;

    if (creds->server_name != NULL)
        return use_server_name(t, &a);
    t->url = malloc(room);
    if (t->url != NULL)
        snprintf(t->url, room, "%s%s", creds->server, t->exchange->call->path);
    return t->url != NULL;
}

static bool make_headers(struct transfer *t)
{
    const struct cf_api_call *call = t->exchange->call;
    const struct cf_buf *token = &t->creds->token.bytes;
    const char *accept = call->accept != NULL ? call->accept : "application/json";
    const char *type = call->content_type != NULL ? call->content_type : "application/json";

    if (!append_text(t, "Accept", accept))
        return false;
    /* Do not wait for a "100 Continue", which some proxies drop. */
    if (call->body != NULL &&
        (!append_text(t, "Content-Type", type) || !append_text(t, "Expect", "")))
        return false;
    if (token->len > 0) {
        struct cf_buf value;
        bool added;

        cf_buf_init(&value, token->len + 16);
        cf_buf_adds(&value, "Bearer ");
        cf_buf_add(&value, token->data, token->len);
        added = cf_buf_ok(&value) && append_header(t, "Authorization", value.data, value.len);
        cf_buf_wipe(&value);
        cf_buf_free(&value);
        return added;
    }
    return true;
}

/* ---- options ---- */

/* An invalid option is a programming error that every request would show; all fail the same way. */
static bool set_blob(CURL *easy, CURLoption option, const struct cf_buf *bytes)
{
    struct curl_blob blob = {.data = bytes->data, .len = bytes->len, .flags = CURL_BLOB_COPY};

    return bytes->len == 0 || curl_easy_setopt(easy, option, &blob) == CURLE_OK;
}

static bool set_tls(struct transfer *t)
{
    CURL *easy = t->easy;
    const struct cf_credentials *creds = t->creds;
    bool ok = curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK;

    if (creds->insecure) {
        ok = ok && curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L) == CURLE_OK &&
             curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L) == CURLE_OK;
    } else if (creds->ca.bytes.len > 0) {
        /* Trust only this CA; without these two options the system's are trusted as well. */
        ok = ok && curl_easy_setopt(easy, CURLOPT_CAINFO, NULL) == CURLE_OK &&
             curl_easy_setopt(easy, CURLOPT_CAPATH, NULL) == CURLE_OK &&
             set_blob(easy, CURLOPT_CAINFO_BLOB, &creds->ca.bytes);
    }
    return ok && set_blob(easy, CURLOPT_SSLCERT_BLOB, &creds->cert.bytes) &&
           set_blob(easy, CURLOPT_SSLKEY_BLOB, &creds->key.bytes);
}

static long try_millis(const struct cf_api_call *call)
{
    return (long)(call->timeout_seconds > 0 ? call->timeout_seconds : ANSWER_SECONDS) * 1000;
}

static bool set_connection(struct transfer *t)
{
    CURL *easy = t->easy;
    char agent[64];

    snprintf(agent, sizeof(agent), "curfew/%s", cf_version());
    return curl_easy_setopt(easy, CURLOPT_URL, t->url) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_USERAGENT, agent) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           /* A cancelled exchange does not wait for a name server. */
           curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS) == CURLE_OK &&
           (t->creds->proxy == NULL ||
            curl_easy_setopt(easy, CURLOPT_PROXY, t->creds->proxy) == CURLE_OK) &&
           (t->connect_to == NULL ||
            curl_easy_setopt(easy, CURLOPT_CONNECT_TO, t->connect_to) == CURLE_OK);
}

static bool set_stream(struct transfer *t)
{
    const struct cf_api_stream *stream = t->exchange->stream;

    if (stream == NULL)
        return curl_easy_setopt(t->easy, CURLOPT_TIMEOUT_MS, try_millis(t->exchange->call)) ==
               CURLE_OK;
    return stream->connected == NULL ||
           (curl_easy_setopt(t->easy, CURLOPT_PREREQFUNCTION, on_connect) == CURLE_OK &&
            curl_easy_setopt(t->easy, CURLOPT_PREREQDATA, t) == CURLE_OK);
}

static bool set_request(struct transfer *t)
{
    CURL *easy = t->easy;
    const struct cf_api_call *call = t->exchange->call;
    bool ok = curl_easy_setopt(easy, CURLOPT_HTTPHEADER, t->headers) == CURLE_OK;

    if (call->body != NULL)
        ok = ok &&
             curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body_len) ==
                 CURLE_OK &&
             curl_easy_setopt(easy, CURLOPT_POSTFIELDS, call->body) == CURLE_OK;
    return ok && curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, call->method) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->reason) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEDATA, t) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_answer_header) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERDATA, t) == CURLE_OK && set_stream(t);
}

/* ---- the exchange ---- */

static bool transfer_cancelled(const struct transfer *t)
{
    const struct cf_api_call *call = t->exchange->call;

    return call->cancelled != NULL && call->cancelled(call->arg);
}

/* Whether a stream timed out: until its answer begins like a call, then by its silence. */
static bool too_quiet(struct transfer *t)
{
    const struct cf_api_stream *stream = t->exchange->stream;
    int64_t now = cf_monotonic_micros();

    if (stream == NULL)
        return false;
    if (t->exchange->status == 0 && t->received == 0)
        return now - t->began > (int64_t)try_millis(t->exchange->call) * 1000;
    return now - t->received > stream->silence_seconds * 1000000;
}

static void set_end(struct transfer *t, CURLcode code)
{
    struct cf_exchange *x = t->exchange;

    read_status(t);
    if (code == CURLE_OK) {
        curl_off_t after = 0;

        curl_easy_getinfo(t->easy, CURLINFO_RETRY_AFTER, &after);
        x->retry_after = (int64_t)after;
        x->end = CF_WIRE_ANSWERED;
        return;
    }
    if (x->end == CF_WIRE_READER)
        return;
    if (t->reason[0] == '\0')
        snprintf(t->reason, sizeof(t->reason), "%s", curl_easy_strerror(code));
    switch (code) {
    case CURLE_WRITE_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CIPHER:
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_OUT_OF_MEMORY:
        x->end = CF_WIRE_REFUSED;
        break;
    default:
        x->end = CF_WIRE_BROKEN;
        break;
    }
}

static int explain_failure(const struct transfer *t, CURLcode code, struct cf_err *err)
{
    const struct cf_credentials *creds = t->creds;
    const char *server = creds->server;

    if (t->too_large)
        return cf_err_system(err, "%s: the answer to %s %.100s is larger than %zu bytes", server,
                             t->exchange->call->method, t->exchange->call->path,
                             t->exchange->call->max != 0 ? t->exchange->call->max
                                                         : t->exchange->out->max);
    if (code == CURLE_PEER_FAILED_VERIFICATION)
        return cf_err_system(err, "%s: the server certificate is not valid for %s: %.160s", server,
                             creds->trust, t->reason);
    if (code == CURLE_SSL_CACERT_BADFILE && creds->ca.bytes.len == 0)
        return cf_err_system(
            err,
            "%s has no certificate-authority, and this system has no CA certificates "
            "(package ca-certificates)",
            creds->trust);
    if (code == CURLE_SSL_CACERT_BADFILE)
        return cf_err_system(err, "%s: certificate-authority contains no PEM certificate",
                             creds->trust);
    if (code == CURLE_SSL_CERTPROBLEM)
        return cf_err_system(err, "%s: cannot use its client certificate and key: %.160s",
                             creds->who, t->reason);
    return cf_err_system(err, "%s: %.200s", server, t->reason);
}

/* Runs the transfer to its end. */
static void run_transfer(struct cf_wire *wire, struct transfer *t, struct cf_err *err)
{
    struct cf_exchange *x = t->exchange;
    int running = 1, left;
    CURLMsg *message;

    for (;;) {
        if (curl_multi_perform(wire->multi, &running) != CURLM_OK) {
            cf_err_memory(err);
            return;
        }
        message = curl_multi_info_read(wire->multi, &left);
        if (message != NULL && message->msg == CURLMSG_DONE) {
            CURLcode code = message->data.result;

            set_end(t, code);
            if (x->end != CF_WIRE_ANSWERED && x->end != CF_WIRE_READER)
                explain_failure(t, code, err);
            return;
        }
        if (transfer_cancelled(t)) {
            x->end = CF_WIRE_CANCELLED;
            cf_err_system(err, "%s: cancelled, shutting down", t->creds->server);
            return;
        }
        if (too_quiet(t)) {
            read_status(t);
            x->end = x->status != 0 ? CF_WIRE_SILENT : CF_WIRE_BROKEN;
            cf_err_system(err, "%s: no answer within %ld s", t->creds->server,
                          try_millis(x->call) / 1000);
            return;
        }
        curl_multi_poll(wire->multi, NULL, 0, CHECK_MILLIS, NULL);
    }
}

static void free_headers(struct curl_slist *headers)
{
    for (struct curl_slist *h = headers; h != NULL; h = h->next)
        explicit_bzero(h->data, strlen(h->data));
    curl_slist_free_all(headers);
}

void cf_wire_exchange(struct cf_wire *wire, const struct cf_credentials *creds,
                      struct cf_exchange *exchange, struct cf_err *err)
{
    struct transfer t = {.easy = wire->easy, .creds = creds, .exchange = exchange};
    bool ready;

    exchange->status = 0;
    exchange->retry_after = 0;
    exchange->end = CF_WIRE_REFUSED;
    exchange->out->failed = false;
    cf_buf_wipe(exchange->out);
    t.began = cf_monotonic_micros();
    curl_easy_reset(wire->easy);
    ready = make_url(&t) && make_headers(&t) && set_connection(&t) && set_tls(&t) &&
            set_request(&t) && curl_multi_add_handle(wire->multi, wire->easy) == CURLM_OK;
    if (ready) {
        run_transfer(wire, &t, err);
        curl_multi_remove_handle(wire->multi, wire->easy);
    } else {
        cf_err_memory(err);
    }
    curl_easy_reset(wire->easy);
    free_headers(t.headers);
    curl_slist_free_all(t.connect_to);
    free(t.url);
}
