/* SPDX-License-Identifier: Apache-2.0 */
/* options.h - options that several commands have. */
#ifndef CURFEW_CLI_OPTIONS_H
#define CURFEW_CLI_OPTIONS_H

#include "curfew/client.h"
#include "curfew/cmd.h"

/* ---- --log-format and --log-level of the commands that keep running ---- */

#define CF_LOG_FORMATS "json|text"
#define CF_LOG_LEVELS "debug|info|warn|error"

struct cf_log_flags {
    const char *format, *level; /* words of CF_LOG_FORMATS and CF_LOG_LEVELS */
};

/* Sets up the log (log.h) with these words. */
void cf_log_flags_use(const struct cf_log_flags *flags);

/* ---- the API server ---- */

/* Opens a client of --kubeconfig, else of $KUBECONFIG, else of the cluster in which the pod runs,
 * else of ~/.kube/config. NULL and an error as cf_api_open(). The caller closes it. */
struct cf_api *cf_cli_open_api(const char *kubeconfig, const char *context, struct cf_err *err);

/* Splits the "NAMESPACE/NAME" of an option, in a copy that the caller frees as *namespace (also
 * after an error). Both become parts of a URL path, so they must be names. CF_EXIT_OK, or the exit
 * code after a message. */
int cf_split_secret(const struct cf_cmd *cmd, const char *flag, const char *text, char **namespace,
                    const char **name);

#endif
