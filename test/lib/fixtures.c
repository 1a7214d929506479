/* SPDX-License-Identifier: Apache-2.0 */
#include "fixtures.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "documents.h"

#include "curfew/buf.h"
#include "curfew/file.h"
#include "curfew/limits.h"
#include "curfew/str.h"
#include "curfew/time.h"
#include "curfew/writer.h"

static unsigned passed, failed;

/* ---- results ---- */

void result(bool ok, const char *name, const char *why)
{
    printf("%s %s%s%s\n", ok ? "ok" : "FAIL", name, ok ? "" : ": ", ok ? "" : why);
    if (ok)
        passed++;
    else
        failed++;
}

int finish(void)
{
    printf("%u passed, %u failed\n", passed, failed);
    return failed == 0 ? 0 : 1;
}

_Noreturn void give_up(const char *what)
{
    fprintf(stderr, "%s\n", what);
    exit(1);
}

/* ---- files ---- */

char *read_text(struct cf_arena *arena, const char *path)
{
    struct cf_buf buf;
    struct cf_err err;

    cf_buf_init_arena(&buf, arena, CF_FILE_MAX);
    return cf_file_read(path, &buf, &err) == 0 ? buf.data : NULL;
}

static bool write_text(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    if (f == NULL)
        return false;
    (void)fputs(text, f);
    return fclose(f) == 0;
}

bool is_expected(const char *path, const char *text)
{
    struct cf_buf wanted;
    struct cf_err err;
    bool same;

    if (getenv("UPDATE") != NULL)
        return write_text(path, text);
    cf_buf_init(&wanted, CF_FILE_MAX);
    same = cf_file_read(path, &wanted, &err) == 0 && cf_streq(cf_buf_str(&wanted), text);
    if (!same)
        printf("--- %s\n%s+++ got\n%s", path, cf_buf_str(&wanted), text);
    cf_buf_free(&wanted);
    return same;
}

unsigned each_file(const char *dir, void (*f)(const char *file, void *arg), void *arg)
{
    struct dirent **list;
    int n = scandir(dir, &list, NULL, alphasort);
    unsigned count = 0;

    for (int i = 0; i < n; i++) {
        if (list[i]->d_name[0] != '.') {
            f(list[i]->d_name, arg);
            count++;
        }
        free(list[i]);
    }
    if (n >= 0)
        free(list);
    return count;
}

/* ---- what a review is evaluated with ---- */

void add_object(struct cf_store *store, const struct cf_json *object)
{
    struct cf_err err;

    if (object == NULL || cf_store_add(store, object, "default", &err) != 0)
        give_up(object == NULL ? "an object that is not valid" : err.msg);
}

struct cf_store *store_of(const char *path)
{
    struct cf_store *store = cf_store_new(CF_ABSENT_IS_PLAIN);
    struct cf_arena *arena = cf_arena_new(CF_ARENA_MAX);
    struct documents docs = {0};
    struct cf_err err = {0};

    if (store == NULL || arena == NULL || documents_read(arena, path, &docs, &err) != 0)
        give_up(err.msg);
    for (size_t i = 0; i < docs.count; i++)
        add_object(store, docs.items[i].root);
    cf_arena_free(arena);
    return store;
}

struct cf_policy *policy_of(const char *lines)
{
    struct cf_policy *policy;
    struct cf_err err;
    char text[1024];

    snprintf(text, sizeof(text), "apiVersion: curfew.dev/v1alpha1\nkind: CurfewConfiguration\n%s\n",
             lines);
    policy =
        cf_policy_parse(text, strlen(text), "config", cf_rule_configs(), cf_rule_count, NOW, &err);
    if (policy == NULL)
        give_up(err.msg);
    return policy;
}

/* ---- JSON ---- */

const struct cf_json *parse_json(struct cf_arena *arena, const char *text)
{
    return cf_json_parse(arena, text, strlen(text), NULL, NULL, NULL);
}

const char *json_text(struct cf_arena *arena, const struct cf_json *value)
{
    struct cf_buf buf;
    struct cf_out out;

    cf_buf_init_arena(&buf, arena, CF_FILE_MAX);
    cf_out_init(&out, &buf);
    cf_out_value(&out, NULL, value);
    return cf_buf_str(&buf);
}

const char *patch_json(struct cf_arena *arena, const struct cf_json *value, const char *patch)
{
    struct cf_err err;

    if (cf_json_patch(arena, (struct cf_json *)(uintptr_t)value, patch, &err) == 0)
        return NULL;
    return cf_arena_strdup(arena, err.msg);
}

/* ---- reviews ---- */

int evaluate(struct cf_arena *arena, const struct trial_input *in, const char *review,
             struct cf_request **request, struct cf_evaluation *out, struct cf_err *err)
{
    struct cf_engine_input engine = {.policy = in->policy,
                                     .store = in->store,
                                     .now = cf_now(),
                                     .modes = CF_ALL_MODES,
                                     .level = &in->level};

    if (cf_review_decode(arena, review, strlen(review), request, err) != 0)
        return -1;
    return cf_engine_run(arena, &engine, *request, out, err);
}

const char *review_of(struct cf_arena *arena, const struct cf_json *doc)
{
    const char *kind = cf_json_str(cf_json_get(doc, "kind"));
    const char *version = cf_str_or_empty(cf_json_str(cf_json_get(doc, "apiVersion")));
    const struct cf_json *meta = cf_json_get(doc, "metadata");
    const char *slash = strchr(version, '/');
    struct cf_buf buf;
    struct cf_out out;

    if (cf_streq(kind, "AdmissionReview"))
        return json_text(arena, doc);
    cf_buf_init_arena(&buf, arena, CF_FILE_MAX);
    cf_out_init(&out, &buf);
    cf_out_object(&out, NULL);
    cf_out_str(&out, "apiVersion", "admission.k8s.io/v1");
    cf_out_str(&out, "kind", "AdmissionReview");
    cf_out_object(&out, "request");
    cf_out_str(&out, "uid", "fixture");
    cf_out_object(&out, "kind");
    cf_out_str(&out, "group",
               slash != NULL ? cf_arena_strndup(arena, version, (size_t)(slash - version)) : "");
    cf_out_str(&out, "kind", kind);
    cf_out_end_object(&out);
    cf_out_str(&out, "operation", "CREATE");
    cf_out_value(&out, "name", cf_json_get(meta, "name"));
    cf_out_value(&out, "namespace", cf_json_get(meta, "namespace"));
    cf_out_value(&out, "object", doc);
    cf_out_end_object(&out);
    cf_out_end_object(&out);
    return cf_buf_str(&buf);
}
