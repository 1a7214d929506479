/* SPDX-License-Identifier: Apache-2.0 */
/* listen.h - sockets that accept connections, from addresses as flags write them. */
#ifndef CF_SERVER_LISTEN_H
#define CF_SERVER_LISTEN_H

#include "curfew/err.h"

/* Longest is "[" an IPv6 address with a zone "]:65535". */
#define CF_ADDRESS_MAX 96

/* Opens a listening, non-blocking socket at `[HOST]:PORT`: ":8443", "127.0.0.1:8443", "[::1]:0".
 * Without a host all addresses of both families; port 0 takes a free one. Returns it, or -1:
 * CF_ERR_INPUT when that is no address, CF_ERR_SYSTEM when it can't be had. */
int cf_listen(const char *address, struct cf_err *err);

/* Where a socket really listens, as HOST:PORT. */
void cf_listen_name(int fd, char out[CF_ADDRESS_MAX]);

#endif
