/* SPDX-License-Identifier: Apache-2.0 */
/* transport.h - one exchange over the wire (api.c, the only file that knows libcurl), and what is
 * made of it (api_call.c: tries, credentials, sentences). */
#ifndef CF_KUBE_API_PRIVATE_H
#define CF_KUBE_API_PRIVATE_H

#include "credentials.h"
#include "curfew/client.h"

struct cf_wire; /* a libcurl handle and its connections */

struct cf_api {
    struct cf_credentials *access;
    struct cf_wire *wire;
};

/* How an exchange ended. */
enum cf_wire_end {
    CF_WIRE_ANSWERED, /* the whole answer came */
    CF_WIRE_BROKEN,   /* no connection, or it broke, or took too long: trying again may help */
    CF_WIRE_REFUSED,  /* trying again won't help: the certificate, the address, the size */
    CF_WIRE_CANCELLED,
    CF_WIRE_READER, /* the stream's data() said so */
    CF_WIRE_SILENT, /* the stream's silence */
};

struct cf_exchange {
    const struct cf_api_call *call;
    const struct cf_api_stream *stream; /* NULL: a call */
    struct cf_buf *out;                 /* the body; of a stream that of any status but 200 */

    unsigned status;     /* 0: no answer began */
    int64_t retry_after; /* seconds; 0: the server did not say */
    enum cf_wire_end end;
};

/* NULL: out of memory. */
struct cf_wire *cf_wire_new(void);
void cf_wire_free(struct cf_wire *wire); /* takes NULL */

/* err says why unless it was answered. */
void cf_wire_exchange(struct cf_wire *wire, const struct cf_credentials *access,
                      struct cf_exchange *exchange, struct cf_err *err);

/* The sentence for 401 and 403, from the Status that the server sent. Returns -1. */
int cf_api_explain_refusal(const struct cf_credentials *access, const struct cf_exchange *exchange,
                           struct cf_err *err);

#endif
