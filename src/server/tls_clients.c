/* SPDX-License-Identifier: Apache-2.0 */
/* tls_clients.c - client certificates (--client-ca): a client may call with a certificate of one of
 * the authorities that is valid now, for client authentication, not revoked, and has a name of
 * --client-name. See tls.h. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include <gnutls/x509.h>

#include "curfew/swap.h"
#include "curfew/buf.h"
#include "curfew/time.h"
#include "curfew/file.h"
#include "tls_private.h"

/* Longer names do not match. */
#define NAME_MAX_SIZE 1024

struct cf_tls_clients {
    gnutls_certificate_credentials_t credentials;
    const char *const *names; /* --client-name; valid until the server ends */
    int64_t crl_ends;
};

/* ---- loading ---- */

typedef int (*add_fn)(struct cf_tls_clients *clients, const gnutls_datum_t *pem);

static int add_authorities(struct cf_tls_clients *clients, const gnutls_datum_t *pem)
{
    return gnutls_certificate_set_x509_trust_mem(clients->credentials, pem, GNUTLS_X509_FMT_PEM);
}

/* Each list must be signed by one of the authorities: GnuTLS would accept another one, and it would
 * revoke no certificate. */
static int check_crl(struct cf_tls_clients *clients, gnutls_x509_crl_t list)
{
    gnutls_x509_trust_list_t trusted;
    gnutls_x509_crt_t issuer = NULL;
    gnutls_datum_t dn = {.data = NULL};
    unsigned status = 0;
    int64_t ends = gnutls_x509_crl_get_next_update(list);
    int code = gnutls_x509_crl_get_raw_issuer_dn(list, &dn);

    if (code < 0)
        return code;
    gnutls_certificate_get_trust_list(clients->credentials, &trusted);
    code = gnutls_x509_trust_list_get_issuer_by_dn(trusted, &dn, &issuer, 0);
    gnutls_free(dn.data);
    if (code < 0)
        return code;
    code = gnutls_x509_crl_verify(list, &issuer, 1, 0, &status);
    gnutls_x509_crt_deinit(issuer);
    status &= ~(unsigned)(GNUTLS_CERT_REVOCATION_DATA_SUPERSEDED |
                          GNUTLS_CERT_REVOCATION_DATA_ISSUED_IN_FUTURE);
    if (code < 0 || (status & ~(unsigned)GNUTLS_CERT_INVALID) != 0)
        return GNUTLS_E_CERTIFICATE_ERROR;
    if (ends > 0 && (clients->crl_ends == 0 || ends < clients->crl_ends))
        clients->crl_ends = ends;
    return 0;
}

/* Returns the number of lists, or a negative code. */
static int add_crls(struct cf_tls_clients *clients, const gnutls_datum_t *pem)
{
    gnutls_x509_crl_t *lists = NULL;
    unsigned count = 0;
    int code = gnutls_x509_crl_list_import2(&lists, &count, pem, GNUTLS_X509_FMT_PEM, 0);

    if (code < 0)
        return code;
    for (unsigned i = 0; i < count && code >= 0; i++)
        code = check_crl(clients, lists[i]);
    if (code >= 0)
        code = gnutls_certificate_set_x509_crl(clients->credentials, lists, (int)count);
    for (unsigned i = 0; i < count; i++)
        gnutls_x509_crl_deinit(lists[i]);
    gnutls_free(lists);
    return code < 0 ? code : (int)count;
}

/* Reads a PEM file and passes it to add(). Messages begin with `what`; `message` is the reason if
 * add() finds nothing usable. */
static int add_pem_file(struct cf_tls_clients *clients, const char *file, const char *what,
                        add_fn add, const char *message, struct cf_err *err)
{
    struct cf_buf pem;
    gnutls_datum_t data;
    int count;

    cf_buf_init(&pem, CF_AUTHORITIES_MAX);
    if (cf_file_read(file, &pem, err) != 0) {
        cf_buf_free(&pem);
        return cf_err_wrap(err, "%s", what);
    }
    data.data = (unsigned char *)pem.data;
    data.size = (unsigned)pem.len;
    count = pem.len > 0 ? add(clients, &data) : 0;
    cf_buf_free(&pem);
    return count > 0 ? 0 : cf_err_system(err, "%s '%s': %s", what, file, message);
}

static int load_files(struct cf_tls_clients *clients, const char *ca_file, const char *crl_file,
                      struct cf_err *err)
{
    if (gnutls_certificate_allocate_credentials(&clients->credentials) < 0)
        return cf_err_memory(err);
    gnutls_certificate_set_retrieve_function2(clients->credentials, cf_tls_retrieve_certificate);
    if (add_pem_file(clients, ca_file, "client CA", add_authorities, "no PEM certificate found",
                     err) != 0)
        return -1;
    if (crl_file == NULL)
        return 0;
    return add_pem_file(clients, crl_file, "client CRL", add_crls,
                        "no PEM revocation list found, or one that the client CA did not sign",
                        err);
}

static void clear_clients(void *value)
{
    struct cf_tls_clients *clients = value;

    if (clients->credentials != NULL)
        gnutls_certificate_free_credentials(clients->credentials);
}

struct cf_tls_clients *cf_tls_clients_load(const char *ca_file, const char *crl_file,
                                           const char *const *names, struct cf_err *err)
{
    struct cf_tls_clients *clients = cf_shared_new(sizeof(*clients), clear_clients);

    if (clients == NULL) {
        cf_err_memory(err);
        return NULL;
    }
    clients->names = names;
    if (load_files(clients, ca_file, crl_file, err) == 0)
        return clients;
    cf_tls_clients_unref(clients);
    return NULL;
}

void cf_tls_clients_unref(struct cf_tls_clients *clients)
{
    cf_shared_unref(clients);
}

int64_t cf_tls_clients_crl_ends(const struct cf_tls_clients *clients)
{
    return clients->crl_ends;
}

gnutls_certificate_credentials_t cf_tls_clients_credentials(struct cf_tls_clients *clients)
{
    return clients->credentials;
}

/* ---- names ---- */

static bool is_client_name(const struct cf_tls_clients *clients, const char *name, size_t len)
{
    for (const char *const *wanted = clients->names; *wanted != NULL; wanted++) {
        if (strlen(*wanted) == len && memcmp(*wanted, name, len) == 0)
            return true;
    }
    return false;
}

static bool is_client_address(const struct cf_tls_clients *clients, const void *bytes, size_t len)
{
    char text[INET6_ADDRSTRLEN];

    if ((len != 4 && len != 16) ||
        inet_ntop(len == 4 ? AF_INET : AF_INET6, bytes, text, sizeof(text)) == NULL)
        return false;
    return is_client_name(clients, text, strlen(text));
}

static bool has_alternative_name(const struct cf_tls_clients *clients, gnutls_x509_crt_t leaf)
{
    for (unsigned i = 0;; i++) {
        char name[NAME_MAX_SIZE];
        size_t size = sizeof(name);
        int type = gnutls_x509_crt_get_subject_alt_name(leaf, i, name, &size, NULL);

        if (type == GNUTLS_E_SHORT_MEMORY_BUFFER)
            continue;
        if (type < 0)
            return false;
        if (type == GNUTLS_SAN_IPADDRESS && is_client_address(clients, name, size))
            return true;
        if ((type == GNUTLS_SAN_DNSNAME || type == GNUTLS_SAN_URI ||
             type == GNUTLS_SAN_RFC822NAME) &&
            is_client_name(clients, name, size))
            return true;
    }
}

static bool has_common_name(const struct cf_tls_clients *clients, gnutls_x509_crt_t leaf)
{
    char name[NAME_MAX_SIZE];
    size_t size = sizeof(name);

    return gnutls_x509_crt_get_dn_by_oid(leaf, GNUTLS_OID_X520_COMMON_NAME, 0, 0, name, &size) ==
               0 &&
           is_client_name(clients, name, size);
}

static bool has_client_name(const struct cf_tls_clients *clients, gnutls_session_t session)
{
    unsigned count = 0;
    const gnutls_datum_t *chain = gnutls_certificate_get_peers(session, &count);
    gnutls_x509_crt_t leaf;
    bool found;

    if (clients->names == NULL || clients->names[0] == NULL)
        return true;
    if (chain == NULL || count == 0 || gnutls_x509_crt_init(&leaf) < 0)
        return false;
    found = gnutls_x509_crt_import(leaf, &chain[0], GNUTLS_X509_FMT_DER) == 0 &&
            (has_alternative_name(clients, leaf) || has_common_name(clients, leaf));
    gnutls_x509_crt_deinit(leaf);
    return found;
}

/* ---- clients ---- */

static gnutls_alert_description_t alert_of(unsigned status)
{
    if ((status & GNUTLS_CERT_REVOKED) != 0)
        return GNUTLS_A_CERTIFICATE_REVOKED;
    if ((status & GNUTLS_CERT_EXPIRED) != 0)
        return GNUTLS_A_CERTIFICATE_EXPIRED;
    if ((status & GNUTLS_CERT_SIGNER_NOT_FOUND) != 0)
        return GNUTLS_A_UNKNOWN_CA;
    if ((status & GNUTLS_CERT_PURPOSE_MISMATCH) != 0)
        return GNUTLS_A_UNSUPPORTED_CERTIFICATE;
    return GNUTLS_A_BAD_CERTIFICATE;
}

static void set_status_error(unsigned status, struct cf_err *err)
{
    gnutls_datum_t text;

    if (gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, &text, 0) < 0) {
        cf_err_set(err, "the client certificate is not valid");
        return;
    }
    cf_err_set(err, "%s", (const char *)text.data);
    gnutls_free(text.data);
}

bool cf_tls_clients_accept(const struct cf_tls_clients *clients, gnutls_session_t session,
                           gnutls_alert_description_t *alert, struct cf_err *err)
{
    static unsigned char client[] = GNUTLS_KP_TLS_WWW_CLIENT;
    gnutls_typed_vdata_st purpose = {
        .type = GNUTLS_DT_KEY_PURPOSE_OID, .data = client, .size = sizeof(client) - 1};
    unsigned status = 0;
    int code = gnutls_certificate_verify_peers(session, &purpose, 1, &status);

    if (code < 0) {
        cf_err_set(err, "cannot verify the client certificate: %s", gnutls_strerror(code));
        return false;
    }
    if (status != 0) {
        *alert = alert_of(status);
        set_status_error(status, err);
        return false;
    }
    if (has_client_name(clients, session))
        return true;
    *alert = GNUTLS_A_ACCESS_DENIED;
    cf_err_set(err, "the client certificate has none of the names of --client-name");
    return false;
}
