/* SPDX-License-Identifier: Apache-2.0 */
/* kubectl.c - simulates kubectl and the API server in the demo.
 *
 *   kubectl patch ANSWER             prints the base64 patch of a response
 *   kubectl patched REVIEW PATCH     prints the review with the patch applied, for /validate
 *   kubectl volumes REVIEW           prints spec.volumes of the object as YAML
 *   kubectl create FILE REVIEW ANSWER...
 *                                    prints what kubectl would; exits 0 created, 1 denied, 3 error */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "curfew/arena.h"
#include "curfew/buf.h"
#include "curfew/file.h"
#include "curfew/json.h"
#include "curfew/writer.h"
#include "curfew/limits.h"
#include "curfew/str.h"

static struct cf_arena *arena;

static void give_up(const char *path, const char *why)
{
    fprintf(stderr, "demo: %s: %s\n", path, why);
    exit(3);
}

/* NUL-terminated, and never freed: this program ends soon. */
static struct cf_buf read_file(const char *path)
{
    struct cf_buf buf;
    struct cf_err err = {0};

    cf_buf_init(&buf, CF_FILE_MAX);
    if (cf_file_read(path, &buf, &err) != 0)
        give_up(path, err.msg);
    return buf;
}

static const struct cf_json *read_json(const char *path)
{
    struct cf_buf text = read_file(path);
    struct cf_err err = {0};
    const struct cf_json *root;

    root = cf_json_parse(arena, cf_buf_str(&text), text.len, NULL, NULL, &err);
    if (root == NULL)
        give_up(path, err.msg);
    return root;
}

static const char *text_at(const struct cf_json *root, const char *pointer)
{
    return cf_str_or_empty(cf_json_str(cf_json_pointer(root, pointer)));
}

static int patch(const char *answer)
{
    const char *text = text_at(read_json(answer), "/response/patch");

    if (*text == '\0')
        give_up(answer, "it holds no patch");
    puts(text);
    return 0;
}

static int patched(const char *review, const char *patch_file)
{
    const struct cf_json *root = read_json(review);
    const struct cf_json *object = cf_json_pointer(root, "/request/object");
    struct cf_buf ops = read_file(patch_file), text;
    struct cf_out out;
    struct cf_err err = {0};

    if (cf_json_patch(arena, (struct cf_json *)(uintptr_t)object, cf_buf_str(&ops), &err) != 0)
        give_up(patch_file, err.msg);
    cf_buf_init(&text, CF_FILE_MAX);
    cf_out_init(&out, &text);
    cf_out_value(&out, NULL, root);
    puts(cf_buf_str(&text));
    return 0;
}

static int volumes(const char *review)
{
    struct cf_buf text;

    cf_buf_init(&text, CF_FILE_MAX);
    cf_yaml_write(&text, cf_json_pointer(read_json(review), "/request/object/spec/volumes"), 0);
    fputs(cf_buf_str(&text), stdout);
    return 0;
}

/* "deployment.apps/web" */
static void print_name(const struct cf_json *review)
{
    const char *group = text_at(review, "/request/kind/group");
    const char *name = text_at(review, "/request/object/metadata/name");

    for (const char *c = text_at(review, "/request/kind/kind"); *c != '\0'; c++)
        putchar(tolower((unsigned char)*c));
    printf("%s%s/%s", *group != '\0' ? "." : "", group, name);
}

static int create(const char *file, const char *review, char **answers, int count)
{
    for (int i = 0; i < count; i++) {
        const struct cf_json *answer = read_json(answers[i]);
        const struct cf_json *warnings = cf_json_pointer(answer, "/response/warnings");

        for (const struct cf_json *w = cf_json_first(warnings); w != NULL; w = cf_json_next(w))
            printf("Warning: %s\n", cf_str_or_empty(cf_json_str(w)));
        if (cf_json_true(cf_json_pointer(answer, "/response/allowed")))
            continue;
        printf("Error from server (%s): error when creating \"%s\": "
               "admission webhook \"validate.curfew.dev\" denied the request: %s\n",
               text_at(answer, "/response/status/reason"), file,
               text_at(answer, "/response/status/message"));
        return 1;
    }
    print_name(read_json(review));
    puts(" created");
    return 0;
}

int main(int argc, char **argv)
{
    cf_json_init();
    arena = cf_arena_new(CF_ARENA_MAX);
    if (argc == 3 && cf_streq(argv[1], "patch"))
        return patch(argv[2]);
    if (argc == 4 && cf_streq(argv[1], "patched"))
        return patched(argv[2], argv[3]);
    if (argc == 3 && cf_streq(argv[1], "volumes"))
        return volumes(argv[2]);
    if (argc >= 5 && cf_streq(argv[1], "create"))
        return create(argv[2], argv[3], argv + 4, argc - 4);
    fputs("demo: kubectl patch|patched|volumes|create FILE...\n", stderr);
    return 3;
}
