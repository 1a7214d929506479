/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - the table of subcommands. The program is also installed as kubectl-curfew, for `kubectl
 * curfew review`. */
#include <stdio.h>

#include "curfew/attr.h"
#include "curfew/cmd.h"
#include "curfew/json.h"
#include "curfew/process.h"
#include "curfew/str.h"

static const struct cf_cmd *const commands[] = {&cf_cmd_serve, &cf_cmd_review, &cf_cmd_inspect,
                                                &cf_cmd_certs, &cf_cmd_probe};

static int print_overview(FILE *out)
{
    fputs("Curfew ends ServiceAccount tokens that never expire.\n\n"
          "Usage: curfew COMMAND [flags]\n\nCommands:\n",
          out);
    for (size_t i = 0; i < CF_COUNT(commands); i++)
        fprintf(out, "  %-9s  %s\n", commands[i]->name, commands[i]->summary);
    fputs("  help       this help, or that of one command: curfew help [COMMAND]\n\nFlags:\n"
          "  -h, --help     print this help\n      --version  print the version\n\n"
          "Exit codes: 0 clean or allowed, 1 findings or denied, 2 usage or bad configuration,\n"
          "            3 could not do the work; the worst of several results\n",
          out);
    return out == stdout ? CF_EXIT_OK : CF_EXIT_USAGE;
}

static int unknown_word(const char *word)
{
    struct cf_suggestion s = {.word = word};
    const char *what = word[0] == '-' ? "flag" : "command";
    char hint[96];

    for (size_t i = 0; i < CF_COUNT(commands); i++)
        cf_suggest(&s, commands[i]->name);
    cf_suggest(&s, word[0] == '-' ? "--help" : "help");
    cf_suggest(&s, "--version");
    return cf_usage_error(NULL, "unknown %s '%s'%s", what, word, cf_suggestion_text(&s, hint));
}

static int run_command(const char *name, int argc, char **argv)
{
    for (size_t i = 0; i < CF_COUNT(commands); i++) {
        if (cf_streq(commands[i]->name, name))
            return commands[i]->run(commands[i], argc, argv);
    }
    return unknown_word(name);
}

static int run_help(int argc, char **argv)
{
    static char flag[] = "--help";

    if (argc > 2)
        return cf_usage_error(NULL, "help takes one command, not also '%s'", argv[2]);
    if (argc == 2 && !cf_streq(argv[1], "help") && argv[1][0] != '-')
        return run_command(argv[1], 2, (char *[]){argv[1], flag, NULL});
    return print_overview(stdout);
}

static int dispatch_command(int argc, char **argv)
{
    if (argc <= 0)
        return print_overview(stderr);
    if (cf_streq(argv[0], "help") || cf_streq(argv[0], "--help") || cf_streq(argv[0], "-h"))
        return run_help(argc, argv);
    if (!cf_streq(argv[0], "--version"))
        return run_command(argv[0], argc, argv);
    printf("curfew %s (%s)\n", cf_version(), cf_revision());
    return CF_EXIT_OK;
}

int main(int argc, char **argv)
{
    int status;

    cf_process_guard();
    cf_stdio_open();
    cf_json_init();
    status = dispatch_command(argc - 1, argv + 1);
    return cf_stdio_close() ? status : CF_EXIT_FAILED;
}
