/* SPDX-License-Identifier: Apache-2.0 */
/* review_run.h - one run of `curfew review`, from its options to its exit code. Every step works
 * on the run and raises its status.
 *
 * What is given with -f is read twice: first for what lookups need of it (names, types, labels),
 * which the store keeps, then to judge it, one object at a time. So a Secret may come after the pod
 * that names it, and the memory that is needed does not grow with the input. */
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
    const char *config;         /* NULL: what is built in */
    const char *namespace;      /* of objects that name none */
    const enum cf_level *level; /* NULL: labels and defaults decide */
    enum cf_phase phase;
    unsigned server_minor; /* of the API server that is meant, 1.<minor>; 0: unknown */
    bool fix, json, fail_on_warn, verbose;
};

/* Names that are counted once each, however often they come. */
struct cf_name_set {
    char **items;
    size_t count, capacity;
    bool sorted; /* and each is there once */
    bool failed; /* out of memory */
};

/* Paths as they were given, open for several readings. */
struct cf_review_inputs {
    struct cf_review_path {
        struct cf_manifest *manifest;
        bool failed; /* it could not be read, which was reported */
    } * items;
    size_t count;
};

struct cf_run {
    const struct cf_review_options *opts;
    struct cf_arena *of_doc;   /* of the document that is being read */
    struct cf_arena *of_items; /* of the item, where that is a List */
    struct cf_arena *arena;    /* of the object that is being judged */
    struct cf_policy *policy;
    struct cf_store *store;
    int64_t now;
    struct cf_review_inputs files, objects;
    bool has_reviews; /* AdmissionReviews or SubjectAccessReviews are among the files */

    struct cf_report report;
    size_t documents; /* of -f, empty ones too: known when the store is filled */
    size_t objects_seen, answered;
    size_t printed;             /* documents, by --fix */
    bool as_it_stands;          /* nothing of the document that is being judged is repaired */
    size_t passed_over;         /* links to folders, and what is no file */
    size_t templates;           /* objects with a pod template that no rule reads */
    const char *namespace;      /* of the object that is being judged */
    struct cf_name_set unknown; /* "namespace/name" of Secrets that no input holds */
    struct cf_buf out;          /* for stdout, or stderr with --fix; emptied after each row */
    struct cf_out rows;         /* the JSON report in `out` */
    bool rows_open;
    int status; /* enum cf_exit: the worst so far */
};

/* ---- review_read.c ---- */

/* Opens the paths of -f and --objects, and fills the store from all of them. What goes wrong is
 * reported and hides nothing else. -1: out of memory. */
int cf_run_load(struct cf_run *run);

/* Reads all documents of -f. `worth` as in struct cf_manifest_reading. -1: out of memory. */
int cf_run_each(struct cf_run *run, int (*document)(const struct cf_document *doc, void *arg),
                bool (*worth)(const char *kind, void *arg), void *arg);

void cf_run_close(struct cf_run *run);

/* An AdmissionReview, or a SubjectAccessReview (`access`): it is answered, not judged. */
bool cf_is_review(const struct cf_manifest_object *object, bool *access);

/* ---- review_evaluate.c ---- */

/* Judges all documents, prints what was found, and with --fix the documents. -1: out of memory. */
int cf_run_evaluate(struct cf_run *run);

/* Judges one object. With --fix its fixes are applied to it: *fixed tells whether there were any,
 * *broken that one of them failed half way. Silent: nothing is counted or printed. -1: out of
 * memory. */
int cf_run_evaluate_object(struct cf_run *run, const struct cf_manifest_object *object, bool silent,
                           bool *fixed, bool *broken);

/* Answers the documents of kind AdmissionReview and SubjectAccessReview, a line each on stdout.
 * -1: out of memory. */
int cf_run_replay(struct cf_run *run);

/* ---- review_fix.c ---- */

/* Applies the fixes of one object's judgement to it. False: there was nothing to apply, or
 * (*broken) they could not be applied. */
bool cf_run_fix_object(struct cf_run *run, const struct cf_manifest_object *object,
                       const struct cf_request *request, const struct cf_evaluation *judgement,
                       bool silent, bool *broken);

/* Prints a document to stdout: as it stands in the file, or, where it was `fixed` and is `whole`,
 * as it is now. Not whole: a part of it could not be read, or was left half fixed. -1: out of
 * memory. */
int cf_run_print_document(struct cf_run *run, const struct cf_document *doc, bool fixed,
                          bool whole);

/* ---- review_print.c ---- */

/* A line on stderr, fit to print; raises the status. */
void cf_run_print(struct cf_run *run, enum cf_exit status, const char *fmt, ...) CF_PRINTF(3, 4);

/* "FILE:LINE: sentence" of an error about a value, with the line of the path that the sentence
 * begins with; with `root` NULL, the sentence as it is. CF_EXIT_FAILED, and one error more. */
void cf_run_print_error(struct cf_run *run, const struct cf_document *doc,
                        const struct cf_json *root, const struct cf_err *err);

/* A row of the report: printed, and counted. */
void cf_run_add_row(struct cf_run *run, const struct cf_report_row *row);

/* What stands below the rows. */
void cf_run_print_end(struct cf_run *run);

/* Writes run->out to `stream` and empties it. */
void cf_run_flush(struct cf_run *run, void *stream);

void cf_name_set_add(struct cf_name_set *set, const char *text);
/* Sorts them; returns how many there are. */
size_t cf_name_set_sort(struct cf_name_set *set);

#endif
