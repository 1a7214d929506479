/* SPDX-License-Identifier: Apache-2.0 */
/* config.c - levels, modes and lists of strings; creates, parses and frees policies. */
#include "reader.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "curfew/buf.h"
#include "curfew/config.h"
#include "curfew/file.h"
#include "curfew/limits.h"
#include "curfew/str.h"
#include "curfew/swap.h"

/* ---- levels and modes ---- */

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

/* ---- lists of strings ---- */

bool cf_strings_has(const struct cf_strings *list, const char *text)
{
    for (size_t i = 0; i < list->count; i++) {
        if (cf_streq(list->items[i], text))
            return true;
    }
    return false;
}

/* No room is remembered: it is doubled whenever the count is a power of two, and so full. */
static bool grow_strings(struct cf_strings *list)
{
    size_t count = list->count;
    char **items;

    if ((count & (count - 1)) != 0)
        return true;
    items = realloc(list->items, (count == 0 ? 1 : 2 * count) * sizeof(*items));
    if (items == NULL)
        return false;
    list->items = items;
    return true;
}

bool cf_strings_add(struct cf_strings *list, const char *text)
{
    char *copy = text == NULL ? NULL : strdup(text);

    if (copy == NULL || !grow_strings(list)) {
        free(copy);
        return false;
    }
    list->items[list->count++] = copy;
    return true;
}

void cf_strings_clear(struct cf_strings *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct cf_strings){0};
}

int cf_config_note(struct cf_config_reader *reader, const char *fmt, ...)
{
    const char *note;
    va_list args;

    va_start(args, fmt);
    note = cf_arena_vprintf(reader->arena, fmt, args);
    va_end(args);
    if (!cf_strings_add(&reader->policy->notes, note))
        return cf_err_memory(reader->err);
    return 0;
}

/* ---- the built-in policy ---- */

static void set_builtin(struct cf_policy *policy)
{
    policy->defaults.mode[CF_ENFORCE] = CF_BASELINE;
    policy->defaults.mode[CF_FIX] = CF_BASELINE;
    policy->defaults.mode[CF_AUDIT] = CF_RESTRICTED;
    policy->defaults.mode[CF_WARN] = CF_RESTRICTED;
    policy->fix_follows_enforce = true;
    policy->lookup_failure[CF_RESTRICTED] = CF_LOOKUP_DENY;
    policy->stale_after = 30;
    policy->max_body = CF_BODY_DEFAULT;
    policy->memory = CF_MEMORY_DEFAULT;
    snprintf(policy->digest, sizeof(policy->digest), "builtin");
}

static bool set_builtin_lists(struct cf_policy *policy)
{
    return cf_strings_add(&policy->guard_groups, "system:masters") &&
           cf_strings_add(&policy->api_server_audiences,
                          "https://kubernetes.default.svc.cluster.local") &&
           cf_strings_add(&policy->api_server_audiences, "https://kubernetes.default.svc");
}

static bool set_defaults(struct cf_rule_setting *setting, const struct cf_rule_config *rule)
{
    const struct cf_rule_options *options = rule->options;

    setting->rule = rule;
    if (options == NULL || options->size == 0)
        return true;
    setting->settings = calloc(1, options->size);
    if (setting->settings == NULL)
        return false;
    if (options->defaults != NULL)
        memcpy(setting->settings, options->defaults, options->size);
    return true;
}

static bool set_builtin_rules(struct cf_policy *policy, const struct cf_rule_config *rules,
                              size_t rule_count)
{
    policy->rules = calloc(rule_count + 1, sizeof(*policy->rules));
    if (policy->rules == NULL)
        return false;
    for (size_t i = 0; i < rule_count; i++) {
        if (!set_defaults(&policy->rules[i], &rules[i]))
            return false;
        policy->rule_count++;
    }
    return true;
}

static void clear_exception(struct cf_exception *exception)
{
    free(exception->rule);
    free(exception->namespace);
    cf_strings_clear(&exception->names);
    cf_strings_clear(&exception->service_accounts);
    free(exception->until);
    free(exception->reason);
}

static void clear_rule(struct cf_rule_setting *setting)
{
    if (setting->settings != NULL)
        cf_config_clear(setting->rule->options->table, setting->settings);
    free(setting->settings);
}

static void clear_policy(void *value)
{
    struct cf_policy *policy = value;

    for (size_t i = 0; i < policy->exception_count; i++)
        clear_exception(&policy->exceptions[i]);
    free(policy->exceptions);
    cf_strings_clear(&policy->exempt_namespaces);
    cf_strings_clear(&policy->exempt_usernames);
    cf_strings_clear(&policy->exempt_groups);
    cf_strings_clear(&policy->guard_groups);
    cf_strings_clear(&policy->api_server_audiences);
    cf_strings_clear(&policy->notes);
    for (size_t i = 0; i < policy->rule_count; i++)
        clear_rule(&policy->rules[i]);
    free(policy->rules);
}

struct cf_policy *cf_policy_new(const struct cf_rule_config *rules, size_t rule_count)
{
    struct cf_policy *policy = cf_shared_new(sizeof(*policy), clear_policy);

    if (policy == NULL)
        return NULL;
    set_builtin(policy);
    if (!set_builtin_rules(policy, rules, rule_count) || !set_builtin_lists(policy)) {
        cf_policy_free(policy);
        return NULL;
    }
    return policy;
}

/* ---- parsing ---- */

/* Names a configuration in metrics and logs, no more: FNV-1a. */
static void set_digest(struct cf_policy *policy, const char *text, size_t len)
{
    uint64_t hash = 0xcbf29ce484222325;

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)text[i]) * 0x100000001b3;
    snprintf(policy->digest, sizeof(policy->digest), "%016" PRIx64, hash);
}

static const struct cf_json *parse_document(struct cf_config_reader *reader)
{
    struct cf_err inner = {0};
    const struct cf_json *document;

    if (reader->len > CF_CONFIG_MAX) {
        cf_err_set(reader->err, "%s: a configuration is at most %zu bytes, not %zu", reader->file,
                   CF_CONFIG_MAX, reader->len);
        return NULL;
    }
    document = cf_yaml_parse(reader->arena, reader->text, reader->len, 1, CF_YAML_TEXT, &inner);
    if (document != NULL)
        return document;
    if (inner.kind == CF_ERR_NONE)
        cf_err_set(reader->err,
                   "%s:1:1: nothing here: a configuration begins with apiVersion: "
                   "curfew.dev/v1alpha1 and kind: CurfewConfiguration",
                   reader->file);
    else if (inner.kind == CF_ERR_INPUT)
        cf_err_set(reader->err, "%s:%s", reader->file, inner.msg);
    else
        cf_err_system(reader->err, "%s: %s", reader->file, inner.msg);
    return NULL;
}

static int read_policy(struct cf_config_reader *reader)
{
    const struct cf_json *document;

    if (reader->arena == NULL || reader->policy == NULL)
        return cf_err_memory(reader->err);
    document = parse_document(reader);
    if (document == NULL || cf_config_read(reader, document) != 0)
        return -1;
    set_digest(reader->policy, reader->text, reader->len);
    return 0;
}

struct cf_policy *cf_policy_parse(const char *text, size_t len, const char *name,
                                  const struct cf_rule_config *rules, size_t rule_count,
                                  int64_t now, struct cf_err *err)
{
    struct cf_config_reader reader = {
        .file = name,
        .text = text,
        .len = len,
        .arena = cf_arena_new(CF_ARENA_MAX),
        .policy = cf_policy_new(rules, rule_count),
        .now = now,
        .err = err,
    };

    if (read_policy(&reader) != 0)
        cf_policy_cleanup(&reader.policy);
    cf_arena_free(reader.arena);
    return reader.policy;
}

struct cf_policy *cf_policy_load(const char *path, const struct cf_rule_config *rules,
                                 size_t rule_count, int64_t now, struct cf_err *err)
{
    const char *name = cf_streq(path, "-") ? "standard input" : path;
    struct cf_policy *policy = NULL;
    struct cf_buf text;

    cf_buf_init(&text, CF_CONFIG_MAX);
    if (cf_file_read(path, &text, err) == 0)
        policy = cf_policy_parse(cf_buf_str(&text), text.len, name, rules, rule_count, now, err);
    cf_buf_free(&text);
    return policy;
}

/* ---- the end ---- */

void cf_policy_free(struct cf_policy *policy)
{
    cf_shared_unref(policy);
}

void cf_policy_cleanup(struct cf_policy **policy)
{
    cf_policy_free(*policy);
    *policy = NULL;
}
