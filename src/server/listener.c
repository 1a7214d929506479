/* SPDX-License-Identifier: Apache-2.0 */
/* listener.c - sockets that accept connections, and the thread that accepts them, waits for the
 * first bytes of each, and hands them on in bounded number. */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "curfew/log.h"
#include "curfew/str.h"
#include "curfew/time.h"
#include "connection.h"
#include "limits.h"
#include "listener.h"

#define HOST_MAX 256

struct place {
    char host[HOST_MAX]; /* "" for all addresses */
    char port[8];
};

/* Splits at the last colon; an IPv6 address stands in brackets, so that it is clear which. */
static bool split(const char *address, struct place *out)
{
    const char *colon = strrchr(address, ':');
    const char *host = address;
    size_t len;
    int64_t port;

    if (colon == NULL || !cf_str_int64(colon + 1, &port) || port < 0 || port > 65535)
        return false;
    len = (size_t)(colon - address);
    if (len >= 2 && host[0] == '[' && host[len - 1] == ']') {
        host++;
        len -= 2;
    } else if (memchr(host, ':', len) != NULL) {
        return false;
    }
    if (len >= sizeof(out->host))
        return false;
    memcpy(out->host, host, len);
    out->host[len] = '\0';
    snprintf(out->port, sizeof(out->port), "%d", (int)port);
    return true;
}

static int open_socket(const struct addrinfo *at)
{
    const int on = 1, off = 0, bytes = CF_SEND_BUFFER;
    int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
    int saved;

    if (fd < 0)
        return -1;
    /* A restart must not wait for the connections of the one before to be forgotten. */
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    /* Answers are small: a client that sends requests and reads no answer must not make the system
     * keep megabytes of them, as it would by itself. Accepted sockets inherit this. */
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
    if (at->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    if (bind(fd, at->ai_addr, at->ai_addrlen) == 0 && listen(fd, CF_BACKLOG) == 0)
        return fd;
    saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

/* All addresses: the IPv6 socket serves IPv4 too. Where the kernel has no IPv6, IPv4 alone. */
static int listen_all(const struct place *place)
{
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_ANY_INIT};
    struct sockaddr_in four = {.sin_family = AF_INET};
    struct addrinfo at = {.ai_family = AF_INET6, .ai_addrlen = sizeof(six)};
    int64_t port = 0;
    int fd;

    (void)cf_str_int64(place->port, &port);
    six.sin6_port = four.sin_port = htons((uint16_t)port);
    at.ai_addr = (struct sockaddr *)&six;
    fd = open_socket(&at);
    if (fd >= 0 || (errno != EAFNOSUPPORT && errno != EADDRNOTAVAIL))
        return fd;
    at = (struct addrinfo){.ai_family = AF_INET, .ai_addrlen = sizeof(four)};
    at.ai_addr = (struct sockaddr *)&four;
    return open_socket(&at);
}

static int listen_host(const char *address, const struct place *place, struct cf_err *err)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int why = getaddrinfo(place->host, place->port, &hints, &found);
    int fd = -1;

    if (why != 0)
        return cf_err_system(err, "listening at '%s': %s", address, gai_strerror(why));
    for (struct addrinfo *at = found; at != NULL && fd < 0; at = at->ai_next)
        fd = open_socket(at);
    if (fd < 0)
        cf_err_system(err, "listening at '%s': %s", address, strerror(errno));
    freeaddrinfo(found);
    return fd;
}

int cf_listen(const char *address, struct cf_err *err)
{
    struct place place;
    int fd;

    if (!split(address, &place))
        return cf_err_set(err,
                          "'%s' is no address to listen at: want [HOST]:PORT, as in ':8443', "
                          "'127.0.0.1:8443' or '[::1]:8443'",
                          address);
    if (place.host[0] != '\0')
        return listen_host(address, &place, err);
    fd = listen_all(&place);
    if (fd < 0)
        return cf_err_system(err, "listening at '%s': %s", address, strerror(errno));
    return fd;
}

void cf_listen_name(int fd, char out[CF_ADDRESS_MAX])
{
    struct sockaddr_storage at;
    socklen_t len = sizeof(at);
    char host[CF_ADDRESS_MAX - 16], port[8];

    if (getsockname(fd, (struct sockaddr *)&at, &len) != 0 ||
        getnameinfo((struct sockaddr *)&at, len, host, sizeof(host), port, sizeof(port),
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
        snprintf(out, CF_ADDRESS_MAX, "?");
        return;
    }
    snprintf(out, CF_ADDRESS_MAX, at.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}

/* ---- words ---- */

#define RECORD_HEAD 5
#define RECORD_MAX 16384
#define HANDSHAKE 22
#define MAJOR 3

/* A ClientHello is the first record, in practice: 500 bytes, or 2,000 with a post-quantum key. */
bool cf_words_are_hello(const unsigned char *data, size_t len, size_t waiting)
{
    size_t record;

    if ((len > 0 && data[0] != HANDSHAKE) || (len > 1 && data[1] != MAJOR))
        return true;
    if (len < RECORD_HEAD)
        return false;
    record = (size_t)data[3] << 8 | data[4];
    return record > RECORD_MAX || waiting >= RECORD_HEAD + record;
}

/* An empty line ends them; libmicrohttpd takes a bare LF as the end of a line, too. */
bool cf_words_are_headers(const char *data, size_t len)
{
    const char *at = data;

    if (len >= CF_WORDS_MAX)
        return true;
    while ((at = memchr(at, '\n', len - (size_t)(at - data))) != NULL) {
        size_t left;

        at++;
        left = len - (size_t)(at - data);
        if ((left >= 1 && at[0] == '\n') || (left >= 2 && at[0] == '\r' && at[1] == '\n'))
            return true;
    }
    return false;
}

/* ---- listener ---- */

/* Without a descriptor or memory for another connection: how long until the next look. */
#define PAUSE_MS 20
/* How long somebody who is ready waits for the next look, if nobody wakes us. */
#define TURN_MS 10
/* How often deadlines are looked at. */
#define TICK_MS 250
/* This many batches in a row: the kernel's queue is long. */
#define LONG_QUEUE 4
/* Connections accepted, and events seen, before the next look at the others. */
#define BATCH 64

struct cf_acceptor {
    int fd; /* that listens; -1 once it is closed */
    int epoll, wake;
    bool tls;
    struct cf_conns *conns;
    struct cf_accept_hooks hooks;
    pthread_t thread;
    sem_t closed;
    atomic_bool closing, stopping;
    unsigned batches; /* in a row, with more in the queue behind them */
    bool starved;     /* the last accept() found no descriptor or memory */
    bool told;        /* of that, once in a row */
};

/* ---- the lobby ---- */

/* Accepted sockets inherit this: while they are in the lobby, closing them is a reset, which leaves
 * nothing behind in the kernel. Those that are served say farewell. */
static void set_farewell(int fd, bool on)
{
    const struct linger linger = {.l_onoff = on ? 0 : 1, .l_linger = 0};

    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

static void hang_up(struct cf_acceptor *a, struct cf_conn *conn)
{
    close(conn->fd);
    a->hooks.drop(a->hooks.arg, conn);
}

enum words { NONE, SOME, WHOLE, GONE };

static enum words look(const struct cf_acceptor *a, int fd)
{
    unsigned char data[CF_WORDS_MAX];
    ssize_t len = recv(fd, data, a->tls ? 16 : sizeof(data), MSG_PEEK | MSG_DONTWAIT);
    int waiting = 0;
    bool whole;

    if (len <= 0)
        return len < 0 && (errno == EAGAIN || errno == EINTR) ? NONE : GONE;
    if (a->tls && ioctl(fd, FIONREAD, &waiting) != 0)
        waiting = 0;
    whole = a->tls ? cf_words_are_hello(data, (size_t)len, (size_t)waiting)
                   : cf_words_are_headers((const char *)data, (size_t)len);
    return whole ? WHOLE : SOME;
}

/* Nothing more comes from this client. With the headers of a request it can still have an answer;
 * with a ClientHello it can't. */
static bool ended_early(const struct cf_acceptor *a, const struct cf_conn *conn, uint32_t events)
{
    return (events & EPOLLRDHUP) != 0 && (a->tls || conn->stage == CF_STAGE_SILENT);
}

/* Something has come from one in the lobby, or it has hung up. */
static void listen_to(struct cf_acceptor *a, struct cf_conn *conn, uint32_t events)
{
    enum words words = conn->stage == CF_STAGE_SILENT ? look(a, conn->fd) : SOME;

    if (words == WHOLE) {
        cf_conns_enter(a->conns, conn, CF_STAGE_READY);
        return;
    }
    if (words != GONE && (events & (EPOLLHUP | EPOLLERR)) == 0 && !ended_early(a, conn, events))
        return;
    cf_conns_remove(a->conns, conn);
    hang_up(a, conn);
}

/* While the kernel's queue is long, what a client says right after it has connected has commonly
 * come before its turn here. A connection that has sent nothing by then gives way at once, if its
 * address has so many in a full lobby that one of them would have to go anyway. */
static bool is_in_the_way(const struct cf_acceptor *a, struct cf_conn *conn)
{
    return a->batches >= LONG_QUEUE && conn->stage == CF_STAGE_SILENT &&
           cf_conns_crowds(a->conns, conn) && look(a, conn->fd) == NONE;
}

static void welcome(struct cf_acceptor *a, struct cf_conn *conn)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.ptr = conn};
    struct cf_conn *stale = cf_conns_stale(a->conns, conn->fd);
    struct cf_conn *surplus;

    if (stale != NULL)
        a->hooks.drop(a->hooks.arg, stale);
    if (!cf_conns_arrive(a->conns, conn)) {
        hang_up(a, conn);
        return;
    }
    if (is_in_the_way(a, conn)) {
        cf_conns_give_way(a->conns, conn);
        hang_up(a, conn);
        return;
    }
    /* epoll reports what comes from now on, and what is there already. */
    if (epoll_ctl(a->epoll, EPOLL_CTL_ADD, conn->fd, &event) != 0) {
        cf_conns_remove(a->conns, conn);
        hang_up(a, conn);
        return;
    }
    listen_to(a, conn, 0);
    while ((surplus = cf_conns_surplus(a->conns, false)) != NULL)
        hang_up(a, surplus);
}

/* Whom there is room for goes on to be served. */
static void hand_over(struct cf_acceptor *a)
{
    enum cf_stage stage = a->tls ? CF_STAGE_HANDSHAKE : CF_STAGE_FRESH;

    while (cf_conns_has_ready(a->conns) && a->hooks.can_take(a->hooks.arg)) {
        struct cf_conn *conn = cf_conns_admit(a->conns, stage);

        if (conn == NULL)
            return;
        epoll_ctl(a->epoll, EPOLL_CTL_DEL, conn->fd, NULL);
        set_farewell(conn->fd, true);
        a->hooks.take(a->hooks.arg, conn);
    }
}

static void sweep(struct cf_acceptor *a)
{
    struct cf_conn *late;
    unsigned ended = cf_conns_sweep(a->conns);

    for (; (late = cf_conns_overdue(a->conns)) != NULL; ended++)
        hang_up(a, late);
    if (ended > 0)
        cf_log(CF_LOG_DEBUG, "connections were too slow", CF_LOG_N("ended", (int64_t)ended));
}

/* ---- accepting ---- */

static bool is_starvation(int code)
{
    return code == EMFILE || code == ENFILE || code == ENOBUFS || code == ENOMEM;
}

/* The next one in the kernel's queue; NULL: there is none, or nothing to take it with. */
static struct cf_conn *accept_one(struct cf_acceptor *a)
{
    struct cf_conn *conn = a->hooks.make(a->hooks.arg);
    int code;

    if (conn == NULL) {
        a->starved = true;
        return NULL;
    }
    conn->from_len = sizeof(conn->from);
    do {
        conn->fd = accept4(a->fd, (struct sockaddr *)&conn->from, &conn->from_len,
                           SOCK_NONBLOCK | SOCK_CLOEXEC);
        code = errno;
    } while (conn->fd < 0 && code != EAGAIN && !is_starvation(code)); /* that client has gone */
    if (conn->fd >= 0) {
        a->told = false;
        return conn;
    }
    a->hooks.drop(a->hooks.arg, conn);
    a->starved = code != EAGAIN;
    if (a->starved && !a->told)
        cf_log(CF_LOG_ERROR, "connections wait", CF_LOG_S("error", strerror(code)));
    a->told = a->told || a->starved;
    return NULL;
}

/* False: nobody else is waiting, or nothing is left to take somebody with. */
static bool accept_some(struct cf_acceptor *a, unsigned max)
{
    struct cf_conn *conn, *surplus;

    a->starved = false;
    for (; max > 0; max--) {
        conn = accept_one(a);
        if (conn == NULL && a->starved && (surplus = cf_conns_surplus(a->conns, true)) != NULL) {
            hang_up(a, surplus);
            conn = accept_one(a);
        }
        if (conn == NULL)
            return false;
        welcome(a, conn);
    }
    return true;
}

/* Connections that are in the queue already are accepted: closing now would reset them. */
static void close_door(struct cf_acceptor *a)
{
    (void)accept_some(a, CF_BACKLOG);
    close(a->fd);
    a->fd = -1;
    sem_post(&a->closed);
}

/* ---- the thread ---- */

/* True: the end. */
static bool turn(struct cf_acceptor *a)
{
    struct epoll_event events[BATCH];
    bool knocked = false;
    eventfd_t ignored;
    int got;

    /* epoll would report waiting connections all the time, which cannot be accepted now. */
    if (a->starved)
        (void)poll(NULL, 0, PAUSE_MS);
    got = epoll_wait(a->epoll, events, BATCH, cf_conns_has_ready(a->conns) ? TURN_MS : TICK_MS);

    /* Nobody in the lobby is closed but by its own event, before all events have been looked at. */
    for (int i = 0; i < got; i++) {
        if (events[i].data.ptr == a)
            knocked = true;
        else if (events[i].data.ptr == &a->wake)
            (void)eventfd_read(a->wake, &ignored);
        else
            listen_to(a, events[i].data.ptr, events[i].events);
    }
    hand_over(a);
    if (knocked && a->fd >= 0)
        a->batches = accept_some(a, BATCH) ? a->batches + 1 : 0;
    if (atomic_load(&a->closing) && a->fd >= 0)
        close_door(a);
    hand_over(a);
    return atomic_load(&a->stopping);
}

static void *run(void *arg)
{
    struct cf_acceptor *a = arg;
    int64_t next = cf_monotonic_micros();
    struct cf_conn *conn;

    while (!turn(a)) {
        int64_t now = cf_monotonic_micros();

        if (now < next)
            continue;
        sweep(a);
        next = now + TICK_MS * 1000;
    }
    while ((conn = cf_conns_surplus(a->conns, true)) != NULL)
        hang_up(a, conn);
    return NULL;
}

/* ---- starting and stopping ---- */

void cf_acceptor_free(struct cf_acceptor *a)
{
    if (a == NULL)
        return;
    if (a->epoll >= 0)
        close(a->epoll);
    if (a->wake >= 0)
        close(a->wake);
    sem_destroy(&a->closed);
    free(a);
}

static int prepare(struct cf_acceptor *a)
{
    struct epoll_event listening = {.events = EPOLLIN, .data.ptr = a};
    struct epoll_event wake = {.events = EPOLLIN, .data.ptr = &a->wake};

    if (a->epoll < 0 || a->wake < 0 || epoll_ctl(a->epoll, EPOLL_CTL_ADD, a->fd, &listening) != 0 ||
        epoll_ctl(a->epoll, EPOLL_CTL_ADD, a->wake, &wake) != 0)
        return errno;
    return pthread_create(&a->thread, NULL, run, a);
}

int cf_acceptor_start(struct cf_acceptor **out, int fd, struct cf_conns *conns, bool tls,
                      const struct cf_accept_hooks *hooks, struct cf_err *err)
{
    struct cf_acceptor *a = calloc(1, sizeof(*a));
    int code;

    *out = a;
    if (a == NULL)
        return cf_err_memory(err);
    set_farewell(fd, false);
    a->fd = fd;
    a->conns = conns;
    a->tls = tls;
    a->hooks = *hooks;
    sem_init(&a->closed, 0, 0);
    a->epoll = epoll_create1(EPOLL_CLOEXEC);
    a->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    code = prepare(a);
    if (code == 0) {
        (void)pthread_setname_np(a->thread, "accept");
        return 0;
    }
    *out = NULL;
    cf_acceptor_free(a);
    return cf_err_system(err, "starting to accept connections: %s", strerror(code));
}

void cf_acceptor_wake(struct cf_acceptor *acceptor)
{
    (void)eventfd_write(acceptor->wake, 1);
}

void cf_acceptor_close(struct cf_acceptor *acceptor)
{
    if (atomic_exchange(&acceptor->closing, true))
        return;
    cf_acceptor_wake(acceptor);
    while (sem_wait(&acceptor->closed) != 0)
        continue; /* a signal */
}

void cf_acceptor_stop(struct cf_acceptor *acceptor)
{
    cf_acceptor_close(acceptor);
    atomic_store(&acceptor->stopping, true);
    cf_acceptor_wake(acceptor);
    pthread_join(acceptor->thread, NULL);
}
