/* SPDX-License-Identifier: Apache-2.0 */
/* report.h - what a run of `curfew review` found: a row for each finding and a summary, written
 * for people or for programs. */
#ifndef CURFEW_REPORT_H
#define CURFEW_REPORT_H

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
    const char *kind;             /* as the manifest has it: "Pod" */
    const char *namespace, *name; /* "" for none */
    const char *subject;          /* `pod "web"`, fit to print */
    const struct cf_finding *finding;
    enum cf_level level; /* of the rule, under the policy */
    unsigned modes;      /* CF_MODE_BIT of those that act on it */
    const char *exempt;  /* "namespace", "exception", ...; NULL: it is not */
    const char *until;   /* the last day of that exception; NULL: there is none */
    bool fails;          /* it decides the exit code */
};

/* The rows themselves are written as they come. */
struct cf_report {
    size_t findings;
    size_t fixable;    /* of these, what --fix would remove */
    size_t documents;  /* that were read, those that could not be among them */
    size_t judged;     /* objects: a List has several */
    size_t skipped;    /* documents without a kind */
    size_t not_judged; /* objects of kinds that no rule knows, and those that rules leave alone */
    size_t unknown_secrets;
    size_t errors;
    bool left; /* the rows are what fixes left behind */
};

/* Counts a row. */
void cf_report_count(struct cf_report *report, const struct cf_report_row *row);

/* "pod.yaml:7: pod "web" in namespace "shop": <rule> (<level>; <modes>): ..." and the lines that
 * belong to it, then an empty one. The arena is for what is only needed on the way. */
void cf_report_row_text(struct cf_arena *arena, const struct cf_report_row *row, bool colour,
                        struct cf_buf *out);

/* "3 documents judged, 2 findings (1 fixable), ..." and a newline. */
void cf_report_summary_text(const struct cf_report *report, struct cf_buf *out);

/* The one JSON document, compact: its beginning, each row, and its end with the summary and a
 * newline. What is in out->buf may be taken away in between. */
void cf_report_json_begin(struct cf_out *out);
void cf_report_json_row(struct cf_out *out, const struct cf_report_row *row);
void cf_report_json_end(struct cf_out *out, const struct cf_report *report);

#endif
