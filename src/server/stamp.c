/* SPDX-License-Identifier: Apache-2.0 */
/* stamp.c - see stamp.h. */
#include "stamp.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "curfew/str.h"

/* A file that was changed within this time is left to whoever writes it. */
#define FRESH_NANOS 200000000

void cf_stamp_take(const char *path, struct cf_stamp *out)
{
    memset(out, 0, sizeof(*out));
    if (realpath(path, out->real) == NULL || stat(out->real, &out->st) != 0)
        out->error = errno;
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

bool cf_stamp_same(const struct cf_stamp *a, const struct cf_stamp *b)
{
    if (a->error != 0 || b->error != 0)
        return a->error == b->error;
    return a->st.st_dev == b->st.st_dev && a->st.st_ino == b->st.st_ino &&
           a->st.st_size == b->st.st_size && same_time(&a->st.st_mtim, &b->st.st_mtim) &&
           same_time(&a->st.st_ctim, &b->st.st_ctim) && cf_streq(a->real, b->real);
}

/* A time in the future is no sign of anything but another clock. */
bool cf_stamp_is_fresh(const struct cf_stamp *stamp)
{
    struct timespec now;
    int64_t age;

    if (stamp->error != 0 || clock_gettime(CLOCK_REALTIME, &now) != 0 ||
        now.tv_sec - stamp->st.st_mtim.tv_sec > 1)
        return false;
    age = (int64_t)(now.tv_sec - stamp->st.st_mtim.tv_sec) * 1000000000 +
          (now.tv_nsec - stamp->st.st_mtim.tv_nsec);
    return age >= 0 && age < FRESH_NANOS;
}

static bool same_folder(const char *a, const char *b)
{
    const char *a_end = strrchr(a, '/'), *b_end = strrchr(b, '/');
    size_t a_len = a_end != NULL ? (size_t)(a_end - a) : 0;
    size_t b_len = b_end != NULL ? (size_t)(b_end - b) : 0;

    return a_len == b_len && memcmp(a, b, a_len) == 0;
}

bool cf_stamp_together(const char *path, const struct cf_stamp *stamp, const char *other_path,
                       const struct cf_stamp *other)
{
    return stamp->error != 0 || other->error != 0 || !same_folder(path, other_path) ||
           same_folder(stamp->real, other->real);
}
