/* SPDX-License-Identifier: Apache-2.0 */
/* log_flags.c - see log_flags.h. */
#include "log_flags.h"

#include "curfew/attr.h"
#include "curfew/log.h"
#include "curfew/str.h"

int cf_log_flags_use(const struct cf_cmd *cmd, const struct cf_log_flags *flags)
{
    static const char *const levels[] = {"debug", "info", "warn", "error"};
    bool json = cf_streq(flags->format, "json");
    size_t level = 0;

    if (!json && !cf_streq(flags->format, "text"))
        return cf_usage_error(cmd, "--log-format is json or text, not '%s'", flags->format);
    while (level < CF_COUNT(levels) && !cf_streq(flags->level, levels[level]))
        level++;
    if (level == CF_COUNT(levels))
        return cf_usage_error(cmd, "--log-level is debug, info, warn or error, not '%s'",
                              flags->level);
    cf_log_setup(json ? CF_LOG_JSON : CF_LOG_TEXT, (enum cf_log_level)level);
    return CF_EXIT_OK;
}
