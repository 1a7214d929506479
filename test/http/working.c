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

#include "client.h"

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
    struct timeval patience = {.tv_sec = 10};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    gnutls_session_t tls = NULL;

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    if (client_connect(fd, port))
        tls = client_handshake(fd, credentials, 10000);
    if (tls == NULL)
        close(fd);
    return tls;
}

/* Sends the review and reads the answer to its end. */
static bool ask(gnutls_session_t tls)
{
    return client_send(tls, review, review_len) && client_read_answer(tls);
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
