/* SPDX-License-Identifier: Apache-2.0 */
/* The store of the objects of a cluster, read from manifests. */
#include "reviews.h"

static struct cf_secret_facts look_up(const char *namespace, const char *name)
{
    struct cf_secret_facts ref = {.owner = "left over"};

    cf_store_secret(store, arena, namespace, name, 30, &ref);
    return ref;
}

static void is_legacy(const char *namespace, const char *name, const char *owner)
{
    struct cf_secret_facts ref = look_up(namespace, name);

    assert_int_equal(ref.state, CF_SECRET_LEGACY);
    assert_true(cf_streq(ref.owner, owner));
}

static void has_state(const char *namespace, const char *name, enum cf_secret_state wanted)
{
    struct cf_secret_facts ref = look_up(namespace, name);

    assert_int_equal(ref.state, wanted);
    assert_null(ref.owner);
}

#define TOKEN_TYPE "'type':'kubernetes.io/service-account-token'"
#define SECRET(name, rest)                                                                         \
    "{'apiVersion':'v1','kind':'Secret','metadata':{'name':'" name "'" rest "}"

static void what_can_not_be_read(void **state)
{
    static const char *const texts[] = {
        "{'apiVersion':'v1','kind':'Secret','metadata':{'name':'s','annotations':7}}",
        "{'apiVersion':'v1','kind':'Secret','metadata':{'name':'s'},'type':7}",
        "{'apiVersion':'v1','kind':'ServiceAccount','metadata':{'name':'s'},'secrets':{}}",
        "{'kind':'List','items':[" SECRET("s", "},'data':7") "]}",
        "{'apiVersion':'v1','kind':'Pod','metadata':{'name':'p'},'spec':7}",
        "{'apiVersion':'v1','kind':'PersistentVolume','metadata':{'name':'v'},'spec':{'csi':[]}}",
    };

    (void)state;
    for (size_t i = 0; i < CF_COUNT(texts); i++) {
        const struct cf_json *json =
            cf_json_parse(arena, q(texts[i]), strlen(texts[i]), NULL, NULL, &err);
        struct cf_store_counts before = cf_store_counts(store);

        assert_non_null(json);
        assert_int_equal(cf_store_add(store, json, "x", &err), -1);
        assert_int_equal(err.kind, CF_ERR_INPUT);
        has_part(err.msg, " must be ");
        assert_int_equal(cf_store_counts(store).secrets, before.secrets);
    }
}

/* The store ignores other kinds. */
static void what_is_ignored(void **state)
{
    struct cf_store_counts before = cf_store_counts(store), after;

    (void)state;
    add_objects(store, "7");
    add_objects(store, "null");
    add_objects(store, "[]");
    add_objects(store, "{}");
    add_objects(store, "{'apiVersion':'v1','kind':'Pod','metadata':{},'spec':7}");
    add_objects(store, "{'apiVersion':'v1','kind':'Event','metadata':{'name':'e'},'spec':7}");
    add_objects(store, "{'apiVersion':'v1','kind':'Secret','metadata':{}," TOKEN_TYPE "}");
    add_objects(store, "{'apiVersion':'v1','kind':'Secret'," TOKEN_TYPE "}");
    add_objects(store,
                "{'apiVersion':'x.y/v1','kind':'Secret','metadata':{'name':'s'}," TOKEN_TYPE "}");
    add_objects(store, "{'apiVersion':'x.y/v1','kind':'Namespace','metadata':{'name':'n'}}");
    add_objects(store, "{'kind':'SecretList','items':null}");
    after = cf_store_counts(store);
    assert_memory_equal(&before, &after, sizeof(before));
}

static void secrets(void **state)
{
    (void)state;
    add_objects(store, SECRET("new", ",'namespace':'a','annotations':{"
                                     "'kubernetes.io/service-account.name':'web'}}," TOKEN_TYPE));
    add_objects(store, SECRET("here", "}," TOKEN_TYPE));
    add_objects(store, SECRET("no-owner", ",'namespace':'a','annotations':{"
                                          "'kubernetes.io/service-account.name':''}}," TOKEN_TYPE));
    add_objects(store, SECRET("plain", ",'namespace':'a'},'type':'Opaque'"));
    is_legacy("a", "new", "web");
    is_legacy("default", "here", NULL); /* the namespace that was given */
    is_legacy("a", "no-owner", NULL);
    has_state("a", "plain", CF_SECRET_PLAIN);
    has_state("b", "new", CF_SECRET_PLAIN);
    has_state("", "new", CF_SECRET_PLAIN);
    has_state("a", "ne", CF_SECRET_PLAIN);
}

static void what_it_means_to_be_absent(void **state)
{
    struct cf_store *plain = store;

    (void)state;
    has_state("a", "nowhere", CF_SECRET_PLAIN);
    store = cf_store_new(CF_ABSENT_IS_UNKNOWN);
    has_state("a", "nowhere", CF_SECRET_UNKNOWN);
    add_objects(store, SECRET("plain", ",'namespace':'a'},'type':'Opaque'"));
    has_state("a", "plain", CF_SECRET_PLAIN);
    cf_store_free(store);
    store = plain;
}

static void the_last_one_wins(void **state)
{
    size_t count = cf_store_counts(store).secrets;

    (void)state;
    add_objects(store, SECRET("s", ",'namespace':'a'}," TOKEN_TYPE));
    is_legacy("a", "s", NULL);
    add_objects(store, SECRET("s", ",'namespace':'a','annotations':{"
                                   "'kubernetes.io/service-account.name':'web'}}," TOKEN_TYPE));
    is_legacy("a", "s", "web");
    add_objects(store, SECRET("s", ",'namespace':'a'}"));
    has_state("a", "s", CF_SECRET_PLAIN);
    assert_int_equal(cf_store_counts(store).secrets, count + 1);
}

static void lists(void **state)
{
    struct cf_store_counts before = cf_store_counts(store), after;

    (void)state;
    add_objects(
        store,
        "{'apiVersion':'v1','kind':'List','items':[" SECRET(
            "a", "}") ",{'kind':"
                      "'SecretList','items':[" SECRET(
                          "b", "}," TOKEN_TYPE) "]},{'apiVersion':'v1','kind'"
                                                ":'Namespace','metadata':{'name':'n'}},7,null]}");
    after = cf_store_counts(store);
    assert_int_equal(after.secrets, before.secrets + 2);
    assert_int_equal(after.namespaces, before.namespaces + 1);
    is_legacy("default", "b", NULL);
}

static void restricted_accounts(void **state)
{
    (void)state;
    assert_true(cf_store_restricted(store, "shop", "agent"));
    assert_false(cf_store_restricted(store, "other", "agent"));
    assert_false(cf_store_restricted(store, "shop", "web"));
    add_objects(store, "{'apiVersion':'v1','kind':'ServiceAccount','metadata':{'name':'agent',"
                       "'namespace':'shop','annotations':{'rbac.kubernetes.io/restricted-by-node':"
                       "'false'}}}");
    assert_false(cf_store_restricted(store, "shop", "agent"));
    add_objects(store, "{'apiVersion':'v1','kind':'ServiceAccount','metadata':{'name':'agent',"
                       "'namespace':'shop','annotations':{'rbac.kubernetes.io/restricted-by-node':"
                       "'True'}}}");
    assert_false(cf_store_restricted(store, "shop", "agent"));
}

/* enforce, fix, audit, warn by their initials. */
static void has_levels(const char *namespace, const char *wanted)
{
    struct cf_levels levels = cf_store_levels(store, policy, namespace);
    char got[CF_MODES + 1] = "";

    for (int mode = 0; mode < CF_MODES; mode++)
        got[mode] = cf_level_name(levels.mode[mode])[0];
    assert_string_equal(got, wanted);
}

static void levels_by_default(void **state)
{
    (void)state;
    has_levels("nowhere", "bbrr");
    has_levels("", "bbrr");
    has_levels(NULL, "bbrr");
    has_levels("default", "bbrr");
    use_config("defaults: {enforce: privileged, fix: restricted, audit: baseline, warn: baseline}");
    has_levels("nowhere", "prbb");
    has_levels("", "prbb");
}

static void levels_by_label(void **state)
{
    (void)state;
    has_levels("shop", "rrrr");
    has_levels("base", "bbbb");
    has_levels("free", "pppp");
    has_levels("soft", "prpp");
    has_levels("mixed", "rbrr");
    has_levels("quiet", "rprr");
    /* fix follows the label of enforce, unless a default or a label says otherwise. */
    use_config("defaults: {fix: restricted}");
    has_levels("base", "brbb");
    has_levels("mixed", "rbrr");
    use_config("defaults: {enforce: restricted}");
    has_levels("base", "bbbb");
    has_levels("", "rrrr");
}

static void labels_with_an_invalid_level(void **state)
{
    (void)state;
    add_objects(store, "{'apiVersion':'v1','kind':'Namespace','metadata':{'name':'odd','labels':{"
                       "'curfew.dev/enforce':'Baseline','curfew.dev/warn':7,'curfew.dev/audit':"
                       "null,'curfew.dev/fix':''}}}");
    has_levels("odd", "rrrr");
    add_objects(store, "{'apiVersion':'v1','kind':'Namespace','metadata':{'name':'odd'}}");
    has_levels("odd", "bbrr");
}

/* 40,000 of them, in the order that a naive tree likes least. */
static void many(void **state)
{
    struct cf_buf buf;

    (void)state;
    cf_buf_init_arena(&buf, arena, CF_FILE_MAX);
    cf_buf_adds(&buf, "{'kind':'List','items':[");
    for (int i = 0; i < 40000; i++)
        cf_buf_addf(&buf, "%s" SECRET("s%06d", ",'namespace':'n'}"), i > 0 ? "," : "", i);
    cf_buf_adds(&buf, "]}");
    add_objects(store, cf_buf_str(&buf));
    has_state("n", "s000000", CF_SECRET_PLAIN);
    has_state("n", "s039999", CF_SECRET_PLAIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_can_not_be_read),
        TEST(what_is_ignored),
        TEST(secrets),
        TEST(what_it_means_to_be_absent),
        TEST(the_last_one_wins),
        TEST(lists),
        TEST(restricted_accounts),
        TEST(levels_by_default),
        TEST(levels_by_label),
        TEST(labels_with_an_invalid_level),
        TEST(many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
