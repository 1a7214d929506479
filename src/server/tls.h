/* SPDX-License-Identifier: Apache-2.0 */
/* tls.h - TLS of the webhook's port: the serving certificate, client certificates, handshakes.
 *
 * Only the files tls*.c include GnuTLS, and only http.c includes libmicrohttpd: so this header
 * declares sessions and callbacks without their types. */
#ifndef CF_SERVER_TLS_H
#define CF_SERVER_TLS_H

#include <stdbool.h>
#include <stdint.h>

#include "curfew/err.h"

/* ---- a certificate chain and its key (tls_pair.c): immutable once loaded ---- */

struct cf_tls_pair;

/* Loads and checks both PEM files: the key must match the certificate, which must be valid now. One
 * file may contain both. NULL: CF_ERR_SYSTEM. */
struct cf_tls_pair *cf_tls_pair_load(const char *cert_file, const char *key_file,
                                     struct cf_err *err);

/* Loads the same from memory; messages name `where` it is from. */
struct cf_buf;
struct cf_tls_pair *cf_tls_pair_of(const char *where, const struct cf_buf *cert,
                                   const struct cf_buf *key, struct cf_err *err);

/* The last reference wipes the key. Takes NULL. */
void cf_tls_pair_unref(struct cf_tls_pair *pair);

struct cf_tls_leaf {
    int64_t begins, expires; /* validity, in Unix time, both inclusive */
    bool has_names;          /* has a subjectAltName; API servers reject a certificate without */
};

/* ---- which clients may call (tls_clients.c): immutable once loaded ---- */

struct cf_tls_clients;

/* `ca_file` and `crl_file` (NULL: none) are PEM. `names` ends with NULL: a client certificate must
 * have one of them as a subjectAltName (DNS, URI, email, IP) or as its CN. An empty list: any name
 * is accepted. */
struct cf_tls_clients *cf_tls_clients_load(const char *ca_file, const char *crl_file,
                                           const char *const *names, struct cf_err *err);
void cf_tls_clients_unref(struct cf_tls_clients *clients); /* takes NULL */

/* The earliest nextUpdate of the revocation lists, in Unix time; 0: there is none. */
int64_t cf_tls_clients_crl_ends(const struct cf_tls_clients *clients);

/* ---- handshakes, with the current pair and clients (tls.c) ---- */

struct cf_tls;
struct cf_tls_peer; /* the session of a connection */

enum cf_handshake { CF_HANDSHAKE_OK, CF_HANDSHAKE_FAILED };
#define CF_HANDSHAKES 2

struct cf_tls *cf_tls_new(struct cf_err *err);
void cf_tls_free(struct cf_tls *tls); /* takes NULL */

/* Used from the next handshake on. Both take over the caller's reference. */
void cf_tls_use_pair(struct cf_tls *tls, struct cf_tls_pair *pair);
void cf_tls_use_clients(struct cf_tls *tls, struct cf_tls_clients *clients);

/* The leaf of the current pair. False: there is none yet, and handshakes fail. */
bool cf_tls_leaf(struct cf_tls *tls, struct cf_tls_leaf *out);

/* Handshakes with this result since the start, and how many clients were refused because their
 * certificate is missing, invalid or not allowed. */
uint64_t cf_tls_handshakes(const struct cf_tls *tls, enum cf_handshake result);
uint64_t cf_tls_refused_clients(const struct cf_tls *tls);

/* The GnuTLS priority string: TLS 1.3 and 1.2 with AEAD ciphers and forward secrecy only. */
const char *cf_tls_priorities(void);

/* The callback that returns the certificate for a handshake. */
typedef void (*cf_tls_hook)(void);
cf_tls_hook cf_tls_certificate_hook(void);

/* Prepares a new session for its handshake: its certificate, and the client certificates that it
 * accepts. Calls flight() when the server's first message is created, and established() when the
 * handshake has succeeded. NULL when out of memory. */
struct cf_tls_peer *cf_tls_attach(struct cf_tls *tls, void *session, void (*flight)(void *arg),
                                  void (*established)(void *arg), void *arg);

/* Whether the handshake has succeeded with a client that may call. False for NULL. */
bool cf_tls_trusted(const struct cf_tls_peer *peer);

/* Frees the peer after its session has ended. Takes NULL. */
void cf_tls_detach(struct cf_tls_peer *peer);

/* The version of GnuTLS at run time, "3.7.9". */
const char *cf_tls_version(void);

#endif
