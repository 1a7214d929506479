/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.c - all metrics as Prometheus reads them. Label values come from fixed lists, or through
 * cf_metrics_label(). */
#include "metrics.h"

#include <string.h>
#include <unistd.h>

#include "curfew/attr.h"
#include "curfew/buf.h"
#include "curfew/time.h"
#include "curfew/file.h"
#include "curfew/str.h"
#include "curfew/version.h"
#include "http.h"
#include "stats.h"
#include "tls.h"
#include "tls_secret.h"

void cf_metrics_head(struct cf_buf *out, const char *name, const char *type, const char *help)
{
    cf_buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void cf_metrics_label(struct cf_buf *out, const char *name, const char *value)
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

static void sample(struct cf_buf *out, const char *series, uint64_t value)
{
    cf_buf_addf(out, "%s %llu\n", series, (unsigned long long)value);
}

static void gauge(struct cf_buf *out, const char *name, const char *help, uint64_t value)
{
    cf_metrics_head(out, name, "gauge", help);
    sample(out, name, value);
}

/* The table is thin: only the series that have counted are told. */
static void write_reviews(const struct cf_stats *stats, struct cf_buf *out)
{
    const unsigned row = CF_RESOURCE_LABELS * CF_DECISIONS;
    const unsigned total = CF_PHASES * (CF_OPERATIONS + 1) * row;
    const cf_counter *all = &stats->reviews[0][0][0][0];

    cf_metrics_head(out, "curfew_reviews_total", "counter", "Reviews, by what came of them.");
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
    cf_metrics_head(out, "curfew_findings_total", "counter", "Findings, by rule and mode.");
    for (size_t rule = 0; rule < cf_rule_count; rule++) {
        for (unsigned mode = 0; mode < CF_MODES; mode++)
            cf_buf_addf(
                out, "curfew_findings_total{rule=\"%s\",mode=\"%s\"} %llu\n", cf_rules[rule]->id,
                cf_mode_name((enum cf_mode)mode),
                (unsigned long long)cf_stats_read(&stats->findings[rule * CF_MODES + mode]));
    }
}

void cf_metrics_seconds(struct cf_buf *out, uint64_t micros)
{
    cf_buf_addf(out, "%llu.%06llu", (unsigned long long)(micros / 1000000),
                (unsigned long long)(micros % 1000000));
}

static void write_durations(const struct cf_stats *stats, struct cf_buf *out)
{
    static const char name[] = "curfew_review_duration_seconds";
    uint64_t total = 0;

    cf_metrics_head(out, name, "histogram", "Time from the whole body to its answer.");
    for (unsigned i = 0; i < CF_BUCKETS; i++) {
        total += cf_stats_read(&stats->durations[i]);
        cf_buf_addf(out, "%s_bucket{le=\"%g\"} %llu\n", name, cf_buckets[i] / 1e6,
                    (unsigned long long)total);
    }
    total += cf_stats_read(&stats->durations[CF_BUCKETS]);
    cf_buf_addf(out, "%s_bucket{le=\"+Inf\"} %llu\n%s_sum ", name, (unsigned long long)total, name);
    cf_metrics_seconds(out, cf_stats_read(&stats->duration_sum));
    cf_buf_addf(out, "\n%s_count %llu\n", name, (unsigned long long)total);
}

static void write_requests(const struct cf_server *server, struct cf_buf *out)
{
    cf_metrics_head(out, "curfew_rejected_requests_total", "counter",
                    "Requests that were no review, or could not be read, by reason.");
    for (unsigned i = 0; i < CF_REJECTS; i++) {
        uint64_t value = cf_stats_read(&server->stats->rejected[i]);

        /* Whom a handshake refused never came to make a request. */
        value += i == CF_REJECT_CLIENT ? cf_tls_anonymous(server->tls) : 0;
        cf_buf_addf(out, "curfew_rejected_requests_total{reason=\"%s\"} %llu\n",
                    cf_reject_name((enum cf_reject)i), (unsigned long long)value);
    }
    cf_metrics_head(out, "curfew_tls_handshakes_total", "counter",
                    "TLS handshakes that began, by result.");
    sample(out, "curfew_tls_handshakes_total{result=\"ok\"}",
           cf_tls_handshakes(server->tls, CF_HANDSHAKE_OK));
    sample(out, "curfew_tls_handshakes_total{result=\"failed\"}",
           cf_tls_handshakes(server->tls, CF_HANDSHAKE_FAILED));
}

static void write_evicted(const struct cf_server *server, struct cf_buf *out)
{
    static const char *const reasons[CF_EVICTEDS] = {"waiting", "new", "idle"};

    cf_metrics_head(out, "curfew_evicted_connections_total", "counter",
                    "Connections that gave way to others because their port was full.");
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

static void write_policy(struct cf_server *server, struct cf_buf *out)
{
    static const char *const names[CF_EXCEPTION_STATES] = {"active", "ending", "ended"};
    struct cf_policy_swap *held = cf_server_policy_ref(server);
    const struct cf_policy *policy = cf_policy_swap(held);
    uint64_t states[CF_EXCEPTION_STATES] = {0};
    int64_t now = cf_now();

    for (size_t i = 0; i < policy->exception_count; i++)
        states[cf_exception_state(&policy->exceptions[i], now)]++;
    cf_server_policy_unref(held);
    cf_metrics_head(out, "curfew_exceptions", "gauge",
                    "Exceptions of the configuration, by state.");
    for (unsigned i = 0; i < CF_EXCEPTION_STATES; i++)
        cf_buf_addf(out, "curfew_exceptions{state=\"%s\"} %llu\n", names[i],
                    (unsigned long long)states[i]);
}

/* The configuration has a metric of its own; the others share one, by file. */
static void write_files(const struct cf_server *server, struct cf_buf *out)
{
    struct cf_tls_leaf leaf;

    gauge(out, "curfew_config_reload_success", "Whether the configuration in its file is in force.",
          atomic_load(&server->watched[CF_KEPT_CONFIG].good) ? 1 : 0);
    cf_metrics_head(out, "curfew_file_reload_success", "gauge",
                    "Whether what is in the file is in force, not an older one.");
    for (unsigned i = CF_KEPT_CONFIG + 1; i < CF_KEPT; i++) {
        if (server->watched[i].paths[0] != NULL)
            cf_buf_addf(out, "curfew_file_reload_success{file=\"%s\"} %d\n",
                        cf_kept_name((enum cf_kept)i),
                        atomic_load(&server->watched[i].good) ? 1 : 0);
    }
    if (cf_tls_leaf(server->tls, &leaf))
        gauge(out, "curfew_certificate_expiry_timestamp_seconds",
              "When the serving certificate expires.", (uint64_t)leaf.expires);
    if (server->tls_secret != NULL)
        gauge(out, "curfew_tls_secret_success",
              "Whether the certificate in its Secret could be read and served.",
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

    cf_metrics_head(out, "curfew_build_info", "gauge", "Always 1; the labels say what is running.");
    for (size_t i = 0; i < CF_COUNT(build); i++) {
        cf_buf_adds(out, i == 0 ? "curfew_build_info{" : ",");
        cf_metrics_label(out, build[i].label, build[i].value);
    }
    cf_buf_adds(out, "} 1\n");
    gauge(out, "process_resident_memory_bytes", "Resident memory.", resident_bytes());
    gauge(out, "process_start_time_seconds", "When the process started, in Unix time.",
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
    cf_metrics_write_cluster(server, out);
    write_process(server, out);
}
