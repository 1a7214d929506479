/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_review.c - curfew review: evaluates manifests offline, before they reach a cluster. This file
 * has the flags and the steps of a run (review_run.h). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "curfew/time.h"
#include "curfew/limits.h"
#include "curfew/str.h"
#include "review_run.h"

/* The flags as strings, and the options that are made from them. */
struct review_flags {
    struct cf_review_options opts;
    enum cf_level level;
    const char *level_text, *phase, *fail_on, *output, *kube_version;
};

/* ---- options ---- */

/* "1.32", "v1.36.3": the major version has been 1 since 2015. */
static int check_version(const struct cf_cmd *cmd, struct review_flags *t)
{
    const char *text = t->kube_version;
    unsigned minor = 0, digits = 0;

    if (text == NULL)
        return CF_EXIT_OK;
    text += *text == 'v';
    text += cf_starts_with(text, "1.") ? 2 : 0;
    for (; text > t->kube_version && *text >= '0' && *text <= '9' && digits < 4; text++, digits++)
        minor = 10 * minor + (unsigned)(*text - '0');
    if (minor > 0 && (*text == '\0' || *text == '.' || *text == '+')) {
        t->opts.server_minor = minor;
        return CF_EXIT_OK;
    }
    return cf_usage_error(cmd, "--kube-version must be a version like 1.32 or v1.36.3, not '%s'",
                          t->kube_version);
}

static int check_words(const struct cf_cmd *cmd, struct review_flags *t)
{
    if (t->level_text != NULL && cf_level_parse(t->level_text, &t->level))
        t->opts.level = &t->level;
    t->opts.fail_on_warn = cf_streq(t->fail_on, "warn");
    t->opts.json = cf_streq(t->output, "json");
    t->opts.phase = cf_streq(t->phase, "mutate") ? CF_PHASE_MUTATE : CF_PHASE_VALIDATE;
    if (t->opts.namespace[0] == '\0')
        return cf_usage_error(cmd, "--namespace must not be empty");
    if (t->opts.fix && t->opts.json)
        return cf_usage_error(cmd, "--fix excludes --output json: it prints documents");
    return CF_EXIT_OK;
}

static size_t count_review_stdin(const struct cf_opt_list *paths)
{
    size_t count = 0;

    for (size_t i = 0; i < paths->count; i++)
        count += cf_streq(paths->items[i], "-");
    return count;
}

static int check_paths(const struct cf_cmd *cmd, const struct cf_review_options *o,
                       const struct cf_opt_list *rest)
{
    if (rest->count > 0)
        return cf_usage_error(cmd, "unexpected argument '%s': did you mean '-f %s'?",
                              rest->items[0], rest->items[0]);
    if (o->files.count == 0)
        return cf_usage_error(cmd, "nothing to review: pass files with -f");
    if (count_review_stdin(&o->files) + count_review_stdin(&o->objects) + cf_streq(o->config, "-") >
        1)
        return cf_usage_error(cmd, "standard input can be read only once");
    return CF_EXIT_OK;
}

static int parse_review_options(const struct cf_cmd *cmd, int argc, char **argv,
                                struct review_flags *t)
{
    struct cf_review_options *o = &t->opts;
    const struct cf_opt table[] = {
        {"--filename", 'f', CF_OPT_LIST, &o->files, "FILE|DIR|-",
         .help = "manifests to evaluate: YAML, JSON, Lists; - is standard input; repeatable"},
        {"--objects", 0, CF_OPT_LIST, &o->objects, "FILE|DIR",
         .help = "objects of the cluster to look up, which are not evaluated; repeatable"},
        {"--config", 0, CF_OPT_STRING, &o->config, "FILE",
         .help = "configuration file (default: the built-in policy)"},
        {"--level", 0, CF_OPT_WORD, &t->level_text, "privileged|baseline|restricted",
         .help = "level of all modes (default: namespace labels and defaults)"},
        {"--namespace", 'n', CF_OPT_STRING, &o->namespace, "NAMESPACE",
         .help = "namespace of objects that have none (default \"default\")"},
        {"--fix", 0, CF_OPT_FLAG, &o->fix, NULL,
         .help = "print all documents with every available fix"},
        {"--fail-on", 0, CF_OPT_WORD, &t->fail_on, "enforce|warn",
         .help = "exit 1 on findings that count for enforce (default), or for any mode"},
        {"--phase", 0, CF_OPT_WORD, &t->phase, "mutate|validate",
         .help = "which response an AdmissionReview gets (default validate)"},
        {"--kube-version", 0, CF_OPT_STRING, &t->kube_version, "1.MINOR",
         .help = "version of the API server, for legacy-token-use (1.32 and newer)"},
        {"--verbose", 'v', CF_OPT_FLAG, &o->verbose, NULL,
         .help = "list each document that was skipped, and each object that no rule reads"},
        {"--output", 'o', CF_OPT_WORD, &t->output, "text|json",
         .help = "format of the findings (default text)"},
        {0},
    };
    struct cf_opt_list rest = {0};
    int rc = cf_opts_parse(cmd, table, argc, argv, &rest);

    if (rc == CF_EXIT_OK)
        rc = check_paths(cmd, o, &rest);
    if (rc == CF_EXIT_OK)
        rc = check_version(cmd, t);
    if (rc == CF_EXIT_OK)
        rc = check_words(cmd, t);
    cf_opt_list_free(&rest);
    return rc;
}

/* ---- the run ---- */

static int load_policy(struct cf_run *run)
{
    struct cf_err err = {0};

    if (run->opts->config == NULL)
        run->policy = cf_policy_new(cf_rule_configs(), cf_rule_count);
    else
        run->policy =
            cf_policy_load(run->opts->config, cf_rule_configs(), cf_rule_count, run->now, &err);
    if (run->policy == NULL) {
        cf_run_print(run, CF_EXIT_USAGE, "curfew review: %s",
                     err.kind != CF_ERR_NONE ? err.msg : "out of memory");
        return -1;
    }
    for (size_t i = 0; i < run->policy->notes.count; i++)
        cf_run_print(run, CF_EXIT_OK, "curfew review: note: %s", run->policy->notes.items[i]);
    return 0;
}

static int review_inputs(struct cf_run *run)
{
    if (cf_run_load(run) != 0 || cf_run_replay(run) != 0 || cf_run_evaluate(run) != 0)
        return -1;
    cf_run_print_end(run);
    return 0;
}

static int review_with_options(const struct cf_review_options *opts)
{
    CF_CLEANUP(cf_arena_cleanup) struct cf_arena *of_doc = cf_arena_new(CF_ARENA_MAX);
    CF_CLEANUP(cf_arena_cleanup) struct cf_arena *of_items = cf_arena_new(CF_ARENA_MAX);
    CF_CLEANUP(cf_arena_cleanup) struct cf_arena *arena = cf_arena_new(CF_ARENA_MAX);
    struct cf_run run = {
        .opts = opts, .of_doc = of_doc, .of_items = of_items, .arena = arena, .now = cf_now()};

    cf_buf_init(&run.out, CF_REPORT_MAX);
    if (of_doc == NULL || of_items == NULL || arena == NULL)
        cf_run_print(&run, CF_EXIT_FAILED, "curfew review: out of memory");
    else if (load_policy(&run) == 0 && review_inputs(&run) != 0)
        cf_run_print(&run, CF_EXIT_FAILED, "curfew review: out of memory");
    cf_run_close(&run);
    cf_buf_wipe(&run.out);
    cf_buf_free(&run.out);
    cf_store_free(run.store);
    cf_policy_free(run.policy);
    return run.status;
}

static int run_review(const struct cf_cmd *cmd, int argc, char **argv)
{
    struct review_flags t = {.opts = {.namespace = "default"},
                             .phase = "validate",
                             .fail_on = "enforce",
                             .output = "text"};
    int rc = parse_review_options(cmd, argc, argv, &t);

    if (rc == CF_EXIT_OK)
        rc = review_with_options(&t.opts);
    cf_opt_list_free(&t.opts.files);
    cf_opt_list_free(&t.opts.objects);
    return rc < 0 ? CF_EXIT_OK : rc;
}

const struct cf_cmd cf_cmd_review = {
    .name = "review",
    .summary = "evaluate manifests offline, before they reach a cluster",
    .usage = "curfew review -f FILE|DIR|- [flags]",
    .run = run_review,
};
