/* SPDX-License-Identifier: Apache-2.0 */
/* tls_private.h - declarations that the files tls*.c share. It uses types of GnuTLS, so no other
 * file includes it. */
#ifndef CF_SERVER_TLS_PRIVATE_H
#define CF_SERVER_TLS_PRIVATE_H

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>

#include "limits.h"
#include "tls.h"

#define CF_KEY_ID_SIZE 32

struct cf_tls_pair {
    gnutls_pcert_st chain[CF_CHAIN_MAX]; /* the leaf first */
    unsigned chain_len;
    gnutls_privkey_t key;
    unsigned char leaf_id[CF_KEY_ID_SIZE]; /* hash of its public key */
    struct cf_tls_leaf leaf;
};

/* ---- tls_clients.c ---- */

/* The credentials with which a session requests and verifies a client certificate. */
gnutls_certificate_credentials_t cf_tls_clients_credentials(struct cf_tls_clients *clients);

/* Whether the client may call with the certificate that it has sent. False: *alert is the TLS alert
 * for the client, and err has the reason. */
bool cf_tls_clients_accept(const struct cf_tls_clients *clients, gnutls_session_t session,
                           gnutls_alert_description_t *alert, struct cf_err *err);

/* ---- tls.c ---- */

/* Returns the current certificate: a gnutls_certificate_retrieve_function2. */
int cf_tls_retrieve_certificate(gnutls_session_t session, const gnutls_datum_t *authorities,
                                int authority_count, const gnutls_pk_algorithm_t *algorithms,
                                int algorithm_count, gnutls_pcert_st **chain, unsigned *chain_len,
                                gnutls_privkey_t *key);

#endif
