/* SPDX-License-Identifier: Apache-2.0 */
/* options.h - options that several commands share. */
#ifndef CURFEW_CLI_OPTIONS_H
#define CURFEW_CLI_OPTIONS_H

#include "curfew/client.h"
#include "curfew/cmd.h"

/* ---- --log-format and --log-level of the commands that run on ---- */

struct cf_log_flags {
    const char *format, *level; /* "json", "info" */
};

/* Sets up the log. CF_EXIT_OK, or another after a sentence. */
int cf_log_flags_use(const struct cf_cmd *cmd, const struct cf_log_flags *flags);

/* ---- which API server a command talks to ---- */

/* As kubectl finds it: --kubeconfig, else $KUBECONFIG, else the pod's own, else ~/.kube/config. */
struct cf_api *cf_cli_open_api(const char *kubeconfig, const char *context, struct cf_err *err);

/* "NAMESPACE/NAME" of this flag, split in a copy, which is freed as *namespace (also after an
 * error). They become parts of a path, so nothing else will do. */
int cf_split_secret(const struct cf_cmd *cmd, const char *flag, const char *text, char **namespace,
                    const char **name);

#endif
