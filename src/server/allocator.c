/* SPDX-License-Identifier: Apache-2.0 */
/* allocator.c - what the process of a server is set to, beside what curfew/process.h does for every
 * command. */
#include <malloc.h>
#include <signal.h>
#include <sys/resource.h>

#include "curfew/limits.h"
#include "curfew/server.h"

/* Blocks of this size and more come from the system and go back to it when freed. glibc would
 * raise the bound by itself at the first large body, and keep what later ones take. */
#define MMAP_FROM (256 * 1024)
/* A heap keeps this much at its top when blocks are freed: the bodies of a burst of ordinary pods.
 * glibc's 128 KiB are less than 25 of them, so each burst gave pages back and took them again. */
#define TOP_KEPT (1024 * 1024)
/* Fewer than one heap for each thread: what one has freed, another can use. */
#define HEAPS 2

static void raise_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

void cf_process_serve(void)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN};

    sigaction(SIGPIPE, &ignore, NULL);
    raise_descriptors();
    mallopt(M_MMAP_THRESHOLD, MMAP_FROM);
    mallopt(M_TRIM_THRESHOLD, TOP_KEPT);
    mallopt(M_ARENA_MAX, HEAPS);
}
