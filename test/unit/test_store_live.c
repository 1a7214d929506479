/* SPDX-License-Identifier: Apache-2.0 */
/* A store that watches fill: when an object is known, and when its data are stale. */
#include "reviews.h"

#include <time.h>

#include "curfew/time.h"

static struct cf_store *live;

static int apply(enum cf_resource resource, const char *text, bool deleted)
{
    struct cf_store_change change = {.deleted = deleted};

    change.object = cf_json_parse(arena, q(text), strlen(text), NULL, NULL, &err);
    assert_non_null(change.object);
    return cf_store_apply(live, resource, &change, 1, &err);
}

static enum cf_secret_state state_of(const char *name, int64_t stale_after)
{
    struct cf_secret_facts ref;

    cf_store_lock(live);
    cf_store_secret(live, arena, "a", name, stale_after, &ref);
    cf_store_unlock(live);
    return ref.state;
}

static void sync_all(void)
{
    for (int i = 0; i < CF_RESOURCES; i++) {
        cf_store_list_begin(live, (enum cf_resource)i);
        cf_store_list_end(live, (enum cf_resource)i);
        cf_store_refreshed(live, (enum cf_resource)i, cf_monotonic_micros());
    }
}

#define META(name, rest) "'metadata':{'name':'" name "','namespace':'a'" rest "}"
#define LEGACY "{'kind':'PartialObjectMetadata'," META("s", "") "}"

static void absent_until_synced(void **state)
{
    (void)state;
    assert_int_equal(state_of("s", 600), CF_SECRET_UNKNOWN);
    assert_false(cf_store_synced(live));
    cf_store_list_begin(live, CF_SECRETS);
    assert_int_equal(apply(CF_SECRETS, LEGACY, false), 0);
    assert_int_equal(state_of("s", 600), CF_SECRET_LEGACY);
    assert_int_equal(state_of("t", 600), CF_SECRET_UNKNOWN);
    cf_store_list_end(live, CF_SECRETS);
    assert_int_equal(state_of("t", 600), CF_SECRET_UNKNOWN); /* listed, but without contact */
    cf_store_refreshed(live, CF_SECRETS, cf_monotonic_micros());
    assert_int_equal(state_of("t", 600), CF_SECRET_PLAIN);
    assert_true(cf_store_fresh(live, CF_SECRETS, 600));
    assert_false(cf_store_synced(live));
    sync_all();
    assert_true(cf_store_synced(live));
    assert_int_equal(state_of("s", 600), CF_SECRET_PLAIN); /* the last list had none */
}

static void stale(void **state)
{
    int64_t now = cf_monotonic_micros();

    (void)state;
    cf_store_list_end(live, CF_SECRETS);
    cf_store_refreshed(live, CF_SECRETS, now > 40000000 ? now - 40000000 : 0);
    assert_true(cf_store_age(live, CF_SECRETS) >= (now > 40000000 ? 40000000 : now));
    assert_int_equal(state_of("t", 0), CF_SECRET_UNKNOWN);
    if (now > 40000000) {
        assert_int_equal(state_of("t", 30), CF_SECRET_UNKNOWN);
        assert_false(cf_store_fresh(live, CF_SECRETS, 40));
    }
    assert_true(cf_store_fresh(live, CF_SECRETS, 4000));
    cf_store_refreshed(live, CF_SECRETS, now);
    assert_int_equal(state_of("t", 600), CF_SECRET_PLAIN);
    /* An earlier contact does not make it older. */
    cf_store_refreshed(live, CF_SECRETS, 1);
    assert_int_equal(state_of("t", 600), CF_SECRET_PLAIN);
    /* Nor does a list that breaks off. */
    cf_store_list_begin(live, CF_SECRETS);
    assert_int_equal(state_of("t", 600), CF_SECRET_PLAIN);
}

static void ages(void **state)
{
    (void)state;
    assert_int_equal(cf_store_age(live, CF_PODS), -1);
    cf_store_refreshed(live, CF_PODS, cf_monotonic_micros());
    assert_true(cf_store_age(live, CF_PODS) >= 0);
    cf_store_refreshed(live, CF_PODS, cf_monotonic_micros() + 3600000000);
    assert_int_equal(cf_store_age(live, CF_PODS), 0);
    assert_int_equal(cf_store_age(store, CF_PODS), -1); /* manifests have no watch */
    assert_true(cf_store_fresh(store, CF_PODS, 0));
    assert_true(cf_store_synced(store));
}

/* Without a watch of Secrets the state stays unknown. */
static void watches_that_are_not_there(void **state)
{
    (void)state;
    cf_store_expect(live, CF_SECRETS, false);
    for (int i = 0; i < CF_RESOURCES; i++) {
        if (i != CF_SECRETS)
            cf_store_list_end(live, (enum cf_resource)i);
    }
    assert_true(cf_store_synced(live));
    cf_store_refreshed(live, CF_SECRETS, cf_monotonic_micros());
    assert_int_equal(cf_store_age(live, CF_SECRETS), -1);
    assert_false(cf_store_fresh(live, CF_SECRETS, 600));
    assert_int_equal(state_of("t", 600), CF_SECRET_UNKNOWN);
    cf_store_expect(live, CF_SECRETS, true);
    assert_false(cf_store_synced(live));
}

/* The kind decides, if there is one; items of a list have none. */
static void what_is_a_legacy_secret(void **state)
{
    static const struct {
        const char *object;
        enum cf_secret_state wanted;
    } cases[] = {
        {LEGACY, CF_SECRET_LEGACY},
        {"{'kind':'PartialObjectMetadata','apiVersion':'meta.k8s.io/v1'," META("s", "") "}",
         CF_SECRET_LEGACY},
        {"{" META("s", "") ",'type':'kubernetes.io/service-account-token'}", CF_SECRET_LEGACY},
        {"{" META("s", "") ",'type':'Opaque'}", CF_SECRET_PLAIN},
        {"{'kind':'Secret'," META("s", "") "}", CF_SECRET_PLAIN},
        {"{" META("s", "") "}", CF_SECRET_PLAIN},
    };

    (void)state;
    sync_all();
    for (size_t i = 0; i < CF_COUNT(cases); i++) {
        assert_int_equal(apply(CF_SECRETS, cases[i].object, false), 0);
        assert_int_equal(state_of("s", 600), cases[i].wanted);
    }
    assert_int_equal(apply(CF_SECRETS, LEGACY, true), 0);
    assert_int_equal(cf_store_counts(live).secrets, 0);
    assert_int_equal(apply(CF_SECRETS, LEGACY, true), 0); /* twice is not an error */
}

/* The metadata of an object that can't be read are known; the other objects are read. */
static void what_can_not_be_read(void **state)
{
    struct cf_store_change changes[3] = {{.deleted = false}};
    static const char *const texts[] = {"{" META("a", "") "}", "{" META("b", "") ",'spec':[]}",
                                        "{" META("c", "") "}"};

    (void)state;
    for (size_t i = 0; i < CF_COUNT(texts); i++)
        changes[i].object = cf_json_parse(arena, q(texts[i]), strlen(texts[i]), NULL, NULL, &err);
    assert_int_equal(cf_store_apply(live, CF_PODS, changes, 3, &err), 0);
    assert_string_equal(err.msg, "spec must be an object, not an array");
    assert_int_equal(cf_store_counts(live).pods, 3);
    assert_int_equal(changes[0].unread, 0);
    assert_int_equal(changes[1].unread, CF_UNREAD_REST);
    assert_int_equal(changes[2].unread, 0);
    assert_int_equal(cf_store_apply(live, CF_PODS, changes, 0, &err), 0);
}

/* More than one batch in a call. */
static void many_at_once(void **state)
{
    static struct cf_store_change changes[CF_STORE_BATCH * 2 + 1];

    (void)state;
    for (size_t i = 0; i < CF_COUNT(changes); i++) {
        const char *text = q(cf_arena_printf(arena, "{'metadata':{'name':'n%zu'}}", i));

        changes[i].object = cf_json_parse(arena, text, strlen(text), NULL, NULL, &err);
    }
    assert_int_equal(cf_store_apply(live, CF_NAMESPACES, changes, CF_COUNT(changes), &err), 0);
    assert_int_equal(cf_store_counts(live).namespaces, CF_COUNT(changes));
}

/* ---- pods as objects ---- */

static struct cf_object *seen;
static struct cf_store_pod seen_pod;

static bool see(const struct cf_store_pod *pod, struct cf_object *object, void *arg)
{
    (void)arg;
    seen = object;
    seen_pod = *pod;
    return true;
}

static void look_at(const char *metadata, const char *spec)
{
    seen = NULL;
    assert_int_equal(
        apply(CF_PODS,
              cf_arena_printf(arena, "{'metadata':{'name':'p','namespace':'a'%s},'spec':{%s}}",
                              metadata, spec),
              false),
        0);
    cf_store_lock(live);
    assert_int_equal(cf_store_pods_in(live, arena, "a", 9, see, NULL), 1);
    cf_store_unlock(live);
    assert_non_null(seen);
}

static void pods_as_objects(void **state)
{
    const struct cf_pod_spec *pod;

    (void)state;
    look_at("", "'serviceAccountName':'w','volumes':[{'name':'tok','secret':{'secretName':'s'}},{"
                "'name':'kube-api-access-x8kzq','projected':{'sources':[{'serviceAccountToken':{"
                "'path':'token','expirationSeconds':3607,'audience':'vault'}}]}},{'name':'d','csi':"
                "{'nodePublishSecretRef':{'name':'t'}}}],'imagePullSecrets':[{'name':'pull'}],"
                "'containers':[{'name':'app','envFrom':[{'secretRef':{'name':'e'}}]}]");
    pod = &seen->pod;
    assert_int_equal(seen->kind, CF_KIND_POD);
    assert_string_equal(seen->name, "p");
    assert_string_equal(pod->account, "w");
    assert_null(pod->node_name);
    assert_int_equal(pod->env_count, 1);
    assert_string_equal(pod->env[0].container, "app");
    assert_string_equal(pod->env[0].secret.name, "e");
    assert_null(pod->env[0].variable);
    assert_int_equal(pod->volume_count, 3); /* a pull secret mounts nothing */
    for (size_t i = 0; i < pod->volume_count; i++) {
        const struct cf_volume *volume = &pod->volumes[i];

        assert_int_equal(volume->index, i);
        if (volume->type == CF_VOLUME_SECRET) {
            assert_string_equal(volume->name, "tok");
            assert_string_equal(volume->secret->name, "s");
        } else if (volume->type == CF_VOLUME_PROJECTED) {
            assert_string_equal(volume->name, "kube-api-access-");
            assert_int_equal(volume->sources[0].expiration.seconds, 3607);
            assert_true(volume->sources[0].expiration.given);
            assert_string_equal(volume->sources[0].audience, "vault");
        } else {
            assert_string_equal(volume->secret_via, "csi.nodePublishSecretRef");
            assert_string_equal(volume->secret->name, "t");
        }
    }
}

/* The name that exceptions match is found again from the object. */
static void names_of_workloads(void **state)
{
    static const struct {
        const char *metadata, *workload;
    } cases[] = {
        {"", "p"},
        {",'generateName':'p-'", "p"},
        {",'generateName':'run-'", "run"},
        {",'labels':{'pod-template-hash':'5f'},'ownerReferences':[{'kind':'ReplicaSet','name':"
         "'web-5f','controller':true}]",
         "web"},
        {",'ownerReferences':[{'kind':'ReplicaSet','name':'web-5f','controller':true}]", "web-5f"},
        {",'labels':{'rollouts-pod-template-hash':'5f','pod-template-hash':'0'},'ownerReferences':["
         "{"
         "'kind':'ReplicaSet','name':'web-5f','controller':true}]",
         "web"},
        {",'labels':{'a.b/c-template-hash':'5f'},'ownerReferences':[{'kind':'Any','name':'web-5f',"
         "'controller':true}]",
         "web"},
        {",'ownerReferences':[{'kind':'Job','name':'nightly-29000000','controller':true}]",
         "nightly"},
        {",'ownerReferences':[{'kind':'Job','name':'nightly','controller':false}]", "p"},
        {",'ownerReferences':[{'kind':'DaemonSet','name':'agent','controller':true}]", "agent"},
    };

    (void)state;
    for (size_t i = 0; i < CF_COUNT(cases); i++) {
        struct cf_request request = {.kind = CF_KIND_POD, .name = "p"};

        look_at(cases[i].metadata, "'volumes':[]");
        request.object = seen;
        assert_string_equal(seen_pod.workload, cases[i].workload);
        assert_string_equal(cf_workload_name(arena, &request), cases[i].workload);
    }
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
    const struct CMUnitTest tests[] = {
        LIVE(absent_until_synced),
        LIVE(stale),
        LIVE(ages),
        LIVE(watches_that_are_not_there),
        LIVE(what_is_a_legacy_secret),
        LIVE(what_can_not_be_read),
        LIVE(many_at_once),
        LIVE(pods_as_objects),
        LIVE(names_of_workloads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
