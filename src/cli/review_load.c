/* SPDX-License-Identifier: Apache-2.0 */
/* review_load.c - from files to objects: Lists are opened, and the store learns what it can. */
#include <string.h>

#include "curfew/json_out.h"
#include "curfew/limits.h"
#include "curfew/str.h"
#include "review_run.h"

/* What is being opened: documents of -f, or of --objects, which are never judged. */
struct opening {
    struct cf_run *run;
    struct cf_review_items *items;
    const struct cf_document *doc;
    bool to_be_judged;
};

/* A typed List as the API server sends it: its items name no kind of their own. */
struct list {
    const char *kind; /* "PodList" */
    const char *api_version;
};

static int open_object(struct opening *o, const struct cf_json *json, const struct list *in);

static void failed(struct opening *o, const struct cf_json *at, const struct cf_err *err)
{
    cf_run_say_error(o->run, o->doc, at, err);
    o->run->errors++;
}

/* A member that is a text, or absent (NULL); false and a sentence when it is anything else. */
static bool read_text(struct opening *o, const struct cf_json *json, const char *key,
                      const char **out)
{
    const struct cf_json *value = cf_json_get(json, key);
    struct cf_err err;

    *out = cf_json_str(value);
    if (*out != NULL || cf_json_is_null(value))
        return true;
    cf_err_set(&err, "%s must be a string, not %s", key, cf_json_type_name(cf_json_type(value)));
    failed(o, json, &err);
    return false;
}

static int add_item(struct opening *o, const struct cf_json *json, const char *kind,
                    const char *group)
{
    struct cf_review_items *row = o->items;
    bool access = cf_streq(kind, "SubjectAccessReview") &&
                  (cf_str_empty(group) || cf_streq(group, "authorization.k8s.io"));
    size_t n = row->count;
    struct cf_review_item *items;

    if (n == 0 || (n >= 8 && (n & (n - 1)) == 0)) {
        items = cf_arena_array(o->run->arena, n == 0 ? 8 : 2 * n, sizeof(*items));
        if (items == NULL)
            return -1;
        if (n > 0)
            memcpy(items, row->items, n * sizeof(*items));
        row->items = items;
    }
    row->items[row->count++] = (struct cf_review_item){
        .doc = o->doc,
        .json = json,
        .kind = kind,
        .info = cf_kind_find(group, kind),
        .is_review = access || (cf_streq(kind, "AdmissionReview") &&
                                (cf_str_empty(group) || cf_streq(group, "admission.k8s.io"))),
        .is_access = access,
    };
    return 0;
}

static int open_items(struct opening *o, const struct cf_json *json, const struct list *list)
{
    const struct cf_json *items = cf_json_get(json, "items"), *v;
    struct cf_err err;
    size_t i = 0;

    if (!cf_json_is_null(items) && cf_json_type(items) != CF_JSON_ARRAY) {
        cf_err_set(&err, "items must be an array, not %s", cf_json_type_name(cf_json_type(items)));
        failed(o, json, &err);
        return 0;
    }
    for (v = cf_json_first(items); v != NULL; v = cf_json_next(v), i++) {
        if (cf_json_type(v) == CF_JSON_OBJECT) {
            if (open_object(o, v, list) != 0)
                return -1;
            continue;
        }
        cf_err_set(&err, "items[%zu] must be an object, not %s", i,
                   cf_json_type_name(cf_json_type(v)));
        failed(o, json, &err);
    }
    return 0;
}

/* Gives an item the kind that its List implies. */
static int complete(struct opening *o, const struct cf_json *json, const struct list *in)
{
    size_t len = strlen(in->kind) - strlen("List");
    struct cf_err err = {0};
    struct cf_buf patch;
    struct cf_out out;

    cf_buf_init_arena(&patch, o->run->arena, CF_ARENA_MAX);
    cf_out_init(&out, &patch);
    cf_out_array(&out, NULL);
    for (int i = 0; i < 2; i++) {
        cf_out_object(&out, NULL);
        cf_out_str(&out, "op", "add");
        cf_out_str(&out, "path", i == 0 ? "/apiVersion" : "/kind");
        cf_out_str(&out, "value",
                   i == 0 ? in->api_version : cf_arena_strndup(o->run->arena, in->kind, len));
        cf_out_end_object(&out);
    }
    cf_out_end_array(&out);
    return cf_json_patch(o->run->arena, (struct cf_json *)(uintptr_t)json, cf_buf_str(&patch),
                         &err);
}

static int no_kind(struct opening *o, const struct cf_json *json, const struct list *in)
{
    if (in != NULL && in->api_version != NULL && !cf_streq(in->kind, "List")) {
        if (complete(o, json, in) != 0)
            return -1;
        return open_object(o, json, NULL);
    }
    if (!o->to_be_judged)
        return 0;
    o->run->skipped++;
    cf_run_say(o->run, CF_EXIT_OK, "%s:%zu: skipped: no kind", o->doc->file,
               cf_locate(o->run->arena, o->doc, json, ""));
    return 0;
}

static int open_object(struct opening *o, const struct cf_json *json, const struct list *in)
{
    struct list list;
    const char *group;

    if (!read_text(o, json, "kind", &list.kind) ||
        !read_text(o, json, "apiVersion", &list.api_version))
        return 0;
    if (cf_str_empty(list.kind))
        return no_kind(o, json, in);
    if (cf_streq(list.kind, "List") ||
        (cf_ends_with(list.kind, "List") && cf_json_get(json, "items") != NULL))
        return open_items(o, json, &list);
    group = cf_api_group(o->run->arena, list.api_version);
    if (group == NULL)
        return -1;
    return add_item(o, json, list.kind, group);
}

static int open_documents(struct cf_run *run, const struct cf_documents *docs,
                          struct cf_review_items *items, bool to_be_judged)
{
    struct opening o = {.run = run, .items = items, .to_be_judged = to_be_judged};

    for (size_t i = 0; i < docs->count; i++) {
        o.doc = &docs->items[i];
        if (o.doc->broken_review && to_be_judged) {
            if (add_item(&o, NULL, "AdmissionReview", "admission.k8s.io") != 0)
                return -1;
        } else if (o.doc->err.kind != CF_ERR_NONE) {
            cf_run_say(run, CF_EXIT_FAILED, "%s", o.doc->err.msg);
            run->errors++;
        } else if (o.doc->root != NULL && open_object(&o, o.doc->root, NULL) != 0) {
            return -1;
        }
    }
    return 0;
}

static void read_all(struct cf_run *run, const struct cf_opt_list *paths, struct cf_documents *out)
{
    for (size_t i = 0; i < paths->count; i++) {
        struct cf_err err = {0};

        if (cf_documents_read(run->arena, paths->items[i], out, &err) == 0)
            continue;
        cf_run_say(run, CF_EXIT_FAILED, "curfew review: %s", err.msg);
        run->errors++;
    }
}

/* What can't be read of the run's own objects is told when they are judged. */
static int store_items(struct cf_run *run, struct cf_store *store,
                       const struct cf_review_items *items, bool tell)
{
    for (size_t i = 0; i < items->count; i++) {
        const struct cf_review_item *item = &items->items[i];
        struct cf_err err = {0};

        if (item->json == NULL || cf_store_add(store, item->json, run->opts->namespace_, &err) == 0)
            continue;
        if (err.kind == CF_ERR_SYSTEM)
            return -1;
        if (tell) {
            cf_run_say_error(run, item->doc, item->json, &err);
            run->errors++;
        }
    }
    return 0;
}

/* The run's objects come last, and win. */
static struct cf_store *fill_store(struct cf_run *run, enum cf_store_absent absent, bool tell)
{
    struct cf_store *store = cf_store_new(absent);

    if (store == NULL)
        return NULL;
    cf_store_set_server_version(store, 1, run->opts->server_minor);
    if (store_items(run, store, &run->objects, tell) == 0 &&
        store_items(run, store, &run->items, false) == 0)
        return store;
    cf_store_free(store);
    return NULL;
}

struct cf_store *cf_run_server_store(struct cf_run *run)
{
    return fill_store(run, CF_ABSENT_IS_PLAIN, false);
}

int cf_run_load(struct cf_run *run)
{
    struct cf_documents objects = {0};

    read_all(run, &run->opts->objects, &objects);
    read_all(run, &run->opts->files, &run->docs);
    if (open_documents(run, &objects, &run->objects, false) != 0 ||
        open_documents(run, &run->docs, &run->items, true) != 0)
        return -1;
    run->store = fill_store(run, CF_ABSENT_IS_UNKNOWN, true);
    return run->store != NULL ? 0 : -1;
}
