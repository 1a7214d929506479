/* SPDX-License-Identifier: Apache-2.0 */
/* watch_log.c - what a watch tells the log: that it fails, works again, has become too old, is in
 * step; each once. The metrics count the rest. */
#include <string.h>

#include "curfew/time.h"
#include "curfew/json.h"
#include "curfew/log.h"
#include "curfew/str.h"
#include "watch_private.h"

/* Another reason is told at once, but each not more often than this. */
#define RETELL_MICROS (60 * CF_MICROS)

static const char *name(const struct cf_reflector *r)
{
    return cf_resource_name(r->resource);
}

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

/* A version that is too old is nothing that anybody has to look after. */
void cf_reflector_log_failure(struct cf_reflector *r, int failure)
{
    int64_t now = cf_monotonic_micros();
    bool told =
        r->failing && (r->failure == failure ||
                       (r->told_at[failure] != 0 && now - r->told_at[failure] < RETELL_MICROS));
    enum cf_log_level level = told || failure == CF_WATCH_GONE ? CF_LOG_DEBUG : CF_LOG_WARN;

    cf_log(level, "the API server can't be watched: it is tried again",
           CF_LOG_S("resource", name(r)),
           CF_LOG_S("reason", cf_watch_failure_name((enum cf_watch_failure)failure)),
           CF_LOG_S("error", r->err.msg));
    if (level == CF_LOG_DEBUG)
        return;
    if (!r->failing)
        r->failing_since = now;
    r->failing = true;
    r->failure = failure;
    r->told_at[failure] = now;
}

void cf_reflector_log_heard(struct cf_reflector *r)
{
    if (r->failing)
        cf_log(CF_LOG_INFO, "the API server is watched again", CF_LOG_S("resource", name(r)),
               CF_LOG_N("afterSeconds", (cf_monotonic_micros() - r->failing_since) / CF_MICROS));
    r->failing = false;
    cf_reflector_log_age(r);
}

void cf_reflector_log_age(struct cf_reflector *r)
{
    const struct cf_watch *watch = r->watch;
    int64_t age = cf_store_age(watch->store, r->resource);
    bool stale = age >= 0 && age / CF_MICROS >= atomic_load(&watch->stale_after);

    if (stale && !r->stale)
        cf_log(CF_LOG_WARN,
               r->resource == CF_SECRETS
                   ? "stale: a Secret that is not known may be a legacy one (lookupFailure decides)"
                   : "stale: what is known may be too old",
               CF_LOG_S("resource", name(r)), CF_LOG_N("ageSeconds", age / CF_MICROS));
    else if (!stale && r->stale)
        cf_log(CF_LOG_INFO, "fresh again", CF_LOG_S("resource", name(r)));
    r->stale = stale;
}

/* A reason may quote what people wrote: the log shows this much of it. */
static void cut_reason(char *reason)
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

    if (r->unread_told != 0 && now - r->unread_told < RETELL_MICROS)
        return;
    r->unread_told = now;
    memcpy(reason, why->msg, sizeof(reason));
    cut_reason(reason);
    cf_log(CF_LOG_WARN, "an object can't be read whole: only its metadata are known",
           CF_LOG_S("resource", name(r)),
           CF_LOG_S("namespace", cf_str_or_empty(cf_json_str(cf_json_get(meta, "namespace")))),
           CF_LOG_S("name", cf_str_or_empty(cf_json_str(cf_json_get(meta, "name")))),
           CF_LOG_S("reason", reason));
}

void cf_reflector_log_synced(struct cf_watch *watch)
{
    struct cf_store_counts counts;

    if (!cf_store_synced(watch->store) || atomic_exchange(&watch->synced, true))
        return;
    counts = cf_store_counts(watch->store);
    cf_log(CF_LOG_INFO, "in step with the cluster", CF_LOG_S("server", cf_watch_server(watch)),
           CF_LOG_N("namespaces", (int64_t)counts.namespaces),
           CF_LOG_N("secrets", (int64_t)counts.secrets),
           CF_LOG_N("serviceAccounts", (int64_t)counts.accounts),
           CF_LOG_N("pods", (int64_t)counts.pods),
           CF_LOG_N("afterMillis", (cf_monotonic_micros() - watch->started) / 1000));
}
