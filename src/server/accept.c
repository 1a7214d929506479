/* SPDX-License-Identifier: Apache-2.0 */
/* accept.c - see accept.h. */
#include "accept.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "curfew/clock.h"
#include "curfew/log.h"
#include "limits.h"

/* Without room for another connection, or a descriptor for it: how long until the next look. */
#define PAUSE_MS 20
/* How often tick() is called. */
#define TICK_MS 250
/* Connections accepted before the next look at the end. */
#define BATCH 64

struct cf_acceptor {
    int fd;
    int wake; /* readable: the end */
    pthread_t thread;
    struct cf_accept_hooks hooks;
    bool starved; /* the last accept() found no descriptor or memory */
    bool told;    /* of that, once in a row */
};

static bool is_starvation(int code)
{
    return code == EMFILE || code == ENFILE || code == ENOBUFS || code == ENOMEM;
}

/* Answers are small: a client that sends requests and reads no answer must not make the system
 * keep megabytes of them, as it would by itself. */
static void bound_answers(int fd)
{
    const int bytes = CF_SEND_BUFFER;

    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
}

/* False: nothing is waiting, or there is nothing to take it with. */
static bool accept_one(struct cf_acceptor *a)
{
    struct sockaddr_in6 from; /* the larger of the two families */
    socklen_t len = sizeof(from);
    int fd = accept4(a->fd, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd >= 0) {
        a->told = false;
        bound_answers(fd);
        a->hooks.take(a->hooks.arg, fd, (const struct sockaddr *)&from, len);
        return true;
    }
    if (errno == EAGAIN)
        return false;
    if (!is_starvation(errno))
        return true; /* that client has gone again */
    if (!a->told)
        cf_log(CF_LOG_ERROR, "connections wait", CF_LOG_S("error", strerror(errno)));
    a->starved = a->told = true;
    return false;
}

static void accept_some(struct cf_acceptor *a, unsigned max)
{
    while (max-- > 0 && a->hooks.has_room(a->hooks.arg) && accept_one(a))
        continue;
}

/* True: the end. */
static bool wait_for(struct cf_acceptor *a, bool knocks, bool *knocked)
{
    struct pollfd fds[2] = {
        {.fd = a->wake, .events = POLLIN},
        {.fd = knocks ? a->fd : -1, .events = POLLIN},
    };

    (void)poll(fds, 2, knocks ? TICK_MS : PAUSE_MS);
    *knocked = fds[1].revents != 0;
    return fds[0].revents != 0;
}

static void *run(void *arg)
{
    struct cf_acceptor *a = arg;
    int64_t next = cf_monotonic_micros();
    bool full = false, knocked;

    while (!wait_for(a, !full, &knocked)) {
        full = false;
        if (cf_monotonic_micros() >= next) {
            a->hooks.tick(a->hooks.arg);
            next = cf_monotonic_micros() + TICK_MS * 1000;
        }
        if (!knocked)
            continue;
        a->starved = false;
        accept_some(a, BATCH);
        full = a->starved || !a->hooks.has_room(a->hooks.arg);
        if (full)
            a->hooks.make_room(a->hooks.arg);
    }
    /* Who knocked before the door closed is let in: closing now would reset them. */
    accept_some(a, CF_BACKLOG);
    return NULL;
}

struct cf_acceptor *cf_acceptor_start(int fd, const struct cf_accept_hooks *hooks,
                                      struct cf_err *err)
{
    struct cf_acceptor *a = calloc(1, sizeof(*a));
    int code;

    if (a == NULL) {
        cf_err_memory(err);
        return NULL;
    }
    a->fd = fd;
    a->hooks = *hooks;
    a->wake = eventfd(0, EFD_CLOEXEC);
    code = a->wake < 0 ? errno : pthread_create(&a->thread, NULL, run, a);
    if (code == 0) {
        (void)pthread_setname_np(a->thread, "accept");
        return a;
    }
    cf_err_system(err, "starting to accept connections: %s", strerror(code));
    if (a->wake >= 0)
        close(a->wake);
    free(a);
    return NULL;
}

void cf_acceptor_stop(struct cf_acceptor *acceptor)
{
    if (acceptor == NULL)
        return;
    (void)eventfd_write(acceptor->wake, 1);
    pthread_join(acceptor->thread, NULL);
    close(acceptor->fd);
    close(acceptor->wake);
    free(acceptor);
}
