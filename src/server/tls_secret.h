/* SPDX-License-Identifier: Apache-2.0 */
/* tls_secret.h - the serving certificate from a Secret, which `curfew certs run` writes. The server
 * only reads it: a thread looks every ten seconds and takes what is new into use. */
#ifndef CF_SERVER_TLS_SECRET_H
#define CF_SERVER_TLS_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "curfew/server.h"
#include "tls.h"

struct cf_tls_secret;

/* Starts to read. The Secret may come later: the thread waits for it, and tells why in the log.
 * NULL: the API server cannot be asked at all (a kubeconfig that is broken, ...). */
struct cf_tls_secret *cf_tls_secret_start(const struct cf_tls_secret_config *config,
                                          struct cf_tls *tls, struct cf_err *err);

/* Ends the thread; takes NULL. */
void cf_tls_secret_stop(struct cf_tls_secret *secret);

/* Reads at once. */
void cf_tls_secret_wake(struct cf_tls_secret *secret);

/* Whether the last read found the pair that is in use, or took it into use. */
bool cf_tls_secret_good(const struct cf_tls_secret *secret);

/* Writes one sentence: what the last read failed with. */
void cf_tls_secret_why(struct cf_tls_secret *secret, char *out, size_t size);

#endif
