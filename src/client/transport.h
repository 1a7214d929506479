/* SPDX-License-Identifier: Apache-2.0 */
/* transport.h - one exchange over the network (transport.c, the only file that uses libcurl), for
 * client.c, which adds credentials, tries and error messages. */
#ifndef CF_CLIENT_TRANSPORT_H
#define CF_CLIENT_TRANSPORT_H

#include "credentials.h"
#include "curfew/client.h"

struct cf_wire; /* a libcurl handle and its connections */

struct cf_api {
    struct cf_credentials *creds;
    struct cf_wire *wire;
};

/* How an exchange ended. */
enum cf_wire_end {
    CF_WIRE_ANSWERED, /* the answer is complete */
    CF_WIRE_BROKEN,   /* no connection, or it broke or took too long: a retry may help */
    CF_WIRE_REFUSED,  /* a retry does not help: the certificate, the address, the size */
    CF_WIRE_CANCELLED,
    CF_WIRE_READER, /* the stream's data() or connected() ended it */
    CF_WIRE_SILENT, /* the stream sent nothing for too long */
};

struct cf_exchange {
    const struct cf_api_call *call;
    const struct cf_api_stream *stream; /* NULL: a call */
    struct cf_buf *out; /* the body; of a stream only with a status other than 200 */

    unsigned status;     /* 0: no answer began */
    int64_t retry_after; /* seconds; 0: none */
    enum cf_wire_end end;
};

/* NULL: out of memory. */
struct cf_wire *cf_wire_new(void);
void cf_wire_free(struct cf_wire *wire); /* takes NULL */

/* Sets err unless the answer is complete. */
void cf_wire_exchange(struct cf_wire *wire, const struct cf_credentials *creds,
                      struct cf_exchange *exchange, struct cf_err *err);

#endif
