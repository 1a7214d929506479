/* SPDX-License-Identifier: Apache-2.0 */
/* certs_flags.h - the flags of `curfew certs`, and what they come to. */
#ifndef CF_CLI_CERTS_FLAGS_H
#define CF_CLI_CERTS_FLAGS_H

#include <stdint.h>

#include "curfew/certs_cluster.h"
#include "curfew/cmd.h"

struct cf_certs_flags {
    const char *secret; /* NAMESPACE/NAME */
    struct cf_opt_list services, names, configurations;
    int64_t leaf_lifetime, ca_lifetime; /* seconds; 0: as usual */
};

/* CF_EXIT_OK, or another after a sentence about what makes no sense. */
int cf_certs_given_make(const struct cf_cmd *cmd, const struct cf_certs_flags *flags,
                        struct cf_certs_given *out);
void cf_certs_given_free(struct cf_certs_given *given);

/* "NAMESPACE/NAME" of this flag, split in a copy, which is freed as *namespace (also after an
 * error). They become parts of a path, so nothing else will do. */
int cf_split_secret(const struct cf_cmd *cmd, const char *flag, const char *text, char **namespace,
                    const char **name);

void cf_certs_flags_free(struct cf_certs_flags *flags);

#endif
