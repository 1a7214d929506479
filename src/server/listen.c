/* SPDX-License-Identifier: Apache-2.0 */
/* listen.c - see listen.h. */
#include "listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "curfew/str.h"
#include "limits.h"

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
