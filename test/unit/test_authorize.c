/* SPDX-License-Identifier: Apache-2.0 */
/* The second door: every row of the boundary's table, inside and outside, for every verb. */
#include "boundary.h"

#define IN "inside the boundary"
#define OUT "outside the boundary"
#define NONE "no opinion"

/* One question; what is NULL is left out. */
struct question {
    const char *verb, *resource, *namespace_, *name;
    const char *subresource, *group;
    const char *by_name, *by_node; /* field selectors */
    bool whole;
};

/* What is not given is NULL. (The last member keeps compilers from asking for all of them.) */
#define QUESTION(...) (&(struct question){__VA_ARGS__, .whole = true})

static struct cf_outcome outcome;

static const char *review_text(const char *version, const char *user, const char *attributes)
{
    const char *groups = cf_streq(version, "v1beta1") ? "'group'" : "'groups'";
    char *text = cf_arena_printf(arena,
                                 "{'apiVersion':'authorization.k8s.io/%s','kind':"
                                 "'SubjectAccessReview','metadata':{},'spec':{'user':%s,%s},"
                                 "'status':{'allowed':false}}",
                                 version, user, attributes);
    char *at = q(text), *found = strstr(at, "\"groups\"");

    /* v1beta1 has another key. */
    if (found != NULL && cf_streq(groups, "'group'"))
        memcpy(found, "\"group\" ", 8);
    return at;
}

static void add_requirement(struct cf_buf *buf, const char *key, const char *value)
{
    if (value != NULL)
        cf_buf_addf(buf, "%s{'key':'%s','operator':'In','values':['%s']}",
                    buf->data[buf->len - 1] == '[' ? "" : ",", key, value);
}

static const char *attributes_of(const struct question *one)
{
    struct cf_buf buf;

    cf_buf_init_arena(&buf, arena, CF_FILE_MAX);
    cf_buf_addf(&buf, "'resourceAttributes':{'verb':'%s','resource':'%s','version':'v1'", one->verb,
                one->resource);
    if (one->group != NULL)
        cf_buf_addf(&buf, ",'group':'%s'", one->group);
    if (one->namespace_ != NULL)
        cf_buf_addf(&buf, ",'namespace':'%s'", one->namespace_);
    if (one->name != NULL)
        cf_buf_addf(&buf, ",'name':'%s'", one->name);
    if (one->subresource != NULL)
        cf_buf_addf(&buf, ",'subresource':'%s'", one->subresource);
    if (one->by_name != NULL || one->by_node != NULL) {
        cf_buf_adds(&buf, ",'fieldSelector':{'requirements':[");
        add_requirement(&buf, "metadata.name", one->by_name);
        add_requirement(&buf, "spec.nodeName", one->by_node);
        cf_buf_adds(&buf, "]}");
    }
    cf_buf_adds(&buf, "}");
    assert_true(cf_buf_ok(&buf));
    return cf_buf_str(&buf);
}

/* The answer's bytes. */
static const char *authorize(const char *text)
{
    struct cf_review_input in = {
        .phase = CF_PHASE_AUTHORIZE, .policy = policy, .store = store, .now = NOW};
    struct cf_buf buf;

    cf_buf_init_arena(&buf, arena, CF_ANSWER_MAX);
    memset(&err, 0, sizeof(err));
    if (cf_authorize_answer(arena, &in, text, strlen(text), &buf, &outcome, &err) != 0)
        fail_msg("%s: %s", err.msg, text);
    return cf_buf_str(&buf);
}

/* Asks, and compares where the boundary has it; the answer follows from that. */
static void expect_as(const char *user, const char *place, const struct question *one)
{
    const char *bytes = authorize(review_text("v1", user, attributes_of(one)));
    const char *why = place_of(&outcome);
    bool denied = strstr(bytes, "\"denied\":true") != NULL;

    if (!cf_starts_with(why, place))
        fail_msg("%s %s%s%s %s/%s by '%s','%s': '%s', not '%s'", one->verb, one->resource,
                 one->subresource != NULL ? "/" : "", cf_str_or_empty(one->subresource),
                 cf_str_or_empty(one->namespace_), cf_str_or_empty(one->name),
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
static void each_named(const char *place, const char *resource, const char *namespace_,
                       const char *name)
{
    for (size_t i = 0; i < CF_COUNT(by_name); i++)
        EXPECT(place, by_name[i], resource, namespace_, name);
}

/* Every verb that names none, with the selector metadata.name; as the API server sends it for
 * lists and watches, and without the name. */
static void each_selected(const char *place, const char *resource, const char *namespace_,
                          const char *name)
{
    for (size_t i = 0; i < CF_COUNT(by_selector); i++) {
        EXPECT(place, by_selector[i], resource, namespace_, .by_name = name);
        EXPECT(place, by_selector[i], resource, namespace_, name, .by_name = name);
    }
}

static void each_unselected(const char *resource, const char *namespace_)
{
    for (size_t i = 0; i < CF_COUNT(by_selector); i++) {
        EXPECT(OUT, by_selector[i], resource, namespace_);
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
    assert_null(outcome.judgement);
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

/* Whoever asks may not learn what is on other nodes; whoever runs Curfew may. */
static void reasons(void **state)
{
    const char *bytes, *other;

    (void)state;
    EXPECT(OUT, "get", "pods", "shop", "web-2");
    assert_string_equal(place_of(&outcome),
                        "outside the boundary: there is no pod \"shop/web-2\" on node \"n1\" (the "
                        "pod is bound to node \"n2\")");
    bytes = authorize(
        review_text("v1", AGENT, attributes_of(QUESTION("get", "pods", "shop", "web-2"))));
    lacks_part(bytes, "\\\"n2\\\"");
    other = authorize(
        review_text("v1", AGENT, attributes_of(QUESTION("get", "pods", "shop", "web-3"))));
    assert_int_equal(strlen(bytes), strlen(other));
    EXPECT(OUT, "get", "pods", "shop", "web-3");
    has_part(place_of(&outcome), "(no such pod is known)");
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

/* ---- legacy-token-use ---- */

static bool is_denied(const char *user, const struct question *one)
{
    return strstr(authorize(review_text("v1", user, attributes_of(one))), "\"denied\":true") !=
           NULL;
}

#define DENIED(user, ...) is_denied(user, QUESTION(__VA_ARGS__))
#define WEB_LEGACY USER("shop", "web", "")
#define WEB_UNBOUND USER("shop", "web", ",'extra':{" JTI "}")
#define WEB_OLD_UID USER("shop", "web", ",'extra':{" EXTRA_KEY "credential-id':['X509SHA256=7']}")

static void legacy_tokens(void **state)
{
    (void)state;
    use_config("authorize: {legacyTokenUse: enforce}");
    assert_false(DENIED(WEB_LEGACY, "get", "secrets", "shop", "db")); /* of which nobody knows */
    cf_store_set_server_version(store, 1, 31);
    assert_false(DENIED(WEB_LEGACY, "get", "secrets", "shop", "db"));
    cf_store_set_server_version(store, 1, 32);
    assert_true(DENIED(WEB_LEGACY, "get", "secrets", "shop", "db"));
    assert_true(DENIED(WEB_OLD_UID, "get", "secrets", "shop", "db"));
    assert_true(DENIED(WEB_LEGACY, "list", "leases", .group = "coordination.k8s.io"));
    assert_true(DENIED(WEB_LEGACY, "create", "serviceaccounts", "shop", "api", "token"));
    assert_true(DENIED(WEB_LEGACY, "create", "serviceaccounts", "other", "web", "token"));
    assert_false(DENIED(WEB_LEGACY, "create", "serviceaccounts", "shop", "web", "token"));
    assert_false(DENIED(WEB_UNBOUND, "get", "secrets", "shop", "db"));
    assert_false(DENIED(WEB, "get", "secrets", "shop", "db"));
    assert_false(DENIED("'alice'", "get", "secrets", "shop", "db"));
    /* The level is that of the caller's namespace. */
    assert_false(DENIED(USER("base", "web", ""), "get", "secrets", "shop", "db"));
    assert_true(DENIED(WEB_LEGACY, "get", "secrets", "base", "db"));
    has_part(authorize(review_text("v1", WEB_LEGACY, attributes_of(QUESTION("list", "services")))),
             "or by impersonation");
}

static void legacy_tokens_are_only_audited(void **state)
{
    (void)state;
    cf_store_set_server_version(store, 1, 36);
    assert_false(DENIED(WEB_LEGACY, "get", "secrets", "shop", "db"));
    assert_int_equal(outcome.judgement->count, 1);
    assert_string_equal(outcome.judgement->items[0].finding.rule->id, "legacy-token-use");
    assert_int_equal(outcome.judgement->items[0].modes & CF_MODE_BIT(CF_ENFORCE), 0);
    assert_true((outcome.judgement->items[0].modes & CF_MODE_BIT(CF_AUDIT)) != 0);
}

static void legacy_tokens_with_an_exception(void **state)
{
    (void)state;
    cf_store_set_server_version(store, 1, 36);
    use_config("authorize: {legacyTokenUse: enforce}\nexceptions:\n- {rule: legacy-token-use, "
               "namespace: shop, serviceAccounts: [web], until: 2026-12-31, reason: moves}");
    assert_false(DENIED(WEB_LEGACY, "get", "secrets", "shop", "db"));
    assert_false(DENIED(WEB_LEGACY, "get", "nodes", .name = "n1"));
    assert_true(DENIED(USER("shop", "api", ""), "get", "secrets", "shop", "db"));
    use_config("authorize: {legacyTokenUse: enforce}\nexemptions: {namespaces: [shop]}");
    assert_false(DENIED(WEB_LEGACY, "get", "nodes", .name = "n1"));
}

/* ---- what can't be answered ---- */

static void refuses(const char *text, const char *message)
{
    struct cf_review_input in = {
        .phase = CF_PHASE_AUTHORIZE, .policy = policy, .store = store, .now = NOW};
    struct cf_buf buf;

    cf_buf_init_arena(&buf, arena, CF_ANSWER_MAX);
    memset(&err, 0, sizeof(err));
    if (cf_authorize_answer(arena, &in, q(text), strlen(text), &buf, &outcome, &err) == 0)
        fail_msg("answered, and not refused with '%s': %s", message, text);
    assert_int_equal(err.kind, CF_ERR_INPUT);
    assert_int_equal(buf.len, 0);
    assert_false(outcome.unsynced);
    if (strstr(err.msg, message) == NULL)
        fail_msg("'%s' is not in '%s'", message, err.msg);
}

#define SAR(rest) "{'apiVersion':'authorization.k8s.io/v1','kind':'SubjectAccessReview'" rest "}"

static void bad_reviews(void **state)
{
    (void)state;
    refuses("", "");
    refuses("[]", "must be an object, not an array");
    refuses("{}", "not a SubjectAccessReview");
    refuses("{'apiVersion':'authorization.k8s.io/v2','kind':'SubjectAccessReview'}",
            "not a SubjectAccessReview of apiVersion authorization.k8s.io/v1 or v1beta1");
    refuses("{'apiVersion':'admission.k8s.io/v1','kind':'AdmissionReview','request':{}}",
            "not a SubjectAccessReview");
    refuses(SAR(), "spec is missing");
    refuses(SAR(",'spec':[]"), "spec must be an object, not an array");
    refuses(SAR(",'spec':{'user':'a'}"), "spec must hold resourceAttributes or");
    refuses(SAR(",'spec':{'user':'a','resourceAttributes':{},'nonResourceAttributes':{}}"),
            "not both");
    refuses(SAR(",'spec':{'user':1,'resourceAttributes':{}}"), "spec.user must be a string");
    refuses(SAR(",'spec':{'groups':'a','resourceAttributes':{}}"), "spec.groups must be an array");
    refuses(SAR(",'spec':{'extra':[],'resourceAttributes':{}}"), "spec.extra must be an object");
    refuses(SAR(",'spec':{'resourceAttributes':{'verb':{}}}"),
            "spec.resourceAttributes.verb must be a string, not an object");
    refuses(SAR(",'spec':{'user':'system:serviceaccount:a:b','resourceAttributes':{'resource':"
                "'pods','fieldSelector':{'requirements':[1]}}}"),
            "spec.resourceAttributes.fieldSelector.requirements[0] must be an object");
    refuses(SAR(",'spec':{'user':'system:serviceaccount:a:b','resourceAttributes':{'resource':"
                "'pods','fieldSelector':{'requirements':[{'values':[1]}]}}}"),
            "requirements[0].values[0] must be a string");
    refuses(SAR(",'spec':{'user':'a','user':'b','resourceAttributes':{}}"), "");
}

static uint32_t dice = 1;

static uint32_t roll(uint32_t below)
{
    dice = dice * 1664525u + 1013904223u;
    return (dice >> 8) % below;
}

/* Whatever the bytes: an answer that allows nothing, or a sentence. */
static void hostile_bytes(void **state)
{
    static const char alphabet[] = "{}[]\":,.\\u0aeinstv-1 \x80\xff\n";
    const char *good =
        review_text("v1", AGENT, attributes_of(QUESTION("list", "pods", "shop", .by_node = "n1")));
    size_t len = strlen(good), answered = 0;
    char *bytes = malloc(len);

    (void)state;
    assert_non_null(bytes);
    for (unsigned i = 0; i < 20000; i++) {
        struct cf_arena *own = cf_arena_new(CF_MIB);
        struct cf_review_input in = {
            .phase = CF_PHASE_AUTHORIZE, .policy = policy, .store = store, .now = NOW};
        size_t kept = roll(8) == 0 ? roll((uint32_t)len) : len;
        struct cf_buf buf;

        memcpy(bytes, good, len);
        for (unsigned n = roll(3); n > 0; n--)
            bytes[roll((uint32_t)len)] = alphabet[roll(sizeof(alphabet) - 1)];
        assert_non_null(own);
        cf_buf_init_arena(&buf, own, CF_MIB);
        memset(&err, 0, sizeof(err));
        if (cf_authorize_answer(own, &in, bytes, kept, &buf, &outcome, &err) == 0) {
            answered++;
            lacks_part(cf_buf_str(&buf), "\"allowed\":true");
        } else {
            assert_int_equal(err.kind, CF_ERR_INPUT);
            assert_int_equal(buf.len, 0);
        }
        cf_arena_free(own);
    }
    free(bytes);
    assert_true(answered > 1000);
}

/* Memory that runs out anywhere is told, and nothing is answered. */
static void small_arenas(void **state)
{
    const char *good =
        review_text("v1", AGENT, attributes_of(QUESTION("get", "secrets", "shop", "foreign")));
    bool answered = false;

    (void)state;
    for (size_t size = 0; size < 256 * CF_KIB && !answered; size += 512) {
        struct cf_arena *own = cf_arena_new(size);
        struct cf_review_input in = {
            .phase = CF_PHASE_AUTHORIZE, .policy = policy, .store = store, .now = NOW};
        struct cf_buf buf;

        if (own == NULL)
            continue;
        cf_buf_init_arena(&buf, own, CF_MIB);
        memset(&err, 0, sizeof(err));
        answered = cf_authorize_answer(own, &in, good, strlen(good), &buf, &outcome, &err) == 0;
        if (answered)
            assert_non_null(strstr(cf_buf_str(&buf), "\"denied\":true"));
        else
            assert_int_equal(err.kind, CF_ERR_SYSTEM);
        cf_arena_free(own);
    }
    assert_true(answered);
}

static int ask_store(const struct cf_store *other, const char *own_user, const char *user,
                     const char *attributes)
{
    struct cf_review_input in = {.phase = CF_PHASE_AUTHORIZE,
                                 .policy = policy,
                                 .store = other,
                                 .now = NOW,
                                 .own_user = own_user};
    const char *text = review_text("v1", user, attributes);
    struct cf_buf buf;

    cf_buf_init_arena(&buf, arena, CF_ANSWER_MAX);
    memset(&err, 0, sizeof(err));
    return cf_authorize_answer(arena, &in, text, strlen(text), &buf, &outcome, &err);
}

static void until_the_store_is_synced(void **state)
{
    static const enum cf_resource all[] = {CF_NAMESPACES, CF_SECRETS, CF_ACCOUNTS,
                                           CF_PODS,       CF_CLAIMS,  CF_VOLUMES};
    struct cf_store *live = cf_store_new(CF_ABSENT_DEPENDS);
    const char *attributes = attributes_of(QUESTION("get", "nodes", .name = "n2"));
    const char *own = "system:serviceaccount:shop:agent";

    (void)state;
    for (size_t i = 0; i < CF_COUNT(all); i++) {
        assert_int_equal(ask_store(live, NULL, AGENT, attributes), -1);
        assert_true(outcome.unsynced);
        assert_int_equal(err.kind, CF_ERR_SYSTEM);
        cf_store_list_begin(live, all[i]);
        cf_store_list_end(live, all[i]);
        cf_store_heard(live, all[i], 1);
        /* What needs no store is answered at once: Curfew could not fill it otherwise. */
        if (i + 1 < CF_COUNT(all)) {
            assert_int_equal(ask_store(live, own, AGENT, attributes), 0);
            assert_int_equal(ask_store(live, own, "'alice'", attributes), 0);
        }
    }
    assert_int_equal(ask_store(live, NULL, AGENT, attributes), 0);
    assert_int_equal(outcome.decision, CF_NO_OPINION);
    cf_store_free(live);
}

static void curfew_itself(void **state)
{
    const char *attributes = attributes_of(QUESTION("list", "pods"));

    (void)state;
    assert_int_equal(ask_store(store, "system:serviceaccount:shop:agent", AGENT, attributes), 0);
    assert_int_equal(outcome.decision, CF_NO_OPINION);
    assert_int_equal(ask_store(store, "system:serviceaccount:shop:other", AGENT, attributes), 0);
    assert_int_equal(outcome.decision, CF_DENIED);
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
        BOUNDARY_TEST(legacy_tokens),
        BOUNDARY_TEST(legacy_tokens_are_only_audited),
        BOUNDARY_TEST(legacy_tokens_with_an_exception),
        BOUNDARY_TEST(bad_reviews),
        BOUNDARY_TEST(hostile_bytes),
        BOUNDARY_TEST(small_arenas),
        BOUNDARY_TEST(until_the_store_is_synced),
        BOUNDARY_TEST(curfew_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
