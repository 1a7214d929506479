/* SPDX-License-Identifier: Apache-2.0 */
/* rotator.h - `curfew certs run`: keeps the Secret and the caBundles until a signal ends it. */
#ifndef CF_CLI_ROTATOR_H
#define CF_CLI_ROTATOR_H

#include "certs_flags.h"
#include "curfew/err.h"

struct cf_rotator_config {
    const char *kubeconfig, *context; /* as curfew certs has them */
    const char *probe_listen;         /* [HOST]:PORT */
    const struct cf_certs_given *given;
};

/* Runs until SIGTERM or SIGINT, which end it in good order. SIGHUP: looks at once. -1: it cannot
 * begin, or the Secret is somebody else's (CF_ERR_INPUT). */
int cf_rotator_run(const struct cf_rotator_config *config, struct cf_err *err);

#endif
