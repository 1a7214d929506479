/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_inspect.c - curfew inspect: describes a token without printing it.
 *
 * Tokens come from standard input or from files, which keeps them out of the shell history and of
 * process lists. A file is read into memory while it may be a document; a larger one is scanned
 * piece by piece, so that memory does not grow with the size of a log. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "curfew/file.h"
#include "curfew/limits.h"
#include "curfew/str.h"
#include "curfew/time.h"
#include "inspect.h"

#define HOUR 3600

/* ---- used by all files of inspect ---- */

void cf_inspect_print(struct cf_inspect *run, enum cf_exit status, const char *fmt, ...)
{
    char line[8192]; /* two paths of the longest kind fit */
    va_list args;

    va_start(args, fmt);
    cf_str_vshow(line, sizeof(line), fmt, args);
    va_end(args);
    fprintf(stderr, "%s\n", line);
    if (status == CF_EXIT_FAILED)
        run->errors++;
    if ((int)status > run->status)
        run->status = (int)status;
}

bool cf_inspect_is_finding(const struct cf_inspected *item)
{
    return item->kind == CF_TOKEN_LEGACY || item->kind == CF_TOKEN_EXTENDED ||
           item->kind == CF_TOKEN_LONG || item->signature == CF_SIGNATURE_BAD;
}

/* ---- reading a file ---- */

struct inspect_reader {
    struct cf_finder *f;
    enum cf_inspect_input input;
    const char *name;
    struct cf_buf text; /* the file, until it is too large for a document */
    bool streams;       /* it is too large: pieces are scanned as they come */
};

static int scan_piece(struct inspect_reader *r, const char *bytes, size_t len, struct cf_err *err)
{
    if (cf_token_scan_more(r->f->scanner, bytes, len) != 0 || r->f->run->failed)
        return cf_err_memory(err);
    return 0;
}

/* The file is too large for a document: scans the beginning as text. */
static int begin_stream(struct inspect_reader *r, struct cf_err *err)
{
    int rc;

    if (r->input != CF_INPUT_ANY)
        return cf_err_set(err, "'%s' is larger than %zu MiB", r->name, CF_FILE_MAX / CF_MIB);
    r->streams = true;
    r->f->is_text = true;
    cf_token_scan_begin(r->f->scanner, cf_finder_take, r->f);
    rc = scan_piece(r, cf_buf_str(&r->text), r->text.len, err);
    cf_buf_wipe(&r->text);
    cf_buf_free(&r->text);
    return rc;
}

static int read_piece(const char *bytes, size_t len, void *arg, struct cf_err *err)
{
    struct inspect_reader *r = arg;

    if (!r->streams && len > r->text.max - r->text.len && begin_stream(r, err) != 0)
        return -1;
    if (r->streams)
        return scan_piece(r, bytes, len, err);
    cf_buf_add(&r->text, bytes, len);
    return cf_buf_ok(&r->text) ? 0 : cf_err_memory(err);
}

/* After a read error, tokens found before it are still reported. */
static void read_file(struct inspect_reader *r, const char *path)
{
    struct cf_inspect *run = r->f->run;
    struct cf_err err = {0};
    bool whole = cf_file_pieces(path, read_piece, r, &err) == 0;

    if (!whole)
        cf_inspect_print(run, CF_EXIT_FAILED, "curfew inspect: %s", err.msg);
    if (r->streams && cf_token_scan_end(r->f->scanner) != 0)
        run->failed = true;
    if (r->streams && whole && r->f->found == 0)
        cf_finder_report_nothing(r->f);
    if (!r->streams && whole)
        cf_finder_search(r->f, cf_buf_str(&r->text), r->text.len, path, r->input);
}

/* A file ("-": standard input). Errors are printed, and do not end the run. */
static void inspect_file(struct cf_inspect *run, const char *path, enum cf_inspect_input input)
{
    const char *name = cf_streq(path, "-") ? "standard input" : path;
    struct cf_finder f = {.run = run, .file = cf_inspect_shown(run, name)};
    struct inspect_reader r = {.f = &f, .input = input, .name = name};

    cf_buf_init(&r.text, CF_FILE_MAX);
    f.arena = cf_arena_new(CF_RUN_MAX);
    f.scanner = cf_token_scanner_new(CF_SCAN_ANY);
    if (f.file == NULL || f.arena == NULL || f.scanner == NULL)
        run->failed = true;
    else if (input == CF_INPUT_MANIFEST)
        cf_finder_documents(&f, path);
    else
        read_file(&r, path);
    if (f.arena != NULL) {
        run->failed = run->failed || cf_arena_failed(f.arena);
        cf_arena_reset(f.arena, true);
    }
    cf_arena_free(f.arena);
    cf_token_scanner_free(f.scanner);
    cf_buf_wipe(&r.text);
    cf_buf_free(&r.text);
}

/* ---- options ---- */

struct inspect_options {
    struct cf_opt_list files, kubeconfigs, secrets, rest;
    const char *jwks, *now_text, *output;
    int64_t max, now;
    bool json;
};

static size_t count_inspect_stdin(const struct inspect_options *o)
{
    const struct cf_opt_list *lists[] = {&o->files, &o->kubeconfigs, &o->secrets, &o->rest};
    size_t count = cf_streq(o->jwks, "-");

    for (size_t i = 0; i < CF_COUNT(lists); i++) {
        for (size_t j = 0; j < lists[i]->count; j++)
            count += cf_streq(lists[i]->items[j], "-");
    }
    return count;
}

static int check_inspect_options(const struct cf_cmd *cmd, struct inspect_options *o)
{
    o->json = cf_streq(o->output, "json");
    if (o->now_text != NULL && !cf_time_parse(o->now_text, &o->now))
        return cf_usage_error(cmd, "--now must be a time like 2026-11-22T15:12:51Z, not '%s'",
                              o->now_text);
    if (o->rest.count > 1)
        return cf_usage_error(cmd, "at most one token can be an argument; pass files with -f");
    if (count_inspect_stdin(o) > 1)
        return cf_usage_error(cmd, "standard input can be read only once");
    return CF_EXIT_OK;
}

static int parse_inspect_options(const struct cf_cmd *cmd, int argc, char **argv,
                                 struct inspect_options *o)
{
    const struct cf_opt table[] = {
        {"--filename", 'f', CF_OPT_LIST, &o->files, "FILE|-",
         .help = "token, or a file with tokens in it; repeatable (default standard input)"},
        {"--kubeconfig", 0, CF_OPT_LIST, &o->kubeconfigs, "FILE|-",
         .help = "kubeconfig: the tokens of all its users, also those in tokenFile; repeatable"},
        {"--secret", 0, CF_OPT_LIST, &o->secrets, "FILE|-",
         .help = "manifests of Secrets or of other objects, also Lists; repeatable"},
        {"--jwks", 0, CF_OPT_STRING, &o->jwks, "FILE|-",
         .help = "keys of the issuer: kubectl get --raw /openid/v1/jwks"},
        {"--max", 0, CF_OPT_DURATION, &o->max, "DURATION",
         .help = "longest lifetime of a token that is not reported as long (default 1h)"},
        {"--now", 0, CF_OPT_STRING, &o->now_text, "TIME",
         .help = "compute remaining lifetimes as of this time (default: now)"},
        {"--output", 'o', CF_OPT_WORD, &o->output, "text|json",
         .help = "format of the output (default text)"},
        {0},
    };
    int rc = cf_opts_parse(cmd, table, argc, argv, &o->rest);

    return rc == CF_EXIT_OK ? check_inspect_options(cmd, o) : rc;
}

/* ---- the run ---- */

static void read_list(struct cf_inspect *run, const struct cf_opt_list *list,
                      enum cf_inspect_input input)
{
    for (size_t i = 0; i < list->count && !run->failed; i++)
        inspect_file(run, list->items[i], input);
}

static void read_stdin(struct cf_inspect *run)
{
    if (isatty(STDIN_FILENO))
        fputs("curfew inspect: paste a token, then press Enter and Ctrl-D\n", stderr);
    inspect_file(run, "-", CF_INPUT_ANY);
}

/* Wipes the argument, which removes it from the process list but not from the shell history. */
static void read_argument(struct cf_inspect *run, const char *argument)
{
    char *mine = (char *)(uintptr_t)argument;

    if (cf_inspect_argument(run, argument) || cf_starts_with(argument, "eyJ"))
        fputs("curfew inspect: a token on the command line stays in the shell history and is "
              "visible in the process list: pass it on standard input or with -f\n",
              stderr);
    explicit_bzero(mine, strlen(mine));
}

static void inspect_inputs(struct cf_inspect *run, const struct inspect_options *o)
{
    bool nothing = o->files.count + o->kubeconfigs.count + o->secrets.count + o->rest.count == 0;

    if (nothing || (o->rest.count > 0 && cf_streq(o->rest.items[0], "-")))
        read_stdin(run);
    else if (o->rest.count > 0)
        read_argument(run, o->rest.items[0]);
    read_list(run, &o->files, CF_INPUT_ANY);
    read_list(run, &o->kubeconfigs, CF_INPUT_KUBECONFIG);
    read_list(run, &o->secrets, CF_INPUT_MANIFEST);
}

/* Findings above the limit of the list. */
static void print_unlisted(struct cf_inspect *run)
{
    size_t findings = run->tokens[true].unlisted;

    if (findings > 0)
        cf_inspect_print(run, CF_EXIT_FAILED,
                         "curfew inspect: %zu more tokens are findings, but are not listed",
                         findings);
}

static void print_answer(struct cf_inspect *run, bool json)
{
    struct cf_buf out;

    if (run->failed) {
        cf_inspect_print(run, CF_EXIT_FAILED, "curfew inspect: out of memory");
        return;
    }
    print_unlisted(run);
    if (run->tokens[true].listed > 0 && run->status < CF_EXIT_FINDINGS)
        run->status = CF_EXIT_FINDINGS;
    cf_buf_init(&out, CF_REPORT_MAX);
    if (json)
        cf_inspect_json(run, &out);
    else
        cf_inspect_text(run, &out);
    if (!cf_buf_ok(&out))
        cf_inspect_print(run, CF_EXIT_FAILED, "curfew inspect: out of memory");
    else
        fwrite(cf_buf_str(&out), 1, out.len, stdout);
    cf_buf_free(&out);
}

static int inspect_with_options(const struct cf_cmd *cmd, const struct inspect_options *o)
{
    CF_CLEANUP(cf_jwks_cleanup) struct cf_jwks *jwks = NULL;
    struct cf_inspect run = {.now = o->now, .max = o->max};
    struct cf_err err = {0};

    if (o->jwks != NULL) {
        jwks = cf_jwks_load(o->jwks, &err);
        if (jwks == NULL) {
            fprintf(stderr, "curfew %s: %s\n", cmd->name, err.msg);
            return CF_EXIT_FAILED;
        }
        run.jwks = jwks;
    }
    run.arena = cf_arena_new(CF_RUN_MAX);
    if (run.arena == NULL) {
        fprintf(stderr, "curfew %s: out of memory\n", cmd->name);
        return CF_EXIT_FAILED;
    }
    inspect_inputs(&run, o);
    print_answer(&run, o->json);
    cf_inspect_free(&run);
    return run.status;
}

static int run_inspect(const struct cf_cmd *cmd, int argc, char **argv)
{
    struct inspect_options o = {.max = HOUR, .now = cf_now(), .output = "text"};
    int rc = parse_inspect_options(cmd, argc, argv, &o);

    if (rc == CF_EXIT_OK)
        rc = inspect_with_options(cmd, &o);
    cf_opt_list_free(&o.files);
    cf_opt_list_free(&o.kubeconfigs);
    cf_opt_list_free(&o.secrets);
    cf_opt_list_free(&o.rest);
    return rc < 0 ? CF_EXIT_OK : rc;
}

const struct cf_cmd cf_cmd_inspect = {
    .name = "inspect",
    .summary = "show what a token is: kind, account, lifetime and binding",
    .usage = "curfew inspect [TOKEN|-] [flags]",
    .run = run_inspect,
};
