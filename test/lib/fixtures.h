/* SPDX-License-Identifier: Apache-2.0 */
/* fixtures.h - what the programs share that try many files: results, expected texts (goldens), a
 * store and a policy, evaluating a review. Linked with those of test/rules, test/recorded,
 * test/property and test/fuzz. */
#ifndef CURFEW_TEST_FIXTURES_H
#define CURFEW_TEST_FIXTURES_H

#include "curfew/json.h"
#include "curfew/review.h"

#define NOW 1795305600 /* 2026-11-22T00:00:00Z */

/* ---- results ---- */

/* One line: "ok NAME", or "FAIL NAME: WHY". */
void result(bool ok, const char *name, const char *why);

/* Prints "N passed, N failed"; returns the exit status. */
int finish(void);

/* Ends the program with exit status 1. */
_Noreturn void give_up(const char *what);

/* ---- files ---- */

/* In the arena, terminated by a NUL; NULL: it cannot be read. */
char *read_text(struct cf_arena *arena, const char *path);

/* Whether the file holds this text. If not, both are printed. With UPDATE in the environment it is
 * written instead. */
bool is_expected(const char *path, const char *text);

/* Calls `f` for each file of the folder, in order, but hidden ones; returns how many. */
unsigned each_file(const char *dir, void (*f)(const char *file, void *arg), void *arg);

/* ---- what a review is evaluated with; each gives up when it cannot be made ---- */

/* A store of the objects in a file. */
struct cf_store *store_of(const char *path);
void add_object(struct cf_store *store, const struct cf_json *object);

/* The configuration of these lines, without its head. */
struct cf_policy *policy_of(const char *lines);

/* ---- JSON ---- */

/* In the arena; parse_json() gives NULL for what is not valid. */
const struct cf_json *parse_json(struct cf_arena *arena, const char *text);
const char *json_text(struct cf_arena *arena, const struct cf_json *value);

/* Applies a patch in place; NULL, or why it does not apply. */
const char *patch_json(struct cf_arena *arena, const struct cf_json *value, const char *patch);

/* ---- reviews ---- */

struct trial_input {
    const struct cf_policy *policy;
    const struct cf_store *store;
    enum cf_level level;
};

/* All findings of a review in JSON, at one level; 0, or -1 and `err`. */
int evaluate(struct cf_arena *arena, const struct trial_input *in, const char *review,
             struct cf_request **request, struct cf_evaluation *out, struct cf_err *err);

/* The review of creating the object, or the review that `doc` is. */
const char *review_of(struct cf_arena *arena, const struct cf_json *doc);

#endif
