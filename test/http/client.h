/* SPDX-License-Identifier: Apache-2.0 */
/* client.h - what the TLS clients here share: a session with a port of this machine, a review that
 * is sent, an answer that is read. None of them verifies the server: the shell tests do. */
#ifndef CURFEW_TEST_HTTP_CLIENT_H
#define CURFEW_TEST_HTTP_CLIENT_H

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <gnutls/gnutls.h>

/* Connects `fd` to the port on 127.0.0.1. */
static inline bool client_connect(int fd, int port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0;
}

/* A session over a connected `fd`, which stays the caller's. NULL: the handshake failed, or took
 * longer than `patience` milliseconds. */
static inline gnutls_session_t client_handshake(int fd,
                                                gnutls_certificate_credentials_t credentials,
                                                unsigned patience)
{
    gnutls_session_t tls;

    gnutls_init(&tls, GNUTLS_CLIENT);
    gnutls_set_default_priority(tls);
    gnutls_credentials_set(tls, GNUTLS_CRD_CERTIFICATE, credentials);
    gnutls_transport_set_int(tls, fd);
    gnutls_handshake_set_timeout(tls, patience);
    if (gnutls_handshake(tls) == 0)
        return tls;
    gnutls_deinit(tls);
    return NULL;
}

/* Sends all bytes, a record at a time. */
static inline bool client_send(gnutls_session_t tls, const char *bytes, size_t len)
{
    for (size_t at = 0; at < len;) {
        size_t piece = len - at < 16384 ? len - at : 16384;
        ssize_t sent = gnutls_record_send(tls, bytes + at, piece);

        if (sent < 0)
            return false;
        at += (size_t)sent;
    }
    return true;
}

/* Reads an answer to the end that its Content-Length gives. True: its status is 200. */
static inline bool client_read_answer(gnutls_session_t tls)
{
    char answer[65536];
    size_t len = 0, want = 0;

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

#endif
