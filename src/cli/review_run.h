/* SPDX-License-Identifier: Apache-2.0 */
/* review_run.h - one run of `curfew review`, from its options to its exit code. Every step works
 * on the run and raises its status. */
#ifndef CURFEW_CLI_REVIEW_RUN_H
#define CURFEW_CLI_REVIEW_RUN_H

#include "curfew/attr.h"
#include "curfew/cmd.h"
#include "curfew/manifest.h"
#include "curfew/report.h"
#include "curfew/review.h"

struct cf_review_options {
    struct cf_opt_list files, objects;
    const char *config;         /* NULL: what is built in */
    const char *namespace_;     /* of objects that name none */
    const enum cf_level *level; /* NULL: labels and defaults decide */
    enum cf_phase phase;
    unsigned server_minor; /* of the API server that is meant, 1.<minor>; 0: unknown */
    bool fix, json, fail_on_warn;
};

/* One object: a document, or an item of a List. */
struct cf_review_item {
    const struct cf_document *doc;
    const struct cf_json *json;      /* NULL: a review whose JSON is broken */
    const char *kind;                /* as the manifest has it */
    const struct cf_kind_info *info; /* NULL: no rule knows it */
    bool is_review;                  /* an AdmissionReview or SubjectAccessReview: to be answered,
                                      * not judged */
    bool is_access;                  /* the latter */
    bool unreadable;                 /* told once; not judged again */
    bool fixed, broken;              /* by --fix: patched; or half patched, which is no object */
};

struct cf_review_items {
    struct cf_review_item *items;
    size_t count;
};

struct cf_run {
    const struct cf_review_options *opts;
    struct cf_arena *arena;
    struct cf_policy *policy;
    struct cf_store *store;
    int64_t now;
    struct cf_documents docs;
    struct cf_review_items items;   /* of the documents */
    struct cf_review_items objects; /* of --objects */
    struct cf_report report;
    size_t skipped; /* documents without a kind, found while opening */
    size_t errors;
    const char **unknown; /* "namespace/name" of Secrets nobody knows, sorted, each once */
    struct cf_buf out;    /* for stdout */
    int status;           /* enum cf_exit: the worst so far */
};

/* ---- review_load.c ---- */

/* Reads -f and --objects, opens Lists, fills the store. Everything that goes wrong is told and
 * hides nothing else. -1: out of memory. */
int cf_run_load(struct cf_run *run);

/* Fills a store like the run's, for which what is absent means what a server says it means. */
struct cf_store *cf_run_server_store(struct cf_run *run);

/* ---- review_judge.c ---- */

/* Judges all items and makes the report anew. With `fixed`, the fixes that exist are applied to
 * the items and their number is added to it. -1: out of memory. */
int cf_run_judge(struct cf_run *run, size_t *fixed);

/* ---- review_replay.c ---- */

/* Answers the documents of kind AdmissionReview and SubjectAccessReview, a line each in run->out.
 * Returns how many there are. */
size_t cf_run_replay(struct cf_run *run);

/* ---- review_fix.c ---- */

/* Applies the fixes of one item's judgement. False: there was nothing to apply. */
bool cf_run_fix_item(struct cf_run *run, struct cf_review_item *item,
                     const struct cf_request *request, const struct cf_judgement *judgement);

/* Prints every document of the run into run->out, as it stands now. */
void cf_run_print_documents(struct cf_run *run);

/* ---- review_say.c ---- */

/* A line on stderr, fit to print; raises the status. */
void cf_run_say(struct cf_run *run, enum cf_exit status, const char *fmt, ...) CF_PRINTF(3, 4);

/* "FILE:LINE: sentence" of an error about a value, with the line of the path that the sentence
 * begins with; CF_EXIT_FAILED. */
void cf_run_say_error(struct cf_run *run, const struct cf_document *doc, const struct cf_json *root,
                      const struct cf_err *err);

/* The line of the value at a path like spec.volumes[1].name, or of the nearest one above it that
 * exists; the document's where values have no lines (JSON). */
size_t cf_locate(struct cf_arena *arena, const struct cf_document *doc, const struct cf_json *root,
                 const char *path);

#endif
