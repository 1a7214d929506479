/* SPDX-License-Identifier: Apache-2.0 */
/* options.c - the option parser, and the options that several commands share. A command's table of
 * options is the master copy: parsing, help and suggestions all come from it. */
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "curfew/attr.h"
#include "curfew/certs.h"
#include "curfew/cmd.h"
#include "curfew/config.h"
#include "curfew/log.h"
#include "curfew/str.h"
#include "curfew/suggest.h"
#include "curfew/time.h"
#include "options.h"

struct parser {
    const struct cf_cmd *cmd;
    const struct cf_opt *opts;
    int argc;
    char **argv;
    int at; /* the argument being read */
    struct cf_opt_list *rest;
};

#define HELP_ASKED (-1)

int cf_usage_error(const struct cf_cmd *cmd, const char *fmt, ...)
{
    va_list args;

    fprintf(stderr, "curfew%s%s: ", cmd != NULL ? " " : "", cmd != NULL ? cmd->name : "");
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fprintf(stderr, "\nsee 'curfew %s%s'\n", cmd != NULL ? cmd->name : "help",
            cmd != NULL ? " --help" : "");
    return CF_EXIT_USAGE;
}

/* "-f, --filename FILE" as it stands in the help; returns its length. */
static int print_names(FILE *out, const struct cf_opt *opt)
{
    char letter[8] = "    ", line[128];

    if (opt->letter != 0)
        snprintf(letter, sizeof(letter), "-%c, ", opt->letter);
    snprintf(line, sizeof(line), "%s%s%s%s", letter, opt->name, opt->type != CF_OPT_FLAG ? " " : "",
             opt->type != CF_OPT_FLAG ? opt->value : "");
    return out != NULL ? fprintf(out, "  %s", line) : (int)strlen(line) + 2;
}

static void print_option(const struct cf_opt *opt, int width)
{
    int len = print_names(stdout, opt);

    printf("%*s  %s\n", width - len, "", opt->help);
}

static int print_help(const struct cf_cmd *cmd, const struct cf_opt *opts)
{
    const struct cf_opt help = {.name = "--help", .letter = 'h', .help = "print this help"};
    int width = print_names(NULL, &help);

    for (const struct cf_opt *o = opts; o->name != NULL; o++) {
        int len = o->type != CF_OPT_MOVED ? print_names(NULL, o) : 0;

        width = len > width ? len : width;
    }
    printf("curfew %s: %s\n\nUsage: %s\n\nFlags:\n", cmd->name, cmd->summary, cmd->usage);
    for (const struct cf_opt *o = opts; o->name != NULL; o++) {
        if (o->type != CF_OPT_MOVED)
            print_option(o, width);
    }
    print_option(&help, width);
    return HELP_ASKED;
}

static int list_add(struct cf_opt_list *list, const char *item)
{
    const char **items = realloc(list->items, (list->count + 1) * sizeof(*items));

    if (items == NULL) {
        fputs("curfew: out of memory\n", stderr);
        return CF_EXIT_FAILED;
    }
    list->items = items;
    items[list->count++] = item;
    return CF_EXIT_OK;
}

void cf_opt_list_free(struct cf_opt_list *list)
{
    free(list->items);
    list->items = NULL;
    list->count = 0;
}

/* `name` is how it was typed, -f or --filename. */
static int store_value(const struct parser *p, const struct cf_opt *opt, const char *name,
                       const char *value)
{
    if (opt->type == CF_OPT_LIST)
        return list_add(opt->target, value);
    if (opt->type == CF_OPT_STRING) {
        *(const char **)opt->target = value;
        return CF_EXIT_OK;
    }
    if (!cf_duration_parse(value, opt->target))
        return cf_usage_error(p->cmd, "%s must be a duration like 90s, 15m or 1h30m, not '%s'",
                              name, value);
    return CF_EXIT_OK;
}

static const struct cf_opt *find_name(const struct parser *p, const char *name, size_t len)
{
    for (const struct cf_opt *o = p->opts; o->name != NULL; o++) {
        if (strncmp(o->name, name, len) == 0 && o->name[len] == '\0')
            return o;
    }
    return NULL;
}

static const struct cf_opt *find_letter(const struct parser *p, char letter)
{
    for (const struct cf_opt *o = p->opts; o->name != NULL; o++) {
        if (o->letter == letter)
            return o;
    }
    return NULL;
}

/* The next argument as the value of an option; NULL when there is none, or when it is plainly
 * the next flag, its own value having been forgotten. */
static const char *next_value(struct parser *p)
{
    const char *next = p->at + 1 < p->argc ? p->argv[p->at + 1] : NULL;

    if (next == NULL || cf_streq(next, "--help") || find_name(p, next, strlen(next)) != NULL)
        return NULL;
    p->at++;
    return next;
}

static int take_value(struct parser *p, const struct cf_opt *opt, const char *name,
                      const char *value)
{
    if (opt->type == CF_OPT_MOVED)
        return cf_usage_error(p->cmd, "%s %s", name, opt->help);
    if (opt->type == CF_OPT_FLAG) {
        if (value != NULL)
            return cf_usage_error(p->cmd, "%s takes no value", name);
        *(bool *)opt->target = true;
        return CF_EXIT_OK;
    }
    if (value == NULL)
        value = next_value(p);
    if (value == NULL)
        return cf_usage_error(p->cmd, "%s needs a value: %s", name, opt->value);
    return store_value(p, opt, name, value);
}

static int unknown_flag(const struct parser *p, const char *arg, size_t len)
{
    char word[64], hint[96];
    struct cf_suggestion s = {.word = word};

    cf_str_show(word, sizeof(word), "%.*s", (int)(len < 1000 ? len : 1000), arg);
    for (const struct cf_opt *o = p->opts; o->name != NULL; o++) {
        if (o->type != CF_OPT_MOVED)
            cf_suggest(&s, o->name);
    }
    cf_suggest(&s, "--help");
    return cf_usage_error(p->cmd, "unknown flag '%s'%s", word, cf_suggestion_text(&s, hint));
}

static int take_long(struct parser *p, const char *arg)
{
    size_t len = strcspn(arg, "=");
    const struct cf_opt *opt = find_name(p, arg, len);

    if (cf_streq(arg, "--help"))
        return print_help(p->cmd, p->opts);
    if (opt == NULL)
        return unknown_flag(p, arg, len);
    return take_value(p, opt, opt->name, arg[len] == '=' ? arg + len + 1 : NULL);
}

static int take_short(struct parser *p, const char *arg)
{
    const struct cf_opt *opt = find_letter(p, arg[1]);
    const char name[3] = {'-', arg[1], '\0'};

    if (cf_streq(arg, "-h"))
        return print_help(p->cmd, p->opts);
    if (opt == NULL)
        return unknown_flag(p, arg, strlen(arg));
    return take_value(p, opt, name, arg[2] != '\0' ? arg + 2 : NULL);
}

static int take_rest(struct parser *p, const char *arg)
{
    if (p->rest == NULL)
        return cf_usage_error(p->cmd, "unexpected argument '%s'", arg);
    return list_add(p->rest, arg);
}

int cf_opts_parse(const struct cf_cmd *cmd, const struct cf_opt *opts, int argc, char **argv,
                  struct cf_opt_list *rest)
{
    struct parser p = {.cmd = cmd, .opts = opts, .argc = argc, .argv = argv, .at = 1, .rest = rest};
    bool ended = false;
    int rc = CF_EXIT_OK;

    for (; p.at < argc && rc == CF_EXIT_OK; p.at++) {
        const char *arg = argv[p.at];

        if (ended || arg[0] != '-' || arg[1] == '\0')
            rc = take_rest(&p, arg);
        else if (cf_streq(arg, "--"))
            ended = true;
        else if (arg[1] == '-')
            rc = take_long(&p, arg);
        else
            rc = take_short(&p, arg);
    }
    return rc;
}

/* ---- log flags ---- */

int cf_log_flags_use(const struct cf_cmd *cmd, const struct cf_log_flags *flags)
{
    static const char *const levels[] = {"debug", "info", "warn", "error"};
    bool json = cf_streq(flags->format, "json");
    size_t level = 0;

    if (!json && !cf_streq(flags->format, "text"))
        return cf_usage_error(cmd, "--log-format is json or text, not '%s'", flags->format);
    while (level < CF_COUNT(levels) && !cf_streq(flags->level, levels[level]))
        level++;
    if (level == CF_COUNT(levels))
        return cf_usage_error(cmd, "--log-level is debug, info, warn or error, not '%s'",
                              flags->level);
    cf_log_setup(json ? CF_LOG_JSON : CF_LOG_TEXT, (enum cf_log_level)level);
    return CF_EXIT_OK;
}

/* ---- kube ---- */

/* which API server a command talks to; see kube.h. */

struct cf_api *cf_cli_open_api(const char *kubeconfig, const char *context, struct cf_err *err)
{
    const char *home = getenv("HOME");
    char path[PATH_MAX];

    if (kubeconfig == NULL)
        kubeconfig = getenv("KUBECONFIG");
    if (!cf_str_empty(kubeconfig))
        return cf_api_open(kubeconfig, context, err);
    if (!cf_str_empty(getenv("KUBERNETES_SERVICE_HOST")))
        return cf_api_open(NULL, context, err);
    if (!cf_str_empty(home) &&
        snprintf(path, sizeof(path), "%s/.kube/config", home) < (int)sizeof(path) &&
        access(path, F_OK) == 0)
        return cf_api_open(path, context, err);
    cf_err_set(err, "no cluster: neither --kubeconfig nor KUBECONFIG says which, and there is no "
                    "~/.kube/config");
    return NULL;
}

int cf_split_secret(const struct cf_cmd *cmd, const char *flag, const char *text, char **namespace,
                    const char **name)
{
    char *slash;

    *namespace = strdup(text);
    if (*namespace == NULL)
        return CF_EXIT_FAILED;
    slash = strchr(*namespace, '/');
    if (slash != NULL) {
        *slash = '\0';
        *name = slash + 1;
    }
    if (slash == NULL || !cf_certs_is_name(*namespace) || !cf_certs_is_name(*name))
        return cf_usage_error(cmd, "%s should be NAMESPACE/NAME, not '%s'", flag, text);
    return CF_EXIT_OK;
}
