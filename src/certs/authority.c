/* SPDX-License-Identifier: Apache-2.0 */
/* authority.c - decides which step is due for an authority and its leaf, and takes it: a pure
 * function of the existing certificates and the desired state. The caller stores the result. */
#include "curfew/certs.h"

#include <string.h>
#include <strings.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "x509.h"
#include "curfew/limits.h"
#include "curfew/str.h"

void cf_certs_init(struct cf_certs *certs)
{
    cf_buf_init(&certs->ca, CF_CREDENTIAL_MAX);
    cf_buf_init(&certs->ca_key, CF_CREDENTIAL_MAX);
    cf_buf_init(&certs->cert, CF_CREDENTIAL_MAX);
    cf_buf_init(&certs->key, CF_CREDENTIAL_MAX);
}

void cf_certs_free(struct cf_certs *certs)
{
    struct cf_buf *all[] = {&certs->ca, &certs->ca_key, &certs->cert, &certs->key};

    for (size_t i = 0; i < CF_COUNT(all); i++) {
        cf_buf_wipe(all[i]);
        cf_buf_free(all[i]);
    }
}

bool cf_certs_copy(struct cf_certs *to, const struct cf_certs *from)
{
    cf_buf_add(&to->ca, cf_buf_str(&from->ca), from->ca.len);
    cf_buf_add(&to->ca_key, cf_buf_str(&from->ca_key), from->ca_key.len);
    cf_buf_add(&to->cert, cf_buf_str(&from->cert), from->cert.len);
    cf_buf_add(&to->key, cf_buf_str(&from->key), from->key.len);
    return cf_buf_ok(&to->ca) && cf_buf_ok(&to->ca_key) && cf_buf_ok(&to->cert) &&
           cf_buf_ok(&to->key);
}

int64_t cf_cert_renew_at(int64_t begins, int64_t expires)
{
    return begins + (expires - begins) / 3 * 2;
}

/* ---- reading the existing certificates ---- */

/* The valid parts of a struct cf_certs. */
struct view {
    X509 *cas[CF_CAS_MAX];     /* not expired, newest first */
    size_t ca_count, more_cas; /* more_cas: valid ones that exceed cas[] */
    int64_t now;
    bool read_any, first_kept; /* of ca.crt: a certificate was read; the first one is cas[0] */
    EVP_PKEY *ca_key;          /* of cas[0]; NULL: missing, so a new authority is needed */
    X509 *leaf;                /* valid now, signed by cas[signer]; NULL: there is none */
    EVP_PKEY *leaf_key;
    size_t signer;
    const char *flaw;    /* why there is no leaf */
    bool too_many_names; /* for a new leaf */
};

static void view_free(struct view *v)
{
    for (size_t i = 0; i < v->ca_count; i++)
        X509_free(v->cas[i]);
    EVP_PKEY_free(v->ca_key);
    X509_free(v->leaf);
    EVP_PKEY_free(v->leaf_key);
    ERR_clear_error();
}

static void take_ca(X509 *cert, void *arg)
{
    struct view *v = arg;
    bool good = X509_check_ca(cert) == 1 && cf_x509_ends(cert) > v->now;

    v->first_kept |= good && !v->read_any;
    v->read_any = true;
    if (good && v->ca_count < CF_CAS_MAX) {
        v->cas[v->ca_count++] = cert;
        return;
    }
    v->more_cas += good;
    X509_free(cert);
}

static void view_cas(struct view *v, const struct cf_certs *certs)
{
    cf_pem_each_cert(&certs->ca, take_ca, v);
    v->ca_key = v->first_kept ? cf_pem_key(&certs->ca_key) : NULL;
    if (v->ca_key != NULL && X509_check_private_key(v->cas[0], v->ca_key) != 1) {
        EVP_PKEY_free(v->ca_key);
        v->ca_key = NULL;
    }
}

static const char *leaf_flaw(struct view *v)
{
    if (v->leaf == NULL)
        return "tls.crt holds no certificate";
    if (v->leaf_key == NULL)
        return "tls.key holds no private key";
    if (X509_check_private_key(v->leaf, v->leaf_key) != 1)
        return "tls.key does not belong to tls.crt";
    if (cf_x509_ends(v->leaf) <= v->now)
        return "tls.crt has expired";
    if (cf_x509_begins(v->leaf) > v->now)
        return "tls.crt is not valid yet";
    for (v->signer = 0; v->signer < v->ca_count; v->signer++) {
        if (cf_x509_signed_by(v->leaf, v->cas[v->signer]))
            return NULL;
    }
    return v->more_cas > 0 ? "tls.crt is signed by none of the first 8 authorities in ca.crt"
                           : "tls.crt is signed by no valid authority in ca.crt";
}

static void view_leaf(struct view *v, const struct cf_certs *certs)
{
    v->leaf = cf_pem_cert(&certs->cert);
    v->leaf_key = cf_pem_key(&certs->key);
    v->flaw = leaf_flaw(v);
    if (v->flaw == NULL)
        return;
    X509_free(v->leaf);
    EVP_PKEY_free(v->leaf_key);
    v->leaf = NULL;
    v->leaf_key = NULL;
}

static void view_certs(struct view *v, const struct cf_certs *certs, int64_t now)
{
    *v = (struct view){.now = now};
    view_cas(v, certs);
    view_leaf(v, certs);
    ERR_clear_error();
}

bool cf_certs_usable(const struct cf_certs *certs, int64_t now, struct cf_err *err)
{
    struct view v;
    const char *flaw;

    view_certs(&v, certs, now);
    flaw = v.flaw;
    view_free(&v);
    if (flaw != NULL)
        cf_err_system(err, "%s", flaw);
    return flaw == NULL;
}

bool cf_certs_leaf_is_newest(const struct cf_certs *certs)
{
    X509 *newest = cf_pem_cert(&certs->ca), *leaf = cf_pem_cert(&certs->cert);
    bool same = newest != NULL && leaf != NULL && cf_x509_signed_by(leaf, newest);

    X509_free(newest);
    X509_free(leaf);
    return same;
}

struct trust {
    X509 *leaf;
    int64_t now;
    bool trusted;
};

static void try_ca(X509 *cert, void *arg)
{
    struct trust *t = arg;

    t->trusted = t->trusted || (cf_x509_ends(cert) > t->now && cf_x509_signed_by(t->leaf, cert));
    X509_free(cert);
}

bool cf_certs_trusts(const char *bundle, size_t bundle_len, const char *cert, size_t cert_len,
                     int64_t now)
{
    const struct cf_buf cas = {.data = (char *)(uintptr_t)bundle, .len = bundle_len};
    const struct cf_buf leaf = {.data = (char *)(uintptr_t)cert, .len = cert_len};
    struct trust t = {.leaf = cf_pem_cert(&leaf), .now = now};

    if (t.leaf != NULL && cf_x509_ends(t.leaf) > now)
        cf_pem_each_cert(&cas, try_ca, &t);
    X509_free(t.leaf);
    return t.trusted;
}

/* ---- deciding ---- */

struct plan {
    enum cf_certs_step step;
    const char *why;
    bool fresh_ca, fresh_leaf, drop_old;
};

static bool cert_is_due(const X509 *cert, int64_t now)
{
    return now >= cf_cert_renew_at(cf_x509_begins(cert), cf_x509_ends(cert));
}

static bool has_all_names(const struct view *v, const struct cf_certs_spec *spec)
{
    for (size_t i = 0; i < spec->name_count; i++) {
        if (!cf_x509_has_name(v->leaf, spec->names[i]))
            return false;
    }
    return true;
}

/* The leaf of an older authority stays for as long as possible while the new authority is not
 * published. Shortly before that leaf expires, the new authority signs anyway: clients reject an
 * expired leaf just as an untrusted one. */
static bool may_sign(const struct view *v, const struct cf_certs_spec *spec)
{
    int64_t life = cf_x509_ends(v->leaf) - cf_x509_begins(v->leaf);

    return v->signer == 0 || spec->published || cf_x509_ends(v->leaf) - spec->now < life / 20;
}

/* Whether all leaves of older authorities have expired: they were signed before the newest
 * authority was created. */
static bool all_ended(const struct view *v, const struct cf_certs_spec *spec)
{
    return spec->now > cf_x509_begins(v->cas[0]) + spec->leaf_lifetime + spec->leaf_lifetime / 10;
}

static struct plan decide_step(const struct view *v, const struct cf_certs_spec *spec)
{
    if (v->ca_key == NULL)
        return (struct plan){CF_CERTS_NEW_CA,
                             v->ca_count == 0 ? "there is no valid authority"
                                              : "the authority's key is missing or does not match",
                             true, v->leaf == NULL, false};
    if (spec->renew_ca || cert_is_due(v->cas[0], spec->now))
        return (struct plan){CF_CERTS_NEW_CA,
                             spec->renew_ca ? "a new authority was requested"
                                            : "two thirds of the authority's lifetime have passed",
                             true, true, false};
    if (v->leaf == NULL)
        return (struct plan){CF_CERTS_NEW_LEAF, v->flaw, false, true, false};
    if (may_sign(v, spec)) {
        const char *why = v->signer != 0     ? "the new authority is trusted"
                          : spec->renew_leaf ? "a new certificate was requested"
                          : cert_is_due(v->leaf, spec->now)
                              ? "two thirds of the certificate's lifetime have passed"
                          : !has_all_names(v, spec) ? "the certificate lacks a required name"
                                                    : NULL;

        if (why != NULL)
            return (struct plan){CF_CERTS_NEW_LEAF, why, false, true, false};
    }
    if (v->signer == 0 && v->ca_count > 1 && (spec->drop_old || all_ended(v, spec)))
        return (struct plan){CF_CERTS_DROP_CA,
                             spec->drop_old ? "the removal of older authorities was requested"
                                            : "all certificates of older authorities have expired",
                             false, false, true};
    return (struct plan){CF_CERTS_KEEP, NULL, false, false, false};
}

/* ---- taking the step ---- */

static bool has_san_name(const struct cf_san_names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++) {
        if (strcasecmp(names->items[i], name) == 0)
            return true;
    }
    return false;
}

static bool add_san_name(struct cf_san_names *names, const char *name)
{
    if (has_san_name(names, name))
        return true;
    if (names->count == CF_NAMES_MAX)
        return false;
    names->items[names->count++] = name;
    return true;
}

/* The wanted names, and while the old leaf is not due also its other names: so two versions of
 * Curfew with different names do not undo each other's work in turns. False: more than CF_NAMES_MAX
 * names. */
static bool names_for(const struct view *v, const struct cf_certs_spec *spec,
                      char old[][CF_NAME_SIZE], struct cf_san_names *out)
{
    bool keep = v->leaf != NULL && (spec->name_count == 0 || !cert_is_due(v->leaf, spec->now));
    size_t count = keep ? cf_x509_names(v->leaf, old, CF_NAMES_MAX) : 0;

    out->count = 0;
    if (count > CF_NAMES_MAX)
        return false;
    for (size_t i = 0; i < spec->name_count; i++) {
        if (!add_san_name(out, spec->names[i]))
            return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (cf_certs_is_name(old[i]) && !add_san_name(out, old[i]))
            return false;
    }
    return true;
}

static bool replace_leaf(struct view *v, X509 *ca, EVP_PKEY *ca_key, size_t signer,
                         const struct cf_certs_spec *spec)
{
    char old[CF_NAMES_MAX][CF_NAME_SIZE];
    struct cf_san_names names;
    EVP_PKEY *key = NULL;
    X509 *leaf;

    v->too_many_names = !names_for(v, spec, old, &names);
    if (v->too_many_names)
        return false;
    leaf = cf_make_leaf(ca, ca_key, &names, spec->now, spec->leaf_lifetime, &key);
    if (leaf == NULL)
        return false;
    X509_free(v->leaf);
    EVP_PKEY_free(v->leaf_key);
    v->leaf = leaf;
    v->leaf_key = key;
    v->signer = signer;
    return true;
}

/* Removes the oldest authority that did not sign the leaf. */
static void drop_one(struct view *v)
{
    size_t victim = v->ca_count - 1;

    if (v->leaf != NULL && victim == v->signer)
        victim--;
    X509_free(v->cas[victim]);
    memmove(v->cas + victim, v->cas + victim + 1, (v->ca_count - victim - 1) * sizeof(v->cas[0]));
    v->ca_count--;
    v->signer -= v->signer > victim;
}

/* Inserts a new authority before the older ones. */
static bool add_ca(struct view *v, const struct cf_certs_spec *spec)
{
    EVP_PKEY *key = NULL;
    X509 *ca = cf_make_ca(spec->now, spec->ca_lifetime, &key);

    if (ca == NULL)
        return false;
    if (v->ca_count == CF_CAS_MAX)
        drop_one(v);
    memmove(v->cas + 1, v->cas, v->ca_count * sizeof(v->cas[0]));
    v->cas[0] = ca;
    v->ca_count++;
    EVP_PKEY_free(v->ca_key);
    v->ca_key = key;
    v->signer++;
    return true;
}

/* The key of the old authority is dropped when the new one comes. So it first signs a leaf with a
 * full lifetime, during which the new authority must become trusted. */
static bool change_ca(struct view *v, const struct cf_certs_spec *spec)
{
    if (v->ca_key != NULL && (v->leaf == NULL || v->signer == 0) &&
        !replace_leaf(v, v->cas[0], v->ca_key, 0, spec))
        return false;
    if (!add_ca(v, spec))
        return false;
    return v->leaf != NULL || replace_leaf(v, v->cas[0], v->ca_key, 0, spec);
}

static void drop_older_cas(struct view *v)
{
    while (v->ca_count > 1)
        X509_free(v->cas[--v->ca_count]);
}

static bool write_certs(const struct view *v, struct cf_certs *out)
{
    bool ok = cf_pem_add_key(&out->ca_key, v->ca_key) && cf_pem_add_cert(&out->cert, v->leaf) &&
              cf_pem_add_key(&out->key, v->leaf_key);

    for (size_t i = 0; ok && i < v->ca_count; i++)
        ok = cf_pem_add_cert(&out->ca, v->cas[i]);
    return ok;
}

static bool apply_plan(struct view *v, const struct plan *plan, const struct cf_certs_spec *spec)
{
    if (plan->fresh_ca)
        return change_ca(v, spec);
    if (plan->drop_old)
        drop_older_cas(v);
    return !plan->fresh_leaf || replace_leaf(v, v->cas[0], v->ca_key, 0, spec);
}

static int check_spec_names(const struct view *v, const struct cf_certs_spec *spec,
                            struct cf_err *err)
{
    if (spec->name_count == 0 && v->leaf == NULL)
        return cf_err_set(err, "a certificate needs at least one name");
    for (size_t i = 0; i < spec->name_count; i++) {
        if (!cf_certs_is_name(spec->names[i]))
            return cf_err_set(err, "'%.200s' must be a DNS name or an IP address", spec->names[i]);
    }
    return 0;
}

/* Authorities and names above the limits are an error, since leaving some out would break clients
 * that need them. */
static int fail_plan(const struct view *v, struct cf_err *err)
{
    if (v->more_cas > 0)
        return cf_err_set(err,
                          "ca.crt has %zu valid authorities, at most %d are allowed: remove those "
                          "whose certificates are no longer in use",
                          v->ca_count + v->more_cas, CF_CAS_MAX);
    if (v->too_many_names)
        return cf_err_set(err,
                          "the certificate would need more than %d names (the requested ones and "
                          "those that it has)",
                          CF_NAMES_MAX);
    return cf_err_memory(err);
}

int cf_certs_next(const struct cf_certs *now, const struct cf_certs_spec *spec,
                  struct cf_certs *next, enum cf_certs_step *step, const char **why,
                  struct cf_err *err)
{
    struct plan plan;
    struct view v;
    bool done;

    view_certs(&v, now, spec->now);
    if (check_spec_names(&v, spec, err) != 0) {
        view_free(&v);
        return -1;
    }
    plan = decide_step(&v, spec);
    done = plan.step == CF_CERTS_KEEP ||
           (v.more_cas == 0 && apply_plan(&v, &plan, spec) && write_certs(&v, next));
    view_free(&v);
    if (!done)
        return fail_plan(&v, err);
    *step = plan.step;
    if (why != NULL)
        *why = plan.why;
    return 0;
}
