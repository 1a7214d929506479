/* SPDX-License-Identifier: Apache-2.0 */
/* Authorization: every row of the boundary's table, inside and outside, for every verb. */
#include "credentials.h"

#define IN "inside the boundary"
#define OUT "outside the boundary"
#define NONE "no opinion"

/* Sends the review, and compares the boundary's decision and the answer that follows from it. */
static void expect_as(const char *user, const char *place, const struct question *one)
{
    const char *bytes = authorize(review_text("v1", user, attributes_of(one)));
    const char *why = place_of(&outcome);
    bool denied = strstr(bytes, "\"denied\":true") != NULL;

    if (!cf_starts_with(why, place))
        fail_msg("%s %s%s%s %s/%s by '%s','%s': '%s', not '%s'", one->verb, one->resource,
                 one->subresource != NULL ? "/" : "", cf_str_or_empty(one->subresource),
                 cf_str_or_empty(one->namespace), cf_str_or_empty(one->name),
                 cf_str_or_empty(one->by_name), cf_str_or_empty(one->by_node), why, place);
    assert_true(denied == cf_streq(place, OUT));
    assert_int_equal(outcome.decision, denied ? CF_DENIED : CF_NO_OPINION);
    lacks_part(bytes, "\"allowed\":true");
    if (!denied)
        assert_string_equal(bytes, "{\"apiVersion\":\"authorization.k8s.io/v1\",\"kind\":"
                                   "\"SubjectAccessReview\",\"status\":{\"allowed\":false}}");
}

#define EXPECT_AS(user, place, ...) expect_as(user, place, QUESTION(__VA_ARGS__))
#define EXPECT(place, ...) EXPECT_AS(AGENT, place, __VA_ARGS__)

static const char *const by_name[] = {"get", "update", "patch", "delete"};
static const char *const by_selector[] = {"list", "watch", "deletecollection"};

/* Every verb that names one object. */
static void each_named(const char *place, const char *resource, const char *namespace,
                       const char *name)
{
    for (size_t i = 0; i < CF_COUNT(by_name); i++)
        EXPECT(place, by_name[i], resource, namespace, name);
}

/* Every verb that names none, with the selector metadata.name; as the API server sends it for
 * lists and watches, and without the name. */
static void each_selected(const char *place, const char *resource, const char *namespace,
                          const char *name)
{
    for (size_t i = 0; i < CF_COUNT(by_selector); i++) {
        EXPECT(place, by_selector[i], resource, namespace, .by_name = name);
        EXPECT(place, by_selector[i], resource, namespace, name, .by_name = name);
    }
}

static void each_unselected(const char *resource, const char *namespace)
{
    for (size_t i = 0; i < CF_COUNT(by_selector); i++) {
        EXPECT(OUT, by_selector[i], resource, namespace);
        EXPECT(OUT, by_selector[i], resource);
    }
}

static void nodes(void **state)
{
    static const char *const subresources[] = {"status", "proxy", "metrics", "log"};

    (void)state;
    each_named(IN, "nodes", NULL, "n1");
    each_named(OUT, "nodes", NULL, "n2");
    each_unselected("nodes", NULL);
    for (size_t i = 0; i < 2; i++) {
        EXPECT(IN, by_selector[i], "nodes", .by_name = "n1");
        EXPECT(IN, by_selector[i], "nodes", .name = "n1", .by_name = "n1");
        EXPECT(OUT, by_selector[i], "nodes", .by_name = "n2");
        EXPECT(OUT, by_selector[i], "nodes", .by_node = "n1"); /* of pods */
    }
    EXPECT(OUT, "deletecollection", "nodes", .by_name = "n1");
    EXPECT(NONE, "create", "nodes");
    for (size_t i = 0; i < CF_COUNT(subresources); i++) {
        EXPECT(IN, "get", "nodes", .name = "n1", .subresource = subresources[i]);
        EXPECT(IN, "patch", "nodes", .name = "n1", .subresource = subresources[i]);
        EXPECT(OUT, "get", "nodes", .name = "n2", .subresource = subresources[i]);
        EXPECT(OUT, "create", "nodes", .name = "n2", .subresource = subresources[i]);
    }
}

static void proxied_names(void **state)
{
    (void)state;
    EXPECT(IN, "get", "nodes", .name = "https:n1:10250", .subresource = "proxy");
    EXPECT(IN, "get", "nodes", .name = "n1:10250", .subresource = "proxy");
    EXPECT(OUT, "get", "nodes", .name = "n1:n2:10250", .subresource = "proxy");
    EXPECT(OUT, "get", "nodes", .name = "https:n2:10250", .subresource = "proxy");
    EXPECT(OUT, "get", "nodes", .name = ":n2:", .subresource = "proxy");
    EXPECT(IN, "create", "pods", "shop", "http:web-1:80", .subresource = "proxy");
    EXPECT(IN, "create", "pods", "shop", "web-1:80", .subresource = "proxy");
    EXPECT(OUT, "create", "pods", "shop", "http:web-2:80", .subresource = "proxy");
    EXPECT(OUT, "create", "pods", "shop", "web-2:web-1", .subresource = "proxy");
    /* Elsewhere a name is a name. */
    EXPECT(OUT, "get", "nodes", .name = "https:n1:10250");
    EXPECT(OUT, "get", "pods", "shop", "web-1:80", .subresource = "log");
}

static void pods(void **state)
{
    static const char *const subresources[] = {"status", "log",      "exec",
                                               "attach", "proxy",    "portforward",
                                               "resize", "eviction", "ephemeralcontainers"};
    static const char *const verbs[] = {"get", "create", "update", "patch"};

    (void)state;
    each_named(IN, "pods", "shop", "web-1");
    each_named(IN, "pods", "shop", "mirror-n1");
    each_named(OUT, "pods", "shop", "web-2");
    each_named(OUT, "pods", "shop", "pending");
    each_named(OUT, "pods", "shop", "no-such-pod");
    each_named(OUT, "pods", "other", "web-1");
    for (size_t i = 0; i < CF_COUNT(subresources); i++) {
        for (size_t j = 0; j < CF_COUNT(verbs); j++) {
            EXPECT(IN, verbs[j], "pods", "shop", "web-1", subresources[i]);
            EXPECT(OUT, verbs[j], "pods", "shop", "web-2", subresources[i]);
        }
    }
    EXPECT(NONE, "create", "pods", "shop");
}

static void pods_by_selector(void **state)
{
    (void)state;
    each_unselected("pods", "shop");
    for (size_t i = 0; i < CF_COUNT(by_selector); i++) {
        EXPECT(IN, by_selector[i], "pods", "shop", .by_node = "n1");
        EXPECT(IN, by_selector[i], "pods", .by_node = "n1");
        EXPECT(OUT, by_selector[i], "pods", "shop", .by_node = "n2");
        EXPECT(OUT, by_selector[i], "pods", .by_node = "n2");
        EXPECT(IN, by_selector[i], "pods", "shop", .by_node = "n1", .by_name = "web-2");
    }
    for (size_t i = 0; i < 2; i++) {
        EXPECT(IN, by_selector[i], "pods", "shop", .by_name = "web-1");
        EXPECT(IN, by_selector[i], "pods", "shop", "web-1", .by_name = "web-1");
        EXPECT(OUT, by_selector[i], "pods", "shop", .by_name = "web-2");
        EXPECT(OUT, by_selector[i], "pods", .by_name = "web-1"); /* of every namespace */
    }
    EXPECT(OUT, "deletecollection", "pods", "shop", .by_name = "web-1");
}

static void only_one_value_counts(void **state)
{
    static const char *const selectors[] = {
        "{'key':'spec.nodeName','operator':'In','values':['n1','n2']}",
        "{'key':'spec.nodeName','operator':'In','values':[]}",
        "{'key':'spec.nodeName','operator':'In'}",
        "{'key':'spec.nodeName','operator':'NotIn','values':['n1']}",
        "{'key':'spec.nodeName','operator':'Exists'}",
        "{'key':'spec.node','operator':'In','values':['n1']}",
        "{}",
    };
    static const char *const labels = "'labelSelector':{'requirements':[{'key':'spec.nodeName','"
                                      "operator':'In','values':['n1']}]}";

    (void)state;
    for (size_t i = 0; i < CF_COUNT(selectors); i++) {
        authorize(review_text("v1", AGENT,
                              cf_arena_printf(arena,
                                              "'resourceAttributes':{'verb':'list','resource':"
                                              "'pods','fieldSelector':{'requirements':[%s]}}",
                                              selectors[i])));
        assert_int_equal(outcome.decision, CF_DENIED);
    }
    authorize(review_text("v1", AGENT,
                          cf_arena_printf(arena,
                                          "'resourceAttributes':{'verb':'list','resource':"
                                          "'pods',%s}",
                                          labels)));
    assert_int_equal(outcome.decision, CF_DENIED);
    authorize(review_text("v1", AGENT,
                          cf_arena_printf(arena,
                                          "'resourceAttributes':{'verb':'list','resource':'pods',"
                                          "%s,'fieldSelector':{'rawSelector':'x','requirements':["
                                          "{'key':'status.phase','operator':'In','values':['x']},"
                                          "{'key':'spec.nodeName','operator':'In','values':['n1']}"
                                          "]}}",
                                          labels)));
    assert_int_equal(outcome.decision, CF_NO_OPINION);
}

static void configs_and_secrets(void **state)
{
    static const char *const configs[] = {"agent-config", "env-config", "from-config"};
    static const char *const secrets[] = {
        "agent-secret", "projected-secret", "env-secret", "from-secret", "pull", "db", "shared"};
    static const char *const foreign[] = {"foreign", "pending-secret", "mirror-secret", "no-such"};

    (void)state;
    for (size_t i = 0; i < CF_COUNT(configs); i++) {
        each_named(IN, "configmaps", "shop", configs[i]);
        each_selected(IN, "configmaps", "shop", configs[i]);
        each_named(OUT, "configmaps", "other", configs[i]);
    }
    for (size_t i = 0; i < CF_COUNT(secrets); i++) {
        each_named(IN, "secrets", "shop", secrets[i]);
        each_selected(IN, "secrets", "shop", secrets[i]);
        each_selected(OUT, "secrets", "other", secrets[i]);
        each_selected(OUT, "secrets", NULL, secrets[i]);
    }
    for (size_t i = 0; i < CF_COUNT(foreign); i++) {
        each_named(OUT, "secrets", "shop", foreign[i]);
        each_selected(OUT, "secrets", "shop", foreign[i]);
    }
    each_named(OUT, "configmaps", "shop", "foreign-config");
    each_unselected("configmaps", "shop");
    each_unselected("secrets", "shop");
    EXPECT(NONE, "create", "configmaps", "shop");
    EXPECT(NONE, "create", "secrets", "shop");
    /* A name is of one kind. */
    EXPECT(OUT, "get", "secrets", "shop", "agent-config");
    EXPECT(OUT, "get", "configmaps", "shop", "agent-secret");
}

static void the_root_ca_is_read_only(void **state)
{
    (void)state;
    EXPECT(IN, "get", "configmaps", "shop", "kube-root-ca.crt");
    EXPECT(IN, "list", "configmaps", "shop", .by_name = "kube-root-ca.crt");
    EXPECT(IN, "watch", "configmaps", "shop", .by_name = "kube-root-ca.crt");
    for (size_t i = 1; i < CF_COUNT(by_name); i++)
        EXPECT(OUT, by_name[i], "configmaps", "shop", "kube-root-ca.crt");
    EXPECT(OUT, "deletecollection", "configmaps", "shop", .by_name = "kube-root-ca.crt");
    EXPECT(OUT, "get", "configmaps", "other", "kube-root-ca.crt");
}

/* Where Curfew itself runs: a pod on the node refers to all of these. */
static void curfews_own_namespace_is_read_only(void **state)
{
    static const char *const resources[] = {"configmaps", "secrets"};
    static const char *const names[] = {"agent-config", "agent-secret"};

    (void)state;
    own_namespace = "shop";
    for (size_t i = 0; i < CF_COUNT(resources); i++) {
        EXPECT(IN, "get", resources[i], "shop", names[i]);
        EXPECT(IN, "list", resources[i], "shop", .by_name = names[i]);
        EXPECT(IN, "watch", resources[i], "shop", .by_name = names[i]);
        for (size_t v = 1; v < CF_COUNT(by_name); v++)
            EXPECT(OUT, by_name[v], resources[i], "shop", names[i]);
        has_part(place_of(&outcome), "may only be read: it is in Curfew's own namespace");
        EXPECT(OUT, "deletecollection", resources[i], "shop", .by_name = names[i]);
        EXPECT(OUT, "create", resources[i], "shop");
        EXPECT(OUT, "get", resources[i], "shop", "no-such");
        /* Nowhere else. */
        EXPECT(NONE, "create", resources[i], "other");
    }
    EXPECT(IN, "patch", "secrets", "storage", "pv-secret");
    EXPECT(IN, "patch", "pods", "shop", "web-1");
    EXPECT(NONE, "create", "pods", "shop");
    EXPECT(IN, "patch", "persistentvolumeclaims", "shop", "data-1");
    own_namespace = NULL;
    EXPECT(IN, "patch", "configmaps", "shop", "agent-config");
}

static void claims_and_volumes(void **state)
{
    static const char *const inside[] = {"pv-1", "pv-local"};
    static const char *const outside[] = {"pv-2", "pv-old-claim", "pv-both", "pv-foreign", "none"};

    (void)state;
    each_named(IN, "persistentvolumeclaims", "shop", "data-1");
    each_selected(IN, "persistentvolumeclaims", "shop", "data-1");
    EXPECT(IN, "patch", "persistentvolumeclaims", "shop", "data-1", "status");
    each_named(OUT, "persistentvolumeclaims", "shop", "data-2");
    each_selected(OUT, "persistentvolumeclaims", "shop", "data-2");
    each_unselected("persistentvolumeclaims", "shop");
    for (size_t i = 0; i < CF_COUNT(inside); i++) {
        each_named(IN, "persistentvolumes", NULL, inside[i]);
        each_selected(IN, "persistentvolumes", NULL, inside[i]);
    }
    for (size_t i = 0; i < CF_COUNT(outside); i++) {
        each_named(OUT, "persistentvolumes", NULL, outside[i]);
        each_selected(OUT, "persistentvolumes", NULL, outside[i]);
    }
    each_unselected("persistentvolumes", NULL);
    EXPECT(NONE, "create", "persistentvolumeclaims", "shop");
    EXPECT(NONE, "create", "persistentvolumes");
    /* The Secrets that a volume names. */
    EXPECT(IN, "get", "secrets", "storage", "pv-secret");
    EXPECT(OUT, "get", "secrets", "storage", "pv-secret-2");
}

static void shared_objects(void **state)
{
    (void)state;
    use_config("rules: {node-boundary: {sharedObjects: deny}}");
    EXPECT(IN, "get", "secrets", "shop", "shared");
    EXPECT(IN, "list", "secrets", "shop", .by_name = "shared");
    for (size_t i = 1; i < CF_COUNT(by_name); i++) {
        EXPECT(OUT, by_name[i], "secrets", "shop", "shared");
        EXPECT(OUT, by_name[i], "configmaps", "shop", "agent-config");
        EXPECT(IN, by_name[i], "secrets", "shop", "db");
    }
}

static void tokens(void **state)
{
    (void)state;
    EXPECT(IN, "create", "serviceaccounts", "shop", "agent", "token");
    EXPECT(OUT, "create", "serviceaccounts", "shop", "web", "token");
    EXPECT(OUT, "create", "serviceaccounts", "other", "agent", "token");
    use_config("rules: {node-boundary: {tokenFor: podsOnNode}}");
    EXPECT(IN, "create", "serviceaccounts", "shop", "agent", "token");
    EXPECT(IN, "create", "serviceaccounts", "shop", "web", "token");
    EXPECT(OUT, "create", "serviceaccounts", "shop", "api", "token");
    EXPECT(OUT, "create", "serviceaccounts", "other", "web", "token");
}

static void accounts_are_not_written(void **state)
{
    (void)state;
    for (size_t i = 1; i < CF_COUNT(by_name); i++) {
        EXPECT(OUT, by_name[i], "serviceaccounts", "shop", "agent");
        EXPECT(OUT, by_name[i], "serviceaccounts", "shop", "web");
    }
    EXPECT(OUT, "deletecollection", "serviceaccounts", "shop");
    EXPECT(NONE, "create", "serviceaccounts", "shop");
    EXPECT(NONE, "get", "serviceaccounts", "shop", "web");
    EXPECT(NONE, "list", "serviceaccounts");
    EXPECT(NONE, "watch", "serviceaccounts");
}

static void bindings(void **state)
{
    (void)state;
    EXPECT(OUT, "create", "pods", "shop", "pending", "binding");
    EXPECT(OUT, "create", "pods", "shop", "web-1", "binding");
    EXPECT(NONE, "create", "bindings", "shop");
    use_config("rules: {node-boundary: {allowPodCreate: true}}");
    EXPECT(NONE, "create", "pods", "shop", "pending", "binding");
}

static void impersonation(void **state)
{
    static const char *const verbs[] = {
        "impersonate",
        "impersonate:user-info",
        "impersonate:serviceaccount",
        "impersonate:arbitrary-node",
        "impersonate-on:user-info:get",
        "impersonate-on:serviceaccount:list",
        "impersonate-on:arbitrary-node:get",
        "impersonate:associated-node-not",
        "impersonate-on:associated-node",
    };

    (void)state;
    for (size_t i = 0; i < CF_COUNT(verbs); i++) {
        EXPECT(OUT, verbs[i], "users", .name = "alice");
        EXPECT(OUT, verbs[i], "serviceaccounts", "shop", "web");
        EXPECT(OUT, verbs[i], "userextras", .name = "n1", .group = "authentication.k8s.io",
               .subresource = "authentication.kubernetes.io/node-name");
        EXPECT_AS(AGENT_LEGACY, OUT, verbs[i], "groups", .name = "system:masters");
        EXPECT_AS(WEB, NONE, verbs[i], "groups", .name = "system:masters");
    }
    EXPECT(NONE, "impersonate:associated-node", "nodes", .name = "*",
           .group = "authentication.k8s.io");
    EXPECT(NONE, "impersonate-on:associated-node:get", "secrets", "shop", "foreign");
}

static void what_it_does_not_cover(void **state)
{
    (void)state;
    EXPECT(NONE, "list", "leases", .group = "coordination.k8s.io");
    EXPECT(NONE, "update", "leases", "kube-node-lease", "n2", .group = "coordination.k8s.io");
    EXPECT(NONE, "list", "services");
    EXPECT(NONE, "create", "events", "shop");
    EXPECT(NONE, "list", "pods", .group = "metrics.k8s.io");
    EXPECT(NONE, "list", "nodes", .group = "metrics.k8s.io");
    EXPECT(NONE, "list", "deployments", .group = "apps");
    EXPECT(OUT, "*", "*", .group = "*");
    EXPECT(OUT, "get", "*");
    EXPECT(OUT, "*", "pods", "shop");
}

static void where_the_caller_is(void **state)
{
    static const char *const here[] = {AGENT, AGENT_BY_POD, AGENT_BY_NODE};
    static const char *const nowhere[] = {AGENT_BY_OLD_POD, AGENT_BY_GONE_POD, AGENT_BY_PENDING_POD,
                                          AGENT_UNBOUND, AGENT_LEGACY};

    (void)state;
    for (size_t i = 0; i < CF_COUNT(here); i++) {
        EXPECT_AS(here[i], IN, "get", "pods", "shop", "web-1");
        EXPECT_AS(here[i], OUT, "get", "pods", "shop", "web-2");
        EXPECT_AS(here[i], NONE, "create", "configmaps", "shop");
        EXPECT_AS(here[i], IN, "create", "serviceaccounts", "shop", "agent", "token");
    }
    for (size_t i = 0; i < CF_COUNT(nowhere); i++) {
        EXPECT_AS(nowhere[i], OUT, "get", "pods", "shop", "web-1");
        EXPECT_AS(nowhere[i], OUT, "list", "pods", .by_node = "n1");
        EXPECT_AS(nowhere[i], OUT, "get", "nodes", .name = "n1");
        /* Admission does not see an unbound token, so creates end here. */
        EXPECT_AS(nowhere[i], OUT, "create", "configmaps", "shop");
        EXPECT_AS(nowhere[i], OUT, "create", "serviceaccounts", "shop");
        EXPECT_AS(nowhere[i], OUT, "create", "serviceaccounts", "shop", "agent", "token");
        EXPECT_AS(nowhere[i], NONE, "list", "leases", .group = "coordination.k8s.io");
        EXPECT_AS(nowhere[i], NONE, "get", "serviceaccounts", "shop", "web");
    }
}

static void everybody_else(void **state)
{
    static const char *const users[] = {
        WEB,
        USER("shop", "nobody-knows-it", ""),
        USER("other", "agent", ",'extra':{" FROM_NODE("n1") "}"),
        "'alice','groups':['developers']",
        "'system:node:n1','groups':['system:nodes']",
        "'system:serviceaccount:shop:agent:more'",
        "'system:serviceaccount:shop:'",
        "'system:serviceaccount::agent'",
        "'system:serviceaccount:shop'",
        "''",
    };

    (void)state;
    for (size_t i = 0; i < CF_COUNT(users); i++) {
        EXPECT_AS(users[i], NONE, "get", "secrets", "shop", "foreign");
        EXPECT_AS(users[i], NONE, "list", "pods");
        EXPECT_AS(users[i], NONE, "impersonate", "groups", .name = "system:masters");
    }
}

static void urls(void **state)
{
    (void)state;
    authorize(
        review_text("v1", AGENT_LEGACY, "'nonResourceAttributes':{'path':'/api/v1','verb':'get'}"));
    assert_int_equal(outcome.decision, CF_NO_OPINION);
    assert_null(outcome.evaluation);
}

static void versions(void **state)
{
    const char *attributes = attributes_of(QUESTION("get", "nodes", .name = "n2"));

    (void)state;
    assert_string_equal(
        authorize(review_text("v1beta1", AGENT, attributes)),
        "{\"apiVersion\":\"authorization.k8s.io/v1beta1\",\"kind\":\"SubjectAccessReview\","
        "\"status\":{\"allowed\":false,\"denied\":true,\"reason\":\"curfew: node-boundary: Node "
        "\\\"n2\\\" is another node; ServiceAccount \\\"shop/agent\\\" is restricted by node, and "
        "this token belongs to node \\\"n1\\\"\"}}");
    assert_int_equal(outcome.request->caller.group_count, 2);
    assert_string_equal(authorize(review_text("v1beta1", WEB, attributes)),
                        "{\"apiVersion\":\"authorization.k8s.io/v1beta1\",\"kind\":"
                        "\"SubjectAccessReview\",\"status\":{\"allowed\":false}}");
}

/* The answer must not reveal to the caller what runs on other nodes; the log may contain it. */
static void reasons(void **state)
{
    const char *bytes, *other;

    (void)state;
    EXPECT(OUT, "get", "pods", "shop", "web-2");
    assert_string_equal(place_of(&outcome),
                        "outside the boundary: node \"n1\" has no pod \"shop/web-2\" (the "
                        "pod is bound to node \"n2\")");
    bytes = authorize(
        review_text("v1", AGENT, attributes_of(QUESTION("get", "pods", "shop", "web-2"))));
    lacks_part(bytes, "\\\"n2\\\"");
    other = authorize(
        review_text("v1", AGENT, attributes_of(QUESTION("get", "pods", "shop", "web-3"))));
    assert_int_equal(strlen(bytes), strlen(other));
    EXPECT(OUT, "get", "pods", "shop", "web-3");
    has_part(place_of(&outcome), "(the pod is unknown)");
    EXPECT(OUT, "get", "pods", "shop", "pending");
    has_part(place_of(&outcome), "(the pod is not bound to a node yet)");
    EXPECT(OUT, "get", "secrets", "shop", "foreign");
    assert_string_equal(place_of(&outcome),
                        "outside the boundary: no pod on node \"n1\" refers to Secret "
                        "\"shop/foreign\"");
    EXPECT(IN, "get", "secrets", "shop", "db");
    assert_string_equal(place_of(&outcome),
                        "inside the boundary: a pod on node \"n1\" refers to Secret \"shop/db\"");
    EXPECT(OUT, "list", "pods");
    has_part(place_of(&outcome), "only with --field-selector spec.nodeName=n1");
}

static void exemptions_and_exceptions(void **state)
{
    const struct question one = *QUESTION("get", "nodes", .name = "n2");

    (void)state;
    use_config("exemptions: {namespaces: [shop]}");
    EXPECT(OUT, "get", "nodes", .name = "n2");
    use_config("exemptions: {usernames: ['system:serviceaccount:shop:agent']}");
    authorize(review_text("v1", AGENT, attributes_of(&one)));
    assert_int_equal(outcome.decision, CF_NO_OPINION);
    use_config("exceptions:\n- {rule: node-boundary, namespace: shop, serviceAccounts: [agent], "
               "until: 2026-12-31, reason: moves}");
    authorize(review_text("v1", AGENT, attributes_of(&one)));
    assert_int_equal(outcome.decision, CF_NO_OPINION);
    use_config("exceptions:\n- {rule: node-boundary, namespace: shop, serviceAccounts: [other], "
               "until: 2026-12-31, reason: moves}");
    EXPECT(OUT, "get", "nodes", .name = "n2");
    use_config("exceptions:\n- {rule: node-boundary, namespace: '', serviceAccounts: [agent], "
               "until: 2026-12-31, reason: moves}");
    EXPECT(OUT, "get", "nodes", .name = "n2");
    use_config("exceptions:\n- {rule: node-boundary, namespace: shop, serviceAccounts: [agent], "
               "until: 2026-11-01, reason: moved}");
    EXPECT(OUT, "get", "nodes", .name = "n2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOUNDARY_TEST(nodes),
        BOUNDARY_TEST(proxied_names),
        BOUNDARY_TEST(pods),
        BOUNDARY_TEST(pods_by_selector),
        BOUNDARY_TEST(only_one_value_counts),
        BOUNDARY_TEST(configs_and_secrets),
        BOUNDARY_TEST(the_root_ca_is_read_only),
        BOUNDARY_TEST(curfews_own_namespace_is_read_only),
        BOUNDARY_TEST(claims_and_volumes),
        BOUNDARY_TEST(shared_objects),
        BOUNDARY_TEST(tokens),
        BOUNDARY_TEST(accounts_are_not_written),
        BOUNDARY_TEST(bindings),
        BOUNDARY_TEST(impersonation),
        BOUNDARY_TEST(what_it_does_not_cover),
        BOUNDARY_TEST(where_the_caller_is),
        BOUNDARY_TEST(everybody_else),
        BOUNDARY_TEST(urls),
        BOUNDARY_TEST(versions),
        BOUNDARY_TEST(reasons),
        BOUNDARY_TEST(exemptions_and_exceptions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
