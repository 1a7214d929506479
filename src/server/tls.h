/* SPDX-License-Identifier: Apache-2.0 */
/* tls.h - the certificate, its key, who may call, and what every handshake is held to.
 *
 * The tls*.c are the only files that know GnuTLS, http.c the only one that knows libmicrohttpd.
 * They meet here: sessions and callbacks are handed through without their types. */
#ifndef CF_SERVER_TLS_H
#define CF_SERVER_TLS_H

#include <stdbool.h>
#include <stdint.h>

#include "curfew/err.h"

/* ---- a certificate chain and its key (tls_pair.c): immutable once loaded ---- */

struct cf_tls_pair;

/* Loads both PEM files and checks them: they parse, belong together and are in date. */
struct cf_tls_pair *cf_tls_pair_load(const char *cert_file, const char *key_file,
                                     struct cf_err *err);

/* The same from memory; messages name `where` it came from. */
struct cf_buf;
struct cf_tls_pair *cf_tls_pair_of(const char *where, const struct cf_buf *cert,
                                   const struct cf_buf *key, struct cf_err *err);

/* The last reference wipes the key. Takes NULL. */
void cf_tls_pair_unref(struct cf_tls_pair *pair);

struct cf_tls_leaf {
    int64_t begins, expires; /* the first and the last second at which it is valid */
    bool has_names;          /* a subjectAltName: without one an API server refuses it */
};

/* ---- which clients may call (tls_clients.c): immutable once loaded ---- */

struct cf_tls_clients;

/* `ca_file` and `crl_file` (NULL: none) are PEM; `names` ends with NULL: a client's certificate
 * carries one of them as a subjectAltName (DNS, URI, email, IP) or as its CN; none: any will do. */
struct cf_tls_clients *cf_tls_clients_load(const char *ca_file, const char *crl_file,
                                           const char *const *names, struct cf_err *err);
void cf_tls_clients_unref(struct cf_tls_clients *clients); /* takes NULL */

/* When the first of its revocation lists should have been replaced; 0: there is none. */
int64_t cf_tls_clients_crl_ends(const struct cf_tls_clients *clients);

/* ---- all of it, for the life of the server (tls.c) ---- */

struct cf_tls;
struct cf_tls_peer; /* one connection's session */

enum cf_handshake { CF_HANDSHAKE_OK, CF_HANDSHAKE_FAILED };
#define CF_HANDSHAKES 2

struct cf_tls *cf_tls_new(struct cf_err *err);
void cf_tls_free(struct cf_tls *tls); /* takes NULL */

/* From the next handshake on. Takes over the caller's reference. */
void cf_tls_use_pair(struct cf_tls *tls, struct cf_tls_pair *pair);
void cf_tls_use_clients(struct cf_tls *tls, struct cf_tls_clients *clients);

/* Of the pair in use. False: there is none yet, and handshakes fail. */
bool cf_tls_leaf(struct cf_tls *tls, struct cf_tls_leaf *out);

/* Handshakes that ended so, since the start; and those of them that failed because of who
 * called. */
uint64_t cf_tls_handshakes(const struct cf_tls *tls, enum cf_handshake result);
uint64_t cf_tls_anonymous(const struct cf_tls *tls);

/* TLS 1.3 and 1.2 with AEAD ciphers and forward secrecy only. */
const char *cf_tls_priorities(void);

/* The function that hands out the certificate at a handshake. */
typedef void (*cf_tls_hook)(void);
cf_tls_hook cf_tls_certificate_hook(void);

/* Ties a new session to the certificate and to who may call, before its handshake. Calls flight()
 * when the first answer to the client is made, and established() once the handshake has succeeded.
 * NULL when out of memory. */
struct cf_tls_peer *cf_tls_attach(struct cf_tls *tls, void *session, void (*flight)(void *arg),
                                  void (*established)(void *arg), void *arg);

/* Whether the handshake is over, and with a client that may call. NULL: no. */
bool cf_tls_trusted(const struct cf_tls_peer *peer);

/* When the connection has ended, and its session with it; takes NULL. */
void cf_tls_detach(struct cf_tls_peer *peer);

/* "3.7.9", of the library in use. */
const char *cf_tls_version(void);

#endif
