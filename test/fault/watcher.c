/* SPDX-License-Identifier: Apache-2.0 */
/* watcher.c - a store with the real watch that prints its contents: what the fault tests
 * compare with the fake server's objects.
 *
 *   watcher KUBECONFIG [stale-after SECONDS] [pauses MIN MAX] [patience MS] [no-secrets]
 *
 * A command a line on standard input, an answer that ends with a line "." on standard output:
 *   dump            the results of all queries about the names below
 *   expect FILE     the same of a store that was filled from this List
 *   state           synced, each resource's age and whether it is fresh, counters, the version */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "curfew/arena.h"
#include "curfew/buf.h"
#include "curfew/config.h"
#include "curfew/file.h"
#include "curfew/json.h"
#include "curfew/limits.h"
#include "curfew/log.h"
#include "curfew/rule.h"
#include "curfew/server.h"
#include "curfew/store.h"
#include "curfew/str.h"
#include "curfew/watch.h"

/* All names that the tests use. */
static const char *const namespaces[] = {"a", "b", "c", "d"};
#define NAMES 8
static const char *const nodes[] = {"n0", "n1"};

static int64_t stale_after = 3;
static const struct cf_policy *policy;

static void tell_namespace(const struct cf_store *store, const char *namespace)
{
    struct cf_levels levels = cf_store_levels(store, policy, namespace);

    printf("namespace %s", namespace);
    for (int mode = 0; mode < CF_MODES; mode++)
        printf(" %d", (int)levels.mode[mode]);
    printf("\n");
}

static void tell_secret(const struct cf_store *store, struct cf_arena *arena, const char *namespace,
                        const char *name)
{
    struct cf_secret_facts ref;
    struct cf_store_pod *pods;

    cf_store_secret(store, arena, namespace, name, INT64_MAX / 2000000, &ref);
    printf("secret %s/%s %d %s pods %zu\n", namespace, name, (int)ref.state,
           ref.owner != NULL ? ref.owner : "-",
           cf_store_pods_of_secret(store, arena, namespace, name, 8, &pods));
}

static void tell_pod(const struct cf_store *store, struct cf_arena *arena, const char *namespace,
                     const char *name)
{
    struct cf_store_pod pod;

    if (!cf_store_pod(store, arena, namespace, name, &pod))
        return;
    printf("pod %s/%s uid %s node %s account %s workload %s%s\n", namespace, name, pod.uid,
           pod.node, pod.account, pod.workload, pod.mirror ? " mirror" : "");
}

static void tell_reach(const struct cf_store *store, const char *namespace, const char *name)
{
    for (int edge = CF_EDGE_SECRET; edge <= CF_EDGE_ACCOUNT; edge++) {
        for (size_t n = 0; n < CF_COUNT(nodes); n++) {
            enum cf_reach reach = cf_store_reach(
                store, (enum cf_edge)edge, edge == CF_EDGE_VOLUME ? "" : namespace, name, nodes[n]);

            if (reach != CF_REACH_NONE)
                printf("reach %d %s/%s from %s: %d\n", edge, namespace, name, nodes[n], (int)reach);
        }
    }
}

static bool tell_object(const struct cf_store_pod *pod, struct cf_object *object, void *arg)
{
    (void)pod, (void)object;
    ++*(size_t *)arg;
    return true;
}

static void tell_namespaced(const struct cf_store *store, struct cf_arena *arena,
                            const char *namespace)
{
    char name[16];
    size_t seen = 0;

    tell_namespace(store, namespace);
    for (int i = 0; i < NAMES; i++) {
        snprintf(name, sizeof(name), "x%d", i);
        tell_secret(store, arena, namespace, name);
        if (cf_store_restricted(store, namespace, name))
            printf("restricted %s/%s\n", namespace, name);
        tell_pod(store, arena, namespace, name);
        tell_reach(store, namespace, name);
    }
    printf("pods in %s: %zu\n", namespace,
           cf_store_pods_in(store, arena, namespace, 100, tell_object, &seen));
}

static void tell_row(const struct cf_store_inventory *row, void *arg)
{
    (void)arg;
    printf("inventory %s: used %zu unused %zu invalid %zu pods %zu\n", row->namespace,
           row->legacy_used, row->legacy_unused, row->legacy_invalid, row->pods_mounting);
}

static void tell_inventory(const struct cf_store *store)
{
    struct cf_store_counts counts = cf_store_counts(store);
    struct cf_store_totals totals = cf_store_totals(store, policy);

    printf("counts %zu namespaces %zu secrets %zu accounts %zu pods\n", counts.namespaces,
           counts.secrets, counts.accounts, counts.pods);
    cf_store_inventory(store, tell_row, NULL);
    for (int mode = 0; mode < CF_MODES; mode++) {
        for (int level = 0; level < CF_LEVELS; level++)
            printf("mode %d level %d: %zu\n", mode, level, totals.namespaces[mode][level]);
    }
    printf("restricted accounts: %zu\n", totals.accounts_restricted);
}

static void tell(const struct cf_store *store)
{
    struct cf_arena *arena = cf_arena_new(CF_ARENA_MAX);

    if (arena == NULL)
        exit(1);
    for (size_t i = 0; i < CF_COUNT(namespaces); i++) {
        cf_store_lock(store);
        tell_namespaced(store, arena, namespaces[i]);
        cf_store_unlock(store);
    }
    tell_inventory(store);
    cf_arena_free(arena);
}

static void tell_expected(const char *file)
{
    struct cf_store *store = cf_store_new(CF_ABSENT_IS_PLAIN);
    struct cf_arena *arena = cf_arena_new(CF_REPORT_MAX);
    struct cf_err err = {.kind = CF_ERR_NONE};
    const struct cf_json *list;
    struct cf_buf text;

    cf_buf_init(&text, CF_FILE_MAX);
    if (store == NULL || arena == NULL || cf_file_read(file, &text, &err) != 0)
        exit(1);
    list = cf_json_parse(arena, text.data, text.len, NULL, NULL, &err);
    if (list == NULL || cf_store_add(store, list, "", &err) != 0) {
        printf("error %s\n", err.msg);
        exit(1);
    }
    tell(store);
    cf_buf_free(&text);
    cf_arena_free(arena);
    cf_store_free(store);
}

static void tell_state(const struct cf_store *store, const struct cf_watch *watch)
{
    printf("synced %d\nminor %u\n", cf_store_synced(store), cf_store_server_minor(store));
    for (int i = 0; i < CF_RESOURCES; i++) {
        enum cf_resource resource = (enum cf_resource)i;
        struct cf_watch_counts counts = cf_watch_counts(watch, resource);
        const char *name = cf_resource_name(resource);

        printf("%s age %lld\n%s fresh %d\n%s events %llu\n%s lists %llu\n%s unread %llu\n", name,
               (long long)cf_store_age(store, resource), name,
               cf_store_fresh(store, resource, stale_after), name,
               (unsigned long long)counts.events, name, (unsigned long long)counts.lists, name,
               (unsigned long long)counts.unread);
        for (int f = 0; f < CF_WATCH_FAILURES; f++)
            printf("%s %s %llu\n", name, cf_watch_failure_name((enum cf_watch_failure)f),
                   (unsigned long long)counts.failures[f]);
    }
}

static void obey(struct cf_store *store, const struct cf_watch *watch)
{
    char line[1024];

    while (fgets(line, sizeof(line), stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (cf_streq(line, "dump"))
            tell(store);
        else if (cf_starts_with(line, "expect "))
            tell_expected(line + strlen("expect "));
        else if (cf_streq(line, "state"))
            tell_state(store, watch);
        else
            printf("error: unknown command\n");
        printf(".\n");
        fflush(stdout);
    }
}

static int64_t number(const char *text)
{
    int64_t n = 0;

    if (text == NULL || !cf_str_int64(text, &n))
        exit(2);
    return n;
}

static void read_flags(char **argv, struct cf_watch_config *config)
{
    for (; *argv != NULL; argv++) {
        if (cf_streq(*argv, "no-secrets")) {
            config->no_secrets = true;
        } else if (cf_streq(*argv, "stale-after")) {
            stale_after = number(*++argv);
        } else if (cf_streq(*argv, "patience")) {
            config->patience = number(*++argv);
        } else if (cf_streq(*argv, "pauses")) {
            config->pause_min = number(*++argv);
            config->pause_max = number(*++argv);
        } else {
            exit(2);
        }
    }
    config->stale_after = stale_after;
}

int main(int argc, char **argv)
{
    struct cf_watch_config config = {.pause_min = 10, .pause_max = 100};
    struct cf_err err = {.kind = CF_ERR_NONE};
    struct cf_policy *built_in;
    struct cf_watch *watch;

    if (argc < 2)
        return 2;
    cf_process_serve(); /* so that memory is given back as the server's is */
    cf_json_init();
    cf_log_setup(CF_LOG_TEXT, getenv("DEBUG") != NULL ? CF_LOG_DEBUG : CF_LOG_INFO);
    read_flags(argv + 2, &config);
    built_in = cf_policy_new(cf_rule_configs(), cf_rule_count);
    policy = built_in;
    config.kubeconfig = argv[1];
    config.store = cf_store_new(CF_ABSENT_DEPENDS);
    watch = config.store != NULL && policy != NULL ? cf_watch_start(&config, &err) : NULL;
    if (watch == NULL) {
        fprintf(stderr, "watcher: %s\n", err.msg);
        return 1;
    }
    obey(config.store, watch);
    cf_watch_stop(watch);
    cf_store_free(config.store);
    cf_policy_free(built_in);
    return 0;
}
