/* SPDX-License-Identifier: Apache-2.0 */
/* certs.h - a certificate authority and the serving certificate (the leaf) that it signs: made,
 * renewed and described. ECDSA P-256, PEM in and out; private keys are wiped before they are freed.
 *
 * A new authority is trusted before anything that it signed is served: `ca` then holds it and the
 * older ones, newest first, and an older one has signed the leaf until the caller reports that the
 * newest authority is published (cf_certs_next). src/certs/rotator.c shows the whole rotation.
 *
 * All times are Unix seconds, all lifetimes seconds. */
#ifndef CURFEW_CERTS_H
#define CURFEW_CERTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "curfew/buf.h"
#include "curfew/err.h"

struct cf_certs {
    struct cf_buf ca;     /* PEM: the trusted authorities, newest first */
    struct cf_buf ca_key; /* PEM: the private key of the newest authority */
    struct cf_buf cert;   /* PEM: the leaf */
    struct cf_buf key;    /* PEM: the private key of the leaf */
};

void cf_certs_init(struct cf_certs *certs);
/* Wipes and frees the buffers; cf_certs_init() makes the struct usable again. */
void cf_certs_free(struct cf_certs *certs);
/* `to` is initialized and empty. False: out of memory; the caller frees `to` either way. */
bool cf_certs_copy(struct cf_certs *to, const struct cf_certs *from);

/* Default lifetimes, and their range. */
#define CF_LEAF_LIFETIME ((int64_t)90 * 86400)
#define CF_CA_LIFETIME ((int64_t)365 * 86400)
#define CF_LIFETIME_MIN 30 /* for tests: such a leaf is renewed after 20 s */
#define CF_LIFETIME_MAX ((int64_t)10 * 366 * 86400)

/* The desired state. */
struct cf_certs_spec {
    const char *const *names; /* DNS names and IP addresses of the leaf; none: those it has */
    size_t name_count;
    int64_t leaf_lifetime, ca_lifetime;
    int64_t now;
    bool published;  /* all clients that verify the leaf trust the newest authority */
    bool renew_leaf; /* although it is not due */
    bool renew_ca;   /* although it is not due */
    bool drop_old;   /* remove older authorities although leaves of theirs may still be valid */
};

/* What cf_certs_next() did. */
enum cf_certs_step {
    CF_CERTS_KEEP,     /* nothing is due; `next` is empty */
    CF_CERTS_NEW_CA,   /* a new authority; an older one, where it could sign, has signed the leaf */
    CF_CERTS_NEW_LEAF, /* a new leaf, signed by the newest authority */
    CF_CERTS_DROP_CA,  /* the older authorities were removed from `ca` */
};

/* Takes the one step that is due next: certificates are renewed after two thirds of their lifetime.
 * `now` may be empty or broken; its valid parts are kept. The result is in `next`, which the caller
 * has initialized and frees. *why (NULL: not wanted) is a static string: the reason for the step.
 * -1: CF_ERR_INPUT for a name that a certificate cannot hold, and for more names or authorities
 * than the limits allow; or out of memory. */
int cf_certs_next(const struct cf_certs *now, const struct cf_certs_spec *spec,
                  struct cf_certs *next, enum cf_certs_step *step, const char **why,
                  struct cf_err *err);

/* Whether a server can serve the leaf now: it parses, the key matches, it is valid now and signed
 * by one of its authorities. If not, err (may be NULL) has the reason. */
bool cf_certs_usable(const struct cf_certs *certs, int64_t now, struct cf_err *err);

/* Whether the newest authority has signed the leaf. */
bool cf_certs_leaf_is_newest(const struct cf_certs *certs);

/* Whether one authority of the PEM bundle trusts a server certificate (PEM) at that time. */
bool cf_certs_trusts(const char *bundle, size_t bundle_len, const char *cert, size_t cert_len,
                     int64_t now);

/* Appends the DNS name of a Service, by which API servers call it: "curfew.curfew-system" gives
 * "curfew.curfew-system.svc". False: not NAME.NAMESPACE, or out of memory. */
bool cf_certs_service_name(const char *service, struct cf_buf *out);

/* Whether a leaf can hold this name: a DNS name, or an IP address. */
bool cf_certs_is_name(const char *name);

/* ---- describing certificates ---- */

struct cf_cert_info {
    char subject[128], issuer[128]; /* common names */
    char serial[64];                /* "0A:1B:..." */
    char fingerprint[100];          /* SHA-256 of the DER */
    char names[512];                /* "a.svc, 10.1.2.3"; shortened with "..." */
    int64_t begins, expires;
    bool is_ca;
};

/* Describes the certificate at this index of a PEM bundle. False: the bundle ends before it, or a
 * certificate up to it is broken. */
bool cf_cert_info(const char *pem, size_t len, size_t index, struct cf_cert_info *out);

/* When two thirds of the lifetime have passed. */
int64_t cf_cert_renew_at(int64_t begins, int64_t expires);

/* Whether the PEM key belongs to the first certificate of the bundle. */
bool cf_cert_key_matches(const struct cf_buf *cert, const struct cf_buf *key);

#endif
