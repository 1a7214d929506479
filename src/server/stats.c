/* SPDX-License-Identifier: Apache-2.0 */
/* stats.c - the counters of the server; see stats.h. */
#include "stats.h"

#include <stdlib.h>
#include <string.h>

#include "curfew/time.h"
#include "curfew/str.h"

/* Labels come from this list and from the table of kinds only, so that no client can create new
 * ones. */
static const char *const more_resources[CF_RESOURCE_LABELS - CF_KIND_INFOS] = {
    "pods/ephemeralcontainers",
    "nodes",
    "persistentvolumeclaims",
    "persistentvolumes",
    "namespaces/status",
    "namespaces/finalize",
    "other",
};

const uint32_t cf_buckets[CF_BUCKETS] = {50,    100,   250,   500,    1000,   2500,   5000,
                                         10000, 25000, 50000, 100000, 250000, 500000, 1000000};

const char *cf_reject_name(enum cf_reject reason)
{
    static const char *const names[CF_REJECTS] = {"header",   "method", "path",  "type",
                                                  "encoding", "length", "size",  "json",
                                                  "review",   "busy",   "client"};

    return names[reason];
}

const char *cf_resource_label(unsigned resource)
{
    return resource < CF_KIND_INFOS ? cf_kind_infos[resource].resource
                                    : more_resources[resource - CF_KIND_INFOS];
}

struct cf_stats *cf_stats_new(void)
{
    struct cf_stats *stats = calloc(1, sizeof(*stats));

    if (stats == NULL)
        return NULL;
    stats->findings = calloc(cf_rule_count * CF_MODES + 1, sizeof(*stats->findings));
    if (stats->findings == NULL) {
        free(stats);
        return NULL;
    }
    return stats;
}

void cf_stats_free(struct cf_stats *stats)
{
    if (stats == NULL)
        return;
    free(stats->findings);
    free(stats);
}

static void add_to_counter(cf_counter *counter, uint64_t amount)
{
    atomic_fetch_add_explicit(counter, amount, memory_order_relaxed);
}

uint64_t cf_stats_read(const cf_counter *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

/* At most 8,640 lines a day. */
#define RARELY_MICROS 10000000

bool cf_stats_rarely(atomic_int_fast64_t *last)
{
    int64_t now = cf_monotonic_micros();
    int64_t before = atomic_load(last);

    return (before == 0 || now - before > RARELY_MICROS) &&
           atomic_compare_exchange_strong(last, &before, now);
}

void cf_stats_reject(struct cf_stats *stats, enum cf_reject reason)
{
    add_to_counter(&stats->rejected[reason], 1);
}

/* Whether the label is RESOURCE or RESOURCE/SUBRESOURCE of the request. */
static bool has_resource_label(const struct cf_request *request, const char *label)
{
    const char *sub = cf_str_or_empty(request->subresource);
    const char *rest;

    if (!cf_starts_with(label, request->resource))
        return false;
    rest = label + strlen(request->resource);
    return sub[0] == '\0' ? rest[0] == '\0' : rest[0] == '/' && cf_streq(rest + 1, sub);
}

static unsigned resource_index(const struct cf_request *request)
{
    unsigned other = CF_RESOURCE_LABELS - 1;

    if (request == NULL || cf_str_empty(request->resource) ||
        (request->kind == CF_KIND_OTHER && request->boundary == NULL))
        return other;
    for (unsigned i = 0; i < other; i++) {
        if (has_resource_label(request, cf_resource_label(i)))
            return i;
    }
    return other;
}

static void count_duration(struct cf_stats *stats, int64_t micros)
{
    uint64_t took = micros > 0 ? (uint64_t)micros : 0;
    unsigned bucket = 0;

    while (bucket < CF_BUCKETS && took > cf_buckets[bucket])
        bucket++;
    add_to_counter(&stats->durations[bucket], 1);
    add_to_counter(&stats->duration_sum, took);
}

/* Counts a finding in the modes that this phase acts on; the other phase counts it in the rest. */
static void count_findings(struct cf_stats *stats, enum cf_phase phase,
                           const struct cf_evaluation *evaluation)
{
    unsigned fix = CF_MODE_BIT(CF_FIX);
    bool mutates = phase == CF_PHASE_MUTATE || phase == CF_PHASE_MUTATE_KUBELET;
    unsigned acts = mutates ? fix : CF_ALL_MODES & ~fix;

    for (size_t i = 0; evaluation != NULL && i < evaluation->count; i++) {
        const struct cf_verdict *verdict = &evaluation->items[i];
        int rule = verdict->finding.rule != NULL ? cf_rule_index(verdict->finding.rule->id) : -1;

        for (unsigned mode = 0; rule >= 0 && mode < CF_MODES; mode++) {
            if ((verdict->modes & acts & CF_MODE_BIT(mode)) != 0)
                add_to_counter(&stats->findings[(unsigned)rule * CF_MODES + mode], 1);
        }
    }
}

void cf_stats_review(struct cf_stats *stats, enum cf_phase phase, const struct cf_outcome *outcome,
                     int64_t micros)
{
    const struct cf_request *request = outcome->request;
    unsigned operation = request != NULL ? (unsigned)request->operation : CF_OPERATION_UNKNOWN;

    add_to_counter(&stats->reviews[phase][operation][resource_index(request)][outcome->decision],
                   1);
    count_findings(stats, phase, outcome->evaluation);
    count_duration(stats, micros);
}
