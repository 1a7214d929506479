/* SPDX-License-Identifier: Apache-2.0 */
/* x509.c - reads and writes certificates and keys in PEM, describes certificates, and makes an
 * authority and its leaf: ECDSA P-256, as API servers verify it (Go's crypto/x509: names only from
 * the subjectAltName, chains by key identifiers). */
#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "curfew/str.h"
#include "x509.h"

/* ---- reading PEM ---- */

static BIO *open_pem(const struct cf_buf *pem)
{
    return pem->len == 0 || pem->len > INT32_MAX ? NULL : BIO_new_mem_buf(pem->data, (int)pem->len);
}

void cf_pem_each_cert(const struct cf_buf *pem, void (*take)(X509 *cert, void *arg), void *arg)
{
    BIO *in = open_pem(pem);
    X509 *cert;

    while (in != NULL && (cert = PEM_read_bio_X509(in, NULL, NULL, NULL)) != NULL)
        take(cert, arg);
    BIO_free(in);
    ERR_clear_error(); /* the end of the text is one */
}

X509 *cf_pem_cert(const struct cf_buf *pem)
{
    BIO *in = open_pem(pem);
    X509 *cert = in != NULL ? PEM_read_bio_X509(in, NULL, NULL, NULL) : NULL;

    BIO_free(in);
    ERR_clear_error();
    return cert;
}

/* Encrypted keys are not supported; without this callback OpenSSL prompts on the terminal. */
static int no_password(char *out, int size, int writing, void *arg)
{
    (void)out, (void)size, (void)writing, (void)arg;
    return -1;
}

EVP_PKEY *cf_pem_key(const struct cf_buf *pem)
{
    BIO *in = open_pem(pem);
    EVP_PKEY *key = in != NULL ? PEM_read_bio_PrivateKey(in, NULL, no_password, NULL) : NULL;

    BIO_free(in);
    ERR_clear_error();
    return key;
}

/* ---- writing PEM ---- */

/* The BIO wipes its memory when it is freed. */
static bool take_pem(struct cf_buf *out, BIO *from, int written)
{
    char *bytes = NULL;
    long len = from != NULL ? BIO_get_mem_data(from, &bytes) : 0;

    if (written == 1 && len > 0)
        cf_buf_add(out, bytes, (size_t)len);
    BIO_free(from);
    return written == 1 && len > 0 && cf_buf_ok(out);
}

bool cf_pem_add_cert(struct cf_buf *out, X509 *cert)
{
    BIO *to = BIO_new(BIO_s_mem());

    return take_pem(out, to, to != NULL ? PEM_write_bio_X509(to, cert) : 0);
}

bool cf_pem_add_key(struct cf_buf *out, EVP_PKEY *key)
{
    BIO *to = BIO_new(BIO_s_mem());

    return take_pem(out, to,
                    to != NULL ? PEM_write_bio_PKCS8PrivateKey(to, key, NULL, NULL, 0, NULL, NULL)
                               : 0);
}

/* ---- fields of a certificate ---- */

static int64_t asn1_seconds(const ASN1_TIME *time)
{
    struct tm parts;

    return ASN1_TIME_to_tm(time, &parts) == 1 ? (int64_t)timegm(&parts) : 0;
}

int64_t cf_x509_begins(const X509 *cert)
{
    return asn1_seconds(X509_get0_notBefore(cert));
}

int64_t cf_x509_ends(const X509 *cert)
{
    return asn1_seconds(X509_get0_notAfter(cert));
}

bool cf_x509_signed_by(X509 *cert, X509 *ca)
{
    bool good =
        X509_check_issued(ca, cert) == X509_V_OK && X509_verify(cert, X509_get0_pubkey(ca)) == 1;

    ERR_clear_error();
    return good;
}

bool cf_x509_has_name(X509 *cert, const char *name)
{
    const unsigned flags = X509_CHECK_FLAG_NEVER_CHECK_SUBJECT;

    return X509_check_ip_asc(cert, name, flags) == 1 ||
           X509_check_host(cert, name, 0, flags, NULL) == 1;
}

/* ---- describing a certificate ---- */

static void fill_name(const X509_NAME *name, char *out, int size)
{
    if (X509_NAME_get_text_by_NID((X509_NAME *)(uintptr_t)name, NID_commonName, out, size) < 0)
        out[0] = '\0';
    cf_str_sanitize(out, (size_t)size);
}

static void format_hex(const unsigned char *bytes, size_t len, char *out, size_t size)
{
    size_t at = 0;

    out[0] = '\0';
    for (size_t i = 0; i < len && at + 4 < size; i++)
        at += (size_t)snprintf(out + at, size - at, "%s%02X", i > 0 ? ":" : "", bytes[i]);
}

static void fill_serial(const X509 *cert, struct cf_cert_info *out)
{
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(cert), NULL);
    unsigned char bytes[20];
    int len = number != NULL ? BN_num_bytes(number) : 0;

    if (len > 0 && len <= (int)sizeof(bytes) && BN_bn2bin(number, bytes) == len)
        format_hex(bytes, (size_t)len, out->serial, sizeof(out->serial));
    BN_free(number);
}

/* A DNS name or an IP address; false: another kind of name, or a longer one. */
static bool name_text(const GENERAL_NAME *name, char out[CF_NAME_SIZE])
{
    int len;

    if (name->type == GEN_DNS) {
        len = ASN1_STRING_length(name->d.dNSName);
        snprintf(out, CF_NAME_SIZE, "%.*s", len,
                 (const char *)ASN1_STRING_get0_data(name->d.dNSName));
        return len < CF_NAME_SIZE && (int)strlen(out) == len;
    }
    if (name->type != GEN_IPADD)
        return false;
    len = ASN1_STRING_length(name->d.iPAddress);
    return (len == 4 || len == 16) &&
           inet_ntop(len == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(name->d.iPAddress), out,
                     CF_NAME_SIZE) != NULL;
}

size_t cf_x509_names(X509 *cert, char out[][CF_NAME_SIZE], size_t max)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    char unused[CF_NAME_SIZE];
    size_t count = 0;

    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++)
        count += name_text(sk_GENERAL_NAME_value(names, i), count < max ? out[count] : unused);
    GENERAL_NAMES_free(names);
    return count;
}

static void fill_alt_names(X509 *cert, struct cf_cert_info *out)
{
    char names[CF_NAMES_MAX][CF_NAME_SIZE];
    size_t count = cf_x509_names(cert, names, CF_NAMES_MAX);
    size_t kept = count < CF_NAMES_MAX ? count : CF_NAMES_MAX;
    struct cf_buf text;

    cf_buf_init(&text, sizeof(names) * 2);
    for (size_t i = 0; i < kept; i++)
        cf_buf_addf(&text, "%s%s", i > 0 ? ", " : "", names[i]);
    if (count > kept)
        cf_buf_adds(&text, ", ...");
    cf_str_show(out->names, sizeof(out->names), "%s", cf_buf_str(&text));
    cf_buf_free(&text);
}

static void fill_info(X509 *cert, struct cf_cert_info *out)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;

    memset(out, 0, sizeof(*out));
    fill_name(X509_get_subject_name(cert), out->subject, sizeof(out->subject));
    fill_name(X509_get_issuer_name(cert), out->issuer, sizeof(out->issuer));
    fill_serial(cert, out);
    if (X509_digest(cert, EVP_sha256(), digest, &len) == 1)
        format_hex(digest, len, out->fingerprint, sizeof(out->fingerprint));
    fill_alt_names(cert, out);
    out->begins = cf_x509_begins(cert);
    out->expires = cf_x509_ends(cert);
    out->is_ca = X509_check_ca(cert) == 1;
    ERR_clear_error();
}

bool cf_cert_info(const char *pem, size_t len, size_t index, struct cf_cert_info *out)
{
    const struct cf_buf view = {.data = (char *)(uintptr_t)pem, .len = len};
    BIO *in = open_pem(&view);
    X509 *cert = NULL;

    for (size_t i = 0; in != NULL && i <= index; i++) {
        X509_free(cert);
        cert = PEM_read_bio_X509(in, NULL, NULL, NULL);
        if (cert == NULL)
            break;
    }
    if (cert != NULL)
        fill_info(cert, out);
    X509_free(cert);
    BIO_free(in);
    ERR_clear_error();
    return cert != NULL;
}

bool cf_cert_key_matches(const struct cf_buf *cert, const struct cf_buf *key)
{
    EVP_PKEY *private = cf_pem_key(key);
    X509 *first = cf_pem_cert(cert);
    bool same = private != NULL && first != NULL && X509_check_private_key(first, private) == 1;

    X509_free(first);
    EVP_PKEY_free(private);
    ERR_clear_error();
    return same;
}

/* ---- making certificates: fields ---- */

#define BACKDATE_SECONDS 300
#define SERIAL_BYTES 16

/* Clocks differ, so certificates are valid from a little before now: at most a tenth of their
 * lifetime. */
static int64_t backdate(int64_t lifetime)
{
    return lifetime / 10 < BACKDATE_SECONDS ? lifetime / 10 : BACKDATE_SECONDS;
}

static bool set_serial(X509 *cert, unsigned char serial[SERIAL_BYTES])
{
    BIGNUM *number = NULL;
    bool ok = RAND_bytes(serial, SERIAL_BYTES) == 1;

    serial[0] = (unsigned char)((serial[0] & 0x3F) | 0x40); /* positive, and of constant length */
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

/* `value` is a constant, never input. */
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

/* ---- making certificates: names ---- */

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

static bool add_alt_name(GENERAL_NAMES *names, const char *text)
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

static bool add_alt_names(X509 *cert, const struct cf_san_names *wanted)
{
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    bool ok = names != NULL;

    for (size_t i = 0; ok && i < wanted->count; i++)
        ok = add_alt_name(names, wanted->items[i]);
    ok = ok && X509_add1_ext_i2d(cert, NID_subject_alt_name, names, 0, 0) == 1;
    GENERAL_NAMES_free(names);
    return ok;
}

/* ---- making certificates ---- */

/* A certificate with a version, a serial number and a new key. NULL: out of memory or randomness.
 */
static X509 *begin_cert(EVP_PKEY **key, unsigned char serial[SERIAL_BYTES])
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

static X509 *sign_cert(X509 *cert, EVP_PKEY **key, EVP_PKEY *signer, bool ok)
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
    X509 *cert = begin_cert(key, serial);
    char name[64];
    bool ok;

    if (cert == NULL)
        return NULL;
    /* A unique name, since an authority and its successor are trusted side by side for a while. */
    snprintf(name, sizeof(name), "Curfew CA %02x%02x%02x%02x", serial[12], serial[13], serial[14],
             serial[15]);
    ok = set_times(cert, now - backdate(lifetime), now + lifetime) && set_subject(cert, name) &&
         X509_set_issuer_name(cert, X509_get_subject_name(cert)) == 1 &&
         add_extension(cert, cert, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
         add_extension(cert, cert, NID_key_usage, "critical,keyCertSign,cRLSign") &&
         add_extension(cert, cert, NID_subject_key_identifier, "hash");
    return sign_cert(cert, key, *key, ok);
}

X509 *cf_make_leaf(X509 *ca, EVP_PKEY *ca_key, const struct cf_san_names *names, int64_t now,
                   int64_t lifetime, EVP_PKEY **key)
{
    unsigned char serial[SERIAL_BYTES];
    X509 *cert = begin_cert(key, serial);
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
         add_alt_names(cert, names);
    return sign_cert(cert, key, ca_key, ok);
}
