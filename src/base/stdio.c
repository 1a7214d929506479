/* SPDX-License-Identifier: Apache-2.0 */
/* stdio.c - the three standard streams at the program's start and end. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "curfew/process.h"

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
