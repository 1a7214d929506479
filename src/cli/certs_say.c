/* SPDX-License-Identifier: Apache-2.0 */
/* certs_say.c - what `curfew certs` prints. */
#include <stdio.h>

#include "certs_hand.h"
#include "curfew/time.h"
#include "curfew/str.h"

const char *cf_certs_where(const struct cf_certs_run *run, char out[320])
{
    if (run->dir != NULL)
        snprintf(out, 320, "in '%s'", run->dir);
    else
        snprintf(out, 320, "in Secret %s", run->secret);
    return out;
}

/* "365 days left", "ended 3 days ago" */
static const char *left(int64_t until, int64_t now, char out[64])
{
    char span[32];

    cf_span_format(until > now ? until - now : now - until, span);
    snprintf(out, 64, until > now ? "%s left" : "ended %s ago", span);
    return out;
}

static void say_life(const struct cf_cert_info *info, int64_t now)
{
    char begins[32], ends[32], renewed[32], rest[64];

    printf("  valid   %s to %s, %s\n", cf_time_format(info->begins, begins),
           cf_time_format(info->expires, ends), left(info->expires, now, rest));
    printf("  renewed from %s on\n",
           cf_time_format(cf_cert_renew_at(info->begins, info->expires), renewed));
    printf("  serial  %s\n  sha256  %s\n", info->serial, info->fingerprint);
}

static bool is_due(const struct cf_cert_info *info, int64_t now)
{
    return now >= cf_cert_renew_at(info->begins, info->expires);
}

/* ---- authorities ---- */

static bool say_authorities(const struct cf_certs_run *run)
{
    const struct cf_buf *ca = &run->certs.ca;
    struct cf_cert_info info;
    bool good = false, has_key = cf_cert_key_matches(ca, &run->certs.ca_key);

    for (size_t i = 0; cf_cert_info(cf_buf_str(ca), ca->len, i, &info); i++) {
        printf("authority %s%s\n", info.subject,
               i > 0      ? " (older: trusted on)"
               : !has_key ? " (its key is not here: it can't sign)"
                          : "");
        say_life(&info, run->now);
        if (i == 0)
            good = !is_due(&info, run->now) && has_key;
    }
    if (!cf_cert_info(cf_buf_str(ca), ca->len, 0, &info))
        printf("authority: none %s\n", "(ca.crt)");
    return good;
}

/* ---- the leaf ---- */

static bool say_leaf(const struct cf_certs_run *run)
{
    const struct cf_certs *certs = &run->certs;
    struct cf_err flaw = {.kind = CF_ERR_NONE};
    struct cf_cert_info info;
    bool usable = cf_certs_usable(certs, run->now, &flaw);

    if (!cf_cert_info(cf_buf_str(&certs->cert), certs->cert.len, 0, &info)) {
        printf("certificate: none (tls.crt)\n");
        return false;
    }
    printf("certificate for %s\n", info.names[0] != '\0' ? info.names : "no name at all");
    printf("  signer  %s%s\n", info.issuer,
           !usable || cf_certs_leaf_is_newest(certs)
               ? ""
               : " (the newest one signs once it is published)");
    say_life(&info, run->now);
    if (!usable)
        printf("  it can't be served: %s\n", flaw.msg);
    return usable && !is_due(&info, run->now);
}

/* ---- webhook configurations ---- */

static bool say_bundles(const struct cf_certs_run *run)
{
    const struct cf_webhooks *w = &run->webhooks;

    if (run->wish.configurations[0] == NULL)
        return true;
    if (w->configurations == 0)
        printf("caBundle: there is no webhook configuration of that name\n");
    else if (w->differing == 0)
        printf("caBundle: as it should be, in %u webhook configuration%s\n", w->configurations,
               w->configurations == 1 ? "" : "s");
    else
        printf("caBundle: %u webhook%s another one, %u of them %s not trust the certificate; "
               "first: %s\n",
               w->differing, w->differing == 1 ? " has" : "s have", w->distrusting,
               w->distrusting == 1 ? "does" : "do", w->first);
    return w->configurations > 0 && w->differing == 0;
}

bool cf_certs_print_all(const struct cf_certs_run *run)
{
    bool authorities = say_authorities(run), leaf = say_leaf(run), bundles = say_bundles(run);

    return authorities && leaf && bundles;
}

/* ---- what was made ---- */

void cf_certs_print_made(const struct cf_certs_run *run, enum cf_certs_step step)
{
    struct cf_cert_info ca, leaf;
    char where[320], ca_ends[32], leaf_ends[32];

    cf_certs_where(run, where);
    if (!cf_cert_info(cf_buf_str(&run->certs.ca), run->certs.ca.len, 0, &ca) ||
        !cf_cert_info(cf_buf_str(&run->certs.cert), run->certs.cert.len, 0, &leaf))
        return;
    printf("%s %s\n", step == CF_CERTS_KEEP ? "nothing to do" : "written", where);
    printf("authority %s, until %s\n", ca.subject, cf_time_format(ca.expires, ca_ends));
    printf("certificate for %s, until %s, signed by %s\n", leaf.names,
           cf_time_format(leaf.expires, leaf_ends), leaf.issuer);
    if (run->webhooks.differing > 0)
        printf("caBundle written in %u webhook%s\n", run->webhooks.differing,
               run->webhooks.differing == 1 ? "" : "s");
    if (cf_certs_leaf_is_newest(&run->certs))
        return;
    if (run->dir != NULL)
        printf("next: put ca.crt into the caBundles, then 'curfew certs renew' signs with the new "
               "authority\n");
    else
        printf("next: the rotator (curfew certs run) publishes the new authority, and then signs "
               "with it\n");
}
