/* SPDX-License-Identifier: Apache-2.0 */
/* x509.h - what the certs*.c share; it has OpenSSL's types. */
#ifndef CF_CRYPTO_CERTS_PRIVATE_H
#define CF_CRYPTO_CERTS_PRIVATE_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "curfew/certs.h"

/* Authorities that are trusted at once: forced renewals, one after the other. Of a bundle with more
 * that are in date nothing new is made. */
#define CF_CAS_MAX 8
#define CF_NAMES_MAX 64
#define CF_NAME_SIZE 256

struct cf_san_names {
    const char *items[CF_NAMES_MAX];
    size_t count;
};

/* ---- PEM (certs_pem.c) ---- */

/* The first certificate; NULL: there is none, or it is broken. The caller frees it. */
X509 *cf_pem_cert(const struct cf_buf *pem);
/* Gives each certificate to `take`, which frees it; stops at what is broken. */
void cf_pem_each_cert(const struct cf_buf *pem, void (*take)(X509 *cert, void *arg), void *arg);
EVP_PKEY *cf_pem_key(const struct cf_buf *pem); /* NULL: there is none */
bool cf_pem_add_cert(struct cf_buf *out, X509 *cert);
bool cf_pem_add_key(struct cf_buf *out, EVP_PKEY *key);

int64_t cf_x509_begins(const X509 *cert);
int64_t cf_x509_ends(const X509 *cert);
bool cf_x509_signed_by(X509 *cert, X509 *ca);
bool cf_x509_has_name(X509 *cert, const char *name);
/* Its DNS names and IP addresses, as texts, of which the first `max` are given; returns how many it
 * has. */
size_t cf_x509_names(X509 *cert, char out[][CF_NAME_SIZE], size_t max);

/* ---- making (certs_make.c) ---- */

/* NULL: out of memory, or of randomness. The caller frees both. */
X509 *cf_make_ca(int64_t now, int64_t lifetime, EVP_PKEY **key);
/* Never valid longer than its authority. */
X509 *cf_make_leaf(X509 *ca, EVP_PKEY *ca_key, const struct cf_san_names *names, int64_t now,
                   int64_t lifetime, EVP_PKEY **key);

#endif
