/* SPDX-License-Identifier: Apache-2.0 */
/* schema.c - every key of the configuration, mapping by mapping. What each one means to its
 * author stands in deploy/curfew.example.yaml. */
#include "options.h"

#include <stdlib.h>

#include "curfew/limits.h"

#define LEVEL "privileged, baseline or restricted"
#define FLAG "true or false, without quotes"
#define NAMES "a list of exact names, such as [one, two]"

/* ---- defaults ---- */

static int read_fix_level(struct cf_config_reader *reader, const struct cf_config_option *option,
                          const struct cf_json *value, void *target)
{
    reader->policy->fix_follows_enforce = false;
    return cf_config_level(reader, option, value, target);
}

static const struct cf_config_option default_options[] = {
    {.key = "enforce",
     .want = LEVEL,
     .read = cf_config_level,
     .offset = offsetof(struct cf_policy, defaults.mode[CF_ENFORCE])},
    {.key = "fix",
     .want = LEVEL,
     .read = read_fix_level,
     .offset = offsetof(struct cf_policy, defaults.mode[CF_FIX])},
    {.key = "audit",
     .want = LEVEL,
     .read = cf_config_level,
     .offset = offsetof(struct cf_policy, defaults.mode[CF_AUDIT])},
    {.key = "warn",
     .want = LEVEL,
     .read = cf_config_level,
     .offset = offsetof(struct cf_policy, defaults.mode[CF_WARN])},
    {0},
};

/* ---- exemptions, guard ---- */

static const struct cf_config_option exemption_options[] = {
    {.key = "namespaces",
     .want = NAMES,
     .read = cf_config_list,
     .offset = offsetof(struct cf_policy, exempt_namespaces),
     .refuse = cf_config_refuse_glob},
    {.key = "usernames",
     .want = NAMES,
     .read = cf_config_list,
     .offset = offsetof(struct cf_policy, exempt_usernames),
     .refuse = cf_config_refuse_user},
    {.key = "groups",
     .want = NAMES,
     .read = cf_config_list,
     .offset = offsetof(struct cf_policy, exempt_groups),
     .refuse = cf_config_refuse_group},
    {0},
};

static const struct cf_config_option guard_options[] = {
    {.key = "groups",
     .want = NAMES,
     .read = cf_config_list,
     .offset = offsetof(struct cf_policy, guard_groups),
     .refuse = cf_config_refuse_glob},
    {.key = "lowering",
     .want = FLAG,
     .read = cf_config_bool,
     .offset = offsetof(struct cf_policy, guard_lowering)},
    {0},
};

/* ---- lookupFailure, authorize ---- */

static int read_lookup_failure(struct cf_config_reader *reader,
                               const struct cf_config_option *option, const struct cf_json *value,
                               void *target)
{
    enum cf_lookup_failure *out = target;
    int index = cf_config_word(reader, option, value);

    if (index < 0)
        return -1;
    *out = (enum cf_lookup_failure)index;
    return 0;
}

static const char *const lookup_words[] = {
    [CF_LOOKUP_ALLOW] = "allow", [CF_LOOKUP_DENY] = "deny", NULL};
static const char *const authorize_words[] = {"audit", "enforce", NULL};

static const struct cf_config_option lookup_options[] = {
    {.key = "baseline",
     .want = "allow or deny",
     .read = read_lookup_failure,
     .offset = offsetof(struct cf_policy, lookup_failure[CF_BASELINE]),
     .words = lookup_words},
    {.key = "restricted",
     .want = "allow or deny",
     .read = read_lookup_failure,
     .offset = offsetof(struct cf_policy, lookup_failure[CF_RESTRICTED]),
     .words = lookup_words},
    {0},
};

static const struct cf_config_option authorize_options[] = {
    {.key = "legacyTokenUse",
     .want = "audit or enforce",
     .read = cf_config_choice,
     .offset = offsetof(struct cf_policy, enforce_legacy_token_use_at_authorize),
     .words = authorize_words},
    {0},
};

/* ---- limits ---- */

static const struct cf_config_option limit_options[] = {
    {.key = "maxBody",
     .want = "a size from 64KiB to 64MiB, such as 16MiB",
     .read = cf_config_size,
     .offset = offsetof(struct cf_policy, max_body),
     .min = 64 * CF_KIB,
     .max = 64 * CF_MIB},
    {.key = "memory",
     .want = "a size from 64KiB to 4GiB, such as 128MiB",
     .read = cf_config_size,
     .offset = offsetof(struct cf_policy, memory),
     .min = 64 * CF_KIB,
     .max = (int64_t)4 << 30},
    {.key = "maxInflightBytes",
     .gone = "set limits.memory, which holds the bodies of reviews and all that they take besides"},
    {0},
};

/* Only a small memory can be at fault: its default holds the largest maxBody. */
static int read_limits(struct cf_config_reader *reader, const struct cf_config_option *option,
                       const struct cf_json *value, void *target)
{
    struct cf_policy *policy = target;

    if (cf_config_mapping(reader, option, value, target) != 0)
        return -1;
    if (policy->memory < policy->max_body)
        return cf_config_error(reader, cf_json_get(value, "memory"),
                               "'memory' must be at least 'maxBody', which is %zu bytes",
                               policy->max_body);
    return 0;
}

/* ---- the document ---- */

static int read_constant(struct cf_config_reader *reader, const struct cf_config_option *option,
                         const struct cf_json *value, void *target)
{
    (void)target;
    return cf_config_word(reader, option, value) < 0 ? -1 : 0;
}

static const char *const api_versions[] = {"curfew.dev/v1alpha1", NULL};
static const char *const kinds[] = {"CurfewConfiguration", NULL};

static const struct cf_config_option document_options[] = {
    {.key = "apiVersion",
     .want = "curfew.dev/v1alpha1",
     .read = read_constant,
     .words = api_versions,
     .required = true},
    {.key = "kind",
     .want = "CurfewConfiguration",
     .read = read_constant,
     .words = kinds,
     .required = true},
    {.key = "defaults",
     .want = "a mapping, such as {enforce: baseline}",
     .read = cf_config_mapping,
     .members = default_options},
    {.key = "exemptions",
     .want = "a mapping, such as {namespaces: [kube-system]}",
     .read = cf_config_mapping,
     .members = exemption_options},
    {.key = "exceptions",
     .want = "a list of mappings with rule, namespace, names, until and reason",
     .read = cf_config_exceptions},
    {.key = "guard",
     .want = "a mapping, such as {groups: [system:masters]}",
     .read = cf_config_mapping,
     .members = guard_options},
    {.key = "lookupFailure",
     .want = "a mapping, such as {baseline: allow, restricted: deny}",
     .read = cf_config_mapping,
     .members = lookup_options},
    {.key = "apiServerAudiences",
     .want = "a list of audiences, such as [https://kubernetes.default.svc]",
     .read = cf_config_list,
     .offset = offsetof(struct cf_policy, api_server_audiences),
     .refuse = cf_config_refuse_glob},
    {.key = "staleAfter",
     .want = "a duration from 1s to 1h, such as 30s",
     .read = cf_config_duration,
     .offset = offsetof(struct cf_policy, stale_after),
     .min = 1,
     .max = 3600},
    {.key = "contents",
     .want = FLAG,
     .read = cf_config_bool,
     .offset = offsetof(struct cf_policy, contents)},
    {.key = "limits",
     .want = "a mapping, such as {maxBody: 16MiB}",
     .read = read_limits,
     .members = limit_options},
    {.key = "authorize",
     .want = "a mapping, such as {legacyTokenUse: audit}",
     .read = cf_config_mapping,
     .members = authorize_options},
    {.key = "rules",
     .want = "a mapping of rule ids, such as {unbound-token: {level: off}}",
     .read = cf_config_rules},
    {0},
};

int cf_config_read(struct cf_config_reader *reader, const struct cf_json *document)
{
    struct cf_policy *policy = reader->policy;

    if (cf_json_type(document) != CF_JSON_OBJECT)
        return cf_config_error(
            reader, document, "a configuration is a mapping with apiVersion, kind and more, not %s",
            cf_config_show(reader, document));
    if (cf_config_walk(reader, document_options, document, policy) != 0)
        return -1;
    if (policy->fix_follows_enforce)
        policy->defaults.mode[CF_FIX] = policy->defaults.mode[CF_ENFORCE];
    return 0;
}
