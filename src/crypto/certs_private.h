/* SPDX-License-Identifier: Apache-2.0 */
/* certs_private.h - what the certs*.c share; it has OpenSSL's types. */
#ifndef CF_CRYPTO_CERTS_PRIVATE_H
#define CF_CRYPTO_CERTS_PRIVATE_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "curfew/certs.h"

/* Authorities that are trusted at once: forced renewals, one after the other. */
#define CF_CAS_MAX 8
#define CF_NAMES_MAX 64
#define CF_NAME_SIZE 256

struct cf_names {
    const char *items[CF_NAMES_MAX];
    size_t count;
};

/* ---- PEM (certs_pem.c) ---- */

/* At most `max` certificates; returns how many there are, stops at what is broken. The caller frees
 * each with X509_free(). */
size_t cf_pem_certs(const struct cf_buf *pem, X509 **out, size_t max);
EVP_PKEY *cf_pem_key(const struct cf_buf *pem); /* NULL: there is none */
bool cf_pem_add_cert(struct cf_buf *out, X509 *cert);
bool cf_pem_add_key(struct cf_buf *out, EVP_PKEY *key);

int64_t cf_x509_begins(const X509 *cert);
int64_t cf_x509_ends(const X509 *cert);
bool cf_x509_signed_by(X509 *cert, X509 *ca);
bool cf_x509_has_name(X509 *cert, const char *name);
/* Its DNS names and IP addresses, as texts; returns how many. */
size_t cf_x509_names(X509 *cert, char out[][CF_NAME_SIZE], size_t max);

/* ---- making (certs_make.c) ---- */

/* NULL: out of memory, or of randomness. The caller frees both. */
X509 *cf_make_ca(int64_t now, int64_t lifetime, EVP_PKEY **key);
/* Never valid longer than its authority. */
X509 *cf_make_leaf(X509 *ca, EVP_PKEY *ca_key, const struct cf_names *names, int64_t now,
                   int64_t lifetime, EVP_PKEY **key);

#endif
