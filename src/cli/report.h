/* SPDX-License-Identifier: Apache-2.0 */
/* report.h - the report of `curfew review`: a row for each finding and a summary, as text or JSON.
 */
#ifndef CURFEW_CLI_REPORT_H
#define CURFEW_CLI_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "curfew/buf.h"
#include "curfew/config.h"
#include "curfew/writer.h"
#include "curfew/rule.h"

struct cf_report_row {
    const char *file;
    size_t document;              /* within the file, from 1 */
    size_t line;                  /* of the offending value, from 1 */
    const char *kind;             /* as in the manifest: "Pod" */
    const char *namespace, *name; /* "": unset */
    const char *subject;          /* `pod "web"`, sanitized */
    const struct cf_finding *finding;
    enum cf_level level; /* of the rule, under the policy */
    unsigned modes;      /* CF_MODE_BIT of the modes that act on it */
    const char *exempt;  /* "namespace", "exception", ...; NULL: not exempt */
    const char *until;   /* the last day of that exception; NULL: no exception */
    bool fails;          /* it causes exit code 1 */
};

/* Counts for the summary; rows are written as they come. */
struct cf_report {
    size_t findings;
    size_t fixable;   /* of these, those that --fix removes */
    size_t documents; /* also those that could not be read */
    size_t evaluated; /* objects: a List has several */
    size_t skipped;   /* documents without a kind */
    /* Objects of kinds that no rule reads, and objects that the rules skip. */
    size_t not_evaluated;
    size_t unknown_secrets;
    size_t errors;
    bool left; /* with --fix: the rows are findings without a fix */
};

/* Counts a row. */
void cf_report_count(struct cf_report *report, const struct cf_report_row *row);

/* "pod.yaml:7: pod "web" in namespace "shop": <rule> (<level>; <modes>): ..." and the lines that
 * belong to it, then an empty one. The arena is for temporary values. */
void cf_report_row_text(struct cf_arena *arena, const struct cf_report_row *row, bool colour,
                        struct cf_buf *out);

/* "3 documents evaluated, 2 findings (1 fixable), ..." and a newline. */
void cf_report_summary_text(const struct cf_report *report, struct cf_buf *out);

/* One compact JSON document: its beginning, each row, and its end with the summary and a newline.
 * The caller may flush out->buf in between. */
void cf_report_json_begin(struct cf_out *out);
void cf_report_json_row(struct cf_out *out, const struct cf_report_row *row);
void cf_report_json_end(struct cf_out *out, const struct cf_report *report);

#endif
