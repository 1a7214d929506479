/* SPDX-License-Identifier: Apache-2.0 */
/* certs_hand.h - what the actions of `curfew certs` share that somebody calls by hand. */
#ifndef CF_CLI_CERTS_HAND_H
#define CF_CLI_CERTS_HAND_H

#include "certs_flags.h"
#include "curfew/certs_cluster.h"
#include "curfew/cmd.h"

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

/* ---- certs_dir.c ---- */

/* Reads what there is of the four files into `out`. *exists: one of them is there. */
int cf_certs_dir_read(const char *dir, struct cf_certs *out, bool *exists, struct cf_err *err);

/* Replaces all four, each at once, keys readable by their owner only; makes the folder. */
int cf_certs_dir_write(const char *dir, const struct cf_certs *certs, struct cf_err *err);

/* ---- certs_hand.c ---- */

int cf_certs_init_run(struct cf_certs_run *run, struct cf_err *err);
int cf_certs_renew_run(struct cf_certs_run *run, struct cf_err *err);
/* Returns an exit code: 1 when something there needs care. */
int cf_certs_show_run(struct cf_certs_run *run, struct cf_err *err);

/* ---- certs_say.c ---- */

/* "in 'DIR'", "in Secret NAMESPACE/NAME" */
const char *cf_certs_where(const struct cf_certs_run *run, char out[320]);

/* What was made, and where. */
void cf_certs_print_made(const struct cf_certs_run *run, enum cf_certs_step step);

/* All that there is; returns whether it is as it should be. */
bool cf_certs_print_all(const struct cf_certs_run *run);

#endif
