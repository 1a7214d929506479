/* SPDX-License-Identifier: Apache-2.0 */
/* server.h - the webhook server: reviews over TLS on one port, probes and metrics on another. */
#ifndef CURFEW_SERVER_H
#define CURFEW_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "curfew/err.h"
#include "curfew/review.h"

struct cf_server;

/* Everything behind the pointers stays the caller's and outlives the server. */
struct cf_server_config {
    const char *listen;         /* [HOST]:PORT of the webhook */
    const char *metrics_listen; /* [HOST]:PORT of probes and metrics */
    const char *tls_cert;       /* PEM file: the leaf, then its intermediates */
    const char *tls_key;        /* PEM file */
    const struct cf_policy *policy;
    const struct cf_store *store;
};

/* Starts both ports and their threads, which inherit the caller's signal mask: block what the
 * main thread is to wait for. NULL: CF_ERR_INPUT for a bad address, CF_ERR_SYSTEM for the rest
 * (a port in use, a key that does not match its certificate, ...). */
struct cf_server *cf_server_start(const struct cf_server_config *config, struct cf_err *err);

/* Where the ports really are, as HOST:PORT. */
const char *cf_server_address(const struct cf_server *server);
const char *cf_server_metrics_address(const struct cf_server *server);

/* The last second of the certificate, and whether an API server would take it (it has names). */
int64_t cf_server_certificate_expires(const struct cf_server *server);
bool cf_server_certificate_has_names(const struct cf_server *server);

/* "libmicrohttpd 0.9.75, GnuTLS 3.7.9": the libraries in use. */
void cf_server_libraries(char *out, size_t size);

/* Not ready any more, but serving on: every answer now closes its connection. */
void cf_server_drain(struct cf_server *server);

/* Accepts no more connections, waits up to `seconds` for what is in flight, ends all threads and
 * frees the server. Returns how many requests were cut off. */
unsigned cf_server_stop(struct cf_server *server, int64_t seconds);

/* For the program's start: no core dumps and no debugger's eyes (the memory holds Secrets), no
 * death by SIGPIPE, as many descriptors as allowed, and freed memory goes back to the system. */
void cf_process_harden(void);

#endif
