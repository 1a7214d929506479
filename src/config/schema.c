/* SPDX-License-Identifier: Apache-2.0 */
/* schema.c - every key of the configuration, mapping by mapping, except those of the rules.
 * deploy/curfew.example.yaml describes what each one means. */
#include "reader.h"

#include <stdlib.h>
#include <string.h>

#include "curfew/limits.h"
#include "curfew/str.h"

/* ---- values that would parse, but not mean what their author expects ---- */

#define CONTROLLERS                                                                                \
    "controllers that make the pods of Deployments, Jobs and more: exempting them would switch "   \
    "Curfew off for all of these"

const char *cf_config_refuse_glob(const char *text)
{
    if (strchr(text, '*') != NULL)
        return "is a glob, but only an exception's names and serviceAccounts may be: give exact "
               "names only";
    return NULL;
}

const char *cf_config_refuse_bad_glob(const char *text)
{
    if (strpbrk(text, "?[") != NULL)
        return "has '?' or '[', but globs know only '*'";
    return NULL;
}

const char *cf_config_refuse_bad_account(const char *text)
{
    if (strchr(text, ':') != NULL)
        return "has ':', but an account is given by its bare name, such as 'jenkins', in the "
               "exception's namespace";
    return cf_config_refuse_bad_glob(text);
}

static const char *refuse_user(const char *text)
{
    if (cf_streq(text, "system:apiserver"))
        return "is the API server: Curfew knows what it may do without an exemption";
    if (cf_streq(text, "system:kube-controller-manager") ||
        cf_starts_with(text, "system:serviceaccount:kube-system:"))
        return "is one of the " CONTROLLERS;
    return cf_config_refuse_glob(text);
}

static const char *refuse_group(const char *text)
{
    if (cf_streq(text, "system:authenticated") || cf_streq(text, "system:unauthenticated"))
        return "holds every authenticated or every anonymous user: exempting it would switch "
               "Curfew off";
    if (cf_streq(text, "system:nodes"))
        return "holds every node: Curfew knows what they may do without an exemption";
    if (cf_starts_with(text, "system:serviceaccounts"))
        return "holds the " CONTROLLERS;
    return cf_config_refuse_glob(text);
}

#define LEVEL "privileged, baseline or restricted"
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
     .refuse = refuse_user},
    {.key = "groups",
     .want = NAMES,
     .read = cf_config_list,
     .offset = offsetof(struct cf_policy, exempt_groups),
     .refuse = refuse_group},
    {0},
};

static const struct cf_config_option guard_options[] = {
    {.key = "groups",
     .want = NAMES,
     .read = cf_config_list,
     .offset = offsetof(struct cf_policy, guard_groups),
     .refuse = cf_config_refuse_glob},
    {0},
};

/* ---- lookupFailure ---- */

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

/* Its keys are those of rules. */
static const struct cf_config_option authorize_options[] = {{0}};

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
     .gone = "set limits.memory, which holds the bodies of reviews and all else that they need"},
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

/* ---- rules ---- */

static int read_place(struct cf_config_reader *reader, const struct cf_config_option *option,
                      const struct cf_json *value, void *target)
{
    static const enum cf_rule_place places[] = {CF_RULE_AT_BASELINE, CF_RULE_AT_RESTRICTED,
                                                CF_RULE_OFF};
    enum cf_rule_place *out = target;
    int index;

    /* YAML and Helm make a boolean of `off`. */
    if (cf_config_is_bool(value, false)) {
        *out = CF_RULE_OFF;
        return 0;
    }
    index = cf_config_word(reader, option, value);
    if (index < 0)
        return -1;
    *out = places[index];
    return 0;
}

static const char *const place_words[] = {"baseline", "restricted", "off", NULL};

static const struct cf_config_option place_options[] = {
    {.key = "level",
     .want = "baseline, restricted or off",
     .read = read_place,
     .offset = offsetof(struct cf_rule_setting, place),
     .words = place_words},
    {0},
};

static struct cf_rule_setting *unknown_rule(struct cf_config_reader *reader,
                                            const struct cf_json *value, bool at_key)
{
    const struct cf_policy *policy = reader->policy;
    const char **known = cf_arena_array(reader->arena, policy->rule_count + 1, sizeof(*known));

    for (size_t i = 0; known != NULL && i < policy->rule_count; i++)
        known[i] = policy->rules[i].rule->id;
    if (known != NULL)
        cf_config_unknown(reader, value, at_key, "rule", known, policy->rule_count);
    else
        cf_err_memory(reader->err);
    return NULL;
}

struct cf_rule_setting *cf_config_rule(struct cf_config_reader *reader, const char *id,
                                       const struct cf_json *value, bool at_key)
{
    struct cf_policy *policy = reader->policy;

    for (size_t i = 0; i < policy->rule_count; i++) {
        const struct cf_rule_config *rule = policy->rules[i].rule;

        if (cf_streq(rule->id, id))
            return &policy->rules[i];
        if (rule->former_id != NULL && cf_streq(rule->former_id, id)) {
            cf_config_error(reader, value, "the rule '%s' is now called '%s'", id, rule->id);
            return NULL;
        }
    }
    return unknown_rule(reader, value, at_key);
}

static int read_rule(struct cf_config_reader *reader, const struct cf_json *mapping,
                     struct cf_rule_setting *setting)
{
    static const struct cf_config_option none[] = {{0}};
    static const struct cf_rule_options level_only = {.want = "a mapping, such as {level: off}",
                                                      .table = none};
    const struct cf_rule_config *rule = setting->rule;
    const struct cf_rule_options *options = rule->options != NULL ? rule->options : &level_only;
    const struct cf_config_option option = {.key = rule->id, .want = options->want};
    const struct cf_config_source sources[] = {{place_options, setting, NULL},
                                               {options->table, setting->settings, NULL}};
    size_t first = rule->ignores_levels ? 1 : 0;
    const struct cf_json *level = cf_json_get(mapping, "level");

    if (rule->ignores_levels && level != NULL)
        return cf_config_error(reader, level,
                               "'level' cannot be set on '%s': it applies in every namespace, "
                               "regardless of levels and labels",
                               rule->id);
    if (cf_json_type(mapping) != CF_JSON_OBJECT)
        return cf_config_bad(reader, &option, mapping);
    if (cf_config_walk(reader, mapping, sources + first, CF_COUNT(sources) - first) != 0)
        return -1;
    return options->validate != NULL ? options->validate(reader, mapping, setting->settings) : 0;
}

static int read_rules(struct cf_config_reader *reader, const struct cf_config_option *option,
                      const struct cf_json *value, void *target)
{
    (void)target;
    if (cf_json_type(value) != CF_JSON_OBJECT)
        return cf_config_bad(reader, option, value);
    for (const struct cf_json *i = cf_json_first(value); i != NULL; i = cf_json_next(i)) {
        struct cf_rule_setting *setting = cf_config_rule(reader, cf_json_key(i), i, true);

        if (setting == NULL || (!cf_config_absent(i) && read_rule(reader, i, setting) != 0))
            return -1;
    }
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
     .members = guard_options,
     .open = true},
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
    {.key = "limits",
     .want = "a mapping, such as {maxBody: 16MiB}",
     .read = read_limits,
     .members = limit_options},
    {.key = "authorize",
     .want = "a mapping, such as {legacyTokenUse: audit}",
     .read = cf_config_mapping,
     .members = authorize_options,
     .open = true},
    {.key = "rules",
     .want = "a mapping of rule ids, such as {unbound-token: {level: off}}",
     .read = read_rules},
    {0},
};

int cf_config_read(struct cf_config_reader *reader, const struct cf_json *document)
{
    struct cf_policy *policy = reader->policy;

    if (cf_json_type(document) != CF_JSON_OBJECT)
        return cf_config_error(
            reader, document, "a configuration is a mapping with apiVersion, kind and more, not %s",
            cf_config_show(reader, document));
    if (cf_config_walk_open(reader, document, document_options, policy, "") != 0)
        return -1;
    if (policy->fix_follows_enforce)
        policy->defaults.mode[CF_FIX] = policy->defaults.mode[CF_ENFORCE];
    return 0;
}
