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
#include "curfew/time.h"
#include "options.h"

struct parser {
    const struct cf_cmd *cmd;
    const struct cf_opt *opts;
    int argc;
    char **argv;
    int at; /* the argument being read */
    struct cf_opt_list *rest;
    uint64_t given; /* a bit for each option of the table */
};

#define HELP_PRINTED (-1)

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

/* Prints "-f, --filename FILE" (`out` NULL: only measures); returns its length. */
static int print_names(FILE *out, const struct cf_opt *opt)
{
    char letter[8] = "    ", line[128];

    if (opt->letter != 0)
        snprintf(letter, sizeof(letter), "-%c, ", opt->letter);
    snprintf(line, sizeof(line), "%s%s%s%s", letter, opt->name, opt->type != CF_OPT_FLAG ? " " : "",
             opt->type != CF_OPT_FLAG ? opt->value : "");
    return out != NULL ? fprintf(out, "  %s", line) : (int)strlen(line) + 2;
}

/* "--a --b|--c" as "--a, --b or --c". */
static void print_option_names(const char *before, const char *list)
{
    fputs(before, stdout);
    for (const char *at = list; *at != '\0'; at++) {
        if (*at == ' ' || *at == '|')
            fputs(*at == ' ' ? ", " : " or ", stdout);
        else
            putchar(*at);
    }
}

static void print_option(const struct cf_opt *opt, int width)
{
    int len = print_names(stdout, opt);

    printf("%*s  ", width - len, "");
    if (opt->actions != NULL)
        printf("%s: ", opt->actions);
    printf("%s", opt->help);
    if (opt->required)
        printf(" [required]");
    if (opt->needs != NULL)
        print_option_names(" [needs ", opt->needs);
    if (opt->excludes != NULL)
        print_option_names(opt->needs != NULL ? "; not with " : " [not with ", opt->excludes);
    puts(opt->needs != NULL || opt->excludes != NULL ? "]" : "");
}

static int print_command_help(const struct cf_cmd *cmd, const struct cf_opt *opts)
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
    return HELP_PRINTED;
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

/* Whether a word is one of "text|json". */
static bool has_word(const char *words, const char *word)
{
    size_t len = strlen(word);

    if (strchr(word, '|') != NULL)
        return false;
    for (const char *at = words; at != NULL; at = strchr(at, '|')) {
        at += *at == '|';
        if (strncmp(at, word, len) == 0 && (at[len] == '|' || at[len] == '\0'))
            return true;
    }
    return false;
}

/* "text|json" as "text or json". */
static const char *show_words(const char *words, char out[128])
{
    const char *last = strrchr(words, '|');
    size_t len = 0;

    for (const char *at = words; *at != '\0' && len + 8 < 128; at++)
        len += (size_t)snprintf(out + len, 128 - len,
                                at == last   ? " or "
                                : *at == '|' ? ", "
                                             : "%c",
                                *at);
    return out;
}

/* `name` is how it was typed, -f or --filename. */
static int store_value(const struct parser *p, const struct cf_opt *opt, const char *name,
                       const char *value)
{
    if (opt->type == CF_OPT_LIST)
        return list_add(opt->target, value);
    if (opt->type == CF_OPT_WORD && !has_word(opt->value, value)) {
        char words[128];

        return cf_usage_error(p->cmd, "%s must be %s, not '%s'", opt->name,
                              show_words(opt->value, words), value);
    }
    if (opt->type == CF_OPT_STRING || opt->type == CF_OPT_WORD) {
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

/* The next argument as the value of an option; NULL: there is none, or it is the next flag, so the
 * value was forgotten. */
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
    p->given |= UINT64_C(1) << (opt - p->opts);
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
        return print_command_help(p->cmd, p->opts);
    if (opt == NULL)
        return unknown_flag(p, arg, len);
    return take_value(p, opt, opt->name, arg[len] == '=' ? arg + len + 1 : NULL);
}

static int take_short(struct parser *p, const char *arg)
{
    const struct cf_opt *opt = find_letter(p, arg[1]);
    const char name[3] = {'-', arg[1], '\0'};

    if (cf_streq(arg, "-h"))
        return print_command_help(p->cmd, p->opts);
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

/* ---- options that depend on others ---- */

static bool is_given(const struct parser *p, const char *name, size_t len)
{
    const struct cf_opt *opt = find_name(p, name, len);

    return opt != NULL && (p->given >> (opt - p->opts) & 1) != 0;
}

/* The first option of a list that is given; NULL: none is. */
static const char *first_given(const struct parser *p, const char *list, size_t *len)
{
    for (const char *at = list; at != NULL && *at != '\0'; at += *len + (at[*len] != '\0')) {
        *len = strcspn(at, " |");
        if (is_given(p, at, *len))
            return at;
    }
    return NULL;
}

/* Whether one option of "--a|--b" is given. */
static bool has_one(const struct parser *p, const char *item, size_t len)
{
    for (size_t i = 0, n; i < len; i += n + 1) {
        n = strcspn(item + i, " |");
        if (is_given(p, item + i, n))
            return true;
    }
    return false;
}

/* The items of a list, "--a" or "--a|--b", of which no option is given: "--a, --b or --c". False:
 * each item has one. */
static bool list_missing(const struct parser *p, const char *list, char out[256])
{
    size_t used = 0, len;

    for (const char *at = list; at != NULL && *at != '\0'; at += len + (at[len] != '\0')) {
        char item[64], words[128];

        len = strcspn(at, " ");
        if (has_one(p, at, len))
            continue;
        snprintf(item, sizeof(item), "%.*s", (int)len, at);
        used += (size_t)snprintf(out + used, used < 256 ? 256 - used : 0, "%s%s",
                                 used > 0 ? ", " : "", show_words(item, words));
    }
    return used > 0;
}

static int check_option(const struct parser *p, const struct cf_opt *opt)
{
    const char *action = p->rest != NULL && p->rest->count > 0 ? p->rest->items[0] : "";
    const char *colon = opt->why != NULL ? ": " : "", *why = opt->why != NULL ? opt->why : "";
    const char *other;
    char words[256];
    size_t len;

    if (opt->actions != NULL && !has_word(opt->actions, action))
        return cf_usage_error(p->cmd, "%s is an option of %s only", opt->name,
                              show_words(opt->actions, words));
    other = first_given(p, opt->excludes, &len);
    if (other != NULL)
        return cf_usage_error(p->cmd, "%s excludes %.*s%s%s", opt->name, (int)len, other, colon,
                              why);
    if (!list_missing(p, opt->needs, words))
        return CF_EXIT_OK;
    if (opt->excludes != NULL)
        colon = why = ""; /* `why` then belongs to excludes */
    return cf_usage_error(p->cmd, "%s needs %s%s%s", opt->name, words, colon, why);
}

static int check_options(const struct parser *p)
{
    int rc = CF_EXIT_OK;

    for (const struct cf_opt *o = p->opts; o->name != NULL && rc == CF_EXIT_OK; o++) {
        bool given = (p->given >> (o - p->opts) & 1) != 0;

        if (given)
            rc = check_option(p, o);
        else if (o->required)
            rc = cf_usage_error(p->cmd, "%s is required", o->name);
    }
    return rc;
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
    return rc == CF_EXIT_OK ? check_options(&p) : rc;
}

/* ---- the log ---- */

void cf_log_flags_use(const struct cf_log_flags *flags)
{
    static const char *const levels[] = {"debug", "info", "warn", "error"};
    size_t level = 0;

    while (level + 1 < CF_COUNT(levels) && !cf_streq(flags->level, levels[level]))
        level++;
    cf_log_setup(cf_streq(flags->format, "json") ? CF_LOG_JSON : CF_LOG_TEXT,
                 (enum cf_log_level)level);
}

/* ---- the API server ---- */

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
    cf_err_set(err, "no cluster: set --kubeconfig or KUBECONFIG; there is no ~/.kube/config");
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
        return cf_usage_error(cmd, "%s must be NAMESPACE/NAME, not '%s'", flag, text);
    return CF_EXIT_OK;
}
