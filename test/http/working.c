/* SPDX-License-Identifier: Apache-2.0 */
/* working PORT COUNT REVIEW - COUNT connections from one address, all kept, as a managed control
 * plane has them. All that are there send the review, one after the other, whenever another 500
 * have come, since the server ends those that are idle for two minutes.
 *
 * Prints "connected 2000 lost 0", of the reviews. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <gnutls/gnutls.h>

#define EACH 500
#define REVIEW_MAX 16000 /* one TLS record */

static gnutls_certificate_credentials_t credentials;
static char review[REVIEW_MAX];
static size_t review_len;

static bool read_review(const char *file)
{
    static char body[REVIEW_MAX - 256];
    FILE *in = fopen(file, "r");
    size_t len;

    if (in == NULL)
        return false;
    len = fread(body, 1, sizeof(body), in);
    fclose(in);
    review_len = (size_t)snprintf(
        review, sizeof(review),
        "POST /validate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        "Content-Length: %zu\r\n\r\n%.*s",
        len, (int)len, body);
    return true;
}

/* NULL: there is no connection. */
static gnutls_session_t dial(int port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    struct timeval patience = {.tv_sec = 10};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    gnutls_session_t tls;

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    gnutls_init(&tls, GNUTLS_CLIENT);
    gnutls_set_default_priority(tls);
    gnutls_credentials_set(tls, GNUTLS_CRD_CERTIFICATE, credentials);
    gnutls_transport_set_int(tls, fd);
    gnutls_handshake_set_timeout(tls, 10000);
    if (connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0 && gnutls_handshake(tls) == 0)
        return tls;
    gnutls_deinit(tls);
    close(fd);
    return NULL;
}

/* Sends the review and reads the answer to its end. */
static bool ask(gnutls_session_t tls)
{
    char answer[65536];
    size_t len = 0, want = 0;

    if (gnutls_record_send(tls, review, review_len) != (ssize_t)review_len)
        return false;
    while (want == 0 || len < want) {
        ssize_t got = gnutls_record_recv(tls, answer + len, sizeof(answer) - 1 - len);
        const char *end, *field;

        if (got <= 0)
            return false;
        len += (size_t)got;
        answer[len] = '\0';
        end = strstr(answer, "\r\n\r\n");
        field = strcasestr(answer, "\r\nContent-Length:");
        if (end != NULL && field != NULL)
            want = (size_t)(end + 4 - answer) + strtoul(field + 17, NULL, 10);
    }
    return strncmp(answer, "HTTP/1.1 200", 12) == 0;
}

int main(int argc, char **argv)
{
    int count = argc == 4 ? atoi(argv[2]) : 0, connected = 0;
    gnutls_session_t *connections = calloc((size_t)count + 1, sizeof(gnutls_session_t));
    struct rlimit files;
    long lost = 0;

    if (count == 0 || !read_review(argv[3]))
        return 2;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    gnutls_certificate_allocate_credentials(&credentials);
    for (int i = 0; i < count; i++) {
        connections[connected] = dial(atoi(argv[1]));
        if (connections[connected] != NULL)
            lost += ask(connections[connected++]) ? 0 : 1;
        for (int k = 0; (i % EACH == EACH - 1 || i == count - 1) && k < connected; k++)
            lost += ask(connections[k]) ? 0 : 1;
    }
    printf("connected %d lost %ld\n", connected, lost);
    return lost > 0;
}
