/* SPDX-License-Identifier: Apache-2.0 */
/* many PORT COUNT FILE [TRIES] - COUNT connections send the review in FILE at the same time; who is
 * told to try again does, after a second, up to TRIES (1) times in all.
 *
 * Prints how many were answered, told to try again (429 with Retry-After: 1), and anything else:
 * "answered 40 busy 560 other 0". */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gnutls/gnutls.h>

#include "client.h"

static int port;
static char *body;
static size_t body_len;
static int tries = 1;
static pthread_barrier_t all_connected;
static gnutls_certificate_credentials_t credentials;
static atomic_int answered, busy, other;

static gnutls_session_t connect_to_server(int fd)
{
    return client_connect(fd, port) ? client_handshake(fd, credentials, 30000) : NULL;
}

static bool send_review(gnutls_session_t tls)
{
    char head[256];

    snprintf(head, sizeof(head),
             "POST /validate HTTP/1.1\r\nHost: l\r\nContent-Type: application/json\r\n"
             "Content-Length: %zu\r\nConnection: close\r\n\r\n",
             body_len);
    return client_send(tls, head, strlen(head)) && client_send(tls, body, body_len);
}

static atomic_int *verdict(const char *answer)
{
    if (strncmp(answer, "HTTP/1.1 200 ", 13) == 0 && strstr(answer, "\"allowed\":") != NULL)
        return &answered;
    if (strncmp(answer, "HTTP/1.1 429 ", 13) == 0 && strstr(answer, "Retry-After: 1\r\n") != NULL &&
        strstr(answer, "Content-Type: text/plain") != NULL)
        return &busy;
    fprintf(stderr, "other: %.100s\n", answer);
    return &other;
}

/* Returns what to count it as. */
static atomic_int *ask(bool first)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    gnutls_session_t tls = connect_to_server(fd);
    char answer[4096] = "";
    size_t len = 0;
    ssize_t got;

    if (first)
        pthread_barrier_wait(&all_connected);
    if (tls != NULL && send_review(tls)) {
        while (len < sizeof(answer) - 1 &&
               (got = gnutls_record_recv(tls, answer + len, sizeof(answer) - 1 - len)) > 0)
            len += (size_t)got;
    }
    close(fd);
    if (tls != NULL)
        gnutls_deinit(tls);
    return verdict(answer);
}

static void *run(void *arg)
{
    atomic_int *as = ask(true);

    (void)arg;
    for (int i = 1; i < tries && as == &busy; i++) {
        sleep(1);
        as = ask(false);
    }
    atomic_fetch_add(as, 1);
    return NULL;
}

int main(int argc, char **argv)
{
    int count = argc >= 4 ? atoi(argv[2]) : 0;
    pthread_t *threads = calloc((size_t)count + 1, sizeof(*threads));
    pthread_attr_t small;
    FILE *in = argc >= 4 ? fopen(argv[3], "r") : NULL;

    if (in == NULL)
        return 2;
    port = atoi(argv[1]);
    tries = argc > 4 ? atoi(argv[4]) : 1;
    body = malloc(64 << 20);
    body_len = fread(body, 1, 64 << 20, in);
    fclose(in);
    gnutls_certificate_allocate_credentials(&credentials);
    pthread_barrier_init(&all_connected, NULL, (unsigned)count);
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 128 * 1024);
    for (int i = 0; i < count; i++) {
        if (pthread_create(&threads[i], &small, run, NULL) != 0)
            return 2;
    }
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    printf("answered %d busy %d other %d\n", atomic_load(&answered), atomic_load(&busy),
           atomic_load(&other));
    return 0;
}
