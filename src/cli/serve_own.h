/* SPDX-License-Identifier: Apache-2.0 */
/* serve_own.h - who `curfew serve` is to the API server. */
#ifndef CF_CLI_SERVE_OWN_H
#define CF_CLI_SERVE_OWN_H

#include "curfew/cmd.h"

/* Curfew's own username, system:serviceaccount:NAMESPACE:NAME: of the flag's NAMESPACE/NAME, else
 * what the token says that its pod has mounted. CF_EXIT_OK and *out (to be freed; NULL: it is no
 * ServiceAccount, so far as anybody can tell), or CF_EXIT_USAGE after a sentence. */
int cf_own_user(const struct cf_cmd *cmd, const char *flag, char **out);

#endif
