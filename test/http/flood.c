/* SPDX-License-Identifier: Apache-2.0 */
/* flood SECONDS ADDRESSES KIND:PORT:COUNT... - keeps COUNT connections open to 127.0.0.1:PORT that
 * never become a request, for SECONDS. Reopens each connection that the server closes immediately.
 *
 *   silent       says nothing
 *   hello        a whole TLS ClientHello, then nothing
 *   half-hello   half of a ClientHello, then nothing
 *   headers      a request whose headers come a byte a second
 *   tls-headers  the same over TLS, after a whole handshake
 *   kept         one GET /livez that is answered, then nothing (the probe port)
 *
 * They come from ADDRESSES different source addresses, 127.0.0.2 and upwards. Says "flooding" on
 * stderr once as many were opened as there are in all. Prints "opened N ended N failed N". */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client.h"

#define EVENTS 256
#define KINDS_MAX 16
#define STEPS 20 /* of a second, in which a byte is sent on each connection */

struct kind {
    char name[16];
    int port, count;
};

struct conn {
    const struct kind *kind;
    int fd;
    bool connected, greeted;
    size_t sent; /* bytes of the request */
    gnutls_session_t tls;
};

static const char request[] =
    "GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
static const char whole[] = "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n";

static struct kind kinds[KINDS_MAX];
static int kind_count, addresses;
static int epoll_fd;
static struct conn *conns;
static int count;
static int *closed, closed_count; /* to be opened again */
static long opened, ended, failed;
static char hello[4096];
static size_t hello_len;

static int64_t now_ms(void)
{
    return client_micros() / 1000;
}

static bool is(const struct conn *c, const char *name)
{
    return strcmp(c->kind->name, name) == 0;
}

static ssize_t keep_hello(gnutls_transport_ptr_t ptr, const void *data, size_t len)
{
    (void)ptr;
    if (len > sizeof(hello) - hello_len)
        return -1;
    memcpy(hello + hello_len, data, len);
    hello_len += len;
    return (ssize_t)len;
}

static ssize_t read_nothing(gnutls_transport_ptr_t ptr, void *data, size_t len)
{
    (void)ptr, (void)data, (void)len;
    errno = EAGAIN;
    return -1;
}

static gnutls_session_t new_session(void)
{
    gnutls_session_t tls;

    gnutls_init(&tls, GNUTLS_CLIENT | GNUTLS_NONBLOCK);
    gnutls_set_default_priority(tls);
    gnutls_credentials_set(tls, GNUTLS_CRD_CERTIFICATE, client_credentials);
    return tls;
}

/* One ClientHello does for all connections. */
static void make_hello(void)
{
    gnutls_session_t tls;

    tls = new_session();
    gnutls_transport_set_push_function(tls, keep_hello);
    gnutls_transport_set_pull_function(tls, read_nothing);
    gnutls_handshake(tls);
    gnutls_deinit(tls);
}

static void open_again(int i)
{
    const struct kind *kind = conns[i].kind;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((unsigned short)kind->port)};
    struct sockaddr_in from = {.sin_family = AF_INET};
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                                .data.u32 = (uint32_t)i};
    struct conn *c = &conns[i];
    int on = 1;

    *c = (struct conn){.kind = kind, .fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)};
    if (c->fd < 0) {
        closed[closed_count++] = i;
        failed++;
        return;
    }
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + (uint32_t)(i % addresses));
    setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
    if (bind(c->fd, (struct sockaddr *)&from, sizeof(from)) != 0 ||
        (connect(c->fd, (struct sockaddr *)&at, sizeof(at)) != 0 && errno != EINPROGRESS)) {
        close(c->fd);
        c->fd = -1;
        closed[closed_count++] = i;
        failed++;
        return;
    }
    opened++;
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, c->fd, &event);
}

static void end(int i)
{
    struct conn *c = &conns[i];

    if (c->tls != NULL)
        gnutls_deinit(c->tls);
    close(c->fd);
    c->fd = -1;
    ended++;
    closed[closed_count++] = i;
}

/* False: the connection has ended. */
static bool say(struct conn *c, const char *data, size_t len)
{
    ssize_t got = c->tls != NULL ? gnutls_record_send(c->tls, data, len)
                                 : send(c->fd, data, len, MSG_NOSIGNAL);

    if (c->tls != NULL)
        return got >= 0 || !gnutls_error_is_fatal((int)got);
    return got >= 0 || errno == EAGAIN;
}

static bool greet(struct conn *c)
{
    int got;

    if (is(c, "hello") || is(c, "half-hello")) {
        c->greeted = true;
        return say(c, hello, is(c, "hello") ? hello_len : hello_len / 2);
    }
    if (is(c, "kept")) {
        c->greeted = true;
        return say(c, whole, sizeof(whole) - 1);
    }
    if (!is(c, "tls-headers")) {
        c->greeted = true;
        return true;
    }
    if (c->tls == NULL) {
        c->tls = new_session();
        gnutls_transport_set_int(c->tls, c->fd);
    }
    got = gnutls_handshake(c->tls);
    c->greeted = got == 0;
    return got == 0 || !gnutls_error_is_fatal(got);
}

static bool on_event(struct conn *c, uint32_t events)
{
    char sink[4096];
    ssize_t got;

    if (events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP))
        return false;
    if ((events & EPOLLOUT) && !c->connected)
        c->connected = true;
    if (c->connected && !c->greeted && !greet(c))
        return false;
    if (c->tls != NULL)
        return true;
    while ((events & EPOLLIN) && (got = recv(c->fd, sink, sizeof(sink), MSG_DONTWAIT)) >= 0) {
        if (got == 0)
            return false;
    }
    return true;
}

static bool is_slow(const struct conn *c)
{
    return is(c, "headers") || is(c, "tls-headers");
}

/* One byte each on every STEPS-th connection. */
static void dribble(int step)
{
    for (int i = step; i < count; i += STEPS) {
        struct conn *c = &conns[i];

        if (is_slow(c) && c->fd >= 0 && c->greeted && c->sent < sizeof(request) - 1 &&
            !say(c, request + c->sent++, 1))
            end(i);
    }
}

static void run(int64_t until)
{
    int64_t next = now_ms();
    bool told = false;
    int step = 0;

    while (now_ms() < until) {
        struct epoll_event events[EVENTS];
        int again = closed_count < EVENTS ? closed_count : EVENTS;
        int got;

        closed_count -= again;
        for (int i = 0, first = closed_count; i < again; i++) {
            int which = closed[first + i];

            open_again(which);
        }
        if (!told && opened >= count) {
            fprintf(stderr, "flooding\n");
            told = true;
        }
        got = epoll_wait(epoll_fd, events, EVENTS, closed_count > 0 ? 0 : 10);
        for (int i = 0; i < got; i++) {
            int which = (int)events[i].data.u32;

            if (conns[which].fd >= 0 && !on_event(&conns[which], events[i].events))
                end(which);
        }
        if (now_ms() >= next) {
            dribble(step++ % STEPS);
            next += 1000 / STEPS;
        }
    }
}

/* "silent:8443:10000" */
static bool read_kinds(char **words, int n)
{
    for (int i = 0; i < n && i < KINDS_MAX; i++) {
        struct kind *kind = &kinds[kind_count++];

        if (sscanf(words[i], "%15[^:]:%d:%d", kind->name, &kind->port, &kind->count) != 3)
            return false;
        count += kind->count;
    }
    return n > 0 && n <= KINDS_MAX;
}

/* All kinds start at the same time. */
static void prepare(void)
{
    int i = 0;

    conns = calloc((size_t)count, sizeof(*conns));
    closed = calloc((size_t)count, sizeof(*closed));
    for (int round = 0; i < count; round++) {
        for (int k = 0; k < kind_count; k++) {
            if (round < kinds[k].count)
                conns[i++].kind = &kinds[k];
        }
    }
    for (i = 0; i < count; i++)
        closed[closed_count++] = count - 1 - i;
}

int main(int argc, char **argv)
{
    if (argc < 4 || !read_kinds(argv + 3, argc - 3) || atoi(argv[2]) < 1) {
        fprintf(stderr, "flood: want SECONDS ADDRESSES KIND:PORT:COUNT...\n");
        return 2;
    }
    addresses = atoi(argv[2]);
    signal(SIGPIPE, SIG_IGN);
    client_raise_files();
    client_init(NULL);
    epoll_fd = epoll_create1(0);
    make_hello();
    prepare();
    run(now_ms() + atoi(argv[1]) * 1000L);
    printf("opened %ld ended %ld failed %ld\n", opened, ended, failed);
    return 0;
}
