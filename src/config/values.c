/* SPDX-License-Identifier: Apache-2.0 */
/* values.c - the readers of values: each checks the type, then the range, and only then writes
 * its target. Plain scalars are read by the key's type, so `off` is a word to one and false to
 * another. */
#include "reader.h"

#include <stdlib.h>
#include <string.h>

#include "curfew/time.h"
#include "curfew/str.h"

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

/* By text, and equal texts in the order of the file. */
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
