/* SPDX-License-Identifier: Apache-2.0 */
/* plain.c - the metrics port: what runs here, and what has it done. */
#include "context.h"
#include "curfew/buf.h"
#include "curfew/writer.h"
#include "curfew/version.h"
#include "http.h"
#include "limits.h"
#include "metrics.h"
#include "reply.h"

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
