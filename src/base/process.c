/* SPDX-License-Identifier: Apache-2.0 */
/* process.c - what the program does for itself: its memory, its standard streams, its version. */
#include "curfew/process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

void cf_process_guard(void)
{
    const struct rlimit none = {0, 0};

    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/* ---- the standard streams ---- */

/* One that was closed is opened the wrong way around: using it then fails, as it would have
 * before, and no answer is lost in silence. */
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

/* ---- the version ---- */

const char *cf_version(void)
{
    return CF_VERSION;
}

const char *cf_revision(void)
{
    return CF_REVISION;
}
