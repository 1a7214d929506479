/* SPDX-License-Identifier: Apache-2.0 */
/* http - bytes sent to the complete server: its acceptor, its threads, libmicrohttpd, its paths.
 * Two servers are started once, one of which requires a bearer token; the port of reviews is also
 * served without TLS. Each input is one connection.
 *
 *   byte 0   the port (2 bits), the pieces (3 bits), how the connection ends (2 bits)
 *   the rest the bytes to send
 *
 * http_model.h parses the same bytes again, according to RFC 9112 and independently of
 * libmicrohttpd: bytes that are not a request must not get a 2xx response, and no response may
 * follow. */
#include <cjson/cJSON.h>

#include "fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../src/json/json_private.h"
#include "../../src/server/context.h"
#include "../../src/server/http.h"
#include "../../src/server/limits.h"
#include "curfew/attr.h"
#include "curfew/certs.h"
#include "curfew/time.h"
#include "curfew/probes.h"
#include "http_model.h"

/* A response comes within microseconds, but the machine may be busy. */
#define PATIENCE_MS 20000
#define QUIET_MS 1
#define ANSWER_MAX (4 * CF_MIB)
/* How often it is counted what is open. */
#define COUNT_EVERY 256

enum { PORT_REVIEWS, PORT_BEARER, PORT_METRICS, PORT_PROBES, PORTS };
enum { END_HALF, END_HALF_TOO, END_ANSWERED, END_RESET };

static struct cf_server *servers[2];
static struct cf_http *reviews[2];
static struct cf_arena *arena;
static struct sockaddr_in ports[PORTS];
static unsigned runs, sockets;
static atomic_bool logs;

/* ---- the log: every line is sanitized ---- */

ssize_t write(int fd, const void *bytes, size_t len)
{
    if (fd != STDERR_FILENO || !atomic_load(&logs))
        return syscall(SYS_write, fd, bytes, len);
    fuzz_must_be_line(bytes, len);
    return (ssize_t)len;
}

/* ---- the servers ---- */

static void write_file(const char *folder, const char *name, const struct cf_buf *bytes,
                       char path[64])
{
    FILE *file;

    snprintf(path, 64, "%s/%s", folder, name);
    file = fopen(path, "w");
    fuzz_must(file != NULL && fwrite(bytes->data, 1, bytes->len, file) == bytes->len &&
                  fclose(file) == 0,
              "a file is written", path);
}

static void make_certificate(struct cf_certs *certs)
{
    static const char *const names[] = {"localhost"};
    struct cf_certs_spec wish = {.names = names,
                                 .name_count = 1,
                                 .leaf_lifetime = CF_LEAF_LIFETIME,
                                 .ca_lifetime = CF_CA_LIFETIME,
                                 .now = cf_now(),
                                 .published = true};
    enum cf_certs_step step = CF_CERTS_KEEP;
    struct cf_certs next;
    struct cf_err err;

    cf_certs_init(certs);
    do {
        cf_certs_init(&next);
        fuzz_must(cf_certs_next(certs, &wish, &next, &step, NULL, &err) == 0, err.msg, NULL);
        if (step != CF_CERTS_KEEP)
            fuzz_must(cf_certs_copy(certs, &next), "a certificate is copied", NULL);
        cf_certs_free(&next);
    } while (step != CF_CERTS_KEEP);
}

static void set_port(unsigned port, const char *address)
{
    ports[port] = (struct sockaddr_in){.sin_family = AF_INET,
                                       .sin_port = htons((uint16_t)atoi(strrchr(address, ':') + 1)),
                                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void start(unsigned which, const struct cf_server_config *config)
{
    struct cf_err err = {.kind = CF_ERR_NONE};
    struct cf_http_config plain = {.listen = "127.0.0.1:0",
                                   .threads = 1,
                                   .room = CF_ROOM_REVIEWS,
                                   .connection_memory = config->bearer_jwks != NULL
                                                            ? CF_CONNECTION_MEMORY_TOKEN
                                                            : CF_CONNECTION_MEMORY,
                                   .accept = cf_routes_accept_review,
                                   .answer = cf_routes_answer_review,
                                   .exhausted = cf_routes_exhausted};

    servers[which] = cf_server_start(config, &err);
    fuzz_must(servers[which] != NULL, "the server starts", err.msg);
    plain.arg = servers[which];
    plain.memory = &servers[which]->budget;
    reviews[which] = cf_http_start(&plain, &err);
    fuzz_must(reviews[which] != NULL, "a port without TLS starts", err.msg);
}

static void start_servers(const char *cert, const char *key)
{
    static const char *const subjects[] = {"system:apiserver", NULL}, *const audiences[] = {"c",
                                                                                            NULL};
    struct cf_server_config config = {.listen = "127.0.0.1:0",
                                      .probe_listen = "127.0.0.1:0",
                                      .metrics_listen = "127.0.0.1:0",
                                      .threads = 1,
                                      .tls_cert = cert,
                                      .tls_key = key,
                                      .authorize_anonymous = true,
                                      .metrics_namespaces = true};

    config.store = store_of("test/recorded/objects.yaml");
    start(0, &config);
    config.bearer_jwks = "test/tokens/jwks.json";
    config.bearer_issuer = "i";
    config.bearer_subjects = subjects;
    config.bearer_audiences = audiences;
    start(1, &config);
    set_port(PORT_REVIEWS, cf_http_address(reviews[0]));
    set_port(PORT_BEARER, cf_http_address(reviews[1]));
    set_port(PORT_METRICS, cf_http_address(servers[0]->metrics));
    set_port(PORT_PROBES, cf_probes_address(servers[0]->probes));
}

/* libFuzzer has some of its own that come and go, but no sockets. */
static unsigned open_sockets(void)
{
    DIR *dir = opendir("/proc/self/fd");
    const struct dirent *entry;
    unsigned count = 0;
    char to[16];

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        ssize_t len = readlinkat(dirfd(dir), entry->d_name, to, sizeof(to));

        count += len > 7 && memcmp(to, "socket:", 7) == 0;
    }
    closedir(dir);
    return count;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    char folder[] = "/tmp/curfew-fuzz-XXXXXX", cert[64], key[64];
    struct cf_certs certs;

    (void)argc, (void)argv;
    cf_json_init();
    arena = cf_arena_new(CF_ARENA_MAX);
    make_certificate(&certs);
    fuzz_must(mkdtemp(folder) != NULL, "a folder is made", NULL);
    write_file(folder, "tls.pem", &certs.cert, cert);
    write_file(folder, "tls.key", &certs.key, key);
    start_servers(cert, key);
    unlink(cert);
    unlink(key);
    rmdir(folder);
    cf_certs_free(&certs);
    sockets = open_sockets();
    atomic_store(&logs, true);
    return 0;
}

/* ---- one connection ---- */

/* What came back. */
struct came {
    char *data;
    size_t len;
    bool closed, reset;
};

static int64_t millis(void)
{
    return cf_monotonic_micros() / 1000;
}

/* libFuzzer's timer interrupts. */
static bool wait_for(int fd, short event, int64_t until)
{
    struct pollfd one = {.fd = fd, .events = event};
    int ready;

    do {
        int64_t left = until - millis();

        ready = poll(&one, 1, left > 0 ? (int)left : 0);
    } while (ready < 0 && errno == EINTR);
    return ready == 1;
}

/* Reads the available bytes, and waits for them until then. False: no more bytes, or not in time.
 */
static bool read_some(int fd, struct came *came, int64_t until)
{
    ssize_t got;

    if (came->closed || !wait_for(fd, POLLIN, until))
        return false;
    fuzz_must(came->len < ANSWER_MAX, "the answers are bounded", NULL);
    got = recv(fd, came->data + came->len, ANSWER_MAX - came->len, 0);
    came->closed = got <= 0;
    came->reset = got < 0;
    came->len += got > 0 ? (size_t)got : 0;
    return got > 0;
}

static size_t piece_of(unsigned way, size_t size, unsigned number)
{
    switch (way) {
    case 2:
    case 3:
        return size / 2 + 1;
    case 4:
        return size / 5 + 1;
    case 5:
        return number < 4 ? 1 : size;
    case 6:
        return number < 6 ? 16 * (number + 1) : size;
    case 7:
        return number < 2 ? size - size / 8 : size;
    default:
        return size;
    }
}

/* Between two pieces the server gets a moment, so that it sees the first one alone. */
static void send_all(int fd, const uint8_t *data, size_t size, unsigned way, struct came *came)
{
    for (unsigned number = 0; size > 0; number++) {
        size_t some = piece_of(way, size, number);
        ssize_t sent;

        do
            sent = send(fd, data, some < size ? some : size, MSG_NOSIGNAL);
        while (sent < 0 && errno == EINTR);
        if (sent <= 0)
            return;
        data += sent;
        size -= (size_t)sent;
        if (size > 0)
            (void)read_some(fd, came, millis() + (way % 2));
    }
}

static int dial(unsigned port)
{
    const int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), error = 0;
    socklen_t len = sizeof(error);

    fuzz_must(fd >= 0, "a socket is made", NULL);
    if (connect(fd, (const struct sockaddr *)&ports[port], sizeof(ports[port])) != 0)
        error = errno;
    /* An interrupted connect() continues in the background. */
    if (error == EINTR && wait_for(fd, POLLOUT, millis() + PATIENCE_MS))
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
    fuzz_must(error == 0, "the server takes connections", strerror(error));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return fd;
}

static void reset(int fd)
{
    const struct linger now = {.l_onoff = 1, .l_linger = 0};

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    close(fd);
}

static void talk(const uint8_t *data, size_t size, unsigned how, const struct model *model,
                 struct came *came)
{
    int fd = dial(how % PORTS);
    unsigned end = how >> 5 & 3;
    int64_t until;

    send_all(fd, data, size, how >> 2 & 7, came);
    until = millis() + PATIENCE_MS;
    if (end == END_HALF || end == END_HALF_TOO)
        shutdown(fd, SHUT_WR);
    while (end != END_RESET && model_answers(came->data, came->len) < model->certain &&
           read_some(fd, came, until))
        continue;
    fuzz_must(end == END_RESET || came->closed ||
                  model_answers(came->data, came->len) >= model->certain,
              "every request is answered", NULL);
    /* libmicrohttpd sees an end that came along with a request only when more bytes come, so the
     * connection is idle: other responses come immediately. */
    while (end != END_RESET && read_some(fd, came, millis() + (end == END_ANSWERED ? 0 : QUIET_MS)))
        continue;
    reset(fd);
}

/* ---- answers ---- */

static void check_texts(const cJSON *value)
{
    const cJSON *child;

    if (cJSON_IsString(value) && (value->string == NULL || (strcmp(value->string, "uid") != 0 &&
                                                            strcmp(value->string, "patch") != 0)))
        fuzz_must_be_clean(value->valuestring);
    cJSON_ArrayForEach(child, value) check_texts(child);
}

static const cJSON *member(const cJSON *object, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

/* A plain uid that no other connection has. */
static void check_uid(const char *uid, const uint8_t *data, size_t size)
{
    size_t len = strspn(uid, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-");

    if (uid[len] == '\0' && len > 0 && memchr(data, '\\', size) == NULL)
        fuzz_must(memmem(data, size, uid, len) != NULL, "the uid is of this request", uid);
}

static void check_json(const char *text, const uint8_t *data, size_t size)
{
    const cJSON *root;
    const char *kind;

    (void)cf_json_use(arena); /* all that cJSON takes is of it */
    root = cJSON_Parse(text);
    kind = cJSON_GetStringValue(member(root, "kind"));
    fuzz_must(root != NULL, "JSON is JSON", text);
    check_texts(root);
    if (kind == NULL) {
        fuzz_must(member(root, "version") != NULL, "without a kind it is the version", text);
    } else if (strcmp(kind, "AdmissionReview") == 0) {
        const cJSON *response = member(root, "response");
        const char *uid = cJSON_GetStringValue(member(response, "uid"));

        fuzz_must(uid != NULL && *uid != '\0', "a verdict has a uid", text);
        fuzz_must(cJSON_IsBool(member(response, "allowed")), "a review has a verdict", text);
        check_uid(uid, data, size);
    } else {
        fuzz_must(strcmp(kind, "SubjectAccessReview") == 0, "a review is of the two kinds", text);
        fuzz_must(cJSON_IsFalse(member(member(root, "status"), "allowed")),
                  "nothing is ever allowed at /authorize", text);
    }
    cf_arena_reset(arena, false);
}

static void check_body(const struct model_answer *a, const uint8_t *data, size_t size)
{
    char *text = strndup(a->body, a->body_len);

    fuzz_must(strlen(text) == a->body_len, "a body without a NUL", text);
    if (a->json && a->body_len > 0) /* else it is of HEAD */
        check_json(text, data, size);
    else if (a->body_len < 4096) /* the metrics are longer */
        fuzz_must_be_clean(text);
    free(text);
}

/* libmicrohttpd 0.9.75 sends the headers of some of its own errors twice (if a Content-Length is
 * not a number, is too large, or has trailing blanks). */
static bool says_it_twice(const struct model_answer *a)
{
    return a->body != NULL && a->status >= 400 && a->closes &&
           strncmp(a->body, "HTTP/1.1 4", 10) == 0 && strncmp(cf_http_version(), "0.", 2) == 0;
}

/* Each response belongs to its request, and the last one follows the bytes that are not a request.
 */
static void check_answers(const struct came *came, const struct model *model, const uint8_t *data,
                          size_t size)
{
    const char *at = came->data, *end = came->data + came->len;
    bool ended = false;

    for (unsigned i = 0; at < end;) {
        const struct model_request *r = i < model->count ? &model->requests[i] : NULL;
        struct model_answer a;
        enum model_read got;

        if (model->lost && i + 1 >= model->count)
            return; /* of a HEAD or a GET: unknown */
        fuzz_must(r != NULL, "no more answers than requests", came->data);
        got = model_read_answer(at, end, r->is_head, &a);
        /* What libmicrohttpd refuses by itself it may have read no method of. */
        if (r->is != MODEL_GOOD && got == MODEL_WHOLE && a.end < end && *a.end != 'H')
            got = model_read_answer(at, end, false, &a);
        if (says_it_twice(&a))
            return;
        if (got == MODEL_CUT && (came->reset || !came->closed))
            return;
        fuzz_must(got == MODEL_WHOLE, "an answer is HTTP", at);
        at = a.end;
        if (a.status == 100)
            continue;
        fuzz_must(!ended, "no response follows one that closes the connection", at);
        if (r->is == MODEL_BAD || !r->whole)
            fuzz_must(a.status >= 400, "bytes that are not a request get an error", came->data);
        ended = a.closes || r->is == MODEL_BAD;
        check_body(&a, data, size);
        i++;
    }
}

/* ---- resources that must be released ---- */

static size_t held(void)
{
    struct cf_http_load load = {0};
    size_t all = 0;

    for (unsigned i = 0; i < CF_COUNT(servers); i++) {
        load = cf_http_load(reviews[i]);
        all += load.connections + load.bytes + cf_http_load(servers[i]->metrics).connections;
    }
    return all;
}

/* Prints the unreleased resources. */
static void print_held(void)
{
    for (unsigned i = 0; i < CF_COUNT(servers); i++) {
        struct cf_http_load review = cf_http_load(reviews[i]);

        fprintf(stderr, "server %u: %u connections, %zu bytes; %u of metrics\n", i,
                review.connections, review.bytes, cf_http_load(servers[i]->metrics).connections);
    }
    for (int fd = 0; fd < 1024; fd++) {
        struct sockaddr_in own = {.sin_port = 0}, peer = {.sin_port = 0};
        socklen_t own_len = sizeof(own), peer_len = sizeof(peer), len = sizeof(struct tcp_info);
        struct tcp_info info;

        if (getsockopt(fd, SOL_TCP, TCP_INFO, &info, &len) != 0)
            continue;
        (void)getsockname(fd, (struct sockaddr *)&own, &own_len);
        (void)getpeername(fd, (struct sockaddr *)&peer, &peer_len);
        fprintf(stderr, "socket %d: %u <- %u, state %u\n", fd, ntohs(own.sin_port),
                ntohs(peer.sin_port), info.tcpi_state);
    }
    for (unsigned i = 0; i < PORTS; i++)
        fprintf(stderr, "port %u: %u\n", i, ntohs(ports[i].sin_port));
}

/* A connection that was reset may still leave the lobby after a check, so one moment without
 * connections is enough. */
static void check_left(void)
{
    int64_t until = millis() + PATIENCE_MS;

    while (held() > 0 || open_sockets() > sockets) {
        if (millis() > until) {
            print_held();
            fuzz_must(false, "every connection, descriptor and all memory is given back", NULL);
        }
        sched_yield();
    }
}

static int64_t process_micros(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void run(const uint8_t *data, size_t size)
{
    static char answers[ANSWER_MAX + 1];
    struct came came = {.data = answers};
    struct model model;

    model_read_requests((const char *)data + 1, size - 1, &model);
    talk(data + 1, size - 1, data[0], &model, &came);
    answers[came.len] = '\0';
    check_answers(&came, &model, data + 1, size - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t took = FUZZ_SLOW_MICROS;

    if (size < 2)
        return 0;
    for (int try = 0; try < 3 && took >= FUZZ_SLOW_MICROS; try++) {
        int64_t start_micros = process_micros();

        run(data, size);
        took = process_micros() - start_micros;
    }
    fuzz_must(took < FUZZ_SLOW_MICROS, "an input that takes more than 0.2 s of CPU", NULL);
    if (runs++ % COUNT_EVERY == 0)
        check_left();
    return 0;
}
