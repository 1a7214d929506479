/* SPDX-License-Identifier: Apache-2.0 */
/* tls.h - the certificate, its key and what every handshake is held to.
 *
 * tls.c is the only file that knows GnuTLS, http.c the only one that knows libmicrohttpd. They
 * meet here: sessions and callbacks are handed through without their types. */
#ifndef CF_SERVER_TLS_H
#define CF_SERVER_TLS_H

#include <stdbool.h>
#include <stdint.h>

#include "curfew/err.h"

struct cf_tls;      /* a certificate chain and its key */
struct cf_tls_peer; /* one connection's session */

enum cf_handshake { CF_HANDSHAKE_OK, CF_HANDSHAKE_FAILED };
#define CF_HANDSHAKES 2

/* Loads both PEM files and checks them: they parse, belong together and are in date. */
struct cf_tls *cf_tls_load(const char *cert_file, const char *key_file, struct cf_err *err);

/* Takes NULL. Wipes the key. */
void cf_tls_free(struct cf_tls *tls);

/* The last second at which the leaf is valid. */
int64_t cf_tls_expires(const struct cf_tls *tls);

/* Whether the leaf has a subjectAltName: without one an API server refuses it. */
bool cf_tls_has_names(const struct cf_tls *tls);

/* Handshakes that ended so, since the start. */
uint64_t cf_tls_handshakes(const struct cf_tls *tls, enum cf_handshake result);

/* TLS 1.3 and 1.2 with AEAD ciphers and forward secrecy only. */
const char *cf_tls_priorities(void);

/* The function that hands out the certificate at a handshake. */
typedef void (*cf_tls_hook)(void);
cf_tls_hook cf_tls_certificate_hook(void);

/* Ties a new session to the certificate, before its handshake. NULL when out of memory. */
struct cf_tls_peer *cf_tls_attach(struct cf_tls *tls, void *session);

/* When the connection has ended, and its session with it; takes NULL. */
void cf_tls_detach(struct cf_tls_peer *peer);

/* "3.7.9", of the library in use. */
const char *cf_tls_version(void);

#endif
