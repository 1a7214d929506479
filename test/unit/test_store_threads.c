/* SPDX-License-Identifier: Apache-2.0 */
/* Watches write while reviews read: a reader sees a whole change or none. Under
 * ThreadSanitizer (make tsan) also: nothing is read beside the lock. */
#include "test.h"

#include <pthread.h>
#include <stdatomic.h>

#include "curfew/attr.h"
#include "curfew/time.h"
#include "curfew/limits.h"
#include "curfew/store.h"
#include "curfew/str.h"

#define CHANGES 10000
#define READS 4000
#define READERS 3

static struct cf_store *store;
static struct cf_policy *policy;

/* cmocka's asserts are for its own thread. */
static atomic_int wrong;

static void must(bool condition)
{
    if (!condition)
        atomic_fetch_add(&wrong, 1);
}

static const struct cf_json *parse(struct cf_arena *arena, const char *text)
{
    struct cf_err err = {0};
    char *copy = cf_arena_strdup(arena, text);

    for (char *c = copy; *c != '\0'; c++) {
        if (*c == '\'')
            *c = '"';
    }
    return cf_json_parse(arena, copy, strlen(copy), NULL, NULL, &err);
}

static void apply(enum cf_resource resource, struct cf_store_change *changes, size_t count)
{
    struct cf_err err = {0};

    must(cf_store_apply(store, resource, changes, count, &err) == 0);
}

/* A pod that is on one of two nodes at any time, and a claim with its volume on its heels. */
#define POD(node)                                                                                  \
    "{'metadata':{'name':'p','namespace':'n','uid':'u'},'spec':{'nodeName':'" node                 \
    "','serviceAccountName':'a','volumes':[{'name':'v','secret':{'secretName':'s'}},{'name':'c',"  \
    "'persistentVolumeClaim':{'claimName':'c'}}]}}"

static void *write_pods(void *arg)
{
    struct cf_arena *arena = cf_arena_new(CF_ARENA_MAX);
    struct cf_store_change here = {.object = parse(arena, POD("node-0"))};
    struct cf_store_change there_ = {.object = parse(arena, POD("node-1"))};

    (void)arg;
    for (int i = 0; i < CHANGES; i++) {
        apply(CF_PODS, i % 2 == 0 ? &here : &there_, 1);
        cf_store_refreshed(store, CF_PODS, cf_monotonic_micros());
    }
    cf_arena_free(arena);
    return NULL;
}

static void *write_lists(void *arg)
{
    struct cf_arena *arena = cf_arena_new(CF_ARENA_MAX);
    struct cf_store_change secret = {
        .object =
            parse(arena, "{'kind':'PartialObjectMetadata','metadata':{'name':'s','namespace':'n',"
                         "'annotations':{'kubernetes.io/service-account.name':'a'}}}")};
    struct cf_store_change volume = {
        .object =
            parse(arena, "{'metadata':{'name':'v'},'spec':{'claimRef':{'namespace':'n','name':'c',"
                         "'uid':'u'},'rbd':{'secretRef':{'name':'r','namespace':'m'}}}}")};
    struct cf_store_change claim = {
        .object = parse(arena, "{'metadata':{'name':'c','namespace':'n','uid':'u'}}")};

    (void)arg;
    for (int i = 0; i < CHANGES / 4; i++) {
        cf_store_list_begin(store, CF_SECRETS);
        if (i % 2 == 0)
            apply(CF_SECRETS, &secret, 1);
        cf_store_list_end(store, CF_SECRETS);
        apply(CF_CLAIMS, &claim, 1);
        apply(CF_VOLUMES, &volume, 1);
        apply(CF_CLAIMS, &(struct cf_store_change){.object = claim.object, .deleted = true}, 1);
        apply(CF_VOLUMES, &(struct cf_store_change){.object = volume.object, .deleted = true}, 1);
    }
    cf_arena_free(arena);
    return NULL;
}

static bool is_on_one(enum cf_edge edge, const char *name)
{
    enum cf_reach a = cf_store_reach(store, edge, "n", name, "node-0");
    enum cf_reach b = cf_store_reach(store, edge, "n", name, "node-1");

    return (a == CF_REACH_OWN && b == CF_REACH_NONE) || (a == CF_REACH_NONE && b == CF_REACH_OWN);
}

static bool see(const struct cf_store_pod *pod, struct cf_object *object, void *arg)
{
    (void)arg;
    must(cf_streq(pod->name, "p") && object->pod.volume_count == 1);
    return true;
}

static void see_row(const struct cf_store_inventory *row, void *arg)
{
    (void)arg;
    must(cf_streq(row->namespace, "n") && row->legacy_unused == 1 && row->pods_mounting == 1);
}

static void *read_all(void *arg)
{
    struct cf_arena *arena = cf_arena_new(CF_ARENA_MAX);

    (void)arg;
    for (int i = 0; i < READS; i++) {
        struct cf_secret_facts ref;
        struct cf_store_pod pod, *pods;
        enum cf_reach secret_reach;

        cf_store_lock(store);
        cf_store_secret(store, arena, "n", "s", 30, &ref);
        must(ref.state != CF_SECRET_LEGACY || cf_streq(ref.owner, "a"));
        must(cf_store_pod(store, arena, "n", "p", &pod));
        must(is_on_one(CF_EDGE_SECRET, "s"));
        must(is_on_one(CF_EDGE_CLAIM, "c"));
        must(is_on_one(CF_EDGE_ACCOUNT, "a"));
        secret_reach = cf_store_reach(store, CF_EDGE_SECRET, "m", "r", pod.node);
        must(secret_reach == cf_store_reach(store, CF_EDGE_VOLUME, "", "v", pod.node));
        must(cf_store_pods_of_secret(store, arena, "n", "s", 5, &pods) == 1);
        must(cf_store_pods_in(store, arena, "n", 5, see, NULL) == 1);
        cf_store_unlock(store);
        must(cf_store_counts(store).pods == 1);
        cf_store_inventory(store, see_row, NULL);
        cf_store_totals(store, policy);
        must(cf_store_age(store, CF_PODS) < INT64_C(600) * 1000000);
        cf_store_fresh(store, CF_SECRETS, 30);
        cf_store_synced(store);
        cf_arena_reset(arena, false);
    }
    cf_arena_free(arena);
    return NULL;
}

static void readers_and_writers(void **state)
{
    pthread_t writers[2], readers[READERS];
    struct cf_arena *arena = cf_arena_new(CF_ARENA_MAX);
    struct cf_store_change first = {.object = parse(arena, POD("node-0"))};

    (void)state;
    apply(CF_PODS, &first, 1);
    assert_int_equal(pthread_create(&writers[0], NULL, write_pods, NULL), 0);
    assert_int_equal(pthread_create(&writers[1], NULL, write_lists, NULL), 0);
    for (int i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, read_all, NULL), 0);
    for (int i = 0; i < READERS; i++)
        pthread_join(readers[i], NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(writers[i], NULL);
    assert_int_equal(atomic_load(&wrong), 0);
    assert_true(cf_store_age(store, CF_PODS) >= 0);
    cf_arena_free(arena);
}

static int setup(void **state)
{
    (void)state;
    cf_json_init();
    store = cf_store_new(CF_ABSENT_DEPENDS);
    policy = cf_policy_new(NULL, 0);
    return store != NULL && policy != NULL ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    cf_policy_free(policy);
    cf_store_free(store);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(readers_and_writers, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
