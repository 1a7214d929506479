/* SPDX-License-Identifier: Apache-2.0 */
/* test_split.c - the kind that is read from the unindented lines is the kind that the parser finds:
 * in all YAML files in test/, and in random texts. */
#include "test.h"

#include <ftw.h>

#include "../../src/json/split.h"
#include "curfew/arena.h"
#include "curfew/attr.h"
#include "curfew/json.h"
#include "curfew/limits.h"
#include "curfew/str.h"

static struct cf_arena *arena;
static struct cf_lines lines;
static size_t sections, sure, kinds; /* that were compared */

static int setup(void **state)
{
    (void)state;
    cf_json_init();
    cf_lines_init(&lines);
    arena = cf_arena_new(CF_ARENA_MAX);
    return arena == NULL ? -1 : 0;
}

static int teardown(void **state)
{
    (void)state;
    cf_lines_free(&lines);
    cf_arena_free(arena);
    return 0;
}

/* ---- one text ---- */

/* It finds this kind, or none: the line may be one of a text or of a flow collection. What can't be
 * read has no kind that could be another one. */
static void compare(const struct cf_section *section)
{
    const struct cf_json *root, *kind;
    struct cf_err err = {0};

    sections++;
    if (!section->sure)
        return;
    sure++;
    root = cf_yaml_parse(arena, section->bytes, (size_t)section->len, section->line,
                         CF_YAML_MANIFEST, &err);
    if (err.kind != CF_ERR_NONE)
        return;
    kind = cf_json_get(root, "kind");
    if ((kind != NULL && !cf_streq(cf_json_str(kind), section->kind)) ||
        (cf_json_get(root, "items") != NULL && !section->items))
        fail_msg("\"%s\", items: %d:\n%.*s", section->kind, section->items, (int)section->len,
                 section->bytes);
    kinds += kind != NULL;
}

static void split(const char *bytes, size_t len)
{
    struct cf_section section;
    struct cf_source source;
    struct cf_err err = {0};
    int rc;

    cf_source_memory("t", bytes, len, &source);
    cf_lines_open(&lines, &source, 1);
    while ((rc = cf_split_next(&lines, &section, &err)) > 0) {
        compare(&section);
        cf_arena_reset(arena, true);
    }
    assert_int_equal(rc, 0);
}

/* ---- long comments ---- */

/* Of a line the first 512 bytes are looked at: a comment is one however long it is, but a break in
 * it that only YAML 1.1 knows ends it. */
static void long_comments(void **state)
{
    static const struct {
        const char *behind, *kind;
        bool sure;
        size_t content;
    } cases[] = {
        {"\nkind: List\nitems:\n- a\n", "List", true, 2},
        {"\n  kind: Pod\n", "", false, 2},
        {"\n", "", true, 0},
        {"\xE2\x80\xA8kind: Pod\n", "", false, 1},
        {"\xE2\x80\xA8\nkind: List\n", "List", false, 2},
    };
    char text[1024];

    (void)state;
    for (size_t i = 0; i < CF_COUNT(cases); i++) {
        struct cf_section section;
        struct cf_source source;
        struct cf_err err = {0};

        memset(text, 'x', 600);
        text[0] = '#';
        strcpy(text + 600, cases[i].behind);
        cf_source_memory("t", text, strlen(text), &source);
        cf_lines_open(&lines, &source, 1);
        assert_int_equal(cf_split_next(&lines, &section, &err), 1);
        assert_string_equal(section.kind, cases[i].kind);
        assert_int_equal(section.sure, cases[i].sure);
        assert_int_equal(section.content, cases[i].content);
        compare(&section);
        cf_arena_reset(arena, true);
    }
}

/* ---- files ---- */

static int split_file(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    struct cf_err err = {0};
    struct cf_source source;
    struct cf_buf buf;
    const char *text;

    (void)st, (void)ftw;
    if (type != FTW_F || !(cf_ends_with(path, ".yaml") || cf_ends_with(path, ".yml")))
        return 0;
    assert_int_equal(cf_source_open(path, &source, &err), 0);
    cf_buf_init(&buf, CF_DOCUMENT_MAX);
    text = cf_source_text(&source, 0, source.size, &buf, &err);
    if (text != NULL)
        split(text, (size_t)source.size);
    cf_buf_free(&buf);
    cf_source_close(&source);
    return text == NULL ? -1 : 0;
}

static void files(void **state)
{
    (void)state;
    sections = sure = kinds = 0;
    assert_int_equal(nftw("test", split_file, 16, FTW_PHYS), 0);
    assert_true(kinds > 100 && 2 * sure > sections);
}

/* ---- generated ---- */

static uint64_t draw(uint64_t *state)
{
    uint64_t z = *state += 0x9E3779B97F4A7C15U;

    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9U;
    z = (z ^ z >> 27) * 0x94D049BB133111EBU;
    return z ^ z >> 31;
}

static const char *const line_starts[] = {
    "kind: Pod",
    "kind: Secret # c",
    "kind:\tPod",
    "kind: \"Pod\"",
    "kind: 'Secret'",
    "kind: 'Po''d'",
    "kind: \"Po\\x64\"",
    "kind:",
    "kind: |",
    "kind: >-",
    "kind: !!str Pod",
    "kind: &k Pod",
    "kind: *k",
    "kind: Pod#x",
    "kind: Pod, x",
    "kind : Pod",
    "kind: \"Pod",
    "kind: a.b/c_1",
    "kind: null",
    "kind: yes",
    "kind: 12",
    "kind: 1.5",
    "kind: ~",
    "kind: Pod:",
    "kind: Pod: x",
    "Kind: Pod",
    "\"kind\": Pod",
    "'kind': Secret",
    "? kind",
    ": Pod",
    "!!str kind: Pod",
    "&a kind: Pod",
    "kind:Pod",
    " kind: Pod",
    "  kind: Secret",
    "\tkind: Pod",
    "a: |",
    "a: \"x",
    "b: 'x",
    "a: {",
    "b: [",
    "a: &k",
    "a: &k {kind: Pod}",
    "<<: *k",
    "<<: {kind: Pod}",
    "a: x",
    "  more",
    "  - a",
    "- a",
    "- kind: Pod",
    "}",
    "]",
    " }",
    " ]",
    "\"",
    " \"",
    " '",
    "# kind: Pod",
    "  # c",
    "",
    "   ",
    "...",
    "... # c",
    "---",
    "--- # c",
    "--- kind: Pod",
    "--- !!map",
    "--- |",
    "--- {",
    "%YAML 1.1",
    "!!map",
    "&doc",
    "{kind: Pod}",
    "Pod",
    "-",
    "items:",
    "items: []",
    "items: {a: b}",
    "\"items\": []",
    "\xEF\xBB\xBFkind: Pod",
    "\xEF\xBB\xBF# c",
    "# c \xC2\x85kind: Pod",
    "a: \xE2\x80\xA8kind: Pod",
    "a: b\rkind: Pod",
};

static void generated(void **state)
{
    static const char *const ends[] = {"\n", "\n", "\n", "\r\n", "\r"};
    uint64_t random = 12;

    (void)state;
    sections = sure = kinds = 0;
    for (int i = 0; i < 400000; i++) {
        const char *end = ends[draw(&random) % CF_COUNT(ends)];
        unsigned count = 1 + (unsigned)(draw(&random) % 6);
        char text[512] = "";

        for (unsigned j = 0; j < count; j++) {
            strcat(text, line_starts[draw(&random) % CF_COUNT(line_starts)]);
            strcat(text, end);
        }
        split(text, strlen(text));
    }
    assert_true(kinds > 10000 && sections > 3 * sure / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(long_comments),
        cmocka_unit_test(files),
        cmocka_unit_test(generated),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
