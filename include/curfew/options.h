/* SPDX-License-Identifier: Apache-2.0 */
/* options.h - tables of options: how a mapping of the configuration becomes a struct.
 *
 * A table is the master copy of a mapping's keys, their types and their ranges. The configuration
 * has one for each of its mappings, and each rule one for its own settings: reading, freeing, the
 * messages about mistakes and the chart's schema all follow from it. */
#ifndef CURFEW_OPTIONS_H
#define CURFEW_OPTIONS_H

#include "curfew/attr.h"
#include "curfew/config.h"
#include "curfew/json.h"

/* The file that is being read. */
struct cf_config_reader;

struct cf_config_option {
    const char *key;  /* NULL ends a table */
    const char *want; /* completes "'key' must be ..." */
    /* One of the readers below: the type of the option. */
    int (*read)(struct cf_config_reader *reader, const struct cf_config_option *option,
                const struct cf_json *value, void *target);
    size_t offset; /* of the target, in the struct that the table fills */
    bool required;
    const char *gone; /* a key of an older version, which is an error: what to set instead */
    int64_t min, max; /* of a duration (seconds) or a size (bytes); of a text's length, min */
    const char *const *words;                /* of a choice; NULL ends them */
    const char *(*refuse)(const char *text); /* why a text is wrong; NULL when it is fine */
    /* What else is wrong with a value that was read; sets the error and returns -1. */
    int (*check)(struct cf_config_reader *reader, const struct cf_config_option *option,
                 const struct cf_json *value, const void *target);
    const struct cf_config_option *members; /* of a mapping */
    /* Only in a rule's table: the key belongs to this mapping of the document, not to
     * rules.<id>; "": to the document itself. */
    const char *section;
    bool open; /* a mapping of the document to which rules add keys (their `section`) */
};

/* What can be configured of a rule, in addition to its level. */
struct cf_rule_options {
    const char *want; /* completes "'<rule id>' must be ..." */
    const struct cf_config_option *table;
    size_t size;          /* of the struct of settings that the table fills */
    const void *defaults; /* such a struct, without anything on the heap; NULL: all zero */
    /* Completes and checks the settings after `rules.<id>`, the mapping, was read; or NULL. Sets
     * the error and returns -1. */
    int (*validate)(struct cf_config_reader *reader, const struct cf_json *mapping, void *settings);
};

/* ---- readers: each checks the type, then the range, and only then writes its target ---- */

/* Into the struct that option->members fills. */
int cf_config_mapping(struct cf_config_reader *reader, const struct cf_config_option *option,
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

/* Labels by key: at least one, as an empty selector would select everything. */
struct cf_config_labels {
    struct cf_strings keys, values;
};
int cf_config_labels(struct cf_config_reader *reader, const struct cf_config_option *option,
                     const struct cf_json *value, void *target);

/* For option->refuse: a glob. */
const char *cf_config_refuse_glob(const char *text);

/* ---- for check and validate ---- */

/* Whether a value is absent: the key is missing, or its value is empty, ~ or null. */
bool cf_config_absent(const struct cf_json *value);

/* Sets the error "FILE:LINE:COLUMN: ...", the place being the value's; returns -1. */
int cf_config_error(struct cf_config_reader *reader, const struct cf_json *value, const char *fmt,
                    ...) CF_PRINTF(3, 4);

#endif
