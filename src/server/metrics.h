/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.h - what the files that write metrics share. */
#ifndef CF_SERVER_METRICS_H
#define CF_SERVER_METRICS_H

#include <stdint.h>

#include "connection.h"
#include "context.h"

void cf_metrics_head(struct cf_buf *out, const char *name, const char *type, const char *help);
/* `name="value"`, escaped as the text format asks for: for every value that is not from a fixed
 * list of ours, or a user who chooses it could forge series. */
void cf_metrics_label(struct cf_buf *out, const char *name, const char *value);
/* Micros as seconds, without a detour through a double's digits. */
void cf_metrics_seconds(struct cf_buf *out, uint64_t micros);

/* ---- metrics_cluster.c ---- */

void cf_metrics_write_cluster(struct cf_server *server, struct cf_buf *out);

/* ---- probes.c ---- */

uint64_t cf_probes_evicted(const struct cf_probes *probes, enum cf_evicted why);

#endif
