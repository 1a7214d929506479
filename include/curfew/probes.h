/* SPDX-License-Identifier: Apache-2.0 */
/* probes.h - the port that a kubelet asks: GET /livez and GET /readyz, and nothing else.
 *
 * The port has threads and connections of its own, so that no other work of the program delays an
 * answer. It needs nothing of its user between start and stop. */
#ifndef CURFEW_PROBES_H
#define CURFEW_PROBES_H

#include <stdbool.h>
#include <stddef.h>

#include "curfew/err.h"

struct cf_probes;

/* What is long enough for the reason why something is not ready. */
#define CF_PROBES_WHY_MAX 256

/* Whether it is ready. If not, it writes one sentence into `why`, of `size` bytes, that says what
 * it waits for. It is called in the port's own thread and must not wait for anything. */
typedef bool (*cf_probes_ready)(void *arg, char *why, size_t size);

/* `listen` is [HOST]:PORT. /livez answers 200 from now on; /readyz answers 200 or 503, as ready()
 * says. NULL: CF_ERR_INPUT for a bad address, CF_ERR_SYSTEM for the rest. */
struct cf_probes *cf_probes_start(const char *listen, cf_probes_ready ready, void *arg,
                                  struct cf_err *err);

/* From now on /livez answers as alive() says, under the same rules as ready(); else always 200. */
void cf_probes_alive_hook(struct cf_probes *probes, cf_probes_ready alive);

/* Where it listens, as HOST:PORT. */
const char *cf_probes_address(const struct cf_probes *probes);

/* Ends its connections and threads. Takes NULL. */
void cf_probes_stop(struct cf_probes *probes);

#endif
