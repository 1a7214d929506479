/* SPDX-License-Identifier: Apache-2.0 */
/* schema.c - prints the JSON schema of the options of all rules, as in the schema of the chart:
 * the ids (for config.exceptions), config.rules, and the options in other mappings. `make schema`
 * writes it into charts/curfew/values.schema.json, and test/lint/chart.sh compares. */
#include <stdio.h>
#include <stdlib.h>

#include "schema.h"

#include "curfew/rule.h"
#include "curfew/str.h"

#define OPEN_OBJECT "\"type\": [\"object\", \"null\"],"
#define ONLY_THESE "\"additionalProperties\": false,"

/* The schema of the types that fit on a line. */
static const struct {
    int (*read)(struct cf_config_reader *reader, const struct cf_config_option *option,
                const struct cf_json *value, void *target);
    const char *schema;
} types[] = {
    {cf_config_bool, "{\"type\": [\"boolean\", \"null\"]}"},
    {cf_config_duration, "{\"$ref\": \"#/$defs/duration\"}"},
    {cf_config_size, "{\"$ref\": \"#/$defs/size\"}"},
    {cf_config_list, "{\"$ref\": \"#/$defs/names\"}"},
    {cf_config_text, "{\"type\": [\"string\", \"null\"], \"minLength\": 1}"},
    {cf_config_labels, "{\"type\": \"object\", \"minProperties\": 1, \"additionalProperties\": "
                       "{\"type\": \"string\"}}"},
};

static void print_choice(const struct cf_config_option *option)
{
    printf("{\"if\": {\"type\": \"null\"}, \"else\": {\"enum\": [");
    for (size_t i = 0; option->words[i] != NULL; i++)
        printf("%s\"%s\"", i > 0 ? ", " : "", option->words[i]);
    printf("]}}");
}

static void print_mapping(const struct cf_config_option *table, bool level, int indent);

static void print_option(const struct cf_config_option *option, int indent)
{
    if (option->read == cf_config_mapping) {
        print_mapping(option->members, false, indent);
        return;
    }
    if (option->read == cf_config_choice) {
        print_choice(option);
        return;
    }
    for (size_t i = 0; i < CF_COUNT(types); i++) {
        if (types[i].read == option->read) {
            printf("%s", types[i].schema);
            return;
        }
    }
    fprintf(stderr, "schema.c: the option '%s' has a type without a schema\n", option->key);
    exit(1);
}

static void print_members(const struct cf_config_option *table, bool level, int indent)
{
    const char *comma = "";

    printf("\"properties\": {");
    if (level) {
        printf("\n%*s\"level\": {\"$ref\": \"#/$defs/place\"}", indent + 2, "");
        comma = ",";
    }
    for (; table->key != NULL; table++) {
        if (table->section != NULL || table->gone != NULL)
            continue;
        printf("%s\n%*s\"%s\": ", comma, indent + 2, "", table->key);
        print_option(table, indent + 2);
        comma = ",";
    }
    if (*comma != '\0')
        printf("\n%*s", indent, "");
    printf("}");
}

static void print_required(const struct cf_config_option *table, int indent)
{
    const char *before = "\"required\": [";
    bool any = false;

    for (; table->key != NULL; table++) {
        if (!table->required || table->section != NULL)
            continue;
        if (!any)
            printf(",\n%*s", indent, "");
        printf("%s\"%s\"", before, table->key);
        before = ", ";
        any = true;
    }
    if (any)
        printf("]");
}

static void print_mapping(const struct cf_config_option *table, bool level, int indent)
{
    printf("{\n%*s" OPEN_OBJECT "\n%*s" ONLY_THESE "\n%*s", indent + 2, "", indent + 2, "",
           indent + 2, "");
    print_members(table, level, indent + 2);
    print_required(table, indent + 2);
    printf("\n%*s}", indent, "");
}

static bool has_own_options(const struct cf_rule_config *rule)
{
    const struct cf_config_option *o = rule->options != NULL ? rule->options->table : NULL;

    while (o != NULL && o->key != NULL && o->section != NULL)
        o++;
    return o != NULL && o->key != NULL;
}

static void print_rule(const struct cf_rule_config *rule, int indent)
{
    static const struct cf_config_option none[] = {{0}};

    printf("%*s\"%s\": ", indent, "", rule->id);
    if (has_own_options(rule))
        print_mapping(rule->options->table, !rule->ignores_levels, indent);
    else if (rule->ignores_levels)
        print_mapping(none, false, indent);
    else
        printf("{\"$ref\": \"#/$defs/movable\"}");
}

/* "guard lowering: {...}": the line that the mapping has to hold. */
static void print_section_options(const struct cf_rule_config *rule)
{
    const struct cf_config_option *o = rule->options != NULL ? rule->options->table : NULL;

    for (; o != NULL && o->key != NULL; o++) {
        if (o->section == NULL)
            continue;
        printf("%s \"%s\": ", *o->section == '\0' ? "-" : o->section, o->key);
        print_option(o, 0);
        printf("\n");
    }
}

void print_schema(void)
{
    const struct cf_rule_config *rules = cf_rule_configs();

    printf("## ids\n");
    for (size_t i = 0; i < cf_rule_count; i++)
        printf("%*s\"%s\"%s\n", 18, "", rules[i].id, i + 1 < cf_rule_count ? "," : "");
    printf("## rules\n");
    for (size_t i = 0; i < cf_rule_count; i++) {
        print_rule(&rules[i], 12);
        printf("%s\n", i + 1 < cf_rule_count ? "," : "");
    }
    printf("## other mappings\n");
    for (size_t i = 0; i < cf_rule_count; i++)
        print_section_options(&rules[i]);
}
