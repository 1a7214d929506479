/* SPDX-License-Identifier: Apache-2.0 */
/* serve_cluster.h - where `curfew serve` knows the cluster from: an API server, or manifests. */
#ifndef CF_CLI_SERVE_CLUSTER_H
#define CF_CLI_SERVE_CLUSTER_H

#include "curfew/cmd.h"
#include "curfew/err.h"
#include "curfew/store.h"
#include "curfew/watch.h"

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
