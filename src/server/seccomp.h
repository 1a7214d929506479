/* SPDX-License-Identifier: Apache-2.0 */
/* seccomp.h - restricts a started server to the system calls that it needs. */
#ifndef CF_SERVER_SECCOMP_H
#define CF_SERVER_SECCOMP_H

#include "curfew/err.h"

/* From now on all threads, also those that start later, may make only the calls listed in
 * seccomp.c. Any other call fails with ENOSYS, as on a kernel without it (seccomp_load(3), with
 * SCMP_FLTATR_CTL_TSYNC). The filter cannot be removed. Requires PR_SET_NO_NEW_PRIVS.
 * CF_ERR_SYSTEM, and no filter, if the kernel rejects it or in a build with a sanitizer, which
 * needs other calls. */
int cf_seccomp_start(struct cf_err *err);

#endif
