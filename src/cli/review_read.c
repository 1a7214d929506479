/* SPDX-License-Identifier: Apache-2.0 */
/* review_read.c - opens the inputs of a review run (-f and --objects), reads them as often as
 * needed, and fills the store. */
#include <stdlib.h>
#include <string.h>

#include "curfew/limits.h"
#include "curfew/str.h"
#include "review_run.h"

#define CAPACITY_MIN 64

/* ---- sets of names ----
 *
 * When the array is full, duplicates are removed first; it grows only if it is still half full. So
 * it has at most four times as many entries as there are different names. */

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

size_t cf_name_set_sort(struct cf_name_set *set)
{
    size_t kept = 0;

    if (set->sorted || set->count == 0)
        return set->count;
    qsort(set->items, set->count, sizeof(*set->items), compare_names);
    for (size_t i = 0; i < set->count; i++) {
        if (kept > 0 && strcmp(set->items[kept - 1], set->items[i]) == 0)
            free(set->items[i]);
        else
            set->items[kept++] = set->items[i];
    }
    set->count = kept;
    set->sorted = true;
    return kept;
}

static bool make_name_room(struct cf_name_set *set)
{
    size_t wanted = set->capacity == 0 ? CAPACITY_MIN : 2 * set->capacity;
    char **bigger;

    if (set->count < set->capacity)
        return true;
    if (cf_name_set_sort(set) < set->capacity / 2)
        return true;
    bigger = realloc(set->items, wanted * sizeof(*bigger));
    if (bigger == NULL)
        return false;
    set->items = bigger;
    set->capacity = wanted;
    return true;
}

void cf_name_set_add(struct cf_name_set *set, const char *text)
{
    char *copy = text != NULL && make_name_room(set) ? strdup(text) : NULL;

    if (copy == NULL) {
        set->failed = true;
        return;
    }
    set->items[set->count++] = copy;
    set->sorted = false;
}

static void name_set_free(struct cf_name_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        free(set->items[i]);
    free(set->items);
    *set = (struct cf_name_set){0};
}

/* ---- opening the inputs ---- */

static int open_inputs(struct cf_run *run, const struct cf_opt_list *paths,
                       struct cf_review_inputs *out)
{
    out->items = calloc(paths->count + 1, sizeof(*out->items));
    if (out->items == NULL)
        return -1;
    for (size_t i = 0; i < paths->count; i++) {
        struct cf_err err = {0};
        struct cf_manifest *manifest = cf_manifest_open(paths->items[i], &err);

        if (manifest != NULL) {
            out->items[out->count++].manifest = manifest;
            continue;
        }
        cf_run_print(run, CF_EXIT_FAILED, "curfew review: %s", err.msg);
        run->report.errors++;
    }
    return 0;
}

static void close_inputs(struct cf_review_inputs *inputs)
{
    for (size_t i = 0; i < inputs->count; i++)
        cf_manifest_close(inputs->items[i].manifest);
    free(inputs->items);
    *inputs = (struct cf_review_inputs){0};
}

void cf_run_close(struct cf_run *run)
{
    close_inputs(&run->files);
    close_inputs(&run->objects);
    name_set_free(&run->unknown);
}

/* ---- reading the inputs ---- */

/* The error of a path is printed once, by the first reading that meets it. */
static int read_inputs(struct cf_run *run, struct cf_review_inputs *inputs,
                       const struct cf_manifest_reading *how)
{
    for (size_t i = 0; i < inputs->count; i++) {
        struct cf_review_path *input = &inputs->items[i];
        struct cf_err err = {0};

        if (cf_manifest_read(input->manifest, how, &err) == 0)
            continue;
        if (err.kind == CF_ERR_NONE)
            return -1;
        if (!input->failed) {
            cf_run_print(run, CF_EXIT_FAILED, "curfew review: %s", err.msg);
            run->report.errors++;
        }
        input->failed = true;
    }
    return 0;
}

int cf_run_each(struct cf_run *run, int (*document)(const struct cf_document *doc, void *arg),
                bool (*worth)(const char *kind, void *arg), void *arg)
{
    const struct cf_manifest_reading how = {
        .arena = run->of_doc, .arg = arg, .document = document, .worth = worth};

    return read_inputs(run, &run->files, &how);
}

/* ---- filling the store ---- */

/* One reading that fills the store: of -f, or of --objects. */
struct store_filler {
    struct cf_run *run;
    bool reports; /* print errors: for --objects here, for -f when they are evaluated */
};

bool cf_is_review(const struct cf_manifest_object *object, bool *access)
{
    *access = cf_streq(object->kind, "SubjectAccessReview") &&
              (cf_str_empty(object->group) || cf_streq(object->group, "authorization.k8s.io"));
    return *access ||
           (cf_streq(object->kind, "AdmissionReview") &&
            (cf_str_empty(object->group) || cf_streq(object->group, "admission.k8s.io")));
}

/* Reviews are noted here, and read when they are answered. */
static bool worth_storing(const char *kind, void *arg)
{
    const struct store_filler *f = arg;

    f->run->has_reviews |=
        cf_streq(kind, "AdmissionReview") || cf_streq(kind, "SubjectAccessReview");
    return cf_store_keeps(kind);
}

static int store_object(const struct cf_manifest_object *object, void *arg)
{
    struct store_filler *f = arg;
    struct cf_run *run = f->run;
    struct cf_err err = {0};
    bool access;

    run->has_reviews |= !f->reports && cf_is_review(object, &access);
    if (!cf_store_keeps(object->kind) ||
        cf_store_add(run->store, object->json, run->opts->namespace, &err) == 0)
        return 0;
    if (err.kind == CF_ERR_SYSTEM)
        return -1;
    if (f->reports)
        cf_run_print_error(run, object->doc, object->json, &err);
    return 0;
}

static void store_error(const struct cf_document *doc, const struct cf_json *json,
                        const struct cf_err *err, void *arg)
{
    struct store_filler *f = arg;

    if (f->reports)
        cf_run_print_error(f->run, doc, json, err);
    cf_arena_reset(f->run->arena, false);
}

static int store_document(const struct cf_document *doc, void *arg)
{
    struct store_filler *f = arg;
    const struct cf_objects_visit visit = {.arg = f, .object = store_object, .error = store_error};
    int rc;

    f->run->documents += !f->reports;
    f->run->has_reviews |= !f->reports && doc->broken_review;
    if (doc->err.kind != CF_ERR_NONE && f->reports)
        cf_run_print_error(f->run, doc, NULL, &doc->err);
    rc = cf_document_objects(doc, f->run->of_doc, f->run->of_items, &visit);
    cf_arena_reset(f->run->of_doc, true);
    return rc;
}

static void pass_over(const char *path, enum cf_passed_over why, void *arg)
{
    const struct store_filler *f = arg;
    struct cf_run *run = f->run;

    run->passed_over++;
    if (run->opts->verbose)
        cf_run_print(run, CF_EXIT_OK, "%s: not read: %s", path,
                     why == CF_PASSED_LINK ? "it is a link to a directory" : "it is not a file");
}

/* The files of -f are read last: of two objects with one name, the last one wins. */
static int fill_store(struct cf_run *run)
{
    struct store_filler objects = {.run = run, .reports = true}, files = {.run = run};
    struct cf_manifest_reading how = {.arena = run->of_doc,
                                      .arg = &objects,
                                      .document = store_document,
                                      .passed_over = pass_over};

    if (read_inputs(run, &run->objects, &how) != 0)
        return -1;
    how.arg = &files;
    how.worth = worth_storing;
    return read_inputs(run, &run->files, &how);
}

int cf_run_load(struct cf_run *run)
{
    run->store = cf_store_new(CF_ABSENT_IS_UNKNOWN);
    if (run->store == NULL)
        return -1;
    cf_store_set_server_version(run->store, 1, run->opts->server_minor);
    if (open_inputs(run, &run->opts->objects, &run->objects) != 0 ||
        open_inputs(run, &run->opts->files, &run->files) != 0)
        return -1;
    return fill_store(run);
}
