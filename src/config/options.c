/* SPDX-License-Identifier: Apache-2.0 */
/* options.c - a mapping is read by its table: every key is known, none is forgotten. */
#include "options.h"

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

static const struct cf_config_option *find(const struct cf_config_option *table, const char *key)
{
    for (; table->key != NULL; table++) {
        if (cf_streq(table->key, key))
            return table;
    }
    return NULL;
}

static int unknown_key(struct cf_config_reader *reader, const struct cf_config_option *table,
                       const struct cf_json *member)
{
    size_t room = 0, count = 0;
    const char **known;

    while (table[room].key != NULL)
        room++;
    known = cf_arena_array(reader->arena, room, sizeof(*known));
    if (known == NULL)
        return cf_err_memory(reader->err);
    for (size_t i = 0; table[i].key != NULL; i++) {
        if (table[i].gone == NULL)
            known[count++] = table[i].key;
    }
    return cf_config_unknown(reader, member, true, "key", known, count);
}

static int check_required(struct cf_config_reader *reader, const struct cf_config_option *table,
                          const struct cf_json *mapping)
{
    for (; table->key != NULL; table++) {
        if (table->required && cf_config_absent(cf_json_get(mapping, table->key)))
            return cf_config_error(reader, mapping, "missing '%s': %s", table->key, table->want);
    }
    return 0;
}

int cf_config_walk(struct cf_config_reader *reader, const struct cf_config_option *table,
                   const struct cf_json *mapping, void *base)
{
    const struct cf_json *member = cf_json_first(mapping);

    for (; member != NULL; member = cf_json_next(member)) {
        const struct cf_config_option *option = find(table, cf_json_key(member));

        if (option == NULL)
            return unknown_key(reader, table, member);
        if (option->gone != NULL)
            return cf_config_error(reader, member, "'%s' is gone: %s", option->key, option->gone);
        if (cf_config_absent(member))
            continue;
        if (option->read(reader, option, member, (char *)base + option->offset) != 0)
            return -1;
    }
    return check_required(reader, table, mapping);
}
