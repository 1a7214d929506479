/* SPDX-License-Identifier: Apache-2.0 */
/* rules.c - all rules, in the order in which findings are reported. To add one, see CONTRIBUTING.
 */
#include <pthread.h>

#include "curfew/attr.h"
#include "curfew/rule.h"
#include "curfew/str.h"

#define RULES(X)                                                                                   \
    X(legacy_token_secret)                                                                         \
    X(legacy_token_revival)                                                                        \
    X(token_lifetime)                                                                              \
    X(copied_token)                                                                                \
    X(restricted_by_node_annotation)                                                               \
    X(node_boundary)                                                                               \
    X(namespace_level)                                                                             \
    X(legacy_token_mount)                                                                          \
    X(legacy_token_env)                                                                            \
    X(extended_token)                                                                              \
    X(unbound_token)                                                                               \
    X(token_audience)                                                                              \
    X(legacy_token_use)

#define DECLARE(name) extern const struct cf_rule cf_rule_##name;
RULES(DECLARE)

#define ADDRESS(name) &cf_rule_##name,
const struct cf_rule *const cf_rules[] = {RULES(ADDRESS)};
const size_t cf_rule_count = CF_COUNT(cf_rules);

static struct cf_rule_config configs[CF_COUNT(cf_rules)];

static void fill_configs(void)
{
    for (size_t i = 0; i < cf_rule_count; i++)
        configs[i] = (struct cf_rule_config){
            .id = cf_rules[i]->id,
            .former_id = cf_rules[i]->former_id,
            .ignores_levels = (cf_rules[i]->traits & (CF_RULE_ALWAYS | CF_RULE_ANY_LEVEL)) != 0,
            .options = cf_rules[i]->options,
        };
}

const struct cf_rule_config *cf_rule_configs(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    (void)pthread_once(&once, fill_configs);
    return configs;
}

int cf_rule_index(const char *id)
{
    for (size_t i = 0; i < cf_rule_count; i++) {
        if (cf_streq(cf_rules[i]->id, id))
            return (int)i;
    }
    return -1;
}

static const struct cf_rule_setting *setting_of(const struct cf_rule *rule,
                                                const struct cf_policy *policy)
{
    for (size_t i = 0; i < policy->rule_count; i++) {
        if (cf_rules[i] == rule)
            return &policy->rules[i];
    }
    return NULL;
}

bool cf_rule_level(const struct cf_rule *rule, const struct cf_policy *policy, enum cf_level *level)
{
    const struct cf_rule_setting *setting = setting_of(rule, policy);
    enum cf_rule_place place = setting != NULL ? setting->place : CF_RULE_DEFAULT;

    if (place == CF_RULE_OFF)
        return false;
    *level = rule->level;
    if (place == CF_RULE_AT_BASELINE)
        *level = CF_BASELINE;
    else if (place == CF_RULE_AT_RESTRICTED)
        *level = CF_RESTRICTED;
    return true;
}

const void *cf_rule_settings(const struct cf_rule *rule, const struct cf_policy *policy)
{
    const struct cf_rule_setting *setting = setting_of(rule, policy);

    return setting != NULL ? setting->settings : NULL;
}
