/* SPDX-License-Identifier: Apache-2.0 */
/* serve_own.h - who `curfew serve` is to the API server. */
#ifndef CF_CLI_SERVE_OWN_H
#define CF_CLI_SERVE_OWN_H

#include "curfew/cmd.h"

/* Both NULL: it is no ServiceAccount, so far as anybody can tell. */
struct cf_own {
    char *user; /* system:serviceaccount:NAMESPACE:NAME */
    char *namespace;
};

/* Curfew's own ServiceAccount: the flag's NAMESPACE/NAME, else what the token says that its pod has
 * mounted. CF_EXIT_OK and *out, to be freed; or CF_EXIT_USAGE after a sentence. */
int cf_own_find(const struct cf_cmd *cmd, const char *flag, struct cf_own *out);
void cf_own_free(struct cf_own *own);

#endif
