/* SPDX-License-Identifier: Apache-2.0 */
/* Admission: every row of the boundary's table for every write that admission sees, which
 * brings the object, new and old. Reads and the rest of the table: test_authorize.c. */
#include "boundary.h"

#define IN true
#define OUT false

/* userInfo has another name for the user than a SubjectAccessReview. */
#define INFO(user) "{'username':" user "}"

static struct test_answer last;

/* The write is inside: the boundary has nothing against it. */
static void expect_as(const char *user, bool inside, const struct review *r)
{
    struct review copy = *r;

    copy.user = user;
    last = validate(review(&copy));
    if (strstr(last.message, "node-boundary") == NULL ? !inside : inside)
        fail_msg("%s %s/%s %s/%s is %s: %s", cf_str_or_empty(r->operation), r->resource,
                 cf_str_or_empty(r->subresource), cf_str_or_empty(r->namespace),
                 cf_str_or_empty(r->name), inside ? "denied" : "allowed", last.message);
    assert_int_equal(last.allowed, inside);
}

#define WRITE(...) (&(struct review){__VA_ARGS__, .whole = true})
#define EXPECT_AS(user, inside, ...) expect_as(INFO(user), inside, WRITE(__VA_ARGS__))
#define EXPECT(inside, ...) EXPECT_AS(AGENT, inside, __VA_ARGS__)

/* An update and a delete of an object of this kind. */
#define WRITES(inside, kind_, resource_, ns, name_, json)                                          \
    do {                                                                                           \
        EXPECT(inside, "UPDATE", "", kind_, resource_, NULL, ns, name_, NULL, json, json);         \
        EXPECT(inside, "DELETE", "", kind_, resource_, NULL, ns, name_, NULL, NULL, json);         \
        /* deletecollection: the review has no name */                                             \
        EXPECT(inside, "DELETE", "", kind_, resource_, NULL, ns, NULL, NULL, NULL, json);          \
    } while (0)
#define CREATES(inside, kind_, resource_, ns, name_, json)                                         \
    EXPECT(inside, "CREATE", "", kind_, resource_, NULL, ns, name_, NULL, json)

#define NAMED(name) "{'metadata':{'name':'" name "'}}"
#define POD_ON(name, node, spec)                                                                   \
    "{'metadata':{'name':'" name "'},'spec':{'nodeName':'" node "'" spec "}}"

static void nodes(void **state)
{
    (void)state;
    WRITES(IN, "Node", "nodes", NULL, "n1", NAMED("n1"));
    WRITES(OUT, "Node", "nodes", NULL, "n2", NAMED("n2"));
    CREATES(OUT, "Node", "nodes", NULL, "n1", NAMED("n1"));
    EXPECT(IN, "UPDATE", "", "Node", "nodes", "status", NULL, "n1", NULL, NAMED("n1"), NAMED("n1"));
    EXPECT(OUT, "UPDATE", "", "Node", "nodes", "status", NULL, "n2", NULL, NAMED("n2"),
           NAMED("n2"));
    EXPECT(IN, "CONNECT", "", "NodeProxyOptions", "nodes", "proxy", NULL, "https:n1:10250", NULL,
           "{'path':'/pods'}");
    EXPECT(OUT, "CONNECT", "", "NodeProxyOptions", "nodes", "proxy", NULL, "https:n2:10250", NULL,
           "{'path':'/pods'}");
}

static void pods(void **state)
{
    static const char *const connects[] = {"exec", "attach", "portforward", "proxy"};
    static const char *const updates[] = {"status", "resize", "ephemeralcontainers"};

    (void)state;
    WRITES(IN, "Pod", "pods", "shop", "web-1", POD_ON("web-1", "n1", ""));
    WRITES(OUT, "Pod", "pods", "shop", "web-2", POD_ON("web-2", "n2", ""));
    WRITES(OUT, "Pod", "pods", "shop", "pending", NAMED("pending"));
    for (size_t i = 0; i < CF_COUNT(connects); i++) {
        EXPECT(IN, "CONNECT", "", "PodExecOptions", "pods", connects[i], "shop", "web-1", NULL,
               "{'command':['sh']}");
        EXPECT(OUT, "CONNECT", "", "PodExecOptions", "pods", connects[i], "shop", "web-2", NULL,
               "{'command':['sh']}");
        EXPECT(OUT, "CONNECT", "", "PodExecOptions", "pods", connects[i], "other", "web-1", NULL,
               "{'command':['sh']}");
    }
    for (size_t i = 0; i < CF_COUNT(updates); i++) {
        EXPECT(IN, "UPDATE", "", "Pod", "pods", updates[i], "shop", "web-1", NULL,
               POD_ON("web-1", "n1", ""), POD_ON("web-1", "n1", ""));
        EXPECT(OUT, "UPDATE", "", "Pod", "pods", updates[i], "shop", "web-2", NULL,
               POD_ON("web-2", "n2", ""), POD_ON("web-2", "n2", ""));
    }
    EXPECT(IN, "CREATE", "policy", "Eviction", "pods", "eviction", "shop", "web-1", NULL,
           NAMED("web-1"));
    EXPECT(OUT, "CREATE", "policy", "Eviction", "pods", "eviction", "shop", "web-2", NULL,
           NAMED("web-2"));
    has_part(last.message,
             "pods/eviction \"web-2\" violates Curfew: node-boundary: node \"n1\" has no "
             "pod \"shop/web-2\"\n  userInfo: ServiceAccount "
             "\"shop/agent\" is restricted by node, and this token belongs to node "
             "\"n1\"\n  do this: ");
    lacks_part(last.message, "check: ");
}

/* The object may be newer than the store. */
static void old_and_new_object(void **state)
{
    (void)state;
    EXPECT(IN, "UPDATE", "", "Pod", "pods", NULL, "shop", "new", NULL, POD_ON("new", "n1", ""),
           POD_ON("new", "n1", ""));
    EXPECT(OUT, "UPDATE", "", "Pod", "pods", NULL, "shop", "web-1", NULL, POD_ON("web-1", "n1", ""),
           POD_ON("web-1", "n2", ""));
    EXPECT(OUT, "UPDATE", "", "Pod", "pods", NULL, "shop", "web-1", NULL, POD_ON("web-1", "n2", ""),
           POD_ON("web-1", "n1", ""));
    EXPECT(OUT, "DELETE", "", "Pod", "pods", NULL, "shop", "web-1", NULL, NULL,
           POD_ON("web-1", "n2", ""));
}

#define DEBUG_WITH(refs) POD_ON("web-1", "n1", ",'ephemeralContainers':[{'name':'debug'," refs "}]")
#define ENV_FROM(kind, name) "'envFrom':[{'" kind "':{'name':'" name "'}}]"
#define DEBUG(inside, refs)                                                                        \
    EXPECT(inside, "UPDATE", "", "Pod", "pods", "ephemeralcontainers", "shop", "web-1", NULL,      \
           DEBUG_WITH(refs), POD_ON("web-1", "n1", ""))

static void ephemeral_containers(void **state)
{
    (void)state;
    DEBUG(IN, "'image':'x'");
    DEBUG(IN, ENV_FROM("secretRef", "db"));
    DEBUG(IN, ENV_FROM("secretRef", "agent-secret"));
    DEBUG(IN, ENV_FROM("configMapRef", "agent-config"));
    DEBUG(OUT, ENV_FROM("secretRef", "foreign"));
    has_part(last.message,
             "it refers to Secret \"shop/foreign\", which no pod on node \"n1\" refers");
    DEBUG(OUT, ENV_FROM("secretRef", "mirror-secret"));
    DEBUG(OUT, ENV_FROM("configMapRef", "foreign-config"));
    DEBUG(OUT, ENV_FROM("configMapRef", "db"));
    DEBUG(OUT, "'env':[{'name':'A','valueFrom':{'secretKeyRef':{'name':'foreign','key':'k'}}}]");
    /* It was there before. */
    EXPECT(IN, "UPDATE", "", "Pod", "pods", "ephemeralcontainers", "shop", "web-1", NULL,
           DEBUG_WITH(ENV_FROM("secretRef", "foreign")),
           DEBUG_WITH(ENV_FROM("secretRef", "foreign")));
}

#define OWN_POD(node, spec)                                                                        \
    POD_ON("own", node, ",'serviceAccountName':'agent','volumes':[" spec "]")
#define CREATE_POD(inside, ns, json)                                                               \
    EXPECT(inside, "CREATE", "", "Pod", "pods", NULL, ns, "own", NULL, json)

static void creating_pods(void **state)
{
    const char *good = OWN_POD("n1", CONFIG_VOLUME("agent-config") "," CLAIM_VOLUME("data-1"));

    (void)state;
    CREATE_POD(OUT, "shop", good);
    use_config("rules: {node-boundary: {allowPodCreate: true}, legacy-token-mount: {level: off}}");
    CREATE_POD(IN, "shop", good);
    CREATE_POD(IN, "shop", OWN_POD("n1", ""));
    CREATE_POD(OUT, "shop", OWN_POD("n2", ""));
    CREATE_POD(OUT, "shop", "{'metadata':{'name':'own'},'spec':{'serviceAccountName':'agent'}}");
    CREATE_POD(OUT, "shop", POD_ON("own", "n1", ",'serviceAccountName':'web'"));
    CREATE_POD(OUT, "shop", POD_ON("own", "n1", ""));
    CREATE_POD(OUT, "other", OWN_POD("n1", ""));
    CREATE_POD(OUT, "shop", OWN_POD("n1", SECRET_VOLUME("foreign")));
    CREATE_POD(OUT, "shop", OWN_POD("n1", CONFIG_VOLUME("foreign-config")));
    CREATE_POD(OUT, "shop", OWN_POD("n1", CLAIM_VOLUME("data-2")));
    CREATE_POD(OUT, "shop", OWN_POD("n1", SECRET_VOLUME("db") "," SECRET_VOLUME("nobody-has-it")));
    CREATE_POD(OUT, "shop",
               POD_ON("own", "n1",
                      ",'serviceAccountName':'agent','imagePullSecrets':[{'name':'foreign'}]"));
}

#define BINDING(name, node)                                                                        \
    "{'metadata':{'name':'" name "'},'target':{'kind':'Node','name':'" node "'}}"
#define BIND(inside, name_, node)                                                                  \
    do {                                                                                           \
        EXPECT(inside, "CREATE", "", "Binding", "pods", "binding", "shop", name_, NULL,            \
               BINDING(name_, node));                                                              \
        EXPECT(inside, "CREATE", "", "Binding", "bindings", NULL, "shop", name_, NULL,             \
               BINDING(name_, node));                                                              \
    } while (0)

static void bindings(void **state)
{
    (void)state;
    add_objects(store,
                POD_HEAD("shop", "own", "u-own") ",'spec':{'serviceAccountName':'agent',"
                                                 "'volumes':[" CONFIG_VOLUME("agent-config") "]}}");
    add_objects(store, POD_HEAD("shop", "others", "u-x") ",'spec':{'serviceAccountName':'web'}}");
    BIND(OUT, "own", "n1");
    use_config("rules: {node-boundary: {allowPodCreate: true}}");
    BIND(IN, "own", "n1");
    BIND(OUT, "own", "n2");
    BIND(OUT, "others", "n1");
    BIND(OUT, "pending", "n1"); /* names a Secret that is not inside */
    has_part(last.message, "shop/pending-secret");
    BIND(OUT, "nobody", "n1");
}

static void configs_and_secrets(void **state)
{
    (void)state;
    WRITES(IN, "ConfigMap", "configmaps", "shop", "agent-config", NAMED("agent-config"));
    WRITES(IN, "ConfigMap", "configmaps", "shop", "env-config", NAMED("env-config"));
    WRITES(OUT, "ConfigMap", "configmaps", "shop", "foreign-config", NAMED("foreign-config"));
    WRITES(OUT, "ConfigMap", "configmaps", "shop", "kube-root-ca.crt", NAMED("kube-root-ca.crt"));
    WRITES(OUT, "ConfigMap", "configmaps", "other", "agent-config", NAMED("agent-config"));
    CREATES(OUT, "ConfigMap", "configmaps", "shop", "agent-config", NAMED("agent-config"));
    CREATES(OUT, "ConfigMap", "configmaps", "shop", "new", NAMED("new"));
    WRITES(IN, "Secret", "secrets", "shop", "db", NAMED("db"));
    WRITES(IN, "Secret", "secrets", "shop", "shared", NAMED("shared"));
    WRITES(IN, "Secret", "secrets", "storage", "pv-secret", NAMED("pv-secret"));
    WRITES(OUT, "Secret", "secrets", "shop", "foreign", NAMED("foreign"));
    WRITES(OUT, "Secret", "secrets", "shop", "mirror-secret", NAMED("mirror-secret"));
    CREATES(OUT, "Secret", "secrets", "shop", "db", NAMED("db"));
    use_config("rules: {node-boundary: {sharedObjects: deny}}");
    WRITES(IN, "Secret", "secrets", "shop", "db", NAMED("db"));
    WRITES(OUT, "Secret", "secrets", "shop", "shared", NAMED("shared"));
    WRITES(OUT, "ConfigMap", "configmaps", "shop", "agent-config", NAMED("agent-config"));
}

/* Curfew's policy, and the key of its certificate. */
static void curfews_own_namespace_is_read_only(void **state)
{
    (void)state;
    own_namespace = "shop";
    WRITES(OUT, "ConfigMap", "configmaps", "shop", "agent-config", NAMED("agent-config"));
    EXPECT(OUT, "UPDATE", "", "ConfigMap", "configmaps", NULL, "shop", "agent-config", NULL,
           NAMED("agent-config"), NAMED("agent-config"));
    has_part(last.message, "node-boundary: ConfigMap \"shop/agent-config\" may only be read: it is "
                           "in Curfew's own namespace");
    WRITES(OUT, "Secret", "secrets", "shop", "db", NAMED("db"));
    CREATES(OUT, "Secret", "secrets", "shop", "new", NAMED("new"));
    CREATES(OUT, "ConfigMap", "configmaps", "shop", "new", NAMED("new"));
    WRITES(IN, "Secret", "secrets", "storage", "pv-secret", NAMED("pv-secret"));
    WRITES(IN, "Pod", "pods", "shop", "web-1", POD_ON("web-1", "n1", ""));
    own_namespace = NULL;
    WRITES(IN, "Secret", "secrets", "shop", "db", NAMED("db"));
}

static bool unreadable_is_allowed(void)
{
    struct review r = *WRITE("UPDATE", "", "ConfigMap", "configmaps", NULL, "shop", "agent-config",
                             NULL, "{'metadata':7}", NAMED("agent-config"));

    r.user = INFO(AGENT);
    return validate(review(&r)).allowed;
}

/* Where the level would let what can't be read pass. */
static void unreadable_objects_of_curfews_own_namespace(void **state)
{
    (void)state;
    use_config("exemptions: {namespaces: [shop]}");
    assert_true(unreadable_is_allowed());
    own_namespace = "shop";
    assert_false(unreadable_is_allowed());
    own_namespace = NULL;
}

#define CLAIM_ON(name, volume) "{'metadata':{'name':'" name "'},'spec':{'volumeName':'" volume "'}}"
#define VOLUME_OF(name, claim)                                                                     \
    "{'metadata':{'name':'" name "'},'spec':{'claimRef':{'namespace':'shop','name':'" claim "'}}}"

static void claims_and_volumes(void **state)
{
    (void)state;
    WRITES(IN, "PersistentVolumeClaim", "persistentvolumeclaims", "shop", "data-1",
           CLAIM_ON("data-1", "pv-1"));
    WRITES(OUT, "PersistentVolumeClaim", "persistentvolumeclaims", "shop", "data-2",
           CLAIM_ON("data-2", "pv-2"));
    CREATES(OUT, "PersistentVolumeClaim", "persistentvolumeclaims", "shop", "data-3",
            CLAIM_ON("data-3", "pv-1"));
    WRITES(IN, "PersistentVolume", "persistentvolumes", NULL, "pv-1", VOLUME_OF("pv-1", "data-1"));
    WRITES(IN, "PersistentVolume", "persistentvolumes", NULL, "pv-local", NAMED("pv-local"));
    WRITES(OUT, "PersistentVolume", "persistentvolumes", NULL, "pv-2", VOLUME_OF("pv-2", "data-2"));
    CREATES(OUT, "PersistentVolume", "persistentvolumes", NULL, "pv-3",
            VOLUME_OF("pv-3", "data-1"));
    /* Moved to another volume, or to another claim. */
    EXPECT(OUT, "UPDATE", "", "PersistentVolumeClaim", "persistentvolumeclaims", NULL, "shop",
           "data-1", NULL, CLAIM_ON("data-1", "pv-2"), CLAIM_ON("data-1", ""));
    EXPECT(IN, "UPDATE", "", "PersistentVolumeClaim", "persistentvolumeclaims", NULL, "shop",
           "data-1", NULL, CLAIM_ON("data-1", "pv-local"), CLAIM_ON("data-1", ""));
    EXPECT(OUT, "UPDATE", "", "PersistentVolume", "persistentvolumes", NULL, NULL, "pv-local", NULL,
           VOLUME_OF("pv-local", "data-2"), NAMED("pv-local"));
    EXPECT(OUT, "UPDATE", "", "PersistentVolume", "persistentvolumes", NULL, NULL, "pv-local", NULL,
           VOLUME_OF("pv-local", "data-2"), VOLUME_OF("pv-local", "data-1"));
    EXPECT(IN, "UPDATE", "", "PersistentVolume", "persistentvolumes", NULL, NULL, "pv-local", NULL,
           VOLUME_OF("pv-local", "data-1"), NAMED("pv-local"));
    EXPECT(IN, "UPDATE", "", "PersistentVolume", "persistentvolumes", "status", NULL, "pv-local",
           NULL, NAMED("pv-local"), NAMED("pv-local"));
}

#define BOUND(kind, name) "{'spec':{'boundObjectRef':{'kind':'" kind "','name':'" name "'}}}"
#define BOUND_UID(name, uid)                                                                       \
    "{'spec':{'boundObjectRef':{'kind':'Pod','name':'" name "','uid':'" uid "'}}}"
#define TOKEN_AS(user, inside, ns, account, json)                                                  \
    EXPECT_AS(user, inside, "CREATE", "authentication.k8s.io", "TokenRequest", "serviceaccounts",  \
              "token", ns, account, NULL, json)
#define ASK_TOKEN(inside, account, json) TOKEN_AS(AGENT, inside, "shop", account, json)

static void tokens(void **state)
{
    (void)state;
    use_config("rules: {unbound-token: {level: off}}");
    ASK_TOKEN(IN, "agent", BOUND("Pod", "agent-1"));
    ASK_TOKEN(IN, "agent", BOUND_UID("agent-1", "u-agent-1"));
    ASK_TOKEN(OUT, "agent", BOUND_UID("agent-1", "u-0"));
    ASK_TOKEN(IN, "agent", BOUND("Node", "n1"));
    ASK_TOKEN(OUT, "agent", BOUND("Pod", "agent-2"));
    ASK_TOKEN(OUT, "agent", BOUND("Pod", "pending"));
    ASK_TOKEN(OUT, "agent", BOUND("Pod", "no-such-pod"));
    ASK_TOKEN(OUT, "agent", BOUND("Node", "n2"));
    ASK_TOKEN(OUT, "agent", BOUND("Secret", "agent-secret"));
    ASK_TOKEN(OUT, "agent", "{'spec':{}}");
    ASK_TOKEN(OUT, "web", BOUND("Pod", "web-1"));
    TOKEN_AS(AGENT, OUT, "other", "agent", BOUND("Node", "n1"));
    use_config("rules: {unbound-token: {level: off}, node-boundary: {tokenFor: podsOnNode}}");
    ASK_TOKEN(IN, "web", BOUND("Pod", "web-1"));
    ASK_TOKEN(OUT, "web", BOUND("Pod", "web-2"));
    ASK_TOKEN(OUT, "web", BOUND("Pod", "agent-1"));
    ASK_TOKEN(OUT, "web", BOUND("Node", "n1"));
    ASK_TOKEN(OUT, "api", BOUND("Pod", "web-1"));
    ASK_TOKEN(IN, "agent", BOUND("Pod", "agent-1"));
}

/* No caller gets a token for a restricted account without a bound node. */
static void tokens_for_a_restricted_account(void **state)
{
    (void)state;
    use_config("rules: {unbound-token: {level: off}}");
    TOKEN_AS("'alice','groups':['developers']", OUT, "shop", "agent", "{'spec':{}}");
    has_part(last.message, "violates Curfew: node-boundary: a token for ServiceAccount "
                           "\"shop/agent\", which is restricted by node, must be bound to a Pod or "
                           "a Node\n  spec.boundObjectRef: ");
    TOKEN_AS("'alice'", OUT, "shop", "agent", BOUND("Secret", "agent-secret"));
    TOKEN_AS("'alice'", IN, "shop", "agent", BOUND("Pod", "agent-2"));
    TOKEN_AS("'alice'", IN, "shop", "agent", BOUND("Node", "n2"));
    TOKEN_AS("'alice'", IN, "shop", "web", "{'spec':{}}");
    TOKEN_AS(WEB, OUT, "shop", "agent", "{'spec':{}}");
    TOKEN_AS(AGENT_LEGACY, OUT, "shop", "agent", BOUND("Pod", "agent-1"));
    TOKEN_AS(AGENT_UNBOUND, OUT, "shop", "agent", BOUND("Pod", "agent-1"));
    TOKEN_AS("'system:node:n2','groups':['system:nodes']", IN, "shop", "agent",
             BOUND("Pod", "agent-2"));
    use_config("rules: {unbound-token: {level: off}}\nexceptions:\n- {rule: node-boundary, "
               "namespace: shop, serviceAccounts: [agent], until: 2026-12-31, reason: moves}");
    TOKEN_AS("'alice'", IN, "shop", "agent", "{'spec':{}}");
}

static void accounts(void **state)
{
    (void)state;
    WRITES(OUT, "ServiceAccount", "serviceaccounts", "shop", "web", NAMED("web"));
    CREATES(OUT, "ServiceAccount", "serviceaccounts", "shop", "new", NAMED("new"));
}

static void where_the_caller_is(void **state)
{
    static const char *const here[] = {INFO(AGENT), INFO(AGENT_BY_POD), INFO(AGENT_BY_NODE)};
    static const char *const nowhere[] = {INFO(AGENT_BY_OLD_POD), INFO(AGENT_BY_GONE_POD),
                                          INFO(AGENT_BY_PENDING_POD), INFO(AGENT_UNBOUND),
                                          INFO(AGENT_LEGACY)};
    const struct review *near = WRITE("DELETE", "", "Pod", "pods", NULL, "shop", "web-1", NULL,
                                      NULL, POD_ON("web-1", "n1", ""));
    const struct review *own =
        WRITE("UPDATE", "", "Node", "nodes", NULL, NULL, "n1", NULL, NAMED("n1"), NAMED("n1"));

    (void)state;
    for (size_t i = 0; i < CF_COUNT(here); i++) {
        expect_as(here[i], IN, near);
        expect_as(here[i], IN, own);
    }
    for (size_t i = 0; i < CF_COUNT(nowhere); i++) {
        expect_as(nowhere[i], OUT, near);
        expect_as(nowhere[i], OUT, own);
    }
}

static void everybody_else(void **state)
{
    static const char *const users[] = {INFO(WEB), INFO("'alice'"),
                                        INFO("'system:node:n2','groups':['system:nodes']"),
                                        INFO("'system:kube-controller-manager'")};

    (void)state;
    for (size_t i = 0; i < CF_COUNT(users); i++) {
        expect_as(users[i], IN,
                  WRITE("DELETE", "", "Pod", "pods", NULL, "shop", "web-2", NULL, NULL,
                        POD_ON("web-2", "n2", "")));
        assert_string_equal(last.text, "{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":"
                                       "\"AdmissionReview\",\"response\":{\"uid\":\"u-1\","
                                       "\"allowed\":true}}");
        expect_as(users[i], IN,
                  WRITE("DELETE", "", "Node", "nodes", NULL, NULL, "n2", NULL, NULL, NAMED("n2")));
    }
}

static void what_it_does_not_cover(void **state)
{
    (void)state;
    EXPECT(IN, "UPDATE", "coordination.k8s.io", "Lease", "leases", NULL, "kube-node-lease", "n2",
           NULL, NAMED("n2"), NAMED("n2"));
    EXPECT(IN, "CREATE", "", "Event", "events", NULL, "shop", "e", NULL, NAMED("e"));
    EXPECT(IN, "UPDATE", "", "Service", "services", NULL, "shop", "s", NULL, NAMED("s"),
           NAMED("s"));
}

/* Levels, labels and exempt namespaces do not lift it; users, groups and exceptions do. */
static void what_lifts_it(void **state)
{
    const struct review *away =
        WRITE("DELETE", "", "Node", "nodes", NULL, NULL, "n2", NULL, NULL, NAMED("n2"));

    (void)state;
    use_config("defaults: {enforce: privileged, audit: privileged, warn: privileged}\n"
               "exemptions: {namespaces: [shop, free]}");
    expect_as(INFO(AGENT), OUT, away);
    EXPECT(OUT, "UPDATE", "", "Secret", "secrets", NULL, "free", "x", NULL, NAMED("x"), NAMED("x"));
    use_config("guard: {groups: ['system:serviceaccounts:shop']}");
    expect_as(INFO(AGENT), OUT, away);
    use_config("exemptions: {usernames: ['system:serviceaccount:shop:agent']}");
    expect_as(INFO(AGENT), IN, away);
    assert_string_equal(annotation(&last, "exempt"), "user");
    use_config("exceptions:\n- {rule: node-boundary, namespace: shop, serviceAccounts: ['ag*'], "
               "until: 2026-12-31, reason: moves}");
    expect_as(INFO(AGENT), IN, away);
    assert_string_equal(annotation(&last, "exempt"), "exception");
    use_config("exceptions:\n- {rule: node-boundary, namespace: shop, serviceAccounts: ['ag*'], "
               "names: ['n9'], until: 2026-12-31, reason: moves}");
    expect_as(INFO(AGENT), OUT, away);
    use_config("rules: {node-boundary: {}}");
    expect_as(INFO(AGENT), OUT, away);
    assert_string_equal(annotation(&last, "findings"), "node-boundary userInfo");
}

static void what_is_malformed(void **state)
{
    (void)state;
    is_refused(review(WRITE("UPDATE", "", "Pod", "pods", "status", "shop", "web-1", INFO(AGENT),
                            "{'spec':{'nodeName':1}}", "{}")),
               "request.object.spec.nodeName must be a string, not a number");
    is_refused(review(WRITE("CREATE", "", "Binding", "bindings", NULL, "shop", "web-1", INFO(AGENT),
                            "{'target':[]}")),
               "request.object.target must be an object, not an array");
    is_refused(review(WRITE("DELETE", "", "Secret", "secrets", NULL, "shop", NULL, INFO(AGENT),
                            NULL, "{'metadata':{'name':{}}}")),
               "request.oldObject.metadata.name must be a string, not an object");
    is_refused(review(WRITE("UPDATE", "", "PersistentVolume", "persistentvolumes", NULL, NULL, "pv",
                            INFO(AGENT), "{'spec':{'claimRef':'x'}}", "{}")),
               "request.object.spec.claimRef must be an object, not a string");
}

/* While nothing is known of the cluster the level decides, as for Secrets. */
static void an_unsynced_store(void **state)
{
    struct cf_store *known = store;

    (void)state;
    store = cf_store_new(CF_ABSENT_DEPENDS);
    WRITES(IN, "Node", "nodes", NULL, "n2", NAMED("n2"));
    use_config("lookupFailure: {baseline: deny}");
    WRITES(OUT, "Node", "nodes", NULL, "n2", NAMED("n2"));
    has_part(last.message, "Curfew has not listed the cluster yet");
    cf_store_free(store);
    store = known;
}

/* ---- admission and authorization ---- */

static bool authorization_refuses(const char *verb, const char *resource, const char *namespace,
                                  const char *name)
{
    const char *text = q(cf_arena_printf(
        arena,
        "{'apiVersion':'authorization.k8s.io/v1','kind':'SubjectAccessReview','spec':{'user':" AGENT
        ",'resourceAttributes':{'verb':'%s','resource':'%s','namespace':'%s','name':'%s'}}}",
        verb, resource, namespace, name));
    struct cf_review_input in = {
        .phase = CF_PHASE_AUTHORIZE, .policy = policy, .store = store, .now = NOW};
    struct cf_outcome outcome;
    struct cf_buf buf;

    cf_buf_init_arena(&buf, arena, CF_ANSWER_MAX);
    if (cf_authorize_answer(arena, &in, text, strlen(text), &buf, &outcome, &err) != 0)
        fail_msg("%s", err.msg);
    return outcome.decision == CF_DENIED;
}

/* For each name, both allow the write or both deny it. */
static void admission_and_authorization_agree(void **state)
{
    static const struct {
        const char *kind, *resource, *namespace;
    } all[] = {{"Node", "nodes", ""},
               {"Pod", "pods", "shop"},
               {"Pod", "pods", "other"},
               {"ConfigMap", "configmaps", "shop"},
               {"Secret", "secrets", "shop"},
               {"Secret", "secrets", "storage"},
               {"PersistentVolumeClaim", "persistentvolumeclaims", "shop"},
               {"PersistentVolume", "persistentvolumes", ""},
               {"ServiceAccount", "serviceaccounts", "shop"}};
    static const char *const names[] = {"n1",
                                        "n2",
                                        "agent-1",
                                        "agent-2",
                                        "web-1",
                                        "web-2",
                                        "pending",
                                        "mirror-n1",
                                        "agent-config",
                                        "foreign-config",
                                        "kube-root-ca.crt",
                                        "db",
                                        "shared",
                                        "foreign",
                                        "pv-secret",
                                        "pv-secret-2",
                                        "data-1",
                                        "data-2",
                                        "pv-1",
                                        "pv-2",
                                        "pv-local",
                                        "pv-both",
                                        "agent",
                                        "nothing"};
    static const char *const configs[] = {"{}", "{node-boundary: {sharedObjects: deny}}"};
    size_t inside = 0;

    (void)state;
    for (size_t c = 0; c < CF_COUNT(configs); c++) {
        use_config(cf_arena_printf(arena, "rules: %s", configs[c]));
        for (size_t i = 0; i < CF_COUNT(all) * CF_COUNT(names); i++) {
            const char *resource = all[i / CF_COUNT(names)].resource;
            const char *namespace = all[i / CF_COUNT(names)].namespace;
            const char *name = names[i % CF_COUNT(names)];
            bool refused = authorization_refuses("patch", resource, namespace, name);
            struct cf_store_pod pod;
            const char *json;

            /* A pod's own object contains its node; the other objects need only a name. */
            if (!cf_store_pod(store, arena, namespace, name, &pod))
                pod.node = "";
            json = cf_arena_printf(arena, "{'metadata':{'name':'%s'},'spec':{'nodeName':'%s'}}",
                                   name, pod.node);
            expect_as(INFO(AGENT), !refused,
                      WRITE("UPDATE", "", all[i / CF_COUNT(names)].kind, resource, NULL, namespace,
                            name, NULL, json, json));
            assert_int_equal(authorization_refuses("delete", resource, namespace, name), refused);
            inside += !refused;
        }
    }
    assert_in_range(inside, 20, 40);
}

/* ---- legacy-token-use ---- */

#define LEGACY_WRITE                                                                               \
    WRITE("CREATE", "apps", "Deployment", "deployments", NULL, "base", "web", NULL, NAMED("web"))

static const char *denied_for(const char *user, const struct review *r)
{
    struct review copy = *r;

    copy.user = user;
    last = validate(review(&copy));
    return last.message;
}

static void legacy_tokens(void **state)
{
    (void)state;
    assert_string_equal(denied_for(INFO(USER("shop", "web", "")), LEGACY_WRITE), "");
    cf_store_set_server_version(store, 1, 31);
    assert_string_equal(denied_for(INFO(USER("shop", "web", "")), LEGACY_WRITE), "");
    cf_store_set_server_version(store, 1, 32);
    /* A template too, and at the level of the caller's namespace. */
    has_part(denied_for(INFO(USER("shop", "web", "")), LEGACY_WRITE),
             "deployment \"web\" violates Curfew level \"restricted\": legacy-token-use: "
             "ServiceAccount \"shop/web\" is used by a legacy token, which never expires, or by "
             "impersonation\n  userInfo: ");
    lacks_part(last.message, "check: ");
    assert_string_equal(denied_for(INFO(USER("base", "web", "")), LEGACY_WRITE), "");
    assert_null(last.warnings);
    assert_string_equal(denied_for(INFO(USER("default", "web", "")), LEGACY_WRITE), "");
    has_part(warning(&last, 0), "deployment \"web\" would violate Curfew level \"restricted\": "
                                "legacy-token-use: ");
    assert_string_equal(denied_for(INFO(USER("shop", "web", ",'extra':{" JTI "}")), LEGACY_WRITE),
                        "");
    has_part(denied_for(INFO(USER("shop", "web", "")), WRITE("DELETE", "", "Event", "events", NULL,
                                                             "free", "x", NULL, NULL, NAMED("x"))),
             "events \"x\" violates Curfew level \"restricted\": legacy-token-use");
}

static void the_pivot_stays_open(void **state)
{
    const struct review *own =
        WRITE("CREATE", "authentication.k8s.io", "TokenRequest", "serviceaccounts", "token", "shop",
              "web", NULL, "{'spec':{'expirationSeconds':600}}");
    const struct review *other =
        WRITE("CREATE", "authentication.k8s.io", "TokenRequest", "serviceaccounts", "token", "shop",
              "api", NULL, "{'spec':{'expirationSeconds':600}}");

    (void)state;
    cf_store_set_server_version(store, 1, 36);
    use_config("rules: {unbound-token: {level: off}}");
    assert_string_equal(denied_for(INFO(USER("shop", "web", "")), own), "");
    has_part(denied_for(INFO(USER("shop", "web", "")), other), "legacy-token-use");
    use_config("exceptions:\n- {rule: legacy-token-use, namespace: shop, serviceAccounts: [web], "
               "until: 2026-12-31, reason: moves}");
    lacks_part(denied_for(INFO(USER("shop", "web", "")), other), "legacy-token-use");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOUNDARY_TEST(nodes),
        BOUNDARY_TEST(pods),
        BOUNDARY_TEST(old_and_new_object),
        BOUNDARY_TEST(ephemeral_containers),
        BOUNDARY_TEST(creating_pods),
        BOUNDARY_TEST(bindings),
        BOUNDARY_TEST(configs_and_secrets),
        BOUNDARY_TEST(curfews_own_namespace_is_read_only),
        BOUNDARY_TEST(unreadable_objects_of_curfews_own_namespace),
        BOUNDARY_TEST(claims_and_volumes),
        BOUNDARY_TEST(tokens),
        BOUNDARY_TEST(tokens_for_a_restricted_account),
        BOUNDARY_TEST(accounts),
        BOUNDARY_TEST(where_the_caller_is),
        BOUNDARY_TEST(everybody_else),
        BOUNDARY_TEST(what_it_does_not_cover),
        BOUNDARY_TEST(what_lifts_it),
        BOUNDARY_TEST(what_is_malformed),
        BOUNDARY_TEST(an_unsynced_store),
        BOUNDARY_TEST(admission_and_authorization_agree),
        BOUNDARY_TEST(legacy_tokens),
        BOUNDARY_TEST(the_pivot_stays_open),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
