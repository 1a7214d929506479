/* SPDX-License-Identifier: Apache-2.0 */
/* tls_secret.h - the serving certificate from a Secret, which `curfew certs run` writes. A thread
 * reads the Secret every ten seconds, and passes a new certificate to tls.h. */
#ifndef CF_SERVER_TLS_SECRET_H
#define CF_SERVER_TLS_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "curfew/server.h"
#include "tls.h"

struct cf_tls_secret;

/* Starts the thread. If the Secret does not exist yet, the thread waits for it, and logs the
 * reason. NULL: the API server cannot be called (an invalid kubeconfig, ...). */
struct cf_tls_secret *cf_tls_secret_start(const struct cf_tls_secret_config *config,
                                          struct cf_tls *tls, struct cf_err *err);

/* Ends the thread. Takes NULL. */
void cf_tls_secret_stop(struct cf_tls_secret *secret);

/* Makes the thread read the Secret immediately. */
void cf_tls_secret_wake(struct cf_tls_secret *secret);

/* Whether the last read succeeded: the certificate in the Secret is the current one, or waits until
 * API servers trust its authority. */
bool cf_tls_secret_good(const struct cf_tls_secret *secret);

/* Writes the error of the last read; "" if it succeeded. */
void cf_tls_secret_why(struct cf_tls_secret *secret, char *out, size_t size);

#endif
