/* SPDX-License-Identifier: Apache-2.0 */
/* The name that Curfew shows for an object with a generated name. */
#include "curfew/request.h"
#include "reviews.h"

static const struct cf_request *object_of(const char *group, const char *kind, const char *name,
                                          const char *metadata)
{
    return decode(REVIEW(.group = group, .kind = kind, .namespace = "shop", .name = name,
                         .object = cf_arena_printf(arena, "{'metadata':%s}", metadata)));
}

static const char *name_of(const char *name, const char *metadata)
{
    return cf_workload_name(arena, object_of("", "Pod", name, metadata));
}

#define OWNED(kind, owner)                                                                         \
    "'ownerReferences':[{'kind':'" kind "','name':'" owner "','controller':true}]"
#define HASH(hash) "'labels':{'pod-template-hash':'" hash "'},"

static void without_an_owner(void **state)
{
    (void)state;
    assert_string_equal(name_of("web", "{'name':'web'}"), "web");
    assert_string_equal(name_of(NULL, "{'name':'web'}"), "web");
    assert_string_equal(name_of("web", "{}"), "web");
    assert_string_equal(name_of(NULL, "{}"), "");
    assert_string_equal(name_of(NULL, "{'generateName':'web-'}"), "web");
    assert_string_equal(name_of("web-x7k2p", "{'generateName':'web-','name':'web-x7k2p'}"), "web");
    assert_string_equal(name_of(NULL, "{'generateName':'web'}"), "web");
    assert_string_equal(name_of(NULL, "{'generateName':'web--'}"), "web-");
    assert_string_equal(name_of("web-1", "{'generateName':'','name':'web-1'}"), "web-1");
    /* generateName "-" has no part that could be the name. */
    assert_string_equal(name_of("-1", "{'generateName':'-'}"), "-1");
}

static void owned_by_a_replica_set(void **state)
{
    (void)state;
    assert_string_equal(name_of("x", "{" HASH("7f9") OWNED("ReplicaSet", "web-7f9") "}"), "web");
    assert_string_equal(name_of("x", "{" OWNED("ReplicaSet", "web-7f9") "}"), "web-7f9");
    assert_string_equal(name_of("x", "{" HASH("") OWNED("ReplicaSet", "web-7f9") "}"), "web-7f9");
    assert_string_equal(name_of("x", "{" HASH("7f8") OWNED("ReplicaSet", "web-7f9") "}"),
                        "web-7f9");
    assert_string_equal(name_of("x", "{" HASH("7f9") OWNED("ReplicaSet", "7f9") "}"), "7f9");
    assert_string_equal(name_of("x", "{" HASH("7f9") OWNED("ReplicaSet", "-7f9") "}"), "-7f9");
    assert_string_equal(name_of("x", "{" HASH("7f9") OWNED("ReplicaSet", "web7f9") "}"), "web7f9");
}

/* Any label *-template-hash, and any kind of owner; the hash is letters and digits after the last
 * dash of the owner's name. */
static void owned_through_other_controllers(void **state)
{
#define LABELS(...) "'labels':{" __VA_ARGS__ "},"
    (void)state;
    assert_string_equal(name_of("x", "{" LABELS("'app':'web','rollouts-pod-template-hash':'7f9'")
                                         OWNED("ReplicaSet", "web-7f9") "}"),
                        "web");
    assert_string_equal(name_of("x", "{" LABELS("'example.com/my-template-hash':'7f9'")
                                         OWNED("MySet", "web-7f9") "}"),
                        "web");
    assert_string_equal(name_of("x", "{" HASH("7f9") OWNED("StatefulSet", "web-7f9") "}"), "web");
    /* of several labels the one that the name ends with */
    assert_string_equal(name_of("x", "{" LABELS("'rollouts-pod-template-hash':'a1',"
                                                "'pod-template-hash':'7f9','x-template-hash':'b2'")
                                         OWNED("ReplicaSet", "web-7f9") "}"),
                        "web");
    /* what Knative makes: a Deployment for each revision */
    assert_string_equal(
        name_of("x", "{" HASH("7f9") OWNED("ReplicaSet", "hello-00001-deployment-7f9") "}"),
        "hello-00001-deployment");
    /* controllers that own their pods: their name does not contain the label's value */
    assert_string_equal(
        name_of("x", "{" LABELS("'controller-revision-hash':'web-7f9',"
                                "'pod-template-hash':'7f9'") OWNED("CloneSet", "web") "}"),
        "web");
    /* without the label, without a hash, or with a hash that is only a part of the text after the
     * dash */
    assert_string_equal(name_of("x", "{" LABELS("'controller-revision-hash':'7f9'")
                                         OWNED("CloneSet", "web-7f9") "}"),
                        "web-7f9");
    assert_string_equal(
        name_of("x", "{" LABELS("'template-hash':'7f9'") OWNED("ReplicaSet", "web-7f9") "}"),
        "web-7f9");
    assert_string_equal(
        name_of("x", "{" LABELS("'x-template-hashes':'7f9'") OWNED("ReplicaSet", "web-7f9") "}"),
        "web-7f9");
    assert_string_equal(name_of("x", "{" HASH("a-7f9") OWNED("ReplicaSet", "web-a-7f9") "}"),
                        "web-a-7f9");
    assert_string_equal(name_of("x", "{" HASH("f9") OWNED("ReplicaSet", "web-7f9") "}"), "web-7f9");
    assert_string_equal(name_of("x", "{" HASH("A9") OWNED("ReplicaSet", "web-A9") "}"), "web-A9");
}

static void owned_by_a_job(void **state)
{
    (void)state;
    assert_string_equal(name_of("x", "{" OWNED("Job", "nightly-29123456") "}"), "nightly");
    assert_string_equal(name_of("x", "{" OWNED("Job", "nightly-2-29123456") "}"), "nightly-2");
    assert_string_equal(name_of("x", "{" OWNED("Job", "once") "}"), "once");
    assert_string_equal(name_of("x", "{" OWNED("Job", "once-") "}"), "once-");
    assert_string_equal(name_of("x", "{" OWNED("Job", "v2") "}"), "v2");
    assert_string_equal(name_of("x", "{" OWNED("Job", "123") "}"), "123");
    assert_string_equal(name_of("x", "{" OWNED("Job", "-123") "}"), "-123");
}

static void owned_by_others(void **state)
{
    (void)state;
    assert_string_equal(name_of("x", "{" OWNED("DaemonSet", "agent") "}"), "agent");
    assert_string_equal(name_of("x", "{'generateName':'g-'," OWNED("Rollout", "web-1") "}"),
                        "web-1");
    /* without a controller the pod's own name counts */
    assert_string_equal(name_of("x", "{'ownerReferences':[{'kind':'ReplicaSet','name':'web'}]}"),
                        "x");
    /* an owner without a name says nothing */
    assert_string_equal(name_of("x", "{'ownerReferences':[{'kind':'Job','controller':true}]}"),
                        "x");
    assert_string_equal(name_of("x", "{" OWNED("Job", "") "}"), "x");
}

static void of_other_kinds(void **state)
{
    const struct cf_request *request =
        decode(REVIEW(.group = "authentication.k8s.io", .kind = "TokenRequest", .name = "web",
                      .object = "{'metadata':{'name':'','generateName':'x-'}}"));

    (void)state;
    assert_string_equal(cf_workload_name(arena, request), "web");
    request = decode(REVIEW(.kind = "Pod", .operation = "DELETE", .name = "web"));
    assert_string_equal(cf_workload_name(arena, request), "web");
    assert_string_equal(
        cf_workload_name(arena, object_of("apps", "Deployment", "web", "{'name':'web'}")), "web");
}

/* For exceptions a Job's own name counts as well: digits may be part of it. */
static void names_for_exceptions(void **state)
{
    const char *names[CF_WORKLOAD_NAMES];

    (void)state;
    assert_int_equal(
        cf_workload_names(arena, object_of("", "Pod", "x", "{" OWNED("Job", "import-2024") "}"),
                          names),
        2);
    assert_string_equal(names[0], "import");
    assert_string_equal(names[1], "import-2024");
    assert_int_equal(
        cf_workload_names(arena, object_of("", "Pod", "x", "{" OWNED("Job", "once") "}"), names),
        1);
    assert_string_equal(names[0], "once");
    /* so does the full name of an owner that is not a ReplicaSet */
    assert_int_equal(
        cf_workload_names(
            arena, object_of("", "Pod", "x", "{" HASH("7f9") OWNED("MySet", "web-7f9") "}"), names),
        2);
    assert_string_equal(names[0], "web");
    assert_string_equal(names[1], "web-7f9");
    assert_int_equal(
        cf_workload_names(
            arena, object_of("", "Pod", "x", "{" HASH("7f9") OWNED("ReplicaSet", "web-7f9") "}"),
            names),
        1);
    assert_int_equal(cf_workload_names(arena, object_of("", "Pod", "web", "{}"), names), 1);
    assert_string_equal(names[0], "web");
    assert_int_equal(
        cf_workload_names(arena, object_of("", "Pod", "x", "{" OWNED("Job", "") "}"), names), 1);
}

static void subjects(void **state)
{
    (void)state;
    assert_string_equal(cf_subject(arena, object_of("", "Pod", "web", "{'name':'web'}")),
                        "pod \"web\"");
    assert_string_equal(cf_subject(arena, object_of("", "Pod", NULL, "{'generateName':'web-'}")),
                        "pod \"web\"");
    assert_string_equal(
        cf_subject(arena, object_of("", "Pod", "x", "{" OWNED("StatefulSet", "db") "}")),
        "pod of \"db\"");
    assert_string_equal(
        cf_subject(arena, object_of("batch", "CronJob", "nightly", "{'name':'nightly'}")),
        "cronjob \"nightly\"");
    assert_string_equal(cf_subject(arena, object_of("", "Secret", "s", "{}")), "secret \"s\"");
    assert_string_equal(
        cf_subject(arena, decode(REVIEW(.group = "authentication.k8s.io", .kind = "TokenRequest",
                                        .name = "web", .object = "{}"))),
        "token request for service account \"web\"");
    assert_string_equal(cf_subject(arena, decode(REVIEW(.kind = "Node", .name = "n"))), "object");
}

static void subjects_are_fit_to_print(void **state)
{
    (void)state;
    assert_string_equal(
        cf_subject(arena, object_of("", "Pod", NULL, "{'name':'a\\nb\\u001b[31m\\u009b\\u2028c'}")),
        "pod \"a?b?[31m??c\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_an_owner),
        TEST(owned_by_a_replica_set),
        TEST(owned_through_other_controllers),
        TEST(owned_by_a_job),
        TEST(owned_by_others),
        TEST(of_other_kinds),
        TEST(names_for_exceptions),
        TEST(subjects),
        TEST(subjects_are_fit_to_print),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
