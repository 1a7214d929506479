/* SPDX-License-Identifier: Apache-2.0 */
/* seccomp.h - the system calls that a server makes once it has started, and no others. */
#ifndef CF_SERVER_SECCOMP_H
#define CF_SERVER_SECCOMP_H

#include "curfew/err.h"

/* From now on every thread, also one that starts later, may make only the calls of seccomp.c's
 * list. Any other fails with ENOSYS, as on a kernel that does not have it (seccomp_load(3), with
 * SCMP_FLTATR_CTL_TSYNC). The filter cannot be removed. Needs PR_SET_NO_NEW_PRIVS.
 * CF_ERR_SYSTEM where the kernel refuses it, and where a sanitizer needs other calls: then nothing
 * has changed. */
int cf_seccomp_start(struct cf_err *err);

#endif
