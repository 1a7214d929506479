/* SPDX-License-Identifier: Apache-2.0 */
/* certs.h - a certificate authority of our own and the serving certificate that it signs: made,
 * renewed, told. ECDSA P-256, PEM in and out; keys are wiped.
 *
 * A new authority is trusted before anything that it signed is served: `ca` then holds it and the
 * older ones, newest first, and the leaf stays one of an older one until the caller says that the
 * newest was published (cf_certs_next). */
#ifndef CURFEW_CERTS_H
#define CURFEW_CERTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "curfew/buf.h"
#include "curfew/err.h"

struct cf_certs {
    struct cf_buf ca;     /* PEM: the authorities to be trusted, newest first */
    struct cf_buf ca_key; /* PEM: the newest one's key */
    struct cf_buf cert;   /* PEM: the leaf */
    struct cf_buf key;    /* PEM: its key */
};

void cf_certs_init(struct cf_certs *certs);
void cf_certs_free(struct cf_certs *certs);                           /* wipes the keys */
bool cf_certs_copy(struct cf_certs *to, const struct cf_certs *from); /* `to` is initialized */

/* How long things hold, in seconds. */
#define CF_LEAF_LIFETIME ((int64_t)90 * 86400)
#define CF_CA_LIFETIME ((int64_t)365 * 86400)
#define CF_LIFETIME_MIN 30 /* for tests: a leaf is renewed every 20 s then */
#define CF_LIFETIME_MAX ((int64_t)10 * 366 * 86400)

struct cf_certs_wish {
    const char *const *names; /* DNS names and IP addresses that the leaf is for; none: as before */
    size_t name_count;
    int64_t leaf_lifetime, ca_lifetime;
    int64_t now;
    bool published;  /* whoever verifies the leaf trusts the newest authority */
    bool renew_leaf; /* although they are not due */
    bool renew_ca;
    bool drop_old; /* trust older authorities no longer, though what they signed may be in date */
};

/* What cf_certs_next() did. */
enum cf_certs_step {
    CF_CERTS_KEEP,   /* nothing is due; `next` is empty */
    CF_CERTS_NEW_CA, /* a new authority; the leaf is still one of an older one, if there was one */
    CF_CERTS_NEW_LEAF,
    CF_CERTS_DROP_CA, /* authorities that sign nothing any more are trusted no longer */
};

/* The one thing to do next: nothing before two thirds of a life are over. `now` may be empty, or
 * broken in any way: what is good of it is kept. `why` (NULL: not wanted) is a static sentence.
 * -1: a name that can't be in a certificate, more names or authorities than are kept
 * (CF_ERR_INPUT), or out of memory. */
int cf_certs_next(const struct cf_certs *now, const struct cf_certs_wish *wish,
                  struct cf_certs *next, enum cf_certs_step *step, const char **why,
                  struct cf_err *err);

/* Whether its leaf can be served now: it parses, its key belongs to it, it is in date and signed by
 * one of its authorities. Else err says what is wrong. */
bool cf_certs_usable(const struct cf_certs *certs, int64_t now, struct cf_err *err);

/* Whether the leaf is signed by the newest authority. */
bool cf_certs_leaf_is_newest(const struct cf_certs *certs);

/* Whether a server certificate is trusted, at that time, by one of a bundle's authorities. */
bool cf_certs_trusts(const char *bundle, size_t bundle_len, const char *cert, size_t cert_len,
                     int64_t now);

/* "curfew.curfew-system" is "curfew.curfew-system.svc", as an API server calls it, in `out`. False:
 * it is no NAME.NAMESPACE. */
bool cf_certs_service_name(const char *service, struct cf_buf *out);

/* Whether a leaf can be for this name: a DNS name, or an IP address. */
bool cf_certs_is_name(const char *name);

/* ---- telling ---- */

struct cf_cert_info {
    char subject[128], issuer[128];
    char serial[64];       /* "0A:1B:..." */
    char fingerprint[100]; /* SHA-256 of the DER */
    char names[512];       /* "a.svc, 10.1.2.3"; cut with "..." */
    int64_t begins, expires;
    bool is_ca;
};

/* The certificate at this place in a PEM bundle. False: there is none, or what is there is broken.
 */
bool cf_cert_info(const char *pem, size_t len, size_t index, struct cf_cert_info *out);

/* When two thirds of its life are over. */
int64_t cf_cert_renew_at(int64_t begins, int64_t expires);

/* Whether the PEM key belongs to the bundle's first certificate. */
bool cf_cert_key_matches(const struct cf_buf *cert, const struct cf_buf *key);

#endif
