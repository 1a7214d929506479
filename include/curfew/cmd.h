/* SPDX-License-Identifier: Apache-2.0 */
/* cmd.h - subcommands and their options. src/main.c has the table of subcommands, each subcommand a
 * table of options; parsing, help and suggestions come from these tables. */
#ifndef CURFEW_CMD_H
#define CURFEW_CMD_H

#include <stdbool.h>
#include <stddef.h>

/* Exit codes are an interface. The worst (largest) of several results counts. */
enum cf_exit {
    CF_EXIT_OK = 0,       /* clean, or allowed */
    CF_EXIT_FINDINGS = 1, /* findings, or denied */
    CF_EXIT_USAGE = 2,    /* usage, or a bad configuration */
    CF_EXIT_FAILED = 3,   /* could not do the work */
};

enum cf_opt_type {
    CF_OPT_FLAG,     /* bool * */
    CF_OPT_STRING,   /* const char **; the last one wins */
    CF_OPT_WORD,     /* const char **; one of the words in `value` */
    CF_OPT_LIST,     /* struct cf_opt_list *; repeatable */
    CF_OPT_DURATION, /* int64_t * in seconds */
    CF_OPT_MOVED,    /* always an error, with `help` as its reason; not in the help */
};

struct cf_opt_list {
    const char **items; /* grows on the heap; cf_opt_list_free() */
    size_t count;
};

/* One option. The parser checks the options that it needs and excludes, and the help shows them.
 * Lists of options are names with one space between them. */
struct cf_opt {
    const char *name; /* "--level" */
    char letter;      /* 'f' for -f; 0: none */
    enum cf_opt_type type;
    void *target;
    const char *value;    /* its value in the help: "FILE"; the words of CF_OPT_WORD: "text|json" */
    const char *help;     /* one line */
    const char *actions;  /* for these actions (the first argument) only: "init|renew"; NULL: all */
    const char *needs;    /* each of these must be given, too; of "--a|--b" one */
    const char *excludes; /* none of these may be given */
    const char *why;      /* ends the error message about excludes, else about needs; may be NULL */
    bool required;
};

struct cf_cmd {
    const char *name;    /* "review" */
    const char *summary; /* one line for `curfew help` */
    const char *usage;   /* "curfew review -f FILE|DIR|- [flags]" */
    int (*run)(const struct cf_cmd *cmd, int argc, char **argv); /* argv[0] is the name */
};

extern const struct cf_cmd cf_cmd_serve;
extern const struct cf_cmd cf_cmd_review;
extern const struct cf_cmd cf_cmd_inspect;
extern const struct cf_cmd cf_cmd_certs;
extern const struct cf_cmd cf_cmd_probe;

/* Parses `--name VALUE`, `--name=VALUE`, `-x VALUE`, `-xVALUE`; `--` ends the options. Other
 * arguments are added to `rest` (NULL: they are errors). opts ends with {0} and has at most 64
 * options. Strings point into argv. Returns CF_EXIT_OK to continue; -1 after --help or -h, when the
 * help was printed on stdout (exit 0); CF_EXIT_USAGE after a message on stderr that names the flag
 * and a correct value. The caller frees lists in any case. */
int cf_opts_parse(const struct cf_cmd *cmd, const struct cf_opt *opts, int argc, char **argv,
                  struct cf_opt_list *rest);
void cf_opt_list_free(struct cf_opt_list *list);

/* Prints "curfew review: MESSAGE" and how to get help on stderr; returns CF_EXIT_USAGE. `cmd` NULL:
 * an error of no particular command. */
int cf_usage_error(const struct cf_cmd *cmd, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
