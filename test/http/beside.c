/* SPDX-License-Identifier: Apache-2.0 */
/* beside REVIEWS PROBES METRICS SECONDS REVIEW - what honest clients see while something else
 * happens to a server: a kubelet, a Prometheus, an API server's warm connection, one that it uses
 * now and then, and one that connects anew. The first three arguments are ports at 127.0.0.1.
 *
 * Says "warm" on stderr once the kept connections have had an answer. Prints a line for each
 * client: "probes 100 lost 0 p50 1 p99 4 worst 6", in milliseconds. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <gnutls/gnutls.h>

#include "client.h"

#define SAMPLES 200000
#define PATIENCE_MS 5000
#define REVIEW_MAX 16000 /* one TLS record */

struct client {
    const char *name;
    int port, pause_ms;
    bool (*ask)(struct client *client);
    const char *path;
    gnutls_session_t tls; /* the warm one */
    int fd;
    long *millis;
    long asked, lost;
    pthread_t thread;
};

static char *review; /* with its headers */
static size_t review_len;
static int64_t until;
static gnutls_certificate_credentials_t credentials;

static int64_t now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void sleep_ms(long ms)
{
    struct timespec ts = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    nanosleep(&ts, NULL);
}

static int dial(int port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    if (connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0)
        return fd;
    close(fd);
    return -1;
}

/* A connection for each, as a kubelet has it. */
static bool ask_plain(struct client *client)
{
    char text[512], answer[4096];
    int fd = dial(client->port);
    ssize_t got;
    bool good;

    if (fd < 0)
        return false;
    snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
             client->path);
    good = send(fd, text, strlen(text), MSG_NOSIGNAL) > 0 &&
           (got = recv(fd, answer, sizeof(answer) - 1, 0)) > 12 &&
           strncmp(answer, "HTTP/1.1 200", 12) == 0;
    close(fd);
    return good;
}

static bool connect_tls(struct client *client)
{
    client->fd = dial(client->port);
    if (client->fd < 0)
        return false;
    client->tls = client_handshake(client->fd, credentials, PATIENCE_MS);
    return client->tls != NULL;
}

static void hang_up(struct client *client)
{
    if (client->tls != NULL)
        gnutls_deinit(client->tls);
    if (client->fd >= 0)
        close(client->fd);
    client->tls = NULL;
    client->fd = -1;
}

static bool send_review(struct client *client)
{
    return gnutls_record_send(client->tls, review, review_len) == (ssize_t)review_len &&
           client_read_answer(client->tls);
}

static bool ask_warm(struct client *client)
{
    if (client->tls == NULL && !connect_tls(client)) {
        hang_up(client);
        return false;
    }
    if (send_review(client))
        return true;
    hang_up(client);
    return false;
}

static bool ask_new(struct client *client)
{
    bool good = connect_tls(client) && send_review(client);

    hang_up(client);
    return good;
}

static void *run(void *arg)
{
    struct client *client = arg;

    while (now_ms() < until && client->asked < SAMPLES) {
        int64_t begin = now_ms();
        bool good = client->ask(client);

        client->millis[client->asked++] = (long)(now_ms() - begin);
        client->lost += good ? 0 : 1;
        sleep_ms(client->pause_ms);
    }
    return NULL;
}

static int by_size(const void *a, const void *b)
{
    long x = *(const long *)a, y = *(const long *)b;

    return x < y ? -1 : x > y;
}

static void read_review(FILE *in)
{
    char *body = malloc(REVIEW_MAX);
    size_t len = fread(body, 1, REVIEW_MAX - 256, in);

    fclose(in);
    review = malloc(REVIEW_MAX);
    review_len = (size_t)snprintf(
        review, REVIEW_MAX,
        "POST /validate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        "Content-Length: %zu\r\n\r\n%.*s",
        len, (int)len, body);
    free(body);
}

int main(int argc, char **argv)
{
    struct client clients[] = {
        {.name = "probes", .pause_ms = 50, .ask = ask_plain, .path = "/readyz"},
        {.name = "metrics", .pause_ms = 100, .ask = ask_plain, .path = "/version"},
        {.name = "warm", .pause_ms = 10, .ask = ask_warm},
        {.name = "kept", .pause_ms = 2500, .ask = ask_warm},
        {.name = "new", .pause_ms = 200, .ask = ask_new},
    };
    const int count = sizeof(clients) / sizeof(clients[0]);
    FILE *in = argc == 6 ? fopen(argv[5], "r") : NULL;

    if (in == NULL)
        return 2;
    read_review(in);
    gnutls_certificate_allocate_credentials(&credentials);
    clients[0].port = atoi(argv[2]);
    clients[1].port = atoi(argv[3]);
    clients[2].port = clients[3].port = clients[4].port = atoi(argv[1]);
    for (int i = 0; i < count; i++) {
        clients[i].fd = -1;
        clients[i].millis = calloc(SAMPLES, sizeof(long));
    }
    if (!ask_warm(&clients[2]) || !ask_warm(&clients[3]))
        return 3;
    sleep_ms(1000); /* older than what comes now */
    fprintf(stderr, "warm\n");
    until = now_ms() + atoi(argv[4]) * 1000L;
    for (int i = 0; i < count; i++)
        pthread_create(&clients[i].thread, NULL, run, &clients[i]);
    for (int i = 0; i < count; i++) {
        struct client *c = &clients[i];

        pthread_join(c->thread, NULL);
        qsort(c->millis, (size_t)c->asked, sizeof(long), by_size);
        printf("%s %ld lost %ld p50 %ld p99 %ld worst %ld\n", c->name, c->asked, c->lost,
               c->millis[c->asked / 2], c->millis[c->asked * 99 / 100], c->millis[c->asked - 1]);
        hang_up(c);
    }
    return 0;
}
