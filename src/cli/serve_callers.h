/* SPDX-License-Identifier: Apache-2.0 */
/* serve_callers.h - who may call `curfew serve`: client certificates, bearer tokens, and whether
 * /authorize answers those who show neither. */
#ifndef CF_CLI_SERVE_CALLERS_H
#define CF_CLI_SERVE_CALLERS_H

#include "curfew/cmd.h"
#include "curfew/server.h"

struct cf_callers_flags {
    const char *client_ca, *client_crl;
    struct cf_opt_list client_names;
    const char *bearer_jwks, *bearer_issuer;
    struct cf_opt_list bearer_subjects, bearer_audiences;
    bool authorize_anonymous;
};

/* Flags that leave open who may call, or that would be without effect. CF_EXIT_OK, or CF_EXIT_USAGE
 * after a sentence. */
int cf_callers_check_flags(const struct cf_cmd *cmd, const struct cf_callers_flags *flags);

/* The flags' lists as the server takes them: names up to a NULL. */
struct cf_callers {
    const char **client_names, **bearer_subjects, **bearer_audiences;
};

/* Fills in what the configuration says of callers; what it points to lives as long as the flags
 * and *out do. -1: out of memory. */
int cf_callers_take(const struct cf_callers_flags *flags, struct cf_callers *out,
                    struct cf_server_config *config, struct cf_err *err);
void cf_callers_free(struct cf_callers *callers);
void cf_callers_flags_free(struct cf_callers_flags *flags);

#endif
