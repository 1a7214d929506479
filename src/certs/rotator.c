/* SPDX-License-Identifier: Apache-2.0 */
/* rotator.c - the certificate rotator: keeps the serving certificate in a Secret valid, and the
 * authorities that verify it in the caBundles of webhook configurations.
 *
 * The invariant: at any time API servers trust every certificate that any server serves, also while
 * a rotator or a server is down.
 *
 *      rotator -- writes, with the resourceVersion it read --> Secret -- is read by --> servers
 *         |                                                    ca.crt, ca.key              ^
 *         |                                                    tls.crt, tls.key            |
 *         +-- copies ca.crt --> caBundles -- are read by --> API servers -- call, TLS -----+
 *
 * The Secret is the source of truth. A rotator needs no other state: each pass reads the Secret,
 * writes its ca.crt into the caBundles that differ, and takes the one step that is due
 * (cf_certs_next), which is one write of the Secret. It repeats this until no step is due.
 *
 * From authority A to its successor B:
 *
 *       step        first pass  |  2/3 of A's lifetime  |  B is settled  |  A's leaves have expired
 *       ca.crt      A           |  B A                  |  B A           |  B
 *       caBundles   A           |  B A, a moment later  |  B A           |  B, a moment later
 *       ca.key      A           |  B                    |  B             |  B
 *       tls.crt by  A           |  A, a fresh leaf      |  B             |  B
 *
 *   - B is created when two thirds of A's lifetime have passed, or when the Secret was deleted. A
 *     first signs one more leaf with a full lifetime, since its key is dropped in the same write.
 *   - B is settled when all caBundles have held it for a twentieth of a leaf's lifetime, at most
 *     SETTLE_MAX_SECONDS: API servers watch webhook configurations and see a change within about a
 *     second. Only then B signs. Without a configuration to write (something else publishes
 *     ca.crt), and when publishing fails, the leaf by A stays until a twentieth of its lifetime
 *     remains; then B signs, since an expired leaf fails in any case.
 *   - A leaves ca.crt when 1.1 lifetimes of a leaf have passed since B was created.
 *
 * Two replicas. Both run the same passes. The first write wins; the other one gets a conflict,
 * reads the Secret again and finds that nothing is due. Both write the same caBundles. A replica
 * whose clock is slow does not replace a leaf that is not valid yet, but fails until the clocks
 * agree (check_clock); otherwise the two would overwrite each other without end.
 *
 * A crash. The invariant holds after every write: ca.crt names B before B signs, and the caBundles
 * hold B before a leaf by B is in the Secret. `settled` does not survive a restart, so a new
 * process waits once more before B signs.
 *
 * A Secret that was deleted, or overwritten with something that servers cannot serve. A running
 * rotator remembers the last usable certificates and writes them back, after a deletion with a new
 * authority. If no rotator was running, the key of the authority is lost: the next one takes the
 * old authorities from a caBundle into ca.crt, because servers still serve their leaf, and adds a
 * new one.
 *
 * A restored backup. If its leaf is still valid, it is the truth as any Secret is: servers serve it
 * and the caBundles follow. If its leaf has expired, it is handled like an overwritten Secret: a
 * running rotator writes back what it remembers, a new one signs a leaf with the authority of the
 * backup, or creates a new authority if that has expired too. */
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

/* One round of a pass: read, publish, write at most once. A pass has another one after a write. */
struct round {
    struct cf_rotator *rotator;
    struct cf_certs certs; /* what the Secret holds, or should */
    bool exists;
    bool put_back;    /* it is not usable: write back the certificates that are remembered */
    bool renew_ca;    /* it was deleted while certificates are remembered */
    const char *flaw; /* why the Secret is written; NULL: nothing is wrong with it */
    struct cf_webhooks webhooks;
    const char *names[CF_WEBHOOK_NAMES * 2];
    size_t name_count;
};

/* ---- start, end and pauses ---- */

int cf_rotator_init(struct cf_rotator *rotator, const struct cf_certs_options *options,
                    struct cf_api *api, struct cf_err *err)
{
    rotator->options = options;
    rotator->caller.api = api;
    snprintf(rotator->where, sizeof(rotator->where), "%s/%s", options->namespace, options->name);
    cf_certs_init(&rotator->known);
    cf_buf_init(&rotator->carried, CF_CREDENTIAL_MAX);
    cf_buf_init(&rotator->settled, CF_CREDENTIAL_MAX);
    rotator->secret = cf_certs_secret_new(options->namespace, options->name);
    return rotator->secret != NULL ? 0 : cf_err_memory(err);
}

void cf_rotator_free(struct cf_rotator *rotator)
{
    cf_api_close(rotator->caller.api);
    cf_certs_secret_free(rotator->secret);
    cf_certs_free(&rotator->known);
    cf_buf_free(&rotator->carried);
    cf_buf_free(&rotator->settled);
}

/* A twentieth of a leaf's lifetime, in seconds, from 1 to `most`. */
static int64_t lifetime_share(const struct cf_rotator *rotator, int64_t most)
{
    int64_t part = rotator->options->leaf_lifetime / 20;

    return part < 1 ? 1 : part > most ? most : part;
}

int64_t cf_rotator_pause(const struct cf_rotator *rotator, bool failed)
{
    int64_t settle = lifetime_share(rotator, SETTLE_MAX_SECONDS) * 1000;
    int64_t pause = lifetime_share(rotator, failed ? FAILED_MAX_SECONDS : PAUSE_MAX_SECONDS) * 1000;
    int64_t gone = (cf_monotonic_micros() - rotator->carried_at) / 1000;

    if (rotator->waiting && settle - gone + 100 < pause)
        return settle - gone < 200 ? 200 : settle - gone + 100;
    return pause;
}

/* ---- PEM buffers ---- */

static bool same_pem(const struct cf_buf *a, const struct cf_buf *b)
{
    return a->len == b->len && memcmp(cf_buf_str(a), cf_buf_str(b), a->len) == 0;
}

static int replace_pem(struct cf_buf *to, const struct cf_buf *from, struct cf_err *err)
{
    cf_buf_wipe(to);
    cf_buf_add(to, cf_buf_str(from), from->len);
    return cf_buf_ok(to) ? 0 : cf_err_memory(err);
}

static bool knows_usable_certs(const struct cf_rotator *rotator)
{
    return cf_certs_usable(&rotator->known, cf_now(), NULL);
}

/* ---- reading the Secret ---- */

/* A leaf that is not valid yet was made by a clock ahead of this one. Two rotators with such clocks
 * would replace each other's leaf forever, so this one fails instead. */
static int check_clock(const struct round *round, struct cf_err *err)
{
    const struct cf_buf *cert = &round->certs.cert;
    struct cf_cert_info leaf;
    char begins[32];

    if (!cf_cert_info(cf_buf_str(cert), cert->len, 0, &leaf) || leaf.begins <= cf_now())
        return 0;
    return cf_err_system(err,
                         "the certificate in Secret %s is not valid before %s: the clock of this "
                         "node, or of the node where it was made, is wrong",
                         round->rotator->where, cf_time_format(leaf.begins, begins));
}

static int read_current_secret(struct round *round, struct cf_err *err)
{
    struct cf_rotator *rotator = round->rotator;

    if (cf_certs_secret_read(rotator->secret, &rotator->caller, &round->certs, &round->exists,
                             err) != 0 ||
        cf_certs_secret_check_owner(rotator->secret, err) != 0 || check_clock(round, err) != 0)
        return -1;
    if (round->exists && cf_certs_usable(&round->certs, cf_now(), NULL))
        return 0;
    if (knows_usable_certs(rotator)) {
        round->put_back = round->exists;
        round->renew_ca = !round->exists;
        round->flaw =
            round->exists ? "the Secret held no usable certificate" : "the Secret was deleted";
        cf_certs_free(&round->certs);
        cf_certs_init(&round->certs);
        if (!cf_certs_copy(&round->certs, &rotator->known))
            return cf_err_memory(err);
    }
    return 0;
}

/* ---- publishing ---- */

static void log_publish_failure(struct cf_rotator *rotator, const struct cf_err *why)
{
    if (cf_streq(rotator->bundle_failure, why->msg))
        return;
    snprintf(rotator->bundle_failure, sizeof(rotator->bundle_failure), "%s", why->msg);
    cf_log(CF_LOG_ERROR, "cannot write the authority to a caBundle, will retry",
           CF_LOG_S("secret", rotator->where), CF_LOG_S("error", why->msg));
}

static void log_bundle_written(const struct round *round, const char *name,
                               const struct cf_webhooks *found)
{
    bool surprise = found->distrusting > 0 && round->rotator->known.cert.len > 0;

    if (found->differing == 0)
        return;
    cf_log(surprise ? CF_LOG_WARN : CF_LOG_INFO,
           surprise ? "replaced a caBundle that did not trust the serving certificate"
                    : "wrote the authority to a caBundle",
           CF_LOG_S("configuration", name), CF_LOG_S("first", found->first),
           CF_LOG_N("webhooks", (int64_t)found->differing));
}

/* The two configurations with one name; adds the result to round->webhooks. */
static int publish_one(struct round *round, const char *name, bool write, struct cf_err *err)
{
    struct cf_webhooks found = {.arena = round->webhooks.arena,
                                .trusted = round->webhooks.trusted,
                                .name_count = round->webhooks.name_count};

    memcpy(found.names, round->webhooks.names, sizeof(found.names));
    if (cf_webhooks_sync(&round->rotator->caller, name, write ? &round->certs.ca : NULL,
                         &round->certs.cert, write, &found, err) != 0)
        return -1;
    log_bundle_written(round, name, &found);
    found.differing += round->webhooks.differing;
    found.configurations += round->webhooks.configurations;
    round->webhooks = found;
    return 0;
}

/* Notes since when all caBundles have held the bundle, and whether that is long enough. */
static int remember_carried(struct round *round, struct cf_err *err)
{
    struct cf_rotator *rotator = round->rotator;
    int64_t now = cf_monotonic_micros();

    rotator->bundle_failure[0] = '\0';
    if (round->webhooks.differing > 0 || !same_pem(&rotator->carried, &round->certs.ca)) {
        rotator->carried_at = now;
        if (replace_pem(&rotator->carried, &round->certs.ca, err) != 0)
            return -1;
    }
    if (same_pem(&rotator->settled, &rotator->carried))
        return 0;
    if (now - rotator->carried_at >= lifetime_share(rotator, SETTLE_MAX_SECONDS) * MICROS)
        return replace_pem(&rotator->settled, &rotator->carried, err);
    rotator->waiting = true;
    return 0;
}

/* A failure is logged, and the next pass retries: servers still serve the certificate that they
 * have. The content of the caBundles is unknown then, so a new authority has to settle again. */
static int publish_bundles(struct round *round, struct cf_err *err)
{
    bool write =
        round->exists && !round->put_back && cf_certs_usable(&round->certs, cf_now(), NULL);
    const char *const *name = round->rotator->options->configurations;
    struct cf_err why = {.kind = CF_ERR_NONE};

    for (; *name != NULL; name++) {
        if (publish_one(round, *name, write, &why) != 0)
            break;
    }
    if (why.kind != CF_ERR_NONE) {
        log_publish_failure(round->rotator, &why);
        cf_buf_wipe(&round->rotator->carried);
        cf_buf_wipe(&round->rotator->settled);
        return 0;
    }
    return write ? remember_carried(round, err) : 0;
}

/* ---- writing the Secret ---- */

/* The Secret was deleted while no rotator was running: the key of its authority is lost, but
 * servers still serve a leaf that it signed. So the authority stays trusted until such leaves
 * expire. */
static int keep_trusted(struct round *round, struct cf_err *err)
{
    struct cf_buf *ca = &round->certs.ca;

    if (ca->len == 0)
        cf_buf_add(ca, cf_buf_str(round->webhooks.trusted), round->webhooks.trusted->len);
    return cf_buf_ok(ca) ? 0 : cf_err_memory(err);
}

static void collect_names(struct round *round)
{
    const char *const *name = round->rotator->options->names;

    for (; *name != NULL && round->name_count < CF_WEBHOOK_NAMES; name++)
        round->names[round->name_count++] = *name;
    for (size_t i = 0; i < round->webhooks.name_count; i++)
        round->names[round->name_count++] = round->webhooks.names[i];
}

static int fail_without_names(const struct round *round, struct cf_err *err)
{
    const struct cf_rotator *rotator = round->rotator;

    if (rotator->bundle_failure[0] != '\0')
        return cf_err_system(err, "%s", rotator->bundle_failure);
    return cf_err_system(err,
                         "the webhook configuration \"%s\" does not exist yet, so the name in the "
                         "certificate is unknown (set it with --service NAME.NAMESPACE)",
                         rotator->options->configurations[0]);
}

static int write_secret(struct round *round, const struct cf_certs *certs, const char *why,
                        bool *conflict, struct cf_err *err)
{
    struct cf_rotator *rotator = round->rotator;
    struct cf_cert_info leaf = {.expires = 0}, ca = {.expires = 0};
    char ends[32];

    if (cf_certs_secret_write(rotator->secret, &rotator->caller, certs, conflict, err) != 0)
        return -1;
    if (*conflict) {
        cf_log(CF_LOG_DEBUG, "another rotator wrote the Secret first",
               CF_LOG_S("secret", rotator->where));
        return 0;
    }
    cf_cert_info(cf_buf_str(&certs->cert), certs->cert.len, 0, &leaf);
    cf_cert_info(cf_buf_str(&certs->ca), certs->ca.len, 0, &ca);
    cf_log(round->flaw != NULL ? CF_LOG_WARN : CF_LOG_INFO, "wrote the Secret",
           CF_LOG_S("secret", rotator->where),
           CF_LOG_S("why", round->flaw != NULL ? round->flaw : why),
           CF_LOG_S("signer", leaf.issuer), CF_LOG_S("newestAuthority", ca.subject),
           CF_LOG_S("names", leaf.names), CF_LOG_S("expires", cf_time_format(leaf.expires, ends)));
    return 0;
}

/* *again: the Secret has changed, by this write or by the one that was faster. */
static int write_what_is_due(struct round *round, bool *again, struct cf_err *err)
{
    const struct cf_rotator *rotator = round->rotator;
    struct cf_certs_spec spec = {
        .names = round->names,
        .name_count = round->name_count,
        .leaf_lifetime = rotator->options->leaf_lifetime,
        .ca_lifetime = rotator->options->ca_lifetime,
        .now = cf_now(),
        /* Without a configuration to write, it is unknown which authorities clients trust. */
        .published = rotator->options->configurations[0] != NULL &&
                     same_pem(&rotator->settled, &round->certs.ca),
        .renew_ca = round->renew_ca,
    };
    enum cf_certs_step step = CF_CERTS_KEEP;
    const char *why = NULL;
    struct cf_certs next;
    bool conflict;
    int result;

    cf_certs_init(&next);
    result = cf_certs_next(&round->certs, &spec, &next, &step, &why, err);
    if (result == 0 && (step != CF_CERTS_KEEP || round->put_back)) {
        result =
            write_secret(round, step != CF_CERTS_KEEP ? &next : &round->certs, why, &conflict, err);
        *again = true;
    }
    cf_certs_free(&next);
    return result;
}

/* ---- one pass ---- */

static int remember_known(struct round *round, struct cf_err *err)
{
    struct cf_rotator *rotator = round->rotator;

    cf_certs_free(&rotator->known);
    cf_certs_init(&rotator->known);
    return cf_certs_copy(&rotator->known, &round->certs) ? 0 : cf_err_memory(err);
}

static int run_round(struct round *round, bool *again, struct cf_err *err)
{
    if (read_current_secret(round, err) != 0 || publish_bundles(round, err) != 0 ||
        keep_trusted(round, err) != 0)
        return -1;
    collect_names(round);
    /* Without a name no leaf can be made; the Secret may hold a usable one already. */
    if (round->name_count > 0 && write_what_is_due(round, again, err) != 0)
        return -1;
    if (*again)
        return 0;
    if (!cf_certs_usable(&round->certs, cf_now(), err))
        return round->name_count == 0 ? fail_without_names(round, err) : -1;
    return remember_known(round, err);
}

int cf_rotator_pass(struct cf_rotator *rotator, struct cf_err *err)
{
    for (unsigned i = 0; i < ROUNDS_MAX; i++) {
        CF_CLEANUP(cf_arena_cleanup) struct cf_arena *arena = cf_arena_new(2 * CF_MIB);
        struct round round = {.rotator = rotator, .webhooks = {.arena = arena}};
        struct cf_buf trusted;
        bool again = false;
        int result;

        if (arena == NULL)
            return cf_err_memory(err);
        cf_buf_init_arena(&trusted, arena, CF_CREDENTIAL_MAX);
        round.webhooks.trusted = &trusted;
        rotator->waiting = false;
        cf_certs_init(&round.certs);
        result = run_round(&round, &again, err);
        cf_certs_free(&round.certs);
        if (result != 0 || !again)
            return result;
    }
    return cf_err_system(err, "Secret %s changed each time that it was read", rotator->where);
}
