/* SPDX-License-Identifier: Apache-2.0 */
/* serve_tls.h - where the serving certificate comes from: two files, or a Secret. */
#ifndef CF_CLI_SERVE_TLS_H
#define CF_CLI_SERVE_TLS_H

#include "curfew/cmd.h"
#include "curfew/server.h"

struct cf_tls_flags {
    const char *cert, *key; /* files */
    const char *secret;     /* NAMESPACE/NAME */
};

/* Whether exactly one of the two ways is given, whole. */
int cf_tls_check_flags(const struct cf_cmd *cmd, const struct cf_tls_flags *flags);

/* Fills in the Secret's name; *namespace is to be freed. */
int cf_tls_take_secret(const struct cf_cmd *cmd, const struct cf_tls_flags *flags, char **namespace,
                       struct cf_tls_secret_config *out);

#endif
