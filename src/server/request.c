/* SPDX-License-Identifier: Apache-2.0 */
/* request.c - the headers of a request that anybody here reads; see http.h. */
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "curfew/attr.h"
#include "http.h"

void cf_http_header(struct cf_http_request *request, const char *name, const char *value)
{
    const struct {
        const char *name;
        const char **value;
    } wanted[] = {
        {"Content-Type", &request->content_type},
        {"Content-Length", &request->content_length},
        {"Content-Encoding", &request->content_encoding},
        {"Transfer-Encoding", &request->transfer_encoding},
    };

    if (strcasecmp(name, "Authorization") == 0) {
        request->authorized_twice = request->authorization != NULL;
        request->authorization = value;
    }
    for (size_t i = 0; i < CF_COUNT(wanted); i++) {
        if (strcasecmp(name, wanted[i].name) != 0)
            continue;
        request->repeated = request->repeated || *wanted[i].value != NULL;
        *wanted[i].value = value;
    }
}

/* The value stands in the connection's own memory, which is writable; libmicrohttpd's const keeps
 * its users from writing to what it may read again. It reads no header after this. */
void cf_http_forget_token(struct cf_http_request *request)
{
    if (request->authorization != NULL)
        explicit_bzero((char *)(uintptr_t)request->authorization, strlen(request->authorization));
    request->authorization = NULL;
}
