/* SPDX-License-Identifier: Apache-2.0 */
/* probes.h - the port for the probes of the kubelet: it serves GET /livez and GET /readyz only.
 *
 * The port has its own thread and connections, so that no other work of the program delays an
 * answer. Its user calls only start and stop. */
#ifndef CURFEW_PROBES_H
#define CURFEW_PROBES_H

#include <stdbool.h>
#include <stddef.h>

#include "curfew/err.h"

struct cf_probes;

/* Bytes of the reason why the program is not ready. */
#define CF_PROBES_WHY_MAX 256

/* Returns whether the program is ready. If it is not, writes the reason into `why`, of `size`
 * bytes: what it waits for. Called in the port's thread; must not block. */
typedef bool (*cf_probes_ready)(void *arg, char *why, size_t size);

/* `listen` is [HOST]:PORT. /livez answers 200 from now on; /readyz answers 200 or 503, depending on
 * ready(). NULL: CF_ERR_INPUT for an invalid address, CF_ERR_SYSTEM for other failures. */
struct cf_probes *cf_probes_start(const char *listen, cf_probes_ready ready, void *arg,
                                  struct cf_err *err);

/* From now on /livez answers 200 or 503, depending on alive(), for which the same rules hold as for
 * ready(). Without it /livez always answers 200. */
void cf_probes_alive_hook(struct cf_probes *probes, cf_probes_ready alive);

/* The address that the port listens on, as HOST:PORT. */
const char *cf_probes_address(const struct cf_probes *probes);

/* Closes the connections, ends the thread and frees the port. Takes NULL. */
void cf_probes_stop(struct cf_probes *probes);

#endif
