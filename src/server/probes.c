/* SPDX-License-Identifier: Apache-2.0 */
/* probes.c - the plain port: is it alive, is it ready, what is it, what has it done. */
#include <stdio.h>
#include <string.h>

#include "context.h"
#include "curfew/buf.h"
#include "curfew/json_out.h"
#include "curfew/store.h"
#include "curfew/version.h"
#include "http.h"
#include "limits.h"

void cf_answer_livez(struct cf_server *server, const struct cf_route *route,
                     struct cf_http_request *request)
{
    (void)server, (void)route;
    cf_reply_text(request, 200, "ok");
}

/* Ready means that what a review asks can be answered: everything was listed once. It stays ready
 * when the API server is away, which will call us as soon as it is back. */
void cf_answer_readyz(struct cf_server *server, const struct cf_route *route,
                      struct cf_http_request *request)
{
    const struct cf_store *store = server->config.store;
    char waits[256] = "waiting for the first list of";
    size_t len = strlen(waits);

    (void)route;
    if (!atomic_load(&server->ready)) {
        cf_reply_text(request, 503, "shutting down");
        return;
    }
    if (cf_store_synced(store)) {
        cf_reply_text(request, 200, "ok");
        return;
    }
    for (int i = 0; i < CF_RESOURCES && len < sizeof(waits); i++) {
        if (cf_store_expected(store, (enum cf_resource)i) &&
            cf_store_age(store, (enum cf_resource)i) < 0)
            len += (size_t)snprintf(waits + len, sizeof(waits) - len, " %s",
                                    cf_resource_name((enum cf_resource)i));
    }
    cf_reply_text(request, 503, waits);
}

static void reply_buf(struct cf_http_request *request, const char *type, struct cf_buf *buf)
{
    struct cf_http_reply reply = {.status = 200, .type = type, .body = buf->data, .len = buf->len};

    if (cf_buf_ok(buf))
        cf_http_reply(request, &reply);
    else
        cf_reply_text(request, 500, "out of memory");
    cf_buf_free(buf);
}

void cf_answer_version(struct cf_server *server, const struct cf_route *route,
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

void cf_answer_metrics(struct cf_server *server, const struct cf_route *route,
                       struct cf_http_request *request)
{
    struct cf_buf buf;

    (void)route;
    cf_buf_init(&buf, CF_METRICS_MAX);
    cf_metrics_write(server, &buf);
    reply_buf(request, "text/plain; version=0.0.4; charset=utf-8", &buf);
}
