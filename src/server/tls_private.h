/* SPDX-License-Identifier: Apache-2.0 */
/* tls_private.h - what the tls*.c share; it has GnuTLS's types, so only they include it. */
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
    unsigned char leaf_id[CF_KEY_ID_SIZE]; /* the hash of its public key */
    struct cf_tls_leaf leaf;
};

/* ---- tls_clients.c ---- */

/* What a session needs to ask for a certificate. */
gnutls_certificate_credentials_t cf_tls_clients_credentials(struct cf_tls_clients *clients);

/* Whether the certificate that the session's client has sent may call; else *alert is what to
 * tell it and err says why. */
bool cf_tls_clients_accept(const struct cf_tls_clients *clients, gnutls_session_t session,
                           gnutls_alert_description_t *alert, struct cf_err *err);

/* ---- tls.c ---- */

/* Hands out the certificate: a gnutls_certificate_retrieve_function2. */
int cf_tls_hand_out(gnutls_session_t session, const gnutls_datum_t *authorities,
                    int authority_count, const gnutls_pk_algorithm_t *algorithms,
                    int algorithm_count, gnutls_pcert_st **chain, unsigned *chain_len,
                    gnutls_privkey_t *key);

#endif
