/* SPDX-License-Identifier: Apache-2.0 */
/* options.h - how the configuration is read: each of its mappings has one table of options,
 * the master copy of its keys, their types and ranges. Private to src/config. */
#ifndef CURFEW_CONFIG_OPTIONS_H
#define CURFEW_CONFIG_OPTIONS_H

#include "curfew/arena.h"
#include "curfew/config.h"
#include "curfew/json.h"

/* What is known while one file is read. */
struct cf_config_reader {
    const char *file; /* begins every message */
    const char *text; /* its bytes, to find where a key stands */
    size_t len;
    struct cf_arena *arena;   /* the document's, and the messages' */
    struct cf_policy *policy; /* being filled */
    const char *const *rule_ids;
    size_t rule_count;
    enum cf_rule_place *place; /* of the rule whose options are being read */
    int64_t now;
    struct cf_err *err;
};

struct cf_config_option {
    const char *key;  /* NULL ends a table */
    const char *want; /* ends the sentence "'key' must be ..." */
    int (*read)(struct cf_config_reader *reader, const struct cf_config_option *option,
                const struct cf_json *value, void *target);
    size_t offset; /* of the target, in the struct that the table fills */
    bool required;
    const char *gone;         /* a key of an older version, which is refused: what to do instead */
    int64_t min, max;         /* of a duration or size; of a text's length, min */
    const char *const *words; /* of a choice; NULL ends them */
    const char *(*refuse)(const char *text); /* why a text is wrong; NULL when it is fine */
    const struct cf_config_option *members;  /* of a mapping */
};

/* ---- walking (options.c) ---- */

/* Not given: there is no such key, or its value is empty, ~ or null. */
bool cf_config_absent(const struct cf_json *value);

/* Reads a mapping by its table into the struct at `base`. */
int cf_config_walk(struct cf_config_reader *reader, const struct cf_config_option *table,
                   const struct cf_json *mapping, void *base);

/* ---- values (values.c): what `read` may be ---- */

/* Into the struct that option->members fills. */
int cf_config_mapping(struct cf_config_reader *reader, const struct cf_config_option *option,
                      const struct cf_json *value, void *target);
/* Into an enum cf_level. */
int cf_config_level(struct cf_config_reader *reader, const struct cf_config_option *option,
                    const struct cf_json *value, void *target);
/* Into a bool: whether it is the second of two words. */
int cf_config_choice(struct cf_config_reader *reader, const struct cf_config_option *option,
                     const struct cf_json *value, void *target);
/* Into a bool. */
int cf_config_bool(struct cf_config_reader *reader, const struct cf_config_option *option,
                   const struct cf_json *value, void *target);
/* Into an int64_t of seconds. */
int cf_config_duration(struct cf_config_reader *reader, const struct cf_config_option *option,
                       const struct cf_json *value, void *target);
/* Into a size_t of bytes. */
int cf_config_size(struct cf_config_reader *reader, const struct cf_config_option *option,
                   const struct cf_json *value, void *target);
/* Into a char *, on the heap. */
int cf_config_text(struct cf_config_reader *reader, const struct cf_config_option *option,
                   const struct cf_json *value, void *target);
/* Into a struct cf_strings, replacing what it held. */
int cf_config_list(struct cf_config_reader *reader, const struct cf_config_option *option,
                   const struct cf_json *value, void *target);

/* The index of the value among option->words; -1 and an error when it is none. */
int cf_config_word(struct cf_config_reader *reader, const struct cf_config_option *option,
                   const struct cf_json *value);

/* Unquoted, and what YAML 1.1 reads as this boolean. */
bool cf_config_is_bool(const struct cf_json *value, bool which);

/* ---- refusals (refuse.c) ---- */

const char *cf_config_refuse_glob(const char *text);
const char *cf_config_refuse_bad_glob(const char *text);
const char *cf_config_refuse_bad_account(const char *text);
const char *cf_config_refuse_user(const char *text);
const char *cf_config_refuse_group(const char *text);

/* ---- parts of the document with a file of their own ---- */

/* exceptions.c, rule_options.c: into the policy. */
int cf_config_exceptions(struct cf_config_reader *reader, const struct cf_config_option *option,
                         const struct cf_json *value, void *target);
int cf_config_rules(struct cf_config_reader *reader, const struct cf_config_option *option,
                    const struct cf_json *value, void *target);

/* lifetime.c: the mapping of one level, a struct cf_lifetime, where 0 is "not given" ... */
extern const struct cf_config_option cf_config_bound_options[];
/* ... and that of the rule, which fills in what was not given; into the policy. */
int cf_config_lifetime(struct cf_config_reader *reader, const struct cf_config_option *option,
                       const struct cf_json *value, void *target);

/* The ids of the program's rules and of those that can be configured, in the arena; NULL when
 * out of memory. */
const char **cf_config_rule_names(struct cf_config_reader *reader, size_t *count);
bool cf_config_has_rule(const struct cf_config_reader *reader, const char *id);

/* schema.c: the whole document. */
int cf_config_read(struct cf_config_reader *reader, const struct cf_json *document);

/* ---- mistakes (mistake.c): all of them set the error and return -1 ---- */

/* "FILE:LINE:COLUMN: ...", the place being the value's. */
int cf_config_error(struct cf_config_reader *reader, const struct cf_json *value, const char *fmt,
                    ...) CF_PRINTF(3, 4);

/* "'key' must be <option->want>, not <value>". */
int cf_config_bad(struct cf_config_reader *reader, const struct cf_config_option *option,
                  const struct cf_json *value);

/* "unknown <what> 'x', did you mean 'y'? (known here: ...)", at the member's key or, with
 * `at_key` false, at the value. */
int cf_config_unknown(struct cf_config_reader *reader, const struct cf_json *value, bool at_key,
                      const char *what, const char *const *known, size_t count);

/* A value as messages show it: short, quoted, fit for a terminal; or "a list", ... */
const char *cf_config_show(struct cf_config_reader *reader, const struct cf_json *value);
const char *cf_config_show_text(struct cf_config_reader *reader, const char *text);

/* ---- lists (strings.c) ---- */

/* Appends a copy; false when out of memory. */
bool cf_strings_add(struct cf_strings *list, const char *text);

/* Adds a sentence to policy->notes. */
int cf_config_note(struct cf_config_reader *reader, const char *fmt, ...) CF_PRINTF(2, 3);

#endif
