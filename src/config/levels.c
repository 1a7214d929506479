/* SPDX-License-Identifier: Apache-2.0 */
/* levels.c - the names of levels and modes, as labels and the configuration write them. */
#include "curfew/config.h"

#include "curfew/str.h"

static const char *const level_names[CF_LEVELS] = {
    [CF_PRIVILEGED] = "privileged",
    [CF_BASELINE] = "baseline",
    [CF_RESTRICTED] = "restricted",
};

static const char *const mode_labels[CF_MODES] = {
    [CF_ENFORCE] = CF_LABEL_PREFIX "enforce",
    [CF_FIX] = CF_LABEL_PREFIX "fix",
    [CF_AUDIT] = CF_LABEL_PREFIX "audit",
    [CF_WARN] = CF_LABEL_PREFIX "warn",
};

static const char *const mode_names[CF_MODES] = {
    [CF_ENFORCE] = "enforce",
    [CF_FIX] = "fix",
    [CF_AUDIT] = "audit",
    [CF_WARN] = "warn",
};

const char *cf_level_name(enum cf_level level)
{
    return level_names[level];
}

bool cf_level_parse(const char *text, enum cf_level *out)
{
    for (size_t i = 0; i < CF_LEVELS; i++) {
        if (cf_streq(text, level_names[i])) {
            *out = (enum cf_level)i;
            return true;
        }
    }
    return false;
}

const char *cf_mode_name(enum cf_mode mode)
{
    return mode_names[mode];
}

const char *cf_mode_label(enum cf_mode mode)
{
    return mode_labels[mode];
}

struct cf_levels cf_levels_of(const struct cf_policy *policy, const char *const labels[CF_MODES])
{
    struct cf_levels levels = policy->defaults;

    for (int mode = 0; mode < CF_MODES; mode++) {
        if (labels[mode] != NULL && !cf_level_parse(labels[mode], &levels.mode[mode]))
            levels.mode[mode] = CF_RESTRICTED;
    }
    if (policy->fix_follows_enforce && labels[CF_FIX] == NULL)
        levels.mode[CF_FIX] = levels.mode[CF_ENFORCE];
    return levels;
}
