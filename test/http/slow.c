/* SPDX-License-Identifier: Apache-2.0 */
/* slow MODE PORT COUNT SECONDS [REVIEW] - COUNT clients that are as slow as MODE says, all at
 * once; each until the server ends the connection, at most SECONDS.
 *
 *   connect    say nothing          handshake  half of a TLS hello, then nothing
 *   headers    a byte of the headers now and then
 *   body       a byte of the body now and then
 *   read       send REVIEW over and over, never read an answer
 *   idle       one connection, kept
 *
 * Says "connected N" on stderr when all are. Prints how many the server ended and the shortest and
 * longest time that it took, in milliseconds: "ended 100 of 100 after 10012 to 10310". */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <gnutls/gnutls.h>

#define STEP_MS 400

static const char *mode, *review = "{}";
static int port, seconds;
static gnutls_certificate_credentials_t credentials;
static atomic_long ended, shortest = 1000000000, longest, connected;

static long now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static bool is(const char *name)
{
    return strcmp(mode, name) == 0;
}

static int dial(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    struct timeval patience = {.tv_usec = STEP_MS * 1000};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int little = 2048;

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (is("read"))
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &little, sizeof(little));
    if (connect(fd, (struct sockaddr *)&at, sizeof(at)) != 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    return fd;
}

/* Whether the server ends it within a step. */
static bool ends(int fd, bool reading)
{
    struct pollfd p = {.fd = fd, .events = (short)(POLLRDHUP | (reading ? POLLIN : 0))};
    char c[64];

    if (poll(&p, 1, STEP_MS) <= 0)
        return false;
    if (p.revents & (POLLRDHUP | POLLHUP | POLLERR))
        return true;
    return recv(fd, c, sizeof(c), MSG_DONTWAIT) == 0;
}

static gnutls_session_t greet(int fd)
{
    gnutls_session_t tls;

    gnutls_init(&tls, GNUTLS_CLIENT);
    gnutls_set_default_priority(tls);
    gnutls_credentials_set(tls, GNUTLS_CRD_CERTIFICATE, credentials);
    gnutls_transport_set_int(tls, fd);
    gnutls_handshake_set_timeout(tls, 20000);
    if (gnutls_handshake(tls) == 0)
        return tls;
    gnutls_deinit(tls);
    return NULL;
}

static void say(gnutls_session_t tls, const char *text)
{
    gnutls_record_send(tls, text, strlen(text));
}

/* One step of a slow request. */
static void dribble(gnutls_session_t tls)
{
    if (is("headers"))
        say(tls, "X");
    else if (is("body"))
        say(tls, " ");
    else if (is("read"))
        while (gnutls_record_send(tls, review, strlen(review)) > 0)
            continue; /* until the server takes no more */
}

static void begin(gnutls_session_t tls, int fd)
{
    static const unsigned char half_a_hello[] = {0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3};

    if (is("handshake"))
        (void)!write(fd, half_a_hello, sizeof(half_a_hello));
    else if (is("headers"))
        say(tls, "POST /validate HTTP/1.1\r\nHost: slow\r\n");
    else if (is("body"))
        say(tls, "POST /validate HTTP/1.1\r\nHost: slow\r\nContent-Type: application/json\r\n"
                 "Content-Length: 100000\r\n\r\n{");
}

static void *run(void *arg)
{
    bool plain = is("connect") || is("handshake");
    int fd = dial();
    gnutls_session_t tls = NULL;
    long start = now_ms(), took;
    bool gone = false;

    (void)arg;
    if (fd < 0)
        return NULL;
    if (!plain && (tls = greet(fd)) == NULL) {
        close(fd);
        return NULL;
    }
    atomic_fetch_add(&connected, 1);
    start = now_ms();
    begin(tls, fd);
    while (!gone && now_ms() - start < seconds * 1000L) {
        dribble(tls);
        gone = ends(fd, plain);
    }
    took = now_ms() - start;
    if (gone) {
        long seen = atomic_load(&shortest);

        atomic_fetch_add(&ended, 1);
        while (took < seen && !atomic_compare_exchange_weak(&shortest, &seen, took))
            continue;
        seen = atomic_load(&longest);
        while (took > seen && !atomic_compare_exchange_weak(&longest, &seen, took))
            continue;
    }
    close(fd);
    if (tls != NULL)
        gnutls_deinit(tls);
    return NULL;
}

/* REVIEW as one request. */
static char *request_of(const char *file)
{
    FILE *in = fopen(file, "r");
    char *text = calloc(1, 1 << 20);
    char *body = calloc(1, 1 << 19);
    size_t len = in != NULL ? fread(body, 1, (1 << 19) - 1, in) : 0;

    snprintf(text, 1 << 20,
             "POST /mutate HTTP/1.1\r\nHost: slow\r\nContent-Type: application/json\r\n"
             "Content-Length: %zu\r\n\r\n%s",
             len, body);
    free(body);
    if (in != NULL)
        fclose(in);
    return text;
}

int main(int argc, char **argv)
{
    int count = argc > 4 ? atoi(argv[3]) : 0;
    pthread_t *threads = calloc((size_t)count + 1, sizeof(*threads));
    pthread_attr_t small;
    bool failed = false;

    if (argc < 5)
        return 2;
    mode = argv[1];
    port = atoi(argv[2]);
    seconds = atoi(argv[4]);
    if (argc > 5)
        review = request_of(argv[5]);
    gnutls_certificate_allocate_credentials(&credentials);
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 128 * 1024);
    for (int i = 0; i < count; i++)
        failed = pthread_create(&threads[i], &small, run, NULL) != 0 || failed;
    for (int i = 0; i < 500 && atomic_load(&connected) < count; i++)
        usleep(20000);
    fprintf(stderr, "connected %ld\n", atomic_load(&connected));
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    printf("ended %ld of %ld after %ld to %ld\n", atomic_load(&ended), atomic_load(&connected),
           atomic_load(&shortest), atomic_load(&longest));
    return failed || atomic_load(&connected) != count;
}
