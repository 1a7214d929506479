/* SPDX-License-Identifier: Apache-2.0 */
/* apiserver.c - a minimal API server for watches, with the objects of a large cluster. It is in C
 * to share the cluster of bench-store, and to send 150,000 pods faster than Curfew reads them.
 *
 *   build/bench/apiserver PODS NODES RATE QUESTIONS
 *
 * Plain HTTP on 127.0.0.1; prints its port. A watch starts with all objects; then RATE pods per
 * second change (an ephemeral container is added or removed). Writes SubjectAccessReviews to the
 * file QUESTIONS, one a line, of the restricted account of a node agent: half of them about objects
 * inside its boundary and half about objects outside. */
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "cluster.h"
#include "curfew/attr.h"
#include "curfew/limits.h"
#include "curfew/str.h"

#define QUESTIONS 20000
#define SECRETS 3000
#define REQUEST_MAX 8192
#define SEND_AT 65536

static unsigned rate = 300;

/* ---- sending ---- */

struct stream {
    int fd;
    struct cf_buf buf;
    bool gone;
};

static void send_all(struct stream *s, const char *bytes, size_t len)
{
    while (len > 0 && !s->gone) {
        ssize_t n = send(s->fd, bytes, len, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            s->gone = true;
            return;
        }
        bytes += n;
        len -= (size_t)n;
    }
}

/* What was gathered, as one chunk. */
static void flush(struct stream *s)
{
    char size[32];

    if (s->buf.len == 0)
        return;
    snprintf(size, sizeof(size), "%zx\r\n", s->buf.len);
    send_all(s, size, strlen(size));
    send_all(s, s->buf.data, s->buf.len);
    send_all(s, "\r\n", 2);
    s->buf.len = 0;
}

static void answer(struct stream *s, const char *body)
{
    char head[128];

    snprintf(head, sizeof(head),
             "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
             strlen(body));
    send_all(s, head, strlen(head));
    send_all(s, body, strlen(body));
}

/* ---- events ---- */

static const char *const resources[] = {
    "namespaces",       "secrets", "serviceaccounts", "pods", "persistentvolumeclaims",
    "persistentvolumes"};
enum { NAMESPACES, SECRETS_, ACCOUNTS, PODS, CLAIMS, VOLUMES };

static void print_object(struct cf_buf *buf, size_t resource, unsigned n, bool debugged)
{
    struct pod pod;

    switch (resource) {
    case NAMESPACES:
        cf_buf_addf(buf, "{\"metadata\":{\"name\":\"team-%u\",\"resourceVersion\":\"%u\"}}", n,
                    version);
        return;
    case SECRETS_:
        print_named(buf, "PartialObjectMetadata", "token-", n, n % SPACES,
                    ",\"annotations\":{\"kubernetes.io/service-account.name\":\"jenkins\"}");
        return;
    case ACCOUNTS:
        if (n > 0) {
            print_named(buf, "ServiceAccount", "", n, n % SPACES, "");
            return;
        }
        cf_buf_addf(buf,
                    "{\"metadata\":{\"name\":\"agent\",\"namespace\":\"team-0\","
                    "\"resourceVersion\":\"%u\",\"annotations\":{"
                    "\"rbac.kubernetes.io/restricted-by-node\":\"true\"}}}",
                    version);
        return;
    case PODS:
        describe(n, &pod);
        print_pod(buf, &pod, true, debugged);
        return;
    default:
        describe(pods / 5 + n, &pod);
        if (resource == CLAIMS)
            print_claim(buf, &pod);
        else
            print_volume(buf, &pod);
    }
}

static unsigned count_of(size_t resource)
{
    switch (resource) {
    case NAMESPACES:
        return SPACES;
    case SECRETS_:
        return SECRETS;
    case PODS:
        return pods;
    default:
        return pods / 10;
    }
}

static void bookmark(struct stream *s, bool first)
{
    cf_buf_addf(&s->buf,
                "{\"type\":\"BOOKMARK\",\"object\":{\"kind\":\"PartialObjectMetadata\","
                "\"metadata\":{\"resourceVersion\":\"%u\"%s}}}\n",
                version, first ? ",\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}" : "");
    flush(s);
}

static void all_there_is(struct stream *s, size_t resource)
{
    for (unsigned n = 0; n < count_of(resource) && !s->gone; n++) {
        cf_buf_adds(&s->buf, "{\"type\":\"ADDED\",\"object\":");
        print_object(&s->buf, resource, n, false);
        cf_buf_adds(&s->buf, "}\n");
        if (s->buf.len > SEND_AT)
            flush(s);
    }
    bookmark(s, true);
}

/* Evenly spread, ten times a second at least. */
static void changes(struct stream *s, size_t resource)
{
    unsigned each = resource == PODS ? (rate + 99) / 100 : 0, step = 0;
    const struct timespec pause = {
        .tv_nsec = each > 0 && rate > 0 ? (long)(1000000000.0 * each / rate) : 999999999};

    for (unsigned tick = 0; !s->gone; tick++) {
        nanosleep(&pause, NULL);
        for (unsigned i = 0; i < each && rate > 0; i++, step++) {
            cf_buf_adds(&s->buf, "{\"type\":\"MODIFIED\",\"object\":");
            version++;
            print_object(&s->buf, resource, step * 7919 % pods, step / pods % 2 == 0);
            cf_buf_adds(&s->buf, "}\n");
        }
        flush(s);
        if (each == 0)
            bookmark(s, false);
    }
}

/* ---- requests ---- */

static void serve(struct stream *s, const char *target)
{
    const char *name = cf_starts_with(target, "/api/v1/") ? target + 8 : "";
    char empty[160];

    if (cf_starts_with(target, "/version")) {
        answer(s, "{\"major\":\"1\",\"minor\":\"36\"}");
        return;
    }
    for (size_t i = 0; i < CF_COUNT(resources); i++) {
        if (strcspn(name, "? ") != strlen(resources[i]) || !cf_starts_with(name, resources[i]))
            continue;
        if (strstr(target, "watch=1") == NULL)
            break;
        send_all(s,
                 "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                 "Transfer-Encoding: chunked\r\n\r\n",
                 79);
        if (strstr(target, "sendInitialEvents=true") != NULL)
            all_there_is(s, i);
        changes(s, i);
        return;
    }
    snprintf(empty, sizeof(empty),
             "{\"kind\":\"List\",\"metadata\":{\"resourceVersion\":\"%u\"},\"items\":[]}", version);
    answer(s, empty);
}

static void *talk(void *arg)
{
    struct stream s = {.fd = (int)(intptr_t)arg};
    char request[REQUEST_MAX + 1];
    size_t len = 0;

    cf_buf_init(&s.buf, CF_MIB);
    while (!s.gone) {
        ssize_t n = recv(s.fd, request + len, REQUEST_MAX - len, 0);
        char *end;

        if (n <= 0)
            break;
        len += (size_t)n;
        request[len] = '\0';
        end = strstr(request, "\r\n\r\n");
        if (end == NULL)
            continue;
        if (cf_starts_with(request, "GET "))
            serve(&s, request + 4);
        len -= (size_t)(end + 4 - request);
        memmove(request, end + 4, len);
    }
    cf_buf_free(&s.buf);
    close(s.fd);
    return NULL;
}

/* ---- questions ---- */

static void print_question(FILE *file, unsigned i)
{
    static const char *const verbs[] = {"get", "get", "get", "patch", "list"};
    const char *resource = "secrets", *verb = verbs[i % CF_COUNT(verbs)];
    char name[160];
    struct pod pod;

    describe(chance(pods), &pod);
    snprintf(name, sizeof(name), "%s-%u-tls", word(pod.workload), pod.workload);
    if (i % 3 == 1) {
        resource = "configmaps";
        snprintf(name, sizeof(name), "%s-%u-config", word(pod.workload), pod.workload);
    } else if (i % 3 == 2) {
        resource = "pods";
        snprintf(name, sizeof(name), "%s", pod.name);
    }
    fprintf(
        file,
        "{\"kind\":\"SubjectAccessReview\",\"apiVersion\":\"authorization.k8s.io/v1\","
        "\"metadata\":{},\"spec\":{\"resourceAttributes\":{\"namespace\":\"team-%u\",\"verb\":"
        "\"%s\",\"version\":\"v1\",\"resource\":\"%s\",\"name\":\"%s\"},\"user\":"
        "\"system:serviceaccount:team-0:agent\",\"groups\":[\"system:serviceaccounts\","
        "\"system:serviceaccounts:team-0\",\"system:authenticated\"],\"extra\":{"
        "\"authentication.kubernetes.io/credential-id\":[\"JTI=2bb96694-ee8d-4bf7-aa09-%012u\"],"
        "\"authentication.kubernetes.io/node-name\":[\"worker-%u.region.internal\"],"
        "\"authentication.kubernetes.io/pod-name\":[\"agent-%05u\"],"
        "\"authentication.kubernetes.io/pod-uid\":[\"86b85ad7-f75c-4df2-98b4-a20397e58e6b\"]},"
        "\"uid\":\"31cc17da-0825-4c17-be5b-899ca1f65d6a\"},\"status\":{\"allowed\":false}}\n",
        pod.space, verb, resource, name, i, i % 2 == 0 ? pod.node : chance(nodes), i);
}

static int write_questions(const char *path)
{
    FILE *file = fopen(path, "w");

    if (file == NULL)
        return -1;
    for (unsigned i = 0; i < QUESTIONS; i++)
        print_question(file, i);
    return fclose(file);
}

int main(int argc, char **argv)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (argc != 5) {
        fprintf(stderr, "usage: apiserver PODS NODES RATE QUESTIONS\n");
        return 2;
    }
    pods = (unsigned)strtoul(argv[1], NULL, 10);
    nodes = (unsigned)strtoul(argv[2], NULL, 10);
    rate = (unsigned)strtoul(argv[3], NULL, 10);
    if (pods < 1000 || nodes < 1 || write_questions(argv[4]) != 0 || fd < 0 ||
        bind(fd, (struct sockaddr *)&at, len) != 0 || listen(fd, 32) != 0 ||
        getsockname(fd, (struct sockaddr *)&at, &len) != 0) {
        perror("apiserver");
        return 3;
    }
    printf("%u\n", ntohs(at.sin_port));
    fflush(stdout);
    for (;;) {
        int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
        pthread_t thread;

        if (client < 0)
            continue;
        if (pthread_create(&thread, NULL, talk, (void *)(intptr_t)client) == 0)
            pthread_detach(thread);
        else
            close(client);
    }
}
