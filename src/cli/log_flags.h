/* SPDX-License-Identifier: Apache-2.0 */
/* log_flags.h - --log-format and --log-level of the commands that run on. */
#ifndef CF_CLI_LOG_FLAGS_H
#define CF_CLI_LOG_FLAGS_H

#include "curfew/cmd.h"

struct cf_log_flags {
    const char *format, *level; /* "json", "info" */
};

/* Sets up the log. CF_EXIT_OK, or another after a sentence. */
int cf_log_flags_use(const struct cf_cmd *cmd, const struct cf_log_flags *flags);

#endif
