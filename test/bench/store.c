/* SPDX-License-Identifier: Apache-2.0 */
/* store.c - what a large cluster costs: memory, an update, a question.
 *
 *   build/bench/store [PODS] [NODES]      default: 150,000 pods on 5,000 nodes
 *
 * The cluster is that of cluster.h. Documents go the way of a watch: printed, parsed, applied.
 * Memory is what malloc gave out and what is resident, less both with an empty store. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cluster.h"
#include "curfew/arena.h"
#include "curfew/buf.h"
#include "curfew/time.h"
#include "curfew/limits.h"
#include "curfew/store.h"

#define UPDATES 20000
#define QUESTIONS 200000

static struct cf_store *store;
static struct cf_arena *arena;

static const struct cf_json *parse(struct cf_buf *buf)
{
    static const struct cf_json_skip skip[] = {{"metadata", "managedFields"}, {NULL, NULL}};
    struct cf_err err = {.kind = CF_ERR_NONE};
    const struct cf_json *json = cf_json_parse(arena, cf_buf_str(buf), buf->len, skip, NULL, &err);

    if (json == NULL) {
        fprintf(stderr, "bench: %s\n", err.msg);
        exit(3);
    }
    return json;
}

static size_t pod_bytes;

static const struct cf_json *pod_json(const struct pod *pod, bool bound, bool debugged)
{
    struct cf_buf buf;

    cf_buf_init_arena(&buf, arena, CF_MIB);
    print_pod(&buf, pod, bound, debugged);
    pod_bytes = buf.len;
    return parse(&buf);
}

static const struct cf_json *claim_json(const struct pod *pod)
{
    struct cf_buf buf;

    cf_buf_init_arena(&buf, arena, CF_MIB);
    print_claim(&buf, pod);
    return parse(&buf);
}

static const struct cf_json *volume_json(const struct pod *pod)
{
    struct cf_buf buf;

    cf_buf_init_arena(&buf, arena, CF_MIB);
    print_volume(&buf, pod);
    return parse(&buf);
}

static const struct cf_json *named_json(const char *kind, const char *format, unsigned n,
                                        unsigned space, const char *rest)
{
    struct cf_buf buf;

    cf_buf_init_arena(&buf, arena, CF_MIB);
    print_named(&buf, kind, format, n, space, rest);
    return parse(&buf);
}

/* ---- applying ---- */

static struct cf_store_change batch[CF_STORE_BATCH];
static size_t batched;
static enum cf_resource batch_of;

static void flush(void)
{
    struct cf_err err = {.kind = CF_ERR_NONE};

    if (cf_store_apply(store, batch_of, batch, batched, &err) != 0) {
        fprintf(stderr, "bench: %s\n", err.msg);
        exit(3);
    }
    batched = 0;
    cf_arena_reset(arena, false);
}

static void give(enum cf_resource resource, const struct cf_json *object)
{
    batch_of = resource;
    batch[batched++] = (struct cf_store_change){.object = object};
    if (batched == CF_STORE_BATCH)
        flush();
}

static const struct cf_json *example(enum cf_resource resource, unsigned n)
{
    struct pod pod;

    switch (resource) {
    case CF_NAMESPACES:
        return named_json("Namespace", "team-", n, SPACES,
                          ",\"labels\":{\"curfew.dev/enforce\":\"restricted\"}");
    case CF_SECRETS:
        return named_json("PartialObjectMetadata", "token-", n, n % SPACES,
                          ",\"annotations\":{\"kubernetes.io/service-account.name\":\"jenkins\"}");
    case CF_ACCOUNTS:
        return named_json("ServiceAccount", "", n, n % SPACES, "");
    case CF_PODS:
        describe(pods / 2 + n % (pods / 2), &pod);
        return pod_json(&pod, true, false);
    case CF_CLAIMS:
    case CF_VOLUMES:
        break;
    }
    describe(pods / 5 + n, &pod);
    return resource == CF_CLAIMS ? claim_json(&pod) : volume_json(&pod);
}

/* ---- measuring ---- */

static size_t given_out(void)
{
    struct mallinfo2 info = mallinfo2();

    return info.uordblks + info.hblkhd;
}

static size_t resident(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    unsigned long pages = 0, size;

    if (file == NULL || fscanf(file, "%lu %lu", &size, &pages) != 2)
        pages = 0;
    if (file != NULL)
        fclose(file);
    return (size_t)pages * (size_t)sysconf(_SC_PAGESIZE);
}

static double mib(size_t now, size_t before)
{
    return ((double)now - (double)before) / (double)CF_MIB;
}

static int by_time(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

static uint64_t nanos(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static uint32_t times[QUESTIONS];

static void tell_times(const char *what, size_t count)
{
    qsort(times, count, sizeof(times[0]), by_time);
    printf("%-44s %8.2f %8.2f %8.2f\n", what, times[count / 2] / 1e3, times[count * 99 / 100] / 1e3,
           times[count - 1] / 1e3);
}

static void fill(void)
{
    uint64_t began = nanos(), parsing = 0;
    struct pod pod;

    for (unsigned n = 0; n < pods; n++) {
        uint64_t before;
        const struct cf_json *json;

        describe(n, &pod);
        before = nanos();
        json = pod_json(&pod, true, false);
        parsing += nanos() - before;
        give(CF_PODS, json);
    }
    flush();
    printf("%u pods of %zu bytes on %u nodes, in %d namespaces: %.1f s, of which %.1f s to print "
           "and parse them\n",
           pods, pod_bytes, nodes, SPACES, (double)(nanos() - began) / 1e9, (double)parsing / 1e9);
    for (unsigned n = pods / 5; n < pods / 5 + pods / 10; n++) {
        describe(n, &pod);
        give(CF_CLAIMS, claim_json(&pod));
    }
    flush();
    for (unsigned n = pods / 5; n < pods / 5 + pods / 10; n++) {
        describe(n, &pod);
        give(CF_VOLUMES, volume_json(&pod));
    }
    flush();
    for (unsigned n = 0; n < SPACES; n++)
        give(CF_NAMESPACES, example(CF_NAMESPACES, n));
    flush();
    for (unsigned n = 0; n < pods / 10; n++)
        give(CF_ACCOUNTS, example(CF_ACCOUNTS, n));
    flush();
    for (unsigned n = 0; n < 3000; n++)
        give(CF_SECRETS, example(CF_SECRETS, n));
    flush();
}

/* One change at a time, as when nothing else happens: what is read of it counts, parsing does not.
 */
static void update(const char *what, bool bound, bool debugged, bool deleted)
{
    for (size_t i = 0; i < UPDATES; i++) {
        struct cf_err err = {.kind = CF_ERR_NONE};
        struct cf_store_change one = {.deleted = deleted};
        struct pod pod;
        uint64_t began;

        describe((unsigned)i * 7 % pods, &pod);
        one.object = pod_json(&pod, bound, debugged);
        began = nanos();
        if (cf_store_apply(store, CF_PODS, &one, 1, &err) != 0)
            exit(3);
        times[i] = (uint32_t)(nanos() - began);
        cf_arena_reset(arena, false);
    }
    tell_times(what, UPDATES);
}

static void ask(const char *what, enum cf_edge edge, bool inside)
{
    size_t found = 0;

    for (size_t i = 0; i < QUESTIONS; i++) {
        char space[32], name[128], node[64];
        struct pod pod;
        uint64_t began;

        describe(edge == CF_EDGE_CLAIM ? pods / 5 + chance(pods / 10) : chance(pods), &pod);
        snprintf(space, sizeof(space), "team-%u", pod.space);
        if (edge == CF_EDGE_CLAIM)
            snprintf(name, sizeof(name), "data-%s", pod.name);
        else if (edge == CF_EDGE_SECRET)
            snprintf(name, sizeof(name), "%s-%u-tls", word(pod.workload), pod.workload);
        else
            snprintf(name, sizeof(name), "kube-root-ca.crt");
        snprintf(node, sizeof(node), "worker-%u.region.internal",
                 inside ? pod.node : chance(nodes));
        began = nanos();
        cf_store_lock(store);
        found += cf_store_reach(store, edge, space, name, node) != CF_REACH_NONE;
        cf_store_unlock(store);
        times[i] = (uint32_t)(nanos() - began);
    }
    tell_times(what, QUESTIONS);
    if (inside && found != QUESTIONS)
        fprintf(stderr, "bench: %zu of %d were found\n", found, QUESTIONS);
}

static void ask_driver(void)
{
    for (size_t i = 0; i < QUESTIONS; i++) {
        char node[64];
        uint64_t began;

        snprintf(node, sizeof(node), "worker-%u.region.internal", chance(nodes));
        began = nanos();
        cf_store_lock(store);
        cf_store_reach(store, CF_EDGE_SECRET, "storage", "csi-node", node);
        cf_store_unlock(store);
        times[i] = (uint32_t)(nanos() - began);
    }
    tell_times("reach: the Secret of all volumes", QUESTIONS);
}

static void count_row(const struct cf_store_inventory *row, void *arg)
{
    *(size_t *)arg += row->legacy_unused;
}

static void sums(void)
{
    size_t secrets = 0;

    for (size_t i = 0; i < 20; i++) {
        uint64_t began = nanos();

        cf_store_inventory(store, count_row, &secrets);
        times[i] = (uint32_t)(nanos() - began);
    }
    tell_times("the inventory, for metrics", 20);
}

static struct cf_store *new_store(void)
{
    struct cf_store *made = cf_store_new(CF_ABSENT_DEPENDS);

    if (made == NULL)
        exit(3);
    return made;
}

/* Each resource alone, in a separate store. */
static void each_resource(void)
{
    const unsigned count = pods / 10;

    printf("\n%-28s %16s\n", "each watch alone", "KiB per 1,000");
    for (int i = 0; i < CF_RESOURCES; i++) {
        size_t before;

        store = new_store();
        malloc_trim(0);
        before = given_out();
        for (unsigned n = 0; n < count; n++)
            give((enum cf_resource)i, example((enum cf_resource)i, n));
        flush();
        printf("%-28s %16.1f\n", cf_resource_name((enum cf_resource)i),
               (double)(given_out() - before) / count * 1000 / (double)CF_KIB);
        cf_store_free(store);
    }
}

int main(int argc, char **argv)
{
    size_t idle, idle_resident;
    struct pod pod;

    if (argc > 1)
        pods = (unsigned)strtoul(argv[1], NULL, 10);
    if (argc > 2)
        nodes = (unsigned)strtoul(argv[2], NULL, 10);
    if (pods < 1000 || nodes < 1) {
        fprintf(stderr, "bench: at least 1000 pods and a node, please\n");
        return 2;
    }
    cf_json_init();
    arena = cf_arena_new(CF_ARENA_MAX);
    store = new_store();
    if (arena == NULL)
        return 3;
    /* Excludes the allocations of the first batch from the measurement. */
    for (unsigned n = 0; n < CF_STORE_BATCH; n++) {
        describe(n, &pod);
        give(CF_PODS, pod_json(&pod, true, false));
    }
    cf_store_list_begin(store, CF_PODS);
    cf_store_list_end(store, CF_PODS);
    malloc_trim(0);
    idle = given_out();
    idle_resident = resident();

    fill();
    printf("memory: %.1f MiB in use, %.1f MiB resident above idle, %.0f bytes per pod, all "
           "included\n\n",
           mib(given_out(), idle), mib(resident(), idle_resident),
           (double)(given_out() - idle) / pods);

    printf("%-44s %8s %8s %8s\n", "microseconds", "median", "99 %", "most");
    update("update: the status of a pod", true, false, false);
    update("update: an ephemeral container", true, true, false);
    update("update: a pod goes", true, true, true);
    update("update: a pod comes", false, false, false);
    update("update: a pod is bound", true, false, false);
    ask("reach: a Secret, inside", CF_EDGE_SECRET, true);
    ask("reach: a Secret, anywhere", CF_EDGE_SECRET, false);
    ask("reach: a claim, inside", CF_EDGE_CLAIM, true);
    ask("reach: kube-root-ca.crt, inside", CF_EDGE_CONFIG_MAP, true);
    ask_driver();
    sums();
    cf_store_free(store);
    each_resource();
    cf_arena_free(arena);
    return 0;
}
