/* SPDX-License-Identifier: Apache-2.0 */
/* tls.c - see tls.h. The only file that includes GnuTLS.
 *
 * The certificate is handed out by a callback, once for each handshake, and not loaded into
 * libmicrohttpd: so a pair can be replaced while the server runs. */
#include "tls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "curfew/buf.h"
#include "curfew/clock.h"
#include "curfew/file.h"
#include "limits.h"

#define KEY_ID_SIZE 32

struct cf_tls {
    gnutls_pcert_st chain[CF_CHAIN_MAX]; /* the leaf first */
    unsigned chain_len;
    gnutls_privkey_t key;
    unsigned char leaf_id[KEY_ID_SIZE]; /* the hash of its public key */
    int64_t begins, expires;
    bool has_names;
    atomic_uint_fast64_t handshakes[CF_HANDSHAKES];
};

struct cf_tls_peer {
    struct cf_tls *tls;
    bool finished; /* the handshake has succeeded */
    bool begun;    /* the client has sent something; a mere connection is no handshake */
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

/* ---- loading ---- */

static int read_leaf(struct cf_tls *tls, const char *file, struct cf_err *err)
{
    gnutls_x509_crt_t leaf;
    size_t size = sizeof(tls->leaf_id);
    char name[256];
    size_t name_size = sizeof(name);
    int code = gnutls_x509_crt_init(&leaf);

    if (code < 0)
        return cf_err_memory(err);
    code = gnutls_x509_crt_import(leaf, &tls->chain[0].cert, GNUTLS_X509_FMT_DER);
    if (code == 0)
        code = gnutls_x509_crt_get_key_id(leaf, GNUTLS_KEYID_USE_SHA256, tls->leaf_id, &size);
    tls->begins = gnutls_x509_crt_get_activation_time(leaf);
    tls->expires = gnutls_x509_crt_get_expiration_time(leaf);
    tls->has_names = gnutls_x509_crt_get_subject_alt_name(leaf, 0, name, &name_size, NULL) !=
                     GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE;
    gnutls_x509_crt_deinit(leaf);
    if (code < 0)
        return cf_err_system(err, "certificate '%s': %s", file, gnutls_strerror(code));
    return 0;
}

static int load_chain(struct cf_tls *tls, const char *file, struct cf_err *err)
{
    struct cf_buf pem;
    unsigned count = CF_CHAIN_MAX;
    gnutls_datum_t data;
    int code = -1;

    cf_buf_init(&pem, CF_PEM_MAX);
    if (cf_file_read(file, &pem, err) != 0) {
        cf_buf_free(&pem);
        return cf_err_wrap(err, "certificate");
    }
    data.data = (unsigned char *)pem.data;
    data.size = (unsigned)pem.len;
    if (pem.len > 0)
        code = gnutls_pcert_list_import_x509_raw(tls->chain, &count, &data, GNUTLS_X509_FMT_PEM, 0);
    cf_buf_free(&pem);
    if (code < 0)
        return cf_err_system(err, "certificate '%s': there is no chain of PEM certificates in it",
                             file);
    tls->chain_len = count;
    return read_leaf(tls, file, err);
}

/* Reads a key into memory that the caller wipes; cf_file_read() would leave copies behind. */
static ssize_t read_secret(const char *file, unsigned char *out, size_t max)
{
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    size_t len = 0;
    ssize_t got = -1;
    int saved;

    if (fd < 0)
        return -1;
    while (len < max) {
        got = read(fd, out + len, max - len);
        if (got == 0 || (got < 0 && errno != EINTR))
            break;
        len += got > 0 ? (size_t)got : 0;
    }
    saved = errno;
    close(fd);
    errno = saved;
    return got < 0 ? -1 : (ssize_t)len;
}

static int import_key(struct cf_tls *tls, const char *file, struct cf_err *err)
{
    gnutls_datum_t data = {.data = malloc(CF_PEM_MAX)};
    ssize_t len;
    int code;

    if (data.data == NULL)
        return cf_err_memory(err);
    len = read_secret(file, data.data, CF_PEM_MAX);
    if (len < 0) {
        free(data.data);
        return cf_err_system(err, "key: reading '%s': %s", file, strerror(errno));
    }
    data.size = (unsigned)len;
    code = gnutls_privkey_import_x509_raw(tls->key, &data, GNUTLS_X509_FMT_PEM, NULL, 0);
    explicit_bzero(data.data, (size_t)len);
    free(data.data);
    if (code < 0)
        return cf_err_system(err, "key '%s': there is no PEM private key without a password in it",
                             file);
    return 0;
}

static int load_key(struct cf_tls *tls, const char *file, struct cf_err *err)
{
    if (gnutls_privkey_init(&tls->key) < 0)
        return cf_err_memory(err);
    return import_key(tls, file, err);
}

static bool key_matches(const struct cf_tls *tls)
{
    gnutls_pubkey_t public;
    unsigned char id[KEY_ID_SIZE];
    size_t size = sizeof(id);
    bool same = false;

    if (gnutls_pubkey_init(&public) < 0)
        return false;
    if (gnutls_pubkey_import_privkey(public, tls->key, 0, 0) == 0 &&
        gnutls_pubkey_get_key_id(public, GNUTLS_KEYID_USE_SHA256, id, &size) == 0)
        same = memcmp(id, tls->leaf_id, sizeof(id)) == 0;
    gnutls_pubkey_deinit(public);
    return same;
}

static int check_pair(const struct cf_tls *tls, const char *cert_file, const char *key_file,
                      struct cf_err *err)
{
    int64_t now = cf_now();
    char when[32];

    if (!key_matches(tls))
        return cf_err_system(err, "key '%s' does not belong to the first certificate of '%s'",
                             key_file, cert_file);
    if (now > tls->expires)
        return cf_err_system(err, "certificate '%s' has expired: it was valid until %s", cert_file,
                             cf_time_format(tls->expires, when));
    if (now < tls->begins)
        return cf_err_system(err, "certificate '%s' is not valid yet: it will be from %s",
                             cert_file, cf_time_format(tls->begins, when));
    return 0;
}

struct cf_tls *cf_tls_load(const char *cert_file, const char *key_file, struct cf_err *err)
{
    struct cf_tls *tls = calloc(1, sizeof(*tls));

    if (tls == NULL) {
        cf_err_memory(err);
        return NULL;
    }
    if (load_chain(tls, cert_file, err) != 0 || load_key(tls, key_file, err) != 0 ||
        check_pair(tls, cert_file, key_file, err) != 0) {
        cf_tls_free(tls);
        return NULL;
    }
    return tls;
}

void cf_tls_free(struct cf_tls *tls)
{
    if (tls == NULL)
        return;
    for (unsigned i = 0; i < tls->chain_len; i++)
        gnutls_pcert_deinit(&tls->chain[i]);
    if (tls->key != NULL)
        gnutls_privkey_deinit(tls->key); /* GnuTLS wipes it */
    free(tls);
}

int64_t cf_tls_expires(const struct cf_tls *tls)
{
    return tls->expires;
}

bool cf_tls_has_names(const struct cf_tls *tls)
{
    return tls->has_names;
}

uint64_t cf_tls_handshakes(const struct cf_tls *tls, enum cf_handshake result)
{
    return atomic_load_explicit(&tls->handshakes[result], memory_order_relaxed);
}

/* ---- handshakes ---- */

static void count(struct cf_tls *tls, enum cf_handshake result)
{
    atomic_fetch_add_explicit(&tls->handshakes[result], 1, memory_order_relaxed);
}

static int hand_out(gnutls_session_t session, const gnutls_datum_t *authorities,
                    int authority_count, const gnutls_pk_algorithm_t *algorithms,
                    int algorithm_count, gnutls_pcert_st **chain, unsigned *chain_len,
                    gnutls_privkey_t *key)
{
    struct cf_tls_peer *peer = gnutls_db_get_ptr(session);

    (void)authorities, (void)authority_count, (void)algorithms, (void)algorithm_count;
    if (peer == NULL)
        return -1; /* no memory at the connection's start */
    *chain = peer->tls->chain;
    *chain_len = peer->tls->chain_len;
    *key = peer->tls->key;
    return 0;
}

cf_tls_hook cf_tls_certificate_hook(void)
{
    return (cf_tls_hook)hand_out;
}

/* The client's Finished is the last message of a full handshake, in both versions of TLS. */
static int on_message(gnutls_session_t session, unsigned type, unsigned post, unsigned incoming,
                      const gnutls_datum_t *message)
{
    struct cf_tls_peer *peer = gnutls_db_get_ptr(session);

    (void)message;
    peer->begun = true;
    if (incoming && post && type == GNUTLS_HANDSHAKE_FINISHED && !peer->finished) {
        peer->finished = true;
        count(peer->tls, CF_HANDSHAKE_OK);
    }
    return 0;
}

struct cf_tls_peer *cf_tls_attach(struct cf_tls *tls, void *session)
{
    static unsigned char http_1_1[] = "http/1.1";
    gnutls_datum_t protocol = {.data = http_1_1, .size = sizeof(http_1_1) - 1};
    struct cf_tls_peer *peer = calloc(1, sizeof(*peer));

    if (peer == NULL)
        return NULL;
    peer->tls = tls;
    /* We store no sessions, so the pointer that GnuTLS keeps for a session store is free. */
    gnutls_db_set_ptr(session, peer);
    gnutls_handshake_set_hook_function(session, GNUTLS_HANDSHAKE_ANY, GNUTLS_HOOK_BOTH, on_message);
    /* A client that offers h2 as well takes this one; one that offers nothing else goes on
     * without ALPN, as it may. */
    gnutls_alpn_set_protocols(session, &protocol, 1, 0);
    return peer;
}

void cf_tls_detach(struct cf_tls_peer *peer)
{
    if (peer == NULL)
        return;
    if (peer->begun && !peer->finished)
        count(peer->tls, CF_HANDSHAKE_FAILED);
    free(peer);
}
