/* SPDX-License-Identifier: Apache-2.0 */
/* process.h - what every command does before it reads anything (its memory may hold tokens), the
 * CPUs that it may use, and its version. */
#ifndef CURFEW_PROCESS_H
#define CURFEW_PROCESS_H

#include <stdbool.h>

/* No core file, no debugger and no reader of /proc/PID/mem without CAP_SYS_PTRACE
 * (PR_SET_DUMPABLE), and no way to more privileges (PR_SET_NO_NEW_PRIVS): a program that it
 * starts, such as an exec plugin of a kubeconfig, gains nothing from a set-user-ID bit. */
void cf_process_guard(void);

/* Makes sure that descriptors 0 to 2 are open, so that no file opened later becomes one of them. */
void cf_stdio_open(void);

/* Flushes standard output. False, after a message on standard error: not all of it was written. */
bool cf_stdio_close(void);

/* How many CPUs the process's own cgroup (v2 or v1) lets it use, rounded up, at most CF_CPUS_MAX;
 * 0: it sets no quota, or the files cannot be read. `root` is a prefix of /proc and /sys, for
 * tests; "" for those of the system. */
#define CF_CPUS_MAX 1024
unsigned cf_cgroup_cpus(const char *root);

/* The same; without a quota the cores that the process may run on. At least 1. */
unsigned cf_usable_cpus(const char *root);

/* What `curfew --version`, /version and curfew_build_info print. */
const char *cf_version(void);  /* "0.1.0", from the file VERSION */
const char *cf_revision(void); /* the git commit it was built from, or "unknown" */

#endif
