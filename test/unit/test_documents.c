/* SPDX-License-Identifier: Apache-2.0 */
/* test_documents.c - files, folders and streams as documents. */
#include "test.h"

#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "curfew/attr.h"
#include "curfew/limits.h"
#include "documents.h"

struct probe {
    struct cf_arena *arena;
    struct documents docs;
    struct cf_err err;
    int rc;
    char dir[64];
};

static int setup(void **state)
{
    struct probe *p = calloc(1, sizeof(*p));

    cf_json_init();
    p->arena = cf_arena_new(CF_ARENA_MAX);
    strcpy(p->dir, "/tmp/curfew-test-manifest-XXXXXX");
    *state = p;
    return p->arena != NULL && mkdtemp(p->dir) != NULL ? 0 : -1;
}

static int teardown(void **state)
{
    struct probe *p = *state;
    char command[128];

    snprintf(command, sizeof(command), "rm -rf '%s'", p->dir);
    cf_arena_free(p->arena);
    if (system(command) != 0)
        return -1;
    free(p);
    return 0;
}

static void put(struct probe *p, const char *name, const char *bytes, size_t len)
{
    char path[256];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", p->dir, name);
    file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    fclose(file);
}

/* Reads p->dir/name; "" is the folder itself. */
static void get(struct probe *p, const char *name)
{
    char path[256];

    snprintf(path, sizeof(path), "%s/%s", p->dir, name);
    p->docs = (struct documents){0};
    p->err = (struct cf_err){0};
    p->rc = documents_read(p->arena, path, &p->docs, &p->err);
}

static void read_text(struct probe *p, const char *name, const char *text)
{
    put(p, name, text, strlen(text));
    get(p, name);
    assert_int_equal(p->rc, 0);
}

/* The kind of a document, or its error. */
static const char *kind(const struct probe *p, size_t i)
{
    const struct cf_document *doc = &p->docs.items[i];

    assert_true(i < p->docs.count);
    if (doc->err.kind != CF_ERR_NONE)
        return "error";
    if (doc->root == NULL)
        return "empty";
    return cf_json_str(cf_json_get(doc->root, "kind"));
}

/* The message after the name of the file. */
static const char *sentence(const struct probe *p, size_t i)
{
    const struct cf_document *doc = &p->docs.items[i];

    assert_int_not_equal(doc->err.kind, CF_ERR_NONE);
    assert_int_equal(strncmp(doc->err.msg, doc->file, strlen(doc->file)), 0);
    return doc->err.msg + strlen(doc->file);
}

static void begins(const char *text, const char *with)
{
    if (strncmp(text, with, strlen(with)) != 0)
        assert_string_equal(text, with);
}

static void test_yaml(void **state)
{
    struct probe *p = *state;

    read_text(p, "a.yaml", "kind: A\n---\nkind: B\n--- # why\n\n# c\nkind: C\n");
    assert_int_equal(p->docs.count, 3);
    assert_string_equal(kind(p, 0), "A");
    assert_string_equal(kind(p, 1), "B");
    assert_string_equal(kind(p, 2), "C");
    assert_int_equal(p->docs.items[0].line, 1);
    assert_int_equal(p->docs.items[1].line, 3);
    assert_int_equal(p->docs.items[2].line, 7);
    assert_int_equal(p->docs.items[2].number, 3);
    assert_int_equal(cf_json_line(cf_json_get(p->docs.items[2].root, "kind")), 7);
    assert_memory_equal(p->docs.items[1].bytes, "kind: B\n", p->docs.items[1].len);
    assert_false(p->docs.items[0].is_json);
}

static void test_separators(void **state)
{
    struct probe *p = *state;

    /* Only three dashes at the beginning of a line. */
    read_text(p, "a.yaml",
              "---\nkind: A\nx: |\n  ---\n  ----\ny: ---b\n---\n---\n---\t\nkind: B\n...\n");
    assert_int_equal(p->docs.count, 2);
    assert_string_equal(kind(p, 0), "A");
    assert_string_equal(kind(p, 1), "B");
    assert_int_equal(p->docs.items[1].line, 10);
    read_text(p, "b.yaml", "%YAML 1.1\n--- {kind: A}\n---\n# nothing\n---\nkind: B\n---");
    assert_int_equal(p->docs.count, 4);
    assert_string_equal(kind(p, 0), "empty");
    assert_string_equal(kind(p, 1), "A");
    assert_string_equal(kind(p, 2), "empty");
    assert_string_equal(kind(p, 3), "B");
    assert_int_equal(p->docs.items[1].number, 1);
    assert_int_equal(p->docs.items[1].line, 2);
    assert_int_equal(cf_json_column(cf_json_get(p->docs.items[1].root, "kind")), 12);
    assert_int_equal(p->docs.items[3].number, 2);
}

static void test_crlf_and_bom(void **state)
{
    struct probe *p = *state;

    read_text(
        p, "a.yaml",
        "\xEF\xBB\xBFkind: A\r\n---\r\n\xEF\xBB\xBFkind: B\r\n\xEF\xBB\xBF---\r\nkind: C\r\n");
    assert_int_equal(p->docs.count, 3);
    assert_string_equal(kind(p, 0), "A");
    assert_string_equal(kind(p, 1), "B");
    assert_string_equal(kind(p, 2), "C");
    assert_int_equal(p->docs.items[2].line, 5);
    read_text(p, "b.json", "\xEF\xBB\xBF{\"kind\": \"A\"}\r\n");
    assert_string_equal(kind(p, 0), "A");
}

/* A lone \r ends a line, also in front of a separator; U+0085 and its like end a comment. */
static void test_other_line_ends(void **state)
{
    struct probe *p = *state;

    read_text(p, "a.yaml", "# c\rkind: A\r---\rkind: B\r");
    assert_int_equal(p->docs.count, 2);
    assert_string_equal(kind(p, 0), "A");
    assert_string_equal(kind(p, 1), "B");
    assert_int_equal(p->docs.items[0].line, 2);
    assert_int_equal(p->docs.items[1].line, 4);
    read_text(p, "b.yaml", "# c\xC2\x85kind: A\n");
    assert_string_equal(kind(p, 0), "A");
    read_text(p, "c.yaml", "# c\xE2\x80\xA8kind: A\n---\n# c\xE2\x80\xA9kind: B\n");
    assert_string_equal(kind(p, 0), "A");
    assert_string_equal(kind(p, 1), "B");
    assert_int_equal(p->docs.items[1].line, 3);
}

static void test_utf16(void **state)
{
    static const char le[] =
        "\xFF\xFEk\0i\0n\0d\0:\0 \0\x39\x26\n\0-\0-\0-\0\n\0k\0i\0n\0d\0:\0 \0B\0";
    struct probe *p = *state;

    put(p, "a.yaml", le, sizeof(le) - 1);
    get(p, "a.yaml");
    assert_int_equal(p->docs.count, 2);
    assert_string_equal(kind(p, 0), "\xE2\x98\xB9");
    assert_string_equal(kind(p, 1), "B");
    assert_int_equal(p->docs.items[1].line, 3);
}

static void test_nothing(void **state)
{
    struct probe *p = *state;

    read_text(p, "a.yaml", "");
    assert_int_equal(p->docs.count, 0);
    read_text(p, "b.yaml", " \n\t\n---\n\n---\n\r\n");
    assert_int_equal(p->docs.count, 0);
    read_text(p, "c.yaml", "# only a comment\n");
    assert_int_equal(p->docs.count, 1);
    assert_string_equal(kind(p, 0), "empty");
    read_text(p, "d.json", "\n");
    assert_int_equal(p->docs.count, 0);
}

static void test_json(void **state)
{
    struct probe *p = *state;

    read_text(p, "a.json", "{\"kind\":\"A\"}\n  {\n\"kind\": \"B\"}{\"kind\":\"C\"} \n");
    assert_int_equal(p->docs.count, 3);
    assert_string_equal(kind(p, 0), "A");
    assert_string_equal(kind(p, 1), "B");
    assert_string_equal(kind(p, 2), "C");
    assert_true(p->docs.items[1].is_json);
    assert_int_equal(p->docs.items[1].line, 2);
    assert_int_equal(p->docs.items[2].line, 3);
    assert_int_equal(p->docs.items[2].number, 3);
    assert_int_equal(p->docs.items[2].bytes[0], '{');
    read_text(p, "b.yaml", "{\"kind\":\"A\"}\n---\nkind: B\n---\n{\"kind\":\"C\"}\n");
    assert_int_equal(p->docs.count, 3);
    assert_true(p->docs.items[0].is_json && p->docs.items[2].is_json);
    assert_false(p->docs.items[1].is_json);
    assert_int_equal(p->docs.items[2].line, 5);
}

static void test_flow_yaml(void **state)
{
    struct probe *p = *state;

    read_text(p, "a.yaml", "{kind: A}\n---\n{\"kind\": B, }\n");
    assert_int_equal(p->docs.count, 2);
    assert_string_equal(kind(p, 0), "A");
    assert_string_equal(kind(p, 1), "B");
    assert_false(p->docs.items[1].is_json);
    read_text(p, "b.json", "{\"kind\": B}");
    assert_string_equal(kind(p, 0), "B");
    assert_false(p->docs.items[0].is_json);
    read_text(p, "c.json", "kind: C\n---\n{\"kind\":\"D\",}\n");
    assert_string_equal(kind(p, 0), "C");
    assert_string_equal(kind(p, 1), "D");
    /* Both readers failed: both say why. */
    read_text(p, "d.json", "{\"kind\":\n\"A\"\n]}");
    begins(sentence(p, 0), ":3:1: invalid JSON: expected ',' or '}'; read as YAML, 3:1: ");
}

static void test_broken_json(void **state)
{
    struct probe *p = *state;

    read_text(p, "a.json", "{\"kind\":\"A\"}\n{\"kind\":\n\"B\",\n}\n{\"kind\":\"C\"}\n");
    assert_int_equal(p->docs.count, 3);
    assert_string_equal(kind(p, 0), "A");
    begins(sentence(p, 1), ":4:1: invalid JSON: ");
    assert_int_equal(p->docs.items[1].number, 2);
    assert_string_equal(kind(p, 2), "C");
    /* A quote that is missing puts all that follows out of step: one error for it. */
    read_text(p, "d.json",
              "{\"kind\":\"A\"}\n{\"kind:\"B\"}\n{\"kind\":\"C\"}\n{\"kind\":\"D\"}\n");
    assert_int_equal(p->docs.count, 2);
    begins(sentence(p, 1), ":2:");
    read_text(p, "b.json", "{\"kind\":\"A\",\n \"kind\":\"B\"}\n");
    assert_string_equal(sentence(p, 0), ":2:2: invalid JSON: duplicate key 'kind'");
    read_text(p, "c.yaml", "{\"kind\":\"A\"}\n{\"kind\":\n---\nkind: B\n");
    assert_int_equal(p->docs.count, 3);
    assert_string_equal(kind(p, 1), "error");
    assert_string_equal(kind(p, 2), "B");
}

static void test_broken_yaml(void **state)
{
    struct probe *p = *state;

    read_text(p, "a.yaml",
              "kind: A\n---\nkind: [\n---\n\tkind: B\n---\nkind: C\nkind: D\n---\nkind: E\n");
    assert_int_equal(p->docs.count, 5);
    assert_string_equal(kind(p, 0), "A");
    assert_string_equal(kind(p, 1), "error");
    begins(sentence(p, 2), ":5:");
    begins(sentence(p, 3), ":8:1: ");
    assert_string_equal(kind(p, 4), "E");
    assert_int_equal(p->docs.items[4].number, 5);
    assert_null(strstr(sentence(p, 1), "Helm"));
}

static void test_helm(void **state)
{
    struct probe *p = *state;

    read_text(p, "a.yaml", "{{- if .Values.x }}\nkind: A\n{{- end }}\n---\nkind: B\n");
    assert_int_equal(p->docs.count, 2);
    assert_non_null(strstr(sentence(p, 0), "looks like an unrendered Helm template"));
    assert_string_equal(kind(p, 1), "B");
    read_text(p, "c.yaml", "# why\n\n# c\nkind: A\nlabels:\n{{- toYaml .x }}\n");
    assert_non_null(strstr(sentence(p, 0), "looks like an unrendered Helm template"));
    /* An action elsewhere is not what is wrong here. */
    read_text(p, "b.yaml", "kind: A\nx: \"{{ .y }}\"\nz: 1\n\tkind: B\n");
    begins(sentence(p, 0), ":4:");
    assert_null(strstr(sentence(p, 0), "Helm"));
}

static void test_bytes(void **state)
{
    struct probe *p = *state;
    static const char nul[] = "kind: A\0\n---\nkind: B\n", latin[] = "kind: \xE9t\xE9\n";

    put(p, "a.yaml", nul, sizeof(nul) - 1);
    get(p, "a.yaml");
    assert_int_equal(p->docs.count, 2);
    assert_string_equal(kind(p, 0), "error");
    assert_string_equal(kind(p, 1), "B");
    read_text(p, "b.yaml", latin);
    assert_string_equal(kind(p, 0), "\xEF\xBF\xBDt\xEF\xBF\xBD");
    put(p, "c.json", "{\"kind\":\"A\"}\0", 13);
    get(p, "c.json");
    assert_string_equal(kind(p, p->docs.count - 1), "error");
}

static void make_folder(struct probe *p, const char *name)
{
    char path[256];

    snprintf(path, sizeof(path), "%s/%s", p->dir, name);
    assert_int_equal(mkdir(path, 0700), 0);
}

static void make_link(struct probe *p, const char *target, const char *name)
{
    char path[256];

    snprintf(path, sizeof(path), "%s/%s", p->dir, name);
    assert_int_equal(symlink(target, path), 0);
}

static void test_folder(void **state)
{
    struct probe *p = *state;

    make_folder(p, "b");
    make_folder(p, ".git");
    make_folder(p, "e.yaml");
    put(p, "c.yml", "kind: C\n", 8);
    put(p, "a.yaml", "kind: A\n", 8);
    put(p, "b/b.json", "{\"kind\":\"B\"}", 12);
    put(p, "e.yaml/e.yaml", "kind: E\n", 8);
    put(p, "README.md", "kind: no\n", 9);
    make_folder(p, ".chainsaw-test");
    make_folder(p, "..2026_11_30_12_00_00.123456789");
    put(p, ".hidden.yaml", "kind: H\n", 8);
    put(p, ".chainsaw-test/x.yaml", "kind: I\n", 8);
    put(p, "..2026_11_30_12_00_00.123456789/mounted.yaml", "kind: M\n", 8);
    make_link(p, "..2026_11_30_12_00_00.123456789", "..data");
    make_link(p, "..data/mounted.yaml", "mounted.yaml");
    put(p, ".git/x.yaml", "kind: no\n", 9);
    make_link(p, "a.yaml", "d.yaml");
    make_link(p, ".", "loop");
    make_link(p, "nowhere", "gone.yaml");
    get(p, "");
    assert_int_equal(p->rc, 0);
    assert_int_equal(p->docs.count, 9);
    assert_string_equal(kind(p, 0), "I");
    assert_string_equal(kind(p, 1), "H");
    assert_string_equal(kind(p, 2), "A");
    assert_string_equal(kind(p, 3), "B");
    assert_string_equal(kind(p, 4), "C");
    assert_string_equal(kind(p, 5), "A");
    assert_string_equal(kind(p, 6), "E");
    assert_string_equal(kind(p, 7), "error");
    assert_string_equal(kind(p, 8), "M");
}

/* Deeper folders are reported, and the others are still read. */
static void test_deep_folders(void **state)
{
    struct probe *p = *state;
    char path[2 * (CF_DIR_DEPTH_MAX + 1) + 8] = "";

    for (int i = 0; i < CF_DIR_DEPTH_MAX; i++) {
        strcat(path, i == 0 ? "d" : "/d");
        make_folder(p, path);
    }
    strcat(path, "/a.yaml");
    put(p, path, "kind: A\n", 8);
    put(p, "z.yaml", "kind: Z\n", 8);
    get(p, "");
    assert_int_equal(p->docs.count, 2);
    assert_string_equal(kind(p, 0), "A");
    path[strlen(path) - strlen("a.yaml")] = '\0';
    strcat(path, "d");
    make_folder(p, path);
    get(p, "");
    assert_int_equal(p->docs.count, 3);
    assert_string_equal(kind(p, 1), "error");
    assert_non_null(strstr(p->docs.items[1].err.msg, "/d' is more than 32 folders deep"));
    assert_string_equal(kind(p, 2), "Z");
}

static void test_no_such_path(void **state)
{
    struct probe *p = *state;

    get(p, "none.yaml");
    assert_int_equal(p->rc, -1);
    assert_non_null(strstr(p->err.msg, "none.yaml"));
    make_folder(p, "empty");
    get(p, "empty");
    assert_int_equal(p->rc, -1);
    assert_non_null(strstr(p->err.msg, "holds no .yaml, .yml or .json file"));
}

static void test_many(void **state)
{
    struct probe *p = *state;
    size_t len = 0, count = 1000;
    char *text = malloc(count * 32);

    for (size_t i = 0; i < count; i++)
        len += (size_t)sprintf(text + len, "kind: K%zu\n---\n", i);
    put(p, "a.yaml", text, len);
    free(text);
    get(p, "a.yaml");
    assert_int_equal(p->docs.count, count);
    assert_string_equal(kind(p, 999), "K999");
    assert_int_equal(p->docs.items[999].line, 1999);
}

/* The cost of a value depends on its own size, not on the rest of the file. */
static void test_long_stream(void **state)
{
    struct probe *p = *state;
    size_t count = 20000;
    char *text = malloc(4 * count);
    clock_t start = clock();

    for (size_t i = 0; i < count; i++)
        memcpy(text + 4 * i, "{}\n\n", 4);
    put(p, "a.json", text, 4 * count);
    free(text);
    get(p, "a.json");
    assert_int_equal(p->rc, 0);
    assert_int_equal(p->docs.count, count);
    assert_int_equal(p->docs.items[count - 1].line, 2 * count - 1);
    assert_int_equal(p->docs.items[count - 1].len, 2);
    assert_true(cf_arena_used(p->arena) < 64 * CF_MIB);
    assert_true(clock() - start < 2 * CLOCKS_PER_SEC);
}

static void test_stream_of_all_values(void **state)
{
    static const char text[] = "{} \n[1]{\"k\": [{}]}\n\n7 8\n\"a\"\"b]\" null\t-1.5e3\r\n[\n]\n";
    static const size_t lines[] = {1, 2, 2, 4, 4, 5, 5, 5, 5, 6};
    struct probe *p = *state;

    put(p, "a.json", text, strlen(text));
    get(p, "a.json");
    assert_int_equal(p->rc, 0);
    assert_int_equal(p->docs.count, CF_COUNT(lines));
    for (size_t i = 0; i < CF_COUNT(lines); i++) {
        assert_non_null(p->docs.items[i].root);
        assert_int_equal(p->docs.items[i].line, lines[i]);
    }
    put(p, "b.json", "{}\n\n[1}\n{}\n", 11);
    get(p, "b.json");
    assert_int_equal(p->docs.count, 3);
    begins(sentence(p, 1), ":3:3: invalid JSON: ");
    put(p, "c.json", "{}\n-\n{}\n", 8);
    get(p, "c.json");
    assert_int_equal(p->docs.count, 3);
    assert_string_equal(sentence(p, 1), ":2:2: invalid JSON: unexpected end");
    put(p, "d.json", "{}\n}\n{}\n", 8);
    get(p, "d.json");
    assert_int_equal(p->docs.count, 2);
    begins(sentence(p, 1), ":2:1: invalid JSON: ");
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_yaml),         TEST(test_separators),
        TEST(test_crlf_and_bom), TEST(test_other_line_ends),
        TEST(test_utf16),        TEST(test_nothing),
        TEST(test_json),         TEST(test_flow_yaml),
        TEST(test_broken_json),  TEST(test_broken_yaml),
        TEST(test_helm),         TEST(test_bytes),
        TEST(test_folder),       TEST(test_deep_folders),
        TEST(test_no_such_path), TEST(test_many),
        TEST(test_long_stream),  TEST(test_stream_of_all_values),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
