/* SPDX-License-Identifier: Apache-2.0 */
/* certs_run.h - one run of `curfew certs init`, `renew` or `show`. cmd_certs.c reads the flags and
 * runs the action, certs_actions.c holds the actions. */
#ifndef CURFEW_CLI_CERTS_RUN_H
#define CURFEW_CLI_CERTS_RUN_H

#include <stdint.h>

#include "curfew/cmd.h"
#include "curfew/err.h"
#include "curfew/rotator.h"

struct cf_certs_run {
    /* from the flags */
    const char *dir; /* NULL: a Secret */
    const char *kubeconfig, *context;
    const char *secret; /* "NAMESPACE/NAME"; NULL: a directory */
    struct cf_certs_options options;
    bool renew_ca, drop_old;
    int64_t now;

    /* of the run */
    struct cf_api_caller caller;   /* .api is NULL when no cluster is needed */
    struct cf_certs_secret *store; /* NULL: the directory */
    struct cf_certs certs;
    bool exists; /* the Secret, or one file in the directory */
    struct cf_webhooks webhooks;
    struct cf_arena *arena;
};

/* Each returns an exit code, or -1 and an error: CF_ERR_INPUT for CF_EXIT_USAGE. cmd_certs.c frees
 * the members of `run`. cf_certs_show_run() returns CF_EXIT_FINDINGS if a certificate or a caBundle
 * needs attention. */
int cf_certs_init_run(struct cf_certs_run *run, struct cf_err *err);
int cf_certs_renew_run(struct cf_certs_run *run, struct cf_err *err);
int cf_certs_show_run(struct cf_certs_run *run, struct cf_err *err);

#endif
