/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.c - writes all metrics in the Prometheus text format. Label values are from fixed lists,
 * or are escaped by metrics_label(). */
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "curfew/attr.h"
#include "curfew/buf.h"
#include "curfew/file.h"
#include "curfew/store.h"
#include "curfew/str.h"
#include "curfew/time.h"
#include "curfew/process.h"
#include "curfew/watch.h"
#include "http.h"
#include "connection.h"
#include "context.h"
#include "stats.h"
#include "tls.h"
#include "tls_secret.h"

/* Namespaces with their own series. The others share one, under a name that no namespace can
 * have. */
#define NAMESPACES_MAX 1000
#define OTHERS "_others"

static void metrics_head(struct cf_buf *out, const char *name, const char *type, const char *help)
{
    cf_buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* Writes `name="value"`, escaped as the text format requires. For every value that is not from a
 * fixed list in the source: otherwise a user who chooses the value could forge series. */
static void metrics_label(struct cf_buf *out, const char *name, const char *value)
{
    cf_buf_addf(out, "%s=\"", name);
    for (; *value != '\0'; value++) {
        if (*value == '\n') {
            cf_buf_adds(out, "\\n");
            continue;
        }
        if (*value == '\\' || *value == '"')
            cf_buf_addc(out, '\\');
        cf_buf_addc(out, *value);
    }
    cf_buf_addc(out, '"');
}

/* Writes microseconds as seconds, exactly. */
static void metrics_seconds(struct cf_buf *out, uint64_t micros)
{
    cf_buf_addf(out, "%llu.%06llu", (unsigned long long)(micros / 1000000),
                (unsigned long long)(micros % 1000000));
}

/* ---- watches ---- */

static bool is_watched(const struct cf_server *server, int resource)
{
    return cf_store_expected(server->config.store, (enum cf_resource)resource);
}

static void write_ages(const struct cf_server *server, struct cf_buf *out)
{
    metrics_head(out, "curfew_watch_age_seconds", "gauge",
                 "Time since the last response of the API server; +Inf before the first list.");
    for (int i = 0; i < CF_RESOURCES; i++) {
        int64_t age = cf_store_age(server->config.store, (enum cf_resource)i);

        if (!is_watched(server, i))
            continue;
        cf_buf_addf(out, "curfew_watch_age_seconds{resource=\"%s\"} ",
                    cf_resource_name((enum cf_resource)i));
        if (age < 0)
            cf_buf_adds(out, "+Inf");
        else
            metrics_seconds(out, (uint64_t)age);
        cf_buf_addc(out, '\n');
    }
}

static void write_watches(const struct cf_server *server, struct cf_buf *out)
{
    struct cf_watch_counts counts[CF_RESOURCES];

    for (int i = 0; i < CF_RESOURCES; i++)
        counts[i] = cf_watch_counts(server->config.watch, (enum cf_resource)i);
    metrics_head(out, "curfew_watch_events_total", "counter",
                 "Objects listed, added, modified and deleted.");
    for (int i = 0; i < CF_RESOURCES; i++) {
        if (is_watched(server, i))
            cf_buf_addf(out, "curfew_watch_events_total{resource=\"%s\"} %llu\n",
                        cf_resource_name((enum cf_resource)i),
                        (unsigned long long)counts[i].events);
    }
    metrics_head(out, "curfew_watch_objects_unread_total", "counter",
                 "Objects that could not be read completely: only their metadata is known.");
    for (int i = 0; i < CF_RESOURCES; i++) {
        if (is_watched(server, i))
            cf_buf_addf(out, "curfew_watch_objects_unread_total{resource=\"%s\"} %llu\n",
                        cf_resource_name((enum cf_resource)i),
                        (unsigned long long)counts[i].unread);
    }
    metrics_head(out, "curfew_watch_lists_total", "counter", "Complete lists.");
    for (int i = 0; i < CF_RESOURCES; i++) {
        if (is_watched(server, i))
            cf_buf_addf(out, "curfew_watch_lists_total{resource=\"%s\"} %llu\n",
                        cf_resource_name((enum cf_resource)i), (unsigned long long)counts[i].lists);
    }
    metrics_head(out, "curfew_watch_failures_total", "counter",
                 "Failed lists and watches, by reason.");
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

/* ---- cluster ---- */

struct rows {
    struct cf_buf *out;
    size_t count;
    size_t max; /* rows that are written separately; the others are summed in `rest` */
    bool pods;  /* write curfew_pods_with_legacy_secrets, not curfew_legacy_secrets */
    struct cf_store_inventory rest;
};

/* No label is written for a NULL. */
static void write_series(struct cf_buf *out, const char *name, const char *namespace,
                         const char *state, size_t value)
{
    bool labels = namespace != NULL || state != NULL;

    cf_buf_adds(out, name);
    cf_buf_adds(out, labels ? "{" : "");
    if (namespace != NULL)
        metrics_label(out, "namespace", namespace);
    cf_buf_adds(out, namespace != NULL && state != NULL ? "," : "");
    if (state != NULL)
        metrics_label(out, "state", state);
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

static void on_inventory_row(const struct cf_store_inventory *row, void *arg)
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

/* By namespace only with --metrics-namespaces: the port has no authentication, and the names would
 * show every pod which namespaces hold tokens that never expire. */
static void write_rows(const struct cf_server *server, struct cf_buf *out, bool pods)
{
    bool by_namespace = server->config.metrics_namespaces;
    struct rows rows = {.out = out,
                        .max = by_namespace ? NAMESPACES_MAX : 0,
                        .pods = pods,
                        .rest = {.namespace = by_namespace ? OTHERS : NULL}};

    cf_store_inventory(server->config.store, on_inventory_row, &rows);
    if (!by_namespace || rows.count > rows.max)
        write_row(&rows, &rows.rest);
}

static void write_totals(struct cf_server *server, struct cf_buf *out)
{
    struct cf_policy *policy = cf_server_policy_ref(server);
    struct cf_store_totals totals = cf_store_totals(server->config.store, policy);

    cf_policy_free(policy);
    metrics_head(out, "curfew_namespaces", "gauge", "Namespaces, by their level for each mode.");
    for (int mode = 0; mode < CF_MODES; mode++) {
        for (int level = 0; level < CF_LEVELS; level++)
            cf_buf_addf(out, "curfew_namespaces{mode=\"%s\",level=\"%s\"} %zu\n",
                        cf_mode_name((enum cf_mode)mode), cf_level_name((enum cf_level)level),
                        totals.namespaces[mode][level]);
    }
    metrics_head(out, "curfew_accounts_restricted_by_node", "gauge",
                 "ServiceAccounts that the node boundary restricts.");
    cf_buf_addf(out, "curfew_accounts_restricted_by_node %zu\n", totals.accounts_restricted);
}

/* Shows which rules cannot find anything: their zero in curfew_findings_total means nothing. */
static void write_silent(const struct cf_server *server, struct cf_buf *out)
{
    unsigned minor = cf_store_server_minor(server->config.store);

    metrics_head(out, "curfew_rule_silent", "gauge",
                 "1 if a rule finds nothing because the API server is too old or its "
                 "version is unknown.");
    for (size_t i = 0; i < cf_rule_count; i++) {
        if (cf_rules[i]->since_minor != 0)
            cf_buf_addf(out, "curfew_rule_silent{rule=\"%s\"} %d\n", cf_rules[i]->id,
                        minor < cf_rules[i]->since_minor ? 1 : 0);
    }
}

static void write_cluster(struct cf_server *server, struct cf_buf *out)
{
    if (server->config.watch != NULL) {
        write_ages(server, out);
        write_watches(server, out);
    }
    metrics_head(out, "curfew_legacy_secrets", "gauge",
                 "Legacy Secrets: used (at least once), unused, or invalid (quarantined).");
    write_rows(server, out, false);
    metrics_head(out, "curfew_pods_with_legacy_secrets", "gauge",
                 "Pods that refer to a legacy Secret.");
    write_rows(server, out, true);
    write_totals(server, out);
    write_silent(server, out);
}

/* ---- reviews and requests ---- */

static void sample(struct cf_buf *out, const char *series, uint64_t value)
{
    cf_buf_addf(out, "%s %llu\n", series, (unsigned long long)value);
}

static void gauge(struct cf_buf *out, const char *name, const char *help, uint64_t value)
{
    metrics_head(out, name, "gauge", help);
    sample(out, name, value);
}

/* The table is sparse: only series above zero are written. */
static void write_reviews(const struct cf_stats *stats, struct cf_buf *out)
{
    const unsigned row = CF_RESOURCE_LABELS * CF_DECISIONS;
    const unsigned total = CF_PHASES * (CF_OPERATIONS + 1) * row;
    const cf_counter *all = &stats->reviews[0][0][0][0];

    metrics_head(out, "curfew_reviews_total", "counter", "Reviews, by decision.");
    for (unsigned i = 0; i < total; i++) {
        uint64_t value = cf_stats_read(&all[i]);

        if (value == 0)
            continue;
        cf_buf_addf(out,
                    "curfew_reviews_total{endpoint=\"%s\",operation=\"%s\",resource=\"%s\","
                    "decision=\"%s\"} %llu\n",
                    cf_phase_name((enum cf_phase)(i / row / (CF_OPERATIONS + 1))),
                    cf_operation_name((enum cf_operation)(i / row % (CF_OPERATIONS + 1))),
                    cf_resource_label(i / CF_DECISIONS % CF_RESOURCE_LABELS),
                    cf_decision_name((enum cf_decision)(i % CF_DECISIONS)),
                    (unsigned long long)value);
    }
}

static void write_findings(const struct cf_stats *stats, struct cf_buf *out)
{
    metrics_head(out, "curfew_findings_total", "counter", "Findings, by rule and mode.");
    for (size_t rule = 0; rule < cf_rule_count; rule++) {
        for (unsigned mode = 0; mode < CF_MODES; mode++)
            cf_buf_addf(
                out, "curfew_findings_total{rule=\"%s\",mode=\"%s\"} %llu\n", cf_rules[rule]->id,
                cf_mode_name((enum cf_mode)mode),
                (unsigned long long)cf_stats_read(&stats->findings[rule * CF_MODES + mode]));
    }
}

static void write_durations(const struct cf_stats *stats, struct cf_buf *out)
{
    static const char name[] = "curfew_review_duration_seconds";
    uint64_t total = 0;

    metrics_head(out, name, "histogram", "Time from the end of the request body to the answer.");
    for (unsigned i = 0; i < CF_BUCKETS; i++) {
        total += cf_stats_read(&stats->durations[i]);
        cf_buf_addf(out, "%s_bucket{le=\"%g\"} %llu\n", name, cf_buckets[i] / 1e6,
                    (unsigned long long)total);
    }
    total += cf_stats_read(&stats->durations[CF_BUCKETS]);
    cf_buf_addf(out, "%s_bucket{le=\"+Inf\"} %llu\n%s_sum ", name, (unsigned long long)total, name);
    metrics_seconds(out, cf_stats_read(&stats->duration_sum));
    cf_buf_addf(out, "\n%s_count %llu\n", name, (unsigned long long)total);
}

static void write_requests(const struct cf_server *server, struct cf_buf *out)
{
    metrics_head(out, "curfew_rejected_requests_total", "counter",
                 "Requests that were refused before a review, by reason.");
    for (unsigned i = 0; i < CF_REJECTS; i++) {
        uint64_t value = cf_stats_read(&server->stats->rejected[i]);

        /* A client that the handshake refused never sent a request. */
        value += i == CF_REJECT_CLIENT ? cf_tls_refused_clients(server->tls) : 0;
        cf_buf_addf(out, "curfew_rejected_requests_total{reason=\"%s\"} %llu\n",
                    cf_reject_name((enum cf_reject)i), (unsigned long long)value);
    }
    metrics_head(out, "curfew_tls_handshakes_total", "counter", "TLS handshakes, by result.");
    sample(out, "curfew_tls_handshakes_total{result=\"ok\"}",
           cf_tls_handshakes(server->tls, CF_HANDSHAKE_OK));
    sample(out, "curfew_tls_handshakes_total{result=\"failed\"}",
           cf_tls_handshakes(server->tls, CF_HANDSHAKE_FAILED));
}

static void write_evicted(const struct cf_server *server, struct cf_buf *out)
{
    static const char *const reasons[CF_EVICTEDS] = {"waiting", "new", "idle"};

    metrics_head(out, "curfew_evicted_connections_total", "counter",
                 "Connections closed to make room for others, because the port was full.");
    for (unsigned i = 0; i < CF_EVICTEDS; i++) {
        const struct {
            const char *name;
            uint64_t count;
        } ports[] = {
            {"reviews", cf_http_evicted(server->reviews, (enum cf_evicted)i)},
            {"probes", cf_probes_evicted(server->probes, (enum cf_evicted)i)},
            {"metrics", cf_http_evicted(server->metrics, (enum cf_evicted)i)},
        };

        for (size_t port = 0; port < CF_COUNT(ports); port++)
            cf_buf_addf(out, "curfew_evicted_connections_total{port=\"%s\",reason=\"%s\"} %llu\n",
                        ports[port].name, reasons[i], (unsigned long long)ports[port].count);
    }
}

/* ---- configuration, files and process ---- */

static void write_policy(struct cf_server *server, struct cf_buf *out)
{
    static const char *const names[CF_EXCEPTION_STATES] = {"active", "ending", "ended"};
    struct cf_policy *policy = cf_server_policy_ref(server);
    uint64_t states[CF_EXCEPTION_STATES] = {0};
    int64_t now = cf_now();

    for (size_t i = 0; i < policy->exception_count; i++)
        states[cf_exception_state(&policy->exceptions[i], now)]++;
    cf_policy_free(policy);
    metrics_head(out, "curfew_exceptions", "gauge", "Exceptions in the configuration, by state.");
    for (unsigned i = 0; i < CF_EXCEPTION_STATES; i++)
        cf_buf_addf(out, "curfew_exceptions{state=\"%s\"} %llu\n", names[i],
                    (unsigned long long)states[i]);
}

/* The configuration has its own metric; the other files share one. */
static void write_files(const struct cf_server *server, struct cf_buf *out)
{
    struct cf_tls_leaf leaf;

    gauge(out, "curfew_config_reload_success", "1 if the configuration in the file is active.",
          atomic_load(&server->watched[CF_RELOAD_CONFIG].good) ? 1 : 0);
    metrics_head(out, "curfew_file_reload_success", "gauge",
                 "1 if the current contents of the file are active, 0 if older ones are.");
    for (unsigned i = CF_RELOAD_CONFIG + 1; i < CF_RELOADS; i++) {
        if (server->watched[i].paths[0] != NULL)
            cf_buf_addf(out, "curfew_file_reload_success{file=\"%s\"} %d\n",
                        cf_reload_name((enum cf_reload)i),
                        atomic_load(&server->watched[i].good) ? 1 : 0);
    }
    if (cf_tls_leaf(server->tls, &leaf))
        gauge(out, "curfew_certificate_expiry_timestamp_seconds",
              "Expiry of the serving certificate, in Unix time.", (uint64_t)leaf.expires);
    if (server->tls_secret != NULL)
        gauge(out, "curfew_tls_secret_success",
              "1 if the certificate in the Secret was read and is served.",
              cf_tls_secret_good(server->tls_secret) ? 1 : 0);
}

/* The second number of /proc/self/statm, in pages. */
static uint64_t resident_bytes(void)
{
    struct cf_buf statm;
    int64_t pages = 0;
    char *number;

    cf_buf_init(&statm, 4096);
    if (cf_file_read("/proc/self/statm", &statm, NULL) == 0 && statm.len > 0) {
        number = statm.data + strcspn(statm.data, " ");
        number += strspn(number, " ");
        number[strcspn(number, " ")] = '\0';
        if (!cf_str_int64(number, &pages))
            pages = 0;
    }
    cf_buf_free(&statm);
    return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void write_process(const struct cf_server *server, struct cf_buf *out)
{
    const struct {
        const char *label, *value;
    } build[] = {
        {"version", cf_version()},
        {"revision", cf_revision()},
        {"microhttpd", cf_http_version()},
        {"gnutls", cf_tls_version()},
    };

    metrics_head(out, "curfew_build_info", "gauge", "Always 1; the labels describe the build.");
    for (size_t i = 0; i < CF_COUNT(build); i++) {
        cf_buf_adds(out, i == 0 ? "curfew_build_info{" : ",");
        metrics_label(out, build[i].label, build[i].value);
    }
    cf_buf_adds(out, "} 1\n");
    gauge(out, "process_resident_memory_bytes", "Resident memory.", resident_bytes());
    gauge(out, "process_start_time_seconds", "Start of the process, in Unix time.",
          (uint64_t)server->started);
}

void cf_metrics_write(struct cf_server *server, struct cf_buf *out)
{
    write_reviews(server->stats, out);
    write_findings(server->stats, out);
    write_durations(server->stats, out);
    write_requests(server, out);
    if (atomic_load(&server->complete))
        write_evicted(server, out);
    write_policy(server, out);
    write_files(server, out);
    write_cluster(server, out);
    write_process(server, out);
}
