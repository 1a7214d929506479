/* SPDX-License-Identifier: Apache-2.0 */
/* certs.h - what the two files of `curfew certs` share. */
#ifndef CURFEW_CLI_CERTS_H
#define CURFEW_CLI_CERTS_H

#include <stdint.h>

#include "curfew/certs_cluster.h"
#include "curfew/cmd.h"
#include "curfew/err.h"

/* One run: the flags, and what was read. */
struct cf_certs_run {
    const struct cf_cmd *cmd;
    const char *dir; /* NULL: a Secret */
    const char *kubeconfig, *context;
    const char *secret; /* as it was given */
    struct cf_certs_given wish;
    bool renew_ca, drop_old;
    int64_t now;

    struct cf_api_caller asker; /* .api NULL: no cluster is needed */
    struct cf_certs_secret *place;
    struct cf_certs certs;
    bool exists;
    struct cf_webhooks webhooks;
    struct cf_arena *arena;
};

/* ---- certs_actions.c ---- */

int cf_certs_init_run(struct cf_certs_run *run, struct cf_err *err);
int cf_certs_renew_run(struct cf_certs_run *run, struct cf_err *err);
/* Returns an exit code: 1 when something there needs care. */
int cf_certs_show_run(struct cf_certs_run *run, struct cf_err *err);

#endif
