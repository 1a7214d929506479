/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../../src/server/reload.h"

static char dir[64];

static const char *in_dir(const char *name)
{
    static char path[4][128];
    static unsigned next;
    char *out = path[next++ % 4];

    snprintf(out, sizeof(path[0]), "%s/%s", dir, name);
    return out;
}

static void write_file(const char *name, const char *text)
{
    FILE *out = fopen(in_dir(name), "w");

    assert_non_null(out);
    fputs(text, out);
    fclose(out);
}

static struct cf_stamp stamp(const char *name)
{
    struct cf_stamp out;

    cf_stamp_take(in_dir(name), &out);
    return out;
}

/* As the kubelet does: ..data links to a folder, and a rename replaces the link. */
static void show(const char *folder)
{
    unlink(in_dir("new"));
    assert_int_equal(symlink(folder, in_dir("new")), 0);
    assert_int_equal(rename(in_dir("new"), in_dir("..data")), 0);
}

static int set_up(void **state)
{
    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/stamp.XXXXXX");
    if (mkdtemp(dir) == NULL)
        return -1;
    mkdir(in_dir("v1"), 0700);
    mkdir(in_dir("v2"), 0700);
    write_file("v1/crt", "a");
    write_file("v1/key", "a");
    write_file("v2/crt", "a");
    write_file("v2/key", "a");
    show("v1");
    return symlink("..data/crt", in_dir("crt")) + symlink("..data/key", in_dir("key"));
}

static int tear_down(void **state)
{
    static const char *const names[] = {"v1/crt", "v1/key", "v2/crt", "v2/key", "crt",
                                        "key",    "..data", "new",    "file"};

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        unlink(in_dir(names[i]));
    rmdir(in_dir("v1"));
    rmdir(in_dir("v2"));
    return rmdir(dir);
}

static void unchanged_files_are_the_same(void **state)
{
    struct cf_stamp a = stamp("crt"), b = stamp("crt"), none = stamp("none");

    (void)state;
    assert_int_equal(a.error, 0);
    assert_true(cf_stamp_same(&a, &b));
    assert_false(cf_stamp_same(&a, &none));
    b = stamp("none");
    assert_true(cf_stamp_same(&none, &b));
}

static void a_swapped_volume_is_detected(void **state)
{
    struct cf_stamp before = stamp("crt"), after;

    (void)state;
    show("v2");
    after = stamp("crt");
    assert_false(cf_stamp_same(&before, &after));
    show("v1");
    after = stamp("crt");
    assert_true(cf_stamp_same(&before, &after));
}

static void a_file_written_in_place_is_detected(void **state)
{
    struct cf_stamp before, after;

    (void)state;
    write_file("file", "one");
    before = stamp("file");
    write_file("file", "another");
    after = stamp("file");
    assert_false(cf_stamp_same(&before, &after));
}

static void files_are_fresh_for_a_moment(void **state)
{
    struct timespec times[2];
    struct cf_stamp s;

    (void)state;
    write_file("file", "x");
    s = stamp("file");
    assert_true(cf_stamp_is_fresh(&s));
    clock_gettime(CLOCK_REALTIME, &times[0]);
    for (int offset = -2; offset <= 3600; offset += 3602) {
        times[1] = times[0];
        times[1].tv_sec += offset;
        utimensat(AT_FDCWD, in_dir("file"), times, 0);
        s = stamp("file");
        assert_false(cf_stamp_is_fresh(&s));
    }
}

static void pairs_are_in_one_folder(void **state)
{
    struct cf_stamp crt = stamp("crt"), key, other;

    (void)state;
    key = stamp("key");
    assert_true(cf_stamp_together("/x/crt", &crt, "/x/key", &key));
    show("v2"); /* between the two calls */
    key = stamp("key");
    assert_false(cf_stamp_together("/x/crt", &crt, "/x/key", &key));
    assert_true(cf_stamp_together("/x/crt", &crt, "/y/key", &key)); /* as configured */
    other = stamp("none");
    assert_true(cf_stamp_together("/x/crt", &crt, "/x/none", &other));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(unchanged_files_are_the_same, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_swapped_volume_is_detected, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_written_in_place_is_detected, set_up, tear_down),
        cmocka_unit_test_setup_teardown(files_are_fresh_for_a_moment, set_up, tear_down),
        cmocka_unit_test_setup_teardown(pairs_are_in_one_folder, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
