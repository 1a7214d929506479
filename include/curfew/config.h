/* SPDX-License-Identifier: Apache-2.0 */
/* config.h - the configuration file (curfew.dev/v1alpha1), parsed and validated into a policy.
 *
 * A policy is immutable once made: threads share it without a lock. */
#ifndef CURFEW_CONFIG_H
#define CURFEW_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "curfew/err.h"

/* privileged < baseline < restricted: a level holds every rule at or below it. */
enum cf_level { CF_PRIVILEGED, CF_BASELINE, CF_RESTRICTED };
#define CF_LEVELS 3

enum cf_mode { CF_ENFORCE, CF_FIX, CF_AUDIT, CF_WARN };
#define CF_MODES 4

/* One level for each mode. */
struct cf_levels {
    enum cf_level mode[CF_MODES];
};

const char *cf_level_name(enum cf_level level);
/* "privileged", "baseline", "restricted"; false for others, *out untouched. */
bool cf_level_parse(const char *text, enum cf_level *out);
const char *cf_mode_name(enum cf_mode mode);

/* The prefix of Curfew's labels of a namespace, and the label of each mode:
 * "curfew.dev/enforce". */
#define CF_LABEL_PREFIX "curfew.dev/"
const char *cf_mode_label(enum cf_mode mode);

struct cf_strings {
    char **items;
    size_t count;
};

bool cf_strings_has(const struct cf_strings *list, const char *text);
/* Appends a copy; false when out of memory. */
bool cf_strings_add(struct cf_strings *list, const char *text);

struct cf_exception {
    char *rule;
    char *namespace;                    /* "" means cluster-scoped objects */
    struct cf_strings names;            /* globs; empty: any */
    struct cf_strings service_accounts; /* globs; empty: any */
    char *until;                        /* as written: the last day it holds, UTC */
    int64_t ends;                       /* the first second at which it holds no more */
    char *reason;
};

enum cf_exception_state { CF_EXCEPTION_ACTIVE, CF_EXCEPTION_ENDING, CF_EXCEPTION_ENDED };
#define CF_EXCEPTION_STATES 3

/* Ending: within its last CF_EXCEPTION_WARN_DAYS days. */
enum cf_exception_state cf_exception_state(const struct cf_exception *exception, int64_t now);

/* The level of a rule, as the configuration sets it. */
enum cf_rule_place {
    CF_RULE_DEFAULT, /* at its own level */
    CF_RULE_AT_BASELINE,
    CF_RULE_AT_RESTRICTED,
    CF_RULE_OFF,
};

/* What the configuration knows of a rule; rules are above this layer, and pass a table. */
struct cf_rule_config {
    const char *id;
    const char *former_id;                 /* an error that names the new one; NULL: none */
    bool ignores_levels;                   /* its level cannot be set */
    const struct cf_rule_options *options; /* see options.h; NULL: its level alone */
};

struct cf_rule_setting {
    const struct cf_rule_config *rule; /* of the table */
    enum cf_rule_place place;
    void *settings; /* of the type that the rule's options fill; NULL: it has none */
};

enum cf_lookup_failure { CF_LOOKUP_ALLOW, CF_LOOKUP_DENY };

struct cf_policy {
    struct cf_levels defaults;
    bool fix_follows_enforce; /* defaults.fix is not set: fix is the namespace's enforce level */
    struct cf_strings exempt_namespaces, exempt_usernames, exempt_groups;
    struct cf_exception *exceptions;
    size_t exception_count;
    struct cf_strings guard_groups;
    enum cf_lookup_failure lookup_failure[CF_LEVELS]; /* [CF_PRIVILEGED] is CF_LOOKUP_ALLOW */
    struct cf_strings api_server_audiences;
    int64_t stale_after; /* seconds */
    size_t max_body;     /* bytes of one review */
    size_t memory;       /* bytes that all reviews hold together, see server/body.h */

    struct cf_rule_setting *rules; /* one for each rule of the table, in that order */
    size_t rule_count;

    /* Notes about exceptions that have ended, to log once at start and by --check-config. */
    struct cf_strings notes;

    char digest[17]; /* of the file's bytes, hex (FNV-1a 64); "builtin" without a file */
};

/* The built-in policy: what holds without --config. The table outlives the policy. NULL when out of
 * memory. */
struct cf_policy *cf_policy_new(const struct cf_rule_config *rules, size_t rule_count);

/* Parses and validates a configuration. `name` (a file name) and the position begin every
 * message: "curfew.yaml:12:9: ...". `rules` are those of the program; the table outlives the
 * policy. `now` only serves the note about ended exceptions. */
struct cf_policy *cf_policy_parse(const char *text, size_t len, const char *name,
                                  const struct cf_rule_config *rules, size_t rule_count,
                                  int64_t now, struct cf_err *err);

/* Reads and parses a file ("-": standard input). */
struct cf_policy *cf_policy_load(const char *path, const struct cf_rule_config *rules,
                                 size_t rule_count, int64_t now, struct cf_err *err);

/* The level of each mode in a namespace with these labels (their values; NULL: there is none): the
 * label, else the default. An invalid level counts as restricted, as in Pod Security. */
struct cf_levels cf_levels_of(const struct cf_policy *policy, const char *const labels[CF_MODES]);

/* Drops a reference (see swap.h); the last one frees the policy. Takes NULL. */
void cf_policy_free(struct cf_policy *policy);
void cf_policy_cleanup(struct cf_policy **policy);

/* Frees what a list holds, not the struct. */
void cf_strings_clear(struct cf_strings *list);

#endif
