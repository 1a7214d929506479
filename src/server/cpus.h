/* SPDX-License-Identifier: Apache-2.0 */
/* cpus.h - how many CPUs this process may use. */
#ifndef CF_SERVER_CPUS_H
#define CF_SERVER_CPUS_H

/* What the process's own cgroup (v2 or v1) lets it use, rounded up; 0: it sets no bound, or the
 * files do not say. `root` stands in front of /proc and /sys, for tests; "" for the system's
 * own. */
unsigned cf_cgroup_cpus(const char *root);

/* How many threads answer reviews without --threads: the cgroup's quota, else the cores that the
 * process may run on; from 1 to CF_THREADS_DEFAULT_MAX. */
unsigned cf_usable_cpus(const char *root);

#endif
