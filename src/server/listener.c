/* SPDX-License-Identifier: Apache-2.0 */
/* listener.c - listening sockets and the acceptor; see listener.h. */
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

/* ---- listening sockets ---- */

#define HOST_MAX 256

struct endpoint {
    char host[HOST_MAX]; /* "" for all addresses */
    char port[8];
};

/* Splits at the last colon. An IPv6 address must be in brackets, so that its colons cannot be
 * mistaken for that one. */
static bool split_listen_address(const char *address, struct endpoint *out)
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
    /* A restart must not fail because of connections of the previous process in TIME_WAIT. */
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    /* Answers are small: for a client that sends requests and reads no answers the kernel would
     * otherwise buffer megabytes. Accepted sockets inherit this. */
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

/* Listens on all addresses: the IPv6 socket accepts IPv4 too. If the kernel has no IPv6, on those
 * of IPv4. */
static int listen_all(const struct endpoint *endpoint)
{
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_ANY_INIT};
    struct sockaddr_in four = {.sin_family = AF_INET};
    struct addrinfo at = {.ai_family = AF_INET6, .ai_addrlen = sizeof(six)};
    int64_t port = 0;
    int fd;

    (void)cf_str_int64(endpoint->port, &port);
    six.sin6_port = four.sin_port = htons((uint16_t)port);
    at.ai_addr = (struct sockaddr *)&six;
    fd = open_socket(&at);
    if (fd >= 0 || (errno != EAFNOSUPPORT && errno != EADDRNOTAVAIL))
        return fd;
    at = (struct addrinfo){.ai_family = AF_INET, .ai_addrlen = sizeof(four)};
    at.ai_addr = (struct sockaddr *)&four;
    return open_socket(&at);
}

static int listen_host(const char *address, const struct endpoint *endpoint, struct cf_err *err)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int why = getaddrinfo(endpoint->host, endpoint->port, &hints, &found);
    int fd = -1;

    if (why != 0)
        return cf_err_system(err, "cannot listen on '%s': %s", address, gai_strerror(why));
    for (struct addrinfo *at = found; at != NULL && fd < 0; at = at->ai_next)
        fd = open_socket(at);
    if (fd < 0)
        cf_err_system(err, "cannot listen on '%s': %s", address, strerror(errno));
    freeaddrinfo(found);
    return fd;
}

int cf_listen(const char *address, struct cf_err *err)
{
    struct endpoint endpoint;
    int fd;

    if (!split_listen_address(address, &endpoint))
        return cf_err_set(err,
                          "'%s' is not an address to listen on: expected [HOST]:PORT, for "
                          "example ':8443', '127.0.0.1:8443' or '[::1]:8443'",
                          address);
    if (endpoint.host[0] != '\0')
        return listen_host(address, &endpoint, err);
    fd = listen_all(&endpoint);
    if (fd < 0)
        return cf_err_system(err, "cannot listen on '%s': %s", address, strerror(errno));
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

/* ---- first bytes ---- */

#define RECORD_HEAD 5
#define RECORD_MAX 16384
#define HANDSHAKE 22
#define MAJOR 3

/* In practice a ClientHello is exactly the first record: 500 bytes, or 2,000 with a post-quantum
 * key. */
bool cf_has_client_hello(const unsigned char *data, size_t len, size_t waiting)
{
    size_t record;

    if ((len > 0 && data[0] != HANDSHAKE) || (len > 1 && data[1] != MAJOR))
        return true;
    if (len < RECORD_HEAD)
        return false;
    record = (size_t)data[3] << 8 | data[4];
    return record > RECORD_MAX || waiting >= RECORD_HEAD + record;
}

/* An empty line ends the headers; libmicrohttpd accepts a bare LF as the end of a line, too. */
bool cf_has_headers(const char *data, size_t len)
{
    const char *at = data;

    if (len >= CF_FIRST_BYTES_MAX)
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

/* ---- the acceptor ---- */

/* Pause before the next accept() after it has found no descriptor or memory. */
#define PAUSE_MS 20
/* How long a ready connection waits at most before the acceptor checks again whether it can be
 * admitted. */
#define TURN_MS 10
/* Interval between checks of deadlines. */
#define TICK_MS 250
/* After this many full batches in a row the kernel's queue is considered long. */
#define LONG_QUEUE 4
/* Connections accepted, or events handled, in one turn. */
#define BATCH 64

struct cf_acceptor {
    int fd; /* listening; -1: closed */
    int epoll, wake;
    bool tls;
    struct cf_conns *conns;
    struct cf_accept_hooks hooks;
    pthread_t thread;
    sem_t closed;
    atomic_bool closing, stopping;
    unsigned batches;       /* full ones in a row: the kernel's queue has more */
    bool starved;           /* the last accept() found no descriptor or memory */
    bool starvation_logged; /* since the last successful accept() */
};

/* ---- the lobby ---- */

/* Off, closing a connection resets it, and the kernel keeps no state of it: for the lobby. Accepted
 * sockets inherit it from the listening one. On, closing sends what is buffered: for admitted
 * connections. */
static void set_linger(int fd, bool on)
{
    const struct linger linger = {.l_onoff = on ? 0 : 1, .l_linger = 0};

    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

static void hang_up(struct cf_acceptor *a, struct cf_conn *conn)
{
    close(conn->fd);
    a->hooks.drop(a->hooks.arg, conn);
}

/* GONE: the client has closed the connection, or it has failed. */
enum first_bytes { NONE, SOME, WHOLE, GONE };

static enum first_bytes peek(const struct cf_acceptor *a, int fd)
{
    unsigned char data[CF_FIRST_BYTES_MAX];
    ssize_t len = recv(fd, data, a->tls ? 16 : sizeof(data), MSG_PEEK | MSG_DONTWAIT);
    int waiting = 0;
    bool whole;

    if (len <= 0)
        return len < 0 && (errno == EAGAIN || errno == EINTR) ? NONE : GONE;
    if (a->tls && ioctl(fd, FIONREAD, &waiting) != 0)
        waiting = 0;
    whole = a->tls ? cf_has_client_hello(data, (size_t)len, (size_t)waiting)
                   : cf_has_headers((const char *)data, (size_t)len);
    return whole ? WHOLE : SOME;
}

/* The client has closed its side. After the headers of a request it can still receive an answer;
 * after a ClientHello it cannot. */
static bool ended_early(const struct cf_acceptor *a, const struct cf_conn *conn, uint32_t events)
{
    return (events & EPOLLRDHUP) != 0 && (a->tls || conn->stage == CF_STAGE_SILENT);
}

/* Bytes have arrived on a connection in the lobby, or the client has closed it. */
static void on_lobby_event(struct cf_acceptor *a, struct cf_conn *conn, uint32_t events)
{
    enum first_bytes seen = conn->stage == CF_STAGE_SILENT ? peek(a, conn->fd) : SOME;

    if (seen == WHOLE) {
        cf_conns_enter(a->conns, conn, CF_STAGE_READY);
        return;
    }
    if (seen != GONE && (events & (EPOLLHUP | EPOLLERR)) == 0 && !ended_early(a, conn, events))
        return;
    cf_conns_remove(a->conns, conn);
    hang_up(a, conn);
}

/* While the kernel's queue is long, the first bytes of a client have usually arrived when its
 * connection is accepted. A connection without any is evicted immediately, if its address has so
 * many connections in a full lobby that one of them must be evicted anyway. */
static bool is_crowding(const struct cf_acceptor *a, struct cf_conn *conn)
{
    return a->batches >= LONG_QUEUE && conn->stage == CF_STAGE_SILENT &&
           cf_conns_is_crowding(a->conns, conn) && peek(a, conn->fd) == NONE;
}

static void take_into_lobby(struct cf_acceptor *a, struct cf_conn *conn)
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
    if (is_crowding(a, conn)) {
        cf_conns_evict_waiting(a->conns, conn);
        hang_up(a, conn);
        return;
    }
    /* epoll also reports bytes that arrived before. */
    if (epoll_ctl(a->epoll, EPOLL_CTL_ADD, conn->fd, &event) != 0) {
        cf_conns_remove(a->conns, conn);
        hang_up(a, conn);
        return;
    }
    on_lobby_event(a, conn, 0);
    while ((surplus = cf_conns_surplus(a->conns, false)) != NULL)
        hang_up(a, surplus);
}

/* Admits ready connections as long as there is room. */
static void admit_ready(struct cf_acceptor *a)
{
    enum cf_stage stage = a->tls ? CF_STAGE_HANDSHAKE : CF_STAGE_FRESH;

    while (cf_conns_has_ready(a->conns) && a->hooks.can_take(a->hooks.arg)) {
        struct cf_conn *conn = cf_conns_admit(a->conns, stage);

        if (conn == NULL)
            return;
        epoll_ctl(a->epoll, EPOLL_CTL_DEL, conn->fd, NULL);
        set_linger(conn->fd, true);
        a->hooks.take(a->hooks.arg, conn);
    }
}

static void close_slow(struct cf_acceptor *a)
{
    struct cf_conn *late;
    unsigned ended = cf_conns_sweep(a->conns);

    for (; (late = cf_conns_overdue(a->conns)) != NULL; ended++)
        hang_up(a, late);
    if (ended > 0)
        cf_log(CF_LOG_DEBUG, "closed slow connections", CF_LOG_N("ended", (int64_t)ended));
}

/* ---- accepting ---- */

static bool is_starvation(int code)
{
    return code == EMFILE || code == ENFILE || code == ENOBUFS || code == ENOMEM;
}

/* Accepts the next connection in the kernel's queue. NULL: the queue is empty, or no descriptor or
 * memory is available (a->starved). */
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
    } while (conn->fd < 0 && code != EAGAIN && !is_starvation(code)); /* the client has gone */
    if (conn->fd >= 0) {
        a->starvation_logged = false;
        return conn;
    }
    a->hooks.drop(a->hooks.arg, conn);
    a->starved = code != EAGAIN;
    if (a->starved && !a->starvation_logged)
        cf_log(CF_LOG_ERROR, "cannot accept connections", CF_LOG_S("error", strerror(code)));
    a->starvation_logged = a->starvation_logged || a->starved;
    return NULL;
}

/* False: the queue is empty, or no descriptor or memory is available. */
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
        take_into_lobby(a, conn);
    }
    return true;
}

/* Accepts the connections in the queue first: closing the socket would reset them. */
static void close_listener(struct cf_acceptor *a)
{
    (void)accept_some(a, CF_BACKLOG);
    close(a->fd);
    a->fd = -1;
    sem_post(&a->closed);
}

/* ---- the thread ---- */

/* True: the acceptor must end. */
static bool run_acceptor_once(struct cf_acceptor *a)
{
    struct epoll_event events[BATCH];
    bool connecting = false;
    eventfd_t ignored;
    int got;

    /* epoll would continuously report connections that cannot be accepted now. */
    if (a->starved)
        (void)poll(NULL, 0, PAUSE_MS);
    got = epoll_wait(a->epoll, events, BATCH, cf_conns_has_ready(a->conns) ? TURN_MS : TICK_MS);

    /* While events are handled, a connection in the lobby is closed only by its own event: the
     * other events hold pointers to connections. */
    for (int i = 0; i < got; i++) {
        if (events[i].data.ptr == a)
            connecting = true;
        else if (events[i].data.ptr == &a->wake)
            (void)eventfd_read(a->wake, &ignored);
        else
            on_lobby_event(a, events[i].data.ptr, events[i].events);
    }
    admit_ready(a);
    if (connecting && a->fd >= 0)
        a->batches = accept_some(a, BATCH) ? a->batches + 1 : 0;
    if (atomic_load(&a->closing) && a->fd >= 0)
        close_listener(a);
    admit_ready(a);
    return atomic_load(&a->stopping);
}

static void *run_acceptor(void *arg)
{
    struct cf_acceptor *a = arg;
    int64_t next = cf_monotonic_micros();
    struct cf_conn *conn;

    while (!run_acceptor_once(a)) {
        int64_t now = cf_monotonic_micros();

        if (now < next)
            continue;
        close_slow(a);
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

static int start_acceptor_thread(struct cf_acceptor *a)
{
    struct epoll_event listening = {.events = EPOLLIN, .data.ptr = a};
    struct epoll_event wake = {.events = EPOLLIN, .data.ptr = &a->wake};

    if (a->epoll < 0 || a->wake < 0 || epoll_ctl(a->epoll, EPOLL_CTL_ADD, a->fd, &listening) != 0 ||
        epoll_ctl(a->epoll, EPOLL_CTL_ADD, a->wake, &wake) != 0)
        return errno;
    return pthread_create(&a->thread, NULL, run_acceptor, a);
}

int cf_acceptor_start(struct cf_acceptor **out, int fd, struct cf_conns *conns, bool tls,
                      const struct cf_accept_hooks *hooks, struct cf_err *err)
{
    struct cf_acceptor *a = calloc(1, sizeof(*a));
    int code;

    *out = a;
    if (a == NULL)
        return cf_err_memory(err);
    set_linger(fd, false);
    a->fd = fd;
    a->conns = conns;
    a->tls = tls;
    a->hooks = *hooks;
    sem_init(&a->closed, 0, 0);
    a->epoll = epoll_create1(EPOLL_CLOEXEC);
    a->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    code = start_acceptor_thread(a);
    if (code == 0) {
        (void)pthread_setname_np(a->thread, "accept");
        return 0;
    }
    *out = NULL;
    cf_acceptor_free(a);
    return cf_err_system(err, "cannot start the thread that accepts connections: %s",
                         strerror(code));
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
