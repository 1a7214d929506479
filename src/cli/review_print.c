/* SPDX-License-Identifier: Apache-2.0 */
/* review_say.c - what the run prints: lines on stderr, the rows of the report, its end. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "curfew/limits.h"
#include "curfew/str.h"
#include "review_run.h"

#define UNKNOWN_NAMED_MAX 10

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

/* ---- the report ---- */

static bool wants_colour(int fd)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

    return isatty(fd) && cf_str_empty(no) && !cf_streq(term, "dumb");
}

void cf_run_flush(struct cf_run *run, void *stream)
{
    FILE *to = stream;

    if (!cf_buf_ok(&run->out)) {
        cf_run_print(run, CF_EXIT_FAILED, "curfew review: out of memory, the answer is not whole");
        cf_buf_free(&run->out);
        cf_buf_init(&run->out, CF_REPORT_MAX);
        return;
    }
    fwrite(cf_buf_str(&run->out), 1, run->out.len, to);
    run->out.len = 0;
}

/* With --fix stdout has the documents. */
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

/* ---- the end ---- */

/* Silence about a Secret is no proof: say which could not be judged. */
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
                 "curfew review: nothing is known of these Secrets, give them with --objects: %s",
                 cf_buf_str(&names));
    cf_buf_free(&names);
}

/* What was left alone, one line a kind; -v has said it one by one. */
static void print_skipped(struct cf_run *run)
{
    const struct cf_report *r = &run->report;
    const char *more = run->opts->verbose ? "" : " (-v names each)";

    if (r->skipped > 0 && !run->opts->verbose)
        cf_run_print(run, CF_EXIT_OK, "curfew review: skipped %zu %s without a kind%s", r->skipped,
                     r->skipped == 1 ? "document" : "documents", more);
    if (run->passed_over > 0 && !run->opts->verbose)
        cf_run_print(run, CF_EXIT_OK,
                     "curfew review: %zu %s not read: links to folders, and what is not a file%s",
                     run->passed_over, run->passed_over == 1 ? "entry was" : "entries were", more);
    if (run->templates > 0)
        cf_run_print(run, CF_EXIT_OK,
                     "curfew review: %zu %s of kinds that no rule reads %s a pod template%s: judge "
                     "the pods that the controller makes, for example with: kubectl get pods -A -o "
                     "yaml | curfew review -f -",
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
        cf_run_print(run, CF_EXIT_OK, "curfew review: no documents, nothing was judged");
    /* Replayed traffic is answered with the server's JSON and nothing else. */
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
