/* SPDX-License-Identifier: Apache-2.0 */
/* server.h - the webhook server: reviews over TLS on one port, probes on another, metrics on a
 * third. */
#ifndef CURFEW_SERVER_H
#define CURFEW_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "curfew/err.h"
#include "curfew/review.h"

struct cf_server;
struct cf_watch;

/* A certificate that somebody else keeps in a Secret (--tls-secret). */
struct cf_tls_secret_config {
    const char *kubeconfig, *context; /* NULL: in-cluster */
    const char *namespace, *name;     /* of the Secret; name NULL: none of this */
};

/* Everything behind the pointers stays the caller's and outlives the server. */
struct cf_server_config {
    const char *listen;         /* [HOST]:PORT of the webhook */
    const char *probe_listen;   /* [HOST]:PORT of /livez and /readyz */
    const char *metrics_listen; /* [HOST]:PORT of /metrics and /version */
    unsigned threads;           /* that answer reviews; 0: as many as there are CPUs to use */
    const struct cf_store *store;
    struct cf_watch *watch; /* what keeps the store in step; NULL: it is from manifests */

    /* Files, read at the start and again whenever they change. */
    const char *config;   /* the configuration; NULL: what is built in */
    const char *tls_cert; /* PEM: the leaf, then its intermediates; NULL: see tls_secret */
    const char *tls_key;  /* PEM */

    struct cf_tls_secret_config tls_secret; /* in place of the two files */

    /* Who may call; NULL: anybody who can reach the port. Both hold where both are given. */
    const char *client_ca;           /* PEM: authorities of clients' certificates */
    const char *client_crl;          /* PEM: their revocation lists; NULL: none */
    const char *const *client_names; /* up to a NULL: one of them is in the certificate */
    const char *bearer_jwks;         /* a JWK Set: the keys that sign callers' tokens */
    /* With it, all of them: see struct cf_token_demands. */
    const char *bearer_issuer;
    const char *const *bearer_subjects, *const *bearer_audiences;
    bool authorize_anonymous; /* /authorize answers even where nobody is asked who it is */

    /* Curfew's own username, which /authorize never refuses, and its namespace, whose ConfigMaps
     * and Secrets restricted accounts may not write. NULL: unknown. */
    const char *own_user, *own_namespace;

    bool metrics_namespaces; /* metrics of the cluster have a series for each namespace */

    bool seccomp; /* only the system calls of src/server/seccomp.c, once it has started */

    int64_t drain_delay;   /* seconds to serve on after SIGTERM, not ready any more */
    int64_t drain_timeout; /* then, at most, for what is in flight */
};

/* Blocks the signals that cf_server_run() waits for; before any thread is started. */
void cf_server_block_signals(void);

/* Starts all ports and their threads. NULL: CF_ERR_INPUT for a bad address or configuration,
 * CF_ERR_SYSTEM for the rest (a port in use, a key that does not match its certificate, ...). */
struct cf_server *cf_server_start(const struct cf_server_config *config, struct cf_err *err);

/* The server's life: says that it serves, reloads files that change (all of them at SIGHUP), ends
 * connections that are too slow, warns of certificates that end. Drains at SIGTERM or SIGINT, at
 * once at a second one; then ends all threads and frees the server. */
void cf_server_run(struct cf_server *server);

/* For the start of a server: SIGPIPE does not end it, it may have as many descriptors as allowed,
 * and freed memory goes back to the system. */
void cf_process_serve(void);

#endif
