/* SPDX-License-Identifier: Apache-2.0 */
/* review_run.h - one run of `curfew review`, from its options to its exit code:
 *
 *   cmd_review.c       the flags and the steps
 *   review_read.c      opens the inputs and fills the store
 *   review_evaluate.c  answers recorded reviews, and evaluates manifests
 *   review_fix.c       with --fix, applies fixes and prints the documents
 *   report.c           prints findings, errors and the summary
 *
 * Files of -f are read twice: first to fill the store with what lookups need (names, types,
 * labels), then to evaluate one object at a time. So a Secret may come after the pod that refers to
 * it, and memory does not grow with the input. Errors are printed, raise the status, and do not end
 * the run. */
#ifndef CURFEW_CLI_REVIEW_RUN_H
#define CURFEW_CLI_REVIEW_RUN_H

#include "curfew/attr.h"
#include "curfew/cmd.h"
#include "curfew/writer.h"
#include "report.h"
#include "curfew/review.h"
#include "objects.h"

struct cf_review_options {
    struct cf_opt_list files, objects;
    const char *config;         /* NULL: the built-in policy */
    const char *namespace;      /* of objects that have none */
    const enum cf_level *level; /* NULL: labels and defaults decide */
    enum cf_phase phase;
    unsigned server_minor; /* version 1.<minor> of the API server; 0: unknown */
    bool fix, json, fail_on_warn, verbose;
};

/* A set of names, allocated on the heap. */
struct cf_name_set {
    char **items;
    size_t count, capacity;
    bool sorted; /* and without duplicates */
    bool failed; /* out of memory */
};

/* Paths of one flag, open for several readings. */
struct cf_review_inputs {
    struct cf_review_path {
        struct cf_manifest *manifest;
        bool failed; /* it could not be read, and an error was printed */
    } * items;
    size_t count;
};

struct cf_run {
    const struct cf_review_options *opts;
    struct cf_arena *of_doc;   /* of the current document */
    struct cf_arena *of_items; /* of the current item of a List */
    struct cf_arena *arena;    /* of the current object */
    struct cf_policy *policy;
    struct cf_store *store;
    int64_t now;
    struct cf_review_inputs files, objects;
    bool has_reviews; /* AdmissionReviews or SubjectAccessReviews are among the files */

    struct cf_report report;
    size_t documents; /* of -f, also empty ones: known when the store is filled */
    size_t objects_seen, answered;
    size_t printed;             /* documents, by --fix */
    bool unchanged;             /* the current document is printed unchanged */
    size_t passed_over;         /* links to directories, and directory entries that are not files */
    size_t templates;           /* objects with a pod template that no rule reads */
    const char *namespace;      /* of the current object */
    struct cf_name_set unknown; /* "namespace/name" of Secrets that are in no input */
    struct cf_buf out;          /* for stdout, or stderr with --fix; flushed after each row */
    struct cf_out rows;         /* the JSON report in `out` */
    bool rows_open;
    int status; /* enum cf_exit: the worst so far */
};

/* ---- review_read.c ---- */

/* Opens the paths of -f and --objects, and fills the store from all of them. -1: out of memory. */
int cf_run_load(struct cf_run *run);

/* Reads all documents of -f. `worth` as in struct cf_manifest_reading. -1: out of memory. */
int cf_run_each(struct cf_run *run, int (*document)(const struct cf_document *doc, void *arg),
                bool (*worth)(const char *kind, void *arg), void *arg);

/* Closes the inputs and frees the names. */
void cf_run_close(struct cf_run *run);

/* Whether the object is an AdmissionReview or (*access) a SubjectAccessReview, which is answered
 * and not evaluated. */
bool cf_is_review(const struct cf_manifest_object *object, bool *access);

/* Adds a copy of the name. */
void cf_name_set_add(struct cf_name_set *set, const char *text);
/* Sorts the names and removes duplicates; returns their number. */
size_t cf_name_set_sort(struct cf_name_set *set);

/* ---- review_evaluate.c ---- */

/* Answers the documents of kind AdmissionReview and SubjectAccessReview, with one line each on
 * stdout. -1: out of memory. */
int cf_run_replay(struct cf_run *run);

/* Evaluates all documents as a CREATE by no particular user, prints findings, and with --fix the
 * documents. -1: out of memory. */
int cf_run_evaluate(struct cf_run *run);

/* Evaluates one object. With --fix its fixes are applied to it: *fixed is set if there were any,
 * *broken if one of them failed half way. `silent`: counts and prints nothing. -1: out of memory.
 */
int cf_run_evaluate_object(struct cf_run *run, const struct cf_manifest_object *object, bool silent,
                           bool *fixed, bool *broken);

/* ---- review_fix.c ---- */

/* Applies the fixes of an object's evaluation to it. False: there are none, or (*broken) one of
 * them failed. */
bool cf_run_fix_object(struct cf_run *run, const struct cf_manifest_object *object,
                       const struct cf_request *request, const struct cf_evaluation *evaluation,
                       bool silent, bool *broken);

/* Prints a document to stdout: from its values if it was `fixed` and is `whole`, else unchanged.
 * Not whole: a part of it could not be read, or a fix failed half way. -1: out of memory. */
int cf_run_print_document(struct cf_run *run, const struct cf_document *doc, bool fixed,
                          bool whole);

/* ---- report.c ---- */

/* Prints a line on stderr, sanitized, and raises the status. */
void cf_run_print(struct cf_run *run, enum cf_exit status, const char *fmt, ...) CF_PRINTF(3, 4);

/* Prints "FILE:LINE: MESSAGE" for an error about a value below `root`; with `root` NULL the message
 * has its line already. Counts the error; the status is CF_EXIT_FAILED. */
void cf_run_print_error(struct cf_run *run, const struct cf_document *doc,
                        const struct cf_json *root, const struct cf_err *err);

/* Counts and prints a row of the report. */
void cf_run_add_row(struct cf_run *run, const struct cf_report_row *row);

/* Prints what was skipped and the summary. */
void cf_run_print_end(struct cf_run *run);

/* Writes run->out to `stream` (a FILE) and empties it. */
void cf_run_flush(struct cf_run *run, void *stream);

#endif
