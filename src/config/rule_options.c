/* SPDX-License-Identifier: Apache-2.0 */
/* rule_options.c - the mapping `rules`: where a rule stands, and the parameters of those that
 * have some. */
#include "options.h"

#include "curfew/str.h"

/* ---- level ---- */

static int read_place(struct cf_config_reader *reader, const struct cf_config_option *option,
                      const struct cf_json *value, void *target)
{
    static const enum cf_rule_place places[] = {CF_RULE_AT_BASELINE, CF_RULE_AT_RESTRICTED,
                                                CF_RULE_OFF};
    int index;

    (void)target;
    /* YAML and Helm make a boolean of `off`. */
    if (cf_config_is_bool(value, false)) {
        *reader->place = CF_RULE_OFF;
        return 0;
    }
    index = cf_config_word(reader, option, value);
    if (index < 0)
        return -1;
    *reader->place = places[index];
    return 0;
}

static const char *const place_words[] = {"baseline", "restricted", "off", NULL};

#define LEVEL_OPTION                                                                               \
    {                                                                                              \
        .key = "level", .want = "baseline, restricted or off", .read = read_place,                 \
        .words = place_words                                                                       \
    }

static const struct cf_config_option level_options[] = {LEVEL_OPTION, {0}};

/* ---- token-lifetime ---- */

static const struct cf_config_option lifetime_options[] = {
    LEVEL_OPTION,
    {.key = "baseline",
     .want = "a mapping, such as {max: 24h}",
     .read = cf_config_mapping,
     .offset = offsetof(struct cf_policy, lifetime[CF_BASELINE]),
     .members = cf_config_bound_options},
    {.key = "restricted",
     .want = "a mapping, such as {max: 1h}",
     .read = cf_config_mapping,
     .offset = offsetof(struct cf_policy, lifetime[CF_RESTRICTED]),
     .members = cf_config_bound_options},
    {0},
};

/* ---- token-audience ---- */

static int read_audiences(struct cf_config_reader *reader, const struct cf_config_option *option,
                          const struct cf_json *value, void *target)
{
    /* An empty list is a limit too: only the API server's own audiences pass. */
    reader->policy->audiences_limited = true;
    return cf_config_list(reader, option, value, target);
}

static const struct cf_config_option audience_options[] = {
    LEVEL_OPTION,
    {.key = "allowed",
     .want = "a list of audiences, such as [vault]",
     .read = read_audiences,
     .offset = offsetof(struct cf_policy, audiences_allowed),
     .refuse = cf_config_refuse_glob},
    {0},
};

/* ---- restricted-by-node-annotation ---- */

/* An empty one selects everything in Kubernetes, which nobody wants here. */
static int read_match_labels(struct cf_config_reader *reader, const struct cf_config_option *option,
                             const struct cf_json *value, void *target)
{
    struct cf_policy *policy = target;

    if (cf_json_type(value) != CF_JSON_OBJECT || cf_json_count(value) == 0)
        return cf_config_bad(reader, option, value);
    for (const struct cf_json *i = cf_json_first(value); i != NULL; i = cf_json_next(i)) {
        if (cf_str_empty(cf_json_key(i)) || cf_config_absent(i) || cf_json_str(i) == NULL)
            return cf_config_error(reader, i, "a label is a name and a text, not '%s' and %s",
                                   cf_config_show_text(reader, cf_json_key(i)),
                                   cf_config_show(reader, i));
        if (!cf_strings_add(&policy->require_label_keys, cf_json_key(i)) ||
            !cf_strings_add(&policy->require_label_values, cf_json_str(i)))
            return cf_err_memory(reader->err);
    }
    policy->require_set = true;
    return 0;
}

static const char *const daemonset_words[] = {"ignore", "warn", NULL};

static const struct cf_config_option selector_options[] = {
    {.key = "matchLabels",
     .want = "a mapping of at least one label, such as {role: node-agent}",
     .read = read_match_labels,
     .required = true},
    {0},
};

static const struct cf_config_option require_options[] = {
    {.key = "serviceAccountSelector",
     .want = "a mapping, such as {matchLabels: {role: node-agent}}",
     .read = cf_config_mapping,
     .members = selector_options},
    {.key = "usedByDaemonSets",
     .want = "warn or ignore",
     .read = cf_config_choice,
     .offset = offsetof(struct cf_policy, require_warn_daemonsets),
     .words = daemonset_words},
    {0},
};

static const struct cf_config_option annotation_options[] = {
    {.key = "require",
     .want = "a mapping, such as {usedByDaemonSets: warn}",
     .read = cf_config_mapping,
     .members = require_options},
    {0},
};

/* ---- node-boundary ---- */

static const char *const token_for_words[] = {"own", "podsOnNode", NULL};
static const char *const shared_words[] = {"allow", "deny", NULL};

static const struct cf_config_option boundary_options[] = {
    {.key = "tokenFor",
     .want = "own or podsOnNode",
     .read = cf_config_choice,
     .offset = offsetof(struct cf_policy, token_for_pods_on_node),
     .words = token_for_words},
    {.key = "allowPodCreate",
     .want = "true or false, without quotes",
     .read = cf_config_bool,
     .offset = offsetof(struct cf_policy, allow_pod_create)},
    {.key = "sharedObjects",
     .want = "allow or deny",
     .read = cf_config_choice,
     .offset = offsetof(struct cf_policy, deny_shared_objects),
     .words = shared_words},
    {0},
};

/* ---- guard ---- */

/* What there is to set about it stands under `guard`. */
static const struct cf_config_option guard_rule_options[] = {{0}};

/* ---- rules ---- */

/* The rules with options of their own; every other one has just a level. A key here may be no
 * rule of the program yet. */
static const struct {
    struct cf_config_option option;
    bool ignores_levels;
} own[] = {
    {{.key = "token-lifetime",
      .want = "a mapping, such as {baseline: {max: 24h}}",
      .read = cf_config_lifetime,
      .members = lifetime_options},
     false},
    {{.key = "token-audience",
      .want = "a mapping, such as {allowed: [vault]}",
      .read = cf_config_mapping,
      .members = audience_options},
     false},
    {{.key = "restricted-by-node-annotation",
      .want = "a mapping, such as {require: {usedByDaemonSets: warn}}",
      .read = cf_config_mapping,
      .members = annotation_options},
     true},
    {{.key = "node-boundary",
      .want = "a mapping, such as {tokenFor: own}",
      .read = cf_config_mapping,
      .members = boundary_options},
     true},
    {{.key = "guard",
      .want = "left out: its settings are those of the mapping 'guard' beside 'rules'",
      .read = cf_config_mapping,
      .members = guard_rule_options},
     true},
};

static bool is_program_rule(const struct cf_config_reader *reader, const char *id, size_t *index)
{
    for (size_t i = 0; i < reader->rule_count; i++) {
        if (cf_streq(reader->rule_ids[i], id)) {
            *index = i;
            return true;
        }
    }
    return false;
}

bool cf_config_has_rule(const struct cf_config_reader *reader, const char *id)
{
    size_t index;

    for (size_t i = 0; i < CF_COUNT(own); i++) {
        if (cf_streq(own[i].option.key, id))
            return true;
    }
    return is_program_rule(reader, id, &index);
}

const char **cf_config_rule_names(struct cf_config_reader *reader, size_t *count)
{
    const char **names =
        cf_arena_array(reader->arena, reader->rule_count + CF_COUNT(own), sizeof(char *));
    size_t index;

    if (names == NULL)
        return NULL;
    *count = 0;
    for (size_t i = 0; i < reader->rule_count; i++)
        names[(*count)++] = reader->rule_ids[i];
    for (size_t i = 0; i < CF_COUNT(own); i++) {
        if (!is_program_rule(reader, own[i].option.key, &index))
            names[(*count)++] = own[i].option.key;
    }
    return names;
}

static int read_own(struct cf_config_reader *reader, const struct cf_json *member, size_t index)
{
    const struct cf_config_option *option = &own[index].option;
    const struct cf_json *level = cf_json_get(member, "level");

    if (own[index].ignores_levels && level != NULL)
        return cf_config_error(reader, level,
                               "'level' cannot be set on '%s': it holds in every namespace, "
                               "whatever the levels and labels say",
                               option->key);
    return option->read(reader, option, member, reader->policy);
}

static int read_level_only(struct cf_config_reader *reader, const struct cf_json *member)
{
    const struct cf_config_option option = {
        .key = cf_json_key(member),
        .want = "a mapping, such as {level: off}",
        .members = level_options,
    };

    return cf_config_mapping(reader, &option, member, reader->policy);
}

static int read_rule(struct cf_config_reader *reader, const struct cf_json *member)
{
    const char *id = cf_json_key(member);
    enum cf_rule_place nowhere = CF_RULE_DEFAULT;
    size_t index;

    reader->place = &nowhere;
    if (is_program_rule(reader, id, &index))
        reader->place = &reader->policy->rules[index].place;
    else if (cf_config_note(reader, "rules.%s: has no effect in this version", id) != 0)
        return -1;
    for (size_t i = 0; i < CF_COUNT(own); i++) {
        if (cf_streq(own[i].option.key, id))
            return read_own(reader, member, i);
    }
    return read_level_only(reader, member);
}

int cf_config_rules(struct cf_config_reader *reader, const struct cf_config_option *option,
                    const struct cf_json *value, void *target)
{
    (void)target;
    if (cf_json_type(value) != CF_JSON_OBJECT)
        return cf_config_bad(reader, option, value);
    for (const struct cf_json *i = cf_json_first(value); i != NULL; i = cf_json_next(i)) {
        if (!cf_config_has_rule(reader, cf_json_key(i))) {
            size_t count = 0;
            const char **known = cf_config_rule_names(reader, &count);

            if (known == NULL)
                return cf_err_memory(reader->err);
            return cf_config_unknown(reader, i, true, "rule", known, count);
        }
        if (!cf_config_absent(i) && read_rule(reader, i) != 0)
            return -1;
    }
    return 0;
}
