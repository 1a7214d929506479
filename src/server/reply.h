/* SPDX-License-Identifier: Apache-2.0 */
/* reply.h - short answers in plain text, as every port gives them. */
#ifndef CF_SERVER_REPLY_H
#define CF_SERVER_REPLY_H

#include <stdbool.h>

struct cf_http_request;

/* Replies with one sentence, as text/plain. */
void cf_reply_text(struct cf_http_request *request, unsigned status, const char *sentence);

/* Replies 405; `allow` lists the methods of the path, as in "GET, HEAD". */
void cf_reply_method(struct cf_http_request *request, const char *allow);

/* Whether a body follows the headers, or may follow. */
bool cf_has_body(const struct cf_http_request *request);

#endif
