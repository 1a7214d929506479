/* SPDX-License-Identifier: Apache-2.0 */
/* request.c - the headers of a request that anybody here reads; see http.h. */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "curfew/attr.h"
#include "curfew/str.h"
#include "http.h"

/* RFC 9110, 5.6.2: what a name is made of. A proxy that trims "Transfer-Encoding " before it looks
 * reads another body than we do, and the rest as another request. libmicrohttpd 0.9.75 passes such
 * names on, later ones refuse them: it is checked here whatever the library does. */
static bool is_name(const char *name, size_t len)
{
    static const char others[] = "!#$%&'*+-.^_`|~";

    for (size_t i = 0; i < len; i++) {
        char c = name[i];

        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
            (c == '\0' || strchr(others, c) == NULL))
            return false;
    }
    return len > 0;
}

/* RFC 9110, 5.5: no control character but the tab. */
static bool is_value(const char *value, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)value[i];

        if ((c < ' ' && c != '\t') || c == 0x7F)
            return false;
    }
    return true;
}

void cf_http_header(struct cf_http_request *request, const char *name, size_t name_len,
                    const char *value, size_t value_len)
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

    if (!is_name(name, name_len)) {
        request->fault = "a header's name holds a character that no name has, such as a space";
        return;
    }
    if (!is_value(value, value_len)) {
        request->fault = "a header's value holds a control character";
        return;
    }
    if (strcasecmp(name, "Host") == 0)
        request->hosts++;
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

/* RFC 9112, 3.2: exactly one Host, from HTTP/1.1 on. */
void cf_http_headers_end(struct cf_http_request *request, const char *version)
{
    if (request->fault != NULL)
        return;
    if (request->hosts > 1)
        request->fault = "the header Host was given twice";
    else if (request->hosts == 0 && !cf_streq(version, "HTTP/1.0"))
        request->fault = "a request of HTTP/1.1 must come with the header Host";
}

/* The value stands in the connection's own memory, which is writable; libmicrohttpd's const keeps
 * its users from writing to what it may read again. It reads no header after this. */
void cf_http_forget_token(struct cf_http_request *request)
{
    if (request->authorization != NULL)
        explicit_bzero((char *)(uintptr_t)request->authorization, strlen(request->authorization));
    request->authorization = NULL;
}
