/* SPDX-License-Identifier: Apache-2.0 */
#include "curfew/process.h"

#include <sys/prctl.h>
#include <sys/resource.h>

void cf_process_guard(void)
{
    const struct rlimit none = {0, 0};

    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}
