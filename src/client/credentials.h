/* SPDX-License-Identifier: Apache-2.0 */
/* credentials.h - where an API server is and who the client is there: read once from a kubeconfig
 * or a pod's files, and kept fresh from request to request. */
#ifndef CF_CLIENT_CREDENTIALS_H
#define CF_CLIENT_CREDENTIALS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "curfew/arena.h"
#include "curfew/buf.h"
#include "curfew/err.h"

/* ---- a credential's bytes ---- */

/* Data, or the content of a file, which is read again when it changes. */
struct cf_kept {
    const char *path; /* NULL: data, or empty */
    struct cf_buf bytes;
    struct {
        dev_t dev;
        ino_t ino;
        off_t size;
        struct timespec changed;
    } seen;
    int64_t read_at; /* monotonic microseconds; 0: never */
};

/* Reads the file when it changed, or was not read for a minute (as client-go does); with `again`
 * always. The bytes are then the file's. When that fails and there are older bytes, they stay, and
 * it is not an error. Messages name the file. */
int cf_kept_refresh(struct cf_kept *kept, bool again, struct cf_err *err);

/* ---- a credential program (exec.c) ---- */

enum cf_exec_stdin { CF_EXEC_IF_AVAILABLE, CF_EXEC_NEVER, CF_EXEC_ALWAYS };

struct cf_exec {
    const char *command;
    const char *const *args; /* with a NULL at its end; args[0] is the command */
    const char *const *env;  /* "NAME=value", with a NULL at its end */
    const char *api_version; /* client.authentication.k8s.io/v1 or v1beta1 */
    const char *hint;        /* how to install it; NULL */
    const char *cluster;     /* JSON for the program; NULL */
    enum cf_exec_stdin input;
    int64_t renew_at; /* unix seconds; 0: not run yet; INT64_MAX: never */
};

/* What the program printed. */
struct cf_exec_result {
    struct cf_buf token, cert, key; /* empty: none */
    int64_t expires;                /* unix seconds; 0: never */
};

/* Runs it. `cancelled` as in struct cf_api_call. Wipes its output. */
int cf_exec_run(const struct cf_exec *exec, bool (*cancelled)(void *arg), void *arg,
                struct cf_exec_result *out, struct cf_err *err);

/* Reads what a program printed. On -1 `out` is freed. */
int cf_exec_parse(const char *api_version, const char *text, size_t len, int64_t now,
                  struct cf_exec_result *out, struct cf_err *err);
void cf_exec_result_free(struct cf_exec_result *result); /* wipes it */

/* ---- all credentials (credentials.c) ---- */

struct cf_credentials {
    struct cf_arena *arena; /* of all strings below; wiped when freed */
    const char *server;     /* without a slash at its end */
    const char *namespace;  /* never NULL */
    const char
        *server_name;  /* expected in the server's certificate; NULL: the host of the address */
    const char *proxy; /* NULL: from the environment */
    const char *who;   /* "user \"admin\" of 'config'" */
    const char *trust; /* whose CA it is: "cluster \"prod\" of '...'" */
    bool insecure;     /* do not verify the server's certificate */
    struct cf_kept ca, cert, key, token;
    struct cf_exec *exec; /* NULL: none */
};

/* Reads a kubeconfig (kubeconfig.c). `context` NULL: current-context. NULL with an error. */
struct cf_credentials *cf_credentials_kubeconfig(const char *path, const char *context,
                                                 struct cf_err *err);

/* Reads the files of a pod's service account. `folder` NULL: the usual one. NULL with an error. */
struct cf_credentials *cf_credentials_in_cluster(const char *folder, struct cf_err *err);

/* A server by its address, without credentials; `ca_file` verifies it. NULL with an error. */
struct cf_credentials *cf_credentials_at(const char *url, const char *ca_file,
                                         const char *server_name, struct cf_err *err);
void cf_credentials_free(struct cf_credentials *creds); /* takes NULL */

/* Updates everything that changed or expires, for one request; with `again` everything, because the
 * server rejected it. */
int cf_credentials_refresh(struct cf_credentials *creds, bool again, bool (*cancelled)(void *arg),
                           void *arg, struct cf_err *err);

/* Empty credentials with their arena, for the functions above. NULL: out of memory. */
struct cf_credentials *cf_credentials_new(struct cf_err *err);

/* Checks them as a whole: https if there are credentials, a key for each certificate. */
int cf_credentials_check(const struct cf_credentials *creds, struct cf_err *err);

#endif
