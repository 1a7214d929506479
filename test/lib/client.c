/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "client.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define RECORD_MAX 16384
#define HANDSHAKE_MS 30000

gnutls_certificate_credentials_t client_credentials;
static bool verifies;

/* ---- connections ---- */

void client_init(const char *ca)
{
    gnutls_certificate_allocate_credentials(&client_credentials);
    verifies = ca != NULL;
    if (ca != NULL &&
        gnutls_certificate_set_x509_trust_file(client_credentials, ca, GNUTLS_X509_FMT_PEM) < 1)
        exit(2);
}

int client_dial(int port, unsigned patience, int room)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    struct timeval wait = {.tv_sec = patience / 1000, .tv_usec = patience % 1000 * 1000};
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (room > 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
    if (patience > 0) {
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    }
    if (connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0)
        return fd;
    close(fd);
    return -1;
}

bool client_greet(struct client *c, int fd, unsigned patience)
{
    *c = (struct client){.fd = fd};
    if (fd < 0)
        return false;
    gnutls_init(&c->tls, GNUTLS_CLIENT);
    gnutls_set_default_priority(c->tls);
    gnutls_credentials_set(c->tls, GNUTLS_CRD_CERTIFICATE, client_credentials);
    gnutls_server_name_set(c->tls, GNUTLS_NAME_DNS, "localhost", 9);
    if (verifies)
        gnutls_session_set_verify_cert(c->tls, "localhost", 0);
    gnutls_transport_set_int(c->tls, fd);
    gnutls_handshake_set_timeout(c->tls, patience > 0 ? patience : HANDSHAKE_MS);
    if (gnutls_handshake(c->tls) == 0)
        return true;
    client_close(c);
    return false;
}

bool client_open(struct client *c, int port, unsigned patience)
{
    return client_greet(c, client_dial(port, patience, 0), patience);
}

void client_close(struct client *c)
{
    if (c->tls != NULL)
        gnutls_deinit(c->tls);
    if (c->fd >= 0)
        close(c->fd);
    *c = (struct client){.fd = -1};
}

bool client_send(struct client *c, const char *bytes, size_t len)
{
    for (size_t at = 0; at < len;) {
        ssize_t sent =
            gnutls_record_send(c->tls, bytes + at, len - at < RECORD_MAX ? len - at : RECORD_MAX);

        if (sent < 0)
            return false;
        at += (size_t)sent;
    }
    return true;
}

/* The length of head and body, 0 while it is not known; `body` is set once the head is whole. */
static size_t answer_length(char *buf, char **body)
{
    char *end = strstr(buf, "\r\n\r\n");
    const char *field = strcasestr(buf, "\r\nContent-Length:");

    if (end == NULL || field == NULL || field > end)
        return 0;
    *body = end + 4;
    return (size_t)(*body - buf) + strtoul(field + 17, NULL, 10);
}

char *client_read(struct client *c, char *buf, size_t size)
{
    size_t len = 0, want = 0;
    char *body = NULL;

    while (want == 0 || len < want) {
        ssize_t got = len + 1 < size ? gnutls_record_recv(c->tls, buf + len, size - 1 - len) : -1;

        if (got == GNUTLS_E_INTERRUPTED)
            continue;
        if (got <= 0)
            return NULL;
        len += (size_t)got;
        buf[len] = '\0';
        if (want == 0)
            want = answer_length(buf, &body);
    }
    body[-1] = '\0';
    return len == want ? body : NULL;
}

void client_read_all(struct client *c, char *buf, size_t size)
{
    char piece[RECORD_MAX];
    size_t len = 0;
    ssize_t got;

    buf[0] = '\0';
    while ((got = gnutls_record_recv(c->tls, piece, sizeof(piece))) > 0) {
        size_t kept = (size_t)got < size - 1 - len ? (size_t)got : size - 1 - len;

        memcpy(buf + len, piece, kept);
        len += kept;
        buf[len] = '\0';
    }
}

bool client_has_status(const char *answer, int status)
{
    char line[16];

    snprintf(line, sizeof(line), "HTTP/1.1 %d ", status);
    return strncmp(answer, line, strlen(line)) == 0;
}

bool client_get(int port, const char *path, unsigned patience)
{
    char text[4096];
    int fd = client_dial(port, patience, 0);
    ssize_t got;

    if (fd < 0)
        return false;
    got = snprintf(text, sizeof(text),
                   "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", path);
    got =
        send(fd, text, (size_t)got, MSG_NOSIGNAL) == got ? recv(fd, text, sizeof(text) - 1, 0) : 0;
    close(fd);
    text[got > 0 ? got : 0] = '\0';
    return client_has_status(text, 200);
}

/* ---- requests ---- */

struct text client_file(const char *path)
{
    struct text out = {.bytes = NULL};
    FILE *in = fopen(path, "r");
    size_t got = 1;

    for (size_t room = 1 << 16; in != NULL && got > 0; room *= 2) {
        out.bytes = realloc(out.bytes, room);
        got = fread(out.bytes + out.len, 1, room - 1 - out.len, in);
        out.len += got;
        out.bytes[out.len] = '\0';
    }
    if (in == NULL) {
        perror(path);
        exit(2);
    }
    fclose(in);
    return out;
}

struct text client_request(const char *path, const char *headers, const char *body, size_t len)
{
    struct text out = {.bytes = malloc(len + strlen(path) + strlen(headers) + 256)};

    out.len =
        (size_t)sprintf(out.bytes,
                        "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                        "Content-Length: %zu\r\n%s\r\n",
                        path, len, headers);
    memcpy(out.bytes + out.len, body, len);
    out.len += len;
    out.bytes[out.len] = '\0';
    return out;
}

/* ---- the rest ---- */

int64_t client_micros(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void client_sleep(long millis)
{
    struct timespec wait = {.tv_sec = millis / 1000, .tv_nsec = millis % 1000 * 1000000};

    nanosleep(&wait, NULL);
}

void client_raise_files(void)
{
    struct rlimit files;

    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
}

bool client_threads(int count, void *(*f)(void *), void (*started)(void))
{
    pthread_t *threads = calloc((size_t)count + 1, sizeof(*threads));
    pthread_attr_t small;
    int running = 0;

    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 128 * 1024);
    while (running < count && pthread_create(&threads[running], &small, f, NULL) == 0)
        running++;
    if (started != NULL)
        started();
    for (int i = 0; i < running; i++)
        pthread_join(threads[i], NULL);
    free(threads);
    return running == count;
}

int client_by_size(const void *a, const void *b)
{
    long x = *(const long *)a, y = *(const long *)b;

    return x < y ? -1 : x > y;
}
