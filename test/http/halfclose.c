/* SPDX-License-Identifier: Apache-2.0 */
/* halfclose PORT CA - sends stdin over verified TLS, closes its sending half (of TLS and of TCP)
 * and prints what still comes back. curl and openssl s_client can't do that. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gnutls/gnutls.h>

static int dial(int port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0 ? fd : -1;
}

int main(int argc, char **argv)
{
    gnutls_certificate_credentials_t ca;
    gnutls_session_t tls;
    char buf[16384];
    ssize_t len;
    int fd = argc == 3 ? dial(atoi(argv[1])) : -1;

    if (fd < 0)
        return 2;
    gnutls_certificate_allocate_credentials(&ca);
    gnutls_certificate_set_x509_trust_file(ca, argv[2], GNUTLS_X509_FMT_PEM);
    gnutls_init(&tls, GNUTLS_CLIENT);
    gnutls_set_default_priority(tls);
    gnutls_credentials_set(tls, GNUTLS_CRD_CERTIFICATE, ca);
    gnutls_session_set_verify_cert(tls, "localhost", 0);
    gnutls_transport_set_int(tls, fd);
    gnutls_handshake_set_timeout(tls, 5000);
    gnutls_record_set_timeout(tls, 5000);
    if (gnutls_handshake(tls) != 0)
        return 3;
    while ((len = read(0, buf, sizeof(buf))) > 0)
        gnutls_record_send(tls, buf, (size_t)len);
    gnutls_bye(tls, GNUTLS_SHUT_WR);
    shutdown(fd, SHUT_WR);
    while ((len = gnutls_record_recv(tls, buf, sizeof(buf))) > 0)
        fwrite(buf, 1, (size_t)len, stdout);
    gnutls_deinit(tls);
    gnutls_certificate_free_credentials(ca);
    return 0;
}
