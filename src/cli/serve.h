/* SPDX-License-Identifier: Apache-2.0 */
/* serve.h - what the two files of `curfew serve` share. */
#ifndef CURFEW_CLI_SERVE_H
#define CURFEW_CLI_SERVE_H

#include "curfew/cmd.h"
#include "curfew/err.h"
#include "curfew/server.h"
#include "curfew/store.h"
#include "curfew/watch.h"

/* ---- the identity of `curfew serve` in the cluster ---- */

/* Both NULL: it is no ServiceAccount, as far as can be known. */
struct cf_own {
    char *user; /* system:serviceaccount:NAMESPACE:NAME */
    char *namespace;
};

/* Curfew's own ServiceAccount: the flag's NAMESPACE/NAME, else what the token says that its pod has
 * mounted. CF_EXIT_OK and *out, to be freed; or CF_EXIT_USAGE after a sentence. */
int cf_own_find(const struct cf_cmd *cmd, const char *flag, struct cf_own *out);
void cf_own_free(struct cf_own *own);

/* ---- the store: kept up to date by watches, or filled from manifests ---- */

struct cf_cluster_flags {
    const char *kubeconfig, *context;
    struct cf_opt_list objects;
    bool no_secret_watch;
};

struct cf_cluster {
    struct cf_store *store;
    struct cf_watch *watch; /* NULL: the store is from manifests */
};

/* CF_EXIT_OK, or CF_EXIT_USAGE after a sentence. */
int cf_cluster_check_flags(const struct cf_cmd *cmd, const struct cf_cluster_flags *flags);

/* Reads the manifests, or starts to watch. -1: what is wrong with the one or the other. */
int cf_cluster_open(const struct cf_cluster_flags *flags, struct cf_cluster *cluster,
                    struct cf_err *err);
void cf_cluster_close(struct cf_cluster *cluster);

#endif
