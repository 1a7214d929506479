/* SPDX-License-Identifier: Apache-2.0 */
/* exec.c - runs a credential program, as client-go does, without a shell; and reads the
 * ExecCredential that it prints (k8s.io/client-go pkg/apis/clientauthentication v1, v1beta1). Its
 * output is a secret. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "curfew/json.h"
#include "curfew/limits.h"
#include "curfew/str.h"
#include "curfew/time.h"
#include "curfew/writer.h"
#include "credentials.h"

/* A user may have to find a phone; a program alone must be faster. */
#define ALONE_SECONDS 60
#define USER_SECONDS 300
#define CHECK_MILLIS 200

struct exec_process {
    const struct cf_exec *exec;
    bool (*cancelled)(void *arg);
    void *arg;
    bool interactive;
    pid_t pid;
    int output; /* the reading end */
    int64_t deadline;
    struct cf_buf text;
};

/* ---- what it prints ---- */

void cf_exec_result_free(struct cf_exec_result *result)
{
    struct cf_buf *all[] = {&result->token, &result->cert, &result->key};

    for (size_t i = 0; i < CF_COUNT(all); i++) {
        cf_buf_wipe(all[i]);
        cf_buf_free(all[i]);
    }
}

static bool two_digits(const char *text, int64_t *out)
{
    if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9')
        return false;
    *out = (text[0] - '0') * 10 + (text[1] - '0');
    return true;
}

/* RFC 3339 as Go writes it: a fraction, which is dropped, and "Z" or "+02:00". */
static bool parse_rfc3339(const char *text, int64_t *when)
{
    char utc[] = "2026-01-01T00:00:00Z";
    size_t whole = strlen(utc) - 1;
    int64_t base, hours, minutes, sign;

    if (strlen(text) < whole + 1)
        return false;
    memcpy(utc, text, whole);
    text += whole;
    if (!cf_time_parse(utc, &base))
        return false;
    if (*text == '.')
        text += 1 + strspn(text + 1, "0123456789");
    if (cf_streq(text, "Z")) {
        *when = base;
        return true;
    }
    if (strlen(text) != strlen("+02:00") || (text[0] != '+' && text[0] != '-') || text[3] != ':' ||
        !two_digits(text + 1, &hours) || !two_digits(text + 4, &minutes))
        return false;
    sign = text[0] == '+' ? 1 : -1;
    *when = base - sign * (hours * 3600 + minutes * 60);
    return true;
}

/* ---- the answer ---- */

/* A text of `status` into a buffer; absent is empty. */
static int read_member(const struct cf_json *status, const char *key, struct cf_buf *out,
                       struct cf_err *err)
{
    const struct cf_json *value = cf_json_get(status, key);

    if (!cf_json_is_null(value) && cf_json_str(value) == NULL)
        return cf_err_system(err, "status.%s should be a string, not %s", key,
                             cf_json_type_name(cf_json_type(value)));
    cf_buf_adds(out, cf_json_str(value));
    return cf_buf_ok(out) ? 0 : cf_err_system(err, "status.%s is too long", key);
}

static int read_expiry(const struct cf_json *status, int64_t now, struct cf_exec_result *out,
                       struct cf_err *err)
{
    const char *text = cf_json_str(cf_json_get(status, "expirationTimestamp"));
    char at[32];

    if (cf_json_is_null(cf_json_get(status, "expirationTimestamp")))
        return 0;
    if (text == NULL || !parse_rfc3339(text, &out->expires))
        return cf_err_system(err, "status.expirationTimestamp should be a time like "
                                  "2026-11-22T15:12:51Z");
    if (out->expires <= now)
        return cf_err_system(err, "its credentials expired at %s",
                             cf_time_format(out->expires, at));
    return 0;
}

static int read_exec_credential(const char *api_version, const struct cf_json *root, int64_t now,
                                struct cf_exec_result *out, struct cf_err *err)
{
    const char *version = cf_str_or_empty(cf_json_str(cf_json_get(root, "apiVersion")));
    const struct cf_json *status = cf_json_get(root, "status");

    if (!cf_streq(cf_json_str(cf_json_get(root, "kind")), "ExecCredential"))
        return cf_err_system(err, "its output is not an ExecCredential");
    if (!cf_streq(version, api_version))
        return cf_err_system(err, "its output has apiVersion %.80s, the kubeconfig says %s",
                             version, api_version);
    if (cf_json_type(status) != CF_JSON_OBJECT)
        return cf_err_system(err, "its output has no status with credentials");
    if (read_member(status, "token", &out->token, err) != 0 ||
        read_member(status, "clientCertificateData", &out->cert, err) != 0 ||
        read_member(status, "clientKeyData", &out->key, err) != 0 ||
        read_expiry(status, now, out, err) != 0)
        return -1;
    if ((out->cert.len == 0) != (out->key.len == 0))
        return cf_err_system(err, "its output has a client %s; both are needed",
                             out->cert.len > 0 ? "certificate and no key"
                                               : "key and no "
                                                 "certificate");
    if (out->token.len == 0 && out->cert.len == 0)
        return cf_err_system(err, "its output has neither a token nor a client certificate");
    return 0;
}

int cf_exec_parse(const char *api_version, const char *text, size_t len, int64_t now,
                  struct cf_exec_result *out, struct cf_err *err)
{
    struct cf_arena *arena = cf_arena_new(8 * CF_MIB);
    const struct cf_json *root;
    struct cf_err why = {.kind = CF_ERR_NONE};
    int result = -1;

    memset(out, 0, sizeof(*out));
    cf_buf_init(&out->token, CF_TOKEN_MAX);
    cf_buf_init(&out->cert, CF_CREDENTIAL_MAX);
    cf_buf_init(&out->key, CF_CREDENTIAL_MAX);
    if (arena == NULL)
        return cf_err_memory(err);
    root = cf_json_parse(arena, text, len, NULL, NULL, &why);
    if (root == NULL)
        cf_err_system(err, "its output is not JSON: %s", why.msg);
    else
        result = read_exec_credential(api_version, root, now, out, err);
    cf_arena_reset(arena, true);
    cf_arena_free(arena);
    if (result != 0)
        cf_exec_result_free(out);
    return result;
}

/* ---- its environment ---- */

static char *exec_info(const struct cf_exec *exec, bool interactive)
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

/* Whether the kubeconfig or this client sets this variable. */
static bool is_overridden(const struct cf_exec *exec, const char *pair)
{
    if (cf_starts_with(pair, "KUBERNETES_EXEC_INFO="))
        return true;
    for (size_t i = 0; exec->env[i] != NULL; i++) {
        if (strncmp(exec->env[i], pair, name_len(exec->env[i])) == 0)
            return true;
    }
    return false;
}

/* Curfew's environment, then the kubeconfig's variables, then `last`. Borrows the strings. */
static const char **build_environment(const struct cf_exec *exec, const char *last)
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
        if (!is_overridden(exec, environ[i]))
            all[at++] = environ[i];
    }
    for (size_t i = 0; exec->env[i] != NULL; i++)
        all[at++] = exec->env[i];
    all[at] = last;
    return all;
}

/* ---- its start ---- */

/* The child gets default signal handling. It has a process group of its own, so that all of it can
 * be killed; but not when it uses the terminal, which belongs to the group of Curfew. */
static int set_attributes(const struct exec_process *process, posix_spawnattr_t *attributes)
{
    short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    sigset_t none, pipe_only;

    sigemptyset(&none);
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    if (!process->interactive)
        flags |= POSIX_SPAWN_SETPGROUP;
    if (posix_spawnattr_setflags(attributes, flags) != 0 ||
        posix_spawnattr_setsigmask(attributes, &none) != 0 ||
        posix_spawnattr_setsigdefault(attributes, &pipe_only) != 0)
        return ENOMEM;
    return 0;
}

static int spawn_program(struct exec_process *process, int output, const char **env)
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
    code = set_attributes(process, &attributes);
    if (code == 0)
        code = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    if (code == 0 && !process->interactive)
        code = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (code == 0)
        code = posix_spawnp(&process->pid, process->exec->command, &actions, &attributes,
                            (char *const *)(uintptr_t)process->exec->args,
                            (char *const *)(uintptr_t)env);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return code;
}

static int fail_spawn(const struct cf_exec *exec, int code, struct cf_err *err)
{
    const char *why = code == ENOENT ? "program not found" : strerror(code);

    return cf_err_system(err, "running '%s': %s%s%.200s", exec->command, why,
                         exec->hint != NULL ? "; " : "", cf_str_or_empty(exec->hint));
}

static int start_program(struct exec_process *process, struct cf_err *err)
{
    char *info = exec_info(process->exec, process->interactive);
    const char **env = info != NULL ? build_environment(process->exec, info) : NULL;
    int ends[2] = {-1, -1}, code = ENOMEM;

    if (env != NULL)
        code = pipe2(ends, O_CLOEXEC) == 0 ? spawn_program(process, ends[1], env) : errno;
    free(env);
    free(info);
    if (ends[1] >= 0)
        close(ends[1]);
    process->output = ends[0];
    if (code == 0)
        return 0;
    if (ends[0] >= 0)
        close(ends[0]);
    return fail_spawn(process->exec, code, err);
}

/* ---- its run ---- */

static int check_patience(struct exec_process *process, struct cf_err *err)
{
    if (process->cancelled != NULL && process->cancelled(process->arg))
        return cf_err_system(err, "'%s' was cancelled: shutting down", process->exec->command);
    if (cf_monotonic_micros() >= process->deadline)
        return cf_err_system(err, "'%s' did not end within %d s", process->exec->command,
                             process->interactive ? USER_SECONDS : ALONE_SECONDS);
    return 0;
}

/* Reads until the program closes its output. */
static int read_output(struct exec_process *process, struct cf_err *err)
{
    char chunk[4096];
    ssize_t got = 1;

    while (got != 0) {
        struct pollfd poll_for = {.fd = process->output, .events = POLLIN};

        if (check_patience(process, err) != 0)
            return -1;
        if (poll(&poll_for, 1, CHECK_MILLIS) <= 0)
            continue;
        got = read(process->output, chunk, sizeof(chunk));
        if (got < 0 && errno != EINTR)
            return cf_err_system(err, "reading from '%s': %s", process->exec->command,
                                 strerror(errno));
        if (got > 0)
            cf_buf_add(&process->text, chunk, (size_t)got);
        explicit_bzero(chunk, sizeof(chunk));
        if (!cf_buf_ok(&process->text))
            return cf_err_system(err, "'%s' printed more than 1 MiB", process->exec->command);
    }
    return 0;
}

static int wait_for_exit(struct exec_process *process, struct cf_err *err)
{
    int status = 0;
    pid_t got;

    while ((got = waitpid(process->pid, &status, WNOHANG)) == 0 || (got < 0 && errno == EINTR)) {
        if (check_patience(process, err) != 0)
            return -1;
        poll(NULL, 0, 10);
    }
    process->pid = 0;
    if (got > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    if (got > 0 && WIFEXITED(status))
        return cf_err_system(err, "'%s' ended with exit code %d", process->exec->command,
                             WEXITSTATUS(status));
    return cf_err_system(err, "'%s' was killed by signal %d", process->exec->command,
                         got > 0 && WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

static void end_program(struct exec_process *process)
{
    close(process->output);
    if (process->pid == 0)
        return;
    kill(process->interactive ? process->pid : -process->pid, SIGKILL);
    while (waitpid(process->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
}

/* Whether it may use the terminal. -1: it must, and there is none. */
static int choose_input(struct exec_process *process, struct cf_err *err)
{
    bool terminal = isatty(STDIN_FILENO) != 0;

    process->interactive = terminal && process->exec->input != CF_EXEC_NEVER;
    if (process->exec->input == CF_EXEC_ALWAYS && !terminal)
        return cf_err_system(
            err,
            "'%s' needs a terminal (interactiveMode: Always), and standard input is not "
            "one",
            process->exec->command);
    process->deadline = cf_monotonic_micros() +
                        (int64_t)(process->interactive ? USER_SECONDS : ALONE_SECONDS) * 1000000;
    return 0;
}

int cf_exec_run(const struct cf_exec *exec, bool (*cancelled)(void *arg), void *arg,
                struct cf_exec_result *out, struct cf_err *err)
{
    struct exec_process process = {.exec = exec, .cancelled = cancelled, .arg = arg};
    struct cf_err why = {.kind = CF_ERR_NONE};
    int result;

    if (choose_input(&process, err) != 0 || start_program(&process, err) != 0)
        return -1;
    cf_buf_init(&process.text, CF_MIB);
    result = read_output(&process, err);
    if (result == 0)
        result = wait_for_exit(&process, err);
    end_program(&process);
    if (result == 0 && cf_exec_parse(exec->api_version, cf_buf_str(&process.text), process.text.len,
                                     cf_now(), out, &why) != 0)
        result = cf_err_system(err, "'%s': %s", exec->command, why.msg);
    cf_buf_wipe(&process.text);
    cf_buf_free(&process.text);
    return result;
}
