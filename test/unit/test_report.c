/* SPDX-License-Identifier: Apache-2.0 */
/* test_report.c - what the goldens can't show: colour, and texts that must not reach a terminal. */
#include "test.h"

#include "curfew/engine.h"
#include "curfew/limits.h"
#include "../../src/cli/report.h"

static const struct cf_rule rule = {.id = "probe", .title = "title", .remedy = "do better"};
static struct cf_patch_op fix_ops[] = {{"replace", "/spec/a", "1"}, {"remove", "/spec/b", NULL}};

static const struct cf_fix fix = {
    .ops = fix_ops,
    .op_count = 2,
    .replacement = "{\"path\":\"eyJhbGciOiJub25lIn0.e30.c2ln\"}",
    .replaces = "spec.a",
};
static const struct cf_finding fixed = {.rule = &rule,
                                        .path = "spec.a",
                                        .value = "\"x\\ny\"",
                                        .what = "it is",
                                        .detail = "so",
                                        .fix = &fix};
static const struct cf_finding bare = {
    .rule = &rule, .path = "spec", .what = "it is", .remedy = "nothing"};

static struct cf_report_row row_of(const struct cf_finding *finding)
{
    return (struct cf_report_row){.file = "a.yaml",
                                  .document = 2,
                                  .line = 7,
                                  .kind = "Pod",
                                  .namespace = "sh\033op",
                                  .name = "web",
                                  .subject = "pod \"web\"",
                                  .finding = finding,
                                  .level = CF_RESTRICTED,
                                  .modes = CF_MODE_BIT(CF_ENFORCE) | CF_MODE_BIT(CF_WARN)};
}

static void check_text(const struct cf_report_row *row, bool colour, const char *wanted)
{
    struct cf_arena *arena = cf_arena_new(CF_ARENA_MAX);
    struct cf_buf out;

    cf_buf_init(&out, CF_MIB);
    cf_report_row_text(arena, row, colour, &out);
    assert_string_equal(cf_buf_str(&out), wanted);
    cf_buf_free(&out);
    cf_arena_free(arena);
}

static void test_text(void **state)
{
    struct cf_report_row row = row_of(&fixed);

    (void)state;
    check_text(&row, false,
               "a.yaml:7: pod \"web\" in namespace \"sh?op\": probe (restricted; enforce, warn): "
               "it is\n  spec.a: so\n  do this: do better\n  replace spec.a with:\n"
               "    path: [redacted]\n\n");
    row = row_of(&bare);
    row.namespace = "";
    row.modes = CF_MODE_BIT(CF_AUDIT);
    row.exempt = "exception";
    row.until = "2027-03-31";
    check_text(&row, false,
               "a.yaml:7: pod \"web\": probe (restricted; audit; exempt by exception until "
               "2027-03-31): it is\n  spec\n  do this: nothing\n\n");
}

static void test_colour(void **state)
{
    struct cf_report_row row = row_of(&bare);

    (void)state;
    row.namespace = "";
    check_text(&row, true,
               "\033[1ma.yaml:7:\033[0m pod \"web\": \033[31mprobe\033[0m (restricted; enforce, "
               "warn): it is\n  spec\n  do this: nothing\n\n");
    row.modes = CF_MODE_BIT(CF_WARN);
    check_text(&row, true,
               "\033[1ma.yaml:7:\033[0m pod \"web\": \033[33mprobe\033[0m (restricted; warn): it "
               "is\n  spec\n  do this: nothing\n\n");
}

static void write_json(struct cf_buf *buf, const struct cf_report_row rows[2],
                       struct cf_report report)
{
    struct cf_out out;

    cf_out_init(&out, buf);
    cf_report_json_begin(&out);
    for (int i = 0; i < 2; i++) {
        cf_report_count(&report, &rows[i]);
        cf_report_json_row(&out, &rows[i]);
    }
    cf_report_json_end(&out, &report);
}

static void test_json(void **state)
{
    struct cf_report_row rows[] = {row_of(&fixed), row_of(&bare)};
    struct cf_report report = {.documents = 3,
                               .evaluated = 4,
                               .skipped = 5,
                               .not_evaluated = 6,
                               .unknown_secrets = 7,
                               .errors = 8};
    struct cf_buf out;

    (void)state;
    rows[0].name = "w\"\n";
    cf_buf_init(&out, CF_MIB);
    write_json(&out, rows, report);
    assert_string_equal(
        cf_buf_str(&out),
        "{\"findings\":[{\"rule\":\"probe\",\"level\":\"restricted\",\"modes\":[\"enforce\","
        "\"warn\"],\"resource\":{\"kind\":\"Pod\",\"namespace\":\"sh\\u001bop\",\"name\":"
        "\"w\\\"\\n\"},\"path\":\"spec.a\",\"value\":\"x\\ny\",\"message\":\"it is; so\",\"fix\":"
        "[{\"op\":\"replace\",\"path\":\"/spec/a\",\"value\":1},{\"op\":\"remove\",\"path\":"
        "\"/spec/b\"}],\"source\":{\"file\":\"a.yaml\",\"document\":2,\"line\":7}},"
        "{\"rule\":\"probe\",\"level\":\"restricted\",\"modes\":[\"enforce\",\"warn\"],"
        "\"resource\":{\"kind\":\"Pod\",\"namespace\":\"sh\\u001bop\",\"name\":\"web\"},\"path\":"
        "\"spec\",\"value\":null,\"message\":\"it is\",\"fix\":null,\"source\":{\"file\":"
        "\"a.yaml\",\"document\":2,\"line\":7}}],\"summary\":{\"documents\":3,\"judged\":4,"
        "\"skipped\":5,\"notJudged\":6,\"unknownSecrets\":7,\"findings\":2,\"fixable\":1}}\n");
    cf_buf_free(&out);
    cf_buf_init(&out, 100);
    write_json(&out, rows, report);
    assert_false(cf_buf_ok(&out));
    cf_buf_free(&out);
}

static void test_summary(void **state)
{
    struct cf_report report = {.evaluated = 1};
    struct cf_buf out;

    (void)state;
    cf_buf_init(&out, CF_MIB);
    cf_report_summary_text(&report, &out);
    report = (struct cf_report){.evaluated = 2,
                                .skipped = 1,
                                .not_evaluated = 3,
                                .unknown_secrets = 1,
                                .errors = 2,
                                .left = true};
    cf_report_summary_text(&report, &out);
    assert_string_equal(
        cf_buf_str(&out),
        "1 document evaluated, 0 findings\n2 documents evaluated, 0 findings left, 1 "
        "skipped, 3 not evaluated, 1 Secret unknown, 2 errors\n");
    cf_buf_free(&out);
}

static int setup(void **state)
{
    (void)state;
    cf_json_init();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_colour),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_summary),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
