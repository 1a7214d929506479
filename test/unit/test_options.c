/* SPDX-License-Identifier: Apache-2.0 */
/* test_options.c - the option parser and its suggestions. What it prints is in test/golden/. */
#include "test.h"

#include <unistd.h>

#include "curfew/attr.h"
#include "curfew/cmd.h"
#include "curfew/str.h"

struct parsed {
    bool fix;
    const char *level, *form;
    bool either, dry;
    struct cf_opt_list files, rest;
    int64_t delay;
    char err[2048]; /* what was said on stderr */
};

static const struct cf_cmd cmd = {.name = "probe", .summary = "s", .usage = "u"};

/* Parses with stdout and stderr going to a file, whose text ends up in out->err. */
static int run(struct parsed *out, bool with_rest, int argc, const char *const *args)
{
    const struct cf_opt opts[] = {
        {"--fix", 0, CF_OPT_FLAG, &out->fix, NULL, .help = "fix it"},
        {"--level", 'l', CF_OPT_STRING, &out->level, "LEVEL", .help = "the level"},
        {"--filename", 'f', CF_OPT_LIST, &out->files, "FILE", .help = "files"},
        {"--delay", 0, CF_OPT_DURATION, &out->delay, "DURATION", .help = "the delay"},
        {"--form", 'o', CF_OPT_WORD, &out->form, "text|json", .help = "the form",
         .needs = "--level", .excludes = "--fix --delay", .why = "for the test"},
        {"--either", 0, CF_OPT_FLAG, &out->either, NULL, .help = "either",
         .needs = "--level|--filename --delay"},
        {"--dry", 0, CF_OPT_FLAG, &out->dry, NULL, .help = "dry", .actions = "make|show"},
        {0},
    };
    char path[] = "/tmp/curfew-test-opts-XXXXXX";
    int file = mkstemp(path), saved[2] = {dup(1), dup(2)}, rc;
    char *argv[16];
    ssize_t got;

    assert_true(file >= 0 && argc < 16);
    unlink(path);
    for (int i = 0; i <= argc; i++)
        argv[i] = i < argc ? (char *)(uintptr_t)args[i] : NULL; /* never written to */
    *out = (struct parsed){.delay = -1};
    fflush(NULL);
    dup2(file, 1);
    dup2(file, 2);
    rc = cf_opts_parse(&cmd, opts, argc, argv, with_rest ? &out->rest : NULL);
    fflush(NULL);
    dup2(saved[0], 1);
    dup2(saved[1], 2);
    got = pread(file, out->err, sizeof(out->err) - 1, 0);
    assert_true(got >= 0);
    close(file);
    close(saved[0]);
    close(saved[1]);
    return rc;
}

static void done(struct parsed *p)
{
    cf_opt_list_free(&p->files);
    cf_opt_list_free(&p->rest);
}

#define RUN(out, rest, ...)                                                                        \
    run(out, rest, (int)CF_COUNT(((const char *const[]){"probe", __VA_ARGS__})),                   \
        (const char *const[]){"probe", __VA_ARGS__})

#define SAYS(p, text) assert_non_null(strstr((p).err, text))

static void test_forms(void **state)
{
    struct parsed p;

    (void)state;
    assert_int_equal(RUN(&p, false, "--level", "a", "--fix"), CF_EXIT_OK);
    assert_string_equal(p.level, "a");
    assert_true(p.fix);
    assert_int_equal(RUN(&p, false, "--level=a=b", "-lc"), CF_EXIT_OK);
    assert_string_equal(p.level, "c");
    assert_int_equal(RUN(&p, false, "-l", "x", "--level="), CF_EXIT_OK);
    assert_string_equal(p.level, "");
    assert_int_equal(RUN(&p, false, "--delay", "15m"), CF_EXIT_OK);
    assert_int_equal(p.delay, 900);
    assert_string_equal(p.err, "");
}

static void test_lists(void **state)
{
    struct parsed p;

    (void)state;
    assert_int_equal(RUN(&p, false, "-f", "a", "-fb", "-f", "-", "--filename=c"), CF_EXIT_OK);
    assert_int_equal(p.files.count, 4);
    assert_string_equal(p.files.items[0], "a");
    assert_string_equal(p.files.items[1], "b");
    assert_string_equal(p.files.items[2], "-");
    assert_string_equal(p.files.items[3], "c");
    done(&p);
}

static void test_rest(void **state)
{
    struct parsed p;

    (void)state;
    assert_int_equal(RUN(&p, true, "a", "--fix", "-", "--", "--level", "--"), CF_EXIT_OK);
    assert_int_equal(p.rest.count, 4);
    assert_string_equal(p.rest.items[1], "-");
    assert_string_equal(p.rest.items[2], "--level");
    assert_string_equal(p.rest.items[3], "--");
    assert_null(p.level);
    done(&p);
    assert_int_equal(RUN(&p, false, "pod.yaml"), CF_EXIT_USAGE);
    SAYS(p, "curfew probe: unexpected argument 'pod.yaml'\nsee 'curfew probe --help'\n");
}

static void test_bad_values(void **state)
{
    struct parsed p;

    (void)state;
    assert_int_equal(RUN(&p, false, "--level"), CF_EXIT_USAGE);
    SAYS(p, "--level needs a value: LEVEL");
    assert_int_equal(RUN(&p, false, "--level", "--fix"), CF_EXIT_USAGE);
    SAYS(p, "--level needs a value: LEVEL");
    assert_int_equal(RUN(&p, false, "--fix=yes"), CF_EXIT_USAGE);
    SAYS(p, "--fix takes no value");
    assert_int_equal(RUN(&p, false, "--delay", "soon"), CF_EXIT_USAGE);
    SAYS(p, "--delay must be a duration like 90s, 15m or 1h30m, not 'soon'");
    assert_int_equal(p.delay, -1);
}

static void test_words(void **state)
{
    struct parsed p;

    (void)state;
    assert_int_equal(RUN(&p, false, "-l", "x", "-o", "json"), CF_EXIT_OK);
    assert_string_equal(p.form, "json");
    for (size_t i = 0; i < 4; i++) {
        static const char *const wrong[] = {"jso", "jsonx", "text|json", ""};

        assert_int_equal(RUN(&p, false, "-l", "x", "-o", wrong[i]), CF_EXIT_USAGE);
        SAYS(p, "--form must be text or json, not '");
    }
}

static void test_needs_and_excludes(void **state)
{
    struct parsed p;

    (void)state;
    assert_int_equal(RUN(&p, false, "--form", "text"), CF_EXIT_USAGE);
    SAYS(p, "curfew probe: --form needs --level\n");
    assert_int_equal(RUN(&p, false, "--form", "text", "-l", "x", "--delay", "1s"), CF_EXIT_USAGE);
    SAYS(p, "--form excludes --delay: for the test\n");
    assert_int_equal(RUN(&p, false, "--either", "--delay", "1s"), CF_EXIT_USAGE);
    SAYS(p, "--either needs --level or --filename\n");
    assert_int_equal(RUN(&p, false, "--either", "-l", "x"), CF_EXIT_USAGE);
    SAYS(p, "--either needs --delay\n");
    assert_int_equal(RUN(&p, false, "--either", "-f", "x", "--delay", "1s"), CF_EXIT_OK);
    done(&p);
    assert_int_equal(RUN(&p, false, "--help"), -1);
    SAYS(p, "the form [needs --level; not with --fix, --delay]\n");
    SAYS(p, "either [needs --level or --filename, --delay]\n");
    SAYS(p, "make|show: dry\n");
}

static void test_actions(void **state)
{
    struct parsed p;

    (void)state;
    assert_int_equal(RUN(&p, true, "--dry", "show"), CF_EXIT_OK);
    done(&p);
    assert_int_equal(RUN(&p, true, "--dry", "run"), CF_EXIT_USAGE);
    SAYS(p, "--dry is an option of make or show only\n");
    done(&p);
    assert_int_equal(RUN(&p, true, "--dry"), CF_EXIT_USAGE);
    done(&p);
}

static void test_unknown_flags(void **state)
{
    struct parsed p;

    (void)state;
    assert_int_equal(RUN(&p, true, "--levle", "x"), CF_EXIT_USAGE);
    SAYS(p, "unknown flag '--levle': did you mean '--level'?");
    assert_int_equal(RUN(&p, true, "--file=x"), CF_EXIT_USAGE);
    SAYS(p, "unknown flag '--file': did you mean '--filename'?");
    assert_int_equal(RUN(&p, true, "-x"), CF_EXIT_USAGE);
    SAYS(p, "unknown flag '-x'\n");
    assert_int_equal(RUN(&p, true, "--entirely-different"), CF_EXIT_USAGE);
    SAYS(p, "unknown flag '--entirely-different'\n");
    assert_int_equal(RUN(&p, true, "--=x"), CF_EXIT_USAGE);
    assert_int_equal(RUN(&p, true, "---"), CF_EXIT_USAGE);
    assert_int_equal(RUN(&p, true, "-lx", "-fixx=1", "-Q\n"), CF_EXIT_USAGE);
    done(&p);
}

static void test_help(void **state)
{
    struct parsed p;

    (void)state;
    assert_int_equal(RUN(&p, false, "--fix", "-h"), -1);
    SAYS(p, "curfew probe: s\n\nUsage: u\n\nFlags:\n");
    SAYS(p, "  -l, --level LEVEL     the level\n");
    SAYS(p, "  -f, --filename FILE   files\n");
    SAYS(p, "  -h, --help            print this help\n");
    assert_int_equal(RUN(&p, false, "--help"), -1);
    assert_int_equal(RUN(&p, false, "--nope", "--help"), CF_EXIT_USAGE);
    assert_int_equal(RUN(&p, true, "--", "--help"), CF_EXIT_OK);
    done(&p);
}

static const char *suggested(const char *word)
{
    struct cf_suggestion s = {.word = word};

    cf_suggest(&s, "review");
    cf_suggest(&s, "serve");
    cf_suggest(&s, "help");
    return s.best;
}

static void test_suggestions(void **state)
{
    char text[96], longest[4096];
    struct cf_suggestion s = {.word = "x"};

    (void)state;
    assert_string_equal(suggested("reveiw"), "review");
    assert_string_equal(suggested("server"), "serve");
    assert_string_equal(suggested("rev"), "review");
    assert_null(suggested("x"));
    assert_null(suggested(""));
    assert_null(suggested("deploy"));
    memset(longest, 'r', sizeof(longest));
    longest[sizeof(longest) - 1] = '\0';
    assert_null(suggested(longest));
    assert_string_equal(cf_suggestion_text(&s, text), "");
    s.best = "review";
    assert_string_equal(cf_suggestion_text(&s, text), ": did you mean 'review'?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),   cmocka_unit_test(test_lists),
        cmocka_unit_test(test_rest),    cmocka_unit_test(test_bad_values),
        cmocka_unit_test(test_words),   cmocka_unit_test(test_needs_and_excludes),
        cmocka_unit_test(test_actions), cmocka_unit_test(test_unknown_flags),
        cmocka_unit_test(test_help),    cmocka_unit_test(test_suggestions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
