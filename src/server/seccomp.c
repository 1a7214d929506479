/* SPDX-License-Identifier: Apache-2.0 */
/* seccomp.c - the list of system calls of a started server; see seccomp.h and deploy/README.md. All
 * other calls fail, above all execve() and fork(), opening files for writing, memory that is both
 * writable and executable, new ports, and sockets for other purposes than IP and name lookups. */
#include "seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "curfew/attr.h"

#ifndef __has_feature
#define __has_feature(x) 0
#endif

static const int unconditional[] = {
    /* files and directories, and open descriptors */
    SCMP_SYS(read),
    SCMP_SYS(readv),
    SCMP_SYS(pread64),
    SCMP_SYS(write),
    SCMP_SYS(writev),
    SCMP_SYS(close),
    SCMP_SYS(fstat),
    SCMP_SYS(stat),
    SCMP_SYS(lstat),
    SCMP_SYS(newfstatat),
    SCMP_SYS(statx),
    SCMP_SYS(lseek),
    SCMP_SYS(getdents64),
    SCMP_SYS(readlink),
    SCMP_SYS(readlinkat),
    SCMP_SYS(access),
    SCMP_SYS(faccessat),
    SCMP_SYS(faccessat2),
    SCMP_SYS(fcntl),
    SCMP_SYS(dup),
    SCMP_SYS(dup3),
    SCMP_SYS(getcwd),
    SCMP_SYS(fstatfs),
    SCMP_SYS(statfs),
    SCMP_SYS(fadvise64),
    /* memory; mmap and mprotect are below */
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(madvise),
    SCMP_SYS(brk),
    /* threads, time, signals */
    SCMP_SYS(futex),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(rseq),
    SCMP_SYS(set_tid_address),
    SCMP_SYS(gettid),
    SCMP_SYS(getpid),
    SCMP_SYS(tgkill),
    SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(membarrier),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_getres),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(nanosleep),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(time),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(rt_sigtimedwait),
    SCMP_SYS(sigaltstack),
    /* connections; socket is below */
    SCMP_SYS(connect),
    SCMP_SYS(accept4),
    SCMP_SYS(bind),
    SCMP_SYS(getsockname),
    SCMP_SYS(getpeername),
    SCMP_SYS(getsockopt),
    SCMP_SYS(setsockopt),
    SCMP_SYS(sendto),
    SCMP_SYS(sendmsg),
    SCMP_SYS(sendmmsg),
    SCMP_SYS(recvfrom),
    SCMP_SYS(recvmsg),
    SCMP_SYS(recvmmsg),
    SCMP_SYS(shutdown),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(select),
    SCMP_SYS(pselect6),
    SCMP_SYS(epoll_create1),
    SCMP_SYS(epoll_ctl),
    SCMP_SYS(epoll_wait),
    SCMP_SYS(epoll_pwait),
    SCMP_SYS(eventfd2),
    SCMP_SYS(pipe2),
    SCMP_SYS(socketpair),
    /* queries of the libraries about the process */
    SCMP_SYS(getrandom),
    SCMP_SYS(uname),
    SCMP_SYS(sysinfo),
    SCMP_SYS(getuid),
    SCMP_SYS(geteuid),
    SCMP_SYS(getgid),
    SCMP_SYS(getegid),
    SCMP_SYS(getrlimit),
    SCMP_SYS(getrusage),
};

/* A call that is allowed if all conditions on its arguments hold. */
static const struct rule {
    int call;
    unsigned count;
    struct scmp_arg_cmp when[2];
} conditional[] = {
    /* Files are opened for reading only. */
    {SCMP_SYS(openat), 1, {{2, SCMP_CMP_MASKED_EQ, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY}}},
    {SCMP_SYS(open), 1, {{1, SCMP_CMP_MASKED_EQ, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY}}},
    /* Memory is executable only if it maps a file, and no file can be written. */
    {SCMP_SYS(mmap), 1, {{2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0}}},
    {SCMP_SYS(mmap),
     2,
     {{2, SCMP_CMP_MASKED_EQ, PROT_EXEC | PROT_WRITE, PROT_EXEC},
      {3, SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, 0}}},
    {SCMP_SYS(mprotect), 1, {{2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0}}},
    /* Threads, but no processes. The flags of clone3() are in memory, which a filter cannot read;
     * glibc falls back to clone(). */
    {SCMP_SYS(clone), 1, {{0, SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD}}},
    {SCMP_SYS(prctl), 1, {{0, SCMP_CMP_EQ, PR_SET_NAME, 0}}},
    /* How many bytes a socket has, whether it blocks, and whether a file is a terminal. */
    {SCMP_SYS(ioctl), 1, {{1, SCMP_CMP_EQ, FIONREAD, 0}}},
    {SCMP_SYS(ioctl), 1, {{1, SCMP_CMP_EQ, FIONBIO, 0}}},
    {SCMP_SYS(ioctl), 1, {{1, SCMP_CMP_EQ, TCGETS, 0}}},
    /* Limits are only read (the third argument is the new limit). */
    {SCMP_SYS(prlimit64), 1, {{2, SCMP_CMP_EQ, 0, 0}}},
    /* IP; and for name lookups the socket of nscd and the list of local addresses. */
    {SCMP_SYS(socket), 1, {{0, SCMP_CMP_EQ, AF_INET, 0}}},
    {SCMP_SYS(socket), 1, {{0, SCMP_CMP_EQ, AF_INET6, 0}}},
    {SCMP_SYS(socket), 1, {{0, SCMP_CMP_EQ, AF_UNIX, 0}}},
    {SCMP_SYS(socket), 1, {{0, SCMP_CMP_EQ, AF_NETLINK, 0}}},
};

static int add_rules(scmp_filter_ctx filter)
{
    int code = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);

    for (size_t i = 0; code == 0 && i < CF_COUNT(unconditional); i++)
        code = seccomp_rule_add(filter, SCMP_ACT_ALLOW, unconditional[i], 0);
    for (size_t i = 0; code == 0 && i < CF_COUNT(conditional); i++)
        code = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, conditional[i].call,
                                      conditional[i].count, conditional[i].when);
    return code;
}

int cf_seccomp_start(struct cf_err *err)
{
    scmp_filter_ctx filter;
    int code;

#if defined(CF_COVERAGE) || defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) ||       \
    __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
    return cf_err_system(err, "a sanitizer needs other system calls");
#endif
    filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
    if (filter == NULL)
        return cf_err_memory(err);
    code = add_rules(filter);
    if (code == 0)
        code = seccomp_load(filter);
    seccomp_release(filter);
    return code == 0 ? 0 : cf_err_system(err, "%s", strerror(-code));
}
