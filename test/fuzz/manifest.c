/* SPDX-License-Identifier: Apache-2.0 */
/* manifest - `curfew review` on a file: with --fix, again on the output of that, and without --fix.
 *
 * Bit 0 of the first byte selects JSON, bits 1 and 2 the level (3: no level); the rest is the file.
 */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "leaks.h"

#include "documents.h"
#include "../src/json/json_private.h"
#include "curfew/attr.h"
#include "curfew/cmd.h"
#include "curfew/writer.h"
#include "curfew/limits.h"

/* Aliases expand to more than their bytes, up to 300,000 values a document: time is linear in the
 * expanded size. The input is read, evaluated, repaired and printed about ten times, with
 * sanitizers. */
#define MICROS_A_VALUE 20

/* The two streams of one run of the command. */
struct said {
    int status;
    char *out, *err;
    size_t out_len, err_len;
};

static int file = -1;
static char path[64];
static struct cf_arena *arena;
static struct fuzz_secrets secrets;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    cf_json_init();
    setenv("NO_COLOR", "1", 1);
    arena = cf_arena_new(CF_ARENA_MAX);
    file = memfd_create("manifest", MFD_CLOEXEC);
    fuzz_must(file >= 0 && arena != NULL, "there is room for a file", strerror(errno));
    snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
    return 0;
}

static void put(const char *text, size_t len)
{
    fuzz_must(ftruncate(file, 0) == 0 && pwrite(file, text, len, 0) == (ssize_t)len,
              "the file is written", strerror(errno));
}

/* Runs the command on the file, with its streams in memory. */
static struct said review(const char *option, const char *value, const char *level)
{
    char *argv[8] = {(char *)(uintptr_t) "review", (char *)(uintptr_t) "-f", path};
    struct said said = {0};
    FILE *out = stdout, *err = stderr;
    int argc = 3;

    argv[argc++] = (char *)(uintptr_t)option;
    if (value != NULL)
        argv[argc++] = (char *)(uintptr_t)value;
    if (level != NULL) {
        argv[argc++] = (char *)(uintptr_t) "--level";
        argv[argc++] = (char *)(uintptr_t)level;
    }
    stdout = open_memstream(&said.out, &said.out_len);
    stderr = open_memstream(&said.err, &said.err_len);
    if (stdout != NULL && stderr != NULL)
        said.status = cf_cmd_review.run(&cf_cmd_review, argc, argv);
    fclose(stdout);
    fclose(stderr);
    stdout = out;
    stderr = err;
    fuzz_must(said.out != NULL && said.err != NULL, "there is memory for the streams", NULL);
    fuzz_must(said.status == CF_EXIT_OK || said.status == CF_EXIT_FINDINGS ||
                  said.status == CF_EXIT_FAILED,
              "the exit code is one of those that are documented", said.err);
    fuzz_must_be_clean(said.err);
    fuzz_must_not_tell(&secrets, said.err);
    return said;
}

static void forget(struct said *said)
{
    free(said->out);
    free(said->err);
}

/* ---- what must hold ---- */

static int64_t values_of(const struct cf_document *doc)
{
    if (doc->root != NULL)
        return (int64_t)cf_json_size(doc->root);
    return memchr(doc->bytes, '*', doc->len) != NULL ? (int64_t)CF_NODES_MAX : 0;
}

static const char *json_of(const struct cf_json *root)
{
    struct cf_buf text;
    struct cf_out out;

    cf_buf_init_arena(&text, arena, CF_ARENA_MAX);
    cf_out_init(&out, &text);
    cf_out_value(&out, NULL, root);
    return cf_buf_str(&text);
}

/* What is read from YAML and printed is read as the same value. */
static void check_yaml(const struct cf_json *root)
{
    const struct cf_json *again;
    struct cf_err err = {.kind = CF_ERR_NONE};
    struct cf_buf text;

    if (cf_json_size(root) > 10000)
        return;
    cf_buf_init_arena(&text, arena, CF_ARENA_MAX);
    cf_yaml_write(&text, root, 0);
    again = cf_yaml_parse(arena, cf_buf_str(&text), text.len, 1, CF_YAML_MANIFEST, &err);
    if (err.kind != CF_ERR_NONE)
        fprintf(stderr, "%s\n", err.msg);
    fuzz_must(err.kind == CF_ERR_NONE && strcmp(json_of(root), json_of(again)) == 0,
              "YAML is printed so that it reads the same", cf_buf_str(&text));
}

/* Each document is read, or there is a sentence that names the file. */
static void check_documents(const char *name, const char *text, size_t len, bool whole)
{
    struct documents docs = {.items = NULL};
    struct cf_err err = {0};

    fuzz_must(documents_split(arena, name, text, len, &docs, &err) == 0, "there is memory", NULL);
    for (size_t i = 0; i < docs.count; i++) {
        const struct cf_document *doc = &docs.items[i];

        fuzz_more_micros += MICROS_A_VALUE * values_of(doc);
        fuzz_must(doc->len <= len, "a document is a part of its file", text);
        fuzz_must(doc->err.kind == CF_ERR_NONE || doc->root == NULL, "read, or not", text);
        if (doc->root != NULL && !doc->is_json)
            check_yaml(doc->root);
        if (doc->err.kind == CF_ERR_NONE)
            continue;
        fuzz_must(cf_starts_with(doc->err.msg, name), "the sentence says where", doc->err.msg);
        fuzz_must(!whole, "what --fix prints can be read", doc->err.msg);
    }
    cf_arena_reset(arena, false);
}

/* Strict JSON, one value after the other. */
static void check_json(const char *text, size_t len)
{
    size_t at = 0, end;
    struct cf_err err = {.kind = CF_ERR_NONE};

    while (at < len) {
        const struct cf_json *value = cf_json_parse(arena, text + at, len - at, NULL, &end, &err);

        fuzz_must(value != NULL, "-o json prints strict JSON", err.msg);
        at += end;
    }
    cf_arena_reset(arena, false);
}

/* Responses of reviews are not documents of the file. */
static bool holds_answer(const char *text)
{
    return strstr(text, "\"kind\":\"AdmissionReview\"") != NULL ||
           strstr(text, "\"kind\":\"SubjectAccessReview\"") != NULL;
}

static void check_fix(const char *level)
{
    struct said first = review("--fix", NULL, level), again;
    char *what = NULL;

    check_documents("fixed", first.out, first.out_len, first.status != CF_EXIT_FAILED);
    if (first.status != CF_EXIT_FAILED && !holds_answer(first.out)) {
        put(first.out, first.out_len);
        again = review("--fix", NULL, level);
        if (again.out_len != first.out_len || memcmp(again.out, first.out, first.out_len) != 0) {
            fuzz_must(
                asprintf(&what, "-- once:\n%s-- twice:\n%s%s", first.out, again.out, again.err) > 0,
                "there is memory", NULL);
            fuzz_must(false, "what is fixed stays as it is when it is fixed again", what);
        }
        forget(&again);
    }
    forget(&first);
}

/* The response to an AdmissionReview repeats its uid unchanged. */
static void blank_uids(char *out)
{
    static const char start[] = "\"kind\":\"AdmissionReview\",\"response\":{\"uid\":\"";

    while ((out = strstr(out, start)) != NULL) {
        for (out += sizeof(start) - 1; *out != '\0' && *out != '"'; out++) {
            bool escape = *out == '\\' && out[1] != '\0';

            *out = 'u';
            if (escape)
                *++out = 'u';
        }
    }
}

static void run(const uint8_t *data, size_t size)
{
    static const char *const levels[] = {"privileged", "baseline", "restricted", NULL};
    const char *level = levels[data[0] / 2 % CF_COUNT(levels)];
    bool json = data[0] % 2 == 1;
    char *text = malloc(size); /* a file is read with a NUL at its end */
    struct said said;

    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    fuzz_secrets_of(&secrets, text, size - 1);
    check_documents(json ? "a.json" : "a.yaml", text, size - 1, false);
    put(text, size - 1);
    said = review("-o", json ? "json" : "text", level);
    blank_uids(said.out);
    if (json)
        check_json(said.out, said.out_len);
    else
        fuzz_must_be_clean(said.out);
    fuzz_must_not_tell(&secrets, said.out);
    forget(&said);
    check_fix(level);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 1)
        fuzz_timed(run, data, size);
    return 0;
}
