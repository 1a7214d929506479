/* SPDX-License-Identifier: Apache-2.0 */
/* options.c - a mapping is read by its table: every key is known, none is forgotten. */
#include "reader.h"

#include <stdlib.h>

#include "curfew/str.h"

bool cf_config_absent(const struct cf_json *value)
{
    static const char *const nulls[] = {"null", "Null", "NULL"};

    if (cf_json_is_null(value))
        return true;
    for (size_t i = 0; i < CF_COUNT(nulls); i++) {
        if (cf_json_is_plain(value) && cf_streq(cf_json_str(value), nulls[i]))
            return true;
    }
    return false;
}

/* Whether the option is one of the source's: of a rule's table some are in sections. */
static bool is_offered(const struct cf_config_source *source, const struct cf_config_option *option)
{
    return source->section == NULL ? option->section == NULL
                                   : cf_streq(option->section, source->section);
}

static const struct cf_config_option *find_option(const struct cf_config_source *source,
                                                  const char *key)
{
    const struct cf_config_option *option = source->table;

    for (; option->key != NULL; option++) {
        if (cf_streq(option->key, key) && is_offered(source, option))
            return option;
    }
    return NULL;
}

static size_t add_known(const struct cf_config_source *source, const char **known, size_t count)
{
    for (const struct cf_config_option *o = source->table; o->key != NULL; o++) {
        if (o->gone != NULL || !is_offered(source, o))
            continue;
        if (known != NULL)
            known[count] = o->key;
        count++;
    }
    return count;
}

static int unknown_key(struct cf_config_reader *reader, const struct cf_json *member,
                       const struct cf_config_source *sources, size_t source_count)
{
    size_t room = 0, count = 0;
    const char **known;

    for (size_t i = 0; i < source_count; i++)
        room = add_known(&sources[i], NULL, room);
    known = cf_arena_array(reader->arena, room + 1, sizeof(*known));
    if (known == NULL)
        return cf_err_memory(reader->err);
    for (size_t i = 0; i < source_count; i++)
        count = add_known(&sources[i], known, count);
    return cf_config_unknown(reader, member, true, "key", known, count);
}

static int read_member(struct cf_config_reader *reader, const struct cf_json *member,
                       const struct cf_config_source *sources, size_t count)
{
    const struct cf_config_option *option = NULL;
    char *target = NULL;

    for (size_t i = 0; option == NULL && i < count; i++) {
        option = find_option(&sources[i], cf_json_key(member));
        if (option != NULL)
            target = (char *)sources[i].base + option->offset;
    }
    if (option == NULL)
        return unknown_key(reader, member, sources, count);
    if (option->gone != NULL)
        return cf_config_error(reader, member, "'%s' is gone: %s", option->key, option->gone);
    if (cf_config_absent(member))
        return 0;
    if (option->read(reader, option, member, target) != 0)
        return -1;
    return option->check != NULL ? option->check(reader, option, member, target) : 0;
}

static int check_required(struct cf_config_reader *reader, const struct cf_config_source *source,
                          const struct cf_json *mapping)
{
    for (const struct cf_config_option *o = source->table; o->key != NULL; o++) {
        if (o->required && is_offered(source, o) && cf_config_absent(cf_json_get(mapping, o->key)))
            return cf_config_error(reader, mapping, "missing '%s': %s", o->key, o->want);
    }
    return 0;
}

int cf_config_walk(struct cf_config_reader *reader, const struct cf_json *mapping,
                   const struct cf_config_source *sources, size_t count)
{
    for (const struct cf_json *m = cf_json_first(mapping); m != NULL; m = cf_json_next(m)) {
        if (read_member(reader, m, sources, count) != 0)
            return -1;
    }
    for (size_t i = 0; i < count; i++) {
        if (check_required(reader, &sources[i], mapping) != 0)
            return -1;
    }
    return 0;
}

int cf_config_walk_open(struct cf_config_reader *reader, const struct cf_json *mapping,
                        const struct cf_config_option *table, void *base, const char *section)
{
    const struct cf_policy *policy = reader->policy;
    struct cf_config_source *sources =
        cf_arena_array(reader->arena, policy->rule_count + 1, sizeof(*sources));
    size_t count = 1;

    if (sources == NULL)
        return cf_err_memory(reader->err);
    sources[0] = (struct cf_config_source){table, base, NULL};
    for (size_t i = 0; i < policy->rule_count; i++) {
        const struct cf_rule_setting *setting = &policy->rules[i];

        if (setting->rule->options != NULL)
            sources[count++] = (struct cf_config_source){setting->rule->options->table,
                                                         setting->settings, section};
    }
    return cf_config_walk(reader, mapping, sources, count);
}

static void clear_labels(struct cf_config_labels *labels)
{
    cf_strings_clear(&labels->keys);
    cf_strings_clear(&labels->values);
}

void cf_config_clear(const struct cf_config_option *table, void *base)
{
    for (; table->key != NULL; table++) {
        void *target = (char *)base + table->offset;

        if (table->read == cf_config_mapping)
            cf_config_clear(table->members, target);
        else if (table->read == cf_config_list)
            cf_strings_clear(target);
        else if (table->read == cf_config_labels)
            clear_labels(target);
        else if (table->read == cf_config_text)
            free(*(char **)target);
    }
}
