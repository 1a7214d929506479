/* SPDX-License-Identifier: Apache-2.0 */
/* Each allocation fails once: the store then is unchanged, and accepts the same object later. */
#include "test.h"

#include "../../src/store/store_private.h"
#include "reviews.h"

/* A sanitizer has its own malloc. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define OWN_MALLOC 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(memory_sanitizer)
#define OWN_MALLOC 0
#endif
#endif
#ifndef OWN_MALLOC
#define OWN_MALLOC 1
#endif

static long allowed = -1; /* allocations before one fails; -1: none fails */

#if OWN_MALLOC
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *block, size_t size);

static bool may(void)
{
    return allowed < 0 || allowed-- > 0;
}

void *malloc(size_t size)
{
    return may() ? __libc_malloc(size) : NULL;
}

void *calloc(size_t count, size_t size)
{
    return may() ? __libc_calloc(count, size) : NULL;
}

void *realloc(void *block, size_t size)
{
    return may() ? __libc_realloc(block, size) : NULL;
}
#endif

static struct cf_store *live;

static struct cf_store_change change_of(const char *text, bool deleted)
{
    const struct cf_json *json = cf_json_parse(arena, q(text), strlen(text), NULL, NULL, &err);

    assert_non_null(json);
    return (struct cf_store_change){.object = json, .deleted = deleted};
}

/* Fails at the first allocation, at the second, ... until none fails; after each failure the store
 * holds as much as before. */
static void put_in_spite(enum cf_resource resource, const char *text)
{
    struct cf_store_change change = change_of(text, false);
    size_t used = cf_heap_used(&live->heap), failures = 0;
    uint32_t names = live->names.table.count, shapes = live->shapes.used;

    for (long n = 0;; n++) {
        int rc;

        allowed = n;
        rc = cf_store_apply(live, resource, &change, 1, &err);
        allowed = -1;
        if (rc == 0)
            break;
        failures++;
        assert_int_equal(err.kind, CF_ERR_SYSTEM);
        assert_int_equal(cf_heap_used(&live->heap), used);
        assert_int_equal(live->names.table.count, names);
        assert_int_equal(live->shapes.used, shapes);
    }
    assert_true(!OWN_MALLOC || failures > 0);
}

#define POD(name, node, secret)                                                                    \
    "{'metadata':{'name':'" name "','namespace':'a','uid':'u-" name "','generateName':'g-'},"      \
    "'spec':{'nodeName':'" node "','serviceAccountName':'w','imagePullSecrets':[{'name':'pull'}]," \
    "'volumes':[{'name':'v','secret':{'secretName':'" secret "'}},{'name':'m','configMap':{"       \
    "'name':'m'}},{'name':'c','persistentVolumeClaim':{'claimName':'c'}},{'name':'d',"             \
    "'persistentVolumeClaim':{'claimName':'d'}},{'name':'t','projected':{'sources':[{"             \
    "'serviceAccountToken':{'audience':'vault'}}]}}]}}"
#define PV(secret)                                                                                 \
    "{'metadata':{'name':'v'},'spec':{'claimRef':{'namespace':'a','name':'c','uid':'u'},'csi':{"   \
    "'nodeStageSecretRef':{'name':'" secret "','namespace':'d'},'nodePublishSecretRef':{'name':"   \
    "'y','namespace':'d'}},'nodeAffinity':{'required':{'nodeSelectorTerms':[{'matchFields':[{"     \
    "'key':'metadata.name','operator':'In','values':['n7']}]}]}}}}"
#define SECRET(owner)                                                                              \
    "{'kind':'PartialObjectMetadata','metadata':{'name':'s','namespace':'b','annotations':{"       \
    "'kubernetes.io/service-account.name':'" owner "'}}}"

static void at_every_allocation(void **state)
{
    static const char *const deleted[CF_RESOURCES] = {
        [CF_NAMESPACES] = "{'metadata':{'name':'a'}}",
        [CF_SECRETS] = "{'metadata':{'name':'s','namespace':'b'}}",
        [CF_ACCOUNTS] = "{'metadata':{'name':'w','namespace':'a'}}",
        [CF_PODS] = "{'metadata':{'name':'p','namespace':'a'}}",
        [CF_CLAIMS] = "{'metadata':{'name':'c','namespace':'a'}}",
        [CF_VOLUMES] = "{'metadata':{'name':'v'}}",
    };

    (void)state;
    put_in_spite(CF_NAMESPACES, "{'metadata':{'name':'a'}}");
    put_in_spite(CF_ACCOUNTS, "{'metadata':{'name':'w','namespace':'a'}}");
    put_in_spite(CF_SECRETS, SECRET("w"));
    put_in_spite(CF_SECRETS, SECRET("x"));
    put_in_spite(CF_PODS, POD("p", "n1", "s"));
    put_in_spite(CF_CLAIMS, "{'metadata':{'name':'c','namespace':'a','uid':'u'}}");
    put_in_spite(CF_VOLUMES, PV("x"));
    assert_int_equal(cf_store_reach(live, CF_EDGE_SECRET, "a", "s", "n1"), CF_REACH_OWN);
    assert_int_equal(cf_store_reach(live, CF_EDGE_SECRET, "d", "x", "n1"), CF_REACH_OWN);
    put_in_spite(CF_PODS, POD("p", "n2", "another"));
    put_in_spite(CF_VOLUMES, PV("z"));
    assert_int_equal(cf_store_reach(live, CF_EDGE_SECRET, "a", "s", "n2"), CF_REACH_NONE);
    assert_int_equal(cf_store_reach(live, CF_EDGE_SECRET, "d", "z", "n2"), CF_REACH_OWN);
    for (int i = 0; i < CF_RESOURCES; i++) {
        struct cf_store_change change = change_of(deleted[i], true);

        assert_int_equal(cf_store_apply(live, (enum cf_resource)i, &change, 1, &err), 0);
    }
    assert_int_equal(live->names.table.count, 0);
    assert_int_equal(cf_heap_used(&live->heap), 0);
}

/* Where chunks and tables are full as well. */
static void many_pods(void **state)
{
    struct cf_arena *review = arena;

    (void)state;
    arena = cf_arena_new(CF_ARENA_MAX);
    for (unsigned i = 0; i < 300; i++) {
        put_in_spite(CF_PODS, cf_arena_printf(arena, POD("%u", "n%u", "s-%u"), i, i, i, i));
        cf_arena_reset(arena, false);
    }
    assert_int_equal(cf_store_counts(live).pods, 300);
    cf_store_list_begin(live, CF_PODS);
    cf_store_list_end(live, CF_PODS);
    assert_int_equal(live->names.table.count, 0);
    assert_int_equal(cf_heap_used(&live->heap), 0);
    cf_arena_free(arena);
    arena = review;
}

static int live_setup(void **state)
{
    live = cf_store_new(CF_ABSENT_DEPENDS);
    return live != NULL ? reviews_setup(state) : -1;
}

static int live_teardown(void **state)
{
    cf_store_free(live);
    return reviews_teardown(state);
}

#define LIVE(f) cmocka_unit_test_setup_teardown(f, live_setup, live_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {LIVE(at_every_allocation), LIVE(many_pods)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
