/* SPDX-License-Identifier: Apache-2.0 */
/* probes.c - the port that serves /livez and /readyz; see curfew/probes.h. */
#include "curfew/probes.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "curfew/str.h"
#include "http.h"
#include "limits.h"
#include "context.h"

struct cf_probes {
    struct cf_http *http;
    cf_probes_ready ready;
    _Atomic(cf_probes_ready) alive; /* NULL: /livez always answers 200 */
    void *arg;
};

static bool on_probe_headers(void *arg, struct cf_http_request *request, size_t *body_len)
{
    (void)arg, (void)body_len;
    if (request->fault != NULL) {
        cf_reply_text(request, 400, request->fault);
        return false;
    }
    if (!cf_streq(request->path, "/livez") && !cf_streq(request->path, "/readyz")) {
        cf_reply_text(request, 404, "not found: this port serves /livez and /readyz");
        return false;
    }
    if (!cf_streq(request->method, "GET") && !cf_streq(request->method, "HEAD")) {
        cf_reply_method(request, "GET, HEAD");
        return false;
    }
    if (cf_has_body(request)) {
        cf_reply_text(request, 413, "this path does not accept a body");
        return false;
    }
    return true;
}

static void on_probe_request(void *arg, struct cf_http_request *request)
{
    struct cf_probes *probes = arg;
    bool wants_alive = cf_streq(request->path, "/livez");
    cf_probes_ready check = wants_alive ? atomic_load(&probes->alive) : probes->ready;
    char why[CF_PROBES_WHY_MAX] = "";

    if (check == NULL || check(probes->arg, why, sizeof(why)))
        cf_reply_text(request, 200, "ok");
    else
        cf_reply_text(request, 503, why);
}

/* Not called for requests without a body, but every request must get a reply. */
static void on_probe_exhausted(void *arg, struct cf_http_request *request, bool busy)
{
    (void)arg, (void)busy;
    cf_reply_text(request, 500, "out of memory");
}

struct cf_probes *cf_probes_start(const char *listen, cf_probes_ready ready, void *arg,
                                  struct cf_err *err)
{
    struct cf_probes *probes = calloc(1, sizeof(*probes));
    struct cf_http_config config = {
        .listen = listen,
        .threads = 1,
        .room = CF_ROOM_PLAIN,
        .connection_memory = CF_CONNECTION_MEMORY,
        .accept = on_probe_headers,
        .answer = on_probe_request,
        .exhausted = on_probe_exhausted,
        .arg = probes,
    };

    if (probes == NULL) {
        cf_err_memory(err);
        return NULL;
    }
    probes->ready = ready;
    probes->arg = arg;
    probes->http = cf_http_start(&config, err);
    if (probes->http != NULL)
        return probes;
    free(probes);
    return NULL;
}

void cf_probes_alive_hook(struct cf_probes *probes, cf_probes_ready alive)
{
    atomic_store(&probes->alive, alive);
}

const char *cf_probes_address(const struct cf_probes *probes)
{
    return cf_http_address(probes->http);
}

uint64_t cf_probes_evicted(const struct cf_probes *probes, enum cf_evicted why)
{
    return cf_http_evicted(probes->http, why);
}

void cf_probes_stop(struct cf_probes *probes)
{
    if (probes == NULL)
        return;
    cf_http_stop(probes->http);
    free(probes);
}
