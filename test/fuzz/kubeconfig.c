/* SPDX-License-Identifier: Apache-2.0 */
/* kubeconfig - kubeconfigs, and the output of credential programs. No program is started, and other
 * files are opened only if the text names them; all of them are missing.
 *
 * The first byte, modulo 4: 0 is a kubeconfig, 1 one with the context "c", 2 and 3 an
 * ExecCredential of v1 and of v1beta1; the rest is the text. */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fuzz.h"
#include "leaks.h"

#include "../src/client/credentials.h"
#include "curfew/limits.h"

static int file = -1;
static char path[64];
static bool reading; /* the program under test has the word, and not libFuzzer */
static unsigned opened;
static struct fuzz_secrets secrets;

/* In the place of the C library's, for everything that is linked into this program. */
int open(const char *name, int flags, ...)
{
    va_list args;
    mode_t mode;

    va_start(args, flags);
    mode = (flags & O_CREAT) != 0 ? va_arg(args, mode_t) : 0;
    va_end(args);
    if (!reading || strcmp(name, path) == 0)
        return (int)syscall(SYS_openat, AT_FDCWD, name, flags, mode);
    fuzz_must((flags & (O_ACCMODE | O_CREAT | O_TRUNC)) == O_RDONLY, "files are only read", name);
    opened++;
    errno = ENOENT;
    return -1;
}

int posix_spawn(pid_t *pid, const char *program, const posix_spawn_file_actions_t *actions,
                const posix_spawnattr_t *attributes, char *const argv[], char *const env[])
{
    (void)pid, (void)actions, (void)attributes, (void)argv, (void)env;
    fuzz_must(false, "no program is started", program);
    return ENOSYS;
}

int posix_spawnp(pid_t *pid, const char *program, const posix_spawn_file_actions_t *actions,
                 const posix_spawnattr_t *attributes, char *const argv[], char *const env[])
{
    return posix_spawn(pid, program, actions, attributes, argv, env);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    cf_json_init();
    file = memfd_create("kubeconfig", MFD_CLOEXEC);
    fuzz_must(file >= 0, "there is room for a file", strerror(errno));
    snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
    return 0;
}

/* ---- kubeconfigs ---- */

static bool given(const struct cf_kept *kept)
{
    return kept->path != NULL || kept->bytes.len > 0;
}

static void check_exec(const struct cf_exec *exec)
{
    struct cf_arena *arena = cf_arena_new(CF_ARENA_MAX);
    struct cf_err err;

    fuzz_must(exec->command != NULL && exec->command[0] != '\0', "there is a command", NULL);
    fuzz_must(exec->args[0] == exec->command, "its first word is itself", exec->args[0]);
    fuzz_must(cf_starts_with(exec->api_version, "client.authentication.k8s.io/v1"),
              "its version is supported", exec->api_version);
    for (size_t i = 0; exec->env[i] != NULL; i++)
        fuzz_must(exec->env[i][0] != '=' && strchr(exec->env[i], '=') != NULL,
                  "a variable has a name", exec->env[i]);
    if (exec->cluster != NULL)
        fuzz_must(cf_json_parse(arena, exec->cluster, strlen(exec->cluster), NULL, NULL, &err) !=
                      NULL,
                  "the cluster information is strict JSON", exec->cluster);
    cf_arena_free(arena);
}

/* A credential that occurs once in the text must not occur in a message about it. */
static void check_told(const struct cf_credentials *access, const char *input, const char *message)
{
    const char *token = access->token.bytes.data;
    const char *at = access->token.bytes.len < FUZZ_PART ? NULL : strstr(input, token);

    if (at != NULL && strstr(at + 1, token) == NULL)
        fuzz_must(strstr(message, token) == NULL, "a message contains the token", message);
    fuzz_must_not_tell(&secrets, message);
}

static void check_access(struct cf_credentials *access, const char *input)
{
    bool secret = given(&access->token) || given(&access->key) || access->exec != NULL;
    struct cf_err err = {.kind = CF_ERR_NONE};
    size_t len = strlen(access->server);

    fuzz_must(cf_starts_with(access->server, "https://") ||
                  (!secret && cf_starts_with(access->server, "http://")),
              "no credentials go without TLS", access->server);
    fuzz_must(access->server[len - 1] != '/' || cf_ends_with(access->server, "://"),
              "no slash is at its end", access->server);
    fuzz_must(access->namespace[0] != '\0', "there is a namespace", NULL);
    fuzz_must(given(&access->cert) == given(&access->key), "a certificate has its key", NULL);
    fuzz_must(!access->insecure || !given(&access->ca), "insecure, or an authority", NULL);
    check_told(access, input, access->who);
    check_told(access, input, access->trust);
    if (access->exec != NULL) {
        check_exec(access->exec);
        return;
    }
    if (cf_credentials_refresh(access, false, NULL, NULL, &err) != 0)
        check_told(access, input, err.msg);
    for (size_t i = 0; err.kind == CF_ERR_NONE && i < access->token.bytes.len; i++)
        fuzz_must(access->token.bytes.data[i] > ' ' && access->token.bytes.data[i] < 0x7F,
                  "the token fits into a header", NULL);
}

static void kubeconfig(const char *text, size_t len, const char *context)
{
    struct cf_err err = {.kind = CF_ERR_NONE};
    struct cf_credentials *access;

    fuzz_must(ftruncate(file, 0) == 0 && pwrite(file, text, len, 0) == (ssize_t)len,
              "the file is written", strerror(errno));
    opened = 0;
    reading = true;
    access = cf_credentials_kubeconfig(path, context, &err);
    fuzz_must(opened == 0 || (opened == 1 && (strstr(text, "provideClusterInfo") != NULL ||
                                              strchr(text, '\\') != NULL)),
              "a file was opened that the text does not name", text);
    if (access == NULL) {
        fuzz_must(err.kind != CF_ERR_NONE, "a refusal has its sentence", NULL);
        fuzz_must_be_clean(err.msg);
        fuzz_must_not_tell(&secrets, err.msg);
    } else {
        check_access(access, text);
    }
    reading = false;
    cf_credentials_free(access);
}

/* ---- what credential programs print ---- */

static void credential(const char *text, size_t len, const char *version)
{
    struct cf_err err = {.kind = CF_ERR_NONE};
    struct cf_exec_result result;

    if (cf_exec_parse(version, text, len, NOW, &result, &err) != 0) {
        fuzz_must(err.kind != CF_ERR_NONE, "a refusal has its sentence", NULL);
        fuzz_must_be_clean(err.msg);
        fuzz_must_not_tell(&secrets, err.msg);
        fuzz_must(result.token.data == NULL && result.cert.data == NULL && result.key.data == NULL,
                  "a rejected input leaves no credentials", err.msg);
        return;
    }
    fuzz_must(result.token.len > 0 || result.cert.len > 0, "there are credentials", text);
    fuzz_must((result.cert.len > 0) == (result.key.len > 0), "a certificate has its key", text);
    fuzz_must(result.expires == 0 || result.expires > NOW, "they have not ended", text);
    cf_exec_result_free(&result);
}

static void run(const uint8_t *data, size_t size)
{
    char *text = malloc(size);

    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    fuzz_secrets_of(&secrets, text, size - 1);
    if (data[0] % 4 < 2)
        kubeconfig(text, size - 1, data[0] % 4 == 0 ? NULL : "c");
    else
        credential(text, size - 1,
                   data[0] % 4 == 2 ? "client.authentication.k8s.io/v1"
                                    : "client.authentication.k8s.io/v1beta1");
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 1)
        fuzz_timed(run, data, size);
    return 0;
}
