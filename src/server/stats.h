/* SPDX-License-Identifier: Apache-2.0 */
/* stats.h - the counters of the server. Any thread increments them, metrics.c reads them; they are
 * atomic and need no lock. */
#ifndef CF_SERVER_STATS_H
#define CF_SERVER_STATS_H

#include <stdatomic.h>
#include <stdint.h>

#include "curfew/review.h"

/* Why a request was refused, or its review could not be read: the label `reason`. */
enum cf_reject {
    CF_REJECT_HEADER,
    CF_REJECT_METHOD,
    CF_REJECT_PATH,
    CF_REJECT_TYPE,
    CF_REJECT_ENCODING,
    CF_REJECT_LENGTH,
    CF_REJECT_SIZE,
    CF_REJECT_JSON,
    CF_REJECT_REVIEW,
    CF_REJECT_BUSY,
    CF_REJECT_CLIENT,
};
#define CF_REJECTS 11
const char *cf_reject_name(enum cf_reject reason);

/* The label `resource`: the resource of each kind that a rule reads, the other resources that the
 * node boundary restricts, and last "other", which all the rest share. */
#define CF_RESOURCE_LABELS (CF_KIND_INFOS + 7)
const char *cf_resource_label(unsigned resource);

/* Upper bounds of the duration buckets, in microseconds. */
#define CF_BUCKETS 14
extern const uint32_t cf_buckets[CF_BUCKETS];

typedef atomic_uint_fast64_t cf_counter;

struct cf_stats {
    cf_counter reviews[CF_PHASES][CF_OPERATIONS + 1][CF_RESOURCE_LABELS][CF_DECISIONS];
    cf_counter *findings; /* [rule][mode] */
    cf_counter rejected[CF_REJECTS];
    cf_counter durations[CF_BUCKETS + 1]; /* not cumulative; the last is above all bounds */
    cf_counter duration_sum;              /* microseconds */
    atomic_int_fast64_t refused;          /* for cf_stats_rarely(): refused clients in the log */
};

/* NULL when out of memory. */
struct cf_stats *cf_stats_new(void);
void cf_stats_free(struct cf_stats *stats); /* takes NULL */

void cf_stats_reject(struct cf_stats *stats, enum cf_reject reason);
void cf_stats_review(struct cf_stats *stats, enum cf_phase phase, const struct cf_outcome *outcome,
                     int64_t micros);

/* True at most once in ten seconds for each `last` (0 at first): limits log lines that any client
 * can cause. */
bool cf_stats_rarely(atomic_int_fast64_t *last);

uint64_t cf_stats_read(const cf_counter *counter);

#endif
