/* SPDX-License-Identifier: Apache-2.0 */
/* x509_make.c - makes an authority and what it signs: ECDSA P-256, as API servers verify it (Go's
 * crypto/x509: names only from the subjectAltName, chains by key ids). */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "x509.h"
#include "curfew/str.h"

#define BACKDATE_SECONDS 300
#define SERIAL_BYTES 16

/* ---- parts ---- */

/* Clocks differ: it holds a little before now, but never for a large part of its life. */
static int64_t backdate(int64_t lifetime)
{
    return lifetime / 10 < BACKDATE_SECONDS ? lifetime / 10 : BACKDATE_SECONDS;
}

static bool set_serial(X509 *cert, unsigned char serial[SERIAL_BYTES])
{
    BIGNUM *number = NULL;
    bool ok = RAND_bytes(serial, SERIAL_BYTES) == 1;

    serial[0] = (unsigned char)((serial[0] & 0x3F) | 0x40); /* positive, and always as long */
    if (ok)
        number = BN_bin2bn(serial, SERIAL_BYTES, NULL);
    ok = number != NULL && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert)) != NULL;
    BN_free(number);
    return ok;
}

static bool set_times(X509 *cert, int64_t begins, int64_t ends)
{
    return ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)begins) != NULL &&
           ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)ends) != NULL;
}

static bool set_subject(X509 *cert, const char *name)
{
    return X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_UTF8,
                                      (const unsigned char *)name, -1, -1, 0) == 1;
}

/* The values are constants of ours. */
static bool add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509_EXTENSION *extension;
    bool ok;

    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, cert, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    ok = extension != NULL && X509_add_ext(cert, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return ok;
}

/* ---- names ---- */

static bool is_ip(const char *name)
{
    unsigned char bytes[16];

    return inet_pton(AF_INET, name, bytes) == 1 || inet_pton(AF_INET6, name, bytes) == 1;
}

bool cf_certs_is_name(const char *name)
{
    size_t label = 0, len = strlen(name);

    if (is_ip(name))
        return true;
    for (const char *c = name; *c != '\0'; c++) {
        bool letter = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
                      (*c >= '0' && *c <= '9') || *c == '-' || *c == '_';

        if (*c == '.' ? label == 0 : !letter || label >= 63)
            return false;
        label = *c == '.' ? 0 : label + 1;
    }
    return len > 0 && len <= 253 && label > 0;
}

bool cf_certs_service_name(const char *service, struct cf_buf *out)
{
    const char *dot = strchr(service, '.');

    if (dot == NULL || strchr(dot + 1, '.') != NULL || !cf_certs_is_name(service) || is_ip(service))
        return false;
    cf_buf_addf(out, "%s.svc", service);
    return cf_buf_ok(out);
}

static bool add_name(GENERAL_NAMES *names, const char *text)
{
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_OCTET_STRING *value;
    int type = is_ip(text) ? GEN_IPADD : GEN_DNS;

    if (name == NULL)
        return false;
    if (type == GEN_IPADD) {
        value = a2i_IPADDRESS(text);
    } else {
        value = ASN1_IA5STRING_new();
        if (value != NULL && ASN1_STRING_set(value, text, -1) != 1) {
            ASN1_STRING_free(value);
            value = NULL;
        }
    }
    if (value == NULL) {
        GENERAL_NAME_free(name);
        return false;
    }
    GENERAL_NAME_set0_value(name, type, value);
    if (sk_GENERAL_NAME_push(names, name) > 0)
        return true;
    GENERAL_NAME_free(name);
    return false;
}

static bool add_names(X509 *cert, const struct cf_san_names *wanted)
{
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    bool ok = names != NULL;

    for (size_t i = 0; ok && i < wanted->count; i++)
        ok = add_name(names, wanted->items[i]);
    ok = ok && X509_add1_ext_i2d(cert, NID_subject_alt_name, names, 0, 0) == 1;
    GENERAL_NAMES_free(names);
    return ok;
}

/* ---- certificates ---- */

/* A certificate with a fresh key; the rest is the caller's. */
static X509 *begin(EVP_PKEY **key, unsigned char serial[SERIAL_BYTES])
{
    X509 *cert = X509_new();

    *key = EVP_EC_gen("P-256");
    if (cert != NULL && *key != NULL && X509_set_version(cert, X509_VERSION_3) == 1 &&
        X509_set_pubkey(cert, *key) == 1 && set_serial(cert, serial))
        return cert;
    X509_free(cert);
    EVP_PKEY_free(*key);
    *key = NULL;
    return NULL;
}

static X509 *finish(X509 *cert, EVP_PKEY **key, EVP_PKEY *signer, bool ok)
{
    if (ok && X509_sign(cert, signer, EVP_sha256()) > 0)
        return cert;
    ERR_clear_error();
    X509_free(cert);
    EVP_PKEY_free(*key);
    *key = NULL;
    return NULL;
}

X509 *cf_make_ca(int64_t now, int64_t lifetime, EVP_PKEY **key)
{
    unsigned char serial[SERIAL_BYTES];
    X509 *cert = begin(key, serial);
    char name[64];
    bool ok;

    if (cert == NULL)
        return NULL;
    /* A name of its own: two of ours are trusted side by side while one follows the other. */
    snprintf(name, sizeof(name), "Curfew CA %02x%02x%02x%02x", serial[12], serial[13], serial[14],
             serial[15]);
    ok = set_times(cert, now - backdate(lifetime), now + lifetime) && set_subject(cert, name) &&
         X509_set_issuer_name(cert, X509_get_subject_name(cert)) == 1 &&
         add_extension(cert, cert, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
         add_extension(cert, cert, NID_key_usage, "critical,keyCertSign,cRLSign") &&
         add_extension(cert, cert, NID_subject_key_identifier, "hash");
    return finish(cert, key, *key, ok);
}

X509 *cf_make_leaf(X509 *ca, EVP_PKEY *ca_key, const struct cf_san_names *names, int64_t now,
                   int64_t lifetime, EVP_PKEY **key)
{
    unsigned char serial[SERIAL_BYTES];
    X509 *cert = begin(key, serial);
    int64_t ends = now + lifetime;
    bool ok;

    if (cert == NULL)
        return NULL;
    if (ends > cf_x509_ends(ca))
        ends = cf_x509_ends(ca);
    ok = set_times(cert, now - backdate(lifetime), ends) && set_subject(cert, "curfew") &&
         X509_set_issuer_name(cert, X509_get_subject_name(ca)) == 1 &&
         add_extension(cert, ca, NID_basic_constraints, "critical,CA:FALSE") &&
         add_extension(cert, ca, NID_key_usage, "critical,digitalSignature") &&
         add_extension(cert, ca, NID_ext_key_usage, "serverAuth") &&
         add_extension(cert, ca, NID_subject_key_identifier, "hash") &&
         add_extension(cert, ca, NID_authority_key_identifier, "keyid:always") &&
         add_names(cert, names);
    return finish(cert, key, ca_key, ok);
}
