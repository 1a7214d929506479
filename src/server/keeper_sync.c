/* SPDX-License-Identifier: Apache-2.0 */
/* keeper_sync.c - one look at the Secret and at the webhook configurations; see keeper.h.
 *
 * The Secret is the truth. Whatever it holds is published first; a leaf of an authority that was
 * not published long enough is neither made nor served. */
#include <stdio.h>
#include <string.h>

#include "curfew/arena.h"
#include "curfew/clock.h"
#include "curfew/limits.h"
#include "curfew/log.h"
#include "curfew/str.h"
#include "keeper.h"

#define MICROS 1000000
#define ROUNDS_MAX 6
#define PAUSE_MAX_SECONDS 10
#define FAILED_MAX_SECONDS 5
/* API servers see a webhook configuration's change within a second or so. */
#define SETTLE_MAX_SECONDS 10

/* One look while it is under way. */
struct look {
    struct cf_sync *sync;
    struct cf_certs certs; /* what the Secret holds, or should */
    bool exists;
    bool put_back;    /* it holds what can't be served, and we have what can */
    bool renew_ca;    /* it was deleted */
    const char *flaw; /* why the Secret is written; NULL: nothing is wrong with it */
    struct cf_webhooks webhooks;
    const char *names[CF_WEBHOOK_NAMES * 2];
    size_t name_count;
};

/* ---- the life of it ---- */

int cf_sync_init(struct cf_sync *sync, struct cf_err *err)
{
    const struct cf_keeper_config *config = sync->config;

    snprintf(sync->where, sizeof(sync->where), "%s/%s", config->namespace_, config->name);
    cf_certs_init(&sync->served);
    cf_buf_init(&sync->carried, CF_CREDENTIAL_MAX);
    cf_buf_init(&sync->settled, CF_CREDENTIAL_MAX);
    sync->secret = cf_certs_secret_new(config->namespace_, config->name);
    if (sync->secret == NULL)
        return cf_err_memory(err);
    sync->asker.api = cf_api_open(config->kubeconfig, config->context, err);
    return sync->asker.api != NULL ? 0 : -1;
}

void cf_sync_free(struct cf_sync *sync)
{
    cf_api_close(sync->asker.api);
    cf_certs_secret_free(sync->secret);
    cf_certs_free(&sync->served);
    cf_buf_free(&sync->carried);
    cf_buf_free(&sync->settled);
}

static int64_t part_of_life(const struct cf_sync *sync, int64_t most)
{
    int64_t part = sync->config->leaf_lifetime / 20;

    return part < 1 ? 1 : part > most ? most : part;
}

int64_t cf_sync_pause(const struct cf_sync *sync, bool failed)
{
    int64_t settle = part_of_life(sync, SETTLE_MAX_SECONDS) * 1000;
    int64_t pause = part_of_life(sync, failed ? FAILED_MAX_SECONDS : PAUSE_MAX_SECONDS) * 1000;
    int64_t gone = (cf_monotonic_micros() - sync->carried_at) / 1000;

    if (sync->waiting && settle - gone + 100 < pause)
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

static bool serves(const struct cf_sync *sync)
{
    return cf_certs_usable(&sync->served, cf_now(), NULL);
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
                         look->sync->where, cf_time_format(leaf.begins, begins));
}

static int read_secret(struct look *look, struct cf_err *err)
{
    struct cf_sync *sync = look->sync;

    if (cf_certs_secret_read(sync->secret, &sync->asker, &look->certs, &look->exists, err) != 0 ||
        check_clock(look, err) != 0)
        return -1;
    if (look->exists && cf_certs_usable(&look->certs, cf_now(), NULL))
        return 0;
    if (serves(sync)) {
        look->put_back = look->exists;
        look->renew_ca = !look->exists;
        look->flaw = look->exists ? "what it held can't be served" : "it was deleted";
        cf_certs_free(&look->certs);
        cf_certs_init(&look->certs);
        if (!cf_certs_copy(&look->certs, &sync->served))
            return cf_err_memory(err);
    }
    return 0;
}

/* ---- publishing ---- */

static void tell_failure(struct cf_sync *sync, const struct cf_err *why)
{
    if (cf_streq(sync->bundle_failure, why->msg))
        return;
    snprintf(sync->bundle_failure, sizeof(sync->bundle_failure), "%s", why->msg);
    cf_log(CF_LOG_ERROR, "the authority could not be published in a caBundle",
           CF_LOG_S("secret", sync->where), CF_LOG_S("error", why->msg));
}

static void tell_written(const struct look *look, const char *name, const struct cf_webhooks *found)
{
    bool surprise = found->distrusting > 0 && look->sync->served.cert.len > 0;

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
                                .name_count = look->webhooks.name_count};

    memcpy(found.names, look->webhooks.names, sizeof(found.names));
    if (cf_webhooks_look(&look->sync->asker, name, write ? &look->certs.ca : NULL,
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
    struct cf_sync *sync = look->sync;
    int64_t now = cf_monotonic_micros();

    sync->bundle_failure[0] = '\0';
    if (look->webhooks.differing > 0 || !same(&sync->carried, &look->certs.ca)) {
        sync->carried_at = now;
        if (replace(&sync->carried, &look->certs.ca, err) != 0)
            return -1;
    }
    if (same(&sync->settled, &sync->carried))
        return 0;
    if (now - sync->carried_at >= part_of_life(sync, SETTLE_MAX_SECONDS) * MICROS)
        return replace(&sync->settled, &sync->carried, err);
    sync->waiting = true;
    return 0;
}

/* What can't be published now is told and tried again: the certificate at hand is served on. */
static int publish(struct look *look, struct cf_err *err)
{
    bool write = look->exists && !look->put_back && cf_certs_usable(&look->certs, cf_now(), NULL);
    const char *const *name = look->sync->config->configurations;
    struct cf_err why = {.kind = CF_ERR_NONE};

    for (; *name != NULL; name++) {
        if (publish_one(look, *name, write, &why) != 0)
            break;
    }
    if (why.kind != CF_ERR_NONE) {
        tell_failure(look->sync, &why);
        return 0;
    }
    return write ? remember_carried(look, err) : 0;
}

/* ---- making ---- */

static void collect_names(struct look *look)
{
    const char *const *given = look->sync->config->names;

    for (; *given != NULL && look->name_count < CF_WEBHOOK_NAMES; given++)
        look->names[look->name_count++] = *given;
    for (size_t i = 0; i < look->webhooks.name_count; i++)
        look->names[look->name_count++] = look->webhooks.names[i];
}

static int no_names(const struct look *look, struct cf_err *err)
{
    const struct cf_sync *sync = look->sync;

    if (sync->bundle_failure[0] != '\0')
        return cf_err_system(err, "%s", sync->bundle_failure);
    return cf_err_system(err,
                         "there is no webhook configuration \"%s\" yet, and only it says by which "
                         "name we are called (--service NAME.NAMESPACE says so too)",
                         sync->config->configurations[0]);
}

static int write_secret(struct look *look, const struct cf_certs *certs, const char *why,
                        bool *conflict, struct cf_err *err)
{
    struct cf_sync *sync = look->sync;
    struct cf_cert_info leaf = {.expires = 0}, ca = {.expires = 0};
    char ends[32];

    if (cf_certs_secret_write(sync->secret, &sync->asker, certs, conflict, err) != 0)
        return -1;
    if (*conflict) {
        cf_log(CF_LOG_DEBUG, "another replica wrote the certificate first",
               CF_LOG_S("secret", sync->where));
        return 0;
    }
    cf_cert_info(cf_buf_str(&certs->cert), certs->cert.len, 0, &leaf);
    cf_cert_info(cf_buf_str(&certs->ca), certs->ca.len, 0, &ca);
    cf_log(look->flaw != NULL ? CF_LOG_WARN : CF_LOG_INFO, "the Secret was written",
           CF_LOG_S("secret", sync->where), CF_LOG_S("why", look->flaw != NULL ? look->flaw : why),
           CF_LOG_S("signer", leaf.issuer), CF_LOG_S("newestAuthority", ca.subject),
           CF_LOG_S("names", leaf.names), CF_LOG_S("expires", cf_time_format(leaf.expires, ends)));
    return 0;
}

/* *again: the Secret is another one now. */
static int make_what_is_due(struct look *look, bool *again, struct cf_err *err)
{
    const struct cf_sync *sync = look->sync;
    struct cf_certs_wish wish = {
        .names = look->names,
        .name_count = look->name_count,
        .leaf_lifetime = sync->config->leaf_lifetime,
        .ca_lifetime = sync->config->ca_lifetime,
        .now = cf_now(),
        .published = same(&sync->settled, &look->certs.ca),
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

/* ---- following ---- */

/* Whether the API servers trust the Secret's leaf already, for all we know. */
static bool is_trusted(const struct look *look)
{
    const struct cf_sync *sync = look->sync;
    struct cf_cert_info now, then;

    if (cf_certs_trusts(cf_buf_str(&sync->settled), sync->settled.len,
                        cf_buf_str(&look->certs.cert), look->certs.cert.len, cf_now()))
        return true;
    return cf_cert_info(cf_buf_str(&look->certs.cert), look->certs.cert.len, 0, &now) &&
           cf_cert_info(cf_buf_str(&sync->served.cert), sync->served.cert.len, 0, &then) &&
           cf_streq(now.issuer, then.issuer);
}

static int use(struct look *look, struct cf_err *err)
{
    struct cf_sync *sync = look->sync;
    struct cf_tls_pair *pair =
        cf_tls_pair_of(sync->where, &look->certs.cert, &look->certs.key, err);
    struct cf_cert_info leaf = {.expires = 0};
    char ends[32];

    if (pair == NULL)
        return -1;
    cf_tls_use_pair(sync->tls, pair);
    cf_cert_info(cf_buf_str(&look->certs.cert), look->certs.cert.len, 0, &leaf);
    cf_log(CF_LOG_INFO, "the certificate is in use", CF_LOG_S("secret", sync->where),
           CF_LOG_S("serial", leaf.serial), CF_LOG_S("signer", leaf.issuer),
           CF_LOG_S("expires", cf_time_format(leaf.expires, ends)));
    return 0;
}

static int follow(struct look *look, struct cf_err *err)
{
    struct cf_sync *sync = look->sync;
    bool is_new = !same(&sync->served.cert, &look->certs.cert);

    if (is_new && serves(sync) && !is_trusted(look)) {
        sync->waiting = true;
        return 0;
    }
    if (is_new && use(look, err) != 0)
        return -1;
    cf_certs_free(&sync->served);
    cf_certs_init(&sync->served);
    return cf_certs_copy(&sync->served, &look->certs) ? 0 : cf_err_memory(err);
}

/* ---- one look ---- */

static int look_once(struct look *look, bool *again, struct cf_err *err)
{
    if (read_secret(look, err) != 0 || publish(look, err) != 0)
        return -1;
    collect_names(look);
    /* Without a name nothing can be made; what is there is served nevertheless. */
    if (look->name_count > 0 && make_what_is_due(look, again, err) != 0)
        return -1;
    if (*again)
        return 0;
    if (!cf_certs_usable(&look->certs, cf_now(), err))
        return look->name_count == 0 ? no_names(look, err) : -1;
    return follow(look, err);
}

int cf_sync_look(struct cf_sync *sync, struct cf_err *err)
{
    for (unsigned round = 0; round < ROUNDS_MAX; round++) {
        CF_CLEANUP(cf_arena_cleanup) struct cf_arena *arena = cf_arena_new(CF_MIB);
        struct look look = {.sync = sync, .webhooks = {.arena = arena}};
        bool again = false;
        int result;

        if (arena == NULL)
            return cf_err_memory(err);
        sync->waiting = false;
        cf_certs_init(&look.certs);
        result = look_once(&look, &again, err);
        cf_certs_free(&look.certs);
        if (result != 0 || !again)
            return result;
    }
    return cf_err_system(err, "Secret %s: it changed each time that it was read", sync->where);
}
