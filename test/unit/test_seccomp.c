/* SPDX-License-Identifier: Apache-2.0 */
/* The system calls that the filter refuses and allows, each in a separate process, since a filter
 * cannot be removed. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../src/server/seccomp.h"
#include "curfew/attr.h"

/* ---- calls that are refused; each function returns -1 with errno on failure ---- */

static int run_a_program(void)
{
    char *argv[] = {(char[]){"true"}, NULL}, *env[] = {NULL};

    return execve("/bin/true", argv, env);
}

static int run_a_descriptor(void)
{
    return (int)syscall(SYS_execveat, STDIN_FILENO, "", NULL, NULL, 0);
}

static int start_a_process(void)
{
    pid_t pid = fork();

    if (pid == 0)
        _exit(0);
    return pid < 0 ? -1 : 0;
}

static int write_a_file(void)
{
    return open("/dev/null", O_WRONLY);
}

static int write_and_read_a_file(void)
{
    return open("/dev/null", O_RDWR);
}

static int make_a_file(void)
{
    return open("/tmp/curfew-seccomp", O_RDONLY | O_CREAT, 0600);
}

static int make_a_nameless_file(void)
{
    return (int)syscall(SYS_memfd_create, "x", 0);
}

static int remove_a_file(void)
{
    return unlink("/tmp/curfew-seccomp");
}

static int change_a_file(void)
{
    return chmod("/tmp/curfew-seccomp", 0600);
}

static int map_code(void)
{
    void *at = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return at == MAP_FAILED ? -1 : 0;
}

static int map_code_to_write(void)
{
    void *at =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return at == MAP_FAILED ? -1 : 0;
}

static int turn_data_into_code(void)
{
    void *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return at == MAP_FAILED ? 0 : mprotect(at, 4096, PROT_READ | PROT_EXEC);
}

static int open_a_port(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    return fd < 0 ? 0 : listen(fd, 1);
}

static int listen_on_the_wire(void)
{
    return socket(AF_PACKET, SOCK_RAW, 0);
}

static int trace_a_process(void)
{
    return (int)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static int end_another_process(void)
{
    return kill(getppid(), 0);
}

static int be_dumpable_again(void)
{
    return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static int raise_a_limit(void)
{
    struct rlimit limit = {0, 0};

    return setrlimit(RLIMIT_CORE, &limit);
}

static int type_into_a_terminal(void)
{
    char byte = '\n';

    return ioctl(STDIN_FILENO, TIOCSTI, &byte);
}

static int load_a_program_of_the_kernel(void)
{
    return (int)syscall(SYS_bpf, 0, NULL, 0);
}

static int queue_calls(void)
{
    return (int)syscall(SYS_io_uring_setup, 1, NULL);
}

static int leave_the_namespace(void)
{
    return (int)syscall(SYS_unshare, 0);
}

static int set_the_user(void)
{
    return setuid(getuid());
}

static const struct attempt {
    const char *name;
    int (*try)(void);
} refused[] = {
    {"run a program", run_a_program},
    {"run a descriptor", run_a_descriptor},
    {"start a process", start_a_process},
    {"open a file for writing", write_a_file},
    {"open a file for reading and writing", write_and_read_a_file},
    {"create a file", make_a_file},
    {"create a file without a name", make_a_nameless_file},
    {"remove a file", remove_a_file},
    {"change a file's mode", change_a_file},
    {"map memory to execute it", map_code},
    {"map memory to write and execute it", map_code_to_write},
    {"execute what was written", turn_data_into_code},
    {"listen on a port", open_a_port},
    {"read packets", listen_on_the_wire},
    {"trace", trace_a_process},
    {"send a signal to another process", end_another_process},
    {"be dumpable again", be_dumpable_again},
    {"set a limit", raise_a_limit},
    {"type into a terminal", type_into_a_terminal},
    {"bpf", load_a_program_of_the_kernel},
    {"io_uring", queue_calls},
    {"unshare", leave_the_namespace},
    {"set the user", set_the_user},
};

/* ---- calls that are allowed ---- */

static int read_a_file(void)
{
    char byte;
    int fd = open("/etc/hosts", O_RDONLY | O_CLOEXEC);

    return fd < 0 ? -1 : (int)read(fd, &byte, 1);
}

static int look_a_name_up(void)
{
    struct addrinfo *found = NULL;

    if (getaddrinfo("localhost", "443", NULL, &found) != 0)
        return -1;
    freeaddrinfo(found);
    return 0;
}

static int connect_somewhere(void)
{
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

    return fd < 0 && errno != EAFNOSUPPORT ? -1 : 0;
}

static int use_much_memory(void)
{
    char *block = malloc(64 << 20);

    if (block == NULL)
        return -1;
    block[0] = block[(64 << 20) - 1] = 'x';
    block = realloc(block, 128 << 20);
    free(block);
    return block == NULL ? -1 : 0;
}

static void *in_a_thread(void *arg)
{
    const struct attempt *attempt = arg;

    return attempt->try() < 0 && errno == ENOSYS ? NULL : arg;
}

/* The new thread runs, and is filtered like the one that started it. */
static int start_a_thread(void)
{
    struct attempt attempt = {"run a program", run_a_program};
    pthread_t thread;
    void *out = &thread;

    if (pthread_create(&thread, NULL, in_a_thread, &attempt) != 0)
        return -1;
    pthread_join(thread, &out);
    return out == NULL ? 0 : -1;
}

static const struct attempt allowed[] = {
    {"read a file", read_a_file},         {"look up a name", look_a_name_up},
    {"open a socket", connect_somewhere}, {"use much memory", use_much_memory},
    {"start a thread", start_a_thread},
};

/* ---- the tests ---- */

enum { WORKED, REFUSED, OTHERWISE, NO_FILTER };

static int in_a_process(const struct attempt *attempt, bool filtered)
{
    struct cf_err err = {.kind = CF_ERR_NONE};
    int status = 0;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        if (filtered && cf_seccomp_start(&err) != 0)
            _exit(NO_FILTER);
        errno = 0;
        _exit(attempt->try() >= 0 ? WORKED : errno == ENOSYS ? REFUSED : OTHERWISE);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(CF_COVERAGE) || defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) ||       \
    __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED true
#else
#define SANITIZED false
#endif

/* Builds with a sanitizer have no filter. */
static bool has_filter(void)
{
    bool has = in_a_process(&allowed[0], true) != NO_FILTER;

    assert_int_equal(has, !SANITIZED);
    return has;
}

static void other_calls_are_refused(void **state)
{
    (void)state;
    if (!has_filter())
        skip();
    for (size_t i = 0; i < CF_COUNT(refused); i++) {
        if (in_a_process(&refused[i], true) != REFUSED)
            fail_msg("%s: it is not refused", refused[i].name);
        /* Without the filter it ends in another way, so the filter is what refuses it. */
        if (in_a_process(&refused[i], false) == REFUSED)
            print_message("%s: this kernel refuses it by itself\n", refused[i].name);
    }
}

static void needed_calls_are_allowed(void **state)
{
    (void)state;
    if (!has_filter())
        skip();
    for (size_t i = 0; i < CF_COUNT(allowed); i++) {
        if (in_a_process(&allowed[i], true) != WORKED)
            fail_msg("%s: it does not work", allowed[i].name);
    }
}

struct early {
    pthread_mutex_t lock;
    int outcome;
};

static void *early_thread(void *arg)
{
    struct early *early = arg;

    pthread_mutex_lock(&early->lock); /* until there is a filter */
    early->outcome = run_a_program() < 0 && errno == ENOSYS ? REFUSED : OTHERWISE;
    pthread_mutex_unlock(&early->lock);
    return NULL;
}

static int before_the_filter(void)
{
    struct early early = {.lock = PTHREAD_MUTEX_INITIALIZER, .outcome = OTHERWISE};
    struct cf_err err = {.kind = CF_ERR_NONE};
    pthread_t thread;

    pthread_mutex_lock(&early.lock);
    if (pthread_create(&thread, NULL, early_thread, &early) != 0)
        return -1;
    if (cf_seccomp_start(&err) != 0)
        return -1;
    pthread_mutex_unlock(&early.lock);
    pthread_join(thread, NULL);
    return early.outcome == REFUSED ? 0 : -1;
}

static void running_threads_are_filtered_too(void **state)
{
    const struct attempt attempt = {"a thread of before", before_the_filter};

    (void)state;
    if (!has_filter())
        skip();
    assert_int_equal(in_a_process(&attempt, false), WORKED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(other_calls_are_refused),
        cmocka_unit_test(needed_calls_are_allowed),
        cmocka_unit_test(running_threads_are_filtered_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
