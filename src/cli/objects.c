/* SPDX-License-Identifier: Apache-2.0 */
/* objects.c - splits a document into its objects, and finds the lines of values. */
#include "objects.h"

#include <string.h>

#include "curfew/writer.h"
#include "curfew/limits.h"
#include "curfew/object.h"
#include "curfew/str.h"

struct document_reader {
    const struct cf_document *doc;
    const struct cf_objects_visit *visit;
    struct cf_arena *of_doc, *of_items;
    struct cf_arena *arena;     /* of the current object: one of these two */
    const struct list_type *in; /* the List that is read item by item */
    bool has_items;             /* that List is not empty */
};

/* The type of a List. In typed Lists, as API servers send them, items lack kind and apiVersion. */
struct list_type {
    const char *kind; /* "PodList" */
    const char *api_version;
};

static int open_object(struct document_reader *o, const struct cf_json *json,
                       const struct list_type *in);

/* `json` NULL: the message has its line already. Returns 0, so that the visit continues. */
static int report_object_error(struct document_reader *o, const struct cf_json *json,
                               const struct cf_err *err)
{
    if (o->visit->error != NULL)
        o->visit->error(o->doc, json, err, o->visit->arg);
    return 0;
}

/* A member that is a string, or absent (*out is NULL). False: it has another type; an error was
 * reported. */
static bool read_text(struct document_reader *o, const struct cf_json *json, const char *key,
                      const char **out)
{
    const struct cf_json *value = cf_json_get(json, key);
    struct cf_err err;

    *out = cf_json_str(value);
    if (*out != NULL || cf_json_is_null(value))
        return true;
    cf_err_set(&err, "%s must be a string, not %s", key, cf_json_type_name(cf_json_type(value)));
    err.line = cf_json_line(value);
    report_object_error(o, json, &err);
    return false;
}

/* ---- Lists ---- */

static int open_item(struct document_reader *o, const struct cf_json *json, size_t index,
                     const struct list_type *list)
{
    struct cf_err err;

    if (cf_json_type(json) == CF_JSON_OBJECT)
        return open_object(o, json, list);
    cf_err_set(&err, "items[%zu] must be an object, not %s", index,
               cf_json_type_name(cf_json_type(json)));
    return report_object_error(o, json, &err);
}

static int open_items(struct document_reader *o, const struct cf_json *json,
                      const struct list_type *list)
{
    const struct cf_json *items = cf_json_get(json, "items"), *v;
    struct cf_err err;
    size_t i = 0;
    int rc = 0;

    if (items == NULL) {
        cf_err_set(&err, "a %s must have items, an array of objects", cf_str_or_empty(list->kind));
        return report_object_error(o, json, &err);
    }
    if (cf_json_type(items) != CF_JSON_ARRAY && !cf_json_is_null(items)) {
        cf_err_set(&err, "items must be an array, not %s", cf_json_type_name(cf_json_type(items)));
        err.line = cf_json_line(items);
        return report_object_error(o, json, &err);
    }
    if (cf_json_first(items) == NULL && o->visit->empty != NULL)
        o->visit->empty(o->doc, o->visit->arg);
    for (v = cf_json_first(items); v != NULL && rc == 0; v = cf_json_next(v), i++)
        rc = open_item(o, v, i, list);
    return rc;
}

/* Adds the kind and apiVersion that the List implies to an item. */
static int complete_item(struct document_reader *o, const struct cf_json *json,
                         const struct list_type *in)
{
    size_t len = strlen(in->kind) - strlen("List");
    struct cf_err err = {0};
    struct cf_buf patch;
    struct cf_out out;

    cf_buf_init_arena(&patch, o->arena, CF_ARENA_MAX);
    cf_out_init(&out, &patch);
    cf_out_array(&out, NULL);
    for (int i = 0; i < 2; i++) {
        cf_out_object(&out, NULL);
        cf_out_str(&out, "op", "add");
        cf_out_str(&out, "path", i == 0 ? "/apiVersion" : "/kind");
        cf_out_str(&out, "value",
                   i == 0 ? in->api_version : cf_arena_strndup(o->arena, in->kind, len));
        cf_out_end_object(&out);
    }
    cf_out_end_array(&out);
    return cf_json_patch(o->arena, (struct cf_json *)(uintptr_t)json, cf_buf_str(&patch), &err);
}

/* ---- objects ---- */

static int open_without_kind(struct document_reader *o, const struct cf_json *json,
                             const struct list_type *in)
{
    if (in != NULL && in->api_version != NULL && !cf_streq(in->kind, "List")) {
        if (complete_item(o, json, in) != 0)
            return -1;
        return open_object(o, json, NULL);
    }
    if (o->visit->no_kind != NULL)
        o->visit->no_kind(o->doc, json, o->visit->arg);
    return 0;
}

/* Checks the kind before all else: other fields of something without a kind do not matter. */
static int open_object(struct document_reader *o, const struct cf_json *json,
                       const struct list_type *in)
{
    struct cf_manifest_object object = {.doc = o->doc, .json = json, .arena = o->arena};
    struct list_type list;

    if (!read_text(o, json, "kind", &list.kind))
        return 0;
    if (cf_str_empty(list.kind))
        return open_without_kind(o, json, in);
    if (!read_text(o, json, "apiVersion", &list.api_version))
        return 0;
    if (cf_streq(list.kind, "List") ||
        (cf_ends_with(list.kind, "List") && cf_json_get(json, "items") != NULL))
        return open_items(o, json, &list);
    object.kind = list.kind;
    object.group = cf_api_group(o->arena, list.api_version);
    return object.group != NULL ? o->visit->object(&object, o->visit->arg) : -1;
}

static int streamed_item(const struct cf_document_item *item, void *arg)
{
    struct document_reader *o = arg;
    int rc;

    o->has_items = true;
    rc = item->json != NULL ? open_item(o, item->json, item->index, o->in)
                            : report_object_error(o, NULL, &item->err);
    if (rc == 0 && item->json != NULL && o->visit->item != NULL)
        rc = o->visit->item(item->json, o->visit->arg);
    cf_arena_reset(o->of_items, true);
    return rc;
}

/* A List that is read item by item; `doc->root` has its other members. */
static int open_streamed(struct document_reader *o)
{
    const struct cf_json *root = o->doc->root;
    struct list_type list;
    struct cf_err err = {0};
    int rc;

    if (!read_text(o, root, "kind", &list.kind) ||
        !read_text(o, root, "apiVersion", &list.api_version))
        return 0;
    o->in = &list;
    o->arena = o->of_items;
    rc = cf_document_items(o->doc, o->of_items, streamed_item, o, &err);
    cf_arena_reset(o->of_items, true);
    if (rc == 0 && !o->has_items && o->visit->empty != NULL)
        o->visit->empty(o->doc, o->visit->arg);
    return rc != 0 && err.kind != CF_ERR_NONE ? report_object_error(o, NULL, &err) : rc;
}

/* Whether the document is an array in JSON syntax. A YAML sequence with dashes is something else
 * than manifests, for example the patches of a kustomization, and is skipped. */
static bool begins_with_bracket(const struct cf_document *doc)
{
    size_t i = 0;

    while (i < doc->len && memchr(" \t\r\n", doc->bytes[i], 4) != NULL)
        i++;
    return i < doc->len && doc->bytes[i] == '[';
}

int cf_document_objects(const struct cf_document *doc, struct cf_arena *of_doc,
                        struct cf_arena *of_items, const struct cf_objects_visit *visit)
{
    struct document_reader o = {
        .doc = doc, .visit = visit, .of_doc = of_doc, .of_items = of_items, .arena = of_doc};
    struct cf_err err;

    if (doc->root == NULL)
        return 0;
    if (doc->is_streamed)
        return open_streamed(&o);
    if (cf_json_type(doc->root) == CF_JSON_ARRAY && begins_with_bracket(doc)) {
        cf_err_set(&err, "the document must be an object, not an array: put several objects into a "
                         "List or into separate documents");
        return report_object_error(&o, doc->root, &err);
    }
    return open_object(&o, doc->root, NULL);
}

/* ---- lines ---- */

/* The value at the path, or the nearest one above it that exists. */
static const struct cf_json *value_at(const struct cf_json *root, const struct cf_path *path)
{
    const struct cf_json *up, *value;

    if (path == NULL)
        return root;
    up = value_at(root, path->up);
    value = path->key != NULL ? cf_json_get(up, path->key) : cf_json_at(up, path->index);
    return value != NULL ? value : up;
}

size_t cf_locate(const struct cf_document *doc, const struct cf_json *root,
                 const struct cf_path *path)
{
    size_t line = cf_json_line(value_at(root, path));

    return line != 0 ? line : doc->line;
}

size_t cf_locate_error(const struct cf_document *doc, const struct cf_json *root,
                       const struct cf_err *err)
{
    return err->line != 0 ? err->line : cf_locate(doc, root, err->path);
}
