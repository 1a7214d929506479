/* SPDX-License-Identifier: Apache-2.0 */
/* kubectl.c - simulates kubectl and the API server in the demo.
 *
 *   kubectl create SERVER CA-FILE MANIFEST REVIEW STORED
 *   kubectl volumes REVIEW
 *
 * `create` sends REVIEW as an API server does: to /mutate and, with the patch applied, to
 * /validate, with the HTTP client of `curfew probe`. It prints the output of kubectl, and writes
 * the patched review to STORED, which stays absent without a patch. 0 created, 1 no response, 2
 * denied. `volumes` prints spec.volumes of the object as YAML. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "fixtures.h"

#include "curfew/base64.h"
#include "curfew/buf.h"
#include "curfew/client.h"
#include "curfew/limits.h"
#include "curfew/str.h"
#include "curfew/writer.h"

static struct cf_arena *arena;

static const struct cf_json *read_json(const char *path)
{
    const char *text = read_text(arena, path);
    const struct cf_json *root = text != NULL ? parse_json(arena, text) : NULL;

    if (root == NULL)
        give_up(path);
    return root;
}

static const char *text_at(const struct cf_json *root, const char *pointer)
{
    return cf_str_or_empty(cf_json_str(cf_json_pointer(root, pointer)));
}

/* Prints the warnings of the response, too. */
static const struct cf_json *post(struct cf_api *api, const char *path,
                                  const struct cf_json *review)
{
    struct cf_api_call call = {
        .method = "POST", .path = path, .max = CF_ANSWER_MAX, .timeout_seconds = 10};
    const struct cf_json *response;
    struct cf_err err = {0};
    unsigned status = 0;
    struct cf_buf body;

    call.body = json_text(arena, review);
    call.body_len = strlen(call.body);
    cf_buf_init(&body, CF_ANSWER_MAX);
    if (cf_api_call(api, &call, &status, &body, &err) != 0 || status != 200)
        give_up(status == 200 || status == 0 ? err.msg : cf_buf_str(&body));
    response = cf_json_get(parse_json(arena, cf_buf_str(&body)), "response");
    cf_buf_free(&body);
    for (const struct cf_json *w = cf_json_first(cf_json_get(response, "warnings")); w != NULL;
         w = cf_json_next(w))
        printf("Warning: %s\n", cf_str_or_empty(cf_json_str(w)));
    return response;
}

static void apply_patch(const struct cf_json *review, const char *base64, const char *stored)
{
    const struct cf_json *object = cf_json_pointer(review, "/request/object");
    FILE *out = fopen(stored, "w");
    struct cf_buf patch;
    const char *why;

    cf_buf_init_arena(&patch, arena, CF_ANSWER_MAX);
    if (!cf_base64_decode(base64, strlen(base64), &patch))
        give_up("the patch is not base64");
    why = patch_json(arena, object, cf_buf_str(&patch));
    if (why != NULL || out == NULL)
        give_up(why != NULL ? why : stored);
    fputs(json_text(arena, review), out);
    fclose(out);
}

/* "deployment.apps/web" */
static void print_name(const struct cf_json *review)
{
    const char *group = text_at(review, "/request/kind/group");

    for (const char *c = text_at(review, "/request/kind/kind"); *c != '\0'; c++)
        putchar(tolower((unsigned char)*c));
    printf("%s%s/%s", *group != '\0' ? "." : "", group,
           text_at(review, "/request/object/metadata/name"));
}

static int create(const char *server, const char *ca, const char *manifest, const char *path,
                  const char *stored)
{
    const struct cf_json *review = read_json(path), *response;
    struct cf_err err = {0};
    struct cf_api *api = cf_api_open_at(server, ca, NULL, &err);
    const char *patch;
    bool allowed;

    if (api == NULL)
        give_up(err.msg);
    patch = cf_json_str(cf_json_get(post(api, "/mutate?timeout=10s", review), "patch"));
    if (patch != NULL)
        apply_patch(review, patch, stored);
    response = post(api, "/validate?timeout=10s", review);
    allowed = cf_json_true(cf_json_get(response, "allowed"));
    if (allowed) {
        print_name(review);
        puts(" created");
    } else {
        printf("Error from server (%s): error when creating \"%s\": "
               "admission webhook \"validate.curfew.dev\" denied the request: %s\n",
               text_at(response, "/status/reason"), manifest, text_at(response, "/status/message"));
    }
    cf_api_close(api);
    return allowed ? 0 : 2;
}

static int volumes(const char *review)
{
    struct cf_buf text;

    cf_buf_init_arena(&text, arena, CF_FILE_MAX);
    cf_yaml_write(&text, cf_json_pointer(read_json(review), "/request/object/spec/volumes"), 0);
    fputs(cf_buf_str(&text), stdout);
    return 0;
}

int main(int argc, char **argv)
{
    cf_json_init();
    arena = cf_arena_new(CF_ARENA_MAX);
    if (argc == 7 && cf_streq(argv[1], "create"))
        return create(argv[2], argv[3], argv[4], argv[5], argv[6]);
    if (argc == 3 && cf_streq(argv[1], "volumes"))
        return volumes(argv[2]);
    fputs("demo: kubectl create SERVER CA-FILE MANIFEST REVIEW STORED | volumes REVIEW\n", stderr);
    return 1;
}
