/* SPDX-License-Identifier: Apache-2.0 */
/* values.c - prints the values that Curfew reads in files, for main.go to compare with kubectl's.
 *
 * Takes the names of files from standard input, one a line. Of each it prints "file NAME", then a
 * line for each document that has content, and an empty line:
 *
 *   value LINE JSON
 *   error MESSAGE */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "curfew/buf.h"
#include "curfew/writer.h"
#include "curfew/limits.h"
#include "curfew/documents.h"

static struct cf_arena *arena;

static int add_item(const struct cf_document_item *item, void *arg)
{
    struct cf_out *out = arg;

    if (item->json == NULL)
        cf_out_str(out, NULL, item->err.msg);
    else
        cf_out_value(out, NULL, item->json);
    return cf_buf_ok(out->buf) ? 0 : -1;
}

/* A large List is read item by item; its other members are in the root. */
static int add_streamed(struct cf_out *out, const struct cf_document *doc)
{
    const struct cf_json *member = cf_json_first(doc->root);
    struct cf_arena *items = cf_arena_new(CF_ARENA_MAX);
    struct cf_err err;
    int rc;

    if (items == NULL)
        return -1;
    cf_out_object(out, NULL);
    for (; member != NULL; member = cf_json_next(member))
        cf_out_value(out, cf_json_key(member), member);
    cf_out_array(out, "items");
    rc = cf_document_items(doc, items, add_item, out, &err);
    cf_out_end_array(out);
    cf_out_end_object(out);
    cf_arena_free(items);
    return rc;
}

static int print_document(const struct cf_document *doc, void *arg)
{
    struct cf_buf buf;
    struct cf_out out;

    (void)arg;
    cf_buf_init(&buf, CF_REPORT_MAX);
    cf_out_init(&out, &buf);
    if (doc->err.kind != CF_ERR_NONE)
        printf("error %s\n", doc->err.msg);
    else if (doc->is_streamed && add_streamed(&out, doc) != 0)
        printf("error an item of the List can't be read\n");
    else if (doc->is_streamed || !cf_json_is_null(doc->root)) {
        if (!doc->is_streamed)
            cf_out_value(&out, NULL, doc->root);
        if (cf_buf_ok(&buf))
            printf("value %zu %s\n", doc->line, cf_buf_str(&buf));
        else
            printf("error out of memory\n");
    }
    cf_buf_free(&buf);
    cf_arena_reset(arena, true);
    return 0;
}

static void print_file(const char *path)
{
    struct cf_manifest_reading how = {.arena = arena, .document = print_document};
    struct cf_err err;
    struct cf_manifest *manifest = cf_manifest_open(path, &err);

    printf("file %s\n", path);
    if (manifest == NULL || cf_manifest_read(manifest, &how, &err) != 0)
        printf("error %s\n", err.msg);
    cf_manifest_close(manifest);
    printf("\n");
    fflush(stdout);
}

int main(void)
{
    char *line = NULL;
    size_t cap = 0;
    ssize_t len;

    cf_json_init();
    arena = cf_arena_new(CF_ARENA_MAX);
    if (arena == NULL)
        return 1;
    while ((len = getline(&line, &cap, stdin)) > 0) {
        if (line[len - 1] == '\n')
            line[len - 1] = '\0';
        print_file(line);
    }
    free(line);
    cf_arena_free(arena);
    return 0;
}
