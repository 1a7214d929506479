/* SPDX-License-Identifier: Apache-2.0 */
/* tls.c - TLS handshakes; see tls.h.
 *
 * A callback returns the certificate for each handshake; libmicrohttpd has none. So the certificate
 * can be replaced while the server runs. A session keeps a reference to the pair and the clients
 * that it started with until it ends. */
#include "tls.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "curfew/log.h"
#include "curfew/swap.h"
#include "stats.h"
#include "tls_private.h"

struct cf_tls {
    struct cf_swap pair;    /* struct cf_tls_pair */
    struct cf_swap clients; /* struct cf_tls_clients; empty: every client may call */
    atomic_uint_fast64_t handshakes[CF_HANDSHAKES];
    atomic_uint_fast64_t refused_clients;
    atomic_int_fast64_t refusal_logged; /* for cf_stats_rarely() */
};

struct cf_tls_peer {
    struct cf_tls *tls;
    struct cf_tls_pair *pair;       /* NULL before the handshake */
    struct cf_tls_clients *clients; /* NULL: no client certificate is requested */
    void (*flight)(void *arg);
    void (*established)(void *arg);
    void *arg;
    bool accepted; /* the client certificate was accepted */
    bool finished; /* the handshake has succeeded */
    bool begun;    /* the client has sent a message; without one there was no handshake */
    bool answered; /* the server has sent a message */
};

const char *cf_tls_version(void)
{
    return gnutls_check_version(NULL);
}

const char *cf_tls_priorities(void)
{
    return "NONE:+VERS-TLS1.3:+VERS-TLS1.2:+ECDHE-ECDSA:+ECDHE-RSA:+AES-128-GCM:+AES-256-GCM:"
           "+CHACHA20-POLY1305:+AEAD:+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1:"
           "+GROUP-SECP521R1:+SIGN-ECDSA-SECP256R1-SHA256:+SIGN-ECDSA-SHA256:"
           "+SIGN-ECDSA-SECP384R1-SHA384:+SIGN-ECDSA-SHA384:+SIGN-ECDSA-SECP521R1-SHA512:"
           "+SIGN-ECDSA-SHA512:+SIGN-EDDSA-ED25519:+SIGN-RSA-PSS-SHA256:+SIGN-RSA-PSS-RSAE-SHA256:"
           "+SIGN-RSA-PSS-SHA384:+SIGN-RSA-PSS-RSAE-SHA384:+SIGN-RSA-PSS-SHA512:"
           "+SIGN-RSA-PSS-RSAE-SHA512:+SIGN-RSA-SHA256:+SIGN-RSA-SHA384:+SIGN-RSA-SHA512:"
           "+COMP-NULL:+CTYPE-X509:%SAFE_RENEGOTIATION:%SERVER_PRECEDENCE";
}

/* ---- the current certificate and clients ---- */

struct cf_tls *cf_tls_new(struct cf_err *err)
{
    struct cf_tls *tls = calloc(1, sizeof(*tls));

    if (tls == NULL) {
        cf_err_memory(err);
        return NULL;
    }
    cf_swap_init(&tls->pair);
    cf_swap_init(&tls->clients);
    return tls;
}

void cf_tls_free(struct cf_tls *tls)
{
    if (tls == NULL)
        return;
    cf_swap_clear(&tls->pair);
    cf_swap_clear(&tls->clients);
    free(tls);
}

void cf_tls_use_pair(struct cf_tls *tls, struct cf_tls_pair *pair)
{
    cf_swap_set(&tls->pair, pair);
}

void cf_tls_use_clients(struct cf_tls *tls, struct cf_tls_clients *clients)
{
    cf_swap_set(&tls->clients, clients);
}

bool cf_tls_leaf(struct cf_tls *tls, struct cf_tls_leaf *out)
{
    struct cf_tls_pair *pair = cf_swap_ref(&tls->pair);

    if (pair == NULL)
        return false;
    *out = pair->leaf;
    cf_tls_pair_unref(pair);
    return true;
}

uint64_t cf_tls_handshakes(const struct cf_tls *tls, enum cf_handshake result)
{
    return atomic_load_explicit(&tls->handshakes[result], memory_order_relaxed);
}

uint64_t cf_tls_refused_clients(const struct cf_tls *tls)
{
    return atomic_load_explicit(&tls->refused_clients, memory_order_relaxed);
}

/* ---- handshakes ---- */

static void count_handshake(struct cf_tls *tls, enum cf_handshake result)
{
    atomic_fetch_add_explicit(&tls->handshakes[result], 1, memory_order_relaxed);
}

int cf_tls_retrieve_certificate(gnutls_session_t session, const gnutls_datum_t *authorities,
                                int authority_count, const gnutls_pk_algorithm_t *algorithms,
                                int algorithm_count, gnutls_pcert_st **chain, unsigned *chain_len,
                                gnutls_privkey_t *key)
{
    struct cf_tls_peer *peer = gnutls_db_get_ptr(session);

    (void)authorities, (void)authority_count, (void)algorithms, (void)algorithm_count;
    if (peer == NULL)
        return -1; /* out of memory in cf_tls_attach() */
    if (peer->pair == NULL)
        peer->pair = cf_swap_ref(&peer->tls->pair);
    if (peer->pair == NULL)
        return -1; /* the Secret does not contain one yet */
    *chain = peer->pair->chain;
    *chain_len = peer->pair->chain_len;
    *key = peer->pair->key;
    return 0;
}

cf_tls_hook cf_tls_certificate_hook(void)
{
    return (cf_tls_hook)cf_tls_retrieve_certificate;
}

/* Ends the handshake with an alert: GnuTLS would only close the connection. */
static int refuse_client(struct cf_tls_peer *peer, gnutls_session_t session,
                         gnutls_alert_description_t alert, const char *why)
{
    atomic_fetch_add_explicit(&peer->tls->refused_clients, 1, memory_order_relaxed);
    cf_log(cf_stats_rarely(&peer->tls->refusal_logged) ? CF_LOG_WARN : CF_LOG_DEBUG,
           "a client was refused", CF_LOG_S("error", why));
    gnutls_alert_send(session, GNUTLS_AL_FATAL, alert);
    return GNUTLS_E_CERTIFICATE_ERROR;
}

static int refuse_without_certificate(struct cf_tls_peer *peer, gnutls_session_t session)
{
    bool is_1_3 = gnutls_protocol_get_version(session) == GNUTLS_TLS1_3;

    return refuse_client(peer, session,
                         is_1_3 ? GNUTLS_A_CERTIFICATE_REQUIRED : GNUTLS_A_HANDSHAKE_FAILURE,
                         "the client sent no certificate");
}

/* Called after the client's answer to the request for a certificate. */
static int on_client_certificate(gnutls_session_t session)
{
    struct cf_tls_peer *peer = gnutls_db_get_ptr(session);
    gnutls_alert_description_t alert = GNUTLS_A_BAD_CERTIFICATE;
    unsigned certificates = 0;
    struct cf_err err = {.kind = CF_ERR_NONE};

    if (gnutls_certificate_get_peers(session, &certificates) == NULL || certificates == 0)
        return refuse_without_certificate(peer, session);
    peer->accepted = cf_tls_clients_accept(peer->clients, session, &alert, &err);
    return peer->accepted ? 0 : refuse_client(peer, session, alert, err.msg);
}

/* The client's Finished is the last message of a full handshake, in both versions of TLS. */
static int on_handshake_finished(struct cf_tls_peer *peer, gnutls_session_t session)
{
    if (peer->clients != NULL && !peer->accepted)
        return refuse_without_certificate(peer, session);
    peer->finished = true;
    count_handshake(peer->tls, CF_HANDSHAKE_OK);
    peer->established(peer->arg);
    return 0;
}

static int on_handshake_message(gnutls_session_t session, unsigned type, unsigned post,
                                unsigned incoming, const gnutls_datum_t *message)
{
    struct cf_tls_peer *peer = gnutls_db_get_ptr(session);

    (void)message;
    peer->begun = true;
    if (!incoming && !peer->answered) {
        peer->answered = true;
        peer->flight(peer->arg);
    }
    if (incoming && post && type == GNUTLS_HANDSHAKE_FINISHED && !peer->finished)
        return on_handshake_finished(peer, session);
    return 0;
}

/* Replaces the credentials of libmicrohttpd, which have no authorities. */
static void request_certificate(struct cf_tls_peer *peer, gnutls_session_t session)
{
    gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE,
                           cf_tls_clients_credentials(peer->clients));
    gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUEST);
    gnutls_session_set_verify_function(session, on_client_certificate);
}

struct cf_tls_peer *cf_tls_attach(struct cf_tls *tls, void *session, void (*flight)(void *arg),
                                  void (*established)(void *arg), void *arg)
{
    static unsigned char http_1_1[] = "http/1.1";
    gnutls_datum_t protocol = {.data = http_1_1, .size = sizeof(http_1_1) - 1};
    struct cf_tls_peer *peer = calloc(1, sizeof(*peer));

    if (peer == NULL)
        return NULL;
    peer->tls = tls;
    peer->flight = flight;
    peer->established = established;
    peer->arg = arg;
    peer->clients = cf_swap_ref(&tls->clients);
    if (peer->clients != NULL)
        request_certificate(peer, session);
    /* The server has no session store, so the pointer that GnuTLS keeps for it is unused. */
    gnutls_db_set_ptr(session, peer);
    gnutls_handshake_set_hook_function(session, GNUTLS_HANDSHAKE_ANY, GNUTLS_HOOK_BOTH,
                                       on_handshake_message);
    /* A client that offers h2 and http/1.1 uses http/1.1; one that offers only h2 continues without
     * ALPN. */
    gnutls_alpn_set_protocols(session, &protocol, 1, 0);
    return peer;
}

bool cf_tls_trusted(const struct cf_tls_peer *peer)
{
    return peer != NULL && peer->finished && (peer->clients == NULL || peer->accepted);
}

void cf_tls_detach(struct cf_tls_peer *peer)
{
    if (peer == NULL)
        return;
    if (peer->begun && !peer->finished)
        count_handshake(peer->tls, CF_HANDSHAKE_FAILED);
    cf_tls_pair_unref(peer->pair);
    cf_tls_clients_unref(peer->clients);
    free(peer);
}
