/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "curfew/process.h"

static char root[64];

static void put(const char *path, const char *text)
{
    char whole[512];
    FILE *out;

    snprintf(whole, sizeof(whole), "%s%s", root, path);
    for (char *slash = strchr(whole + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        assert_true(mkdir(whole, 0700) == 0 || errno == EEXIST);
        *slash = '/';
    }
    out = fopen(whole, "w");
    assert_non_null(out);
    fputs(text, out);
    fclose(out);
}

static int set_up(void **state)
{
    (void)state;
    snprintf(root, sizeof(root), "/tmp/curfew-cpus-XXXXXX");
    return mkdtemp(root) != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    char command[128];

    (void)state;
    snprintf(command, sizeof(command), "rm -r '%s'", root);
    return system(command);
}

static void version_2(void **state)
{
    static const struct {
        const char *max;
        unsigned cpus;
    } cases[] = {
        {"200000 100000\n", 2},
        {"150000 100000\n", 2},
        {"10000 100000\n", 1},
        {"max 100000\n", 0},
        {"50000 20000\n", 3},
        {"9000000 100000\n", 90},
        {"900000000 100000\n", CF_CPUS_MAX},
        {"\n", 0},
        {"200000\n", 0},
        {"200000 0\n", 0},
        {"-1 100000\n", 0},
        {"2e5 100000\n", 0},
        {"", 0},
    };

    (void)state;
    put("/proc/self/cgroup", "0::/kubepods/pod1\n");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        put("/sys/fs/cgroup/kubepods/pod1/cpu.max", cases[i].max);
        assert_int_equal(cf_cgroup_cpus(root), cases[i].cpus);
    }
}

static void the_smallest_ancestor_counts(void **state)
{
    (void)state;
    put("/proc/self/cgroup", "0::/kubepods/pod1/container\n");
    put("/sys/fs/cgroup/kubepods/pod1/container/cpu.max", "max 100000\n");
    put("/sys/fs/cgroup/kubepods/pod1/cpu.max", "300000 100000\n");
    assert_int_equal(cf_cgroup_cpus(root), 3);
    put("/sys/fs/cgroup/kubepods/pod1/container/cpu.max", "100000 100000\n");
    assert_int_equal(cf_cgroup_cpus(root), 1);
    put("/sys/fs/cgroup/kubepods/pod1/container/cpu.max", "500000 100000\n");
    assert_int_equal(cf_cgroup_cpus(root), 3);
}

static void a_container_reads_the_root(void **state)
{
    (void)state;
    put("/proc/self/cgroup", "0::/\n");
    put("/sys/fs/cgroup/cpu.max", "400000 100000\n");
    assert_int_equal(cf_cgroup_cpus(root), 4);
    /* The path on the host, which does not exist in the container. */
    put("/proc/self/cgroup", "0::/kubepods/burstable/pod2\n");
    assert_int_equal(cf_cgroup_cpus(root), 4);
}

static void version_1(void **state)
{
    (void)state;
    put("/proc/self/cgroup", "11:memory:/docker/1\n4:cpu,cpuacct:/docker/1\n2:cpuset:/x\n0::/\n");
    put("/sys/fs/cgroup/cpu/docker/1/cpu.cfs_quota_us", "250000\n");
    put("/sys/fs/cgroup/cpu/docker/1/cpu.cfs_period_us", "100000\n");
    assert_int_equal(cf_cgroup_cpus(root), 3);
    put("/sys/fs/cgroup/cpu/docker/1/cpu.cfs_quota_us", "-1\n");
    assert_int_equal(cf_cgroup_cpus(root), 0);
    /* The name of another controller has the same prefix. */
    put("/sys/fs/cgroup/cpu/x/cpu.cfs_quota_us", "100000\n");
    put("/sys/fs/cgroup/cpu/x/cpu.cfs_period_us", "100000\n");
    assert_int_equal(cf_cgroup_cpus(root), 0);
}

static void without_a_quota_cores_count(void **state)
{
    (void)state;
    assert_int_equal(cf_cgroup_cpus(root), 0);
    assert_true(cf_usable_cpus(root) >= 1);
    put("/proc/self/cgroup", "nonsense\n::\n0:\n:::::\n");
    assert_int_equal(cf_cgroup_cpus(root), 0);
    put("/proc/self/cgroup", "0::/\n");
    put("/sys/fs/cgroup/cpu.max", "300000 100000\n");
    assert_int_equal(cf_usable_cpus(root), 3);
    put("/sys/fs/cgroup/cpu.max", "3000000 100000\n");
    assert_int_equal(cf_usable_cpus(root), 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(version_2, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_smallest_ancestor_counts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_container_reads_the_root, set_up, tear_down),
        cmocka_unit_test_setup_teardown(version_1, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_a_quota_cores_count, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
