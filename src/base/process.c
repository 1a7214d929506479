/* SPDX-License-Identifier: Apache-2.0 */
/* process.c - what the program does for itself: its memory, its standard streams, the CPUs that it
 * may use, its version. */
#include "curfew/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "curfew/str.h"

void cf_process_guard(void)
{
    const struct rlimit none = {0, 0};

    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/* ---- the standard streams ---- */

/* A closed stream becomes /dev/null, opened for the wrong direction: using it fails as it would on
 * the closed one, so the program cannot lose its output unnoticed. */
void cf_stdio_open(void)
{
    int fd;

    do {
        fd = open("/dev/null", fcntl(STDIN_FILENO, F_GETFD) == -1 ? O_WRONLY : O_RDONLY);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

bool cf_stdio_close(void)
{
    bool failed = ferror(stdout) != 0;

    if (fflush(stdout) == 0 && !failed)
        return true;
    fprintf(stderr, "curfew: writing to standard output: %s\n", strerror(errno));
    return false;
}

/* ---- CPUs ----
 *
 * A container's limit is a quota of its cgroup: `cpu.max` in v2 ("150000 100000", or "max ..."),
 * two files in v1. /proc/self/cgroup names the cgroup ("0::/kubepods/pod1" in v2,
 * "4:cpu,cpuacct:/docker/1" in v1). Inside a container the name can be the host's, which is not
 * visible there: then the cgroup at the mount point is the container's own. Every parent can set a
 * quota, too: the smallest counts. */

/* The first line of a file, without its end. */
static bool read_first_line(char *line, size_t size, const char *path)
{
    FILE *in = fopen(path, "re");
    bool read;

    if (in == NULL)
        return false;
    read = fgets(line, (int)size, in) != NULL;
    fclose(in);
    line[read ? strcspn(line, "\n") : 0] = '\0';
    return read;
}

/* Rounded up; 0: not a quota. */
static unsigned cpus_of_quota(const char *quota, const char *period)
{
    int64_t q, p;

    if (!cf_str_int64(quota, &q) || !cf_str_int64(period, &p) || q <= 0 || p <= 0)
        return 0;
    return q / p >= CF_CPUS_MAX ? CF_CPUS_MAX : (unsigned)(q / p + (q % p != 0));
}

static unsigned quota_v2(const char *folder)
{
    char path[PATH_MAX], line[64], *period;

    if (snprintf(path, sizeof(path), "%s/cpu.max", folder) >= (int)sizeof(path) ||
        !read_first_line(line, sizeof(line), path))
        return 0;
    period = strchr(line, ' ');
    if (period == NULL)
        return 0;
    *period++ = '\0';
    return cpus_of_quota(line, period);
}

static unsigned quota_v1(const char *folder)
{
    char path[PATH_MAX], quota[32], period[32];

    if (snprintf(path, sizeof(path), "%s/cpu.cfs_quota_us", folder) >= (int)sizeof(path) ||
        !read_first_line(quota, sizeof(quota), path) ||
        snprintf(path, sizeof(path), "%s/cpu.cfs_period_us", folder) >= (int)sizeof(path) ||
        !read_first_line(period, sizeof(period), path))
        return 0;
    return cpus_of_quota(quota, period);
}

/* The smallest quota of a cgroup and of all above it; `group` is cut on the way. */
static unsigned smallest_quota(const char *root, const char *mount, char *group,
                               unsigned (*quota)(const char *folder))
{
    unsigned least = 0;

    for (;;) {
        char folder[PATH_MAX], *slash;
        unsigned found = 0;

        if (snprintf(folder, sizeof(folder), "%s%s%s", root, mount, group) < (int)sizeof(folder))
            found = quota(folder);
        if (found != 0 && (least == 0 || found < least))
            least = found;
        slash = strrchr(group, '/');
        if (slash == NULL)
            return least;
        *slash = '\0';
    }
}

/* Whether a comma-joined list has the controller `cpu`. */
static bool has_cpu(const char *controllers)
{
    for (const char *at = controllers; at != NULL; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, "cpu", 3) == 0 && (at[3] == '\0' || at[3] == ','))
            return true;
    }
    return false;
}

/* Of one line of /proc/self/cgroup: "ID:CONTROLLERS:/GROUP". */
static unsigned line_cpus(const char *root, char *line)
{
    char *controllers = strchr(line, ':'), *group;

    line[strcspn(line, "\n")] = '\0';
    group = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
    if (group == NULL)
        return 0;
    *group++ = '\0';
    controllers++;
    if (*controllers == '\0')
        return smallest_quota(root, "/sys/fs/cgroup", group, quota_v2);
    if (!has_cpu(controllers))
        return 0;
    return smallest_quota(root, "/sys/fs/cgroup/cpu", group, quota_v1);
}

unsigned cf_cgroup_cpus(const char *root)
{
    char path[PATH_MAX], line[PATH_MAX];
    unsigned least = 0;
    FILE *in;

    if (snprintf(path, sizeof(path), "%s/proc/self/cgroup", root) >= (int)sizeof(path))
        return 0;
    in = fopen(path, "re");
    while (in != NULL && fgets(line, sizeof(line), in) != NULL) {
        unsigned found = line_cpus(root, line);

        if (found != 0 && (least == 0 || found < least))
            least = found;
    }
    if (in != NULL)
        fclose(in);
    return least;
}

static unsigned count_cores(void)
{
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof(set), &set) != 0)
        return 1;
    return (unsigned)CPU_COUNT(&set);
}

unsigned cf_usable_cpus(const char *root)
{
    unsigned quota = cf_cgroup_cpus(root);
    unsigned usable = quota != 0 ? quota : count_cores();

    return usable < 1 ? 1 : usable;
}

/* ---- the version ---- */

const char *cf_version(void)
{
    return CF_VERSION;
}

const char *cf_revision(void)
{
    return CF_REVISION;
}
