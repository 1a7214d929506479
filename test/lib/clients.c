/* SPDX-License-Identifier: Apache-2.0 */
/* clients slow MODE PORT COUNT SECONDS [REVIEW]
 * clients many PORT COUNT REVIEW [TRIES]
 * clients kept PORT COUNT REVIEW
 * clients beside REVIEWS PROBES METRICS SECONDS REVIEW
 * clients half-close PORT CA
 * clients ready PORT PATH ROUNDS COMMAND [ARG...]
 *
 * Clients of a server on 127.0.0.1 that curl and openssl s_client cannot be: each command says
 * below what it does and prints. REVIEW is a file. */
#define _GNU_SOURCE
#include "client.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define STEP_MS 400
#define PATIENCE_MS 5000

static int port;
static struct text request;

static bool has_name(const char *name, const char *other)
{
    return strcmp(name, other) == 0;
}

static struct text review_of(const char *path, const char *headers, const char *file)
{
    struct text body = client_file(file);

    return client_request(path, headers, body.bytes, body.len);
}

/* ---- slow ---- */

/* COUNT clients that are as slow as MODE says, all at once; each until the server ends the
 * connection, at most SECONDS.
 *
 *   connect    say nothing
 *   handshake  half of a TLS hello, then nothing
 *   headers    a byte of the headers now and then
 *   body       a byte of the body now and then
 *   read       send REVIEW over and over, never read an answer
 *   idle       one connection, kept
 *
 * Says "connected N" on stderr when all are. Prints how many the server ended, and the shortest and
 * longest time that it took, in milliseconds: "ended 100 of 100 after 10012 to 10310". */
static struct {
    const char *mode;
    int count, seconds;
    atomic_long connected, ended, shortest, longest;
} slow = {.shortest = 1000000000};

static bool is_mode(const char *mode)
{
    return has_name(slow.mode, mode);
}

/* Whether the server ends it within a step. */
static bool ends(int fd, bool reading)
{
    struct pollfd p = {.fd = fd, .events = (short)(POLLRDHUP | (reading ? POLLIN : 0))};
    char c[64];

    if (poll(&p, 1, STEP_MS) <= 0)
        return false;
    if (p.revents & (POLLRDHUP | POLLHUP | POLLERR))
        return true;
    return recv(fd, c, sizeof(c), MSG_DONTWAIT) == 0;
}

static void begin_slowly(struct client *c)
{
    static const unsigned char half_a_hello[] = {0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3};
    static const char headers[] = "POST /validate HTTP/1.1\r\nHost: slow\r\n";
    static const char body[] = "POST /validate HTTP/1.1\r\nHost: slow\r\nContent-Type: "
                               "application/json\r\nContent-Length: 100000\r\n\r\n{";

    if (is_mode("handshake"))
        (void)!write(c->fd, half_a_hello, sizeof(half_a_hello));
    else if (is_mode("headers"))
        client_send(c, headers, sizeof(headers) - 1);
    else if (is_mode("body"))
        client_send(c, body, sizeof(body) - 1);
}

/* One step of a slow request. */
static void dribble(struct client *c)
{
    if (is_mode("headers"))
        client_send(c, "X", 1);
    else if (is_mode("body"))
        client_send(c, " ", 1);
    else if (is_mode("read"))
        while (client_send(c, request.bytes, request.len))
            continue; /* until the server takes no more */
}

static void note_end(long took)
{
    long seen = atomic_load(&slow.shortest);

    atomic_fetch_add(&slow.ended, 1);
    while (took < seen && !atomic_compare_exchange_weak(&slow.shortest, &seen, took))
        continue;
    seen = atomic_load(&slow.longest);
    while (took > seen && !atomic_compare_exchange_weak(&slow.longest, &seen, took))
        continue;
}

static void *run_slowly(void *arg)
{
    bool plain = is_mode("connect") || is_mode("handshake"), gone = false;
    struct client c = {.fd = client_dial(port, STEP_MS, is_mode("read") ? 2048 : 0)};
    int64_t start;

    (void)arg;
    if (c.fd < 0 || (!plain && !client_greet(&c, c.fd, 20000)))
        return NULL;
    atomic_fetch_add(&slow.connected, 1);
    start = client_micros();
    begin_slowly(&c);
    while (!gone && client_micros() - start < slow.seconds * INT64_C(1000000)) {
        dribble(&c);
        gone = ends(c.fd, plain);
    }
    if (gone)
        note_end((long)((client_micros() - start) / 1000));
    client_close(&c);
    return NULL;
}

static void await_connections(void)
{
    for (int i = 0; i < 500 && atomic_load(&slow.connected) < slow.count; i++)
        client_sleep(20);
    fprintf(stderr, "connected %ld\n", atomic_load(&slow.connected));
}

static int do_slow(int argc, char **argv)
{
    bool all;

    slow.mode = argv[0];
    port = atoi(argv[1]);
    slow.count = atoi(argv[2]);
    slow.seconds = atoi(argv[3]);
    request = argc > 4 ? review_of("/mutate", "", argv[4]) : client_request("/mutate", "", "{}", 2);
    all = client_threads(slow.count, run_slowly, await_connections);
    printf("ended %ld of %ld after %ld to %ld\n", atomic_load(&slow.ended),
           atomic_load(&slow.connected), atomic_load(&slow.shortest), atomic_load(&slow.longest));
    return !all || atomic_load(&slow.connected) != slow.count;
}

/* ---- many ---- */

/* COUNT connections send REVIEW at the same time; after a 429 a connection retries after a second,
 * up to TRIES (1) tries in all. Prints how many got a response, 429 (with Retry-After: 1), and
 * anything else: "answered 40 busy 560 other 0". */
static struct {
    int tries;
    pthread_barrier_t all_connected;
    atomic_int answered, busy, other;
} many;

static atomic_int *count_for(const char *answer)
{
    if (client_has_status(answer, 200) && strstr(answer, "\"allowed\":") != NULL)
        return &many.answered;
    if (client_has_status(answer, 429) && strstr(answer, "Retry-After: 1\r\n") != NULL &&
        strstr(answer, "Content-Type: text/plain") != NULL)
        return &many.busy;
    fprintf(stderr, "other: %.100s\n", answer);
    return &many.other;
}

static atomic_int *send_one(bool first)
{
    char answer[4096] = "";
    struct client c;
    bool open = client_open(&c, port, 0);

    if (first)
        pthread_barrier_wait(&many.all_connected);
    if (open && client_send(&c, request.bytes, request.len))
        client_read_all(&c, answer, sizeof(answer));
    if (open)
        client_close(&c);
    return count_for(answer);
}

static void *run_one_of_many(void *arg)
{
    atomic_int *as = send_one(true);

    (void)arg;
    for (int i = 1; i < many.tries && as == &many.busy; i++) {
        client_sleep(1000);
        as = send_one(false);
    }
    atomic_fetch_add(as, 1);
    return NULL;
}

static int do_many(int argc, char **argv)
{
    int count = atoi(argv[1]);

    port = atoi(argv[0]);
    request = review_of("/validate", "Connection: close\r\n", argv[2]);
    many.tries = argc > 3 ? atoi(argv[3]) : 1;
    pthread_barrier_init(&many.all_connected, NULL, (unsigned)count);
    if (!client_threads(count, run_one_of_many, NULL))
        return 2;
    printf("answered %d busy %d other %d\n", atomic_load(&many.answered), atomic_load(&many.busy),
           atomic_load(&many.other));
    return 0;
}

/* ---- kept ---- */

#define EACH 500

static bool review_on(struct client *c)
{
    char answer[65536];

    return client_send(c, request.bytes, request.len) &&
           client_read(c, answer, sizeof(answer)) != NULL && client_has_status(answer, 200);
}

/* COUNT connections from one address, all kept, as a managed control plane has them. All that are
 * there send the review, one after the other, whenever another 500 have come, since the server ends
 * those that are idle for two minutes. Prints "connected 2000 lost 0", of the reviews. */
static int do_kept(int argc, char **argv)
{
    int count = atoi(argv[1]), connected = 0;
    struct client *clients = calloc((size_t)count + 1, sizeof(*clients));
    long lost = 0;

    (void)argc;
    request = review_of("/validate", "", argv[2]);
    client_raise_files();
    for (int i = 0; i < count; i++) {
        if (client_open(&clients[connected], atoi(argv[0]), 10000))
            lost += review_on(&clients[connected++]) ? 0 : 1;
        for (int k = 0; (i % EACH == EACH - 1 || i == count - 1) && k < connected; k++)
            lost += review_on(&clients[k]) ? 0 : 1;
    }
    printf("connected %d lost %ld\n", connected, lost);
    return lost > 0;
}

/* ---- beside ---- */

#define SAMPLES 200000

/* What others see while something else happens to a server: a kubelet, a Prometheus, an API
 * server's warm connection, one that it uses now and then, and one that connects again each time.
 * The first three arguments are ports. Says "warm" on stderr once the kept connections have had an
 * answer. Prints a line for each client: "probes 100 lost 0 p50 1 p99 4 worst 6", in milliseconds.
 */
struct observer {
    const char *name;
    int port, pause_ms;
    bool (*ask)(struct observer *o);
    const char *path;
    struct client client; /* the warm one */
    long *millis;
    long asked, lost;
    pthread_t thread;
};

static int64_t until;

/* A connection for each, as a kubelet opens it. */
static bool ask_plain(struct observer *o)
{
    return client_get(o->port, o->path, PATIENCE_MS);
}

static bool ask_warm(struct observer *o)
{
    if (o->client.fd < 0 && !client_open(&o->client, o->port, PATIENCE_MS))
        return false;
    if (review_on(&o->client))
        return true;
    client_close(&o->client);
    return false;
}

static bool ask_new(struct observer *o)
{
    bool good = ask_warm(o);

    client_close(&o->client);
    return good;
}

static void *observe(void *arg)
{
    struct observer *o = arg;

    while (client_micros() < until && o->asked < SAMPLES) {
        int64_t begin = client_micros();

        o->lost += o->ask(o) ? 0 : 1;
        o->millis[o->asked++] = (long)((client_micros() - begin) / 1000);
        client_sleep(o->pause_ms);
    }
    return NULL;
}

static int do_beside(int argc, char **argv)
{
    struct observer all[] = {
        {.name = "probes",
         .port = atoi(argv[1]),
         .pause_ms = 50,
         .ask = ask_plain,
         .path = "/readyz"},
        {.name = "metrics",
         .port = atoi(argv[2]),
         .pause_ms = 100,
         .ask = ask_plain,
         .path = "/version"},
        {.name = "warm", .port = atoi(argv[0]), .pause_ms = 10, .ask = ask_warm},
        {.name = "kept", .port = atoi(argv[0]), .pause_ms = 2500, .ask = ask_warm},
        {.name = "new", .port = atoi(argv[0]), .pause_ms = 200, .ask = ask_new},
    };
    const int count = sizeof(all) / sizeof(all[0]);

    (void)argc;
    request = review_of("/validate", "", argv[4]);
    for (int i = 0; i < count; i++) {
        all[i].client.fd = -1;
        all[i].millis = calloc(SAMPLES, sizeof(long));
    }
    if (!ask_warm(&all[2]) || !ask_warm(&all[3]))
        return 3;
    client_sleep(1000); /* older than the next connections */
    fprintf(stderr, "warm\n");
    until = client_micros() + atoi(argv[3]) * INT64_C(1000000);
    for (int i = 0; i < count; i++)
        pthread_create(&all[i].thread, NULL, observe, &all[i]);
    for (int i = 0; i < count; i++) {
        struct observer *o = &all[i];

        pthread_join(o->thread, NULL);
        qsort(o->millis, (size_t)o->asked, sizeof(long), client_by_size);
        printf("%s %ld lost %ld p50 %ld p99 %ld worst %ld\n", o->name, o->asked, o->lost,
               o->millis[o->asked / 2], o->millis[o->asked * 99 / 100], o->millis[o->asked - 1]);
    }
    return 0;
}

/* ---- half-close ---- */

/* Sends stdin over verified TLS, closes its sending half (of TLS and of TCP), and prints what still
 * comes back. */
static int do_half_close(int argc, char **argv)
{
    char buf[16384];
    struct client c;
    ssize_t len;

    (void)argc;
    client_init(argv[1]);
    if (!client_open(&c, atoi(argv[0]), PATIENCE_MS))
        return 3;
    while ((len = read(0, buf, sizeof(buf))) > 0)
        client_send(&c, buf, (size_t)len);
    gnutls_bye(c.tls, GNUTLS_SHUT_WR);
    shutdown(c.fd, SHUT_WR);
    client_read_all(&c, buf, sizeof(buf));
    fputs(buf, stdout);
    client_close(&c);
    return 0;
}

/* ---- ready ---- */

#define ROUNDS_MAX 101
#define READY_MS 10000

static pid_t launch(char **command)
{
    pid_t pid = fork();
    int null;

    if (pid != 0)
        return pid;
    null = open("/dev/null", O_WRONLY);
    dup2(null, 1);
    dup2(null, 2);
    execvp(command[0], command);
    _exit(127);
}

/* In microseconds; below zero: it did not come up. */
static long measure_start(const char *path, char **command)
{
    int64_t begin = client_micros();
    pid_t pid = launch(command);
    long took = -1;

    while (took < 0 && client_micros() - begin < READY_MS * 1000 &&
           waitpid(pid, NULL, WNOHANG) == 0) {
        if (client_get(port, path, 0))
            took = (long)(client_micros() - begin);
        else
            usleep(200);
    }
    kill(pid, SIGTERM);
    waitpid(pid, NULL, 0);
    return took;
}

/* The time from starting a server to its first 200 for GET PATH: the median of ROUNDS, in
 * milliseconds. */
static int do_ready(int argc, char **argv)
{
    int rounds = atoi(argv[2]);
    long took[ROUNDS_MAX];

    (void)argc;
    port = atoi(argv[0]);
    if (rounds < 1 || rounds > ROUNDS_MAX)
        return 2;
    for (int i = 0; i < rounds; i++) {
        took[i] = measure_start(argv[1], argv + 3);
        if (took[i] < 0)
            return 1;
    }
    qsort(took, (size_t)rounds, sizeof(*took), client_by_size);
    printf("%.1f\n", (double)took[rounds / 2] / 1000);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int least; /* arguments */
        int (*run)(int argc, char **argv);
    } commands[] = {
        {"slow", 4, do_slow},
        {"many", 3, do_many},
        {"kept", 3, do_kept},
        {"beside", 5, do_beside},
        {"half-close", 2, do_half_close},
        {"ready", 4, do_ready},
    };

    client_init(NULL);
    for (size_t i = 0; argc > 1 && i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (has_name(argv[1], commands[i].name) && argc - 2 >= commands[i].least)
            return commands[i].run(argc - 2, argv + 2);
    }
    fprintf(stderr, "clients: see the head of clients.c\n");
    return 2;
}
