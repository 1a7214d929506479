/* SPDX-License-Identifier: Apache-2.0 */
/* credentials.h - where an API server is and who we are there: read once from a kubeconfig or a
 * pod's files, and kept fresh from request to request. */
#ifndef CF_KUBE_ACCESS_H
#define CF_KUBE_ACCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "curfew/arena.h"
#include "curfew/buf.h"
#include "curfew/err.h"

/* ---- a credential's bytes (kept.c) ---- */

/* Given as data, or the content of a file, which is read again when it changes. */
struct cf_kept {
    const char *path; /* NULL: data, or nothing at all */
    struct cf_buf bytes;
    struct {
        dev_t dev;
        ino_t ino;
        off_t size;
        struct timespec changed;
    } seen;
    int64_t read_at; /* monotonic microseconds; 0: never */
};

/* Reads the file when it changed, or was not read for a minute (client-go does that blindly); with
 * `again` in any case. Afterwards the bytes are the file's; an error leaves the last ones, and is
 * one only while there are none. Messages name the file. */
int cf_kept_refresh(struct cf_kept *kept, bool again, struct cf_err *err);
void cf_kept_free(struct cf_kept *kept); /* wipes it */

/* ---- a program that knows the credentials (exec_credential.c) ---- */

enum cf_exec_stdin { CF_EXEC_IF_AVAILABLE, CF_EXEC_NEVER, CF_EXEC_ALWAYS };

struct cf_exec {
    const char *command;
    const char *const *args; /* with a NULL at its end; args[0] is the command */
    const char *const *env;  /* "NAME=value", with a NULL at its end */
    const char *api_version; /* client.authentication.k8s.io/v1 or v1beta1 */
    const char *hint;        /* how to install it; NULL */
    const char *cluster;     /* JSON, told to the program; NULL */
    enum cf_exec_stdin input;
    int64_t renew_at; /* unix seconds; 0: not run yet; INT64_MAX: it never ends */
};

/* What the program answered. */
struct cf_exec_result {
    struct cf_buf token, cert, key; /* empty where it gave none */
    int64_t expires;                /* unix seconds; 0: never */
};

/* Runs it. `cancelled` as in struct cf_api_call. What it said is wiped. */
int cf_exec_run(const struct cf_exec *exec, bool (*cancelled)(void *arg), void *arg,
                struct cf_exec_result *out, struct cf_err *err);

/* Reads what a program wrote to its standard output. */
int cf_exec_parse(const char *api_version, const char *text, size_t len, int64_t now,
                  struct cf_exec_result *out, struct cf_err *err);
void cf_exec_result_free(struct cf_exec_result *result); /* wipes it */

/* ---- all of it (access.c) ---- */

struct cf_credentials {
    struct cf_arena *arena;  /* all texts below; wiped at the end */
    const char *server;      /* without a slash at its end */
    const char *namespace;   /* never NULL */
    const char *server_name; /* that the server's certificate is for; NULL: that of the address */
    const char *proxy;       /* NULL: the environment's */
    const char *who;         /* "user \"admin\" of 'config'" */
    const char *trust;       /* whose authority it is: "cluster \"prod\" of '...'" */
    bool insecure;           /* the server's certificate is not looked at */
    struct cf_kept ca, cert, key, token;
    struct cf_exec *exec; /* NULL: none */
};

/* `context` NULL: current-context. */
struct cf_credentials *cf_credentials_kubeconfig(const char *path, const char *context,
                                                 struct cf_err *err);

/* `folder` NULL: where every pod has it. */
struct cf_credentials *cf_credentials_in_cluster(const char *folder, struct cf_err *err);

/* An address and whom to trust there, and nobody in particular to be. */
struct cf_credentials *cf_credentials_at(const char *url, const char *ca_file,
                                         const char *server_name, struct cf_err *err);
void cf_credentials_free(struct cf_credentials *access); /* takes NULL */

/* Brings everything up to date for one request; `again`: even what looks fresh, because the server
 * did not take it. */
int cf_credentials_refresh(struct cf_credentials *access, bool again, bool (*cancelled)(void *arg),
                           void *arg, struct cf_err *err);

/* An empty one with its arena, for those above. NULL: out of memory. */
struct cf_credentials *cf_credentials_new(struct cf_err *err);

/* Whether the whole makes sense: https where there are credentials, a certificate with its key. */
int cf_credentials_check(const struct cf_credentials *access, struct cf_err *err);

#endif
