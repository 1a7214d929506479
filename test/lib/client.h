/* SPDX-License-Identifier: Apache-2.0 */
/* client.h - shared functions of the TLS clients of the tests: connections to ports of this
 * machine, requests, responses, times. The programs: clients.c, test/http/flood.c,
 * test/http/worst.c, test/soak/load.c. */
#ifndef CURFEW_TEST_CLIENT_H
#define CURFEW_TEST_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gnutls/gnutls.h>

struct text {
    char *bytes; /* malloc'ed, and terminated by a NUL */
    size_t len;
};

struct client {
    int fd; /* -1: no connection */
    gnutls_session_t tls;
};

/* ---- connections ---- */

extern gnutls_certificate_credentials_t client_credentials;

/* To be called first. With `ca`, a file, servers have to be "localhost" by this authority; with
 * NULL no certificate is verified: the shell tests do that. */
void client_init(const char *ca);

/* A connection without TLS, or -1. With `patience` above 0 nothing waits longer than these
 * milliseconds; `room` above 0 is the size of the receive buffer. */
int client_dial(int port, unsigned patience, int room);

/* A handshake over `fd`, which the client owns from here on. False: it failed, and `fd` is closed.
 */
bool client_greet(struct client *c, int fd, unsigned patience);

/* Both. */
bool client_open(struct client *c, int port, unsigned patience);
void client_close(struct client *c);

/* Sends all bytes, a record at a time. */
bool client_send(struct client *c, const char *bytes, size_t len);

/* Reads one answer to the end that its Content-Length gives; returns its body, or NULL. `buf` holds
 * the head, terminated where the body begins. */
char *client_read(struct client *c, char *buf, size_t size);

/* Reads until the server closes the connection; the first `size` - 1 bytes are kept, with a NUL. */
void client_read_all(struct client *c, char *buf, size_t size);

/* Whether an answer has this status. */
bool client_has_status(const char *answer, int status);

/* Whether GET `path` without TLS, on a new connection, gets a response with 200. */
bool client_get(int port, const char *path, unsigned patience);

/* ---- requests ---- */

/* Exits with 2 when it cannot be read. */
struct text client_file(const char *path);

/* POST `path` with this body; `headers` are further ones, each with its CR LF. */
struct text client_request(const char *path, const char *headers, const char *body, size_t len);

/* ---- the rest ---- */

int64_t client_micros(void); /* monotonic */
void client_sleep(long millis);

/* As many descriptors as this process may have. */
void client_raise_files(void);

/* Runs `f` in as many threads with small stacks, and waits for all. `started` is called in between;
 * NULL: nothing is. False: not all could be started. */
bool client_threads(int count, void *(*f)(void *), void (*started)(void));

/* For qsort(): longs, the smallest first. */
int client_by_size(const void *a, const void *b);

#endif
