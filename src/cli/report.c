/* SPDX-License-Identifier: Apache-2.0 */
/* report.c - what a run of `curfew review` prints: lines on stderr, the findings as text or JSON,
 * and the summary. The first line of a finding begins with FILE:LINE, so that editors can jump to
 * it; the shape of the JSON document is an interface. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "curfew/engine.h"
#include "curfew/json.h"
#include "curfew/limits.h"
#include "curfew/str.h"
#include "curfew/writer.h"
#include "review_run.h"

/* ---- findings as text ---- */

#define BOLD "\033[1m"
#define RED "\033[31m"
#define YELLOW "\033[33m"
#define PLAIN "\033[0m"

void cf_report_count(struct cf_report *report, const struct cf_report_row *row)
{
    report->findings++;
    report->fixable += row->finding->fix != NULL && row->exempt == NULL;
}

/* Names come from the manifest, and may hold control characters for the terminal. */
static const char *shown_text(struct cf_arena *arena, const char *text)
{
    return cf_str_or_empty(cf_str_shown(arena, text));
}

static void print_modes(struct cf_buf *out, unsigned modes)
{
    const char *comma = "";

    for (int mode = 0; mode < CF_MODES; mode++) {
        if ((modes & CF_MODE_BIT(mode)) == 0)
            continue;
        cf_buf_addf(out, "%s%s", comma, cf_mode_name((enum cf_mode)mode));
        comma = ", ";
    }
}

static void add_head(struct cf_arena *arena, const struct cf_report_row *row, bool colour,
                     struct cf_buf *out)
{
    bool denies = (row->modes & CF_MODE_BIT(CF_ENFORCE)) != 0;

    cf_buf_addf(out, "%s%s:%zu:%s %s", colour ? BOLD : "", row->file, row->line,
                colour ? PLAIN : "", row->subject);
    if (row->namespace[0] != '\0')
        cf_buf_addf(out, " in namespace \"%s\"", shown_text(arena, row->namespace));
    cf_buf_addf(out, ": %s%s%s (%s; ", colour ? (denies ? RED : YELLOW) : "",
                row->finding->rule->id, colour ? PLAIN : "", cf_level_name(row->level));
    print_modes(out, row->modes);
    if (row->exempt != NULL)
        cf_buf_addf(out, "; exempt by %s", row->exempt);
    if (row->until != NULL)
        cf_buf_addf(out, " until %s", row->until);
    cf_buf_addf(out, "): %s\n", cf_str_or_empty(row->finding->what));
}

/* YAML for the user to paste. The writer escapes strings, and tokens are redacted. */
static void add_yaml(struct cf_arena *arena, const struct cf_json *value, struct cf_buf *out)
{
    struct cf_buf yaml;

    cf_buf_init_arena(&yaml, arena, out->max);
    cf_yaml_write(&yaml, value, 4);
    if (!cf_buf_ok(&yaml) || yaml.data == NULL) {
        out->failed |= !cf_buf_ok(&yaml);
        return;
    }
    cf_str_redact(yaml.data);
    cf_buf_adds(out, yaml.data);
}

static void add_replacement(struct cf_arena *arena, const struct cf_fix *fix, struct cf_buf *out)
{
    const char *text = fix != NULL ? fix->replacement : NULL;

    if (text == NULL)
        return;
    cf_buf_addf(out, "  replace %s with:\n", shown_text(arena, fix->replaces));
    add_yaml(arena, cf_json_parse(arena, text, strlen(text), NULL, NULL, NULL), out);
}

void cf_report_row_text(struct cf_arena *arena, const struct cf_report_row *row, bool colour,
                        struct cf_buf *out)
{
    const struct cf_finding *f = row->finding;

    add_head(arena, row, colour, out);
    if (f->detail != NULL)
        cf_buf_addf(out, "  %s: %s\n", shown_text(arena, f->path), f->detail);
    else
        cf_buf_addf(out, "  %s\n", shown_text(arena, f->path));
    cf_buf_addf(out, "  do this: %s\n", f->remedy != NULL ? f->remedy : f->rule->remedy);
    add_replacement(arena, f->fix, out);
    cf_buf_addc(out, '\n');
}

/* Adds ", 2 Secrets unknown", or nothing for zero. */
static void add_count(struct cf_buf *out, size_t count, const char *one, const char *many)
{
    if (count > 0)
        cf_buf_addf(out, ", %zu %s", count, count == 1 ? one : many);
}

void cf_report_summary_text(const struct cf_report *report, struct cf_buf *out)
{
    cf_buf_addf(out, "%zu %s evaluated, %zu %s%s", report->evaluated,
                report->evaluated == 1 ? "document" : "documents", report->findings,
                report->findings == 1 ? "finding" : "findings", report->left ? " left" : "");
    if (report->fixable > 0)
        cf_buf_addf(out, " (%zu fixable)", report->fixable);
    add_count(out, report->skipped, "skipped", "skipped");
    add_count(out, report->not_evaluated, "not evaluated", "not evaluated");
    add_count(out, report->unknown_secrets, "Secret unknown", "Secrets unknown");
    add_count(out, report->errors, "error", "errors");
    cf_buf_addc(out, '\n');
}

/* ---- findings as JSON ---- */

static void write_modes(struct cf_out *out, unsigned modes)
{
    cf_out_array(out, "modes");
    for (int mode = 0; mode < CF_MODES; mode++) {
        if ((modes & CF_MODE_BIT(mode)) != 0)
            cf_out_str(out, NULL, cf_mode_name((enum cf_mode)mode));
    }
    cf_out_end_array(out);
}

static void write_resource(struct cf_out *out, const struct cf_report_row *row)
{
    cf_out_object(out, "resource");
    cf_out_str(out, "kind", row->kind);
    cf_out_str(out, "namespace", row->namespace);
    cf_out_str(out, "name", row->name);
    cf_out_end_object(out);
}

/* A key or a name may be any text, also a token. An escape takes at most three bytes for one. */
static void write_shown(struct cf_out *out, const char *key, const char *text)
{
    size_t size = 3 * strlen(text) + 1;
    char *shown = malloc(size);

    if (shown == NULL) {
        out->buf->failed = true;
        return;
    }
    memcpy(shown, text, strlen(text) + 1);
    cf_str_sanitize(shown, size);
    cf_out_str(out, key, shown);
    free(shown);
}

static void write_message(struct cf_out *out, const struct cf_finding *f)
{
    struct cf_buf text;

    cf_buf_init(&text, out->buf->max);
    cf_buf_adds(&text, cf_str_or_empty(f->what));
    if (f->detail != NULL)
        cf_buf_addf(&text, "; %s", f->detail);
    write_shown(out, "message", cf_buf_str(&text));
    out->buf->failed |= !cf_buf_ok(&text);
    cf_buf_free(&text);
}

static void write_fix(struct cf_out *out, const struct cf_fix *fix)
{
    if (fix == NULL) {
        cf_out_null(out, "fix");
        return;
    }
    cf_out_array(out, "fix");
    for (size_t i = 0; i < fix->op_count; i++) {
        cf_out_object(out, NULL);
        cf_out_str(out, "op", fix->ops[i].op);
        cf_out_str(out, "path", fix->ops[i].path);
        if (fix->ops[i].value != NULL)
            cf_out_raw(out, "value", fix->ops[i].value);
        cf_out_end_object(out);
    }
    cf_out_end_array(out);
}

void cf_report_json_row(struct cf_out *out, const struct cf_report_row *row)
{
    cf_out_object(out, NULL);
    cf_out_str(out, "rule", row->finding->rule->id);
    cf_out_str(out, "level", cf_level_name(row->level));
    write_modes(out, row->modes);
    write_resource(out, row);
    write_shown(out, "path", row->finding->path);
    cf_out_raw(out, "value", row->finding->value != NULL ? row->finding->value : "null");
    write_message(out, row->finding);
    write_fix(out, row->finding->fix);
    cf_out_object(out, "source");
    cf_out_str(out, "file", row->file);
    cf_out_int(out, "document", (int64_t)row->document);
    cf_out_int(out, "line", (int64_t)row->line);
    cf_out_end_object(out);
    cf_out_end_object(out);
}

static void write_summary(struct cf_out *out, const struct cf_report *report)
{
    cf_out_object(out, "summary");
    cf_out_int(out, "documents", (int64_t)report->documents);
    cf_out_int(out, "judged", (int64_t)report->evaluated);
    cf_out_int(out, "skipped", (int64_t)report->skipped);
    cf_out_int(out, "notJudged", (int64_t)report->not_evaluated);
    cf_out_int(out, "unknownSecrets", (int64_t)report->unknown_secrets);
    cf_out_int(out, "findings", (int64_t)report->findings);
    cf_out_int(out, "fixable", (int64_t)report->fixable);
    cf_out_end_object(out);
}

void cf_report_json_begin(struct cf_out *out)
{
    cf_out_object(out, NULL);
    cf_out_array(out, "findings");
}

void cf_report_json_end(struct cf_out *out, const struct cf_report *report)
{
    cf_out_end_array(out);
    write_summary(out, report);
    cf_out_end_object(out);
    cf_buf_addc(out->buf, '\n');
}

/* ---- lines on stderr ---- */

void cf_run_print(struct cf_run *run, enum cf_exit status, const char *fmt, ...)
{
    char line[8192]; /* two paths of the longest kind fit, or the names of ten Secrets */
    va_list args;

    va_start(args, fmt);
    cf_str_vshow(line, sizeof(line), fmt, args);
    va_end(args);
    fprintf(stderr, "%s\n", line);
    if ((int)status > run->status)
        run->status = (int)status;
}

void cf_run_print_error(struct cf_run *run, const struct cf_document *doc,
                        const struct cf_json *root, const struct cf_err *err)
{
    run->report.errors++;
    if (root == NULL)
        cf_run_print(run, CF_EXIT_FAILED, "%s", err->msg);
    else
        cf_run_print(run, CF_EXIT_FAILED, "%s:%zu: %s", doc->file, cf_locate_error(doc, root, err),
                     err->msg);
}

/* ---- rows of a run ---- */

static bool wants_colour(int fd)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

    return isatty(fd) && cf_str_empty(no) && !cf_streq(term, "dumb");
}

void cf_run_flush(struct cf_run *run, void *stream)
{
    FILE *to = stream;

    if (!cf_buf_ok(&run->out)) {
        cf_run_print(run, CF_EXIT_FAILED, "curfew review: out of memory, the output is incomplete");
        cf_buf_free(&run->out);
        cf_buf_init(&run->out, CF_REPORT_MAX);
        return;
    }
    fwrite(cf_buf_str(&run->out), 1, run->out.len, to);
    run->out.len = 0;
}

/* With --fix the documents go to stdout. */
static FILE *report_stream(const struct cf_run *run)
{
    return run->opts->fix ? stderr : stdout;
}

static void begin_json_rows(struct cf_run *run)
{
    if (run->rows_open)
        return;
    cf_out_init(&run->rows, &run->out);
    cf_report_json_begin(&run->rows);
    run->rows_open = true;
}

void cf_run_add_row(struct cf_run *run, const struct cf_report_row *row)
{
    FILE *to = report_stream(run);

    cf_report_count(&run->report, row);
    if (row->fails && run->status < CF_EXIT_FINDINGS)
        run->status = CF_EXIT_FINDINGS;
    if (run->opts->json) {
        begin_json_rows(run);
        cf_report_json_row(&run->rows, row);
    } else {
        cf_report_row_text(run->arena, row, wants_colour(fileno(to)), &run->out);
    }
    cf_run_flush(run, to);
}

/* ---- the end of a run ---- */

#define UNKNOWN_NAMED_MAX 10

/* Whether an unknown Secret is a legacy one is undetermined, so the user has to know about it. */
static void print_unknown_secrets(struct cf_run *run)
{
    size_t count = cf_name_set_sort(&run->unknown);
    struct cf_buf names;

    run->report.unknown_secrets = count;
    if (count == 0)
        return;
    cf_buf_init(&names, CF_REPORT_MAX);
    for (size_t i = 0; i < count && i < UNKNOWN_NAMED_MAX; i++)
        cf_buf_addf(&names, "%s%s", i > 0 ? ", " : "", run->unknown.items[i]);
    if (count > UNKNOWN_NAMED_MAX)
        cf_buf_addf(&names, " and %zu more", count - UNKNOWN_NAMED_MAX);
    cf_run_print(run, CF_EXIT_OK,
                 "curfew review: these Secrets are unknown, pass them with --objects: %s",
                 cf_buf_str(&names));
    cf_buf_free(&names);
}

/* What was skipped, in one line for each reason; with -v each item was printed before. */
static void print_skipped(struct cf_run *run)
{
    const struct cf_report *r = &run->report;
    const char *more = run->opts->verbose ? "" : " (-v names each)";

    if (r->skipped > 0 && !run->opts->verbose)
        cf_run_print(run, CF_EXIT_OK, "curfew review: skipped %zu %s without a kind%s", r->skipped,
                     r->skipped == 1 ? "document" : "documents", more);
    if (run->passed_over > 0 && !run->opts->verbose)
        cf_run_print(run, CF_EXIT_OK,
                     "curfew review: %zu %s not read: links to directories or not files%s",
                     run->passed_over, run->passed_over == 1 ? "entry was" : "entries were", more);
    if (run->templates > 0)
        cf_run_print(
            run, CF_EXIT_OK,
            "curfew review: %zu %s of kinds that no rule reads %s a pod template%s: review "
            "the pods that the controller creates, for example with: kubectl get pods -A "
            "-o yaml | curfew review -f -",
            run->templates, run->templates == 1 ? "object" : "objects",
            run->templates == 1 ? "has" : "have", more);
}

void cf_run_print_end(struct cf_run *run)
{
    bool answers_only = run->answered > 0 && run->answered == run->objects_seen &&
                        run->report.documents == run->answered;

    print_unknown_secrets(run);
    print_skipped(run);
    if (run->unknown.failed)
        cf_run_print(run, CF_EXIT_FAILED, "curfew review: out of memory");
    if (run->report.documents == 0 && run->report.errors == 0)
        cf_run_print(run, CF_EXIT_OK, "curfew review: no documents found");
    /* For recorded reviews only, stdout has the responses of the server without a summary. */
    if (answers_only && !run->opts->fix)
        return;
    run->report.left = run->opts->fix;
    if (run->opts->json) {
        begin_json_rows(run);
        cf_report_json_end(&run->rows, &run->report);
    } else {
        cf_report_summary_text(&run->report, &run->out);
    }
    cf_run_flush(run, report_stream(run));
}
