/* SPDX-License-Identifier: Apache-2.0 */
/* rotator.c - see rotator.h.
 *
 * The Secret is the truth, and the process that writes it first wins. A new authority is written
 * into the caBundles, beside the old one, some time before it signs anything. The servers serve
 * what the Secret holds. So API servers trust each certificate that is served, at any time, also
 * while the rotator or a server is away. */
#include <stdio.h>
#include <string.h>

#include "curfew/arena.h"
#include "curfew/time.h"
#include "curfew/limits.h"
#include "curfew/log.h"
#include "curfew/str.h"
#include "curfew/rotator.h"

#define MICROS 1000000
#define ROUNDS_MAX 6
#define PAUSE_MAX_SECONDS 10
#define FAILED_MAX_SECONDS 5
/* API servers see a webhook configuration's change within a second or so. */
#define SETTLE_MAX_SECONDS 10

/* One look at everything; a pass takes several when something was made. */
struct look {
    struct cf_rotator *rotator;
    struct cf_certs certs; /* what the Secret holds, or should */
    bool exists;
    bool put_back;    /* it holds what cannot be served, and we know what can */
    bool renew_ca;    /* it was deleted */
    const char *flaw; /* why the Secret is written; NULL: nothing is wrong with it */
    struct cf_webhooks webhooks;
    const char *names[CF_WEBHOOK_NAMES * 2];
    size_t name_count;
};

/* ---- its life ---- */

int cf_rotator_init(struct cf_rotator *rotator, const struct cf_certs_given *given,
                    struct cf_api *api, struct cf_err *err)
{
    rotator->given = given;
    rotator->asker.api = api;
    snprintf(rotator->where, sizeof(rotator->where), "%s/%s", given->namespace, given->name);
    cf_certs_init(&rotator->known);
    cf_buf_init(&rotator->carried, CF_CREDENTIAL_MAX);
    cf_buf_init(&rotator->settled, CF_CREDENTIAL_MAX);
    rotator->secret = cf_certs_secret_new(given->namespace, given->name);
    return rotator->secret != NULL ? 0 : cf_err_memory(err);
}

void cf_rotator_free(struct cf_rotator *rotator)
{
    cf_api_close(rotator->asker.api);
    cf_certs_secret_free(rotator->secret);
    cf_certs_free(&rotator->known);
    cf_buf_free(&rotator->carried);
    cf_buf_free(&rotator->settled);
}

static int64_t part_of_life(const struct cf_rotator *rotator, int64_t most)
{
    int64_t part = rotator->given->leaf_lifetime / 20;

    return part < 1 ? 1 : part > most ? most : part;
}

int64_t cf_rotator_pause(const struct cf_rotator *rotator, bool failed)
{
    int64_t settle = part_of_life(rotator, SETTLE_MAX_SECONDS) * 1000;
    int64_t pause = part_of_life(rotator, failed ? FAILED_MAX_SECONDS : PAUSE_MAX_SECONDS) * 1000;
    int64_t gone = (cf_monotonic_micros() - rotator->carried_at) / 1000;

    if (rotator->waiting && settle - gone + 100 < pause)
        return settle - gone < 200 ? 200 : settle - gone + 100;
    return pause;
}

/* ---- small things ---- */

static bool same(const struct cf_buf *a, const struct cf_buf *b)
{
    return a->len == b->len && memcmp(cf_buf_str(a), cf_buf_str(b), a->len) == 0;
}

static int replace(struct cf_buf *to, const struct cf_buf *from, struct cf_err *err)
{
    cf_buf_wipe(to);
    cf_buf_add(to, cf_buf_str(from), from->len);
    return cf_buf_ok(to) ? 0 : cf_err_memory(err);
}

static bool knows_good_ones(const struct cf_rotator *rotator)
{
    return cf_certs_usable(&rotator->known, cf_now(), NULL);
}

/* ---- what the Secret holds, or should ---- */

/* One that begins in our future was made by a clock that is ahead of ours. To write another would
 * begin a fight with whoever made it. */
static int check_clock(const struct look *look, struct cf_err *err)
{
    const struct cf_buf *cert = &look->certs.cert;
    struct cf_cert_info leaf;
    char begins[32];

    if (!cf_cert_info(cf_buf_str(cert), cert->len, 0, &leaf) || leaf.begins <= cf_now())
        return 0;
    return cf_err_system(err,
                         "the certificate in Secret %s is not valid before %s: the clock here, or "
                         "where it was made, is wrong",
                         look->rotator->where, cf_time_format(leaf.begins, begins));
}

static int read_secret(struct look *look, struct cf_err *err)
{
    struct cf_rotator *rotator = look->rotator;

    if (cf_certs_secret_read(rotator->secret, &rotator->asker, &look->certs, &look->exists, err) !=
            0 ||
        cf_certs_secret_check_owner(rotator->secret, err) != 0 || check_clock(look, err) != 0)
        return -1;
    if (look->exists && cf_certs_usable(&look->certs, cf_now(), NULL))
        return 0;
    if (knows_good_ones(rotator)) {
        look->put_back = look->exists;
        look->renew_ca = !look->exists;
        look->flaw = look->exists ? "it held what cannot be served" : "it was deleted";
        cf_certs_free(&look->certs);
        cf_certs_init(&look->certs);
        if (!cf_certs_copy(&look->certs, &rotator->known))
            return cf_err_memory(err);
    }
    return 0;
}

/* ---- publishing ---- */

static void tell_failure(struct cf_rotator *rotator, const struct cf_err *why)
{
    if (cf_streq(rotator->bundle_failure, why->msg))
        return;
    snprintf(rotator->bundle_failure, sizeof(rotator->bundle_failure), "%s", why->msg);
    cf_log(CF_LOG_ERROR, "the authority could not be published in a caBundle",
           CF_LOG_S("secret", rotator->where), CF_LOG_S("error", why->msg));
}

static void tell_written(const struct look *look, const char *name, const struct cf_webhooks *found)
{
    bool surprise = found->distrusting > 0 && look->rotator->known.cert.len > 0;

    if (found->differing == 0)
        return;
    cf_log(surprise ? CF_LOG_WARN : CF_LOG_INFO,
           surprise ? "a caBundle did not trust our certificate: it was written"
                    : "a caBundle was written",
           CF_LOG_S("configuration", name), CF_LOG_S("first", found->first),
           CF_LOG_N("webhooks", (int64_t)found->differing));
}

/* One configuration; adds what was found to look->webhooks. */
static int publish_one(struct look *look, const char *name, bool write, struct cf_err *err)
{
    struct cf_webhooks found = {.arena = look->webhooks.arena,
                                .trusted = look->webhooks.trusted,
                                .name_count = look->webhooks.name_count};

    memcpy(found.names, look->webhooks.names, sizeof(found.names));
    if (cf_webhooks_look(&look->rotator->asker, name, write ? &look->certs.ca : NULL,
                         &look->certs.cert, write, &found, err) != 0)
        return -1;
    tell_written(look, name, &found);
    found.differing += look->webhooks.differing;
    found.configurations += look->webhooks.configurations;
    look->webhooks = found;
    return 0;
}

static int remember_carried(struct look *look, struct cf_err *err)
{
    struct cf_rotator *rotator = look->rotator;
    int64_t now = cf_monotonic_micros();

    rotator->bundle_failure[0] = '\0';
    if (look->webhooks.differing > 0 || !same(&rotator->carried, &look->certs.ca)) {
        rotator->carried_at = now;
        if (replace(&rotator->carried, &look->certs.ca, err) != 0)
            return -1;
    }
    if (same(&rotator->settled, &rotator->carried))
        return 0;
    if (now - rotator->carried_at >= part_of_life(rotator, SETTLE_MAX_SECONDS) * MICROS)
        return replace(&rotator->settled, &rotator->carried, err);
    rotator->waiting = true;
    return 0;
}

/* What cannot be published now is logged and tried again: the servers serve on what they have. What
 * the configurations carry is not known then, so a new authority has to wait once more. */
static int publish(struct look *look, struct cf_err *err)
{
    bool write = look->exists && !look->put_back && cf_certs_usable(&look->certs, cf_now(), NULL);
    const char *const *name = look->rotator->given->configurations;
    struct cf_err why = {.kind = CF_ERR_NONE};

    for (; *name != NULL; name++) {
        if (publish_one(look, *name, write, &why) != 0)
            break;
    }
    if (why.kind != CF_ERR_NONE) {
        tell_failure(look->rotator, &why);
        cf_buf_wipe(&look->rotator->carried);
        cf_buf_wipe(&look->rotator->settled);
        return 0;
    }
    return write ? remember_carried(look, err) : 0;
}

/* ---- making ---- */

/* Where the Secret went away while nobody of us was there, its authority can sign no more, but the
 * servers serve on what it signed: it stays in the bundle until all that has ended. */
static int keep_trusted(struct look *look, struct cf_err *err)
{
    struct cf_buf *ca = &look->certs.ca;

    if (ca->len == 0)
        cf_buf_add(ca, cf_buf_str(look->webhooks.trusted), look->webhooks.trusted->len);
    return cf_buf_ok(ca) ? 0 : cf_err_memory(err);
}

static void collect_names(struct look *look)
{
    const char *const *given = look->rotator->given->names;

    for (; *given != NULL && look->name_count < CF_WEBHOOK_NAMES; given++)
        look->names[look->name_count++] = *given;
    for (size_t i = 0; i < look->webhooks.name_count; i++)
        look->names[look->name_count++] = look->webhooks.names[i];
}

static int no_names(const struct look *look, struct cf_err *err)
{
    const struct cf_rotator *rotator = look->rotator;

    if (rotator->bundle_failure[0] != '\0')
        return cf_err_system(err, "%s", rotator->bundle_failure);
    return cf_err_system(err,
                         "there is no webhook configuration \"%s\" yet, which says by which name "
                         "API servers call us (--service NAME.NAMESPACE says so too)",
                         rotator->given->configurations[0]);
}

static int write_secret(struct look *look, const struct cf_certs *certs, const char *why,
                        bool *conflict, struct cf_err *err)
{
    struct cf_rotator *rotator = look->rotator;
    struct cf_cert_info leaf = {.expires = 0}, ca = {.expires = 0};
    char ends[32];

    if (cf_certs_secret_write(rotator->secret, &rotator->asker, certs, conflict, err) != 0)
        return -1;
    if (*conflict) {
        cf_log(CF_LOG_DEBUG, "another process wrote the Secret first",
               CF_LOG_S("secret", rotator->where));
        return 0;
    }
    cf_cert_info(cf_buf_str(&certs->cert), certs->cert.len, 0, &leaf);
    cf_cert_info(cf_buf_str(&certs->ca), certs->ca.len, 0, &ca);
    cf_log(look->flaw != NULL ? CF_LOG_WARN : CF_LOG_INFO, "the Secret was written",
           CF_LOG_S("secret", rotator->where),
           CF_LOG_S("why", look->flaw != NULL ? look->flaw : why), CF_LOG_S("signer", leaf.issuer),
           CF_LOG_S("newestAuthority", ca.subject), CF_LOG_S("names", leaf.names),
           CF_LOG_S("expires", cf_time_format(leaf.expires, ends)));
    return 0;
}

/* *again: the Secret is another one now. */
static int make_what_is_due(struct look *look, bool *again, struct cf_err *err)
{
    const struct cf_rotator *rotator = look->rotator;
    struct cf_certs_wish wish = {
        .names = look->names,
        .name_count = look->name_count,
        .leaf_lifetime = rotator->given->leaf_lifetime,
        .ca_lifetime = rotator->given->ca_lifetime,
        .now = cf_now(),
        /* Without a configuration to write, nobody can tell who trusts what. */
        .published =
            rotator->given->configurations[0] != NULL && same(&rotator->settled, &look->certs.ca),
        .renew_ca = look->renew_ca,
    };
    enum cf_certs_step step = CF_CERTS_KEEP;
    const char *why = NULL;
    struct cf_certs next;
    bool conflict;
    int result;

    cf_certs_init(&next);
    result = cf_certs_next(&look->certs, &wish, &next, &step, &why, err);
    if (result == 0 && (step != CF_CERTS_KEEP || look->put_back)) {
        result =
            write_secret(look, step != CF_CERTS_KEEP ? &next : &look->certs, why, &conflict, err);
        *again = true;
    }
    cf_certs_free(&next);
    return result;
}

/* ---- one pass ---- */

static int remember_known(struct look *look, struct cf_err *err)
{
    struct cf_rotator *rotator = look->rotator;

    cf_certs_free(&rotator->known);
    cf_certs_init(&rotator->known);
    return cf_certs_copy(&rotator->known, &look->certs) ? 0 : cf_err_memory(err);
}

static int look_once(struct look *look, bool *again, struct cf_err *err)
{
    if (read_secret(look, err) != 0 || publish(look, err) != 0 || keep_trusted(look, err) != 0)
        return -1;
    collect_names(look);
    /* Without a name nothing can be made; what is there is good nevertheless. */
    if (look->name_count > 0 && make_what_is_due(look, again, err) != 0)
        return -1;
    if (*again)
        return 0;
    if (!cf_certs_usable(&look->certs, cf_now(), err))
        return look->name_count == 0 ? no_names(look, err) : -1;
    return remember_known(look, err);
}

int cf_rotator_pass(struct cf_rotator *rotator, struct cf_err *err)
{
    for (unsigned round = 0; round < ROUNDS_MAX; round++) {
        CF_CLEANUP(cf_arena_cleanup) struct cf_arena *arena = cf_arena_new(2 * CF_MIB);
        struct look look = {.rotator = rotator, .webhooks = {.arena = arena}};
        struct cf_buf trusted;
        bool again = false;
        int result;

        if (arena == NULL)
            return cf_err_memory(err);
        cf_buf_init_arena(&trusted, arena, CF_CREDENTIAL_MAX);
        look.webhooks.trusted = &trusted;
        rotator->waiting = false;
        cf_certs_init(&look.certs);
        result = look_once(&look, &again, err);
        cf_certs_free(&look.certs);
        if (result != 0 || !again)
            return result;
    }
    return cf_err_system(err, "Secret %s: it changed each time that it was read", rotator->where);
}
