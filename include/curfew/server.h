/* SPDX-License-Identifier: Apache-2.0 */
/* server.h - the webhook server: one port for reviews over TLS, one for probes, one for metrics. */
#ifndef CURFEW_SERVER_H
#define CURFEW_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "curfew/err.h"
#include "curfew/review.h"

struct cf_server;
struct cf_watch;

/* A serving certificate in a Secret, which another process renews (--tls-secret). */
struct cf_tls_secret_config {
    const char *kubeconfig, *context; /* NULL: in-cluster */
    const char *namespace, *name;     /* of the Secret; name NULL: not used */
};

/* All pointers remain the caller's, and must be valid until the server ends. */
struct cf_server_config {
    const char *listen;         /* [HOST]:PORT of the webhook */
    const char *probe_listen;   /* [HOST]:PORT of /livez and /readyz */
    const char *metrics_listen; /* [HOST]:PORT of /metrics and /version */
    unsigned threads;           /* that answer reviews; 0: as many as there are CPUs to use */
    const struct cf_store *store;
    struct cf_watch *watch; /* updates the store; NULL: the store was filled from manifests */

    /* Files, read at the start and again whenever they change. */
    const char *config;   /* the configuration; NULL: the built-in one */
    const char *tls_cert; /* PEM: the leaf, then its intermediates; NULL: see tls_secret */
    const char *tls_key;  /* PEM */

    struct cf_tls_secret_config tls_secret; /* in place of the two files */

    /* Authentication of callers; both NULL: every client that can reach the port may call. With
     * both, a client needs a certificate and a token. */
    const char *client_ca;  /* PEM: authorities of client certificates */
    const char *client_crl; /* PEM: revocation lists of these authorities; NULL: none */
    const char *const
        *client_names;       /* ends with NULL; a client certificate must have one of them */
    const char *bearer_jwks; /* a JWK Set: the keys that sign the tokens of callers */
    /* Required with bearer_jwks: see struct cf_token_demands. */
    const char *bearer_issuer;
    const char *const *bearer_subjects, *const *bearer_audiences;
    bool authorize_anonymous; /* /authorize answers also if callers are not authenticated */

    /* Curfew's own username, which /authorize never denies, and its namespace, whose ConfigMaps and
     * Secrets restricted accounts may not write. NULL: unknown. */
    const char *own_user, *own_namespace;

    bool metrics_namespaces; /* metrics of the cluster have a series for each namespace */

    bool seccomp; /* after the start, allow only the system calls listed in src/server/seccomp.c */

    int64_t drain_delay;   /* seconds to continue to serve after SIGTERM, while not ready */
    int64_t drain_timeout; /* seconds to wait, after that, for requests in progress */
};

/* Blocks the signals that cf_server_run() waits for. Must be called before any thread starts. */
void cf_server_block_signals(void);

/* Starts all ports and their threads. NULL: CF_ERR_INPUT for an invalid address or configuration,
 * CF_ERR_SYSTEM for other failures (a port in use, a key that does not match its certificate,
 * ...). */
struct cf_server *cf_server_start(const struct cf_server_config *config, struct cf_err *err);

/* Runs the server until it has drained: reloads files that change (all files on SIGHUP) and warns
 * of certificates that expire soon. SIGTERM or SIGINT begins to drain; a second signal ends that
 * immediately. Then ends all threads and frees the server. */
void cf_server_run(struct cf_server *server);

/* Prepares the process of a server: ignores SIGPIPE, raises the limit of descriptors to the allowed
 * maximum, and sets malloc to return freed memory to the system. */
void cf_process_serve(void);

#endif
