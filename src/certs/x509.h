/* SPDX-License-Identifier: Apache-2.0 */
/* x509.h - X.509 certificates and keys as OpenSSL's types, for authority.c. */
#ifndef CURFEW_CERTS_X509_H
#define CURFEW_CERTS_X509_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "curfew/certs.h"

/* The most valid authorities in one bundle: forced renewals in a row add them. A bundle with more
 * is an error. */
#define CF_CAS_MAX 8
#define CF_NAMES_MAX 64
#define CF_NAME_SIZE 256

struct cf_san_names {
    const char *items[CF_NAMES_MAX];
    size_t count;
};

/* ---- PEM ---- */

/* The first certificate; NULL: missing or broken. The caller frees it. */
X509 *cf_pem_cert(const struct cf_buf *pem);
/* Calls `take` with each certificate, which `take` frees; stops at the first broken one. */
void cf_pem_each_cert(const struct cf_buf *pem, void (*take)(X509 *cert, void *arg), void *arg);
/* NULL: missing, broken or encrypted. The caller frees it. */
EVP_PKEY *cf_pem_key(const struct cf_buf *pem);
/* Append to `out`. False: out of memory. */
bool cf_pem_add_cert(struct cf_buf *out, X509 *cert);
bool cf_pem_add_key(struct cf_buf *out, EVP_PKEY *key);

/* ---- fields ---- */

/* Unix seconds; 0: the time is malformed. */
int64_t cf_x509_begins(const X509 *cert);
int64_t cf_x509_ends(const X509 *cert);
bool cf_x509_signed_by(X509 *cert, X509 *ca);
bool cf_x509_has_name(X509 *cert, const char *name);
/* Copies the first `max` DNS names and IP addresses as strings; returns how many there are. */
size_t cf_x509_names(X509 *cert, char out[][CF_NAME_SIZE], size_t max);

/* ---- making ---- */

/* NULL: out of memory or randomness. The caller frees the certificate and the key. */
X509 *cf_make_ca(int64_t now, int64_t lifetime, EVP_PKEY **key);
/* The leaf never outlives its authority. */
X509 *cf_make_leaf(X509 *ca, EVP_PKEY *ca_key, const struct cf_san_names *names, int64_t now,
                   int64_t lifetime, EVP_PKEY **key);

#endif
