/* SPDX-License-Identifier: Apache-2.0 */
/* values.c - the readers of values and mappings. Each checks the type, then the range, and only
 * then writes its target. Plain scalars are read by the key's type: `off` is a word to one, and
 * false to another. A mapping is read by its tables: every key is known, and none that is required
 * is missing. */
#include "reader.h"

#include <stdlib.h>
#include <string.h>

#include "curfew/str.h"
#include "curfew/time.h"

/* ---- values ---- */

int cf_config_mapping(struct cf_config_reader *reader, const struct cf_config_option *option,
                      const struct cf_json *value, void *target)
{
    const struct cf_config_source source = {option->members, target, NULL};

    if (cf_json_type(value) != CF_JSON_OBJECT)
        return cf_config_bad(reader, option, value);
    if (option->open)
        return cf_config_walk_open(reader, value, option->members, target, option->key);
    return cf_config_walk(reader, value, &source, 1);
}

int cf_config_word(struct cf_config_reader *reader, const struct cf_config_option *option,
                   const struct cf_json *value)
{
    for (int i = 0; option->words[i] != NULL; i++) {
        if (cf_streq(cf_json_str(value), option->words[i]))
            return i;
    }
    return cf_config_bad(reader, option, value);
}

int cf_config_choice(struct cf_config_reader *reader, const struct cf_config_option *option,
                     const struct cf_json *value, void *target)
{
    bool *out = target;
    int index = cf_config_word(reader, option, value);

    if (index < 0)
        return -1;
    *out = index == 1;
    return 0;
}

int cf_config_level(struct cf_config_reader *reader, const struct cf_config_option *option,
                    const struct cf_json *value, void *target)
{
    enum cf_level *out = target;

    if (!cf_level_parse(cf_json_str(value), out))
        return cf_config_bad(reader, option, value);
    return 0;
}

bool cf_config_is_bool(const struct cf_json *value, bool which)
{
    static const char *const texts[2][11] = {
        {"false", "no", "n", "off", "False", "No", "N", "Off", "FALSE", "NO", "OFF"},
        {"true", "yes", "y", "on", "True", "Yes", "Y", "On", "TRUE", "YES", "ON"},
    };

    for (size_t i = 0; i < CF_COUNT(texts[0]); i++) {
        if (cf_json_is_plain(value) && cf_streq(cf_json_str(value), texts[which][i]))
            return true;
    }
    return false;
}

int cf_config_bool(struct cf_config_reader *reader, const struct cf_config_option *option,
                   const struct cf_json *value, void *target)
{
    bool *out = target;
    bool is_true = cf_config_is_bool(value, true);

    if (!is_true && !cf_config_is_bool(value, false))
        return cf_config_bad(reader, option, value);
    *out = is_true;
    return 0;
}

int cf_config_duration(struct cf_config_reader *reader, const struct cf_config_option *option,
                       const struct cf_json *value, void *target)
{
    int64_t *out = target;
    int64_t seconds;

    if (!cf_duration_parse(cf_json_str(value), &seconds) || seconds < option->min ||
        seconds > option->max)
        return cf_config_bad(reader, option, value);
    *out = seconds;
    return 0;
}

int cf_config_size(struct cf_config_reader *reader, const struct cf_config_option *option,
                   const struct cf_json *value, void *target)
{
    size_t *out = target;
    size_t bytes;

    if (!cf_size_parse(cf_json_str(value), &bytes) || bytes < (uint64_t)option->min ||
        bytes > (uint64_t)option->max)
        return cf_config_bad(reader, option, value);
    *out = bytes;
    return 0;
}

static int check_refused(struct cf_config_reader *reader, const struct cf_config_option *option,
                         const struct cf_json *value)
{
    const char *text = cf_json_str(value);
    const char *reason = option->refuse == NULL ? NULL : option->refuse(text);

    if (reason == NULL)
        return 0;
    return cf_config_error(reader, value, "%s in '%s' %s", cf_config_show(reader, value),
                           option->key, reason);
}

int cf_config_text(struct cf_config_reader *reader, const struct cf_config_option *option,
                   const struct cf_json *value, void *target)
{
    char **out = target;
    const char *text = cf_json_str(value);
    char *copy;

    if (text == NULL || strlen(text) < (size_t)option->min)
        return cf_config_bad(reader, option, value);
    if (check_refused(reader, option, value) != 0)
        return -1;
    copy = strdup(text);
    if (copy == NULL)
        return cf_err_memory(reader->err);
    free(*out);
    *out = copy;
    return 0;
}

/* By content; equal ones in the order of the file. */
static int compare_items(const void *a, const void *b)
{
    const struct cf_json *const *left = a, *const *right = b;
    size_t left_line = cf_json_line(*left), right_line = cf_json_line(*right);
    int order = strcmp(cf_json_str(*left), cf_json_str(*right));

    if (order != 0)
        return order;
    if (left_line != right_line)
        return left_line < right_line ? -1 : 1;
    return cf_json_column(*left) < cf_json_column(*right) ? -1 : 1;
}

/* Sorted, because a list may be as long as the file. */
static int check_twins(struct cf_config_reader *reader, const struct cf_config_option *option,
                       const struct cf_json *list)
{
    size_t count = 0;
    const struct cf_json **items =
        cf_arena_array(reader->arena, cf_json_count(list) + 1, sizeof(struct cf_json *));

    if (items == NULL)
        return cf_err_memory(reader->err);
    for (const struct cf_json *i = cf_json_first(list); i != NULL; i = cf_json_next(i))
        items[count++] = i;
    qsort(items, count, sizeof(struct cf_json *), compare_items);
    for (size_t i = 1; i < count; i++) {
        if (cf_streq(cf_json_str(items[i - 1]), cf_json_str(items[i])))
            return cf_config_error(reader, items[i], "%s is in '%s' twice",
                                   cf_config_show(reader, items[i]), option->key);
    }
    return 0;
}

static int read_item(struct cf_config_reader *reader, const struct cf_config_option *option,
                     const struct cf_json *item, struct cf_strings *list)
{
    const char *text = cf_config_absent(item) ? NULL : cf_json_str(item);

    if (cf_str_empty(text))
        return cf_config_error(reader, item, "each item of '%s' must be a name, not %s",
                               option->key, cf_config_show(reader, item));
    if (check_refused(reader, option, item) != 0)
        return -1;
    if (!cf_strings_add(list, text))
        return cf_err_memory(reader->err);
    return 0;
}

int cf_config_list(struct cf_config_reader *reader, const struct cf_config_option *option,
                   const struct cf_json *value, void *target)
{
    struct cf_strings *out = target;

    if (cf_json_type(value) != CF_JSON_ARRAY)
        return cf_config_bad(reader, option, value);
    cf_strings_clear(out);
    for (const struct cf_json *i = cf_json_first(value); i != NULL; i = cf_json_next(i)) {
        if (read_item(reader, option, i, out) != 0)
            return -1;
    }
    return check_twins(reader, option, value);
}

int cf_config_labels(struct cf_config_reader *reader, const struct cf_config_option *option,
                     const struct cf_json *value, void *target)
{
    struct cf_config_labels *out = target;

    if (cf_json_type(value) != CF_JSON_OBJECT || cf_json_count(value) == 0)
        return cf_config_bad(reader, option, value);
    for (const struct cf_json *i = cf_json_first(value); i != NULL; i = cf_json_next(i)) {
        if (cf_str_empty(cf_json_key(i)) || cf_config_absent(i) || cf_json_str(i) == NULL)
            return cf_config_error(reader, i, "a label is a name and a text, not '%s' and %s",
                                   cf_config_show_text(reader, cf_json_key(i)),
                                   cf_config_show(reader, i));
        if (!cf_strings_add(&out->keys, cf_json_key(i)) ||
            !cf_strings_add(&out->values, cf_json_str(i)))
            return cf_err_memory(reader->err);
    }
    return 0;
}

/* ---- mappings ---- */

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

static int read_option(struct cf_config_reader *reader, const struct cf_json *member,
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
        return cf_config_error(reader, member, "'%s' was removed: %s", option->key, option->gone);
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
        if (read_option(reader, m, sources, count) != 0)
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
