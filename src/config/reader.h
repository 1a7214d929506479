/* SPDX-License-Identifier: Apache-2.0 */
/* reader.h - what is known while one configuration is read. Private to src/config. */
#ifndef CURFEW_CONFIG_READER_H
#define CURFEW_CONFIG_READER_H

#include "curfew/arena.h"
#include "curfew/options.h"

struct cf_config_reader {
    const char *file; /* begins every message */
    const char *text; /* its bytes, to find where a key stands */
    size_t len;
    struct cf_arena *arena;   /* the document's, and the messages' */
    struct cf_policy *policy; /* being filled */
    int64_t now;
    struct cf_err *err;
};

/* ---- walking (values.c) ---- */

/* A table, and the struct that it fills. */
struct cf_config_source {
    const struct cf_config_option *table;
    void *base;
    const char *section; /* of a rule's table: these options of it; NULL: those of rules.<id> */
};

/* Reads a mapping whose keys are those of several tables. */
int cf_config_walk(struct cf_config_reader *reader, const struct cf_json *mapping,
                   const struct cf_config_source *sources, size_t count);

/* Reads a mapping of the document to which rules add keys. */
int cf_config_walk_open(struct cf_config_reader *reader, const struct cf_json *mapping,
                        const struct cf_config_option *table, void *base, const char *section);

/* Frees what the options of a table hold on the heap. */
void cf_config_clear(const struct cf_config_option *table, void *base);

/* ---- readers (values.c) of the document's own tables ---- */

/* Into an enum cf_level. */
int cf_config_level(struct cf_config_reader *reader, const struct cf_config_option *option,
                    const struct cf_json *value, void *target);

/* The index of the value among option->words; -1 and an error when it is not one of them. */
int cf_config_word(struct cf_config_reader *reader, const struct cf_config_option *option,
                   const struct cf_json *value);

/* Unquoted, and what YAML 1.1 reads as this boolean. */
bool cf_config_is_bool(const struct cf_json *value, bool which);

/* ---- refusals (schema.c) ---- */

const char *cf_config_refuse_bad_glob(const char *text);
const char *cf_config_refuse_bad_account(const char *text);

/* ---- parts of the document ---- */

/* exceptions.c: into the policy. */
int cf_config_exceptions(struct cf_config_reader *reader, const struct cf_config_option *option,
                         const struct cf_json *value, void *target);

/* schema.c: the whole document. */
int cf_config_read(struct cf_config_reader *reader, const struct cf_json *document);

/* The setting of the rule with this id; NULL and the error "unknown rule" at the value, or at its
 * key: the program does not have the rule. */
struct cf_rule_setting *cf_config_rule(struct cf_config_reader *reader, const char *id,
                                       const struct cf_json *value, bool at_key);

/* ---- mistakes (errors.c): all of them set the error and return -1 ---- */

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

/* Adds a note to policy->notes. */
int cf_config_note(struct cf_config_reader *reader, const char *fmt, ...) CF_PRINTF(2, 3);

#endif
