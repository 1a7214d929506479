/* SPDX-License-Identifier: Apache-2.0 */
/* load PORT CA LABEL SECONDS RATE EXPECTED=PATH=FILE... - sends reviews as an API server does.
 *
 * Uses kept connections over verified TLS, the most recently used first, at most 25, and opens new
 * ones when none is free. Reviews are due at fixed times (RATE each second, and a burst of 40 at
 * the beginning of each second) regardless of earlier responses, and their latency counts from when
 * they were due. Checks every response: its status, its uid, and the text EXPECTED in it.
 *
 * Like Go's client, it drops a kept connection that the server has closed, and does not repeat a
 * review that was written. SECONDS 0: until a connection is refused.
 *
 * Prints one row: LABEL, sent, wrong, lost, refused, connections, then in ms p50 and p99 of reviews
 * on kept connections, p50 and p99 of those on new ones, and the longest of all. Fails after a
 * wrong or a lost response. */
#define _GNU_SOURCE
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "client.h"

#define WORKERS 96
#define KEPT 25
#define BURST 40
#define SAMPLES (1 << 22)
#define TIMEOUT_MS 10000

struct conn {
    struct client client;
    bool used; /* has had a response */
};

struct review {
    const char *expected, *path;
    char *before, *after; /* the parts of the review around its uid */
    size_t uid_len;
};

struct outcome {
    bool answered, wrong, keep;
};

static struct review reviews[8];
static int review_count, port, seconds, rate;
static const char *label;
static int64_t start;
static atomic_long next_due, sent, wrong, lost, refused, dialled;
static atomic_bool over;

/* Of reviews on kept connections, and on new ones. */
static struct {
    atomic_long count;
    long *us;
} latencies[2];

static pthread_mutex_t pool_lock = PTHREAD_MUTEX_INITIALIZER;
static struct conn pool[KEPT];
static int pool_len;

static void complain(const char *what, const char *detail)
{
    fprintf(stderr, "%s: %s: %.200s\n", label, what, detail);
}

/* ---- connections ---- */

static bool dial(struct conn *c)
{
    *c = (struct conn){.client.fd = client_dial(port, TIMEOUT_MS, 0)};
    if (c->client.fd < 0)
        return false;
    atomic_fetch_add(&dialled, 1);
    return client_greet(&c->client, c->client.fd, TIMEOUT_MS);
}

/* A kept connection with unread bytes is being closed: it cannot have anything else. */
static bool is_open(const struct conn *c)
{
    struct pollfd p = {.fd = c->client.fd, .events = POLLIN | POLLRDHUP};

    return poll(&p, 1, 0) == 0;
}

static bool take_kept(struct conn *c)
{
    bool found = false;

    pthread_mutex_lock(&pool_lock);
    while (!found && pool_len > 0) {
        *c = pool[--pool_len];
        found = is_open(c);
        if (!found)
            client_close(&c->client);
    }
    pthread_mutex_unlock(&pool_lock);
    return found;
}

static void keep(struct conn *c)
{
    bool kept = false;

    pthread_mutex_lock(&pool_lock);
    if (pool_len < KEPT) {
        pool[pool_len++] = *c;
        kept = true;
    }
    pthread_mutex_unlock(&pool_lock);
    if (!kept)
        client_close(&c->client);
}

/* ---- one review ---- */

static bool send_review(struct conn *c, const struct review *r, const char *uid)
{
    size_t length = strlen(r->before) + strlen(uid) + strlen(r->after);
    char *body = malloc(length + 1), target[64];
    struct text request;
    bool good;

    snprintf(body, length + 1, "%s%s%s", r->before, uid, r->after);
    snprintf(target, sizeof(target), "%s?timeout=10s", r->path);
    request = client_request(target,
                             "User-Agent: kube-apiserver-admission\r\n"
                             "Accept: application/json, */*\r\nAccept-Encoding: gzip\r\n",
                             body, length);
    good = client_send(&c->client, request.bytes, request.len);
    free(request.bytes);
    free(body);
    return good;
}

static bool header_is(const char *head, const char *name, const char *value)
{
    const char *at = strcasestr(head, name);

    return at != NULL && strncasecmp(at + strlen(name), value, strlen(value)) == 0;
}

static struct outcome ask(struct conn *c, const struct review *r, const char *uid)
{
    struct outcome out = {.answered = false};
    char *buf = malloc(1 << 18), *body = NULL;
    char uid_member[80];

    snprintf(uid_member, sizeof(uid_member), "\"uid\":\"%s\"", uid);
    if (send_review(c, r, uid))
        body = client_read(&c->client, buf, 1 << 18);
    if (body != NULL) {
        out.answered = true;
        out.wrong = !client_has_status(buf, 200) || strstr(body, uid_member) == NULL ||
                    strstr(body, r->expected) == NULL;
        out.keep = !header_is(buf, "\r\nConnection: ", "close");
        if (out.wrong)
            complain("wrong answer", buf);
    }
    free(buf);
    return out;
}

static void do_review(long number, int64_t due)
{
    const struct review *r = &reviews[number % review_count];
    struct outcome out;
    struct conn c;
    char uid[64];
    long at;

    snprintf(uid, sizeof(uid), "%08x-%04x-4000-8000-%012lx", (unsigned)getpid(),
             (unsigned)(seconds & 0xffff), number);
    if (!take_kept(&c) && !dial(&c)) {
        atomic_fetch_add(&refused, 1);
        atomic_store(&over, seconds == 0);
        return;
    }
    atomic_fetch_add(&sent, 1);
    out = ask(&c, r, uid);
    at = atomic_fetch_add(&latencies[!c.used].count, 1);
    if (at < SAMPLES)
        latencies[!c.used].us[at] = (long)(client_micros() - due);
    if (!out.answered) {
        atomic_fetch_add(&lost, 1);
        complain("no answer", c.used ? "on a kept connection" : "on a new connection");
    }
    atomic_fetch_add(&wrong, out.wrong ? 1 : 0);
    c.used = true;
    if (out.answered && out.keep)
        keep(&c);
    else
        client_close(&c.client);
}

/* ---- pace ---- */

/* In each second: first the burst, then RATE at even distances. */
static int64_t due_at(long number)
{
    long each = rate + BURST;
    long in_second = number % each;
    int64_t offset = in_second < BURST ? 0 : (int64_t)(in_second - BURST) * 1000000 / rate;

    return start + (int64_t)(number / each) * 1000000 + offset;
}

static void *work(void *arg)
{
    (void)arg;
    while (!atomic_load(&over)) {
        long number = atomic_fetch_add(&next_due, 1);
        int64_t due = due_at(number);
        int64_t wait = due - client_micros();

        if (seconds > 0 && due >= start + (int64_t)seconds * 1000000)
            break;
        if (wait > 0)
            usleep((useconds_t)wait);
        do_review(number, due);
    }
    return NULL;
}

/* ---- the rest ---- */

/* "EXPECTED=PATH=FILE" */
static bool add_review(char *spec)
{
    struct review *r = &reviews[review_count];
    char *path = strchr(spec, '='), *file = path != NULL ? strchr(path + 1, '=') : NULL;
    char *text, *uid;

    if (file == NULL || review_count == 8)
        return false;
    *path++ = *file++ = '\0';
    text = client_file(file).bytes;
    uid = strstr(text, "\"request\":");
    uid = uid != NULL ? strstr(uid, "\"uid\":\"") : NULL;
    if (uid == NULL)
        return false;
    r->expected = spec;
    r->path = path;
    r->after = strchr(uid + 7, '"');
    r->before = strndup(text, (size_t)(uid + 7 - text));
    review_count++;
    return true;
}

static long sort(int which)
{
    long count = atomic_load(&latencies[which].count);

    count = count < SAMPLES ? count : SAMPLES;
    qsort(latencies[which].us, (size_t)count, sizeof(*latencies[which].us), client_by_size);
    return count;
}

static double at_share(int which, long count, double share)
{
    long i = (long)((double)count * share);

    return count == 0 ? 0 : latencies[which].us[i < count ? i : count - 1] / 1000.0;
}

static int report(void)
{
    long kept = sort(0), new = sort(1);
    double longest = at_share(0, kept, 1);

    longest = longest > at_share(1, new, 1) ? longest : at_share(1, new, 1);
    printf("%-22s %7ld %5ld %5ld %7ld %6ld %7.2f %7.2f %7.2f %7.2f %7.2f\n", label,
           atomic_load(&sent), atomic_load(&wrong), atomic_load(&lost), atomic_load(&refused),
           atomic_load(&dialled), at_share(0, kept, 0.5), at_share(0, kept, 0.99),
           at_share(1, new, 0.5), at_share(1, new, 0.99), longest);
    return atomic_load(&wrong) + atomic_load(&lost) > 0 || atomic_load(&sent) == 0 ||
           (seconds > 0 && atomic_load(&refused) > 0);
}

int main(int argc, char **argv)
{
    if (argc < 7)
        return 2;
    signal(SIGPIPE, SIG_IGN);
    port = atoi(argv[1]);
    label = argv[3];
    seconds = atoi(argv[4]);
    rate = atoi(argv[5]);
    for (int i = 6; i < argc; i++) {
        if (!add_review(argv[i])) {
            fprintf(stderr, "load: %s: no review\n", argv[i]);
            return 2;
        }
    }
    for (int i = 0; i < 2; i++)
        latencies[i].us = calloc(SAMPLES, sizeof(*latencies[i].us));
    client_init(argv[2]);
    start = client_micros() + 100000;
    if (!client_threads(WORKERS, work, NULL))
        return 2;
    return report();
}
