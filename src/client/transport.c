/* SPDX-License-Identifier: Apache-2.0 */
/* transport.c - the only file that knows libcurl: one exchange with an API server.
 *
 * HTTP/1.1, so that a watch and a call never share a connection's fate. The handle is reset for
 * each exchange; connections are kept by the multi handle, which also lets a quarter of a second
 * go by at most between two looks at whether to go on. */
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

#define LOOK_MILLIS 250
#define CONNECT_SECONDS 10
#define ANSWER_SECONDS 30 /* unless the call says otherwise */

struct cf_wire {
    CURLM *multi;
    CURL *easy;
};

/* One exchange while it is under way. */
struct run {
    CURL *easy;
    const struct cf_credentials *access;
    struct cf_exchange *exchange;
    struct curl_slist *headers, *connect_to;
    char *url;
    int64_t began, heard; /* monotonic microseconds; heard: a byte of the answer came */
    bool too_large;
    char reason[CURL_ERROR_SIZE];
};

/* ---- the library as a whole ---- */

/* What it frees may have held a token: headers, requests, answers. */
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

/* ---- what comes ---- */

static void take_status(struct run *run)
{
    long status = 0;

    curl_easy_getinfo(run->easy, CURLINFO_RESPONSE_CODE, &status);
    run->exchange->status = status > 0 ? (unsigned)status : 0;
}

/* Returns less than it got to end the exchange. */
static size_t take_body(char *bytes, size_t size, size_t count, void *arg)
{
    struct run *run = arg;
    struct cf_exchange *x = run->exchange;
    size_t len = size * count;

    run->heard = cf_monotonic_micros();
    take_status(run);
    if (x->stream != NULL && x->status == 200) {
        if (x->stream->data(x->stream->arg, bytes, len))
            return len;
        x->end = CF_WIRE_READER;
        return 0;
    }
    if (x->call->max != 0 && len > x->call->max - x->out->len) {
        run->too_large = true;
        return 0;
    }
    cf_buf_add(x->out, bytes, len);
    run->too_large = !cf_buf_ok(x->out);
    return cf_buf_ok(x->out) ? len : 0;
}

static size_t take_header(char *bytes, size_t size, size_t count, void *arg)
{
    struct run *run = arg;

    (void)bytes;
    run->heard = cf_monotonic_micros();
    return size * count;
}

/* Called before each request, and again where libcurl repeats one because a kept connection had
 * broken. */
static int take_connection(void *arg, char *ip, char *local_ip, int port, int local_port)
{
    struct run *run = arg;
    struct cf_exchange *x = run->exchange;
    long fresh = 0;

    (void)ip, (void)local_ip, (void)port, (void)local_port;
    curl_easy_getinfo(run->easy, CURLINFO_NUM_CONNECTS, &fresh);
    if (x->stream->connected(x->stream->arg, fresh == 0))
        return CURL_PREREQFUNC_OK;
    x->end = CF_WIRE_READER;
    return CURL_PREREQFUNC_ABORT;
}

/* ---- what is sent ---- */

static bool add_header(struct run *run, const char *name, const char *value, size_t len)
{
    struct curl_slist *more;
    char *line = NULL;
    size_t room = strlen(name) + len + 3;

    line = malloc(room);
    if (line == NULL)
        return false;
    snprintf(line, room, "%s: %.*s", name, (int)len, value);
    more = curl_slist_append(run->headers, line);
    explicit_bzero(line, room);
    free(line);
    run->headers = more != NULL ? more : run->headers;
    return more != NULL;
}

static bool add_text(struct run *run, const char *name, const char *value)
{
    return add_header(run, name, value, strlen(value));
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

/* The certificate's name stands in for the host, and the connection goes to the real one. */
static bool use_server_name(struct run *run, const struct address *a)
{
    const struct cf_credentials *access = run->access;
    const char *path = run->exchange->call->path;
    int port_len;
    const char *port = port_of(a, &port_len);
    size_t room = strlen(access->server) + strlen(access->server_name) + strlen(path) + 8;
    char *text = malloc(room);
    bool fits;

    if (text == NULL)
        return false;
    snprintf(text, room, "::%.*s%.*s", a->host_len - port_len, a->host, port_len > 0 ? port_len : 4,
             port_len > 0 ? port : ":443");
    run->connect_to = curl_slist_append(NULL, text);
    snprintf(text, room, "%.*s%s%.*s%s%s", a->scheme_len, access->server, access->server_name,
             port_len, port, a->path, path);
    run->url = text;
    fits = add_header(run, "Host", a->host, (size_t)a->host_len);
    return run->connect_to != NULL && fits;
}

static bool make_url(struct run *run)
{
    const struct cf_credentials *access = run->access;
    struct address a = split_address(access->server);
    size_t room = strlen(access->server) + strlen(run->exchange->call->path) + 1;

    if (access->server_name != NULL)
        return use_server_name(run, &a);
    run->url = malloc(room);
    if (run->url != NULL)
        snprintf(run->url, room, "%s%s", access->server, run->exchange->call->path);
    return run->url != NULL;
}

static bool make_headers(struct run *run)
{
    const struct cf_api_call *call = run->exchange->call;
    const struct cf_buf *token = &run->access->token.bytes;
    const char *accept = call->accept != NULL ? call->accept : "application/json";
    const char *type = call->content_type != NULL ? call->content_type : "application/json";

    if (!add_text(run, "Accept", accept))
        return false;
    /* Never wait for a "100 Continue" that some proxies swallow. */
    if (call->body != NULL &&
        (!add_text(run, "Content-Type", type) || !add_text(run, "Expect", "")))
        return false;
    if (token->len > 0) {
        struct cf_buf value;
        bool added;

        cf_buf_init(&value, token->len + 16);
        cf_buf_adds(&value, "Bearer ");
        cf_buf_add(&value, token->data, token->len);
        added = cf_buf_ok(&value) && add_header(run, "Authorization", value.data, value.len);
        cf_buf_wipe(&value);
        cf_buf_free(&value);
        return added;
    }
    return true;
}

/* ---- options ---- */

/* A wrong option is a programming error, which every request would show: one answer for all. */
static bool set_blob(CURL *easy, CURLoption option, const struct cf_buf *bytes)
{
    struct curl_blob blob = {.data = bytes->data, .len = bytes->len, .flags = CURL_BLOB_COPY};

    return bytes->len == 0 || curl_easy_setopt(easy, option, &blob) == CURLE_OK;
}

static bool set_tls(struct run *run)
{
    CURL *easy = run->easy;
    const struct cf_credentials *access = run->access;
    bool ok = curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK;

    if (access->insecure) {
        ok = ok && curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L) == CURLE_OK &&
             curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L) == CURLE_OK;
    } else if (access->ca.bytes.len > 0) {
        /* Only this authority: without these two the system's would do as well. */
        ok = ok && curl_easy_setopt(easy, CURLOPT_CAINFO, NULL) == CURLE_OK &&
             curl_easy_setopt(easy, CURLOPT_CAPATH, NULL) == CURLE_OK &&
             set_blob(easy, CURLOPT_CAINFO_BLOB, &access->ca.bytes);
    }
    return ok && set_blob(easy, CURLOPT_SSLCERT_BLOB, &access->cert.bytes) &&
           set_blob(easy, CURLOPT_SSLKEY_BLOB, &access->key.bytes);
}

static long try_millis(const struct cf_api_call *call)
{
    return (long)(call->timeout_seconds > 0 ? call->timeout_seconds : ANSWER_SECONDS) * 1000;
}

static bool set_connection(struct run *run)
{
    CURL *easy = run->easy;
    char agent[64];

    snprintf(agent, sizeof(agent), "curfew/%s", cf_version());
    return curl_easy_setopt(easy, CURLOPT_URL, run->url) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_USERAGENT, agent) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           /* Whoever gives up does not wait for a name server. */
           curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS) == CURLE_OK &&
           (run->access->proxy == NULL ||
            curl_easy_setopt(easy, CURLOPT_PROXY, run->access->proxy) == CURLE_OK) &&
           (run->connect_to == NULL ||
            curl_easy_setopt(easy, CURLOPT_CONNECT_TO, run->connect_to) == CURLE_OK);
}

static bool set_stream(struct run *run)
{
    const struct cf_api_stream *stream = run->exchange->stream;

    if (stream == NULL)
        return curl_easy_setopt(run->easy, CURLOPT_TIMEOUT_MS, try_millis(run->exchange->call)) ==
               CURLE_OK;
    return stream->connected == NULL ||
           (curl_easy_setopt(run->easy, CURLOPT_PREREQFUNCTION, take_connection) == CURLE_OK &&
            curl_easy_setopt(run->easy, CURLOPT_PREREQDATA, run) == CURLE_OK);
}

static bool set_request(struct run *run)
{
    CURL *easy = run->easy;
    const struct cf_api_call *call = run->exchange->call;
    bool ok = curl_easy_setopt(easy, CURLOPT_HTTPHEADER, run->headers) == CURLE_OK;

    if (call->body != NULL)
        ok = ok &&
             curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body_len) ==
                 CURLE_OK &&
             curl_easy_setopt(easy, CURLOPT_POSTFIELDS, call->body) == CURLE_OK;
    return ok && curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, call->method) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, run->reason) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEDATA, run) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERDATA, run) == CURLE_OK && set_stream(run);
}

/* ---- how it goes ---- */

static bool cancelled(const struct run *run)
{
    const struct cf_api_call *call = run->exchange->call;

    return call->cancelled != NULL && call->cancelled(call->arg);
}

/* A stream: until its answer begins it has the time of a call, then that of its silence. */
static bool too_quiet(struct run *run)
{
    const struct cf_api_stream *stream = run->exchange->stream;
    int64_t now = cf_monotonic_micros();

    if (stream == NULL)
        return false;
    if (run->exchange->status == 0 && run->heard == 0)
        return now - run->began > (int64_t)try_millis(run->exchange->call) * 1000;
    return now - run->heard > stream->silence_seconds * 1000000;
}

static void judge(struct run *run, CURLcode code)
{
    struct cf_exchange *x = run->exchange;

    take_status(run);
    if (code == CURLE_OK) {
        curl_off_t after = 0;

        curl_easy_getinfo(run->easy, CURLINFO_RETRY_AFTER, &after);
        x->retry_after = (int64_t)after;
        x->end = CF_WIRE_ANSWERED;
        return;
    }
    if (x->end == CF_WIRE_READER)
        return;
    if (run->reason[0] == '\0')
        snprintf(run->reason, sizeof(run->reason), "%s", curl_easy_strerror(code));
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

static int say(const struct run *run, CURLcode code, struct cf_err *err)
{
    const struct cf_credentials *access = run->access;
    const char *server = access->server;

    if (run->too_large)
        return cf_err_system(err, "%s: the answer to %s %.100s is larger than %zu bytes", server,
                             run->exchange->call->method, run->exchange->call->path,
                             run->exchange->call->max != 0 ? run->exchange->call->max
                                                           : run->exchange->out->max);
    if (code == CURLE_PEER_FAILED_VERIFICATION)
        return cf_err_system(err, "%s: its certificate does not do for %s: %.160s", server,
                             access->trust, run->reason);
    if (code == CURLE_SSL_CACERT_BADFILE && access->ca.bytes.len == 0)
        return cf_err_system(err,
                             "%s has no certificate-authority, and this system has none either "
                             "(package ca-certificates)",
                             access->trust);
    if (code == CURLE_SSL_CACERT_BADFILE)
        return cf_err_system(err, "%s: certificate-authority holds no certificate in PEM",
                             access->trust);
    if (code == CURLE_SSL_CERTPROBLEM)
        return cf_err_system(err, "%s: its client certificate and key can't be used: %.160s",
                             access->who, run->reason);
    return cf_err_system(err, "%s: %.200s", server, run->reason);
}

/* Until it has ended, one way or the other. */
static void carry(struct cf_wire *wire, struct run *run, struct cf_err *err)
{
    struct cf_exchange *x = run->exchange;
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

            judge(run, code);
            if (x->end != CF_WIRE_ANSWERED && x->end != CF_WIRE_READER)
                say(run, code, err);
            return;
        }
        if (cancelled(run)) {
            x->end = CF_WIRE_CANCELLED;
            cf_err_system(err, "%s: given up, since we are ending", run->access->server);
            return;
        }
        if (too_quiet(run)) {
            take_status(run);
            x->end = x->status != 0 ? CF_WIRE_SILENT : CF_WIRE_BROKEN;
            cf_err_system(err, "%s: no answer within %ld s", run->access->server,
                          try_millis(x->call) / 1000);
            return;
        }
        curl_multi_poll(wire->multi, NULL, 0, LOOK_MILLIS, NULL);
    }
}

static void free_headers(struct curl_slist *headers)
{
    for (struct curl_slist *h = headers; h != NULL; h = h->next)
        explicit_bzero(h->data, strlen(h->data));
    curl_slist_free_all(headers);
}

void cf_wire_exchange(struct cf_wire *wire, const struct cf_credentials *access,
                      struct cf_exchange *exchange, struct cf_err *err)
{
    struct run run = {.easy = wire->easy, .access = access, .exchange = exchange};
    bool ready;

    exchange->status = 0;
    exchange->retry_after = 0;
    exchange->end = CF_WIRE_REFUSED;
    exchange->out->failed = false;
    cf_buf_wipe(exchange->out);
    run.began = cf_monotonic_micros();
    curl_easy_reset(wire->easy);
    ready = make_url(&run) && make_headers(&run) && set_connection(&run) && set_tls(&run) &&
            set_request(&run) && curl_multi_add_handle(wire->multi, wire->easy) == CURLM_OK;
    if (ready) {
        carry(wire, &run, err);
        curl_multi_remove_handle(wire->multi, wire->easy);
    } else {
        cf_err_memory(err);
    }
    curl_easy_reset(wire->easy);
    free_headers(run.headers);
    curl_slist_free_all(run.connect_to);
    free(run.url);
}
