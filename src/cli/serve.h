/* SPDX-License-Identifier: Apache-2.0 */
/* serve.h - the cluster of `curfew serve` (serve_cluster.c): its identity there, and the store. */
#ifndef CURFEW_CLI_SERVE_H
#define CURFEW_CLI_SERVE_H

#include "curfew/cmd.h"
#include "curfew/err.h"
#include "curfew/server.h"
#include "curfew/store.h"
#include "curfew/watch.h"

/* ---- the identity of the server in the cluster ---- */

/* Both NULL: not a ServiceAccount, or unknown. */
struct cf_own {
    char *user; /* system:serviceaccount:NAMESPACE:NAME */
    char *namespace;
};

/* Curfew's own ServiceAccount: the flag's NAMESPACE/NAME (NULL: not set), else that of the token
 * mounted in the pod. CF_EXIT_OK and *out, which the caller frees; CF_EXIT_USAGE after a message.
 */
int cf_own_find(const struct cf_cmd *cmd, const char *flag, struct cf_own *out);
void cf_own_free(struct cf_own *own);

/* ---- the store: updated by watches, or filled from manifests ---- */

struct cf_cluster_flags {
    const char *kubeconfig, *context;
    struct cf_opt_list objects;
    bool no_secret_watch;
};

struct cf_cluster {
    struct cf_store *store;
    struct cf_watch *watch; /* NULL: the store was filled from manifests */
};

/* CF_EXIT_OK, or CF_EXIT_USAGE after a message. */
int cf_cluster_check_flags(const struct cf_cmd *cmd, const struct cf_cluster_flags *flags);

/* Reads the manifests, or starts the watches; the caller closes *cluster. -1: a manifest cannot be
 * read, or the watches cannot start; *cluster is empty then. */
int cf_cluster_open(const struct cf_cluster_flags *flags, struct cf_cluster *cluster,
                    struct cf_err *err);
void cf_cluster_close(struct cf_cluster *cluster);

#endif
