/* SPDX-License-Identifier: Apache-2.0 */
/* reply.c - see reply.h. */
#include "reply.h"

#include <stdio.h>

#include "curfew/str.h"
#include "http.h"

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
