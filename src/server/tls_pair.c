/* SPDX-License-Identifier: Apache-2.0 */
/* tls_pair.c - loads a certificate chain and its key from PEM, and checks them; see tls.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <gnutls/x509.h>

#include "curfew/swap.h"
#include "curfew/buf.h"
#include "curfew/time.h"
#include "curfew/file.h"
#include "tls_private.h"

#define PEM_BEGIN "-----BEGIN "
#define PEM_CERTIFICATE "CERTIFICATE" /* also of "X509 CERTIFICATE" */

static int read_leaf(struct cf_tls_pair *pair, const char *file, struct cf_err *err)
{
    gnutls_x509_crt_t leaf;
    size_t size = sizeof(pair->leaf_id);
    char name[256];
    size_t name_size = sizeof(name);
    int code = gnutls_x509_crt_init(&leaf);

    if (code < 0)
        return cf_err_memory(err);
    code = gnutls_x509_crt_import(leaf, &pair->chain[0].cert, GNUTLS_X509_FMT_DER);
    if (code == 0)
        code = gnutls_x509_crt_get_key_id(leaf, GNUTLS_KEYID_USE_SHA256, pair->leaf_id, &size);
    pair->leaf.begins = gnutls_x509_crt_get_activation_time(leaf);
    pair->leaf.expires = gnutls_x509_crt_get_expiration_time(leaf);
    pair->leaf.has_names = gnutls_x509_crt_get_subject_alt_name(leaf, 0, name, &name_size, NULL) !=
                           GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE;
    gnutls_x509_crt_deinit(leaf);
    if (code < 0)
        return cf_err_system(err, "certificate '%s': %s", file, gnutls_strerror(code));
    return 0;
}

/* Whether the label of the block at "-----BEGIN " is not that of a certificate: one file may also
 * contain the key and its parameters. A truncated label counts as that of a certificate. */
static bool is_other_block(const char *begin)
{
    const char *label = begin + strlen(PEM_BEGIN);
    size_t len = strcspn(label, "-\r\n");

    return strncmp(label + len, "-----", 5) == 0 &&
           !(len >= strlen(PEM_CERTIFICATE) &&
             memcmp(label + len - strlen(PEM_CERTIFICATE), PEM_CERTIFICATE,
                    strlen(PEM_CERTIFICATE)) == 0);
}

/* How many certificates begin in a PEM file: of a truncated file, GnuTLS would silently use those
 * that are complete. */
static unsigned begun_in(const char *pem)
{
    unsigned count = 0;

    for (; (pem = strstr(pem, PEM_BEGIN)) != NULL; pem++)
        count += !is_other_block(pem);
    return count;
}

/* Messages name `where`. */
static int import_chain(struct cf_tls_pair *pair, const char *where, const struct cf_buf *pem,
                        struct cf_err *err)
{
    gnutls_datum_t data = {.data = (unsigned char *)pem->data, .size = (unsigned)pem->len};
    unsigned count = CF_CHAIN_MAX;
    int code = -1;

    if (begun_in(cf_buf_str(pem)) > CF_CHAIN_MAX)
        return cf_err_system(err, "certificate '%s': more than %d certificates", where,
                             CF_CHAIN_MAX);
    if (pem->len > 0)
        code =
            gnutls_pcert_list_import_x509_raw(pair->chain, &count, &data, GNUTLS_X509_FMT_PEM, 0);
    pair->chain_len = code < 0 ? 0 : count;
    if (code < 0)
        return cf_err_system(err, "certificate '%s': no chain of PEM certificates found", where);
    if (pair->chain_len != begun_in(cf_buf_str(pem)))
        return cf_err_system(err, "certificate '%s': the last certificate is truncated", where);
    return read_leaf(pair, where, err);
}

static int load_chain(struct cf_tls_pair *pair, const char *file, struct cf_err *err)
{
    struct cf_buf pem;
    int result;

    /* The file may contain the key: the buffer has its full size from the start, so that it is
     * never copied. */
    cf_buf_init(&pem, CF_PEM_MAX);
    pem.data = calloc(1, CF_PEM_MAX + 1);
    if (pem.data == NULL)
        return cf_err_memory(err);
    pem.cap = CF_PEM_MAX + 1;
    result = cf_file_read(file, &pem, err);
    if (result == 0)
        result = import_chain(pair, file, &pem, err);
    else
        cf_err_wrap(err, "certificate");
    explicit_bzero(pem.data, pem.cap);
    cf_buf_free(&pem);
    return result;
}

/* Reads a key into memory that the caller wipes; cf_file_read() would leave copies in freed
 * memory. */
static ssize_t read_key_file(const char *file, unsigned char *out, size_t max)
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

static int import_key(struct cf_tls_pair *pair, const char *where, void *bytes, size_t len,
                      struct cf_err *err)
{
    gnutls_datum_t data = {.data = bytes, .size = (unsigned)len};

    if (gnutls_privkey_init(&pair->key) < 0)
        return cf_err_memory(err);
    if (gnutls_privkey_import_x509_raw(pair->key, &data, GNUTLS_X509_FMT_PEM, NULL, 0) < 0)
        return cf_err_system(err, "key '%s': no PEM private key without a password found", where);
    return 0;
}

static int load_key(struct cf_tls_pair *pair, const char *file, struct cf_err *err)
{
    unsigned char *bytes = malloc(CF_PEM_MAX);
    ssize_t len;
    int result;

    if (bytes == NULL)
        return cf_err_memory(err);
    len = read_key_file(file, bytes, CF_PEM_MAX);
    if (len < 0)
        result = cf_err_system(err, "key: reading '%s': %s", file, strerror(errno));
    else
        result = import_key(pair, file, bytes, (size_t)len, err);
    explicit_bzero(bytes, len > 0 ? (size_t)len : 0);
    free(bytes);
    return result;
}

static bool key_matches(const struct cf_tls_pair *pair)
{
    gnutls_pubkey_t public;
    unsigned char id[CF_KEY_ID_SIZE];
    size_t size = sizeof(id);
    bool same = false;

    if (gnutls_pubkey_init(&public) < 0)
        return false;
    if (gnutls_pubkey_import_privkey(public, pair->key, 0, 0) == 0 &&
        gnutls_pubkey_get_key_id(public, GNUTLS_KEYID_USE_SHA256, id, &size) == 0)
        same = memcmp(id, pair->leaf_id, sizeof(id)) == 0;
    gnutls_pubkey_deinit(public);
    return same;
}

static int check_pair(const struct cf_tls_pair *pair, const char *cert_file, const char *key_file,
                      struct cf_err *err)
{
    int64_t now = cf_now();
    char when[32];

    if (!key_matches(pair))
        return cf_err_system(err, "key '%s' does not match the first certificate of '%s'", key_file,
                             cert_file);
    if (now > pair->leaf.expires)
        return cf_err_system(err, "certificate '%s' has expired: it was valid until %s", cert_file,
                             cf_time_format(pair->leaf.expires, when));
    if (now < pair->leaf.begins)
        return cf_err_system(err, "certificate '%s' is not valid yet: it becomes valid at %s",
                             cert_file, cf_time_format(pair->leaf.begins, when));
    return 0;
}

static void clear_pair(void *value)
{
    struct cf_tls_pair *pair = value;

    for (unsigned i = 0; i < pair->chain_len; i++)
        gnutls_pcert_deinit(&pair->chain[i]);
    if (pair->key != NULL)
        gnutls_privkey_deinit(pair->key); /* GnuTLS wipes it */
}

static struct cf_tls_pair *new_pair(struct cf_err *err)
{
    struct cf_tls_pair *pair = cf_shared_new(sizeof(*pair), clear_pair);

    if (pair == NULL)
        cf_err_memory(err);
    return pair;
}

struct cf_tls_pair *cf_tls_pair_load(const char *cert_file, const char *key_file,
                                     struct cf_err *err)
{
    struct cf_tls_pair *pair = new_pair(err);

    if (pair == NULL)
        return NULL;
    if (load_chain(pair, cert_file, err) == 0 && load_key(pair, key_file, err) == 0 &&
        check_pair(pair, cert_file, key_file, err) == 0)
        return pair;
    cf_tls_pair_unref(pair);
    return NULL;
}

struct cf_tls_pair *cf_tls_pair_of(const char *where, const struct cf_buf *cert,
                                   const struct cf_buf *key, struct cf_err *err)
{
    struct cf_tls_pair *pair = new_pair(err);

    if (pair == NULL)
        return NULL;
    if (import_chain(pair, where, cert, err) == 0 &&
        import_key(pair, where, key->data, key->len, err) == 0 &&
        check_pair(pair, where, where, err) == 0)
        return pair;
    cf_tls_pair_unref(pair);
    return NULL;
}

void cf_tls_pair_unref(struct cf_tls_pair *pair)
{
    cf_shared_unref(pair);
}
