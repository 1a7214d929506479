/* SPDX-License-Identifier: Apache-2.0 */
/* worst PORT PID SIZE all|short|NAME... - what the worst reviews cost the server.
 *
 * Sends reviews of SIZE bytes, made of two shapes of test/lib/shapes.h at a time, to every
 * endpoint. None of them may take the process PID more CPU than 0.5 s, or than six times what a
 * review of that size takes that gives nothing to find, whichever is more: best of three. One line
 * for each that does, or that is not answered; then the dearest ones; exits 1 when there was one.
 * "short" sends each shape once, with the next of its kind. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client.h"
#include "shapes.h"

#define SECONDS_MAX 0.5 /* unless SECONDS_MAX in the environment says otherwise */
#define TIMES_MAX 6
#define TRIES 3
#define DEAREST 5
#define LONG_NAME 128

static int port;
static clockid_t server_clock;
static char *body;
static size_t size, body_len;
static char answer[1 << 20];

struct cost {
    char name[LONG_NAME];
    double seconds;
};

static struct cost dearest[DEAREST];
static unsigned sent, bad;

/* ---- one review ---- */

static double server_seconds(void)
{
    struct timespec now;

    if (clock_gettime(server_clock, &now) != 0) {
        fprintf(stderr, "the server ended\n");
        exit(1);
    }
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Its start is kept; returns what the server took for it. */
static double post(const char *path)
{
    struct client c;
    bool open = client_open(&c, port, 0);
    double before = server_seconds();
    char target[64];
    struct text request;

    snprintf(target, sizeof(target), "%s?timeout=30s", path);
    request = client_request(target, "Connection: close\r\n", body, body_len);
    answer[0] = '\0';
    if (open && client_send(&c, request.bytes, request.len))
        client_read_all(&c, answer, sizeof(answer));
    if (open)
        client_close(&c);
    free(request.bytes);
    return server_seconds() - before;
}

static bool is_answer(const char *path)
{
    if (!client_has_status(answer, 200))
        return false;
    return strstr(answer, "\"allowed\":") != NULL || strcmp(path, "/authorize") == 0;
}

/* ---- what it costs ---- */

static void note(const char *name, double seconds)
{
    int i = 0;

    while (i < DEAREST && seconds <= dearest[i].seconds)
        i++;
    if (i == DEAREST)
        return;
    memmove(&dearest[i + 1], &dearest[i], (size_t)(DEAREST - 1 - i) * sizeof(dearest[0]));
    snprintf(dearest[i].name, LONG_NAME, "%s", name);
    dearest[i].seconds = seconds;
}

static double best(const char *path, double enough)
{
    double least = 1e9;

    for (int i = 0; i < TRIES && least > enough; i++) {
        double seconds = post(path);

        if (seconds < least)
            least = seconds;
    }
    return least;
}

/* Of a review of the same size and kind, without anything to find. */
static double idle_seconds(enum cf_shape_kind kind, bool update)
{
    static double known[CF_SHAPE_KINDS][2];

    if (known[kind][update] == 0) {
        body_len = cf_shape_write(body, size, kind, NULL, 0, update, false);
        known[kind][update] = best(kind == CF_SHAPE_ACCESS ? "/authorize" : "/validate", 0);
        if (!is_answer("/authorize"))
            fprintf(stderr, "without anything to find: %.200s\n", answer);
    }
    return known[kind][update];
}

static void measure(const struct cf_shape *const *shapes, size_t count, const char *path,
                    bool update, bool same)
{
    enum cf_shape_kind kind = shapes[0]->kind;
    const char *told = getenv("SECONDS_MAX");
    double allowed = told != NULL ? atof(told) : SECONDS_MAX, seconds;
    char name[LONG_NAME];
    bool answered;

    body_len = cf_shape_write(body, size, kind, shapes, count, update, same);
    if (body_len == 0)
        return;
    snprintf(name, sizeof(name), "%s%s%s %s%s", shapes[0]->name, count > 1 ? " + " : "",
             count > 1 ? shapes[1]->name : "", path,
             !update ? "" : (same ? ", an update of the same" : ", an update"));
    seconds = best(path, allowed);
    answered = is_answer(path);
    sent++;
    if (getenv("V") != NULL)
        printf("%6.3f s  %zu  %s\n", seconds, body_len, name);
    if (!answered) {
        bad++;
        printf("     %s: %.300s\n", name, answer);
    } else if (seconds > allowed && seconds > TIMES_MAX * idle_seconds(kind, update)) {
        bad++;
        printf("     %s: %.2f s of CPU; without findings it is %.2f s\n", name, seconds,
               idle_seconds(kind, update));
    }
    note(name, seconds);
}

/* What /mutate has more to do with than to find it. */
static bool has_fixes(const struct cf_shape *shape)
{
    return shape->slot == CF_SLOT_SOURCES || shape->slot == CF_SLOT_VOLUMES ||
           shape->slot == CF_SLOT_ITEMS || shape->slot == CF_SLOT_VOLUME_NAME;
}

static void measure_all(const struct cf_shape *const *shapes, size_t count, bool all)
{
    enum cf_shape_kind kind = shapes[0]->kind;

    if (kind == CF_SHAPE_ACCESS) {
        measure(shapes, count, "/authorize", false, false);
        return;
    }
    if (kind == CF_SHAPE_ACCOUNT) {
        measure(shapes, count, "/validate", true, false);
        measure(shapes, count, "/mutate", true, false);
        return;
    }
    measure(shapes, count, "/validate", false, false);
    if (count == 1 || has_fixes(shapes[0]) || (all && has_fixes(shapes[1])))
        measure(shapes, count, "/mutate", false, false);
    if (kind == CF_SHAPE_TOKEN_REQUEST)
        measure(shapes, count, "/mutate/kubelet", false, false);
    if (count == 1 || kind == CF_SHAPE_DRIVER || kind == CF_SHAPE_NAMESPACE)
        measure(shapes, count, "/validate", true, false);
    if (kind != CF_SHAPE_TOKEN_REQUEST)
        measure(shapes, count, "/validate", true, true);
}

/* ---- all of them ---- */

static bool wanted(const struct cf_shape *shape, int argc, char **argv)
{
    for (int i = 4; i < argc; i++) {
        if (strcmp(argv[i], shape->name) == 0)
            return true;
    }
    return false;
}

/* The next of its kind, in a circle. */
static const struct cf_shape *partner(size_t i)
{
    for (size_t step = 1; step < CF_SHAPES; step++) {
        const struct cf_shape *other = &cf_shapes[(i + step) % CF_SHAPES];

        if (other->kind == cf_shapes[i].kind)
            return other;
    }
    return &cf_shapes[i];
}

static void run(int argc, char **argv)
{
    bool all = strcmp(argv[4], "all") == 0, brief = strcmp(argv[4], "short") == 0;

    for (size_t i = 0; i < CF_SHAPES; i++) {
        const struct cf_shape *pair[2] = {&cf_shapes[i], partner(i)};

        if (brief)
            measure_all(pair, 2, false);
        for (size_t j = i; j < CF_SHAPES && !brief; j++) {
            pair[1] = &cf_shapes[j];
            if (pair[1]->kind != pair[0]->kind ||
                (!all && (!wanted(pair[0], argc, argv) || !wanted(pair[1], argc, argv))))
                continue;
            measure_all(pair, i == j ? 1 : 2, true);
        }
    }
}

int main(int argc, char **argv)
{
    if (argc < 5)
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    port = atoi(argv[1]);
    size = (size_t)atol(argv[3]);
    body = malloc(2 * size);
    if (body == NULL || clock_getcpuclockid(atoi(argv[2]), &server_clock) != 0)
        return 2;
    client_init(NULL);
    run(argc, argv);
    for (int i = 0; i < DEAREST; i++)
        printf("     %.3f s of CPU: %s\n", dearest[i].seconds, dearest[i].name);
    printf("sent %u bad %u\n", sent, bad);
    return bad == 0 && sent > 0 ? 0 : 1;
}
