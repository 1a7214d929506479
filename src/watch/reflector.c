/* SPDX-License-Identifier: Apache-2.0 */
/* reflector.c - how one resource's watch is doing: its last contact, how it failed, how
 * long it pauses; and the log lines about that, one for each change. The metrics count the rest. */
#include <string.h>

#include "curfew/json.h"
#include "curfew/log.h"
#include "curfew/str.h"
#include "curfew/time.h"
#include "watch_private.h"

/* After this many failures in a row, of kinds where a watch from the known version does not help,
 * the resource is listed again. */
#define IN_A_ROW_MAX 3

/* A server that can't be reached is tried more often than client-go does (30 s): a refused
 * connection is cheap, and until the cluster is known again, what is unknown may be denied. */
#define UNREACHABLE_PAUSE_MAX (5 * CF_MICROS)

/* The same reason is not logged more often than this. */
#define LOG_AGAIN_MICROS (60 * CF_MICROS)

const char *cf_watch_failure_name(enum cf_watch_failure failure)
{
    static const char *const names[CF_WATCH_FAILURES] = {
        [CF_WATCH_UNREACHABLE] = "unreachable",
        [CF_WATCH_REFUSED] = "refused",
        [CF_WATCH_GONE] = "gone",
        [CF_WATCH_BUSY] = "busy",
        [CF_WATCH_SERVER] = "server",
        [CF_WATCH_BROKEN] = "broken",
        [CF_WATCH_SILENT] = "silent",
    };

    return names[failure];
}

static const char *reflector_resource(const struct cf_reflector *r)
{
    return cf_resource_name(r->resource);
}

/* ---- failures ---- */

/* A version that is too old needs no attention. */
static void log_failure(struct cf_reflector *r, int failure)
{
    int64_t now = cf_monotonic_micros(), logged_at = r->logged_at[failure];
    bool logged = r->failing &&
                  (r->failure == failure || (logged_at != 0 && now - logged_at < LOG_AGAIN_MICROS));
    enum cf_log_level level = logged || failure == CF_WATCH_GONE ? CF_LOG_DEBUG : CF_LOG_WARN;

    cf_log(level, "cannot watch the API server, will retry",
           CF_LOG_S("resource", reflector_resource(r)),
           CF_LOG_S("reason", cf_watch_failure_name((enum cf_watch_failure)failure)),
           CF_LOG_S("error", r->err.msg));
    if (level == CF_LOG_DEBUG)
        return;
    if (!r->failing)
        r->failing_since = now;
    r->failing = true;
    r->failure = failure;
    r->logged_at[failure] = now;
}

bool cf_reflector_failed(struct cf_reflector *r, int failure)
{
    int before = r->last;

    r->in_a_row++;
    r->last = failure;
    if (failure == CF_WATCH_GONE ||
        (r->in_a_row >= IN_A_ROW_MAX && failure != CF_WATCH_UNREACHABLE &&
         failure != CF_WATCH_REFUSED && failure != CF_WATCH_BUSY))
        r->version[0] = '\0';
    if (failure != CF_WATCH_GONE && failure != CF_WATCH_BUSY)
        r->doubted = true;
    atomic_fetch_add(&r->failures[failure], 1);
    log_failure(r, failure);
    if (before == CF_WATCH_UNREACHABLE && failure != CF_WATCH_UNREACHABLE)
        r->pause = 0; /* the server is back */
    return failure != CF_WATCH_GONE || before == CF_WATCH_GONE;
}

/* Doubles up to a ceiling, with jitter up to twice that. */
int64_t cf_reflector_next_pause(struct cf_reflector *r)
{
    const struct cf_watch *watch = r->watch;
    int64_t pause = r->pause > watch->pause_min ? r->pause : watch->pause_min;
    int64_t most = watch->pause_max;

    if (r->last == CF_WATCH_UNREACHABLE && most > UNREACHABLE_PAUSE_MAX)
        most = UNREACHABLE_PAUSE_MAX;
    if (pause > most)
        pause = most;
    r->pause = pause < most / 2 ? pause * 2 : most;
    return cf_jitter(pause, 2 * pause);
}

/* ---- freshness ---- */

void cf_reflector_log_age(struct cf_reflector *r)
{
    const struct cf_watch *watch = r->watch;
    int64_t age = cf_store_age(watch->store, r->resource);
    bool stale = age >= 0 && age / CF_MICROS >= atomic_load(&watch->stale_after);

    if (stale && !r->stale)
        cf_log(CF_LOG_WARN,
               r->resource == CF_SECRETS ? "the watch cache is stale: an unknown Secret may be a "
                                           "legacy one (lookupFailure decides)"
                                         : "the watch cache is stale",
               CF_LOG_S("resource", reflector_resource(r)),
               CF_LOG_N("ageSeconds", age / CF_MICROS));
    else if (!stale && r->stale)
        cf_log(CF_LOG_INFO, "the watch cache is fresh again",
               CF_LOG_S("resource", reflector_resource(r)));
    r->stale = stale;
}

void cf_reflector_received(struct cf_reflector *r, int64_t when)
{
    cf_store_refreshed(r->watch->store, r->resource, when);
    r->in_a_row = r->no_events = 0;
    if (r->kept)
        r->moves = 0;
    r->last = CF_ENDED_WELL;
    if (r->failing)
        cf_log(CF_LOG_INFO, "watching the API server again",
               CF_LOG_S("resource", reflector_resource(r)),
               CF_LOG_N("afterSeconds", (cf_monotonic_micros() - r->failing_since) / CF_MICROS));
    r->failing = false;
    cf_reflector_log_age(r);
}

static void log_synced(struct cf_watch *watch)
{
    struct cf_store_counts counts;

    if (!cf_store_synced(watch->store) || atomic_exchange(&watch->synced, true))
        return;
    counts = cf_store_counts(watch->store);
    cf_log(CF_LOG_INFO, "the watch cache is synced",
           CF_LOG_S("server", cf_api_server(watch->reflectors[CF_NAMESPACES].api)),
           CF_LOG_N("namespaces", (int64_t)counts.namespaces),
           CF_LOG_N("secrets", (int64_t)counts.secrets),
           CF_LOG_N("serviceAccounts", (int64_t)counts.accounts),
           CF_LOG_N("pods", (int64_t)counts.pods),
           CF_LOG_N("afterMillis", (cf_monotonic_micros() - watch->started) / 1000));
}

void cf_reflector_listed(struct cf_reflector *r, int64_t requested)
{
    cf_store_list_end(r->watch->store, r->resource);
    atomic_fetch_add(&r->lists, 1);
    cf_reflector_received(r, requested);
    log_synced(r->watch);
}

void cf_reflector_set_minor(struct cf_reflector *r, unsigned minor)
{
    struct cf_watch *watch = r->watch;
    unsigned lowest = 0;

    /* One thread at a time, so that an older reading does not come last. */
    pthread_mutex_lock(&watch->lock);
    atomic_store(&r->minor, minor);
    for (int i = 0; i < CF_RESOURCES; i++) {
        unsigned one = atomic_load(&watch->reflectors[i].minor);

        if (one != 0 && (lowest == 0 || one < lowest))
            lowest = one;
    }
    cf_store_set_server_version(watch->store, lowest != 0 ? 1 : 0, lowest);
    pthread_mutex_unlock(&watch->lock);
}

/* ---- objects ---- */

/* An error may quote what users wrote: the log gets the part before the quotation. */
static void cut_quotation(char *reason)
{
    size_t len = strcspn(reason, "'\"[");

    while (len > 0 && reason[len - 1] == ' ')
        len--;
    reason[len] = '\0';
}

void cf_reflector_log_unread(struct cf_reflector *r, const struct cf_json *object,
                             const struct cf_err *why)
{
    const struct cf_json *meta = cf_json_get(object, "metadata");
    int64_t now = cf_monotonic_micros();
    char reason[sizeof(why->msg)];

    if (r->unread_logged_at != 0 && now - r->unread_logged_at < LOG_AGAIN_MICROS)
        return;
    r->unread_logged_at = now;
    memcpy(reason, why->msg, sizeof(reason));
    cut_quotation(reason);
    cf_log(CF_LOG_WARN, "cannot read an object completely, using only its metadata",
           CF_LOG_S("resource", reflector_resource(r)),
           CF_LOG_S("namespace", cf_str_or_empty(cf_json_str(cf_json_get(meta, "namespace")))),
           CF_LOG_S("name", cf_str_or_empty(cf_json_str(cf_json_get(meta, "name")))),
           CF_LOG_S("reason", reason));
}
