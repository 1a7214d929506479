/* SPDX-License-Identifier: Apache-2.0 */
/* serve_tls.h - where a serving certificate comes from: two files, or a Secret that is kept.
 * `curfew certs` has the same flags. */
#ifndef CF_CLI_SERVE_TLS_H
#define CF_CLI_SERVE_TLS_H

#include "curfew/cmd.h"
#include "curfew/server.h"

struct cf_tls_flags {
    const char *cert, *key; /* files */
    const char *secret;     /* NAMESPACE/NAME */
    struct cf_opt_list services, names, configurations;
    int64_t leaf_lifetime, ca_lifetime; /* seconds; 0: as usual */
};

/* What they come to, for as long as the flags live. */
struct cf_tls_wish {
    char *namespace_; /* of the Secret; NULL: none */
    const char *name;
    const char **configurations, **names; /* with a NULL at their end */
    size_t name_count;
    char **services; /* those of the names that are ours to free */
    int64_t leaf_lifetime, ca_lifetime;
};

/* Flags that make no sense, alone or together. CF_EXIT_OK, or another after a sentence. */
int cf_tls_wish_make(const struct cf_cmd *cmd, const struct cf_tls_flags *flags,
                     struct cf_tls_wish *out);
void cf_tls_wish_free(struct cf_tls_wish *wish);

/* For `curfew serve`: one of the two ways, and no flag that the other one needs. */
int cf_tls_check_flags(const struct cf_cmd *cmd, const struct cf_tls_flags *flags);

void cf_tls_flags_free(struct cf_tls_flags *flags);

#endif
