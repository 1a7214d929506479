/* SPDX-License-Identifier: Apache-2.0 */
/* Thousands of changes by chance, and after each the store must answer as a model does that works
 * everything from scratch. */
#include "store_model.h"

#include "../../src/store/store_private.h"

static struct cf_store *store;
static struct cf_policy *policy;

/* ---- changes by chance ---- */

static void change_ref(struct model_ref *ref)
{
    unsigned kind = chance(10);

    *ref = (struct model_ref){.name = chance(NAMES), .container = chance(3)};
    ref->what = kind < 5 ? CF_REF_SECRET : kind < 8 ? CF_REF_CONFIG_MAP : CF_REF_TOKEN;
    ref->via = ref->what == CF_REF_SECRET ? chance(CF_VIA_DRIVER + CF_DRIVERS)
                                          : chance(CF_VIA_ENV_FROM + 1);
    ref->given = chance(2) == 0;
    ref->seconds = ref->given ? (int)chance(3) * 3600 + 7 : 3600;
}

static void change_pod(unsigned ns, unsigned index)
{
    struct model_pod *pod = &model.pods[ns][index];
    bool fresh = !pod->there || chance(8) == 0;

    if (fresh) {
        *pod = (struct model_pod){.there = true,
                                  .uid = chance(CF_COUNT(uids)),
                                  .node = -1,
                                  .account = chance(NAMES),
                                  .mirror = chance(10) == 0,
                                  .owner = chance(OWNERS + 1),
                                  .claims = chance(3) == 0 ? chance(1u << NAMES) : 0,
                                  .ephemeral = chance(6) == 0};
        pod->ref_count = chance(REFS);
        for (unsigned i = 0; i < pod->ref_count; i++)
            change_ref(&pod->refs[i]);
        /* Like another one, often. */
        if (chance(2) == 0 && model.pods[ns][0].there)
            *pod = model.pods[ns][0];
    }
    if (pod->node < 0 && chance(2) == 0)
        pod->node = (int)chance(NODES);
    else if (!fresh && pod->ref_count < REFS && chance(3) == 0)
        change_ref(&pod->refs[pod->ref_count++]); /* as an ephemeral container does */
}

static void change_volume(unsigned index)
{
    struct model_volume *volume = &model.volumes[index];

    *volume = (struct model_volume){.there = true, .claim = -1, .namespace = -1};
    volume->uid = chance(CF_COUNT(uids));
    volume->secret = chance(3) > 0 ? (int)chance(NAMES) : -1;
    volume->secret_ns = chance(NAMESPACES);
    volume->node = chance(4) == 0 ? (int)chance(NODES) : -1;
    if (chance(5) == 0)
        return;
    volume->namespace = (int)chance(NAMESPACES);
    volume->claim = (int)chance(NAMES + PODS);
    if (chance(3) > 0)
        volume->uid = model.claims[volume->namespace][volume->claim].uid;
}

/* One object of the resource: made or changed, and how it looks then. */
static const struct cf_json *change(enum cf_resource resource, unsigned ns, unsigned index)
{
    switch (resource) {
    case CF_NAMESPACES:
        model.namespaces[ns].there = true;
        for (int mode = 0; mode < CF_MODES; mode++)
            model.namespaces[ns].label[mode] = (int)chance(4) - 1;
        return namespace_json(ns);
    case CF_SECRETS:
        model.secrets[ns][index].there = true;
        model.secrets[ns][index].plain = chance(3) == 0;
        model.secrets[ns][index].used = chance(2) == 0;
        model.secrets[ns][index].invalid = chance(4) == 0;
        model.secrets[ns][index].owner = chance(3);
        return secret_json(ns, index);
    case CF_ACCOUNTS:
        model.accounts[ns][index].there = true;
        model.accounts[ns][index].restricted = chance(2) == 0;
        return account_json(ns, index);
    case CF_CLAIMS:
        model.claims[ns][index].there = true;
        model.claims[ns][index].uid = chance(CF_COUNT(uids));
        return claim_json(ns, index);
    case CF_VOLUMES:
        change_volume(index);
        return volume_json(index);
    case CF_PODS:
        break;
    }
    change_pod(ns, index);
    return pod_json(ns, index);
}

static const struct cf_json *print(enum cf_resource resource, unsigned ns, unsigned index)
{
    switch (resource) {
    case CF_NAMESPACES:
        return namespace_json(ns);
    case CF_SECRETS:
        return secret_json(ns, index);
    case CF_ACCOUNTS:
        return account_json(ns, index);
    case CF_CLAIMS:
        return claim_json(ns, index);
    case CF_VOLUMES:
        return volume_json(index);
    case CF_PODS:
        break;
    }
    return pod_json(ns, index);
}

static bool *there(enum cf_resource resource, unsigned ns, unsigned index)
{
    switch (resource) {
    case CF_NAMESPACES:
        return &model.namespaces[ns].there;
    case CF_SECRETS:
        return &model.secrets[ns][index].there;
    case CF_ACCOUNTS:
        return &model.accounts[ns][index].there;
    case CF_CLAIMS:
        return &model.claims[ns][index].there;
    case CF_VOLUMES:
        return &model.volumes[index].there;
    case CF_PODS:
        break;
    }
    return &model.pods[ns][index].there;
}

static void size_of(enum cf_resource resource, unsigned *spaces, unsigned *names)
{
    static const unsigned sizes[CF_RESOURCES] = {
        [CF_NAMESPACES] = 1, [CF_SECRETS] = NAMES,       [CF_ACCOUNTS] = NAMES,
        [CF_PODS] = PODS,    [CF_CLAIMS] = NAMES + PODS, [CF_VOLUMES] = VOLUMES,
    };

    *spaces = resource == CF_VOLUMES ? 1 : NAMESPACES;
    *names = sizes[resource];
}

static void apply(enum cf_resource resource, struct cf_store_change *changes, size_t count)
{
    struct cf_err err = {0};

    if (cf_store_apply(store, resource, changes, count, &err) != 0)
        fail_msg("%s", err.msg);
}

/* What a watch brings: some changes of one resource. */
static void events(enum cf_resource resource)
{
    struct cf_store_change changes[5] = {{.deleted = false}};
    size_t count = 1 + chance(CF_COUNT(changes));
    unsigned spaces, names;

    size_of(resource, &spaces, &names);
    for (size_t i = 0; i < count; i++) {
        unsigned ns = chance(spaces), index = chance(names);

        changes[i].deleted = chance(4) == 0;
        if (!changes[i].deleted) {
            changes[i].object = change(resource, ns, index);
            continue;
        }
        changes[i].object = print(resource, ns, index);
        *there(resource, ns, index) = false;
    }
    apply(resource, changes, count);
}

/* A list: some objects were deleted unseen, others are new or changed. */
static void list(enum cf_resource resource, bool breaks_off)
{
    unsigned spaces, names;

    size_of(resource, &spaces, &names);
    cf_store_list_begin(store, resource);
    for (unsigned ns = 0; ns < spaces; ns++) {
        for (unsigned index = 0; index < names; index++) {
            struct cf_store_change one = {.deleted = false};
            unsigned fate = chance(4);

            if (fate == 0) {
                if (!breaks_off) /* else it stays until a list is complete */
                    *there(resource, ns, index) = false;
                continue;
            }
            if (!*there(resource, ns, index) && fate == 1)
                continue;
            one.object = fate == 1 ? print(resource, ns, index) : change(resource, ns, index);
            apply(resource, &one, 1);
        }
    }
    if (!breaks_off)
        cf_store_list_end(store, resource);
}

/* ---- comparing ---- */

static void compare_reach(enum cf_edge edge, unsigned spaces, unsigned names)
{
    static const char *const prefixes[] = {
        [CF_EDGE_SECRET] = "secret-", [CF_EDGE_CONFIG_MAP] = "map-",  [CF_EDGE_CLAIM] = "claim-",
        [CF_EDGE_VOLUME] = "volume-", [CF_EDGE_ACCOUNT] = "account-",
    };

    for (unsigned ns = 0; ns < spaces; ns++) {
        for (unsigned name = 0; name < names; name++) {
            const char *its = edge == CF_EDGE_CLAIM ? claim_name(name) : text(prefixes[edge], name);

            for (unsigned node = 0; node <= NODES; node++) {
                enum cf_reach wanted = model_reach(edge, ns, name, (int)node);
                enum cf_reach got =
                    cf_store_reach(store, edge, text("ns-", ns), its, text("node-", node));

                if (got != wanted)
                    fail_msg("ns-%u/%s on node-%u: %d, not %d", ns, its, node, (int)got,
                             (int)wanted);
            }
        }
    }
}

static void compare_pod(unsigned ns, unsigned index, const struct cf_store_pod *got)
{
    const struct model_pod *pod = &model.pods[ns][index];

    assert_string_equal(got->namespace, text("ns-", ns));
    assert_string_equal(got->name, text("pod-", index));
    assert_string_equal(got->uid, uids[pod->uid]);
    assert_string_equal(got->node, pod->node >= 0 ? text("node-", (unsigned)pod->node) : "");
    assert_string_equal(got->account, text("account-", pod->account));
    assert_string_equal(got->workload, pod->owner > 0 ? text("owner-", pod->owner) : got->name);
    assert_int_equal(got->mirror, pod->mirror);
}

static void compare_secret(unsigned ns, unsigned index)
{
    struct cf_secret_facts ref = {.owner = "left over"};
    unsigned owner = model.secrets[ns][index].owner;
    enum cf_secret_state wanted = CF_SECRET_UNKNOWN; /* the watch never had contact */
    struct cf_store_pod *pods;
    size_t count = 0, got;

    cf_store_secret(store, arena, text("ns-", ns), text("secret-", index), 30, &ref);
    if (model.secrets[ns][index].there)
        wanted = model.secrets[ns][index].plain ? CF_SECRET_PLAIN : CF_SECRET_LEGACY;
    assert_int_equal(ref.state, wanted);
    if (wanted == CF_SECRET_LEGACY && owner > 0)
        assert_string_equal(ref.owner, text("account-", owner));
    else
        assert_null(ref.owner);

    for (unsigned i = 0; i < PODS; i++)
        count += model.pods[ns][i].there && pod_names(&model.pods[ns][i], CF_REF_SECRET, index);
    got = cf_store_pods_of_secret(store, arena, text("ns-", ns), text("secret-", index), 2, &pods);
    assert_int_equal(got, count);
    for (size_t i = 0; i < got && i < 2; i++) {
        unsigned n = (unsigned)(pods[i].name[4] - '0');

        compare_pod(ns, n, &pods[i]);
        assert_true(pod_names(&model.pods[ns][n], CF_REF_SECRET, index));
    }
}

/* ---- pods as objects ---- */

struct seen {
    unsigned ns;
    size_t count, max;
    unsigned pods;        /* bits */
    unsigned controllers; /* bits; of those visited so far */
    size_t controller_count;
};

static bool has_secret(const struct cf_object *object, unsigned via, const char *name)
{
    for (size_t i = 0; i < object->pod.env_count; i++) {
        const struct cf_env_ref *env = &object->pod.env[i];

        if (cf_streq(env->secret.name, name) && cf_starts_with(env->container, "c-") &&
            via == (env->variable != NULL ? CF_VIA_ENV : CF_VIA_ENV_FROM))
            return true;
    }
    for (size_t i = 0; i < object->pod.volume_count; i++) {
        const struct cf_volume *volume = &object->pod.volumes[i];
        const struct cf_secret_ref *ref =
            volume->source_count > 0 ? volume->sources[0].secret : volume->secret;

        if (ref == NULL || !cf_streq(ref->name, name))
            continue;
        if ((via == CF_VIA_VOLUME && volume->type == CF_VOLUME_SECRET) ||
            (via == CF_VIA_PROJECTED && volume->type == CF_VOLUME_PROJECTED) ||
            (via >= CF_VIA_DRIVER && volume->type == CF_VOLUME_OTHER &&
             cf_streq(volume->secret_via, cf_drivers[via - CF_VIA_DRIVER].via)))
            return true;
    }
    return false;
}

static bool has_token(const struct cf_object *object, const struct model_ref *ref)
{
    for (size_t i = 0; i < object->pod.volume_count; i++) {
        const struct cf_volume_source *source = object->pod.volumes[i].sources;

        if (source != NULL && source->type == CF_SOURCE_TOKEN &&
            source->expiration.given == ref->given && source->expiration.seconds == ref->seconds &&
            cf_streq(source->audience, ref->name > 0 ? text("aud-", ref->name) : NULL))
            return true;
    }
    return false;
}

/* Everything is there, and nothing is made up. */
static void compare_object(const struct model_pod *pod, const struct cf_object *object)
{
    for (unsigned i = 0; i < pod->ref_count; i++) {
        const struct model_ref *ref = &pod->refs[i];

        if (ref->what == CF_REF_TOKEN)
            assert_true(has_token(object, ref));
        else if (ref->what == CF_REF_SECRET && !is_pull(ref))
            assert_true(has_secret(object, ref->via, text("secret-", ref->name)));
    }
    assert_true(object->pod.env_count + object->pod.volume_count <= pod->ref_count);
    if (pod->owner > 0) {
        assert_string_equal(object->owner_kind, "ReplicaSet");
        assert_string_equal(object->template_hash, "5f");
    } else {
        assert_null(object->owner_kind);
    }
}

static bool see_pod(const struct cf_store_pod *got, struct cf_object *object, void *arg)
{
    struct seen *seen = arg;
    unsigned index = (unsigned)(got->name[4] - '0');
    const struct model_pod *pod = &model.pods[seen->ns][index];

    assert_true(pod->there);
    compare_pod(seen->ns, index, got);
    compare_object(pod, object);
    assert_string_equal(object->name, got->name);
    assert_true((seen->pods & 1u << index) == 0);
    seen->pods |= 1u << index;
    /* One of each controller first. */
    if (seen->count < seen->controller_count && pod->owner > 0) {
        assert_true((seen->controllers & 1u << pod->owner) == 0);
        seen->controllers |= 1u << pod->owner;
    }
    return ++seen->count < seen->max;
}

static void compare_pods_in(unsigned ns, size_t max)
{
    struct seen seen = {.ns = ns, .max = max};
    unsigned owners = 0;
    size_t count = 0, got;

    for (unsigned i = 0; i < PODS; i++) {
        const struct model_pod *pod = &model.pods[ns][i];

        if (!pod->there)
            continue;
        count++;
        seen.controller_count += pod->owner == 0 || (owners & 1u << pod->owner) == 0;
        owners |= 1u << pod->owner;
    }
    got = cf_store_pods_in(store, arena, text("ns-", ns), chance(2) == 0 ? max : PODS, see_pod,
                           &seen);
    assert_int_equal(got, count);
    assert_int_equal(seen.count, count < max ? count : max);
}

/* ---- sums ---- */

static bool is_legacy(unsigned ns, unsigned index)
{
    return model.secrets[ns][index].there && !model.secrets[ns][index].plain;
}

static bool names_legacy(unsigned ns, const struct model_pod *pod)
{
    for (unsigned i = 0; i < NAMES; i++) {
        if (is_legacy(ns, i) && pod_names(pod, CF_REF_SECRET, i))
            return true;
    }
    return false;
}

static void see_row(const struct cf_store_inventory *row, void *arg)
{
    unsigned ns = (unsigned)(row->namespace[3] - '0'), *seen = arg;
    size_t used = 0, unused = 0, invalid = 0, pods = 0;

    for (unsigned i = 0; i < NAMES; i++) {
        invalid += is_legacy(ns, i) && model.secrets[ns][i].invalid;
        used += is_legacy(ns, i) && !model.secrets[ns][i].invalid && model.secrets[ns][i].used;
        unused += is_legacy(ns, i) && !model.secrets[ns][i].invalid && !model.secrets[ns][i].used;
    }
    for (unsigned i = 0; i < PODS; i++)
        pods += model.pods[ns][i].there && names_legacy(ns, &model.pods[ns][i]);
    assert_true(used + unused + invalid > 0);
    assert_int_equal(row->legacy_used, used);
    assert_int_equal(row->legacy_unused, unused);
    assert_int_equal(row->legacy_invalid, invalid);
    assert_int_equal(row->pods_mounting, pods);
    assert_true((*seen & 1u << ns) == 0);
    *seen |= 1u << ns;
}

static void compare_sums(void)
{
    struct cf_store_counts counts = cf_store_counts(store);
    struct cf_store_totals totals = cf_store_totals(store, policy);
    size_t namespaces = 0, secrets = 0, accounts = 0, pods = 0, restricted = 0, at_enforce = 0;
    unsigned seen = 0, with_legacy = 0;

    for (unsigned ns = 0; ns < NAMESPACES; ns++) {
        namespaces += model.namespaces[ns].there;
        for (unsigned i = 0; i < NAMES; i++) {
            secrets += model.secrets[ns][i].there;
            accounts += model.accounts[ns][i].there;
            restricted += model.accounts[ns][i].there && model.accounts[ns][i].restricted;
            with_legacy |= is_legacy(ns, i) ? 1u << ns : 0;
        }
        for (unsigned i = 0; i < PODS; i++)
            pods += model.pods[ns][i].there;
    }
    assert_int_equal(counts.namespaces, namespaces);
    assert_int_equal(counts.secrets, secrets);
    assert_int_equal(counts.accounts, accounts);
    assert_int_equal(counts.pods, pods);
    assert_int_equal(totals.accounts_restricted, restricted);
    for (int level = 0; level < CF_LEVELS; level++)
        at_enforce += totals.namespaces[CF_ENFORCE][level];
    assert_int_equal(at_enforce, namespaces);
    cf_store_inventory(store, see_row, &seen);
    assert_int_equal(seen, with_legacy);
}

static void compare_namespace(unsigned ns)
{
    struct cf_levels levels = cf_store_levels(store, policy, text("ns-", ns));

    for (int mode = 0; mode < CF_MODES; mode++) {
        int label = model.namespaces[ns].there ? model.namespaces[ns].label[mode] : -1;

        if (label >= 0)
            assert_int_equal(levels.mode[mode], label);
        else if (mode != CF_FIX)
            assert_int_equal(levels.mode[mode], policy->defaults.mode[mode]);
        else
            assert_int_equal(levels.mode[mode], levels.mode[CF_ENFORCE]);
    }
}

static void compare(void)
{
    cf_store_lock(store);
    compare_reach(CF_EDGE_SECRET, NAMESPACES, NAMES);
    compare_reach(CF_EDGE_CONFIG_MAP, NAMESPACES, NAMES);
    compare_reach(CF_EDGE_CLAIM, NAMESPACES, NAMES + PODS);
    compare_reach(CF_EDGE_ACCOUNT, NAMESPACES, NAMES);
    compare_reach(CF_EDGE_VOLUME, 1, VOLUMES);
    for (unsigned ns = 0; ns < NAMESPACES; ns++) {
        compare_namespace(ns);
        compare_pods_in(ns, 1 + chance(PODS));
        for (unsigned i = 0; i < NAMES; i++) {
            compare_secret(ns, i);
            assert_int_equal(cf_store_restricted(store, text("ns-", ns), text("account-", i)),
                             model.accounts[ns][i].there && model.accounts[ns][i].restricted);
        }
        for (unsigned i = 0; i < PODS; i++) {
            struct cf_store_pod pod;
            bool found = cf_store_pod(store, arena, text("ns-", ns), text("pod-", i), &pod);

            assert_int_equal(found, model.pods[ns][i].there);
            if (found)
                compare_pod(ns, i, &pod);
        }
    }
    cf_store_unlock(store);
    compare_sums();
}

/* ---- nothing stays ---- */

static void is_empty(void)
{
    for (int kind = 0; kind < CF_ITEM_KINDS; kind++) {
        assert_int_equal(store->items[kind].used, 0);
        assert_int_equal(cf_slab_next(&store->items[kind], 0), 0);
        assert_int_equal(store->index[kind].count, 0);
    }
    assert_int_equal(store->shapes.used, 0);
    assert_int_equal(store->shape_index.count, 0);
    assert_int_equal(store->names.table.count, 0);
    assert_int_equal(cf_heap_used(&store->heap), 0);
}

static void delete_everything(void)
{
    for (int i = 0; i < CF_RESOURCES; i++) {
        cf_store_list_begin(store, (enum cf_resource)i);
        cf_store_list_end(store, (enum cf_resource)i);
    }
    memset(&model, 0, sizeof(model));
}

static void random_changes(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 6; seed++) {
        chance_state = seed * UINT64_C(0x9E3779B97F4A7C15);
        for (unsigned step = 0; step < 700; step++) {
            enum cf_resource resource =
                chance(2) == 0 ? CF_PODS : (enum cf_resource)chance(CF_RESOURCES);

            if (chance(20) == 0)
                list(resource, chance(2) == 0);
            else
                events(resource);
            compare();
            cf_arena_reset(arena, false);
        }
        delete_everything();
        compare();
        is_empty();
    }
}

/* More lists break off than there are marks: an old mark does not count for a new list. */
static void lists_that_break_off(void **state)
{
    struct cf_store_change one = {.deleted = false};

    (void)state;
    chance_state = 7;
    for (unsigned gap = 250; gap < 260; gap++) {
        one.object = change(CF_PODS, 0, 0);
        cf_store_list_begin(store, CF_PODS);
        apply(CF_PODS, &one, 1);
        cf_store_list_end(store, CF_PODS);
        for (unsigned i = 0; i < gap; i++)
            cf_store_list_begin(store, CF_PODS);
        assert_int_equal(cf_store_counts(store).pods, 1);
        cf_store_list_end(store, CF_PODS);
        model.pods[0][0].there = false;
        compare();
        is_empty();
    }
}

/* More than are looked at, or dropped, under one hold. */
static void a_list_drops_thousands(void **state)
{
    struct cf_err err = {0};
    struct cf_buf buf;

    (void)state;
    for (unsigned part = 0; part < 50; part++) {
        cf_buf_init_arena(&buf, arena, CF_MIB);
        cf_buf_adds(&buf, "{\"kind\":\"PodList\",\"items\":[");
        for (unsigned i = 0; i < 100; i++)
            cf_buf_addf(&buf,
                        "%s{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"p-%u\","
                        "\"namespace\":\"n\"},\"spec\":{\"nodeName\":\"x\",\"volumes\":[{\"name\":"
                        "\"v\",\"secret\":{\"secretName\":\"s-%u\"}}]}}",
                        i > 0 ? "," : "", part * 100 + i, i);
        cf_buf_adds(&buf, "]}");
        assert_int_equal(cf_store_add(store, parse(&buf), "", &err), 0);
        cf_arena_reset(arena, false);
    }
    assert_int_equal(cf_store_counts(store).pods, 5000);
    delete_everything();
    is_empty();
    assert_true(cf_heap_bytes(&store->heap) < 16 * CF_KIB);
}

static int setup(void **state)
{
    (void)state;
    cf_json_init();
    memset(&model, 0, sizeof(model));
    arena = cf_arena_new(CF_ARENA_MAX);
    store = cf_store_new(CF_ABSENT_DEPENDS);
    policy = cf_policy_new(NULL, 0);
    return arena != NULL && store != NULL && policy != NULL ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    cf_policy_free(policy);
    cf_store_free(store);
    cf_arena_free(arena);
    return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(random_changes),
        TEST(lists_that_break_off),
        TEST(a_list_drops_thousands),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
