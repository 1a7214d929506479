/* SPDX-License-Identifier: Apache-2.0 */
/* exec_run.c - runs a credential program, as client-go does: its words, its environment, what it
 * may ask the person, and how long it may take. No shell is involved. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "credentials.h"
#include "curfew/time.h"
#include "curfew/writer.h"
#include "curfew/limits.h"
#include "curfew/str.h"

/* A person may be looking for a phone; a program alone has no reason to think long. */
#define ALONE_SECONDS 60
#define PERSON_SECONDS 300
#define LOOK_MILLIS 200

struct run {
    const struct cf_exec *exec;
    bool (*cancelled)(void *arg);
    void *arg;
    bool interactive;
    pid_t pid;
    int output; /* the reading end */
    int64_t deadline;
    struct cf_buf text;
};

/* ---- its environment ---- */

static char *info(const struct cf_exec *exec, bool interactive)
{
    struct cf_buf text;
    struct cf_out out;
    char *taken;

    cf_buf_init(&text, 2 * CF_KUBECONFIG_MAX);
    cf_buf_adds(&text, "KUBERNETES_EXEC_INFO=");
    cf_out_init(&out, &text);
    cf_out_object(&out, NULL);
    cf_out_str(&out, "apiVersion", exec->api_version);
    cf_out_str(&out, "kind", "ExecCredential");
    cf_out_object(&out, "spec");
    cf_out_bool(&out, "interactive", interactive);
    if (exec->cluster != NULL)
        cf_out_raw(&out, "cluster", exec->cluster);
    cf_out_end_object(&out);
    cf_out_end_object(&out);
    taken = cf_buf_take(&text, NULL);
    cf_buf_free(&text);
    return taken;
}

static size_t name_len(const char *pair)
{
    return strcspn(pair, "=") + 1;
}

/* Whether the kubeconfig, or we, give this variable. */
static bool overridden(const struct cf_exec *exec, const char *pair)
{
    if (cf_starts_with(pair, "KUBERNETES_EXEC_INFO="))
        return true;
    for (size_t i = 0; exec->env[i] != NULL; i++) {
        if (strncmp(exec->env[i], pair, name_len(exec->env[i])) == 0)
            return true;
    }
    return false;
}

/* Ours, then the kubeconfig's, then `last`. The texts stay where they are. */
static const char **environment(const struct cf_exec *exec, const char *last)
{
    size_t count = 2, at = 0;
    const char **all;

    for (size_t i = 0; environ[i] != NULL; i++)
        count++;
    for (size_t i = 0; exec->env[i] != NULL; i++)
        count++;
    all = calloc(count, sizeof(*all));
    if (all == NULL)
        return NULL;
    for (size_t i = 0; environ[i] != NULL; i++) {
        if (!overridden(exec, environ[i]))
            all[at++] = environ[i];
    }
    for (size_t i = 0; exec->env[i] != NULL; i++)
        all[at++] = exec->env[i];
    all[at] = last;
    return all;
}

/* ---- its start ---- */

/* What the server has blocked and ignored is not for its children. A group of its own, so that
 * all of it can be ended, but not where it talks to the terminal: that belongs to our group. */
static int set_attributes(const struct run *run, posix_spawnattr_t *attributes)
{
    short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    sigset_t none, pipe_only;

    sigemptyset(&none);
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    if (!run->interactive)
        flags |= POSIX_SPAWN_SETPGROUP;
    if (posix_spawnattr_setflags(attributes, flags) != 0 ||
        posix_spawnattr_setsigmask(attributes, &none) != 0 ||
        posix_spawnattr_setsigdefault(attributes, &pipe_only) != 0)
        return ENOMEM;
    return 0;
}

static int spawn(struct run *run, int output, const char **env)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int code;

    if (posix_spawn_file_actions_init(&actions) != 0)
        return ENOMEM;
    if (posix_spawnattr_init(&attributes) != 0) {
        posix_spawn_file_actions_destroy(&actions);
        return ENOMEM;
    }
    code = set_attributes(run, &attributes);
    if (code == 0)
        code = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    if (code == 0 && !run->interactive)
        code = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (code == 0)
        code =
            posix_spawnp(&run->pid, run->exec->command, &actions, &attributes,
                         (char *const *)(uintptr_t)run->exec->args, (char *const *)(uintptr_t)env);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return code;
}

static int fail_spawn(const struct cf_exec *exec, int code, struct cf_err *err)
{
    const char *why = code == ENOENT ? "there is no such program" : strerror(code);

    return cf_err_system(err, "running '%s': %s%s%.200s", exec->command, why,
                         exec->hint != NULL ? "; " : "", cf_str_or_empty(exec->hint));
}

static int start(struct run *run, struct cf_err *err)
{
    char *told = info(run->exec, run->interactive);
    const char **env = told != NULL ? environment(run->exec, told) : NULL;
    int ends[2] = {-1, -1}, code = ENOMEM;

    if (env != NULL)
        code = pipe2(ends, O_CLOEXEC) == 0 ? spawn(run, ends[1], env) : errno;
    free(env);
    free(told);
    if (ends[1] >= 0)
        close(ends[1]);
    run->output = ends[0];
    if (code == 0)
        return 0;
    if (ends[0] >= 0)
        close(ends[0]);
    return fail_spawn(run->exec, code, err);
}

/* ---- its life ---- */

static int out_of_patience(struct run *run, struct cf_err *err)
{
    if (run->cancelled != NULL && run->cancelled(run->arg))
        return cf_err_system(err, "'%s' was cut short: we are ending", run->exec->command);
    if (cf_monotonic_micros() >= run->deadline)
        return cf_err_system(err, "'%s' did not end within %d s", run->exec->command,
                             run->interactive ? PERSON_SECONDS : ALONE_SECONDS);
    return 0;
}

/* Until it closes its output. */
static int read_output(struct run *run, struct cf_err *err)
{
    char chunk[4096];
    ssize_t got = 1;

    while (got != 0) {
        struct pollfd poll_for = {.fd = run->output, .events = POLLIN};

        if (out_of_patience(run, err) != 0)
            return -1;
        if (poll(&poll_for, 1, LOOK_MILLIS) <= 0)
            continue;
        got = read(run->output, chunk, sizeof(chunk));
        if (got < 0 && errno != EINTR)
            return cf_err_system(err, "reading from '%s': %s", run->exec->command, strerror(errno));
        if (got > 0)
            cf_buf_add(&run->text, chunk, (size_t)got);
        explicit_bzero(chunk, sizeof(chunk));
        if (!cf_buf_ok(&run->text))
            return cf_err_system(err, "'%s' printed more than 1 MiB", run->exec->command);
    }
    return 0;
}

static int wait_for_end(struct run *run, struct cf_err *err)
{
    int status = 0;
    pid_t got;

    while ((got = waitpid(run->pid, &status, WNOHANG)) == 0 || (got < 0 && errno == EINTR)) {
        if (out_of_patience(run, err) != 0)
            return -1;
        poll(NULL, 0, 10);
    }
    run->pid = 0;
    if (got > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    if (got > 0 && WIFEXITED(status))
        return cf_err_system(err, "'%s' ended with exit code %d", run->exec->command,
                             WEXITSTATUS(status));
    return cf_err_system(err, "'%s' was ended by signal %d", run->exec->command,
                         got > 0 && WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

static void end(struct run *run)
{
    close(run->output);
    if (run->pid == 0)
        return;
    kill(run->interactive ? run->pid : -run->pid, SIGKILL);
    while (waitpid(run->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
}

/* Whether it may ask the person; -1: it has to, and there is none. */
static int choose_input(struct run *run, struct cf_err *err)
{
    bool person = isatty(STDIN_FILENO) != 0;

    run->interactive = person && run->exec->input != CF_EXEC_NEVER;
    if (run->exec->input == CF_EXEC_ALWAYS && !person)
        return cf_err_system(err,
                             "'%s' has to ask somebody (interactiveMode: Always), and "
                             "standard input is no terminal",
                             run->exec->command);
    run->deadline = cf_monotonic_micros() +
                    (int64_t)(run->interactive ? PERSON_SECONDS : ALONE_SECONDS) * 1000000;
    return 0;
}

int cf_exec_run(const struct cf_exec *exec, bool (*cancelled)(void *arg), void *arg,
                struct cf_exec_result *out, struct cf_err *err)
{
    struct run run = {.exec = exec, .cancelled = cancelled, .arg = arg};
    struct cf_err why = {.kind = CF_ERR_NONE};
    int result;

    if (choose_input(&run, err) != 0 || start(&run, err) != 0)
        return -1;
    cf_buf_init(&run.text, CF_MIB);
    result = read_output(&run, err);
    if (result == 0)
        result = wait_for_end(&run, err);
    end(&run);
    if (result == 0 && cf_exec_parse(exec->api_version, cf_buf_str(&run.text), run.text.len,
                                     cf_now(), out, &why) != 0)
        result = cf_err_system(err, "'%s': %s", exec->command, why.msg);
    cf_buf_wipe(&run.text);
    cf_buf_free(&run.text);
    return result;
}
