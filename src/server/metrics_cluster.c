/* SPDX-License-Identifier: Apache-2.0 */
/* metrics_cluster.c - what is known of the cluster, and how well: the watches, and an inventory of
 * what Curfew is there to end. Worked out when it is asked for. */
#include "metrics.h"

#include <stdbool.h>

#include "curfew/buf.h"
#include "curfew/store.h"
#include "curfew/watch.h"

/* Namespaces that have a row of their own; the others share one, with a name that none can have. */
#define NAMESPACES_MAX 1000
#define OTHERS "_others"

/* ---- the watches ---- */

/* Only those that there are. */
static bool is_watched(const struct cf_server *server, int resource)
{
    return cf_store_expected(server->config.store, (enum cf_resource)resource);
}

static void write_ages(const struct cf_server *server, struct cf_buf *out)
{
    cf_metrics_head(out, "curfew_watch_age_seconds", "gauge",
                    "Since the API server was last heard of; +Inf before the first list.");
    for (int i = 0; i < CF_RESOURCES; i++) {
        int64_t age = cf_store_age(server->config.store, (enum cf_resource)i);

        if (!is_watched(server, i))
            continue;
        cf_buf_addf(out, "curfew_watch_age_seconds{resource=\"%s\"} ",
                    cf_resource_name((enum cf_resource)i));
        if (age < 0)
            cf_buf_adds(out, "+Inf");
        else
            cf_metrics_seconds(out, (uint64_t)age);
        cf_buf_addc(out, '\n');
    }
}

static void write_watches(const struct cf_server *server, struct cf_buf *out)
{
    struct cf_watch_counts counts[CF_RESOURCES];

    for (int i = 0; i < CF_RESOURCES; i++)
        counts[i] = cf_watch_counts(server->config.watch, (enum cf_resource)i);
    cf_metrics_head(out, "curfew_watch_events_total", "counter",
                    "Objects listed, added, modified and deleted.");
    for (int i = 0; i < CF_RESOURCES; i++) {
        if (is_watched(server, i))
            cf_buf_addf(out, "curfew_watch_events_total{resource=\"%s\"} %llu\n",
                        cf_resource_name((enum cf_resource)i),
                        (unsigned long long)counts[i].events);
    }
    cf_metrics_head(out, "curfew_watch_objects_unread_total", "counter",
                    "Objects that could not be read whole: only their metadata are known.");
    for (int i = 0; i < CF_RESOURCES; i++) {
        if (is_watched(server, i))
            cf_buf_addf(out, "curfew_watch_objects_unread_total{resource=\"%s\"} %llu\n",
                        cf_resource_name((enum cf_resource)i),
                        (unsigned long long)counts[i].unread);
    }
    cf_metrics_head(out, "curfew_watch_lists_total", "counter", "Complete lists.");
    for (int i = 0; i < CF_RESOURCES; i++) {
        if (is_watched(server, i))
            cf_buf_addf(out, "curfew_watch_lists_total{resource=\"%s\"} %llu\n",
                        cf_resource_name((enum cf_resource)i), (unsigned long long)counts[i].lists);
    }
    cf_metrics_head(out, "curfew_watch_failures_total", "counter",
                    "Lists and watches that ended badly, by reason.");
    for (int i = 0; i < CF_RESOURCES; i++) {
        for (int f = 0; f < CF_WATCH_FAILURES; f++) {
            if (is_watched(server, i))
                cf_buf_addf(out,
                            "curfew_watch_failures_total{resource=\"%s\",reason=\"%s\"} %llu\n",
                            cf_resource_name((enum cf_resource)i),
                            cf_watch_failure_name((enum cf_watch_failure)f),
                            (unsigned long long)counts[i].failures[f]);
        }
    }
}

/* ---- the inventory ---- */

struct rows {
    struct cf_buf *out;
    size_t count;
    size_t max; /* of namespaces with a row of their own */
    bool pods;  /* which of the two metrics is written */
    struct cf_store_inventory rest;
};

/* A namespace or a state that is NULL has no label. */
static void write_series(struct cf_buf *out, const char *name, const char *namespace,
                         const char *state, size_t value)
{
    bool labels = namespace != NULL || state != NULL;

    cf_buf_adds(out, name);
    cf_buf_adds(out, labels ? "{" : "");
    if (namespace != NULL)
        cf_metrics_label(out, "namespace", namespace);
    cf_buf_adds(out, namespace != NULL && state != NULL ? "," : "");
    if (state != NULL)
        cf_metrics_label(out, "state", state);
    cf_buf_addf(out, "%s %zu\n", labels ? "}" : "", value);
}

static void write_row(struct rows *rows, const struct cf_store_inventory *row)
{
    static const char legacy[] = "curfew_legacy_secrets";

    if (rows->pods) {
        write_series(rows->out, "curfew_pods_with_legacy_secrets", row->namespace, NULL,
                     row->pods_mounting);
        return;
    }
    write_series(rows->out, legacy, row->namespace, "used", row->legacy_used);
    write_series(rows->out, legacy, row->namespace, "unused", row->legacy_unused);
    write_series(rows->out, legacy, row->namespace, "invalid", row->legacy_invalid);
}

static void take_row(const struct cf_store_inventory *row, void *arg)
{
    struct rows *rows = arg;

    if (rows->count++ < rows->max) {
        write_row(rows, row);
        return;
    }
    rows->rest.legacy_used += row->legacy_used;
    rows->rest.legacy_unused += row->legacy_unused;
    rows->rest.legacy_invalid += row->legacy_invalid;
    rows->rest.pods_mounting += row->pods_mounting;
}

/* By namespace only where that is asked for: the port has no login, and the names would tell every
 * pod where tokens are that never expire. */
static void write_rows(const struct cf_server *server, struct cf_buf *out, bool pods)
{
    bool by_namespace = server->config.metrics_namespaces;
    struct rows rows = {.out = out,
                        .max = by_namespace ? NAMESPACES_MAX : 0,
                        .pods = pods,
                        .rest = {.namespace = by_namespace ? OTHERS : NULL}};

    cf_store_inventory(server->config.store, take_row, &rows);
    if (!by_namespace || rows.count > rows.max)
        write_row(&rows, &rows.rest);
}

static void write_totals(struct cf_server *server, struct cf_buf *out)
{
    struct cf_policy_swap *held = cf_server_policy_ref(server);
    struct cf_store_totals totals = cf_store_totals(server->config.store, cf_policy_swap(held));

    cf_server_policy_unref(held);
    cf_metrics_head(out, "curfew_namespaces", "gauge", "Namespaces, by their level for each mode.");
    for (int mode = 0; mode < CF_MODES; mode++) {
        for (int level = 0; level < CF_LEVELS; level++)
            cf_buf_addf(out, "curfew_namespaces{mode=\"%s\",level=\"%s\"} %zu\n",
                        cf_mode_name((enum cf_mode)mode), cf_level_name((enum cf_level)level),
                        totals.namespaces[mode][level]);
    }
    cf_metrics_head(out, "curfew_accounts_restricted_by_node", "gauge",
                    "ServiceAccounts that may touch only what belongs to their node.");
    cf_buf_addf(out, "curfew_accounts_restricted_by_node %zu\n", totals.accounts_restricted);
}

/* A rule that finds nothing because it cannot look like one that has nothing to find. */
static void write_silent(const struct cf_server *server, struct cf_buf *out)
{
    bool silent = cf_store_server_minor(server->config.store) < CF_CREDENTIAL_ID_MINOR;

    cf_metrics_head(out, "curfew_rule_silent", "gauge",
                    "Whether a rule can find nothing, since the API server is too old or of a "
                    "version that is not known.");
    cf_buf_addf(out, "curfew_rule_silent{rule=\"legacy-token-use\"} %d\n", silent ? 1 : 0);
}

void cf_metrics_write_cluster(struct cf_server *server, struct cf_buf *out)
{
    if (server->config.watch != NULL) {
        write_ages(server, out);
        write_watches(server, out);
    }
    cf_metrics_head(
        out, "curfew_legacy_secrets", "gauge",
        "Legacy Secrets: used (its token was, once), unused, or invalid (quarantined).");
    write_rows(server, out, false);
    cf_metrics_head(out, "curfew_pods_with_legacy_secrets", "gauge",
                    "Pods that name a legacy Secret.");
    write_rows(server, out, true);
    write_totals(server, out);
    write_silent(server, out);
}
